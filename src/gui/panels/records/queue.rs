//! A page of a queue: a line a message, with how often it was received and who can receive it.

use egui::{ScrollArea, Ui};

use super::Shown;
use super::log::key_text;
use crate::app::Browse;
use crate::event::{MessageState, QueuePage, QueueRow, Seek};
use crate::gui::panels::columns::{self, Column, Fitted, ROW_HEIGHT};
use crate::gui::panels::figures;
use crate::gui::theme::{self, Tone, icon, widgets};

const KEY: usize = 2;
const STATE: usize = 7;
const COLUMNS: [Column<'_>; 8] = [
    Column::right("message", "Its number in the queue", 60.0, 0),
    Column::left("sent", "Virtual time of its sending: what retention counts from", 66.0, 2),
    Column::left("key", "Key of its event, as text", 90.0, 0),
    Column::left("group", "Message group", 80.0, 5),
    Column::left("event", "Event type", 104.0, 1),
    Column::right("bytes", "Key and payload", 44.0, 4),
    Column::right("receives", "How often it was received (ApproximateReceiveCount)", 54.0, 3),
    Column::left("state", "Who can receive it", 142.0, 0),
];

/// Draws a page; gives where a click leads.
pub(super) fn ui(ui: &mut Ui, page: &QueuePage, shown: &Shown<'_>) -> Option<Browse> {
    if page.rows.is_empty() {
        let hint = match page.next_number {
            0 => "Nothing was sent here yet",
            _ if page.first_number < page.next_number => "No message stands there: go to the start or to the end",
            _ => "All that was sent is deleted, moved or expired",
        };
        widgets::empty_state(ui, icon::RECORDS, "No message stands here", hint);
        return None;
    }
    let has_groups = page.rows.iter().any(|row| row.group.is_some());
    let mut columns = COLUMNS;
    if !has_groups {
        columns[3].rank = Column::HIDDEN;
    }
    let fitted = columns::fitting(&columns, KEY, ui.available_width());
    ui.spacing_mut().item_spacing.y = 0.0;
    columns::head(ui, &columns, &fitted, None);
    let browse = shown.browse;
    let mut clicked = None;
    ScrollArea::vertical()
        .id_salt(("queue", &browse.topic, browse.seek))
        .stick_to_bottom(matches!(browse.seek, Seek::Below(_)))
        .auto_shrink([false, false])
        .show_rows(ui, ROW_HEIGHT, page.rows.len(), |ui, range| {
            for row in &page.rows[range] {
                clicked = row_ui(ui, row, &fitted, shown).or(clicked.take());
            }
        });
    clicked
}

fn row_ui(ui: &mut Ui, row: &QueueRow, fitted: &[Fitted], shown: &Shown<'_>) -> Option<Browse> {
    let tokens = theme::tokens(ui.ctx());
    let (state, tone) = state_words(row.state);
    let event_type = shown.event_types.get(row.record.event.event_type.index()).map_or("", |name| name);
    let text_of = |bytes: Option<&[u8]>| bytes.map_or_else(|| "–".to_owned(), key_text);
    let key = text_of(row.record.key.as_deref());
    let spoken = format!("Message {}, {event_type}, key {key}, received {} times, {state}", figures::whole(row.number), row.receives);
    let is_opened = shown.browse.opened == Some(row.number);
    let response = columns::ground(ui, &spoken, is_opened);
    for place in fitted {
        let words = match place.index {
            0 => figures::whole(row.number),
            1 => figures::clock(row.sent.as_secs_f64()),
            KEY => key.clone(),
            3 => text_of(row.group.as_deref()),
            4 => event_type.to_owned(),
            5 => figures::whole(row.record.size_bytes() as u64),
            6 => u64::from(row.receives).to_string(),
            _ => state.clone(),
        };
        let colour = match (place.index, tone) {
            (STATE, Tone::Neutral) | (1 | 3 | 5, _) => tokens.text_muted,
            (STATE, tone) => tokens.tone(tone),
            (6, _) if row.receives > 1 => tokens.tone(Tone::Warn),
            _ => tokens.text,
        };
        widgets::line_in(ui, place.of(response.rect), &words, theme::font(12.0), colour, COLUMNS[place.index].align);
    }
    let opened = if is_opened { None } else { Some(row.number) };
    response.clicked().then(|| Browse { opened, ..shown.browse.clone() })
}

fn state_words(state: MessageState) -> (String, Tone) {
    match state {
        MessageState::Visible => ("visible".to_owned(), Tone::Neutral),
        MessageState::Delayed(until) => (format!("delayed until {}", figures::clock(until.as_secs_f64())), Tone::Neutral),
        MessageState::InFlight(until) => (format!("in flight until {}", figures::clock(until.as_secs_f64())), Tone::Accent),
    }
}
