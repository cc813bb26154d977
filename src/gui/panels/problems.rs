//! What is wrong with the design, and what to bear in mind about a run's figures.

use egui::{Label, RichText, ScrollArea, Ui};

use crate::app::{AppState, Command};
use crate::diagnostics::{Diagnostic, Severity};
use crate::gui::theme::{self, Tone, icon, space, widgets};

/// More rows than this are counted, not drawn.
const ROWS_MAX: usize = 200;

const fn look(severity: Severity) -> (Tone, &'static str) {
    match severity {
        Severity::Error => (Tone::Error, "Error"),
        Severity::Warning => (Tone::Warn, "Warning"),
        Severity::Note => (Tone::Accent, "Note"),
    }
}

/// The panel of what is wrong with the design; a click shows the place.
pub fn problems_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    let report = state.view().and_then(|view| view.report.as_ref());
    let remarks = report.map_or(&[][..], |report| &report.remarks);
    if let Some(diagnostic) = body(ui, state.document.diagnostics(), remarks) {
        commands.push(Command::Reveal(diagnostic.path.clone()));
    }
}

/// Draws the list; gives the path of the problem that was clicked.
pub fn body<'a>(ui: &mut Ui, diagnostics: &'a [Diagnostic], remarks: &[String]) -> Option<&'a Diagnostic> {
    widgets::section_header(ui, icon::PROBLEMS, "Problems", |ui| {
        for (severity, one, many) in
            [(Severity::Note, "note", "notes"), (Severity::Warning, "warning", "warnings"), (Severity::Error, "error", "errors")]
        {
            let count = diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
            if count > 0 {
                widgets::badge(ui, &format!("{count} {}", if count == 1 { one } else { many }), look(severity).0);
            }
        }
    });
    if diagnostics.is_empty() && remarks.is_empty() {
        widgets::empty_state(ui, icon::MET, "No problem found", "The design can run as it stands");
        return None;
    }
    let mut clicked = None;
    ScrollArea::vertical().id_salt("problems").auto_shrink([false, false]).show(ui, |ui| {
        // Errors first: only they keep the design from running.
        let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
        sorted.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity));
        for diagnostic in sorted.iter().take(ROWS_MAX) {
            if row_ui(ui, diagnostic) {
                clicked = Some(*diagnostic);
            }
        }
        if sorted.len() > ROWS_MAX {
            ui.label(theme::muted(theme::tokens(ui.ctx()), format!("and {} more", sorted.len() - ROWS_MAX)));
        }
        remarks_ui(ui, remarks);
    });
    clicked
}

fn row_ui(ui: &mut Ui, diagnostic: &Diagnostic) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let (tone, word) = look(diagnostic.severity);
    let label = format!("{word}: {}", diagnostic.message);
    let response = widgets::click_row(ui, &label, false, |ui| {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon::of_severity(diagnostic.severity)).size(17.0).color(tokens.tone(tone)));
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.add(Label::new(RichText::new(&diagnostic.message)).wrap());
                if let Some(hint) = &diagnostic.hint {
                    ui.add(Label::new(RichText::new(hint).size(12.0).color(tokens.text_muted)).wrap());
                }
                let place = diagnostic.place.map(|place| format!("line {}:{} · ", place.line, place.column)).unwrap_or_default();
                let words = format!("{place}{} · {}", diagnostic.path, diagnostic.code);
                ui.add(Label::new(RichText::new(words).monospace().size(11.0).color(tokens.text_muted)).truncate());
            });
        });
    });
    response.clicked()
}

/// What a report says about its own figures.
pub(super) fn remarks_ui(ui: &mut Ui, remarks: &[String]) {
    if remarks.is_empty() {
        return;
    }
    ui.add_space(space::S);
    widgets::subheading(ui, "About the figures");
    for remark in remarks {
        widgets::notice(ui, icon::REMARK, remark, Tone::Warn);
        ui.add_space(space::XS);
    }
}
