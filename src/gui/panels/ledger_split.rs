//! The ledger by event type and by path: a table of each. Start at [`body`].

use egui::{Align, Grid, Layout, RichText, ScrollArea, Ui, WidgetInfo, WidgetType};

use super::figures;
use crate::export::support::terms::{Split, by_event_type, by_path};
use crate::gui::theme::{self, space, widgets};
use crate::metrics::Ledger;

/// Rows of each table; a report has them all.
const ROWS_MAX: usize = 200;

/// Draws both tables.
pub fn body(ui: &mut Ui, ledger: &Ledger) {
    table_ui(ui, "By event type", &by_event_type(ledger));
    table_ui(ui, "By path", &by_path(ledger));
}

fn table_ui(ui: &mut Ui, title: &str, split: &Split) {
    if split.rows.is_empty() {
        return;
    }
    let tokens = theme::tokens(ui.ctx());
    ui.add_space(space::S);
    widgets::subheading(ui, title);
    ScrollArea::horizontal().id_salt(title).show(ui, |ui| {
        Grid::new(title).striped(true).spacing([space::M, space::XS]).show(ui, |ui| {
            ui.label("");
            for head in &split.heads {
                right(ui, RichText::new(*head).font(theme::font_strong(11.0)).color(tokens.text_muted));
            }
            ui.end_row();
            for (name, counts) in split.rows.iter().take(ROWS_MAX) {
                let counted = split.heads.iter().zip(counts).filter(|(_, count)| **count > 0);
                let spoken: Vec<String> = counted.map(|(head, count)| format!("{} {head}", figures::whole(*count))).collect();
                let label = ui.label(RichText::new(name).font(theme::font(12.0)).color(tokens.text));
                label.widget_info(|| WidgetInfo::labeled(WidgetType::Label, true, format!("{name}: {}", spoken.join(", "))));
                for count in counts {
                    let colour = if *count == 0 { tokens.text_faint } else { tokens.text };
                    right(ui, RichText::new(figures::whole(*count)).font(theme::font(12.0)).color(colour));
                }
                ui.end_row();
            }
        });
    });
    if split.rows.len() > ROWS_MAX {
        ui.label(theme::muted(tokens, format!("and {} more: see the report", split.rows.len() - ROWS_MAX)));
    }
}

fn right(ui: &mut Ui, text: RichText) {
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(text));
}
