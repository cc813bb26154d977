//! Avro: a parsed schema beside a program compiled from it.
//!
//! In: a schema's text. Out: an [`AvroSchema`] that checks and makes bytes by its program, and shows and
//! compares by apache-avro. Property tests hold the two together.
//! Must not know: JSON Schema, registries. Start at [`AvroSchema`]; `program.rs` is what runs.

mod check;
mod compatibility;
mod generate;
mod program;
mod sabotage;
mod show;
#[cfg(test)]
mod tests;

use apache_avro::Schema as Parsed;
use serde_json::Value as Json;

use crate::random::Stream;
use crate::units::SimTime;
use generate::Writer;
use program::Program;

/// A compiled Avro schema.
#[derive(Debug)]
pub struct AvroSchema {
    parsed: Parsed,
    program: Program,
}

impl AvroSchema {
    /// # Errors
    /// Why the text is no schema.
    pub(super) fn compile(text: &str) -> Result<Self, String> {
        let parsed = Parsed::parse_str(text).map_err(|error| error.to_string())?;
        let program = Program::compile(&parsed)?;
        Ok(Self { parsed, program })
    }
    /// Full name of the record, enum or fixed at the top.
    pub(super) fn name(&self) -> Option<String> {
        self.parsed.name().map(|name| name.fullname(None))
    }
    pub(super) fn validate(&self, payload: &[u8]) -> Result<(), String> {
        self.program.check(payload).map_err(|wrong| wrong.words())
    }
    pub(super) fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        self.program.generate(0, &mut Writer::new(rng, now, out), 0);
    }
    pub(super) fn generate_broken(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> Option<String> {
        self.program.generate_broken(&mut Writer::new(rng, now, out))
    }
    /// Decodes data of this schema, and resolves it to `reader` when one is given.
    pub(super) fn to_json(&self, payload: &[u8], reader: Option<&Self>) -> Result<Json, String> {
        self.validate(payload)?;
        let decoder = apache_avro::reader::datum::GenericDatumReader::builder(&self.parsed)
            .maybe_reader_schema(reader.map(|reader| &reader.parsed))
            .build()
            .map_err(|error| error.to_string())?;
        let value = decoder.read_value(&mut &payload[..]).map_err(|error| error.to_string())?;
        Ok(reader.unwrap_or(self).program.show(0, &value))
    }
    /// Whether every datum of `writer` can be read with this schema.
    ///
    /// # Errors
    /// Every reason why not.
    pub(super) fn can_read(&self, writer: &Self) -> Result<(), Vec<String>> {
        compatibility::can_read(&self.parsed, &writer.parsed)
    }
}
