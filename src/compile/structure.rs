//! Problems of the drawing itself: kinds, profiles, parameters, links, faults, layout.

use std::collections::BTreeMap;

use super::{expectations, faults};
use crate::components::{self, LINK_PARAMS, PortSpec, can_connect, check_params};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Component, Endpoint, Project, id_is_valid};

pub(super) fn check(project: &Project, out: &mut Vec<Diagnostic>) {
    if project.components.is_empty() {
        out.push(
            Diagnostic::error("design-empty", "components", "the design has no components")
                .with_hint("place a producer, a Kafka cluster and a consumer, and link them"),
        );
    }
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, component) in &project.components {
        check_component(id, component, out);
        if let Some(other) = keys.insert(component.stream_key(id), id) {
            out.push(Diagnostic::error(
                "key-taken",
                format!("components.{id}.key"),
                format!("`{id}` and `{other}` have the same key, so their random numbers would be the same"),
            ));
        }
    }
    for (index, _) in project.links.iter().enumerate() {
        check_link(project, index, out);
    }
    check_misses(project, out);
    faults::check(project, out);
    check_layout(project, out);
}

fn check_component(id: &str, component: &Component, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{id}");
    if !id_is_valid(id) {
        out.push(
            Diagnostic::error("id-bad", path.clone(), format!("`{}` cannot be an id", id.chars().take(40).collect::<String>()))
                .with_hint("use letters, digits, - and _, at most 64"),
        );
    }
    let Some(kind) = components::by_id(&component.kind) else {
        let kinds = components::ALL.iter().map(|kind| kind.spec().id);
        let mut diagnostic = Diagnostic::error("kind-unknown", format!("{path}.kind"), format!("there is no kind `{}`", component.kind));
        diagnostic = match nearest(&component.kind, kinds.clone()) {
            Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
            None => diagnostic.with_hint(format!("kinds are {}", kinds.collect::<Vec<_>>().join(", "))),
        };
        out.push(diagnostic);
        return;
    };
    if let Some(profile) = component.profile.as_deref().filter(|profile| !kind.spec().profiles.contains(profile)) {
        let message = format!("the kind {} has no profile `{profile}`", kind.spec().title);
        let diagnostic = Diagnostic::error("profile-unknown", format!("{path}.profile"), message);
        let hint = match nearest(profile, kind.spec().profiles.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if kind.spec().profiles.is_empty() => "leave it out".to_owned(),
            None => format!("profiles are {}", kind.spec().profiles.join(", ")),
        };
        out.push(diagnostic.with_hint(hint));
    }
    check_params(&path, kind.spec().params, &component.params, out);
}

fn check_link(project: &Project, index: usize, out: &mut Vec<Diagnostic>) {
    let link = &project.links[index];
    let path = format!("links[{index}]");
    check_params(&path, LINK_PARAMS, &link.params, out);
    if project.links[..index].iter().any(|other| other.from == link.from && other.to == link.to) {
        out.push(Diagnostic::error("link-twice", path.clone(), format!("{} is already linked to {}", link.from, link.to)));
    }
    let from = resolve(project, &link.from, &format!("{path}.from"), out);
    let to = resolve(project, &link.to, &format!("{path}.to"), out);
    if let (Some(from), Some(to)) = (from, to)
        && let Err(refusal) = can_connect((&link.from.component, &from), (&link.to.component, &to))
    {
        out.push(Diagnostic::error("link-senseless", path, refusal.to_string()));
    }
}

fn resolve(project: &Project, end: &Endpoint, path: &str, out: &mut Vec<Diagnostic>) -> Option<PortSpec> {
    let Some(component) = project.components.get(&end.component) else {
        let mut diagnostic = Diagnostic::error("link-dangling", path, format!("there is no component `{}`", end.component));
        if let Some(near) = nearest(&end.component, project.components.keys().map(String::as_str)) {
            diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
        }
        out.push(diagnostic);
        return None;
    };
    let ports = components::by_id(&component.kind)?.ports(component);
    if let Some(port) = ports.iter().find(|port| port.name == end.port) {
        return Some(port.clone());
    }
    let diagnostic = Diagnostic::error("port-unknown", path, format!("`{}` has no port `{}`", end.component, end.port));
    let hint = match nearest(&end.port, ports.iter().map(|port| port.name.as_str())) {
        Some(near) => format!("did you mean `{}.{near}`?", end.component),
        None => format!("its ports are {}", ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ")),
    };
    out.push(diagnostic.with_hint(hint));
    None
}

fn check_misses(project: &Project, out: &mut Vec<Diagnostic>) {
    let guarantees = expectations::of_guarantees(project);
    for (name, scenario) in &project.scenarios {
        for (index, missed) in scenario.misses.iter().enumerate() {
            if !project.expect.contains(missed) && !guarantees.contains(missed) {
                let path = format!("scenarios.{name}.misses[{index}]");
                let diagnostic =
                    Diagnostic::error("expectation-unknown", path, format!("`{missed}` is not one of the project's expectations"));
                out.push(diagnostic.with_hint("repeat the text of an entry of `expect`"));
            }
        }
    }
}

fn check_layout(project: &Project, out: &mut Vec<Diagnostic>) {
    for id in project.layout.positions.keys().filter(|id| !project.components.contains_key(*id)) {
        out.push(Diagnostic::warning("layout-dangling", format!("layout.positions.{id}"), format!("there is no component `{id}`")));
    }
    for (index, frame) in project.layout.frames.iter().enumerate() {
        for member in frame.members.iter().filter(|id| !project.components.contains_key(*id)) {
            out.push(Diagnostic::warning(
                "layout-dangling",
                format!("layout.frames[{index}].members"),
                format!("there is no component `{member}`"),
            ));
        }
    }
}
