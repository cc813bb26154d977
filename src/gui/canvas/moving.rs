//! What a finished drag changes: places of cards, frames and notes, their sizes, and who belongs to which frame.
//!
//! In: the design and the [`Offsets`] of the gesture. Out: edits, to be one undo step. Start at [`moves`].

use egui::Vec2;

use super::scene::{Edges, Offsets, position_of};
use crate::app::arrange::{GRID, join_frame_below};
use crate::app::{AppState, Pick};
use crate::model::{Edit, Project};

/// Neither a frame nor a note gets smaller than this.
const SIZE_MIN: f32 = 40.0;

/// What moves with these picks: frames take their members along.
pub(super) fn offsets_of(app: &AppState, picks: &[Pick]) -> Offsets {
    let mut offsets = Offsets::default();
    for pick in picks {
        match pick {
            Pick::Component(id) => offsets.components.push(id.clone()),
            Pick::Frame(index) => {
                offsets.frames.push(*index);
                let members = app.project().layout.frames.get(*index).map(|frame| frame.members.clone()).unwrap_or_default();
                offsets.components.extend(members);
            }
            Pick::Note(index) => offsets.notes.push(*index),
            Pick::Link(..) => {}
        }
    }
    offsets.components.sort();
    offsets.components.dedup();
    offsets
}

/// The edits of a move. A card that is dropped into a frame joins it; one that is dragged out leaves it.
pub(super) fn moves(app: &AppState, offsets: &Offsets) -> Vec<Edit> {
    let project = app.project();
    let shift = |[x, y]: [f32; 2]| snapped([x + offsets.by.x, y + offsets.by.y], app.snap);
    let mut next = Project::clone(project);
    for id in offsets.components.iter().filter(|id| project.components.contains_key(*id)) {
        next.layout.positions.insert(id.clone(), shift(position_of(project, id)));
    }
    for (index, frame) in next.layout.frames.iter_mut().enumerate() {
        if offsets.frames.contains(&index) {
            frame.position = shift(frame.position);
        }
    }
    for (index, note) in next.layout.notes.iter_mut().enumerate() {
        if offsets.notes.contains(&index) {
            note.position = shift(note.position);
        }
    }
    join_and_leave(&mut next, offsets);
    let cards = offsets.components.iter().filter_map(|id| Some((id, next.layout.positions.get(id)?)));
    let mut edits: Vec<Edit> = cards.map(|(id, position)| Edit::Move { id: id.clone(), position: *position }).collect();
    let frames = next.layout.frames.iter().zip(&project.layout.frames).enumerate().filter(|(_, (new, old))| new != old);
    edits.extend(frames.map(|(index, (frame, _))| Edit::UpdateFrame { index, frame: frame.clone() }));
    let notes = next.layout.notes.iter().zip(&project.layout.notes).enumerate().filter(|(_, (new, old))| new != old);
    edits.extend(notes.map(|(index, (note, _))| Edit::UpdateNote { index, note: note.clone() }));
    edits
}

/// Cards that were moved by themselves belong to the topmost frame under their middle.
fn join_and_leave(project: &mut Project, offsets: &Offsets) {
    let rides_along = |id: &String| {
        let mut moved = offsets.frames.iter().filter_map(|index| project.layout.frames.get(*index));
        moved.any(|frame| frame.members.contains(id))
    };
    let alone: Vec<String> = offsets.components.iter().filter(|id| !rides_along(id)).cloned().collect();
    for id in alone {
        join_frame_below(project, &id);
    }
}

/// A frame or a note with some edges moved; it keeps a least size.
pub(super) fn stretched(position: [f32; 2], size: [f32; 2], edges: Edges, by: Vec2) -> ([f32; 2], [f32; 2]) {
    let (mut low, mut high) = (position, [position[0] + size[0], position[1] + size[1]]);
    for (axis, by) in [by.x, by.y].into_iter().enumerate() {
        if edges.low[axis] {
            low[axis] = (low[axis] + by).min(high[axis] - SIZE_MIN);
        } else if edges.high[axis] {
            high[axis] = (high[axis] + by).max(low[axis] + SIZE_MIN);
        }
    }
    (low, [high[0] - low[0], high[1] - low[1]])
}

/// The edit that ends a drag of an edge.
pub(super) fn resizing(app: &AppState, offsets: &Offsets) -> Option<Edit> {
    let (pick, edges) = offsets.stretched.as_ref()?;
    let layout = &app.project().layout;
    match pick {
        Pick::Frame(index) => {
            let mut frame = layout.frames.get(*index)?.clone();
            (frame.position, frame.size) = stretched(frame.position, frame.size, *edges, offsets.by);
            Some(Edit::UpdateFrame { index: *index, frame })
        }
        Pick::Note(index) => {
            let mut note = layout.notes.get(*index)?.clone();
            (note.position, note.size) = stretched(note.position, note.size, *edges, offsets.by);
            Some(Edit::UpdateNote { index: *index, note })
        }
        Pick::Component(_) | Pick::Link(..) => None,
    }
}

/// On the grid, where that is wished.
pub(super) fn snapped([x, y]: [f32; 2], snap: bool) -> [f32; 2] {
    if snap { [(x / GRID).round() * GRID, (y / GRID).round() * GRID] } else { [x, y] }
}
