//! The gateways of the design: their routes in the order in which they are tried, a request that a person tries, and who used
//! them in the run that is shown.
//!
//! In: the design, a card's figures. Out: nothing but what a person typed, which stays in the window. Start at [`body`];
//! `request.rs` is the box on the right, `usage.rs` stands below the routes.

mod request;
mod usage;

use std::sync::Arc;

use egui::{Align, Id, ScrollArea, Ui};

use super::columns::{self, Column};
use super::dock;
use crate::app::{AppState, Command, Pick, SelectMode};
use crate::components::gateway::trial::{RouteLine, Sample, Tried, credentials, try_request};
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::model::{Component, Project};

/// Narrower than this, the box stands below the table.
const BOTH_WIDTH_MIN: f32 = 700.0;
const BOX_WIDTH: f32 = 380.0;
const BOX_HEIGHT: f32 = 190.0;

const ROUTES: [Column<'_>; 4] = [
    Column::left("route", "The first that fits takes the request", 90.0, 0),
    Column::left("takes", "Methods, paths, hosts, event types", 180.0, 0),
    Column::left("leads to", "A topic, or an answer", 90.0, 1),
    Column::left("this request", "Whether it fits the request on the right", 80.0, 0),
];

/// The tab of the dock.
pub fn gateways_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let mut asked = Vec::new();
    let figures = |id: &str| {
        let running = app.running.as_ref()?;
        Some(running.view().cards.get(running.component_ix(id)?.index())?.details.as_slice())
    };
    body(ui, |ui| dock::tabs(ui, app, &mut asked), app.project(), app.selected_component(), figures, commands);
    commands.append(&mut asked);
}

/// Draws the table and the box under the tabs; `figures` gives what a gateway of the run counts.
pub fn body<'a>(
    ui: &mut Ui,
    tabs: impl FnOnce(&mut Ui),
    project: &Project,
    selected: Option<&str>,
    figures: impl Fn(&str) -> Option<&'a [(String, String)]>,
    commands: &mut Vec<Command>,
) {
    let gateways: Vec<&String> = project.components.iter().filter(|(_, component)| component.kind == "gateway").map(|(id, _)| id).collect();
    let chosen = gateways.iter().position(|id| Some(id.as_str()) == selected).unwrap_or_default();
    let Some(id) = gateways.get(chosen) else {
        widgets::bar(ui, tabs, |_| {});
        return widgets::empty_state(
            ui,
            icon::LOCK,
            "No gateways to show",
            "Add a gateway: its routes stand here, and a request can be tried",
        );
    };
    widgets::bar(ui, tabs, |ui| {
        if gateways.len() > 1 {
            if let Some(clicked) = widgets::pills(ui, gateways.iter().map(|id| id.as_str()), chosen) {
                commands.push(Command::Select(Pick::Component(gateways[clicked].clone()), SelectMode::Replace));
            }
        } else {
            ui.label(theme::muted(theme::tokens(ui.ctx()), id.as_str()));
        }
    });
    ui.add_space(space::XS);
    let memory = Id::new(("gateway-request", id));
    let mut sample: Sample = ui.data(|data| data.get_temp(memory)).unwrap_or_else(|| request::first(&project.components[*id]));
    let seen = outcome(ui, project, id, &sample);
    let tried = &seen.tried;
    let area = ui.available_rect_before_wrap();
    let (table, beside) = if area.width() >= BOTH_WIDTH_MIN {
        let (table, beside) = area.split_left_right_at_x(area.right() - BOX_WIDTH);
        (table.with_max_x(table.right() - space::M), beside)
    } else {
        area.split_top_bottom_at_y(area.bottom() - BOX_HEIGHT.min(area.height() * 0.6))
    };
    widgets::within(ui, table, |ui| {
        ScrollArea::vertical().id_salt("gateway-routes").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            match tried {
                Ok(tried) => {
                    routes_ui(ui, tried);
                    usage::ui(ui, figures(id).unwrap_or_default());
                }
                Err(why) => widgets::notice(ui, icon::ERROR, why, Tone::Error),
            }
        });
    });
    widgets::within(ui, beside, |ui| request::ui(ui, &seen.known, &mut sample, tried.as_ref().ok()));
    ui.data_mut(|data| data.insert_temp(memory, sample));
}

/// What came of a request, kept while neither it nor the gateway changes: tokens are signed for it.
struct Seen {
    component: Component,
    sample: Sample,
    tried: Result<Tried, String>,
    known: Vec<(String, String)>,
}

fn outcome(ui: &Ui, project: &Project, id: &str, sample: &Sample) -> Arc<Seen> {
    let memory = Id::new("gateway-outcome");
    let component = &project.components[id];
    let kept: Option<Arc<Seen>> = ui.data(|data| data.get_temp(memory));
    if let Some(kept) = kept.filter(|kept| kept.sample == *sample && kept.component == *component) {
        return kept;
    }
    let (tried, known) = (try_request(project, id, sample), credentials(component));
    let seen = Arc::new(Seen { component: component.clone(), sample: sample.clone(), tried, known });
    ui.data_mut(|data| data.insert_temp(memory, Arc::clone(&seen)));
    seen
}

fn routes_ui(ui: &mut Ui, tried: &Tried) {
    let fitted = columns::fitting(&ROUTES, 1, ui.available_width());
    columns::head(ui, &ROUTES, &fitted, None);
    for line in &tried.routes {
        let tokens = theme::tokens(ui.ctx());
        let (verdict, tone) = verdict(line);
        let response = columns::ground(ui, &format!("Route {}, {}, {verdict}", line.name, line.matches), line.takes);
        for place in &fitted {
            let (words, colour) = match place.index {
                0 => (line.name.as_str(), tokens.text),
                1 => (line.matches.as_str(), tokens.text_muted),
                2 => (line.target.as_str(), tokens.text_muted),
                _ => (verdict, if tone == Tone::Neutral { tokens.text_muted } else { tokens.tone(tone) }),
            };
            let font = if place.index == 0 { theme::font_strong(12.0) } else { theme::font(12.0) };
            widgets::line_in(ui, place.of(response.rect), words, font, colour, Align::LEFT);
        }
    }
}

fn verdict(line: &RouteLine) -> (&'static str, Tone) {
    match (line.takes, line.fits) {
        (true, _) => ("takes it", Tone::Ok),
        (false, true) => ("fits, comes later", Tone::Neutral),
        (false, false) => ("does not fit", Tone::Neutral),
    }
}
