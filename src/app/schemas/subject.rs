//! Subjects as the window shows them: how they stand, in the design or in its run, with the design's own texts.
//!
//! In: a project, or what a running registry answers. Out: [`Subject`]s and what a new version of one is judged by.
//! What stands is always said by the registry's own process, so the window and a run cannot disagree.
//! Start at [`planned`], [`Subject::all`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::components::{self, BuildCtx, Params};
use crate::diagnostics::{Diagnostic, Severity};
use crate::event::{Answer, Query, SubjectStanding, VersionStanding, VersionState};
use crate::machines::codec::{AvroRules, Named, Policy, Rules, Schema, SchemaLibrary};
use crate::machines::registry::{Compatibility, Older};
use crate::model::Project;
use crate::units::{ComponentIx, SimTime};

use super::pretty::laid_out;

/// The kind whose subjects these are.
const REGISTRY: &str = "registry";
/// References within references.
const DEPTH_MAX: usize = 16;

/// A subject, and where the design has its texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// How it stands.
    pub standing: SubjectStanding,
    /// Names and texts of the project's schemas, by the version that they are.
    sources: BTreeMap<u32, (String, Arc<str>)>,
    /// Schemas that the design lists and its registry does not take, with the reason.
    pub refused: Vec<(String, String)>,
}

/// Registries of a design, in its order.
pub fn registries(project: &Project) -> impl Iterator<Item = &str> {
    project.components.iter().filter(|(_, component)| component.kind == REGISTRY).map(|(id, _)| id.as_str())
}

/// How the subjects of a registry stand before a run.
#[must_use]
pub fn planned(project: &Project, registry: &str, library: &Arc<SchemaLibrary>) -> Vec<SubjectStanding> {
    let Some(component) = project.components.get(registry).filter(|component| component.kind == REGISTRY) else { return Vec::new() };
    let Some(kind) = components::by_id(&component.kind) else { return Vec::new() };
    let profile = component.profile.as_deref().or_else(|| kind.spec().profiles.first().copied());
    let params = Params::new(kind.spec().params, profile, &component.params);
    let ctx = BuildCtx {
        project,
        id: registry,
        me: ComponentIx(0),
        key: component.stream_key(registry),
        seed: project.seed,
        links: &[],
        topics: &[],
        groups: &[],
        event_types: &BTreeMap::new(),
        schemas: library,
    };
    let answer = kind.build(&ctx, &params).ok().and_then(|process| process.browse(SimTime::ZERO, &Query::Subjects));
    match answer {
        Some(Answer::Subjects(subjects)) => subjects,
        _ => Vec::new(),
    }
}

impl Subject {
    /// Standings of a registry, each with what the design says of it.
    #[must_use]
    pub fn all(
        project: &Project,
        registry: &str,
        standings: &[SubjectStanding],
        problems: &[Diagnostic],
        library: &SchemaLibrary,
    ) -> Vec<Self> {
        let component = project.components.get(registry);
        let declared = component
            .and_then(|component| Some(components::by_id(&component.kind)?.declares(registry, component).subjects))
            .unwrap_or_default();
        let of = |standing: &SubjectStanding| {
            let names = declared.iter().find(|one| one.name == *standing.name).map(|one| &one.versions[..]).unwrap_or_default();
            let refused = names.iter().enumerate().filter_map(|(at, name)| {
                let path = format!("components.{registry}.subjects.{}.versions[{at}]", standing.name);
                let problem = problems.iter().find(|problem| problem.path == path && problem.severity == Severity::Error)?;
                let hint = problem.hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
                Some((name.clone(), format!("{}{hint}", problem.message)))
            });
            let sources = standing.versions.iter().filter_map(|version| {
                let name = names.iter().find(|name| {
                    let text = project.schemas.get(*name).map(|source| &source.text);
                    let compiled = text.and_then(|text| library.compile_with(&standing.schema_type, text, &version.references).ok());
                    compiled.is_some_and(|schema| {
                        *schema.text() == version.text || schema.stored_text() == version.text || schema.normal_text() == version.text
                    })
                })?;
                Some((version.number, (name.clone(), Arc::clone(&project.schemas.get(name)?.text))))
            });
            Self { sources: sources.collect(), refused: refused.collect(), standing: standing.clone() }
        };
        let mut all: Vec<Self> = standings.iter().map(of).collect();
        all.sort_by_key(|subject| declared.iter().position(|one| *one.name == **subject.name()).unwrap_or(usize::MAX));
        all
    }
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.standing.name
    }
    /// A version by its number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&VersionStanding> {
        self.standing.versions.iter().find(|version| version.number == number)
    }
    /// The newest version that clients get; of a subject without one, the newest that there is.
    #[must_use]
    pub fn latest(&self) -> Option<&VersionStanding> {
        let available = self.standing.versions.iter().rev().find(|version| version.state == VersionState::Available);
        available.or(self.standing.versions.last())
    }
    /// Versions that clients get.
    #[must_use]
    pub fn versions_count(&self) -> usize {
        self.standing.versions.iter().filter(|version| version.state == VersionState::Available).count()
    }
    /// The name of the project's schema that a version is.
    #[must_use]
    pub fn source_name(&self, number: u32) -> Option<&str> {
        self.sources.get(&number).map(|(name, _)| name.as_str())
    }
    /// A version's text as the design has it, or laid out.
    #[must_use]
    pub fn shown_text(&self, number: u32) -> String {
        match (self.sources.get(&number), self.version(number)) {
            (Some((_, text)), _) => laid_out(text),
            (None, Some(version)) => laid_out(&version.text),
            (None, None) => String::new(),
        }
    }
    /// Whether its schemas are Protobuf.
    #[must_use]
    pub fn is_protobuf(&self) -> bool {
        *self.standing.schema_type == *"PROTOBUF"
    }
    /// What is asked of a new version; none where none is taken.
    #[must_use]
    pub fn question(&self) -> Option<Compatibility> {
        self.standing.question.as_ref().and_then(|word| word.parse().ok())
    }
    /// By which rules versions are compared.
    #[must_use]
    pub fn rules(&self) -> Rules {
        let avro = if self.standing.is_glue { AvroRules::Old } else { AvroRules::Current };
        Rules { policy: self.standing.policy.parse().unwrap_or(Policy::Strict), avro, ..Rules::default() }
    }
    /// A version compiled.
    #[must_use]
    pub fn schema(&self, number: u32, library: &SchemaLibrary) -> Option<Arc<Schema>> {
        let version = self.version(number)?;
        library.compile_with(&self.standing.schema_type, &version.text, &version.references).ok()
    }
    /// Versions that a new one may be compared with, oldest first.
    #[must_use]
    pub fn older(&self, library: &SchemaLibrary) -> Vec<Older> {
        let older = |number: &u32| Some(Older { version: Some(*number), schema: self.schema(*number, library)? });
        self.standing.against.iter().filter_map(older).collect()
    }
}

/// The texts that a new version of a subject may name: the latest versions of what its latest version names.
#[must_use]
pub fn references_of(subject: &Subject, all: &[Subject]) -> Vec<Named> {
    let mut named = Vec::new();
    collect(subject, all, 0, &mut named);
    named
}

fn collect(subject: &Subject, all: &[Subject], depth: usize, out: &mut Vec<Named>) {
    let Some(latest) = subject.latest().filter(|_| depth < DEPTH_MAX) else { return };
    for (name, of) in &latest.refers {
        let other = all.iter().find(|other| other.name() == of);
        let Some((other, text)) = other.and_then(|other| Some((other, Arc::clone(&other.latest()?.text)))) else { continue };
        if out.iter().all(|known| known.name != *name) {
            collect(other, all, depth + 1, out);
            out.push(Named { name: Arc::clone(name), text });
        }
    }
}
