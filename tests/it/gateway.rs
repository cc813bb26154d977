//! A producer's events through a gateway into a log: every rule of the edge at once, and the ledger balances.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, SchemaSource, TimedFault};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
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

/// The store of shared counters is down for five of twenty seconds: a limit that tolerates it lets everything pass
/// meanwhile, one that does not answers 500.
#[test]
fn a_store_that_is_down_is_tolerated_or_not() {
    let run_with = |settings: &[&str]| {
        let edge = json!({"plugins": [{"plugin": "rate-limiting", "settings": settings}], "service_time": "1ms"});
        let mut design = project("constant(100/s)", "0%", edge);
        design.components["web"].params.insert("http_retries".to_owned(), eventyard::model::Value::Int(0));
        let fault = TimedFault {
            at: SimTime::ZERO + SimDuration::from_secs(5),
            target: FaultTarget::Component("edge".to_owned()),
            action: "store-down".to_owned(),
            params: [("for".to_owned(), "5s".into())].into_iter().collect(),
        };
        design.scenarios.insert("down".to_owned(), Scenario { faults: vec![fault], ..Scenario::default() });
        let report = run(&design);
        assert!(report.ledger.balanced, "{:#?}", report.ledger);
        let figure = |name: &str| report.components["edge"].get(name).copied().unwrap_or_default() as u64;
        (report.ledger.submissions.accepted, figure("uncounted_requests_count"), figure("responses_count[500]"))
    };
    let (accepted, uncounted, errors) = run_with(&["second=50", "policy=redis"]);
    assert!((1_240..=1_310).contains(&accepted), "50 a second for 15 s, 100 for 5: {accepted}");
    assert!((490..=510).contains(&uncounted) && errors == 0, "{uncounted} were not counted, {errors} answered 500");
    let (accepted, uncounted, errors) = run_with(&["second=50", "policy=redis", "fault_tolerant=false"]);
    assert!((740..=810).contains(&accepted), "50 a second for 15 s: {accepted}");
    assert!((490..=510).contains(&errors) && uncounted == errors, "{uncounted} were not counted, {errors} answered 500");
}

/// Events in CloudEvents' structured mode: the gateway checks the data inside, the log holds the envelope, and a consumer that
/// checks what it reads finds every accepted event good.
#[test]
fn structured_events_are_checked_at_the_edge_and_read_behind_it() {
    let of_mode = |mode: &str, routes: Json| {
        let mut design =
            project("constant(100/s)", "10%", json!({"validate": true, "service_time": "1ms", "routes": routes, "linger": "20ms"}));
        design.components["web"].params.insert("cloud_events".to_owned(), mode.into());
        let billing = component("consumer", json!({"service_time": "1ms", "offset_reset": "earliest"}));
        design.components.insert("billing".to_owned(), billing);
        design.links.extend([link("shop.orders", "billing.in"), link("billing.schemas", "schemas.in")]);
        design
    };
    let all = json!([{"name": "placed", "event_types": ["Order*"], "event_sources": ["web"], "topic": "orders"}]);
    let run_of = |mode: &str| {
        let report = run(&of_mode(mode, all.clone()));
        assert!(report.ledger.balanced, "{:#?}", report.ledger);
        report
    };
    let (binary, structured) = (run_of("binary"), run_of("structured"));
    for report in [&binary, &structured] {
        let terms = &report.ledger.submissions;
        let share = terms.rejected as f64 / terms.created as f64;
        assert!((0.07..0.13).contains(&share), "{share} of the submissions were rejected: {:?}", reasons(report));
        assert!(report.ledger.obligations.delivered + 20 > terms.accepted, "{:#?}", report.ledger.obligations);
        assert_eq!(report.ledger.obligations.rejected_at_consumer, 0, "{:#?}", report.ledger.obligations);
    }
    assert_eq!(binary.ledger.submissions.rejected, structured.ledger.submissions.rejected, "the same events break their schema");
    // The same events, but nobody takes them.
    let none = json!([{"name": "paid", "event_types": ["OrderPaid"], "topic": "orders"}]);
    for mode in ["binary", "structured"] {
        let terms = run(&of_mode(mode, none.clone())).ledger.submissions;
        assert_eq!((terms.accepted, terms.rejected > 1_900), (0, true), "{terms:#?}");
    }
}

/// An API of AWS that sends to a queue and to a fan-out topic: every accepted request is a message that is processed.
#[test]
fn an_api_sends_to_queues_and_fanout_topics() {
    let edge = json!({
        "routes": [{"name": "jobs", "paths": ["/jobs"], "queue": "jobs"}, {"name": "news", "paths": ["/news"], "queue": "news"}],
        "service_time": "1ms",
    });
    let events = json!([{"type": "Job", "path": "/jobs"}, {"type": "News", "path": "/news"}]);
    let of_profile = |kind: &str, profile: &str, params: Json| Component { profile: Some(profile.to_owned()), ..component(kind, params) };
    let components = [
        ("web", component("producer", json!({"load": "constant(100/s)", "events": events, "keys": "uniform(100)", "max_events": 1500}))),
        ("edge", of_profile("gateway", "aws-rest-api", edge)),
        ("jobs", of_profile("queue", "sqs-standard", json!({}))),
        ("news", of_profile("fanout", "sns-standard", json!({}))),
        ("inbox", of_profile("queue", "sqs-standard", json!({}))),
        ("worker", component("consumer", json!({"service_time": "1ms"}))),
        ("reader", component("consumer", json!({"service_time": "1ms"}))),
    ];
    let design = Project {
        seed: 5,
        components: components.into_iter().map(|(id, component)| (id.to_owned(), component)).collect(),
        links: vec![
            link("web.out", "edge.in"),
            link("edge.messages", "jobs.in"),
            link("edge.messages", "news.in"),
            link("news.subscriptions", "inbox.in"),
            link("jobs.out", "worker.in"),
            link("inbox.out", "reader.in"),
        ],
        ..Project::default()
    };
    let report = run(&design);
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    let (submissions, obligations) = (&report.ledger.submissions, &report.ledger.obligations);
    assert_eq!((submissions.accepted, submissions.rejected), (1_500, 0), "{submissions:#?}");
    let news = report.components["edge"]["route_requests_count[news]"] as u64;
    assert!((600..900).contains(&news));
    // The client gets what SQS and SNS answer: so much JSON each time.
    let out_bytes = |route: &str| report.components["edge"][&format!("route_out_bytes[{route}]")] as u64;
    assert_eq!((out_bytes("jobs"), out_bytes("news")), ((1_500 - news) * 312, news * 184));
    // News are owed twice: by the topic, which forwards them, and by the queue behind it.
    assert_eq!((obligations.delivered, obligations.forwarded), (1_500, news), "{obligations:#?}");
    // A deleted queue is an error of the service: 500, and the client learns it.
    let mut design = design;
    let fault = TimedFault {
        at: SimTime::ZERO + SimDuration::from_secs(5),
        target: FaultTarget::Component("jobs".to_owned()),
        action: "delete-queue".to_owned(),
        params: IndexMap::new(),
    };
    design.scenarios.insert("gone".to_owned(), Scenario { faults: vec![fault], ..Scenario::default() });
    let report = run(&design);
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    let errors = report.components["edge"]["responses_count[500]"] as u64;
    assert!(errors > 400 && report.ledger.submissions.rejected == errors, "{errors}: {:#?}", report.ledger.submissions);
}
