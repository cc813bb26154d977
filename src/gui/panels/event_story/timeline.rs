//! The path of an event as a vertical line: where, when, how long it waited and was worked on, and why
//! the step ended as it did.

use egui::epaint::CornerRadius;
use egui::{Align, Label, Rect, RichText, Sense, Stroke, Ui, Vec2, WidgetInfo, WidgetType, pos2};

use crate::gui::panels::figures;
use crate::gui::theme::{self, Tokens, Tone, font, font_strong, icon, space, widgets};
use crate::metrics::{EventStory, FlightStatus, StoryHop};
use crate::units::{SimDuration, SimTime};

const RAIL_WIDTH: f32 = 24.0;
const BAR_HEIGHT: f32 = 6.0;

pub(super) fn show(ui: &mut Ui, story: &EventStory) {
    ui.add_space(space::S);
    let end = story.hops.last().map_or(story.born, |hop| hop.at + hop.waited + hop.worked);
    ui.horizontal(|ui| {
        widgets::subheading(ui, "Path so far");
        let tokens = theme::tokens(ui.ctx());
        ui.label(theme::muted(tokens, format!("{} since its birth", figures::span(end.since(story.born)))));
    });
    let longest_ns = story.hops.iter().map(|hop| (hop.waited + hop.worked).as_ns()).max().unwrap_or(0).max(1);
    let mut left_at: Option<SimTime> = None;
    for (index, hop) in story.hops.iter().enumerate() {
        if let Some(left) = left_at.filter(|left| hop.at > *left) {
            travel_ui(ui, hop.at.since(left));
        }
        hop_ui(ui, hop, longest_ns, index + 1 == story.hops.len() && story.hops_dropped == 0, story.born);
        left_at = Some(hop.at + hop.waited + hop.worked);
    }
    if story.hops_dropped > 0 {
        ui.label(theme::muted(theme::tokens(ui.ctx()), format!("and {} more steps that were not kept", story.hops_dropped)));
    }
    if !story.hops.is_empty() {
        legend_ui(ui);
    }
}

fn travel_ui(ui: &mut Ui, on_link: SimDuration) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 14.0), Sense::hover());
    let x = rect.left() + RAIL_WIDTH / 2.0 - 4.0;
    ui.painter().extend(egui::Shape::dashed_line(
        &[pos2(x, rect.top() - 4.0), pos2(x, rect.bottom() + 6.0)],
        Stroke::new(1.5, tokens.border_strong),
        3.0,
        3.0,
    ));
    let words = Rect::from_min_max(pos2(rect.left() + RAIL_WIDTH, rect.top()), rect.max);
    widgets::line_in(ui, words, &format!("{} on the link", figures::span(on_link)), font(11.0), tokens.text_muted, Align::LEFT);
}

fn hop_ui(ui: &mut Ui, hop: &StoryHop, longest_ns: u64, is_last: bool, born: SimTime) {
    let tokens = theme::tokens(ui.ctx());
    let tone = match hop.status {
        FlightStatus::Normal => Tone::Neutral,
        FlightStatus::Duplicate => Tone::Warn,
        FlightStatus::Rejected | FlightStatus::Lost => Tone::Error,
    };
    let words_colour = if tone == Tone::Neutral { tokens.text } else { tokens.tone(tone) };
    let inner = ui.horizontal_top(|ui| {
        ui.add_space(RAIL_WIDTH);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 3.0;
            let (head, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 18.0), Sense::hover());
            let spoken = format!("{}: {}", hop.component, hop.words);
            response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
            let (name, after) = head.split_left_right_at_fraction(0.62);
            widgets::line_in(ui, name, &hop.component, font_strong(13.0), tokens.text, Align::LEFT);
            let after_birth = format!("+{}", figures::span(hop.at.since(born)));
            widgets::line_in(ui, after, &after_birth, font(11.0), tokens.text_muted, Align::RIGHT);
            ui.add(Label::new(RichText::new(&hop.words).size(12.0).color(words_colour)).wrap());
            if let Some(place) = &hop.place {
                ui.label(RichText::new(format!("{} {place}", icon::PLACE)).monospace().size(11.0).color(tokens.text_muted));
            }
            bar_ui(ui, hop, longest_ns, tokens);
        });
    });
    let rect = inner.response.rect;
    let x = rect.left() + RAIL_WIDTH / 2.0 - 4.0;
    let dot = pos2(x, rect.top() + 9.0);
    if !is_last {
        ui.painter().line_segment([pos2(x, dot.y + 7.0), pos2(x, rect.bottom() + 4.0)], Stroke::new(1.5, tokens.border_strong));
    }
    if hop.status == FlightStatus::Normal {
        ui.painter().circle(dot, 4.5, tokens.surface, Stroke::new(2.0, tokens.accent));
    } else {
        let glyph = icon::of_flight(hop.status);
        ui.painter().text(dot, egui::Align2::CENTER_CENTER, glyph, font(15.0), tokens.tone(tone));
    }
    ui.add_space(2.0);
}

fn bar_ui(ui: &mut Ui, hop: &StoryHop, longest_ns: u64, tokens: &Tokens) {
    let width = ui.available_width();
    let share = |span: SimDuration| width * (span.as_ns() as f64 / longest_ns as f64) as f32;
    if hop.waited.is_zero() && hop.worked.is_zero() {
        ui.label(theme::muted(tokens, "no time"));
        return;
    }
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, BAR_HEIGHT), Sense::hover());
    // Something that took any time at all keeps two visible points.
    let waited = if hop.waited.is_zero() { 0.0 } else { share(hop.waited).max(2.0) };
    let worked = if hop.worked.is_zero() { 0.0 } else { share(hop.worked).max(2.0) };
    let first = Rect::from_min_size(rect.min, Vec2::new(waited.min(width), BAR_HEIGHT));
    let second = Rect::from_min_size(pos2(first.right(), rect.top()), Vec2::new(worked.min(width - first.width()), BAR_HEIGHT));
    ui.painter().rect_filled(rect, CornerRadius::same(3), tokens.surface_sunken);
    ui.painter().rect_filled(first, CornerRadius::same(3), tokens.series(1));
    ui.painter().rect_filled(second, CornerRadius::same(3), tokens.series(0));
    let spoken = format!("waited {}, worked {}", figures::span(hop.waited), figures::span(hop.worked));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    ui.label(theme::muted(tokens, spoken));
}

fn legend_ui(ui: &mut Ui) {
    let tokens = theme::tokens(ui.ctx());
    ui.add_space(space::XS);
    ui.horizontal(|ui| {
        ui.add_space(RAIL_WIDTH);
        for (colour, word) in [(tokens.series(1), "waiting"), (tokens.series(0), "working")] {
            let (rect, _) = ui.allocate_exact_size(Vec2::new(10.0, 10.0), Sense::hover());
            ui.painter().rect_filled(rect.shrink(1.0), CornerRadius::same(2), colour);
            ui.label(theme::muted(tokens, word));
        }
    });
}
