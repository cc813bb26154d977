//! The passive observer of a run: hears facts, looks at processes at a fixed interval, and remembers.
//!
//! In: facts with their instant, messages as they set off, processes to look at. Out: what `window.rs`
//! shows and `summary.rs` reports. It draws no random number and sends nothing.
//! Start at [`Recorder::fact`] and [`Recorder::sample`].

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use super::detectors::{Anomaly, Detectors, Sighting, leaves_a_gap};
use super::faults::FaultLog;
use super::latency::Latencies;
use super::ledger::{Entry, Ledger};
use super::report::WhileOn;
use super::series::{SeriesSet, interval_for};
use super::trace::{Traces, duplicate_hop, lost_hop};
use super::view::{Flight, FlightStatus};
use crate::engine::{Figure, FigureKind, Figures, Process};
use crate::event::{
    Ended, EventMeta, Fact, Message, ObligationEnd, Outcome, Placed, QueueCall, QueueMessage, QueueReply, QueueResult, Reason, SchemaFound,
};
use crate::predicate::{Expectation, Judge};
use crate::units::{ComponentIx, EventTypeIx, GroupIx, LinkIx, SimDuration, SimTime, TopicIx};

/// Names of the plan that figures, stories and reports need; plain data, shared.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By [`ComponentIx`].
    pub components: Vec<Arc<str>>,
    /// By [`LinkIx`].
    pub links: Vec<Arc<str>>,
    /// By [`TopicIx`]: name, partitions, cluster.
    pub topics: Vec<(Arc<str>, u32, ComponentIx)>,
    /// By [`GroupIx`]: name, topics.
    pub groups: Vec<(Arc<str>, Vec<TopicIx>)>,
    /// By [`EventTypeIx`].
    pub event_types: Vec<Arc<str>>,
    /// Which group each component reads with.
    pub group_of: Vec<Option<GroupIx>>,
}

/// What a recorder is told at the beginning.
#[derive(Clone, Debug, Default)]
pub struct RecorderOptions {
    /// Names.
    pub names: Arc<Names>,
    /// Virtual length.
    pub length: SimDuration,
    /// Head that is cut from rates, latencies and utilisations (never from the ledger).
    pub warm_up: SimDuration,
    /// What must hold, parsed.
    pub expectations: Vec<Expectation>,
    /// The same as written.
    pub texts: Vec<String>,
}

/// One group's latencies in one topic.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub topic: TopicIx,
    pub group: GroupIx,
    /// Since the last sample.
    pub recent: Latencies,
    /// Since the warm-up.
    pub total: Latencies,
    /// From the root ancestor's birth, since the warm-up.
    pub root: Latencies,
    /// In the component's queue, since the warm-up; only where an expectation asks.
    pub waits: Latencies,
    pub delivered: u64,
}

/// What one component showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// At the warm-up's end, for figures without it.
    pub base: Vec<Figure>,
    /// At the last sample.
    pub last: Vec<Figure>,
    /// At the sample before.
    pub before: Vec<Figure>,
    /// Events that ended badly here since the last sample, and before that.
    pub trouble: [u64; 2],
}

/// Counts that make rates.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub produced: u64,
    pub accepted: u64,
    pub delivered: u64,
    pub rejected: u64,
}

/// What one link carried.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinkSeen {
    pub messages: u64,
    pub bytes: u64,
    pub events: u64,
    pub lost: u64,
    pub in_flight: u64,
    pub events_before: u64,
    /// At the end of the warm-up.
    pub events_base: u64,
    pub rate_per_s: f64,
}

/// The observer.
#[derive(Clone, Debug)]
pub struct Recorder {
    pub(crate) options: RecorderOptions,
    pub(crate) ledger: Ledger,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) series: SeriesSet,
    pub(crate) traces: Traces,
    pub(crate) faults: FaultLog,
    pub(crate) interval: SimDuration,
    pub(crate) seen: Vec<Seen>,
    pub(crate) links: Vec<LinkSeen>,
    pub(crate) judges: Vec<Judge>,
    /// Whether an expectation asks for waits.
    observes_waits: bool,
    pub(crate) detectors: Detectors,
    pub(crate) counts: Counts,
    pub(crate) counts_before: Counts,
    pub(crate) counts_base: Counts,
    pub(crate) sampled_at: SimTime,
    /// (sample instant, obligations and submissions not ended), for the stationarity check.
    pub(crate) backlog: Vec<f64>,
    next_sample: SimTime,
    pub(crate) warm: bool,
    no_label: Arc<str>,
    figures: Figures,
}

impl Recorder {
    /// A recorder at time zero.
    #[must_use]
    pub fn new(options: RecorderOptions) -> Self {
        let names = Arc::clone(&options.names);
        let groups: Vec<(GroupIx, Vec<TopicIx>)> =
            names.groups.iter().enumerate().map(|(index, (_, topics))| (GroupIx(index as u32), topics.clone())).collect();
        let partitions: Vec<u32> = names.topics.iter().map(|(_, partitions, _)| *partitions).collect();
        let lane = |(group, topic): (GroupIx, TopicIx)| Lane {
            topic,
            group,
            recent: Latencies::default(),
            total: Latencies::default(),
            root: Latencies::default(),
            waits: Latencies::default(),
            delivered: 0,
        };
        let interval = interval_for(options.length);
        let asks = |metric: &str| {
            let mut figures = options.expectations.iter().flat_map(Expectation::figures);
            figures.any(|figure| figure.metric.as_deref() == Some(metric))
        };
        Self {
            ledger: Ledger::new(names.components.len(), &partitions, &groups),
            lanes: groups.iter().flat_map(|(group, topics)| topics.iter().map(move |topic| (*group, *topic))).map(lane).collect(),
            series: SeriesSet::default(),
            traces: Traces::default(),
            faults: FaultLog::default(),
            interval,
            seen: vec![Seen::default(); names.components.len()],
            links: vec![LinkSeen::default(); names.links.len()],
            observes_waits: asks("wait"),
            detectors: Detectors::new(asks("ordered_per_key")),
            judges: options.expectations.iter().cloned().map(Judge::new).collect(),
            counts: Counts::default(),
            counts_before: Counts::default(),
            counts_base: Counts::default(),
            sampled_at: SimTime::ZERO,
            backlog: Vec::new(),
            next_sample: SimTime::ZERO + interval,
            warm: options.warm_up.is_zero(),
            no_label: Arc::from(""),
            figures: Figures::default(),
            options,
        }
    }

    /// When the driver must call [`Self::sample`] next, before anything at that instant or later.
    #[inline]
    #[must_use]
    pub fn next_sample(&self) -> SimTime {
        self.next_sample
    }

    /// Something is done to a component or a link by its name; its number is for [`Self::fault_settled`] and
    /// [`Self::fault_effect`].
    pub fn fault(&mut self, now: SimTime, target: &Arc<str>, action: &str, params: IndexMap<String, String>) -> usize {
        let before = self.bad_ends();
        self.faults.begin(now, target, action, params, before)
    }
    /// It ends at a known instant, or it was refused, in words.
    pub fn fault_settled(&mut self, number: usize, result: Result<Option<SimTime>, String>) {
        self.faults.settle(number, result);
    }
    /// It did something: `messages_dropped`.
    pub fn fault_effect(&mut self, number: usize, what: &'static str) {
        self.faults.effect(number, what);
    }
    /// What the ledger has counted of what should not be.
    pub(crate) fn bad_ends(&self) -> WhileOn {
        let (submissions, obligations) = (&self.ledger.submissions, self.ledger.obligations_so_far(|_, _| true));
        WhileOn {
            rejected: submissions.rejected,
            abandoned: submissions.dropped + submissions.abandoned,
            lost: obligations.lost,
            duplicates: submissions.duplicate_appends + obligations.duplicate_deliveries,
        }
    }

    /// Hears a fact.
    #[inline]
    pub fn fact(&mut self, now: SimTime, fact: Fact) {
        match fact {
            Fact::Born(event) => {
                self.counts.produced += 1;
                self.ledger.born(&event);
            }
            Fact::Derived(event, _) => {
                self.counts.produced += 1;
                self.ledger.born(&event);
                self.ledger.submissions.derived += 1;
            }
            Fact::Ended(ended) => self.ended(now, &ended, None),
            Fact::EndedWith(with) => self.ended(now, &with.0, Some(&with.1)),
            other => self.rare(now, other),
        }
    }

    fn rare(&mut self, now: SimTime, fact: Fact) {
        match fact {
            Fact::Settled(settled) => {
                if self.ledger.settled(now, &settled) == Entry::First && settled.outcome != Outcome::Accepted {
                    self.seen[settled.at.index()].trouble[0] += 1;
                }
            }
            Fact::Appended(appended) => {
                let traces = &mut self.traces;
                let placed = |offset| Placed { topic: appended.topic, partition: appended.partition, offset };
                self.ledger.appended(&appended, |event, offset| {
                    traces.hop(event, duplicate_hop(now, appended.cluster, placed(offset), None, "appended a second time"));
                });
            }
            Fact::Moved(appended) => self.ledger.moved(&appended),
            Fact::Truncated(cut) => {
                let (traces, trouble) = (&mut self.traces, &mut self.seen[cut.cluster.index()].trouble[0]);
                self.ledger.truncated(now, &cut, |event, offset| {
                    *trouble += 1;
                    let placed = Placed { topic: cut.topic, partition: cut.partition, offset };
                    traces.hop(event, lost_hop(now, cut.cluster, placed, &cut.reason));
                });
            }
            Fact::Stranded(stranded) => {
                let (appended, reason) = &*stranded;
                let (traces, trouble) = (&mut self.traces, &mut self.seen[appended.cluster.index()].trouble[0]);
                self.ledger.stranded(now, appended, reason, |event, offset| {
                    *trouble += 1;
                    let placed = Placed { topic: appended.topic, partition: appended.partition, offset };
                    traces.hop(event, lost_hop(now, appended.cluster, placed, reason));
                });
            }
            Fact::LogStart { topic, partition, log_start } => {
                let cluster = self.options.names.topics[topic.index()].2;
                self.seen[cluster.index()].trouble[0] += self.ledger.log_start(now, cluster, topic, partition, log_start);
            }
            Fact::GroupStart { group, topic, partition, offset } => {
                let cluster = self.options.names.topics[topic.index()].2;
                self.ledger.group_start(now, cluster, group, topic, partition, offset);
            }
            Fact::Hop(hop) => self.traces.hop(hop.0, hop.1),
            Fact::Born(_) | Fact::Derived(..) | Fact::Ended(_) | Fact::EndedWith(_) => unreachable!("handled by the caller"),
        }
    }

    fn ended(&mut self, now: SimTime, ended: &Ended, reason: Option<&Reason>) {
        let entry = self.ledger.ended(now, ended, reason);
        if entry == Entry::Repeated {
            self.detectors.saw(now, Anomaly::Duplicate, ended, None);
            let placed = Placed { topic: ended.topic, partition: ended.partition, offset: ended.offset };
            self.traces.hop(ended.event, duplicate_hop(now, ended.component, placed, Some(ended.group), "processed once more"));
            return;
        }
        if entry == Entry::Moot {
            return;
        }
        if matches!(ended.end, ObligationEnd::Forwarded | ObligationEnd::Filtered) {
            return;
        }
        if ended.end != ObligationEnd::Delivered {
            if leaves_a_gap(ended.end) {
                self.detectors.saw(now, Anomaly::Gap, ended, reason);
            }
            self.seen[ended.component.index()].trouble[0] += 1;
            return;
        }
        self.counts.delivered += 1;
        if self.detectors.watches_order()
            && let Some(key) = self.ledger.key_of(ended)
        {
            self.detectors.delivered(now, ended, key);
        }
        // Few lanes: a linear look is faster than a map.
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.topic == ended.topic && lane.group == ended.group) {
            lane.delivered += 1;
            lane.recent.record(now.since(ended.event.born));
            if self.warm && ended.event.root_born != ended.event.born {
                lane.root.record(now.since(ended.event.root_born));
            }
            if self.warm && self.observes_waits {
                lane.waits.record(ended.waited);
            }
        }
    }

    /// A message sets off on a link, to arrive at `end` (or to vanish).
    #[inline]
    pub fn transmit(&mut self, link: LinkIx, backwards: bool, message: &Message, start: SimTime, end: SimTime, lost: bool) {
        let seen = &mut self.links[link.index()];
        seen.messages += 1;
        seen.events += events_in(message);
        if lost {
            seen.lost += 1;
        } else {
            seen.in_flight += 1;
        }
        let flight =
            |event: &EventMeta, status| Flight { link, backwards, event: event.id, event_type: event.event_type, start, end, status };
        let status = if lost { FlightStatus::Lost } else { FlightStatus::Normal };
        match message {
            Message::Http(request) if lost || self.is_followed(request.event) => self.traces.flight(flight(&request.event, status)),
            Message::HttpReply(reply) if reply.status >= 400 => self.traces.flight(flight(&reply.event, FlightStatus::Rejected)),
            Message::HttpReply(reply) if lost || self.is_followed(reply.event) => self.traces.flight(flight(&reply.event, status)),
            Message::Produce(request) => {
                for record in request.entries.iter().filter_map(|entry| entry.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::FetchReply(reply) => {
                let batches = reply.partitions.iter().flat_map(|partition| &partition.batches);
                for record in batches.filter_map(|stored| stored.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::Queue(request) => {
                if let QueueCall::Send(entries) = &request.body {
                    for record in entries.iter().filter_map(|entry| entry.batch.traced.as_deref()).flatten() {
                        self.traces.flight(flight(&record.meta, status));
                    }
                }
            }
            Message::QueueReply(reply) => {
                for record in messages_of(reply).iter().filter_map(|message| message.batch.traced.as_deref()).flatten() {
                    self.traces.flight(flight(&record.meta, status));
                }
            }
            Message::SchemaReply(reply) => {
                if let Ok(found) = &reply.result {
                    self.traces.schema(found);
                }
            }
            _ => {}
        }
    }

    /// The schema that a registry of this run handed out under this id.
    #[must_use]
    pub fn schema(&self, id: u32) -> Option<&SchemaFound> {
        self.traces.schemas.get(&id)
    }

    /// A message arrived.
    #[inline]
    pub fn arrived(&mut self, link: LinkIx, bytes: u64) {
        let seen = &mut self.links[link.index()];
        seen.in_flight -= 1;
        seen.bytes += bytes;
    }

    fn is_followed(&self, event: EventMeta) -> bool {
        self.traces.story(event.id).is_some()
    }

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
        let submissions = &self.ledger.submissions;
        let waiting = submissions.created - submissions.accepted - submissions.rejected - submissions.dropped - submissions.abandoned;
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
        }
        for seen in &mut self.links {
            seen.events_base = seen.events;
        }
        for lane in &mut self.lanes {
            lane.total.clear();
        }
    }

    fn sample_counts(&mut self, now: SimTime, span_s: f64) {
        self.counts.accepted = self.ledger.submissions.accepted;
        self.counts.rejected = self.ledger.submissions.rejected;
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
        for group in (0..self.options.names.groups.len()).map(|group| GroupIx(group as u32)) {
            let recent = lanes.iter().filter(|lane| lane.group == group && lane.recent.count() > 0);
            let Some(of_group) = Latencies::sum(recent.map(|lane| Cow::Borrowed(&lane.recent))) else { continue };
            for component in self.components_of(group) {
                self.push_latencies(now, Some(component), &of_group);
            }
            whole = Latencies::sum(whole.into_iter().chain([of_group]));
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

    fn components_of(&self, group: GroupIx) -> Vec<ComponentIx> {
        let readers = self.options.names.group_of.iter().enumerate().filter(|(_, of)| **of == Some(group));
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
        for figure in &seen.last {
            let old = seen.before.iter().find(|f| f.name == figure.name && f.label == figure.label).map_or(0.0, |f| f.value);
            let (metric, kind, value) = match (figure.name, figure.kind) {
                ("produced_count", _) => ("produced_per_s", "counter", (figure.value - old) / span_s),
                ("processed_count", _) => ("delivered_per_s", "counter", (figure.value - old) / span_s),
                ("requests_count", _) => ("requests_per_s", "counter", (figure.value - old) / span_s),
                ("rejected_count", _) => ("rejected_per_s", "counter", (figure.value - old) / span_s),
                ("appended_count", _) => ("appended_per_s", "counter", (figure.value - old) / span_s),
                ("partition_appended_count", _) => ("partition_appended_per_s", "counter", (figure.value - old) / span_s),
                ("busy_s", FigureKind::Integral) if servers > 0.0 => {
                    ("utilisation_ratio", "gauge", (figure.value - old) / span_s / servers)
                }
                ("queue_length", _) => ("queue", "gauge", figure.value),
                ("buffered_count", _) => ("buffered", "gauge", figure.value),
                ("lag", _) => ("lag", "gauge", figure.value),
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

    /// `web-17 processed once more by billing at 12.3s (3 such events)`.
    pub(crate) fn words_of(&self, sighting: &Sighting) -> String {
        let (event, at) = (self.event_name(sighting.event), self.component_name(sighting.component));
        let what = match sighting.anomaly {
            Anomaly::Duplicate => "processed once more by",
            Anomaly::OutOfOrder => "processed after a younger one of its key by",
            Anomaly::Gap => "never processed, gone at",
        };
        let why = if sighting.why.is_empty() { String::new() } else { format!(": {}", sighting.why) };
        let more = if sighting.count > 1 { format!(" ({} such events)", sighting.count) } else { String::new() };
        format!("{event} {what} {at} at {}{why}{more}", sighting.at)
    }
    /// The event type's name.
    pub(crate) fn type_name(&self, event_type: EventTypeIx) -> String {
        self.options.names.event_types.get(usize::from(event_type.0)).map_or_else(|| "event".to_owned(), |name| name.to_string())
    }
    /// `web-17`.
    pub(crate) fn event_name(&self, id: crate::event::EventId) -> String {
        format!("{}-{}", self.options.names.components[id.producer.index()], id.seq)
    }
    /// A topic's name.
    pub(crate) fn topic_name(&self, topic: TopicIx) -> String {
        self.options.names.topics[topic.index()].0.to_string()
    }
    /// A component's id.
    pub(crate) fn component_name(&self, component: ComponentIx) -> String {
        self.options.names.components[component.index()].to_string()
    }
    /// Grows with every visible hop.
    #[must_use]
    pub fn visible_hops(&self) -> u64 {
        self.traces.visible
    }
    /// Events born so far.
    #[must_use]
    pub fn produced(&self) -> u64 {
        self.counts.produced
    }
}

/// A figure by name and label.
pub(crate) fn value(figures: &[Figure], name: &str, label: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.name == name && *figure.label == *label).map(|figure| figure.value)
}

fn events_in(message: &Message) -> u64 {
    match message {
        Message::Http(_) => 1,
        Message::Produce(request) => request.entries.iter().map(|entry| u64::from(entry.batch.record_count)).sum(),
        Message::FetchReply(reply) => {
            reply.partitions.iter().flat_map(|p| &p.batches).map(|stored| u64::from(stored.batch.record_count)).sum()
        }
        Message::Queue(request) => match &request.body {
            QueueCall::Send(entries) => entries.len() as u64,
            _ => 0,
        },
        Message::QueueReply(reply) => messages_of(reply).len() as u64,
        _ => 0,
    }
}

fn messages_of(reply: &QueueReply) -> &[QueueMessage] {
    if let Ok(QueueResult::Messages(messages)) = &reply.result { messages } else { &[] }
}
