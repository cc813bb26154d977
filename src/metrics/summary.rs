//! From what was recorded to the report.

use indexmap::IndexMap;

use super::detectors::Sighting;
use super::figure_source::Source;
use super::recorder::Recorder;
use super::report::{Anomaly as AnomalyReport, EngineFigures, ExpectationResult, Ledger, Provenance, Report};
use super::sampling::value;
use super::stats::backlog_grows;
use super::view::ExpectationState;
use crate::engine::{Figure, FigureKind, Latencies};
use crate::predicate::{Judge, Verdict};
use crate::units::{ComponentIx, SimTime};

/// What other figures are made of. Reports hold them, so that the others can be checked; a person who looks has those.
pub const SUMS: [&str; 7] = ["queue_s", "busy_s", "waited_s", "littles_area_s", "littles_sojourn_s", "arrived_count", "served_count"];

/// What a report says that no observer can know.
#[derive(Clone, Debug, Default)]
pub struct ReportHead {
    /// The project's name.
    pub project: String,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// Where the figures come from.
    pub provenance: Provenance,
    /// The project's own text.
    pub assumptions: Vec<String>,
    /// The project's own text.
    pub decisions: Vec<String>,
    /// Kernel turns.
    pub steps: u64,
    /// Most pending entries.
    pub pending_max: u64,
    /// Remarks of the compiler and of the driver.
    pub remarks: Vec<String>,
}

impl Recorder {
    /// The report as of the last sample.
    #[must_use]
    pub fn report(&self, head: ReportHead) -> Report {
        let end = self.sampled_at;
        let span_s = end.as_secs_f64() - self.options.warm_up.as_secs_f64();
        let ledger = self.ledger.close(self.names());
        let mut remarks = head.remarks;
        if head.provenance.uncalibrated {
            remarks.push("uncalibrated: assumed cost defaults are in use; see provenance.defaults".to_owned());
        }
        if self.backlog_grows() {
            remarks.push("not stationary: figures depend on --for".to_owned());
        }
        if self.series.dropped() {
            remarks.push("some series were not kept: the design has more than the series limit".to_owned());
        }
        if self.faults.dropped() > 0 {
            remarks.push(format!("{} further faults were carried out and are not listed", self.faults.dropped()));
        }
        for (component, seen) in self.names().components.iter().zip(&self.seen) {
            let stuck = seen.last.iter().find(|figure| figure.name == "stuck_partitions").map_or(0.0, |figure| figure.value);
            if let Some(clock) = seen.last.iter().find(|figure| figure.name == "clock_ahead_s") {
                let words = "its timestamps say so; latencies are measured by true time";
                remarks.push(format!("{component}'s clock was {} s ahead at the end: {words}", clock.value));
            }
            let refused = seen.last.iter().find(|figure| figure.name == "refused_instances").map_or(0.0, |figure| figure.value);
            if refused > 0.0 {
                remarks.push(format!("instances of {component} have stopped: ACLs refuse {refused} of them what they read"));
            }
            if stuck > 0.0 {
                let words = "partitions no further: a stored batch's checksum does not hold";
                remarks.push(format!("{component} reads {stuck} {words}"));
            }
        }
        if !ledger.balanced {
            remarks.push("the ledger does not balance: this is a defect of Eventyard".to_owned());
        }
        Report {
            format: "eventyard-report/1".to_owned(),
            project: head.project,
            scenario: head.scenario,
            seed: head.seed,
            virtual_s: end.as_secs_f64(),
            warm_up_s: self.options.warm_up.as_secs_f64(),
            provenance: head.provenance,
            expectations: self.expectation_results(),
            remarks,
            assumptions: head.assumptions,
            decisions: head.decisions,
            anomalies: self.anomalies(),
            faults: self.faults.report(&self.bad_ends()),
            engine: EngineFigures { steps: head.steps, pending_max: head.pending_max },
            totals: self.totals(&ledger, span_s),
            components: self.component_figures(end, span_s),
            links: self.link_figures(),
            series: self.series.report(self.interval, |c| self.names().component(c)),
            ledger,
            repeats: None,
            wall: super::report::Wall::default(),
        }
    }

    /// Whether the backlog grows to the end.
    #[must_use]
    pub fn backlog_grows(&self) -> bool {
        let delivered = self.series.points("delivered_per_s", None, "");
        let half = &delivered[delivered.len() / 2..];
        let ended: f64 = half.iter().map(|point| point[1] * self.interval.as_secs_f64()).sum();
        backlog_grows(&self.backlog, ended)
    }

    fn expectation_results(&self) -> Vec<ExpectationResult> {
        let result = |(judge, text): (&Judge, &String)| ExpectationResult {
            text: text.clone(),
            met: judge.state() == Verdict::Met,
            figure: self.figure_text(judge),
            broke_at_s: judge.broke_at().map(SimTime::as_secs_f64),
        };
        self.judges.iter().zip(&self.options.texts).map(result).collect()
    }

    /// What an expectation was judged by; a broken guarantee with its first counter-example.
    pub(crate) fn figure_text(&self, judge: &Judge) -> String {
        let figure = judge.figure_text();
        if judge.state() == Verdict::Met {
            return figure;
        }
        let source = Source { recorder: self };
        let examples: Vec<String> = judge.expectation().figures().into_iter().flat_map(|figure| source.counter_examples(figure)).collect();
        if examples.is_empty() { figure } else { format!("{figure}: {}", examples.join("; ")) }
    }

    /// What detectors saw, by topic, group and anomaly.
    fn anomalies(&self) -> Vec<AnomalyReport> {
        let names = &self.options.names;
        let one = |seen: &Sighting| AnomalyReport {
            topic: names.topics[seen.topic.index()].0.to_string(),
            group: names.groups[seen.group.index()].0.to_string(),
            what: seen.anomaly.name().to_owned(),
            count: seen.count,
            first_event: self.names().event(seen.event),
            first_at_s: seen.at.as_secs_f64(),
            first: self.words_of(seen),
        };
        self.detectors.sightings().map(one).collect()
    }

    fn totals(&self, ledger: &Ledger, span_s: f64) -> IndexMap<String, f64> {
        let mut totals = IndexMap::new();
        let mut put = |name: &str, value: f64| {
            totals.insert(name.to_owned(), value);
        };
        let (submissions, obligations) = (&ledger.submissions, &ledger.obligations);
        put("produced_count", submissions.created as f64);
        put("accepted_count", submissions.accepted as f64);
        put("rejected_count", submissions.rejected as f64);
        put("delivered_count", obligations.delivered as f64);
        put("duplicate_count", (obligations.duplicate_deliveries + submissions.duplicate_appends) as f64);
        put("lost_count", (obligations.lost + obligations.expired + submissions.dropped + submissions.abandoned) as f64);
        put("dead_lettered_count", obligations.dead_lettered as f64);
        put("in_flight_count", (submissions.in_flight + obligations.in_flight) as f64);
        if span_s > 0.0 {
            let since = |now: u64, base: u64| now.saturating_sub(base) as f64 / span_s;
            put("produced_per_s", since(self.counts.produced, self.counts_base.produced));
            put("delivered_per_s", since(self.counts.delivered, self.counts_base.delivered));
            put("rejected_per_s", since(self.counts.rejected, self.counts_base.rejected));
        }
        let mut whole = Latencies::default();
        let mut root = Latencies::default();
        for lane in &self.lanes {
            whole.add(&lane.total);
            root.add(&lane.root);
        }
        put_latencies(&mut totals, "latency", &whole);
        put_latencies(&mut totals, "root_latency", &root);
        // Beside every latency stands the share that was not delivered.
        let ended = obligations.owed() - obligations.in_flight;
        let share = if ended > 0 { 1.0 - obligations.delivered as f64 / ended as f64 } else { 0.0 };
        totals.insert("not_delivered_share_ratio".to_owned(), share);
        totals
    }

    fn component_figures(&self, end: SimTime, span_s: f64) -> IndexMap<String, IndexMap<String, f64>> {
        let mut all = IndexMap::new();
        let kept = self.options.names.kept.map(ComponentIx::index);
        for (index, seen) in self.seen.iter().enumerate().filter(|(index, _)| Some(*index) != kept) {
            let mut figures = IndexMap::new();
            for figure in &seen.last {
                let name = if figure.label.is_empty() { figure.name.to_owned() } else { format!("{}[{}]", figure.name, figure.label) };
                figures.insert(name, figure.value);
            }
            let span_ns = end.as_ns().saturating_sub(self.options.warm_up.as_ns()) as f64;
            derived(&seen.base, &seen.last, Measured { span_s, servers_mean: seen.servers_ns / span_ns }, &mut figures);
            let groups = &self.options.names.groups_of[index];
            if !groups.is_empty() {
                let (mut latencies, mut root) = (Latencies::default(), Latencies::default());
                for lane in self.lanes.iter().filter(|lane| groups.contains(&lane.group)) {
                    latencies.add(&lane.total);
                    root.add(&lane.root);
                }
                put_latencies(&mut figures, "latency", &latencies);
                put_latencies(&mut figures, "root_latency", &root);
                let terms = self.ledger.obligations_so_far(|_, group| groups.contains(&group));
                figures.insert("obligations_count".to_owned(), terms.created as f64);
                figures.insert("delivered_count".to_owned(), terms.delivered as f64);
                figures.insert("in_flight_count".to_owned(), terms.in_flight as f64);
                figures.insert("duplicate_count".to_owned(), terms.duplicate_deliveries as f64);
            }
            all.insert(self.names().component(ComponentIx(index as u32)), figures);
        }
        all
    }

    fn link_figures(&self) -> IndexMap<String, IndexMap<String, f64>> {
        let one = |(id, seen): (&std::sync::Arc<str>, &super::recorder::LinkSeen)| {
            let figures = [
                ("messages_count", seen.messages as f64),
                ("events_count", seen.events as f64),
                ("bytes", seen.bytes as f64),
                ("lost_count", seen.lost as f64),
                ("in_flight_count", seen.in_flight as f64),
            ];
            (id.to_string(), figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        self.options.names.links.iter().zip(&self.links).map(one).collect()
    }
}

/// The time after the warm-up, and how many servers a component had in it.
#[derive(Clone, Copy)]
struct Measured {
    span_s: f64,
    servers_mean: f64,
}

/// Means over the time after the warm-up, from integrals and counters at its two ends.
fn derived(base: &[Figure], last: &[Figure], measured: Measured, figures: &mut IndexMap<String, f64>) {
    let Measured { span_s, servers_mean } = measured;
    if span_s <= 0.0 {
        return;
    }
    let since = |name: &str| value(last, name, "").map(|now| now - value(base, name, "").unwrap_or(0.0));
    if let Some(busy) = since("busy_s").filter(|_| servers_mean > 0.0) {
        figures.insert("utilisation_ratio".to_owned(), busy / span_s / servers_mean);
    }
    if let Some(queue) = since("queue_s") {
        figures.insert("queue_length_mean".to_owned(), queue / span_s);
    }
    if let (Some(waited), Some(served)) = (since("waited_s"), since("served_count").filter(|served| *served > 0.0)) {
        figures.insert("wait_ms_mean".to_owned(), waited / served * 1e3);
    }
    for figure in last.iter().filter(|figure| figure.kind == FigureKind::Counter && figure.label.is_empty()) {
        if let Some(stem) = figure.name.strip_suffix("_count") {
            figures.insert(format!("{stem}_per_s"), (figure.value - value(base, figure.name, "").unwrap_or(0.0)) / span_s);
        }
    }
}

fn put_latencies(figures: &mut IndexMap<String, f64>, name: &str, latencies: &Latencies) {
    if latencies.count() == 0 {
        return;
    }
    let ms = |seconds: Option<f64>| seconds.unwrap_or(0.0) * 1e3;
    figures.insert(format!("{name}_ms_mean"), ms(latencies.mean_s()));
    for (suffix, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)] {
        figures.insert(format!("{name}_ms_{suffix}"), ms(latencies.quantile_s(quantile)));
    }
    figures.insert(format!("{name}_ms_max"), ms(latencies.max_s()));
}

/// The window's word for a judge's state.
pub(crate) fn state_of(state: Verdict) -> ExpectationState {
    match state {
        Verdict::Pending => ExpectationState::Pending,
        Verdict::Met => ExpectationState::Met,
        Verdict::Missed => ExpectationState::Missed,
    }
}
