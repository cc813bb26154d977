//! A producer's events through a gateway into a log: every rule of the edge at once, and the ledger balances.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, Link, Project, SchemaSource};
use eventyard::run::run_headless;
use eventyard::units::SimDuration;
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}"#;

fn component(kind: &str, params: Json) -> Component {
    let params = serde_json::from_value(params).expect("parameters are an object");
    Component { kind: kind.to_owned(), params, ..Component::default() }
}

fn link(from: &str, to: &str) -> Link {
    let end = |text: &str| Endpoint::parse(text).expect("component.port");
    Link { from: end(from), to: end(to), params: IndexMap::new() }
}

fn project(load: &str, invalid: &str, edge: Json) -> Project {
    let event = json!({"type": "OrderPlaced", "schema": "orders-value", "path": "/orders"});
    let components = [
        (
            "web",
            component(
                "producer",
                json!({"load": load, "events": [event], "invalid_ratio": invalid, "validate": false, "keys": "uniform(100)", "headers": ["apikey: k1"]}),
            ),
        ),
        ("edge", component("gateway", edge)),
        ("shop", component("kafka", json!({"topics": {"orders": {"partitions": 3}}}))),
        ("schemas", component("registry", json!({"subjects": {"orders-value": {"versions": ["order"]}}}))),
    ];
    Project {
        name: "edge".to_owned(),
        seed: 7,
        schemas: [("order".to_owned(), SchemaSource { path: None, text: SCHEMA.into() })].into_iter().collect(),
        components: components.into_iter().map(|(id, component)| (id.to_owned(), component)).collect(),
        links: vec![
            link("web.out", "edge.in"),
            link("edge.records", "shop.orders"),
            link("web.schemas", "schemas.in"),
            link("edge.schemas", "schemas.in"),
        ],
        ..Project::default()
    }
}

fn run(project: &Project) -> Report {
    let options = RunOptions { length: Some(SimDuration::from_secs(20)), ..RunOptions::default() };
    let plan = compile(project, &options).unwrap_or_else(|problems| panic!("{problems:#?}"));
    run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends")
}

fn reasons(report: &Report) -> Vec<(&str, &str)> {
    report.ledger.reasons.iter().map(|reason| (reason.end.as_str(), reason.code.as_str())).collect()
}

#[test]
fn invalid_payloads_stop_at_the_edge() {
    let report = run(&project("poisson(200/s)", "10%", json!({"validate": true, "service_time": "exp(1ms)"})));
    let terms = &report.ledger.submissions;
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert!(terms.created > 3_000 && terms.in_flight < 20, "{terms:#?}");
    let share = terms.rejected as f64 / terms.created as f64;
    assert!((0.07..0.13).contains(&share), "{share} of the submissions were rejected: {:?}", reasons(&report));
    assert_eq!(terms.accepted + terms.rejected + terms.in_flight, terms.created, "{terms:#?}");
}

#[test]
fn limits_and_keys_hold() {
    let edge = json!({
        "key_auth": true, "api_keys": [{"consumer": "web", "key": "k1"}],
        "rate_limits": [{"limit_by": "consumer", "second": 50}], "service_time": "1ms",
    });
    let mut design = project("constant(100/s)", "0%", edge);
    design.components["web"].params.insert("http_retries".to_owned(), eventyard::model::Value::Int(0));
    let report = run(&design);
    let terms = &report.ledger.submissions;
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert!((990..=1_050).contains(&terms.accepted), "50 a second over 20 s: {terms:#?}");
    let edge = report.components.get("edge").expect("the gateway is in the report");
    assert!(!serde_json::to_string(edge).expect("it is data").is_empty());
    design.components["edge"]
        .params
        .insert("api_keys".to_owned(), serde_json::from_value(json!([{"consumer": "app", "key": "k2"}])).expect("rows"));
    let report = run(&design);
    assert_eq!(report.ledger.submissions.accepted, 0, "the key is not known");
    assert!(report.ledger.balanced);
}
