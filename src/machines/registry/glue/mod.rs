//! AWS Glue's schema registry as a pure machine: schemas with versions that are checked after they were taken.
//!
//! In: requests by name, number or UUID. Out: versions with their states, or Glue's exceptions. A version is PENDING until
//! its check is done, then AVAILABLE or FAILURE; a deleted one is DELETING until it is gone. UUIDs come from the seed.
//! Schemas of Avro are compared by the rules that Glue documents: full names, no default for unknown symbols, unions
//! branch by branch.
//! Must not know: links, HTTP, who asks. Start at [`GlueRegistry::register`]; time passes in [`GlueRegistry::on_deadline`].

mod error;
mod level;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::verdict::{Older, Verdict, judge};
use super::{SUBJECTS_MAX, VERSIONS_MAX, VersionChoice};
use crate::event::SchemaFound;
use crate::machines::codec::{AvroRules, Policy, Rules, Schema, SchemaLibrary, SchemaType, uuid_text};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

pub use error::GlueError;
pub use level::GlueLevel;

/// Where a version is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlueStatus {
    /// Its check is under way.
    Pending,
    /// Readers and writers may use it.
    Available,
    /// It may not follow the others.
    Failure,
    /// It is on its way out.
    Deleting,
}

impl GlueStatus {
    /// As the product writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Available => "AVAILABLE",
            Self::Failure => "FAILURE",
            Self::Deleting => "DELETING",
        }
    }
}

/// A version as the registry hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlueVersion {
    /// The schema's name.
    pub schema: Arc<str>,
    /// Its number, from 1.
    pub number: u32,
    /// What stands on the wire.
    pub uuid: [u8; 16],
    /// Where it is in its life.
    pub status: GlueStatus,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub data_format: &'static str,
    /// The definition.
    pub text: Arc<str>,
    /// A number of this registry by itself, for facts of a run.
    pub id: u32,
}

/// A registry with everything it holds.
#[derive(Clone, Debug)]
pub struct GlueRegistry {
    library: Arc<SchemaLibrary>,
    /// How long a check or a deletion takes.
    check_time: SimDuration,
    schemas: IndexMap<Arc<str>, Held>,
    by_uuid: BTreeMap<[u8; 16], (Arc<str>, u32)>,
    rng: Stream,
    last_id: u32,
}

#[derive(Clone, Debug)]
struct Held {
    level: GlueLevel,
    format: SchemaType,
    /// What non-ALL modes compare with.
    checkpoint: u32,
    last_number: u32,
    versions: BTreeMap<u32, HeldVersion>,
}

#[derive(Clone, Debug)]
struct HeldVersion {
    schema: Arc<Schema>,
    uuid: [u8; 16],
    id: u32,
    status: GlueStatus,
    /// When its state changes.
    due: Option<SimTime>,
    /// What its check found.
    verdict: Option<Arc<Verdict>>,
}

impl Held {
    /// Whether a new version is compared with this one.
    fn counts(&self, (number, version): &(&u32, &HeldVersion)) -> bool {
        version.status == GlueStatus::Available && (self.level.is_for_all() || **number == self.checkpoint)
    }
}

impl GlueRegistry {
    /// An empty registry; UUIDs come from `rng`.
    #[must_use]
    pub fn new(library: Arc<SchemaLibrary>, check_time: SimDuration, rng: Stream) -> Self {
        Self { library, check_time, schemas: IndexMap::new(), by_uuid: BTreeMap::new(), rng, last_id: 0 }
    }
    /// `CreateSchema`: a schema with its first version, which is the checkpoint and is available at once.
    ///
    /// # Errors
    /// `AlreadyExistsException`, `InvalidInputException`.
    pub fn create(&mut self, name: &str, format: &str, level: GlueLevel, text: &str) -> Result<GlueVersion, GlueError> {
        if self.schemas.contains_key(name) {
            return Err(GlueError::exists(name));
        }
        if self.schemas.len() >= SUBJECTS_MAX {
            return Err(GlueError::full());
        }
        let schema = self
            .library
            .compile(format, text)
            .map_err(|words| GlueError::invalid(format!("Schema definition of {format} data format is invalid: {words}")))?;
        let format = schema.schema_type();
        let held = Held { level, format, checkpoint: 1, last_number: 0, versions: BTreeMap::new() };
        self.schemas.insert(name.into(), held);
        self.add(name, schema, GlueStatus::Available, None, None)
    }
    /// `RegisterSchemaVersion`. A definition that the schema has gives its version; another one waits for its check.
    ///
    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`, `ConcurrentModificationException`.
    pub fn register(&mut self, now: SimTime, name: &str, text: &str) -> Result<GlueVersion, GlueError> {
        let held = self.held(name)?;
        let schema = self.library.compile(held.format.as_str(), text);
        let schema = schema.map_err(|words| GlueError::invalid(format!("Schema definition is invalid: {words}")))?;
        let known = held.versions.iter().find(|(_, version)| version.schema.normal_text() == schema.normal_text());
        if let Some((number, _)) = known.filter(|(_, version)| version.status != GlueStatus::Deleting) {
            return self.version(name, VersionChoice::Number(*number));
        }
        if held.level == GlueLevel::Disabled {
            return Err(GlueError::invalid(format!("Compatibility mode of {name} is DISABLED: it takes no further version.")));
        }
        if held.versions.values().any(|version| version.status == GlueStatus::Pending) {
            return Err(GlueError::concurrent(name));
        }
        if held.versions.len() >= VERSIONS_MAX {
            return Err(GlueError::full());
        }
        let verdict = self.judge(held, &schema);
        self.add(name, schema, GlueStatus::Pending, Some(now + self.check_time), Some(Arc::new(verdict)))
    }
    /// `CheckSchemaVersionValidity` and more: what the schema's mode would say to a definition.
    ///
    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    pub fn test(&self, name: &str, text: &str) -> Result<Verdict, GlueError> {
        let held = self.held(name)?;
        let schema = self.library.compile(held.format.as_str(), text).map_err(GlueError::invalid)?;
        Ok(self.judge(held, &schema))
    }
    /// `GetSchemaVersion` by name; the latest is the newest that is available.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub fn version(&self, name: &str, version: VersionChoice) -> Result<GlueVersion, GlueError> {
        let held = self.held(name)?;
        let is_meant = |(number, version_held): &(&u32, &HeldVersion)| match version {
            VersionChoice::Latest => version_held.status == GlueStatus::Available,
            VersionChoice::Number(wanted) => **number == wanted,
        };
        let found = held.versions.iter().rev().find(is_meant);
        let (number, found) = found.ok_or_else(|| GlueError::not_found("Schema version"))?;
        let name = self.schemas.get_key_value(name).map_or_else(|| name.into(), |(name, _)| Arc::clone(name));
        Ok(GlueVersion {
            schema: name,
            number: *number,
            uuid: found.uuid,
            status: found.status,
            data_format: held.format.as_str(),
            text: Arc::clone(found.schema.text()),
            id: found.id,
        })
    }
    /// `GetSchemaVersion` by the UUID on the wire.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub fn by_uuid(&self, uuid: [u8; 16]) -> Result<GlueVersion, GlueError> {
        let known = self.by_uuid.get(&uuid);
        let (name, number) = known.ok_or_else(|| GlueError::not_found(&format!("Schema version {}", uuid_text(uuid))))?;
        self.version(name, VersionChoice::Number(*number))
    }
    /// Why a version's check failed: every reason, in words.
    #[must_use]
    pub fn reasons(&self, uuid: [u8; 16]) -> Vec<String> {
        let held = self.by_uuid.get(&uuid).and_then(|(name, number)| self.schemas.get(name)?.versions.get(number));
        held.and_then(|version| version.verdict.as_ref()).map_or_else(Vec::new, |verdict| verdict.reasons())
    }
    /// `UpdateSchema`: another mode, another checkpoint.
    ///
    /// # Errors
    /// `EntityNotFoundException`, `InvalidInputException`.
    pub fn update(&mut self, name: &str, level: Option<GlueLevel>, checkpoint: Option<u32>) -> Result<(), GlueError> {
        let held = self.schemas.get_mut(name).ok_or_else(|| GlueError::not_found(&format!("Schema {name}")))?;
        let latest = held.versions.iter().rev().find(|(_, version)| version.status == GlueStatus::Available).map(|(number, _)| *number);
        // The checkpoint is where the mode was last changed, unless it is named.
        let wanted = checkpoint.or_else(|| latest.filter(|_| level.is_some_and(|level| level != held.level)));
        match wanted {
            None if level.is_none() => return Err(GlueError::invalid("One of schema version number and compatibility is required.")),
            Some(wanted) if held.versions.get(&wanted).is_none_or(|version| version.status != GlueStatus::Available) => {
                return Err(GlueError::not_found("Schema version"));
            }
            Some(wanted) => held.checkpoint = wanted,
            None => {}
        }
        held.level = level.unwrap_or(held.level);
        Ok(())
    }
    /// `DeleteSchemaVersions`, of one.
    ///
    /// # Errors
    /// `EntityNotFoundException`; `InvalidInputException` for the checkpoint; `ConcurrentModificationException`.
    pub fn delete_version(&mut self, now: SimTime, name: &str, number: u32) -> Result<(), GlueError> {
        let due = now + self.check_time;
        let held = self.schemas.get_mut(name).ok_or_else(|| GlueError::not_found(&format!("Schema {name}")))?;
        let is_checkpoint = held.checkpoint == number;
        let version = held.versions.get_mut(&number).ok_or_else(|| GlueError::not_found("Schema version"))?;
        match version.status {
            GlueStatus::Pending | GlueStatus::Deleting => Err(GlueError::concurrent(name)),
            _ if is_checkpoint => Err(GlueError::invalid(format!("Version {number} is the checkpoint of {name} and cannot be deleted."))),
            _ => {
                (version.status, version.due) = (GlueStatus::Deleting, Some(due));
                Ok(())
            }
        }
    }
    /// A schema's mode.
    ///
    /// # Errors
    /// `EntityNotFoundException`.
    pub fn level(&self, name: &str) -> Result<GlueLevel, GlueError> {
        self.held(name).map(|held| held.level)
    }
    /// Numbers of a schema's versions, oldest first.
    pub fn numbers(&self, name: &str) -> impl Iterator<Item = u32> {
        self.schemas.get(name).into_iter().flat_map(|held| held.versions.keys().copied())
    }
    /// Versions that the mode compares a new one with, oldest first.
    pub fn compared_with(&self, name: &str) -> impl Iterator<Item = u32> {
        let of =
            |held: &'_ Held| held.versions.iter().filter(|version| held.counts(version)).map(|(number, _)| *number).collect::<Vec<_>>();
        self.schemas.get(name).map(of).unwrap_or_default().into_iter()
    }
    /// When a state changes next.
    #[must_use]
    pub fn next_deadline(&self) -> SimTime {
        let due = self.schemas.values().flat_map(|held| held.versions.values()).filter_map(|version| version.due);
        due.min().unwrap_or(SimTime::MAX)
    }
    /// Ends the checks and deletions that are due.
    pub fn on_deadline(&mut self, now: SimTime) {
        for held in self.schemas.values_mut() {
            for version in held.versions.values_mut().filter(|version| version.due.is_some_and(|due| due <= now)) {
                if version.status == GlueStatus::Pending {
                    version.due = None;
                    let fits = version.verdict.as_ref().is_none_or(|verdict| verdict.is_compatible());
                    version.status = if fits { GlueStatus::Available } else { GlueStatus::Failure };
                }
            }
            let gone = |version: &HeldVersion| version.status == GlueStatus::Deleting && version.due.is_some_and(|due| due <= now);
            self.by_uuid.retain(|uuid, _| !held.versions.values().any(|version| version.uuid == *uuid && gone(version)));
            held.versions.retain(|_, version| !gone(version));
        }
    }
    /// Schemas by name, in the order of their creation.
    pub fn schemas(&self) -> impl Iterator<Item = &Arc<str>> {
        self.schemas.keys()
    }
    /// How many versions there are.
    #[must_use]
    pub fn versions_count(&self) -> usize {
        self.by_uuid.len()
    }
    /// What a client of a run gets.
    #[must_use]
    pub fn found(version: &GlueVersion) -> SchemaFound {
        SchemaFound {
            id: version.id,
            uuid: Some(version.uuid),
            subject: Arc::clone(&version.schema),
            version: version.number,
            schema_type: version.data_format.into(),
            text: Arc::clone(&version.text),
            references: Arc::default(),
        }
    }

    fn held(&self, name: &str) -> Result<&Held, GlueError> {
        self.schemas.get(name).ok_or_else(|| GlueError::not_found(&format!("Schema {name}")))
    }

    fn judge(&self, held: &Held, schema: &Schema) -> Verdict {
        let older = held.versions.iter().filter(|version| held.counts(version));
        let older: Vec<Older> =
            older.map(|(number, version)| Older { version: Some(*number), schema: Arc::clone(&version.schema) }).collect();
        judge(
            &self.library,
            schema,
            &older,
            held.level.question(),
            Rules { policy: Policy::Strict, avro: AvroRules::Old, ..Rules::default() },
        )
    }

    fn add(
        &mut self,
        name: &str,
        schema: Arc<Schema>,
        status: GlueStatus,
        due: Option<SimTime>,
        verdict: Option<Arc<Verdict>>,
    ) -> Result<GlueVersion, GlueError> {
        let uuid = self.fresh_uuid();
        self.last_id += 1;
        let id = self.last_id;
        let held = self.schemas.get_mut(name).ok_or_else(|| GlueError::not_found(&format!("Schema {name}")))?;
        held.last_number += 1;
        let number = held.last_number;
        held.versions.insert(number, HeldVersion { schema, uuid, id, status, due, verdict });
        self.by_uuid.insert(uuid, (name.into(), number));
        self.version(name, VersionChoice::Number(number))
    }

    /// A random UUID of version 4.
    fn fresh_uuid(&mut self) -> [u8; 16] {
        let (high, low) = (self.rng.next_u64(), self.rng.next_u64());
        let high = (high & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (low & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        let mut uuid = [0; 16];
        uuid[..8].copy_from_slice(&high.to_be_bytes());
        uuid[8..].copy_from_slice(&low.to_be_bytes());
        uuid
    }
}
