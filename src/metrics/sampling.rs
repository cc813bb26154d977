//! The recorder's look at the run at a fixed interval: rates, latencies, figures of processes, expectations.

use std::borrow::Cow;

use super::recorder::Recorder;
use crate::engine::{Figure, FigureKind, Latencies, Process};
use crate::units::{ComponentIx, GroupIx, SimTime};

impl Recorder {
    /// Looks at every process as of `now`; called at [`Self::next_sample`] and once at the end.
    pub fn sample(&mut self, now: SimTime, processes: &[Box<dyn Process>], at_end: bool) {
        let span_s = now.since(self.sampled_at).as_secs_f64();
        if span_s > 0.0 {
            self.sample_counts(now, span_s);
            self.sample_latencies(now);
        }
        for (index, process) in processes.iter().enumerate() {
            self.look(ComponentIx(index as u32), process.as_ref(), now, span_s);
        }
        let open = self.ledger.obligations_so_far(|_, _| true).in_flight;
        let waiting = self.ledger.submissions().in_flight;
        if span_s > 0.0 {
            self.backlog.push((open + waiting) as f64);
            self.series.push("in_flight", "gauge", None, &self.no_label, now, (open + waiting) as f64);
        }
        self.sampled_at = now;
        let mut faults = std::mem::take(&mut self.faults);
        faults.close_ended(now, || self.bad_ends());
        self.faults = faults;
        self.judge(now, at_end);
        if !self.warm && now.as_ns() >= self.options.warm_up.as_ns() {
            self.end_warm_up();
        }
        if now >= self.next_sample {
            self.next_sample = now + self.interval;
            if !self.warm && self.next_sample.as_ns() > self.options.warm_up.as_ns() {
                // The cut falls on a sample of its own.
                self.next_sample = SimTime::ZERO + self.options.warm_up;
            }
        }
    }

    fn end_warm_up(&mut self) {
        self.warm = true;
        self.counts_base = self.counts;
        for seen in &mut self.seen {
            seen.base.clone_from(&seen.last);
            seen.servers_ns = 0.0;
        }
        for seen in &mut self.links {
            seen.events_base = seen.events;
        }
        for lane in &mut self.lanes {
            lane.total.clear();
        }
    }

    fn sample_counts(&mut self, now: SimTime, span_s: f64) {
        let submissions = self.ledger.submissions();
        self.counts.accepted = submissions.accepted;
        self.counts.rejected = submissions.rejected;
        let (counts, before) = (self.counts, self.counts_before);
        let mut rate = |metric, new: u64, old: u64| {
            self.series.push(metric, "counter", None, &self.no_label, now, new.saturating_sub(old) as f64 / span_s)
        };
        rate("produced_per_s", counts.produced, before.produced);
        rate("delivered_per_s", counts.delivered, before.delivered);
        rate("rejected_per_s", counts.rejected, before.rejected);
        self.counts_before = counts;
        for seen in &mut self.links {
            seen.rate_per_s = (seen.events - seen.events_before) as f64 / span_s;
            seen.events_before = seen.events;
        }
    }

    fn sample_latencies(&mut self, now: SimTime) {
        let mut whole: Option<Cow<'_, Latencies>> = None;
        let lanes = std::mem::take(&mut self.lanes);
        let recent = |takes: &dyn Fn(GroupIx) -> bool| {
            let recent = lanes.iter().filter(|lane| takes(lane.group) && lane.recent.count() > 0);
            Latencies::sum(recent.map(|lane| Cow::Borrowed(&lane.recent)))
        };
        for group in (0..self.options.names.groups.len()).map(|group| GroupIx(group as u32)) {
            for component in self.components_of(group) {
                let groups = &self.options.names.groups_of[component.index()];
                if let Some(of_component) = recent(&|group| groups.contains(&group)) {
                    self.push_latencies(now, Some(component), &of_component);
                }
            }
            whole = Latencies::sum(whole.into_iter().chain(recent(&|of| of == group)));
        }
        if let Some(whole) = whole {
            self.push_latencies(now, None, &whole);
        }
        self.lanes = lanes;
        for lane in self.lanes.iter_mut().filter(|lane| lane.recent.count() > 0) {
            lane.total.add(&lane.recent);
            lane.recent.clear();
        }
    }

    fn push_latencies(&mut self, now: SimTime, component: Option<ComponentIx>, latencies: &Latencies) {
        let quantiles = [("latency_ms_p50", 0.5), ("latency_ms_p95", 0.95), ("latency_ms_p99", 0.99)];
        for (metric, quantile) in quantiles {
            if let Some(seconds) = latencies.quantile_s(quantile) {
                self.series.push(metric, "histogram", component, &self.no_label, now, seconds * 1e3);
            }
        }
        if let Some(seconds) = latencies.max_s() {
            self.series.push("latency_ms_max", "histogram", component, &self.no_label, now, seconds * 1e3);
        }
    }

    /// Components that are known by a group.
    fn components_of(&self, group: GroupIx) -> Vec<ComponentIx> {
        let readers = self.options.names.groups_of.iter().enumerate().filter(|(_, of)| of.first() == Some(&group));
        readers.map(|(index, _)| ComponentIx(index as u32)).collect()
    }

    fn look(&mut self, component: ComponentIx, process: &dyn Process, now: SimTime, span_s: f64) {
        self.figures.list.clear();
        process.figures(now, &mut self.figures);
        let seen = &mut self.seen[component.index()];
        std::mem::swap(&mut seen.before, &mut seen.last);
        seen.last.clone_from(&self.figures.list);
        if span_s <= 0.0 {
            return;
        }
        seen.trouble = [0, seen.trouble[0]];
        let servers = value(&seen.last, "servers", "").unwrap_or(0.0);
        // They come and go within an interval: half of it is taken for each number. Whole nanoseconds add up exactly.
        let servers_before = value(&seen.before, "servers", "").unwrap_or(servers);
        seen.servers_ns += (servers_before + servers) / 2.0 * now.since(self.sampled_at).as_ns() as f64;
        for figure in &seen.last {
            // Looked for only where it is asked: a gateway with many clients has hundreds of figures.
            let gain = || figure.value - value(&seen.before, figure.name, &figure.label).unwrap_or(0.0);
            let (metric, kind, value) = match (figure.name, figure.kind) {
                ("produced_count", _) => ("produced_per_s", "counter", gain() / span_s),
                ("processed_count", _) => ("delivered_per_s", "counter", gain() / span_s),
                ("requests_count", _) => ("requests_per_s", "counter", gain() / span_s),
                ("rejected_count", _) => ("rejected_per_s", "counter", gain() / span_s),
                ("appended_count", _) => ("appended_per_s", "counter", gain() / span_s),
                ("partition_appended_count", _) => ("partition_appended_per_s", "counter", gain() / span_s),
                ("busy_s", FigureKind::Integral) if servers > 0.0 => ("utilisation_ratio", "gauge", gain() / span_s / servers),
                ("queue_length", _) => ("queue", "gauge", figure.value),
                ("buffered_count", _) => ("buffered", "gauge", figure.value),
                ("lag", _) => ("lag", "gauge", figure.value),
                ("scaled_instances", _) => ("instances", "gauge", figure.value),
                _ => continue,
            };
            let of = if metric == "lag" { None } else { Some(component) };
            self.series.push(metric, kind, of, &figure.label, now, value);
        }
    }

    fn judge(&mut self, now: SimTime, at_end: bool) {
        let mut judges = std::mem::take(&mut self.judges);
        let source = super::figure_source::Source { recorder: self };
        for judge in &mut judges {
            judge.observe(now, &source, at_end);
        }
        self.judges = judges;
    }
}

/// A figure by name and label.
pub(crate) fn value(figures: &[Figure], name: &str, label: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.name == name && *figure.label == *label).map(|figure| figure.value)
}
