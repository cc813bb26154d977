//! A scenario's timeline: what happens to which component or link, when, and for how long.

use egui::{RichText, Ui};
use indexmap::IndexMap;

use super::draft::Apply;
use super::fields::Group;
use super::scenarios::{named_choice, params_ui, pick_param, present_value, specs_of};
use super::tables::LOCKED;
use crate::components::{self, ActionSpec, LINK_FAULTS};
use crate::gui::theme::widgets::ButtonWords;
use crate::gui::theme::{self, icon, widgets};
use crate::model::{FaultTarget, Project, Scenario, TimedFault};
use crate::units::{SimDuration, SimTime};

/// Gives parameters other values.
const SET: &str = "set";

/// The entries in the order of time.
pub(super) fn ui(ui: &mut Ui, project: &Project, group: &Group<'_>, scenario: &mut Scenario) {
    widgets::subheading(ui, "Timeline");
    let mut in_time: Vec<usize> = (0..scenario.faults.len()).collect();
    in_time.sort_by_key(|index| scenario.faults[*index].at);
    let mut removed = None;
    for index in in_time {
        let path = format!("{}.faults[{index}]", group.path);
        let fault = &mut scenario.faults[index];
        let owner = format!("entry {} of {}", index + 1, group.owner);
        let group = Group { owner: &owner, path: &path, ..*group };
        let title = RichText::new(format!("{}  {} {}", fault.at, fault.target, fault.action));
        let open = group.is_wanted(ui, &path).then_some(true);
        egui::CollapsingHeader::new(title).id_salt(("fault", index)).open(open).show(ui, |ui| {
            entry(ui, project, &group, fault);
            let words = format!("Remove {owner}");
            if ui.add_enabled_ui(group.enabled, |ui| widgets::text_button(ui, icon::DELETE, ButtonWords::new(&words))).inner.clicked() {
                removed = Some(index);
            }
        });
    }
    if let Some(index) = removed {
        scenario.faults.remove(index);
    }
    let label = format!("Add to the timeline of {}", group.owner);
    let words = ButtonWords::new(&label).unless((!group.enabled).then_some(LOCKED));
    if widgets::text_button(ui, icon::ADD, words).clicked() {
        let target = FaultTarget::Component(project.components.keys().next().cloned().unwrap_or_default());
        let at = SimTime::ZERO + SimDuration::from_secs(10);
        scenario.faults.push(TimedFault { at, target, action: SET.to_owned(), params: IndexMap::new() });
    }
    ui.add_space(theme::space::XS);
}

fn entry(ui: &mut Ui, project: &Project, group: &Group<'_>, fault: &mut TimedFault) {
    // The list stands in the order of time: a half-typed time must not move the row away.
    let when = Group { apply: Apply::OnLeave, ..*group };
    let at = |text: &str| text.parse::<SimDuration>().map(|span| SimTime::ZERO + span).map_err(|error| error.to_string());
    if let Some(at) = when.text(ui, ("at", "At"), (&fault.at.to_string(), false), at) {
        fault.at = at;
    }
    target_choice(ui, project, group, fault);
    match &fault.target {
        FaultTarget::Component(id) => {
            let id = id.clone();
            component_entry(ui, project, group, &id, fault);
        }
        FaultTarget::Link(..) => {
            let actions: Vec<&ActionSpec> = LINK_FAULTS.iter().collect();
            action_choice(ui, group, &actions, &[], fault);
        }
    }
}

/// A component or a link.
fn target_choice(ui: &mut Ui, project: &Project, group: &Group<'_>, fault: &mut TimedFault) {
    let links = project.links.iter().map(|link| FaultTarget::Link(link.from.clone(), link.to.clone()));
    let targets: Vec<FaultTarget> = project.components.keys().cloned().map(FaultTarget::Component).chain(links).collect();
    let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let field = match fault.target {
        FaultTarget::Component(_) => ("component", "Happens to"),
        FaultTarget::Link(..) => ("link", "Happens to"),
    };
    let Some(name) = named_choice(ui, group, field, &fault.target.to_string(), &words) else { return };
    let Some(target) = names.iter().position(|other| other == name).map(|index| targets[index].clone()) else { return };
    let was_link = matches!(fault.target, FaultTarget::Link(..));
    fault.target = target;
    if matches!(fault.target, FaultTarget::Link(..)) != was_link {
        fault.action = if was_link { SET } else { LINK_FAULTS[0].name }.to_owned();
        fault.params.clear();
    }
}

fn component_entry(ui: &mut Ui, project: &Project, group: &Group<'_>, id: &str, fault: &mut TimedFault) {
    let Some(component) = project.components.get(id) else { return };
    let Some(kind) = components::by_id(&component.kind) else { return };
    let actions: Vec<&ActionSpec> = kind.spec().all_actions().collect();
    action_choice(ui, group, &actions, &[SET], fault);
    if fault.action == SET {
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

/// What is done, and its arguments.
fn action_choice(ui: &mut Ui, group: &Group<'_>, actions: &[&ActionSpec], first: &[&str], fault: &mut TimedFault) {
    let words: Vec<&str> = first.iter().copied().chain(actions.iter().map(|action| action.name)).collect();
    if let Some(action) = named_choice(ui, group, ("action", "Action"), &fault.action, &words) {
        fault.action = action.to_owned();
        fault.params.clear();
    }
    if let Some(action) = actions.iter().find(|action| action.name == fault.action) {
        ui.label(theme::muted(theme::tokens(ui.ctx()), action.help));
        let named = fault.params.keys().map(String::as_str);
        let unnamed = action.params.iter().map(|spec| spec.name).filter(|name| !fault.params.contains_key(*name));
        let names: Vec<String> = named.chain(unnamed).map(str::to_owned).collect();
        params_ui(ui, group, (action.params, None), &names, &mut fault.params);
    }
}
