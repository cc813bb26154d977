//! The report of a run as one self-contained HTML page: expectations first, no scripts, nothing fetched.

use std::fmt::Write;

use indexmap::IndexMap;

use super::support::chart::{Band, Line, line_chart};
use super::support::drawing::drawing;
use super::support::fault_words;
use super::support::palette::CSS_COLOURS;
use super::support::terms;
use super::support::text::{self, escape_xml};
use super::{Exporter, Writer};
use crate::metrics::{Report, Series};
use crate::model::Project;

pub(super) const EXPORTER: Exporter =
    Exporter { name: "html", extension: "html", help: "The report of a run as one page to send or to print", write: Writer::Report(page) };

/// Charts of components beyond this make a page that nobody scrolls.
const COMPONENT_CHARTS_MAX: usize = 60;

const CSS_PAGE: &str = "\
body{margin:0 auto;max-width:1080px;padding:32px 24px 64px;background:var(--ground);color:var(--text);font:15px/1.5 Inter,system-ui,sans-serif}\
h1{font-size:28px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}h3{font-size:15px;margin:20px 0 6px}p{margin:6px 0;max-width:75ch}\
.muted{color:var(--muted)}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}\
table{border-collapse:collapse;width:100%;background:var(--surface);border:1px solid var(--border);border-radius:8px;overflow:hidden;font-size:14px}\
th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--border);vertical-align:top;overflow-wrap:break-word}\
th{color:var(--muted);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
tr:last-child td{border-bottom:0}code{font:13px/1.4 'JetBrains Mono',ui-monospace,monospace;overflow-wrap:anywhere}\
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(170px,1fr));gap:10px}\
.tile{background:var(--surface);border:1px solid var(--border);border-radius:8px;padding:10px 14px}.tile b{display:block;font-size:19px;font-weight:600}\
.tile span{color:var(--muted);font-size:13px}.wide{overflow-x:auto;background:var(--surface);border:1px solid var(--border);border-radius:8px}\
.wide svg{display:block;max-width:100%;height:auto;margin:0 auto}.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(460px,1fr));gap:14px}\
.chart{margin:0;background:var(--surface);border:1px solid var(--border);border-radius:8px;padding:10px 12px}.chart figcaption{font-weight:600;font-size:14px}\
.chart svg{display:block;width:100%;height:auto}.grid{stroke:var(--border)}.tick{fill:var(--muted);font-size:11px}.band{fill:var(--warn);opacity:.14}.line{fill:none;stroke-width:1.6;stroke-linejoin:round}\
.columns{display:grid;grid-template-columns:1fr 1fr;gap:14px}@media(max-width:760px){.columns,.charts{grid-template-columns:1fr}}\
@media print{body{max-width:none}.chart,.tile,tr{break-inside:avoid}}";

/// The page.
pub(super) fn page(project: &Project, report: &Report) -> String {
    let mut out = String::new();
    let title = escape_xml(&format!("{}: report", report.project));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{title}</title><style>{CSS_COLOURS}{CSS_PAGE}</style></head><body>\n"
    );
    heading(project, report, &mut out);
    expectations(report, &mut out);
    totals(report, &mut out);
    repeats(report, &mut out);
    ledger(report, &mut out);
    faults(report, &mut out);
    let _ = writeln!(out, "<h2>Design</h2><div class=\"wide\">{}</div>", drawing(project, ""));
    charts(report, &mut out);
    figures("Components", "Component", &report.components, &mut out);
    figures("Links", "Link", &report.links, &mut out);
    parameters(project, report, &mut out);
    texts("Assumptions", &report.assumptions, &mut out);
    texts("Decisions", &report.decisions, &mut out);
    provenance(report, &mut out);
    out.push_str("</body></html>\n");
    out
}

fn heading(project: &Project, report: &Report, out: &mut String) {
    let scenario = if report.scenario.is_empty() { "its own loads".to_owned() } else { format!("scenario {}", report.scenario) };
    let about = project.scenarios.get(&report.scenario).map(|scenario| scenario.about.as_str()).unwrap_or_default();
    let warm_up = if report.warm_up_s > 0.0 { format!(", warm-up {} cut", text::seconds(report.warm_up_s)) } else { String::new() };
    let _ = write!(
        out,
        "<h1>{}</h1><p class=\"muted\">{}, seed {}, {} of virtual time{warm_up}</p><p>{}</p>",
        escape_xml(&report.project),
        escape_xml(&scenario),
        report.seed,
        text::seconds(report.virtual_s),
        escape_xml(&project.aim),
    );
    if !about.is_empty() {
        let _ = write!(out, "<p>{}</p>", escape_xml(about));
    }
    for remark in &report.remarks {
        let _ = write!(out, "<p class=\"warn\">{}</p>", escape_xml(remark));
    }
    if report.repeats.is_none() && !report.remarks.iter().any(|remark| remark.contains("interval")) {
        out.push_str("<p class=\"muted\">A single run: its figures carry no interval.</p>");
    }
    out.push('\n');
}

fn expectations(report: &Report, out: &mut String) {
    if report.expectations.is_empty() {
        return;
    }
    let missed = report.expectations.iter().filter(|expectation| !expectation.met).count();
    let verdict = if missed == 0 {
        "<span class=\"good\">all met</span>".to_owned()
    } else {
        format!("<span class=\"bad\">{missed} of {} missed</span>", report.expectations.len())
    };
    let _ = write!(
        out,
        "<h2>Expectations: {verdict}</h2><table><tr><th></th><th>Expected</th><th>Figure</th><th class=\"n\">First broken</th></tr>"
    );
    for expectation in &report.expectations {
        let mark = if expectation.met { "<td class=\"good\">✓ met</td>" } else { "<td class=\"bad\">✗ missed</td>" };
        let broke = expectation.broke_at_s.map(text::seconds).unwrap_or_default();
        let (wanted, figure) = (escape_xml(&expectation.text), escape_xml(&expectation.figure));
        let _ = write!(out, "<tr>{mark}<td><code>{wanted}</code></td><td>{figure}</td><td class=\"n\">{broke}</td></tr>");
    }
    out.push_str("</table>\n");
}

fn totals(report: &Report, out: &mut String) {
    let _ = write!(out, "<h2>Totals</h2><div class=\"tiles\">");
    for (name, value) in &report.totals {
        let _ = write!(
            out,
            "<div class=\"tile\"><b>{}</b><span>{}</span></div>",
            escape_xml(&text::figure(name, *value)),
            escape_xml(&text::label(name))
        );
    }
    out.push_str("</div>\n");
}

fn repeats(report: &Report, out: &mut String) {
    let Some(repeats) = &report.repeats else { return };
    let _ = write!(
        out,
        "<h2>Over {} repeats</h2><p class=\"muted\">Everything else on this page is the first repeat.</p><table><tr><th>Figure</th>\
         <th class=\"n\">Mean</th><th class=\"n\">95 % interval</th><th class=\"n\">Repeats for ±2 %</th></tr>",
        repeats.count
    );
    for (name, interval) in &repeats.figures {
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">± {}</td><td class=\"n\">{}</td></tr>",
            escape_xml(name),
            escape_xml(&text::figure(name, interval.mean)),
            escape_xml(&text::number(interval.half_width)),
            if interval.repeats_for_2_percent > 0 { text::count(interval.repeats_for_2_percent.into()) } else { "–".to_owned() },
        );
    }
    out.push_str("</table>\n");
}

fn ledger(report: &Report, out: &mut String) {
    let ledger = &report.ledger;
    let verdict = if ledger.balanced {
        "<span class=\"good\">balanced</span>"
    } else {
        "<span class=\"bad\">does not balance: this is a bug in Eventyard</span>"
    };
    let _ = write!(out, "<h2>Ledger: {verdict}</h2><div class=\"columns\">");
    let (s, o) = (&ledger.submissions, &ledger.obligations);
    balance(
        "Submissions",
        s.created,
        &terms::submissions(s),
        &[("made from others", s.derived), ("appended twice", s.duplicate_appends)],
        out,
    );
    balance("Obligations", o.created, &terms::obligations(o), &[("delivered twice", o.duplicate_deliveries)], out);
    out.push_str("</div>\n");
    split("Event type", &terms::by_event_type(ledger), out);
    split("Path", &terms::by_path(ledger), out);
    if ledger.reasons.is_empty() {
        return;
    }
    out.push_str("<h3>What did not arrive, and why</h3><table><tr><th>End</th><th>At</th><th>Event type</th><th>Reason</th><th class=\"n\">Count</th><th>First</th></tr>");
    for reason in &ledger.reasons {
        let first: Vec<String> = reason.first.iter().take(3).map(|(name, at)| format!("{name} at {}", text::seconds(*at))).collect();
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code> {}</td><td class=\"n\">{}</td><td class=\"muted\">{}</td></tr>",
            escape_xml(&reason.end.replace('_', " ")),
            escape_xml(&reason.at),
            escape_xml(&reason.event_type),
            escape_xml(&reason.code),
            escape_xml(&reason.detail),
            text::count(reason.count),
            escape_xml(&first.join(", ")),
        );
    }
    out.push_str("</table>\n");
}

fn split(what: &str, split: &terms::Split, out: &mut String) {
    if split.rows.is_empty() {
        return;
    }
    let _ = write!(out, "<table><tr><th>{what}</th>");
    for head in &split.heads {
        let _ = write!(out, "<th class=\"n\">{head}</th>");
    }
    for (name, counts) in &split.rows {
        let _ = write!(out, "</tr>\n<tr><td>{}</td>", escape_xml(name));
        for count in counts {
            let class = if *count == 0 { "n muted" } else { "n" };
            let _ = write!(out, "<td class=\"{class}\">{}</td>", text::count(*count));
        }
    }
    out.push_str("</tr></table>\n");
}

fn balance(title: &str, created: u64, terms: &[(&'static str, u64)], beside: &[(&str, u64)], out: &mut String) {
    let _ = write!(out, "<table><tr><th>{title}</th><th class=\"n\">{} created</th></tr>", text::count(created));
    for (name, count) in terms {
        let class = if *count == 0 { " class=\"muted\"" } else { "" };
        let _ = write!(out, "<tr{class}><td>{name}</td><td class=\"n\">{}</td></tr>", text::count(*count));
    }
    for (name, count) in beside {
        let _ = write!(out, "<tr class=\"muted\"><td>{name} (beside the balance)</td><td class=\"n\">{}</td></tr>", text::count(*count));
    }
    out.push_str("</table>");
}

fn faults(report: &Report, out: &mut String) {
    if report.faults.is_empty() {
        return;
    }
    out.push_str("<h2>Faults and changes</h2><table><tr><th class=\"n\">At</th><th class=\"n\">Until</th><th>To</th><th>What</th><th>Came of it</th></tr>");
    for fault in &report.faults {
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
            text::seconds(fault.at_s),
            fault.until_s.map(text::seconds).unwrap_or_default(),
            escape_xml(&fault.target),
            escape_xml(&fault_words::done(fault)),
            escape_xml(&fault_words::effects(fault)),
        );
    }
    out.push_str("</table>\n");
}

fn charts(report: &Report, out: &mut String) {
    let drawn: Vec<&Series> = report.series.iter().filter(|series| series.points.len() > 1).collect();
    if drawn.is_empty() {
        return;
    }
    out.push_str("<h2>Charts</h2><div class=\"charts\">\n");
    let design: Vec<&Series> = drawn.iter().copied().filter(|series| series.component.is_empty()).collect();
    grouped(&design, report, out);
    out.push_str("</div>\n");
    let mut shown = 0;
    for id in report.components.keys() {
        let own: Vec<&Series> = drawn.iter().copied().filter(|series| series.component == *id).collect();
        if own.is_empty() || shown >= COMPONENT_CHARTS_MAX {
            continue;
        }
        let _ = write!(out, "<h3>{}</h3><div class=\"charts\">", escape_xml(id));
        shown += grouped(&own, report, out);
        out.push_str("</div>\n");
    }
}

/// Series that belong together share a chart: the rates, the percentiles of one latency, one line a label.
fn grouped(series: &[&Series], report: &Report, out: &mut String) -> usize {
    let lasting = report.faults.iter().filter(|fault| fault.refused.is_none());
    let bands: Vec<Band> =
        lasting.map(|fault| (fault.at_s, fault.until_s, format!("{}: {}", fault.target, fault_words::done(fault)))).collect();
    let mut groups: IndexMap<String, Vec<&Series>> = IndexMap::new();
    for one in series {
        groups.entry(chart_title(&one.metric)).or_default().push(one);
    }
    for (title, members) in &groups {
        let several = members.iter().any(|one| one.metric != members[0].metric);
        let name = |one: &Series| match (several, one.label.is_empty()) {
            (true, true) => text::label(&one.metric),
            (true, false) => format!("{} {}", text::label(&one.metric), one.label),
            (false, true) => text::label(&one.metric),
            (false, false) => one.label.clone(),
        };
        let lines: Vec<Line<'_>> = members.iter().map(|one| Line { name: name(one), points: &one.points }).collect();
        out.push_str(&line_chart(title, text::unit(&members[0].metric), report.virtual_s, &lines, &bands));
    }
    groups.len()
}

fn chart_title(metric: &str) -> String {
    if text::unit(metric) == "per_s" {
        return "Events per second".to_owned();
    }
    for family in ["latency", "root_latency", "wait", "service"] {
        if metric.starts_with(family) {
            return capital(&text::label(family));
        }
    }
    capital(&text::label(metric))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

fn figures(title: &str, column: &str, of: &IndexMap<String, IndexMap<String, f64>>, out: &mut String) {
    if of.values().all(IndexMap::is_empty) {
        return;
    }
    let _ = write!(out, "<h2>{title}</h2><table><tr><th>{column}</th><th>Figures</th></tr>");
    for (id, figures) in of {
        let cells: Vec<String> =
            figures.iter().map(|(name, value)| escape_xml(&format!("{} {}", text::label(name), text::figure(name, *value)))).collect();
        let cells = cells.join(" <span class=\"muted\">·</span> ");
        let _ = write!(out, "<tr><td>{}</td><td>{cells}</td></tr>", escape_xml(id));
    }
    out.push_str("</table>\n");
}

fn parameters(project: &Project, report: &Report, out: &mut String) {
    out.push_str("<h2>Parameters</h2><table><tr><th>Component</th><th>Kind</th><th>Given in the project</th></tr>");
    for (id, component) in &project.components {
        let params: Vec<String> = component
            .params
            .iter()
            .map(|(name, value)| format!("<code>{}: {}</code>", escape_xml(name), escape_xml(&text::shorten(&value.to_field_text(), 400))))
            .collect();
        let kind = component.profile.as_ref().map_or(component.kind.clone(), |profile| format!("{}, {profile}", component.kind));
        let _ = write!(out, "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", escape_xml(id), escape_xml(&kind), params.join("<br>"));
    }
    out.push_str("</table>\n");
    pairs("Overrides of the scenario and the command line", report.provenance.overrides.iter(), out);
    pairs("Defaults that matter", report.provenance.defaults.iter(), out);
}

fn pairs<'a>(title: &str, pairs: impl Iterator<Item = (&'a String, &'a String)>, out: &mut String) {
    let rows: String =
        pairs.map(|(name, value)| format!("<tr><td><code>{}</code></td><td>{}</td></tr>", escape_xml(name), escape_xml(value))).collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "<h3>{title}</h3><table>{rows}</table>");
    }
}

fn texts(title: &str, texts: &[String], out: &mut String) {
    if !texts.is_empty() {
        let items: String = texts.iter().map(|text| format!("<li>{}</li>", escape_xml(text))).collect();
        let _ = writeln!(out, "<h2>{title}</h2><ul>{items}</ul>");
    }
}

fn provenance(report: &Report, out: &mut String) {
    let from = &report.provenance;
    out.push_str("<h2>Provenance</h2><table>");
    let mut row = |name: &str, value: String| {
        let _ = write!(out, "<tr><td>{name}</td><td><code>{}</code></td></tr>", escape_xml(&value));
    };
    row("Program", from.program.clone());
    row("Project hash", from.project_hash.clone());
    row("Seed", report.seed.to_string());
    row("Kernel steps", text::count(report.engine.steps));
    row("Most entries pending", text::count(report.engine.pending_max));
    row("Cost model", if from.uncalibrated { "uncalibrated: assumed defaults in use" } else { "calibrated" }.to_owned());
    row("Wall time", format!("{} ({} events/s)", text::seconds(report.wall.run_s), text::number(libm::round(report.wall.events_per_s))));
    row("Peak memory", text::bytes(report.wall.peak_rss_bytes as f64));
    out.push_str("</table>\n");
    pairs("Profiles", from.profiles.iter(), out);
    pairs("Schemas", from.schema_hashes.iter(), out);
}
