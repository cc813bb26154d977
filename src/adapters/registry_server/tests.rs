//! The REST face without a socket: shapes, codes, and whatever bytes arrive.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Answer, Call, Method, answer};
use crate::machines::codec::SchemaLibrary;
use crate::machines::registry::{Compatibility, Registry};

fn registry() -> Registry {
    Registry::new(Arc::new(SchemaLibrary::default()), Compatibility::Backward)
}

/// One request; the path carries its query.
fn ask(registry: &mut Registry, method: Method, target: &str, body: &Json) -> (u16, Json) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let Answer { status, body } = answer(registry, &Call::new(method, path, query, body));
    (status, serde_json::from_str(&body).expect("every answer is JSON"))
}

fn get(registry: &mut Registry, target: &str) -> (u16, Json) {
    ask(registry, Method::Get, target, &Json::Null)
}

fn record(fields: &Json) -> Json {
    json!({"schema": json!({"type": "record", "name": "Order", "fields": fields}).to_string()})
}

fn first() -> Json {
    record(&json!([{"name": "id", "type": "string"}]))
}

#[test]
fn a_schema_is_registered_and_found_by_every_path() {
    let mut registry = registry();
    assert_eq!(get(&mut registry, "/subjects"), (200, json!([])));
    let (status, made) = ask(&mut registry, Method::Post, "/subjects/orders-value/versions", &first());
    assert_eq!((status, &made["id"], &made["version"], &made["schemaType"]), (200, &json!(1), &json!(1), &json!("AVRO")));
    let (_, by_id) = get(&mut registry, "/schemas/ids/1");
    assert_eq!(by_id["schema"], made["schema"]);
    let (_, version) = get(&mut registry, "/subjects/orders-value/versions/latest");
    assert_eq!((&version["subject"], &version["id"], &version["version"]), (&json!("orders-value"), &json!(1), &json!(1)));
    let (_, text) = get(&mut registry, "/subjects/orders-value/versions/1/schema");
    assert_eq!(text["name"], "Order", "the schema itself, not a text of it");
    assert_eq!(get(&mut registry, "/schemas/ids/1/versions"), (200, json!([{"subject": "orders-value", "version": 1}])));
    let (status, looked_up) = ask(&mut registry, Method::Post, "/subjects/orders-value", &first());
    assert_eq!((status, &looked_up["id"]), (200, &json!(1)));
    assert_eq!(get(&mut registry, "/contexts"), (200, json!(["."])));
}

/// The cases are those of Confluent's `RestApiMetadataEncoderTest` and `RestApiTest`, in short.
#[test]
fn metadata_and_rules_make_a_version_and_are_inherited() {
    let mut registry = registry();
    let path = "/subjects/orders-value/versions";
    let with = |schema: Json, metadata: Json| {
        let mut body = schema;
        body["metadata"] = metadata;
        body
    };
    let owner = |name: &str| json!({"properties": {"owner": name, "area": "shop"}, "tags": {}});
    let (_, made) = ask(&mut registry, Method::Post, path, &with(first(), owner("ann")));
    assert_eq!((&made["id"], &made["metadata"]), (&json!(1), &json!({"properties": {"area": "shop", "owner": "ann"}})));
    // The same in another order, and without any, is the version that there is.
    let reordered = with(first(), json!({"properties": {"area": "shop", "owner": "ann"}}));
    for body in [reordered, first()] {
        assert_eq!(ask(&mut registry, Method::Post, path, &body).1["version"], 1);
        assert_eq!(ask(&mut registry, Method::Post, "/subjects/orders-value", &body).1["version"], 1);
    }
    // Other metadata are another version of the same text, also without the text.
    let (_, made) = ask(&mut registry, Method::Post, path, &with(first(), owner("bob")));
    assert_eq!((&made["id"], &made["version"]), (&json!(2), &json!(2)));
    let rules = json!({"ruleSet": {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}]}});
    let (status, made) = ask(&mut registry, Method::Post, path, &rules);
    assert_eq!((status, &made["version"], &made["metadata"]["properties"]["owner"]), (200, &json!(3), &json!("bob")));
    assert_eq!(made["ruleSet"], rules["ruleSet"]);
    // A new text inherits both.
    let wider = record(&json!([{"name": "id", "type": "string"}, {"name": "n", "type": "int", "default": 0}]));
    ask(&mut registry, Method::Post, path, &wider);
    let (_, fourth) = get(&mut registry, &format!("{path}/4"));
    assert_eq!((&fourth["metadata"]["properties"]["owner"], &fourth["ruleSet"]), (&json!("bob"), &rules["ruleSet"]));
    assert_eq!(get(&mut registry, "/schemas/ids/4").1["ruleSet"], rules["ruleSet"]);
    let guids: std::collections::BTreeSet<String> =
        (1..=4).map(|version| get(&mut registry, &format!("{path}/{version}")).1["guid"].to_string()).collect();
    assert_eq!(guids.len(), 4);
    assert_eq!(ask(&mut registry, Method::Post, path, &with(first(), json!("owner"))).0, 400);
}

#[test]
fn refusals_have_the_products_codes() {
    let mut registry = registry();
    ask(&mut registry, Method::Post, "/subjects/a/versions", &first());
    let narrower = record(&json!([{"name": "id", "type": "string"}, {"name": "total", "type": "long"}]));
    let cases = [
        (Method::Get, "/subjects/none/versions", Json::Null, 404, 40401),
        (Method::Get, "/subjects/a/versions/9", Json::Null, 404, 40402),
        (Method::Get, "/schemas/ids/9", Json::Null, 404, 40403),
        (Method::Delete, "/subjects/a?permanent=true", Json::Null, 404, 40405),
        (Method::Get, "/config/a", Json::Null, 404, 40408),
        (Method::Post, "/subjects/a/versions", narrower, 409, 40901),
        (Method::Post, "/subjects/a/versions", json!({"schema": "{"}), 422, 42201),
        (Method::Get, "/subjects/a/versions/0", Json::Null, 422, 42202),
        (Method::Put, "/config", json!({"compatibility": "SIDEWAYS"}), 422, 42203),
        (Method::Put, "/mode", json!({"mode": "ASLEEP"}), 422, 42204),
        (Method::Put, "/subjects/a", Json::Null, 405, 405),
        (Method::Get, "/schemas/ids/seven", Json::Null, 404, 404),
        (Method::Get, "/associations/resources/-/orders", Json::Null, 404, 404),
    ];
    for (method, target, body, status, code) in cases {
        let (got, value) = ask(&mut registry, method, target, &body);
        assert_eq!((got, &value["error_code"]), (status, &json!(code)), "{method:?} {target}: {value}");
        assert!(value["message"].is_string(), "{value}");
    }
}

#[test]
fn a_test_of_compatibility_says_why_when_asked() {
    let mut registry = registry();
    ask(&mut registry, Method::Post, "/subjects/a/versions", &first());
    let narrower = record(&json!([{"name": "id", "type": "string"}, {"name": "total", "type": "long"}]));
    let target = "/compatibility/subjects/a/versions/latest";
    assert_eq!(ask(&mut registry, Method::Post, target, &narrower), (200, json!({"is_compatible": false})));
    let (_, verbose) = ask(&mut registry, Method::Post, &format!("{target}?verbose=true"), &narrower);
    let first = verbose["messages"][0].as_str().expect("a message");
    assert!(first.contains("READER_FIELD_MISSING_DEFAULT_VALUE"), "{verbose}");
}

#[test]
fn subjects_may_have_any_name() {
    let mut registry = registry();
    let (status, _) = ask(&mut registry, Method::Post, "/subjects/a%2Fb%20c/versions", &first());
    assert_eq!((status, get(&mut registry, "/subjects")), (200, (200, json!(["a/b c"]))));
}

#[test]
fn configurations_and_modes_are_set_and_taken_away() {
    let mut registry = registry();
    assert_eq!(get(&mut registry, "/config"), (200, json!({"compatibilityLevel": "BACKWARD"})));
    let level = json!({"compatibility": "FULL"});
    assert_eq!(ask(&mut registry, Method::Put, "/config/a", &level), (200, level));
    assert_eq!(get(&mut registry, "/config/a"), (200, json!({"compatibilityLevel": "FULL"})));
    assert_eq!(ask(&mut registry, Method::Delete, "/config/a", &Json::Null).0, 200);
    assert_eq!(get(&mut registry, "/config/a").0, 404);
    assert_eq!(get(&mut registry, "/mode"), (200, json!({"mode": "READWRITE"})));
    ask(&mut registry, Method::Put, "/mode", &json!({"mode": "READONLY"}));
    let (status, refused) = ask(&mut registry, Method::Post, "/subjects/a/versions", &first());
    assert_eq!((status, &refused["error_code"]), (422, &json!(42205)));
}

proptest! {
    /// Whatever arrives is answered with JSON and a status that says who is to blame; nothing panics.
    #[test]
    fn garbage_is_answered(
        method in prop::sample::select(vec![Method::Get, Method::Post, Method::Put, Method::Delete]),
        path in "(/(subjects|schemas|ids|versions|config|mode|compatibility|contexts|guids|types|latest|-1|0|1|%2F|%zz|.{0,8})){0,6}",
        query in ".{0,40}",
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "\\{\"schema\": ?\"?.{0,80}\"?,? ?(\"schemaType\": ?\"(AVRO|JSON|PROTOBUF)\")?\\}".prop_map(String::into_bytes),
        ],
    ) {
        let mut registry = registry();
        ask(&mut registry, Method::Post, "/subjects/a/versions", &first());
        let Answer { status, body } = answer(&mut registry, &Call::new(method, &path, &query, body.into()));
        prop_assert!(matches!(status, 200 | 400..=499), "{status}: {body}");
        prop_assert!(serde_json::from_str::<Json>(&body).is_ok(), "{body}");
    }
}

#[test]
fn deep_and_long_bodies_are_refused() {
    let mut registry = registry();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let call = |body: String| Call::new(Method::Post, "/subjects/a/versions", "", body.into());
    assert_eq!(answer(&mut registry, &call(format!("{{\"schema\": {deep}}}"))).status, 400);
    let schema = json!({"schema": deep}).to_string();
    assert_eq!(answer(&mut registry, &call(schema)).status, 422);
}
