//! One of the types that a schema describes: an Avro or JSON Schema has one, a Protobuf file has its messages.
//!
//! In: a body as a wire format's header leaves it, or the name of a message. Out: verdicts, payloads, values to show.
//! Start at [`Schema::opened`] for readers and [`Schema::typed`] for writers.

use serde_json::Value as Json;

use super::schema::{CODE, Form, Schema};
use super::wire::Framing;
use crate::event::Reason;
use crate::random::Stream;
use crate::units::SimTime;

/// Tries at a payload that is broken in a way with a name.
const BROKEN_TRIES: usize = 4;

/// Number of a type within its schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeIx(pub u32);

impl TypeIx {
    /// What a payload is where nobody says.
    pub const FIRST: Self = Self(0);
}

/// A schema and one of its types.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    pub(super) schema: &'a Schema,
    pub(super) ty: TypeIx,
}

impl Schema {
    /// The number of a type by its name: of a Protobuf file a message, by its full name or without the package; of other
    /// schemas the only one. Without a name the first.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn type_named(&self, name: Option<&str>) -> Result<TypeIx, String> {
        match (&self.form, name) {
            (_, None) => Ok(TypeIx::FIRST),
            (Form::Protobuf(protobuf), Some(name)) => protobuf.type_named(name),
            (_, Some(name)) if self.name().as_deref() == Some(name) => Ok(TypeIx::FIRST),
            (_, Some(name)) => Err(format!("the schema is {} and has no message `{name}`", self.schema_type())),
        }
    }
    /// This type of it.
    #[must_use]
    pub const fn typed(&self, ty: TypeIx) -> Typed<'_> {
        Typed { schema: self, ty }
    }
    /// Which type a body is of, and its payload: what follows a registry's header begins in Protobuf with the message's
    /// number. The reason's code is `wire-format`.
    ///
    /// # Errors
    /// When no type has this number.
    #[inline]
    pub fn opened<'a>(&self, framing: Framing, body: &'a [u8]) -> Result<(Typed<'_>, &'a [u8]), Reason> {
        let Form::Protobuf(protobuf) = &self.form else { return Ok((self.typed(TypeIx::FIRST), body)) };
        match protobuf.read_number(framing, body) {
            Ok((ty, payload)) => Ok((self.typed(ty), payload)),
            Err(words) => Err(Reason { code: "wire-format", detail: Some(words.into()) }),
        }
    }
    /// Whether a body behind a registry's header is one valid datum: [`Self::opened`] and [`Typed::validate`].
    ///
    /// # Errors
    /// Which field is wrong and how.
    #[inline]
    pub fn validate_body(&self, framing: Framing, body: &[u8]) -> Result<(), Reason> {
        let (typed, payload) = self.opened(framing, body)?;
        typed.validate(payload)
    }
    /// A body behind a registry's header as data for programs: [`Typed::to_data`].
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn body_to_data(&self, framing: Framing, body: &[u8]) -> Result<Json, String> {
        let (typed, payload) = self.opened(framing, body).map_err(|reason| reason.code.to_owned())?;
        typed.to_data(payload)
    }
    /// A body behind a registry's header as a value to show.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn body_to_json(&self, framing: Framing, body: &[u8]) -> Result<Json, String> {
        let in_words = |reason: Reason| reason.detail.map_or_else(|| reason.code.to_owned(), std::borrow::Cow::into_owned);
        let (typed, payload) = self.opened(framing, body).map_err(in_words)?;
        typed.to_json(payload)
    }
}

impl Typed<'_> {
    /// A Protobuf message's full name; none of other schemas.
    #[must_use]
    pub fn message_name(&self) -> Option<String> {
        match &self.schema.form {
            Form::Protobuf(protobuf) => protobuf.name_of(self.ty),
            Form::Avro(_) | Form::Json(_) => None,
        }
    }
    /// Small valid payloads of a Protobuf message, the smallest first; none of other schemas.
    pub(super) fn small_payloads(&self) -> Vec<Vec<u8>> {
        match &self.schema.form {
            Form::Protobuf(protobuf) => protobuf.small_payloads(self.ty),
            Form::Avro(_) | Form::Json(_) => Vec::new(),
        }
    }
    /// Whether a payload that `reader` can read stands for something else there. Only Protobuf's readers take nearly
    /// everything; those of the others refuse what is not meant for them.
    pub(super) fn is_otherwise(&self, reader: &Schema, payload: &[u8]) -> bool {
        match (&self.schema.form, &reader.form) {
            (Form::Protobuf(protobuf), Form::Protobuf(reader)) => protobuf.is_otherwise(reader, self.ty, payload),
            _ => false,
        }
    }
    /// Appends what stands between a registry's header and the payload: nothing but for Protobuf.
    #[inline]
    pub fn write_number(&self, framing: Framing, out: &mut Vec<u8>) {
        if let Form::Protobuf(protobuf) = &self.schema.form {
            protobuf.write_number(framing, self.ty, out);
        }
    }
    /// See [`Schema::validate`].
    ///
    /// # Errors
    /// Which field is wrong and how.
    #[inline]
    pub fn validate(&self, payload: &[u8]) -> Result<(), Reason> {
        let checked = match &self.schema.form {
            Form::Avro(avro) => avro.validate(payload),
            Form::Json(json) => json.validate(payload),
            Form::Protobuf(protobuf) => protobuf.validate(self.ty, payload),
        };
        checked.map_err(|words| Reason { code: CODE, detail: Some(words.into()) })
    }
    /// See [`Schema::generate`].
    #[inline]
    pub fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        match &self.schema.form {
            Form::Avro(avro) => avro.generate(rng, now, out),
            Form::Json(json) => json.generate(rng, now, out),
            Form::Protobuf(protobuf) => protobuf.generate(self.ty, rng, now, out),
        }
    }
    /// See [`Schema::generate_invalid`].
    pub fn generate_invalid(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> String {
        let start = out.len();
        for _ in 0..BROKEN_TRIES {
            let words = match &self.schema.form {
                Form::Avro(avro) => avro.generate_broken(rng, now, out),
                Form::Json(json) => json.generate_broken(rng, now, out),
                Form::Protobuf(protobuf) => protobuf.generate_broken(self.ty, rng, now, out),
            };
            match words {
                Some(words) if self.validate(&out[start..]).is_err() => return words,
                _ => out.truncate(start),
            }
        }
        self.generate(rng, now, out);
        let whole = out.len() - start;
        let kept = rng.below(whole as u64) as usize;
        if self.validate(&out[start..start + kept]).is_err() {
            out.truncate(start + kept);
            return format!("the payload is cut short after {kept} of {whole} bytes");
        }
        // Nothing may follow a value: a byte more is always one too many. In Protobuf it begins a field that has no end.
        out.push(b'}');
        "bytes follow the end of the value".to_owned()
    }
    /// See [`Schema::to_json`].
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn to_json(&self, payload: &[u8]) -> Result<Json, String> {
        match &self.schema.form {
            Form::Avro(avro) => avro.to_json(payload, None),
            Form::Json(json) => json.to_json(payload),
            Form::Protobuf(protobuf) => protobuf.to_json(self.ty, payload),
        }
    }
    /// A payload as data for programs: a Protobuf message's fields by the names of its file, its numbers as numbers.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn to_data(&self, payload: &[u8]) -> Result<Json, String> {
        match &self.schema.form {
            Form::Avro(_) | Form::Json(_) => self.to_json(payload),
            Form::Protobuf(protobuf) => protobuf.to_data(self.ty, payload),
        }
    }
    /// Appends the payload that a JSON value stands for.
    ///
    /// # Errors
    /// Which field is wrong and how; what was appended then is of no use.
    pub fn write(&self, value: &Json, out: &mut Vec<u8>) -> Result<(), Reason> {
        let start = out.len();
        let written = match &self.schema.form {
            Form::Avro(avro) => avro.write(value, out),
            Form::Json(_) => serde_json::to_writer(&mut *out, value).map_err(|error| error.to_string()),
            Form::Protobuf(protobuf) => protobuf.write(self.ty, value, out),
        };
        written.map_err(|words| Reason { code: CODE, detail: Some(words.into()) })?;
        self.validate(&out[start..])
    }
    /// See [`Schema::to_json_as`].
    ///
    /// # Errors
    /// Why it cannot be read so.
    pub fn to_json_as(&self, reader: &Schema, payload: &[u8]) -> Result<Json, String> {
        match (&self.schema.form, &reader.form) {
            (Form::Avro(avro), Form::Avro(reader)) => avro.to_json(payload, Some(reader)),
            (Form::Json(_), Form::Json(reader)) => reader.to_json(payload),
            (Form::Protobuf(protobuf), Form::Protobuf(reader)) => protobuf.to_json_as(reader, self.ty, payload),
            _ => Err(format!("data written with {} cannot be read with {}", self.schema.schema_type(), reader.schema_type())),
        }
    }
}
