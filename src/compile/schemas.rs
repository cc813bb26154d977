//! Schemas of the project that are none. What a registry lists is the registry's to judge, with its references.

use std::collections::BTreeSet;

use crate::components::{self, Params};
use crate::diagnostics::Diagnostic;
use crate::machines::codec::SchemaLibrary;
use crate::model::Project;

pub(super) fn check(project: &Project, library: &SchemaLibrary, out: &mut Vec<Diagnostic>) {
    let listed = listed(project);
    for (name, source) in project.schemas.iter().filter(|(name, _)| !listed.contains(*name)) {
        if let Err(words) = library.compile_any(&source.text) {
            out.push(Diagnostic::error("schema-bad", format!("schemas.{name}"), format!("`{name}` is no schema: {words}")));
        }
    }
}

/// What registries list, as versions or as what those refer to.
fn listed(project: &Project) -> BTreeSet<String> {
    let registries = project.components.values().filter(|component| component.kind == "registry");
    let mut names = BTreeSet::new();
    for component in registries {
        let Some(kind) = components::by_id(&component.kind) else { continue };
        let params = Params::new(kind.spec().params, component.profile.as_deref(), &component.params);
        for (_, row) in params.named("subjects") {
            names.extend(row.words("versions"));
        }
    }
    names
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
