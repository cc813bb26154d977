//! `eventyard run`: a project without a window, then what it gave.

use std::fmt::Write;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use super::args::RunArgs;
use super::documents;
use super::exit::{End, Stop, print, tell};
use super::progress::ProgressLine;
use super::read_models::Database;
use super::set;
use super::summary::summary;
use crate::adapters::log_store::load::KeptFrom;
use crate::adapters::log_store::{DataDir, SyncPolicy};
use crate::compile::{self, Plan, RunOptions};
use crate::export;
use crate::metrics::Report;
use crate::model::Project;
use crate::project::{self, Loaded};
use crate::run::{LogStore, RunFailure, Stores, run_repeats, run_with_stores};

/// Runs as the arguments say.
///
/// # Errors
/// Usage, files, a project that cannot run, a failure of ours.
pub fn run(args: &RunArgs) -> Result<End, Stop> {
    let loaded = documents::load_sound(&args.file)?;
    let options = options(&loaded.project, args)?;
    let (report, rows) = report(&loaded, &options, args)?;
    let end = finish(&loaded.project, &report, args)?;
    print(&rows)?;
    Ok(end)
}

/// The starter project, headless.
///
/// # Errors
/// As [`run`].
pub fn run_starter() -> Result<End, Stop> {
    let loaded = project::starter();
    let args = RunArgs {
        file: "order-flow.ron".into(),
        scenario: None,
        seed: None,
        length: None,
        set: Vec::new(),
        repeats: 1,
        warm_up: None,
        data: None,
        from: KeptFrom::default(),
        sync: SyncPolicy::default(),
        sql: None,
        json: None,
        report: None,
        quiet: false,
    };
    let (report, _) = report(&loaded, &RunOptions::default(), &args)?;
    finish(&loaded.project, &report, &args)
}

fn options(project: &Project, args: &RunArgs) -> Result<RunOptions, Stop> {
    if let Some(name) = &args.scenario
        && !project.scenarios.contains_key(name)
    {
        return Err(Stop::usage(set::unknown("scenario", name, project.scenarios.keys().map(String::as_str))));
    }
    let set = set::read(project, args.scenario.as_deref(), &args.set).map_err(Stop::usage)?;
    Ok(RunOptions { scenario: args.scenario.clone(), seed: args.seed, length: args.length, set, warm_up: args.warm_up, tracing: None })
}

/// The report, and what the read models' database says when it is asked.
fn report(loaded: &Loaded, options: &RunOptions, args: &RunArgs) -> Result<(Report, String), Stop> {
    let refused = |diagnostics| Stop::findings(documents::listing(&args.file, &loaded.locate(diagnostics)));
    let mut plan = compile::compile(&loaded.project, options).map_err(refused)?;
    let mut data = args.data.as_deref().map(|path| open_data(path, args, &mut plan)).transpose()?;
    if !args.quiet {
        for remark in loaded.locate(plan.remarks.clone()) {
            tell(&documents::line(&args.file, &remark));
        }
    }
    if args.repeats > 1 {
        return Ok((repeated(&loaded.project, options, plan.seed, args).map_err(stopped)?, String::new()));
    }
    let mut database = Database::of(&plan, args.data.as_deref()).map_err(stopped)?;
    let report = single(plan, data.as_mut(), &mut database, args).map_err(stopped)?;
    let rows = args.sql.as_deref().map(|sql| database.answer(sql)).transpose()?;
    Ok((report, rows.unwrap_or_default()))
}

fn stopped(failure: RunFailure) -> Stop {
    match failure {
        // A cycle of zero delays is drawn by a person, not made by us.
        RunFailure::Stuck { .. } => Stop::findings(failure.to_string()),
        RunFailure::Store(error) => Stop::usage(error.to_string()),
        RunFailure::Panicked { .. } | RunFailure::Cancelled { .. } => Stop::ours(failure.to_string()),
    }
}

/// The folder that keeps the run's topics, and what is there already put into the plan.
fn open_data(path: &Path, args: &RunArgs, plan: &mut Plan) -> Result<DataDir, Stop> {
    DataDir::open_and_load(path, args.sync, args.from, plan).map_err(|error| Stop::usage(error.to_string()))
}

fn single(plan: Plan, data: Option<&mut DataDir>, database: &mut Database, args: &RunArgs) -> Result<Report, RunFailure> {
    let mut line = ProgressLine::new(args.quiet);
    let logs = data.map(|data| data as &mut dyn LogStore);
    let stores = Stores { logs, read_models: database.store() };
    let result = run_with_stores(plan, stores, &mut |progress| line.update(progress));
    line.end();
    result
}

fn repeated(project: &Project, options: &RunOptions, seed: u64, args: &RunArgs) -> Result<Report, RunFailure> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(args.repeats as usize);
    let mut line = ProgressLine::new(args.quiet);
    let plan = |seed| {
        let options = RunOptions { seed: Some(seed), ..options.clone() };
        compile::compile(project, &options).expect("the same design compiled under another seed a moment ago")
    };
    let result = run_repeats(&plan, seed, args.repeats, threads, &mut |done| line.repeats(done, args.repeats, threads));
    line.end();
    result
}

fn finish(project: &Project, report: &Report, args: &RunArgs) -> Result<End, Stop> {
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    if let Some(path) = &args.json {
        let json = export::report_json(report);
        if to_stdout {
            print(&json)?;
        } else {
            documents::write(path, &json)?;
        }
    }
    if let Some(path) = &args.report {
        documents::write(path, &export::report_html(project, report))?;
    }
    if args.quiet {
        let mut words = String::new();
        for missed in report.expectations.iter().filter(|expectation| !expectation.met) {
            let _ = writeln!(words, "missed: {}: {}", missed.text, missed.figure);
        }
        if !words.is_empty() {
            tell(&words);
        }
    } else if to_stdout {
        // Standard output is the report's: a reader of JSON wants nothing else there.
        tell(&summary(report));
    } else {
        print(&summary(report))?;
    }
    if !report.ledger.balanced {
        return Err(Stop::ours("the ledger does not balance: this is a bug in Eventyard, please report it with the project and the seed"));
    }
    Ok(if report.expectations.iter().all(|expectation| expectation.met) { End::Fine } else { End::Findings })
}
