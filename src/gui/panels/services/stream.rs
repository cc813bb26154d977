//! A stream that is opened: the aggregate as it was at a moment, what its load cost, and its events.

use egui::{ScrollArea, Ui};

use crate::app::Command;
use crate::event::{ServiceQuery, ServiceStanding, StreamStanding};
use crate::gui::theme::{self, space, widgets};

/// Draws it.
pub(super) fn ui(ui: &mut Ui, standing: &ServiceStanding, opened: &StreamStanding, query: &ServiceQuery, commands: &mut Vec<Command>) {
    let tokens = theme::tokens(ui.ctx());
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
    let when = query.at.map_or_else(|| "now".to_owned(), |at| format!("at {at}"));
    let cells = standing.columns.iter().zip(&opened.then.cells).map(|(name, cell)| format!("{name} {cell}"));
    let fields: Vec<String> = cells.collect();
    ui.label(format!("{when}: {} · {}", opened.then.state, fields.join(" · ")));
    let snapshot = if opened.from_snapshot { "after a snapshot" } else { "from the first" };
    ui.label(theme::muted(tokens, format!("A load reads {} events, {snapshot}", opened.events_read)));
    ui.add_space(space::XS);
    ScrollArea::vertical().id_salt("stream").auto_shrink([false, false]).show(ui, |ui| {
        for event in &opened.events {
            let spoken = format!("Event {} {} at {}", event.version, event.event, event.at);
            let clicked = widgets::click_row(ui, &spoken, query.at == Some(event.at), |ui| {
                ui.label(theme::muted(tokens, format!("{} v{}", event.version, event.schema_version)));
                ui.label(theme::strong(event.event.to_string()));
                ui.label(event.data.as_str());
                ui.label(theme::muted(tokens, event.at.to_string()));
            });
            if clicked.on_hover_text("Click to see the aggregate as it was then").clicked() {
                commands.push(look(ServiceQuery { at: Some(event.at), ..query.clone() }));
            }
        }
    });
}
