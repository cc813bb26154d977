//! A stream that is opened: the aggregate as it was at a moment, what its load cost, and its events.

use egui::{ScrollArea, Ui};

use crate::app::Command;
use crate::event::{ServiceQuery, ServiceStanding, StreamEvent, StreamStanding};
use crate::gui::panels::columns::{self, Column};
use crate::gui::panels::figures;
use crate::gui::theme::{self, space, widgets};

const EVENTS: [Column<'_>; 5] = [
    Column::right("no.", "Its place in the stream", 32.0, 0),
    Column::left("event", "What happened", 104.0, 0),
    Column::left("fields", "What it says", 90.0, 0),
    Column::left("schema", "Version of its schema", 44.0, 1),
    Column::right("stored at", "Click to see the aggregate as it was then", 64.0, 0),
];
const FIELDS: usize = 2;

/// Draws it.
pub(super) fn ui(ui: &mut Ui, standing: &ServiceStanding, opened: &StreamStanding, query: &ServiceQuery, commands: &mut Vec<Command>) {
    let look = |query: ServiceQuery| Command::LookAtService(query);
    ui.horizontal(|ui| {
        ui.label(theme::strong(opened.then.key.to_string()));
        if query.at.is_some() && ui.button("As it is now").clicked() {
            commands.push(look(ServiceQuery { at: None, ..query.clone() }));
        }
        if ui.button("Close").clicked() {
            commands.push(look(ServiceQuery { opened: None, at: None, ..query.clone() }));
        }
    });
    let when = query.at.map_or_else(|| "now".to_owned(), |at| format!("at {}", figures::clock(at.as_secs_f64())));
    let cells = standing.columns.iter().zip(&opened.then.cells).map(|(name, cell)| format!("{name} {cell}"));
    let told: Vec<String> = Some(opened.then.state.to_string()).into_iter().chain(cells).collect();
    ui.label(format!("{when}: {}", told.join(" · ")));
    let noun = if opened.events_read == 1 { "event" } else { "events" };
    let snapshot = if opened.from_snapshot { "after a snapshot" } else { "from the first" };
    let load = format!("A load reads {} {noun}, {snapshot}", figures::whole(opened.events_read));
    ui.label(theme::muted(theme::tokens(ui.ctx()), load));
    ui.add_space(space::XS);
    let fitted = columns::fitting(&EVENTS, FIELDS, ui.available_width());
    columns::head(ui, &EVENTS, &fitted, None);
    ScrollArea::vertical().id_salt("stream").auto_shrink([false, false]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for event in &opened.events {
            let at = figures::clock(event.at.as_secs_f64());
            let spoken = format!("Event {} {} at {at}, {}", event.version, event.event, event.data);
            let response = columns::ground(ui, &spoken, query.at == Some(event.at));
            let tokens = theme::tokens(ui.ctx());
            for place in &fitted {
                let column = &EVENTS[place.index];
                let (font, colour) = if column.name == "event" {
                    (theme::font_strong(12.0), tokens.text)
                } else {
                    (theme::font(12.0), if place.index == FIELDS { tokens.text } else { tokens.text_muted })
                };
                widgets::line_in(ui, place.of(response.rect), &cell(event, column.name, &at), font, colour, column.align);
            }
            if response.on_hover_text(format!("{}\nClick to see the aggregate as it was then", event.data)).clicked() {
                commands.push(look(ServiceQuery { at: Some(event.at), ..query.clone() }));
            }
        }
    });
}

fn cell(event: &StreamEvent, column: &str, at: &str) -> String {
    match column {
        "no." => figures::whole(event.version),
        "event" => event.event.to_string(),
        "fields" => event.data.clone(),
        "schema" => format!("v{}", event.schema_version),
        _ => at.to_owned(),
    }
}
