//! A queue of an instance's pool in whole runs: what its polling thread does meanwhile, and what a full one, a rebalance and a
//! crash make of what waits in it.

use eventyard::model::{Component, TimedFault};
use serde_json::{Value as Json, json};

use super::services::{component, fault, link, of, project, run, with_letters};

/// A service that gets four times as much as one worker can do, for four seconds.
fn busy(extra: Json) -> Json {
    let mut service = json!({
        "role": "plain", "service_time": "15ms", "poll_size": 500, "commit": "after", "offset_reset": "earliest",
        "session_timeout": "6s", "heartbeat_interval": "1s",
    });
    service.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    service
}

/// A thread that has handed over what it polled polls again in time; one that waits for a free worker is out of its group.
#[test]
fn a_polling_thread_stays_in_its_group() {
    let told = |extra: Json| {
        let mut service = busy(extra);
        service["rebalance_timeout"] = json!("3s");
        let report = run(&project(service, Vec::new()));
        [of(&report, "accounts", "missed_polls_count"), of(&report, "accounts", "duplicate_count")]
    };
    let [missed, twice] = told(json!({}));
    assert!(missed > 0 && twice > 0, "{missed} missed polls, {twice} repeated events");
    assert_eq!(told(json!({"pool_queue": 1000})), [0, 0]);
    assert!(told(json!({"pool_queue": 10}))[0] > 0, "a short queue is soon full, and the thread waits again");
}

/// As many wait as there is room for, and the rest of them where they were.
#[test]
fn a_queue_holds_what_it_may_hold() {
    let mut project = project(busy(json!({"pool_queue": 30, "concurrency": 2, "poll_size": 7})), Vec::new());
    project.scenarios["all"].length = Some(eventyard::units::SimDuration::from_secs(4));
    let report = run(&project);
    assert_eq!(of(&report, "accounts", "pool_queue_length"), 30);
    assert_eq!(of(&report, "accounts", "pool_refused_count"), 0, "the thread waits");
}

/// Where a full queue refuses, each event is processed or in the dead letters, at once.
#[test]
fn a_full_queue_refuses() {
    let mut project = with_letters(project(busy(json!({"pool_queue": 10, "pool_full": "refuse"})), Vec::new()));
    project.links.push(link("bank.letters", "desk.in", "1ms"));
    let desk: Component = component("consumer", json!({"service_time": "100us", "offset_reset": "earliest"}));
    project.components.insert("desk".to_owned(), desk);
    let report = run(&project);
    let (done, refused) = (of(&report, "accounts", "processed_count"), of(&report, "accounts", "pool_refused_count"));
    assert!(done > 150 && refused > 400, "{done} done, {refused} refused");
    assert_eq!(done + refused, of(&report, "clients", "produced_count"));
    assert_eq!((of(&report, "accounts", "rejected_count"), of(&report, "desk", "processed_count")), (refused, refused));
    let reason = report.ledger.reasons.iter().find(|reason| reason.at == "accounts").expect("it is told");
    assert_eq!((reason.end.as_str(), reason.code.as_str(), reason.count), ("rejected_at_consumer", "pool-full", refused));
}

/// Whatever happens to an instance, what waited in its pool comes again, or is lost where it was committed before its work.
#[test]
fn what_waits_in_a_pool_is_accounted_for() {
    let with = |extra: Json, faults: Vec<TimedFault>| run(&project(busy(extra), faults));
    for (step, commit) in ["after", "auto", "before"].into_iter().cycle().take(6).enumerate() {
        let at_us = 2_500_000 + step as u64 * 137_003;
        let crash = vec![fault(at_us, "crash-instance"), fault(at_us + 200_000, "start-instance")];
        let report = with(json!({"pool_queue": 200, "commit": commit}), crash);
        let (made, lost) = (of(&report, "clients", "produced_count"), of(&report, "accounts", "lost_count"));
        assert_eq!(of(&report, "accounts", "delivered_count") + lost, made, "{commit}, crash at {at_us} us");
        assert_eq!(lost > 150, commit == "before", "{commit}, crash at {at_us} us: {lost} lost");
    }
    // A member that leaves in good order works off what it had taken over.
    let stop = vec![fault(2_500_000, "stop-instance"), fault(2_600_000, "start-instance")];
    let report = with(json!({"pool_queue": 200, "concurrency": 3, "instances": 2}), stop);
    assert_eq!(of(&report, "accounts", "processed_count"), of(&report, "clients", "produced_count"));
}
