//! The subjects of a registry: a line each.

use egui::{Align, ScrollArea, Ui};

use crate::app::schemas::SchemaCommand;
use crate::app::{AppState, Command};
use crate::gui::panels::columns::{self, Column, ROW_HEIGHT};
use crate::gui::theme::{self, space, widgets};

const NAME: usize = 0;
const COLUMNS: [Column<'_>; 3] = [
    Column::left("subject", "What events of one kind are registered under", 84.0, 0),
    Column::right("versions", "Versions that clients get", 48.0, 0),
    Column::left("type", "Avro, JSON Schema or Protobuf", 58.0, 0),
];

/// Draws them.
pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let (desk, tokens) = (&app.desk, theme::tokens(ui.ctx()));
    let fitted = columns::fitting(&COLUMNS, NAME, ui.available_width());
    ui.spacing_mut().item_spacing.y = 0.0;
    columns::head(ui, &COLUMNS, &fitted, None);
    let height = ROW_HEIGHT * 2.0 - space::XS;
    ScrollArea::vertical().id_salt("subjects").auto_shrink([false, false]).show_rows(ui, height, desk.subjects().len(), |ui, range| {
        for subject in &desk.subjects()[range] {
            let standing = &subject.standing;
            let is_chosen = desk.subject.as_deref() == Some(&**subject.name());
            let spoken = format!(
                "Subject {}, {} version{}, {}, {}",
                standing.name,
                subject.versions_count(),
                if subject.versions_count() == 1 { "" } else { "s" },
                standing.level,
                type_words(&standing.schema_type)
            );
            let response = columns::tall_ground(ui, &spoken, is_chosen, height);
            let (first, second) = response.rect.split_top_bottom_at_fraction(0.54);
            for place in &fitted {
                let (words, font, colour) = match place.index {
                    NAME => (standing.name.to_string(), theme::font_strong(12.0), tokens.text),
                    1 => (subject.versions_count().to_string(), theme::font(12.0), tokens.text),
                    _ => (type_words(&standing.schema_type).to_owned(), theme::font(12.0), tokens.text_muted),
                };
                widgets::line_in(ui, place.of(first), &words, font, colour, COLUMNS[place.index].align);
            }
            let mut under = standing.level.to_string();
            if desk.has_draft(subject) {
                under.push_str(" · draft");
            }
            if !subject.refused.is_empty() {
                under.push_str(&format!(" · {} refused", subject.refused.len()));
            }
            let colour = if subject.refused.is_empty() { tokens.text_muted } else { tokens.error };
            let line = second.with_min_x(second.left() + space::XS).with_max_x(second.right() - space::XS).translate(egui::vec2(0.0, -2.0));
            widgets::line_in(ui, line, &under, theme::font(11.0), colour, Align::LEFT);
            if response.on_hover_text("Click to see its versions").clicked() {
                let registry = desk.registry.clone().unwrap_or_default();
                commands.push(Command::Schemas(SchemaCommand::Open { registry, subject: Some(standing.name.to_string()) }));
            }
        }
    });
}

/// A type as people call it.
pub(super) fn type_words(schema_type: &str) -> &'static str {
    match schema_type {
        "JSON" => "JSON",
        "PROTOBUF" => "Protobuf",
        _ => "Avro",
    }
}
