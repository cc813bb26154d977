//! A compiled schema of any type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;

use super::avro::AvroSchema;
use super::difference::{Difference, Severity, Side};
use super::json::JsonSchema;
use super::protobuf::ProtobufSchema;
use super::typed::TypeIx;
use crate::event::Reason;
use crate::random::Stream;
use crate::units::SimTime;

/// Longest schema text that is read.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of a schema text that is read; parsers recurse.
pub const TEXT_DEPTH_MAX: usize = 100;

/// The code of every refusal by a schema.
pub(super) const CODE: &str = "schema";

/// The kinds of schema a registry keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaType {
    /// Avro.
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
}

impl SchemaType {
    /// As registries write them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] = &["AVRO", "JSON", "PROTOBUF"];
    const ALL: [Self; 3] = [Self::Avro, Self::Json, Self::Protobuf];

    /// What a text may be, the likeliest first.
    pub(super) fn candidates(text: &str) -> (Self, &'static [Self]) {
        match is_json(text) {
            true => (Self::Avro, &[Self::Json]),
            false => (Self::Protobuf, &[]),
        }
    }
    /// As registries write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Json => "JSON",
            Self::Protobuf => "PROTOBUF",
        }
    }
}

impl fmt::Display for SchemaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SchemaType {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::WORDS.iter().position(|word| *word == text).map(|at| Self::ALL[at]);
        let shown = || text.chars().take(40).collect::<String>();
        known.ok_or_else(|| format!("there is no schema type `{}`; it may be {}", shown(), Self::WORDS.join(", ")))
    }
}

/// A compiled schema. Payloads here are bare, and of the first type: [`super::unframe`] takes the registry's header off
/// first, [`Self::opened`] what else stands before a payload, and [`Self::typed`] is for other types.
#[derive(Debug)]
pub struct Schema {
    number: u64,
    text: Arc<str>,
    pub(super) form: Form,
}

#[derive(Debug)]
pub(super) enum Form {
    Avro(Box<AvroSchema>),
    Json(Box<JsonSchema>),
    Protobuf(Box<ProtobufSchema>),
}

impl Schema {
    /// # Errors
    /// Why the text is no schema.
    pub(super) fn compile(schema_type: SchemaType, text: &Arc<str>) -> Result<Self, String> {
        /// Tells schemas apart in memory; it shows nowhere.
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        within_limits(text)?;
        let form = match schema_type {
            SchemaType::Avro => Form::Avro(Box::new(AvroSchema::compile(text)?)),
            SchemaType::Json => Form::Json(Box::new(JsonSchema::compile(text)?)),
            SchemaType::Protobuf => Form::Protobuf(Box::new(ProtobufSchema::compile(text, &[])?)),
        };
        Ok(Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), text: Arc::clone(text), form })
    }
    /// Its type.
    #[must_use]
    pub fn schema_type(&self) -> SchemaType {
        match &self.form {
            Form::Avro(_) => SchemaType::Avro,
            Form::Json(_) => SchemaType::Json,
            Form::Protobuf(_) => SchemaType::Protobuf,
        }
    }
    /// Its text as it was given.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
    /// Its text as a registry keeps it: of Protobuf formatting and comments are gone.
    #[must_use]
    pub fn stored_text(&self) -> Arc<str> {
        match &self.form {
            Form::Avro(_) | Form::Json(_) => Arc::clone(&self.text),
            Form::Protobuf(protobuf) => protobuf.stored_text().into(),
        }
    }
    /// Its text so that two texts that mean the same are equal: nothing is left of formatting and order.
    #[must_use]
    pub fn normal_text(&self) -> Arc<str> {
        match &self.form {
            Form::Avro(_) | Form::Json(_) => Arc::clone(&self.text),
            Form::Protobuf(protobuf) => protobuf.normal_text().into(),
        }
    }
    /// The record's full name, a JSON Schema's title, or the full name of a Protobuf file's first message.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match &self.form {
            Form::Avro(avro) => avro.name(),
            Form::Json(json) => json.name(),
            Form::Protobuf(protobuf) => protobuf.name(),
        }
    }
    /// Whether these bytes are one valid datum and nothing else. The reason's code is `schema`.
    ///
    /// # Errors
    /// Which field is wrong and how.
    #[inline]
    pub fn validate(&self, payload: &[u8]) -> Result<(), Reason> {
        self.typed(TypeIx::FIRST).validate(payload)
    }
    /// Whether [`Self::generate`] can keep its word: for some JSON Schemas no valid payload is found.
    ///
    /// # Errors
    /// Why not, in words for a diagnostic.
    pub fn can_generate(&self) -> Result<(), String> {
        match &self.form {
            Form::Avro(_) => Ok(()),
            Form::Json(json) => json.can_generate(),
            Form::Protobuf(protobuf) => protobuf.can_generate(),
        }
    }
    /// Appends a random valid payload. `now` dates what it says.
    #[inline]
    pub fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        self.typed(TypeIx::FIRST).generate(rng, now, out);
    }
    /// Appends a payload that [`Self::validate`] refuses, and says what is wrong with it
    /// (`field amount is text, schema wants double`).
    pub fn generate_invalid(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> String {
        self.typed(TypeIx::FIRST).generate_invalid(rng, now, out)
    }
    /// The payload as a value to show.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn to_json(&self, payload: &[u8]) -> Result<Json, String> {
        self.typed(TypeIx::FIRST).to_json(payload)
    }
    /// A payload of this schema as `reader` sees it: fields it does not know are gone, fields that it
    /// expects are filled with their defaults.
    ///
    /// # Errors
    /// Why it cannot be read so.
    pub fn to_json_as(&self, reader: &Self, payload: &[u8]) -> Result<Json, String> {
        self.typed(TypeIx::FIRST).to_json_as(reader, payload)
    }
    /// Whether all data of `writer` can be read with this schema.
    ///
    /// # Errors
    /// Every reason why not.
    pub(super) fn can_read(&self, writer: &Self) -> Result<(), Vec<String>> {
        match (&self.form, &writer.form) {
            (Form::Avro(reader), Form::Avro(writer)) => reader.can_read(writer),
            // Compatibility of JSON Schemas is not judged yet.
            (Form::Json(_), Form::Json(_)) => Ok(()),
            (Form::Protobuf(reader), Form::Protobuf(writer)) => {
                let breaks = |found: &Difference| found.severity == Severity::Breaks;
                let reasons: Vec<String> =
                    reader.compare(writer, Side::Reader).iter().filter(|found| breaks(found)).map(ToString::to_string).collect();
                if reasons.is_empty() { Ok(()) } else { Err(reasons) }
            }
            _ => Err(vec![format!("data written with {} cannot be read with {}", writer.schema_type(), self.schema_type())]),
        }
    }
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

/// Whether a text can be a JSON value that is a schema: what is none is Protobuf.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '[', '"']) || matches!(text.trim_end(), "true" | "false")
}

/// Size and nesting, before any parser recurses.
fn within_limits(text: &str) -> Result<(), String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("the schema has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len()));
    }
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest > TEXT_DEPTH_MAX {
        return Err(format!("the schema is nested {deepest} levels deep; at most {TEXT_DEPTH_MAX} are read"));
    }
    Ok(())
}
