//! A schema registry as a pure machine: subjects, versions, ids, references, compatibility, modes.
//!
//! In: requests as the REST face of Confluent's registry has them. Out: schemas with their ids, or error codes and words
//! as that product numbers and words them. Schemas are compiled by the codec's library, shared with everyone.
//! Must not know: links, service times, HTTP, who asks.
//!
//! ```text
//! register · test · lookup ─► prepare ─► judge ─► Store ─► Registered
//!                                        (verdict.rs)   (store.rs)
//! ```
//!
//! Start at [`Registry::register`] (`register.rs`); `reading.rs` answers, `delete.rs` takes away, `settings.rs` holds
//! configurations and modes, `verdict.rs` judges files as well, `glue/` is the other product.

mod attachments;
mod compatibility;
mod delete;
mod diff;
mod error;
pub mod glue;
mod messages;
mod name;
mod naming;
mod plan;
mod reading;
mod references;
mod register;
mod sabotage;
mod settings;
mod store;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::event::{SchemaCall, SchemaFound, SchemaReply, SchemaRequest};
use crate::machines::codec::SchemaLibrary;
use crate::units::SimTime;
use store::Store;

pub use attachments::Attachments;
pub use compatibility::Compatibility;
pub use diff::{Change, diff};
pub use error::RegistryError;
pub use naming::SubjectNaming;
pub use plan::{First, STEPS_MAX, Step, plan};
pub use reading::Deleted;
pub use register::{Against, NewReference, NewSchema, Registering};
pub use sabotage::{Breaks, broken};
pub use settings::{Config, ConfigUpdate, Mode};
pub use store::Reference;
pub use verdict::{Compared, Older, Verdict, Way, judge};

/// More subjects, or versions of one, are refused with 42205.
pub const SUBJECTS_MAX: usize = 10_000;
/// See [`SUBJECTS_MAX`].
pub const VERSIONS_MAX: usize = 1_000;

/// A registry with everything it holds.
#[derive(Clone, Debug)]
pub struct Registry {
    library: Arc<SchemaLibrary>,
    /// Where nobody says another one.
    level: Compatibility,
    store: Store,
    /// By scope: a subject, a context, nothing for the global one.
    configs: BTreeMap<Arc<str>, Config>,
    modes: BTreeMap<Arc<str>, Mode>,
}

/// Which version is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionChoice {
    /// The newest that is not deleted; `latest` or -1 on the wire.
    Latest,
    /// This one, from 1.
    Number(u32),
}

/// A version as a registry hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The number on the wire, one sequence in each context.
    pub id: u32,
    /// A UUID of the schema's content.
    pub guid: Arc<str>,
    /// With its context, where that is not the default one.
    pub subject: Arc<str>,
    /// Within the subject, from 1.
    pub version: u32,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub schema_type: &'static str,
    /// As it is kept: without formatting.
    pub text: Arc<str>,
    /// What it refers to.
    pub references: Arc<[Reference]>,
    /// Metadata and rules.
    pub attachments: Attachments,
    /// Softly deleted.
    pub is_deleted: bool,
}

impl Registry {
    /// An empty registry. The product's own default level is BACKWARD.
    #[must_use]
    pub fn new(library: Arc<SchemaLibrary>, level: Compatibility) -> Self {
        Self { library, level, store: Store::default(), configs: BTreeMap::new(), modes: BTreeMap::new() }
    }
    /// Answers one request of a run; `caller` comes back with the reply.
    pub fn handle<C>(&mut self, now: SimTime, caller: C, request: &SchemaRequest, outbox: &mut Vec<(C, SchemaReply)>) {
        // Nothing here depends on the instant.
        let _ = now;
        let result = match &request.body {
            SchemaCall::ById(id) => self.by_id(*id, None),
            // Another product's.
            SchemaCall::ByUuid(_) => Err(RegistryError::no_such_schema()),
            SchemaCall::BySubject { subject, version } => {
                let version = version.map_or(Ok(VersionChoice::Latest), |version| match version {
                    0 => Err(RegistryError::invalid_version("0")),
                    version => Ok(VersionChoice::Number(version)),
                });
                version.and_then(|version| self.by_version(subject, version, false))
            }
            SchemaCall::Register { subject, text, schema_type } => {
                self.register(subject, &NewSchema::new(schema_type, text), Registering::default())
            }
        };
        let result = result.and_then(|registered| self.found(&registered)).map_err(|error| (error.code, error.message));
        outbox.push((caller, SchemaReply { call: request.call, result }));
    }
    /// Registers a version without a look at compatibility, as with the level NONE, that breaks its users: `text`, or one
    /// made of the latest.
    ///
    /// # Errors
    /// In words, also when nobody would be broken.
    pub fn break_subject(&mut self, subject: &str, text: Option<Arc<str>>, breaks: Breaks) -> Result<SchemaFound, String> {
        let in_words = |error: RegistryError| error.to_string();
        let latest = self.by_version(subject, VersionChoice::Latest, false).map_err(in_words)?;
        let made = || sabotage::broken(&latest.text, breaks).map(Arc::from);
        let text = text.or_else(made).ok_or("a version can only be made of an Avro record with a field to break: name a schema")?;
        let new = NewSchema { text, ..NewSchema::again(&latest) };
        let verdict = {
            let prepared = self.prepare(&latest.subject, &new, &new.attachments, false).map_err(in_words)?;
            let old = self.library.compile_found(&self.found(&latest).map_err(in_words)?)?;
            let older = Older { version: Some(latest.version), schema: old };
            judge(&self.library, &prepared.schema, &[older], Compatibility::Full, self.rules(&self.config_in_scope(&latest.subject)))
        };
        if verdict.is_compatible() {
            return Err("that version breaks nobody".to_owned());
        }
        let registered = self.register(&latest.subject, &new, Registering { force: true, normalize: false }).map_err(in_words)?;
        self.found(&registered).map_err(in_words)
    }
    /// The level where no configuration says another one.
    #[must_use]
    pub fn default_level(&self) -> Compatibility {
        self.level
    }
    /// The first subject that has a version.
    #[must_use]
    pub fn first_subject(&self) -> Option<&Arc<str>> {
        self.store.subjects().map(|(name, _)| name).find(|name| self.has_subject(name, false))
    }
    /// How many subjects have a version.
    #[must_use]
    pub fn subjects_count(&self) -> usize {
        self.store.subjects().filter(|(name, _)| self.has_subject(name, false)).count()
    }
    /// How many schemas there are.
    #[must_use]
    pub fn schemas_count(&self) -> usize {
        self.store.entries_count()
    }
}
