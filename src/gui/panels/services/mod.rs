//! What a service or a table keeps: its state machine, aggregates, rows of a read model or sagas, and a stream that is opened.
//!
//! In: how it stands. Out: the page or the stream that is wanted. Start at [`body`]; `machine.rs` draws the state machine,
//! `stream.rs` the opened stream.

mod machine;
mod stream;

use egui::{ScrollArea, Ui};

use super::columns::{self, Column};
use super::{dock, figures};
use crate::app::{AppState, Command};
use crate::event::{Answer, SERVICE_PAGE_ROWS, ServiceQuery, ServiceStanding};
use crate::gui::theme::{self, icon, space, widgets};

/// Narrower than this, the state machine is not drawn.
const MACHINE_WIDTH_MIN: f32 = 640.0;
const MACHINE_WIDTH: f32 = 260.0;
const STREAM_WIDTH: f32 = 380.0;

/// The tab of the dock.
pub fn services_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let browsed = app.running.as_ref().and_then(|running| running.view().browsed.as_deref());
    let standing = match browsed.map(|browsed| &browsed.answer) {
        Some(Some(Answer::Service(standing))) => Some(&**standing),
        _ => None,
    };
    let mut asked = Vec::new();
    let shown = Shown { name: &app.service.component, query: &app.service.query, has_run: app.running.is_some() };
    body(ui, |ui| dock::tabs(ui, app, &mut asked), standing, &shown, commands);
    commands.append(&mut asked);
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Id of the service.
    pub name: &'a str,
    /// Which part of it.
    pub query: &'a ServiceQuery,
    /// There is a run.
    pub has_run: bool,
}

/// Draws a service under the tabs.
pub fn body(ui: &mut Ui, tabs: impl FnOnce(&mut Ui), standing: Option<&ServiceStanding>, shown: &Shown<'_>, commands: &mut Vec<Command>) {
    let Some(standing) = standing else {
        widgets::bar(ui, tabs, |_| {});
        let (headline, hint) = if shown.has_run {
            ("No service to show", "Select a service or a database of the run: its aggregates, its sagas or its rows stand here")
        } else {
            ("Nothing has run yet", "Press Run: aggregates, read models and sagas of a service stand here")
        };
        return widgets::empty_state(ui, icon::RECORDS, headline, hint);
    };
    if standing.role == "plain" {
        widgets::bar(ui, tabs, |ui| {
            ui.label(theme::muted(theme::tokens(ui.ctx()), shown.name));
        });
        let hint = "It calls, and writes on what it has read; aggregates, projections and sagas have state to look at";
        return widgets::empty_state(ui, icon::RECORDS, "A plain service keeps nothing", hint);
    }
    widgets::bar(ui, tabs, |ui| {
        pages(ui, standing, shown, commands);
        let what = match standing.role {
            "projection" | "table" => "row",
            "saga" => "saga",
            "calls" => "calling instance",
            _ => "aggregate",
        };
        let plural = if standing.rows_total == 1 { "" } else { "s" };
        let count = figures::whole(standing.rows_total as u64);
        ui.label(theme::muted(theme::tokens(ui.ctx()), format!("{} · {count} {what}{plural}", shown.name)));
    });
    ui.add_space(space::XS);
    let mut area = ui.available_rect_before_wrap();
    if !standing.states.is_empty() && area.width() >= MACHINE_WIDTH_MIN {
        let (left, rest) = area.split_left_right_at_x(area.left() + MACHINE_WIDTH);
        widgets::within(ui, left.with_max_x(left.right() - space::M), |ui| machine::ui(ui, standing));
        area = rest;
    }
    if let Some(opened) = &standing.opened {
        let (rest, beside) = area.split_left_right_at_x(area.right() - STREAM_WIDTH.min(area.width() * 0.6));
        area = rest.with_max_x(rest.right() - space::M);
        widgets::within(ui, beside, |ui| stream::ui(ui, standing, opened, shown.query, commands));
    }
    widgets::within(ui, area, |ui| table(ui, standing, shown, commands));
}

fn pages(ui: &mut Ui, standing: &ServiceStanding, shown: &Shown<'_>, commands: &mut Vec<Command>) {
    let skip = shown.query.skip;
    let mut go = |skip| commands.push(Command::LookAtService(ServiceQuery { skip, ..shown.query.clone() }));
    if skip + SERVICE_PAGE_ROWS < standing.rows_total && ui.button("Next").clicked() {
        go(skip + SERVICE_PAGE_ROWS);
    }
    if skip > 0 && ui.button("Previous").clicked() {
        go(skip.saturating_sub(SERVICE_PAGE_ROWS));
    }
}

fn table(ui: &mut Ui, standing: &ServiceStanding, shown: &Shown<'_>, commands: &mut Vec<Command>) {
    let has_states = !standing.states.is_empty();
    let is_aggregate = standing.role == "aggregate";
    let mut list = vec![Column::left("key", "Key of the aggregate, row or saga; name of the instance", 120.0, 0)];
    list.push(Column::left("state", "State that it is in", 90.0, if has_states { 1 } else { Column::HIDDEN }));
    list.push(Column::right("events", "Events of its stream", 50.0, if is_aggregate { 2 } else { Column::HIDDEN }));
    list.extend(
        (3_u8..).zip(&standing.columns).map(|(rank, name)| Column::right(name, "A field of it", 110.0, rank.min(Column::HIDDEN - 1))),
    );
    let fitted = columns::fitting(&list, 0, ui.available_width());
    columns::head(ui, &list, &fitted, None);
    ScrollArea::vertical().id_salt("service-rows").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for row in &standing.rows {
            let is_open = shown.query.opened.as_ref() == Some(&row.key);
            let spoken = format!("{} {}, {}", row.key, row.state, row.cells.join(", "));
            let response = columns::ground(ui, &spoken, is_open);
            let tokens = theme::tokens(ui.ctx());
            for place in &fitted {
                let words = match place.index {
                    0 => row.key.to_string(),
                    1 => row.state.to_string(),
                    2 => figures::whole(row.version),
                    other => row.cells.get(other - 3).cloned().unwrap_or_default(),
                };
                let font = if place.index == 0 { theme::font_strong(12.0) } else { theme::font(12.0) };
                widgets::line_in(ui, place.of(response.rect), &words, font, tokens.text, list[place.index].align);
            }
            if is_aggregate && response.on_hover_text("Click to see its events").clicked() {
                let opened = (!is_open).then(|| row.key.clone());
                commands.push(Command::LookAtService(ServiceQuery { opened, at: None, ..shown.query.clone() }));
            }
        }
    });
}
