//! The fast pass against the library: it never says yes where that says no.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::Program;
use crate::machines::codec::json::documents::Sources;
use crate::machines::codec::json::draft::Draft;
use crate::machines::codec::json::validator;
use crate::machines::codec::json::{JsonSchema, Named};
use crate::random::Stream;
use crate::units::SimTime;

const DRAFTS: [&str; 5] = [
    "",
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2020-12/schema",
];

fn order() -> Json {
    json!({
        "type": "object",
        "required": ["order_id", "amount", "status"],
        "additionalProperties": false,
        "properties": {
            "order_id": {"type": "string", "format": "uuid"},
            "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 500.5},
            "status": {"enum": ["new", "paid", null, 3]},
            "note": {"type": ["string", "null"], "maxLength": 10},
            "sku": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2,4}(-x)?$"},
            "count": {"type": "integer", "minimum": 1, "multipleOf": 5},
            "lines": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"$ref": "#/definitions/line"}},
            "either": {"oneOf": [{"type": "null"}, {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]}, {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind", "x"], "additionalProperties": {"type": "integer"}}]},
            "not": {"not": {"type": "string"}},
        },
        "definitions": {"line": {"type": "object", "maxProperties": 2, "properties": {"sku": true, "at": {"type": "string", "format": "date-time"}}}},
    })
}

/// What a schema's text is turned into when it is compiled, apart from the plan.
struct Both {
    swift: Option<Program>,
    library: jsonschema::Validator,
}

impl Both {
    fn of(schema: &Json) -> Option<Self> {
        let sources = Sources { root: schema.clone(), named: Vec::new() };
        let draft = Draft::of(schema);
        Some(Self { swift: Program::compile(&sources, draft), library: validator::build(&sources, draft).ok()? })
    }
    fn library_says(&self, payload: &[u8]) -> bool {
        serde_json::from_slice::<Json>(payload).is_ok_and(|value| self.library.is_valid(&value))
    }
    fn swift_says(&self, payload: &[u8]) -> bool {
        self.swift.as_ref().is_some_and(|program| program.is_surely_valid(payload))
    }
}

#[test]
fn plain_payloads_are_told_at_once() {
    let both = Both::of(&order()).expect("a schema");
    let compiled = JsonSchema::compile(&order().to_string(), &[] as &[Named]).expect("a schema");
    let mut rng = Stream::new(1, "swift", "tests");
    let mut told = 0;
    for turn in 0..500 {
        let mut payload = Vec::new();
        compiled.generate(&mut rng, SimTime::from_ns(turn * 1_000_000_007), &mut payload);
        assert!(both.library_says(&payload));
        told += usize::from(both.swift_says(&payload));
    }
    assert!(told > 490, "{told}");
}

#[test]
fn what_looks_valid_and_is_not_is_refused() {
    let both = Both::of(&order()).expect("a schema");
    let of = |rest: &str| format!(r#"{{"order_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","amount":12,"status":"new"{rest}}}"#);
    assert!(both.swift_says(of("").as_bytes()));
    for rest in [
        r#","amount":"x""#,
        r#","extra":1"#,
        r#","amoun\u0074":"x""#,
        r#","note":"\ud800""#,
        ",\"note\":\"\u{1}\"",
        r#","count":7"#,
        r#","count":1e400"#,
        r#","count":0005"#,
        r#","either":{"kind":"b","x":1,"y":"z"}"#,
        r#","either":{"kind":"a","kind":"c"}"#,
        r#","lines":[{"a":1,"b":2,"c":3}]"#,
        r#","lines":[]"#,
        r#","sku":"ABC-1""#,
        r#","not":"x""#,
        ",",
        "}",
    ] {
        let payload = of(rest);
        assert!(!both.swift_says(payload.as_bytes()), "{payload}");
        assert!(!both.library_says(payload.as_bytes()), "{payload}");
    }
    assert!(!both.swift_says(b"\xff") && !both.swift_says(b"") && !both.swift_says(&b"[".repeat(100_000)));
    // Valid, and left to the library.
    for rest in [r#","count":5.0"#, r#","count":0.5e1"#, r#","amount":3"#, r#","note":"\u00e4""#] {
        let payload = of(rest);
        assert!(!both.swift_says(payload.as_bytes()) && both.library_says(payload.as_bytes()), "{payload}");
    }
}

fn values() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-20_i64..20).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-40_i64..40).prop_map(|half| Json::from(half as f64 / 2.0)),
        "[ab\"\\\\é\u{1}]{0,4}".prop_map(Json::from),
        Just(Json::from("2026-01-02T03:04:05Z")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[abc]", inner), 0..4).prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

fn schemas() -> impl Strategy<Value = Json> {
    let bound = || -4_i64..6;
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({})),
        Just(json!(false)),
        prop::sample::select(vec!["null", "boolean", "string", "number", "integer", "object", "array"]).prop_map(|of| json!({"type": of})),
        prop::collection::vec(prop::sample::select(vec!["null", "string", "integer", "object"]), 1..3)
            .prop_filter("distinct", |types| types.len() < 2 || types[0] != types[1])
            .prop_map(|types| json!({"type": types})),
        (bound(), bound()).prop_map(|(least, most)| json!({"minimum": least, "maximum": most as f64 + 0.5})),
        (bound(), 1_i64..4).prop_map(|(least, step)| json!({"type": "number", "exclusiveMinimum": least, "multipleOf": step})),
        (0_u64..3, 0_u64..4).prop_map(|(least, most)| json!({"minLength": least, "maxLength": most})),
        prop::sample::select(vec!["^a+$", "b", "^[^a]*$", "^(a|b.)$", "a{2}", "\\d", "é"]).prop_map(|pattern| json!({"pattern": pattern})),
        prop::sample::select(vec!["date-time", "uuid", "email", "nonsense"]).prop_map(|format| json!({"format": format})),
        prop::collection::vec(values(), 1..3)
            .prop_filter("distinct", |all| all.len() < 2 || all[0] != all[1])
            .prop_map(|values| json!({"enum": values})),
        values().prop_map(|value| json!({"const": value})),
        Just(json!({"$ref": "#"})),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            list().prop_map(|all| json!({"allOf": all})),
            list().prop_map(|all| json!({"anyOf": all})),
            list().prop_map(|all| json!({"oneOf": all})),
            inner.clone().prop_map(|inner| json!({"not": inner})),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(one, two, three)| json!({"if": one, "then": two, "else": three})),
            (inner.clone(), 0_u64..2, 0_u64..3)
                .prop_map(|(items, least, most)| json!({"items": items, "minItems": least, "maxItems": most})),
            (inner.clone(), inner.clone(), inner.clone(), prop::sample::subsequence(vec!["a", "b", "d"], 0..3)).prop_map(
                |(one, two, rest, required)| {
                    let mut schema = json!({"type": "object", "properties": {"a": one, "b": two}, "additionalProperties": rest});
                    if !required.is_empty() {
                        schema["required"] = json!(required);
                    }
                    schema
                }
            ),
            (inner.clone(), 0_u64..2, 0_u64..3)
                .prop_map(|(one, least, most)| json!({"properties": {"c": one}, "minProperties": least, "maxProperties": most})),
        ]
    })
}

/// The text of a value, with a byte changed here and there, and keys doubled.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), prop::sample::select(b"\"\\{}[],:0159.-+eEau \n\x01\xc3\xa9tfn/".to_vec()), 0_u8..3);
    (values(), prop::collection::vec(edit, 0..3), any::<bool>()).prop_map(|(value, edits, is_spaced)| {
        let mut text = if is_spaced { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap_or_default();
        for (at, byte, way) in edits {
            let at = at.index(text.len() + 1);
            match way {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_yes_is_the_librarys_too(schema in schemas(), draft in prop::sample::select(DRAFTS.to_vec()), texts in prop::collection::vec(texts(), 24)) {
        let mut schema = schema;
        if let (Json::Object(map), false) = (&mut schema, draft.is_empty()) {
            map.insert("$schema".to_owned(), draft.into());
        }
        let Some(both) = Both::of(&schema) else { return Ok(()) };
        for text in texts {
            if both.swift_says(&text) {
                prop_assert!(both.library_says(&text), "{schema}: {}", String::from_utf8_lossy(&text));
            }
        }
    }

    /// Whatever a schema asks for, what is made up for it is valid, unless the schema is said to have no payload.
    #[test]
    fn what_is_made_up_is_valid(schema in schemas(), draft in prop::sample::select(DRAFTS.to_vec()), seed in any::<u64>()) {
        let mut schema = schema;
        if let (Json::Object(map), false) = (&mut schema, draft.is_empty()) {
            map.insert("$schema".to_owned(), draft.into());
        }
        let Ok(compiled) = JsonSchema::compile(&schema.to_string(), &[] as &[Named]) else { return Ok(()) };
        prop_assume!(compiled.can_generate().is_ok());
        let mut rng = Stream::new(seed, "swift", "made up");
        for turn in 0..20 {
            let mut payload = Vec::new();
            compiled.generate(&mut rng, SimTime::from_ns(seed >> turn), &mut payload);
            let refused = compiled.validate(&payload);
            prop_assert!(refused.is_ok(), "{schema}: {} {refused:?}", String::from_utf8_lossy(&payload));
        }
    }

    #[test]
    fn plain_values_of_plain_schemas_are_told(value in values()) {
        let both = Both::of(&json!({"type": ["null", "boolean", "string", "number", "object", "array"]})).expect("a schema");
        let text = value.to_string();
        let is_plain = !text.contains("\\u") && !text.contains('e') && !text.contains("\\\"") || !text.contains('\\');
        prop_assert!(both.library_says(text.as_bytes()));
        prop_assert!(both.swift_says(text.as_bytes()) || !is_plain || text.contains('{'), "{text}");
    }
}
