//! All types of schema through one door.

use super::*;
use crate::random::Stream;
use crate::units::SimTime;

pub(super) const ORDER_AVRO: &str = r#"{"type":"record","name":"OrderPlaced","namespace":"shop","fields":[
    {"name":"order_id","type":{"type":"string","logicalType":"uuid"}},
    {"name":"customer_name","type":"string"},
    {"name":"email","type":["null","string"],"default":null},
    {"name":"amount","type":"double"},
    {"name":"currency","type":"string"},
    {"name":"quantity","type":"int"},
    {"name":"placed_at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"status","type":{"type":"enum","name":"Status","symbols":["NEW","PAID","SHIPPED"]}},
    {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[
        {"name":"sku","type":"string"},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}}]}}},
    {"name":"gift","type":"boolean"}]}"#;

const ORDER_JSON: &str = r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"OrderPlaced","type":"object",
    "required":["order_id","amount","status"],"additionalProperties":false,
    "properties":{"order_id":{"type":"string","format":"uuid"},"amount":{"type":"number","exclusiveMinimum":0,"maximum":500},
    "status":{"enum":["new","paid"]},"note":{"type":["string","null"],"maxLength":10},
    "lines":{"type":"array","minItems":1,"maxItems":3,"items":{"$ref":"#/$defs/line"}}},
    "$defs":{"line":{"type":"object","required":["sku"],"properties":{"sku":{"type":"string","pattern":"^[A-Z]{3}-\\d{4}$"},"quantity":{"type":"integer","minimum":1,"maximum":9}}}}}"##;

const ORDER_PROTOBUF: &str = r#"syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto";
    message OrderPlaced {
      message Line { string sku = 1; int64 price_cents = 2; }
      enum Status { NEW = 0; PAID = 1; SHIPPED = 2; }
      string order_id = 1; string customer_name = 2; optional string email = 3; double amount = 4; string currency = 5;
      int32 quantity = 6; google.protobuf.Timestamp placed_at = 7; Status status = 8; repeated Line lines = 9; bool gift = 10; }"#;

#[test]
fn payloads_pass_and_broken_payloads_do_not() {
    let library = SchemaLibrary::default();
    for (schema_type, text) in [
        ("AVRO", ORDER_AVRO),
        ("JSON", ORDER_JSON),
        ("PROTOBUF", ORDER_PROTOBUF),
        ("PROTOBUF", "message A { required int32 a = 1; }"),
        ("AVRO", r#""null""#),
        ("AVRO", r#""string""#),
        ("JSON", "{}"),
        ("JSON", "true"),
    ] {
        let schema = library.compile(schema_type, text).expect(text);
        schema.can_generate().expect(text);
        let mut rng = Stream::new(1, "codec", "tests");
        for turn in 0..2_000 {
            let now = SimTime::from_ns(turn * 1_000_000_007);
            let mut payload = vec![7];
            schema.generate(&mut rng, now, &mut payload);
            if let Err(reason) = schema.validate(&payload[1..]) {
                panic!("{text}: {reason:?}: {}", String::from_utf8_lossy(&payload[1..]));
            }
            schema.to_json(&payload[1..]).expect("shows");
            let mut broken = vec![7];
            let words = schema.generate_invalid(&mut rng, now, &mut broken);
            assert!(schema.validate(&broken[1..]).is_err(), "{words}");
            assert!(!words.is_empty());
        }
    }
}

#[test]
fn words_name_the_field() {
    let library = SchemaLibrary::default();
    let detail = |schema: &Schema, payload: &[u8]| {
        let reason = schema.validate(payload).expect_err("refused");
        assert_eq!(reason.code, "schema");
        reason.detail.expect("words").into_owned()
    };
    let avro = library.compile("AVRO", r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":{"type":"record","name":"I","fields":[{"name":"amount","type":"double"}]}}}]}"#).expect("schema");
    assert_eq!(detail(&avro, &[2, 1, 2, 3]), "field a[0].amount: expected double, 3 bytes left");
    assert_eq!(detail(&avro, &[0, 0]), "1 bytes follow the end of the value");
    let json = library.compile("JSON", ORDER_JSON).expect("schema");
    let order = |amount: &str| format!(r#"{{"order_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","amount":{amount},"status":"new"}}"#);
    assert_eq!(detail(&json, order("\"12\"").as_bytes()), "field amount is text, schema wants number");
    assert_eq!(detail(&json, br#"{"order_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","status":"new"}"#), "field amount is missing");
    json.validate(order("12").as_bytes()).expect("valid");
    assert!(detail(&json, b"{").starts_with("not JSON"));
}

#[test]
fn the_library_compiles_once() {
    let library = SchemaLibrary::default();
    let first = library.compile("AVRO", ORDER_AVRO).expect("schema");
    let again = library.compile("AVRO", ORDER_AVRO).expect("schema");
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    assert_eq!(first.name().as_deref(), Some("shop.OrderPlaced"));
    assert!(library.compile("THRIFT", "").expect_err("unknown").contains("AVRO, JSON or PROTOBUF"));
}

#[test]
fn hostile_texts_are_refused_in_words() {
    let library = SchemaLibrary::default();
    let words = |schema_type: &str, text: &str| library.compile(schema_type, text).expect_err("refused");
    assert!(words("AVRO", &"[".repeat(100_000)).contains("levels deep"));
    assert!(words("JSON", &" ".repeat(2 << 20)).contains("bytes; at most"));
    let endless = library.compile("AVRO", r#"{"type":"record","name":"A","fields":[{"name":"a","type":"A"}]}"#).expect("a schema");
    assert!(endless.can_generate().expect_err("nothing fits").contains("no finite value"));
    assert!(endless.validate(&[]).is_err());
    let mut bomb = r#"{"type":"record","name":"R0","fields":[{"name":"a","type":"int"}]}"#.to_owned();
    for level in 1..20 {
        bomb = format!(
            r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":{bomb}}},{{"name":"b","type":"R{}"}}]}}"#,
            level - 1
        );
    }
    assert!(words("AVRO", &bomb).contains("parts"));
    assert!(words("JSON", r#"{"$ref":"https://elsewhere.example/schema"}"#).contains("not a JSON Schema"));
    for text in [
        "",
        "{}",
        "[]",
        "12",
        r#"{"type":"enum","name":"E","symbols":[]}"#,
        r#"{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
    ] {
        let _ = library.compile("AVRO", text);
        let _ = library.compile("JSON", text);
    }
}

#[test]
fn the_wire_format_is_confluents() {
    let mut bytes = Vec::new();
    frame(258, &mut bytes);
    bytes.extend_from_slice(b"xy");
    assert_eq!(bytes, [0, 0, 0, 1, 2, b'x', b'y']);
    assert_eq!(unframe(&bytes), Ok((258, &b"xy"[..])));
    assert_eq!(unframe(&bytes[..4]).expect_err("short").code, "wire-format");
    assert!(unframe(&[1, 0, 0, 0, 0]).expect_err("magic").detail.expect("words").contains("magic"));
}

#[test]
fn readers_see_their_own_fields() {
    let library = SchemaLibrary::default();
    let old = library
        .compile("AVRO", r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"gone","type":"string"}]}"#)
        .expect("old");
    let new = library
        .compile("AVRO", r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string","default":"x"}]}"#)
        .expect("new");
    library.can_read(&new, &old).expect("reads");
    assert_eq!(old.to_json_as(&new, &[4, 2, b'q']).expect("reads"), serde_json::json!({"a": 2, "b": "x"}));
    let reasons = library.can_read(&old, &new).expect_err("narrows");
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert_eq!(reasons[0], "/fields/0/type: reader type: INT not compatible with writer type: LONG");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads the samples")]
fn schemas_of_the_samples_work() {
    let library = SchemaLibrary::default();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/schemas");
    for entry in std::fs::read_dir(folder).expect("the samples' schemas are there") {
        let path = entry.expect("readable").path();
        let schema_type = if path.extension().is_some_and(|extension| extension == "avsc") { "AVRO" } else { "JSON" };
        let text = std::fs::read_to_string(&path).expect("text");
        let schema = library.compile(schema_type, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        schema.can_generate().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut rng = Stream::new(1, "codec", "samples");
        for _ in 0..200 {
            let mut payload = Vec::new();
            schema.generate(&mut rng, SimTime::ZERO, &mut payload);
            assert_eq!(schema.validate(&payload), Ok(()), "{}", path.display());
        }
        let mut payload = Vec::new();
        schema.generate(&mut rng, SimTime::ZERO, &mut payload);
        println!("{}: {} bytes, {}", path.display(), payload.len(), schema.to_json(&payload).expect("shows"));
        for _ in 0..4 {
            println!("  {}", schema.generate_invalid(&mut rng, SimTime::ZERO, &mut Vec::new()));
        }
    }
}

/// Prints nanoseconds; run it in release with `--ignored --nocapture`.
#[test]
#[ignore = "prints figures"]
#[expect(clippy::disallowed_methods, reason = "measures")]
fn figures() {
    const TURNS: u32 = 1_000_000;
    let library = SchemaLibrary::default();
    for (schema_type, text) in [("AVRO", ORDER_AVRO), ("JSON", ORDER_JSON), ("PROTOBUF", ORDER_PROTOBUF)] {
        let schema = library.compile(schema_type, text).expect("schema");
        let mut rng = Stream::new(1, "codec", "figures");
        let (mut payload, mut total) = (Vec::new(), 0);
        let start = std::time::Instant::now();
        for _ in 0..TURNS {
            payload.clear();
            schema.generate(&mut rng, SimTime::ZERO, &mut payload);
            total += payload.len();
        }
        let generate = start.elapsed().as_nanos() / u128::from(TURNS);
        let mut payloads = vec![Vec::new(); 1_000];
        payloads.iter_mut().for_each(|payload| schema.generate(&mut rng, SimTime::ZERO, payload));
        let start = std::time::Instant::now();
        for turn in 0..TURNS {
            schema.validate(std::hint::black_box(&payloads[turn as usize % payloads.len()])).expect("valid");
        }
        let validate = start.elapsed().as_nanos() / u128::from(TURNS);
        println!("{schema_type}: {} bytes, generate {generate} ns, validate {validate} ns", total / TURNS as usize);
    }
    let mut rng = Stream::new(1, "random", "figures");
    for text in ["exp(5ms)", "lognormal(5ms, 0.8)", "erlang(4, 2ms)", "erlang(40, 2ms)", "normal(5ms, 1ms)", "uniform(1ms, 3ms)"] {
        let distribution: crate::random::Distribution = text.parse().expect(text);
        let start = std::time::Instant::now();
        let sum: u64 = (0..TURNS * 10).map(|_| distribution.sample(&mut rng).as_ns()).fold(0, u64::wrapping_add);
        println!("{text}: {:.1} ns ({sum})", start.elapsed().as_nanos() as f64 / f64::from(TURNS * 10));
    }
    let zipf = "zipf(1000, 1.1)".parse::<crate::random::KeyChoice>().expect("keys").sampler();
    let start = std::time::Instant::now();
    let sum: u64 = (0..TURNS).filter_map(|_| zipf.sample(&mut rng)).sum();
    println!("zipf(1000, 1.1): {:.1} ns ({sum})", start.elapsed().as_nanos() as f64 / f64::from(TURNS));
}

#[test]
fn virtual_time_reads_as_a_date() {
    let at = |ns| super::iso_time(crate::units::SimTime::from_ns(ns));
    assert_eq!(at(0), "2026-01-01T00:00:00.000Z");
    assert_eq!(at(7_357_350_775), "2026-01-01T00:00:07.357Z");
    assert_eq!(at(40 * 86_400_000_000_000 + 3_661_000_000_000), "2026-02-10T01:01:01.000Z");
}
