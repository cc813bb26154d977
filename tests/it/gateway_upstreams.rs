//! A gateway before services of several servers: shares, further tries, health checks, and what its files keep of them.

use std::ops::ControlFlow;

use eventyard::compile::{RunOptions, compile};
use eventyard::diagnostics;
use eventyard::export::project_text;
use eventyard::import;
use eventyard::metrics::Report;
use eventyard::model::{Component, Endpoint, FaultTarget, Link, Project, Scenario, TimedFault};
use eventyard::run::run_headless;
use eventyard::units::{SimDuration, SimTime};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

/// One client that sends 200 requests a second for ten seconds, and a pool `pay` behind its gateway.
fn project(upstream: Json, targets: &Json, method: &str) -> Project {
    let component = |kind: &str, params: Json| Component {
        kind: kind.to_owned(),
        params: serde_json::from_value(params).expect("parameters are an object"),
        ..Component::default()
    };
    let mut pool = json!({"name": "pay"});
    pool.as_object_mut().expect("an object").extend(upstream.as_object().expect("an object").clone());
    let event = json!({"type": "Pay", "path": "/pay", "method": method});
    let edge = json!({
        "routes": [{"name": "pay", "paths": ["/pay"], "upstream": "pay"}],
        "upstreams": [pool], "targets": targets, "service_time": "1ms", "concurrency": 64, "upstream_timeout": "200ms",
    });
    let end = |text: &str| Endpoint::parse(text).expect("component.port");
    let client = json!({"load": "constant(200/s)", "max_events": 2000, "events": [event], "http_retries": 0});
    Project {
        seed: 11,
        components: [("web", component("producer", client)), ("edge", component("gateway", edge))]
            .map(|(id, component)| (id.to_owned(), component))
            .into_iter()
            .collect(),
        links: vec![Link { from: end("web.out"), to: end("edge.in"), params: IndexMap::new() }],
        ..Project::default()
    }
}

fn target(name: &str, more: Json) -> Json {
    let mut row = json!({"upstream": "pay", "target": name, "respond_after": "5ms"});
    row.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    row
}

fn run(project: &Project, faults: &[(u64, &str, &str)]) -> Report {
    let mut project = project.clone();
    let fault = |(at_ms, action, target): &(u64, &str, &str)| TimedFault {
        at: SimTime::ZERO + SimDuration::from_ms(*at_ms),
        target: FaultTarget::Component("edge".to_owned()),
        action: (*action).to_owned(),
        params: [("target".to_owned(), (*target).into())].into_iter().collect(),
    };
    let faults = faults.iter().map(fault).collect();
    let scenario = Scenario { length: Some(SimDuration::from_secs(12)), faults, ..Scenario::default() };
    project.scenarios.insert("all".to_owned(), scenario);
    let plan = compile(&project, &RunOptions::default()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs");
    assert!(report.ledger.balanced, "{:?}", report.ledger);
    report
}

fn of(report: &Report, figure: &str) -> u64 {
    report.components["edge"].get(figure).copied().unwrap_or_default() as u64
}

#[test]
fn weights_are_shares() {
    let targets =
        json!([target("a:80", json!({"weight": 100})), target("b:80", json!({"weight": 300})), target("c:80", json!({"weight": 0}))]);
    let report = run(&project(json!({}), &targets, "POST"), &[]);
    let got = ["target_requests_count[a:80]", "target_requests_count[b:80]", "target_requests_count[c:80]"].map(|name| of(&report, name));
    assert_eq!(got, [500, 1500, 0]);
    assert_eq!(of(&report, "accepted_count"), 2000);
}

#[test]
fn a_dead_target_costs_another_try_until_checks_take_it_out() {
    let targets = json!([target("a:80", json!({})), target("b:80", json!({}))]);
    let stop = (2_000, "stop-target", "a:80");
    // Without checks every second request meets it, and goes on to the other.
    let report = run(&project(json!({}), &targets, "POST"), &[stop]);
    assert_eq!(of(&report, "accepted_count"), 2000);
    assert!((750..=850).contains(&of(&report, "target_retries_count")), "{}", of(&report, "target_retries_count"));
    // A passive check takes it out at the third refusal, and nothing brings it back.
    let back = (6_000, "start-target", "a:80");
    let passive = run(&project(json!({"tcp_failures": 3}), &targets, "POST"), &[stop, back]);
    assert_eq!((of(&passive, "target_retries_count"), of(&passive, "healthy_targets")), (3, 1));
    // Probes do, within two of their beats.
    let probed = json!({"tcp_failures": 3, "probe_interval": "500ms", "probe_successes": 2, "probe_tcp_failures": 1});
    let report = run(&project(probed, &targets, "POST"), &[stop, back]);
    assert_eq!((of(&report, "healthy_targets"), of(&report, "target_health_changes_count")), (2, 2));
    assert!(of(&report, "target_requests_count[a:80]") > of(&passive, "target_requests_count[a:80]") + 250);
    assert_eq!(of(&report, "accepted_count"), 2000);
}

#[test]
fn without_anybody_there_the_product_says_so() {
    let stop = (0, "stop-target", "a:80");
    let alone = json!([target("a:80", json!({}))]);
    let report = run(&project(json!({}), &alone, "POST"), &[stop]);
    assert_eq!(of(&report, "responses_count[502]"), 2000);
    assert_eq!(of(&report, "target_requests_count[a:80]"), 12_000, "the same target six times");
    let report = run(&project(json!({"tcp_failures": 1}), &alone, "POST"), &[stop]);
    assert_eq!((of(&report, "responses_count[503]"), of(&report, "rejections_count[no-peer]")), (2000, 2000));
    assert_eq!(of(&report, "target_requests_count[a:80]"), 1);
}

/// What may have been done is not done again, unless doing it again does no harm.
#[test]
fn late_answers_are_asked_for_again_only_where_that_is_harmless() {
    let targets = json!([target("slow:80", json!({"respond_after": "1s"})), target("quick:80", json!({}))]);
    let report = run(&project(json!({}), &targets, "POST"), &[]);
    assert_eq!((of(&report, "responses_count[504]"), of(&report, "target_retries_count")), (1000, 0));
    let report = run(&project(json!({}), &targets, "PUT"), &[]);
    assert_eq!((of(&report, "responses_count[504]"), of(&report, "accepted_count")), (0, 2000));
    let report = run(&project(json!({"timeouts": 5}), &targets, "POST"), &[]);
    assert!(of(&report, "responses_count[504]") < 60, "five late answers, and what was under way by then");
}

#[test]
fn a_hash_keeps_a_client_at_one_target() {
    let targets = json!([target("a:80", json!({})), target("b:80", json!({})), target("c:80", json!({}))]);
    let pool = json!({"algorithm": "consistent-hashing", "hash_on": "ip"});
    let report = run(&project(pool, &targets, "POST"), &[]);
    let got = ["a:80", "b:80", "c:80"].map(|name| of(&report, &format!("target_requests_count[{name}]")));
    assert_eq!((got.iter().sum::<u64>(), got.iter().max()), (2000, Some(&2000)));
}

#[test]
fn upstreams_survive_kongs_file() {
    let targets = json!([target("10.0.0.1:80", json!({"weight": 50})), target("10.0.0.2:80", json!({}))]);
    let pool = json!({"algorithm": "least-connections", "retries": 2, "tcp_failures": 3, "probe_interval": "500ms", "probe_successes": 2});
    let design = project(pool, &targets, "POST");
    let file = project_text(&design, "kong").expect("there is such a format");
    let json: Json = serde_json::from_str(&file).expect("it is JSON");
    assert_eq!(json["services"][0]["host"], json["upstreams"][0]["name"]);
    assert_eq!(json["services"][0]["retries"], 2);
    assert_eq!(json["upstreams"][0]["targets"], json!([{"target": "10.0.0.1:80", "weight": 50}, {"target": "10.0.0.2:80", "weight": 100}]));
    assert_eq!(json["upstreams"][0]["healthchecks"]["active"]["healthy"], json!({"interval": 0.5, "successes": 2}));
    let back = import::read("kong", &file).expect("its own file is read");
    assert_eq!(back.diagnostics, []);
    let params = |project: &Project, name: &str| serde_json::to_value(&project.components["edge"].params[name]).expect("it is data");
    let upstreams = params(&back.project, "upstreams");
    assert_eq!(upstreams, params(&design, "upstreams"));
    assert_eq!(params(&back.project, "routes")[0]["upstream"], "pay");
    assert_eq!(params(&back.project, "targets")[0], json!({"upstream": "pay", "target": "10.0.0.1:80", "weight": 50}));
    assert!(!diagnostics::has_errors(&eventyard::compile::check(&back.project)));
}

#[test]
fn designs_that_cannot_work_are_told() {
    let mut design = project(json!({"hash_on_header": "tenant"}), &json!([{"upstream": "buy", "target": "a:80"}]), "POST");
    let routes = serde_json::from_value(json!([{"name": "r", "upstream": "pays"}])).expect("rows");
    design.components["edge"].params.insert("routes".to_owned(), routes);
    let problems = eventyard::compile::check(&design);
    let paths: Vec<&str> =
        problems.iter().filter(|problem| problem.code.starts_with("gateway-upstream")).map(|problem| &*problem.path).collect();
    let edge = "components.edge.";
    let wanted = ["routes[0].upstream", "upstreams[0]", "upstreams[0]", "upstreams[0].hash_on_header", "targets[0].upstream"]
        .map(|path| format!("{edge}{path}"));
    assert_eq!(paths, wanted, "{problems:#?}");
}
