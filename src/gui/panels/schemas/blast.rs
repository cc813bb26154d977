//! Who of the design would break, and the way to the new version in steps.

use egui::{Label, RichText, Ui};

use super::code;
use super::pages::tile;
use crate::app::schemas::{Desk, Judged, SchemaCommand};
use crate::app::{AppState, Command, Pick, SelectMode};
use crate::compile::{Hit, Impact};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::machines::registry::{First, STEPS_MAX};

/// Draws those who are hit; a click selects one.
pub(super) fn hits_ui(ui: &mut Ui, app: &AppState, judged: &Judged, commands: &mut Vec<Command>) {
    let hits = match &judged.hits {
        Err(words) => return widgets::notice(ui, icon::ERROR, words, Tone::Error),
        Ok(hits) if hits.is_empty() => {
            return widgets::empty_state(ui, icon::MET, "Nobody breaks", "No component of the design would be hit by this version");
        }
        Ok(hits) => hits,
    };
    let heading = if judged.is_accepted() { "Once it is registered" } else { "If it were registered all the same" };
    ui.add(Label::new(theme::strong(heading)).wrap());
    ui.add(Label::new(theme::muted(theme::tokens(ui.ctx()), "Those who are hit are lit on the canvas while the editor is open")).wrap());
    ui.add_space(space::XS);
    for hit in hits {
        hit_ui(ui, app, hit, commands);
    }
}

fn hit_ui(ui: &mut Ui, app: &AppState, hit: &Hit, commands: &mut Vec<Command>) {
    let tokens = theme::tokens(ui.ctx());
    let spoken = format!("{} {}: {}", hit.component, hit.impact.words(), hit.why);
    let pick = Pick::Component(hit.component.clone());
    let kind = app.project().components.get(&hit.component).map_or("", |component| component.kind.as_str());
    let response = widgets::click_row(ui, &spoken, app.is_selected(&pick), |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(icon::of_kind(kind)).color(tokens.text_muted));
            ui.label(theme::strong(&hit.component));
            let (icon, tone) = look(hit.impact);
            widgets::badge(ui, &format!("{icon} {}", hit.impact.words()), tone);
        });
        ui.add(Label::new(RichText::new(&hit.why).size(12.0).color(tokens.text_muted)).wrap());
    });
    if response.clicked() {
        commands.push(Command::Select(pick, SelectMode::Replace));
    }
}

/// What an impact looks like, here and on the canvas.
pub(crate) const fn look(impact: Impact) -> (&'static str, Tone) {
    match impact {
        Impact::StopsWriting => (icon::BLOCKED, Tone::Error),
        Impact::Rejects => (icon::MISSED, Tone::Error),
        Impact::AtRisk => (icon::WARNING, Tone::Warn),
        Impact::GetsDeadLetters => (icon::EVENT, Tone::Warn),
        Impact::Starves => (icon::PENDING, Tone::Warn),
    }
}

/// Draws the steps; the text of a version between becomes the draft by a button.
pub(super) fn steps_ui(ui: &mut Ui, desk: &Desk, judged: &Judged, commands: &mut Vec<Command>) {
    let Some(subject) = desk.chosen() else { return };
    let level = &subject.standing.level;
    if judged.same_as.is_some() || subject.latest().is_none() {
        return widgets::empty_state(ui, icon::MET, "There is no way to go", "The draft is a version already");
    }
    let Some(steps) = &judged.steps else {
        let hint = format!("None in up to {STEPS_MAX} versions under {level}: change the draft, or lower the level for a while");
        return widgets::empty_state(ui, icon::MISSED, "No way to it was found", &hint);
    };
    ui.label(theme::strong(format!("The way to it under {level}")));
    ui.add_space(space::XS);
    for (at, step) in steps.iter().enumerate() {
        tile(ui, |ui| {
            let tone = if step.first == First::Together { Tone::Warn } else { Tone::Accent };
            ui.horizontal_wrapped(|ui| {
                widgets::badge(ui, &(at + 1).to_string(), tone);
                ui.label(theme::strong(format!("Register {}", step.what)));
            });
            ui.add(Label::new(format!("Then {}", step.first.words())).wrap());
            if at + 1 < steps.len() {
                let text = crate::app::schemas::pretty::laid_out(step.schema.text());
                egui::CollapsingHeader::new("The version between").id_salt(("step", at)).show(ui, |ui| {
                    code::shown(ui, &text, subject.is_protobuf());
                });
                if widgets::text_button(ui, icon::EDIT, ButtonWords::new("Take it as the draft")).clicked() {
                    commands.push(Command::Schemas(SchemaCommand::Write(text)));
                }
            }
        });
        ui.add_space(space::S);
    }
}
