//! What operators do to a running cluster, as its clients and the books see it.

use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::{Design, figure};

/// 200 events a second for 30 s, ordered by key, and `orders` gets 6 partitions instead of 4 after ten.
fn grown(consumer: Json) -> Report {
    let mut reader = json!({"instances": 2, "offset_reset": "earliest", "metadata_max_age": "4s", "guarantees": "ordered_per_key"});
    reader.as_object_mut().expect("fields").extend(consumer.as_object().expect("fields").clone());
    let producer = json!({"load": "constant(200/s)", "max_events": 6_000, "keys": "uniform(600)", "metadata_max_age": "3s"});
    let design = Design::line(60, producer, json!({}), reader);
    design.fault(10, "shop", "add-partitions", json!({"topic": "orders", "to": 6})).run()
}

fn appended(report: &Report, partition: u32) -> f64 {
    figure(report, "shop", &format!("partition_appended_count[orders[{partition}]]"))
}

#[test]
fn added_partitions_take_keys_and_readers() {
    for assignor in ["range", "cooperative-sticky"] {
        let report = grown(json!({"assignor": assignor, "service_time": "constant(1ms)"}));
        let obligations = &report.ledger.obligations;
        assert_eq!((obligations.delivered, obligations.duplicate_deliveries), (6_000, 0), "{assignor}");
        // Of the twelve residues of a hash, four stay where they were.
        let moved = figure(&report, "web", "moved_keys_ratio");
        assert!((0.6..0.73).contains(&moved), "{moved}");
        // 17 to 20 s of traffic, spread over six.
        assert!((400.0..900.0).contains(&appended(&report, 5)), "{}", appended(&report, 5));
        let rebalances = figure(&report, "billing", "rebalances_count");
        assert!((2.0..=4.0).contains(&rebalances), "{assignor}: one to begin with, then for the new partitions: {rebalances}");
    }
}

#[test]
fn a_group_that_lags_sees_moved_keys_out_of_order() {
    // Slower than the events come: what waits in an old partition is overtaken in a new one.
    let report = grown(json!({"service_time": "constant(13ms)"}));
    let order = report.expectations.iter().find(|one| one.text.contains("ordered_per_key")).expect("the consumer promises it");
    assert!(!order.met, "{order:?}");
    let in_time = grown(json!({"service_time": "constant(1ms)"}));
    assert!(in_time.expectations.iter().all(|one| one.met), "{:?}", in_time.expectations);
}

#[test]
fn a_group_that_begins_at_latest_skips_what_came_before_its_leader_looked() {
    let report = grown(json!({"offset_reset": "latest", "service_time": "constant(1ms)", "metadata_max_age": "9s"}));
    let obligations = &report.ledger.obligations;
    assert_eq!(obligations.delivered + obligations.skipped, 6_000);
    assert!(obligations.skipped > 50, "{obligations:?}");
}
