//! Drivers: from a plan to a report, headless or behind a window.
//!
//! In: a [`Plan`](crate::compile::Plan) and commands. Out: immutable snapshots ([`RunView`]) while it goes and a [`Report`] at its end.
//! Must not know: widgets, files. Start at [`run_headless`]; [`RunHandle`] is the same on a worker thread.

mod handle;

pub use handle::{Pace, RunCommand, RunHandle};

use std::ops::ControlFlow;

use thiserror::Error;

use crate::compile::Plan;
use crate::event::EventId;
use crate::metrics::Report;
use crate::units::{SimDuration, SimTime};

/// Why a run has no report.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RunFailure {
    /// A component panicked: "component X failed at t=…, seed …: …".
    #[error("component {component} failed at t={at}, seed {seed}: {message}")]
    Panicked { component: String, at: SimTime, seed: u64, message: String },
    /// Too many steps in one instant: a cycle of zero delays.
    #[error("no progress at t={at}: {steps} steps in one instant, last at component {component}")]
    Stuck { component: String, at: SimTime, steps: u64 },
    /// The caller asked to stop.
    #[error("stopped at t={at}")]
    Cancelled { at: SimTime },
}

/// Where a headless run stands, a few times a second of wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Virtual now.
    pub now: SimTime,
    /// Virtual end.
    pub end: SimTime,
    /// Events born so far.
    pub produced: u64,
    /// Wall seconds so far.
    pub wall_s: f64,
}

/// Runs a plan to its end on this thread.
///
/// # Errors
/// A panic inside a component, a zero-delay cycle, or the caller's own stop.
pub fn run_headless(plan: Plan, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Report, RunFailure> {
    let _ = (plan, progress);
    Err(RunFailure::Cancelled { at: SimTime::ZERO })
}

/// Runs `count` repeats of a design on `threads` threads, repeat i under hash(seed, i), and merges their
/// reports in index order: the first repeat's report with `repeats` filled in.
///
/// # Errors
/// The first failure in index order.
pub fn run_repeats(plan: &dyn Fn(u64) -> Plan, seed: u64, count: u32, threads: usize) -> Result<Report, RunFailure> {
    let _ = (plan, seed, count, threads);
    Err(RunFailure::Cancelled { at: SimTime::ZERO })
}

/// The event ids and spans that commands name; kept here so that callers need one import.
pub type Inspected = (EventId, SimDuration);
