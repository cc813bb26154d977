//! Services in whole runs: what is stored, what is told, and what a crash leaves.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, TimedFault};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use serde_json::{Value as Json, json};

pub(super) fn component(kind: &str, params: Json) -> Component {
    let params = serde_json::from_value(params).expect("parameters are plain data");
    Component { kind: kind.to_owned(), params, ..Component::default() }
}

pub(super) fn link(from: &str, to: &str, latency: &str) -> Link {
    let end = |text| Endpoint::parse(text).expect("component.port");
    let params = [("latency".to_owned(), latency.into())].into_iter().collect();
    Link { from: end(from), to: end(to), params }
}

/// Commands → service → events → reader.
pub(super) fn project(service: Json, faults: Vec<TimedFault>) -> Project {
    let mut project = Project { seed: 5, ..Project::default() };
    let parts = [
        ("clients", component("producer", json!({"load": "poisson(200/s)", "keys": "uniform(50)", "events": [{"type": "Pay"}]}))),
        (
            "bank",
            component(
                "kafka",
                json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"commands": {"partitions": 2}, "events": {"partitions": 2}}}),
            ),
        ),
        ("accounts", component("service", service)),
        ("books", component("consumer", json!({"service_time": "100us", "offset_reset": "earliest", "concurrency": 4}))),
    ];
    project.components.extend(parts.map(|(id, component)| (id.to_owned(), component)));
    project.links = vec![
        link("clients.out", "bank.commands", "1ms"),
        link("bank.commands", "accounts.in", "1ms"),
        link("accounts.events", "bank.events", "3ms"),
        link("bank.events", "books.in", "1ms"),
    ];
    // Clients stop well before the end, so that everything that can arrive has.
    let stop = TimedFault {
        at: SimTime::ZERO + SimDuration::from_secs(4),
        target: FaultTarget::Component("clients".to_owned()),
        action: "pause".to_owned(),
        params: Default::default(),
    };
    let scenario =
        Scenario { length: Some(SimDuration::from_secs(30)), faults: faults.into_iter().chain([stop]).collect(), ..Scenario::default() };
    project.scenarios.insert("all".to_owned(), scenario);
    project
}

/// A topic for dead letters of the service.
pub(super) fn with_letters(mut project: Project) -> Project {
    let topics = json!({"commands": {"partitions": 2}, "events": {"partitions": 2}, "letters": {}});
    project.components["bank"].params["topics"] = serde_json::from_value(topics).expect("data");
    project.links.push(link("accounts.dead_letters", "bank.letters", "1ms"));
    project
}

pub(super) fn fault(at_us: u64, action: &str) -> TimedFault {
    TimedFault {
        at: SimTime::ZERO + SimDuration::from_us(at_us),
        target: FaultTarget::Component("accounts".to_owned()),
        action: action.to_owned(),
        params: Default::default(),
    }
}

pub(super) fn run(project: &Project) -> Report {
    let plan = compile(project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs");
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    report
}

pub(super) fn of(report: &Report, component: &str, figure: &str) -> u64 {
    report.components[component].get(figure).copied().unwrap_or_else(|| panic!("{component} tells {figure}")) as u64
}

pub(super) fn account(publish: &str) -> Json {
    json!({
        "fields": [{"name": "count", "type": "int"}],
        "commands": [{"type": "Pay", "emits": ["Paid"], "data": "count = state.count + 1"}],
        "changes": [{"type": "Paid", "set": "count = event.count"}],
        "publish": publish,
        "relay_interval": "20ms",
        "concurrency": 4,
        "service_time": "exp(4ms)",
        "commit": "after",
        "offset_reset": "earliest",
        "session_timeout": "6s",
        "heartbeat_interval": "1s",
    })
}

/// Every command is decided, stored, told and read, once.
#[test]
fn commands_become_events_and_reach_their_reader() {
    let report = run(&project(account("outbox"), Vec::new()));
    let made = of(&report, "clients", "produced_count");
    assert!(made > 700, "{made}");
    assert_eq!(of(&report, "accounts", "commands_accepted_count"), made);
    assert_eq!(of(&report, "accounts", "events_stored_count"), made);
    assert_eq!(of(&report, "accounts", "relayed_count"), made);
    assert_eq!(of(&report, "books", "processed_count"), made);
    assert!(of(&report, "accounts", "conflicts_count") > 0, "four workers meet at fifty accounts");
}

/// Whenever a service crashes, its topic has in the end exactly what its store has: an outbox loses and invents nothing.
#[test]
fn an_outbox_survives_every_crash() {
    let mut torn = 0;
    // Around a commit, a poll of the relay, a request under way, its answer: by a step that meets them all.
    for step in 0..40 {
        let at_us = 2_000_000 + step * 1_237;
        let crash = vec![fault(at_us, "crash-instance"), fault(at_us + 300_000, "start-instance")];
        let report = run(&project(account("outbox"), crash.clone()));
        let stored = of(&report, "accounts", "events_stored_count");
        assert_eq!(stored, of(&report, "clients", "produced_count"), "crash at {at_us} us: every command is done once");
        assert_eq!(of(&report, "accounts", "outbox_rows"), 0, "crash at {at_us} us");
        let delivered = of(&report, "books", "delivered_count");
        assert_eq!(delivered, stored, "crash at {at_us} us: each stored event was read");
        if step % 8 == 0 {
            let report = run(&project(account("store_first"), crash));
            torn += of(&report, "accounts", "unpublished_count");
            let (stored, delivered) = (of(&report, "accounts", "events_stored_count"), of(&report, "books", "delivered_count"));
            assert!(delivered <= stored && stored - delivered <= of(&report, "accounts", "unpublished_count"), "crash at {at_us} us");
        }
    }
    assert!(torn > 0, "two writes are torn apart by one of the crashes");
}

/// The topic first: what is there and never stored is counted.
#[test]
fn a_topic_written_first_tells_what_never_happened() {
    let phantoms: u64 = (0..6)
        .map(|step| {
            let at_us = 2_000_000 + step * 1_237;
            let crash = vec![fault(at_us, "crash-instance"), fault(at_us + 300_000, "start-instance")];
            of(&run(&project(account("topic_first"), crash)), "accounts", "phantom_count")
        })
        .sum();
    assert!(phantoms > 0);
}

/// Commands that come again after a crash are known; without that they are done twice.
#[test]
fn a_deduplicating_service_does_each_command_once() {
    let crash = || vec![fault(2_500_000, "crash-instance"), fault(2_900_000, "start-instance")];
    let mut service = account("outbox");
    service["commit"] = json!("auto");
    let report = run(&project(service.clone(), crash()));
    assert!(of(&report, "accounts", "deduplicated_count") > 0);
    assert_eq!(of(&report, "accounts", "events_stored_count"), of(&report, "clients", "produced_count"));
    service["deduplicate"] = json!(false);
    let report = run(&project(service, crash()));
    assert!(of(&report, "accounts", "events_stored_count") > of(&report, "clients", "produced_count"), "known to be wrong");
}

/// A service that calls another system, which never answers well.
fn caller(extra: Json) -> Json {
    let mut service = json!({
        "role": "plain", "result_type": "Called", "call_time": "1ms", "call_failures": "100%", "service_time": "1ms",
        "max_attempts": 2, "retry_backoff": "10ms", "concurrency": 8, "offset_reset": "earliest", "commit": "after",
    });
    service.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    service
}

/// A breaker that is told to becomes half open by itself, when nobody calls any more; another one waits for a call.
#[test]
fn a_breaker_goes_half_open_by_itself() {
    let with = |automatic: bool| {
        let breaker = json!({
            "circuit_breaker": true, "breaker_window_size": 20, "breaker_calls_min": 20, "breaker_open_wait": "9s",
            "breaker_automatic": automatic,
        });
        run(&project(caller(breaker), Vec::new()))
    };
    let (by_itself, by_a_call) = (with(true), with(false));
    for report in [&by_itself, &by_a_call] {
        assert_eq!(of(report, "accounts", "breaker_opened_count"), 1, "clients are gone before its wait is over");
    }
    let standing = |report: &Report| (of(report, "accounts", "breakers_open"), of(report, "accounts", "breakers_half_open"));
    assert_eq!((standing(&by_itself), standing(&by_a_call)), ((0, 1), (1, 0)));
}

/// A breaker stands in its instance's memory: whoever starts after a crash, or after an instance has finished its work and
/// left, calls again at once. What was counted stays counted.
#[test]
fn a_breaker_ends_with_its_instance() {
    let with = |ends: Option<&str>| {
        let breaker = json!({
            "circuit_breaker": true, "breaker_window_size": 10, "breaker_calls_min": 10, "breaker_open_wait": "1h", "bulkhead": 4,
            "max_attempts": 1, "session_timeout": "6s", "heartbeat_interval": "1s",
        });
        let params = [("call_failures".to_owned(), "0%".into())].into_iter().collect();
        let mut faults = vec![TimedFault { params, ..fault(1_000_000, "set") }];
        faults.extend(ends.map(|action| fault(2_000_000, action)));
        faults.extend(ends.map(|_| fault(2_100_000, "start-instance")));
        run(&project(caller(breaker), faults))
    };
    let told = |report: &Report| {
        ["breaker_opened_count", "breakers_open", "calls_count", "calls_refused_count"].map(|figure| of(report, "accounts", figure))
    };
    let [opened, open, calls, refused] = told(&with(None));
    assert!((opened, open) == (1, 1) && calls < 30 && refused > 600, "it stays open: {calls} calls, {refused} refused");
    for action in ["crash-instance", "stop-instance"] {
        let [opened, open, calls, refused] = told(&with(Some(action)));
        assert_eq!((opened, open), (1, 0), "{action}");
        assert!(calls > 300 && refused > 100, "{action}: {calls} calls, {refused} refused");
    }
}

/// Whatever an event failed for, its end says so: skipped or in the dead letters.
#[test]
fn ends_say_why_an_event_failed() {
    let reasons = |extra: Json, letters: bool| {
        let mut project = project(caller(extra), Vec::new());
        if letters {
            project = with_letters(project);
        }
        let report = run(&project);
        let of_service = report.ledger.reasons.iter().filter(|reason| reason.at == "accounts");
        of_service.map(|reason| (reason.end.clone(), reason.code.clone(), reason.detail.clone())).collect::<Vec<_>>()
    };
    let one = |end: &str, code: &str, detail: &str| vec![(end.to_owned(), code.to_owned(), detail.to_owned())];
    let failed = "failed twice (the called system answered with an error)";
    assert_eq!(reasons(json!({}), false), one("failed_skipped", "call-failed", &format!("{failed}, skipped")));
    assert_eq!(reasons(json!({}), true), one("dead_lettered", "call-failed", &format!("{failed}, dead-lettered")));
    let late = json!({"call_time": "50ms", "call_timeout": "5ms"});
    let detail = "failed twice (the called system did not answer in time), dead-lettered";
    assert_eq!(reasons(late, true), one("dead_lettered", "call-timeout", detail));
    assert_eq!(
        reasons(json!({"call_failures": "0%", "failure_ratio": "100%"}), true),
        one("dead_lettered", "attempts", "failed twice, dead-lettered")
    );
    let open = json!({"circuit_breaker": true, "breaker_window_size": 1, "breaker_calls_min": 1, "max_attempts": 1});
    let codes: Vec<String> = reasons(open, true).into_iter().map(|(_, code, _)| code).collect();
    assert_eq!(codes, ["call-failed", "circuit-open"]);
}

/// Spring Cloud Stream tries as often as it is told only where a dead-letter topic is linked.
#[test]
fn without_dead_letters_spring_cloud_stream_delivers_ten_times() {
    let told = |letters: bool| {
        let mut project = project(caller(json!({})), Vec::new());
        project.components["accounts"].profile = Some("spring-cloud-stream".to_owned());
        let report = run(&if letters { with_letters(project) } else { project });
        report.ledger.reasons.iter().find(|reason| reason.at == "accounts").expect("everything fails").detail.clone()
    };
    assert_eq!(told(true), "failed twice (the called system answered with an error), dead-lettered");
    assert_eq!(told(false), "failed 10 times (the called system answered with an error), skipped");
}

/// What a group had committed and not done when its instance crashed is named, with place and reason.
#[test]
fn events_lost_by_a_crash_are_named() {
    let mut service = account("outbox");
    service["commit"] = json!("before");
    let report = run(&project(service, vec![fault(2_500_000, "crash-instance"), fault(2_900_000, "start-instance")]));
    let lost = of(&report, "accounts", "lost_count");
    assert!(lost > 0 && report.ledger.lost.len() as u64 == lost, "{lost}: {:?}", report.ledger.lost);
    for event in &report.ledger.lost {
        assert_eq!((event.topic.as_str(), event.at_s), ("commands", 2.5));
        assert_eq!(event.why, "at accounts: committed before it was processed, then the instance crashed");
    }
}

/// A read model rebuilt in the midst of a run, and one that crashes, ends with the rows of one that nothing happened to.
#[test]
fn a_projection_counts_each_event_once() {
    let projection = |track: bool| {
        json!({
            "role": "projection", "columns": [{"name": "count", "type": "int"}],
            "projections": [{"type": "Pay", "set": "count = row.count + 1"}],
            "track_places": track, "service_time": "1ms", "offset_reset": "earliest", "session_timeout": "6s", "heartbeat_interval": "1s",
        })
    };
    let applied = |report: &Report| of(report, "accounts", "applied_count");
    let mut plain = project(projection(true), Vec::new());
    plain.links.retain(|link| link.from.component != "accounts");
    let made = of(&run(&plain), "clients", "produced_count");
    assert_eq!(applied(&run(&plain)), made);
    let with = |faults: Vec<TimedFault>, track: bool| {
        let mut project = project(projection(track), faults);
        project.links.retain(|link| link.from.component != "accounts");
        run(&project)
    };
    let crash = || vec![fault(2_500_000, "crash-instance"), fault(2_900_000, "start-instance")];
    let report = with(crash(), true);
    assert!(of(&report, "accounts", "repeated_count") > 0, "they come again");
    assert_eq!(applied(&report), made, "and change nothing");
    assert!(applied(&with(crash(), false)) > made, "known to be wrong: places that do not stand with the rows");
    let report = with(vec![fault(2_000_000, "rebuild")], true);
    assert_eq!(of(&report, "accounts", "rebuilds_count"), 1);
    assert!(applied(&report) > made && of(&report, "accounts", "rebuild_ms") > 0);
}

/// Rows in the database are what the service holds, whatever happened, and the run is the same without it.
#[cfg(feature = "sqlite")]
#[test]
fn a_database_holds_the_read_model() {
    use eventyard::adapters::state_store::{FILE, SqliteStore};
    use eventyard::export::report_json;
    use eventyard::metrics::Wall;
    use eventyard::run::{Stores, run_with_stores};

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/cqrs-stale-reads.ron");
    let project = eventyard::project::load_file(&path).expect("the sample is there").project;
    let options = RunOptions { length: Some(SimDuration::from_secs(50)), ..RunOptions::default() };
    let plan = || compile(&project, &options).expect("it is sound");
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    let stores = Stores { logs: None, read_models: Some(&mut store) };
    let mut with = run_with_stores(plan(), stores, &mut |_| ControlFlow::Continue(())).expect("it runs");
    let mut without = run_headless(plan(), &mut |_| ControlFlow::Continue(())).expect("it runs");
    (with.wall, without.wall) = (Wall::default(), Wall::default());
    assert_eq!(report_json(&with), report_json(&without));
    drop(store);
    let database = rusqlite::Connection::open(folder.path().join(FILE)).expect("the file is there");
    let number = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("it can be read") as u64;
    assert_eq!(number("SELECT count(*) FROM \"order-list\""), of(&with, "order-list", "read_model_rows"));
    let read = number("SELECT sum(next) FROM _places");
    assert_eq!(read, number("SELECT sum(changes) FROM \"order-list\""), "each event that was read has changed one row");
}

/// Nobody is in charge: whoever stops or crashes for a while, every order ends, and what was done for a cancelled one is undone.
#[test]
fn choreographed_sagas_end_whole_or_undone() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/saga-choreography.ron");
    let sample = eventyard::project::load_file(&path).expect("the sample is there").project;
    let services = ["orders", "payments", "stock"];
    for seed in 0..6 {
        let happens = |at_s: u64, id: &str, action: &str| TimedFault {
            at: SimTime::ZERO + SimDuration::from_secs(at_s),
            target: FaultTarget::Component(id.to_owned()),
            action: action.to_owned(),
            params: Default::default(),
        };
        let (victim, ends) = (services[seed as usize % 3], ["stop-instance", "crash-instance"][seed as usize / 3]);
        let faults = vec![happens(3 + seed, victim, ends), happens(10 + seed, victim, "start-instance"), happens(20, "shop", "pause")];
        let scenario = Scenario { length: Some(SimDuration::from_secs(150)), faults, ..Scenario::default() };
        let mut project = Project { seed, ..sample.clone() };
        project.scenarios = [("all".to_owned(), scenario)].into_iter().collect();
        let plan = compile(&project, &RunOptions::default()).expect("it is sound");
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs");
        assert!(report.ledger.balanced, "seed {seed}");
        for id in services {
            assert_eq!(of(&report, id, "streams_open"), 0, "seed {seed}: {id} after {victim} was gone");
        }
        assert!(of(&report, "orders", "streams") > 500, "seed {seed}");
        // Orders that wait for an answer give up; while they are away themselves, none is placed.
        assert!(victim == "orders" || of(&report, "orders", "deadlines_passed_count") > 20, "seed {seed}");
    }
}
