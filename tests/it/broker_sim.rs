//! Randomised simulation of clusters whose nodes fail, in the manner of TigerBeetle's simulator: a seed draws a
//! workload, settings and faults; whatever happens must agree with what the settings promise.
//!
//! A failure prints its seed and the command that replays it. `EVENTYARD_SEED=17` runs one seed and
//! `EVENTYARD_SEEDS=50000` so many. Every run checks besides that the high watermark never goes back in an epoch and
//! that an epoch has one leader (assertions of the machine itself).

use eventyard::metrics::Report;
use eventyard::model::{FaultTarget, TimedFault};
use eventyard::random::Stream;
use eventyard::units::{SimDuration, SimTime};
use serde_json::{Value as Json, json};

use crate::design::{Design, values};

pub(crate) const NODES: u64 = 3;
const EVENTS: u64 = 400;
const FAULTS_BEGIN_MS: u64 = 5_000;
const FAULTS_END_MS: u64 = 60_000;
/// Long enough for every client to have its way after the last fault.
const LENGTH: SimDuration = SimDuration::from_secs(260);
const SEEDS: u64 = 300;

/// What a producer and its cluster are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    acks: &'static str,
    min_insync: u64,
    idempotence: bool,
    unclean: bool,
    /// How many nodes may be in trouble at once.
    troubled_max: usize,
    /// Whether a disk may be lost.
    disks_fail: bool,
    /// Whether operators add a broker and move replicas meanwhile.
    replicas_move: bool,
}

/// Nothing acknowledged is lost, nothing stands twice, keys keep their order.
pub(crate) const SAFE: Settings =
    Settings { acks: "all", min_insync: 2, idempotence: true, unclean: false, troubled_max: 1, disks_fail: true, replicas_move: false };

/// A span of trouble at one node: what begins it and what ends it.
pub(crate) fn trouble(rng: &mut Stream, settings: Settings, node: u64) -> ((&'static str, Json), Option<(&'static str, Json)>) {
    let named = json!({"node": node});
    let disk = if settings.disks_fail && rng.chance(0.2) { "lost" } else { "kept" };
    match rng.below(6) {
        0 | 1 => (("crash-node", json!({"node": node, "disk": disk, "silent": rng.chance(0.3)})), Some(("restart-node", named))),
        2 => (("shutdown-node", named.clone()), Some(("restart-node", named))),
        3 => (("pause-node", json!({"node": node, "for": format!("{}ms", 100 + rng.below(15_000))})), None),
        4 => (("isolate-node", named.clone()), Some(("rejoin-node", named))),
        _ => (("fill-disk", named.clone()), Some(("free-disk", named))),
    }
}

/// Spans of trouble that never touch more than `troubled_max` nodes at once, with rest in between so that the ISR is whole again.
fn faults(rng: &mut Stream, settings: Settings) -> Vec<TimedFault> {
    let mut list = Vec::new();
    for lane in 0..settings.troubled_max as u64 {
        let mut at_ms = FAULTS_BEGIN_MS + rng.below(10_000);
        while at_ms < FAULTS_END_MS {
            // Each lane has nodes of its own, so that two never trouble the same one.
            let own = NODES / settings.troubled_max as u64;
            let node = lane * own + rng.below(own);
            let (begin, end) = trouble(rng, settings, node);
            let until_ms = at_ms + 200 + rng.below(20_000);
            list.push(to_the_cluster(at_ms, begin));
            list.extend(end.map(|end| to_the_cluster(until_ms, end)));
            at_ms = until_ms + 20_000 + rng.below(10_000);
        }
    }
    list
}

fn to_the_cluster(at_ms: u64, (action, params): (&str, Json)) -> TimedFault {
    let at = SimTime::ZERO + SimDuration::from_ms(at_ms);
    TimedFault { at, target: FaultTarget::Component("shop".to_owned()), action: action.to_owned(), params: values(params) }
}

/// A fourth broker, and replicas that go to three of the four again and again.
fn operations(rng: &mut Stream) -> Vec<TimedFault> {
    let mut list = vec![to_the_cluster(2_000, ("add-broker", json!({})))];
    let mut at_ms = 3_000;
    while at_ms < FAULTS_END_MS + 30_000 {
        let without = rng.below(NODES + 1);
        let nodes: Vec<u64> = (0..=NODES).filter(|node| *node != without).collect();
        let mut plan = json!({"nodes": nodes});
        if rng.chance(0.3) {
            plan["throttle"] = json!("2KiB");
        }
        let operation = match rng.below(8) {
            0 => ("elect-preferred-leaders", json!({})),
            1 => ("quorum-loss", json!({"for": format!("{}ms", 100 + rng.below(5_000))})),
            _ => ("reassign", plan),
        };
        list.push(to_the_cluster(at_ms, operation));
        at_ms += 1_000 + rng.below(20_000);
    }
    list
}

fn run(seed: u64, settings: Settings) -> Report {
    let mut rng = Stream::new(seed, "broker-sim", "faults");
    let mut design = Design::new("broker-sim", seed, LENGTH);
    design.add(
        "web",
        "producer",
        json!({
            "load": format!("poisson({}/s)", 5 + rng.below(20)), "keys": "uniform(20)", "max_events": EVENTS,
            "acks": settings.acks, "idempotence": settings.idempotence, "linger": format!("{}ms", rng.below(30)),
            "batch_size": format!("{}B", 200 + rng.below(2_000)), "max_in_flight": 1 + rng.below(5),
            "request_timeout": "4s", "delivery_timeout": "150s",
        }),
    );
    design.add(
        "shop",
        "kafka",
        json!({
            "topics": {"orders": {"partitions": 1 + rng.below(4), "replication": 3}}, "brokers": NODES,
            "min_insync_replicas": settings.min_insync, "unclean_leader_election": settings.unclean, "replica_lag_max": "10s",
            "replication_latency": format!("exp({}ms)", 1 + rng.below(30)), "request_service_time": "exp(1ms)",
            "leader_imbalance_check": format!("{}s", 10 + rng.below(30)),
        }),
    );
    design.add(
        "billing",
        "consumer",
        json!({
            "instances": 1 + rng.below(2), "service_time": "exp(2ms)", "offset_reset": "earliest", "request_timeout": "5s",
            "session_timeout": "20s", "heartbeat_interval": "2s", "rebalance_timeout": "5s",
        }),
    );
    for (from, to) in [("web.out", "shop.orders"), ("shop.orders", "billing.in")] {
        design.link(from, to, json!({"latency": "exp(2ms)"}));
    }
    design.project.expect.push("guarantee(\"billing\", ordered_per_key)".to_owned());
    let mut timeline = faults(&mut rng, settings);
    if settings.replicas_move {
        timeline.extend(operations(&mut rng));
    }
    design.scenario.faults = timeline;
    design.run()
}

/// What a run may break, each with the words of its breach.
fn breaches(report: &Report) -> Vec<&'static str> {
    let ledger = &report.ledger;
    let checks = [
        (ledger.obligations.lost == 0 && ledger.lost.is_empty(), "an acknowledged event is lost"),
        (ledger.submissions.duplicate_appends == 0, "an event stands twice in the log"),
        (report.expectations.iter().all(|expectation| expectation.met), "a key's events are out of order"),
        (ledger.submissions.accepted == EVENTS, "an event was never accepted"),
        (ledger.obligations.delivered == EVENTS, "an event was never delivered"),
    ];
    checks.into_iter().filter(|(kept, _)| !kept).map(|(_, words)| words).collect()
}

pub(crate) fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a seed is a whole number"));
    match number("EVENTYARD_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("EVENTYARD_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn safe_settings_keep_every_promise_whatever_one_node_does() {
    for seed in seeds() {
        let report = run(seed, SAFE);
        let broken = breaches(&report);
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- broker_sim::safe");
        assert!(report.ledger.balanced && broken.is_empty(), "seed {seed}: {broken:?}; {replay}\n{:#?}", report.ledger);
    }
}

#[test]
fn replicas_that_move_lose_nothing_whatever_one_node_does() {
    let mut moved = 0.0;
    for seed in seeds() {
        let report = run(seed, Settings { replicas_move: true, ..SAFE });
        let broken = breaches(&report);
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- broker_sim::replicas");
        assert!(report.ledger.balanced && broken.is_empty(), "seed {seed}: {broken:?}; {replay}\n{:#?}", report.ledger);
        moved += report.components["shop"]["reassigned_partitions_count"];
    }
    assert!(moved > 100.0 || std::env::var_os("EVENTYARD_SEED").is_some(), "{moved} partitions moved");
}

#[test]
fn the_ledger_balances_whatever_the_settings() {
    for seed in seeds() {
        let mut rng = Stream::new(seed, "broker-sim", "settings");
        let acks = ["0", "1", "all"][rng.below(3) as usize];
        let settings = Settings {
            acks,
            min_insync: 1 + rng.below(2),
            idempotence: acks == "all" && rng.chance(0.5),
            unclean: rng.chance(0.5),
            troubled_max: 1 + rng.below(3) as usize,
            disks_fail: rng.chance(0.5),
            replicas_move: rng.chance(0.3),
        };
        let report = run(seed, settings);
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- broker_sim::the_ledger");
        assert!(report.ledger.balanced, "seed {seed}, {settings:?}; {replay}\n{:#?}", report.ledger);
    }
}

/// The same faults break each promise once its setting is taken away: the checks can fail.
#[test]
fn each_promise_breaks_without_its_setting() {
    let unsafe_settings = [
        ("an acknowledged event is lost", Settings { acks: "1", idempotence: false, ..SAFE }),
        ("an acknowledged event is lost", Settings { acks: "0", idempotence: false, ..SAFE }),
        ("an acknowledged event is lost", Settings { min_insync: 1, troubled_max: 3, unclean: true, ..SAFE }),
        ("an event stands twice in the log", Settings { idempotence: false, ..SAFE }),
        ("a key's events are out of order", Settings { idempotence: false, ..SAFE }),
        ("an event was never accepted", Settings { acks: "0", idempotence: false, ..SAFE }),
    ];
    for (promise, settings) in unsafe_settings {
        let broken = seeds().find(|seed| {
            let report = run(*seed, settings);
            assert!(report.ledger.balanced, "seed {seed}, {settings:?}\n{:#?}", report.ledger);
            breaches(&report).contains(&promise)
        });
        println!("{settings:?}: {promise} at seed {broken:?}");
        assert!(broken.is_some() || std::env::var_os("EVENTYARD_SEED").is_some(), "no seed shows that `{promise}` can fail: {settings:?}");
    }
}
