//! A search for faults that a design does not survive: random lists of them, and the shortest that still breaks it.
//!
//! In: a design, what must hold, a seed. Out: how many runs held, or the first that broke with its faults.
//! The same seed searches the same runs in the same order, whatever the number of cores.
//! Must not know: files, the command line. Start at [`search`].

mod draw;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use draw::Candidates;

use super::{RunFailure, repeat_seed, run_headless};
use crate::compile::{RunOptions, WarmUp, compile};
use crate::diagnostics::Diagnostic;
use crate::metrics::Report;
use crate::model::{Project, Scenario, TimedFault};
use crate::random::Stream;
use crate::units::SimDuration;

/// Searches beyond it are not begun.
pub const CHAOS_RUNS_MAX: u32 = 1_000_000;

/// The ledger's own check, beside the expectations.
pub const BALANCED: &str = "the ledger balances";

/// What is searched.
#[derive(Clone, Debug)]
pub struct ChaosOptions {
    /// Which scenario the faults are added to; the project's first when absent.
    pub scenario: Option<String>,
    /// Instead of its length.
    pub length: Option<SimDuration>,
    /// Run i gets [`repeat_seed`] of it.
    pub seed: u64,
    /// How many runs.
    pub runs: u32,
    /// Most faults in one run.
    pub faults_max: u32,
    /// Runs at once.
    pub threads: usize,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct ChaosResult {
    /// What held in every run, or up to the finding.
    pub checks: Vec<String>,
    /// What does not hold even without faults, and was not searched for.
    pub broken_before: Vec<String>,
    /// Runs that were made.
    pub runs: u32,
    /// The first run, in order of seeds, in which something did not hold.
    pub finding: Option<ChaosFinding>,
}

/// A run that broke something.
#[derive(Clone, Debug)]
pub struct ChaosFinding {
    /// Its number in the search.
    pub index: u32,
    /// Its seed.
    pub seed: u64,
    /// What did not hold.
    pub check: String,
    /// By which figure, with the shortest list.
    pub figure: String,
    /// Faults as they were drawn.
    pub drawn: Vec<TimedFault>,
    /// The shortest list found that breaks the same under the same seed.
    pub shortest: Vec<TimedFault>,
    /// Runs that shrinking took.
    pub shrinking_runs: u32,
}

/// Why there is no result.
#[derive(Clone, Debug)]
pub enum ChaosFailure {
    /// The design cannot run.
    Design(Vec<Diagnostic>),
    /// A run failed.
    Run(RunFailure),
}

/// Searches `project` for faults that break one of `checks` (expectations), or the ledger.
///
/// # Errors
/// A design that does not compile; a component's panic.
pub fn search(
    project: &Project,
    checks: &[String],
    options: &ChaosOptions,
    done: &mut dyn FnMut(u32),
) -> Result<ChaosResult, ChaosFailure> {
    let mut trial = Trial::new(project, checks, options)?;
    let calm = trial.run(&[], options.seed)?;
    let broken_before = trial.keep_what_holds(&calm);
    let first = first_broken(&trial, options, done)?;
    let finding = match first.broken {
        Some((index, seed, check)) => Some(trial.shrunk(index, seed, check)?),
        None => None,
    };
    Ok(ChaosResult { checks: trial.project.expect.clone(), broken_before, runs: first.runs, finding })
}

/// The design with its scenario, ready for faults to be added.
struct Trial {
    project: Project,
    scenario: String,
    length: SimDuration,
    faults_max: u32,
    candidates: Candidates,
}

impl Trial {
    fn new(project: &Project, checks: &[String], options: &ChaosOptions) -> Result<Self, ChaosFailure> {
        let name = options.scenario.clone().or_else(|| project.scenarios.keys().next().cloned()).unwrap_or_else(|| "chaos".to_owned());
        let mut project = project.clone();
        let mut scenario = project.scenarios.get(&name).cloned().unwrap_or_else(Scenario::default);
        let length = options.length.or(scenario.length).unwrap_or(crate::compile::DEFAULT_LENGTH);
        scenario.length = Some(length);
        scenario.misses.clear();
        project.scenarios = [(name.clone(), scenario)].into_iter().collect();
        project.expect = checks.to_vec();
        let trial = Self { candidates: Candidates::of(&project), project, scenario: name, length, faults_max: options.faults_max };
        trial.compile(&[], options.seed).map_err(ChaosFailure::Design)?;
        Ok(trial)
    }

    fn compile(&self, faults: &[TimedFault], seed: u64) -> Result<crate::compile::Plan, Vec<Diagnostic>> {
        let mut project = self.project.clone();
        if let Some(scenario) = project.scenarios.get_mut(&self.scenario) {
            scenario.faults.extend(faults.iter().cloned());
            scenario.faults.sort_by_key(|fault| fault.at);
        }
        let options = RunOptions { seed: Some(seed), warm_up: Some(WarmUp::Fixed(SimDuration::ZERO)), ..RunOptions::default() };
        compile(&project, &options)
    }

    fn run(&self, faults: &[TimedFault], seed: u64) -> Result<Report, ChaosFailure> {
        let plan = self.compile(faults, seed).map_err(ChaosFailure::Design)?;
        run_headless(plan, &mut |_| ControlFlow::Continue(())).map_err(ChaosFailure::Run)
    }

    /// Searches only for what holds in a calm run; gives the rest.
    fn keep_what_holds(&mut self, calm: &Report) -> Vec<String> {
        let (kept, broken): (Vec<_>, Vec<_>) = calm.expectations.iter().partition(|expectation| expectation.met);
        self.project.expect = kept.into_iter().map(|expectation| expectation.text.clone()).collect();
        broken.into_iter().map(|expectation| expectation.text.clone()).collect()
    }

    /// What does not hold in a report, of what is searched for: the first of them.
    fn broken_in(&self, report: &Report) -> Option<String> {
        if !report.ledger.balanced {
            return Some(BALANCED.to_owned());
        }
        let searched = report.expectations.iter().filter(|expectation| self.project.expect.contains(&expectation.text));
        searched.into_iter().find(|expectation| !expectation.met).map(|expectation| expectation.text.clone())
    }

    /// The faults of a run, by its seed alone.
    fn faults(&self, seed: u64) -> Vec<TimedFault> {
        let mut stream = Stream::new(seed, "chaos", "faults");
        let fits = |fault: &TimedFault| self.compile(std::slice::from_ref(fault), seed).is_ok();
        self.candidates.draw(&mut stream, self.length, self.faults_max, fits)
    }

    /// Takes faults away one by one as long as the same check still breaks.
    fn shrunk(&self, index: u32, seed: u64, check: String) -> Result<ChaosFinding, ChaosFailure> {
        let drawn = self.faults(seed);
        let mut shortest = drawn.clone();
        let mut shrinking_runs = 0;
        let mut place = 0;
        while place < shortest.len() && shortest.len() > 1 {
            let mut fewer = shortest.clone();
            fewer.remove(place);
            shrinking_runs += 1;
            if figure_of_broken(&self.run(&fewer, seed)?, &check).is_some() {
                shortest = fewer;
                // What could not be spared before may be spared now.
                place = 0;
            } else {
                place += 1;
            }
        }
        let figure = figure_of_broken(&self.run(&shortest, seed)?, &check).unwrap_or_default();
        Ok(ChaosFinding { index, seed, check, figure, drawn, shortest, shrinking_runs })
    }
}

/// By what a check is broken in a report, if it is.
fn figure_of_broken(report: &Report, check: &str) -> Option<String> {
    if check == BALANCED {
        return (!report.ledger.balanced).then(|| "it does not".to_owned());
    }
    report
        .expectations
        .iter()
        .find(|expectation| expectation.text == check && !expectation.met)
        .map(|expectation| expectation.figure.clone())
}

struct First {
    runs: u32,
    /// Number, seed and broken check of the first run in order that broke something.
    broken: Option<(u32, u64, String)>,
}

/// Runs in order over the cores until the first, in order, that breaks something is known.
#[expect(clippy::disallowed_methods, reason = "searches spread over the cores; each run stays on one thread")]
fn first_broken(trial: &Trial, options: &ChaosOptions, done: &mut dyn FnMut(u32)) -> Result<First, ChaosFailure> {
    let runs = options.runs.min(CHAOS_RUNS_MAX);
    let (next, lowest) = (AtomicU32::new(0), AtomicU32::new(u32::MAX));
    let (sender, receiver) = mpsc::channel();
    let mut ended: Vec<(u32, Result<Option<String>, ChaosFailure>)> = Vec::new();
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            let (next, lowest, sender) = (&next, &lowest, sender.clone());
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    // Runs after one that broke something need not be made.
                    if index >= runs || index > lowest.load(Ordering::Relaxed) {
                        break;
                    }
                    let seed = repeat_seed(options.seed, index);
                    let result = trial.run(&trial.faults(seed), seed).map(|report| trial.broken_in(&report));
                    if !matches!(result, Ok(None)) {
                        lowest.fetch_min(index, Ordering::Relaxed);
                    }
                    if sender.send((index, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for one in &receiver {
            ended.push(one);
            done(ended.len() as u32);
        }
    });
    ended.sort_by_key(|(index, _)| *index);
    let count = ended.len() as u32;
    for (index, result) in ended {
        if let Some(check) = result? {
            return Ok(First { runs: index + 1, broken: Some((index, repeat_seed(options.seed, index), check)) });
        }
    }
    Ok(First { runs: count, broken: None })
}
