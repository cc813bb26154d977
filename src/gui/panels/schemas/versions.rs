//! The versions of a subject, and the text of the one that is chosen.

use egui::{Align, Layout, ScrollArea, Ui};

use super::code::{self, Field};
use super::list::type_words;
use crate::app::schemas::{SchemaCommand, Subject};
use crate::app::{AppState, Command};
use crate::event::{VersionStanding, VersionState};
use crate::gui::panels::columns::{self, Column, ROW_HEIGHT};
use crate::gui::panels::figures;
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, Tone, icon, space, widgets};

const COLUMNS: [Column<'_>; 5] = [
    Column::left("version", "Within the subject, from 1", 48.0, 0),
    Column::right("id", "What stands on the wire", 30.0, 0),
    Column::left("schema", "Its name in the project", 80.0, 1),
    Column::left("state", "Deleted versions no longer count in checks", 74.0, 2),
    Column::right("registered", "Virtual time of the run", 84.0, 0),
];
/// Narrower than this, a heading leaves the type to the list.
const HEADING_WIDTH_MIN: f32 = 400.0;
/// Rows that are seen at once.
const ROWS_MAX: usize = 5;

/// Draws them.
pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let desk = &app.desk;
    let (Some(subject), Some(shown)) = (desk.chosen(), desk.shown_version()) else { return };
    let standing = &subject.standing;
    widgets::bar(
        ui,
        |ui| heading(ui, subject),
        |ui| {
            let words = if desk.has_draft(subject) { "Go on with the draft" } else { "New version" };
            if widgets::text_button(ui, icon::EDIT, ButtonWords::new(words)).clicked() {
                commands.push(Command::Schemas(SchemaCommand::Edit));
            }
        },
    );
    ui.add_space(space::XS);
    let fitted = columns::fitting(&COLUMNS, 2, ui.available_width());
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        columns::head(ui, &COLUMNS, &fitted, None);
        let count = standing.versions.len();
        let height = ROW_HEIGHT * count.min(ROWS_MAX) as f32;
        let scroll = ScrollArea::vertical().id_salt(("versions", &standing.name)).auto_shrink([false, false]).max_height(height);
        // The newest stand on top.
        scroll.show_rows(ui, ROW_HEIGHT, count, |ui, range| {
            for version in standing.versions.iter().rev().skip(range.start).take(range.len()) {
                if row(ui, subject, version, version.number == shown, &fitted) {
                    commands.push(Command::Schemas(SchemaCommand::ShowVersion(version.number)));
                }
            }
        });
    });
    for (name, why) in &subject.refused {
        ui.add_space(space::XS);
        widgets::notice(ui, icon::ERROR, &format!("{name} is listed and not taken. {why}"), Tone::Error);
    }
    ui.add_space(space::S);
    let mut text = subject.shown_text(shown);
    let label = format!("Text of version {shown} of {}", standing.name);
    code::field(ui, &mut text, &Field { label: &label, is_protobuf: subject.is_protobuf(), marks: &[], can_edit: false });
}

/// A subject's name, its level and its type.
pub(super) fn heading(ui: &mut Ui, subject: &Subject) {
    let standing = &subject.standing;
    ui.spacing_mut().item_spacing.x = space::S;
    let width = ui.available_width();
    let has_room = width >= HEADING_WIDTH_MIN;
    let room = (width - if has_room { 330.0 } else { 260.0 }).max(48.0);
    ui.allocate_ui_with_layout(egui::vec2(room, widgets::CONTROL_HEIGHT), Layout::left_to_right(Align::Center), |ui| {
        ui.add(egui::Label::new(theme::title(&*standing.name)).truncate());
    });
    widgets::badge(ui, &standing.level, Tone::Accent).on_hover_text("What a new version must keep");
    if has_room {
        widgets::badge(ui, type_words(&standing.schema_type), Tone::Neutral);
    }
}

fn row(ui: &mut Ui, subject: &Subject, version: &VersionStanding, is_shown: bool, fitted: &[columns::Fitted]) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let state = match version.state {
        VersionState::Available if subject.latest() == Some(version) => ("latest", tokens.ok),
        VersionState::Available => ("available", tokens.text_muted),
        VersionState::Deleted => ("deleted", tokens.warn),
        VersionState::Failed => ("refused", tokens.error),
    };
    let registered = match version.registered {
        Some(at) => figures::clock(at.as_secs_f64()),
        None => "before the run".to_owned(),
    };
    let spoken = format!("Version {}, id {}, {}, registered {registered}", version.number, version.id, state.0);
    let response = columns::ground(ui, &spoken, is_shown);
    for place in fitted {
        let (words, colour) = match place.index {
            0 => (version.number.to_string(), tokens.text),
            1 => (version.id.to_string(), tokens.text),
            2 => (subject.source_name(version.number).unwrap_or("–").to_owned(), tokens.text_muted),
            3 => (state.0.to_owned(), state.1),
            _ => (registered.clone(), tokens.text_muted),
        };
        let font = if place.index == 0 { theme::font_strong(12.0) } else { theme::font(12.0) };
        widgets::line_in(ui, place.of(response.rect), &words, font, colour, COLUMNS[place.index].align);
    }
    let response = match version.uuid {
        Some(uuid) => response.on_hover_text(format!("UUID {}", crate::machines::codec::uuid_text(uuid))),
        None => response,
    };
    response.clicked()
}
