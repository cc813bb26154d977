//! All components of a run in one table, to find the busiest: a head sorts, a row selects.
//!
//! In: the snapshot's cards. Out: the selection. Start at [`body`].

use egui::{Align, Layout, RichText, Sense, Ui, WidgetInfo, WidgetType};
use egui_extras::{Column, TableBuilder, TableRow};

use super::figures;
use crate::app::{AppState, Command, Pick, SelectMode};
use crate::gui::theme::{self, Tone, icon, widgets};
use crate::metrics::CardView;

const ROW_HEIGHT: f32 = 26.0;
const FIGURE_WIDTH: f32 = 68.0;

/// One component's row.
pub struct Row<'a> {
    /// Component id.
    pub id: &'a str,
    /// What its card shows.
    pub card: &'a CardView,
    /// Whether it is selected.
    pub selected: bool,
}

/// What the rows are sorted by; figures with the greatest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    /// As in the file.
    #[default]
    File,
    Rate,
    Waiting,
    Busy,
}

const FIGURES: [(Sort, &str, &str); 3] = [
    (Sort::Rate, "per s", "Events or requests a second"),
    (Sort::Waiting, "waiting", "Queue length, lag, or what is buffered"),
    (Sort::Busy, "busy", "Busy share of its servers"),
];

impl Sort {
    fn figure(self, card: &CardView) -> Option<f64> {
        match self {
            Self::File => None,
            Self::Rate => Some(card.rate_per_s),
            Self::Waiting => (!card.queue_label.is_empty()).then_some(card.queue),
            Self::Busy => card.utilisation_ratio,
        }
    }

    fn text(self, card: &CardView) -> String {
        match self.figure(card) {
            None => "–".to_owned(),
            Some(share) if self == Self::Busy => format!("{} %", figures::number(share * 100.0)),
            Some(figure) => figures::number(figure),
        }
    }
}

/// The panel of all components.
pub fn overview_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    let ids = state.project().components.keys();
    let rows = ids.filter_map(|id| {
        let running = state.running.as_ref()?;
        let card = running.view().cards.get(running.component_ix(id)?.index())?;
        Some(Row { id, card, selected: state.is_selected(&Pick::Component(id.clone())) })
    });
    if let Some(id) = body(ui, rows.collect()) {
        commands.push(Command::Select(Pick::Component(id), SelectMode::Replace));
    }
}

/// Draws the table; gives the component whose row was clicked.
pub fn body(ui: &mut Ui, mut rows: Vec<Row<'_>>) -> Option<String> {
    widgets::section_header(ui, icon::COMPONENT, "Components", |_| {});
    if rows.is_empty() {
        widgets::empty_state(ui, icon::COMPONENT, "Nothing has run yet", "While a run goes, every component stands here with its figures");
        return None;
    }
    let memory = egui::Id::new("overview-sort");
    let sort: Sort = ui.data(|data| data.get_temp(memory)).unwrap_or_default();
    if sort != Sort::File {
        rows.sort_by(|a, b| sort.figure(b.card).unwrap_or(-1.0).total_cmp(&sort.figure(a.card).unwrap_or(-1.0)));
    }
    let mut sorted_by = sort;
    let mut clicked = None;
    TableBuilder::new(ui)
        .id_salt("overview")
        .sense(Sense::click())
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::remainder().clip(true))
        .columns(Column::exact(FIGURE_WIDTH), FIGURES.len())
        .header(ROW_HEIGHT, |mut header| {
            head(&mut header, Sort::File, ("component", "In the order of the file"), &mut sorted_by);
            for (by, name, help) in FIGURES {
                head(&mut header, by, (name, help), &mut sorted_by);
            }
        })
        .body(|table| {
            table.rows(ROW_HEIGHT, rows.len(), |mut line| {
                let row = &rows[line.index()];
                row_ui(&mut line, row);
                if line.response().clicked() {
                    clicked = Some(row.id.to_owned());
                }
            });
        });
    if sorted_by != sort {
        ui.data_mut(|data| data.insert_temp(memory, sorted_by));
    }
    clicked
}

fn head(header: &mut TableRow<'_, '_>, by: Sort, (name, help): (&str, &str), sorted_by: &mut Sort) {
    header.col(|ui| {
        let tokens = theme::tokens(ui.ctx());
        let is_chosen = *sorted_by == by;
        let colour = if is_chosen { tokens.accent } else { tokens.text_muted };
        let text = RichText::new(name).font(theme::font_strong(11.0)).color(colour);
        let response = align(ui, by, |ui| ui.add(egui::Button::new(text).frame(false))).on_hover_text(help);
        response.widget_info(|| WidgetInfo::selected(WidgetType::Button, true, is_chosen, format!("Sort by {name}")));
        if response.clicked() {
            *sorted_by = by;
        }
    });
}

fn row_ui(line: &mut TableRow<'_, '_>, row: &Row<'_>) {
    line.set_selected(row.selected);
    line.col(|ui| {
        let tokens = theme::tokens(ui.ctx());
        let colour = if row.card.trouble { tokens.tone(Tone::Error) } else { tokens.text };
        ui.add(egui::Label::new(RichText::new(row.id).font(theme::font_strong(12.0)).color(colour)).truncate().selectable(false));
    });
    for (of, ..) in FIGURES {
        line.col(|ui| {
            let text = RichText::new(of.text(row.card)).font(theme::font(12.0)).color(theme::tokens(ui.ctx()).text);
            align(ui, of, |ui| ui.add(egui::Label::new(text).selectable(false)));
        });
    }
    let spoken = format!("Component {}, {} per second, {} waiting", row.id, Sort::Rate.text(row.card), Sort::Waiting.text(row.card));
    line.response().widget_info(|| WidgetInfo::selected(WidgetType::Button, true, row.selected, &spoken));
}

/// Names at the left, figures at the right edge of their column.
fn align<R>(ui: &mut Ui, of: Sort, content: impl FnOnce(&mut Ui) -> R) -> R {
    let layout = if of == Sort::File { Layout::left_to_right(Align::Center) } else { Layout::right_to_left(Align::Center) };
    ui.with_layout(layout, content).inner
}
