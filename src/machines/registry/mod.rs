//! A schema registry as a pure machine: subjects, versions, ids, compatibility.
//!
//! In: look-ups and registrations. Out: schemas with their ids, or error codes and words as Confluent's
//! registry numbers and words them. Schemas are compiled by the codec's library, shared with everyone.
//! Must not know: links, service times, who asks. Start at [`Registry::handle`].
//!
//! ```text
//! SchemaRequest ─► Registry ─► SchemaReply
//!                   │ subjects: name ─► versions (1, 2, …) ─► id
//!                   └ schemas:  id ─► text, the same for every subject that registers it
//! ```

mod compatibility;
mod error;
mod sabotage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::event::{SchemaCall, SchemaFound, SchemaReply, SchemaRequest};
use crate::machines::codec::{Schema, SchemaLibrary};
use crate::units::SimTime;

pub use compatibility::Compatibility;
pub use error::RegistryError;
pub use sabotage::Breaks;

/// More subjects, or versions of one, are refused with 42205.
pub const SUBJECTS_MAX: usize = 10_000;
/// See [`SUBJECTS_MAX`].
pub const VERSIONS_MAX: usize = 1_000;

/// A registry with everything it holds.
#[derive(Clone, Debug)]
pub struct Registry {
    library: Arc<SchemaLibrary>,
    /// For subjects without a level of their own.
    level: Compatibility,
    subjects: IndexMap<Arc<str>, Subject>,
    /// By id − 1.
    schemas: Vec<Registered>,
    /// Type and text to id.
    ids: BTreeMap<(Arc<str>, Arc<str>), u32>,
}

#[derive(Clone, Debug, Default)]
struct Subject {
    level: Option<Compatibility>,
    /// Ids by version − 1.
    versions: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Registered {
    schema: Arc<Schema>,
    schema_type: Arc<str>,
    /// Where it was registered first.
    subject: Arc<str>,
    version: u32,
}

impl Registry {
    /// An empty registry. The product's own default level is BACKWARD.
    #[must_use]
    pub fn new(library: Arc<SchemaLibrary>, level: Compatibility) -> Self {
        Self { library, level, subjects: IndexMap::new(), schemas: Vec::new(), ids: BTreeMap::new() }
    }
    /// Answers one request; `caller` comes back with the reply.
    pub fn handle<C>(&mut self, now: SimTime, caller: C, request: &SchemaRequest, outbox: &mut Vec<(C, SchemaReply)>) {
        // Nothing here depends on the instant yet.
        let _ = now;
        let result = match &request.body {
            SchemaCall::ById(id) => self.by_id(*id),
            SchemaCall::BySubject { subject, version } => self.by_subject(subject, *version),
            SchemaCall::Register { subject, text, schema_type } => self.register(subject, schema_type, text),
        };
        let result = result.map_err(|error| (error.code, error.message));
        outbox.push((caller, SchemaReply { call: request.call, result }));
    }
    /// `GET /schemas/ids/{id}`.
    ///
    /// # Errors
    /// 40403 when no schema has this id.
    pub fn by_id(&self, id: u32) -> Result<SchemaFound, RegistryError> {
        let index = (id as usize).checked_sub(1);
        let registered = index.and_then(|index| self.schemas.get(index)).ok_or_else(|| RegistryError::schema_not_found(id))?;
        Ok(found(id, registered, &registered.subject, registered.version))
    }
    /// `GET /subjects/{subject}/versions/{version}`; `None` is the latest.
    ///
    /// # Errors
    /// 40401, 40402, 42202.
    pub fn by_subject(&self, subject: &str, version: Option<u32>) -> Result<SchemaFound, RegistryError> {
        let known = self.subjects.get_key_value(subject).filter(|(_, known)| !known.versions.is_empty());
        let (name, known) = known.ok_or_else(|| RegistryError::subject_not_found(subject))?;
        let version = match version {
            Some(0) => return Err(RegistryError::invalid_version("0")),
            Some(version) => version,
            None => known.versions.len() as u32,
        };
        let index = (version as usize).checked_sub(1);
        let id = index.and_then(|index| known.versions.get(index)).ok_or_else(|| RegistryError::version_not_found(version))?;
        Ok(found(*id, &self.schemas[*id as usize - 1], name, version))
    }
    /// `POST /subjects/{subject}/versions`. The same text again gives the version that it already has;
    /// the same text under another subject gives the same id.
    ///
    /// # Errors
    /// 42201 for a text that is no schema, 40901 with every reason for one that breaks the subject's rule.
    pub fn register(&mut self, subject: &Arc<str>, schema_type: &Arc<str>, text: &Arc<str>) -> Result<SchemaFound, RegistryError> {
        self.add(subject, schema_type, text, true)
    }
    /// The same without a look at compatibility, as with the level NONE, for a version that breaks its users: `text`, or
    /// one made of the latest.
    ///
    /// # Errors
    /// The same, and in words when nobody would be broken.
    pub fn break_subject(&mut self, subject: &Arc<str>, text: Option<Arc<str>>, breaks: Breaks) -> Result<SchemaFound, String> {
        let latest = self.by_subject(subject, None).map_err(|error| error.to_string())?;
        let made = || sabotage::broken(&latest.text, breaks).map(Arc::from);
        let text = text.or_else(made).ok_or("a version can only be made of an Avro record with a field to break: name a schema")?;
        let in_words = |error: RegistryError| error.to_string();
        let compiled = |text: &str| self.library.compile(&latest.schema_type, text);
        let (old, new) = (compiled(&latest.text)?, compiled(&text)?);
        if self.library.can_read(&new, &old).is_ok() && self.library.can_read(&old, &new).is_ok() {
            return Err("that version breaks nobody".to_owned());
        }
        self.add(subject, &latest.schema_type, &text, false).map_err(in_words)
    }
    fn add(&mut self, subject: &Arc<str>, schema_type: &Arc<str>, text: &Arc<str>, is_checked: bool) -> Result<SchemaFound, RegistryError> {
        let schema = self.library.compile(schema_type, text).map_err(|words| RegistryError::invalid_schema(&words))?;
        let key = (Arc::clone(schema_type), Arc::clone(text));
        let known_id = self.ids.get(&key).copied();
        if let (Some(id), Some(known)) = (known_id, self.subjects.get(subject))
            && let Some(at) = known.versions.iter().position(|version| *version == id)
        {
            return Ok(found(id, &self.schemas[id as usize - 1], subject, at as u32 + 1));
        }
        if is_checked {
            self.check(subject, &schema)?;
        }
        let is_full = match self.subjects.get(subject) {
            Some(known) => known.versions.len() >= VERSIONS_MAX,
            None => self.subjects.len() >= SUBJECTS_MAX,
        };
        if is_full {
            return Err(RegistryError::not_permitted(subject));
        }
        let version = self.versions_count(subject) as u32 + 1;
        let id = known_id.unwrap_or_else(|| {
            let registered = Registered { schema, schema_type: Arc::clone(schema_type), subject: Arc::clone(subject), version };
            self.schemas.push(registered);
            let id = self.schemas.len() as u32;
            self.ids.insert(key, id);
            id
        });
        self.subjects.entry(Arc::clone(subject)).or_default().versions.push(id);
        Ok(found(id, &self.schemas[id as usize - 1], subject, version))
    }
    /// `POST /compatibility/subjects/{subject}/versions`: whether a schema could be the next version.
    ///
    /// # Errors
    /// 40901 with every reason, and which version it fails against.
    pub fn check(&self, subject: &str, schema: &Schema) -> Result<(), RegistryError> {
        let Some(known) = self.subjects.get(subject) else { return Ok(()) };
        let level = known.level.unwrap_or(self.level);
        let checked = if level.is_transitive() { known.versions.len() } else { 1 };
        let mut reasons = Vec::new();
        for (index, id) in known.versions.iter().enumerate().rev().take(checked) {
            let older = &self.schemas[*id as usize - 1].schema;
            let mut judge = |reader: &Schema, writer: &Schema, way: &str| {
                if let Err(found) = self.library.can_read(reader, writer) {
                    reasons.extend(found.iter().map(|reason| format!("{way} version {}: {reason}", index + 1)));
                }
            };
            if level.reads_old() {
                judge(schema, older, "the new schema cannot read data of");
            }
            if level.is_read_by_old() {
                judge(older, schema, "data of the new schema cannot be read with");
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(RegistryError::incompatible(subject, level, reasons)) }
    }
    /// `PUT /config` or, for a subject, `PUT /config/{subject}`.
    ///
    /// # Errors
    /// 42203 for a level that there is not.
    pub fn set_level(&mut self, subject: Option<&Arc<str>>, level: &str) -> Result<(), RegistryError> {
        let level: Compatibility = level.parse().map_err(|_| RegistryError::invalid_level(level))?;
        match subject {
            None => self.level = level,
            Some(subject) => self.subjects.entry(Arc::clone(subject)).or_default().level = Some(level),
        }
        Ok(())
    }
    /// The first subject that has a version.
    #[must_use]
    pub fn first_subject(&self) -> Option<&Arc<str>> {
        self.subjects.iter().find(|(_, subject)| !subject.versions.is_empty()).map(|(name, _)| name)
    }
    /// How many subjects have a version.
    #[must_use]
    pub fn subjects_count(&self) -> usize {
        self.subjects.values().filter(|subject| !subject.versions.is_empty()).count()
    }
    /// How many ids there are.
    #[must_use]
    pub fn schemas_count(&self) -> usize {
        self.schemas.len()
    }
    fn versions_count(&self, subject: &str) -> usize {
        self.subjects.get(subject).map_or(0, |subject| subject.versions.len())
    }
}

fn found(id: u32, registered: &Registered, subject: &Arc<str>, version: u32) -> SchemaFound {
    SchemaFound {
        id,
        subject: Arc::clone(subject),
        version,
        schema_type: Arc::clone(&registered.schema_type),
        text: Arc::clone(registered.schema.text()),
    }
}
