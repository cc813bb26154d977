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

mod avro;
mod difference;
mod draw;
mod json;
mod library;
mod references;
mod schema;
mod wire;
mod words;

#[cfg(test)]
mod tests;

pub use difference::{DIFFERENCES_MAX, Difference, Policy, Severity};
pub use draw::{EPOCH_MS, iso_time};
pub use library::SchemaLibrary;
pub use references::Named;
pub use schema::{Schema, SchemaType};
pub use wire::{frame, unframe};
pub use words::digits;
