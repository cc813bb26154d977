//! How the subjects of a schema registry stand, and which schemas a component uses, for a person who looks.

use std::sync::Arc;

use super::Named;
use crate::units::SimTime;

/// Subjects of one answer; further ones are left out.
pub const SUBJECTS_SHOWN_MAX: usize = 1_000;
/// Schemas that a component is said to use; further ones are left out.
pub const SCHEMA_USES_MAX: usize = 32;

/// How a subject stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubjectStanding {
    /// Its name.
    pub name: Arc<str>,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub schema_type: Arc<str>,
    /// The level that counts for it, as its product writes it.
    pub level: Arc<str>,
    /// The same question in Confluent's words, asked of the versions in `against`; none where no further version is taken.
    pub question: Option<Arc<str>>,
    /// How JSON Schemas are compared: `STRICT` or `LENIENT`.
    pub policy: Arc<str>,
    /// AWS Glue's registry.
    pub is_glue: bool,
    /// Versions that a new one may be compared with, oldest first.
    pub against: Vec<u32>,
    /// Oldest first.
    pub versions: Vec<VersionStanding>,
    /// The last version that was sent by hand or by a scenario and refused: when, and why.
    pub refused: Option<(SimTime, Arc<str>)>,
}

/// How a version stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionStanding {
    /// Within the subject, from 1.
    pub number: u32,
    /// The number on the wire.
    pub id: u32,
    /// What stands on the wire instead, where the product has UUIDs.
    pub uuid: Option<[u8; 16]>,
    /// As it is kept.
    pub text: Arc<str>,
    /// What the text names, and the subject of each.
    pub refers: Vec<(Arc<str>, Arc<str>)>,
    /// The texts behind that.
    pub references: Arc<[Named]>,
    /// Whether clients get it.
    pub state: VersionState,
    /// When it was registered; none for what was there before the run began.
    pub registered: Option<SimTime>,
}

/// Whether clients get a version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionState {
    /// They do.
    #[default]
    Available,
    /// It was deleted: only who knows its id gets it.
    Deleted,
    /// Glue's check refused it.
    Failed,
}

/// A schema that a component uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaUse {
    /// Its subject.
    pub subject: Arc<str>,
    /// Which version, once that is known.
    pub version: Option<u32>,
    /// The number on the wire, once that is known.
    pub id: Option<u32>,
    /// What for.
    pub way: SchemaWay,
    /// Why it cannot be used.
    pub trouble: Option<Arc<str>>,
}

/// What a component does with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SchemaWay {
    /// Its events are written with it.
    Writes,
    /// It has met events that were written with it.
    Reads,
    /// It reads all events with it, whatever they were written with.
    ReadsAs,
}

impl SchemaWay {
    /// As lists show it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::ReadsAs => "reads as",
        }
    }
}
