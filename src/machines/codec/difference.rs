//! What the comparison of two schemas finds, in one shape for Avro, JSON Schema and Protobuf.
//!
//! Each format compares one way: what does a *reader's* schema make of data written with a *writer's*? For BACKWARD
//! the new schema is the reader, for FORWARD the old one is. All differences are found, not the first only.
//! Must not know: registries, levels, how a difference is shown.

use std::fmt;
use std::str::FromStr;

/// Differences of one pair beyond these are not listed.
pub const DIFFERENCES_MAX: usize = 1_000;

/// One difference between a reader's and a writer's schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The product's name of the rule (`READER_FIELD_MISSING_DEFAULT_VALUE`, `PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL`,
    /// `FIELD_NAME_CHANGED`). Stable.
    pub rule: &'static str,
    /// What it does to a reader.
    pub severity: Severity,
    /// Where in the reader's schema: a JSON pointer (`/fields/2/type`), of a Protobuf file a path of names
    /// (`/Order/items`). The whole schema is `/`. None for what the reader does not have.
    pub reader: Option<String>,
    /// Where in the writer's schema; none for what the writer does not have.
    pub writer: Option<String>,
    /// In words, without the place.
    pub words: String,
    /// How to mend it (`give the field a default`).
    pub hint: Option<String>,
}

/// What a difference does to data that goes from the writer to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Some of the writer's data cannot be read: the product calls it incompatible.
    Breaks,
    /// Allowed by the product's rule, and yet a danger that its words name.
    Warns,
    /// A change, and a harmless one.
    Fine,
}

/// One of the two schemas of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Whose schema data is read with: the newer one where old data must stay readable.
    #[default]
    Reader,
    /// Whose schema data was written with: the newer one where old readers must keep reading.
    Writer,
}

/// How strictly JSON Schemas are compared (`compatibilityPolicy` of the registry).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// What may be in an open content model counts.
    #[default]
    Strict,
    /// Optional properties may come and go in open content models.
    Lenient,
}

impl Policy {
    /// As the product writes them.
    pub const WORDS: &'static [&'static str] = &["STRICT", "LENIENT"];
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strict => "STRICT",
            Self::Lenient => "LENIENT",
        })
    }
}

impl FromStr for Policy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_uppercase().as_str() {
            "STRICT" => Ok(Self::Strict),
            "LENIENT" => Ok(Self::Lenient),
            _ => Err(format!("expected one of {}", Self::WORDS.join(", "))),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.reader.as_deref().or(self.writer.as_deref()).filter(|place| !matches!(*place, "" | "/"));
        match place {
            Some(place) => write!(f, "{place}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}
