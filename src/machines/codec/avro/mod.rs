//! Avro: a parsed schema beside a program compiled from it.
//!
//! In: a schema's text. Out: an [`AvroSchema`] that checks and makes bytes by its program, compares by its outline, and
//! shows by apache-avro. Property tests hold them together.
//! Must not know: JSON Schema, registries. Start at [`AvroSchema`]; `program.rs` is what runs.

mod breaking;
#[cfg(test)]
mod cases;
mod check;
mod compare;
mod fits;
mod generate;
mod inline;
mod names;
mod outline;
mod program;
mod quick;
mod resolve;
mod sabotage;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod text_data;
mod wording;

use apache_avro::Schema as Parsed;
use apache_avro::types::Value as Datum;
use serde_json::Value as Json;

use super::difference::Difference;
use super::references::Named;
use crate::random::Stream;
use crate::units::SimTime;
use generate::Writer;
use outline::Outline;
use program::Program;
use text::Form;

pub use fits::AvroRules;
pub use wording::message;

/// Objects of a schema's JSON, with those of what it refers to: counted before anything is built of them. A part of a
/// schema is one or two objects.
const OBJECTS_MAX: usize = 20_000;

/// Why some schemas have no data.
const ENDLESS: &str = "no finite value fits this schema: a record contains itself without a way out, or a union or enum is empty";

/// A compiled Avro schema.
#[derive(Debug)]
pub struct AvroSchema {
    /// As it was given.
    source: Json,
    /// With the types that it refers to written out, where it refers to any.
    resolved: Option<Json>,
    parsed: Parsed,
    program: Program,
    outline: Outline,
}

impl AvroSchema {
    /// # Errors
    /// Why the text is no schema.
    pub(super) fn compile(text: &str, references: &[Named]) -> Result<Self, String> {
        let source: Json = serde_json::from_str(text).map_err(|error| format!("the schema is no JSON: {error}"))?;
        let resolved = if references.is_empty() { None } else { Some(inline::inlined(&source, references)?) };
        let whole = resolved.as_ref().unwrap_or(&source);
        let objects = objects_count(whole);
        if objects > OBJECTS_MAX {
            return Err(format!("the schema has {objects} objects; at most {OBJECTS_MAX} are read"));
        }
        let parsed = Parsed::parse(whole).map_err(|error| error.to_string())?;
        let program = Program::compile(&parsed)?;
        let outline = Outline::compile(&parsed)?;
        Ok(Self { source, resolved, parsed, program, outline })
    }
    pub(super) fn stored_text(&self) -> String {
        text::written(&self.source, Form::Stored)
    }
    pub(super) fn normal_text(&self) -> String {
        text::written(&self.source, Form::Normal)
    }
    pub(super) fn is_same_resolved(&self, other: &Self) -> bool {
        let normal = |schema: &Self| text::written(schema.resolved.as_ref().unwrap_or(&schema.source), Form::Normal);
        normal(self) == normal(other)
    }
    /// The Parsing Canonical Form and its fingerprint.
    pub(super) fn parsing_form(&self) -> (String, u64) {
        let form = text::written(self.resolved.as_ref().unwrap_or(&self.source), Form::Parsing);
        let fingerprint = text::fingerprint(&form);
        (form, fingerprint)
    }
    pub(super) fn can_generate(&self) -> Result<(), String> {
        if self.program.is_finite() { Ok(()) } else { Err(ENDLESS.to_owned()) }
    }
    /// Full name of the record, enum or fixed at the top.
    pub(super) fn name(&self) -> Option<String> {
        self.parsed.name().map(|name| name.fullname(None))
    }
    #[inline]
    pub(super) fn validate(&self, payload: &[u8]) -> Result<(), String> {
        if self.program.quick.accepts(payload) {
            return Ok(());
        }
        self.can_generate()?;
        self.program.check(payload).map_err(|wrong| wrong.words())
    }
    pub(super) fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        if self.program.is_finite() {
            self.program.generate(0, &mut Writer::new(rng, now, out), 0);
        }
    }
    pub(super) fn generate_broken(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> Option<String> {
        self.can_generate().ok()?;
        self.program.generate_broken(&mut Writer::new(rng, now, out))
    }
    /// Decodes data of this schema, and resolves it to `reader` when one is given.
    pub(super) fn to_json(&self, payload: &[u8], reader: Option<&Self>) -> Result<Json, String> {
        self.validate(payload)?;
        if let Some(reader) = reader {
            resolve::resolve(&reader.outline, &self.outline, AvroRules::Current, payload)?;
        }
        let decoder = apache_avro::reader::datum::GenericDatumReader::builder(&self.parsed)
            .maybe_reader_schema(reader.map(|reader| &reader.parsed))
            .build()
            .map_err(|error| error.to_string())?;
        let value = decoder.read_value(&mut &payload[..]).map_err(|error| error.to_string())?;
        Ok(reader.unwrap_or(self).program.show(0, &value))
    }
    /// Appends the datum that a JSON value stands for; fields that it lacks take their defaults.
    pub(super) fn write(&self, value: &Json, out: &mut Vec<u8>) -> Result<(), String> {
        let datum = datum_of(value).resolve(&self.parsed).map_err(|error| error.to_string())?;
        let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&self.parsed).build().map_err(|error| error.to_string())?;
        writer.write_value(out, datum).map(drop).map_err(|error| error.to_string())
    }
    /// What this schema makes of data written with `writer`.
    pub(super) fn compare(&self, writer: &Self, rules: AvroRules) -> Vec<Difference> {
        compare::compare(&self.outline, &writer.outline, rules)
    }
    /// The smallest datum of this schema that `reader` cannot read, if one was found.
    pub(super) fn breaking(&self, reader: &Self, rules: AvroRules) -> Option<Vec<u8>> {
        breaking::breaking(&reader.outline, &self.outline, rules)
    }
    /// Whether a JSON value can stand for a datum.
    pub(super) fn validate_text(&self, value: &Json) -> Result<(), String> {
        text_data::check(&self.outline, value)
    }
}

/// A JSON value as apache-avro takes it; a schema says later what it is exactly.
fn datum_of(value: &Json) -> Datum {
    match value {
        Json::Null => Datum::Null,
        Json::Bool(value) => Datum::Boolean(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Datum::Double(number.as_f64().unwrap_or_default()), Datum::Long),
        Json::String(text) => Datum::String(text.clone()),
        Json::Array(list) => Datum::Array(list.iter().map(datum_of).collect()),
        Json::Object(fields) => Datum::Record(fields.iter().map(|(name, value)| (name.clone(), datum_of(value))).collect()),
    }
}

/// Nesting is limited where texts are read.
fn objects_count(json: &Json) -> usize {
    match json {
        Json::Object(map) => 1 + map.values().map(objects_count).sum::<usize>(),
        Json::Array(list) => list.iter().map(objects_count).sum(),
        _ => 0,
    }
}
