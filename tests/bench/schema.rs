//! Schemas alone: `cargo bench --bench schema`.
//!
//! One function a figure. Ours stands beside what the crates give for the same payloads in the same run, by
//! this thread's CPU time. Figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "avro_schema.rs"]
mod avro_schema;
#[path = "cpu.rs"]
mod cpu;
#[path = "protobuf_schema.rs"]
mod protobuf_schema;

use std::hint::black_box;
use std::sync::Arc;

use cpu::cpu_s;
use eventyard::machines::codec::{Schema, SchemaLibrary};
use eventyard::random::Stream;
use eventyard::units::SimTime;
use serde_json::{Value as Json, json};

/// Payloads that a measurement goes through.
const PAYLOADS: usize = 1_000;
/// Times that it goes through them.
const ROUNDS: usize = 300;
/// Schemas that are compared with one another.
const VERSIONS: usize = 100;

fn main() {
    avro_schema::figures();
    json_validation();
    json_comparison();
    protobuf_schema::figures();
}

/// An order event of 10 fields, from bytes to a verdict.
fn json_validation() {
    let text = order().to_string();
    let schema = SchemaLibrary::default().compile("JSON", &text).expect("the bench's schema is sound");
    let payloads = payloads(&schema);
    let size = payloads.iter().map(Vec::len).sum::<usize>() / payloads.len();
    let ours = best(|| per_s(&payloads, |payload| schema.validate(payload).is_ok()));
    let library = jsonschema::options().should_validate_formats(true).build(&order()).expect("a schema");
    let theirs = best(|| per_s(&payloads, |payload| serde_json::from_slice(payload).is_ok_and(|value: Json| library.is_valid(&value))));
    println!(
        "JSON Schema, valid events of {size} bytes: {:.2} million/s from bytes (wanted: at least 0.8), {:.1} × jsonschema with serde_json at {:.2}",
        ours / 1e6,
        ours / theirs,
        theirs / 1e6
    );
    let mut rng = Stream::new(1, "bench", "schema");
    let mut out = Vec::new();
    let made = best(|| {
        per_s(&payloads, |_| {
            out.clear();
            schema.generate(&mut rng, SimTime::ZERO, &mut out);
            !out.is_empty()
        })
    });
    println!("JSON Schema, events made: {:.2} million/s", made / 1e6);
}

/// Every pair of versions of a schema of 30 fields, both ways.
fn json_comparison() {
    let measured = best(|| {
        let library = SchemaLibrary::default();
        let versions: Vec<Arc<Schema>> = (0..VERSIONS)
            .map(|version| library.compile("JSON", &wide(version).to_string()).expect("the bench's schema is sound"))
            .collect();
        let began = cpu_s();
        for reader in &versions {
            for writer in &versions {
                black_box(library.can_read(reader, writer).is_ok());
            }
        }
        (VERSIONS * VERSIONS) as f64 / (cpu_s() - began)
    });
    println!("JSON Schema, versions of 30 fields compared: {measured:.0}/s (wanted: at least 20000)");
}

fn best(mut measure: impl FnMut() -> f64) -> f64 {
    (0..5).map(|_| measure()).fold(0.0, f64::max)
}

fn per_s(payloads: &[Vec<u8>], mut judge: impl FnMut(&[u8]) -> bool) -> f64 {
    let began = cpu_s();
    for _ in 0..ROUNDS {
        for payload in payloads {
            assert!(judge(black_box(payload)));
        }
    }
    (ROUNDS * payloads.len()) as f64 / (cpu_s() - began)
}

fn payloads(schema: &Schema) -> Vec<Vec<u8>> {
    let mut rng = Stream::new(1, "bench", "schema");
    let make = |_| {
        let mut payload = Vec::new();
        schema.generate(&mut rng, SimTime::ZERO, &mut payload);
        payload
    };
    (0..PAYLOADS).map(make).collect()
}

fn order() -> Json {
    let line =
        json!({"type": "object", "required": ["sku", "price"], "properties": {"sku": {"type": "string"}, "price": {"type": "number"}}});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "OrderPlaced",
        "type": "object",
        "required": ["order_id", "customer_name", "amount", "currency", "quantity", "placed_at", "status", "gift"],
        "additionalProperties": false,
        "properties": {
            "order_id": {"type": "string", "format": "uuid"},
            "customer_name": {"type": "string", "maxLength": 80},
            "email": {"type": ["string", "null"], "format": "email"},
            "amount": {"type": "number", "minimum": 0},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "quantity": {"type": "integer", "minimum": 1},
            "placed_at": {"type": "string", "format": "date-time"},
            "status": {"enum": ["new", "paid", "shipped"]},
            "lines": {"type": "array", "maxItems": 2, "items": line},
            "gift": {"type": "boolean"},
        },
    })
}

/// Version after version gains a field, and longer texts.
fn wide(version: usize) -> Json {
    let field = |at: usize| match at % 5 {
        0 => json!({"type": "string", "maxLength": 20 + version}),
        1 => json!({"type": "number", "minimum": 0}),
        2 => json!({"enum": ["new", "paid"]}),
        3 => json!({"type": ["string", "null"]}),
        _ => json!({"type": "object", "properties": {"x": {"type": "integer"}}}),
    };
    let properties: serde_json::Map<String, Json> = (0..30 + version % 4).map(|at| (format!("field_{at}"), field(at))).collect();
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}
