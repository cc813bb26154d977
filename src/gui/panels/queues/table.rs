//! The tables: a line a queue, a line a subscription.

use std::sync::Arc;

use egui::Ui;

use crate::event::{QueueStanding, SubscriptionStanding};
use crate::gui::panels::columns::{self, Column};
use crate::gui::panels::figures;
use crate::gui::theme::{self, Tone, space, widgets};

const QUEUES: [Column<'_>; 10] = [
    Column::left("queue", "The queue", 100.0, 0),
    Column::right("visible", "Messages that the next receive may bring", 54.0, 0),
    Column::right("in flight", "Received, and not deleted yet", 54.0, 0),
    Column::right("delayed", "Sent, and still hidden by a delay", 54.0, 4),
    Column::right("oldest", "Age of the oldest message", 64.0, 1),
    Column::right("sent", "Messages sent so far", 60.0, 5),
    Column::right("again", "Receives of what had been received before", 54.0, 3),
    Column::right("deleted", "Messages that their receivers deleted", 60.0, 6),
    Column::right("dead letters", "Moved to the dead-letter queue so far", 72.0, 2),
    Column::right("expired", "Gone by retention, by a purge or with the queue", 54.0, 7),
];

const SUBSCRIPTIONS: [Column<'_>; 8] = [
    Column::left("subscription", "Topic and subscriber", 150.0, 0),
    Column::left("protocol", "sqs is a queue, https a consumer or a gateway", 52.0, 5),
    Column::left("filter", "Its filter policy", 120.0, 3),
    Column::right("passed", "Events that are for it", 60.0, 0),
    Column::right("filtered", "Events that its policy keeps away", 60.0, 0),
    Column::right("waiting", "Deliveries under way, or waiting for a retry", 54.0, 1),
    Column::right("retried", "Deliveries tried again", 54.0, 4),
    Column::right("given up", "Dead letters, and what was lost for want of a dead-letter queue", 58.0, 2),
];

/// Draws the queues; gives the one that was clicked.
pub(super) fn queues_ui(ui: &mut Ui, queues: &[QueueStanding]) -> Option<Arc<str>> {
    if queues.is_empty() {
        return None;
    }
    let fitted = columns::fitting(&QUEUES, 0, ui.available_width());
    columns::head(ui, &QUEUES, &fitted, None);
    let mut clicked = None;
    for queue in queues {
        let tokens = theme::tokens(ui.ctx());
        let state = if queue.is_gone { ", deleted" } else { "" };
        let spoken = format!(
            "Queue {}{state}, {} visible, {} in flight, {} delayed",
            queue.name,
            figures::whole(queue.visible),
            figures::whole(queue.in_flight),
            figures::whole(queue.delayed)
        );
        let response = columns::ground(ui, &spoken, false);
        for place in &fitted {
            let number = |value: u64| (figures::whole(value), Tone::Neutral);
            let (words, tone) = match place.index {
                0 if queue.is_gone => (format!("{} (deleted)", queue.name), Tone::Error),
                0 => (queue.name.to_string(), Tone::Neutral),
                1 => number(queue.visible),
                2 => number(queue.in_flight),
                3 => number(queue.delayed),
                4 => (figures::span(queue.oldest_age), Tone::Neutral),
                5 => number(queue.sent),
                6 => number(queue.received_again),
                7 => number(queue.deleted),
                8 => (figures::whole(queue.dead_lettered), if queue.dead_lettered > 0 { Tone::Warn } else { Tone::Neutral }),
                _ => number(queue.expired),
            };
            let font = if place.index == 0 { theme::font_strong(12.0) } else { theme::font(12.0) };
            let colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
            widgets::line_in(ui, place.of(response.rect), &words, font, colour, QUEUES[place.index].align);
        }
        if response.on_hover_text("Click to see its messages").clicked() {
            clicked = Some(Arc::clone(&queue.name));
        }
    }
    ui.add_space(space::M);
    clicked
}

/// Draws the subscriptions; gives the one that was clicked.
pub(super) fn subscriptions_ui<'a>(
    ui: &mut Ui,
    subscriptions: &'a [SubscriptionStanding],
    open: Option<&SubscriptionStanding>,
) -> Option<&'a SubscriptionStanding> {
    if subscriptions.is_empty() {
        return None;
    }
    let fitted = columns::fitting(&SUBSCRIPTIONS, 2, ui.available_width());
    columns::head(ui, &SUBSCRIPTIONS, &fitted, None);
    let mut clicked = None;
    for one in subscriptions {
        let tokens = theme::tokens(ui.ctx());
        let passed = one.delivered + one.waiting + one.dead_lettered + one.lost;
        let given_up = one.dead_lettered + one.lost;
        let spoken = format!(
            "Subscription {} to {}, {} passed, {} filtered",
            one.topic,
            one.endpoint,
            figures::whole(passed),
            figures::whole(one.filtered)
        );
        let response = columns::ground(ui, &spoken, open == Some(one));
        for place in &fitted {
            let (words, colour) = match place.index {
                0 => (format!("{} → {}", one.topic, one.endpoint), tokens.text),
                1 => (one.protocol.to_owned(), tokens.text_muted),
                2 => (one.filter_policy.as_deref().unwrap_or("everything").to_owned(), tokens.text_muted),
                3 => (figures::whole(passed), tokens.text),
                4 => (figures::whole(one.filtered), tokens.text),
                5 => (figures::whole(one.waiting), tokens.text),
                6 => (figures::whole(one.retried), tokens.text),
                _ if one.lost > 0 => (figures::whole(given_up), tokens.tone(Tone::Error)),
                _ if given_up > 0 => (figures::whole(given_up), tokens.tone(Tone::Warn)),
                _ => (figures::whole(0), tokens.text),
            };
            let font = if place.index == 0 { theme::font_strong(12.0) } else { theme::font(12.0) };
            widgets::line_in(ui, place.of(response.rect), &words, font, colour, SUBSCRIPTIONS[place.index].align);
        }
        if response.on_hover_text("Click to see its filter, and to try a message").clicked() {
            clicked = Some(one);
        }
    }
    clicked
}
