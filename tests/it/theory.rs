//! Real components against queueing theory: producer, zero-cost broker, one group.
//!
//! Each case compares the mean time in the system with the formula within the 99 % interval over repeats,
//! whose half-width must be at most 2 % of it. Five comparisons at 99 %: a right simulator fails one of
//! twenty such files; the seeds are pinned. Formulas: Kleinrock, Queueing Systems I (1975), 3.2, 3.5, 5.6.

use std::ops::ControlFlow;
use std::path::Path;

use eventyard::compile::{RunOptions, WarmUp, compile};
use eventyard::engine::TraceSampling;
use eventyard::metrics::stats::{Confidence, interval};
use eventyard::model::{Project, Value};
use eventyard::project::load_file;
use eventyard::run::{repeat_seed, run_headless, run_repeats};
use eventyard::units::SimDuration;

fn sample() -> Project {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects/mm1.ron");
    load_file(&path).expect("the sample is there").project
}

fn options(set: &[(&str, &str, &str)], length_s: u64, warm_up_s: u64) -> RunOptions {
    RunOptions {
        length: Some(SimDuration::from_secs(length_s)),
        warm_up: Some(WarmUp::Fixed(SimDuration::from_secs(warm_up_s))),
        set: set.iter().map(|(id, param, value)| ((*id).to_owned(), (*param).to_owned(), Value::from(*value))).collect(),
        tracing: Some(TraceSampling { one_in: 0 }),
        ..RunOptions::default()
    }
}

/// Means of the time in the system, in seconds, one a repeat.
fn means(set: &[(&str, &str, &str)], seed: u64, repeats: u32, length_s: u64) -> Vec<f64> {
    let (project, options) = (sample(), options(set, length_s, length_s / 20));
    let plan = |seed| {
        let options = RunOptions { seed: Some(seed), ..options.clone() };
        compile(&project, &options).unwrap_or_else(|problems| panic!("{problems:#?}"))
    };
    let mut values = Vec::new();
    // run_repeats gives intervals only; the values themselves are wanted here.
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..repeats)
            .map(|index| {
                let plan = plan(repeat_seed(seed, index));
                scope.spawn(move || run_headless(plan, &mut |_| ControlFlow::Continue(())).expect("it runs"))
            })
            .collect();
        for run in runs {
            let report = run.join().expect("it does not panic");
            assert!(report.ledger.balanced);
            values.push(report.totals["latency_ms_mean"] / 1e3);
        }
    });
    values
}

fn agrees(name: &str, set: &[(&str, &str, &str)], length_s: u64, expected_s: f64) {
    let (mean, half_width) = interval(&means(set, 11, 6, length_s), Confidence::P99);
    println!("{name}: {mean:.6} ± {half_width:.6} s, theory {expected_s:.6}");
    assert!(half_width <= 0.02 * expected_s, "{name}: the interval is too wide: {mean} ± {half_width}");
    assert!((mean - expected_s).abs() <= half_width, "{name}: {mean} ± {half_width}, theory {expected_s}");
}

#[test]
fn one_exponential_server_half_full() {
    agrees("M/M/1 at 0.5", &[("arrivals", "load", "poisson(50/s)"), ("server", "service_time", "exp(10ms)")], 6_000, 0.020);
}

#[test]
fn one_exponential_server_four_fifths_full() {
    agrees("M/M/1 at 0.8", &[("arrivals", "load", "poisson(80/s)"), ("server", "service_time", "exp(10ms)")], 16_000, 0.050);
}

#[test]
fn one_constant_server() {
    // W = S (1 + ρ / (2 (1 − ρ))).
    agrees("M/D/1 at 0.8", &[("arrivals", "load", "poisson(80/s)"), ("server", "service_time", "10ms")], 9_000, 0.030);
}

#[test]
fn one_erlang_server() {
    // Pollaczek–Khinchine with c² = 1/4: W = S (1 + ρ (1 + c²) / (2 (1 − ρ))).
    agrees("M/E4/1 at 0.8", &[("arrivals", "load", "poisson(80/s)"), ("server", "service_time", "erlang(4, 10ms)")], 9_000, 0.035);
}

#[test]
fn three_servers_over_one_queue() {
    // Erlang C for a = 2.4, c = 3: C = 0.647191…; W = S + C S / (c − a).
    let a: f64 = 2.4;
    let last = a * a * a / 6.0 / (1.0 - a / 3.0);
    let waits = last / (1.0 + a + a * a / 2.0 + last);
    let expected_s = 0.010 + waits * 0.010 / (3.0 - a);
    let set = [("arrivals", "load", "poisson(240/s)"), ("server", "service_time", "exp(10ms)"), ("server", "concurrency", "3")];
    agrees("M/M/3 at 0.8", &set, 4_000, expected_s);
}

/// 95 % intervals of five short repeats cover the formula about as often as they say.
#[test]
fn intervals_cover() {
    const SETS: u32 = 60;
    let set = [("arrivals", "load", "poisson(50/s)"), ("server", "service_time", "exp(10ms)")];
    let covering = (0..SETS).filter(|index| {
        let (mean, half_width) = interval(&means(&set, 1_000 + u64::from(*index), 5, 60), Confidence::P95);
        (mean - 0.020).abs() <= half_width
    });
    let count = covering.count();
    // Binomial(60, 0.95): fewer than 51 happens once in two hundred; short runs begin empty and bias a little.
    assert!(count >= 50, "only {count} of {SETS} intervals cover the formula");
}

/// Both sides of Little's law, kept from different data, are the same number of count·nanoseconds.
#[test]
fn littles_law_holds_on_every_queue_of_every_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects");
    for entry in std::fs::read_dir(folder).expect("there are samples").flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "ron") {
            continue;
        }
        let project = load_file(&entry.path()).expect("it can be read").project;
        let options = RunOptions { length: Some(SimDuration::from_secs(15)), ..RunOptions::default() };
        let plan = |seed| compile(&project, &RunOptions { seed: Some(seed), ..options.clone() }).expect("a sample compiles");
        let report = run_repeats(&plan, project.seed, 1, 1, &mut |_| ()).expect("it runs");
        for (id, figures) in &report.components {
            if let (Some(area), Some(sojourn)) = (figures.get("littles_area_s"), figures.get("littles_sojourn_s")) {
                assert_eq!(area.to_bits(), sojourn.to_bits(), "{}: {id}", project.name);
            }
        }
    }
}
