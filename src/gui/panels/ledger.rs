//! The ledger: every submission and every obligation ends somewhere, and both columns add up.
//!
//! In: the report's ledger once a run is over, its running totals before. Out: two columns with shares,
//! and below them why events ended badly.

use egui::epaint::CornerRadius;
use egui::{Align, Label, Rect, RichText, ScrollArea, Sense, Ui, Vec2, WidgetInfo, WidgetType};

use super::{figures, ledger_split};
use crate::app::{AppState, Command};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::metrics::{Anomaly, Ledger, Obligations, ReasonCount, Report, Submissions, Totals};

/// Below this width the columns stand under each other.
const SIDE_BY_SIDE_WIDTH: f32 = 560.0;
/// Reasons shown; a report keeps few.
const REASONS_MAX: usize = 50;

struct Term {
    name: &'static str,
    help: &'static str,
    count: u64,
    tone: Tone,
}

const fn term(name: &'static str, count: u64, tone: Tone, help: &'static str) -> Term {
    Term { name, help, count, tone }
}

/// The panel of both balances.
pub fn ledger_ui(ui: &mut Ui, state: &AppState, _commands: &mut Vec<Command>) {
    let view = state.view();
    body(ui, view.and_then(|view| view.report.as_deref()), view.map(|view| &view.totals));
}

/// Draws the ledger of a finished run, or what is known so far.
pub fn body(ui: &mut Ui, report: Option<&Report>, totals: Option<&Totals>) {
    let ledger = report.map(|report| &report.ledger);
    widgets::section_header(ui, icon::LEDGER, "Ledger", |ui| {
        if let Some(ledger) = ledger {
            let (word, tone) = if ledger.balanced { ("Balanced", Tone::Ok) } else { ("Does not balance", Tone::Error) };
            widgets::badge(ui, word, tone);
        }
    });
    match (report, totals) {
        (Some(Report { ledger, anomalies, .. }), _) => {
            ScrollArea::vertical().id_salt("ledger").auto_shrink([false, false]).show(ui, |ui| {
                ui.set_width((ui.available_width() - space::S).max(0.0));
                columns_ui(ui, ledger);
                ledger_split::body(ui, ledger);
                anomalies_ui(ui, anomalies);
                reasons_ui(ui, &ledger.reasons);
            });
        }
        (None, Some(totals)) => {
            ScrollArea::vertical().id_salt("ledger").auto_shrink([false, false]).show(ui, |ui| {
                widgets::notice(ui, icon::INFO, "The books are closed at the end of the run; this is the count so far", Tone::Neutral);
                ui.add_space(space::XS);
                let (submissions, obligations, beside) = so_far(totals);
                column_ui(ui, "Submissions", Some(totals.produced), "so far", None, &submissions, &[]);
                ui.add_space(space::S);
                column_ui(ui, "Obligations", None, "so far", None, &obligations, &beside);
            });
        }
        (None, None) => {
            widgets::empty_state(ui, icon::LEDGER, "Nothing has run yet", "After a run every event is accounted for here, twice");
        }
    }
}

fn so_far(totals: &Totals) -> (Vec<Term>, Vec<Term>, Vec<Term>) {
    let submissions = vec![
        term("Accepted", totals.accepted, Tone::Ok, "Submissions that stand in a log or were taken by their target"),
        term("Rejected", totals.rejected, Tone::Error, "Submissions refused"),
    ];
    let obligations = vec![
        term("Delivered", totals.delivered, Tone::Ok, "Obligations that ended well"),
        term("Dead-lettered", totals.dead_lettered, Tone::Warn, "Written to a dead-letter topic"),
        term("Lost", totals.lost, Tone::Error, "Lost, dropped, abandoned or expired"),
        term("In flight", totals.in_flight, Tone::Neutral, "Obligations not ended yet"),
    ];
    (submissions, obligations, vec![term("Duplicates", totals.duplicates, Tone::Warn, "Second and later processings")])
}

fn submissions(of: &Submissions) -> (Vec<Term>, Vec<Term>) {
    let ends = vec![
        term("Accepted", of.accepted, Tone::Ok, "Stand in a log, or were taken by a target that is none"),
        term("Rejected", of.rejected, Tone::Error, "Refused for good by a gateway, a schema or the broker"),
        term("Dropped", of.dropped, Tone::Error, "The client had no room"),
        term("Abandoned", of.abandoned, Tone::Error, "The client gave up after its timeouts and retries"),
        term("In flight", of.in_flight, Tone::Neutral, "Not ended at the end of the run"),
    ];
    let beside = vec![
        term("Derived", of.derived, Tone::Neutral, "Made from other events; beside the balance"),
        term("Duplicate appends", of.duplicate_appends, Tone::Warn, "Appended more than once; beside the balance"),
    ];
    (ends, beside)
}

fn obligations(of: &Obligations) -> (Vec<Term>, Vec<Term>) {
    let ends = vec![
        term("Delivered", of.delivered, Tone::Ok, "First successful processing"),
        term("Failed, skipped", of.failed_skipped, Tone::Error, "Failed for good and skipped"),
        term("Rejected at consumer", of.rejected_at_consumer, Tone::Error, "Unreadable for the consumer"),
        term("Dead-lettered", of.dead_lettered, Tone::Warn, "Written to a dead-letter topic"),
        term("Forwarded", of.forwarded, Tone::Neutral, "Written to a retry topic, or taken by a subscription's queue"),
        term("Filtered", of.filtered, Tone::Neutral, "Not for this subscription, by its filter policy"),
        term("Aborted", of.aborted, Tone::Neutral, "Their transaction was aborted, and the group reads what is committed"),
        term("Expired", of.expired, Tone::Error, "Gone by retention before they were read"),
        term("Compacted", of.compacted, Tone::Neutral, "Gone by compaction: a later value of their key stands in the log"),
        term("Skipped", of.skipped, Tone::Neutral, "Before the group's beginning"),
        term("Lost", of.lost, Tone::Error, "Acknowledged, or committed, and gone"),
        term("In flight", of.in_flight, Tone::Neutral, "Not ended at the end of the run"),
    ];
    (ends, vec![term("Duplicate deliveries", of.duplicate_deliveries, Tone::Warn, "Processed more than once; beside the balance")])
}

fn columns_ui(ui: &mut Ui, ledger: &Ledger) {
    let (sub, sub_beside) = submissions(&ledger.submissions);
    let (obl, obl_beside) = obligations(&ledger.obligations);
    let left = |ui: &mut Ui| {
        let of = &ledger.submissions;
        column_ui(ui, "Submissions", Some(of.created), "event × first durable target", Some(of.balanced), &sub, &sub_beside);
    };
    let right = |ui: &mut Ui| {
        let of = &ledger.obligations;
        column_ui(ui, "Obligations", Some(of.created), "event × topic × group", Some(of.balanced), &obl, &obl_beside);
    };
    if ui.available_width() >= SIDE_BY_SIDE_WIDTH {
        ui.columns(2, |columns| {
            left(&mut columns[0]);
            right(&mut columns[1]);
        });
    } else {
        left(ui);
        ui.add_space(space::S);
        right(ui);
    }
}

fn column_ui(ui: &mut Ui, name: &str, created: Option<u64>, what: &str, balanced: Option<bool>, ends: &[Term], beside: &[Term]) {
    let tokens = theme::tokens(ui.ctx());
    widgets::tile_frame(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            ui.label(theme::title(name));
            ui.add(Label::new(theme::muted(tokens, what)).truncate());
        });
        if let Some(created) = created {
            term_ui(ui, &term("Created", created, Tone::Neutral, "All of them"), None);
            line(ui);
        }
        // A term of nothing is noise unless it is one of the ends that everybody looks for.
        for (index, end) in ends.iter().enumerate() {
            if end.count > 0 || index == 0 {
                term_ui(ui, end, created);
            }
        }
        if let Some(balanced) = balanced {
            line(ui);
            let sum: u64 = ends.iter().map(|end| end.count).sum();
            let (mark, tone) = if balanced { (icon::MET, Tone::Ok) } else { (icon::ERROR, Tone::Error) };
            ui.horizontal(|ui| {
                ui.label(RichText::new(mark).size(15.0).color(tokens.tone(tone)));
                let words = if balanced { "Adds up to" } else { "Adds up to only" };
                ui.label(RichText::new(format!("{words} {}", figures::whole(sum))).color(tokens.tone(tone)));
            });
        }
        for extra in beside.iter().filter(|extra| extra.count > 0) {
            term_ui(ui, extra, None);
        }
    });
}

fn line(ui: &mut Ui) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, egui::Stroke::new(1.0, tokens.border));
}

/// Name, share as a bar, count; read as `Delivered 299`.
fn term_ui(ui: &mut Ui, term: &Term, of: Option<u64>) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(Vec2::new(ui.available_width(), 20.0), Sense::hover());
    let spoken = format!("{} {}", term.name, figures::whole(term.count));
    response.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, &spoken));
    let share = of.filter(|of| *of > 0).map(|of| term.count as f64 / of as f64);
    let colour = if term.count == 0 || term.tone == Tone::Neutral { tokens.text } else { tokens.tone(term.tone) };
    let count_x = rect.right() - 84.0;
    let name_x = rect.left() + (rect.width() * 0.46).min(150.0);
    widgets::line_in(ui, rect.with_max_x(name_x), term.name, theme::font(12.5), tokens.text_muted, Align::LEFT);
    if let Some(share) = share {
        let bar = Rect::from_min_max(egui::pos2(name_x + space::S, rect.center().y - 3.0), egui::pos2(count_x, rect.center().y + 3.0));
        if bar.width() > 12.0 {
            ui.painter().rect_filled(bar, CornerRadius::same(3), tokens.surface_sunken);
            let width = if term.count == 0 { 0.0 } else { (bar.width() * share.min(1.0) as f32).max(2.0) };
            let fill = if term.tone == Tone::Neutral { tokens.text_faint } else { tokens.tone(term.tone) };
            ui.painter().rect_filled(Rect::from_min_size(bar.min, Vec2::new(width, bar.height())), CornerRadius::same(3), fill);
        }
    }
    widgets::line_in(ui, rect.with_min_x(count_x + space::XS), &figures::whole(term.count), theme::font_strong(12.5), colour, Align::RIGHT);
    let share = share.map(|share| format!(" · {}%", figures::number(share * 100.0))).unwrap_or_default();
    response.on_hover_text(format!("{spoken}{share}\n{}", term.help));
}

/// What each group got twice, never, out of order, or not yet: the first of each, in words.
fn anomalies_ui(ui: &mut Ui, anomalies: &[Anomaly]) {
    if anomalies.is_empty() {
        return;
    }
    ui.add_space(space::S);
    widgets::subheading(ui, "What groups saw go wrong");
    for anomaly in anomalies.iter().take(REASONS_MAX) {
        widgets::tile_frame(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.horizontal(|ui| {
                let what = anomaly.what.replace('_', " ");
                widgets::badge(ui, &format!("{} {what}", figures::whole(anomaly.count)), Tone::Warn);
                ui.add(Label::new(theme::strong(format!("{} reading {}", anomaly.group, anomaly.topic))).truncate());
            });
            ui.add(Label::new(RichText::new(&anomaly.first).size(12.0)).wrap());
        });
        ui.add_space(space::XS);
    }
}

fn reasons_ui(ui: &mut Ui, reasons: &[ReasonCount]) {
    if reasons.is_empty() {
        return;
    }
    let tokens = theme::tokens(ui.ctx());
    ui.add_space(space::S);
    widgets::subheading(ui, "Why events ended badly");
    for reason in reasons.iter().take(REASONS_MAX) {
        widgets::tile_frame(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            ui.horizontal(|ui| {
                widgets::badge(ui, &format!("{} {}", figures::whole(reason.count), reason.end.replace('_', "-")), Tone::Error);
                let words =
                    if reason.at.is_empty() { reason.event_type.clone() } else { format!("{} at {}", reason.event_type, reason.at) };
                ui.add(Label::new(theme::strong(words)).truncate());
            });
            let detail = if reason.detail.is_empty() { reason.code.clone() } else { format!("{}: {}", reason.code, reason.detail) };
            ui.add(Label::new(RichText::new(detail).size(12.0)).wrap());
            if !reason.first.is_empty() {
                let names: Vec<String> = reason.first.iter().map(|(name, at_s)| format!("{name} at {}", figures::clock(*at_s))).collect();
                ui.add(Label::new(theme::muted(tokens, format!("first: {}", names.join(", ")))).wrap());
            }
        });
        ui.add_space(space::XS);
    }
}
