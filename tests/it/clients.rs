//! Producers and consumers against the real broker and registry: nothing is lost that should not be, whatever
//! the links and instances do.

use eventyard::compile::check;
use eventyard::metrics::Report;
use eventyard::model::SchemaSource;
use eventyard::units::SimDuration;
use serde_json::{Value as Json, json};

use crate::design::{Design, values};

const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}"#;

/// Of a cluster's settings, those that the topic `orders` gets.
const OF_TOPICS: [&str; 11] = [
    "max_message_size",
    "partitions",
    "replication",
    "cleanup_policy",
    "retention_time",
    "segment_size",
    "timestamp_type",
    "timestamp_before_max",
    "timestamp_after_max",
    "min_dirty_ratio",
    "tombstone_time",
];

impl Design {
    /// A producer, a cluster with the topics `orders` and `dead`, and a group that reads `orders`, linked without delay.
    pub(crate) fn line(seconds: u64, producer: Json, cluster: Json, consumer: Json) -> Self {
        let mut topics = json!({"orders": {"partitions": 4, "replication": 1}, "dead": {"partitions": 2, "replication": 1}});
        let mut shop = json!({"brokers": 1, "initial_rebalance_delay": "0s", "request_service_time": "0s", "byte_service_time": "0s"});
        for (key, value) in cluster.as_object().expect("a group of fields") {
            if OF_TOPICS.contains(&key.as_str()) {
                topics["orders"][key] = value.clone();
            } else {
                shop[key] = value.clone();
            }
        }
        shop["topics"] = topics;
        let mut design = Self::new("clients", 7, SimDuration::from_secs(seconds));
        design.add("web", "producer", producer);
        design.add("shop", "kafka", shop);
        design.add("billing", "consumer", consumer);
        design.link("web.out", "shop.orders", json!({"latency": "0s"}));
        design.link("shop.orders", "billing.in", json!({"latency": "0s"}));
        design
    }
    /// All links take so long.
    pub(crate) fn with_latency(mut self, latency: &str) -> Self {
        for link in &mut self.project.links {
            link.params = values(json!({"latency": latency}));
        }
        self
    }
    fn with_registry(mut self) -> Self {
        let schema = SchemaSource { path: None, text: SCHEMA.into() };
        self.project.schemas.insert("order".to_owned(), schema);
        self.add("registry", "registry", json!({"subjects": {"orders-value": {"versions": ["order"]}}}));
        self.link("web.schemas", "registry.in", json!({}));
        self.link("billing.schemas", "registry.in", json!({}));
        self
    }
    pub(crate) fn with_dead_letters(mut self) -> Self {
        self.link("billing.dead_letters", "shop.dead", json!({}));
        self
    }
}

pub(crate) fn figure(report: &Report, component: &str, name: &str) -> f64 {
    *report.components[component].get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", report.components[component]))
}

/// Whether each key's events were processed in order, and what the expectation on the wait was judged by.
fn order_and_wait(concurrency: u32) -> (bool, String) {
    let producer = json!({"load": "poisson(300/s)", "keys": "uniform(5)", "max_events": 3000});
    let consumer = json!({"service_time": "exp(3ms)", "concurrency": concurrency, "offset_reset": "earliest"});
    let mut design = Design::line(30, producer, json!({"partitions": 1}), consumer);
    design.project.expect = vec!["guarantee(\"billing\", ordered_per_key)".to_owned(), "p99(wait, \"billing\") < 10s".to_owned()];
    let report = design.run();
    let [order, wait] = report.expectations.as_slice() else { panic!("{:?}", report.expectations) };
    assert!(wait.met, "{wait:?}");
    (order.met, wait.figure.clone())
}

#[test]
fn the_order_of_keys_and_the_wait_are_judged_by_what_ran() {
    let (in_order, alone) = order_and_wait(1);
    let (still_in_order, among_four) = order_and_wait(4);
    assert!(in_order, "one worker takes a partition's records one after another");
    assert!(!still_in_order, "four workers overtake each other");
    let span = |figure: &str| figure.parse::<SimDuration>().unwrap_or_else(|error| panic!("{figure}: {error}"));
    assert!(span(&alone) > span(&among_four), "one worker at utilisation 0.9 lets events wait: {alone} against {among_four}");
}

#[test]
fn every_event_is_delivered_once() {
    let producer = json!({"load": "constant(500/s)", "keys": "uniform(50)", "max_events": 2000});
    let consumer = json!({"instances": 2, "service_time": "exp(1ms)", "offset_reset": "earliest"});
    let report = Design::line(10, producer, json!({}), consumer).run();
    assert_eq!((report.ledger.submissions.created, report.ledger.submissions.accepted), (2000, 2000));
    assert_eq!((report.ledger.obligations.created, report.ledger.obligations.delivered), (2000, 2000));
    assert_eq!(report.ledger.obligations.duplicate_deliveries, 0);
    assert_eq!(figure(&report, "billing", "processed_count"), 2000.0);
    assert_eq!(figure(&report, "web", "accepted_count"), 2000.0);
}

#[test]
fn lossy_links_delay_but_lose_nothing() {
    let producer = json!({"load": "poisson(300/s)", "max_events": 1500, "request_timeout": "200ms", "delivery_timeout": "60s"});
    let consumer = json!({
        "instances": 2, "service_time": "1ms", "offset_reset": "earliest", "request_timeout": "300ms",
        "fetch_max_wait": "100ms", "session_timeout": "6s", "heartbeat_interval": "1s", "rebalance_timeout": "2s",
    });
    let mut design = Design::line(60, producer, json!({}), consumer);
    for link in &mut design.project.links {
        link.params = values(json!({"latency": "exp(5ms)", "loss": "5%"}));
    }
    let report = design.run();
    assert_eq!(report.ledger.submissions.accepted, 1500);
    assert_eq!(report.ledger.submissions.duplicate_appends, 0, "an idempotent producer's retries are recognised");
    assert_eq!(report.ledger.obligations.delivered, 1500);
    assert!(figure(&report, "web", "retried_count") > 0.0);
}

#[test]
fn one_worker_waits_as_long_as_theory_says() {
    let producer = json!({"load": "poisson(100/s)", "linger": "0s"});
    let consumer = json!({"service_time": "exp(8ms)", "offset_reset": "earliest"});
    let report = Design::line(1000, producer, json!({"partitions": 1}), consumer).run();
    let created = report.ledger.obligations.created as f64;
    // The queue of M/M/1: ρ / (μ − λ) = 0.8 / 25 s; the standard error at this length is about 4 %.
    let wait_s = figure(&report, "billing", "waited_s") / created;
    assert!((wait_s / 0.032 - 1.0).abs() < 0.15, "mean wait {wait_s} s");
}

#[test]
fn several_workers_share_one_queue() {
    let producer = json!({"load": "poisson(300/s)", "linger": "0s"});
    let consumer = json!({"service_time": "exp(8ms)", "concurrency": 3, "offset_reset": "earliest", "poll_size": 1});
    let report = Design::line(500, producer, json!({"partitions": 1}), consumer).run();
    let created = report.ledger.obligations.created as f64;
    // Erlang C for 3 servers at a = 2.4: the share that waits is 0.6472, each on average 1 / (375 − 300) s.
    let wait_s = figure(&report, "billing", "waited_s") / created;
    assert!((wait_s / (0.6472 / 75.0) - 1.0).abs() < 0.15, "mean wait {wait_s} s");
}

#[test]
fn failures_are_retried_then_dead_lettered() {
    let producer = json!({"load": "constant(100/s)", "max_events": 1000});
    let consumer = json!({
        "service_time": "1ms", "failure_ratio": "50%", "max_attempts": 2, "retry_backoff": "2ms", "offset_reset": "earliest",
    });
    let report = Design::line(30, producer, json!({}), consumer).with_dead_letters().run();
    let obligations = &report.ledger.obligations;
    assert_eq!(obligations.delivered + obligations.dead_lettered, 1000);
    assert!((200..300).contains(&obligations.dead_lettered), "{obligations:?}");
    assert!(figure(&report, "billing", "retried_count") > 400.0);
}

#[test]
fn an_invalid_event_is_rejected_where_it_is_checked() {
    let consumer = || json!({"service_time": "1ms", "offset_reset": "earliest"});
    let producer = |validate: bool| {
        json!({
            "load": "constant(200/s)", "max_events": 1000, "invalid_ratio": "10%", "validate": validate,
            "events": [{"type": "OrderPlaced", "schema": "orders-value", "topic": "orders"}],
        })
    };
    let late = Design::line(20, producer(false), json!({}), consumer()).with_registry().run();
    assert_eq!(late.ledger.submissions.accepted, 1000);
    let rejected = late.ledger.obligations.rejected_at_consumer;
    assert!((60..150).contains(&rejected), "{rejected}");
    assert_eq!(late.ledger.obligations.delivered, 1000 - rejected);
    let early = Design::line(20, producer(true), json!({}), consumer()).with_registry().run();
    assert_eq!((early.ledger.submissions.rejected, early.ledger.obligations.delivered), (rejected, 1000 - rejected));
}

#[test]
fn a_crash_repeats_or_loses_by_the_commit() {
    let run = |commit: &str| {
        let producer = json!({"load": "poisson(200/s)", "max_events": 2000});
        let consumer = json!({
            "instances": 2, "service_time": "exp(8ms)", "commit": commit, "offset_reset": "earliest",
            "session_timeout": "6s", "heartbeat_interval": "1s", "rebalance_timeout": "3s",
        });
        let design = Design::line(60, producer, json!({}), consumer);
        design.fault(5, "billing", "crash-instance", json!({})).fault(20, "billing", "start-instance", json!({})).run()
    };
    let auto = run("auto").ledger.obligations;
    assert_eq!((auto.delivered, auto.lost), (2000, 0));
    assert!(auto.duplicate_deliveries > 0, "{auto:?}");
    let after = run("after").ledger.obligations;
    assert_eq!((after.delivered, after.lost), (2000, 0));
    assert!(after.duplicate_deliveries < auto.duplicate_deliveries, "{after:?} {auto:?}");
    let before = run("before").ledger.obligations;
    assert_eq!((before.delivered + before.lost, before.duplicate_deliveries), (2000, 0), "{before:?}");
    assert!(before.lost > 0);
}

#[test]
fn what_was_committed_unseen_before_a_crash_is_named_lost() {
    let producer = json!({"load": "constant(200/s)", "max_events": 2000});
    let consumer = json!({
        "instances": 2, "service_time": "1ms", "commit": "before", "offset_reset": "earliest",
        "session_timeout": "6s", "heartbeat_interval": "1s", "rebalance_timeout": "3s",
    });
    let mut design = Design::line(60, producer, json!({}), consumer);
    // A commit's answer takes 200 ms, work next to nothing: an instance mostly waits.
    design.project.links[1].params = values(json!({"latency": "100ms"}));
    let report = design.fault(5, "billing", "crash-instance", json!({})).run();
    let obligations = &report.ledger.obligations;
    assert_eq!((obligations.delivered + obligations.lost, obligations.duplicate_deliveries), (2000, 0), "{obligations:?}");
    let unseen = report.ledger.reasons.iter().find(|reason| reason.code == "commit-unseen");
    assert_eq!(unseen.map(|reason| reason.count), Some(obligations.lost), "{:?}", report.ledger.reasons);
    assert!(obligations.lost > 0);
}

#[test]
fn leaving_in_order_repeats_nothing() {
    let producer = json!({"load": "poisson(200/s)", "max_events": 2000});
    let consumer = json!({
        "instances": 3, "service_time": "exp(8ms)", "offset_reset": "earliest", "rebalance_timeout": "3s",
        "heartbeat_interval": "500ms", "session_timeout": "6s",
    });
    let design = Design::line(60, producer, json!({}), consumer);
    let design = design.fault(3, "billing", "stop-instance", json!({})).fault(6, "billing", "stop-instance", json!({"instance": 1}));
    let report = design.fault(9, "billing", "start-instance", json!({})).run();
    let obligations = &report.ledger.obligations;
    assert_eq!((obligations.delivered, obligations.duplicate_deliveries), (2000, 0), "{obligations:?}");
    assert!(figure(&report, "billing", "rebalances_count") >= 3.0);
}

#[test]
fn a_cooperative_group_rebalances_without_repeating_anything() {
    for commit in ["auto", "after", "before"] {
        let consumer = json!({"assignor": "cooperative-sticky", "commit": commit, "instances": 2, "offset_reset": "earliest",
            "heartbeat_interval": "200ms", "service_time": "constant(2ms)"});
        let producer = json!({"load": "constant(200/s)", "max_events": 4_000});
        let design = Design::line(30, producer, json!({}), consumer).fault(5, "billing", "start-instance", json!({}));
        let report = design.fault(10, "billing", "stop-instance", json!({"instance": 1})).run();
        let obligations = &report.ledger.obligations;
        let ends = (obligations.created, obligations.delivered, obligations.duplicate_deliveries, obligations.lost);
        assert_eq!(ends, (4_000, 4_000, 0, 0), "{commit}: {obligations:?}");
        assert!(figure(&report, "billing", "rebalances_count") >= 3.0);
    }
}

/// Three instances read many partitions and are long at each event; one more comes, one goes.
fn scale_out_and_in(assignor: &str) -> Report {
    let consumer = json!({"assignor": assignor, "instances": 3, "offset_reset": "earliest", "heartbeat_interval": "500ms",
        "service_time": "uniform(100ms, 900ms)"});
    let producer = json!({"load": "constant(4/s)", "max_events": 120});
    let design = Design::line(60, producer, json!({"partitions": 24}), consumer).fault(10, "billing", "start-instance", json!({}));
    design.fault(20, "billing", "stop-instance", json!({"instance": 1})).run()
}

#[test]
fn a_cooperative_group_pauses_less_than_an_eager_one() {
    let (eager, cooperative) = (scale_out_and_in("range"), scale_out_and_in("cooperative-sticky"));
    let paused = |report: &Report| figure(report, "billing", "paused_partition_s");
    assert!(paused(&eager) > 1.5 * paused(&cooperative), "{} against {}", paused(&eager), paused(&cooperative));
    let moved = |report: &Report| figure(report, "billing", "moved_partitions_count");
    assert!(moved(&eager) > moved(&cooperative), "{} against {}", moved(&eager), moved(&cooperative));
    assert_eq!((eager.ledger.obligations.delivered, cooperative.ledger.obligations.delivered), (120, 120));
}

#[test]
fn static_members_restart_without_a_rebalance() {
    let run = |static_members: bool| {
        let consumer = json!({"static_members": static_members, "instances": 3, "offset_reset": "earliest",
            "session_timeout": "6s", "heartbeat_interval": "1s", "service_time": "constant(2ms)"});
        let producer = json!({"load": "constant(200/s)", "max_events": 5_000});
        let mut design = Design::line(40, producer, json!({}), consumer);
        design.project.expect = vec!["rebalances(\"billing\") == 2".to_owned(), "paused(\"billing\") < 10s".to_owned()];
        let design = design.fault(10, "billing", "stop-instance", json!({"instance": 1}));
        let design = design.fault(12, "billing", "start-instance", json!({"instance": 1}));
        let design = design.fault(20, "billing", "crash-instance", json!({"instance": 2}));
        design.fault(23, "billing", "start-instance", json!({"instance": 2})).run()
    };
    let (fixed, dynamic) = (run(true), run(false));
    assert!(fixed.expectations.iter().all(|expectation| expectation.met), "{:?}", fixed.expectations);
    assert!(!dynamic.expectations[0].met, "{:?}", dynamic.expectations);
    assert_eq!((fixed.ledger.obligations.delivered, fixed.ledger.obligations.lost), (5_000, 0));
}

#[test]
fn who_polls_too_late_is_out_and_works_in_vain() {
    let run = |poll_size: u32| {
        let consumer = json!({"instances": 2, "offset_reset": "earliest", "heartbeat_interval": "500ms", "session_timeout": "6s",
            "rebalance_timeout": "3s", "service_time": "constant(50ms)", "poll_size": poll_size});
        // More than two instances can do: polls become as large as they may.
        let producer = json!({"load": "constant(100/s)", "max_events": 600});
        Design::line(120, producer, json!({}), consumer).run()
    };
    let (patient, hasty) = (run(500), run(20));
    assert!(figure(&patient, "billing", "missed_polls_count") > 0.0);
    assert!(patient.ledger.obligations.duplicate_deliveries > 0, "{:?}", patient.ledger.obligations);
    assert_eq!(patient.ledger.obligations.lost, 0);
    assert_eq!(figure(&hasty, "billing", "missed_polls_count"), 0.0);
    assert_eq!((hasty.ledger.obligations.delivered, hasty.ledger.obligations.duplicate_deliveries), (600, 0));
}

#[test]
fn a_group_that_begins_at_latest_skips_what_was_before() {
    let producer = json!({"load": "constant(100/s)", "max_events": 1000});
    let consumer = json!({"service_time": "1ms"});
    let report = Design::line(20, producer, json!({"initial_rebalance_delay": "3s"}), consumer).run();
    let obligations = &report.ledger.obligations;
    assert_eq!(obligations.delivered + obligations.skipped, 1000);
    assert!((290..310).contains(&obligations.skipped), "{obligations:?}");
}

/// What a report says of its first fault.
fn first_fault(report: &Report) -> &eventyard::metrics::Fault {
    let fault = report.faults.first().unwrap_or_else(|| panic!("no fault in the report"));
    assert_eq!(fault.refused, None);
    fault
}

#[test]
fn a_cut_link_drops_what_is_put_on_it_and_clients_try_again() {
    let producer = json!({"load": "constant(200/s)", "max_events": 2000, "request_timeout": "500ms", "delivery_timeout": "60s"});
    let consumer = json!({"service_time": "exp(1ms)", "offset_reset": "earliest", "request_timeout": "2s", "fetch_max_wait": "200ms"});
    let design = Design::line(60, producer, json!({}), consumer);
    let report = design.fault(2, "web.out -> shop.orders", "cut", json!({"for": "3s"})).run();
    let fault = first_fault(&report);
    assert_eq!((fault.at_s, fault.until_s, fault.target.as_str()), (2.0, Some(5.0), "web.out→shop.orders"));
    assert!(fault.effects["messages_dropped"] > 0, "{fault:?}");
    assert_eq!(figure_of_link(&report, "web.out→shop.orders", "lost_count"), fault.effects["messages_dropped"] as f64);
    let ledger = &report.ledger;
    assert_eq!((ledger.submissions.accepted, ledger.obligations.delivered, ledger.obligations.lost), (2000, 2000, 0));
}

fn figure_of_link(report: &Report, link: &str, name: &str) -> f64 {
    *report.links[link].get(name).unwrap_or_else(|| panic!("no {name} in {:#?}", report.links[link]))
}

#[test]
fn a_network_that_repeats_messages_repeats_events_unless_the_producer_is_idempotent() {
    let run = |idempotence: bool| {
        let producer = json!({"load": "constant(200/s)", "max_events": 1000, "idempotence": idempotence});
        let consumer = json!({"service_time": "0s", "offset_reset": "earliest"});
        let fault = json!({"for": "60s", "ratio": "50%"});
        Design::line(30, producer, json!({}), consumer).fault(0, "web.out -> shop.orders", "duplicate", fault).run()
    };
    let (plain, idempotent) = (run(false), run(true));
    assert!(plain.ledger.submissions.duplicate_appends > 100, "{:?}", plain.ledger.submissions);
    assert_eq!(
        first_fault(&plain).while_on.duplicates,
        plain.ledger.submissions.duplicate_appends + plain.ledger.obligations.duplicate_deliveries
    );
    assert_eq!(idempotent.ledger.submissions.duplicate_appends, 0);
    assert!(first_fault(&idempotent).effects["messages_duplicated"] > 100);
}

#[test]
fn a_frozen_consumer_takes_up_where_it_stood() {
    let producer = json!({"load": "constant(100/s)", "max_events": 1000});
    let consumer = json!({"service_time": "1ms", "offset_reset": "earliest", "session_timeout": "30s"});
    let run = |design: Design| design.run();
    let calm = run(Design::line(30, producer.clone(), json!({}), consumer.clone()));
    let frozen = run(Design::line(30, producer, json!({}), consumer).fault(3, "billing", "freeze", json!({"for": "4s"})));
    assert_eq!(frozen.ledger.obligations.delivered, calm.ledger.obligations.delivered);
    assert_eq!(frozen.ledger.obligations.duplicate_deliveries, 0, "its session outlived the pause");
    let p99 = |report: &Report| report.totals["latency_ms_p99"];
    assert!(p99(&calm) < 100.0 && p99(&frozen) > 3_000.0, "{} and {}", p99(&calm), p99(&frozen));
    let effects = &first_fault(&frozen).effects;
    assert!(effects["timers_late"] > 0 || effects["messages_late"] > 0, "{effects:?}");
}

#[test]
fn a_consumer_states_its_guarantees_and_a_broken_one_names_the_first_event() {
    let producer = json!({"load": "constant(200/s)", "max_events": 2000});
    let consumer = json!({
        "instances": 2, "commit": "before", "service_time": "exp(9ms)", "offset_reset": "earliest",
        "guarantees": ["at_most_once", "at_least_once"],
    });
    let design = Design::line(40, producer, json!({}), consumer).fault(5, "billing", "crash-instance", json!({"instance": 1}));
    let report = design.run();
    let [at_most_once, at_least_once] = report.expectations.as_slice() else { panic!("{:?}", report.expectations) };
    assert_eq!(at_most_once.text, "guarantee(\"billing\", at_most_once)");
    assert!(at_most_once.met && !at_least_once.met, "{:?}", report.expectations);
    let [gap] = report.anomalies.as_slice() else { panic!("{:?}", report.anomalies) };
    assert_eq!((gap.what.as_str(), gap.group.as_str(), gap.count), ("gap", "billing", report.ledger.obligations.lost));
    assert!(gap.first.starts_with(&gap.first_event) && gap.first_at_s >= 5.0, "{gap:?}");
    assert!(at_least_once.figure.contains(&gap.first), "{} lacks {}", at_least_once.figure, gap.first);
}

#[test]
fn an_unknown_guarantee_is_refused_with_the_nearest() {
    let mut design = Design::line(1, json!({"load": "constant(1/s)"}), json!({}), json!({"guarantees": ["exactly_one"]}));
    design.project.scenarios.insert("test".to_owned(), design.scenario);
    let problems = eventyard::compile::check(&design.project);
    let found = problems.iter().find(|one| one.code == "guarantee-unknown").unwrap_or_else(|| panic!("{problems:?}"));
    assert_eq!(found.path, "components.billing.guarantees");
    assert_eq!(found.hint.as_deref(), Some("did you mean `exactly_once`?"));
}

#[test]
fn a_compacted_topic_refuses_events_without_a_key_and_the_check_says_so() {
    let design = |keys: &str| {
        let producer = json!({"load": "constant(50/s)", "keys": keys, "max_events": 200});
        Design::line(20, producer, json!({"cleanup_policy": "compact"}), json!({}))
    };
    let warned = |design: &Design| {
        check(&design.project).iter().any(|problem| problem.code == "keys-missing" && problem.path == "components.web.keys")
    };
    assert!(warned(&design("none")) && !warned(&design("uniform(10)")));
    let report = design("none").run();
    assert_eq!((report.ledger.submissions.rejected, report.ledger.submissions.accepted), (200, 0));
    assert!(
        report.ledger.reasons.iter().any(|reason| reason.code == "invalid-record" && reason.count == 200),
        "{:#?}",
        report.ledger.reasons
    );
    assert_eq!(design("uniform(10)").run().ledger.submissions.accepted, 200);
}

#[test]
fn a_commit_that_is_refused_at_once_is_tried_again_after_a_backoff() {
    let producer = json!({"load": "constant(100/s)", "max_events": 1_000});
    let consumer = json!({"instances": 2, "commit": "after", "service_time": "5ms", "offset_reset": "earliest"});
    let cluster = json!({"brokers": 3, "replication": 3, "broker_session_timeout": "2s"});
    // Nothing takes time between the refusal and the next try.
    let report = Design::line(60, producer, cluster, consumer).fault(3, "shop", "crash-node", json!({"node": 0})).run();
    assert_eq!(report.ledger.obligations.delivered, 1_000, "{:?}", report.ledger.obligations);
}

#[test]
fn at_most_once_a_commit_that_is_refused_takes_no_record_with_it() {
    let producer = json!({"load": "constant(100/s)", "max_events": 1_000});
    let consumer = json!({"instances": 2, "commit": "before", "service_time": "5ms", "offset_reset": "earliest"});
    let cluster = json!({"brokers": 3, "replication": 3, "broker_session_timeout": "2s"});
    for node in 0..3 {
        let design = Design::line(60, producer.clone(), cluster.clone(), consumer.clone());
        let report = design.fault(3, "shop", "crash-node", json!({"node": node})).run();
        let owed = &report.ledger.obligations;
        assert_eq!((owed.in_flight, owed.delivered + owed.lost), (0, 1_000), "{owed:?}");
    }
}
