//! Subjects of a schema registry: their versions, a draft of the next one, and what that would do.
//!
//! In: the application's desk. Out: commands. What is said of schemas is found by the desk; here it is only drawn.
//! Start at [`schemas_ui`]: `list.rs` has the subjects, `versions.rs` what is there of one, `begin.rs` a new one, `editor.rs` the draft,
//! `pages.rs` what is said of it, a file a page; `code.rs` colours a schema's text.

mod begin;
mod blast;
mod changes;
mod code;
mod editor;
mod event;
mod list;
mod pages;
mod versions;

pub(crate) use blast::look;
use egui::Ui;

use super::dock;
use crate::app::schemas::{SchemaCommand, registries};
use crate::app::{AppState, Command};
use crate::gui::theme::{self, icon, space, widgets};

/// Narrower than this, the list of subjects is a drop-down.
const LIST_WIDTH_MIN: f32 = 820.0;
/// Narrower than this, what is said of a draft stands below it.
const BESIDE_WIDTH_MIN: f32 = 560.0;
const LIST_WIDTH: f32 = 216.0;
/// The names of the pages stand in one line from here on.
const PAGES_WIDTH: f32 = 372.0;

/// The tab of the dock.
pub fn schemas_ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    let desk = &app.desk;
    let is_wide = ui.available_width() >= LIST_WIDTH_MIN;
    let mut asked = Vec::new();
    widgets::bar(ui, |ui| dock::tabs(ui, app, &mut asked), |ui| head_ui(ui, app, is_wide, commands));
    commands.append(&mut asked);
    ui.add_space(space::XS);
    if desk.registry.is_none() {
        let hint = "Place a schema registry from the palette, list subjects in its inspector, and link producers and consumers to it";
        return widgets::empty_state(ui, icon::SCHEMA, "No schema registry in this design", hint);
    }
    if desk.chosen().is_none() {
        if let Some(beginning) = desk.beginning() {
            return begin::ui(ui, app, beginning, commands);
        }
        let hint = "Begin one with New subject, or list the project's schemas as versions in the registry's inspector";
        return widgets::empty_state(ui, icon::SCHEMA, "This registry has no subjects yet", hint);
    }
    let area = ui.available_rect_before_wrap();
    let mut rest = area;
    if is_wide {
        let (list, right) = area.split_left_right_at_x(area.left() + LIST_WIDTH);
        widgets::within(ui, list, |ui| list::ui(ui, app, commands));
        rest = right.with_min_x(right.left() + space::L);
        rule(ui, right.left() + space::S, area);
    }
    let (middle, beside) = if rest.width() >= BESIDE_WIDTH_MIN {
        let width = (rest.width() * 0.46).max(PAGES_WIDTH.min(rest.width() * 0.53)).clamp(250.0, 430.0);
        let (middle, beside) = rest.split_left_right_at_x(rest.right() - width);
        rule(ui, beside.left(), area);
        (middle.with_max_x(middle.right() - space::S), beside.with_min_x(beside.left() + space::S))
    } else {
        let (middle, below) = rest.split_top_bottom_at_y(rest.center().y);
        (middle, below.with_min_y(below.top() + space::S))
    };
    if let Some(beginning) = desk.beginning() {
        widgets::within(ui, middle, |ui| begin::ui(ui, app, beginning, commands));
    } else {
        widgets::within(ui, middle, |ui| match desk.editing {
            true => editor::ui(ui, app, commands),
            false => versions::ui(ui, app, commands),
        });
        widgets::within(ui, beside, |ui| pages::ui(ui, app, commands));
    }
    ui.advance_cursor_after_rect(area);
}

fn rule(ui: &Ui, x: f32, area: egui::Rect) {
    ui.painter().vline(x, area.y_range(), egui::Stroke::new(1.0, theme::tokens(ui.ctx()).border));
}

/// Which registry, and where what is shown comes from.
fn head_ui(ui: &mut Ui, app: &AppState, is_wide: bool, commands: &mut Vec<Command>) {
    let (desk, tokens) = (&app.desk, theme::tokens(ui.ctx()));
    let Some(registry) = desk.registry.clone() else { return };
    begin::button_ui(ui, app, commands);
    let all: Vec<&str> = registries(app.project()).collect();
    if all.len() > 1 {
        widgets::combo("desk-registry").selected_text(registry.as_str()).show_ui(ui, |ui| {
            for id in all {
                if ui.selectable_label(*id == registry, id).clicked() {
                    commands.push(Command::Schemas(SchemaCommand::Open { registry: id.to_owned(), subject: None }));
                }
            }
        });
    }
    if !is_wide {
        let chosen = desk.subject.clone().unwrap_or_default();
        let combo = widgets::combo("desk-subject").width(140.0).truncate().selected_text(chosen.as_str());
        combo.show_ui(ui, |ui| {
            for subject in desk.subjects() {
                if ui.selectable_label(**subject.name() == *chosen, &**subject.name()).clicked() {
                    let subject = Some(subject.name().to_string());
                    commands.push(Command::Schemas(SchemaCommand::Open { registry: registry.clone(), subject }));
                }
            }
        });
    }
    let count = desk.subjects().len();
    let source = if desk.is_live() { "as the run has them" } else { "as the design has them" };
    let words = format!("{count} subject{} of {registry}, {source}", if count == 1 { "" } else { "s" });
    ui.add(egui::Label::new(theme::muted(tokens, words)).truncate());
}
