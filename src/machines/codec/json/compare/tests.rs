//! Cases of every kind of change, and what holds for any two schemas.

use serde_json::{Value as Json, json};

use super::*;
use crate::machines::codec::json::documents::Sources;
use crate::machines::codec::json::draft::Draft;

fn shapes(schema: &Json) -> Shapes {
    let sources = Sources { root: schema.clone(), named: Vec::new() };
    read(&sources, Draft::of(schema)).expect("few parts")
}

/// The differences as the product lists them: rule and path, a nested part once for each way to it.
fn by_path(original: &Json, update: &Json, policy: Policy) -> Vec<String> {
    let (reader, writer) = (shapes(update), shapes(original));
    let mut walk = Walk::new(&reader, &writer, policy);
    let root = walk.run();
    let mut lines = Vec::new();
    list(&walk, root, "#", &mut lines);
    lines
}

fn list(walk: &Walk<'_>, outcome: OutcomeIx, path: &str, lines: &mut Vec<String>) {
    let below = |step: Step<'_>| match step {
        Step::Here | Step::Note(_) => path.to_owned(),
        Step::Keyword(keyword) => format!("{path}/{keyword}"),
        Step::Name(list, name) => format!("{path}/{list}/{name}"),
        Step::Index(list, at) => format!("{path}/{list}/{at}"),
    };
    for entry in &walk.outcomes[outcome as usize].entries {
        match entry {
            Entry::Found(found) => {
                let path = below(found.step);
                lines.push(format!("{} {}", found.rule.name, if path == "#" { "#/" } else { &path }));
            }
            Entry::Nested(step, nested) => list(walk, *nested, &below(*step), lines),
        }
    }
}

struct Case {
    what: &'static str,
    original: Json,
    update: Json,
    /// Rule and path, sorted.
    found: &'static [&'static str],
    strict: bool,
    lenient: bool,
}

fn check(draft: &str, cases: Vec<Case>) {
    for case in cases {
        let with_draft = |schema: &Json| match schema {
            Json::Object(map) if !draft.is_empty() => {
                let mut map = map.clone();
                map.insert("$schema".to_owned(), draft.into());
                Json::Object(map)
            }
            other => other.clone(),
        };
        let (original, update) = (with_draft(&case.original), with_draft(&case.update));
        let mut found = by_path(&original, &update, Policy::Strict);
        found.sort();
        assert_eq!(found, case.found, "{}: {original} → {update}", case.what);
        for (policy, wanted) in [(Policy::Strict, case.strict), (Policy::Lenient, case.lenient)] {
            let differences = compare(&shapes(&update), &shapes(&original), policy);
            let is_compatible = !differences.iter().any(|difference| difference.severity == Severity::Breaks);
            assert_eq!(is_compatible, wanted, "{} under {policy}: {differences:#?}", case.what);
            assert!(
                differences
                    .iter()
                    .all(|difference| !difference.words.contains(['{', '}']) || difference.rule == "ITEM_ADDED_TO_OPEN_CONTENT_MODEL")
            );
        }
    }
}

fn case(what: &'static str, original: Json, update: Json, found: &'static [&'static str], [strict, lenient]: [bool; 2]) -> Case {
    Case { what, original, update, found, strict, lenient }
}

const YES: [bool; 2] = [true, true];
const NO: [bool; 2] = [false, false];
const LENIENT: [bool; 2] = [false, true];
const LATEST: &str = "https://json-schema.org/draft/2020-12/schema";

/// Cases that read alike in all drafts.
fn of_all_drafts() -> Vec<Case> {
    let number = |rest: Json| {
        let mut all = json!({"type": "number"});
        all.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        all
    };
    let object =
        |properties: Json, is_closed: bool| json!({"type": "object", "properties": properties, "additionalProperties": !is_closed});
    let text = || json!({"type": "string"});
    vec![
        case("nothing changes", object(json!({"a": text()}), true), object(json!({"a": text()}), true), &[], YES),
        case("a title", json!({"type": "null", "title": "x"}), json!({"type": "null"}), &["TITLE_CHANGED #/"], YES),
        case(
            "notes",
            json!({"type": "null", "description": "x"}),
            json!({"type": "null", "default": 1}),
            &["DEFAULT_CHANGED #/", "DESCRIPTION_CHANGED #/"],
            YES,
        ),
        case("anything becomes a text", json!(true), text(), &["TYPE_CHANGED #/"], NO),
        case("nothing becomes a text", json!(false), text(), &[], YES),
        case("a text becomes anything", text(), json!({}), &[], YES),
        case("a text becomes a list", text(), json!({"type": "array"}), &["TYPE_CHANGED #/"], NO),
        case(
            "longer texts",
            json!({"type": "string", "maxLength": 3}),
            json!({"type": "string", "maxLength": 4, "minLength": 1}),
            &["MAX_LENGTH_INCREASED #/maxLength", "MIN_LENGTH_ADDED #/minLength"],
            NO,
        ),
        case(
            "another pattern",
            json!({"type": "string", "pattern": "^a"}),
            json!({"type": "string", "pattern": "^b"}),
            &["PATTERN_CHANGED #/pattern"],
            NO,
        ),
        case(
            "tighter bounds",
            number(json!({"minimum": 0, "maximum": 9})),
            number(json!({"minimum": 1, "maximum": 8.5})),
            &["MAXIMUM_DECREASED #/maximum", "MINIMUM_INCREASED #/minimum"],
            NO,
        ),
        case(
            "looser bounds",
            number(json!({"minimum": 0, "maximum": 9})),
            number(json!({"minimum": -1})),
            &["MAXIMUM_REMOVED #/maximum", "MINIMUM_DECREASED #/minimum"],
            YES,
        ),
        case(
            "a finer step",
            number(json!({"multipleOf": 0.3})),
            number(json!({"multipleOf": 0.1})),
            &["MULTIPLE_OF_REDUCED #/multipleOf"],
            YES,
        ),
        case(
            "a coarser step",
            number(json!({"multipleOf": 0.1})),
            number(json!({"multipleOf": 0.3})),
            &["MULTIPLE_OF_EXPANDED #/multipleOf"],
            NO,
        ),
        case("another step", number(json!({"multipleOf": 4})), number(json!({"multipleOf": 6})), &["MULTIPLE_OF_CHANGED #/multipleOf"], NO),
        case("the same step", number(json!({"multipleOf": 0.5})), number(json!({"multipleOf": 5e-1})), &[], YES),
        case("whole numbers become any", json!({"type": "integer"}), json!({"type": "number"}), &["TYPE_EXTENDED #/"], YES),
        case("any numbers become whole", json!({"type": "number"}), json!({"type": "integer"}), &["TYPE_NARROWED #/"], NO),
        case("a value more", json!({"enum": ["a", 1]}), json!({"enum": [1, "b", "a"]}), &["ENUM_ARRAY_EXTENDED #/enum"], YES),
        case("a value less", json!({"enum": ["a", 1]}), json!({"enum": ["a"]}), &["ENUM_ARRAY_NARROWED #/enum"], NO),
        case("a value for another", json!({"enum": ["a", "c"]}), json!({"enum": ["a", "b"]}), &["ENUM_ARRAY_CHANGED #/enum"], NO),
        case("a type more", json!({"type": ["string"]}), json!({"type": ["string", "null"]}), &["SUM_TYPE_EXTENDED #/"], YES),
        case("a type less", json!({"type": ["string", "null"]}), json!({"type": ["string"]}), &["SUM_TYPE_NARROWED #/"], NO),
        case("forbids less", json!({"not": {"type": "number"}}), json!({"not": {"type": "integer"}}), &["NOT_TYPE_NARROWED #/not"], YES),
        case("forbids more", json!({"not": {"type": "integer"}}), json!({"not": {"type": "number"}}), &["NOT_TYPE_EXTENDED #/not"], NO),
        case("the same is forbidden", json!({"not": {"type": "integer"}}), json!({"not": {"type": "integer"}}), &[], YES),
        case(
            "an optional property in an open model",
            object(json!({}), false),
            object(json!({"a": text()}), false),
            &["OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/a"],
            LENIENT,
        ),
        case(
            "an optional property in a closed model",
            object(json!({}), true),
            object(json!({"a": text()}), true),
            &["OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"],
            YES,
        ),
        case(
            "a property leaves an open model",
            object(json!({"a": text()}), false),
            object(json!({}), false),
            &["PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL #/properties/a"],
            YES,
        ),
        case(
            "a property leaves a closed model",
            object(json!({"a": text()}), true),
            object(json!({}), true),
            &["PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/a"],
            LENIENT,
        ),
        case(
            "a model closes",
            object(json!({}), false),
            object(json!({}), true),
            &["ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties"],
            LENIENT,
        ),
        case(
            "a model opens",
            object(json!({}), true),
            object(json!({}), false),
            &["ADDITIONAL_PROPERTIES_ADDED #/additionalProperties"],
            YES,
        ),
        case(
            "required from now on",
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
            json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string", "default": ""}}, "required": ["b", "a"]}),
            &[
                "DEFAULT_CHANGED #/properties/b",
                "REQUIRED_ATTRIBUTE_ADDED #/required/a",
                "REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED #/required/b",
            ],
            NO,
        ),
        case(
            "required and declared nowhere",
            json!({"type": "object", "required": ["foo"]}),
            json!({"type": "object", "required": ["bar"]}),
            &["REQUIRED_UNDECLARED_ADDED #/required/bar"],
            YES,
        ),
        case(
            "a pattern covers a new property",
            json!({"type": "object", "patternProperties": {"^x_": {"type": "integer"}}, "additionalProperties": false}),
            json!({"type": "object", "patternProperties": {"^x_": {"type": "integer"}}, "additionalProperties": false, "properties": {"x_1": {"type": "number"}}}),
            &[
                "OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/x_1",
                "PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/x_1",
                "TYPE_EXTENDED #/properties/x_1",
            ],
            YES,
        ),
        case(
            "what others must be does not fit",
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            &["PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/a", "TYPE_CHANGED #/properties/a"],
            NO,
        ),
        case(
            "patterns are not compared",
            json!({"type": "object", "patternProperties": {"a": {"type": "null"}}}),
            json!({"type": "object", "patternProperties": {"a": {"type": "string"}}}),
            &["RULE_WITHOUT_COMPARISON #/patternProperties/a"],
            YES,
        ),
        case(
            "fewer items",
            json!({"type": "array", "maxItems": 3}),
            json!({"type": "array", "maxItems": 2, "uniqueItems": true}),
            &["MAX_ITEMS_DECREASED #/maxItems", "UNIQUE_ITEMS_ADDED #/uniqueItems"],
            NO,
        ),
        case(
            "items of a kind from now on",
            json!({"type": "array"}),
            json!({"type": "array", "items": {"type": "null"}}),
            &["SCHEMA_ADDED #/items"],
            NO,
        ),
        case(
            "items of another kind",
            json!({"type": "array", "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "null"}}),
            &["TYPE_CHANGED #/items"],
            NO,
        ),
        case(
            "branches in another order",
            json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
            &[],
            YES,
        ),
        case(
            "a branch needs the partner of another",
            json!({"anyOf": [{"type": "integer"}, {"type": "number"}]}),
            json!({"anyOf": [{"type": "number"}, {"type": "integer", "title": "whole"}]}),
            &["TITLE_CHANGED #/anyOf/0"],
            YES,
        ),
        case(
            "a duplicate does not count",
            json!({"anyOf": [{"type": "string"}, {"type": "string"}]}),
            json!({"anyOf": [{"type": "string"}]}),
            &[],
            YES,
        ),
        case(
            "one more to hold",
            json!({"allOf": [{"type": "string"}]}),
            json!({"allOf": [{"type": "string"}, {"maxLength": 3}]}),
            &["PRODUCT_TYPE_EXTENDED #/"],
            NO,
        ),
        case(
            "one less to hold",
            json!({"allOf": [{"type": "string"}, {"type": "null"}]}),
            json!({"allOf": [{"type": "string"}]}),
            &["PRODUCT_TYPE_NARROWED #/"],
            YES,
        ),
        case("one of them from now on", text(), json!({"oneOf": [{"type": "null"}, {"type": "string"}]}), &["SUM_TYPE_EXTENDED #/"], YES),
        case(
            "no branch fits",
            json!({"oneOf": [{"type": "null"}]}),
            json!({"oneOf": [{"type": "string"}]}),
            &["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"],
            NO,
        ),
        case(
            "any becomes one",
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
            &["COMBINED_TYPE_CHANGED #/"],
            NO,
        ),
        case(
            "one becomes any",
            json!({"oneOf": [{"type": "null"}, {"type": "string"}]}),
            json!({"anyOf": [{"type": "null"}, {"type": "string"}]}),
            &["COMBINED_TYPE_EXTENDED #/"],
            YES,
        ),
        case(
            "bytes stay bytes",
            json!({"type": "string", "connect.type": "bytes"}),
            json!({"type": "number", "connect.type": "bytes"}),
            &[],
            YES,
        ),
    ]
}

#[test]
fn changes_have_the_products_names_and_paths() {
    for draft in [
        "",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema",
        "https://json-schema.org/draft/2019-09/schema",
        LATEST,
    ] {
        check(draft, of_all_drafts());
    }
}

#[test]
fn drafts_4_to_7_have_their_own() {
    let tuple = |items: Json, rest: bool| json!({"type": "array", "items": items, "additionalItems": rest});
    check(
        "http://json-schema.org/draft-07/schema#",
        vec![
            case("an id", json!({"$id": "a"}), json!({"$id": "b"}), &["ID_CHANGED #/"], YES),
            case(
                "nothing to an object without rules",
                json!({}),
                json!({"properties": {}}),
                &["REFUSED_WITHOUT_EFFECT #/", "TYPE_CHANGED #/"],
                NO,
            ),
            case(
                "an item in an open list",
                tuple(json!([]), true),
                tuple(json!([{"type": "null"}]), true),
                &["ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/0"],
                NO,
            ),
            case(
                "an item in a closed list",
                tuple(json!([]), false),
                tuple(json!([{"type": "null"}]), false),
                &["ITEM_ADDED_TO_CLOSED_CONTENT_MODEL #/items/0"],
                YES,
            ),
            case(
                "an item leaves a closed list",
                tuple(json!([{"type": "null"}]), false),
                tuple(json!([]), false),
                &["ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL #/items/0"],
                NO,
            ),
            case(
                "what is additional without a list",
                json!({"type": "array"}),
                json!({"type": "array", "additionalItems": false}),
                &["ADDITIONAL_ITEMS_REMOVED #/additionalItems", "REFUSED_WITHOUT_EFFECT #/additionalItems"],
                NO,
            ),
            case(
                "a dependency",
                json!({"type": "object", "required": ["b"]}),
                json!({"type": "object", "required": ["b"], "dependencies": {"a": ["b"]}}),
                &["DEPENDENCY_ARRAY_ADDED #/dependencies/a", "REFUSED_WITHOUT_EFFECT #/dependencies/a"],
                NO,
            ),
            case(
                "another dependency",
                json!({"dependencies": {"a": ["b"], "c": {"type": "object"}}}),
                json!({"dependencies": {"a": ["d"]}}),
                &["DEPENDENCY_ARRAY_CHANGED #/dependencies/a", "DEPENDENCY_SCHEMA_REMOVED #/dependencies/c"],
                NO,
            ),
            case(
                "conditions are not compared",
                json!({"if": {"type": "null"}}),
                json!({"if": {"type": "null"}, "then": false}),
                &["CONDITION_NOT_COMPARED #/if"],
                YES,
            ),
            case(
                "later keywords mean nothing",
                json!({"type": "array", "prefixItems": [true]}),
                json!({"type": "array", "prefixItems": [false]}),
                &[],
                YES,
            ),
        ],
    );
    check(
        "http://json-schema.org/draft-04/schema#",
        vec![
            case("an id", json!({"id": "a"}), json!({"id": "b"}), &["ID_CHANGED #/"], YES),
            case(
                "the bound itself goes",
                json!({"type": "number", "minimum": 1}),
                json!({"type": "number", "minimum": 1, "exclusiveMinimum": true}),
                &["RULE_WITHOUT_COMPARISON #/exclusiveMinimum"],
                YES,
            ),
            case("no constants yet", json!({"const": 1}), json!({"const": 2}), &[], YES),
        ],
    );
}

#[test]
fn the_latest_drafts_have_their_own() {
    let tuple = |items: Json, rest: Json| json!({"type": "array", "prefixItems": items, "items": rest});
    check(
        LATEST,
        vec![
            case("an id goes unseen", json!({"$id": "a"}), json!({"$id": "b"}), &[], YES),
            case("nothing to an object without rules", json!({}), json!({"properties": {}}), &[], YES),
            case(
                "an item in a closed list",
                tuple(json!([true]), json!(false)),
                tuple(json!([true, {"type": "null"}]), json!(false)),
                &["ITEM_ADDED_TO_CLOSED_CONTENT_MODEL #/items/1"],
                YES,
            ),
            case(
                "the rest of a list narrows",
                json!({"type": "array", "prefixItems": [true]}),
                tuple(json!([true]), json!({"type": "null"})),
                &["ADDITIONAL_ITEMS_NARROWED #/additionalItems"],
                NO,
            ),
            case(
                "names beside a name",
                json!({"dependentRequired": {"a": ["b"]}}),
                json!({"dependentRequired": {"a": ["b", "c"]}}),
                &["DEPENDENCY_ARRAY_EXTENDED #/dependencies/a"],
                NO,
            ),
            case(
                "a schema beside a name",
                json!({"dependentSchemas": {"a": {"type": "object"}}}),
                json!({"dependentSchemas": {"a": {"type": "null"}}}),
                &["TYPE_CHANGED #/dependencies/a"],
                NO,
            ),
            case(
                "the rest closes",
                json!({"type": "object"}),
                json!({"type": "object", "unevaluatedProperties": false}),
                &["UNEVALUATED_PROPERTIES_REMOVED #/unevaluatedProperties"],
                LENIENT,
            ),
            case(
                "a closed rest takes an optional property",
                json!({"type": "object", "unevaluatedProperties": false}),
                json!({"type": "object", "unevaluatedProperties": false, "properties": {"a": {"type": "null"}}}),
                &["OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a"],
                YES,
            ),
            case(
                "more of them",
                json!({"contains": {"type": "null"}}),
                json!({"contains": {"type": "null"}, "minContains": 2, "maxContains": 3}),
                &["MAX_CONTAINS_ADDED #/maxContains", "MIN_CONTAINS_INCREASED #/minContains"],
                NO,
            ),
            case("earlier keywords mean nothing", json!({"dependencies": {"a": ["b"]}}), json!({"dependencies": {"a": ["c"]}}), &[], YES),
            case(
                "a reference with a neighbour",
                json!({"$defs": {"a": {"type": "string"}}, "properties": {"x": {"$ref": "#/$defs/a", "maxLength": 3}}}),
                json!({"$defs": {"a": {"type": "number"}}, "properties": {"x": {"$ref": "#/$defs/a", "maxLength": 3}}}),
                &["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/properties/x"],
                NO,
            ),
        ],
    );
}

#[test]
fn places_are_pointers_into_either_text() {
    let original =
        json!({"type": "object", "properties": {"a/b": {"$ref": "#/definitions/c~d"}}, "definitions": {"c~d": {"maxLength": 3}}});
    let update = json!({"type": "object", "required": ["x", "a/b"], "properties": {"a/b": {"type": "string", "maxLength": 2}}});
    let found = compare(&shapes(&update), &shapes(&original), Policy::Strict);
    let places: Vec<_> = found.iter().map(|one| (one.rule, one.reader.as_deref(), one.writer.as_deref())).collect();
    assert_eq!(
        places,
        [
            ("REQUIRED_ATTRIBUTE_ADDED", Some("/required/1"), None),
            ("REQUIRED_UNDECLARED_ADDED", Some("/required/0"), None),
            ("MAX_LENGTH_DECREASED", Some("/properties/a~1b/maxLength"), Some("/definitions/c~0d/maxLength")),
        ]
    );
    assert_eq!(found[2].words, "`maxLength`: the reader has 2, the writer has 3");
    assert_eq!(found[0].hint.as_deref(), Some("leave `a/b` optional, or let the writers require it first"));
}

#[test]
fn references_lead_into_named_documents() {
    let of = |sku: Json| {
        let root = json!({"properties": {"line": {"$ref": "line.json#/definitions/sku"}}});
        let sources = Sources { root, named: vec![("line.json".into(), json!({"definitions": {"sku": sku}}))] };
        read(&sources, Draft::Seven).expect("few parts")
    };
    let found = compare(&of(json!({"type": "null"})), &of(json!({"type": "string"})), Policy::Strict);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].reader.as_deref(), Some("line.json#/definitions/sku"));
    assert_eq!(found[0].words, "the reader wants null, the writer has a text");
}

/// The differences of two recursive schemas in a circle of `oneOf`s: a first pass alone takes the outer pairs for compatible.
#[test]
fn circles_hide_nothing() {
    let node = |id: &str, next: &str| json!({"type": "object", "properties": {"id": {"type": id}, "next": {"oneOf": [{"$ref": format!("#/definitions/{next}")}]}}});
    let schema = |first: &str, second: &str| {
        json!({
            "properties": {"root": {"oneOf": [{"$ref": "#/definitions/A"}, {"$ref": "#/definitions/B"}]}},
            "definitions": {"A": node(first, "C"), "B": node(second, "C"), "C": node("integer", "A")},
        })
    };
    let differences = compare(&shapes(&schema("boolean", "number")), &shapes(&schema("integer", "boolean")), Policy::Strict);
    assert!(differences.iter().any(|one| one.severity == Severity::Breaks), "{differences:#?}");
    assert_eq!(compare(&shapes(&schema("integer", "string")), &shapes(&schema("integer", "string")), Policy::Strict), []);
}

#[test]
fn a_reference_to_a_reference_is_warned_of() {
    let schema = |of: &str| json!({"properties": {"x": {"$ref": "#/definitions/a"}}, "definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"type": of}}});
    let differences = compare(&shapes(&schema("string")), &shapes(&schema("number")), Policy::Strict);
    let rules: Vec<_> = differences.iter().map(|one| (one.rule, one.severity)).collect();
    assert_eq!(rules, [("REFERENCE_CHAIN_NOT_COMPARED", Severity::Warns)]);
}

/// Steps are counted, not time: the machine that runs this may be slow.
#[test]
fn entangled_schemas_end() {
    let chain = |of: &str, leaf: Json, levels: usize| {
        let link = |level: usize| json!({of: [{"$ref": format!("#/definitions/n{}", level + 1)}, {"$ref": format!("#/definitions/n{}", level + 1), "title": "x"}, {"maxLength": level}]});
        let mut definitions: serde_json::Map<String, Json> = (0..levels).map(|level| (format!("n{level}"), link(level))).collect();
        definitions.insert(format!("n{levels}"), leaf);
        json!({"$ref": "#/definitions/n0", "definitions": definitions})
    };
    let wide = |count: usize, shift: usize| json!({"oneOf": (0..count).map(|at| json!({"const": at * 2 + shift})).collect::<Vec<_>>()});
    let all = |count: usize| {
        let union: Vec<Json> = (0..count).map(|at| json!({"$ref": format!("#/definitions/t{at}")})).collect();
        let definitions: serde_json::Map<String, Json> = (0..count)
            .map(|at| (format!("t{at}"), json!({"type": "object", "properties": {"id": {"const": at}, "next": {"oneOf": union.clone()}}})))
            .collect();
        json!({"$ref": "#/definitions/t0", "definitions": definitions})
    };
    for (original, update) in [
        (chain("allOf", json!({"type": "string"}), 60), chain("allOf", json!({"type": "number"}), 60)),
        (chain("oneOf", json!({"type": "string"}), 2_000), chain("oneOf", json!({"type": "string", "maxLength": 3}), 2_000)),
        (wide(3_000, 0), wide(3_000, 1)),
        (all(40), all(41)),
    ] {
        let (reader, writer) = (shapes(&update), shapes(&original));
        let mut walk = Walk::new(&reader, &writer, Policy::Strict);
        walk.run();
        assert!(walk.steps <= 2 * walk::STEPS_MAX, "{}", walk.steps);
        let differences = compare(&reader, &writer, Policy::Strict);
        assert!(!differences.is_empty() && differences.len() <= DIFFERENCES_MAX);
    }
}

/// Where neither a rule nor a warning speaks, the validating library proves no value that the writer lets through and the reader does
/// not.
#[test]
fn silence_is_meant() {
    let mut proved = 0;
    for draft in ["http://json-schema.org/draft-07/schema#", LATEST] {
        for case in of_all_drafts() {
            let with_draft = |schema: &Json| {
                let mut schema = schema.clone();
                if let Json::Object(map) = &mut schema {
                    map.insert("$schema".to_owned(), draft.into());
                }
                schema
            };
            let (original, update) = (with_draft(&case.original), with_draft(&case.update));
            let differences = compare(&shapes(&update), &shapes(&original), Policy::Strict);
            let (Ok(writer), Ok(reader)) = (jsonschema::canonicalize(&original), jsonschema::canonicalize(&update)) else { continue };
            if differences.iter().any(|one| one.severity != Severity::Fine) || case.what == "bytes stay bytes" {
                continue;
            }
            let Ok(contained) = reader.covers(&writer) else { continue };
            assert_ne!(contained.as_str(), "no", "{}: {original} → {update}: {differences:?}", case.what);
            proved += usize::from(contained.as_str() == "yes");
        }
    }
    assert!(proved > 30, "{proved}");
}
