//! Queues and subscriptions of the whole design: how each stands, and a message tried against a filter policy.
//!
//! In: how they stand. Out: the queue whose messages are wanted, or the component that is meant. Start at [`body`];
//! `table.rs` draws the two tables, `trial.rs` a subscription's policy and the message that is tried.

mod table;
mod trial;

use egui::{Id, ScrollArea, Ui};

use super::dock;
use crate::app::{AppState, Browse, Command, Pick, SelectMode};
use crate::event::{Answer, QueueStanding, SubscriptionStanding};
use crate::gui::theme::{self, icon, space, widgets};

/// Narrower than this, a subscription's policy stands below the tables.
const BOTH_WIDTH_MIN: f32 = 700.0;
const TRIAL_WIDTH: f32 = 340.0;
const TRIAL_HEIGHT: f32 = 150.0;

/// The tab of the dock.
pub fn queues_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let browsed = app.running.as_ref().and_then(|running| running.view().browsed.as_deref());
    let standings = match browsed.map(|browsed| &browsed.answer) {
        Some(Some(Answer::Queues(queues, subscriptions))) => Some((&queues[..], &subscriptions[..])),
        // What is there now answers another question: the next frame brings this one's.
        Some(Some(_)) => Some((&[][..], &[][..])),
        _ => None,
    };
    let mut asked = Vec::new();
    let has_run = app.running.is_some();
    body(ui, |ui| dock::tabs(ui, app, &mut asked), standings, has_run, commands);
    commands.append(&mut asked);
}

/// Draws the tables under their tabs.
pub fn body(
    ui: &mut Ui,
    tabs: impl FnOnce(&mut Ui),
    standings: Option<(&[QueueStanding], &[SubscriptionStanding])>,
    has_run: bool,
    commands: &mut Vec<Command>,
) {
    let Some((queues, subscriptions)) = standings.filter(|(queues, subscriptions)| !queues.is_empty() || !subscriptions.is_empty()) else {
        widgets::bar(ui, tabs, |_| {});
        let (headline, hint) = if has_run {
            ("No queues to show", "This design has neither queues nor fan-out topics")
        } else {
            ("Nothing has run yet", "Press Run: every queue and every subscription of the design stands here")
        };
        return widgets::empty_state(ui, icon::PARTITIONS, headline, hint);
    };
    widgets::bar(ui, tabs, |ui| {
        let words = format!("{} · {}", count(queues.len(), "queue"), count(subscriptions.len(), "subscription"));
        ui.label(theme::muted(theme::tokens(ui.ctx()), words));
    });
    ui.add_space(space::XS);
    let memory = Id::new("queues-subscription");
    let mut chosen: Option<(String, String)> = ui.data(|data| data.get_temp(memory));
    let open = subscriptions.iter().find(|one| chosen.as_ref().is_some_and(|(topic, to)| **topic == *one.topic && **to == *one.endpoint));
    let area = ui.available_rect_before_wrap();
    let is_wide = area.width() >= BOTH_WIDTH_MIN;
    let (tables, beside) = match open {
        None => (area, None),
        Some(_) if is_wide => {
            let (tables, beside) = area.split_left_right_at_x(area.right() - TRIAL_WIDTH);
            (tables.with_max_x(tables.right() - space::M), Some(beside))
        }
        Some(_) => {
            let (tables, below) = area.split_top_bottom_at_y(area.bottom() - TRIAL_HEIGHT.min(area.height() * 0.6));
            (tables, Some(below))
        }
    };
    widgets::within(ui, tables, |ui| {
        ScrollArea::vertical().id_salt("queues").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            if let Some(queue) = table::queues_ui(ui, queues) {
                commands.push(Command::Select(Pick::Component(queue.to_string()), SelectMode::Replace));
                commands.push(Command::Browse(Browse::newest(&queue, &queue, 0)));
            }
            if let Some(clicked) = table::subscriptions_ui(ui, subscriptions, open) {
                chosen = if open == Some(clicked) { None } else { Some((clicked.topic.to_string(), clicked.endpoint.to_string())) };
            }
        });
    });
    if let (Some(open), Some(beside)) = (open, beside) {
        let closes = widgets::within(ui, beside, |ui| trial::ui(ui, open));
        chosen = chosen.filter(|_| !closes);
    }
    ui.data_mut(|data| match chosen {
        Some(chosen) => {
            data.insert_temp(memory, chosen);
        }
        None => data.remove::<(String, String)>(memory),
    });
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
