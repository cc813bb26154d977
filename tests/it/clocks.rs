//! Clocks that are wrong: what is stamped by them is, and whatever goes by timestamps; latencies are not.

use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::Design;

const EVENTS: u64 = 2_000;

/// A hundred events a second, read by a group that is slow to begin; the cluster's parameters are `shop`.
fn design(shop: Json) -> Design {
    let mut cluster = json!({"partitions": 1, "retention_check_interval": "1s"});
    for (name, value) in shop.as_object().expect("a group of fields") {
        cluster[name] = value.clone();
    }
    let web = json!({"load": "constant(100/s)", "max_events": EVENTS, "linger": "0s"});
    Design::line(60, web, cluster, json!({"offset_reset": "earliest", "service_time": "1ms"}))
}

fn codes(report: &Report) -> Vec<(&str, &str)> {
    report.ledger.reasons.iter().map(|reason| (reason.end.as_str(), reason.code.as_str())).collect()
}

fn remark(report: &Report) -> Option<&str> {
    report.remarks.iter().map(String::as_str).find(|remark| remark.contains("clock"))
}

#[test]
fn a_batch_from_the_future_is_refused_unless_the_log_stamps_it() {
    let ahead = |shop: Json| design(shop).fault(10, "web", "skew-clock", json!({"by": "2h"})).run();
    let report = ahead(json!({}));
    assert_eq!(codes(&report), [("rejected", "invalid-timestamp")]);
    let rejected = report.ledger.submissions.rejected;
    assert!((999..=1_001).contains(&rejected), "all that it sends from then on: {rejected}");
    assert_eq!(
        remark(&report),
        Some("web's clock was 7200 s ahead at the end: its timestamps say so; latencies are measured by true time")
    );
    for tolerant in [json!({"timestamp_type": "LogAppendTime"}), json!({"timestamp_after_max": "3h"})] {
        let report = ahead(tolerant);
        assert_eq!((report.ledger.obligations.delivered, codes(&report)), (EVENTS, Vec::new()));
    }
}

#[test]
fn an_old_timestamp_is_refused_where_the_topic_says_so_and_goes_at_once_by_retention() {
    let behind = |shop: Json, paused: bool| {
        // Retention takes whole segments, the oldest first: one with a right timestamp would keep all behind it.
        let design = design(shop).fault(0, "web", "skew-clock", json!({"by": "2h", "direction": "behind"}));
        if paused { design.fault(1, "billing", "pause-group", json!({})).run() } else { design.run() }
    };
    assert_eq!(codes(&behind(json!({"timestamp_before_max": "1h"}), false)), [("rejected", "invalid-timestamp")]);
    // Its newest record decides when a segment goes: with small ones, what is old by its timestamp goes although it is young.
    let small = json!({"retention_time": "1h", "segment_size": "16KiB"});
    let report = behind(small.clone(), true);
    assert!(report.ledger.obligations.expired > 500, "{:?}", report.ledger.obligations);
    assert_eq!(behind(json!({"retention_time": "3h", "segment_size": "16KiB"}), true).ledger.obligations.expired, 0);
    let mut by_the_log = small;
    by_the_log["timestamp_type"] = json!("LogAppendTime");
    assert_eq!(behind(by_the_log, true).ledger.obligations.expired, 0);
}

#[test]
fn a_broker_whose_clock_is_ahead_deletes_too_early() {
    let expired = |at: u64| {
        let shop = json!({"retention_time": "1h", "segment_size": "16KiB"});
        let design = design(shop).fault(1, "billing", "pause-group", json!({})).fault(at, "shop", "skew-clock", json!({"by": "2h"}));
        // It is right again when nothing is said.
        let report = design.fault(at + 3, "shop", "skew-clock", json!({})).run();
        assert_eq!(remark(&report), None);
        report.ledger.obligations.expired
    };
    assert!(expired(10) > 800, "{}", expired(10));
}

#[test]
fn a_time_is_looked_for_among_timestamps() {
    let delivered_twice = |skew: Json| {
        let design = design(json!({})).fault(10, "web", "skew-clock", skew);
        let report = design.fault(30, "billing", "reset-offsets", json!({"to": "time", "time": "15s"})).run();
        report.ledger.obligations.duplicate_deliveries
    };
    let (right, ahead) = (delivered_twice(json!({})), delivered_twice(json!({"by": "30min"})));
    assert!((500..=501).contains(&right), "from 15s on: {right}");
    assert!((1_000..=1_001).contains(&ahead), "all that says that it is younger: {ahead}");
    assert_eq!(delivered_twice(json!({"by": "30min", "direction": "behind"})), 0, "nothing says so");
}

#[test]
fn latencies_are_measured_by_true_time() {
    let skew = json!({"by": "10s", "drift": 100.0});
    let latency = |skew: Option<Json>| {
        let design = design(json!({}));
        let report = skew.into_iter().fold(design, |design, skew| design.fault(5, "web", "skew-clock", skew)).run();
        figure(&report, "billing", "latency_ms_p99")
    };
    assert_eq!(latency(Some(skew)), latency(None));
}
