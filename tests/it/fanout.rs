//! Filter policies against the cases that are shared with the product, and designs with fan-out topics.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, check, compile};
use eventyard::diagnostics::Severity;
use eventyard::machines::broker::fanout::attributes::{Attribute, Attributes};
use eventyard::machines::broker::fanout::policy::{Scope, Subject};
use eventyard::machines::broker::fanout::read;
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, Link, Project, SchemaSource};
use eventyard::run::run_headless;
use eventyard::units::SimDuration;
use serde_json::{Value as Json, json};

use crate::cases;

fn attributes(case: &Json) -> Attributes {
    let named = case["attributes"].as_object().into_iter().flatten().map(|(name, attribute)| {
        let value = &attribute["Value"];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let parsed = Attribute::parse(attribute["Type"].as_str().expect("a type"), &text);
        (name.as_str().into(), parsed.expect("the cases' numbers are numbers"))
    });
    Attributes(named.collect())
}

#[test]
fn filter_policies_decide_as_the_product_does() {
    let cases = cases::read("sns_filter_policy.json");
    assert!(cases.len() >= 35);
    for case in cases {
        let scope = if case["scope"] == "MessageBody" { Scope::MessageBody } else { Scope::MessageAttributes };
        let policy = read::read(&case["policy"].to_string(), scope, "policy").unwrap_or_else(|problems| panic!("{case}: {problems:?}"));
        let attributes = attributes(&case);
        let accepted = policy.accepts(Subject { attributes: &attributes, body: case.get("body") });
        assert_eq!(accepted, case["match"] == true, "{case}");
    }
}

fn component(kind: &str, profile: Option<&str>, params: Json) -> Component {
    let params = serde_json::from_value(params).expect("parameters are an object");
    Component { kind: kind.to_owned(), profile: profile.map(str::to_owned), params, ..Component::default() }
}

fn link(from: &str, to: &str, params: Json) -> Link {
    let end = |text: &str| Endpoint::parse(text).expect("component.port");
    Link { from: end(from), to: end(to), params: serde_json::from_value(params).expect("an object") }
}

const ORDER: &str = r#"{"type":"object","properties":{"total":{"type":"integer","minimum":0,"maximum":200}},"required":["total"]}"#;

/// web ─► news ─► all, placed, large; each read by a consumer that validates. What news cannot deliver goes to lost.
fn project(kinds: [&str; 2], subscriptions: &Json, wire: Json) -> Project {
    let events = json!([
        {"type": "OrderPlaced", "schema": "orders-value", "weight": 3},
        {"type": "OrderPaid", "schema": "orders-value"},
    ]);
    let queues = json!({"receive_wait": "20s", "duplicate_ratio": "0%"});
    let mut components = vec![
        ("web", component("producer", None, json!({"load": "constant(50/s)", "events": events, "keys": "uniform(9)"}))),
        ("news", component("fanout", Some(kinds[0]), json!({"subscriptions": subscriptions}))),
        ("lost", component("queue", Some(kinds[1]), json!({}))),
        ("schemas", component("registry", None, json!({"subjects": {"orders-value": {"versions": ["order"], "type": "JSON"}}}))),
    ];
    let mut links = vec![
        link("web.out", "news.in", wire.clone()),
        link("web.schemas", "schemas.in", json!({})),
        link("news.dead_letters", "lost.in", json!({})),
    ];
    for (queue, reader, reads) in [("all", "r1", "r1.in"), ("placed", "r2", "r2.in"), ("large", "r3", "r3.in")] {
        components.push((
            queue,
            component("queue", Some(kinds[1]), if kinds[1] == "sqs-fifo" { json!({"receive_wait": "20s"}) } else { queues.clone() }),
        ));
        components.push((reader, component("consumer", None, json!({"service_time": "1ms", "instances": 2}))));
        links.push(link("news.subscriptions", &format!("{queue}.in"), wire.clone()));
        links.push(link(&format!("{queue}.out"), reads, json!({})));
        links.push(link(&format!("{reader}.schemas"), "schemas.in", json!({})));
    }
    Project {
        name: "fan-out".to_owned(),
        seed: 5,
        schemas: [("order".to_owned(), SchemaSource { path: None, text: ORDER.into() })].into_iter().collect(),
        components: components.into_iter().map(|(id, component)| (id.to_owned(), component)).collect(),
        links,
        ..Project::default()
    }
}

fn run(project: &Project) -> Report {
    let options = RunOptions { length: Some(SimDuration::from_secs(40)), ..RunOptions::default() };
    let plan = compile(project, &options).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    report
}

fn figure(report: &Report, component: &str, name: &str) -> f64 {
    report.components[component].get(name).copied().unwrap_or_else(|| panic!("{name}: {:?}", report.components[component].keys()))
}

#[test]
fn each_subscription_gets_what_its_filter_takes() {
    let subscriptions = json!({
        "placed": {"filter_policy": "{\"type\": [\"OrderPlaced\"]}"},
        "large": {"filter_policy": "{\"total\": [{\"numeric\": [\">=\", 100]}]}", "filter_scope": "MessageBody", "raw": true},
    });
    for kinds in [["sns-standard", "sqs-standard"], ["sns-fifo", "sqs-fifo"]] {
        let report = run(&project(kinds, &subscriptions, json!({})));
        let published = figure(&report, "news", "appended_count");
        assert!(published > 1_900.0, "{published}");
        let share = |queue: &str| figure(&report, "news", &format!("delivered_count[{queue}]")) / published;
        assert!(share("all") > 0.99 && (0.7..0.8).contains(&share("placed")) && (0.4..0.6).contains(&share("large")), "{kinds:?}");
        // Envelopes are opened, and the events in them fit their schema.
        let processed: f64 = ["r1", "r2", "r3"].iter().map(|reader| figure(&report, reader, "processed_count")).sum();
        let rejected: f64 = ["r1", "r2", "r3"].iter().map(|reader| figure(&report, reader, "rejected_count")).sum();
        assert_eq!(rejected, 0.0);
        let terms = &report.ledger.obligations;
        assert_eq!(terms.delivered as f64, processed);
        assert_eq!(terms.filtered as f64 + terms.forwarded as f64 + figure(&report, "news", "queue_length"), 3.0 * published);
        assert_eq!((terms.lost, terms.duplicate_deliveries), (0, 0), "{terms:#?}");
    }
}

#[test]
fn lossy_ways_are_tried_again_and_what_no_queue_takes_is_a_dead_letter() {
    let mut lossy = project(["sns-fifo", "sqs-fifo"], &json!({}), json!({"loss": "5%"}));
    lossy.components["news"].params.insert("delivery_timeout".to_owned(), "100ms".into());
    let report = run(&lossy);
    assert!(figure(&report, "news", "retried_count[all]") > 50.0);
    assert_eq!(report.ledger.obligations.duplicate_deliveries, 0, "FIFO queues know what they have taken");
    let mut tight = project(["sns-standard", "sqs-standard"], &json!({}), json!({}));
    tight.components["web"]
        .params
        .insert("events".to_owned(), serde_json::from_value(json!([{"type": "Big", "size": "4KiB"}])).expect("rows"));
    tight.components["large"].params.insert("max_message_size".to_owned(), "1KiB".into());
    let report = run(&tight);
    let dead = figure(&report, "news", "dead_lettered_count[large]");
    assert!(dead > 1_900.0 && figure(&report, "lost", "appended_count") >= dead - 2.0, "{dead}");
}

#[test]
fn bad_subscriptions_are_named() {
    let codes = |kinds, subscriptions: Json| {
        let all = check(&project(kinds, &subscriptions, json!({})));
        let errors = all.into_iter().filter(|problem| problem.severity == Severity::Error);
        errors.map(|problem| (problem.code, problem.path)).collect::<Vec<_>>()
    };
    let at = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let standard = ["sns-standard", "sqs-standard"];
    assert_eq!(codes(standard, json!({"plcaed": {}})), at("subscription-unlinked", "components.news.subscriptions.plcaed"));
    let misspelt = json!({"placed": {"filter_policy": "{\"type\": [{\"prefx\": \"Order\"}]}"}});
    assert_eq!(codes(standard, misspelt), at("filter-policy", "components.news.subscriptions.placed.filter_policy.type[0]"));
    assert_eq!(codes(["sns-standard", "sqs-fifo"], json!({})).len(), 3, "a standard topic cannot feed a FIFO queue");
    assert_eq!(
        codes(standard, json!({"all": {"dead_letters": "nowhere"}})),
        at("link-missing", "components.news.subscriptions.all.dead_letters")
    );
}
