//! The schema registry: keeps subjects and versions, answers look-ups and registrations.
//!
//! In: schema requests at port `in`. Out: replies on the same link, after a queue with one server.
//! Versions that the design lists are registered before the run begins; compile refuses a list that the
//! subject's compatibility level would refuse.
//! Must not know: what clients do with schemas. Start at [`RegistryKind`].

mod sim;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{BuildCtx, Kind, KindSpec, Params, PortSpec, PortType};
use crate::diagnostics::{Diagnostic, nearest};
use crate::engine::Process;
use crate::machines::registry::{Compatibility, Registry, RegistryError};
use crate::model::Component;
use sim::RegistryProcess;

/// The kind `registry`.
#[derive(Clone, Copy, Debug)]
pub struct RegistryKind;

impl Kind for RegistryKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _component: &Component) -> Vec<PortSpec> {
        vec![PortSpec { name: "in".to_owned(), ty: PortType::Schemas, help: "Answers look-ups and registrations" }]
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        register_all(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        // Problems were reported by `check`: a design with any never gets here.
        let registry = register_all(ctx, params, &mut Vec::new());
        let texts = ctx.project.schemas.iter().map(|(name, source)| (name.clone(), Arc::clone(&source.text))).collect();
        Ok(Box::new(RegistryProcess::new(registry, texts, params.distribution("service_time"), ctx.stream("service"))))
    }
}

/// A registry with every listed version, in file order, and what is wrong with the list.
fn register_all(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) -> Registry {
    let level: Compatibility = params.text("compatibility").parse().unwrap_or_default();
    let mut registry = Registry::new(Arc::clone(ctx.schemas), level);
    for (name, row) in params.named("subjects") {
        let path = format!("components.{}.subjects.{name}", ctx.id);
        let subject: Arc<str> = name.into();
        if let Some(own) = row.optional_text("compatibility") {
            // A wrong word is reported by the parameter's own check.
            let _ = registry.set_level(Some(&subject), &own);
        }
        let versions = row.words("versions");
        if versions.is_empty() {
            let empty = Diagnostic::warning("subject-empty", format!("{path}.versions"), format!("subject `{name}` has no versions"));
            out.push(empty.with_hint("list names of the project's schemas, oldest first"));
        }
        let schema_type: Arc<str> = row.text("type").into();
        for (index, version) in versions.iter().enumerate() {
            let path = format!("{path}.versions[{index}]");
            let Some(source) = ctx.project.schemas.get(version) else {
                out.push(unknown_schema(ctx, path, version));
                continue;
            };
            if let Err(error) = registry.register(&subject, &schema_type, &source.text) {
                out.push(refusal(path, version, name, &schema_type, &source.text, &error));
            }
        }
    }
    registry
}

fn unknown_schema(ctx: &BuildCtx<'_>, path: String, name: &str) -> Diagnostic {
    let unknown = Diagnostic::error("schema-unknown", path, format!("the project has no schema `{name}`"));
    match nearest(name, ctx.project.schemas.keys().map(String::as_str)) {
        Some(near) => unknown.with_hint(format!("did you mean `{near}`?")),
        None => unknown.with_hint("name it under `schemas` at the top of the project"),
    }
}

fn refusal(path: String, version: &str, subject: &str, schema_type: &str, text: &str, error: &RegistryError) -> Diagnostic {
    match error.code {
        40901 => {
            let words = format!("schema `{version}` may not follow the earlier versions of subject `{subject}`");
            Diagnostic::error("schema-incompatible", path, words).with_hint(error.reasons.join("; "))
        }
        42201 => {
            let words = format!("schema `{version}` is no {schema_type} schema: {}", error.reasons.join("; "));
            let invalid = Diagnostic::error("schema-invalid", path, words);
            let is_json_schema = schema_type == "AVRO" && text.contains("\"$schema\"");
            if is_json_schema { invalid.with_hint("it looks like a JSON Schema: write type: \"JSON\" in the subject") } else { invalid }
        }
        _ => Diagnostic::error("schema-refused", path, error.to_string()),
    }
}
