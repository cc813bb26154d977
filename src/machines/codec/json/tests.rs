//! Plans against the validator, keyword by keyword.

use serde_json::json;

use super::*;

fn compile(schema: &Json) -> JsonSchema {
    JsonSchema::compile(&schema.to_string(), &[]).expect("a schema")
}

#[test]
fn plans_know_these_keywords() {
    for schema in [
        json!({"type": "integer", "minimum": 5, "exclusiveMaximum": 9}),
        json!({"type": "integer", "minimum": 1_000_000, "multipleOf": 5}),
        json!({"type": "integer", "maximum": -3}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001}),
        json!({"type": "number", "multipleOf": 0.5, "minimum": 10, "maximum": 20}),
        json!({"type": "string", "minLength": 40, "maxLength": 50}),
        json!({"type": "string", "pattern": "^ORD-[0-9]{6}(?!x)$", "examples": ["ORD-123456"]}),
        json!({"type": "string", "pattern": "^[A-Z]{2,3}\\d+[a-c_-]?$"}),
        json!({"type": ["string", "null"]}),
        json!({"enum": ["a", 1, null, {"b": []}]}),
        json!({"const": 3}),
        json!({"oneOf": [{"type": "null"}, {"type": "object", "required": ["x"]}]}),
        json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3}),
        json!({"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"format": "date-time"}}, "required": ["b"]}]}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "undeclared"]}),
        json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}, "required": ["next"]}}}),
    ] {
        let compiled = match JsonSchema::compile(&schema.to_string(), &[]) {
            Ok(compiled) => compiled,
            Err(error) => panic!("{schema}: {error}"),
        };
        if compiled.can_generate().is_err() {
            // Beyond the plan, and the root names no valid example.
            assert!(schema.to_string().contains("(?!"), "{schema}: {:?}", compiled.can_generate());
            continue;
        }
        let mut rng = Stream::new(5, "json", "keywords");
        for _ in 0..300 {
            let mut payload = Vec::new();
            compiled.generate(&mut rng, SimTime::ZERO, &mut payload);
            assert_eq!(compiled.validate(&payload), Ok(()), "{schema}: {}", String::from_utf8_lossy(&payload));
        }
    }
}

#[test]
fn formats_are_kept() {
    let formats = ["date-time", "date", "time", "email", "uuid", "uri", "ipv4", "ipv6", "hostname", "duration", "json-pointer"];
    for format in formats {
        let compiled = compile(&json!({"type": "string", "format": format}));
        assert!(matches!(compiled.generation, Generation::Sure), "{format}: {:?}", compiled.generation);
    }
}

#[test]
fn an_example_helps_where_chance_does_not() {
    let compiled = compile(&json!({"type": "string", "pattern": "^(a|b){3}$", "examples": ["abb"]}));
    let mut payload = Vec::new();
    compiled.generate(&mut Stream::new(1, "json", "example"), SimTime::ZERO, &mut payload);
    assert_eq!(payload, b"\"abb\"");
    let hopeless = compile(&json!({"type": "string", "pattern": "^(a|b){3}$"}));
    assert!(hopeless.can_generate().expect_err("no idea").contains("no valid payload"));
    assert!(compile(&json!(false)).can_generate().is_err());
}

#[test]
fn drafts_are_respected() {
    // `prefixItems` is a keyword of 2020-12, and none of draft 7.
    let of = |draft: &str| compile(&json!({"$schema": draft, "prefixItems": [{"type": "integer"}]}));
    assert!(of("http://json-schema.org/draft-07/schema#").validate(br#"["a"]"#).is_ok());
    assert!(of("https://json-schema.org/draft/2020-12/schema").validate(br#"["a"]"#).is_err());
}

#[test]
fn hostile_schemas_end() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}),
        json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}),
        json!({"type": "array", "minItems": 1_000_000_000_000_u64}),
        json!({"type": "string", "minLength": 1_000_000_000_000_u64}),
        json!({"oneOf": []}),
        json!({"enum": []}),
    ] {
        if let Ok(compiled) = JsonSchema::compile(&schema.to_string(), &[]) {
            let mut payload = Vec::new();
            compiled.generate(&mut Stream::new(1, "json", "hostile"), SimTime::ZERO, &mut payload);
            assert!(payload.len() < 2 << 20, "{schema}");
        }
    }
}
