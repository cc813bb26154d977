//! Our programs against apache-avro: what one writes the other reads, what ours accepts the other decodes.

use std::collections::HashMap;

use apache_avro::Schema as Parsed;
use apache_avro::types::Value;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::program::{BytesKind, Node};
use super::*;

/// A random schema as JSON; named types are numbered by `counter`, so that every name is new.
fn any_schema() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        proptest::sample::select(vec![
            json!("null"),
            json!("boolean"),
            json!("int"),
            json!("long"),
            json!("float"),
            json!("double"),
            json!("bytes"),
            json!("string"),
            json!({"type": "string", "logicalType": "uuid"}),
            json!({"type": "int", "logicalType": "date"}),
            json!({"type": "int", "logicalType": "time-millis"}),
            json!({"type": "long", "logicalType": "time-micros"}),
            json!({"type": "long", "logicalType": "timestamp-millis"}),
            json!({"type": "long", "logicalType": "timestamp-micros"}),
            json!({"type": "long", "logicalType": "local-timestamp-nanos"}),
            json!({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}),
            json!({"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}),
            json!({"type": "bytes", "logicalType": "big-decimal"}),
        ]),
        (0_usize..20).prop_map(|size| json!({"type": "fixed", "name": "#", "size": size})),
        (1_usize..5).prop_map(
            |size| json!({"type": {"type": "fixed", "name": "#", "size": size, "logicalType": "decimal", "precision": 2, "scale": 1}})
        ),
        Just(json!({"type": "fixed", "name": "#", "size": 12, "logicalType": "duration"})),
        Just(json!({"type": "fixed", "name": "#", "size": 16, "logicalType": "uuid"})),
        (1_usize..6)
            .prop_map(|count| json!({"type": "enum", "name": "#", "symbols": (0..count).map(|i| format!("S{i}")).collect::<Vec<_>>()})),
    ];
    let name = proptest::sample::select(vec!["order_id", "amount", "createdAt", "status", "tags", "email", "note", "quantity", "x"]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.clone().prop_map(|values| json!({"type": "map", "values": values})),
            inner
                .clone()
                .prop_filter("no null in null", |schema| *schema != json!("null") && !schema.is_array())
                .prop_map(|schema| json!(["null", schema])),
            proptest::collection::vec((name.clone(), inner), 1..6).prop_map(|fields| {
                let field = |(index, (name, schema)): (usize, (&str, Json))| json!({"name": format!("{name}_{index}"), "type": schema});
                json!({"type": "record", "name": "#", "fields": fields.into_iter().enumerate().map(field).collect::<Vec<_>>()})
            }),
        ]
    })
    .prop_map(|mut schema| {
        number(&mut schema, &mut 0);
        schema
    })
}

fn number(schema: &mut Json, counter: &mut u32) {
    match schema {
        Json::Object(map) => {
            if map.get("name") == Some(&json!("#")) {
                *counter += 1;
                map.insert("name".to_owned(), json!(format!("N{counter}")));
            }
            map.values_mut().for_each(|value| number(value, counter));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| number(value, counter)),
        _ => {}
    }
}

fn compile(text: &str) -> Result<AvroSchema, String> {
    AvroSchema::compile(text, &[])
}

fn decode(parsed: &Parsed, bytes: &[u8]) -> Result<(Value, usize), String> {
    let mut left = bytes;
    let reader = apache_avro::reader::datum::GenericDatumReader::builder(parsed).build().map_err(|error| error.to_string())?;
    let value = reader.read_value(&mut left).map_err(|error| error.to_string())?;
    Ok((value, left.len()))
}

/// Rare types, and arrays and maps of items that may take no bytes, whose data the quick walk does not know.
fn is_left_to_the_slow_walk(program: &Program) -> bool {
    program.nodes.iter().any(|node| match node {
        Node::Bytes(BytesKind::Uuid | BytesKind::BigDecimal) => true,
        Node::Array(item) | Node::Map(item) => program.bytes_min[*item as usize] == 0,
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn generated_bytes_are_what_the_reference_reads(schema in any_schema(), seed in any::<u64>()) {
        let schema = compile(&schema.to_string()).map_err(TestCaseError::reject)?;
        let mut rng = Stream::new(seed, "avro", "generate");
        for _ in 0..10 {
            let mut bytes = Vec::new();
            schema.generate(&mut rng, SimTime::from_ns(seed >> 8), &mut bytes);
            prop_assert_eq!(schema.validate(&bytes), Ok(()));
            prop_assert_eq!(schema.program.check(&bytes).is_ok(), true);
            prop_assert!(schema.program.quick.accepts(&bytes) || is_left_to_the_slow_walk(&schema.program));
            let (value, left) = decode(&schema.parsed, &bytes).map_err(TestCaseError::fail)?;
            prop_assert_eq!(left, 0);
            prop_assert!(value.validate(&schema.parsed), "{:?}", value);
            // What the reference writes passes too. Its maps may come in another order.
            let again = apache_avro::writer::datum::GenericDatumWriter::builder(&schema.parsed).build().and_then(|writer| writer.write_value_to_vec(value));
            let again = again.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(schema.validate(&again), Ok(()));
            prop_assert!(schema.to_json(&bytes, None).is_ok());
        }
    }

    #[test]
    fn what_we_accept_the_reference_decodes(schema in any_schema(), seed in any::<u64>(), noise in proptest::collection::vec(any::<u8>(), 0..40)) {
        let schema = compile(&schema.to_string()).map_err(TestCaseError::reject)?;
        let mut rng = Stream::new(seed, "avro", "mutate");
        let agree = |bytes: &[u8]| -> Result<(), TestCaseError> {
            prop_assert!(!schema.program.quick.accepts(bytes) || schema.program.check(bytes).is_ok());
            if schema.validate(bytes).is_ok() {
                let (_, left) = decode(&schema.parsed, bytes).map_err(TestCaseError::fail)?;
                prop_assert_eq!(left, 0);
            }
            Ok(())
        };
        agree(&noise)?;
        for _ in 0..20 {
            let mut bytes = Vec::new();
            schema.generate(&mut rng, SimTime::ZERO, &mut bytes);
            for _ in 0..=rng.below(3) {
                if bytes.is_empty() { break }
                let at = rng.below(bytes.len() as u64) as usize;
                match rng.below(4) {
                    0 => bytes[at] = rng.next_u64() as u8,
                    1 => bytes[at] ^= 1 << rng.below(8),
                    2 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, rng.next_u64() as u8),
                }
            }
            agree(&bytes)?;
        }
    }

    #[test]
    fn every_schema_reads_itself(schema in any_schema()) {
        let schema = compile(&schema.to_string()).map_err(TestCaseError::reject)?;
        prop_assert_eq!(schema.compare(&schema, AvroRules::Current), vec![]);
    }

    #[test]
    fn texts_never_panic(text in "[\\[\\]{}\",:a-z0-9]{0,60}", schema in any_schema(), at in any::<proptest::sample::Index>()) {
        let _ = compile(&text);
        let mut cut = schema.to_string();
        cut.remove(at.index(cut.len()));
        let _ = compile(&cut);
    }
}

#[test]
fn recursive_schemas_end() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]},{"name":"kids","type":{"type":"array","items":"L"}}]}"#;
    let schema = compile(list).expect("schema");
    let mut rng = Stream::new(3, "avro", "recursion");
    for _ in 0..500 {
        let mut bytes = Vec::new();
        schema.generate(&mut rng, SimTime::ZERO, &mut bytes);
        assert!(bytes.len() < 64 * 1024, "{}", bytes.len());
        assert_eq!(schema.validate(&bytes), Ok(()));
        decode(&schema.parsed, &bytes).expect("decodes");
    }
    // Deeper than anyone writes: refused, not overflowed.
    let deep: Vec<u8> = [2, 2].repeat(100_000);
    assert!(schema.validate(&deep).expect_err("deep").contains("levels deep"));
}

#[test]
fn counts_are_bounded_by_bytes() {
    let nulls = compile(r#"{"type":"array","items":"null"}"#).expect("schema");
    assert_eq!(nulls.validate(&[20, 0]), Ok(()));
    assert!(nulls.validate(&[0xfe, 0xff, 0xff, 0xff, 0x0f, 0]).expect_err("many").contains("count"));
    let text = compile(r#""string""#).expect("schema");
    assert_eq!(text.validate(&[8, b'a']).expect_err("long"), "expected string, found a length of 4 with 1 bytes left");
    assert!(text.validate(&[2, 0xff]).expect_err("utf8").contains("UTF-8"));
    assert!(text.validate(&[0xff; 10]).expect_err("varint").contains("64 bits"));
    assert!(text.validate(&[1]).expect_err("negative").contains("length of -1"));
    // A block with its size, and one that lies about it.
    let ints = compile(r#"{"type":"array","items":"int"}"#).expect("schema");
    assert_eq!(ints.validate(&[3, 4, 2, 2, 0]), Ok(()));
    assert!(ints.validate(&[3, 6, 2, 2, 0]).expect_err("lies").contains("not as long"));
}

#[test]
fn values_are_shown_for_people() {
    let schema = compile(
        r#"{"type":"record","name":"R","fields":[{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
            {"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"b","type":"bytes"},
            {"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"m","type":{"type":"map","values":"int"}},{"name":"n","type":["null","double"]}]}"#,
    )
    .expect("schema");
    let mut map = HashMap::new();
    map.insert("x".to_owned(), Value::Int(1));
    let value = Value::Record(vec![
        ("at".into(), Value::TimestampMillis(1_767_225_612_345)),
        ("total".into(), Value::Decimal(vec![0xff, 0x85].into())),
        ("b".into(), Value::Bytes(vec![1, 0xab])),
        ("d".into(), Value::Date(20_454)),
        ("m".into(), Value::Map(map)),
        ("n".into(), Value::Union(1, Box::new(Value::Double(0.5)))),
    ]);
    let writer = apache_avro::writer::datum::GenericDatumWriter::builder(&schema.parsed).build().expect("writer");
    let bytes = writer.write_value_to_vec(value).expect("encodes");
    let shown = schema.to_json(&bytes, None).expect("shows");
    assert_eq!(
        shown,
        json!({"at": "2026-01-01T00:00:12.345Z", "total": "-1.23", "b": "0x01ab", "d": "2026-01-01", "m": {"x": 1}, "n": 0.5})
    );
}

#[test]
fn broken_fields_are_named() {
    let schema = compile(r#"{"type":"record","name":"R","fields":[{"name":"amount","type":"double"}]}"#).expect("schema");
    let mut rng = Stream::new(1, "avro", "broken");
    let words: std::collections::BTreeSet<String> =
        (0..50).filter_map(|_| schema.generate_broken(&mut rng, SimTime::ZERO, &mut Vec::new())).collect();
    let expected = ["field amount is missing", "field amount is text, schema wants double"];
    assert_eq!(words.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn a_reference_is_the_type_it_names() {
    // The first use of a type stands elsewhere in the other schema.
    let address = r#"{"type":"record","name":"Address","fields":[{"name":"city","type":"string"}]}"#;
    let old = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"from","type":{address}}},{{"name":"to","type":"Address"}}]}}"#);
    let new = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"to","type":{address}}},{{"name":"from","type":"Address"}}]}}"#);
    let (old, new) = (compile(&old).expect("old"), compile(&new).expect("new"));
    assert_eq!(new.compare(&old, AvroRules::Current), []);
    assert_eq!(old.compare(&new, AvroRules::Current), []);
}
