//! The product behind a registry's card: Confluent's machine, or Glue's.
//!
//! In: requests of a run and what a person or a scenario tells it. Out: replies, or why not, in words.
//! Must not know: queues, links. Start at [`Backend::handle`].

use std::sync::Arc;

use crate::event::{SchemaCall, SchemaReply, SchemaRequest};
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::glue::{GlueError, GlueLevel, GlueRegistry, GlueStatus, GlueVersion};
use crate::machines::registry::{Breaks, ConfigUpdate, NewReference, NewSchema, Registering, Registry, VersionChoice, broken};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// The profile that is Glue's.
pub(in crate::components) const GLUE: &str = "glue";

/// One of the two machines.
#[derive(Clone, Debug)]
pub(super) enum Backend {
    Confluent(Box<Registry>),
    Glue { registry: Box<GlueRegistry>, level: GlueLevel },
}

/// Why a version is not taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) kind: RefusedKind,
    pub(super) words: String,
    /// Every reason by itself.
    pub(super) reasons: Vec<String>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedKind {
    /// It breaks the subject's rule.
    Incompatible,
    /// It is no schema.
    Invalid,
    /// Something else.
    Other,
}

/// A version to be registered.
#[derive(Debug)]
pub(super) struct NewVersion<'a> {
    pub(super) subject: &'a str,
    pub(super) schema_type: &'a str,
    pub(super) text: &'a str,
    /// Subjects whose latest version it may name, by the names it uses.
    pub(super) references: Vec<(String, String)>,
}

impl Backend {
    pub(super) fn glue(library: Arc<SchemaLibrary>, level: &str, uuids: Stream) -> Self {
        // A wrong word is reported by the card's check.
        let level = level.parse().unwrap_or_default();
        Self::Glue { registry: Box::new(GlueRegistry::new(library, SimDuration::ZERO, uuids)), level }
    }
    /// Answers one request of a run.
    pub(super) fn handle<C>(&mut self, now: SimTime, caller: C, request: &SchemaRequest, outbox: &mut Vec<(C, SchemaReply)>) {
        let (registry, level) = match self {
            Self::Confluent(registry) => return registry.handle(now, caller, request, outbox),
            Self::Glue { registry, level } => (registry, *level),
        };
        let found = match &request.body {
            SchemaCall::ByUuid(uuid) => registry.by_uuid(*uuid),
            SchemaCall::ById(_) => Err(GlueError::invalid("A schema version is known by its UUID here.")),
            SchemaCall::BySubject { subject, version } => {
                registry.version(subject, version.map_or(VersionChoice::Latest, VersionChoice::Number))
            }
            SchemaCall::Register { subject, text, schema_type } => glue_register(registry, level, now, subject, schema_type, text),
        };
        let result = found.map(|version| GlueRegistry::found(&version)).map_err(|error| (error.status(), error.to_string().into()));
        outbox.push((caller, SchemaReply { call: request.call, result }));
    }
    /// Registers a version; gives its subject and number.
    pub(super) fn register(&mut self, now: SimTime, new: &NewVersion<'_>) -> Result<(Arc<str>, u32), Refused> {
        match self {
            Self::Confluent(registry) => {
                let references = new.references.iter().map(|(name, subject)| NewReference {
                    name: name.as_str().into(),
                    subject: subject.as_str().into(),
                    version: VersionChoice::Latest,
                });
                let schema = NewSchema { references: references.collect(), ..NewSchema::new(new.schema_type, new.text) };
                let taken = registry.register(new.subject, &schema, Registering::default());
                taken.map(|registered| (registered.subject, registered.version)).map_err(|error| Refused {
                    kind: match error.code {
                        40901 => RefusedKind::Incompatible,
                        42201 => RefusedKind::Invalid,
                        _ => RefusedKind::Other,
                    },
                    words: error.to_string(),
                    reasons: error.reasons,
                })
            }
            Self::Glue { registry, level } => {
                let taken = glue_register(registry, *level, now, new.subject, new.schema_type, new.text);
                let other = |words: String| Refused { kind: RefusedKind::Invalid, reasons: vec![words.clone()], words };
                let version = taken.map_err(|error| other(error.to_string()))?;
                if version.status != GlueStatus::Failure {
                    return Ok((version.schema, version.number));
                }
                let reasons = registry.reasons(version.uuid);
                let words = format!("version {} of {} has the status FAILURE: {}", version.number, new.subject, reasons.join("; "));
                Err(Refused { kind: RefusedKind::Incompatible, words, reasons })
            }
        }
    }
    /// Registers a version that breaks its users; gives its subject and number.
    pub(super) fn break_subject(
        &mut self,
        now: SimTime,
        subject: &str,
        text: Option<Arc<str>>,
        breaks: Breaks,
    ) -> Result<(Arc<str>, u32), String> {
        let registry = match self {
            Self::Confluent(registry) => return registry.break_subject(subject, text, breaks).map(|found| (found.subject, found.version)),
            Self::Glue { registry, .. } => registry,
        };
        let in_words = |error: GlueError| error.to_string();
        let latest = registry.version(subject, VersionChoice::Latest).map_err(in_words)?;
        let text = text.or_else(|| broken(&latest.text, breaks).map(Arc::from)).ok_or("name a schema: none can be made of the latest")?;
        let level = registry.level(subject).map_err(in_words)?;
        registry.update(subject, Some(GlueLevel::None), Some(latest.number)).map_err(in_words)?;
        let taken = registry.register(now, subject, &text);
        registry.on_deadline(now);
        registry.update(subject, Some(level), None).map_err(in_words)?;
        taken.map(|version| (version.schema, version.number)).map_err(in_words)
    }
    /// Another level, for a subject or for all that have none of their own.
    pub(super) fn set_level(&mut self, subject: Option<&str>, word: &str) -> Result<(), String> {
        match self {
            Self::Confluent(registry) => {
                let update = ConfigUpdate { level: Some(word.to_owned()), ..ConfigUpdate::default() };
                registry.set_config(subject, &update).map(drop).map_err(|error| error.to_string())
            }
            Self::Glue { registry, level } => {
                let wanted: GlueLevel = word.parse()?;
                match subject {
                    Some(subject) => registry.update(subject, Some(wanted), None).map_err(|error| error.to_string()),
                    None => {
                        *level = wanted;
                        Ok(())
                    }
                }
            }
        }
    }
    /// Deletes a version; of Confluent's softly first, then for good.
    pub(super) fn delete_version(&mut self, now: SimTime, subject: &str, version: &str, permanent: bool) -> Result<(), String> {
        let version: VersionChoice = version.parse().map_err(|error| format!("{error}"))?;
        match self {
            Self::Confluent(registry) => registry.delete_version(subject, version, permanent).map(drop).map_err(|error| error.to_string()),
            Self::Glue { registry, .. } => {
                let in_words = |error: GlueError| error.to_string();
                let number = registry.version(subject, version).map_err(in_words)?.number;
                registry.delete_version(now, subject, number).map_err(in_words)?;
                registry.on_deadline(now);
                Ok(())
            }
        }
    }
    /// The first subject with a version.
    pub(super) fn first_subject(&self) -> Option<Arc<str>> {
        match self {
            Self::Confluent(registry) => registry.first_subject().cloned(),
            Self::Glue { registry, .. } => registry.schemas().next().cloned(),
        }
    }
    /// How many subjects and schemas there are.
    pub(super) fn counts(&self) -> (usize, usize) {
        match self {
            Self::Confluent(registry) => (registry.subjects_count(), registry.schemas_count()),
            Self::Glue { registry, .. } => (registry.schemas().count(), registry.versions_count()),
        }
    }
}

/// The first version creates the schema, as Glue's serializer does with auto-registration; checks take no time here.
fn glue_register(
    registry: &mut GlueRegistry,
    level: GlueLevel,
    now: SimTime,
    name: &str,
    format: &str,
    text: &str,
) -> Result<GlueVersion, GlueError> {
    if registry.version(name, VersionChoice::Latest).is_err() {
        return registry.create(name, format, level, text);
    }
    let taken = registry.register(now, name, text)?;
    registry.on_deadline(now);
    registry.by_uuid(taken.uuid)
}
