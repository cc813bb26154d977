//! Scenarios: what a run adds to the design, each with its length, overrides, timeline and expected misses.

use egui::Ui;
use indexmap::IndexMap;

use super::draft::{Apply, any_text};
use super::fields::{Change, Group, choice, field, problem_ui, value_of};
use super::tables::table;
use super::timeline;
use crate::app::{AppState, Command};
use crate::components::{self, Kind};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{Component, Edit, ParamSpec, ParamType, Project, Scenario, Value};
use crate::units::SimDuration;

pub(super) fn ui(ui: &mut Ui, app: &AppState, commands: &mut Vec<Command>) {
    widgets::subheading(ui, "Scenarios");
    for (index, name) in app.project().scenarios.keys().enumerate() {
        scenario_ui(ui, app, index, name, commands);
    }
    let words = ButtonWords::new("Add scenario").unless(app.is_locked().then_some("The design is locked while a run is on"));
    if widgets::text_button(ui, icon::ADD, words).clicked() {
        let scenario = Scenario { length: Some(crate::compile::DEFAULT_LENGTH), ..Scenario::default() };
        commands.push(Command::Edit(Edit::SetScenario { name: free_name(app.project(), "scenario"), scenario }));
    }
}

fn scenario_ui(ui: &mut Ui, app: &AppState, index: usize, name: &str, commands: &mut Vec<Command>) {
    let project = app.project();
    let scenario = &project.scenarios[name];
    let (owner, path) = (format!("scenario {name}"), format!("scenarios.{name}"));
    let group = Group::new(app, &owner, &path);
    let faulty = group.problems_at(&path).next().is_some();
    let head = if faulty { format!("{}  {name}", icon::WARNING) } else { name.to_owned() };
    let open = group.is_wanted(ui, &path).then_some(true);
    egui::CollapsingHeader::new(theme::strong(&head)).id_salt(("scenario", index)).open(open).show(ui, |ui| {
        let names = Group { apply: Apply::OnLeave, ..group };
        if let Some(new_name) = names.text(ui, ("(name)", "Name"), (name, false), |text| free_or_why(project, name, text)) {
            commands.push(Command::Edit(Edit::RenameScenario { name: name.to_owned(), new_name }));
        }
        let mut changed = scenario.clone();
        header(ui, &group, &mut changed);
        overrides(ui, project, &group, &mut changed);
        timeline::ui(ui, project, &group, &mut changed);
        misses(ui, project, &group, &mut changed);
        if changed != *scenario {
            commands.push(Command::EditLive(path.clone(), vec![Edit::SetScenario { name: name.to_owned(), scenario: changed }]));
        }
        ui.add_enabled_ui(group.enabled, |ui| {
            ui.horizontal(|ui| {
                if widgets::text_button(ui, icon::DUPLICATE, ButtonWords::new(&format!("Duplicate {owner}"))).clicked() {
                    let edit = Edit::SetScenario { name: free_name(project, name), scenario: scenario.clone() };
                    commands.push(Command::Edit(edit));
                }
                if widgets::icon_button(ui, icon::DELETE, ButtonWords::new(&format!("Delete {owner}"))).clicked() {
                    commands.push(Command::Edit(Edit::RemoveScenario { name: name.to_owned() }));
                }
            });
        });
    });
}

fn header(ui: &mut Ui, group: &Group<'_>, scenario: &mut Scenario) {
    if let Some(about) = group.text(ui, ("about", "About"), (&scenario.about, true), any_text) {
        scenario.about = about;
    }
    for (name, label, slot) in [("length", "Length", &mut scenario.length), ("warm_up", "Warm-up", &mut scenario.warm_up)] {
        let shown = slot.map(|span| span.to_string()).unwrap_or_default();
        if let Some(span) = group.text(ui, (name, label), (&shown, false), optional_span) {
            *slot = span;
        }
    }
}

/// Parameters of components that have other values in this scenario.
fn overrides(ui: &mut Ui, project: &Project, group: &Group<'_>, scenario: &mut Scenario) {
    widgets::subheading(ui, "Overrides");
    for (id, params) in &mut scenario.set {
        let (owner, path) = (format!("{id} in {}", group.owner), format!("{}.set.{id}", group.path));
        let group = Group { owner: &owner, path: &path, ..*group };
        ui.label(theme::strong(id));
        match project.components.get(id).and_then(|component| Some((component, components::by_id(&component.kind)?))) {
            Some((component, kind)) => {
                let names: Vec<String> = params.keys().cloned().collect();
                params_ui(ui, &group, specs_of(component, kind), &names, params);
            }
            None => problem_ui(ui, None, group.problems_at(&path)),
        }
    }
    scenario.set.retain(|_, params| !params.is_empty());
    let locked = !group.enabled;
    ui.add_enabled_ui(!locked, |ui| {
        ui.menu_button(format!("{}  Add override", icon::ADD), |ui| {
            for (id, component) in &project.components {
                let Some(kind) = components::by_id(&component.kind) else { continue };
                ui.menu_button(id, |ui| {
                    let set = scenario.set.get(id);
                    if let Some(spec) = pick_param(ui, kind, |name| set.is_some_and(|params| params.contains_key(name))) {
                        let value = present_value(component, kind, spec);
                        scenario.set.entry(id.clone()).or_default().insert(spec.name.to_owned(), value);
                    }
                });
            }
        });
    });
    ui.add_space(theme::space::XS);
}

/// Expectations that this scenario is there to break.
fn misses(ui: &mut Ui, project: &Project, group: &Group<'_>, scenario: &mut Scenario) {
    widgets::subheading(ui, "Expected misses");
    let gone: Vec<String> = scenario.misses.iter().filter(|text| !project.expect.contains(text)).cloned().collect();
    for text in project.expect.iter().chain(&gone) {
        let mut missed = scenario.misses.contains(text);
        let label = format!("{} misses {text}", group.owner);
        let response = ui.add_enabled(group.enabled, egui::Checkbox::new(&mut missed, text.as_str()));
        response.widget_info(|| egui::WidgetInfo::selected(egui::WidgetType::Checkbox, group.enabled, missed, &label));
        if response.changed() {
            scenario.misses.retain(|other| other != text);
            if missed {
                scenario.misses.push(text.clone());
            }
        }
    }
    let path = format!("{}.misses", group.path);
    problem_ui(ui, None, group.problems_at(&path));
    group.show_if_wanted(ui, &path);
    ui.add_space(theme::space::XS);
}

/// A component's parameters and the profile that their defaults follow.
pub(super) fn specs_of<'a>(component: &'a Component, kind: &dyn Kind) -> (&'static [ParamSpec], Option<&'a str>) {
    let spec = kind.spec();
    (spec.params, component.profile.as_deref().or_else(|| spec.profiles.first().copied()))
}

/// Fields for the parameters of these names; giving one back to its default takes it out.
pub(super) fn params_ui(
    ui: &mut Ui,
    group: &Group<'_>,
    (specs, profile): (&'static [ParamSpec], Option<&str>),
    names: &[String],
    params: &mut IndexMap<String, Value>,
) {
    let group = Group { profile, ..*group };
    for name in names {
        let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
            problem_ui(ui, None, group.problems_at(&format!("{}.{name}", group.path)));
            continue;
        };
        let value = params.get(name).cloned();
        let change = match spec.ty {
            ParamType::Rows(specs) | ParamType::Named(specs) => table(ui, &group, spec, specs, value.as_ref()),
            _ => field(ui, &group, spec, value.as_ref()),
        };
        match change {
            Some(Change::Set(value)) => drop(params.insert(name.clone(), value)),
            Some(Change::Reset) => drop(params.shift_remove(name)),
            None => {}
        }
    }
}

/// A menu of a kind's parameters.
pub(super) fn pick_param(ui: &mut Ui, kind: &dyn Kind, is_named: impl Fn(&str) -> bool) -> Option<&'static ParamSpec> {
    let specs: &'static [ParamSpec] = kind.spec().params;
    let mut picked = None;
    egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
        for spec in specs.iter().filter(|spec| !is_named(spec.name)) {
            if ui.button(spec.label).on_hover_text(spec.help).clicked() {
                picked = Some(spec);
                ui.close();
            }
        }
    });
    picked
}

/// An override begins as what the design says.
pub(super) fn present_value(component: &Component, kind: &dyn Kind, spec: &ParamSpec) -> Value {
    let profile = component.profile.as_deref().or_else(|| kind.spec().profiles.first().copied());
    let default = || value_of(spec, spec.default_text(profile).unwrap_or_default());
    component.params.get(spec.name).cloned().unwrap_or_else(default)
}

pub(super) fn named_choice<'w>(
    ui: &mut Ui,
    group: &Group<'_>,
    (name, label): (&str, &str),
    current: &str,
    words: &'w [&'w str],
) -> Option<&'w str> {
    let path = format!("{}.{name}", group.path);
    ui.label(theme::strong(label).size(12.0));
    let picked = choice(ui, &path, &format!("{label} of {}", group.owner), current, words, group.enabled);
    problem_ui(ui, None, group.problems_at(&path));
    group.show_if_wanted(ui, &path);
    picked
}

fn optional_span(text: &str) -> Result<Option<SimDuration>, String> {
    if text.trim().is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|error: crate::units::UnitError| error.to_string()) }
}

fn free_or_why(project: &Project, name: &str, text: &str) -> Result<String, String> {
    match text {
        "" => Err("a name must be given".to_owned()),
        other if other != name && project.scenarios.contains_key(other) => {
            Err(format!("`{other}` is already the name of another scenario"))
        }
        fine => Ok(fine.to_owned()),
    }
}

fn free_name(project: &Project, stem: &str) -> String {
    let stem = stem.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-');
    (2..).map(|number| format!("{stem}-{number}")).find(|name| !project.scenarios.contains_key(name)).expect("numbers do not run out")
}
