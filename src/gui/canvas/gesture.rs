//! What the pointer is doing: one small state machine (idle, move, connect, box), one undo step at its end.

use egui::{Align2, Key, Modifiers, Painter, PointerButton, Pos2, Rect, Response, Stroke, StrokeKind, Ui, Vec2};

use super::camera::Camera;
use super::course::Course;
use super::moving::{moves, offsets_of, resizing};
use super::scene::{Edges, Hit, Offsets, Port, Scene};
use super::wires;
use crate::app::arrange::GRID;
use crate::app::schemas::{SchemaCommand, registries};
use crate::app::{AppState, Command, Pick, SelectMode};
use crate::components::{PortSpec, can_connect};
use crate::event::EventId;
use crate::gui::theme::{self, Tokens};
use crate::model::{Edit, Endpoint, Link};

/// The gesture under way.
#[derive(Debug, Default)]
pub(super) struct Gesture {
    state: State,
    offsets: Offsets,
    /// Where a link begins that is being made without a pointer.
    from_key: Option<Endpoint>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    /// Cards, frames and notes follow the pointer.
    Move { from: Pos2 },
    /// Edges of a frame or a note follow the pointer.
    Resize { from: Pos2 },
    /// A link is being drawn.
    Connect { from: Endpoint, from_port: PortSpec, backwards: bool, at: Pos2, verdict: Verdict },
    /// A box selects.
    Box { from: Pos2, to: Pos2, add: bool },
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Open,
    Fits(Endpoint),
    Refused(String),
}

impl Gesture {
    /// What is moved for the time being.
    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// Enter on a port: the first begins a link, the second ends it, or says why it cannot.
    pub fn connect_by_key(&mut self, end: Endpoint, app: &AppState, scene: &Scene, commands: &mut Vec<Command>) {
        let Some(from) = self.from_key.take().filter(|from| scene.port(from).is_some()) else {
            commands.push(Command::Say { text: format!("Link from {end}: press Enter on the port where it ends"), is_error: false });
            self.from_key = Some(end);
            return;
        };
        let Some(port) = scene.port(&from).filter(|_| from != end) else { return };
        let backwards = !port.spec.gives();
        match judge_target(&from, &port.spec, backwards, end, app, scene) {
            Verdict::Fits(to) => link(from, to, backwards, commands),
            Verdict::Refused(reason) => commands.push(Command::Say { text: reason, is_error: true }),
            Verdict::Open => {}
        }
    }

    /// While a link is drawn: whether it may end at this port.
    pub fn port_fits(&self, id: &str, port: &Port) -> Option<bool> {
        let State::Connect { from, from_port, backwards, .. } = &self.state else { return None };
        if from.component == id {
            return Some(false);
        }
        let (a, b) = ((from.component.as_str(), from_port), (id, &port.spec));
        Some(if *backwards { can_connect(b, a) } else { can_connect(a, b) }.is_ok())
    }

    #[expect(clippy::too_many_arguments, reason = "one frame's whole context")]
    pub fn update(
        &mut self,
        ui: &Ui,
        response: &Response,
        app: &AppState,
        scene: &Scene,
        camera: &mut Camera,
        token: Option<EventId>,
        commands: &mut Vec<Command>,
    ) {
        let (modifiers, space) = ui.input(|input| (input.modifiers, input.key_down(Key::Space)));
        if ui.input(|input| input.key_pressed(Key::Escape)) {
            self.state = State::Idle;
            self.offsets = Offsets::default();
            self.from_key = None;
        }
        let pointer = response.interact_pointer_pos().or_else(|| response.hover_pos());
        if response.drag_started_by(PointerButton::Primary) && !space {
            let origin = ui.input(|input| input.pointer.press_origin()).or(pointer).unwrap_or_default();
            self.begin(origin, modifiers, app, scene, camera, commands);
        }
        if let Some(at) = pointer {
            self.follow(at, app, scene, camera);
        }
        if response.drag_stopped_by(PointerButton::Primary) {
            self.end(app, scene, camera, commands);
        }
        if response.clicked() {
            click(pointer, modifiers, scene, token, commands);
        }
        if response.double_clicked() && pointer.is_some_and(|at| scene.hit(at) == Hit::Empty) {
            commands.push(Command::Fit);
        }
        if response.double_clicked()
            && let Some(Hit::Card(registry)) = pointer.map(|at| scene.hit(at))
            && registries(app.project()).any(|id| id == registry)
        {
            commands.push(Command::Schemas(SchemaCommand::Open { registry, subject: None }));
        }
        self.cursor(ui, pointer, scene, token);
    }

    fn begin(&mut self, origin: Pos2, modifiers: Modifiers, app: &AppState, scene: &Scene, camera: &Camera, commands: &mut Vec<Command>) {
        let world = camera.to_world(origin);
        let pick = match scene.hit(origin) {
            Hit::Port(end) => {
                let Some(port) = scene.port(&end) else { return };
                // From the left dot of a port that only takes, the link is drawn backwards.
                let left = port.at.distance(origin) < port.at_right.map_or(f32::INFINITY, |right| right.distance(origin));
                let backwards = port.spec.takes() && (!port.spec.gives() || left);
                self.state = State::Connect { from: end, from_port: port.spec.clone(), backwards, at: origin, verdict: Verdict::Open };
                return;
            }
            Hit::Edge(pick, edges) => {
                commands.push(Command::Select(pick.clone(), SelectMode::Replace));
                self.offsets = Offsets { stretched: Some((pick, edges)), ..Offsets::default() };
                self.state = State::Resize { from: world };
                return;
            }
            Hit::Card(id) => Pick::Component(id),
            Hit::Note(index) => Pick::Note(index),
            Hit::Frame(index) => Pick::Frame(index),
            Hit::Wire(..) | Hit::Empty => {
                self.state = State::Box { from: origin, to: origin, add: modifiers.shift || modifiers.command };
                return;
            }
        };
        let mut picks = app.selection.clone();
        if !app.is_selected(&pick) {
            picks = vec![pick.clone()];
            commands.push(Command::Select(pick, if modifiers.shift { SelectMode::Add } else { SelectMode::Replace }));
        }
        self.offsets = offsets_of(app, &picks);
        self.state = State::Move { from: world };
    }

    fn follow(&mut self, at: Pos2, app: &AppState, scene: &Scene, camera: &Camera) {
        match &mut self.state {
            State::Idle => {}
            State::Move { from } | State::Resize { from } => {
                let by = camera.to_world(at) - *from;
                self.offsets.by = if app.snap { (by / GRID).round() * GRID } else { by };
            }
            State::Box { to, .. } => *to = at,
            State::Connect { from, from_port, backwards, at: end, verdict } => {
                *end = at;
                *verdict = judge(from, from_port, *backwards, at, app, scene);
            }
        }
    }

    fn end(&mut self, app: &AppState, scene: &Scene, _camera: &Camera, commands: &mut Vec<Command>) {
        let offsets = std::mem::take(&mut self.offsets);
        match std::mem::take(&mut self.state) {
            State::Idle => {}
            State::Move { .. } => {
                if offsets.by != Vec2::ZERO {
                    commands.push(Command::Edits(moves(app, &offsets)));
                }
            }
            State::Resize { .. } => commands.extend(resizing(app, &offsets).map(Command::Edit)),
            State::Box { from, to, add } => {
                let area = Rect::from_two_pos(from, to);
                let inside = scene.cards.iter().filter(|card| area.intersects(card.rect)).map(|card| Pick::Component(card.id.clone()));
                let notes = scene.notes.iter().enumerate().filter(|(_, rect)| area.intersects(**rect)).map(|(index, _)| Pick::Note(index));
                let mut picks: Vec<Pick> = if add { app.selection.clone() } else { Vec::new() };
                for pick in inside.chain(notes) {
                    if !picks.contains(&pick) {
                        picks.push(pick);
                    }
                }
                commands.push(Command::SelectOnly(picks));
            }
            State::Connect { from, backwards, verdict, .. } => {
                if let Verdict::Fits(to) = verdict {
                    link(from, to, backwards, commands);
                }
            }
        }
    }

    fn cursor(&self, ui: &Ui, pointer: Option<Pos2>, scene: &Scene, token: Option<EventId>) {
        let icon = match (&self.state, pointer.map(|at| scene.hit(at))) {
            (State::Move { .. }, _) => egui::CursorIcon::Grabbing,
            (State::Resize { .. } | State::Idle, Some(Hit::Edge(_, edges))) => resize_icon(edges),
            (State::Connect { .. }, _) | (State::Idle, Some(Hit::Port(_))) => egui::CursorIcon::Crosshair,
            _ if token.is_some() => egui::CursorIcon::PointingHand,
            (State::Idle, Some(Hit::Card(_) | Hit::Note(_) | Hit::Frame(_))) => egui::CursorIcon::Grab,
            (State::Idle, Some(Hit::Wire(..))) => egui::CursorIcon::PointingHand,
            _ => return,
        };
        ui.ctx().set_cursor_icon(icon);
    }

    /// The box, or the link being drawn with its verdict at the pointer.
    pub fn paint(&self, painter: &Painter, tokens: &Tokens, scene: &Scene, _app: &AppState) {
        match &self.state {
            State::Idle | State::Move { .. } | State::Resize { .. } => {}
            State::Box { from, to, .. } => {
                let area = Rect::from_two_pos(*from, *to);
                painter.rect(area, 2.0, tokens.selection_soft, Stroke::new(1.0, tokens.selection), StrokeKind::Inside);
            }
            State::Connect { from, backwards, at, verdict, .. } => {
                let Some(port) = scene.port(from) else { return };
                let start = if *backwards { port.at } else { port.at_right.unwrap_or(port.at) };
                let bend = if port.spec.is_reference() { Course::down } else { Course::onwards };
                let course = if *backwards { bend(*at, start, 1.0) } else { bend(start, *at, 1.0) };
                let colour = match verdict {
                    Verdict::Open => tokens.wire,
                    Verdict::Fits(_) => tokens.accent,
                    Verdict::Refused(_) => tokens.error,
                };
                let stroke = Stroke::new(2.0, colour);
                wires::line(painter, &course, stroke);
                if let Verdict::Refused(words) = verdict {
                    speech(painter, tokens, *at, words);
                }
            }
        }
    }
}

/// Adds a link and selects it.
fn link(from: Endpoint, to: Endpoint, backwards: bool, commands: &mut Vec<Command>) {
    let (from, to) = if backwards { (to, from) } else { (from, to) };
    let pick = Pick::Link(from.clone(), to.clone());
    commands.push(Command::Edit(Edit::AddLink { link: Link { from, to, ..Link::default() } }));
    commands.push(Command::Select(pick, SelectMode::Replace));
}

fn resize_icon(edges: Edges) -> egui::CursorIcon {
    match (edges.low[0] || edges.high[0], edges.low[1] || edges.high[1]) {
        (true, false) => egui::CursorIcon::ResizeHorizontal,
        (false, true) => egui::CursorIcon::ResizeVertical,
        _ if edges.low[0] == edges.low[1] => egui::CursorIcon::ResizeNwSe,
        _ => egui::CursorIcon::ResizeNeSw,
    }
}

/// Words in a bubble beside the pointer.
fn speech(painter: &Painter, tokens: &Tokens, at: Pos2, words: &str) {
    let galley = painter.layout(words.to_owned(), theme::font(12.5), tokens.error, 320.0);
    let size = galley.size() + Vec2::new(20.0, 14.0);
    let room = painter.clip_rect();
    let corner = at + Vec2::new(16.0, 16.0);
    let corner =
        egui::pos2(corner.x.min(room.max.x - size.x - 4.0).max(room.min.x), corner.y.min(room.max.y - size.y - 4.0).max(room.min.y));
    let rect = Rect::from_min_size(corner, size);
    painter.rect(rect, 6.0, tokens.error_soft, Stroke::new(1.0, tokens.error), StrokeKind::Inside);
    painter.galley(Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min, galley, tokens.error);
}

fn click(pointer: Option<Pos2>, modifiers: Modifiers, scene: &Scene, token: Option<EventId>, commands: &mut Vec<Command>) {
    let Some(at) = pointer else { return };
    let mode = if modifiers.shift || modifiers.command { SelectMode::Toggle } else { SelectMode::Replace };
    let hit = scene.hit(at);
    // A token lies over a wire but under a card.
    if let Some(event) = token.filter(|_| !matches!(hit, Hit::Card(_) | Hit::Port(_))) {
        commands.push(Command::Inspect(Some(event)));
        return;
    }
    let pick = match hit {
        Hit::Port(end) => Pick::Component(end.component),
        Hit::Card(id) => Pick::Component(id),
        Hit::Wire(from, to) => Pick::Link(from, to),
        Hit::Note(index) => Pick::Note(index),
        Hit::Frame(index) => Pick::Frame(index),
        Hit::Edge(pick, _) => pick,
        Hit::Empty => {
            if mode == SelectMode::Replace {
                commands.push(Command::SelectNone);
            }
            return;
        }
    };
    commands.push(Command::Select(pick, mode));
}

fn judge(from: &Endpoint, from_port: &PortSpec, backwards: bool, at: Pos2, app: &AppState, scene: &Scene) -> Verdict {
    let target = match scene.hit(at) {
        Hit::Port(end) if end != *from => end,
        // Over a card: the first of its ports that fits, else the reason of the first that does not.
        Hit::Card(id) if id != from.component => {
            let Some(card) = scene.card(&id) else { return Verdict::Open };
            let fits = |port: &&Port| verdict_of(from, from_port, backwards, &id, &port.spec).is_ok();
            let Some(port) = card.ports.iter().find(fits).or(card.ports.first()) else {
                return Verdict::Refused(format!("{id} has no ports yet"));
            };
            Endpoint { component: id, port: port.name.clone() }
        }
        _ => return Verdict::Open,
    };
    judge_target(from, from_port, backwards, target, app, scene)
}

fn judge_target(from: &Endpoint, from_port: &PortSpec, backwards: bool, target: Endpoint, app: &AppState, scene: &Scene) -> Verdict {
    if app.is_locked() {
        return Verdict::Refused("The design is locked while a run is on".to_owned());
    }
    let Some(port) = scene.port(&target) else { return Verdict::Open };
    if let Err(refusal) = verdict_of(from, from_port, backwards, &target.component, &port.spec) {
        return Verdict::Refused(refusal);
    }
    let (a, b) = if backwards { (&target, from) } else { (from, &target) };
    if app.project().links.iter().any(|link| link.from == *a && link.to == *b) {
        return Verdict::Refused(format!("{a} is already linked to {b}"));
    }
    Verdict::Fits(target)
}

fn verdict_of(from: &Endpoint, from_port: &PortSpec, backwards: bool, id: &str, port: &PortSpec) -> Result<(), String> {
    let (a, b) = ((from.component.as_str(), from_port), (id, port));
    if backwards { can_connect(b, a) } else { can_connect(a, b) }.map_err(|refusal| refusal.to_string())
}
