//! Links, notes, frames, and the design itself.

use egui::Ui;

use super::fields::{Change, field, text_field};
use crate::app::{AppState, Command};
use crate::components::LINK_PARAMS;
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::model::{Edit, Endpoint, Project};

pub(super) fn link_ui(ui: &mut Ui, app: &AppState, from: &Endpoint, to: &Endpoint, commands: &mut Vec<Command>) {
    let Some(link) = app.project().links.iter().find(|link| link.from == *from && link.to == *to) else { return };
    widgets::section_header(ui, icon::LINK, "Link", |_| {});
    ui.label(format!("{from} → {to}"));
    ui.add_space(theme::space::S);
    if let Some(running) = &app.running
        && let Some(view) = running.link_ix(&link.id()).and_then(|ix| running.view().links.get(ix.index()))
    {
        widgets::figure_row(ui, "Events per second", &format!("{:.1}", view.rate_per_s), "", Tone::Neutral);
        widgets::figure_row(ui, "Messages under way", &view.in_flight.to_string(), "", Tone::Neutral);
        widgets::figure_row(ui, "Messages lost", &view.lost.to_string(), "", Tone::Neutral);
        ui.add_space(theme::space::S);
    }
    for spec in LINK_PARAMS {
        let value = match field(ui, "link", spec, None, link.params.get(spec.name), !app.is_locked()) {
            Change::None => continue,
            Change::Set(value) => Some(value),
            Change::Reset => None,
        };
        let edit = Edit::SetLinkParam { from: from.clone(), to: to.clone(), param: spec.name.to_owned(), value };
        commands.push(Command::EditLive(format!("{from} {to} {}", spec.name), vec![edit]));
    }
    if widgets::text_button(ui, icon::DELETE, ButtonWords::new("Remove link").shortcut("Del")).clicked() {
        commands.push(Command::DeleteSelection);
    }
}

pub(super) fn note_ui(ui: &mut Ui, app: &AppState, index: usize, commands: &mut Vec<Command>) {
    let Some(note) = app.project().layout.notes.get(index) else { return };
    widgets::section_header(ui, icon::NOTE, "Note", |_| {});
    if let Some(text) = text_field(ui, "Text of the note", &note.text, "", true, true) {
        let note = crate::model::Note { text, ..note.clone() };
        commands.push(Command::EditLive(format!("note {index}"), vec![Edit::UpdateNote { index, note }]));
    }
}

pub(super) fn frame_ui(ui: &mut Ui, app: &AppState, index: usize, commands: &mut Vec<Command>) {
    let Some(frame) = app.project().layout.frames.get(index) else { return };
    widgets::section_header(ui, icon::FRAME, "Frame", |_| {});
    let mut changed = frame.clone();
    ui.label(theme::strong("Label").size(12.0));
    if let Some(text) = text_field(ui, "Label of the frame", &frame.label, "", false, true) {
        changed.label = text;
    }
    ui.add_space(theme::space::S);
    widgets::subheading(ui, "Members");
    for id in app.project().components.keys() {
        let mut member = frame.members.contains(id);
        if ui.checkbox(&mut member, id).changed() {
            changed.members.retain(|other| other != id);
            if member {
                changed.members.push(id.clone());
            }
        }
    }
    if changed != *frame {
        commands.push(Command::EditLive(format!("frame {index}"), vec![Edit::UpdateFrame { index, frame: changed }]));
    }
}

pub(super) fn project_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let project = app.project();
    let free = !app.is_locked();
    widgets::section_header(ui, icon::SETTINGS, "Design", |_| {});
    if !project.aim.is_empty() {
        widgets::notice(ui, icon::INFO, &project.aim, Tone::Neutral);
        ui.add_space(theme::space::S);
    }
    let mut header = Project { components: indexmap::IndexMap::new(), ..Project::clone(project) };
    let mut changed = false;
    let mut text = |ui: &mut Ui, label: &str, slot: &mut String, long: bool| {
        ui.label(theme::strong(label).size(12.0));
        if let Some(text) = text_field(ui, &format!("{label} of the design"), slot, "", long, free) {
            *slot = text;
            changed = true;
        }
        ui.add_space(theme::space::XS);
    };
    text(ui, "Name", &mut header.name, false);
    text(ui, "Aim", &mut header.aim, true);
    let mut seed = header.seed.to_string();
    text(ui, "Seed", &mut seed, false);
    header.seed = seed.trim().parse().unwrap_or(header.seed);
    let mut assumptions = header.assumptions.join("\n");
    text(ui, "Assumptions", &mut assumptions, true);
    let mut decisions = header.decisions.join("\n");
    text(ui, "Decisions", &mut decisions, true);
    if changed {
        header.assumptions = assumptions.lines().map(str::to_owned).collect();
        header.decisions = decisions.lines().map(str::to_owned).collect();
        commands.push(Command::EditLive("header".to_owned(), vec![Edit::UpdateHeader { header: Box::new(header) }]));
    }
    let mut expect = project.expect.join("\n");
    ui.label(theme::strong("Expectations, one a line").size(12.0)).on_hover_text("For example: p99(latency, \"billing\") < 200ms");
    if let Some(text) = text_field(ui, "Expectations of the design", &expect, "p99(latency) < 200ms", true, free) {
        expect = text;
        commands
            .push(Command::EditLive("expect".to_owned(), vec![Edit::SetExpect { expect: expect.lines().map(str::to_owned).collect() }]));
    }
    for diagnostic in app.document.diagnostics().iter().filter(|d| d.path.starts_with("expect")) {
        let words = diagnostic.hint.as_ref().map_or_else(|| diagnostic.message.clone(), |hint| format!("{} — {hint}", diagnostic.message));
        ui.label(egui::RichText::new(words).small().color(theme::tokens(ui.ctx()).error));
    }
    ui.add_space(theme::space::S);
    widgets::subheading(ui, "Scenarios");
    for (name, scenario) in &project.scenarios {
        ui.label(theme::strong(name));
        ui.label(theme::muted(theme::tokens(ui.ctx()), &scenario.about));
    }
}
