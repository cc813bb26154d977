//! Links, notes, frames.

use egui::Ui;

use super::actions;
use super::draft::any_text;
use super::fields::{Group, field};
use super::tables::LOCKED;
use crate::app::{AppState, Command};
use crate::components::{LINK_FAULTS, LINK_PARAMS};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::model::{Edit, Endpoint, FaultTarget};

pub(super) fn link_ui(ui: &mut Ui, app: &AppState, from: &Endpoint, to: &Endpoint, commands: &mut Vec<Command>) {
    let found = app.project().links.iter().enumerate().find(|(_, link)| link.from == *from && link.to == *to);
    let Some((index, link)) = found else { return };
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
    let (owner, path) = (link.id(), format!("links[{index}]"));
    let group = Group::new(app, &owner, &path);
    group.problems_beside(ui, LINK_PARAMS);
    if app.is_locked() {
        actions::ui(ui, app, &FaultTarget::Link(from.clone(), to.clone()), LINK_FAULTS.iter(), commands);
    }
    for spec in LINK_PARAMS {
        if let Some(change) = field(ui, &group, spec, link.params.get(spec.name)) {
            let edit = Edit::SetLinkParam { from: from.clone(), to: to.clone(), param: spec.name.to_owned(), value: change.into_value() };
            commands.push(Command::EditLive(format!("{path}.{}", spec.name), vec![edit]));
        }
    }
    if widgets::text_button(ui, icon::DELETE, ButtonWords::new("Remove link").shortcut("Del").unless(app.is_locked().then_some(LOCKED)))
        .clicked()
    {
        commands.push(Command::DeleteSelection);
    }
}

pub(super) fn note_ui(ui: &mut Ui, app: &AppState, index: usize, commands: &mut Vec<Command>) {
    let Some(note) = app.project().layout.notes.get(index) else { return };
    widgets::section_header(ui, icon::NOTE, "Note", |_| {});
    let path = format!("layout.notes[{index}]");
    // The drawing may change while a run is on.
    let group = Group { enabled: true, ..Group::new(app, "the note", &path) };
    if let Some(text) = group.text(ui, ("text", "Text"), (&note.text, true), any_text) {
        let note = crate::model::Note { text, ..note.clone() };
        commands.push(Command::EditLive(format!("note {index}"), vec![Edit::UpdateNote { index, note }]));
    }
}

pub(super) fn frame_ui(ui: &mut Ui, app: &AppState, index: usize, commands: &mut Vec<Command>) {
    let Some(frame) = app.project().layout.frames.get(index) else { return };
    widgets::section_header(ui, icon::FRAME, "Frame", |_| {});
    let mut changed = frame.clone();
    let path = format!("layout.frames[{index}]");
    let group = Group { enabled: true, ..Group::new(app, "the frame", &path) };
    if let Some(label) = group.text(ui, ("label", "Label"), (&frame.label, false), any_text) {
        changed.label = label;
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
