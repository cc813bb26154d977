//! What a cluster takes at once: connections, requests that wait, the size of a batch, disks.

use serde_json::{Value as Json, json};

use crate::clients::figure;
use crate::design::Design;

const EVENTS: u64 = 1_000;

fn producer(more: Json) -> Json {
    let mut params = json!({"load": "constant(100/s)", "max_events": EVENTS});
    params.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
    params
}

fn consumer(more: Json) -> Json {
    let mut params = json!({"offset_reset": "earliest", "service_time": "1ms"});
    params.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
    params
}

#[test]
fn a_full_request_queue_holds_clients_back_and_loses_nothing() {
    // One thread, a hundred requests a second, and a pause of the node in which they pile up.
    let run = |queued: u64| {
        let cluster = json!({"io_threads": 1, "request_service_time": "5ms", "queued_max_requests": queued});
        let quick = producer(json!({"acks": "1", "idempotence": false, "linger": "0s", "max_in_flight": 1_000}));
        // Heartbeats come five times a second, answered or not.
        let group = consumer(json!({"heartbeat_interval": "200ms"}));
        Design::line(60, quick, cluster, group).fault(2, "shop", "pause-node", json!({"node": 0, "for": "3s"})).run()
    };
    let (roomy, narrow) = (run(10_000), run(2));
    for report in [&roomy, &narrow] {
        let owed = &report.ledger.obligations;
        assert_eq!((owed.delivered, report.ledger.submissions.accepted), (EVENTS, EVENTS));
    }
    assert!(!roomy.components["shop"].contains_key("unread_requests_count"), "there was always room");
    assert!(figure(&narrow, "shop", "unread_requests_count") > 0.0);
    assert!(figure(&narrow, "shop", "request_queue_full_s") > 1.0, "as long as the pause, about");
    // What waits in a socket is served in its turn: nothing but the place where it waits is another.
    assert_eq!(roomy.totals["latency_ms_p99"], narrow.totals["latency_ms_p99"]);
}

#[test]
fn a_client_with_too_many_connections_is_turned_away() {
    // Four instances of one group, with two connections each: one to fetch and one to their coordinator.
    let run = |max: u64| {
        let group = consumer(json!({"instances": 4}));
        Design::line(60, producer(json!({})), json!({"max_connections_per_client": max}), group).run()
    };
    let roomy = run(8);
    assert_eq!((roomy.ledger.obligations.delivered, figure(&roomy, "shop", "closed_connections_count")), (EVENTS, 0.0));
    let narrow = run(4);
    assert!(figure(&narrow, "shop", "closed_connections_count") > 10.0, "they try again and again");
    assert_eq!(narrow.ledger.submissions.accepted, EVENTS, "the producer has one of its own");
}

#[test]
fn a_node_that_takes_no_more_connections_lets_them_wait_until_one_is_idle() {
    let cluster = json!({"max_connections": 2, "connections_idle_max": "5s"});
    let group = consumer(json!({"request_timeout": "30s", "instances": 0}));
    let report = Design::line(60, producer(json!({})), cluster, group).fault(2, "billing", "start-instance", json!({})).run();
    // The producer has one connection, and what the reader learns the leaders by is the second. When that was idle for five
    // seconds the coordinator's is accepted in its place; the one to fetch by when the producer, through at ten seconds, was.
    assert_eq!(figure(&report, "shop", "unaccepted_connections_count"), 2.0);
    assert_eq!(report.ledger.obligations.delivered, EVENTS);
    // What stood there when it learned where the logs end is backfill; of what came after, half waited longer.
    let latency = report.totals["latency_ms_mean"];
    assert!((6_000.0..8_500.0).contains(&latency) && report.ledger.obligations.backfilled > 300, "{latency} ms");
}

#[test]
fn a_record_that_is_too_large_ends_at_the_client_or_at_the_broker() {
    let large = |of_producer: Json, of_topic: Json| {
        let mut events = producer(json!({"events": [{"type": "Scan", "topic": "orders", "size": "2KiB"}], "max_events": 10}));
        events.as_object_mut().expect("fields").extend(of_producer.as_object().expect("fields").clone());
        Design::line(20, events, of_topic, consumer(json!({}))).run()
    };
    let at_the_broker = large(json!({}), json!({"max_message_size": "1KiB"}));
    let at_the_client = large(json!({"request_size": "1KiB"}), json!({}));
    for report in [&at_the_broker, &at_the_client] {
        let codes: Vec<_> = report.ledger.reasons.iter().map(|reason| (reason.code.as_str(), reason.count)).collect();
        assert_eq!(codes, [("record-too-large", 10)]);
    }
    assert!(figure(&at_the_broker, "shop", "requests_count") > figure(&at_the_client, "shop", "requests_count"));
}
