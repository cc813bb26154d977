//! Problems of the `expect` section: each text parses, and the names in it exist.

use super::names::Names;
use crate::components;
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::Project;
use crate::predicate::Expectation;

/// Expectations of one project, at most.
const EXPECTATIONS_MAX: usize = 500;

/// The guarantees that components state, as expectations that `expect` does not have yet.
pub(super) fn of_guarantees(project: &Project) -> Vec<String> {
    let stated = project.components.iter().flat_map(|(id, component)| {
        let guarantees = components::by_id(&component.kind).map(|kind| kind.declares(id, component).guarantees);
        guarantees.unwrap_or_default().into_iter().map(move |word| format!("guarantee(\"{id}\", {word})"))
    });
    stated.filter(|text| !project.expect.contains(text)).collect()
}

pub(super) fn check(project: &Project, names: &Names, out: &mut Vec<Diagnostic>) {
    if project.expect.len() > EXPECTATIONS_MAX {
        let message = format!("{} expectations; at most {EXPECTATIONS_MAX} are judged", project.expect.len());
        out.push(Diagnostic::error("expectations-too-many", "expect", message));
        return;
    }
    for (index, text) in project.expect.iter().enumerate() {
        let path = format!("expect[{index}]");
        match Expectation::parse(text) {
            Ok(expectation) => check_names(project, names, &path, &expectation, out),
            Err(error) => {
                let mut diagnostic = Diagnostic::error("expectation-syntax", path, format!("{error} in `{}`", shorten(text)));
                diagnostic.hint = error.hint;
                out.push(diagnostic);
            }
        }
    }
}

fn check_names(project: &Project, names: &Names, path: &str, expectation: &Expectation, out: &mut Vec<Diagnostic>) {
    for (kinds, name, column) in expectation.names() {
        let mut known: Vec<&str> = Vec::new();
        if kinds.component {
            known.extend(project.components.keys().map(String::as_str));
        }
        if kinds.group {
            known.extend(names.groups.iter().map(|group| &*group.name));
        }
        if kinds.topic {
            known.extend(names.topics.iter().map(|topic| &*topic.name));
        }
        if known.contains(&name) {
            continue;
        }
        let message = format!("there is no {kinds} `{}` (column {column})", shorten(name));
        let diagnostic = Diagnostic::error("expectation-name", path, message);
        let hint = nearest(name, known.iter().copied()).map_or_else(
            || {
                if known.is_empty() {
                    "the design has none yet".to_owned()
                } else {
                    format!("there are {}", known[..known.len().min(10)].join(", "))
                }
            },
            |near| format!("did you mean \"{near}\"?"),
        );
        out.push(diagnostic.with_hint(hint));
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
