//! The part of `cargo bench --bench schema` that is about Protobuf.
//!
//! What validating an event costs on a run's hot path, beside the crates that decode it whole, and what comparing two
//! versions costs. One function per figure. Figures are printed, nothing is asserted.

use std::hint::black_box;

use eventyard::machines::codec::{Policy, Schema, SchemaLibrary};
use eventyard::random::Stream;
use eventyard::units::SimTime;
use prost_reflect::{DescriptorPool, DynamicMessage};

use super::best;
use super::cpu::cpu_s;

/// Distinct payloads that a measurement goes through.
const PAYLOADS: usize = 1_000;
const ROUNDS: usize = 300;

const ORDER_PROTOBUF: &str = r#"syntax = "proto3";
package shop;
message OrderPlaced {
  enum Status { STATUS_NEW = 0; STATUS_PAID = 1; STATUS_SHIPPED = 2; }
  string order_id = 1;
  string customer_name = 2;
  string email = 3;
  double amount = 4;
  string currency = 5;
  int32 quantity = 6;
  int64 placed_at = 7;
  Status status = 8;
  string sku = 9;
  bool gift = 10;
}"#;

/// Prints every figure.
pub fn figures() {
    protobuf_validate();
    protobuf_generate();
    protobuf_compare();
    protobuf_compile();
}

fn protobuf_validate() {
    let library = SchemaLibrary::default();
    let schema = library.compile("PROTOBUF", ORDER_PROTOBUF).expect("a schema");
    let payloads = payloads(&schema);
    let mean = payloads.iter().map(Vec::len).sum::<usize>() / payloads.len();
    let ours = best(|| per_s(&payloads, |payload| schema.validate(payload).is_ok()));
    let message = descriptors(ORDER_PROTOBUF).get_message_by_name("shop.OrderPlaced").expect("it is there");
    let theirs = best(|| per_s(&payloads, |payload| DynamicMessage::decode(message.clone(), payload).is_ok()));
    println!(
        "Protobuf, validating events of {mean} bytes: {:.2} million/s (wanted: at least 0.8); prost-reflect decodes {:.2}",
        ours / 1e6,
        theirs / 1e6
    );
}

fn protobuf_generate() {
    let library = SchemaLibrary::default();
    let schema = library.compile("PROTOBUF", ORDER_PROTOBUF).expect("a schema");
    let mut rng = Stream::new(1, "bench", "schema");
    let mut payload = Vec::new();
    let rate = best(|| {
        let start = cpu_s();
        for _ in 0..PAYLOADS * ROUNDS {
            payload.clear();
            schema.generate(&mut rng, SimTime::ZERO, &mut payload);
        }
        (PAYLOADS * ROUNDS) as f64 / (cpu_s() - start)
    });
    println!("Protobuf, generating them: {:.2} million/s", rate / 1e6);
}

/// Every pair of versions, each judged for the first time.
fn protobuf_compare() {
    const VERSIONS: usize = 140;
    let rate = best(|| {
        let library = SchemaLibrary::default();
        let version =
            |at: usize| wide_protobuf(at % 2 == 1).replace(" } message Line", &format!(" string extra = {}; }} message Line", 50 + at));
        let versions: Vec<_> = (0..VERSIONS).map(|at| library.compile("PROTOBUF", &version(at)).expect("a schema")).collect();
        let start = cpu_s();
        for reader in &versions {
            for writer in &versions {
                black_box(library.compare(reader, writer, Policy::default()));
            }
        }
        (VERSIONS * VERSIONS) as f64 / (cpu_s() - start)
    });
    println!("Protobuf, versions of 30 fields compared: {rate:.0}/s (wanted: at least 20,000)");
}

fn protobuf_compile() {
    let text = wide_protobuf(false);
    let rate = |mut compile: Box<dyn FnMut()>| {
        best(|| {
            let start = cpu_s();
            (0..2_000).for_each(|_| compile());
            2_000.0 / (cpu_s() - start)
        })
    };
    let ours = text.clone();
    let library = move || drop(SchemaLibrary::default().compile("PROTOBUF", &ours).expect("a schema"));
    let (ours, theirs) = (rate(Box::new(library)), rate(Box::new(move || drop(descriptors(&text)))));
    println!("Protobuf, compiling them: {ours:.0}/s; protox and prost-reflect alone {theirs:.0}");
}

/// Thirty fields; the second version has one more, one gone, one wider.
fn wide_protobuf(is_new: bool) -> String {
    const TYPES: [&str; 6] = ["string", "int32", "double", "bool", "repeated string", "Line"];
    let mut text = "syntax = \"proto3\"; package shop; message Wide {".to_owned();
    for at in 0..30 {
        let ty = if is_new && at == 1 { "int64" } else { TYPES[at % TYPES.len()] };
        if !(is_new && at == 12) {
            text += &format!(" {ty} field_{at} = {};", at + 1);
        }
    }
    if is_new {
        text += " reserved 13; reserved \"field_12\"; string added = 40;";
    }
    text + " } message Line { string sku = 1; int64 price = 2; }"
}

fn descriptors(text: &str) -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_proto(protox_parse::parse("bench.proto", text).expect("it parses")).expect("it resolves");
    pool
}

fn payloads(schema: &Schema) -> Vec<Vec<u8>> {
    let mut rng = Stream::new(1, "bench", "schema");
    let mut payloads = vec![Vec::new(); PAYLOADS];
    payloads.iter_mut().for_each(|payload| schema.generate(&mut rng, SimTime::ZERO, payload));
    payloads
}

/// Payloads a second.
fn per_s(payloads: &[Vec<u8>], is_valid: impl Fn(&[u8]) -> bool) -> f64 {
    let start = cpu_s();
    for _ in 0..ROUNDS {
        for payload in payloads {
            assert!(is_valid(black_box(payload)), "what was generated is valid");
        }
    }
    (ROUNDS * payloads.len()) as f64 / (cpu_s() - start)
}
