//! The menu of a right click: what can be done with the thing under the pointer.
//!
//! In: the scene and where the click fell. Out: commands. The thing is selected first, so the menu's words and the
//! keys mean the same. Start at [`Canvas::context_menu`].

use egui::{Response, Ui};

use super::Canvas;
use super::scene::{Hit, Scene};
use crate::app::{AppState, Command, Pick, SelectMode};
use crate::gui::menu::item;

/// Where a menu was opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    world: [f32; 2],
    /// On nothing, so that the menu is about the canvas.
    is_empty: bool,
}

impl Canvas {
    pub(super) fn context_menu(&mut self, response: &Response, app: &AppState, scene: &Scene, commands: &mut Vec<Command>) {
        if let Some(at) = response.interact_pointer_pos().filter(|_| response.secondary_clicked()) {
            let world = self.camera.to_world(at);
            let pick = pick_of(scene.hit(at));
            self.menu = Some(Place { world: [world.x, world.y], is_empty: pick.is_none() });
            if let Some(pick) = pick.filter(|pick| !app.is_selected(pick)) {
                commands.push(Command::Select(pick, SelectMode::Replace));
            }
        }
        let Some(place) = self.menu else { return };
        response.context_menu(|ui| if place.is_empty { of_canvas(ui, app, place, commands) } else { of_selection(ui, app, commands) });
    }
}

fn pick_of(hit: Hit) -> Option<Pick> {
    Some(match hit {
        Hit::Port(end) => Pick::Component(end.component),
        Hit::Card(id) => Pick::Component(id),
        Hit::Wire(from, to) => Pick::Link(from, to),
        Hit::Note(index) => Pick::Note(index),
        Hit::Frame(index) => Pick::Frame(index),
        Hit::Edge(pick, _) => pick,
        Hit::Empty => return None,
    })
}

fn of_selection(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let free = !app.is_locked();
    let cards = app.selected_components().count();
    if cards > 0 {
        item(ui, "Copy", "Ctrl+C", true, Command::Copy, commands);
        item(ui, "Duplicate", "Ctrl+D", free, Command::Duplicate, commands);
    }
    if cards > 1 {
        item(ui, "Arrange the selected cards", "", free, Command::Arrange, commands);
    }
    item(ui, "Delete", "Del", free, Command::DeleteSelection, commands);
}

fn of_canvas(ui: &mut Ui, app: &AppState, place: Place, commands: &mut Vec<Command>) {
    let free = !app.is_locked();
    let add = |kind: &str| Command::Place { kind: kind.to_owned(), position: super::moving::snapped(place.world, app.snap) };
    item(ui, "Add a note here", "", free, add("note"), commands);
    item(ui, "Add a frame here", "", free, add("frame"), commands);
    item(ui, "Paste", "Ctrl+V", free, Command::Paste, commands);
    ui.separator();
    item(ui, "Select all", "Ctrl+A", true, Command::SelectAll, commands);
    item(ui, "Arrange all cards", "", free, Command::Arrange, commands);
    item(ui, "Fit the design", "F", true, Command::Fit, commands);
}
