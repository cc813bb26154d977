//! Fan-out topics that push to consumers and gateways over HTTP: retries, refusals, outages, and the ledger balances.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, check, compile};
use eventyard::diagnostics::Severity;
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, TimedFault};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn component(kind: &str, profile: Option<&str>, params: Json) -> Component {
    let params = serde_json::from_value(params).expect("parameters are an object");
    Component { kind: kind.to_owned(), profile: profile.map(str::to_owned), params, ..Component::default() }
}

fn link(from: &str, to: &str, params: Json) -> Link {
    let end = |text: &str| Endpoint::parse(text).expect("component.port");
    Link { from: end(from), to: end(to), params: serde_json::from_value(params).expect("an object") }
}

/// web ─► news ─► hook, pushed; what news gives up goes to lost.
#[derive(Debug)]
struct Design {
    web: Json,
    row: Json,
    hook: Json,
    wire: Json,
    faults: Vec<(u64, &'static str, Json)>,
    has_letters: bool,
    seed: u64,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            web: json!({"load": "constant(20/s)", "max_events": 400}),
            row: json!({}),
            hook: json!({"service_time": "5ms", "instances": 2}),
            wire: json!({}),
            faults: Vec::new(),
            has_letters: true,
            seed: 1,
        }
    }
}

impl Design {
    fn project(&self) -> Project {
        let mut components = vec![
            ("web", component("producer", None, self.web.clone())),
            ("news", component("fanout", Some("sns-standard"), json!({"subscriptions": {"hook": self.row}}))),
            ("hook", component("consumer", None, self.hook.clone())),
        ];
        let mut links = vec![link("web.out", "news.in", json!({})), link("news.subscriptions", "hook.in", self.wire.clone())];
        if self.has_letters {
            components.push(("lost", component("queue", Some("sqs-standard"), json!({}))));
            links.push(link("news.dead_letters", "lost.in", json!({})));
        }
        let fault = |(at, action, params): &(u64, &str, Json)| TimedFault {
            at: SimTime::ZERO + SimDuration::from_secs(*at),
            target: FaultTarget::Component("hook".to_owned()),
            action: (*action).to_owned(),
            params: serde_json::from_value(params.clone()).expect("an object"),
        };
        let faults = self.faults.iter().map(fault).collect();
        let scenario = Scenario { faults, length: Some(SimDuration::from_secs(120)), ..Scenario::default() };
        Project {
            name: "push".to_owned(),
            seed: self.seed,
            components: components.into_iter().map(|(id, component)| (id.to_owned(), component)).collect(),
            links,
            scenarios: [("run".to_owned(), scenario)].into_iter().collect(),
            ..Project::default()
        }
    }
    fn run(&self) -> Report {
        let plan = compile(&self.project(), &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
        assert!(report.ledger.balanced, "{:#?}", report.ledger);
        report
    }
}

fn figure(report: &Report, component: &str, name: &str) -> f64 {
    report.components[component].get(name).copied().unwrap_or_else(|| panic!("{name}: {:?}", report.components[component].keys()))
}

#[test]
fn what_is_published_is_processed_by_the_endpoint() {
    let report = Design::default().run();
    let terms = &report.ledger.obligations;
    assert_eq!((terms.created, terms.delivered, terms.duplicate_deliveries, terms.in_flight), (400, 400, 0, 0), "{terms:#?}");
    assert_eq!(figure(&report, "hook", "processed_count"), 400.0);
}

#[test]
fn a_servers_error_is_tried_again_and_a_clients_error_is_not() {
    let failing = |status: u16, has_letters| {
        let hook = json!({"service_time": "5ms", "failure_ratio": "100%", "failure_status": status});
        let web = json!({"load": "constant(20/s)", "max_events": 100});
        Design { hook, web, has_letters, ..Design::default() }.run()
    };
    let (server, throttled, client) = (failing(500, true), failing(429, true), failing(404, true));
    for patient in [&server, &throttled] {
        assert_eq!(figure(patient, "news", "retried_count[hook]"), 300.0, "three retries each");
        assert_eq!(patient.ledger.obligations.dead_lettered, 100);
    }
    assert_eq!(figure(&client, "news", "retried_count[hook]"), 0.0);
    assert_eq!(figure(&client, "hook", "requests_count"), 100.0);
    assert_eq!((client.ledger.obligations.dead_lettered, client.ledger.obligations.lost), (100, 0));
    assert_eq!(figure(&client, "lost", "appended_count"), 100.0);
    assert_eq!(failing(404, false).ledger.obligations.lost, 100, "without a dead-letter queue");
}

#[test]
fn an_outage_shorter_than_the_retries_costs_nothing() {
    let outage = |row: Json| {
        let crash = |at| (at, "crash-instance", json!({}));
        let start = |at| (at, "start-instance", json!({}));
        Design { row, faults: vec![crash(5), crash(5), start(15), start(15)], ..Design::default() }.run()
    };
    let (patient, hasty) = (outage(json!({})), outage(json!({"retries": 3, "immediate_retries": 3})));
    assert_eq!((patient.ledger.obligations.delivered, patient.ledger.obligations.dead_lettered), (400, 0));
    assert!(figure(&patient, "hook", "refused_count") >= 190.0);
    assert!((150..250).contains(&hasty.ledger.obligations.dead_lettered), "{:#?}", hasty.ledger.obligations);
}

#[test]
fn a_throttle_spaces_deliveries_out() {
    let report = Design { row: json!({"max_receives_per_second": 4}), ..Design::default() }.run();
    assert!(figure(&report, "hook", "requests_count") >= 390.0, "100 s for 400 deliveries");
    let slow = Design { row: json!({"max_receives_per_second": 1}), ..Design::default() }.run();
    let received = figure(&slow, "hook", "requests_count");
    assert!((115.0..=121.0).contains(&received), "{received}");
}

#[test]
fn a_silent_endpoint_is_given_fifteen_seconds() {
    let slow = Design { hook: json!({"service_time": "40s", "instances": 1, "concurrency": 1000}), ..Design::default() };
    let report = Design { web: json!({"load": "constant(20/s)", "max_events": 5}), ..slow }.run();
    assert!(figure(&report, "news", "retried_count[hook]") >= 5.0);
    assert!(report.ledger.obligations.duplicate_deliveries > 0, "what was given up went on all the same");
}

#[test]
fn contradictions_of_a_delivery_policy_are_named() {
    let errors = |row: Json| {
        let problems = check(&Design { row, ..Design::default() }.project());
        problems.into_iter().filter(|problem| problem.severity == Severity::Error).map(|problem| problem.path).collect::<Vec<_>>()
    };
    let at = |name: &str| vec![format!("components.news.subscriptions.hook.{name}")];
    assert_eq!(errors(json!({})), [""; 0]);
    assert_eq!(errors(json!({"retries": 2, "immediate_retries": 3})), at("retries"));
    assert_eq!(errors(json!({"retry_delay_min": "30s"})), at("retry_delay_min"));
    assert_eq!(errors(json!({"retries": 100, "retry_delay_max": "10min"})), at("retries"), "an hour in all");
    let mut project = Design::default().project();
    project.components["news"].profile = Some("sns-fifo".to_owned());
    let problems = check(&project);
    assert!(problems.iter().any(|problem| problem.severity == Severity::Error && problem.message.contains("over HTTP")), "{problems:#?}");
}

fn pick(options: &[Json]) -> impl Strategy<Value = Json> + use<> {
    prop::sample::select(options.to_vec())
}

prop_compose! {
    fn design()(
        seed in any::<u64>(),
        row in pick(&[
            json!({}),
            json!({"retries": 5, "retry_delay_min": "1s", "retry_delay_max": "4s", "backoff": "exponential", "raw": true}),
            json!({"retries": 2, "immediate_retries": 1, "early_retries": 1, "retry_delay_min": "1s", "max_receives_per_second": 15}),
        ]),
        hook in pick(&[
            json!({"service_time": "exp(30ms)", "failure_ratio": "30%"}),
            json!({"service_time": "exp(500ms)", "request_queue": 3, "concurrency": 2}),
            json!({"service_time": "2ms", "failure_ratio": "20%", "failure_status": 404, "instances": 3}),
        ]),
        wire in pick(&[json!({}), json!({"loss": "10%"}), json!({"latency": "exp(40ms)"})]),
        faults in prop::collection::vec((1u64..100, prop::sample::select(vec!["crash-instance", "stop-instance", "start-instance"])), 0..6),
        has_letters in any::<bool>(),
    ) -> Design {
        let faults = faults.into_iter().map(|(at, action)| (at, action, json!({}))).collect();
        Design { web: json!({"load": "poisson(20/s)"}), row, hook, wire, faults, has_letters, seed }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_delivery_is_accounted_for(design in design()) {
        let report = design.run();
        let terms = &report.ledger.obligations;
        let shown = || format!("{:#?}\n{}", report.ledger, eventyard::project::write(&design.project()));
        prop_assert_eq!(terms.failed_skipped + terms.rejected_at_consumer + terms.expired + terms.forwarded, 0, "{}", shown());
        prop_assert!(design.has_letters || terms.dead_lettered == 0, "{}", shown());
        prop_assert!(!design.has_letters || terms.lost == 0, "{}", shown());
        prop_assert!(terms.delivered + terms.dead_lettered + terms.lost + terms.in_flight >= terms.created, "{}", shown());
    }
}
