//! The draft of a subject's next version, and beneath it whether the registry would take it.

use egui::{Align, Layout, Ui};

use super::code::{self, Field, Mark};
use super::versions::heading;
use crate::app::schemas::places::range_of;
use crate::app::schemas::{Examination, Judged, SchemaCommand, Subject};
use crate::app::{AppState, Command};
use crate::gui::panels::figures;
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::machines::codec::Severity;

/// Room beneath the text for the verdict and the buttons.
const FOOT_HEIGHT: f32 = 82.0;

/// Draws it.
pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let desk = &app.desk;
    let (Some(subject), Some(draft)) = (desk.chosen(), desk.draft()) else { return };
    widgets::bar(
        ui,
        |ui| heading(ui, subject),
        |ui| {
            if widgets::icon_button(ui, icon::CLOSE, ButtonWords::new("Close editor")).clicked() {
                commands.push(Command::Schemas(SchemaCommand::CloseEditor));
            }
            if widgets::icon_button(ui, icon::RESET, ButtonWords::new("Begin again with the latest version")).clicked() {
                commands.push(Command::Schemas(SchemaCommand::Reset));
            }
        },
    );
    ui.add_space(space::XS);
    let area = ui.available_rect_before_wrap();
    let (editor, foot) = area.split_top_bottom_at_y((area.bottom() - FOOT_HEIGHT).max(area.center().y));
    let marks = marks(subject, desk.examination());
    let mut text = draft.to_owned();
    widgets::within(ui, editor, |ui| {
        let label = format!("Draft of {}", subject.name());
        if code::field(ui, &mut text, &Field { label: &label, is_protobuf: subject.is_protobuf(), marks: &marks, can_edit: true }) {
            commands.push(Command::Schemas(SchemaCommand::Write(text)));
        }
    });
    widgets::within(ui, foot.with_min_y(foot.top() + space::S), |ui| {
        let (icon, words, tone) = verdict(subject, desk.last_examination());
        line(ui, icon, &words, tone);
        ui.add_space(space::XS);
        actions(ui, app, subject, commands);
    });
}

/// What is wrong, else where the draft breaks or warns.
fn marks(subject: &Subject, examination: Option<&Examination>) -> Vec<Mark> {
    let Some(examination) = examination else { return Vec::new() };
    match &examination.result {
        Err(problem) => problem.range.iter().map(|range| Mark { range: range.clone(), tone: Tone::Error }).collect(),
        Ok(judged) => {
            let found = judged.found();
            let told = found.iter().filter(|found| found.difference.severity != Severity::Fine);
            let mark = |found: &crate::app::schemas::Found<'_>| {
                let range = range_of(&examination.text, found.places().1?, subject.is_protobuf())?;
                let tone = if found.difference.severity == Severity::Breaks { Tone::Error } else { Tone::Warn };
                Some(Mark { range, tone })
            };
            told.filter_map(mark).collect()
        }
    }
}

/// The verdict in a line.
pub(super) fn verdict(subject: &Subject, examination: Option<&Examination>) -> (&'static str, String, Tone) {
    let level = &subject.standing.level;
    let next = subject.standing.versions.last().map_or(1, |last| last.number + 1);
    match examination.map(|examination| &examination.result) {
        None => (icon::PENDING, "Looking at it…".to_owned(), Tone::Neutral),
        Some(Err(problem)) => match problem.place {
            Some((line, column)) => (icon::ERROR, format!("Line {line}, column {column}: {}", problem.words), Tone::Error),
            None => (icon::ERROR, problem.words.clone(), Tone::Error),
        },
        Some(Ok(Judged { same_as: Some(number), .. })) => (icon::INFO, format!("This is version {number} already"), Tone::Neutral),
        Some(Ok(Judged { verdict: None, .. })) => (icon::MISSED, format!("Refused: {level} takes no further version"), Tone::Error),
        Some(Ok(judged)) if judged.is_accepted() => {
            let warns = count(judged, Severity::Warns);
            let more = match warns {
                0 => String::new(),
                1 => ", with a warning".to_owned(),
                many => format!(", with {many} warnings"),
            };
            (
                icon::MET,
                format!("Accepted: it may become version {next} under {level}{more}"),
                if warns > 0 { Tone::Warn } else { Tone::Ok },
            )
        }
        Some(Ok(judged)) => {
            let breaks = count(judged, Severity::Breaks);
            let words = if breaks == 1 { "1 difference breaks".to_owned() } else { format!("{breaks} differences break") };
            (icon::MISSED, format!("Refused under {level}: {words}"), Tone::Error)
        }
    }
}

fn count(judged: &Judged, severity: Severity) -> usize {
    judged.found().iter().filter(|found| found.difference.severity == severity).count()
}

/// One line on a tone's quiet ground; the whole text in a tooltip where it is cut.
fn line(ui: &mut Ui, icon: &str, words: &str, tone: Tone) {
    let tokens = theme::tokens(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 30.0), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Label, true, words));
    ui.painter().rect_filled(rect, f32::from(theme::radius::M), tokens.tone_soft(tone));
    let at = egui::pos2(rect.left() + 10.0, rect.center().y);
    ui.painter().text(at, egui::Align2::LEFT_CENTER, icon, theme::font(15.0), tokens.tone(tone));
    let text = rect.with_min_x(rect.left() + 34.0).with_max_x(rect.right() - 8.0);
    widgets::line_in(ui, text, words, theme::font_strong(12.5), tokens.text, Align::LEFT);
    response.on_hover_text(words);
}

fn actions(ui: &mut Ui, app: &AppState, subject: &Subject, commands: &mut Vec<Command>) {
    let is_going = app.is_locked();
    ui.horizontal(|ui| {
        if is_going {
            let why = app.cannot_register_because();
            let help = ButtonWords::new("Register now").unless(why);
            if widgets::primary_button(ui, icon::SCHEMA, help).clicked() {
                commands.push(Command::Schemas(SchemaCommand::Register));
            }
            let is_refused = app.desk.last_examination().and_then(|it| it.result.as_ref().ok()).is_some_and(|it| !it.is_accepted());
            if is_refused
                && why.is_none()
                && widgets::text_button(ui, icon::WARNING, ButtonWords::new("Register all the same"))
                    .on_hover_text("As with the level NONE: watch who breaks")
                    .clicked()
            {
                commands.push(Command::Schemas(SchemaCommand::RegisterAnyway));
            }
        } else {
            let words = ButtonWords::new("Put into the project").unless(app.cannot_put_because());
            if widgets::primary_button(ui, icon::ADD, words).clicked() {
                commands.push(Command::Schemas(SchemaCommand::PutIntoProject));
            }
        }
        let note = match (&subject.standing.refused, is_going) {
            (Some((at, _)), true) => format!("Refused at {}", figures::clock(at.as_secs_f64())),
            (_, true) if app.is_held() => "Comes with the next step".to_owned(),
            (_, true) => "Goes to the running registry".to_owned(),
            (_, false) => "Undo takes it back".to_owned(),
        };
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let label = egui::Label::new(theme::muted(theme::tokens(ui.ctx()), note)).truncate();
            let response = ui.add(label);
            if let Some((_, why)) = subject.standing.refused.as_ref().filter(|_| is_going) {
                response.on_hover_text(&**why);
            }
        });
    });
}
