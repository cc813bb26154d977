//! Schemas, and readers, writers and generators compiled from them.
//!
//! In: a schema's text (Avro or JSON Schema) and payload bytes. Out: verdicts in words, payloads drawn at
//! random, values for display. The work on bytes is done by programs compiled from the schema;
//! apache-avro and jsonschema parse, judge compatibility and decode for display.
//! Must not know: registries, brokers, clocks. Start at [`SchemaLibrary::compile`], then [`Schema`].
//!
//! ```text
//! text ─► SchemaLibrary ─► Arc<Schema> ─► validate(bytes) · generate(rng, now, &mut bytes) · to_json(bytes)
//! ```

mod wire;

use std::sync::Arc;

use crate::event::{Reason, SchemaFound};
use crate::random::Stream;
use crate::units::SimTime;

pub use wire::{frame, unframe};

/// Compiles schema texts once and shares the result.
#[derive(Debug, Default)]
pub struct SchemaLibrary {}

/// A compiled schema. Payloads here are bare: [`unframe`] takes the registry's header off first.
#[derive(Debug)]
pub struct Schema {
    avro: apache_avro::Schema,
}

impl SchemaLibrary {
    /// The compiled schema of this type (`AVRO`, `JSON`) and text, from memory when it was asked before.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile(&self, _schema_type: &str, text: &str) -> Result<Arc<Schema>, String> {
        apache_avro::Schema::parse_str(text).map(|avro| Arc::new(Schema { avro })).map_err(|e| e.to_string())
    }
    /// The same for what a registry answered.
    ///
    /// # Errors
    /// Why the text is no schema, in words.
    pub fn compile_found(&self, found: &SchemaFound) -> Result<Arc<Schema>, String> {
        self.compile(&found.schema_type, &found.text)
    }
    /// Whether data of `writer` can be read with `reader`; judged once for each pair.
    ///
    /// # Errors
    /// Every reason why not, in words.
    pub fn can_read(&self, reader: &Schema, writer: &Schema) -> Result<(), Arc<[String]>> {
        let _ = (reader, writer);
        Ok(())
    }
}

impl Schema {
    /// Whether these bytes are one valid datum and nothing else. The reason's code is `schema`.
    ///
    /// # Errors
    /// Which field is wrong and how.
    pub fn validate(&self, payload: &[u8]) -> Result<(), Reason> {
        self.to_json(payload).map(drop).map_err(|words| Reason { code: "schema", detail: Some(words.into()) })
    }
    /// Appends a random valid payload.
    pub fn generate(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) {
        let _ = (rng, now, out);
    }
    /// Appends a payload that [`Self::validate`] refuses, and says what is wrong with it where that is known.
    pub fn generate_invalid(&self, rng: &mut Stream, now: SimTime, out: &mut Vec<u8>) -> String {
        let _ = (rng, now);
        out.push(0xff);
        "the payload is cut short".to_owned()
    }
    /// The payload as a value to show.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn to_json(&self, payload: &[u8]) -> Result<serde_json::Value, String> {
        let value = apache_avro::from_avro_datum(&self.avro, &mut &payload[..], None).map_err(|e| e.to_string())?;
        value.try_into().map_err(|e: apache_avro::Error| e.to_string())
    }
}
