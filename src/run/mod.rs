//! Drivers: from a plan to a report, headless or behind a window.
//!
//! In: a [`Plan`] and commands. Out: immutable snapshots
//! ([`RunView`](crate::metrics::RunView)) while it goes and a [`Report`] at its end.
//! Must not know: widgets, files. Start at [`run_headless`]; [`RunHandle`] is the same on a worker thread,
//! and [`Sim`] is the driver both use.

pub mod chaos;
mod due;
mod faults;
mod handle;
mod log_store;
mod network;
mod outages;
mod pace;
mod provenance;
mod repeats;
mod sim;
mod state_store;
mod story;
mod wall;

#[cfg(test)]
mod tests;

pub use chaos::{ChaosFailure, ChaosFinding, ChaosOptions, ChaosResult, search as chaos};
pub use handle::{RunCommand, RunHandle};
pub use log_store::{LogChange, LogEffect, LogStore, StoreError};
pub use pace::Pace;
pub use repeats::{REPEATS_MAX, repeat_seed, run_repeats};
pub use sim::Sim;
pub use state_store::{ReadModel, StateStore, read_models};
pub use wall::peak_rss_bytes;

use std::ops::ControlFlow;

use thiserror::Error;

use crate::compile::{Plan, WarmUp};
use crate::metrics::{Report, stats};
use crate::units::{SimDuration, SimTime};

/// Turns between two looks at the wall clock.
const STEPS_PER_LOOK: u64 = 50_000;

/// Why a run has no report.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum RunFailure {
    /// A component panicked.
    #[error("component {component} failed at t={at}, seed {seed}: {message}")]
    Panicked {
        /// Its id.
        component: String,
        /// When.
        at: SimTime,
        /// The run's seed, to see it again.
        seed: u64,
        /// The panic's words.
        message: String,
    },
    /// Too many steps in one instant: a cycle of zero delays.
    #[error(
        "no progress at t={at}: {steps} steps in one instant, last at component {component} \
         (hint: events go round in a loop that takes no time; give one of its links a latency, or break it)"
    )]
    Stuck {
        /// The last component's id.
        component: String,
        /// When.
        at: SimTime,
        /// How many steps.
        steps: u64,
    },
    /// The logs could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop.
    #[error("stopped at t={at}")]
    Cancelled {
        /// When.
        at: SimTime,
    },
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

/// Runs a plan to its end on this thread. A warm-up of `auto` runs it twice: once to choose the cut by
/// MSER-5 from the run's own latencies, once with it; the same seed gives the same events in both.
///
/// # Errors
/// A panic inside a component, a zero-delay cycle, or the caller's own stop.
pub fn run_headless(plan: Plan, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Report, RunFailure> {
    run_with_store(plan, None, progress)
}

/// The same with a store that keeps what the run's logs hold.
///
/// # Errors
/// As [`run_headless`], and what the store says.
pub fn run_with_store(
    plan: Plan,
    store: Option<&mut dyn LogStore>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, RunFailure> {
    run_with_stores(plan, Stores { logs: store, read_models: None }, progress)
}

/// What keeps a run's state outside of it.
#[derive(Default)]
pub struct Stores<'a> {
    /// Its topics.
    pub logs: Option<&'a mut dyn LogStore>,
    /// Its read models.
    pub read_models: Option<&'a mut dyn StateStore>,
}

/// The same with stores for what the run keeps.
///
/// # Errors
/// As [`run_headless`], and what a store says.
pub fn run_with_stores(
    mut plan: Plan,
    stores: Stores<'_>,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Report, RunFailure> {
    if plan.warm_up == WarmUp::Auto {
        let pilot = to_the_end(plan.clone(), Stores::default(), progress)?;
        plan.warm_up = WarmUp::Fixed(chosen_warm_up(&pilot));
    }
    let clock = wall::Clock::start();
    let sim = to_the_end(plan, stores, progress)?;
    Ok(finish(&sim, clock.elapsed_s()))
}

fn to_the_end(plan: Plan, stores: Stores<'_>, progress: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Result<Sim, RunFailure> {
    let clock = wall::Clock::start();
    let mut told_s = 0.0;
    let mut sim = Sim::new(plan)?;
    let mut keeping = stores.logs.map(|store| Keeping::new(store, &mut sim));
    let mut rows = stores.read_models;
    if let Some(store) = &mut rows {
        store.begin(&read_models(sim.plan()))?;
        sim.keep_row_changes();
    }
    loop {
        let is_over = sim.run_until(SimTime::MAX, STEPS_PER_LOOK)?;
        if let Some(keeping) = &mut keeping {
            keeping.carry_out(&mut sim)?;
        }
        if let Some(store) = &mut rows {
            store.carry_out(&sim.take_row_changes())?;
        }
        if is_over {
            break;
        }
        let wall_s = clock.elapsed_s();
        if wall_s - told_s > 0.1 {
            told_s = wall_s;
            let here = Progress { now: sim.now(), end: sim.end(), produced: sim.recorder().produced(), wall_s };
            if progress(here).is_break() {
                return Err(RunFailure::Cancelled { at: sim.now() });
            }
        }
    }
    if let Some(keeping) = keeping {
        keeping.store.finish()?;
    }
    if let Some(store) = rows {
        store.finish()?;
    }
    Ok(sim)
}

/// A store, and what it has been told.
struct Keeping<'a> {
    store: &'a mut dyn LogStore,
    schemas: usize,
}

impl<'a> Keeping<'a> {
    fn new(store: &'a mut dyn LogStore, sim: &mut Sim) -> Self {
        sim.keep_log_effects();
        Self { store, schemas: 0 }
    }

    fn carry_out(&mut self, sim: &mut Sim) -> Result<(), StoreError> {
        let schemas = sim.recorder().schemas();
        if schemas.len() > self.schemas {
            self.schemas = schemas.len();
            schemas.values().try_for_each(|found| self.store.schema(found))?;
        }
        self.store.carry_out(&sim.take_log_effects())
    }
}

/// The report of a finished run.
pub(crate) fn finish(sim: &Sim, run_s: f64) -> Report {
    let mut report = sim.recorder().report(provenance::head(sim));
    let per_s = |count: f64| if run_s > 0.0 { count / run_s } else { 0.0 };
    report.wall.run_s = run_s;
    report.wall.steps_per_s = per_s(sim.steps() as f64);
    report.wall.events_per_s = per_s(sim.recorder().produced() as f64);
    report.wall.peak_rss_bytes = peak_rss_bytes();
    report
}

fn chosen_warm_up(pilot: &Sim) -> SimDuration {
    let report = pilot.recorder().report(crate::metrics::ReportHead::default());
    let series = report.series.iter().find(|series| series.metric == "latency_ms_p50" && series.component.is_empty());
    let Some(series) = series else { return SimDuration::ZERO };
    let values: Vec<f64> = series.points.iter().map(|point| point[1]).collect();
    let cut = stats::mser5(&values);
    if cut == 0 { SimDuration::ZERO } else { SimDuration::from_secs_f64(series.points[cut - 1][0]) }
}
