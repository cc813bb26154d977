//! Groups of the consumer protocol (KIP-848) in whole designs: what can be done to them, what rebalances cost, what is checked.

use eventyard::compile::check;
use eventyard::metrics::Report;
use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::{Design, values};

/// Members that beat every second over a session of six.
fn design(seconds: u64, events: u64, consumer: Json) -> Design {
    let shop = json!({"consumer_session_timeout": "6s", "consumer_heartbeat_interval": "1s", "initial_rebalance_delay": "3s"});
    let mut params = json!({"group_protocol": "consumer", "offset_reset": "earliest", "service_time": "constant(5ms)"});
    for (name, value) in consumer.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    Design::line(seconds, json!({"load": "constant(100/s)", "max_events": events}), shop, params)
}

/// Delivered, delivered again, lost; everything has ended.
fn ends(report: &Report) -> (u64, u64, u64) {
    let ends = &report.ledger.obligations;
    assert_eq!(ends.in_flight, 0, "{:?}", report.ledger);
    (ends.delivered, ends.duplicate_deliveries, ends.lost)
}

#[test]
fn a_group_begins_without_a_delay_and_instances_come_and_go() {
    let quiet = design(30, 1_000, json!({})).run();
    assert_eq!(ends(&quiet), (1_000, 0, 0));
    assert!(figure(&quiet, "billing", "latency_ms_max") < 1_000.0, "nobody waits three seconds for more members");
    let many = design(60, 3_000, json!({"instances": 3}))
        .fault(8, "billing", "stop-instance", json!({"instance": 2}))
        .fault(14, "billing", "start-instance", json!({"instance": 2}))
        .fault(20, "billing", "start-instance", json!({}));
    let report = many.run();
    assert_eq!(ends(&report), (3_000, 0, 0), "what goes is finished and committed first");
    assert!(figure(&report, "billing", "moved_partitions_count") >= 2.0);
}

#[test]
fn a_crash_and_a_long_pause_cost_an_instance_its_partitions_after_its_session() {
    let two = json!({"instances": 2});
    let crashed = design(60, 2_000, two.clone()).fault(6, "billing", "crash-instance", json!({"instance": 1})).run();
    let (delivered, again, lost) = ends(&crashed);
    assert_eq!((delivered, lost), (2_000, 0));
    assert!(again > 0, "what it had not committed was read by the other");
    let pause = |seconds: u64| {
        let span = json!({"instance": 1, "for": format!("{seconds}s")});
        design(60, 2_000, two.clone()).fault(6, "billing", "pause-instance", span).run()
    };
    assert_eq!(ends(&pause(3)), (2_000, 0, 0), "a pause within the session goes unnoticed");
    let (delivered, again, lost) = ends(&pause(12));
    assert_eq!((delivered, lost), (2_000, 0));
    assert!(again > 0, "it is fenced, and does not know until it asks");
}

#[test]
fn an_instance_whose_poll_is_late_leaves_and_comes_back() {
    let slow = json!({"instances": 2, "rebalance_timeout": "4s", "poll_size": 100, "commit": "after"});
    let slow = design(120, 2_000, slow).fault(5, "billing", "slow-instance", json!({"instance": 1, "factor": 20})).fault(
        30,
        "billing",
        "slow-instance",
        json!({"instance": 1, "factor": 1}),
    );
    let report = slow.run();
    assert_eq!((ends(&report).0, ends(&report).2), (2_000, 0));
    assert!(figure(&report, "billing", "missed_polls_count") >= 1.0);
}

#[test]
fn positions_are_reset_and_the_group_is_paused_as_ever() {
    let run = |to: &str| ends(&design(60, 1_000, json!({"instances": 2})).fault(20, "billing", "reset-offsets", json!({"to": to})).run());
    assert_eq!(run("earliest"), (1_000, 1_000, 0));
    assert_eq!(run("latest"), (1_000, 0, 0));
    let paused = design(60, 1_000, json!({"instances": 2}))
        .fault(5, "billing", "pause-group", json!({}))
        .fault(25, "billing", "resume-group", json!({}))
        .run();
    assert_eq!(ends(&paused), (1_000, 0, 0));
    assert_eq!(figure(&paused, "shop", "rebalances_count[billing]"), 2.0, "one for each member that came; nobody left");
}

#[test]
fn new_partitions_are_read_after_a_heartbeat_whatever_the_age_of_metadata() {
    let web = json!({"load": "constant(100/s)", "max_events": 3_000, "metadata_max_age": "5s", "keys": "uniform(100)"});
    let shop = json!({"consumer_heartbeat_interval": "1s"});
    let consumer = json!({"group_protocol": "consumer", "offset_reset": "earliest", "service_time": "constant(1ms)", "instances": 2});
    let grown = Design::line(60, web, shop, consumer).fault(10, "shop", "add-partitions", json!({"topic": "orders", "to": 12}));
    let report = grown.run();
    assert_eq!(ends(&report), (3_000, 0, 0));
    assert_eq!(figure(&report, "billing", "assigned_partitions"), 12.0);
}

#[test]
fn a_static_instance_that_stops_is_back_without_a_rebalance() {
    let run = |faults: &[(u64, &str)]| {
        let design = design(60, 3_000, json!({"instances": 3, "static_members": true}));
        let act = |design: Design, (at, action): &(u64, &str)| design.fault(*at, "billing", action, json!({"instance": 1}));
        faults.iter().fold(design, act).run()
    };
    let quiet = run(&[]);
    let back = run(&[(10, "stop-instance"), (13, "start-instance")]);
    assert_eq!((ends(&back), ends(&quiet)), ((3_000, 0, 0), (3_000, 0, 0)));
    let dealt = |report: &Report| figure(report, "shop", "rebalances_count[billing]");
    assert_eq!(dealt(&back), dealt(&quiet));
    let crashed = run(&[(10, "crash-instance"), (11, "start-instance")]);
    assert_eq!(ends(&crashed).0, 3_000);
    assert_eq!(dealt(&crashed), dealt(&quiet) + 2.0, "its name is taken until its session ends");
}

#[test]
fn the_coordinators_crash_moves_the_group_and_loses_nothing() {
    let shop = json!({
        "brokers": 3, "replication": 3, "min_insync_replicas": 2, "consumer_session_timeout": "20s", "consumer_heartbeat_interval": "1s",
    });
    let consumer = json!({
        "group_protocol": "consumer", "offset_reset": "earliest", "service_time": "constant(1ms)", "instances": 2, "commit": "after",
        "request_timeout": "4s",
    });
    for silent in [false, true] {
        let design = Design::line(90, json!({"load": "constant(100/s)", "max_events": 2_000}), shop.clone(), consumer.clone());
        let report = design
            .fault(8, "shop", "crash-node", json!({"node": 0, "silent": silent}))
            .fault(40, "shop", "restart-node", json!({"node": 0}))
            .run();
        assert_eq!((ends(&report).0, ends(&report).2), (2_000, 0), "silent: {silent}");
        assert_eq!(figure(&report, "shop", "rebalances_count[billing]"), 2.0, "nobody's session ended");
    }
}

#[test]
fn a_group_changes_its_protocol_while_it_is_empty_and_keeps_its_positions() {
    let shop = json!({"consumer_session_timeout": "6s", "consumer_heartbeat_interval": "1s"});
    let old = json!({"offset_reset": "earliest", "service_time": "constant(1ms)", "group": "billing"});
    let mut design = Design::line(60, json!({"load": "constant(100/s)", "max_events": 3_000}), shop, old);
    design.add(
        "successor",
        "consumer",
        json!({
            "group": "billing", "group_protocol": "consumer", "offset_reset": "earliest", "service_time": "constant(1ms)", "instances": 0,
        }),
    );
    design.link("shop.orders", "successor.in", json!({}));
    // It comes too early, is refused, and is started again by whoever runs it.
    let report = design.fault(5, "successor", "start-instance", json!({})).fault(8, "billing", "stop-instance", json!({})).run();
    let ledger = &report.ledger.obligations;
    assert_eq!((ledger.delivered, ledger.duplicate_deliveries, ledger.lost), (3_000, 0, 0), "{:?}", report.ledger);
    assert!(figure(&report, "successor", "processed_count") > 1_000.0);
}

#[test]
fn settings_of_the_other_protocol_are_refused_with_their_new_home() {
    let problems = |consumer: Json, shop: Json, profile: Option<&str>| {
        let mut design = Design::line(60, json!({}), shop, consumer);
        design.project.components["billing"].profile = profile.map(str::to_owned);
        let found = check(&design.project)
            .into_iter()
            .filter(|one| one.path.starts_with("components.billing") || one.path.starts_with("components.shop"));
        found.map(|one| format!("{} {}", one.code, one.path.trim_start_matches("components."))).collect::<Vec<_>>()
    };
    let none = Vec::<String>::new();
    assert_eq!(problems(json!({"group_protocol": "consumer", "remote_assignor": "range"}), json!({}), None), none);
    for name in ["session_timeout", "heartbeat_interval"] {
        let expected = format!("setting-contradiction billing.{name}");
        assert_eq!(problems(json!({"group_protocol": "consumer", name: "7s"}), json!({}), None), [expected]);
    }
    let assignor = problems(json!({"group_protocol": "consumer", "assignor": ["range"]}), json!({}), None);
    assert_eq!(assignor, ["setting-contradiction billing.assignor"]);
    assert_eq!(problems(json!({"remote_assignor": "range"}), json!({}), None), ["setting-contradiction billing.remote_assignor"]);
    let missing =
        problems(json!({"group_protocol": "consumer", "remote_assignor": "range"}), json!({"consumer_assignors": ["uniform"]}), None);
    assert_eq!(missing, ["assignor-unsupported billing.remote_assignor"]);
    assert_eq!(problems(json!({}), json!({"consumer_assignors": ["sticky"]}), None), ["param-choice shop.consumer_assignors"]);
    let contradiction = problems(json!({}), json!({"consumer_heartbeat_interval": "45s"}), None);
    assert_eq!(contradiction, ["setting-contradiction shop.consumer_heartbeat_interval"]);
    let preview = problems(json!({"group_protocol": "consumer"}), json!({}), Some("kafka-3.9"));
    assert_eq!(preview, ["preview-feature billing.group_protocol"]);
    assert_eq!(problems(json!({}), json!({}), Some("kafka-3.9")), none);
}

#[test]
fn a_group_of_two_protocols_is_warned_of() {
    let mut design = Design::line(60, json!({}), json!({}), json!({}));
    let twin = json!({"group": "billing", "group_protocol": "consumer"});
    design.add("twin", "consumer", twin);
    design.link("shop.orders", "twin.in", json!({}));
    let codes = |design: &Design| check(&design.project).into_iter().map(|one| one.code).filter(|code| code == "group-protocols").count();
    assert_eq!(codes(&design), 1);
    design.project.components["twin"].params.extend(values(json!({"instances": 0})));
    assert_eq!(codes(&design), 0, "it may come later");
}
