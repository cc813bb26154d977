//! Whatever is found breaks, and for nearly every refused change of the shared cases something is found.

use serde_json::{Value as Json, json};

use super::*;
use crate::machines::codec::SchemaLibrary;
use crate::machines::codec::cases::shared;

/// Finds an event, and holds it to its promise.
fn found(schema_type: &str, reader: &Json, writer: &Json) -> Option<Search> {
    let library = SchemaLibrary::default();
    // Protobuf's texts are no JSON.
    let compiled = |schema: &Json| {
        library.compile(schema_type, &schema.as_str().filter(|_| schema_type == "PROTOBUF").map_or(schema.to_string(), str::to_owned)).ok()
    };
    let (reader, writer) = (compiled(reader)?, compiled(writer)?);
    let search = breaking_event(&reader, &writer, Rules::default());
    assert_eq!(search, breaking_event(&reader, &writer, Rules::default()), "the same schemas, the same event");
    if let Some(event) = &search.found {
        let text = String::from_utf8_lossy(&event.payload).into_owned();
        let ty = if schema_type == "PROTOBUF" { event.message.as_deref() } else { None };
        let typed = writer.typed(writer.type_named(ty).expect("the message is there"));
        assert_eq!(typed.validate(&event.payload), Ok(()), "{text} is valid for {}", writer.text());
        assert_eq!(typed.to_json(&event.payload).as_ref(), Ok(&event.written));
        match &event.read {
            Read::Fails(why) => {
                assert_eq!(typed.to_json_as(&reader, &event.payload).as_ref(), Err(why), "{text}");
                assert!(schema_type != "JSON" || reader.validate(&event.payload).is_err(), "{text} is refused by {}", reader.text());
            }
            Read::Otherwise(value) => assert_eq!(typed.to_json_as(&reader, &event.payload).as_ref(), Ok(value), "{text}"),
        }
    }
    Some(search)
}

/// How many of the refused pairs have an event, and the names of those that have none.
fn share(file: &str, schema_type: &str) -> (usize, Vec<String>) {
    let (mut with, mut without) = (0, Vec::new());
    for case in shared(file).iter().filter(|case| case["compatible"] == false) {
        let pick = |a: &str, b: &str| if case[a].is_null() { case[b].clone() } else { case[a].clone() };
        let (new, old) = (pick("update", "reader"), pick("original", "writer"));
        let (reader, writer) = if case["mode"] == "FORWARD" { (old, new) } else { (new, old) };
        match found(schema_type, &reader, &writer) {
            Some(Search { found: Some(_), .. }) => with += 1,
            Some(Search { tried, .. }) => without.push(format!("{} ({tried} tried)\n  {writer}\n  {reader}", case["name"])),
            None => {}
        }
    }
    println!("{file}: {with} of {} refused pairs have an event that breaks", with + without.len());
    (with, without)
}

#[test]
fn refused_avro_pairs_have_an_event() {
    for file in ["avro-pairs-apache.json", "avro-apicurio.json"] {
        let (_, without) = share(file, "AVRO");
        assert!(without.is_empty(), "{}", without.join("\n"));
    }
}

#[test]
fn most_refused_json_pairs_have_an_event() {
    for file in ["json-karapace.json", "json-apicurio.json"] {
        let (with, without) = share(file, "JSON");
        println!("none: {}", without.join("\nnone: "));
        assert!(with * 10 >= (with + without.len()) * 8, "{with} of {}", with + without.len());
    }
}

#[test]
fn refused_protobuf_pairs_have_an_event() {
    // A message's name is not in its bytes: who renames the first message breaks no event. A field under another number
    // is one gone and one come, and the last case has no texts: Confluent's rules refuse neither.
    const NONE: &[&str] =
        &["test_renaming_message_is_incompatible", "test_changing_field_number_is_incompatible", "test_compatibility_field_tag_change"];
    let (_, mut without) = share("protobuf-karapace.json", "PROTOBUF");
    without.retain(|words| !NONE.iter().any(|name| words.contains(name)));
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn protobuf_events_are_small() {
    let order = |body: &str| json!(format!("syntax = \"proto3\"; package shop; {body}"));
    // (old, new, bytes of the event by hand, what the new schema makes of it, in which message)
    for (old, new, payload, read, message) in [
        ("message A { int32 n = 1; }", "message A { sint32 n = 1; }", &[8, 1][..], Some(json!({"n": -1})), "shop.A"),
        ("message A { string n = 1; }", "message A { int32 n = 1; }", &[10, 0], None, "shop.A"),
        (
            "message A { int32 a = 1; int32 b = 2; }",
            "message A { oneof x { int32 a = 1; int32 b = 2; } }",
            &[8, 1, 16, 1],
            Some(json!({"b": 1})),
            "shop.A",
        ),
        (
            "message A { oneof x { int32 a = 1; int32 b = 2; } }",
            "message A { oneof x { int32 a = 1; } }",
            &[16, 1],
            Some(json!({})),
            "shop.A",
        ),
        ("message A { repeated int32 n = 1; }", "message A { int32 n = 1; }", &[10, 1, 1], None, "shop.A"),
        (
            "message A { B b = 1; } message B { int64 n = 3; }",
            "message A { B b = 1; } message B { double n = 3; }",
            &[10, 2, 24, 1],
            None,
            "shop.A",
        ),
        ("message A { } message B { int64 n = 3; }", "message A { } message B { double n = 3; }", &[24, 1], None, "shop.B"),
        ("message A { } message B { }", "message A { }", &[], None, "shop.B"),
    ] {
        let event = found("PROTOBUF", &order(new), &order(old)).and_then(|search| search.found).unwrap_or_else(|| panic!("{old} {new}"));
        assert_eq!((event.payload.as_slice(), event.message.as_deref()), (payload, Some(message)), "{old} {new}: {:?}", event.read);
        match read {
            Some(value) => assert_eq!(event.read, Read::Otherwise(value), "{old} {new}"),
            None => assert!(matches!(event.read, Read::Fails(_)), "{old} {new}: {:?}", event.read),
        }
    }
}

#[test]
fn a_rule_may_refuse_what_breaks_no_event() {
    let search = found("JSON", &json!({"properties": {}}), &json!({})).expect("schemas");
    assert_eq!(search.found, None);
    assert!(search.tried > 10 && search.tried <= TRIES_MAX, "{}", search.tried);
}

#[test]
fn the_event_is_small() {
    let order = |fields: Json| json!({"type": "record", "name": "Order", "fields": fields});
    let id = json!({"name": "id", "type": "string"});
    let old = order(
        json!([id, {"name": "note", "type": ["null", "string"]}, {"name": "suit", "type": {"type": "enum", "name": "S", "symbols": ["A", "B", "C"]}}]),
    );
    let new = order(
        json!([id, {"name": "note", "type": ["null", "string"]}, {"name": "suit", "type": {"type": "enum", "name": "S", "symbols": ["A", "C"]}}]),
    );
    let event = found("AVRO", &new, &old).and_then(|search| search.found).expect("a symbol is gone");
    assert_eq!(event.payload, [0, 0, 2]);
    assert_eq!(event.written, json!({"id": "", "note": null, "suit": "B"}));
    assert_eq!(event.read, Read::Fails("field suit: the reader does not know the symbol B".to_owned()));

    let old = json!({"type": "object", "properties": {"id": {"type": "string"}, "amount": {"type": "number"}}, "required": ["id"]});
    let new = json!({"type": "object", "properties": {"id": {"type": "string"}, "amount": {"type": "integer"}}, "required": ["id"]});
    let event = found("JSON", &new, &old).and_then(|search| search.found).expect("numbers are no integers");
    assert_eq!(event.written, json!({"id": "", "amount": 0.5}));
}

#[test]
fn hostile_pairs_end() {
    let endless =
        json!({"$ref": "#/definitions/a", "definitions": {"a": {"properties": {"b": {"$ref": "#/definitions/a"}}, "required": ["b"]}}});
    let wide: serde_json::Map<String, Json> = (0..500).map(|at| (format!("p{at}"), json!({"enum": (0..40).collect::<Vec<_>>()}))).collect();
    for (reader, writer) in
        [(endless.clone(), json!({})), (json!({"properties": wide.clone(), "required": ["p499"]}), json!({"properties": wide}))]
    {
        let search = found("JSON", &reader, &writer).expect("schemas");
        assert!(search.tried <= TRIES_MAX * 2, "{}", search.tried);
    }
    // A chain of records that is deeper than data may be.
    let chain = (0..400)
        .fold(json!("int"), |inner, at| json!({"type": "record", "name": format!("R{at}"), "fields": [{"name": "f", "type": inner}]}));
    assert!(found("AVRO", &json!("int"), &chain).is_none_or(|search| search.found.is_none()));
}
