//! A page of a log: a line a record, markers of transactions, holes of compaction, and where the marks lie.

use egui::{Align, Rect, ScrollArea, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetType};

use super::Shown;
use crate::app::Browse;
use crate::event::{HeldRecord, LogContent, LogMarks, LogPage, LogRow, LogStanding, Seek};
use crate::gui::panels::columns::{self, Column, Fitted, ROW_HEIGHT};
use crate::gui::panels::figures;
use crate::gui::theme::{self, Tone, icon, widgets};

/// Longest key that is written out in a row.
const KEY_CHARS_MAX: usize = 80;

const OFFSET: usize = 0;
const KEY: usize = 2;
const COLUMNS: [Column<'_>; 7] = [
    Column::right("offset", "Its place in the log", 66.0, 0),
    Column::left("born", "Virtual time of its event's birth", 66.0, 2),
    Column::left("key", "Key, as text", 90.0, 0),
    Column::left("event", "Event type", 104.0, 1),
    Column::right("schema", "Id that the payload's first bytes name", 46.0, 5),
    Column::right("bytes", "Key and payload", 44.0, 4),
    Column::left("seen by", "Who sees it", 112.0, 3),
];

/// One line of the table.
enum Line<'a> {
    /// Offsets that matter lie here.
    Mark(String),
    Row(&'a LogRow),
}

/// Draws a page; gives where a click leads.
pub(super) fn ui(ui: &mut Ui, page: &LogPage, shown: &Shown<'_>) -> Option<Browse> {
    if page.marks.log_end == page.marks.log_start && page.rows.is_empty() {
        let hint = if page.marks.log_end == 0 { "Nothing was written here yet" } else { "All that was written is gone again" };
        widgets::empty_state(ui, icon::RECORDS, "No record stands here", hint);
        return None;
    }
    let fitted = columns::fitting(&COLUMNS, KEY, ui.available_width());
    ui.spacing_mut().item_spacing.y = 0.0;
    columns::head(ui, &COLUMNS, &fitted, None);
    let lines = lines(page);
    let browse = shown.browse;
    let mut clicked = None;
    ScrollArea::vertical()
        // Each page is seen from its beginning, or from its end where it was reached from behind.
        .id_salt(("log", &browse.topic, browse.partition, browse.seek))
        .stick_to_bottom(matches!(browse.seek, Seek::Below(_)))
        .auto_shrink([false, false])
        .show_rows(ui, ROW_HEIGHT, lines.len(), |ui, range| {
            for line in &lines[range] {
                match line {
                    Line::Mark(words) => mark_ui(ui, words),
                    Line::Row(row) => clicked = row_ui(ui, row, &fitted, shown).or(clicked.take()),
                }
            }
        });
    clicked
}

fn lines(page: &LogPage) -> Vec<Line<'_>> {
    let mut lines = Vec::with_capacity(page.rows.len() + 4);
    let mut before = None;
    for row in &page.rows {
        let from = before.unwrap_or(row.offset);
        lines.extend(marks_in(page.marks, from..=row.offset));
        lines.push(Line::Row(row));
        before = Some(row.offset + 1);
    }
    let behind = page.rows.last().map_or(page.marks.log_end, LogRow::next_offset);
    lines.extend(marks_in(page.marks, before.unwrap_or(behind)..=behind));
    lines
}

/// The marks within some offsets, those of one offset together.
fn marks_in<'a>(marks: LogMarks, offsets: std::ops::RangeInclusive<u64>) -> Vec<Line<'a>> {
    let all = [
        Some(("log start", marks.log_start)),
        marks.last_stable.map(|offset| ("last stable offset", offset)),
        Some(("high watermark", marks.high_watermark)),
        Some(("end of the log", marks.log_end)),
    ];
    let mut found: Vec<(u64, String)> = Vec::new();
    for (name, offset) in all.into_iter().flatten().filter(|(_, offset)| offsets.contains(offset)) {
        match found.iter_mut().find(|(other, _)| *other == offset) {
            Some((_, words)) => *words = format!("{words} · {name}"),
            None => found.push((offset, name.to_owned())),
        }
    }
    found.sort_by_key(|(offset, _)| *offset);
    found.into_iter().map(|(offset, words)| Line::Mark(format!("{words} {}", figures::whole(offset)))).collect()
}

/// A hairline with words in its middle.
fn mark_ui(ui: &mut Ui, words: &str) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW_HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, words));
    let galley = ui.painter().layout_no_wrap(words.to_owned(), theme::font(11.0), tokens.accent);
    let half = galley.size() / 2.0;
    let stroke = Stroke::new(1.0, tokens.accent.gamma_multiply(0.45));
    ui.painter().hline(rect.left()..=rect.center().x - half.x - 8.0, rect.center().y, stroke);
    ui.painter().hline(rect.center().x + half.x + 8.0..=rect.right(), rect.center().y, stroke);
    ui.painter().galley(rect.center() - half, galley, tokens.accent);
}

fn row_ui(ui: &mut Ui, row: &LogRow, fitted: &[Fitted], shown: &Shown<'_>) -> Option<Browse> {
    match &row.content {
        LogContent::Record(record, standing) => record_ui(ui, (row.offset, record, *standing), fitted, shown),
        LogContent::Marker { commits, at } => {
            let words = if *commits { "Commit: a transaction ends" } else { "Abort: a transaction ends" };
            let when = figures::clock(at.as_secs_f64());
            quiet_ui(ui, row.offset, &format!("{words}, {when} (control record)"), fitted);
            None
        }
        LogContent::Gap { until } => {
            let count = until - row.offset;
            let words = match count {
                1 => "Compacted away".to_owned(),
                count => format!("{} offsets compacted away, up to {}", figures::whole(count), figures::whole(until - 1)),
            };
            quiet_ui(ui, row.offset, &words, fitted);
            None
        }
    }
}

/// A line that is no record: the offset, and words across the rest.
fn quiet_ui(ui: &mut Ui, offset: u64, words: &str, fitted: &[Fitted]) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), ROW_HEIGHT), Sense::hover());
    let spoken = format!("Offset {}: {words}", figures::whole(offset));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    let first = fitted[OFFSET].of(rect);
    widgets::line_in(ui, first, &figures::whole(offset), theme::font(12.0), tokens.text_faint, Align::RIGHT);
    let rest = Rect::from_min_max(egui::pos2(first.right() + theme::space::M, rect.top()), rect.max);
    widgets::line_in(ui, rest, words, theme::font(12.0), tokens.text_faint, Align::LEFT);
}

fn record_ui(ui: &mut Ui, line: (u64, &HeldRecord, LogStanding), fitted: &[Fitted], shown: &Shown<'_>) -> Option<Browse> {
    let (offset, record, standing) = line;
    let tokens = theme::tokens(ui.ctx());
    let (seen_by, tone) = seen_by(record, standing);
    let event_type = shown.event_types.get(record.event.event_type.index()).map_or("", |name| name);
    let key = record.key.as_deref().map_or_else(|| "–".to_owned(), key_text);
    let spoken = format!("Record {}, {event_type}, key {key}, {seen_by}", figures::whole(offset));
    let is_opened = shown.browse.opened == Some(offset);
    let response = columns::ground(ui, &spoken, is_opened);
    for place in fitted {
        let words = match place.index {
            OFFSET => figures::whole(offset),
            1 => figures::clock(record.event.born.as_secs_f64()),
            KEY => key.clone(),
            3 => event_type.to_owned(),
            4 => record.schema_id.map_or_else(|| "–".to_owned(), |id| id.to_string()),
            5 => figures::whole(record.size_bytes() as u64),
            _ => seen_by.to_owned(),
        };
        let is_quiet = standing == LogStanding::Aborted || matches!(place.index, 1 | 4 | 5);
        let colour = match (place.index, tone) {
            (6, Tone::Neutral) => tokens.text_muted,
            (6, tone) => tokens.tone(tone),
            _ if is_quiet => tokens.text_muted,
            _ => tokens.text,
        };
        widgets::line_in(ui, place.of(response.rect), &words, theme::font(12.0), colour, COLUMNS[place.index].align);
    }
    let opened = if is_opened { None } else { Some(offset) };
    response.clicked().then(|| Browse { opened, ..shown.browse.clone() })
}

fn seen_by(record: &HeldRecord, standing: LogStanding) -> (&'static str, Tone) {
    match standing {
        LogStanding::Settled if record.value.is_none() => ("all · tombstone", Tone::Neutral),
        LogStanding::Settled => ("all", Tone::Neutral),
        LogStanding::Unreplicated => ("nobody yet", Tone::Warn),
        LogStanding::Undecided => ("uncommitted only", Tone::Accent),
        LogStanding::Aborted => ("aborted", Tone::Error),
    }
}

/// A key as text where it is text, else in hexadecimal.
pub(super) fn key_text(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) if !text.contains(char::is_control) => text.chars().take(KEY_CHARS_MAX).collect(),
        _ => key.iter().take(KEY_CHARS_MAX / 2).map(|byte| format!("{byte:02x}")).collect(),
    }
}
