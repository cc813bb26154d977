//! A report as a table for a terminal: expectations first, then totals, components, ledger, remarks.

use std::fmt::Write;

use indexmap::IndexMap;

use crate::export::support::{fault_words, terms, text};
use crate::metrics::{Ledger, Report, SUMS};

const WIDTH: usize = 110;
/// Event types and paths shown.
const PARTS_SHOWN_MAX: usize = 8;
/// More reasons than this are counted, not listed.
const REASONS_SHOWN_MAX: usize = 12;
/// Anomalies beyond it are counted.
const ANOMALIES_SHOWN_MAX: usize = 12;
/// Figures of one name that a component has for each of its parts (`client_lost_count[fast-1]`); those of further parts are counted.
const PARTS_OF_A_FIGURE_MAX: usize = 4;
/// Faults beyond it are counted.
const FAULTS_SHOWN_MAX: usize = 20;

/// The whole summary, ending in a line end.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    heading(report, &mut out);
    expectations(report, &mut out);
    if let Some(repeats) = &report.repeats {
        let _ = writeln!(out, "\nFigures over {} repeats (mean ± half-width of the 95 % interval; repeats wanted for ±2 %)", repeats.count);
        let width = repeats.figures.keys().map(|name| name.chars().count()).max().unwrap_or(0).min(60);
        for (name, interval) in repeats.figures.iter().filter(|(_, interval)| interval.mean != 0.0) {
            let wanted =
                if interval.repeats_for_2_percent > 0 { text::count(interval.repeats_for_2_percent.into()) } else { "–".to_owned() };
            let spread = format!("{} ± {}", text::figure(name, interval.mean), text::number(interval.half_width));
            let _ = writeln!(out, "  {name:width$}  {spread:32}  {wanted}");
        }
    }
    let _ = writeln!(out, "\nTotals{}", if report.repeats.is_some() { " of the first repeat" } else { "" });
    totals(&report.totals, &mut out);
    if !report.components.is_empty() {
        let _ = writeln!(out, "\nComponents");
        let width = report.components.keys().map(|id| id.chars().count()).max().unwrap_or(0).min(30);
        for (id, figures) in &report.components {
            figures_of(id, width, figures, &mut out);
        }
    }
    ledger(&report.ledger, &mut out);
    anomalies(report, &mut out);
    faults(report, &mut out);
    remarks(report, &mut out);
    out
}

fn heading(report: &Report, out: &mut String) {
    let scenario = if report.scenario.is_empty() { "its own loads".to_owned() } else { format!("scenario {}", report.scenario) };
    let warm_up = if report.warm_up_s > 0.0 { format!(" after a warm-up of {}", text::seconds(report.warm_up_s)) } else { String::new() };
    let _ = writeln!(out, "{}: {scenario}, seed {}", report.project, report.seed);
    let _ = writeln!(
        out,
        "{} of virtual time{warm_up} in {} ({} × real time, {} events/s, {} steps/s, peak {})",
        text::seconds(report.virtual_s),
        text::seconds(report.wall.run_s),
        text::number(libm::round(report.virtual_s / report.wall.run_s.max(1e-9))),
        text::number(libm::round(report.wall.events_per_s)),
        text::number(libm::round(report.wall.steps_per_s)),
        text::bytes(report.wall.peak_rss_bytes as f64),
    );
}

fn expectations(report: &Report, out: &mut String) {
    if report.expectations.is_empty() {
        return;
    }
    let missed = report.expectations.iter().filter(|expectation| !expectation.met).count();
    let verdict = if missed == 0 { "all met".to_owned() } else { format!("{missed} of {} missed", report.expectations.len()) };
    let _ = writeln!(out, "\nExpectations: {verdict}");
    let width = report.expectations.iter().map(|expectation| expectation.text.chars().count()).max().unwrap_or(0).min(70);
    for expectation in &report.expectations {
        let mark = if expectation.met { "met   " } else { "MISSED" };
        let broke = expectation.broke_at_s.map(|at| format!(", first broken at {}", text::seconds(at))).unwrap_or_default();
        let _ = writeln!(out, "  {mark}  {:width$}  {}{broke}", expectation.text, expectation.figure);
    }
}

fn totals(figures: &IndexMap<String, f64>, out: &mut String) {
    // Two columns: totals are many and short.
    let cell = |(name, value): (&String, &f64)| format!("{:30} {:>18}", text::label(name), text::figure(name, *value));
    let cells: Vec<String> = figures.iter().map(cell).collect();
    let rows = cells.len().div_ceil(2);
    for row in 0..rows {
        let right = cells.get(rows + row).map(|cell| format!("    {cell}")).unwrap_or_default();
        let _ = writeln!(out, "  {}{right}", cells[row]);
    }
}

/// Whether a figure of a component belongs into a summary: what happened, without what did not and without
/// the sums that other figures are made of. Everything is in the JSON report.
fn tells_something(name: &str, value: f64) -> bool {
    let detail = name.starts_with("partition_")
        || name.starts_with("replica_")
        || name.starts_with("polls_")
        || name.ends_with("_p999")
        || name == "in_service";
    // The rate of what is counted too says nothing new, but for what a component is there for.
    const RATES: [&str; 4] = ["produced_per_s", "processed_per_s", "requests_per_s", "accepted_per_s"];
    let repeats = name.ends_with("_per_s") && !RATES.contains(&name);
    value != 0.0 && !detail && !repeats && !SUMS.contains(&name)
}

fn figures_of(id: &str, width: usize, figures: &IndexMap<String, f64>, out: &mut String) {
    let indent = width + 4;
    let mut line = format!("  {id:width$}  ");
    let mut used = line.chars().count();
    let (shown, left_out) = of_few_parts(figures.iter().filter(|(name, value)| tells_something(name, **value)));
    let items = shown.into_iter().map(|(name, value)| format!("{} {}", text::label(name), text::figure(name, *value)));
    let more = (left_out > 0).then(|| format!("and {left_out} more: see --json or --report"));
    for item in items.chain(more) {
        let length = item.chars().count();
        if used > indent && used + 2 + length > WIDTH {
            let _ = writeln!(out, "{},", line.trim_end());
            line = " ".repeat(indent);
            used = indent;
        } else if used > indent {
            line.push_str(", ");
            used += 2;
        }
        line.push_str(&item);
        used += length;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// The figures without those of further parts, and how many these are.
fn of_few_parts<'a>(figures: impl Iterator<Item = (&'a String, &'a f64)>) -> (Vec<(&'a String, &'a f64)>, usize) {
    let mut seen: IndexMap<&str, usize> = IndexMap::new();
    let (shown, left_out): (Vec<_>, Vec<_>) = figures.partition(|(name, _)| {
        let Some((family, _)) = name.split_once('[') else { return true };
        let parts = seen.entry(family).or_default();
        *parts += 1;
        *parts <= PARTS_OF_A_FIGURE_MAX
    });
    (shown, left_out.len())
}

fn ledger(ledger: &Ledger, out: &mut String) {
    let _ = writeln!(out, "\nLedger: {}", if ledger.balanced { "balanced" } else { "DOES NOT BALANCE: this is a bug in Eventyard" });
    let submissions = balance(ledger.submissions.created, &terms::submissions(&ledger.submissions));
    let _ = writeln!(
        out,
        "  submissions  {submissions}{}{}",
        beside("made from others", ledger.submissions.derived),
        beside("appended twice", ledger.submissions.duplicate_appends)
    );
    let obligations = balance(ledger.obligations.created, &terms::obligations(&ledger.obligations));
    let owed = &ledger.obligations;
    let _ = writeln!(
        out,
        "  obligations  {obligations}{}{}{}",
        beside("delivered twice", owed.duplicate_deliveries),
        beside("of the delivered backfilled", owed.backfilled),
        beside("replayed", owed.replayed)
    );
    split(&terms::by_event_type(ledger), out);
    split(&terms::by_path(ledger), out);
    for reason in ledger.reasons.iter().take(REASONS_SHOWN_MAX) {
        let ty = if reason.event_type.is_empty() { String::new() } else { format!(" {}", reason.event_type) };
        let detail = if reason.detail.is_empty() { String::new() } else { format!(": {}", text::shorten(&reason.detail, 80)) };
        let end = reason.end.replace('_', " ");
        let _ = writeln!(out, "  {}{ty} {end} at {} [{}]{detail}", text::count(reason.count), reason.at, reason.code);
    }
    if ledger.reasons.len() > REASONS_SHOWN_MAX {
        let _ = writeln!(out, "  and {} more reasons: see --json or --report", ledger.reasons.len() - REASONS_SHOWN_MAX);
    }
}

/// What detectors saw: how often, and the first of each.
fn anomalies(report: &Report, out: &mut String) {
    if report.anomalies.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nAnomalies");
    for one in report.anomalies.iter().take(ANOMALIES_SHOWN_MAX) {
        let what = one.what.replace('_', " ");
        let _ = writeln!(out, "  {} {what} for {} reading {}; first: {}", text::count(one.count), one.group, one.topic, one.first);
    }
    if report.anomalies.len() > ANOMALIES_SHOWN_MAX {
        let _ = writeln!(out, "  and {} more: see --json or --report", report.anomalies.len() - ANOMALIES_SHOWN_MAX);
    }
}

/// A line a part, when there are several.
fn split(split: &terms::Split, out: &mut String) {
    if split.rows.len() < 2 {
        return;
    }
    let width = split.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, counts) in split.rows.iter().take(PARTS_SHOWN_MAX) {
        let counted = split.heads.iter().zip(counts).filter(|(_, count)| **count > 0);
        let words: Vec<String> = counted.map(|(head, count)| format!("{} {head}", text::count(*count))).collect();
        let _ = writeln!(out, "    {name:width$}  {}", words.join(", "));
    }
    if split.rows.len() > PARTS_SHOWN_MAX {
        let _ = writeln!(out, "    and {} more: see --json or --report", split.rows.len() - PARTS_SHOWN_MAX);
    }
}

fn balance(created: u64, terms: &[(&'static str, u64)]) -> String {
    let shown: Vec<String> = terms.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{} {name}", text::count(*n))).collect();
    format!("{} created = {}", text::count(created), if shown.is_empty() { "0".to_owned() } else { shown.join(" + ") })
}

fn beside(what: &str, n: u64) -> String {
    if n == 0 { String::new() } else { format!("; {} {what}", text::count(n)) }
}

fn faults(report: &Report, out: &mut String) {
    if report.faults.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nFaults and changes");
    for fault in report.faults.iter().take(FAULTS_SHOWN_MAX) {
        let _ = writeln!(out, "  {:>10}  {}: {}", text::seconds(fault.at_s), fault.target, fault_words::done(fault));
        let _ = writeln!(out, "  {:10}    {}", "", fault_words::effects(fault));
    }
    if report.faults.len() > FAULTS_SHOWN_MAX {
        let _ = writeln!(out, "  and {} more: see --json or --report", report.faults.len() - FAULTS_SHOWN_MAX);
    }
}

fn remarks(report: &Report, out: &mut String) {
    let single = report.repeats.is_none() && !report.remarks.iter().any(|remark| remark.contains("interval"));
    if report.remarks.is_empty() && !single {
        return;
    }
    let _ = writeln!(out, "\nRemarks");
    for remark in &report.remarks {
        let _ = writeln!(out, "  {remark}");
    }
    if single {
        let _ = writeln!(out, "  a single run: its figures carry no interval; see --repeats");
    }
}
