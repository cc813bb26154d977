//! Whole designs under both registries: subjects named by Confluent's strategies, and the header of AWS Glue.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::project::{Loaded, read};
use eventyard::run::run_headless;

/// Events of the producer.
const EVENTS: u64 = 100;

/// A producer, a topic, a consumer that reads by the registry.
fn design(producer: &str, schema: &str, profile: &str, subject: &str) -> Loaded {
    read(&format!(
        r#"(format: 1, name: "Registries", seed: 5,
        schemas: {{
            "order": (inline: "{{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":[{{\"name\":\"id\",\"type\":\"string\"}}]}}"),
            "bare": (inline: "\"string\""),
        }},
        components: {{
            "web": (kind: "producer", load: "constant(10/s)", max_events: {EVENTS}, {producer} events: [(type: "Placed", schema: "{schema}")]),
            "shop": (kind: "kafka", topics: {{"orders": (partitions: 1)}}),
            "schemas": (kind: "registry", {profile} subjects: {{"{subject}": (versions: ["order"])}}),
            "billing": (kind: "consumer", offset_reset: "earliest"),
        }},
        links: [
            (from: "web.out", to: "shop.orders"), (from: "web.schemas", to: "schemas.in"),
            (from: "shop.orders", to: "billing.in"), (from: "billing.schemas", to: "schemas.in"),
        ],
        scenarios: {{"run": (length: "30s")}})"#
    ))
}

fn run(loaded: &Loaded) -> Report {
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    let plan = compile(&loaded.project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    report
}

/// Codes of what compile finds.
fn problems(loaded: &Loaded) -> Vec<String> {
    let found = compile(&loaded.project, &RunOptions::default()).err().unwrap_or_default();
    found.into_iter().map(|problem| problem.code).collect()
}

#[test]
fn strategies_name_the_subject() {
    for (strategy, subject) in [("TopicName", "orders-value"), ("RecordName", "shop.Order"), ("TopicRecordName", "orders-shop.Order")] {
        let producer = format!("value_subject_naming: \"{strategy}\",");
        let report = run(&design(&producer, "order", "", subject));
        assert_eq!(report.ledger.obligations.delivered, EVENTS, "{strategy}");
        // The registry has another subject: the design says so before it runs.
        let found = problems(&design(&producer, "order", "", "orders-valu"));
        assert!(found.iter().any(|code| code == "schema-unknown"), "{strategy}: {found:?}");
    }
    let unnamed = problems(&design("value_subject_naming: \"RecordName\",", "bare", "", "orders-value"));
    assert!(unnamed.iter().any(|code| code == "subject-naming"), "{unnamed:?}");
}

#[test]
fn events_carry_glues_header() {
    let report = run(&design("", "orders", "profile: \"glue\",", "orders"));
    assert_eq!(report.ledger.obligations.delivered, EVENTS);
    assert_eq!(report.ledger.reasons.len(), 0, "{:?}", report.ledger.reasons);
}

#[test]
fn a_serializer_may_pack_behind_glues_header() {
    let plain = run(&design("", "orders", "profile: \"glue\",", "orders"));
    let packed = run(&design("glue_compression: \"zlib\",", "orders", "profile: \"glue\",", "orders"));
    assert_eq!(packed.ledger.obligations.delivered, EVENTS);
    assert_eq!(packed.ledger.reasons.len(), 0, "{:?}", packed.ledger.reasons);
    let bytes = |report: &Report| report.links.values().map(|figures| figures["bytes"]).sum::<f64>();
    assert_ne!(bytes(&plain), bytes(&packed));
    let unused = problems(&design("glue_compression: \"zlib\",", "orders-value", "", "orders-value"));
    assert!(unused.is_empty(), "a setting without use is no error: {unused:?}");
}
