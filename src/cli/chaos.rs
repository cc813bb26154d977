//! `eventyard chaos`: searches a design for faults that it does not survive.

use std::fmt::Write;
use std::num::NonZero;
use std::thread;

use super::args::ChaosArgs;
use super::documents;
use super::exit::{End, Stop, print};
use super::progress::ProgressLine;
use super::set;
use crate::components;
use crate::export::support::text;
use crate::model::{FaultTarget, Project, TimedFault, Value};
use crate::run::{ChaosFailure, ChaosFinding, ChaosOptions, ChaosResult, RunFailure, chaos};

/// Searches as the arguments say.
///
/// # Errors
/// Usage, files, a project that cannot run, a failure of ours.
pub fn chaos_command(args: &ChaosArgs) -> Result<End, Stop> {
    let loaded = documents::load_sound(&args.file)?;
    let project = &loaded.project;
    if let Some(name) = args.scenario.as_ref().filter(|name| !project.scenarios.contains_key(*name)) {
        return Err(Stop::usage(set::unknown("scenario", name, project.scenarios.keys().map(String::as_str))));
    }
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let options = ChaosOptions {
        scenario: args.scenario.clone(),
        length: args.length,
        seed: args.seed.unwrap_or(project.seed),
        runs: args.runs,
        faults_max: args.faults,
        threads,
    };
    let checks = if args.expect { project.expect.clone() } else { default_checks(project) };
    let mut line = ProgressLine::new(args.quiet);
    let result = chaos(project, &checks, &options, &mut |done| line.runs(done, args.runs, threads));
    line.end();
    let result = result.map_err(|failure| match failure {
        ChaosFailure::Design(problems) => Stop::findings(documents::listing(&args.file, &loaded.locate(problems))),
        ChaosFailure::Run(failure @ RunFailure::Stuck { .. }) => Stop::findings(failure.to_string()),
        ChaosFailure::Run(failure) => Stop::ours(failure.to_string()),
    })?;
    print(&words(&result, args))?;
    match &result.finding {
        Some(finding) if finding.check == chaos::BALANCED => {
            Err(Stop::ours("the ledger does not balance: this is a bug in Eventyard, please report it with the project and the seed"))
        }
        Some(_) => Ok(End::Findings),
        None => Ok(End::Fine),
    }
}

/// Nothing acknowledged is lost, and each consumer sees each key's events in order.
fn default_checks(project: &Project) -> Vec<String> {
    let reads = |id: &String, component: &crate::model::Component| {
        let kind = components::by_id(&component.kind)?;
        kind.declares(id, component).group.map(|_| format!("guarantee(\"{id}\", ordered_per_key)"))
    };
    let order = project.components.iter().filter_map(|(id, component)| reads(id, component));
    std::iter::once("lost == 0".to_owned()).chain(order).collect()
}

fn words(result: &ChaosResult, args: &ChaosArgs) -> String {
    let mut out = String::new();
    if !result.broken_before.is_empty() {
        let _ = writeln!(out, "Not searched for, it does not hold without faults either:");
        for check in &result.broken_before {
            let _ = writeln!(out, "  {check}");
        }
    }
    match &result.finding {
        Some(finding) => found(finding, args, &mut out),
        None => {
            let _ = writeln!(
                out,
                "{} runs with up to {} faults each, and all of this held in every one:",
                text::count(u64::from(result.runs)),
                args.faults
            );
            for check in std::iter::once(chaos::BALANCED).chain(result.checks.iter().map(String::as_str)) {
                let _ = writeln!(out, "  {check}");
            }
        }
    }
    out
}

fn found(finding: &ChaosFinding, args: &ChaosArgs, out: &mut String) {
    let ChaosFinding { index, seed, check, figure, drawn, shortest, shrinking_runs } = finding;
    let _ = writeln!(out, "Run {} broke `{check}`: {figure}", index + 1);
    let _ = writeln!(out, "  seed {seed}; {} faults drawn, {} needed ({shrinking_runs} runs to find out)", drawn.len(), shortest.len());
    let _ = writeln!(out, "\nAs a scenario's timeline:\n  faults: [");
    for fault in shortest {
        let _ = writeln!(out, "    {},", entry(fault));
    }
    let scenario = args.scenario.as_ref().map(|name| format!(" --scenario {name}")).unwrap_or_default();
    let length = args.length.map(|length| format!(" --for {length}")).unwrap_or_default();
    let _ = writeln!(out, "  ],\n\nTo see it again, add it to the scenario, add the check to `expect`, and run it under that seed:");
    let _ = writeln!(out, "  eventyard run {}{scenario}{length} --seed {seed}", args.file.display());
}

/// A fault as a file writes it.
fn entry(fault: &TimedFault) -> String {
    let target = match &fault.target {
        FaultTarget::Component(id) => format!("component: \"{id}\""),
        FaultTarget::Link(..) => format!("link: \"{}\"", fault.target),
    };
    let value = |value: &Value| match value {
        Value::Text(text) => format!("\"{text}\""),
        other => other.to_field_text(),
    };
    let params: String = fault.params.iter().map(|(name, given)| format!(", {name}: {}", value(given))).collect();
    format!("(at: \"{}\", {target}, action: \"{}\"{params})", fault.at, fault.action)
}
