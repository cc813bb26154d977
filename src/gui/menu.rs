//! The menu bar.

use egui::{Button, Ui};

use super::theme::{self, icon, widgets};
use crate::app::{AppState, Command, ThemeChoice};
use crate::components;

pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    egui::MenuBar::new().ui(ui, |ui| {
        ui.menu_button("File", |ui| file(ui, app, commands));
        ui.menu_button("Edit", |ui| edit(ui, app, commands));
        ui.menu_button("View", |ui| view(ui, app, commands));
        ui.menu_button("Run", |ui| run(ui, app, commands));
        ui.menu_button("Help", |ui| {
            item(ui, "Keyboard shortcuts…", "F1", true, Command::ShowDialog("shortcuts"), commands);
            item(ui, "Open the starter project", "", true, Command::OpenStarter, commands);
            item(ui, "About Eventyard…", "", true, Command::ShowDialog("about"), commands);
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let dark = theme::tokens(ui.ctx()).dark;
            let (glyph, label, next) = if dark {
                (icon::THEME_LIGHT, "Switch to light", ThemeChoice::Light)
            } else {
                (icon::THEME_DARK, "Switch to dark", ThemeChoice::Dark)
            };
            if widgets::icon_button(ui, glyph, widgets::ButtonWords::new(label)).clicked() {
                commands.push(Command::SetTheme(next));
            }
            let name = app.project().name.clone();
            ui.label(theme::muted(theme::tokens(ui.ctx()), name)).on_hover_text(app.project().aim.clone());
        });
    });
}

/// One line of a menu: a command and its key.
pub(super) fn item(ui: &mut Ui, label: &str, shortcut: &str, enabled: bool, command: Command, commands: &mut Vec<Command>) {
    let button = Button::new(label);
    // An empty shortcut would still be read out, as a blank after the label.
    let button = if shortcut.is_empty() { button } else { button.shortcut_text(shortcut) };
    if ui.add_enabled(enabled, button).clicked() {
        commands.push(command);
        ui.close();
    }
}

fn file(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    item(ui, "New", "Ctrl+N", true, Command::New, commands);
    item(ui, "Open…", "Ctrl+O", true, Command::Open, commands);
    ui.menu_button("Recent files", |ui| {
        if app.recent.is_empty() {
            ui.label(theme::muted(theme::tokens(ui.ctx()), "None yet"));
        }
        for path in &app.recent {
            item(ui, &path.display().to_string(), "", true, Command::OpenPath(path.clone()), commands);
        }
    });
    ui.separator();
    item(ui, "Save", "Ctrl+S", true, Command::Save, commands);
    item(ui, "Save as…", "Ctrl+Shift+S", true, Command::SaveAs, commands);
    ui.menu_button("Import", |ui| {
        for importer in crate::import::ALL {
            let command = Command::Import(importer.name.to_owned());
            item(ui, &format!("{}…", importer.name), "", true, command, commands);
        }
    });
    ui.menu_button("Export", |ui| {
        for format in crate::export::project_formats() {
            item(ui, &format!("{format}…"), "", true, Command::Export(format.to_owned()), commands);
        }
        let reported = app.view().is_some_and(|view| view.report.is_some());
        item(ui, "html report…", "", reported, Command::Export("html".to_owned()), commands);
    });
    ui.separator();
    item(ui, "Quit", "Ctrl+Q", true, Command::Quit, commands);
}

fn edit(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let free = !app.is_locked();
    let some = app.selected_components().next().is_some();
    item(ui, "Undo", "Ctrl+Z", free && app.document.can_undo(), Command::Undo, commands);
    item(ui, "Redo", "Ctrl+Y", free && app.document.can_redo(), Command::Redo, commands);
    ui.separator();
    item(ui, "Copy", "Ctrl+C", some, Command::Copy, commands);
    item(ui, "Paste", "Ctrl+V", free, Command::Paste, commands);
    item(ui, "Duplicate", "Ctrl+D", free && some, Command::Duplicate, commands);
    item(ui, "Delete", "Del", free && !app.selection.is_empty(), Command::DeleteSelection, commands);
    ui.separator();
    item(ui, "Select all", "Ctrl+A", true, Command::SelectAll, commands);
    connect(ui, app, commands);
}

/// Linking without a pointer: from the selected component's ports to every port that fits.
fn connect(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let project = app.project();
    let Some(id) = app.selected_component() else { return };
    let Some(component) = project.components.get(id) else { return };
    let Some(kind) = components::by_id(&component.kind) else { return };
    ui.menu_button("Connect to", |ui| {
        let mut any = false;
        for from in kind.ports(component).iter().filter(|port| port.gives()) {
            for (other, target) in &project.components {
                let Some(target_kind) = components::by_id(&target.kind) else { continue };
                for to in target_kind.ports(target) {
                    let linked = project.links.iter().any(|link| {
                        link.from.component == *id && link.from.port == from.name && link.to.component == *other && link.to.port == to.name
                    });
                    if linked || components::can_connect((id, from), (other, &to)).is_err() {
                        continue;
                    }
                    any = true;
                    let end =
                        |component: &str, port: &str| crate::model::Endpoint { component: component.to_owned(), port: port.to_owned() };
                    let link = crate::model::Link { from: end(id, &from.name), to: end(other, &to.name), ..crate::model::Link::default() };
                    let label = format!("{} → {other}.{}", from.name, to.name);
                    item(ui, &label, "", !app.is_locked(), Command::Edit(crate::model::Edit::AddLink { link }), commands);
                }
            }
        }
        if !any {
            ui.label(theme::muted(theme::tokens(ui.ctx()), "Nothing here takes what it gives"));
        }
    });
}

fn view(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    item(ui, "Fit the design", "F", true, Command::Fit, commands);
    item(ui, "Arrange the cards", "", !app.is_locked(), Command::Arrange, commands);
    ui.separator();
    let mut snap = app.snap;
    if ui.checkbox(&mut snap, "Snap to grid").clicked() {
        commands.push(Command::ToggleSnap);
    }
    let mut charts = app.charts;
    if ui.checkbox(&mut charts, "Charts").clicked() {
        commands.push(Command::ToggleCharts);
    }
    ui.separator();
    for (label, theme) in [("Theme of the desktop", ThemeChoice::System), ("Light", ThemeChoice::Light), ("Dark", ThemeChoice::Dark)] {
        if ui.radio(app.theme == theme, label).clicked() {
            commands.push(Command::SetTheme(theme));
        }
    }
}

fn run(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    item(ui, "Run or pause", "Space", true, Command::PlayOrPause, commands);
    item(ui, "Step event", "F10", true, Command::StepEvent, commands);
    item(ui, "Step 1 s", "Shift+F10", true, Command::StepSecond, commands);
    item(ui, "Step kernel turn", "", true, Command::StepKernel, commands);
    item(ui, "Stop", "Shift+F5", app.is_locked(), Command::Stop, commands);
    item(ui, "Close the run", "", app.running.is_some() && !app.is_locked(), Command::CloseRun, commands);
}
