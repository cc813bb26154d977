//! The event ledger: where every submission and every obligation ended.
//!
//! In: facts. Out: the two balances, the reasons, and for each fact whether it was a first or a repetition.
//! A submission is an event on its way to its first durable target; an obligation is an event in a topic
//! towards one group. Ends are kept as bits per (producer, sequence): one bit an event at worst, nothing
//! for runs of 4,096 that have ended. Balances are counted twice, by counters as facts come and bit by
//! bit at the end, so that a lost or doubled fact shows.
//! Start at [`Ledger::appended`] and [`Ledger::ended`]; what a cut log does is in `cuts.rs`.

mod books;
mod compaction;
mod cuts;
mod moves;
mod places;
mod reasons;
mod terms;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use cuts::NamedLost;
use terms::{ByOrigin, Origins, Sent, Terms};

use super::bits::SeqSet;
use crate::event::{Appended, Ended, EventId, EventMeta, ObligationEnd, Outcome, Reason, RecordBatch, Settled};
use crate::machines::broker::batch::{opened, records};
use crate::units::{ComponentIx, EventTypeIx, GroupIx, SimTime, TopicIx};

/// Badly settled submissions that may still turn out accepted are remembered up to this many; then the lowest
/// ids are final.
const SETTLED_MAX: usize = 100_000;
/// Distinct (end, place, type, code) kept; further ones are counted under the code `other`.
const REASONS_MAX: usize = 1_000;
/// Events named for each reason.
const NAMED_MAX: usize = 5;

/// Both balances of one run.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    origins: Origins,
    producers: Vec<Producer>,
    topics: Vec<Topic>,
    sent: ByOrigin<Sent>,
    bad: BTreeMap<EventId, (Outcome, ReasonKey)>,
    /// What clients said of events that stood in a log nevertheless: it counts again if the log is cut.
    overruled: BTreeMap<EventId, Settled>,
    reasons: BTreeMap<ReasonKey, ReasonTotal>,
    /// Events that are gone though they were acknowledged, in order, the first of them.
    named_lost: Vec<NamedLost>,
    /// Events on their way to the topic that they were read from.
    renewed: BTreeSet<(TopicIx, EventId)>,
    /// Up to where groups read late, or once more, on purpose.
    rereads: BTreeMap<(GroupIx, TopicIx, u32), u64>,
    /// Ends of obligations that were never created, settlements of events never born: always zero.
    strays: u64,
}

#[derive(Clone, Debug, Default)]
struct Producer {
    /// Births come in order of their sequence, without a gap.
    born: u64,
    accepted: SeqSet,
    /// Settled badly at some time, whatever came after.
    refused: SeqSet,
}

#[derive(Clone, Debug, Default)]
struct Topic {
    /// Retained batches by partition: what retention may still take away.
    partitions: Vec<VecDeque<Retained>>,
    /// Events that stand in this topic, or stood there until they ended, by producer.
    appended: Vec<SeqSet>,
    /// Of these, appended more than once; and cut off the log after they had been acknowledged.
    duplicated: Vec<SeqSet>,
    cut: Vec<SeqSet>,
    lanes: Vec<Lane>,
    /// Whose topic it is, once something stood in it.
    cluster: Option<ComponentIx>,
}

/// A batch in a log.
#[derive(Clone, Debug)]
struct Retained {
    base_offset: u64,
    batch: RecordBatch,
    /// Where its events are: (producer, least sequence, greatest sequence), when all are of one producer.
    span: Option<(ComponentIx, u64, u64)>,
}

impl Retained {
    fn new(base_offset: u64, batch: RecordBatch) -> Self {
        let mut span = Span::default();
        records(&batch).for_each(|record| span.take(record.meta.id));
        Self { base_offset, batch, span: span.of_one_producer() }
    }
}

/// Gathers where the events of a batch are.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    range: Option<(ComponentIx, u64, u64)>,
    is_mixed: bool,
}

impl Span {
    #[inline]
    fn take(&mut self, id: EventId) {
        let (producer, least, most) = self.range.get_or_insert((id.producer, id.seq, id.seq));
        self.is_mixed |= *producer != id.producer;
        (*least, *most) = ((*least).min(id.seq), (*most).max(id.seq));
    }
    fn of_one_producer(self) -> Option<(ComponentIx, u64, u64)> {
        self.range.filter(|_| !self.is_mixed)
    }
}

/// One group's obligations in one topic.
#[derive(Clone, Debug)]
struct Lane {
    group: GroupIx,
    terms: ByOrigin<Terms>,
    ended: Vec<SeqSet>,
    /// Taken by retention before they had ended, by producer; of these, what a consumer held and ended later.
    expired: Vec<SeqSet>,
    revived: Vec<SeqSet>,
    /// Passed over by the group's beginning, and not read later after all, by producer.
    skipped: Vec<SeqSet>,
    /// Ended by a queue's move of each kind, by producer: a move back opens them again.
    moved: [Vec<SeqSet>; moves::MOVES.len()],
    /// Made dead letters by a consumer, with the reason that was counted: a redrive opens them again.
    letters: BTreeMap<EventId, ReasonKey>,
    /// Lost because the log was cut, by producer.
    lost: Vec<SeqSet>,
    /// Taken by compaction before they had ended, by producer.
    compacted: Vec<SeqSet>,
}

/// Where, what and why: end, component, event type, code.
type ReasonKey = (&'static str, ComponentIx, EventTypeIx, &'static str);

#[derive(Clone, Debug, Default)]
struct ReasonTotal {
    count: u64,
    detail: String,
    first: Vec<(EventId, SimTime)>,
}

/// What a fact meant to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It ended something.
    First,
    /// It ended something that was there long before: no news of this run.
    Backfill,
    /// It had ended before.
    Repeated,
    /// It had ended before, and the log itself says so: nobody has processed anything twice.
    Moot,
}

impl Lane {
    /// A consumer has processed what the log had ended by itself: its word counts, once. Gives the end that no longer
    /// does, and the code of its reason where one was counted.
    fn overrule(&mut self, id: EventId) -> Option<(ObligationEnd, Option<&'static str>)> {
        let (producer, seq) = (id.producer.index(), id.seq);
        if self.lost[producer].remove(seq) {
            return Some((ObligationEnd::Lost, Some(cuts::TRUNCATED)));
        }
        if self.compacted[producer].remove(seq) {
            return Some((ObligationEnd::Compacted, None));
        }
        if self.expired[producer].contains(seq) && self.revived[producer].insert(seq) {
            return Some((ObligationEnd::Expired, Some(Reason::RETENTION)));
        }
        // A group that is set back reads late what its beginning had passed over.
        self.skipped[producer].remove(seq).then_some((ObligationEnd::Skipped, Some(Reason::LATEST)))
    }
}

impl Ledger {
    /// An empty ledger for a plan's topics (partition counts) and attached groups.
    pub fn new(components: usize, topics: &[u32], groups: &[(GroupIx, Vec<TopicIx>)]) -> Self {
        let lanes_of = |topic: usize| {
            let attached = groups.iter().filter(move |(_, topics)| topics.contains(&TopicIx(topic as u32)));
            attached.map(move |(group, _)| Lane {
                group: *group,
                terms: ByOrigin::default(),
                ended: vec![SeqSet::default(); components],
                expired: vec![SeqSet::default(); components],
                skipped: vec![SeqSet::default(); components],
                revived: vec![SeqSet::default(); components],
                moved: moves::MOVES.map(|_| vec![SeqSet::default(); components]),
                letters: BTreeMap::new(),
                lost: vec![SeqSet::default(); components],
                compacted: vec![SeqSet::default(); components],
            })
        };
        let topic = |(index, partitions): (usize, &u32)| Topic {
            partitions: vec![VecDeque::new(); *partitions as usize],
            appended: vec![SeqSet::default(); components],
            duplicated: vec![SeqSet::default(); components],
            cut: vec![SeqSet::default(); components],
            lanes: lanes_of(index).collect(),
            cluster: None,
        };
        Self {
            origins: Origins::new(components),
            producers: vec![Producer::default(); components],
            topics: topics.iter().enumerate().map(topic).collect(),
            sent: ByOrigin::default(),
            bad: BTreeMap::new(),
            overruled: BTreeMap::new(),
            reasons: BTreeMap::new(),
            named_lost: Vec::new(),
            renewed: BTreeSet::new(),
            rereads: BTreeMap::new(),
            strays: 0,
        }
    }

    /// A submission begins.
    #[inline]
    pub fn born(&mut self, event: &EventMeta) {
        let born = &mut self.producers[event.id.producer.index()].born;
        if event.id.seq == *born {
            *born += 1;
            let origin = self.origins.of(event);
            self.sent.at(origin).created += 1;
        } else {
            self.strays += 1;
        }
    }

    /// A submission begins of an event that was made from another.
    pub fn derived(&mut self, event: &EventMeta) {
        self.born(event);
        let origin = self.origins.of(event);
        self.sent.at(origin).derived += 1;
    }

    /// A client says how a submission ended; an append, before or after, overrules it.
    pub fn settled(&mut self, now: SimTime, settled: &Settled) -> Entry {
        let id = settled.event.id;
        let producer = &mut self.producers[id.producer.index()];
        if settled.outcome == Outcome::Accepted {
            return if self.accept(&settled.event) { Entry::First } else { Entry::Repeated };
        }
        if producer.accepted.contains(id.seq) {
            if self.overruled.len() < SETTLED_MAX {
                self.overruled.insert(id, settled.clone());
            }
            return Entry::Repeated;
        }
        let origin = self.origins.of(&settled.event);
        let end = outcome_name(settled.outcome);
        let key = self.count_reason(end, settled.at, &settled.event, &settled.reason, now);
        let producer = &mut self.producers[id.producer.index()];
        if !producer.refused.insert(id.seq) {
            // Another word on the same event: the last one counts.
            if let Some((outcome, old)) = self.bad.remove(&id) {
                self.sent.at(origin).unsettle(outcome);
                self.uncount_reason(old);
            } else {
                self.uncount_reason(key);
                return Entry::Repeated;
            }
        }
        self.sent.at(origin).settle(settled.outcome);
        if self.bad.len() >= SETTLED_MAX {
            self.bad.pop_first();
        }
        self.bad.insert(id, (settled.outcome, key));
        Entry::First
    }

    /// A topic has got more partitions.
    pub fn partitions(&mut self, topic: TopicIx, partitions: u32) {
        self.topics[topic.index()].partitions.resize(partitions as usize, VecDeque::new());
    }

    /// A batch stands in a log. Calls `duplicate` for each record whose event stood in the topic already.
    pub fn appended(&mut self, appended: &Appended, mut duplicate: impl FnMut(EventMeta, u64)) {
        let index = appended.topic.index();
        self.topics[index].cluster = Some(appended.cluster);
        // What a broker has appended can be opened: it looked itself.
        let Ok(batch) = opened(&appended.batch) else { return };
        let mut span = Span::default();
        for record in records(&batch) {
            let id = record.meta.id;
            span.take(id);
            let origin = self.origins.of(&record.meta);
            let topic = &mut self.topics[index];
            if topic.appended[id.producer.index()].insert(id.seq) {
                for lane in &mut topic.lanes {
                    lane.terms.at(origin).created += 1;
                }
            } else if !self.renewed.remove(&(appended.topic, id)) && !self.back_in_the_log(index, appended.cluster, &record.meta) {
                self.topics[index].duplicated[id.producer.index()].insert(id.seq);
                self.sent.at(origin).duplicate_appends += 1;
                duplicate(record.meta, appended.base_offset + u64::from(record.position));
            }
            self.accept(&record.meta);
        }
        let retained = Retained { base_offset: appended.base_offset, batch: batch.into_owned(), span: span.of_one_producer() };
        self.topics[index].partitions[appended.partition as usize].push_back(retained);
    }

    /// A reader writes an event once more to the topic that it read it from: it is owed there as before.
    pub fn renewed(&mut self, topic: TopicIx, event: EventId) {
        if self.renewed.len() < SETTLED_MAX {
            self.renewed.insert((topic, event));
        }
    }

    /// A batch of earlier runs stands in a log from the beginning: its events are born and accepted at once.
    pub fn kept(&mut self, appended: &Appended) {
        if let Ok(batch) = opened(&appended.batch) {
            records(&batch).for_each(|record| self.born(&record.meta));
        }
        self.appended(appended, |_, _| {});
    }

    /// An obligation ended, or an event was processed once more.
    #[inline]
    pub fn ended(&mut self, now: SimTime, ended: &Ended, reason: Option<&Reason>) -> Entry {
        let id = ended.event.id;
        let origin = self.origins.of(&ended.event);
        let topic = &mut self.topics[ended.topic.index()];
        let known = topic.appended[id.producer.index()].contains(id.seq);
        let Some(lane) = topic.lanes.iter_mut().find(|lane| lane.group == ended.group) else {
            self.strays += 1;
            return Entry::Repeated;
        };
        if !known {
            self.strays += 1;
            return Entry::Repeated;
        }
        let by_the_log = topic.cluster == Some(ended.component);
        let rereads = ended.end == ObligationEnd::Delivered
            && self.rereads.get(&(ended.group, ended.topic, ended.partition)).is_some_and(|up_to| ended.offset < *up_to);
        let mut overruled = None;
        if !lane.ended[id.producer.index()].insert(id.seq) {
            // Passed over once more is not processed once more.
            if by_the_log || ended.end == ObligationEnd::Aborted {
                return Entry::Moot;
            }
            let Some((end, code)) = lane.overrule(id) else {
                if rereads {
                    lane.terms.at(origin).replayed += 1;
                    return Entry::Moot;
                }
                lane.terms.at(origin).duplicates += 1;
                return Entry::Repeated;
            };
            lane.terms.at(origin).reopen(end);
            overruled = topic.cluster.zip(code).map(|(cluster, code)| (end_name(end), cluster, ended.event.event_type, code));
        } else if by_the_log {
            lane.remember(ended);
        }
        lane.terms.at(origin).end(ended.end);
        lane.terms.at(origin).backfilled += u64::from(rereads);
        if let Some(key) = overruled {
            self.uncount_reason(key);
        }
        if let Some(reason) = reason {
            let key = self.count_reason(end_name(ended.end), ended.component, &ended.event, reason, now);
            match ended.end {
                ObligationEnd::DeadLettered if !by_the_log => self.remember_letter(ended, key),
                ObligationEnd::Lost if !by_the_log => self.name_lost(now, ended, reason),
                _ => {}
            }
        }
        if rereads { Entry::Backfill } else { Entry::First }
    }

    /// A group goes over what stands below an offset late, or once more.
    pub fn reread(&mut self, (group, topic, partition): (GroupIx, TopicIx, u32), up_to: u64) {
        self.rereads.insert((group, topic, partition), up_to);
    }

    /// Whether a group has ended an event of a topic.
    pub fn has_ended(&self, topic: TopicIx, group: GroupIx, id: EventId) -> bool {
        let lane = self.topics[topic.index()].lanes.iter().find(|lane| lane.group == group);
        lane.is_some_and(|lane| lane.ended[id.producer.index()].contains(id.seq))
    }

    /// A delivery that is one of its own to the balance says again what another had said.
    pub fn repeated(&mut self, ended: &Ended) {
        let origin = self.origins.of(&ended.event);
        if let Some(lane) = self.topics[ended.topic.index()].lanes.iter_mut().find(|lane| lane.group == ended.group) {
            lane.terms.at(origin).duplicates += 1;
        }
    }

    /// Records below `log_start` are gone: open obligations to them expire. Returns how many.
    pub fn log_start(&mut self, now: SimTime, cluster: ComponentIx, topic: TopicIx, partition: u32, log_start: u64) -> u64 {
        let mut expired = 0;
        let of_topic = &mut self.topics[topic.index()];
        of_topic.cluster.get_or_insert(cluster);
        let below = |kept: &Retained| kept.base_offset + u64::from(kept.batch.offsets) <= log_start;
        let mut open = Vec::new();
        while let Some(gone) = of_topic.partitions[partition as usize].pop_front_if(|kept| below(kept)) {
            // Mostly every group has read it long ago, which whole runs of bits say at once.
            let ended = |(producer, least, most): (ComponentIx, u64, u64)| {
                of_topic.lanes.iter().all(|lane| lane.ended[producer.index()].contains_all(least, most))
            };
            if !gone.span.is_some_and(ended) {
                open.push(gone.batch);
            }
        }
        for batch in open {
            expired += self.end_batch(now, cluster, topic, &batch, u32::MAX, None, ObligationEnd::Expired);
        }
        expired
    }

    /// A group begins at `offset`: what stands before it is skipped for this group.
    pub fn group_start(&mut self, now: SimTime, cluster: ComponentIx, group: GroupIx, topic: TopicIx, partition: u32, offset: u64) {
        let retained = &self.topics[topic.index()].partitions[partition as usize];
        let before: Vec<Retained> = retained.iter().take_while(|kept| kept.base_offset < offset).cloned().collect();
        for kept in before {
            let count = u32::try_from(offset - kept.base_offset).unwrap_or(u32::MAX);
            self.end_batch(now, cluster, topic, &kept.batch, count, Some(group), ObligationEnd::Skipped);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one batch, whose obligations end, where and how")]
    fn end_batch(
        &mut self,
        now: SimTime,
        at: ComponentIx,
        topic: TopicIx,
        batch: &RecordBatch,
        first: u32,
        only: Option<GroupIx>,
        end: ObligationEnd,
    ) -> u64 {
        let mut count = 0;
        for record in records(batch).take_while(|record| record.position < first) {
            let id = record.meta.id;
            let origin = self.origins.of(&record.meta);
            for lane_index in 0..self.topics[topic.index()].lanes.len() {
                let lane = &mut self.topics[topic.index()].lanes[lane_index];
                if only.is_none_or(|group| group == lane.group) && lane.ended[id.producer.index()].insert(id.seq) {
                    lane.terms.at(origin).end(end);
                    count += 1;
                    let (passed, code) = match end {
                        ObligationEnd::Expired => (&mut lane.expired, Reason::RETENTION),
                        _ => (&mut lane.skipped, Reason::LATEST),
                    };
                    passed[id.producer.index()].insert(id.seq);
                    self.count_reason(end_name(end), at, &record.meta, &Reason { code, detail: None }, now);
                }
            }
        }
        count
    }

    fn accept(&mut self, event: &EventMeta) -> bool {
        let id = event.id;
        let origin = self.origins.of(event);
        let producer = &mut self.producers[id.producer.index()];
        if !producer.accepted.insert(id.seq) {
            return false;
        }
        if producer.refused.contains(id.seq) {
            // One whose bad end is forgotten stays counted as it was.
            let Some((outcome, key)) = self.bad.remove(&id) else { return true };
            self.sent.at(origin).unsettle(outcome);
            self.uncount_reason(key);
        }
        self.sent.at(origin).settle(Outcome::Accepted);
        true
    }
}

fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
        Outcome::Dropped => "dropped",
        Outcome::Abandoned => "abandoned",
    }
}

pub(crate) fn end_name(end: ObligationEnd) -> &'static str {
    match end {
        ObligationEnd::Delivered => "delivered",
        ObligationEnd::FailedSkipped => "failed_skipped",
        ObligationEnd::RejectedAtConsumer => "rejected_at_consumer",
        ObligationEnd::DeadLettered => "dead_lettered",
        ObligationEnd::Forwarded => "forwarded",
        ObligationEnd::Expired => "expired",
        ObligationEnd::Skipped => "skipped",
        ObligationEnd::Lost => "lost",
        ObligationEnd::Filtered => "filtered",
        ObligationEnd::Compacted => "compacted",
        ObligationEnd::Aborted => "aborted",
    }
}

#[cfg(test)]
mod tests;
