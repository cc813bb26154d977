//! The whole way of an event: `cargo bench --bench pipeline [-- FILTER]`.
//!
//! `pipeline.ron` as it stands, with three replicas and acks=all, with empty messages, 20 million messages for the memory, and with the
//! window's snapshots 60 times a second against none; and `mm1.ron`, where every event is a request of its own.
//! Figures are printed, nothing is asserted.
#![allow(clippy::disallowed_methods, reason = "a bench reads the wall clock and a file")]

#[path = "by_hand.rs"]
mod by_hand;
#[path = "cpu.rs"]
mod cpu;

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use cpu::cpu_s;
use eventyard::compile::{Plan, RunOptions, compile};
use eventyard::engine::TraceSampling;
use eventyard::metrics::{Report, RunPhase};
use eventyard::model::{Project, Value};
use eventyard::project::load_file;
use eventyard::run::{Pace, RunHandle, run_headless};
use eventyard::units::SimDuration;

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--")).unwrap_or_default();
    let project = load_file(Path::new("tests/bench/pipeline.ron")).expect("the bench's project is there").project;
    let cases: [(&str, fn(&Project)); 6] =
        [("events", events), ("replicated", replicated), ("empty", empty), ("single", single), ("window", window), ("memory", memory)];
    for (name, case) in cases {
        if name.contains(&filter) {
            case(&project);
        }
    }
}

fn plan(project: &Project, length_s: u64) -> Plan {
    let options = RunOptions {
        length: Some(SimDuration::from_secs(length_s)),
        // Token sampling off.
        tracing: Some(TraceSampling { one_in: 0 }),
        ..RunOptions::default()
    };
    compile(project, &options).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn run(plan: Plan) -> Report {
    let report = run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs");
    assert!(report.ledger.balanced, "the ledger balances");
    report
}

/// Delivered messages a second of this thread's CPU time: the machine may be busy with other things.
fn timed(plan: Plan) -> (f64, Report) {
    let began = cpu_s();
    let report = run(plan);
    (report.totals["delivered_count"] / (cpu_s() - began), report)
}

/// Real 150-byte Avro events, checked at both ends.
fn events(project: &Project) {
    let mut best = 0.0f64;
    for round in 0..5 {
        let (per_s, report) = timed(plan(project, 10));
        best = best.max(per_s);
        let steps = report.engine.steps as f64 / report.totals["delivered_count"];
        println!("events, round {round}: {per_s:.0} messages/s, {steps:.2} steps a message");
    }
    let by_hand = (0..5).map(|_| by_hand::per_s(project)).fold(0.0, f64::max);
    println!("events: best {best:.0} messages/s (wanted: at least 1,000,000)");
    println!("events: {:.2} × a hand-written loop of the same work, {by_hand:.0} messages/s (wanted: at least 0.8)", best / by_hand);
}

/// Three replicas of everything, and a producer that waits for all of them and repeats nothing.
fn replicated(project: &Project) {
    let mut project = project.clone();
    let log = &mut project.components["log"];
    let Some(Value::Map(topics)) = log.params.get_mut("topics") else { panic!("the cluster has topics") };
    for topic in topics.values_mut() {
        let Value::Map(topic) = topic else { panic!("a topic has settings") };
        topic.insert("replication".to_owned(), Value::Int(3));
    }
    log.params.insert("min_insync_replicas".to_owned(), Value::Int(2));
    let source = &mut project.components["source"];
    source.params.insert("acks".to_owned(), Value::from("all"));
    source.params.insert("idempotence".to_owned(), Value::Bool(true));
    let best = (0..5).map(|_| timed(plan(&project, 10)).0).fold(0.0, f64::max);
    println!("replicated: best {best:.0} messages/s (wanted: at least 500,000)");
}

/// The same shape with empty payloads and no schema.
fn empty(project: &Project) {
    let mut project = project.clone();
    let row = [("type", "Empty"), ("topic", "events"), ("size", "0B")].map(|(name, value)| (name.to_owned(), Value::from(value)));
    let source = &mut project.components["source"];
    source.params.insert("events".to_owned(), Value::List(vec![Value::Map(row.into_iter().collect())]));
    source.params.insert("keys".to_owned(), Value::from("none"));
    source.params.insert("validate".to_owned(), Value::Bool(false));
    project.components["group"].params.insert("validate".to_owned(), Value::Bool(false));
    let mut best = 0.0f64;
    for _ in 0..5 {
        best = best.max(timed(plan(&project, 10)).0);
    }
    println!("empty: best {best:.0} messages/s (wanted: at least 3,000,000)");
}

/// No linger and no load to speak of: each event is produced, fetched and committed by itself.
fn single(_: &Project) {
    let project = load_file(Path::new("projects/mm1.ron")).expect("the sample is there").project;
    let best = (0..3).map(|_| timed(plan(&project, 5_000)).0).fold(0.0, f64::max);
    println!("single: best {best:.0} messages/s");
}

/// At unlimited speed, snapshots taken and thrown away, against headless in turns.
fn window(project: &Project) {
    let (mut bare, mut watched) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..5 {
        let began = Instant::now();
        run(plan(project, 10));
        bare = bare.min(began.elapsed().as_secs_f64());
        let began = Instant::now();
        let handle = RunHandle::start(plan(project, 10), Pace::Unlimited, false, Box::new(|| ()));
        while !matches!(handle.view().phase, RunPhase::Finished | RunPhase::Failed(_)) {
            std::thread::sleep(std::time::Duration::from_millis(16));
        }
        watched = watched.min(began.elapsed().as_secs_f64());
    }
    println!("window: {:.1} % slower with snapshots (wanted: at most 10 %)", (watched / bare - 1.0) * 100.0);
}

/// 20 million messages through 64 MiB of retention.
fn memory(project: &Project) {
    let report = run(plan(project, 84));
    let mib = report.wall.peak_rss_bytes as f64 / f64::from(1 << 20);
    println!("memory: {:.1} million messages, peak {mib:.0} MiB (wanted: at most 600)", report.totals["delivered_count"] / 1e6);
}
