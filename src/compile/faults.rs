//! A scenario's timeline: everything that is wrong with it, and the inputs that it becomes.

use crate::components::{self, ActionSpec, LINK_FAULTS, Params, PlannedAction, check_params};
use crate::diagnostics::{Diagnostic, nearest};
use crate::engine::Input;
use crate::model::{FaultTarget, Project, Scenario, TimedFault};
use crate::units::{ComponentIx, LinkIx};

use super::plan::{InputTarget, TimedInput};

/// Changes parameters instead of acting.
const SET: &str = "set";

pub(super) fn check(project: &Project, out: &mut Vec<Diagnostic>) {
    for (name, scenario) in &project.scenarios {
        for (index, fault) in scenario.faults.iter().enumerate() {
            let path = format!("scenarios.{name}.faults[{index}]");
            match &fault.target {
                FaultTarget::Component(id) => check_component_fault(project, &path, id, (fault, &scenario.faults), out),
                FaultTarget::Link(..) => check_link_fault(project, &path, fault, out),
            }
            if scenario.length.is_some_and(|length| fault.at.as_ns() > length.as_ns()) {
                out.push(Diagnostic::warning("fault-late", format!("{path}.at"), "this happens after the scenario's end"));
            }
        }
    }
}

fn check_component_fault(
    project: &Project,
    path: &str,
    id: &str,
    (fault, timeline): (&TimedFault, &[TimedFault]),
    out: &mut Vec<Diagnostic>,
) {
    let Some(component) = project.components.get(id) else {
        let diagnostic = Diagnostic::error("component-unknown", format!("{path}.component"), format!("there is no component `{id}`"));
        out.push(with_nearest(diagnostic, id, project.components.keys().map(String::as_str), "the design has"));
        return;
    };
    let Some(kind) = components::by_id(&component.kind) else { return };
    let spec = kind.spec();
    if fault.action == SET {
        check_set(path, spec.params, &fault.params, out);
    } else if let Some(action) = spec.action(&fault.action) {
        check_params(path, action.params, &fault.params, out);
        let arguments = &Params::new(action.params, None, &fault.params);
        kind.check_action(component, &PlannedAction { path, fault, arguments, timeline }, out);
    } else {
        let message = format!("a {} does not understand `{}`", spec.id, fault.action);
        out.push(unknown_action(path, message, &fault.action, spec.all_actions()));
    }
}

fn check_link_fault(project: &Project, path: &str, fault: &TimedFault, out: &mut Vec<Diagnostic>) {
    if link_of(project, &fault.target).is_none() {
        let names: Vec<String> = project.links.iter().map(|link| format!("{} -> {}", link.from, link.to)).collect();
        let wanted = fault.target.to_string();
        let diagnostic = Diagnostic::error("link-unknown", format!("{path}.link"), format!("there is no link `{wanted}`"));
        out.push(with_nearest(diagnostic, &wanted, names.iter().map(String::as_str), "the design has"));
    }
    match LINK_FAULTS.iter().find(|action| action.name == fault.action) {
        Some(action) => check_params(path, action.params, &fault.params, out),
        None => {
            let message = format!("a link does not understand `{}`", fault.action);
            out.push(unknown_action(path, message, &fault.action, LINK_FAULTS.iter()));
        }
    }
}

fn unknown_action<'a>(path: &str, message: String, action: &str, known: impl Iterator<Item = &'a ActionSpec>) -> Diagnostic {
    let names: Vec<&str> = known.map(|action| action.name).chain([SET]).collect();
    let diagnostic = Diagnostic::error("action-unknown", format!("{path}.action"), message);
    with_nearest(diagnostic, action, names.into_iter(), "it understands")
}

/// Hints at the nearest name, or lists them all.
fn with_nearest<'a>(diagnostic: Diagnostic, wanted: &str, names: impl Iterator<Item = &'a str> + Clone, intro: &str) -> Diagnostic {
    match nearest(wanted, names.clone()) {
        Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
        None => diagnostic.with_hint(format!("{intro} {}", names.collect::<Vec<_>>().join(", "))),
    }
}

/// Checks new values of parameters: what is missing is not missing here.
fn check_set(
    path: &str,
    specs: &'static [crate::model::ParamSpec],
    params: &indexmap::IndexMap<String, crate::model::Value>,
    out: &mut Vec<Diagnostic>,
) {
    let mut found = Vec::new();
    check_params(path, specs, params, &mut found);
    out.extend(found.into_iter().filter(|diagnostic| diagnostic.code != "param-missing"));
}

fn link_of(project: &Project, target: &FaultTarget) -> Option<LinkIx> {
    let FaultTarget::Link(from, to) = target else { return None };
    let index = project.links.iter().position(|link| link.from == *from && link.to == *to)?;
    Some(LinkIx(u32::try_from(index).expect("the reader limits links")))
}

/// What a target of the file is in the plan.
pub fn input_target(project: &Project, target: &FaultTarget) -> Option<InputTarget> {
    match target {
        FaultTarget::Component(id) => {
            let index = project.components.get_index_of(id)?;
            Some(InputTarget::Component(ComponentIx(u32::try_from(index).expect("the reader limits components"))))
        }
        FaultTarget::Link(..) => link_of(project, target).map(InputTarget::Link),
    }
}

/// The scenario's faults as inputs in time order (a stable sort: the file's order within an instant).
pub(super) fn inputs(project: &Project, scenario: &Scenario) -> Vec<TimedInput> {
    let mut inputs = Vec::new();
    for fault in &scenario.faults {
        let Some(target) = input_target(project, &fault.target) else { continue };
        if fault.action == SET {
            for (param, value) in &fault.params {
                let input = Input::Set { param: param.clone(), value: value.clone() };
                inputs.push(TimedInput { at: fault.at, target, input });
            }
        } else {
            let input = Input::Action { name: fault.action.clone(), params: fault.params.clone() };
            inputs.push(TimedInput { at: fault.at, target, input });
        }
    }
    inputs.sort_by_key(|input| input.at);
    inputs
}
