//! Retry topics in whole runs: where failed events go, when they are tried again, and what goes on meanwhile.

use eventyard::components::service::{RetryTopics, Suffix};
use eventyard::metrics::Report;
use eventyard::model::TimedFault;
use eventyard::units::SimDuration;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::cases;
use super::services::{fault, of, project, run};

/// A service whose calls fail by chance, and that reads commands with retry topics.
fn retrying(extra: Json) -> Json {
    let mut service = json!({
        "role": "plain", "result_type": "Called", "call_time": "1ms", "call_failures": "40%", "service_time": "1ms",
        "retry_topics": true, "max_attempts": 4, "retry_backoff": "500ms", "retry_multiplier": 2.0,
        "offset_reset": "earliest", "commit": "after", "session_timeout": "6s", "heartbeat_interval": "1s",
    });
    service.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    service
}

fn run_with(extra: Json, faults: Vec<TimedFault>) -> Report {
    run(&project(retrying(extra), faults))
}

/// By topic: obligations of the service in it, and how they ended: (created, delivered, forwarded, dead letters, skipped).
fn terms(report: &Report, topic: &str) -> (u64, u64, u64, u64, u64) {
    let of_topic = report.ledger.paths.iter().filter(|path| path.topic == topic);
    let sum = |term: fn(&eventyard::metrics::Obligations) -> u64| of_topic.clone().map(|path| term(&path.obligations)).sum();
    (
        sum(|one| one.created),
        sum(|one| one.delivered),
        sum(|one| one.forwarded),
        sum(|one| one.dead_lettered),
        sum(|one| one.failed_skipped),
    )
}

/// Every event is done in its own topic, or in a retry topic, or stands in the dead-letter topic at last.
#[test]
fn failed_events_go_from_topic_to_topic() {
    let report = run_with(json!({}), Vec::new());
    let made = of(&report, "clients", "produced_count");
    let mut due = made;
    for topic in ["commands", "commands-retry-500", "commands-retry-1000"] {
        let (created, delivered, forwarded, dead, skipped) = terms(&report, topic);
        assert_eq!((created, delivered + forwarded, dead, skipped), (due, due, 0, 0), "{topic}");
        assert!((forwarded as f64 / created as f64 - 0.4).abs() < 0.15, "{topic}: {forwarded} of {created}");
        due = forwarded;
    }
    let (created, delivered, forwarded, dead, _) = terms(&report, "commands-retry-2000");
    assert_eq!((created, delivered + dead, forwarded), (due, due, 0));
    assert!(dead > 0 && dead == of(&report, "accounts", "dead_lettered_count"));
    let reasons: Vec<_> = report.ledger.reasons.iter().filter(|reason| reason.at == "accounts").collect();
    let said = |end: &str, words: &str| {
        let found = reasons.iter().find(|reason| reason.end == end && reason.detail == words);
        found.unwrap_or_else(|| panic!("{end}, {words}: {reasons:?}")).code.clone()
    };
    let why = "(the called system answered with an error)";
    assert_eq!(said("forwarded", &format!("failed at try 1 {why}, written to commands-retry-500")), "call-failed");
    assert_eq!(said("dead_lettered", &format!("failed at try 4 {why}, dead-lettered")), "call-failed");
}

/// An event that failed is not tried before its wait is over, by whatever way waits are said.
#[test]
fn retries_wait_as_long_as_they_should() {
    for (extra, least_ms, topics) in [
        (json!({"retry_suffix_by": "index"}), 500 + 1_000 + 2_000, 3),
        (json!({"retry_multiplier": 1.0}), 3 * 500, 3),
        (json!({"retry_multiplier": 1.0, "retry_reuse": "single"}), 3 * 500, 1),
        (json!({"retry_backoff_max": "1s", "retry_reuse": "single"}), 500 + 2 * 1_000, 2),
        (json!({"retry_random": true, "retry_suffix_by": "index"}), 500 + 1_000 + 2_000, 3),
    ] {
        let mut all = extra.clone();
        all["call_failures"] = json!("100%");
        // One event: what it meets on its way is the waits.
        let mut project = project(retrying(all), Vec::new());
        project.components["clients"].params.insert("load".to_owned(), "100/s".into());
        project.scenarios["all"].faults.iter_mut().for_each(|fault| fault.at = eventyard::units::SimTime::ZERO + SimDuration::from_ms(15));
        project.scenarios["all"].length = Some(SimDuration::from_secs(20));
        let report = run(&project);
        let dead = report.ledger.reasons.iter().find(|reason| reason.end == "dead_lettered").unwrap_or_else(|| panic!("{extra}"));
        let ended_ms = dead.first[0].1 * 1e3;
        let most = if extra["retry_random"] == json!(true) { 2.0 } else { 1.0 };
        // A fetch waits half a second at most when nothing is there.
        let late_ms = ended_ms - f64::from(least_ms);
        assert!((0.0..f64::from(least_ms) * (most - 1.0) + 3_000.0).contains(&late_ms), "{extra}: {ended_ms} ms");
        let read = report.ledger.paths.iter().filter(|path| path.topic.contains("-retry")).count();
        assert_eq!(read, topics, "{extra}");
        assert_eq!(report.ledger.submissions.duplicate_appends + report.ledger.obligations.duplicate_deliveries, 0, "{extra}");
    }
}

/// Figures and guarantees of a service are those of its retry topics too: what is done there is delivered, what waits there is
/// in flight, and what was skipped there is missing.
#[test]
fn a_service_answers_for_its_retry_topics() {
    let told = |report: &Report| ["delivered_count", "in_flight_count", "duplicate_count"].map(|figure| of(report, "accounts", figure));
    let all = json!(["at_least_once", "exactly_once", "ordered_per_key"]);
    let of_promise = |report: &Report, promise: &str| {
        let kept = report.expectations.iter().find(|one| one.text.contains(promise));
        kept.unwrap_or_else(|| panic!("{promise}: {:?}", report.expectations)).met
    };
    let report = run_with(json!({"guarantees": all}), Vec::new());
    let (made, dead) = (of(&report, "clients", "produced_count"), of(&report, "accounts", "dead_lettered_count"));
    assert_eq!(told(&report), [made - dead, 0, 0]);
    assert!(of_promise(&report, "at_least_once") && of_promise(&report, "exactly_once"), "nothing is skipped");
    assert!(!of_promise(&report, "ordered_per_key"), "events of a key that failed are overtaken");

    // An event that waits for its next try when the run ends is neither lost nor delivered.
    let mut early = project(retrying(json!({"guarantees": all, "retry_backoff": "10s", "retry_multiplier": 1.0})), Vec::new());
    early.scenarios["all"].length = Some(SimDuration::from_secs(8));
    let report = run(&early);
    let (done, forwarded) = (of(&report, "accounts", "processed_count"), of(&report, "accounts", "forwarded_count"));
    assert!(forwarded > 200, "{forwarded}");
    assert_eq!(told(&report), [done, forwarded, 0]);
    assert!(of_promise(&report, "at_least_once"), "it is outstanding");

    // What every try failed and nothing keeps is missing, and so it is said.
    let report = run_with(json!({"guarantees": all, "dlt_strategy": "no_dlt"}), Vec::new());
    assert!(!of_promise(&report, "at_least_once"));
}

/// The point of it: an event that waits holds nobody up.
#[test]
fn others_go_on_while_a_failed_event_waits() {
    let done = |retry_topics: bool| {
        let mut service = retrying(json!({"retry_topics": retry_topics, "call_failures": "5%", "max_attempts": 4}));
        if !retry_topics {
            ["retry_multiplier"].iter().for_each(|name| drop(service.as_object_mut().expect("an object").remove(*name)));
        }
        let mut project = project(service, Vec::new());
        project.scenarios["all"].length = Some(SimDuration::from_secs(6));
        of(&run(&project), "accounts", "processed_count")
    };
    let (free, blocked) = (done(true), done(false));
    assert!(free > 2 * blocked && free > 600, "{free} with retry topics, {blocked} where the worker waits");
}

/// Without a dead-letter topic what fails at last is skipped, and no such topic is there.
#[test]
fn without_a_dead_letter_topic_events_are_skipped() {
    let report = run_with(json!({"dlt_strategy": "no_dlt"}), Vec::new());
    let (_, _, _, dead, skipped) = terms(&report, "commands-retry-2000");
    assert!(dead == 0 && skipped > 0, "{dead} {skipped}");
}

/// Whenever an instance crashes, every event still ends: done, or in the dead letters.
#[test]
fn a_crash_loses_no_event_on_its_way() {
    for (step, extra) in [json!({}), json!({"retry_multiplier": 1.0, "retry_reuse": "single"})].into_iter().cycle().take(6).enumerate() {
        let at_us = 4_100_000 + step as u64 * 313_007;
        let report = run_with(extra, vec![fault(at_us, "crash-instance"), fault(at_us + 200_000, "start-instance")]);
        let terms = &report.ledger.obligations;
        assert_eq!((terms.in_flight, terms.lost, terms.failed_skipped), (0, 0, 0), "crash at {at_us} us: {terms:?}");
        let of_service = |end: &str| -> u64 {
            report
                .ledger
                .paths
                .iter()
                .filter(|path| path.topic.starts_with("commands"))
                .map(|path| match end {
                    "delivered" => path.obligations.delivered,
                    _ => path.obligations.dead_lettered,
                })
                .sum()
        };
        let (done, dead) = (of_service("delivered"), of_service("dead"));
        assert!(done + dead >= of(&report, "clients", "produced_count"), "crash at {at_us} us: {done} {dead}");
    }
}

#[test]
fn retry_topics_are_named_as_spring_names_them() {
    for case in cases::read("spring_retry_topics.json") {
        let topic = case["topic"].as_str().expect("a topic");
        let wanted: Vec<&str> = case["topics"].as_array().expect("names").iter().filter_map(Json::as_str).collect();
        let names = match case["plain"].as_str() {
            Some(plain) if plain.contains("binder") => vec![RetryTopics::binder(topic, case["group"].as_str().expect("a group"))],
            Some(_) => vec![RetryTopics::recoverer(topic)],
            None => {
                let text = |name: &str, or: &str| case[name].as_str().unwrap_or(or).to_owned();
                let retries = RetryTopics {
                    attempts: case["attempts"].as_u64().expect("a number") as u32,
                    delay: SimDuration::from_ms(case["delay_ms"].as_u64().unwrap_or(1_000)),
                    multiplier: case["multiplier"].as_f64().unwrap_or(1.0),
                    suffix: if text("strategy", "").contains("DELAY") { Suffix::DelayValue } else { Suffix::IndexValue },
                    retry_suffix: text("retrySuffix", "-retry"),
                    dead_letter_suffix: text("dltSuffix", "-dlt"),
                    ..RetryTopics::default()
                };
                retries.names(topic)
            }
        };
        assert_eq!(names, wanted, "{case}");
    }
}

/// What Spring's `DestinationTopicPropertiesFactory` makes of waits that become equal at the longest one.
#[test]
fn equal_waits_are_told_apart_or_share_a_topic() {
    let of = |single_topic: bool, multiplier: f64| {
        let delay_max = SimDuration::from_secs(4);
        RetryTopics { attempts: 6, multiplier, delay_max, single_topic, ..RetryTopics::default() }.names("t")
    };
    assert_eq!(of(false, 2.0), ["t-retry-1000", "t-retry-2000", "t-retry-4000-0", "t-retry-4000-1", "t-retry-4000-2", "t-dlt"]);
    assert_eq!(of(true, 2.0), ["t-retry-1000", "t-retry-2000", "t-retry-4000", "t-dlt"]);
    assert_eq!(of(false, 1.0), ["t-retry-0", "t-retry-1", "t-retry-2", "t-retry-3", "t-retry-4", "t-dlt"]);
    assert_eq!(of(true, 1.0), ["t-retry", "t-dlt"]);
}

proptest! {
    /// As many waits as tries after the first, names that differ, and none longer than allowed.
    #[test]
    fn chains_hold_together(
        attempts in 1..20_u32, delay_ms in 1..5_000_u64, multiplier in 1.0..4.0_f64, max_ms in 1..20_000_u64,
        single_topic in any::<bool>(), by_index in any::<bool>(), has_dead_letters in any::<bool>(),
    ) {
        let retries = RetryTopics {
            attempts, multiplier, single_topic, has_dead_letters,
            delay: SimDuration::from_ms(delay_ms),
            delay_max: SimDuration::from_ms(max_ms.max(delay_ms)),
            suffix: if by_index { Suffix::IndexValue } else { Suffix::DelayValue },
            ..RetryTopics::default()
        };
        let delays = retries.delays();
        prop_assert_eq!(delays.len(), attempts as usize - 1);
        prop_assert!(delays.is_sorted() && delays.iter().all(|delay| *delay <= retries.delay_max));
        let mut names = retries.names("orders");
        prop_assert_eq!(names.len(), retries.topics_count() + usize::from(has_dead_letters));
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), retries.topics_count() + usize::from(has_dead_letters), "no two have the same name: {:?}", names);
    }
}
