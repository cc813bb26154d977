//! Independent repeats over the cores, merged in index order.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use indexmap::IndexMap;

use super::{RunFailure, run_headless};
use crate::compile::Plan;
use crate::metrics::{Repeats, Report, stats};
use crate::random::mix64;

/// More repeats than this are not run.
pub const REPEATS_MAX: u32 = 10_000;

/// The seed of one repeat: SplitMix64 over the seed and the index; repeat 0 keeps the seed itself.
#[must_use]
pub fn repeat_seed(seed: u64, index: u32) -> u64 {
    if index == 0 {
        return seed;
    }
    mix64(seed.wrapping_add(u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Runs `count` repeats of a design on `threads` threads, repeat i under [`repeat_seed`], and merges their
/// reports in index order: the first repeat's report with `repeats` filled in. `plan` gets the seed;
/// `done` is told how many have ended.
///
/// # Errors
/// The first failure in index order.
#[expect(clippy::disallowed_methods, reason = "repeats spread over the cores; each run stays on one thread")]
pub fn run_repeats(
    plan: &(dyn Fn(u64) -> Plan + Sync),
    seed: u64,
    count: u32,
    threads: usize,
    done: &mut dyn FnMut(u32),
) -> Result<Report, RunFailure> {
    let count = count.min(REPEATS_MAX);
    let next = AtomicU32::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<Result<Report, RunFailure>>> = vec![None; count as usize];
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1) as usize) {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    let result = run_headless(plan(repeat_seed(seed, index)), &mut |_| std::ops::ControlFlow::Continue(()));
                    if sender.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (ended, (index, result)) in receiver.iter().enumerate() {
            results[index as usize] = Some(result);
            done(ended as u32 + 1);
        }
    });
    let reports = results.into_iter().flatten().collect::<Result<Vec<Report>, RunFailure>>()?;
    Ok(merge(reports, seed))
}

fn merge(reports: Vec<Report>, seed: u64) -> Report {
    let mut figures: IndexMap<String, Vec<f64>> = IndexMap::new();
    for report in &reports {
        for (name, value) in &report.totals {
            figures.entry(name.clone()).or_default().push(*value);
        }
        for (id, component) in &report.components {
            let headline =
                |name: &str| name.contains("_ms_") || name.ends_with("_per_s") || name.ends_with("_ratio") || name.ends_with("_mean");
            for (name, value) in component.iter().filter(|(name, _)| headline(name)) {
                figures.entry(format!("{id}.{name}")).or_default().push(*value);
            }
        }
    }
    let count = reports.len() as u32;
    let balanced = reports.iter().all(|report| report.ledger.balanced);
    let run_s = reports.iter().map(|report| report.wall.run_s).sum();
    let missed: Vec<Vec<bool>> = reports.iter().map(|report| report.expectations.iter().map(|e| e.met).collect()).collect();
    let mut reports = reports.into_iter();
    let mut first = reports.next().unwrap_or_default();
    // An expectation holds over repeats when it holds in every one.
    for (index, expectation) in first.expectations.iter_mut().enumerate() {
        expectation.met = missed.iter().all(|met| met.get(index).copied().unwrap_or(true));
    }
    first.ledger.balanced = balanced;
    first.wall.run_s = run_s;
    // A figure that some repeat lacks (no observation) has no interval.
    let complete = figures.into_iter().filter(|(_, values)| values.len() == count as usize);
    first.repeats = Some(Repeats {
        count,
        seeds: (0..count).map(|index| repeat_seed(seed, index)).collect(),
        figures: complete.map(|(name, values)| (name, stats::figure_over_repeats(&values))).collect(),
    });
    first
}
