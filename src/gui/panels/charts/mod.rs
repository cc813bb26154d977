//! The charts of a run: what flows, how long it takes, what waits, how busy it is.
//!
//! In: the newest [`RunView`] and what is selected. Out: plots with one time axis and one cursor, and a
//! table of figures beside them that reads as text (`Delivered per second 299.8`).
//! Must not know: how series are recorded. Start at [`body`]; `plot.rs` draws one chart, `series.rs`
//! finds its points.

mod plot;
mod series;

use egui::{Id, ScrollArea, Ui, Vec2};

use self::plot::{Chart, Shared, Trace, Unit};
use super::{dock, figures};
use crate::app::{AppState, Command};
use crate::gui::theme::{self, Tokens, Tone, icon, space, widgets};
use crate::metrics::{RunPhase, RunView};
use crate::units::ComponentIx;

const FIGURES_WIDTH: f32 = 196.0;
const CHART_WIDTH_MIN: f32 = 150.0;
const CHART_HEIGHT_MIN: f32 = 124.0;

/// What the panel remembers between frames; it belongs to the view, not to the document.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    selected_only: bool,
    linear_latency: bool,
    cursor_s: Option<f64>,
}

/// The charts panel.
pub fn charts_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    let running = state.running.as_ref();
    let selected = state.selected_component().and_then(|id| Some((running?.component_ix(id)?, id)));
    let name_of = |component| running.map_or_else(String::new, |running| running.component_id(component).to_owned());
    body(ui, |ui| dock::tabs(ui, state, commands), running.map(|running| &**running.view()), selected, &name_of);
}

/// The charts panel over plain data, under its tabs: `selected` is the one selected component, `name_of` gives ids.
pub fn body(
    ui: &mut Ui,
    tabs: impl FnOnce(&mut Ui),
    view: Option<&RunView>,
    selected: Option<(ComponentIx, &str)>,
    name_of: &dyn Fn(ComponentIx) -> String,
) {
    let memory = Id::new("charts-look");
    let mut look: Look = ui.data(|data| data.get_temp(memory)).unwrap_or_default();
    let Some(view) = view.filter(|view| view.phase != RunPhase::Ready || view.steps > 0) else {
        widgets::bar(ui, tabs, |_| {});
        widgets::empty_state(
            ui,
            icon::CHART,
            "Nothing has run yet",
            "Press Run: rates, latency, lag and utilisation appear here while it goes",
        );
        return;
    };
    let scope = selected.filter(|_| look.selected_only);
    widgets::bar(ui, tabs, |ui| {
        let mut log = !look.linear_latency;
        if ui.checkbox(&mut log, "Latency on a log scale").changed() {
            look.linear_latency = !log;
        }
        ui.add_space(space::M);
        let part = selected.map_or("Select a component".to_owned(), |(_, id)| id.to_owned());
        ui.add_enabled_ui(selected.is_some(), |ui| {
            if widgets::pill(ui, &part, scope.is_some()).on_disabled_hover_text("Select one component to see its own charts").clicked() {
                look.selected_only = true;
            }
        });
        if widgets::pill(ui, "Whole design", scope.is_none()).clicked() {
            look.selected_only = false;
        }
    });
    ui.add_space(space::XS);
    let tokens = theme::tokens(ui.ctx());
    let charts = charts_of(view, scope.map(|(component, _)| component), look, name_of, tokens);
    let shared = Shared { group: Id::new("run-charts"), cursor_s: look.cursor_s, now_s: view.now.as_secs_f64(), faults: &view.faults };
    let area = ui.available_rect_before_wrap();
    let (left, right) = area.split_left_right_at_x((area.left() + FIGURES_WIDTH).min(area.center().x));
    let right = right.with_min_x(right.left() + space::L);
    let mut hovered_s = None;
    widgets::within(ui, left, |ui| {
        ScrollArea::vertical().id_salt("figures").auto_shrink([false, false]).show(ui, |ui| figures_ui(ui, view, scope));
    });
    widgets::within(ui, right, |ui| {
        let gap = space::L;
        let columns = ((right.width() / CHART_WIDTH_MIN) as usize).clamp(1, 4);
        let columns = if columns == 3 { 2 } else { columns };
        let rows = charts.len().div_ceil(columns);
        let width = ((right.width() - gap * (columns as f32 - 1.0) - space::XS) / columns as f32).max(120.0);
        let row_height = ((right.height() - gap * (rows as f32 - 1.0)) / rows as f32).max(CHART_HEIGHT_MIN);
        ScrollArea::vertical().id_salt("charts").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing = Vec2::splat(gap);
            for row in charts.chunks(columns) {
                ui.horizontal_top(|ui| {
                    for chart in row {
                        hovered_s = plot::show(ui, chart, shared, Vec2::new(width, row_height)).or(hovered_s);
                    }
                });
            }
        });
    });
    look.cursor_s = hovered_s;
    ui.data_mut(|data| data.insert_temp(memory, look));
}

fn charts_of<'a>(
    view: &'a RunView,
    component: Option<ComponentIx>,
    look: Look,
    name_of: &dyn Fn(ComponentIx) -> String,
    tokens: &Tokens,
) -> Vec<Chart<'a>> {
    let one = |metric: &'a str, name: &str, colour, dashed| {
        series::of(view, metric, component)
            .take(1)
            .map(|found| Trace { name: name.to_owned(), colour, points: &found.points, scale: 1.0, dashed })
            .collect::<Vec<_>>()
    };
    let mut flow = one("produced_per_s", "produced", tokens.produced(), false);
    flow.extend(one("delivered_per_s", "delivered", tokens.delivered(), false));
    flow.extend(one("rejected_per_s", "rejected", tokens.rejected(), true));
    let mut latency = one("latency_ms_p50", "p50", tokens.series(0), false);
    latency.extend(one("latency_ms_p95", "p95", tokens.series(2), false));
    latency.extend(one("latency_ms_p99", "p99", tokens.series(1), false));
    latency.extend(one("latency_ms_max", "max", tokens.series(4), true));
    let (waiting_title, waiting) = waiting_of(view, component, tokens);
    vec![
        Chart { id: "flow", title: "Events", unit: Unit::PerSecond, logarithmic: false, traces: flow, nothing: "No events yet" },
        Chart {
            id: "latency",
            title: "End-to-end latency",
            unit: Unit::Milliseconds,
            logarithmic: !look.linear_latency,
            traces: latency,
            nothing: "No event has arrived yet",
        },
        Chart { id: "lag", title: waiting_title, unit: Unit::Count, logarithmic: false, traces: waiting, nothing: "Nothing waits here" },
        Chart {
            id: "utilisation",
            title: "Utilisation",
            unit: Unit::Percent,
            logarithmic: false,
            traces: utilisation_of(view, component, name_of, tokens),
            nothing: "No servers here",
        },
    ]
}

/// Lag per group; for a component without lag, its queue.
fn waiting_of<'a>(view: &'a RunView, component: Option<ComponentIx>, tokens: &Tokens) -> (&'static str, Vec<Trace<'a>>) {
    let trace = |(index, series): (usize, &'a crate::metrics::SeriesView), name: &str| {
        let name = if series.label.is_empty() { name.to_owned() } else { series.label.to_string() };
        Trace { name, colour: tokens.series(index), points: &series.points, scale: 1.0, dashed: index >= 4 }
    };
    let lag: Vec<Trace<'a>> =
        series::of(view, "lag", component).take(series::LINES_MAX).enumerate().map(|found| trace(found, "lag")).collect();
    if !lag.is_empty() || component.is_none() {
        return ("Consumer lag, records", lag);
    }
    let queue = series::of(view, "queue", component).take(series::LINES_MAX).enumerate().map(|found| trace(found, "queue")).collect();
    ("Queue", queue)
}

/// The busiest components, or the one that is selected.
fn utilisation_of<'a>(
    view: &'a RunView,
    component: Option<ComponentIx>,
    name_of: &dyn Fn(ComponentIx) -> String,
    tokens: &Tokens,
) -> Vec<Trace<'a>> {
    let mut found: Vec<_> = view
        .series
        .iter()
        .filter(|series| &*series.metric == "utilisation_ratio" && series.component.is_some())
        .filter(|series| component.is_none() || series.component == component)
        .enumerate()
        .collect();
    // Colour goes by place in the design, order by load: a line keeps its colour while it overtakes another.
    found.sort_by(|a, b| series::last(b.1).unwrap_or(0.0).total_cmp(&series::last(a.1).unwrap_or(0.0)));
    let name = |series: &crate::metrics::SeriesView| series.component.map(name_of).unwrap_or_default();
    let trace = |(index, series): (usize, &'a crate::metrics::SeriesView)| Trace {
        name: name(series),
        colour: tokens.series(index),
        points: &series.points,
        scale: 100.0,
        dashed: index >= 4,
    };
    found.into_iter().take(series::LINES_MAX).map(trace).collect()
}

/// The figures as text: the last interval while it goes, the whole run once it is over.
fn figures_ui(ui: &mut Ui, view: &RunView, scope: Option<(ComponentIx, &str)>) {
    let component = scope.map(|(component, _)| component);
    let over = view.report.is_some();
    let heading = match (over, scope) {
        (true, None) => "Whole run, whole design".to_owned(),
        (true, Some((_, id))) => format!("Whole run, {id}"),
        (false, None) => "Now, whole design".to_owned(),
        (false, Some((_, id))) => format!("Now, {id}"),
    };
    widgets::subheading(ui, &heading);
    let settled = |metric: &str| {
        let report = view.report.as_ref()?;
        match scope {
            None => report.totals.get(metric).copied(),
            Some((_, id)) => report.components.get(id)?.get(metric).copied(),
        }
    };
    let value = |metric: &str| settled(metric).or_else(|| series::of(view, metric, component).next().and_then(series::last));
    for (name, metric) in
        [("Produced per second", "produced_per_s"), ("Delivered per second", "delivered_per_s"), ("Rejected per second", "rejected_per_s")]
    {
        if let Some(value) = value(metric) {
            let tone = if metric == "rejected_per_s" && value > 0.0 { Tone::Error } else { Tone::Neutral };
            widgets::figure_row(ui, name, &figures::number(value), "", tone);
        }
    }
    for (name, metric) in [
        ("Latency p50", "latency_ms_p50"),
        ("Latency p95", "latency_ms_p95"),
        ("Latency p99", "latency_ms_p99"),
        ("Latency max", "latency_ms_max"),
    ] {
        if let Some(value) = value(metric) {
            let (value, unit) = figures::latency(value);
            widgets::figure_row(ui, name, &value, unit, Tone::Neutral);
        }
    }
    for lag in series::of(view, "lag", component).take(series::LINES_MAX) {
        if let Some(value) = series::last(lag) {
            widgets::figure_row(ui, &format!("Lag {}", lag.label), &figures::number(value), "", Tone::Neutral);
        }
    }
    if let Some((component, _)) = scope {
        card_figures_ui(ui, view, component);
    } else {
        totals_ui(ui, view);
    }
}

fn totals_ui(ui: &mut Ui, view: &RunView) {
    widgets::subheading(ui, "Events so far");
    let totals = &view.totals;
    let bad = |count: u64, tone| if count > 0 { tone } else { Tone::Neutral };
    for (name, count, tone) in [
        ("Produced", totals.produced, Tone::Neutral),
        ("Delivered", totals.delivered, Tone::Neutral),
        ("In flight", totals.in_flight, Tone::Neutral),
        ("Rejected", totals.rejected, bad(totals.rejected, Tone::Error)),
        ("Lost", totals.lost, bad(totals.lost, Tone::Error)),
        ("Dead-lettered", totals.dead_lettered, bad(totals.dead_lettered, Tone::Warn)),
        ("Duplicates", totals.duplicates, bad(totals.duplicates, Tone::Warn)),
    ] {
        widgets::figure_row(ui, name, &figures::whole(count), "", tone);
    }
}

fn card_figures_ui(ui: &mut Ui, view: &RunView, component: ComponentIx) {
    let Some(card) = view.cards.get(component.index()) else { return };
    widgets::subheading(ui, "At this component");
    widgets::figure_row(ui, "Rate", &figures::number(card.rate_per_s), "/s", Tone::Neutral);
    if !card.queue_label.is_empty() {
        widgets::figure_row(ui, &capitalised(card.queue_label), &figures::number(card.queue), "", Tone::Neutral);
    }
    if let Some(ratio) = card.utilisation_ratio {
        let tone = if ratio > 0.95 { Tone::Warn } else { Tone::Neutral };
        widgets::figure_row(ui, "Utilisation", &figures::number(ratio * 100.0), "%", tone);
    }
    for (name, value) in &card.details {
        widgets::figure_row(ui, name, value, "", Tone::Neutral);
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
