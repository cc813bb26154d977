//! One event itself: payload, key, headers, schema, and the way it came, step by step.
//!
//! In: the [`EventStory`] that the run keeps up to date. Out: what the person asked for ([`StoryAction`]).
//! Must not know: how events are followed. Start at [`body`]; `timeline.rs` draws the path,
//! `json.rs` colours the payload.

mod json;
mod timeline;

use std::sync::Arc;

use egui::{Align, Frame, Id, Label, Layout, Margin, RichText, ScrollArea, TextStyle, Ui};

use super::figures;
use crate::app::{AppState, Command};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::metrics::{EventStory, FlightStatus, RunView};

/// Longest payload that is laid out; the rest is said in bytes.
const PAYLOAD_CHARS_MAX: usize = 16_384;

/// What a person asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoryAction {
    /// Close the panel: nothing is inspected any more.
    Close,
}

/// The panel of the event that is inspected.
pub fn event_story_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    match state.view() {
        Some(view) => {
            if body(ui, view) == Some(StoryAction::Close) {
                commands.push(Command::Inspect(None));
            }
        }
        None => nothing_ui(ui),
    }
}

fn nothing_ui(ui: &mut Ui) {
    widgets::section_header(ui, icon::EVENT, "Event", |_| {});
    widgets::empty_state(ui, icon::EVENT, "No event chosen", "Click a token on a wire, or a line in Incidents");
}

/// Draws the panel. While "Follow" is off the story stands still at what it was.
pub fn body(ui: &mut Ui, view: &RunView) -> Option<StoryAction> {
    let memory = Id::new("event-story-held");
    let mut held: Option<Arc<EventStory>> = ui.data(|data| data.get_temp(memory));
    let live = view.inspected.clone();
    // Another event was chosen: the held one is of no use any more.
    if live.as_ref().is_some_and(|live| held.as_ref().is_some_and(|held| held.id != live.id)) {
        held = None;
    }
    let Some(story) = held.clone().or_else(|| live.clone()) else {
        nothing_ui(ui);
        return None;
    };
    let mut action = None;
    widgets::section_header(ui, icon::EVENT, &story.name, |ui| {
        if widgets::icon_button(ui, icon::CLOSE, widgets::ButtonWords::new("Close event")).clicked() {
            action = Some(StoryAction::Close);
        }
        if widgets::icon_toggle(ui, icon::FOLLOW, held.is_none(), widgets::ButtonWords::new("Follow event")).clicked() {
            held = if held.is_some() { None } else { live.clone() };
        }
    });
    ScrollArea::vertical().id_salt("event-story").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width((ui.available_width() - space::S).max(0.0));
        ui.spacing_mut().interact_size.y = 20.0;
        facts_ui(ui, &story);
        payload_ui(ui, &story);
        headers_ui(ui, &story);
        timeline::show(ui, &story);
        ui.add_space(space::L);
    });
    if action == Some(StoryAction::Close) {
        held = None;
    }
    ui.data_mut(|data| match held {
        Some(story) => {
            data.insert_temp(memory, story);
        }
        None => data.remove::<Arc<EventStory>>(memory),
    });
    action
}

/// What a record says, its payload first; for other panels that show one.
pub(super) fn record_ui(ui: &mut Ui, story: &EventStory) {
    ui.spacing_mut().interact_size.y = 20.0;
    payload_ui(ui, story);
    ui.add_space(space::XS);
    fact(ui, "Key", story.key.as_deref().unwrap_or("none"));
    fact(ui, "Schema", story.schema.as_deref().unwrap_or("none"));
    headers_ui(ui, story);
}

/// Its worst mark: what a token of it would look like.
fn standing(story: &EventStory) -> FlightStatus {
    let marks = story.hops.iter().map(|hop| hop.status);
    marks.fold(FlightStatus::Normal, |worst, next| if next == FlightStatus::Normal { worst } else { next })
}

pub(super) const fn status_words(status: FlightStatus) -> (&'static str, Tone) {
    match status {
        FlightStatus::Normal => ("Fine so far", Tone::Ok),
        FlightStatus::Rejected => ("Rejected", Tone::Error),
        FlightStatus::Lost => ("Lost", Tone::Error),
        FlightStatus::Duplicate => ("Duplicate", Tone::Warn),
    }
}

fn facts_ui(ui: &mut Ui, story: &EventStory) {
    let (words, tone) = status_words(standing(story));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::XS + 2.0;
        widgets::badge(ui, &story.event_type, Tone::Accent);
        widgets::badge(ui, words, tone);
    });
    ui.add_space(space::XS);
    fact(ui, "Born", &figures::clock(story.born.as_secs_f64()));
    fact(ui, "Key", story.key.as_deref().unwrap_or("none"));
    fact(ui, "Schema", story.schema.as_deref().unwrap_or("none"));
    if let Some(place) = story.hops.iter().rev().find_map(|hop| hop.place.as_deref()) {
        fact(ui, "Stands at", place);
    }
}

fn fact(ui: &mut Ui, name: &str, value: &str) {
    widgets::labelled_row(ui, name, 76.0, |ui| {
        ui.add(Label::new(RichText::new(value).monospace()).truncate().selectable(true)).on_hover_text(value);
    });
}

fn payload_ui(ui: &mut Ui, story: &EventStory) {
    ui.add_space(space::S);
    ui.horizontal(|ui| {
        widgets::subheading(ui, "Payload");
        ui.label(theme::muted(theme::tokens(ui.ctx()), format!("{} bytes", figures::whole(story.payload_bytes as u64))));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, icon::COPY, widgets::ButtonWords::new("Copy payload")).clicked() {
                ui.ctx().copy_text(story.payload.clone());
            }
        });
    });
    let tokens = theme::tokens(ui.ctx());
    Frame::new()
        .fill(tokens.surface_sunken)
        .stroke(egui::Stroke::new(1.0, tokens.border))
        .corner_radius(theme::radius::M)
        .inner_margin(Margin::same(10))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let shown = cut(&story.payload, PAYLOAD_CHARS_MAX);
            let is_json = shown.starts_with(['{', '[', '"']);
            let mut job = if is_json {
                json::coloured(shown, TextStyle::Monospace.resolve(ui.style()), tokens)
            } else {
                // Bytes in hexadecimal: sixteen of them fit on a line.
                egui::text::LayoutJob::simple(shown.to_owned(), egui::FontId::monospace(10.0), tokens.text, 0.0)
            };
            job.wrap.max_width = ui.available_width();
            ui.add(Label::new(job).selectable(true));
            if shown.len() < story.payload.len() {
                ui.label(theme::muted(tokens, "Cut here; Copy takes all of it"));
            }
        });
}

fn cut(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(end, _)| &text[..end])
}

fn headers_ui(ui: &mut Ui, story: &EventStory) {
    if story.headers.is_empty() {
        return;
    }
    ui.add_space(space::S);
    widgets::subheading(ui, "Headers");
    for (name, value) in &story.headers {
        widgets::labelled_row(ui, name, 112.0, |ui| {
            let text = RichText::new(value).monospace().size(11.0);
            ui.add(Label::new(text).truncate().selectable(true)).on_hover_text(value);
        });
    }
}
