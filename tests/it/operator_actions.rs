//! What an operator does to a cluster's topics, and what a faulty producer does to its readers.

use std::ops::ControlFlow;
use std::path::Path;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::project::read_in;
use eventyard::run::run_headless;
use serde_json::json;

use crate::design::Design;

#[test]
fn a_purged_topic_owes_nobody_what_was_in_it() {
    // It takes little at a time, so that most of what it is behind stands in the log.
    let slow = json!({"offset_reset": "earliest", "service_time": "constant(50ms)", "buffer": 10, "fetch_max_bytes": "1KiB",
        "partition_fetch_bytes": "1KiB"});
    let design = Design::line(60, json!({"load": "constant(100/s)", "max_events": 1_000}), json!({}), slow);
    let report = design.fault(15, "shop", "purge-topic", json!({"topic": "orders"})).run();
    let obligations = &report.ledger.obligations;
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    assert_eq!(obligations.delivered + obligations.expired, 1_000, "{obligations:?}");
    assert!(obligations.expired > 400, "what the slow reader had not fetched is gone: {}", obligations.expired);
    assert_eq!((obligations.duplicate_deliveries, obligations.in_flight), (0, 0));
}

/// A thousand events of which a quarter become dead letters, each read at most twice.
fn with_letters() -> Design {
    let producer = json!({"load": "constant(100/s)", "max_events": 1_000, "keys": "uniform(50)"});
    let consumer =
        json!({"service_time": "1ms", "failure_ratio": "50%", "max_attempts": 2, "retry_backoff": "2ms", "offset_reset": "earliest"});
    Design::line(60, producer, json!({}), consumer).with_dead_letters()
}

#[test]
fn dead_letters_are_redriven_and_owed_again() {
    let before = with_letters().run();
    let letters = before.ledger.obligations.dead_lettered;
    assert!((200..300).contains(&letters), "{letters}");
    let back = json!({"from": "dead", "into": "orders", "rate": "50/s"});
    let redriven = |times: u64| {
        let again = (0..times).fold(with_letters(), |design, time| design.fault(15 + 20 * time, "shop", "redrive", back.clone()));
        let report = again.run();
        let obligations = &report.ledger.obligations;
        assert!(report.ledger.balanced, "{:?}", report.ledger);
        assert_eq!((obligations.delivered + obligations.dead_lettered, obligations.created), (1_000, 1_000), "owed again, not twice");
        assert_eq!(obligations.duplicate_deliveries, 0);
        (obligations.dead_lettered, report.components["shop"]["redriven_count"] as u64)
    };
    let (left, moved) = redriven(1);
    assert_eq!(moved, letters);
    assert!((30..100).contains(&left), "a quarter of a quarter fails again: {left}");
    let (least, moved_twice) = redriven(2);
    assert_eq!(moved_twice, letters + left, "a second redrive begins where the first had ended");
    assert!(least < left / 2, "{least}");
}

#[test]
fn a_redrive_needs_letters_and_another_topic() {
    let nothing = Design::line(9, json!({"load": "constant(100/s)"}), json!({}), json!({}));
    let report = nothing
        .fault(2, "shop", "redrive", json!({"from": "dead", "into": "orders"}))
        .fault(3, "shop", "redrive", json!({"from": "orders", "into": "orders"}))
        .run();
    let refused: Vec<_> = report.faults.iter().filter_map(|fault| fault.refused.as_deref()).collect();
    assert_eq!(refused, ["`dead` has nothing that was not redriven before", "`orders` cannot be redriven to itself"]);
}

/// The sample of bad events without any, and one fault.
fn poisoned(count: u32) -> Report {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects");
    let text = std::fs::read_to_string(folder.join("order-flow.ron")).expect("the sample is there");
    let mut project = read_in(&text, Some(&folder)).project;
    let scenario = &mut project.scenarios[0];
    let fault = format!(r#"(format: 1, scenarios: {{"s": (faults: [(at: "10s", component: "web", action: "poison", events: {count})])}})"#);
    scenario.faults = read_in(&fault, None).project.scenarios[0].faults.clone();
    let plan = compile(&project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs")
}

#[test]
fn poison_pills_break_their_schema_and_are_told() {
    let report = poisoned(7);
    assert!(report.ledger.balanced);
    let refused = report.ledger.submissions.rejected + report.ledger.obligations.rejected_at_consumer;
    assert!(refused >= 7, "each of the seven is refused somewhere: {:?}", report.ledger.reasons);
    assert_eq!(poisoned(1).ledger.submissions.created, report.ledger.submissions.created, "no other number moves");
}

/// A leader that is cut off while its group reads, or not.
fn cut_off(isolated: bool) -> Report {
    let cluster = json!({"partitions": 1, "replication": 3, "brokers": 3, "min_insync_replicas": 2, "broker_session_timeout": "2s"});
    let web = json!({"load": "constant(100/s)", "max_events": 2_000, "request_timeout": "2s", "keys": "uniform(50)"});
    let design = Design::line(90, web, cluster, json!({"offset_reset": "earliest"})).with_latency("1ms");
    if !isolated {
        return design.run();
    }
    design.fault(5, "shop", "isolate-node", json!({"node": 0})).fault(20, "shop", "rejoin-node", json!({"node": 0})).run()
}

#[test]
fn who_reads_from_a_deposed_leader_reads_what_is_stale() {
    let stale = |report: &Report| report.components["shop"].get("stale_reads_count").copied();
    assert_eq!(stale(&cut_off(false)), None);
    let report = cut_off(true);
    // A long poll each half second, from the time at which the new leader has acknowledged something.
    assert!(stale(&report).is_some_and(|count| (5.0..40.0).contains(&count)), "{:?}", stale(&report));
    assert_eq!(report.ledger.obligations.delivered, 2_000, "they come late, but they come");
    let hidden = report.anomalies.iter().find(|one| one.what == "stale_read").expect("a reader was told less");
    assert_eq!((hidden.topic.as_str(), hidden.group.as_str(), Some(hidden.count as f64)), ("orders", "billing", stale(&report)));
    assert!(hidden.first_at_s > 7.0, "not before there was a new leader: {hidden:?}");
    assert!(hidden.first.contains("of key ") && hidden.first.contains("that node 0, which led partition 0 no more"), "{hidden:?}");
}
