//! What must hold, and how it stands: met, missed or too early to say, with the figure it is judged by.

use egui::{Label, RichText, ScrollArea, Ui};

use super::figures;
use crate::app::{AppState, Command};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::metrics::{ExpectationState, ExpectationView};

const fn look(state: ExpectationState) -> (Tone, &'static str) {
    match state {
        ExpectationState::Met => (Tone::Ok, "Met"),
        ExpectationState::Missed => (Tone::Error, "Missed"),
        ExpectationState::Pending => (Tone::Neutral, "Not yet judged"),
    }
}

/// The panel of what must hold.
pub fn expectations_ui(ui: &mut Ui, state: &AppState, _commands: &mut Vec<Command>) {
    body(ui, state.view().map(|view| view.expectations.as_slice()), &state.project().expect);
}

/// Draws the list: from the run while there is one, otherwise as written in the design.
pub fn body(ui: &mut Ui, running: Option<&[ExpectationView]>, written: &[String]) {
    let rows: Vec<ExpectationView> = match running {
        Some(rows) => rows.to_vec(),
        None => written
            .iter()
            .map(|text| ExpectationView { text: text.clone(), state: ExpectationState::Pending, figure: String::new(), broke_at: None })
            .collect(),
    };
    let count = |state| rows.iter().filter(|row| row.state == state).count();
    widgets::section_header(ui, icon::EXPECTATIONS, "Expectations", |ui| {
        for (state, word) in [(ExpectationState::Missed, "missed"), (ExpectationState::Met, "met")] {
            if count(state) > 0 {
                widgets::badge(ui, &format!("{} {word}", count(state)), look(state).0);
            }
        }
    });
    if rows.is_empty() {
        widgets::empty_state(
            ui,
            icon::EXPECTATIONS,
            "Nothing is expected",
            "Write what must hold in the design's properties, such as p99(latency, \"billing\") < 200ms",
        );
        return;
    }
    ScrollArea::vertical().id_salt("expectations").auto_shrink([false, false]).show(ui, |ui| {
        for row in &rows {
            row_ui(ui, row);
            ui.add_space(space::XS);
        }
    });
}

fn row_ui(ui: &mut Ui, row: &ExpectationView) {
    let tokens = theme::tokens(ui.ctx());
    let (tone, word) = look(row.state);
    widgets::tile_frame(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon::of_expectation(row.state)).size(18.0).color(tokens.tone(tone)));
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 3.0;
                ui.add(Label::new(RichText::new(&row.text).monospace()).wrap());
                let mut words = word.to_owned();
                if !row.figure.is_empty() {
                    words = format!("{words}: {}", row.figure);
                }
                if let Some(at) = row.broke_at {
                    words = format!("{words}, first broken at {}", figures::clock(at.as_secs_f64()));
                }
                let colour = if tone == Tone::Neutral { tokens.text_muted } else { tokens.tone(tone) };
                ui.add(Label::new(RichText::new(words).size(12.0).color(colour)).wrap());
            });
        });
    });
}
