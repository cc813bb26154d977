//! Scenarios: what a run adds to the design, each with its length, overrides, timeline and expected misses.

use egui::{RichText, Ui};
use indexmap::IndexMap;

use super::draft::{Apply, any_text};
use super::fields::{Change, Group, choice, field, problem_ui, value_of};
use super::tables::table;
use crate::app::{AppState, Command};
use crate::components::{self, Kind};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{Component, Edit, ParamSpec, ParamType, Project, Scenario, TimedFault, Value};
use crate::units::{SimDuration, SimTime};

/// Understood by every kind: changes parameters.
const SET: &str = "set";

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
        timeline(ui, project, &group, &mut changed);
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

/// What happens at a time, in the order of time.
fn timeline(ui: &mut Ui, project: &Project, group: &Group<'_>, scenario: &mut Scenario) {
    widgets::subheading(ui, "Timeline");
    let mut in_time: Vec<usize> = (0..scenario.faults.len()).collect();
    in_time.sort_by_key(|index| scenario.faults[*index].at);
    let mut removed = None;
    for index in in_time {
        let path = format!("{}.faults[{index}]", group.path);
        let fault = &mut scenario.faults[index];
        let owner = format!("entry {} of {}", index + 1, group.owner);
        let group = Group { owner: &owner, path: &path, ..*group };
        let title = RichText::new(format!("{}  {} {}", fault.at, fault.component, fault.action));
        let open = group.is_wanted(ui, &path).then_some(true);
        egui::CollapsingHeader::new(title).id_salt(("fault", index)).open(open).show(ui, |ui| {
            fault_ui(ui, project, &group, fault);
            let words = format!("Remove {owner}");
            if ui.add_enabled_ui(group.enabled, |ui| widgets::text_button(ui, icon::DELETE, ButtonWords::new(&words))).inner.clicked() {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        scenario.faults.remove(index);
    }
    let locked = (!group.enabled).then_some("The design is locked while a run is on");
    let label = format!("Add to the timeline of {}", group.owner);
    if widgets::text_button(ui, icon::ADD, ButtonWords::new(&label).unless(locked)).clicked() {
        let component = project.components.keys().next().cloned().unwrap_or_default();
        let at = SimTime::ZERO + SimDuration::from_secs(10);
        scenario.faults.push(TimedFault { at, component, action: SET.to_owned(), params: IndexMap::new() });
    }
    ui.add_space(theme::space::XS);
}

fn fault_ui(ui: &mut Ui, project: &Project, group: &Group<'_>, fault: &mut TimedFault) {
    // The list stands in the order of time: a half-typed time must not move the row away.
    let when = Group { apply: Apply::OnLeave, ..*group };
    let at = |text: &str| text.parse::<SimDuration>().map(|span| SimTime::ZERO + span).map_err(|error| error.to_string());
    if let Some(at) = when.text(ui, ("at", "At"), (&fault.at.to_string(), false), at) {
        fault.at = at;
    }
    let ids: Vec<&str> = project.components.keys().map(String::as_str).collect();
    if let Some(id) = named_choice(ui, group, ("component", "Component"), &fault.component, &ids) {
        fault.component = id.to_owned();
    }
    let Some(component) = project.components.get(&fault.component) else { return };
    let Some(kind) = components::by_id(&component.kind) else { return };
    let actions: Vec<&str> = std::iter::once(SET).chain(kind.spec().actions.iter().map(|action| action.name)).collect();
    if let Some(action) = named_choice(ui, group, ("action", "Action"), &fault.action, &actions) {
        fault.action = action.to_owned();
        fault.params.clear();
    }
    if let Some(action) = kind.spec().action(&fault.action) {
        ui.label(theme::muted(theme::tokens(ui.ctx()), action.help));
        let named = fault.params.keys().map(String::as_str);
        let unnamed = action.params.iter().map(|spec| spec.name).filter(|name| !fault.params.contains_key(*name));
        let names: Vec<String> = named.chain(unnamed).map(str::to_owned).collect();
        params_ui(ui, group, (action.params, None), &names, &mut fault.params);
    } else if fault.action == SET {
        let names: Vec<String> = fault.params.keys().cloned().collect();
        params_ui(ui, group, specs_of(component, kind), &names, &mut fault.params);
        ui.add_enabled_ui(group.enabled, |ui| {
            ui.menu_button(format!("{}  Set a parameter", icon::ADD), |ui| {
                if let Some(spec) = pick_param(ui, kind, |name| fault.params.contains_key(name)) {
                    fault.params.insert(spec.name.to_owned(), present_value(component, kind, spec));
                }
            });
        });
    }
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
fn specs_of<'a>(component: &'a Component, kind: &dyn Kind) -> (&'static [ParamSpec], Option<&'a str>) {
    let spec = kind.spec();
    (spec.params, component.profile.as_deref().or_else(|| spec.profiles.first().copied()))
}

/// Fields for the parameters of these names; giving one back to its default takes it out.
fn params_ui(
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
fn pick_param(ui: &mut Ui, kind: &dyn Kind, is_named: impl Fn(&str) -> bool) -> Option<&'static ParamSpec> {
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
fn present_value(component: &Component, kind: &dyn Kind, spec: &ParamSpec) -> Value {
    let profile = component.profile.as_deref().or_else(|| kind.spec().profiles.first().copied());
    let default = || value_of(spec, spec.default_text(profile).unwrap_or_default());
    component.params.get(spec.name).cloned().unwrap_or_else(default)
}

fn named_choice<'w>(ui: &mut Ui, group: &Group<'_>, (name, label): (&str, &str), current: &str, words: &'w [&'w str]) -> Option<&'w str> {
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
