//! Rejected, lost and duplicate events, newest first; a click opens the event itself.

use std::sync::Arc;

use egui::{Align, RichText, ScrollArea, Ui, Vec2};

use super::event_story::status_words;
use super::figures;
use crate::app::{AppState, Command};
use crate::event::EventId;
use crate::gui::theme::{self, Tone, icon, space, widgets};
use crate::metrics::{FlightStatus, INCIDENTS_MAX, Incident, RunView};
use crate::units::{ComponentIx, EventTypeIx};

const ROW_HEIGHT: f32 = 40.0;

/// Names that a view's indices stand for.
pub struct Names<'a> {
    /// Component ids.
    pub component: &'a dyn Fn(ComponentIx) -> String,
    /// Event type names.
    pub event_type: &'a dyn Fn(EventTypeIx) -> String,
}

/// The panel of what went wrong.
pub fn incidents_ui(ui: &mut Ui, state: &AppState, commands: &mut Vec<Command>) {
    let running = state.running.as_ref();
    let names = Names {
        component: &|component| running.map_or_else(String::new, |running| running.component_id(component).to_owned()),
        event_type: &|event_type| {
            running.and_then(|running| running.event_types().get(event_type.index())).map_or_else(String::new, |name| name.to_string())
        },
    };
    let view = running.map(|running| &**running.view());
    let chosen = view.and_then(|view| view.inspected.as_ref()).map(|story| story.id);
    if let Some(event) = body(ui, view, chosen, &names) {
        commands.push(Command::Inspect(Some(event)));
    }
}

/// Draws the list; gives the event that was clicked.
pub fn body(ui: &mut Ui, view: Option<&RunView>, chosen: Option<EventId>, names: &Names<'_>) -> Option<EventId> {
    // A list that moves under the pointer cannot be clicked: it stands still while the pointer is on it.
    let memory = egui::Id::new("incidents-held");
    let held: Option<Arc<Vec<Incident>>> = ui.data(|data| data.get_temp(memory));
    let live = view.map_or(&[][..], |view| &view.incidents);
    let incidents = held.as_deref().map_or(live, Vec::as_slice);
    widgets::section_header(ui, icon::INCIDENTS, "Incidents", |ui| {
        let words = match (&held, incidents.len() >= INCIDENTS_MAX) {
            (Some(_), _) => "held while you point at it".to_owned(),
            (None, true) => format!("the last {INCIDENTS_MAX}"),
            (None, false) => String::new(),
        };
        ui.label(theme::muted(theme::tokens(ui.ctx()), words));
    });
    let pointed_at = !live.is_empty() && ui.rect_contains_pointer(ui.available_rect_before_wrap());
    if pointed_at != held.is_some() {
        ui.data_mut(|data| match pointed_at {
            true => {
                data.insert_temp(memory, Arc::new(live.to_vec()));
            }
            false => data.remove::<Arc<Vec<Incident>>>(memory),
        });
    }
    if incidents.is_empty() {
        let (headline, hint) = if view.is_some() {
            ("No incident so far", "No event was rejected, lost or processed twice")
        } else {
            ("Nothing has run yet", "Rejected, lost and duplicate events are listed here")
        };
        widgets::empty_state(ui, icon::INCIDENTS, headline, hint);
        return None;
    }
    let mut clicked = None;
    ScrollArea::vertical().id_salt("incidents").auto_shrink([false, false]).show_rows(ui, ROW_HEIGHT, incidents.len(), |ui, rows| {
        for row in rows {
            let incident = &incidents[incidents.len() - 1 - row];
            if row_ui(ui, incident, chosen == Some(incident.event), names) {
                clicked = Some(incident.event);
            }
        }
    });
    clicked
}

const fn tone_of(status: FlightStatus) -> Tone {
    match status {
        FlightStatus::Normal => Tone::Neutral,
        FlightStatus::Duplicate => Tone::Warn,
        FlightStatus::Rejected | FlightStatus::Lost => Tone::Error,
    }
}

fn row_ui(ui: &mut Ui, incident: &Incident, chosen: bool, names: &Names<'_>) -> bool {
    let tokens = theme::tokens(ui.ctx());
    let (status, _) = status_words(incident.status);
    let component = (names.component)(incident.component);
    let event_type = (names.event_type)(incident.event_type);
    let when = figures::clock(incident.at.as_secs_f64());
    let label = format!("{status} {event_type} at {component}, {when}: {}", incident.words);
    let response = widgets::click_row(ui, &label, chosen, |ui| {
        ui.allocate_ui(Vec2::new(ui.available_width(), ROW_HEIGHT - 12.0), |ui| {
            let rect = ui.max_rect();
            let glyph = icon::of_flight(incident.status);
            let middle = egui::pos2(rect.left() + 9.0, rect.center().y);
            ui.painter().text(middle, egui::Align2::CENTER_CENTER, glyph, theme::font(17.0), tokens.tone(tone_of(incident.status)));
            let text = rect.with_min_x(rect.left() + 18.0 + space::S);
            let (first, second) = text.split_top_bottom_at_fraction(0.5);
            let (left, right) = first.split_left_right_at_x(first.right() - 84.0);
            widgets::line_in(ui, left, &format!("{status} · {event_type}"), theme::font_strong(12.0), tokens.text, Align::LEFT);
            widgets::line_in(ui, right, &when, theme::font(11.0), tokens.text_muted, Align::RIGHT);
            widgets::line_in(ui, second, &incident.words, theme::font(11.5), tokens.text_muted, Align::LEFT);
            ui.allocate_rect(rect, egui::Sense::hover());
        });
    });
    response.on_hover_text(RichText::new(&incident.words)).clicked()
}
