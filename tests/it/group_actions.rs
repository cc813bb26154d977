//! What can be done to a consumer group while it runs, and what the books say of it.

use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::Design;

fn design(seconds: u64, events: u64, consumer: Json) -> Design {
    Design::line(seconds, json!({"load": "constant(100/s)", "max_events": events}), json!({}), consumer)
}

fn ends(report: &Report) -> (u64, u64, u64, u64) {
    let obligations = &report.ledger.obligations;
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    (obligations.delivered, obligations.duplicate_deliveries, obligations.skipped, obligations.lost)
}

#[test]
fn a_group_set_back_to_what_its_beginning_skipped_reads_it_late_and_not_twice() {
    let late = design(40, 1_000, json!({"instances": 0, "service_time": "constant(1ms)"})).fault(4, "billing", "start-instance", json!({}));
    let (delivered, repeated, skipped, _) = ends(&late.run());
    assert_eq!((delivered + skipped, repeated), (1_000, 0));
    assert!(skipped >= 390, "it began at latest: {skipped} skipped");

    let late = design(40, 1_000, json!({"instances": 0, "service_time": "constant(1ms)"})).fault(4, "billing", "start-instance", json!({}));
    let report = late.fault(20, "billing", "reset-offsets", json!({"to": "earliest"})).run();
    let (all, again, none, _) = ends(&report);
    assert_eq!((all, none), (1_000, 0), "what was skipped is delivered after all");
    assert_eq!(again, delivered, "what had been delivered is repeated");
}

#[test]
fn a_reset_moves_forward_backward_to_a_time_and_to_an_offset() {
    let run = |to: Json| ends(&design(40, 1_000, json!({"offset_reset": "earliest"})).fault(20, "billing", "reset-offsets", to).run());
    assert_eq!(run(json!({"to": "latest"})), (1_000, 0, 0, 0));
    assert_eq!(run(json!({"to": "earliest"})), (1_000, 1_000, 0, 0));
    let (.., by_time, _, _) = run(json!({"to": "time", "time": "5s"}));
    assert!((490..=510).contains(&by_time), "{by_time} were born in the second half");
    let (.., by_offset, _, _) = run(json!({"to": "offset", "offset": 1_000_000}));
    assert_eq!(by_offset, 0, "the nearest offset that there is");
    // A group that lags skips what a reset to latest passes over.
    let lags = json!({"offset_reset": "earliest", "service_time": "constant(50ms)"});
    let (delivered, repeated, skipped, _) =
        ends(&design(60, 1_000, lags).fault(15, "billing", "reset-offsets", json!({"to": "latest"})).run());
    assert_eq!((delivered + skipped, repeated), (1_000, 0));
    assert!(skipped > 500, "{skipped}");
}

#[test]
fn a_long_pause_of_an_instance_costs_it_its_partitions() {
    let consumer = json!({"instances": 2, "offset_reset": "earliest", "session_timeout": "6s", "heartbeat_interval": "1s",
        "service_time": "constant(5ms)"});
    let run = |seconds: u64| {
        let span = json!({"instance": 1, "for": format!("{seconds}s")});
        design(60, 2_000, consumer.clone()).fault(5, "billing", "pause-instance", span).run()
    };
    let (short, long) = (run(3), run(12));
    assert_eq!(ends(&short), (2_000, 0, 0, 0), "a pause within the session goes unnoticed");
    let (delivered, repeated, _, lost) = ends(&long);
    assert_eq!((delivered, lost), (2_000, 0));
    assert!(repeated > 0, "what it had not committed was read by the other");
    assert!(figure(&long, "billing", "moved_partitions_count") >= 2.0);
    assert_eq!(figure(&short, "billing", "moved_partitions_count"), figure(&run(1), "billing", "moved_partitions_count"));
}

#[test]
fn a_paused_group_stays_together_and_reads_on_when_resumed() {
    let quiet = json!({"instances": 2, "offset_reset": "earliest", "session_timeout": "6s"});
    let paused = design(60, 2_000, quiet.clone()).fault(5, "billing", "pause-group", json!({}));
    let (delivered, ..) = ends(&paused.run());
    assert!(delivered < 600, "{delivered}");
    let resumed =
        design(60, 2_000, quiet).fault(5, "billing", "pause-group", json!({})).fault(30, "billing", "resume-group", json!({})).run();
    assert_eq!(ends(&resumed), (2_000, 0, 0, 0));
    assert_eq!(figure(&resumed, "billing", "rebalances_count"), 1.0, "nobody left");
}

#[test]
fn a_slow_instance_takes_so_many_times_as_long() {
    let consumer = json!({"offset_reset": "earliest", "service_time": "constant(5ms)"});
    let slow = |factor: f64| design(30, 2_000, consumer.clone()).fault(0, "billing", "slow-instance", json!({"factor": factor})).run();
    let (once, fourfold) = (ends(&slow(1.0)).0, ends(&slow(4.0)).0);
    assert_eq!(once, 2_000);
    assert!((1_400..1_550).contains(&fourfold), "fifty a second: {fourfold}");
}
