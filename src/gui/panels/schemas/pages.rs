//! What is said of a draft: a page each for the verdict, changes, the breaking event, who breaks, and the way there.
//! Without a draft there are the changes of the version that is shown.

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::{blast, changes, event};
use crate::app::schemas::{Examination, Found, Judged, Page, SchemaCommand};
use crate::app::{AppState, Command};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::machines::codec::Severity;
use crate::machines::registry::Way;

const PAGES: [(Page, &str); 5] = [
    (Page::Verdict, "Verdict"),
    (Page::Changes, "Changes"),
    (Page::Event, "Breaking event"),
    (Page::Blast, "Who breaks"),
    (Page::Steps, "Steps"),
];

/// Draws the page that is in front, under the pages' names.
pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let desk = &app.desk;
    if !desk.editing {
        widgets::bar(ui, |ui| drop(ui.label(theme::strong("Changes"))), |ui| changes::sides_ui(ui, desk, commands));
        ui.add_space(space::XS);
        return scrolled(ui, "changes", |ui| changes::ui(ui, desk));
    }
    let selected = PAGES.iter().position(|(page, _)| *page == desk.page).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (at, (page, label)) in PAGES.iter().enumerate() {
            if widgets::pill(ui, label, at == selected).clicked() {
                commands.push(Command::Schemas(SchemaCommand::Turn(*page)));
            }
        }
    });
    ui.add_space(space::XS);
    if desk.page == Page::Changes {
        ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), widgets::CONTROL_HEIGHT), Layout::right_to_left(Align::Center), |ui| {
            changes::sides_ui(ui, desk, commands);
        });
        return scrolled(ui, "changes", |ui| changes::ui(ui, desk));
    }
    let Some(examination) = desk.last_examination() else {
        return widgets::empty_state(ui, icon::PENDING, "The draft is being looked at", "What is found stands here in a moment");
    };
    let judged = match &examination.result {
        Ok(judged) => judged,
        Err(problem) => {
            widgets::notice(ui, icon::ERROR, &problem.words, Tone::Error);
            ui.add_space(space::XS);
            let hint = "Nothing more can be said of a text that is no schema";
            return widgets::empty_state(ui, icon::SCHEMA, "The draft is no schema yet", hint);
        }
    };
    match desk.page {
        Page::Verdict => scrolled(ui, "verdict", |ui| verdict(ui, examination, judged)),
        Page::Event => scrolled(ui, "event", |ui| event::ui(ui, judged)),
        Page::Blast => scrolled(ui, "blast", |ui| blast::hits_ui(ui, app, judged, commands)),
        Page::Steps => scrolled(ui, "steps", |ui| blast::steps_ui(ui, desk, judged, commands)),
        Page::Changes => {}
    }
}

fn scrolled(ui: &mut Ui, id: &str, content: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical().id_salt(("schemas", id)).auto_shrink([false, false]).show(ui, |ui| {
        // Beside the scroll bar, not under it.
        ui.set_width((ui.available_width() - space::S).max(0.0));
        content(ui);
    });
}

fn verdict(ui: &mut Ui, examination: &Examination, judged: &Judged) {
    let found = judged.found();
    if let Some(number) = judged.same_as {
        return widgets::empty_state(
            ui,
            icon::SCHEMA,
            &format!("This is version {number}"),
            "Change the text to see what a new version would do",
        );
    }
    if found.is_empty() {
        let compares = judged.verdict.as_ref().is_some_and(|verdict| !verdict.compared.is_empty());
        let hint = if compares { "No reader sees a difference" } else { "Its level compares nothing, or there is nothing to compare with" };
        return widgets::empty_state(ui, icon::MET, "No difference was found", hint);
    }
    for one in &found {
        found_ui(ui, one);
        ui.add_space(space::S);
    }
    let _ = examination;
}

/// A difference: whom it breaks, where, what, and how to mend it.
fn found_ui(ui: &mut Ui, found: &Found<'_>) {
    let (tone, icon) = of_severity(found.difference.severity);
    let against = found.version.map_or("the older version".to_owned(), |number| format!("version {number}"));
    let who = match found.way {
        Way::NewReadsOld => format!("the draft reads data of {against}"),
        Way::OldReadsNew => format!("{against} reads data of the draft"),
    };
    tile(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            widgets::badge(ui, &format!("{icon} {}", found.whom()), tone);
            ui.label(theme::muted(theme::tokens(ui.ctx()), who));
        });
        places_ui(ui, found.places());
        ui.add(Label::new(&found.difference.words).wrap());
        if let Some(hint) = &found.difference.hint {
            hint_ui(ui, hint);
        }
    })
    .on_hover_text(format!("Rule {}", found.difference.rule));
}

/// A tile over the whole width.
pub(super) fn tile(ui: &mut Ui, content: impl FnOnce(&mut Ui)) -> egui::Response {
    let inner = widgets::tile_frame(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::XS;
        content(ui);
    });
    inner.response
}

/// How to mend something.
pub(super) fn hint_ui(ui: &mut Ui, hint: &str) {
    let tokens = theme::tokens(ui.ctx());
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS;
        ui.label(RichText::new(icon::HINT).color(tokens.accent));
        ui.add(Label::new(RichText::new(format!("To mend it: {hint}")).color(tokens.accent)).wrap());
    });
}

/// Where in the old and in the new schema.
pub(super) fn places_ui(ui: &mut Ui, (old, new): (Option<&str>, Option<&str>)) {
    let shown = |place: Option<&str>| {
        place.map_or("nowhere", |place| if matches!(place, "" | "/") { "the whole schema" } else { place }).to_owned()
    };
    let words = match (old, new) {
        (old, new) if old == new => shown(new),
        (None, new) => format!("new: {}", shown(new)),
        (old, None) => format!("gone: {}", shown(old)),
        (old, new) => format!("{} → {}", shown(old), shown(new)),
    };
    ui.add(Label::new(RichText::new(words).monospace().size(11.5)).wrap());
}

/// How grave it is, by tone and by icon.
pub(super) const fn of_severity(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Breaks => (Tone::Error, icon::MISSED),
        Severity::Warns => (Tone::Warn, icon::WARNING),
        Severity::Fine => (Tone::Ok, icon::MET),
    }
}
