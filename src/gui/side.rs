//! The side: tabs over inspector, all components, event, incidents, ledger, expectations, problems.

use egui::Ui;

use super::theme::{self, widgets};
use super::{inspector, panels};
use crate::app::{AppState, Command, SideTab};

const TABS: &[(SideTab, &str)] = &[
    (SideTab::Inspector, "Inspector"),
    (SideTab::Components, "All"),
    (SideTab::Event, "Event"),
    (SideTab::Incidents, "Incidents"),
    (SideTab::Ledger, "Ledger"),
    (SideTab::Expectations, "Expect"),
    (SideTab::Problems, "Problems"),
];

pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    // One line: the side is at least as wide as its tabs.
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        for (tab, label) in TABS {
            if widgets::pill(ui, label, app.tab == *tab).clicked() {
                commands.push(Command::ShowTab(*tab));
            }
        }
    });
    ui.add_space(theme::space::S);
    // The panels of a run scroll by themselves under heads that stay.
    match app.tab {
        SideTab::Inspector => {
            // Each thing is shown from where it was left, not from where another was.
            egui::ScrollArea::vertical().id_salt(("side", format!("{:?}", app.selection))).auto_shrink(false).show(ui, |ui| {
                // Beside the scroll bar, not under it.
                ui.set_width((ui.available_width() - theme::space::S).max(0.0));
                inspector::inspector_ui(ui, app, commands);
            });
        }
        SideTab::Components => panels::overview::overview_ui(ui, app, commands),
        SideTab::Event => panels::event_story::event_story_ui(ui, app, commands),
        SideTab::Incidents => panels::incidents::incidents_ui(ui, app, commands),
        SideTab::Ledger => panels::ledger::ledger_ui(ui, app, commands),
        SideTab::Expectations => panels::expectations::expectations_ui(ui, app, commands),
        SideTab::Problems => panels::problems::problems_ui(ui, app, commands),
    }
}
