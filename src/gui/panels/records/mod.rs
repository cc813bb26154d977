//! What a topic or a queue holds: a page of it as a table, and the record that is opened beside it.
//!
//! In: the topics that there are, which page is looked at, and the run's answer. Out: another page, another record, or
//! an event to follow. Must not know: how a run finds the page. Start at [`body`]; `bar.rs` moves through a log, `log.rs`
//! draws a page of it, `queue.rs` a page of a queue.

mod bar;
mod log;
mod queue;

use std::sync::Arc;

use egui::{Align, Layout, ScrollArea, Ui};

use super::dock;
use super::event_story;
use crate::app::{AppState, Browse, Command, Shelf};
use crate::event::{Answer, EventId};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::metrics::{Browsed, EventStory};

/// Narrower than this, the opened record stands in front of its page.
const BOTH_WIDTH_MIN: f32 = 560.0;
const RECORD_WIDTH: f32 = 330.0;

/// What the panel shows.
pub struct Shown<'a> {
    /// What can be looked at.
    pub shelves: &'a [Shelf],
    /// What is looked at.
    pub browse: &'a Browse,
    /// The newest answer; of another page while this one is still to come.
    pub browsed: Option<&'a Browsed>,
    /// Names of event types.
    pub event_types: &'a [Arc<str>],
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordsAction {
    /// Another page, or another record.
    Look(Browse),
    /// The way of an event.
    Follow(EventId),
}

/// The panel over the application's state.
pub fn records_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let mut asked = Vec::new();
    let shown = app.running.as_ref().zip(app.browse.as_ref()).map(|(running, browse)| Shown {
        shelves: running.shelves(),
        browse,
        browsed: running.view().browsed.as_deref(),
        event_types: running.event_types(),
    });
    let hint = match &app.running {
        Some(_) => ("No records here", "This design has neither a topic nor a queue"),
        None => (
            "Nothing has run yet",
            "Press Run: what every topic and queue holds can be looked at here, while it goes, when it is held and after its end",
        ),
    };
    body(ui, |ui| dock::tabs(ui, app, &mut asked), shown.as_ref(), hint, commands);
    commands.append(&mut asked);
}

/// Draws the panel under its tabs; without anything to look at it says `hint`.
pub fn body(ui: &mut Ui, tabs: impl FnOnce(&mut Ui), shown: Option<&Shown<'_>>, hint: (&str, &str), commands: &mut Vec<Command>) {
    let Some(shown) = shown else {
        widgets::bar(ui, tabs, |_| {});
        widgets::empty_state(ui, icon::RECORDS, hint.0, hint.1);
        return;
    };
    let answer = shown.browsed.and_then(|browsed| browsed.answer.as_ref());
    widgets::bar(ui, tabs, |ui| match answer {
        Some(Answer::Log(page)) => bar::marks_ui(ui, page.marks),
        Some(Answer::Queue(page)) => bar::standing_ui(ui, &page.standing),
        Some(Answer::Partitions(_) | Answer::Queues(..) | Answer::Service(_)) | None => {}
    });
    let mut action = bar::ui(ui, shown, answer);
    ui.add_space(space::XS);
    let opened = shown.browse.opened.and_then(|_| shown.browsed?.opened.as_ref());
    let area = ui.available_rect_before_wrap();
    let record_left = if area.width() >= BOTH_WIDTH_MIN { area.right() - RECORD_WIDTH } else { area.left() };
    let (page, record) = area.split_left_right_at_x(if opened.is_some() { record_left } else { area.right() });
    if page.width() > space::L {
        widgets::within(ui, page.with_max_x(page.right() - if opened.is_some() { space::M } else { 0.0 }), |ui| {
            let looked = match answer {
                Some(Answer::Log(page)) => log::ui(ui, page, shown),
                Some(Answer::Queue(page)) => queue::ui(ui, page, shown),
                Some(Answer::Partitions(_) | Answer::Queues(..) | Answer::Service(_)) | None => None,
            };
            action = looked.map(RecordsAction::Look).or(action.take());
        });
    }
    if let Some(story) = opened {
        widgets::within(ui, record, |ui| action = record_ui(ui, story, shown.browse).or(action.take()));
    }
    commands.extend(action.map(|action| match action {
        RecordsAction::Look(browse) => Command::Browse(browse),
        RecordsAction::Follow(event) => Command::Inspect(Some(event)),
    }));
}

/// The opened record, decoded.
fn record_ui(ui: &mut Ui, story: &EventStory, browse: &Browse) -> Option<RecordsAction> {
    let mut action = None;
    ui.horizontal(|ui| {
        widgets::badge(ui, &story.event_type, Tone::Accent);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, icon::CLOSE, widgets::ButtonWords::new("Close record")).clicked() {
                action = Some(RecordsAction::Look(Browse { opened: None, ..browse.clone() }));
            }
            let why_not = story.hops.is_empty().then_some("Its way was not recorded: events are followed by sample");
            let words = widgets::ButtonWords::new("Show its way").unless(why_not);
            if widgets::icon_button(ui, icon::FOLLOW, words).clicked() {
                action = Some(RecordsAction::Follow(story.id));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(theme::strong(&story.name)).truncate());
            });
        });
    });
    ScrollArea::vertical().id_salt("record").auto_shrink([false, false]).show(ui, |ui| {
        ui.set_width((ui.available_width() - space::S).max(0.0));
        event_story::record_ui(ui, story);
        ui.add_space(space::S);
    });
    action
}
