//! What operators do to a running cluster, as its clients and the books see it.

use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::Design;

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

/// Three brokers with three copies of six partitions, written with acks=all for 40 s.
fn replicated() -> Design {
    let cluster = json!({"brokers": 3, "partitions": 6, "replication": 3, "min_insync_replicas": 2});
    let reader = json!({"instances": 2, "offset_reset": "earliest", "service_time": "constant(1ms)", "guarantees": "ordered_per_key"});
    let producer = json!({"load": "constant(200/s)", "max_events": 8_000, "keys": "uniform(600)", "idempotence": true});
    Design::line(70, producer, cluster, reader)
}

fn assert_nothing_lost(report: &Report) {
    let ledger = &report.ledger;
    assert_eq!((ledger.obligations.delivered, ledger.obligations.lost, ledger.submissions.duplicate_appends), (8_000, 0, 0), "{ledger:?}");
    assert!(report.expectations.iter().all(|one| one.met), "{:?}", report.expectations);
    assert!(report.faults.iter().all(|fault| fault.refused.is_none()), "{:?}", report.faults);
}

#[test]
fn replicas_move_to_a_new_broker_and_leaders_follow() {
    let moved = |throttle: Json| {
        let design = replicated().fault(10, "shop", "add-broker", json!({})).fault(12, "shop", "reassign", throttle);
        design.fault(60, "shop", "elect-preferred-leaders", json!({})).run()
    };
    let (free, throttled) = (moved(json!({})), moved(json!({"throttle": "40KiB"})));
    for report in [&free, &throttled] {
        assert_nothing_lost(report);
        let of = |name: &str| figure(report, "shop", name);
        assert_eq!((of("reassigning_partitions"), of("under_replicated_partitions")), (0.0, 0.0));
        // p3 goes to [3 0 1], p1 to [1 2 3], p4 and p5 get other followers; what stays is not counted.
        assert!(of("reassigned_partitions_count") >= 4.0, "{}", of("reassigned_partitions_count"));
        assert_eq!(of("replica_in_sync[orders[3]@3]"), 1.0);
        assert_eq!(of("partition_leader[orders[3]]"), 3.0, "the first of its replicas leads in the end");
    }
    let of = |report: &Report, name: &str| figure(report, "shop", name);
    assert!(of(&free, "reassignment_s") < 1.0, "{}", of(&free, "reassignment_s"));
    assert!(of(&throttled, "reassignment_s") > 3.0, "{} s", of(&throttled, "reassignment_s"));
}

#[test]
fn a_throttle_below_what_comes_in_never_ends() {
    let moving = replicated().fault(10, "shop", "add-broker", json!({}));
    let report = moving.fault(12, "shop", "reassign", json!({"throttle": "2KiB"})).run();
    assert_nothing_lost(&report);
    assert!(figure(&report, "shop", "reassigning_partitions") > 0.0);
    assert_eq!(figure(&report, "shop", "under_replicated_partitions"), 0.0, "what is to come lacks nowhere");
}

#[test]
fn a_rolling_restart_loses_nothing_and_delays_little() {
    let report = replicated().fault(5, "shop", "rolling-restart", json!({"for": "5s"})).run();
    assert_nothing_lost(&report);
    assert_eq!(figure(&report, "shop", "rolled_nodes"), 3.0);
    assert!(report.totals["latency_ms_max"] < 2_000.0, "{}", report.totals["latency_ms_max"]);
}

#[test]
fn without_a_quorum_leaders_go_on_and_nobody_replaces_them() {
    let lost = || replicated().fault(5, "shop", "quorum-loss", json!({"for": "20s"}));
    let quiet = lost().fault(6, "shop", "add-partitions", json!({"topic": "orders", "to": 9})).run();
    assert_eq!(quiet.ledger.obligations.delivered, 8_000);
    assert!(quiet.totals["latency_ms_max"] < 1_000.0, "the data path needs no controller: {}", quiet.totals["latency_ms_max"]);
    assert_eq!(quiet.faults[1].refused.as_deref(), Some("the controller has no quorum: it decides nothing now"));
    // A crash within costs the rest of the loss and a whole session, which the new controller begins.
    let crashed = lost().fault(10, "shop", "crash-node", json!({"node": 0})).fault(12, "shop", "restart-node", json!({"node": 0})).run();
    assert_nothing_lost(&crashed);
    assert!((23_000.0..30_000.0).contains(&crashed.totals["latency_ms_max"]), "{}", crashed.totals["latency_ms_max"]);
    let of = |name: &str| figure(&crashed, "shop", name);
    assert_eq!((of("under_replicated_partitions"), of("controller_quorum")), (0.0, 1.0));
    // A node that is told to go waits for the controller's word.
    let told = lost().fault(8, "shop", "shutdown-node", json!({"node": 1})).run();
    assert_nothing_lost(&told);
    assert_eq!(figure(&told, "shop", "under_replicated_partitions"), 6.0, "it went when the quorum was back");
}

#[test]
fn readers_in_a_rack_read_there_and_go_back_to_the_leader_when_it_fails() {
    let racks = |rack: Json| {
        let cluster = json!({"brokers": 3, "partitions": 6, "replication": 3, "min_insync_replicas": 2, "racks": "a, b, c"});
        let mut reader = json!({"offset_reset": "earliest", "service_time": "constant(1ms)", "request_timeout": "5s", "fetch_max_wait": "500ms",
            "metadata_max_age": "20s", "rack": rack});
        if reader["rack"].is_null() {
            reader.as_object_mut().expect("fields").remove("rack");
        }
        let producer = json!({"load": "constant(200/s)", "max_events": 8_000, "keys": "uniform(600)"});
        Design::line(70, producer, cluster, reader)
    };
    let of = |report: &Report, name: &str| figure(report, "shop", name);
    let near = racks(json!("b")).run();
    assert_nothing_lost(&near);
    // Two followers of each partition are elsewhere.
    assert!(of(&near, "cross_rack_replicated_bytes") > 8_000.0 * 2.0 * 100.0);
    assert!(of(&near, "cross_rack_fetched_bytes") < 0.05 * of(&near, "out_bytes"), "{}", of(&near, "cross_rack_fetched_bytes"));
    let strange = racks(json!("z")).run();
    assert!(of(&strange, "cross_rack_fetched_bytes") > 0.9 * of(&strange, "out_bytes"), "nothing is near to a rack that has no broker");
    let failing =
        racks(json!("b")).fault(10, "shop", "crash-node", json!({"node": 1})).fault(40, "shop", "restart-node", json!({"node": 1}));
    assert_nothing_lost(&failing.run());
    assert_nothing_lost(&racks(Json::Null).run());
}

/// 200 events of a KiB a second through one node, for 60 s.
fn under_quota(quota: Json) -> Report {
    let producer = json!({"load": "constant(200/s)", "events": [{"type": "OrderPlaced", "topic": "orders", "size": "1KiB"}],
        "delivery_timeout": "10min", "request_timeout": "5min"});
    // Small answers: one that would take the whole window is put off until most of it is free.
    let reader = json!({"offset_reset": "earliest", "service_time": "constant(1ms)", "fetch_max_bytes": "50KiB"});
    Design::line(60, producer, quota, reader).run()
}

#[test]
fn a_quota_lets_through_what_it_says_and_ten_seconds_more() {
    let free = under_quota(json!({}));
    let kib_per_s = |report: &Report| figure(report, "shop", "in_bytes") / 1_024.0 / 60.0;
    assert!(kib_per_s(&free) > 200.0 && !free.components["shop"].contains_key("produce_throttle_s"));
    let report = under_quota(json!({"producer_byte_rate": "100KiB"}));
    // What arrives while a connection is muted counts as arrived, but not as written.
    let written = figure(&report, "shop", "log_bytes[orders]") / 1_024.0;
    assert!((5_800.0..7_300.0).contains(&written), "100 KiB a second for 60 to 70 s: {written}");
    assert!(figure(&report, "shop", "produce_throttle_s") > 10.0 && figure(&report, "shop", "throttled_produces_count") > 5.0);
}

#[test]
fn a_consumers_quota_holds_it_back_without_a_loss() {
    let report = under_quota(json!({"consumer_byte_rate": "100KiB"}));
    let obligations = &report.ledger.obligations;
    let share = obligations.delivered as f64 / obligations.created as f64;
    assert!((0.4..0.65).contains(&share), "half of what is written, and ten seconds' worth: {share}");
    assert_eq!((obligations.duplicate_deliveries, obligations.lost), (0, 0));
    assert!(figure(&report, "shop", "throttled_fetches_count") > 5.0 && figure(&report, "shop", "fetch_throttle_s") > 10.0);
}

#[test]
fn a_broker_without_replicas_may_go_for_good() {
    let emptied = replicated().fault(8, "shop", "reassign", json!({"nodes": "0, 1", "replication": 2}));
    let report = emptied.fault(20, "shop", "crash-node", json!({"node": 2, "disk": "lost"})).run();
    assert_nothing_lost(&report);
    assert_eq!(figure(&report, "shop", "under_replicated_partitions"), 0.0);
    let kept = replicated().fault(20, "shop", "crash-node", json!({"node": 2, "disk": "lost"})).run();
    assert_eq!(figure(&kept, "shop", "under_replicated_partitions"), 6.0, "without it, every partition lacks one");
}

#[test]
fn a_reassignment_that_cannot_be_is_refused_in_words() {
    let twice = replicated().fault(5, "shop", "add-broker", json!({})).fault(6, "shop", "reassign", json!({"throttle": "1KiB"}));
    let report = twice.fault(8, "shop", "reassign", json!({})).fault(9, "shop", "reassign", json!({"nodes": [0], "topic": "orders"})).run();
    let refused: Vec<_> = report.faults.iter().filter_map(|fault| fault.refused.as_deref()).collect();
    assert_eq!(refused, ["a reassignment of `orders` is under way", "`orders` wants 3 replicas, and there are 1 nodes for them"]);
}

#[test]
fn a_group_that_begins_at_latest_skips_what_came_before_its_leader_looked() {
    let report = grown(json!({"offset_reset": "latest", "service_time": "constant(1ms)", "metadata_max_age": "9s"}));
    let obligations = &report.ledger.obligations;
    assert_eq!(obligations.delivered + obligations.skipped, 6_000);
    assert!(obligations.skipped > 50, "{obligations:?}");
}
