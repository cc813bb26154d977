//! Designs with queues: random settings and faults, and for each the ledger balances; and what each setting is for.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, check, compile};
use eventyard::diagnostics::Severity;
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, TimedFault, Value};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use indexmap::IndexMap;
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

fn fault(at_s: u64, component: &str, action: &str, params: Json) -> TimedFault {
    let params: IndexMap<String, Value> = serde_json::from_value(params).expect("an object");
    TimedFault {
        at: SimTime::ZERO + SimDuration::from_secs(at_s),
        target: FaultTarget::Component(component.to_owned()),
        action: action.to_owned(),
        params,
    }
}

/// web ─► jobs ─► worker, and jobs ─► letters ─► clerk.
#[derive(Debug)]
struct Design {
    fifo: bool,
    web: Json,
    jobs: Json,
    letters: Json,
    worker: Json,
    wire: Json,
    faults: Vec<TimedFault>,
    seed: u64,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            fifo: false,
            web: json!({"load": "poisson(40/s)", "keys": "uniform(20)"}),
            jobs: json!({"visibility_timeout": "5s", "max_receive_count": 3, "receive_wait": "20s"}),
            letters: json!({"receive_wait": "20s"}),
            worker: json!({"service_time": "exp(20ms)", "instances": 2}),
            wire: json!({}),
            faults: Vec::new(),
            seed: 1,
        }
    }
}

impl Design {
    fn project(&self) -> Project {
        let profile = Some(if self.fifo { "sqs-fifo" } else { "sqs-standard" });
        let components = [
            ("web", component("producer", None, self.web.clone())),
            ("jobs", component("queue", profile, self.jobs.clone())),
            ("letters", component("queue", profile, self.letters.clone())),
            ("worker", component("consumer", None, self.worker.clone())),
            ("clerk", component("consumer", None, json!({"service_time": "5ms"}))),
        ];
        let scenario = Scenario { faults: self.faults.clone(), length: Some(SimDuration::from_secs(60)), ..Scenario::default() };
        Project {
            name: "queues".to_owned(),
            seed: self.seed,
            components: components.into_iter().map(|(id, component)| (id.to_owned(), component)).collect(),
            links: vec![
                link("web.out", "jobs.in", self.wire.clone()),
                link("jobs.out", "worker.in", self.wire.clone()),
                link("jobs.dead_letters", "letters.in", self.wire.clone()),
                link("letters.out", "clerk.in", json!({})),
            ],
            scenarios: [("run".to_owned(), scenario)].into_iter().collect(),
            ..Project::default()
        }
    }

    fn run(&self) -> Report {
        let plan = compile(&self.project(), &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends")
    }
}

fn problems(project: &Project) -> Vec<(Severity, String)> {
    check(project).into_iter().map(|problem| (problem.severity, problem.code)).collect()
}

#[test]
fn what_is_sent_is_processed_and_deleted() {
    let report = Design { jobs: json!({"duplicate_ratio": "0%", "visibility_timeout": "30s"}), ..Design::default() };
    let mut project = report.project();
    project.links.retain(|link| link.from.port != "dead_letters");
    assert!(problems(&project).iter().all(|(severity, _)| *severity != Severity::Error), "{:?}", problems(&project));
    let plan = compile(&project, &RunOptions::default()).expect("it runs");
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
    let terms = &report.ledger.obligations;
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert!(terms.created > 2_000 && terms.in_flight < 40, "{terms:#?}");
    assert_eq!((terms.duplicate_deliveries, terms.lost, terms.dead_lettered), (0, 0, 0), "{terms:#?}");
    assert_eq!(report.ledger.submissions.accepted, terms.created);
}

#[test]
fn work_longer_than_the_visibility_timeout_is_done_twice() {
    let design = |visibility: &str| Design {
        jobs: json!({"visibility_timeout": visibility, "duplicate_ratio": "0%", "receive_wait": "20s", "max_receive_count": 1000}),
        worker: json!({"service_time": "exp(1s)", "instances": 60, "receive_size": 1}),
        ..Design::default()
    };
    let (short, long) = (design("1s").run().ledger.obligations, design("30s").run().ledger.obligations);
    assert!(short.duplicate_deliveries > 200, "{short:#?}");
    assert_eq!(long.duplicate_deliveries, 0, "{long:#?}");
}

#[test]
fn heartbeats_keep_long_work_hidden_and_a_crashed_workers_message_comes_back_soon() {
    let design = |heartbeat: Option<&str>| {
        let mut worker = json!({"service_time": "exp(1s)", "instances": 60, "receive_size": 1});
        worker.as_object_mut().expect("an object").extend(heartbeat.map(|every| ("visibility_heartbeat".to_owned(), json!(every))));
        Design {
            jobs: json!({"visibility_timeout": "1s", "duplicate_ratio": "0%", "receive_wait": "20s", "max_receive_count": 1000}),
            worker,
            faults: vec![fault(20, "worker", "crash-instance", json!({}))],
            ..Design::default()
        }
    };
    let (with, without) = (design(Some("300ms")).run(), design(None).run());
    assert!(without.ledger.obligations.duplicate_deliveries > 200, "{:#?}", without.ledger.obligations);
    assert_eq!(with.ledger.obligations.duplicate_deliveries, 0, "{:#?}", with.ledger.obligations);
    assert!(with.ledger.balanced && with.components["worker"]["heartbeats_count"] > 1_000.0);
    assert!(with.ledger.obligations.in_flight < 200, "what the crashed one had is done by others");
    let late = problems(&design(Some("2s")).project());
    assert!(late.contains(&(Severity::Error, "setting-contradiction".to_owned())), "{late:?}");
}

#[test]
fn one_consumer_reads_several_queues_and_deletes_in_batches() {
    let mut project = Design {
        jobs: json!({"duplicate_ratio": "0%", "receive_wait": "20s", "max_receive_count": 3}),
        letters: json!({"receive_wait": "20s", "duplicate_ratio": "0%"}),
        worker: json!({"service_time": "2ms", "failure_ratio": "10%", "failed_visibility": "0s", "delete_linger": "50ms"}),
        ..Design::default()
    }
    .project();
    project.components.shift_remove("clerk");
    project.links.retain(|link| link.to.component != "clerk");
    project.links.push(link("letters.out", "worker.in", json!({})));
    let plan = compile(&project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
    let terms = &report.ledger.obligations;
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert!(terms.delivered > 2_000 && terms.duplicate_deliveries == 0, "{terms:#?}");
    let of = |queue: &str, name: &str| report.components[queue][name];
    assert!(of("letters", "appended_count") > 0.0 && of("letters", "deleted_count") > 0.0, "dead letters are read by the same consumer");
    let calls = of("jobs", "requests_count") - of("worker", "receives_count");
    assert!(calls < 0.8 * of("jobs", "deleted_count") + 3_000.0, "{calls}");
}

#[test]
fn calls_to_a_deleted_queue_fail_until_it_is_created_again() {
    let design = Design {
        jobs: json!({"receive_wait": "20s", "max_receive_count": 3}),
        faults: vec![fault(10, "jobs", "delete-queue", json!({})), fault(55, "jobs", "create-queue", json!({}))],
        ..Design::default()
    };
    let report = design.run();
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    let refused: Vec<_> = report.ledger.reasons.iter().filter(|reason| reason.code == "no-queue").collect();
    assert!(refused.iter().any(|reason| reason.count > 1_000), "SQS takes no queue of the name within a minute: {refused:#?}");
}

#[test]
fn poison_goes_to_the_dead_letters_and_comes_back_by_redrive() {
    let broken = Design {
        worker: json!({"service_time": "5ms", "failure_ratio": "100%", "failed_visibility": "0s"}),
        web: json!({"load": "constant(10/s)", "max_events": 100}),
        ..Design::default()
    };
    let report = broken.run();
    let reasons: Vec<_> = report.ledger.reasons.iter().map(|reason| (reason.end.as_str(), reason.code.as_str(), reason.count)).collect();
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert_eq!(reasons, [("dead_lettered", "receives", 100)]);
    assert_eq!(report.ledger.obligations.created, 200, "each is owed to the worker, and as a dead letter to the clerk");
    assert_eq!(report.ledger.obligations.delivered, 100, "the clerk reads the letters");

    let mended = Design {
        faults: vec![fault(20, "worker", "set", json!({"failure_ratio": "0%"})), fault(21, "letters", "redrive", json!({"rate": "50/s"}))],
        ..broken
    };
    let mut project = mended.project();
    project.links.retain(|link| link.from.component != "letters");
    project.components.shift_remove("clerk");
    let plan = compile(&project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
    let terms = &report.ledger.obligations;
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert_eq!((terms.created, terms.delivered, terms.dead_lettered, terms.in_flight), (100, 100, 0, 0), "{:#?}", report.ledger);
    assert_eq!(report.ledger.submissions.duplicate_appends, 0);
}

#[test]
fn fifo_keeps_the_order_of_each_key_where_a_standard_queue_does_not() {
    let design = |fifo: bool| {
        let mut project = Design {
            fifo,
            jobs: json!({"max_receive_count": 10, "receive_wait": "20s"}),
            worker: json!({"service_time": "exp(50ms)", "instances": 4, "failure_ratio": "5%", "failed_visibility": "0s"}),
            ..Design::default()
        }
        .project();
        project.expect = vec!["guarantee(\"worker\", ordered_per_key)".to_owned(), "guarantee(\"worker\", exactly_once)".to_owned()];
        let plan = compile(&project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("the run ends");
        assert!(report.ledger.balanced, "{:#?}", report.ledger);
        report.expectations.iter().map(|expectation| expectation.met).collect::<Vec<bool>>()
    };
    assert_eq!(design(true), [true, true]);
    assert!(!design(false)[0], "standard queues keep order only as well as they can");
}

#[test]
fn contradictions_are_named() {
    let errors = |change: &dyn Fn(&mut Project)| {
        let mut project = Design::default().project();
        change(&mut project);
        let all = problems(&project).into_iter();
        all.filter(|(severity, _)| *severity == Severity::Error).map(|(_, code)| code).collect::<Vec<String>>()
    };
    assert_eq!(errors(&|_| {}), [""; 0]);
    assert_eq!(errors(&|project| project.links.retain(|link| link.from.port != "dead_letters")), ["link-missing"]);
    assert_eq!(errors(&|project| project.components["letters"].profile = Some("sqs-fifo".to_owned())), ["setting-contradiction"]);
    assert_eq!(errors(&|project| drop(project.components["jobs"].params.shift_remove("max_receive_count"))), ["setting-missing"]);
    assert_eq!(errors(&|project| project.links.push(link("letters.out", "worker.in", json!({})))), [""; 0]);
    let denies =
        |project: &mut Project| drop(project.components["letters"].params.insert("redrive_permission".to_owned(), "denyAll".into()));
    assert_eq!(errors(&denies), ["setting-contradiction"]);
    assert_eq!(errors(&|project| project.links.push(link("jobs.out", "letters.in", json!({})))), ["link-senseless"]);
}

fn pick(options: &[Json]) -> impl Strategy<Value = Json> + use<> {
    prop::sample::select(options.to_vec())
}

prop_compose! {
    fn design()(
        fifo in any::<bool>(),
        seed in any::<u64>(),
        web in pick(&[
            json!({"load": "poisson(60/s)", "keys": "uniform(5)"}),
            json!({"load": "burst(400/s for 1s every 10s)", "queue_buffer": 50, "queue_retries": 0}),
            json!({"load": "constant(20/s)", "queue_linger": "200ms", "queue_timeout": "20ms", "keys": "zipf(50, 1.1)"}),
        ]),
        jobs in pick(&[
            json!({"visibility_timeout": "500ms", "max_receive_count": 2, "receive_wait": "0s"}),
            json!({"visibility_timeout": "3s", "max_receive_count": 1, "delay": "2s", "receive_wait": "5s"}),
            json!({"visibility_timeout": "0s", "max_receive_count": 5, "in_flight_max": 3}),
        ]),
        letters in pick(&[json!({"receive_wait": "20s"}), json!({"call_time": "exp(50ms)"}), json!({"delay": "30s"})]),
        worker in pick(&[
            json!({"service_time": "exp(30ms)", "failure_ratio": "20%"}),
            json!({"service_time": "exp(800ms)", "instances": 5, "concurrency": 4, "receive_size": 1}),
            json!({"service_time": "2ms", "failure_ratio": "60%", "failed_visibility": "1s", "instances": 2}),
            json!({"service_time": "exp(800ms)", "instances": 6, "visibility_timeout": "1s", "visibility_heartbeat": "300ms", "delete_linger": "200ms"}),
        ]),
        wire in pick(&[json!({}), json!({"loss": "10%"}), json!({"latency": "exp(40ms)", "bandwidth": "100KiB"})]),
        faults in prop::collection::vec((1u64..58, prop::sample::select(vec![
            ("worker", "crash-instance"), ("worker", "stop-instance"), ("worker", "start-instance"),
            ("jobs", "purge"), ("letters", "purge"), ("letters", "redrive"), ("jobs", "delete-queue"), ("jobs", "create-queue"),
        ])), 0..6),
    ) -> Design {
        let faults = faults.into_iter().map(|(at, (component, action))| fault(at, component, action, json!({}))).collect();
        Design { fifo, web, jobs, letters, worker, wire, faults, seed }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_message_is_accounted_for(design in design()) {
        let report = design.run();
        let (submissions, terms) = (&report.ledger.submissions, &report.ledger.obligations);
        let shown = || format!("{:#?}\n{}", report.ledger, eventyard::project::write(&design.project()));
        prop_assert!(report.ledger.balanced, "{}", shown());
        // What a queue has taken is somewhere: in a queue, done, moved, or gone for a reason.
        prop_assert_eq!(terms.lost + terms.failed_skipped + terms.rejected_at_consumer + terms.skipped, 0, "{}", shown());
        prop_assert!(submissions.accepted <= terms.created, "{}", shown());
        if design.fifo && design.wire == json!({}) {
            prop_assert_eq!(submissions.duplicate_appends, 0, "{}", shown());
        }
        for reason in report.ledger.reasons.iter().filter(|reason| reason.end == "dead_lettered") {
            prop_assert!(reason.count <= terms.created, "{}", shown());
        }
    }
}
