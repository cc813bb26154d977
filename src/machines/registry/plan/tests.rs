//! Each step of a plan may follow those before it, and what has no way says so.

use serde_json::json;

use super::*;

fn compiled(library: &SchemaLibrary, schema_type: &str, schema: &Json) -> Arc<Schema> {
    // Protobuf's texts are no JSON.
    let text = schema.as_str().filter(|_| schema_type == "PROTOBUF").map_or(schema.to_string(), str::to_owned);
    library.compile(schema_type, &text).unwrap_or_else(|words| panic!("{schema}: {words}"))
}

/// The plan, each of its steps held to the level.
fn planned(schema_type: &str, old: &Json, new: &Json, level: Compatibility) -> Option<Vec<Step>> {
    let library = SchemaLibrary::default();
    let (old, new) = (compiled(&library, schema_type, old), compiled(&library, schema_type, new));
    let steps = plan(&library, &old, &new, &[], level, Rules::default())?;
    let mut before = vec![Older { version: None, schema: old }];
    for step in &steps {
        let verdict = judge(&library, &step.schema, &before, level, Rules::default());
        assert!(verdict.is_compatible(), "{level}: {} after {} others: {:?}", step.schema.text(), before.len(), verdict.reasons());
        before.push(Older { version: None, schema: Arc::clone(&step.schema) });
    }
    assert_eq!(steps.last().map(|step| step.schema.text()), Some(new.text()), "the last step is the target");
    Some(steps)
}

fn order(fields: &Json) -> Json {
    json!({"type": "record", "name": "Order", "fields": fields})
}

#[test]
fn fields_become_required_by_way_of_a_default() {
    let old = order(&json!([{"name": "id", "type": "string"}]));
    let new = order(&json!([{"name": "id", "type": "string"}, {"name": "n", "type": "int"}]));
    let steps = planned("AVRO", &old, &new, Compatibility::Backward).expect("a default first");
    assert_eq!(steps.iter().map(|step| step.first).collect::<Vec<_>>(), [First::Either, First::Either]);
    // Every older version must be read: the default can never be taken away.
    assert!(planned("AVRO", &old, &new, Compatibility::BackwardTransitive).is_none());
    assert_eq!(planned("AVRO", &old, &new, Compatibility::Forward).map(|steps| steps.len()), Some(1));
    assert_eq!(planned("AVRO", &old, &new, Compatibility::None).map(|steps| steps[0].first), Some(First::Producers));
}

#[test]
fn a_rename_goes_by_an_alias() {
    let old = order(&json!([{"name": "id", "type": "string"}, {"name": "amount", "type": "int"}]));
    let new = order(&json!([{"name": "id", "type": "string"}, {"name": "total", "type": "int"}]));
    let steps = planned("AVRO", &old, &new, Compatibility::Backward).expect("an alias");
    assert_eq!(steps.len(), 2);
    assert!(steps[0].schema.text().contains(r#""aliases":["amount"]"#), "{}", steps[0].schema.text());
    assert!(planned("AVRO", &old, &new, Compatibility::Full).is_some(), "both fields side by side");
}

#[test]
fn a_type_changes_by_way_of_its_absence() {
    let of = |ty: &str| order(&json!([{"name": "id", "type": "string"}, {"name": "n", "type": ty}]));
    for level in [Compatibility::Backward, Compatibility::Forward, Compatibility::Full] {
        let steps = planned("AVRO", &of("int"), &of("string"), level).unwrap_or_else(|| panic!("a way under {level}"));
        assert!(steps.len() >= 2, "{level}");
    }
    assert!(planned("AVRO", &of("int"), &of("string"), Compatibility::FullTransitive).is_none());
    assert_eq!(planned("AVRO", &of("int"), &of("long"), Compatibility::Backward).map(|steps| steps[0].first), Some(First::Consumers));
}

#[test]
fn protobuf_fields_change_by_way_of_their_absence() {
    let of = |body: &str| json!(format!("syntax = \"proto3\"; package shop; message A {{ {body} }}"));
    // A type, a label, fields that move into a oneof, and a map.
    for (old, new) in [
        ("string id = 1; string n = 2;", "string id = 1; int32 n = 2;"),
        ("string id = 1; optional int32 n = 2;", "string id = 1; repeated int32 n = 2;"),
        ("string id = 1; int32 a = 2; int32 b = 3;", "string id = 1; oneof x { int32 a = 2; int32 b = 3; }"),
        ("string id = 1; map<string, int32> m = 2;", "string id = 1; map<string, double> m = 2;"),
        (
            "oneof x { string id = 1; int32 n = 2; } message B { int32 n = 1; }",
            "oneof x { string id = 1; double n = 2; } message B { bytes n = 1; }",
        ),
    ] {
        let steps = planned("PROTOBUF", &of(old), &of(new), Compatibility::Backward);
        // What a oneof loses cannot be left out first.
        assert_eq!(steps.map(|steps| steps.len()), if old.starts_with("oneof") { None } else { Some(2) }, "{old} {new}");
        assert!(planned("PROTOBUF", &of(old), &of(new), Compatibility::BackwardTransitive).is_none(), "{old} {new}");
    }
    let required = |label: &str| json!(format!("message A {{ required string id = 1; {label} }}"));
    let (without, with) = (required(""), required("required string n = 2;"));
    assert_eq!(planned("PROTOBUF", &without, &with, Compatibility::Backward).map(|steps| steps.len()), Some(2));
    assert_eq!(
        planned("PROTOBUF", &of("string id = 1;"), &of("string id = 1; int32 n = 2;"), Compatibility::Full).map(|steps| steps.len()),
        Some(1)
    );
}

#[test]
fn nothing_is_promised_that_is_not_found() {
    let library = SchemaLibrary::default();
    let (old, new) = (compiled(&library, "AVRO", &json!("int")), compiled(&library, "AVRO", &json!("string")));
    assert!(plan(&library, &old, &new, &[], Compatibility::Backward, Rules::default()).is_none());
    let (json_old, json_new) = (json!({"type": "integer"}), json!({"type": "string"}));
    let found = planned("JSON", &json_old, &json_new, Compatibility::Backward);
    assert!(found.is_none_or(|steps| steps.len() == 1), "no version lies between an integer and a text");
}

#[test]
fn enums_lose_symbols_when_readers_have_a_default() {
    let of = |symbols: Json| order(&json!([{"name": "suit", "type": {"type": "enum", "name": "S", "symbols": symbols}}]));
    assert!(planned("AVRO", &of(json!(["A", "B", "C"])), &of(json!(["A", "C"])), Compatibility::Backward).is_some());
    assert!(planned("AVRO", &of(json!(["A"])), &of(json!(["A", "B"])), Compatibility::Forward).is_some());
}
