//! The bar at the bottom: the last message, problems, what is selected, zoom.

use egui::{Align, Layout, Ui};

use super::theme::{self, Tone, icon, widgets};
use crate::app::{AppState, Command, SideTab};
use crate::diagnostics::Severity;

pub(super) fn ui(ui: &mut Ui, app: &AppState, zoom: f32, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let tokens = theme::tokens(ui.ctx());
        let count = |severity| app.document.diagnostics().iter().filter(|d| d.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let words = match (errors, warnings) {
            (0, 0) => "No problems".to_owned(),
            (0, w) => format!("{w} warning{}", if w == 1 { "" } else { "s" }),
            (e, w) => format!("{e} error{}, {w} warning{}", if e == 1 { "" } else { "s" }, if w == 1 { "" } else { "s" }),
        };
        let tone = if errors > 0 {
            Tone::Error
        } else if warnings > 0 {
            Tone::Warn
        } else {
            Tone::Ok
        };
        let text = egui::RichText::new(format!("{}  {words}", icon::PROBLEMS)).small().color(tokens.tone(tone));
        if ui.add(egui::Button::new(text).frame(false)).clicked() {
            commands.push(Command::ShowTab(SideTab::Problems));
        }
        if app.is_locked() {
            widgets::badge(ui, "Locked while running", Tone::Warn);
        }
        if let Some(notice) = app.notices.last() {
            let colour = if notice.is_error { tokens.error } else { tokens.text_muted };
            ui.label(egui::RichText::new(&notice.text).small().color(colour));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(theme::muted(tokens, format!("{:.0} %", zoom * 100.0)));
            let project = app.project();
            let words = match app.selection.len() {
                0 => format!("{} components, {} links", project.components.len(), project.links.len()),
                n => format!("{n} selected"),
            };
            ui.label(theme::muted(tokens, words));
        });
    });
}
