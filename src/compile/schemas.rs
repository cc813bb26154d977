//! Schemas of the project that are none. What a registry lists is the registry's to judge, with its references.

use std::collections::BTreeSet;

use crate::components;
use crate::diagnostics::Diagnostic;
use crate::machines::codec::SchemaLibrary;
use crate::model::{Component, Project};

pub(super) fn check(project: &Project, library: &SchemaLibrary, out: &mut Vec<Diagnostic>) {
    let listed = listed(project);
    for (name, source) in project.schemas.iter().filter(|(name, _)| !listed.contains(*name)) {
        if let Err(words) = library.compile_any(&source.text) {
            out.push(Diagnostic::error("schema-bad", format!("schemas.{name}"), format!("`{name}` is no schema: {words}")));
        }
    }
}

/// What components keep as versions of their subjects.
fn listed(project: &Project) -> BTreeSet<String> {
    let subjects_of = |(id, component): (&String, &Component)| Some(components::by_id(&component.kind)?.declares(id, component).subjects);
    project.components.iter().filter_map(subjects_of).flatten().flat_map(|subject| subject.versions).collect()
}

#[cfg(test)]
mod tests {
    use crate::compile::check;
    use crate::project::read;

    #[test]
    fn a_text_that_is_no_schema_is_told_with_its_reason() {
        for (text, words) in [
            (r#"{\"type\": \"recor\"}"#, "recor"),
            (r#"{\"type\": \"object\", \"properties\": 3}"#, "not of type"),
            (r#"syntax = \"proto3\"; message {"#, "expected"),
        ] {
            let design = format!(
                r#"(format: 1, name: "Schemas", schemas: {{"order": (inline: "{text}")}}, components: {{
                    "web": (kind: "producer", events: [(type: "Placed", schema: "order")]),
                    "log": (kind: "kafka", topics: {{"orders": (partitions: 1)}})}},
                links: [(from: "web.out", to: "log.orders")])"#
            );
            let found = check(&read(&design).project);
            let bad = found.iter().find(|problem| problem.code == "schema-bad").unwrap_or_else(|| panic!("{text}: {found:?}"));
            assert_eq!(bad.path, "schemas.order");
            assert!(bad.message.contains(words), "{}", bad.message);
        }
    }
}
