//! A version that breaks its users is registered mid-run: who finds out, when, and what becomes of events.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::project::read;
use eventyard::run::run_headless;

use crate::clients::figure;

/// Events of the producer, ten a second.
const EVENTS: u64 = 400;

/// A producer whose schema has a field that readers need; `faults` are rows of a timeline.
fn run(producer: &str, consumer: &str, faults: &str) -> Report {
    let text = format!(
        r#"(format: 1, name: "Broken schemas", seed: 5,
        schemas: {{
            "order": (inline: "{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{{\"name\":\"a\",\"type\":\"int\"}},{{\"name\":\"b\",\"type\":\"string\"}}]}}"),
            "wider": (inline: "{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{{\"name\":\"a\",\"type\":\"int\"}},{{\"name\":\"b\",\"type\":\"string\"}},{{\"name\":\"c\",\"type\":\"int\",\"default\":0}}]}}"),
        }},
        components: {{
            "web": (kind: "producer", load: "constant(10/s)", max_events: {EVENTS}, {producer} events: [(type: "Placed", schema: "orders-value")]),
            "shop": (kind: "kafka", topics: {{"orders": (partitions: 1)}}),
            "schemas": (kind: "registry", subjects: {{"orders-value": (versions: ["order"])}}),
            "billing": (kind: "consumer", offset_reset: "earliest", {consumer}),
        }},
        links: [
            (from: "web.out", to: "shop.orders"), (from: "web.schemas", to: "schemas.in"),
            (from: "shop.orders", to: "billing.in"), (from: "billing.schemas", to: "schemas.in"),
        ],
        scenarios: {{"run": (length: "60s", faults: [{faults}])}})"#
    );
    let loaded = read(&text);
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    let plan = compile(&loaded.project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    report
}

/// End, place and code of every reason, with its count.
fn reasons(report: &Report) -> Vec<(&str, &str, &str, u64)> {
    report.ledger.reasons.iter().map(|one| (one.end.as_str(), one.at.as_str(), one.code.as_str(), one.count)).collect()
}

#[test]
fn a_writer_that_asks_again_refuses_a_version_that_cannot_read_what_it_makes() {
    let report = run("schema_age_max: \"5s\",", "", r#"(at: "12s", component: "schemas", action: "break-schema", breaks: "writers")"#);
    let [("rejected", "web", "schema-incompatible", count)] = reasons(&report)[..] else { panic!("{:?}", report.ledger.reasons) };
    assert!((240..=251).contains(&count), "from the next look-up, at 15s, to the end: {count}");
    assert!(report.ledger.reasons[0].detail.contains("required"), "{}", report.ledger.reasons[0].detail);
    assert_eq!(report.ledger.obligations.delivered, EVENTS - count);
}

#[test]
fn a_reader_of_the_version_before_rejects_what_is_written_with_the_broken_one() {
    let reader = "reader_version: 1";
    let report = run("schema_age_max: \"5s\",", reader, r#"(at: "12s", component: "schemas", action: "break-schema", breaks: "readers")"#);
    let [("rejected_at_consumer", "billing", "reader-schema", count)] = reasons(&report)[..] else { panic!("{:?}", report.ledger.reasons) };
    assert!((240..=251).contains(&count), "{count}");
    assert_eq!(figure(&report, "schemas", "schemas"), 2.0);
}

#[test]
fn a_writer_that_never_asks_again_finds_out_when_it_begins_anew() {
    let broken = r#"(at: "12s", component: "schemas", action: "break-schema")"#;
    assert_eq!(run("", "", broken).ledger.obligations.delivered, EVENTS, "Confluent's cache keeps the latest for ever");
    let restarted = format!(r#"{broken}, (at: "20s", component: "web", action: "crash", for: "1s")"#);
    let report = run("", "", &restarted);
    let refused = reasons(&report).into_iter().find(|reason| reason.2 == "schema-incompatible").expect("a crash shows it");
    assert!((195..=205).contains(&refused.3), "all that it makes after its restart: {refused:?}");
}

#[test]
fn a_version_that_breaks_nobody_is_refused() {
    let rows = [r#"schema: "wider""#, r#"schema: "nowhere""#, r#"subject: "others-value""#];
    let faults = rows.map(|row| format!(r#"(at: "5s", component: "schemas", action: "break-schema", {row})"#)).join(",");
    let report = run("", "", &faults);
    let refusals: Vec<&str> = report.faults.iter().filter_map(|fault| fault.refused.as_deref()).collect();
    assert_eq!(refusals[..2], ["that version breaks nobody", "the project has no schema `nowhere`"]);
    assert!(refusals[2].contains("others-value"), "{refusals:?}");
}
