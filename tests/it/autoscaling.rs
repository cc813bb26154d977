//! Instances that come and go with the load.

use eventyard::metrics::Report;
use eventyard::units::{SimDuration, SimTime};
use serde_json::{Value as Json, json};

use super::services::{of, project, run};

/// Four hundred commands a second for forty seconds, a hundred of which one instance can do.
fn scaling(extra: Json) -> Report {
    scaling_under("400/s", extra)
}

fn scaling_under(load: &str, extra: Json) -> Report {
    let mut service = json!({
        "role": "plain", "service_time": "10ms", "offset_reset": "earliest", "session_timeout": "6s", "heartbeat_interval": "1s",
        "instances_max": 6, "scale_interval": "5s", "startup_delay": "2s", "cool_down": "10s",
    });
    service.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
    let mut project = project(service, Vec::new());
    let topics = json!({"commands": {"partitions": 8}, "events": {}});
    project.components["bank"].params.insert("topics".to_owned(), serde_json::from_value(topics).expect("plain data"));
    project.components["clients"].params.insert("load".to_owned(), load.into());
    let scenario = &mut project.scenarios["all"];
    scenario.faults.iter_mut().for_each(|fault| fault.at = SimTime::ZERO + SimDuration::from_secs(40));
    scenario.length = Some(SimDuration::from_secs(150));
    run(&project)
}

/// (when, how many) of each decision.
fn decisions(report: &Report, action: &str) -> Vec<(f64, u32)> {
    let of_action = report.faults.iter().filter(|fault| fault.action == action);
    of_action.map(|fault| (fault.at_s, fault.params["to"].parse().expect("a number"))).collect()
}

#[test]
fn instances_follow_lag_and_utilisation() {
    for extra in [json!({"autoscale": "lag", "lag_target": 100}), json!({"autoscale": "utilisation"})] {
        let report = scaling(extra.clone());
        assert_eq!(of(&report, "accounts", "delivered_count"), of(&report, "clients", "produced_count"), "{extra}");
        let (outs, ins) = (decisions(&report, "scale-out"), decisions(&report, "scale-in"));
        let most = outs.iter().map(|(_, to)| *to).max().unwrap_or(0);
        assert!((4..=6).contains(&most), "{extra}: {outs:?}");
        assert_eq!(of(&report, "accounts", "scaled_instances"), 1, "{extra}: {ins:?}");
        let is_cool = |at_s: f64| outs.iter().all(|(out_s, _)| *out_s > at_s || out_s + 10.0 <= at_s);
        assert!(!ins.is_empty() && ins.iter().all(|(at_s, _)| is_cool(*at_s)), "{extra}: {outs:?}, {ins:?}");
        let series = report.series.iter().find(|series| series.metric == "instances").expect("it is a series");
        let first = series.points.iter().find(|point| point[1] > 1.0).expect("it grew")[0];
        assert!(first >= outs[0].0 + 2.0, "{extra}: ready at {first} s, decided at {} s", outs[0].0);
        assert!(series.points.iter().all(|point| point[1] <= 6.0), "{extra}");
    }
}

/// What waits in a retry topic until it is due is no lag that an instance more could work off.
#[test]
fn failed_events_that_wait_start_no_instance() {
    let report = scaling_under(
        "20/s",
        json!({
            "autoscale": "lag", "lag_target": 50, "call_time": "1ms", "call_failures": "100%",
            "retry_topics": true, "max_attempts": 2, "retry_backoff": "60s", "retry_backoff_max": "60s",
        }),
    );
    assert_eq!(of(&report, "accounts", "forwarded_count"), of(&report, "clients", "produced_count"), "they wait for a minute");
    assert_eq!(decisions(&report, "scale-out"), []);
}

/// More instances than partitions would have nothing to read.
#[test]
fn no_more_instances_than_partitions() {
    let report = scaling(json!({"autoscale": "lag", "lag_target": 1, "instances_max": 50}));
    assert!(decisions(&report, "scale-out").iter().all(|(_, to)| *to <= 8), "{:?}", report.faults);
}
