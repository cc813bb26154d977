//! A schema's text in colours, with marks under what is said of it.

use std::ops::Range;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat};
use egui::{FontId, Galley, Margin, ScrollArea, Stroke, TextEdit, Ui, WidgetInfo, WidgetType};

use crate::app::schemas::tokens::{Word, spans};
use crate::gui::theme::{self, Tokens, Tone};

pub(super) const FONT_SIZE: f32 = 12.0;
const LINE_HEIGHT: f32 = 17.0;
/// Room for the lines' numbers.
const GUTTER: i8 = 38;

/// A part of the text that something is said of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub range: Range<usize>,
    pub tone: Tone,
}

/// Laid out without wrapping; marks are underlined on their tone's quiet ground.
pub(super) fn job(tokens: &Tokens, text: &str, is_protobuf: bool, marks: &[Mark]) -> LayoutJob {
    let mut job = LayoutJob { text: text.to_owned(), ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    let plain = TextFormat { font_id: FontId::monospace(FONT_SIZE), line_height: Some(LINE_HEIGHT), ..TextFormat::default() };
    let mut add = |range: Range<usize>, word: Word, tone: Option<Tone>| {
        let mut format = TextFormat { color: tokens.code(word), ..plain.clone() };
        if let Some(tone) = tone {
            format.background = tokens.tone_soft(tone);
            format.underline = Stroke::new(1.5, tokens.tone(tone));
        }
        let range = egui::text::ByteIndex(range.start)..egui::text::ByteIndex(range.end);
        job.sections.push(egui::text::LayoutSection { leading_space: 0.0, byte_range: range, format });
    };
    for (range, word) in spans(text, is_protobuf) {
        // Cut where marks begin and end.
        let mut cuts: Vec<usize> = marks.iter().flat_map(|mark| [mark.range.start, mark.range.end]).collect();
        cuts.retain(|cut| *cut > range.start && *cut < range.end && text.is_char_boundary(*cut));
        cuts.extend([range.start, range.end]);
        cuts.sort_unstable();
        cuts.dedup();
        for part in cuts.windows(2) {
            let tone = marks.iter().find(|mark| mark.range.start <= part[0] && part[1] <= mark.range.end).map(|mark| mark.tone);
            add(part[0]..part[1], word, tone);
        }
    }
    job
}

/// What is drawn beside the text, and how the field is called.
pub(super) struct Field<'a> {
    pub label: &'a str,
    pub is_protobuf: bool,
    pub marks: &'a [Mark],
    pub can_edit: bool,
}

/// A scrolled field with the lines' numbers; whether the text was changed.
pub(super) fn field(ui: &mut Ui, text: &mut String, field: &Field<'_>) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let height = ui.available_height().max(40.0);
    let mut changed = false;
    let frame = egui::Frame::new().fill(tokens.surface_sunken).corner_radius(f32::from(theme::radius::M));
    frame.show(ui, |ui| {
        ScrollArea::both().id_salt(field.label).auto_shrink([false, false]).max_height(height).show(ui, |ui| {
            let mut layouter = |ui: &Ui, buffer: &dyn egui::TextBuffer, _: f32| -> Arc<Galley> {
                // Marks are of the text as it was: once it is changed they wait for the next frame.
                let marks = if buffer.as_str().len() == text_length(field.marks, buffer.as_str()) { field.marks } else { &[] };
                ui.fonts_mut(|fonts| fonts.layout_job(job(tokens, buffer.as_str(), field.is_protobuf, marks)))
            };
            let before = text.clone();
            let mut unchanging = before.as_str();
            let buffer: &mut dyn egui::TextBuffer = if field.can_edit { text } else { &mut unchanging };
            let edit = TextEdit::multiline(buffer)
                .id_salt(field.label)
                .font(FontId::monospace(FONT_SIZE))
                .frame(egui::Frame::NONE)
                .margin(Margin { left: GUTTER, right: 8, top: 6, bottom: 6 })
                .desired_width(f32::INFINITY)
                .lock_focus(field.can_edit)
                .layouter(&mut layouter);
            let output = edit.min_size(egui::vec2(0.0, height)).show(ui);
            let response = &output.response.response;
            response.widget_info(|| WidgetInfo::labeled(WidgetType::TextEdit, field.can_edit, field.label));
            numbers(ui, &output.galley, output.galley_pos, field.marks, &before);
            changed = field.can_edit && response.changed();
        });
    });
    changed
}

/// Marks of another text would fall between characters.
fn text_length(marks: &[Mark], text: &str) -> usize {
    let fits = marks.iter().all(|mark| text.is_char_boundary(mark.range.start) && text.is_char_boundary(mark.range.end));
    if fits { text.len() } else { usize::MAX }
}

fn numbers(ui: &Ui, galley: &Galley, at: egui::Pos2, marks: &[Mark], text: &str) {
    let tokens = theme::tokens(ui.ctx());
    let lines_of: Vec<(usize, Tone)> =
        marks.iter().filter_map(|mark| Some((text.get(..mark.range.start)?.matches('\n').count(), mark.tone))).collect();
    let clip = ui.clip_rect();
    for (number, row) in galley.rows.iter().enumerate() {
        let rect = row.rect().translate(at.to_vec2());
        if rect.bottom() < clip.top() || rect.top() > clip.bottom() {
            continue;
        }
        let tone = lines_of.iter().find(|(line, _)| *line == number).map(|(_, tone)| *tone);
        let colour = tone.map_or(tokens.text_faint, |tone| tokens.tone(tone));
        let right = egui::pos2(at.x - 10.0, rect.center().y);
        ui.painter().text(right, egui::Align2::RIGHT_CENTER, number + 1, FontId::monospace(FONT_SIZE - 1.0), colour);
        if let Some(tone) = tone {
            let bar = egui::Rect::from_min_max(egui::pos2(at.x - 6.0, rect.top()), egui::pos2(at.x - 3.5, rect.bottom()));
            ui.painter().rect_filled(bar, 1.0, tokens.tone(tone));
        }
    }
}

/// A text that is only read: on a quiet ground, wrapped.
pub(super) fn shown(ui: &mut Ui, text: &str, is_protobuf: bool) {
    let tokens = theme::tokens(ui.ctx());
    let frame = egui::Frame::new().fill(tokens.surface_sunken).corner_radius(f32::from(theme::radius::M)).inner_margin(Margin::same(8));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        let mut job = job(tokens, text.trim_end(), is_protobuf, &[]);
        job.wrap.max_width = ui.available_width();
        job.wrap.break_anywhere = true;
        let label = egui::Label::new(job).selectable(true).wrap();
        ui.add(label);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_cover_the_text_and_cut_at_marks() {
        let text = "{\"a\": \"int\"}";
        let marks = [Mark { range: 6..9, tone: Tone::Error }];
        let job = job(&theme::LIGHT, text, false, &marks);
        let ranges: Vec<(usize, usize)> = job.sections.iter().map(|one| (one.byte_range.start.0, one.byte_range.end.0)).collect();
        assert!(ranges.windows(2).all(|pair| pair[0].1 == pair[1].0), "{ranges:?}");
        assert_eq!((ranges.first().map(|one| one.0), ranges.last().map(|one| one.1)), (Some(0), Some(text.len())));
        let marked: Vec<&str> = job
            .sections
            .iter()
            .filter(|one| one.format.underline != Stroke::NONE)
            .map(|one| &text[one.byte_range.start.0..one.byte_range.end.0])
            .collect();
        assert_eq!(marked, ["\"in"]);
    }
}
