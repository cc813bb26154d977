//! The dock below the canvas: charts, partitions, queues, gateways, services, records, schemas, one in front of the others.

use egui::Ui;

use super::{charts, gateways, partitions, queues, records, schemas, services};
use crate::app::{AppState, Command, DockTab};
use crate::gui::theme::widgets;

const TABS: &[(DockTab, &str)] = &[
    (DockTab::Charts, "Charts"),
    (DockTab::Partitions, "Partitions"),
    (DockTab::Queues, "Queues"),
    (DockTab::Gateways, "Gateways"),
    (DockTab::Services, "Services"),
    (DockTab::Records, "Records"),
    (DockTab::Schemas, "Schemas"),
];

/// The dock.
pub fn dock_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    match app.dock {
        DockTab::Charts => charts::charts_ui(ui, app, commands),
        DockTab::Partitions => partitions::partitions_ui(ui, app, commands),
        DockTab::Queues => queues::queues_ui(ui, app, commands),
        DockTab::Gateways => gateways::gateways_ui(ui, app, commands),
        DockTab::Services => services::services_ui(ui, app, commands),
        DockTab::Records => records::records_ui(ui, app, commands),
        DockTab::Schemas => schemas::schemas_ui(ui, app, commands),
    }
}

/// The tabs, at the left of whatever tab's head.
pub(super) fn tabs(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let selected = TABS.iter().position(|(tab, _)| *tab == app.dock).unwrap_or_default();
    if let Some(clicked) = widgets::pills(ui, TABS.iter().map(|(_, label)| *label), selected) {
        commands.push(Command::ShowDock(TABS[clicked].0));
    }
}
