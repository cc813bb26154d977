//! Services that read queues, and payloads that a registry knows.

use eventyard::model::{Project, SchemaSource};
use serde_json::{Value as Json, json};

use super::services::{account, component, fault, link, of, project, run};

/// Commands come over a queue; what fails too often is buried in another.
fn over_a_queue(service: Json, mut queue: Json) -> Project {
    let buried_after = queue["max_receive_count"].as_u64().unwrap_or(100);
    queue["max_receive_count"] = json!(buried_after);
    // What a queue gives twice by itself is another matter.
    queue["duplicate_ratio"] = json!("0%");
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

/// Payments in the format of a registry, and what an account makes of them in the same.
fn registered(schema_type: &str, framing: &str) -> Project {
    let text = |name: &str| {
        match schema_type {
        "AVRO" => json!({"type": "record", "name": name, "fields": [{"name": "amount", "type": "long"}, {"name": "note", "type": ["null", "string"], "default": null}]}).to_string(),
        "JSON" => json!({"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}).to_string(),
        _ => format!("syntax = \"proto3\"; message {name} {{ int64 amount = 1; }}"),
    }
    };
    let mut service = account("outbox");
    service["fields"] = json!([{"name": "sum", "type": "int"}]);
    // What is read as an amount is a number in every format, or the guard would refuse each command.
    service["commands"] =
        json!([{"type": "Pay", "guard": "command.amount == command.amount + 0", "emits": ["Paid"], "data": "amount = command.amount"}]);
    service["changes"] = json!([{"type": "Paid", "set": "sum = event.amount"}]);
    service["written_schemas"] = json!([{"type": "Paid", "subject": "bank.events-value"}]);
    let mut project = project(service, Vec::new());
    for name in ["Pay", "Paid"] {
        project.schemas.insert(name.to_owned(), SchemaSource { path: None, text: text(name).into() });
    }
    project.components["clients"]
        .params
        .insert("events".to_owned(), serde_json::from_value(json!([{"type": "Pay", "schema": "commands-value"}])).expect("rows"));
    let subjects = json!({
        "commands-value": {"type": schema_type, "versions": ["Pay"]}, "bank.events-value": {"type": schema_type, "versions": ["Paid"]}});
    let mut registry = component("registry", json!({"subjects": subjects}));
    registry.profile = Some(framing.to_owned());
    project.components.insert("schemas".to_owned(), registry);
    project.links.extend(["clients", "accounts", "books"].map(|id| link(&format!("{id}.schemas"), "schemas.in", "1ms")));
    project
}

/// Expressions see the fields whatever the format, and readers decode what the service writes.
#[test]
fn payloads_are_read_and_written_by_registered_schemas() {
    for (schema_type, product) in [("AVRO", "confluent-7"), ("JSON", "confluent-7"), ("PROTOBUF", "confluent-7"), ("AVRO", "glue")] {
        let report = run(&registered(schema_type, product));
        let made = of(&report, "clients", "produced_count");
        assert!(made > 700, "{schema_type}: {made}");
        assert_eq!(of(&report, "accounts", "commands_accepted_count"), made, "{schema_type}");
        assert_eq!(of(&report, "books", "processed_count"), made, "{schema_type}: {:?}", report.ledger.reasons);
        assert_eq!(of(&report, "books", "rejected_count"), 0, "{schema_type}");
    }
}

/// An event that does not fit its schema is not stored either; a subject that is missing is told.
#[test]
fn an_event_that_does_not_fit_is_not_stored() {
    for (data, subject, code) in
        [("amount = 'much'", "bank.events-value", "schema"), ("amount = command.amount", "nobody-value", "schema-missing")]
    {
        let mut project = registered("AVRO", "confluent-7");
        let service = &mut project.components["accounts"].params;
        let mut commands = serde_json::to_value(&service["commands"]).expect("rows");
        commands[0]["data"] = json!(data);
        service.insert("commands".to_owned(), serde_json::from_value(commands).expect("rows"));
        service.insert("changes".to_owned(), serde_json::from_value(json!([])).expect("rows"));
        service.insert("written_schemas".to_owned(), serde_json::from_value(json!([{"type": "Paid", "subject": subject}])).expect("rows"));
        let report = run(&project);
        assert_eq!(of(&report, "accounts", "events_stored_count"), 0, "{data}");
        let reason = report.ledger.reasons.iter().find(|reason| reason.at == "accounts").expect("it says why");
        assert_eq!((reason.end.as_str(), reason.code.as_str()), ("failed_skipped", code), "{reason:?}");
        assert_eq!(reason.count, of(&report, "clients", "produced_count"));
    }
}
