//! The part of `cargo bench --bench schema` that is about Avro: what comparing two versions and compiling one costs.
//! Validating events is in `codec.rs`. Figures are printed, nothing is asserted.

use std::hint::black_box;
use std::sync::Arc;

use apache_avro::schema_compatibility::SchemaCompatibility;
use eventyard::machines::codec::{Schema, SchemaLibrary};
use serde_json::{Value as Json, json};

use super::cpu::cpu_s;
use super::{VERSIONS, best};

/// Prints every figure.
pub fn figures() {
    let texts: Vec<String> = (0..VERSIONS).map(|version| wide(version).to_string()).collect();
    let pairs = (VERSIONS * VERSIONS) as f64;
    let ours = best(|| {
        let library = SchemaLibrary::default();
        let compile = |text: &String| library.compile("AVRO", text).expect("the bench's schema is sound");
        let versions: Vec<Arc<Schema>> = texts.iter().map(compile).collect();
        let began = cpu_s();
        for reader in &versions {
            for writer in &versions {
                black_box(library.can_read(reader, writer).is_ok());
            }
        }
        pairs / (cpu_s() - began)
    });
    let parse = |text: &String| apache_avro::Schema::parse_str(text).expect("the bench's schema is sound");
    let versions: Vec<apache_avro::Schema> = texts.iter().map(parse).collect();
    let theirs = best(|| {
        let began = cpu_s();
        for reader in &versions {
            for writer in &versions {
                black_box(SchemaCompatibility::can_read(writer, reader).is_ok());
            }
        }
        pairs / (cpu_s() - began)
    });
    println!(
        "Avro, versions of 30 fields compared: {ours:.0}/s with every difference (wanted: at least 100000); \
         apache-avro {theirs:.0}, up to the first"
    );
    let compiled = best(|| {
        let began = cpu_s();
        for text in &texts {
            drop(black_box(SchemaLibrary::default().compile("AVRO", text)));
        }
        VERSIONS as f64 / (cpu_s() - began)
    });
    let parsed = best(|| {
        let began = cpu_s();
        for text in &texts {
            drop(black_box(parse(text)));
        }
        VERSIONS as f64 / (cpu_s() - began)
    });
    println!("Avro, compiling them: {compiled:.0}/s; apache-avro alone {parsed:.0}");
}

/// Version after version gains a field with a default, and one type widens.
fn wide(version: usize) -> Json {
    let field = |at: usize| {
        let ty = match at % 6 {
            0 => json!("string"),
            1 => json!(if version.is_multiple_of(2) { "int" } else { "long" }),
            2 => json!(["null", "string"]),
            3 => json!({"type": "enum", "name": format!("E{at}"), "symbols": ["NEW", "PAID", "SHIPPED"]}),
            4 => json!({"type": "array", "items": "double"}),
            _ => json!({"type": "record", "name": format!("R{at}"), "fields": [
                {"name": "sku", "type": "string"}, {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            ]}),
        };
        json!({"name": format!("field_{at}"), "type": ty})
    };
    let added = json!({"name": format!("added_{}", version / 2), "type": "int", "default": 0});
    let fields: Vec<Json> = (0..29).map(field).chain([added]).collect();
    json!({"type": "record", "name": "Wide", "namespace": "shop", "fields": fields})
}
