//! Bridges in whole runs: what moves between topics and queues, what a crash brings twice, what cannot be moved.

use eventyard::metrics::Report;
use eventyard::model::SchemaSource;
use eventyard::units::SimDuration;
use serde_json::{Value as Json, json};

use crate::design::Design;

/// web ─► orders ─► bridge ─► jobs ─► worker, or the other way round.
fn design(seed: u64, bridge: Json, queue: Json) -> Design {
    let mut design = Design::new("bridge", seed, SimDuration::from_secs(120));
    design.add(
        "web",
        "producer",
        json!({"load": "poisson(40/s)", "keys": "uniform(15)", "max_events": 600, "events": [{"type": "Order", "size": "200B"}]}),
    );
    design.add("shop", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"orders": {"partitions": 3}, "bad": {}}}));
    design.add("jobs", "queue", queue);
    // A standard queue gives a message twice now and then, by chance.
    design.project.components["jobs"].params.insert("duplicate_ratio".to_owned(), "0%".into());
    let mut params = json!({});
    for (name, value) in bridge.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    design.add("bridge", "bridge", params);
    design.add("worker", "consumer", json!({"service_time": "1ms", "concurrency": 4}));
    design
}

fn sink(seed: u64, bridge: Json, queue: Json) -> Design {
    let mut params = json!({"session_timeout": "6s", "heartbeat_interval": "1s"});
    for (name, value) in bridge.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    let mut design = design(seed, params, queue);
    for (from, to) in [("web.out", "shop.orders"), ("shop.orders", "bridge.in"), ("bridge.out", "jobs.in"), ("jobs.out", "worker.in")] {
        design.link(from, to, json!({"latency": "exp(3ms)"}));
    }
    design
}

fn source(seed: u64, bridge: Json) -> Design {
    let mut design = design(seed, bridge, json!({"visibility_timeout": "5s"}));
    design.project.components["worker"].params.insert("offset_reset".to_owned(), "earliest".into());
    for (from, to) in [("web.out", "jobs.in"), ("jobs.out", "bridge.in"), ("bridge.out", "shop.orders"), ("shop.orders", "worker.in")] {
        design.link(from, to, json!({"latency": "exp(3ms)"}));
    }
    design
}

fn figure(report: &Report, component: &str, name: &str) -> u64 {
    report.components[component].get(name).copied().unwrap_or_else(|| panic!("{component} tells {name}")) as u64
}

#[test]
fn events_move_on_under_their_own_ids() {
    for report in [sink(1, json!({}), json!({})).run(), source(2, json!({})).run()] {
        let (submissions, obligations) = (&report.ledger.submissions, &report.ledger.obligations);
        assert_eq!((submissions.created, submissions.derived, submissions.duplicate_appends), (600, 0, 0));
        // One towards the bridge, one towards the worker.
        assert_eq!((obligations.created, obligations.forwarded, obligations.delivered), (1_200, 600, 600), "{obligations:?}");
        assert_eq!(figure(&report, "bridge", "bridged_count"), 600);
        assert_eq!(figure(&report, "worker", "processed_count"), 600);
    }
    // Ten messages fit into a call, and each call and its answer is a message on the link.
    let lingering = sink(3, json!({"queue_linger": "300ms"}), json!({})).run();
    let sent = lingering.links.iter().find(|(id, _)| id.starts_with("bridge.out")).map(|(_, figures)| figures["messages_count"]);
    assert!(sent.is_some_and(|messages| messages < 600.0), "{sent:?}");
}

/// Whenever a task crashes, nothing is lost; what it had sent and not committed comes twice, except to a FIFO queue, which
/// knows each record by its place.
#[test]
fn a_crash_loses_nothing_and_tells_what_comes_twice() {
    let crash =
        |design: Design, at| design.fault(at, "bridge", "crash-instance", json!({})).fault(at + 1, "bridge", "start-instance", json!({}));
    let (mut twice, mut from_queue_twice) = (0, 0);
    for seed in 0..4 {
        let report = crash(crash(sink(seed, json!({}), json!({})), 4), 9).run();
        let obligations = &report.ledger.obligations;
        assert_eq!((obligations.forwarded, obligations.delivered, obligations.lost), (600, 600, 0), "seed {seed}");
        twice += report.ledger.submissions.duplicate_appends;

        let mut fifo = crash(sink(seed, json!({}), json!({})), 4);
        fifo.project.components["jobs"].profile = Some("sqs-fifo".to_owned());
        let report = fifo.run();
        assert_eq!((report.ledger.obligations.delivered, report.ledger.submissions.duplicate_appends), (600, 0), "seed {seed}");
        assert!(figure(&report, "bridge", "bridged_count") > 600, "it did send some twice");

        let report = crash(crash(source(seed, json!({"receive_size": 10})), 4), 9).run();
        let obligations = &report.ledger.obligations;
        assert_eq!((obligations.forwarded, obligations.delivered, obligations.lost), (600, 600, 0), "seed {seed}");
        from_queue_twice += report.ledger.submissions.duplicate_appends;
    }
    assert!(twice > 100, "its positions are a minute old: {twice}");
    assert!(from_queue_twice < twice, "a message is deleted as soon as it stands in the topic: {from_queue_twice}");
}

#[test]
fn what_the_other_side_does_not_take_stops_a_task_or_is_put_aside() {
    let small = || json!({"max_message_size": "1KiB"});
    let large = |mut design: Design| {
        let events = json!([{"type": "Order", "size": "200B", "weight": 9}, {"type": "Album", "size": "2KiB"}]);
        design.project.components["web"].params.extend(crate::design::values(json!({"events": events})));
        design
    };
    let stopped = large(sink(5, json!({}), small())).run();
    assert_eq!(figure(&stopped, "bridge", "stopped_tasks_count"), 1);
    assert_eq!(figure(&stopped, "bridge", "instances"), 0);
    assert!(stopped.faults.iter().any(|fault| fault.action == "task-stopped" && fault.params["task"] == "1"), "{:?}", stopped.faults);
    assert!(stopped.ledger.obligations.in_flight > 300, "what comes after it waits in the topic");

    let skipped = large(sink(5, json!({"on_failure": "skip"}), small())).run();
    let refused = figure(&skipped, "bridge", "refused_count");
    assert!(refused > 20);
    assert_eq!(skipped.ledger.obligations.failed_skipped, refused);
    assert!(
        skipped.ledger.reasons.iter().any(|reason| reason.code == "too-large" && reason.count == refused),
        "{:?}",
        skipped.ledger.reasons
    );

    let mut aside = large(sink(5, json!({"on_failure": "dead_letter"}), small()));
    aside.link("bridge.dead_letters", "shop.bad", json!({}));
    let aside = aside.run();
    assert_eq!(aside.ledger.obligations.dead_lettered, refused);
    let of_letters = aside.ledger.reasons.iter().find(|reason| reason.end == "dead_lettered").expect("they are told");
    assert_eq!((of_letters.code.as_str(), of_letters.count), ("too-large", refused), "in the queue's own words");
    assert_eq!(aside.ledger.obligations.delivered, 600 - refused);
}

/// Deletes that were not answered are tried again by the task that asked for them, and by nobody once it is gone: what it had
/// moved comes again.
#[test]
fn a_crashed_task_deletes_nothing_any_more() {
    let cut_off = |seed| {
        let mut design = source(seed, json!({"receive_size": 10, "instances": 4}));
        design.project.components["jobs"].params.insert("visibility_timeout".to_owned(), "30s".into());
        design.project.links[1].params.insert("latency".to_owned(), "exp(100ms)".into());
        design.fault(6, "jobs.out -> bridge.in", "cut", json!({"for": "2s"}))
    };
    let mut twice = 0;
    for seed in 11..15 {
        let waited = cut_off(seed).run();
        assert_eq!((waited.ledger.obligations.delivered, waited.ledger.submissions.duplicate_appends), (600, 0), "seed {seed}");
        let crashed = (1..=4).fold(cut_off(seed), |design, task| {
            let task = json!({"instance": task});
            design.fault(7, "bridge", "crash-instance", task.clone()).fault(9, "bridge", "start-instance", task)
        });
        let crashed = crashed.run();
        assert_eq!(crashed.ledger.obligations.delivered, 600, "seed {seed}");
        twice += crashed.ledger.submissions.duplicate_appends;
    }
    assert!((1..60).contains(&twice), "deletes that were on their way when the link was cut: {twice}");
}

/// The bytes of an event with a registry's header are no text: SQS takes them in base64 only, and back they are the same.
#[test]
fn bytes_that_are_no_text_go_in_base64() {
    let with = |encoding: &str, on_failure: &str| {
        let mut design = sink(6, json!({"encoding": encoding, "on_failure": on_failure}), json!({}));
        let schema = r#"{"type":"record","name":"Order","fields":[{"name":"amount","type":"double"}]}"#;
        design.project.schemas.insert("Order".to_owned(), SchemaSource { path: None, text: schema.into() });
        design.project.components["web"].params.extend(crate::design::values(json!({"events": [{"type": "Order", "schema": "Order"}]})));
        design.run()
    };
    let text = with("text", "skip");
    assert!(text.ledger.reasons.iter().any(|reason| reason.code == "message-contents" && reason.count > 500), "{:?}", text.ledger.reasons);
    assert_eq!(with("base64", "stop").ledger.obligations.delivered, 600);
}

/// A queue that stands still costs time and no events: what passes by itself is sent again.
#[test]
fn a_queue_that_stands_still_is_waited_for() {
    let report = sink(7, json!({"queue_timeout": "500ms"}), json!({})).fault(5, "jobs", "freeze", json!({"for": "8s"})).run();
    assert_eq!(report.ledger.obligations.delivered, 600);
    assert!(figure(&report, "bridge", "resent_count") > 0);
    let paused = sink(8, json!({}), json!({})).fault(5, "bridge", "pause-instance", json!({"for": "2s"})).run();
    assert_eq!(paused.ledger.obligations.delivered, 600);
}

/// A fan-out topic takes a bridge's events too, and gives each to all of its subscribers.
#[test]
fn a_topic_reaches_the_subscribers_of_a_fan_out_topic() {
    let mut design = design(9, json!({}), json!({}));
    design.add("news", "fanout", json!({}));
    for (from, to) in [
        ("web.out", "shop.orders"),
        ("shop.orders", "bridge.in"),
        ("bridge.out", "news.in"),
        ("news.subscriptions", "jobs.in"),
        ("jobs.out", "worker.in"),
    ] {
        design.link(from, to, json!({}));
    }
    let report = design.run();
    assert_eq!((report.ledger.obligations.delivered, report.ledger.obligations.forwarded), (600, 1_200));
}
