//! Who is hit, by which schema, and through whom.

use serde_json::json;

use super::*;
use crate::model::{Component, Endpoint, Link, SchemaSource};

const V1: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}"#;

/// A shop: web and app write orders, billing passes results on, an audit reads those, a desk reads dead letters.
fn shop(web: serde_json::Value, billing: serde_json::Value) -> Project {
    let mut project = Project::default();
    project.schemas.insert("order".to_owned(), SchemaSource { path: None, text: V1.into() });
    let mut add = |id: &str, kind: &str, params: serde_json::Value| {
        let params = serde_json::from_value(params).expect("plain data");
        project.components.insert(id.to_owned(), Component { kind: kind.to_owned(), params, ..Component::default() });
    };
    add("web", "producer", web);
    add("shop", "kafka", json!({"topics": {"orders": {}, "bills": {}, "dead": {}, "others": {}}}));
    add("schemas", "registry", json!({"subjects": {"orders-value": {"versions": ["order"]}}}));
    add("billing", "consumer", billing);
    add("audit", "consumer", json!({}));
    add("desk", "consumer", json!({}));
    add("stranger", "consumer", json!({}));
    for (from, to) in [
        ("web.out", "shop.orders"),
        ("shop.orders", "billing.in"),
        ("billing.results", "shop.bills"),
        ("billing.dead_letters", "shop.dead"),
        ("shop.bills", "audit.in"),
        ("shop.dead", "desk.in"),
        ("shop.others", "stranger.in"),
        ("web.schemas", "schemas.in"),
        ("billing.schemas", "schemas.in"),
    ] {
        let end = |text: &str| Endpoint::parse(text).expect("component.port");
        project.links.push(Link { from: end(from), to: end(to), ..Link::default() });
    }
    project
}

fn writes() -> serde_json::Value {
    json!({"events": [{"type": "Placed", "schema": "orders-value"}]})
}

/// Component, impact and the component through which it comes.
fn hits(project: &Project, text: &str) -> Vec<(String, Impact, Option<String>)> {
    let blast = blast_radius(project, "orders-value", text, &SchemaLibrary::default()).expect("an answer");
    assert_eq!(blast.version, 2);
    blast.hits.into_iter().map(|hit| (hit.component, hit.impact, hit.through)).collect()
}

fn hit(component: &str, impact: Impact, through: Option<&str>) -> (String, Impact, Option<String>) {
    (component.to_owned(), impact, through.map(str::to_owned))
}

#[test]
fn a_writer_that_stops_starves_all_behind_it() {
    let wider = V1.replace("]}", r#",{"name":"c","type":"int"}]}"#);
    let found = hits(&shop(writes(), json!({})), &wider);
    let expected = [
        hit("web", Impact::StopsWriting, None),
        hit("billing", Impact::AtRisk, None),
        hit("billing", Impact::Starves, Some("web")),
        hit("audit", Impact::Starves, Some("billing")),
    ];
    assert_eq!(found, expected, "nobody else");
}

#[test]
fn a_reader_of_an_older_version_rejects_and_its_dead_letters_arrive() {
    let narrower = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
    let found = hits(&shop(writes(), json!({"reader_version": 1})), narrower);
    let expected = [
        hit("billing", Impact::Rejects, None),
        hit("audit", Impact::Starves, Some("billing")),
        hit("desk", Impact::GetsDeadLetters, Some("billing")),
    ];
    assert_eq!(found, expected);
    // Without a version of its own, its code may be tied to the latest.
    assert_eq!(hits(&shop(writes(), json!({})), narrower), [hit("billing", Impact::AtRisk, None)]);
}

#[test]
fn who_names_a_version_or_reads_elsewhere_is_spared() {
    let narrower = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
    let pinned = json!({"events": [{"type": "Placed", "schema": "orders-value", "version": 1}]});
    assert_eq!(hits(&shop(pinned, json!({"reader_version": 1})), narrower), []);
    let other = json!({"events": [{"type": "Placed", "schema": "payments-value"}]});
    assert_eq!(hits(&shop(other, json!({})), narrower), []);
    assert_eq!(hits(&shop(writes(), json!({})), V1), []);
}

#[test]
fn what_is_not_there_is_said() {
    let ask = |subject: &str, text: &str| blast_radius(&shop(writes(), json!({})), subject, text, &SchemaLibrary::default()).map(drop);
    assert!(ask("order-value", V1).expect_err("no such subject").contains("did you mean `orders-value`?"));
    assert!(ask("orders-value", "{").expect_err("no schema").contains("no AVRO schema"));
}

#[test]
fn a_subject_that_refers_to_it_is_followed() {
    let mut project = shop(writes(), json!({}));
    let order = r#"{"type":"record","name":"O","fields":[{"name":"money","type":"Money"}]}"#;
    let money = r#"{"type":"record","name":"Money","fields":[{"name":"cents","type":"int"}]}"#;
    for (name, text) in [("order", order), ("money", money)] {
        project.schemas.insert(name.to_owned(), SchemaSource { path: None, text: text.into() });
    }
    let subjects =
        json!({"subjects": {"money": {"versions": ["money"]}, "orders-value": {"versions": ["order"], "references": ["Money=money"]}}});
    project.components["schemas"].params = serde_json::from_value(subjects).expect("plain data");
    let wider = money.replace("]}", r#",{"name":"currency","type":"string"}]}"#);
    let blast = blast_radius(&project, "money", &wider, &SchemaLibrary::default()).expect("an answer");
    let found: Vec<(&str, Impact)> = blast.hits.iter().map(|hit| (hit.component.as_str(), hit.impact)).collect();
    assert_eq!(found, [("web", Impact::AtRisk), ("billing", Impact::AtRisk)]);
    assert!(blast.hits[0].why.contains("`orders-value` refers to it") && blast.hits[0].why.contains("currency"), "{}", blast.hits[0].why);
}
