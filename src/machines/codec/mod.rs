//! Schemas, and readers, writers and generators compiled from them.
//!
//! In: a schema's text (Avro, JSON Schema or Protobuf) and payload bytes. Out: verdicts in words, payloads drawn at
//! random, values for display. The work on bytes is done by programs compiled from the schema;
//! apache-avro, jsonschema and prost-reflect parse, judge compatibility and decode for display.
//! Must not know: registries, brokers, clocks. Start at [`SchemaLibrary::compile`], then [`Schema`].
//!
//! ```text
//! text ─► SchemaLibrary ─► Arc<Schema> ─► validate(bytes) · generate(rng, now, &mut bytes) · to_json(bytes)
//! ```

mod avro;
mod difference;
mod draw;
mod json;
mod library;
mod protobuf;
mod references;
mod schema;
mod typed;
mod varint;
mod wire;
mod words;
mod wrong;

#[cfg(test)]
mod tests;

pub use difference::{DIFFERENCES_MAX, Difference, Policy, Severity, Side};
pub use draw::{EPOCH_MS, iso_time};
pub use library::SchemaLibrary;
pub use references::Named;
pub use schema::{Schema, SchemaType};
pub use typed::{TypeIx, Typed};
pub use wire::{Framing, frame, unframe};
pub use words::digits;
