//! The schema registry: keeps subjects and versions, answers look-ups and registrations.
//!
//! In: schema requests at port `in`. Out: replies on the same link, after a queue with one server.
//! Versions that the design lists are registered before the run begins; compile refuses a list that the
//! subject's compatibility level would refuse. Two products: Confluent's registry, and AWS Glue's.
//! Must not know: what clients do with schemas. Start at [`RegistryKind`].

mod backend;
mod sim;
mod spec;
mod standing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{BuildCtx, Declarations, Kind, KindSpec, Params, PortSpec, PortType, SubjectDeclared};
use crate::diagnostics::{Diagnostic, nearest};
use crate::engine::Process;
use crate::machines::codec::{AvroRules, Policy, Rules};
use crate::machines::registry::{Compatibility, ConfigUpdate, Registry};
use crate::model::Component;
pub(super) use backend::GLUE;
use backend::{Backend, NewVersion, Refused, RefusedKind};
use sim::RegistryProcess;

use crate::units::SimTime;

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
    fn declares(&self, _: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        let is_glue = params.profile() == Some(GLUE);
        let rules = Rules {
            policy: if is_glue { Policy::Strict } else { params.text("policy").parse().unwrap_or_default() },
            avro: if is_glue { AvroRules::Old } else { AvroRules::Current },
            ..Rules::default()
        };
        let subject = |(name, row): (&str, Params<'_>)| SubjectDeclared {
            name: name.to_owned(),
            schema_type: row.text("type"),
            level: level_of(&row.optional_text("compatibility").unwrap_or_else(|| params.text("compatibility"))),
            rules,
            references: row.words("references").iter().map(|word| reference(word)).collect(),
            versions: row.words("versions"),
        };
        Declarations { subjects: params.named("subjects").into_iter().map(subject).collect(), ..Declarations::default() }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        register_all(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        // Problems were reported by `check`: a design with any never gets here.
        let backend = register_all(ctx, params, &mut Vec::new());
        let texts = ctx.project.schemas.iter().map(|(name, source)| (name.clone(), Arc::clone(&source.text))).collect();
        Ok(Box::new(RegistryProcess::new(backend, texts, params.distribution("service_time"), ctx.stream("service"))))
    }
}

/// A registry with every listed version, in file order, and what is wrong with the list.
fn register_all(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) -> Backend {
    let mut backend = empty(ctx, params, out);
    for (name, row) in params.named("subjects") {
        let path = format!("components.{}.subjects.{name}", ctx.id);
        let own = row.optional_text("compatibility");
        if let (Some(own), Backend::Confluent(_)) = (&own, &backend) {
            set_level(&mut backend, Some(name), own, &path, out);
        }
        let versions = row.words("versions");
        if versions.is_empty() {
            let empty = Diagnostic::warning("subject-empty", format!("{path}.versions"), format!("subject `{name}` has no versions"));
            out.push(empty.with_hint("list names of the project's schemas, oldest first"));
        }
        let schema_type = row.text("type");
        let references: Vec<(String, String)> = row.words("references").iter().map(|word| reference(word)).collect();
        for (index, version) in versions.iter().enumerate() {
            let path = format!("{path}.versions[{index}]");
            let Some(source) = ctx.project.schemas.get(version) else {
                out.push(unknown_schema(ctx, path, version));
                continue;
            };
            let new = NewVersion { subject: name, schema_type: &schema_type, text: &source.text, references: references.clone() };
            if let Err(refused) = backend.register(SimTime::ZERO, &new) {
                out.push(refusal(path, version, &new, &refused));
            }
            if let (0, Some(own), Backend::Glue { .. }) = (index, &own, &backend) {
                set_level(&mut backend, Some(name), own, &format!("components.{}.subjects.{name}", ctx.id), out);
            }
        }
    }
    backend
}

fn empty(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) -> Backend {
    let (library, level, path) = (Arc::clone(ctx.schemas), params.text("compatibility"), format!("components.{}", ctx.id));
    if params.profile() == Some(GLUE) {
        let mut backend = Backend::glue(library, &level, ctx.stream("uuids"));
        set_level(&mut backend, None, &level, &path, out);
        return backend;
    }
    let mut registry = Registry::new(library, level.parse().unwrap_or_default());
    if level.parse::<Compatibility>().is_err() {
        out.push(other_product(&path, &level, Compatibility::WORDS.join(", ")));
    }
    let update = ConfigUpdate {
        policy: Some(params.text("policy")),
        normalize: Some(params.flag("normalize")),
        level: Some(level).filter(|level| level.parse::<Compatibility>().is_ok()),
        alias: None,
    };
    // Words are checked by the parameters themselves; an empty registry refuses nothing else.
    let _ = registry.set_config(None, &update);
    Backend::Confluent(Box::new(registry))
}

fn set_level(backend: &mut Backend, subject: Option<&str>, level: &str, path: &str, out: &mut Vec<Diagnostic>) {
    if let Err(words) = backend.set_level(subject, level) {
        out.push(other_product(path, level, words));
    }
}

/// A level of the other product.
fn other_product(path: &str, level: &str, words: String) -> Diagnostic {
    let message = format!("this registry knows no level `{level}`");
    Diagnostic::error("compatibility-unknown", format!("{path}.compatibility"), message).with_hint(words)
}

/// A level of either product in Confluent's words; none for one that takes no further version.
fn level_of(word: &str) -> Option<Compatibility> {
    let confluent = word.strip_suffix("_ALL").map_or_else(|| word.to_owned(), |stem| format!("{stem}_TRANSITIVE"));
    (word != "DISABLED").then(|| confluent.parse().unwrap_or_default())
}

/// `shop.Address=address-value`, or a subject of the same name.
fn reference(word: &str) -> (String, String) {
    let (name, subject) = word.split_once('=').unwrap_or((word, word));
    (name.trim().to_owned(), subject.trim().to_owned())
}

fn unknown_schema(ctx: &BuildCtx<'_>, path: String, name: &str) -> Diagnostic {
    let unknown = Diagnostic::error("schema-unknown", path, format!("the project has no schema `{name}`"));
    match nearest(name, ctx.project.schemas.keys().map(String::as_str)) {
        Some(near) => unknown.with_hint(format!("did you mean `{near}`?")),
        None => unknown.with_hint("name it under `schemas` at the top of the project"),
    }
}

fn refusal(path: String, version: &str, new: &NewVersion<'_>, refused: &Refused) -> Diagnostic {
    let NewVersion { subject, schema_type, text, .. } = new;
    match refused.kind {
        RefusedKind::Incompatible => {
            let words = format!("schema `{version}` may not follow the earlier versions of subject `{subject}`");
            Diagnostic::error("schema-incompatible", path, words).with_hint(refused.reasons.join("; "))
        }
        RefusedKind::Invalid => {
            let words = format!("schema `{version}` is no {schema_type} schema: {}", refused.reasons.join("; "));
            let invalid = Diagnostic::error("schema-invalid", path, words);
            let is_json_schema = *schema_type == "AVRO" && text.contains("\"$schema\"");
            if is_json_schema { invalid.with_hint("it looks like a JSON Schema: write type: \"JSON\" in the subject") } else { invalid }
        }
        RefusedKind::Other => Diagnostic::error("schema-refused", path, refused.words.clone()),
    }
}
