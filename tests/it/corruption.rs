//! Bits that flip on a node's disk: checksums find them, nothing is passed on, nothing is lost in silence.

use eventyard::metrics::Report;
use eventyard::random::Stream;
use serde_json::{Value as Json, json};

use crate::broker_sim::seeds;
use crate::clients::figure;
use crate::design::Design;

const EVENTS: u64 = 1_000;

/// A group that is paused while one of the batches that it has not read goes bad.
fn design(on_corrupt: &str, cluster: Json, blight: Json) -> Design {
    let web = json!({"load": "constant(100/s)", "max_events": EVENTS});
    let billing = json!({"offset_reset": "earliest", "on_corrupt": on_corrupt, "service_time": "1ms"});
    let design = Design::line(60, web, cluster, billing).fault(2, "billing", "pause-group", json!({}));
    design.fault(8, "shop", "corrupt-batch", blight).fault(9, "billing", "resume-group", json!({}))
}

fn one_partition() -> Json {
    json!({"partitions": 1})
}

/// Three copies of one partition, of which node 0 leads.
fn three_copies() -> Json {
    json!({"partitions": 1, "replication": 3, "brokers": 3, "broker_session_timeout": "2s"})
}

fn remarks_on_reading(report: &Report) -> usize {
    report.remarks.iter().filter(|remark| remark.contains("billing") && remark.contains("checksum")).count()
}

#[test]
fn a_reader_stands_still_at_a_bad_batch() {
    let report = design("retry", one_partition(), json!({"offset": 500})).run();
    let owed = &report.ledger.obligations;
    assert!(owed.delivered <= 500 && owed.delivered > 400, "it goes no further: {owed:?}");
    assert_eq!(owed.delivered + owed.in_flight, EVENTS, "nothing is lost, nothing goes on");
    assert_eq!((figure(&report, "billing", "stuck_partitions"), figure(&report, "shop", "corrupt_batches")), (1.0, 1.0));
    assert!(figure(&report, "billing", "corrupt_batches_count") > 10.0, "it tries again and again");
    assert_eq!(remarks_on_reading(&report), 1, "{:?}", report.remarks);
}

#[test]
fn a_reader_that_skips_rejects_what_the_batch_held() {
    let report = design("skip", one_partition(), json!({"offset": 500})).run();
    let owed = &report.ledger.obligations;
    assert!(owed.rejected_at_consumer > 0 && owed.delivered + owed.rejected_at_consumer == EVENTS, "{owed:?}");
    let [reason] = report.ledger.reasons.as_slice() else { panic!("{:?}", report.ledger.reasons) };
    assert_eq!((reason.code.as_str(), reason.at.as_str(), reason.count), ("corrupt", "billing", owed.rejected_at_consumer));
    assert_eq!(reason.detail, "the checksum does not match");
    assert_eq!((figure(&report, "billing", "stuck_partitions"), remarks_on_reading(&report)), (0.0, 0));
}

#[test]
fn another_leader_has_a_good_copy() {
    let report = design("retry", three_copies(), json!({"offset": 500})).fault(20, "shop", "crash-node", json!({"node": 0})).run();
    assert!(figure(&report, "billing", "corrupt_batches_count") > 5.0, "the first leader's copy is bad");
    assert_eq!(report.ledger.obligations.delivered, EVENTS);
    assert_eq!((figure(&report, "billing", "stuck_partitions"), remarks_on_reading(&report)), (0.0, 0));
}

#[test]
fn a_bad_copy_at_a_follower_shows_when_it_leads() {
    let blight = json!({"offset": 500, "node": 1});
    let calm = design("retry", three_copies(), blight.clone()).run();
    assert_eq!(calm.ledger.obligations.delivered, EVENTS, "nobody reads it");
    let away = json!({"node": 0});
    let report = design("retry", three_copies(), blight).fault(4, "shop", "crash-node", away).run();
    assert!(report.ledger.obligations.delivered <= 500 && remarks_on_reading(&report) == 1, "{:?}", report.ledger.obligations);
}

#[test]
fn a_follower_does_not_get_past_a_bad_batch_of_its_leader() {
    let design = design("skip", three_copies(), json!({"offset": 500}));
    let report = design
        .fault(15, "shop", "crash-node", json!({"node": 1, "disk": "lost"}))
        .fault(25, "shop", "restart-node", json!({"node": 1}))
        .run();
    assert_eq!(figure(&report, "shop", "under_replicated_partitions"), 1.0, "it fetches the same bytes for ever");
}

#[test]
fn what_is_not_stored_cannot_go_bad() {
    let report = design("retry", one_partition(), json!({"topic": "dead"})).run();
    let refused: Vec<&str> = report.faults.iter().filter_map(|fault| fault.refused.as_deref()).collect();
    assert_eq!(refused, ["no such batch is stored there and sound"]);
}

#[test]
fn the_books_balance_whatever_goes_bad() {
    for seed in seeds().step_by(5) {
        let mut rng = Stream::new(seed, "corruption", "faults");
        let compression = ["none", "gzip", "lz4", "zstd"][rng.below(4) as usize];
        let commit = ["auto", "after", "before"][rng.below(3) as usize];
        let copies = 1 + 2 * rng.below(2);
        let web = json!({"load": "poisson(100/s)", "max_events": EVENTS, "compression": compression, "linger": "50ms"});
        let billing = json!({"offset_reset": "earliest", "on_corrupt": "skip", "service_time": "5ms", "instances": 2, "commit": commit,
            "session_timeout": "6s", "heartbeat_interval": "1s"});
        let cluster = json!({"brokers": 3, "replication": copies, "broker_session_timeout": "2s"});
        let mut design = Design::line(120, web, cluster, billing).with_latency("exp(1ms)");
        for _ in 0..1 + rng.below(20) {
            design = design.fault(1 + rng.below(20), "shop", "corrupt-batch", json!({}));
        }
        for _ in 0..rng.below(3) {
            let (at, node) = (3 + rng.below(20), rng.below(3));
            design = design.fault(at, "shop", "crash-node", json!({"node": node}));
            design = design.fault(at + 5, "shop", "restart-node", json!({"node": node}));
        }
        design = design.fault(4, "billing", "pause-group", json!({})).fault(12, "billing", "resume-group", json!({}));
        let report = design.run();
        let (terms, owed) = (&report.ledger.submissions, &report.ledger.obligations);
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- corruption::the_books\n{owed:#?}");
        assert_eq!((terms.in_flight, owed.in_flight), (0, 0), "{replay}");
        assert_eq!(owed.delivered + owed.rejected_at_consumer + owed.lost, owed.created, "{replay}");
    }
}
