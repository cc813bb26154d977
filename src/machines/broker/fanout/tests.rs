//! Operators one by one, limits, and properties. The cases that are shared with the product stand in `tests/it`.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::attributes::{Attribute, Attributes};
use super::envelope::{Sheet, open, seal};
use super::policy::{Scope, Subject};
use super::read::{COMBINATIONS_MAX, read};
use super::retry::RetryPolicy;
use crate::units::SimTime;

fn on_body(policy: &Json, body: &Json) -> bool {
    let policy = read(&policy.to_string(), Scope::MessageBody, "p").unwrap_or_else(|problems| panic!("{problems:?}"));
    policy.accepts(Subject { attributes: &Attributes::default(), body: Some(body) })
}

fn on_text(policy: &Json, text: &str) -> bool {
    let policy =
        read(&json!({ "key": [policy] }).to_string(), Scope::MessageAttributes, "p").unwrap_or_else(|problems| panic!("{problems:?}"));
    let attributes = Attributes(vec![("key".into(), Attribute::Text(text.into()))]);
    policy.accepts(Subject { attributes: &attributes, body: None })
}

fn codes(policy: &Json, scope: Scope) -> Vec<(String, String)> {
    let problems = read(&policy.to_string(), scope, "p").expect_err("it must be refused");
    assert!(problems.iter().all(|problem| problem.hint.is_some()), "{problems:?}");
    problems.into_iter().map(|problem| (problem.code, problem.path)).collect()
}

#[test]
fn addresses_and_wildcards() {
    assert!(on_text(&json!({"cidr": "10.0.0.0/24"}), "10.0.0.255"));
    assert!(!on_text(&json!({"cidr": "10.0.0.0/24"}), "10.0.1.0"));
    assert!(on_text(&json!({"cidr": "0.0.0.0/0"}), "200.1.2.3"));
    assert!(on_text(&json!({"cidr": "2001:db8::/32"}), "2001:db8:1::1"));
    assert!(!on_text(&json!({"cidr": "0.0.0.0/0"}), "::1"));
    assert!(on_text(&json!({"wildcard": "order-*-eu*"}), "order-42-eu-west"));
    assert!(!on_text(&json!({"wildcard": "order-*-eu"}), "order-42-eu-west"));
    assert!(!on_text(&json!({"wildcard": "ab*ba"}), "aba"), "the pieces do not overlap");
    assert!(on_text(&json!({"anything-but": {"suffix": [".tmp", ".bak"]}}), "a.txt"));
    assert!(!on_text(&json!({"anything-but": {"suffix": [".tmp", ".bak"]}}), "a.bak"));
}

#[test]
fn bodies_are_looked_into() {
    let policy = json!({"order": {"total": [{"numeric": [">=", 100]}], "items": {"sku": ["a"]}}, "country": ["de", null]});
    let order = |total: u32, items: Json| json!({"order": {"total": total, "items": items}, "country": "de"});
    assert!(on_body(&policy, &order(100, json!({"sku": "a"}))));
    assert!(!on_body(&policy, &order(99, json!({"sku": "a"}))));
    assert!(on_body(&policy, &order(100, json!([{"sku": "b"}, {"sku": "a"}]))), "one object of a list is enough");
    assert!(!on_body(&policy, &json!({"order": 7, "country": "de"})));
    assert!(on_body(&json!({"a": {"b": [{"exists": false}]}}), &json!({"c": 1})), "what is nowhere does not exist");
    assert!(!on_body(&json!({"a": [{"exists": true}]}), &json!({"a": {"b": 1}})), "an object is no leaf");
    assert!(!on_body(&json!({"a": [1]}), &json!("text")));
    assert!(on_body(&json!({}), &json!("text")));
}

#[test]
fn what_sns_refuses_is_named_at_its_place() {
    let keys: serde_json::Map<String, Json> = (0..6).map(|n| (format!("k{n}"), json!(["v"]))).collect();
    assert_eq!(codes(&Json::Object(keys), Scope::MessageAttributes)[0].0, "filter-policy-limit");
    let many: Vec<u32> = (0..151).collect();
    assert_eq!(codes(&json!({ "k": many }), Scope::MessageAttributes)[0].0, "filter-policy-limit");
    // Four values three levels down and three values two levels down: 4 × 3 × 3 × 2 = 72 of 150.
    let nested = json!({"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}});
    assert!(read(&nested.to_string(), Scope::MessageBody, "p").is_ok());
    assert_eq!(codes(&nested, Scope::MessageAttributes).len(), 2, "attributes are flat");
    assert_eq!(COMBINATIONS_MAX, 150);
    let wrong = json!({"a": [{"numeric": [">", 5, "<", 1]}, 1e9, 0.000_001, [1]], "$or": [{"b": [1]}], "c": [{"prefx": "x"}]});
    let found = codes(&wrong, Scope::MessageAttributes);
    let places: Vec<&str> = found.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(places, ["p.a[0]", "p.a[1]", "p.a[2]", "p.a[3]", "p.$or", "p.c[0]"], "all at once, in order");
    assert_eq!(read("[1]", Scope::MessageBody, "p").expect_err("no object").len(), 1);
    assert_eq!(read("{", Scope::MessageBody, "p").expect_err("no JSON").len(), 1);
}

fn value() -> impl Strategy<Value = Json> {
    prop_oneof![any::<bool>().prop_map(Json::from), (-50i32..50).prop_map(Json::from), "[a-c]{0,3}".prop_map(Json::from), Just(Json::Null)]
}

proptest! {
    #[test]
    fn exact_and_anything_but_are_opposites_of_one_value(wanted in value(), sent in value()) {
        let body = json!({ "k": sent });
        let is = on_body(&json!({"k": [wanted.clone()]}), &body);
        let is_not = on_body(&json!({"k": [{"anything-but": [wanted.clone()]}]}), &body);
        prop_assert_eq!(is, wanted == sent);
        prop_assert_eq!(is_not, !is);
    }

    #[test]
    fn keys_are_and_values_are_or(a in prop::collection::vec(value(), 1..5), b in prop::collection::vec(value(), 1..5), sent_a in value(), sent_b in value()) {
        let body = json!({"a": sent_a, "b": sent_b});
        let (fits_a, fits_b) = (a.contains(&sent_a), b.contains(&sent_b));
        let both = json!({"a": a.clone(), "b": b.clone()});
        let either = json!({"$or": [{ "a": a }, { "b": b }]});
        prop_assert_eq!(on_body(&both, &body), fits_a && fits_b);
        prop_assert_eq!(on_body(&either, &body), fits_a || fits_b);
    }

    #[test]
    fn texts_agree_with_their_definitions(pattern in "[ab]{1,4}", text in "[abAB]{0,6}") {
        prop_assert_eq!(on_text(&json!({ "prefix": pattern }), &text), text.starts_with(&pattern));
        prop_assert_eq!(on_text(&json!({ "suffix": pattern }), &text), text.ends_with(&pattern));
        prop_assert_eq!(on_text(&json!({ "equals-ignore-case": pattern.to_uppercase() }), &text), text.to_lowercase() == pattern);
        prop_assert_eq!(on_text(&json!({ "wildcard": format!("*{pattern}*") }), &text), text.contains(&pattern));
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), scope in prop::bool::ANY) {
        drop(read(&text, if scope { Scope::MessageBody } else { Scope::MessageAttributes }, "p"));
    }
}

#[test]
fn retries_come_in_the_products_phases() {
    let delays: Vec<Option<f64>> =
        (1..=100_016).map(|failures| RetryPolicy::MANAGED.delay(failures).map(|delay| delay.as_ms_f64() / 1e3)).collect();
    assert_eq!(delays[..6], [Some(0.0), Some(0.0), Some(0.0), Some(1.0), Some(1.0), Some(1.0)]);
    assert_eq!(delays[14], Some(20.0), "ten growing tries end at the greatest delay");
    assert!(delays[5..15].is_sorted(), "{:?}", &delays[5..15]);
    assert_eq!((delays[100_014], delays[100_015]), (Some(20.0), None), "100,015 in all");
    let days = delays.iter().flatten().sum::<f64>() / 86_400.0;
    assert!((23.0..24.0).contains(&days), "{days} days");
}

proptest! {
    #[test]
    fn what_is_sealed_opens(body in prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)]) {
        let attributes = Attributes(vec![("type".into(), Attribute::Text("OrderPlaced".into()))]);
        let sheet = Sheet { message_id: "1", topic: "orders", at: SimTime::ZERO, attributes: &attributes };
        let envelope = seal(&sheet, &body);
        prop_assert_eq!(open(&envelope).expect("it is an envelope"), body.clone());
        let parsed: Json = serde_json::from_slice(&envelope).expect("it is JSON");
        prop_assert_eq!(&parsed["MessageAttributes"]["type"]["Value"], "OrderPlaced");
        prop_assert!(open(&body).is_none());
    }
}
