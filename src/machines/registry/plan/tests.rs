//! Each step of a plan may follow those before it, and what has no way says so.

use serde_json::json;

use super::*;

fn compiled(library: &SchemaLibrary, schema_type: &str, schema: &Json) -> Arc<Schema> {
    library.compile(schema_type, &schema.to_string()).unwrap_or_else(|words| panic!("{schema}: {words}"))
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
