//! Processes that are gone and begin anew: what they had in memory is told, what stands in a log stays, and the books
//! balance whatever crashes when.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::metrics::Report;
use eventyard::model::Project;
use eventyard::project::read;
use eventyard::random::Stream;
use eventyard::run::run_headless;

use super::broker_sim::seeds;

/// Events of each producer.
const EVENTS: u64 = 400;

/// Shoppers through a gateway, tills straight to the log, mail to a queue; schemas at a registry. `faults` are rows of a
/// timeline.
fn design(seed: u64, settings: &str, faults: &str) -> Project {
    let text = format!(
        r#"(format: 1, name: "Crashes", seed: {seed},
        schemas: {{"order": (inline: "{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{{\"name\":\"a\",\"type\":\"int\"}}]}}")}},
        components: {{
            "web": (kind: "producer", load: "poisson(40/s)", max_events: {EVENTS}, http_timeout: "2s", keys: "uniform(20)",
                events: [(type: "Placed", schema: "orders-value")]),
            "edge": (kind: "gateway", validate: true, service_time: "exp(2ms)", linger: "20ms",
                routes: [(name: "all", paths: ["/"], topic: "orders")], rate_limits: [(hour: 100000)]),
            "till": (kind: "producer", load: "poisson(40/s)", max_events: {EVENTS}, linger: "200ms", request_timeout: "2s",
                delivery_timeout: "10s", {settings} events: [(type: "Sold", topic: "orders")]),
            "mailer": (kind: "producer", load: "poisson(40/s)", max_events: {EVENTS}, queue_linger: "100ms", events: [(type: "Mail")]),
            "shop": (kind: "kafka", brokers: 3, topics: {{"orders": (partitions: 3, replication: 3)}}),
            "mails": (kind: "queue"),
            "schemas": (kind: "registry", subjects: {{"orders-value": (versions: ["order"])}}),
            "billing": (kind: "consumer", instances: 2, service_time: "exp(1ms)", offset_reset: "earliest", commit: "after"),
            "sender": (kind: "consumer", service_time: "exp(1ms)"),
        }},
        links: [
            (from: "web.out", to: "edge.in", latency: "exp(5ms)"), (from: "edge.records", to: "shop.orders"),
            (from: "web.schemas", to: "schemas.in"), (from: "edge.schemas", to: "schemas.in"),
            (from: "till.out", to: "shop.orders"), (from: "shop.orders", to: "billing.in"),
            (from: "mailer.out", to: "mails.in"), (from: "mails.out", to: "sender.in"),
        ],
        scenarios: {{"run": (length: "180s", faults: [{faults}])}})"#
    );
    let loaded = read(&text);
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    loaded.project
}

fn run(project: &Project) -> Report {
    let plan = compile(project, &RunOptions::default())
        .unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    report
}

fn abandoned_by(report: &Report, component: &str) -> u64 {
    let by = report.ledger.reasons.iter().filter(|reason| reason.at == component && reason.code == "crash");
    by.map(|reason| reason.count).sum()
}

#[test]
fn a_producer_gives_up_what_it_had_and_begins_anew() {
    let report = run(&design(1, "", r#"(at: "5s", component: "till", action: "crash", for: "4s")"#));
    let lost = abandoned_by(&report, "till");
    assert!((1..100).contains(&lost), "what waited for linger is gone: {lost}");
    let [fault] = report.faults.as_slice() else { panic!("{:?}", report.faults) };
    assert_eq!((fault.effects["work_lost"], fault.until_s), (lost, Some(9.0)));
    let ledger = &report.ledger;
    assert_eq!((ledger.submissions.created, ledger.submissions.in_flight), (3 * EVENTS, 0), "it makes the rest after its restart");
    assert_eq!(ledger.submissions.accepted + ledger.submissions.abandoned, 3 * EVENTS, "{ledger:#?}");
    assert_eq!(ledger.submissions.abandoned, lost);
    assert_eq!(ledger.obligations.delivered, ledger.submissions.accepted);
}

#[test]
fn what_a_log_had_before_its_producer_crashed_counts() {
    let slow = r#"(at: "1s", component: "shop", action: "freeze", for: "5s"), (at: "3s", component: "till", action: "crash", for: "1s")"#;
    let report = run(&design(1, "", slow));
    let fault = report.faults.iter().find(|fault| fault.action == "crash").expect("it is told");
    assert!(abandoned_by(&report, "till") < fault.effects["work_lost"], "the frozen cluster takes what was under way to it");
    let sold = report.ledger.event_types.iter().find(|one| one.event_type == "Sold").expect("the till's events");
    assert_eq!(sold.submissions.duplicate_appends, 0, "a new process is another producer to the log, and sends nothing again");
}

#[test]
fn a_gateway_that_crashes_leaves_its_clients_to_their_timeouts() {
    let report = run(&design(2, "", r#"(at: "5s", component: "edge", action: "crash", for: "3s")"#));
    let fault = &report.faults[0];
    assert!(fault.effects["messages_lost"] > 0, "requests to nobody: {:?}", fault.effects);
    let terms = &report.ledger.submissions;
    assert_eq!((terms.in_flight, terms.created), (0, 3 * EVENTS));
    assert!(terms.abandoned > 0 || report.components["web"]["retried_count"] > 0.0, "{terms:?}");
}

#[test]
fn a_registry_comes_back_with_its_schemas() {
    let report = run(&design(3, "", r#"(at: "0s", component: "schemas", action: "crash", for: "7s")"#));
    assert_eq!(report.ledger.submissions.accepted, 3 * EVENTS, "whoever asks again is answered: {:#?}", report.ledger);
    assert!(report.faults[0].effects["messages_lost"] > 0);
}

#[test]
fn who_is_down_takes_nothing_until_it_is_restarted() {
    let faults = r#"(at: "2s", component: "till", action: "crash"), (at: "3s", component: "till", action: "crash"),
        (at: "4s", component: "till", action: "freeze", for: "1s"), (at: "5s", component: "till", action: "poison"),
        (at: "6s", component: "till", action: "restart"), (at: "7s", component: "till", action: "restart")"#;
    let report = run(&design(4, "", faults));
    let refusals: Vec<Option<&str>> = report.faults.iter().map(|fault| fault.refused.as_deref()).collect();
    let down = Some("it is down");
    assert_eq!(refusals, [None, down, down, down, None, Some("it runs")]);
    assert_eq!((report.faults[0].until_s, report.ledger.submissions.created), (Some(6.0), 3 * EVENTS));
}

/// Rows of a timeline: crashes, freezes, troubles of links and nodes.
fn drawn(rng: &mut Stream) -> String {
    let mut rows = String::new();
    for _ in 0..1 + rng.below(8) {
        let (at, span) = (100 + rng.below(20_000), 1 + rng.below(6_000));
        let who = ["web", "edge", "till", "mailer", "schemas"][rng.below(5) as usize];
        rows += &match rng.below(8) {
            0..=4 => format!(r#"(at: "{at}ms", component: "{who}", action: "crash", for: "{span}ms"),"#),
            5 => format!(r#"(at: "{at}ms", component: "{who}", action: "freeze", for: "{span}ms"),"#),
            6 => format!(r#"(at: "{at}ms", link: "web.out -> edge.in", action: "duplicate", for: "{span}ms", ratio: "30%"),"#),
            _ => {
                let node = rng.below(3);
                let until = at + span;
                format!(
                    r#"(at: "{at}ms", component: "shop", action: "crash-node", node: {node}), (at: "{until}ms", component: "shop", action: "restart-node", node: {node}),"#
                )
            }
        };
    }
    rows
}

#[test]
fn the_books_balance_whatever_crashes_when() {
    const SETTINGS: [&str; 4] =
        ["", "acks: \"1\", idempotence: false,", "acks: \"0\", idempotence: false,", "transactional_id: \"till\", transaction_size: 20,"];
    for seed in seeds() {
        let mut rng = Stream::new(seed, "crashes", "faults");
        let settings = SETTINGS[rng.below(SETTINGS.len() as u64) as usize];
        let faults = drawn(&mut rng);
        let report = run(&design(seed, settings, &faults));
        let replay = format!("replay with: EVENTYARD_SEED={seed} cargo test --test it -- crashes::the_books\n{faults}");
        let (terms, owed) = (&report.ledger.submissions, &report.ledger.obligations);
        assert_eq!((terms.created, terms.in_flight), (3 * EVENTS, 0), "{replay}");
        assert_eq!(owed.in_flight, 0, "{replay}\n{:#?}", report.ledger);
        let done = owed.delivered + owed.aborted + owed.lost;
        assert_eq!(done, owed.created, "{replay}\n{owed:#?}");
    }
}
