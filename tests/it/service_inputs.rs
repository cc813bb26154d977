//! Services that read queues, and payloads that a registry knows.

use eventyard::model::Project;
use serde_json::{Value as Json, json};

use super::services::{account, component, fault, link, of, project, run};

/// Commands come over a queue; what fails too often is buried in another.
fn over_a_queue(service: Json, queue: Json) -> Project {
    let mut project = project(service, Vec::new());
    project.components.insert("jobs".to_owned(), component("queue", queue));
    project.components.insert("letters".to_owned(), component("queue", json!({})));
    project.links.retain(|link| link.from.component != "clients" && link.to.component != "accounts");
    project.links.extend([
        link("clients.out", "jobs.in", "1ms"),
        link("jobs.out", "accounts.in", "1ms"),
        link("jobs.dead_letters", "letters.in", "1ms"),
    ]);
    project
}

/// What counts for topics only is left out.
fn of_queue(mut service: Json) -> Json {
    for name in ["commit", "offset_reset", "session_timeout", "heartbeat_interval"] {
        service.as_object_mut().expect("an object").remove(name);
    }
    service
}

/// Every message is decided, stored, told and deleted, once, as a record of a topic is.
#[test]
fn a_queue_gives_commands_as_a_topic_does() {
    let report = run(&over_a_queue(of_queue(account("outbox")), json!({"receive_wait": "20s"})));
    let made = of(&report, "clients", "produced_count");
    assert!(made > 700, "{made}");
    assert_eq!(of(&report, "accounts", "events_stored_count"), made);
    assert_eq!(of(&report, "accounts", "processed_count"), made);
    assert_eq!(of(&report, "books", "processed_count"), made);
    assert_eq!(report.ledger.obligations.in_flight + report.ledger.obligations.duplicate_deliveries, 0);
}

/// A message that is shown again while it is worked on is the same command: it is known, and done once.
#[test]
fn a_message_that_comes_again_is_known() {
    let with = |deduplicate: bool| {
        let mut service = of_queue(account("outbox"));
        (service["deduplicate"], service["service_time"]) = (json!(deduplicate), json!("exp(40ms)"));
        service["concurrency"] = json!(16);
        let report = run(&over_a_queue(service, json!({"receive_wait": "20s", "visibility_timeout": "100ms"})));
        (
            of(&report, "accounts", "events_stored_count"),
            of(&report, "clients", "produced_count"),
            of(&report, "accounts", "processed_count"),
        )
    };
    let (stored, made, processed) = with(true);
    assert!(processed > made, "{processed} of {made}: some came twice");
    assert_eq!(stored, made);
    let (stored, made, _) = with(false);
    assert!(stored > made, "known to be wrong: {stored} of {made}");
}

/// What fails is left to the queue: shown again after a while, buried after so many receives.
#[test]
fn failed_messages_are_shown_again_and_buried() {
    let service = json!({
        "role": "plain", "result_type": "Called", "call_time": "1ms", "call_failures": "60%", "service_time": "1ms", "concurrency": 4,
        "failed_visibility": "200ms",
    });
    let report = run(&over_a_queue(service, json!({"receive_wait": "20s", "visibility_timeout": "5s", "max_receive_count": 3})));
    let (made, failed) = (of(&report, "clients", "produced_count"), of(&report, "accounts", "failed_count"));
    let processed = of(&report, "accounts", "processed_count");
    let buried = report.ledger.obligations.dead_lettered;
    assert_eq!(processed + buried, made);
    assert!((buried as f64 / made as f64 - 0.216).abs() < 0.06, "{buried} of {made}");
    let tries = failed + processed;
    assert!((tries as f64 / made as f64 - 1.96).abs() < 0.15, "{tries} tries of {made}");
}

/// An instance that crashes leaves its messages to the queue; its outbox loses none of what is stored.
#[test]
fn a_crash_gives_messages_back() {
    for step in 0..4 {
        let at_us = 2_000_000 + step * 10_007;
        let mut project = over_a_queue(of_queue(account("outbox")), json!({"receive_wait": "20s", "visibility_timeout": "2s"}));
        let faults = [fault(at_us, "crash-instance"), fault(at_us + 300_000, "start-instance")];
        project.scenarios["all"].faults.splice(0..0, faults);
        let report = run(&project);
        let made = of(&report, "clients", "produced_count");
        assert_eq!(of(&report, "accounts", "events_stored_count"), made, "crash at {at_us} us");
        assert_eq!(of(&report, "books", "delivered_count"), made, "crash at {at_us} us");
        assert_eq!(report.ledger.obligations.in_flight, 0, "crash at {at_us} us");
    }
}
