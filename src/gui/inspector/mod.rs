//! The inspector: parameters of what is selected, generated from their specs; the design's own when nothing is.
//!
//! In: the selection and the specs. Out: edits, with problems shown at the field. Must not know: any kind.
//! Start at [`inspector_ui`]; text fields are in `draft.rs`, parameters in `fields.rs`, tables in `tables.rs`.

mod actions;
mod component;
mod design;
mod draft;
mod fields;
mod others;
mod scenarios;
mod tables;
mod timeline;

use egui::Ui;

use crate::app::{AppState, Command, Pick};
use crate::gui::theme::{icon, widgets};

/// The panel.
pub fn inspector_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    match app.selection.as_slice() {
        [] => design::ui(ui, app, commands),
        [Pick::Component(id)] => component::ui(ui, app, id, commands),
        [Pick::Link(from, to)] => others::link_ui(ui, app, from, to, commands),
        [Pick::Note(index)] => others::note_ui(ui, app, *index, commands),
        [Pick::Frame(index)] => others::frame_ui(ui, app, *index, commands),
        several => {
            widgets::section_header(ui, icon::SETTINGS, &format!("{} selected", several.len()), |_| {});
            ui.horizontal_wrapped(|ui| {
                if widgets::text_button(ui, icon::DUPLICATE, widgets::ButtonWords::new("Duplicate").shortcut("Ctrl+D")).clicked() {
                    commands.push(Command::Duplicate);
                }
                if widgets::text_button(ui, icon::DELETE, widgets::ButtonWords::new("Delete").shortcut("Del")).clicked() {
                    commands.push(Command::DeleteSelection);
                }
            });
        }
    }
}
