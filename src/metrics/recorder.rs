//! The passive observer of a run: hears facts, looks at processes at a fixed interval, and remembers.
//!
//! In: facts with their instant, messages as they set off, processes to look at. Out: what `window.rs`
//! shows and `summary.rs` reports. It draws no random number and sends nothing.
//! Start at [`Recorder::fact`] and [`Recorder::sample`].

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::detectors::{Anomaly, Detectors, Sighting, leaves_a_gap};
use super::faults::FaultLog;
use super::ledger::{Entry, Ledger};
use super::lineage::{Lineage, REPEATED};
use super::names::Names;
use super::report::WhileOn;
use super::series::{SeriesSet, interval_for};
use super::trace::{Traces, duplicate_hop, lost_hop};
use crate::engine::{Figure, Figures, Latencies};
use crate::event::{Ended, Fact, ObligationEnd, Outcome, Placed, Reason, Scaled, SchemaFound, StaleRead, TaskStopped, Unreadable};
use crate::predicate::{Expectation, Judge};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

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
    /// Servers × nanoseconds since the warm-up: they may come and go.
    pub servers_ns: f64,
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
    lineage: Lineage,
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
    pub(crate) next_sample: SimTime,
    pub(crate) warm: bool,
    pub(crate) no_label: Arc<str>,
    pub(crate) figures: Figures,
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
            lineage: Lineage::default(),
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
    /// An autoscaler has decided: told with what else was done to the run.
    fn scaled(&mut self, now: SimTime, scaled: &Scaled) {
        let action = if scaled.to > scaled.from { "scale-out" } else { "scale-in" };
        let told = [("from", scaled.from.to_string()), ("to", scaled.to.to_string()), ("why", scaled.why.clone())];
        let number = self.happened(now, scaled.component, action, told);
        self.fault_settled(number, Ok(Some(now)));
    }
    /// A task has stopped: what it lacks from now on counts with it, for nobody starts it again by itself.
    fn task_stopped(&mut self, now: SimTime, stopped: &TaskStopped) {
        self.happened(now, stopped.component, "task-stopped", [("task", stopped.task.to_string()), ("why", stopped.why.clone())]);
    }
    /// What a component did by itself, among what was done to the run.
    fn happened<const N: usize>(&mut self, now: SimTime, component: ComponentIx, action: &str, told: [(&str, String); N]) -> usize {
        let target = Arc::clone(&self.names().components[component.index()]);
        self.fault(now, &target, action, told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
    /// It ends at a known instant, or it was refused, in words.
    pub fn fault_settled(&mut self, number: usize, result: Result<Option<SimTime>, String>) {
        self.faults.settle(number, result);
    }
    /// It did something: `messages_dropped`.
    pub fn fault_effect(&mut self, number: usize, what: &'static str) {
        self.faults.effects(number, what, 1);
    }
    /// The same, so many times at once.
    pub fn fault_effects(&mut self, number: usize, what: &'static str, count: u64) {
        self.faults.effects(number, what, count);
    }
    /// What the ledger has counted of what should not be.
    pub(crate) fn bad_ends(&self) -> WhileOn {
        let (submissions, obligations) = (self.ledger.submissions(), self.ledger.obligations_so_far(|_, _| true));
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
            Fact::Derived(event, parent) => {
                self.counts.produced += 1;
                self.ledger.derived(&event);
                self.lineage.derived(&event, parent);
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
            Fact::Kept(appended) => self.ledger.kept(&appended),
            Fact::Moved(appended) => self.ledger.moved(&appended),
            Fact::Renewed { topic, event } => self.ledger.renewed(topic, event),
            Fact::Compacted(section) => self.ledger.compacted(&section),
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
            Fact::Partitions { topic, partitions } => self.ledger.partitions(topic, partitions),
            Fact::LogStart { topic, partition, log_start } => {
                let cluster = self.options.names.topics[topic.index()].2;
                self.seen[cluster.index()].trouble[0] += self.ledger.log_start(now, cluster, topic, partition, log_start);
            }
            Fact::GroupStart { group, topic, partition, offset } => {
                let cluster = self.options.names.topics[topic.index()].2;
                self.ledger.group_start(now, cluster, group, topic, partition, offset);
            }
            Fact::Reread { group, topic, partition, up_to } => self.ledger.reread((group, topic, partition), up_to),
            Fact::StaleRead(read) => self.stale_read(now, *read),
            Fact::Unreadable(batch) => self.unreadable(now, &batch),
            // Rows are nobody's obligation.
            Fact::Row(_) => {}
            Fact::Scaled(scaled) => self.scaled(now, &scaled),
            Fact::TaskStopped(stopped) => self.task_stopped(now, &stopped),
            Fact::Hop(hop) => self.traces.hop(hop.0, hop.1),
            Fact::Born(_) | Fact::Derived(..) | Fact::Ended(_) | Fact::EndedWith(_) => unreachable!("handled by the caller"),
        }
    }

    /// The events of a batch are known by its place, as it was appended.
    fn unreadable(&mut self, now: SimTime, batch: &Unreadable) {
        let Unreadable { component, group, topic, partition, base_offset, from, reason } = batch;
        for (offset, event) in self.ledger.events_at(*topic, *partition, *base_offset).filter(|(offset, _)| offset >= from) {
            let placed = Placed { topic: *topic, partition: *partition, offset };
            self.traces.hop(event, lost_hop(now, *component, placed, reason));
            let (waited, end) = (SimDuration::ZERO, ObligationEnd::RejectedAtConsumer);
            let ended = Ended { component: *component, group: *group, topic: *topic, partition: *partition, offset, event, waited, end };
            self.ended(now, &ended, Some(reason));
        }
    }

    /// The first event that an answer hid, by its key.
    fn stale_read(&mut self, now: SimTime, read: StaleRead) {
        let StaleRead { reader, node, topic, partition, lacks } = read;
        let Some(group) = self.names().main_group(reader) else { return };
        let Some((event, key)) = self.ledger.record_at(topic, partition, lacks) else { return };
        let of_key = key.map_or_else(String::new, |key| format!(" of key {}", String::from_utf8_lossy(key)));
        let detail = format!("an event{of_key} that node {node}, which led partition {partition} no more, did not have");
        let (waited, end) = (SimDuration::ZERO, ObligationEnd::Delivered);
        let hidden = Ended { component: reader, group, topic, partition, offset: lacks, event, waited, end };
        self.detectors.saw(now, Anomaly::StaleRead, &hidden, Some(&Reason { code: "stale", detail: Some(detail.into()) }));
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
        let is_quiet =
            matches!(ended.end, ObligationEnd::Forwarded | ObligationEnd::Filtered | ObligationEnd::Aborted | ObligationEnd::Compacted);
        if is_quiet {
            if ended.end == ObligationEnd::Aborted {
                self.lineage.aborted(ended);
            }
            return;
        }
        if ended.end != ObligationEnd::Delivered {
            if leaves_a_gap(ended.end) {
                self.detectors.saw(now, Anomaly::Gap, ended, reason);
            }
            self.seen[ended.component.index()].trouble[0] += 1;
            return;
        }
        // What earlier runs have left is in the ledger, and not in this run's figures.
        if self.names().kept == Some(ended.event.id.producer) || entry == Entry::Backfill {
            return;
        }
        self.counts.delivered += 1;
        if self.lineage.repeats(ended, |twin| self.ledger.has_ended(ended.topic, ended.group, twin)) {
            self.ledger.repeated(ended);
            self.detectors.saw(now, Anomaly::Duplicate, ended, Some(&REPEATED));
        }
        if self.detectors.watches_order()
            && let Some(key) = self.ledger.key_of(ended)
        {
            self.detectors.delivered(now, ended, self.names().read_first((ended.topic, ended.group)), key);
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

    /// Every schema that a registry of this run has handed out, by id.
    #[must_use]
    pub fn schemas(&self) -> &BTreeMap<u32, SchemaFound> {
        &self.traces.schemas
    }
    /// The schema that a registry of this run handed out under this id.
    #[must_use]
    pub fn schema(&self, id: u32) -> Option<&SchemaFound> {
        self.traces.schemas.get(&id)
    }

    /// `web-17 processed once more by billing at 12.3s (3 such events)`.
    pub(crate) fn words_of(&self, sighting: &Sighting) -> String {
        let (event, at) = (self.names().event(sighting.event), self.names().component(sighting.component));
        let what = match sighting.anomaly {
            Anomaly::Duplicate => "processed once more by",
            Anomaly::OutOfOrder => "processed after a younger one of its key by",
            Anomaly::Gap => "never processed, gone at",
            Anomaly::StaleRead => "hidden from",
        };
        let why = if sighting.why.is_empty() { String::new() } else { format!(": {}", sighting.why) };
        let more = if sighting.count > 1 { format!(" ({} such events)", sighting.count) } else { String::new() };
        let seconds = libm::round(sighting.at.as_secs_f64() * 1e3) / 1e3;
        format!("{event} {what} {at} at {seconds}s{why}{more}")
    }
    /// What the plan's numbers are called.
    pub(crate) fn names(&self) -> &Names {
        &self.options.names
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
