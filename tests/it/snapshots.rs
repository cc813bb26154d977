//! Readers that come late: what they read is backfill; a topic read as a table, whole or compacted, gives the same one.

use eventyard::compile::check;
use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::broker_sim::seeds;
use crate::clients::figure;
use crate::design::Design;

const EVENTS: u64 = 2_000;

fn producer() -> Json {
    json!({"load": "constant(100/s)", "max_events": EVENTS, "keys": "zipf(40, 1.1)", "tombstone_ratio": "10%"})
}

/// A cluster that cleans often, or keeps everything.
fn cluster(cleanup: &str) -> Json {
    json!({"cleanup_policy": cleanup, "segment_size": "4KiB", "min_dirty_ratio": "1%", "cleaner_backoff": "1s", "tombstone_time": "2s"})
}

/// A reader of the table who comes at 30 s, ten seconds after the last event.
fn late_table(seed: u64, cleanup: &str) -> Report {
    let reader = json!({"read": "snapshot", "instances": 0, "service_time": "100us"});
    let mut design = Design::line(60, producer(), cluster(cleanup), reader);
    design.project.seed = seed;
    design.fault(30, "billing", "start-instance", json!({})).run()
}

fn table(report: &Report) -> [f64; 3] {
    ["table_keys", "table_bytes", "table_crc32c"].map(|name| figure(report, "billing", name))
}

#[test]
fn the_table_of_a_compacted_topic_is_that_of_the_whole_one() {
    let mut tables = Vec::new();
    for seed in seeds().step_by(20) {
        let (thin, whole) = (late_table(seed, "compact"), late_table(seed, "delete"));
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- snapshots::the_table");
        assert_eq!(table(&thin), table(&whole), "{replay}");
        let compacted = figure(&thin, "shop", "compacted_count[orders]");
        assert!(compacted > 500.0, "the cleaner had something to do: {compacted}; {replay}");
        let (quick, slow) = (figure(&thin, "billing", "snapshot_s"), figure(&whole, "billing", "snapshot_s"));
        assert!(quick < slow, "there is less to read: {quick} s, {slow} s; {replay}");
        tables.push(table(&thin));
    }
    // The comparison can fail: other events, another table.
    assert!(tables.len() < 2 || tables[0] != tables[1], "{tables:?}");
}

#[test]
fn what_a_late_reader_finds_is_backfill_and_no_news() {
    let reader = json!({"instances": 0, "offset_reset": "earliest", "service_time": "100us"});
    let steady = json!({"load": "constant(100/s)"});
    let report = Design::line(60, steady, json!({}), reader).fault(30, "billing", "start-instance", json!({})).run();
    let owed = &report.ledger.obligations;
    assert!((2_990..=3_010).contains(&owed.backfilled), "{owed:?}");
    assert!(owed.delivered > 5_900 && owed.duplicate_deliveries == 0, "{owed:?}");
    let (slowest, rate) = (report.totals["latency_ms_max"], report.totals["delivered_per_s"]);
    assert!(slowest < 5_000.0 && rate < 60.0, "only what came since the reader counts: {slowest} ms, {rate}/s");
    // A group that begins with the run has no backfill.
    let prompt = json!({"offset_reset": "earliest", "service_time": "100us"});
    let report = Design::line(20, json!({"load": "constant(100/s)"}), json!({"initial_rebalance_delay": "3s"}), prompt).run();
    assert_eq!(report.ledger.obligations.backfilled, 0);
}

#[test]
fn a_table_that_is_read_anew_repeats_nothing_by_mistake() {
    let reader = json!({"read": "snapshot", "service_time": "100us"});
    let design = Design::line(60, producer(), cluster("delete"), reader).fault(30, "billing", "crash-instance", json!({}));
    let report = design.fault(40, "billing", "start-instance", json!({})).run();
    let owed = &report.ledger.obligations;
    assert_eq!((owed.delivered, owed.replayed, owed.duplicate_deliveries), (EVENTS, EVENTS, 0), "{owed:?}");
    assert_eq!(table(&report), table(&late_table(7, "delete")), "it is the same table");
    assert!(report.anomalies.is_empty(), "{:?}", report.anomalies);
}

#[test]
fn a_table_grows_with_its_topic() {
    let reader = json!({"read": "snapshot", "service_time": "100us", "metadata_max_age": "2s"});
    let of_producer = json!({"load": "constant(100/s)", "max_events": EVENTS, "keys": "uniform(100)", "metadata_max_age": "2s"});
    let design = Design::line(60, of_producer, json!({"partitions": 2}), reader);
    let report = design.fault(5, "shop", "add-partitions", json!({"topic": "orders", "to": 6})).run();
    assert_eq!((report.ledger.obligations.delivered, figure(&report, "billing", "table_keys")), (EVENTS, 100.0));
}

#[test]
fn a_reader_of_a_table_survives_its_leaders() {
    let reader = json!({"read": "snapshot", "service_time": "100us"});
    let three = json!({"brokers": 3, "replication": 3, "broker_session_timeout": "2s", "min_insync_replicas": 2});
    let mut design = Design::line(90, producer(), three, reader);
    for (at, node) in [(4, 0), (12, 1), (20, 2)] {
        design = design.fault(at, "shop", "crash-node", json!({"node": node}));
        design = design.fault(at + 5, "shop", "restart-node", json!({"node": node}));
    }
    let report = design.run();
    let owed = &report.ledger.obligations;
    assert_eq!((owed.delivered, owed.replayed, owed.duplicate_deliveries, owed.in_flight), (EVENTS, 0, 0, 0), "{owed:?}");
}

#[test]
fn the_check_knows_what_a_table_is_not() {
    let codes = |reader: Json| {
        let problems = check(&Design::line(10, producer(), json!({}), reader).project);
        let found = problems.into_iter().filter(|one| one.path.starts_with("components.billing"));
        found.map(|one| (one.code, one.path)).collect::<Vec<_>>()
    };
    assert_eq!(codes(json!({"read": "snapshot"})), []);
    let contradiction = |field: &str| vec![("setting-contradiction".to_owned(), format!("components.billing.{field}"))];
    assert_eq!(codes(json!({"read": "snapshot", "instances": 2})), contradiction("instances"));
    assert_eq!(codes(json!({"read": "snapshot", "concurrency": 4})), contradiction("concurrency"));
    let unused = vec![("setting-unused".to_owned(), "components.billing.commit".to_owned())];
    assert_eq!(codes(json!({"read": "snapshot", "commit": "after"})), unused);
}
