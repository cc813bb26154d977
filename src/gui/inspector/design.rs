//! The design's own fields: name, aim, seed, assumptions, decisions, expectations.

use egui::Ui;

use super::draft::{TextField, any_text, lines};
use super::fields::{Group, problem_ui};
use super::scenarios;
use crate::app::{AppState, Command};
use crate::gui::theme::{self, icon, widgets};
use crate::model::{Edit, Project};

pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    widgets::section_header(ui, icon::SETTINGS, "Design", |_| {});
    let group = Group::new(app, "the design", "design");
    header(ui, app.project(), &group, commands);
    expectations(ui, app.project(), &group, commands);
    ui.add_space(theme::space::S);
    scenarios::ui(ui, app, commands);
}

fn header(ui: &mut Ui, project: &Project, group: &Group<'_>, commands: &mut Vec<Command>) {
    // Only the header is taken from it; the rest need not be cloned.
    let old = Project {
        name: project.name.clone(),
        aim: project.aim.clone(),
        seed: project.seed,
        assumptions: project.assumptions.clone(),
        decisions: project.decisions.clone(),
        ..Project::default()
    };
    let mut new = old.clone();
    if let Some(name) = group.text(ui, ("name", "Name"), (&old.name, false), any_text) {
        new.name = name;
    }
    if let Some(aim) = group.text(ui, ("aim", "Aim"), (&old.aim, true), any_text) {
        new.aim = aim;
    }
    let seed = |text: &str| text.trim().parse::<u64>().map_err(|_| "a seed is a whole number from 0".to_owned());
    if let Some(seed) = group.text(ui, ("seed", "Seed"), (&old.seed.to_string(), false), seed) {
        new.seed = seed;
    }
    if let Some(entries) = group.text(ui, ("assumptions", "Assumptions"), (&old.assumptions.join("\n"), true), lines) {
        new.assumptions = entries;
    }
    if let Some(entries) = group.text(ui, ("decisions", "Decisions"), (&old.decisions.join("\n"), true), lines) {
        new.decisions = entries;
    }
    if new != old {
        commands.push(Command::EditLive("header".to_owned(), vec![Edit::UpdateHeader { header: Box::new(new) }]));
    }
}

fn expectations(ui: &mut Ui, project: &Project, group: &Group<'_>, commands: &mut Vec<Command>) {
    ui.label(theme::strong("Expectations, one a line").size(12.0)).on_hover_text("For example: p99(latency, \"billing\") < 200ms");
    let shown = project.expect.join("\n");
    let field = TextField {
        path: "expect",
        label: "Expectations of the design",
        shown: &shown,
        placeholder: "p99(latency) < 200ms",
        long: true,
        enabled: group.enabled,
        apply: group.apply,
    };
    let typed = field.show(ui, lines);
    problem_ui(ui, typed.problem, group.problems_at("expect"));
    group.show_if_wanted(ui, "expect");
    if let Some(expect) = typed.value {
        commands.push(Command::EditLive("expect".to_owned(), vec![Edit::SetExpect { expect }]));
    }
}
