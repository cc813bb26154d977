//! How much room a card takes, and where cards stand that nobody placed.
//!
//! In: a design, a selection. Out: positions on the grid, as one edit. Card sizes are known here, in world
//! units, because the automatic layout works without a window; the canvas draws cards by the same figures.
//! Must not know: egui, the camera. Start at [`place_unplaced`] and [`AppState::arrange`].

use super::{AppState, Command};
use crate::components::{self, PortSpec, PortType};
use crate::model::{self, Component, Edit, Frame, Project};

/// Distance of the grid's points.
pub const GRID: f32 = 20.0;
/// Width of every card.
pub const CARD_WIDTH: f32 = 220.0;
/// Icon and name.
pub const HEAD_HEIGHT: f32 = 50.0;
/// One row of ports.
pub const ROW_HEIGHT: f32 = 20.0;
/// What a card shows while running.
pub const FIGURES_HEIGHT: f32 = 42.0;
const PADDING: f32 = 8.0;
/// Between a frame's edge and its members; the label stands above them.
const FRAME_MARGIN: f32 = 20.0;
const FRAME_HEAD: f32 = 40.0;

/// A component's ports, as far as its parameters can be read.
#[must_use]
pub fn ports_of(component: &Component) -> Vec<PortSpec> {
    components::by_id(&component.kind).map(|kind| kind.ports(component)).unwrap_or_default()
}

/// Height of a card with these ports.
#[must_use]
pub fn card_height(ports: &[PortSpec]) -> f32 {
    HEAD_HEIGHT + rows(ports) as f32 * ROW_HEIGHT + PADDING + FIGURES_HEIGHT
}

/// Ports that take stand left, ports that give right; topics take a row of their own, and look-ups none: they
/// stand on the card's edges above and below.
fn rows(ports: &[PortSpec]) -> usize {
    let beside = || ports.iter().filter(|port| port.ty != PortType::Topic && !port.is_reference());
    let topics = ports.iter().filter(|port| port.ty == PortType::Topic).count();
    let left = beside().filter(|port| port.takes()).count();
    let right = beside().filter(|port| port.gives()).count();
    topics + left.max(right)
}

fn size_of(project: &Project, id: &str) -> [f32; 2] {
    [CARD_WIDTH, project.components.get(id).map_or(0.0, |component| card_height(&ports_of(component)))]
}

/// The topmost frame under a card's middle.
fn frame_below(project: &Project, id: &str) -> Option<usize> {
    let [x, y] = project.layout.positions.get(id)?;
    let [width, height] = size_of(project, id);
    let middle = [x + width / 2.0, y + height / 2.0];
    let encloses = |frame: &Frame| (0..2).all(|axis| (0.0..frame.size[axis]).contains(&(middle[axis] - frame.position[axis])));
    project.layout.frames.iter().rposition(encloses)
}

/// A card that was put somewhere belongs to the topmost frame under its middle, and to no other.
pub fn join_frame_below(project: &mut Project, id: &str) {
    let home = frame_below(project, id);
    for (index, frame) in project.layout.frames.iter_mut().enumerate() {
        let is_member = frame.members.iter().any(|member| member == id);
        if home == Some(index) && !is_member {
            frame.members.push(id.to_owned());
        } else if home != Some(index) && is_member {
            frame.members.retain(|member| member != id);
        }
    }
}

/// Gives every component a place; what a person placed stays.
pub(super) fn place_unplaced(project: &mut Project) {
    if project.components.keys().all(|id| project.layout.positions.contains_key(id)) {
        return;
    }
    let places = model::arrange(project, &|id| size_of(project, id));
    for (id, place) in places {
        project.layout.positions.entry(id).or_insert(on_grid(place));
    }
}

fn on_grid(place: [f32; 2]) -> [f32; 2] {
    place.map(|at| (at / GRID).round() * GRID)
}

impl AppState {
    /// Lays the selected cards out anew, or all of them where fewer than two are selected: one undo step.
    pub(super) fn arrange(&mut self) {
        let selected: Vec<&str> = self.selected_components().collect();
        let is_meant = |id: &str| selected.len() < 2 || selected.contains(&id);
        let mut next = Project::clone(self.project());
        let size = |id: &str| size_of(self.project(), id);
        for (id, place) in model::arrange_anew(self.project(), &size, &is_meant) {
            next.layout.positions.insert(id, on_grid(place));
        }
        let before = &self.project().layout.positions;
        let moved = |id: &String| next.layout.positions.get(id) != before.get(id);
        let cards = next.layout.positions.iter().filter(|(id, _)| moved(id));
        let mut edits: Vec<Edit> = cards.map(|(id, position)| Edit::Move { id: id.clone(), position: *position }).collect();
        let frames = next.layout.frames.iter().enumerate().filter(|(_, frame)| frame.members.iter().any(moved));
        edits.extend(frames.map(|(index, frame)| Edit::UpdateFrame { index, frame: around_members(&next, frame) }));
        self.apply(Command::Edits(edits));
        self.fit_requests += 1;
    }
}

/// The frame as it encloses its members where they stand now.
fn around_members(project: &Project, frame: &Frame) -> Frame {
    let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for id in &frame.members {
        let (Some(position), size) = (project.layout.positions.get(id), size_of(project, id)) else { continue };
        for axis in 0..2 {
            low[axis] = low[axis].min(position[axis]);
            high[axis] = high[axis].max(position[axis] + size[axis]);
        }
    }
    let position = [low[0] - FRAME_MARGIN, low[1] - FRAME_HEAD];
    let size = [high[0] + FRAME_MARGIN - position[0], high[1] + FRAME_MARGIN - position[1]];
    Frame { position, size, ..frame.clone() }
}
