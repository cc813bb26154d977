//! The drawing laid out on the screen for one frame: card rectangles, port positions, wires.

use std::collections::BTreeMap;

use egui::{Pos2, Rect, pos2, vec2};

use super::camera::Camera;
use super::cards;
use super::course::Course;
use super::moving::stretched;
use crate::app::arrange::{CARD_WIDTH, FIGURES_HEIGHT, HEAD_HEIGHT, ROW_HEIGHT, card_height, ports_of};
use crate::app::{AppState, Pick};
use crate::compile::Impact;
use crate::components::{self, PortSpec, PortType};
use crate::event::SchemaUse;
use crate::metrics::CardView;
use crate::model::{CardBounds, Endpoint, Project};

/// A frame is held by the strip its label stands in.
const FRAME_LABEL_HEIGHT: f32 = 26.0;

/// Everything on the screen.
#[derive(Debug, Default)]
pub struct Scene {
    /// In drawing order: the last lies on top.
    pub cards: Vec<Card>,
    /// In file order.
    pub wires: Vec<Wire>,
    /// Frames' rectangles.
    pub frames: Vec<Rect>,
    /// Notes' rectangles.
    pub notes: Vec<Rect>,
    index: BTreeMap<String, usize>,
}

/// One card.
#[derive(Debug)]
pub struct Card {
    /// Component id.
    pub id: String,
    /// Kind id.
    pub kind: String,
    /// On the screen.
    pub rect: Rect,
    /// Its ports.
    pub ports: Vec<Port>,
    /// What it shows while running.
    pub figures: Option<CardView>,
    /// Height of the figures' strip on the screen.
    pub figures_height: f32,
    /// Problems that concern it.
    pub problems: usize,
    /// What a draft of a schema would do to it.
    pub hit: Option<Impact>,
    /// The schemas that it uses.
    pub uses: Vec<SchemaUse>,
    /// Whether it can be seen.
    pub visible: bool,
}

/// One port.
#[derive(Debug, Clone)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Its spec.
    pub spec: PortSpec,
    /// Centre of its dot where links end (left), or begin when it only gives (right).
    pub at: Pos2,
    /// Second dot of a port that both takes and gives: links begin here.
    pub at_right: Option<Pos2>,
}

/// One wire.
#[derive(Debug)]
pub struct Wire {
    /// Place in the project's links.
    pub index: usize,
    /// Ends.
    pub from: Endpoint,
    /// Ends.
    pub to: Endpoint,
    /// On the screen.
    pub course: Course,
    /// A schema look-up.
    pub is_reference: bool,
}

/// What the pointer is on.
#[derive(Clone, Debug, PartialEq)]
pub enum Hit {
    /// A port's dot: where a link begins or ends.
    Port(Endpoint),
    /// A card.
    Card(String),
    /// A wire.
    Wire(Endpoint, Endpoint),
    /// A note.
    Note(usize),
    /// A frame's label.
    Frame(usize),
    /// An edge or a corner of a frame or a note, which resizes it.
    Edge(Pick, Edges),
    /// Nothing.
    Empty,
}

/// Which edges of a rectangle, by axis: left and top are low, right and bottom high.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// Left, top.
    pub low: [bool; 2],
    /// Right, bottom.
    pub high: [bool; 2],
}

impl Edges {
    /// The edges that a point is on; none away from all of them.
    #[must_use]
    fn at(rect: &Rect, at: Pos2) -> Option<Self> {
        const REACH: f32 = 5.0;
        if !rect.expand(REACH).contains(at) || rect.shrink(REACH).contains(at) {
            return None;
        }
        let near = |a: f32, b: f32| (a - b).abs() <= REACH;
        Some(Self { low: [near(at.x, rect.min.x), near(at.y, rect.min.y)], high: [near(at.x, rect.max.x), near(at.y, rect.max.y)] })
    }
}

/// What a gesture moves for the time being, in world units.
#[derive(Clone, Debug, Default)]
pub struct Offsets {
    /// Component ids.
    pub components: Vec<String>,
    /// Frames.
    pub frames: Vec<usize>,
    /// Notes.
    pub notes: Vec<usize>,
    /// A frame or a note of which some edges move.
    pub stretched: Option<(Pick, Edges)>,
    /// By how much.
    pub by: egui::Vec2,
}

impl Offsets {
    /// Where a frame or a note stands meanwhile.
    fn placed(&self, pick: &Pick, is_moved: bool, position: [f32; 2], size: [f32; 2]) -> ([f32; 2], [f32; 2]) {
        match &self.stretched {
            Some((stretched_pick, edges)) if stretched_pick == pick => stretched(position, size, *edges, self.by),
            _ if is_moved => ([position[0] + self.by.x, position[1] + self.by.y], size),
            _ => (position, size),
        }
    }
}

impl Scene {
    /// Around everything that is drawn, in world units.
    #[must_use]
    pub fn world_bounds(project: &Project) -> Rect {
        let mut bounds = Rect::NOTHING;
        for (id, component) in &project.components {
            let [x, y] = position_of(project, id);
            bounds = bounds.union(Rect::from_min_size(pos2(x, y), vec2(CARD_WIDTH, card_height(&ports_of(component)))));
        }
        let boxes =
            project.layout.frames.iter().map(|f| (f.position, f.size)).chain(project.layout.notes.iter().map(|n| (n.position, n.size)));
        for (position, size) in boxes {
            bounds = bounds.union(Rect::from_min_size(pos2(position[0], position[1]), vec2(size[0], size[1])));
        }
        bounds
    }

    /// Lays the design out for one frame.
    #[must_use]
    pub fn lay_out(app: &AppState, camera: &Camera, view: Rect, moved: &Offsets) -> Self {
        let project = app.project();
        let mut scene = Self::default();
        let mut problems: BTreeMap<&str, usize> = BTreeMap::new();
        for diagnostic in app.document.diagnostics() {
            if let Some(rest) = diagnostic.path.strip_prefix("components.") {
                *problems.entry(rest.split('.').next().unwrap_or_default()).or_default() += 1;
            }
        }
        for (id, component) in &project.components {
            let [mut x, mut y] = position_of(project, id);
            if moved.components.contains(id) {
                x += moved.by.x;
                y += moved.by.y;
            }
            let ports = ports_of(component);
            let rect = camera.rect([x, y], [CARD_WIDTH, card_height(&ports)]);
            let figures = app.running.as_ref().and_then(|running| running.view().cards.get(running.component_ix(id)?.index()).cloned());
            scene.index.insert(id.clone(), scene.cards.len());
            scene.cards.push(Card {
                id: id.clone(),
                kind: component.kind.clone(),
                rect,
                ports: place_ports(ports, rect, camera.zoom),
                figures,
                figures_height: FIGURES_HEIGHT * camera.zoom,
                problems: problems.get(id.as_str()).copied().unwrap_or(0),
                hit: app.hit_of(id).map(|hit| hit.impact),
                uses: if view.expand(40.0).intersects(rect) { app.schema_uses(id) } else { Vec::new() },
                visible: view.expand(40.0).intersects(rect),
            });
        }
        scene.lay_wires(project, camera.zoom);
        for (index, frame) in project.layout.frames.iter().enumerate() {
            let (position, size) = moved.placed(&Pick::Frame(index), moved.frames.contains(&index), frame.position, frame.size);
            scene.frames.push(camera.rect(position, size));
        }
        for (index, note) in project.layout.notes.iter().enumerate() {
            let (position, size) = moved.placed(&Pick::Note(index), moved.notes.contains(&index), note.position, note.size);
            scene.notes.push(camera.rect(position, size));
        }
        scene
    }

    fn lay_wires(&mut self, project: &Project, zoom: f32) {
        let boxes: Vec<CardBounds> = self.cards.iter().map(|Card { rect, .. }| [rect.min.x, rect.min.y, rect.max.x, rect.max.y]).collect();
        for (index, link) in project.links.iter().enumerate() {
            let (Some(from), Some(to)) = (self.port(&link.from), self.port(&link.to)) else { continue };
            let (start, end) = (from.at_right.unwrap_or(from.at), to.at);
            let is_reference = to.spec.is_reference();
            let course = if is_reference { Course::down(start, end, zoom) } else { Course::between(start, end, &boxes, zoom) };
            self.wires.push(Wire { index, from: link.from.clone(), to: link.to.clone(), course, is_reference });
        }
    }

    /// A port by its name.
    #[must_use]
    pub fn port(&self, end: &Endpoint) -> Option<&Port> {
        self.card(&end.component)?.ports.iter().find(|port| port.name == end.port)
    }
    /// A card by its id.
    #[must_use]
    pub fn card(&self, id: &str) -> Option<&Card> {
        self.cards.get(*self.index.get(id)?)
    }
    /// The way of a running link, if the drawing still has it.
    #[must_use]
    pub fn course_of_run_link(&self, app: &AppState, link: crate::units::LinkIx) -> Option<&Course> {
        // Links do not change while a run is on, so numbers are file order.
        app.running.as_ref()?;
        let place = self.wires.binary_search_by_key(&link.index(), |wire| wire.index).ok()?;
        Some(&self.wires[place].course)
    }

    /// What is under the pointer: ports, cards (last drawn first), wires, notes, frames.
    #[must_use]
    pub fn hit(&self, at: Pos2) -> Hit {
        const PORT_REACH: f32 = 11.0;
        const WIRE_REACH: f32 = 7.0;
        for card in self.cards.iter().rev().filter(|card| card.visible) {
            for port in &card.ports {
                let dots = [Some(port.at), port.at_right];
                if dots.into_iter().flatten().any(|dot| dot.distance(at) <= PORT_REACH) {
                    return Hit::Port(Endpoint { component: card.id.clone(), port: port.name.clone() });
                }
            }
        }
        if let Some(card) = self.cards.iter().rev().find(|card| card.rect.contains(at)) {
            return Hit::Card(card.id.clone());
        }
        let near = self.wires.iter().rev().find(|wire| wire.course.distance_to(at) <= WIRE_REACH);
        if let Some(wire) = near {
            return Hit::Wire(wire.from.clone(), wire.to.clone());
        }
        for (index, rect) in self.notes.iter().enumerate().rev() {
            if let Some(edges) = Edges::at(rect, at) {
                return Hit::Edge(Pick::Note(index), edges);
            }
            if rect.contains(at) {
                return Hit::Note(index);
            }
        }
        for (index, rect) in self.frames.iter().enumerate().rev() {
            if let Some(edges) = Edges::at(rect, at) {
                return Hit::Edge(Pick::Frame(index), edges);
            }
            if rect.contains(at) && at.y < rect.min.y + FRAME_LABEL_HEIGHT {
                return Hit::Frame(index);
            }
        }
        Hit::Empty
    }
}

impl Card {
    /// For screen readers and tests: kind, id, and what it shows.
    #[must_use]
    pub fn label(&self, app: &AppState) -> String {
        let kind = components::by_id(&self.kind).map_or(self.kind.as_str(), |kind| kind.spec().title);
        let mut label = format!("{kind} {}", self.id);
        if let Some(figures) = &self.figures {
            label.push_str(&format!(", {:.0} per second", figures.rate_per_s));
            if !figures.queue_label.is_empty() {
                label.push_str(&format!(", {} {:.0}", figures.queue_label, figures.queue));
            }
            if let Some(freshness) = figures.freshness {
                label.push_str(&format!(", read model {} behind", cards::behind(freshness)));
                if let Some(stale) = freshness.stale_ratio {
                    label.push_str(&format!(", {:.0} % of reads stale", stale * 100.0));
                }
            }
        }
        if let Some(words) = uses_words(&self.uses) {
            label.push_str(&format!(", {words}"));
        }
        if let Some(hit) = self.hit {
            label.push_str(&format!(", {} by the draft", hit.words()));
        }
        if self.problems > 0 && !app.is_locked() {
            label.push_str(&format!(", {} problem{}", self.problems, if self.problems == 1 { "" } else { "s" }));
        }
        label
    }
}

/// `writes orders-value version 2 id 5`, for each schema that is used.
fn uses_words(uses: &[SchemaUse]) -> Option<String> {
    let words = |one: &SchemaUse| {
        let version = one.version.map(|version| format!(" version {version}")).unwrap_or_default();
        let id = one.id.map(|id| format!(" id {id}")).unwrap_or_default();
        let trouble = if one.trouble.is_some() { " in trouble" } else { "" };
        format!("{} {}{version}{id}{trouble}", one.way.words(), one.subject)
    };
    (!uses.is_empty()).then(|| uses.iter().map(words).collect::<Vec<_>>().join(", "))
}

/// Where a card stands; a component without a position stands at the origin until it is arranged.
#[must_use]
pub fn position_of(project: &Project, id: &str) -> [f32; 2] {
    project.layout.positions.get(id).copied().unwrap_or_default()
}

fn place_ports(specs: Vec<PortSpec>, rect: Rect, zoom: f32) -> Vec<Port> {
    let first = rect.min.y + (HEAD_HEIGHT + ROW_HEIGHT / 2.0) * zoom;
    let row = |index: usize| first + index as f32 * ROW_HEIGHT * zoom;
    let (mut left, mut right) = (0, 0);
    let mut ports = Vec::new();
    for spec in specs {
        let name = spec.name.clone();
        let (at, at_right) = if spec.ty == PortType::Topic {
            let y = row(left.max(right));
            left = left.max(right) + 1;
            right = left;
            (pos2(rect.min.x, y), Some(pos2(rect.max.x, y)))
        } else if spec.is_reference() {
            // Look-ups leave below and arrive from above, out of the way of the events.
            (if spec.takes() { rect.center_top() } else { rect.center_bottom() }, None)
        } else if spec.takes() {
            left += 1;
            (pos2(rect.min.x, row(left - 1)), None)
        } else {
            right += 1;
            (pos2(rect.max.x, row(right - 1)), None)
        };
        ports.push(Port { name, spec, at, at_right });
    }
    ports
}
