//! A compiled schema of any type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;

use super::avro::{AvroRules, AvroSchema};
use super::difference::{Difference, Policy, Severity, Side};
use super::guess::guess_type;
use super::json::JsonSchema;
use super::protobuf::ProtobufSchema;
use super::references::Named;
use super::typed::TypeIx;
use crate::event::Reason;
use crate::random::Stream;
use crate::units::SimTime;

/// Longest schema text that is read, with everything that it refers to.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// Deepest nesting of a schema text that is read; parsers recurse.
pub const TEXT_DEPTH_MAX: usize = 100;

/// The code of every refusal by a schema.
pub(super) const CODE: &str = "schema";
/// The rule that schemas of different types break.
pub const SCHEMA_TYPE_CHANGED: &str = "SCHEMA_TYPE_CHANGED";

/// The kinds of schema a registry keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaType {
    /// Avro.
    #[default]
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
}

impl SchemaType {
    /// As registries write them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] = &["AVRO", "JSON", "PROTOBUF"];
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Avro, Self::Json, Self::Protobuf];

    /// What a text may be, the likeliest first.
    pub(super) fn candidates(text: &str) -> (Self, &'static [Self]) {
        match guess_type(text) {
            Some("JSON") => (Self::Json, &[Self::Avro]),
            _ if is_json(text) => (Self::Avro, &[Self::Json]),
            _ => (Self::Protobuf, &[]),
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
        let at = Self::WORDS.iter().position(|word| *word == text);
        at.map(|at| Self::ALL[at]).ok_or_else(|| {
            let (last, others) = Self::WORDS.split_last().unwrap_or((&"", &[]));
            let shown: String = text.chars().take(40).collect();
            format!("there is no schema type `{shown}`; it may be {} or {last}", others.join(", "))
        })
    }
}

/// By which rules two schemas are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rules {
    /// For JSON Schemas.
    pub policy: Policy,
    /// For Avro.
    pub avro: AvroRules,
    /// Which one is the newer: warnings about a change depend on it.
    pub newer: Side,
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
    pub(super) fn compile(schema_type: SchemaType, text: &Arc<str>, references: &[Named]) -> Result<Self, String> {
        /// Tells schemas apart in memory; it shows nowhere.
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        within_limits(text, references)?;
        let form = match schema_type {
            SchemaType::Avro => Form::Avro(Box::new(AvroSchema::compile(text, references)?)),
            SchemaType::Json => Form::Json(Box::new(JsonSchema::compile(text, references)?)),
            SchemaType::Protobuf => Form::Protobuf(Box::new(ProtobufSchema::compile(text, references)?)),
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
    /// Its text as a registry keeps it: formatting is gone, of Avro the order of keys, of Protobuf comments.
    #[must_use]
    pub fn stored_text(&self) -> Arc<str> {
        match &self.form {
            Form::Avro(avro) => avro.stored_text().into(),
            Form::Json(json) => json.stored_text().into(),
            Form::Protobuf(protobuf) => protobuf.stored_text().into(),
        }
    }
    /// A Protobuf file compiled, as Base64; none of other types.
    #[must_use]
    pub fn serialized(&self) -> Option<String> {
        match &self.form {
            Form::Avro(_) | Form::Json(_) => None,
            Form::Protobuf(protobuf) => Some(protobuf.serialized()),
        }
    }
    /// Its text so that two texts that mean the same are equal: nothing is left of formatting and the order of keys. A doc
    /// stays.
    #[must_use]
    pub fn normal_text(&self) -> Arc<str> {
        match &self.form {
            Form::Avro(avro) => avro.normal_text().into(),
            Form::Json(json) => json.normal_text().into(),
            Form::Protobuf(protobuf) => protobuf.normal_text().into(),
        }
    }
    /// Whether another schema is the same once the types that each refers to are written out. Of Avro only.
    #[must_use]
    pub fn is_same_resolved(&self, other: &Self) -> bool {
        match (&self.form, &other.form) {
            (Form::Avro(ours), Form::Avro(theirs)) => ours.is_same_resolved(theirs),
            _ => false,
        }
    }
    /// Avro's Parsing Canonical Form and its 64-bit fingerprint; none of other types.
    #[must_use]
    pub fn parsing_form(&self) -> Option<(String, u64)> {
        match &self.form {
            Form::Avro(avro) => Some(avro.parsing_form()),
            Form::Json(_) | Form::Protobuf(_) => None,
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
    /// Whether a JSON text can stand for a payload: as the format's own JSON writes it, or as [`Self::to_json`] shows it.
    ///
    /// # Errors
    /// Which field is wrong and how.
    pub fn validate_text(&self, text: &[u8]) -> Result<(), String> {
        let value: Json = serde_json::from_slice(text).map_err(|error| format!("not JSON: {error}"))?;
        match &self.form {
            Form::Avro(avro) => avro.validate_text(&value),
            Form::Json(json) => json.validate(text),
            Form::Protobuf(protobuf) => protobuf.validate_text(&value),
        }
    }
    /// Whether [`Self::generate`] can keep its word: for some JSON Schemas no valid payload is found, and for some Avro
    /// schemas there is none.
    ///
    /// # Errors
    /// Why not, in words for a diagnostic.
    pub fn can_generate(&self) -> Result<(), String> {
        match &self.form {
            Form::Avro(avro) => avro.can_generate(),
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
    /// What this schema, as the reader's, makes of data written with `writer`.
    pub(super) fn compare(&self, writer: &Self, rules: Rules) -> Vec<Difference> {
        match (&self.form, &writer.form) {
            (Form::Avro(reader), Form::Avro(writer)) => reader.compare(writer, rules.avro),
            (Form::Json(reader), Form::Json(writer)) => reader.compare(writer, rules.policy),
            (Form::Protobuf(reader), Form::Protobuf(writer)) => reader.compare(writer, rules.newer),
            _ => vec![Difference {
                rule: SCHEMA_TYPE_CHANGED,
                severity: Severity::Breaks,
                reader: Some("/".to_owned()),
                writer: Some("/".to_owned()),
                words: format!("data written with {} cannot be read with {}", writer.schema_type(), self.schema_type()),
                hint: Some("keep the schema type, or register under another subject".to_owned()),
            }],
        }
    }
    /// The smallest payload of this schema that `reader` cannot read, where the format builds one; see [`super::breaking_event`].
    pub(super) fn breaking_datum(&self, reader: &Self, rules: Rules) -> Option<Vec<u8>> {
        match (&self.form, &reader.form) {
            (Form::Avro(avro), Form::Avro(reader)) => avro.breaking(reader, rules.avro),
            _ => None,
        }
    }
    /// Texts of Protobuf versions that may stand between this one and another, with what each is; none of other types,
    /// whose texts are JSON that anybody can change.
    #[must_use]
    pub fn versions_between(&self, target: &Self) -> Vec<(String, &'static str)> {
        match (&self.form, &target.form) {
            (Form::Protobuf(old), Form::Protobuf(new)) => old.between(new),
            _ => Vec::new(),
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
fn within_limits(text: &str, references: &[Named]) -> Result<(), String> {
    let bytes = text.len() + references.iter().map(|reference| reference.text.len()).sum::<usize>();
    if bytes > TEXT_BYTES_MAX {
        return Err(format!("the schema has {bytes} bytes; at most {TEXT_BYTES_MAX} are read, with all that it refers to"));
    }
    references.iter().map(|reference| &*reference.text).chain([text]).try_for_each(within_depth)
}

/// How deep the objects and lists of a JSON text are nested, sound or not; nothing recurses.
#[must_use]
pub fn json_nesting(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
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
    deepest
}

fn within_depth(text: &str) -> Result<(), String> {
    let deepest = json_nesting(text.as_bytes());
    if deepest > TEXT_DEPTH_MAX {
        return Err(format!("the schema is nested {deepest} levels deep; at most {TEXT_DEPTH_MAX} are read"));
    }
    Ok(())
}
