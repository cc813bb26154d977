//! Schemas, and readers, writers and generators compiled from them.
//!
//! In: a schema's text (Avro, JSON Schema or Protobuf) and payload bytes. Out: verdicts in words, payloads drawn at
//! random, values for display, and what changes between two schemas. The work on bytes is done by programs compiled from
//! the schema; apache-avro, jsonschema and prost-reflect parse, and decode for display.
//! Must not know: registries, brokers, clocks. Start at [`SchemaLibrary::compile`], then [`Schema`].
//!
//! ```text
//! text ─► SchemaLibrary ─► Arc<Schema> ─► validate(bytes) · generate(rng, now, &mut bytes) · to_json(bytes)
//! ```

mod avro;
pub mod cloud_events;
mod difference;
mod draw;
mod explain;
mod flat;
mod guess;
mod json;
mod library;
mod protobuf;
mod references;
mod schema;
mod typed;
mod varint;
mod wire;
mod witness;
mod words;
mod wrong;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;

pub use avro::{AvroRules, message as avro_message};
pub use difference::{DIFFERENCES_MAX, Difference, Policy, Severity, Side};
pub use draw::{EPOCH_MS, iso_time};
pub use explain::explained;
pub use flat::{FlatField, FlatType};
pub use guess::guess_type;
pub use library::SchemaLibrary;
pub use references::Named;
pub use schema::{Rules, SCHEMA_TYPE_CHANGED, Schema, SchemaType, json_nesting};
pub use typed::{TypeIx, Typed};
pub use wire::{Framing, HeaderId, frame, unframe, unframe_any, uuid_text};
pub use witness::{BreakingEvent, Read, Search, TRIES_MAX, breaking_event};
pub use words::digits;
