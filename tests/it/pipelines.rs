//! Consumers that write a result for each event they process: consume, transform, produce.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, check, compile};
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, SchemaSource, TimedFault};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use serde_json::{Value as Json, json};

use crate::design::values;

const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"}]}"#;
const INVOICE: &str = r#"{"type":"record","name":"Invoice","fields":[{"name":"number","type":"long"}]}"#;

/// web ─► orders ─► worker ─► invoices ─► billing, for one scenario of a minute.
struct Pipeline {
    project: Project,
    scenario: Scenario,
}

impl Pipeline {
    fn new(worker: Json) -> Self {
        let length = Some(SimDuration::from_secs(60));
        let mut pipeline = Self {
            project: Project { name: "pipeline".to_owned(), seed: 11, ..Project::default() },
            scenario: Scenario { length, ..Scenario::default() },
        };
        pipeline.add("web", "producer", json!({"load": "poisson(50/s)", "keys": "uniform(20)", "max_events": 1_000}));
        let topics = json!({"orders": {"partitions": 3}, "invoices": {"partitions": 2}});
        let members = json!({"consumer_session_timeout": "6s", "consumer_heartbeat_interval": "1s"});
        pipeline.add("shop", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": topics}));
        pipeline.project.components["shop"].params.extend(values(members));
        let mut params = json!({"service_time": "exp(8ms)", "offset_reset": "earliest"});
        if worker["group_protocol"] != "consumer" {
            params["session_timeout"] = json!("6s");
            params["heartbeat_interval"] = json!("1s");
        }
        for (name, value) in worker.as_object().expect("a group of fields") {
            params[name] = value.clone();
        }
        pipeline.add("worker", "consumer", params);
        pipeline.add("billing", "consumer", json!({"service_time": "1ms", "offset_reset": "earliest"}));
        for (from, to) in
            [("web.out", "shop.orders"), ("shop.orders", "worker.in"), ("worker.results", "shop.invoices"), ("shop.invoices", "billing.in")]
        {
            pipeline.link(from, to);
        }
        pipeline
    }
    fn add(&mut self, id: &str, kind: &str, params: Json) {
        let component = Component { kind: kind.to_owned(), params: values(params), ..Component::default() };
        self.project.components.insert(id.to_owned(), component);
    }
    fn link(&mut self, from: &str, to: &str) {
        let end = |text: &str| Endpoint::parse(text).expect("component.port");
        self.project.links.push(Link { from: end(from), to: end(to), params: values(json!({"latency": "exp(2ms)"})) });
    }
    fn fault(mut self, seconds: u64, target: &str, action: &str, params: Json) -> Self {
        let at = SimTime::ZERO + SimDuration::from_secs(seconds);
        let target = FaultTarget::Component(target.to_owned());
        self.scenario.faults.push(TimedFault { at, target, action: action.to_owned(), params: values(params) });
        self
    }
    fn run(mut self) -> Report {
        self.project.scenarios.insert("only".to_owned(), self.scenario);
        let plan = compile(&self.project, &RunOptions::default())
            .unwrap_or_else(|problems| panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")));
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
        assert!(report.ledger.balanced, "{:#?}", report.ledger);
        report
    }
    /// Two crashes of the only worker, each followed by a start.
    fn crashed(self) -> Self {
        let crash = |pipeline: Self, at| pipeline.fault(at, "worker", "crash-instance", json!({}));
        let start = |pipeline: Self, at| pipeline.fault(at, "worker", "start-instance", json!({}));
        start(crash(start(crash(self, 5), 6), 12), 13)
    }
}

fn figure(report: &Report, component: &str, name: &str) -> f64 {
    report.components[component]
        .get(name)
        .copied()
        .unwrap_or_else(|| panic!("{component} has no {name}: {:?}", report.components[component]))
}

#[test]
fn every_event_gives_one_result_that_carries_its_root() {
    let report = Pipeline::new(json!({"commit": "after"})).run();
    let ledger = &report.ledger;
    assert_eq!((ledger.submissions.created, ledger.submissions.derived), (2_000, 1_000));
    assert_eq!((ledger.submissions.accepted, ledger.obligations.delivered), (2_000, 2_000));
    assert_eq!(figure(&report, "worker", "results_count"), 1_000.0);
    let (own, root) = (figure(&report, "billing", "latency_ms_mean"), figure(&report, "billing", "root_latency_ms_mean"));
    assert!(own < 10.0 && root > own + 8.0, "its own {own} ms, from its root {root} ms");
}

#[test]
fn results_have_a_type_and_a_schema_of_their_own() {
    for registered in [false, true] {
        let (order, invoice) = if registered { ("orders-value", "invoices-value") } else { ("order", "invoice") };
        let mut pipeline = Pipeline::new(json!({"result_type": "InvoiceMade", "result_schema": invoice}));
        for (name, text) in [("order", SCHEMA), ("invoice", INVOICE)] {
            pipeline.project.schemas.insert(name.to_owned(), SchemaSource { path: None, text: text.into() });
        }
        let events = json!([{"type": "OrderPlaced", "schema": order}]);
        pipeline.project.components["web"].params.extend(values(json!({"events": events})));
        if registered {
            let subjects = json!({"orders-value": {"versions": ["order"]}, "invoices-value": {"versions": ["invoice"]}});
            pipeline.add("registry", "registry", json!({"subjects": subjects}));
            for client in ["web.schemas", "worker.schemas", "billing.schemas"] {
                pipeline.link(client, "registry.in");
            }
        }
        let report = pipeline.run();
        assert_eq!(report.ledger.obligations.delivered, 2_000, "{:#?}", report.ledger);
        assert!(report.ledger.reasons.is_empty(), "{:?}", report.ledger.reasons);
    }
}

#[test]
fn a_crash_loses_or_repeats_as_positions_are_committed() {
    let at_most_once = Pipeline::new(json!({"commit": "before"})).crashed().run();
    let (lost, twice) = (figure(&at_most_once, "worker", "lost_count"), figure(&at_most_once, "worker", "duplicate_count"));
    assert!(lost > 0.0 && twice == 0.0, "at most once: {lost} lost, {twice} twice");
    assert_eq!(at_most_once.ledger.obligations.lost as f64, lost);

    let at_least_once = Pipeline::new(json!({"commit": "auto"})).crashed().run();
    let (lost, twice) = (figure(&at_least_once, "worker", "lost_count"), figure(&at_least_once, "worker", "duplicate_count"));
    assert!(lost == 0.0 && twice > 0.0, "at least once: {lost} lost, {twice} twice");
    let made = at_least_once.ledger.submissions.derived;
    assert!(made > 1_000, "repeated work makes another result: {made}");
    let again = figure(&at_least_once, "billing", "duplicate_count");
    assert!(again > 0.0 && again <= made as f64 - 1_000.0, "{again} of {made} results say again what another has said");
    assert_eq!(at_least_once.ledger.obligations.in_flight, 0);
}

#[test]
fn a_crash_costs_the_same_under_the_consumer_protocol() {
    let run = |commit: &str| Pipeline::new(json!({"commit": commit, "group_protocol": "consumer"})).crashed().run();
    let counts = |report: &Report| (figure(report, "worker", "lost_count"), figure(report, "worker", "duplicate_count"));
    let (lost, twice) = counts(&run("before"));
    assert!(lost > 0.0 && twice == 0.0, "at most once: {lost} lost, {twice} twice");
    for commit in ["auto", "after"] {
        let report = run(commit);
        let (lost, twice) = counts(&report);
        assert!(lost == 0.0 && twice > 0.0, "at least once: {lost} lost, {twice} twice");
        assert_eq!((report.ledger.obligations.in_flight, figure(&report, "worker", "delivered_count")), (0, 1_000.0));
    }
}

#[test]
fn a_result_that_cannot_be_written_fails_its_attempt() {
    let worker = json!({"on_failure": "skip", "max_attempts": 1, "commit": "after"});
    let mut pipeline = Pipeline::new(worker);
    let topics = json!({"orders": {"partitions": 3}, "invoices": {"partitions": 2, "max_message_size": "100B"}});
    pipeline.project.components["shop"].params.extend(values(json!({"topics": topics})));
    let ledger = pipeline.run().ledger;
    assert_eq!((ledger.submissions.accepted, ledger.submissions.rejected), (1_000, 1_000));
    assert_eq!(ledger.obligations.failed_skipped, 1_000);
}

#[test]
fn links_of_results_are_checked() {
    let codes = |edit: &dyn Fn(&mut Pipeline)| {
        let mut pipeline = Pipeline::new(json!({}));
        edit(&mut pipeline);
        let found = check(&pipeline.project).into_iter().filter(|one| one.path.starts_with("components.worker"));
        found.map(|one| one.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&|_| {}), Vec::<String>::new());
    assert_eq!(codes(&|pipeline| pipeline.link("worker.results", "shop.orders")), ["link-twice", "feedback-loop"]);
    assert_eq!(codes(&|pipeline| pipeline.link("worker.dead_letters", "shop.orders")), ["feedback-loop"]);
    let unlinked = |pipeline: &mut Pipeline| {
        pipeline.project.links.retain(|link| link.from.port != "results");
        pipeline.project.components["worker"].params.extend(values(json!({"result_type": "X"})));
    };
    assert_eq!(codes(&unlinked), ["setting-unused"]);
}

#[test]
fn readers_of_results_share_the_promises_of_who_makes_them() {
    let broken = |commit: &str| {
        let mut pipeline = Pipeline::new(json!({"commit": commit})).crashed();
        for promise in ["at_least_once", "at_most_once"] {
            pipeline.project.expect.push(format!("guarantee(\"billing\", {promise})"));
        }
        let report = pipeline.run();
        let missed = report.expectations.into_iter().filter(|expectation| !expectation.met);
        missed.map(|expectation| (expectation.text, expectation.figure)).collect::<Vec<_>>()
    };
    let [(text, why)] = &broken("before")[..] else { panic!("one promise is broken") };
    assert!(text.contains("at_least_once") && why.contains("never processed, gone at worker"), "{text}: {why}");
    let [(text, why)] = &broken("auto")[..] else { panic!("one promise is broken") };
    assert!(text.contains("at_most_once") && why.contains("another result of the same event"), "{text}: {why}");
}

/// The same with `billing` reading what is committed.
fn committed(worker: Json) -> Pipeline {
    let mut pipeline = Pipeline::new(worker);
    pipeline.project.components["billing"].params.extend(values(json!({"isolation": "read_committed"})));
    pipeline
}

#[test]
fn a_transaction_a_poll_carries_results_and_positions() {
    let report = committed(json!({"commit": "transaction"})).run();
    let ledger = &report.ledger;
    assert_eq!((ledger.submissions.derived, ledger.obligations.delivered), (1_000, 2_000), "{ledger:#?}");
    let commits = figure(&report, "shop", "committed_transactions_count");
    assert!((100.0..=1_000.0).contains(&commits), "{commits}");
    assert_eq!(figure(&report, "shop", "aborted_transactions_count"), 0.0);
    assert_eq!(figure(&report, "shop", "open_transactions"), 0.0);
}

#[test]
fn exactly_once_neither_loses_nor_repeats_whatever_crashes() {
    let worker = json!({"commit": "transaction", "poll_size": 10, "transaction_timeout": "10s"});
    for protocol in ["classic", "consumer"] {
        let mut worker = worker.clone();
        worker["group_protocol"] = json!(protocol);
        let report = committed(worker).crashed().run();
        let (ledger, ends) = (&report.ledger, &report.ledger.obligations);
        assert_eq!((ends.lost, ends.duplicate_deliveries, ends.in_flight), (0, 0, 0), "{protocol}: {ledger:#?}");
        assert_eq!(figure(&report, "worker", "delivered_count"), 1_000.0, "{protocol}");
        assert_eq!(figure(&report, "billing", "delivered_count"), 1_000.0, "{protocol}: {ledger:#?}");
        assert!(ends.aborted > 0, "a crash leaves an aborted transaction");
    }

    let mut uncommitted = committed(worker);
    uncommitted.project.components["billing"].params.extend(values(json!({"isolation": "read_uncommitted"})));
    let report = uncommitted.crashed().run();
    assert!(figure(&report, "billing", "delivered_count") > 1_000.0, "who reads uncommitted events sees aborted ones");
    assert_eq!(report.ledger.obligations.aborted, 0);
}

/// web ─► orders ─► billing, which reads what is committed, and an auditor that reads everything.
fn transactional(web: Json) -> Pipeline {
    let mut pipeline = committed(json!({}));
    pipeline.project.components.shift_remove("worker");
    pipeline.project.links.clear();
    pipeline.project.components["web"].params.extend(values(web));
    pipeline.add("auditor", "consumer", json!({"service_time": "1ms", "offset_reset": "earliest"}));
    for (from, to) in [("web.out", "shop.orders"), ("shop.orders", "billing.in"), ("shop.orders", "auditor.in")] {
        pipeline.link(from, to);
    }
    pipeline
}

#[test]
fn a_producer_commits_or_aborts_whole_transactions() {
    let web = json!({"transactional_id": "tills", "transaction_size": 10, "transaction_time": "1s", "aborted_ratio": "20%"});
    let report = transactional(web).run();
    let (committed, aborted) =
        (figure(&report, "web", "committed_transactions_count"), figure(&report, "web", "aborted_transactions_count"));
    assert!(committed > 60.0 && aborted > 5.0 && committed + aborted >= 100.0, "{committed} committed, {aborted} aborted");
    assert_eq!(report.ledger.submissions.accepted, 1_000, "what is aborted stands in the log too");
    assert_eq!(figure(&report, "auditor", "delivered_count"), 1_000.0);
    let seen = figure(&report, "billing", "delivered_count");
    assert_eq!(seen + report.ledger.obligations.aborted as f64, 1_000.0);
    assert!((700.0..1_000.0).contains(&seen), "{seen} of a thousand are committed");
    let latency = figure(&report, "billing", "latency_ms_mean");
    assert!(latency > figure(&report, "auditor", "latency_ms_mean") + 50.0, "who reads what is committed waits for that: {latency} ms");
}

#[test]
fn a_second_producer_with_the_same_name_fences_the_first() {
    let web = json!({"transactional_id": "tills", "transaction_size": 10});
    let mut pipeline = transactional(web.clone());
    pipeline.add("twin", "producer", web);
    pipeline.project.components["twin"].params.extend(values(json!({"load": "constant(10/s)", "max_events": 50})));
    pipeline.link("twin.out", "shop.orders");
    let report = pipeline.run();
    let fenced: u64 = report.ledger.reasons.iter().filter(|reason| reason.code == "fenced").map(|reason| reason.count).sum();
    assert!(fenced > 0, "{:?}", report.ledger.reasons);
    let accepted = |id: &str| figure(&report, id, "accepted_count");
    assert!(accepted("twin") == 50.0 || accepted("web") == 1_000.0, "one of them goes on: {} {}", accepted("twin"), accepted("web"));
}

#[test]
fn a_transaction_that_is_left_open_holds_readers_up_until_its_timeout() {
    let worker = json!({"commit": "transaction", "transaction_timeout": "15s", "service_time": "30ms", "poll_size": 20});
    let report = committed(worker).fault(10, "worker", "crash-instance", json!({})).run();
    let timed_out = figure(&report, "shop", "aborted_transactions_count");
    assert_eq!(timed_out, 1.0, "nobody comes back: the coordinator aborts it");
    assert!(report.ledger.obligations.aborted > 0, "and its readers pass it over");
    assert_eq!(figure(&report, "shop", "open_transactions"), 0.0);
}

#[test]
fn settings_of_transactions_are_checked() {
    let codes = |web: Json| {
        let found = check(&transactional(web).project).into_iter().filter(|one| one.path.starts_with("components.web"));
        found.map(|one| format!("{} {}", one.code, one.path.trim_start_matches("components.web."))).collect::<Vec<_>>()
    };
    assert_eq!(codes(json!({"transactional_id": "tills"})), Vec::<String>::new());
    assert_eq!(codes(json!({"aborted_ratio": "5%"})), ["setting-unused aborted_ratio"]);
    let contradiction = "setting-contradiction transactional_id".to_owned();
    assert!(codes(json!({"transactional_id": "tills", "acks": "1"})).contains(&contradiction));
    let mut pipeline = Pipeline::new(json!({"commit": "transaction"}));
    pipeline.project.links.retain(|link| link.from.port != "results");
    let found = check(&pipeline.project);
    assert!(found.iter().any(|one| one.code == "link-missing" && one.path == "components.worker.commit"), "{found:?}");
}
