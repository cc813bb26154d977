//! The design a run really uses: a scenario's and the command line's overrides laid over it.

use std::collections::BTreeMap;

use super::RunOptions;
use crate::components::{self, check_value};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{ParamSpec, Project, Scenario, Value};

/// The project with overrides applied, and the name of the scenario in force (empty for none).
pub(super) fn apply(project: &Project, options: &RunOptions, out: &mut Vec<Diagnostic>) -> (Project, String) {
    let mut effective = project.clone();
    let name = match &options.scenario {
        Some(name) if project.scenarios.contains_key(name) => name.clone(),
        Some(name) => {
            let mut diagnostic = Diagnostic::error("scenario-unknown", "scenarios", format!("there is no scenario `{name}`"));
            if let Some(near) = nearest(name, project.scenarios.keys().map(String::as_str)) {
                diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
            }
            out.push(diagnostic);
            String::new()
        }
        None => project.scenarios.keys().next().cloned().unwrap_or_default(),
    };
    if let Some(scenario) = project.scenarios.get(&name) {
        for (id, params) in &scenario.set {
            for (param, value) in params {
                set(&mut effective, &format!("scenarios.{name}.set.{id}"), id, param, value.clone(), out);
            }
        }
    }
    for (id, param, value) in &options.set {
        set(&mut effective, &format!("--set {id}"), id, param, value.clone(), out);
    }
    (effective, name)
}

fn set(project: &mut Project, path: &str, id: &str, param: &str, value: Value, out: &mut Vec<Diagnostic>) {
    let Some(component) = project.components.get_mut(id) else {
        let mut diagnostic = Diagnostic::error("component-unknown", path, format!("there is no component `{id}`"));
        if let Some(near) = nearest(id, project.components.keys().map(String::as_str)) {
            diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
        }
        out.push(diagnostic);
        return;
    };
    if let Some(kind) = components::by_id(&component.kind) {
        let specs: &'static [ParamSpec] = kind.spec().params;
        match specs.iter().find(|spec| spec.name == param) {
            None => {
                let mut diagnostic =
                    Diagnostic::error("param-unknown", format!("{path}.{param}"), format!("`{id}` has no parameter `{param}`"));
                if let Some(near) = nearest(param, specs.iter().map(|spec| spec.name)) {
                    diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
                }
                out.push(diagnostic);
                return;
            }
            // Tables are checked with the component; a scalar is named here, where it was written.
            Some(spec) if !matches!(value, Value::List(_) | Value::Map(_)) => {
                if let Err(error) = check_value(spec, &value) {
                    let mut diagnostic = Diagnostic::error(error.code, format!("{path}.{param}"), error.message);
                    diagnostic.hint = error.hint;
                    out.push(diagnostic);
                    return;
                }
            }
            Some(_) => {}
        }
    }
    component.params.insert(param.to_owned(), value);
}

/// A problem found under a scenario, moved to the scenario's own text when that is where it was written.
pub(super) fn relocate(mut diagnostic: Diagnostic, project: &Project, scenario: &str) -> Diagnostic {
    let rest = diagnostic.path.strip_prefix("components.").map(str::to_owned);
    let set = project.scenarios.get(scenario).map(|scenario| &scenario.set);
    if let (Some(rest), Some(set)) = (rest, set) {
        let mut parts = rest.splitn(3, '.');
        let (id, param) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if set.get(id).is_some_and(|params| params.contains_key(param)) {
            diagnostic.path = format!("scenarios.{scenario}.set.{rest}");
            return diagnostic;
        }
    }
    if !diagnostic.path.starts_with("scenarios.") {
        diagnostic.message = format!("{} (in scenario `{scenario}`)", diagnostic.message);
    }
    diagnostic
}

/// What scenario and command line changed, for the report.
pub(super) fn overrides(scenario: &Scenario, options: &RunOptions) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (id, params) in &scenario.set {
        for (param, value) in params {
            all.insert(format!("{id}.{param}"), value.to_field_text());
        }
    }
    for (id, param, value) in &options.set {
        all.insert(format!("{id}.{param}"), value.to_field_text());
    }
    all
}
