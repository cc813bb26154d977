//! What the ledger does when a log is cut: its new leader has less than the old one had.
//!
//! An acknowledged event is lost, for every group that had not ended it, and named. One that nobody was told of is as
//! if it had never been appended: its producer still has it, or has given it up. One that stands elsewhere in the topic
//! is neither. A lost event that comes back (its producer sends it again; the old leader returns and leads) is open again.

use super::{Ledger, end_name};
use crate::event::{Appended, Ended, EventId, EventMeta, ObligationEnd, Outcome, Reason, Truncated};
use crate::machines::broker::batch::{opened, records};
use crate::metrics::{Names, report};
use crate::units::{ComponentIx, EventTypeIx, SimTime, TopicIx};

/// Lost events named in the report; further ones are only counted.
const LOST_NAMED_MAX: usize = 1_000;
/// The code under which they are counted.
pub(super) const TRUNCATED: &str = "truncated";

/// An event that is gone: a log lost it, or a group that had committed it.
#[derive(Clone, Debug)]
pub(super) struct NamedLost {
    event: EventId,
    /// Who had it last; none for what a log lost.
    consumer: Option<ComponentIx>,
    topic: TopicIx,
    partition: u32,
    offset: u64,
    at: SimTime,
    reason: Reason,
}

/// Where an event stood.
#[derive(Clone, Copy, Debug)]
struct Stood {
    cluster: ComponentIx,
    topic: TopicIx,
    partition: u32,
    offset: u64,
}

impl Ledger {
    /// A log lost its end. Calls `lost` for each event that it was lost with, and its offset.
    pub fn truncated(&mut self, now: SimTime, cut: &Truncated, mut lost: impl FnMut(EventMeta, u64)) {
        self.topics[cut.topic.index()].cluster = Some(cut.cluster);
        let retained = &mut self.topics[cut.topic.index()].partitions[cut.partition as usize];
        let keep = retained.partition_point(|kept| kept.base_offset < cut.from);
        for gone in retained.split_off(keep) {
            let acknowledged = !cut.unacknowledged.contains(&gone.base_offset);
            for record in records(&gone.batch) {
                let (cluster, topic, partition) = (cut.cluster, cut.topic, cut.partition);
                let stood = Stood { cluster, topic, partition, offset: gone.base_offset + u64::from(record.position) };
                if self.stands_elsewhere(topic, record.meta.id) {
                    continue;
                }
                if !acknowledged {
                    self.withdraw(now, topic, &record.meta);
                } else if self.lose(now, stood, &record.meta, &cut.reason) {
                    lost(record.meta, stood.offset);
                }
            }
        }
    }

    /// A batch was acknowledged by a node whose log no longer counted: accepted, and lost at once.
    pub fn stranded(&mut self, now: SimTime, appended: &Appended, reason: &Reason, mut lost: impl FnMut(EventMeta, u64)) {
        let Ok(batch) = opened(&appended.batch) else { return };
        for record in records(&batch) {
            let id = record.meta.id;
            let origin = self.origins.of(&record.meta);
            let topic = &mut self.topics[appended.topic.index()];
            topic.cluster = Some(appended.cluster);
            if !topic.appended[id.producer.index()].insert(id.seq) {
                continue;
            }
            for lane in &mut topic.lanes {
                lane.terms.at(origin).created += 1;
            }
            self.accept(&record.meta);
            let (cluster, topic, partition) = (appended.cluster, appended.topic, appended.partition);
            let stood = Stood { cluster, topic, partition, offset: appended.base_offset + u64::from(record.position) };
            if self.lose(now, stood, &record.meta, reason) {
                lost(record.meta, stood.offset);
            }
        }
    }

    /// An event that was lost is appended again: its obligations are open as before. False for one that was not lost.
    pub(super) fn back_in_the_log(&mut self, topic: usize, cluster: ComponentIx, event: &EventMeta) -> bool {
        let origin = self.origins.of(event);
        let (producer, seq) = (event.id.producer.index(), event.id.seq);
        if !self.topics[topic].cut[producer].remove(seq) {
            return false;
        }
        for lane in 0..self.topics[topic].lanes.len() {
            let lane = &mut self.topics[topic].lanes[lane];
            if lane.lost[producer].remove(seq) {
                lane.ended[producer].remove(seq);
                lane.terms.at(origin).reopen(ObligationEnd::Lost);
                self.uncount_lost(cluster, event.event_type);
            }
        }
        true
    }

    fn uncount_lost(&mut self, cluster: ComponentIx, event_type: EventTypeIx) {
        self.uncount_reason((end_name(ObligationEnd::Lost), cluster, event_type, TRUNCATED));
    }

    /// The first lost events by name, those that came back left out.
    pub fn lost_events(&self, names: &Names) -> Vec<report::LostEvent> {
        let cut = |lost: &NamedLost| self.topics[lost.topic.index()].cut[lost.event.producer.index()].contains(lost.event.seq);
        let still = |lost: &&NamedLost| lost.consumer.is_some() || cut(lost);
        let at = |lost: &NamedLost| lost.consumer.map(|at| format!("at {}: ", names.component(at))).unwrap_or_default();
        let named = |lost: &NamedLost| report::LostEvent {
            event: names.event(lost.event),
            topic: names.topic(lost.topic),
            partition: lost.partition,
            offset: lost.offset,
            at_s: lost.at.as_secs_f64(),
            why: format!("{}{}", at(lost), lost.reason.detail.as_deref().unwrap_or(lost.reason.code)),
        };
        self.named_lost.iter().filter(still).map(named).collect()
    }

    pub(super) fn stands_elsewhere(&self, topic: TopicIx, id: EventId) -> bool {
        let topic = &self.topics[topic.index()];
        topic.duplicated[id.producer.index()].contains(id.seq)
            && topic.partitions.iter().flatten().any(|kept| records(&kept.batch).any(|record| record.meta.id == id))
    }

    /// True when a group had still to get the event, or there is no group.
    fn lose(&mut self, now: SimTime, stood: Stood, event: &EventMeta, reason: &Reason) -> bool {
        let origin = self.origins.of(event);
        let (producer, seq) = (event.id.producer.index(), event.id.seq);
        let lanes = self.topics[stood.topic.index()].lanes.len();
        let mut open = lanes == 0;
        for lane in 0..lanes {
            let lane = &mut self.topics[stood.topic.index()].lanes[lane];
            if lane.ended[producer].insert(seq) {
                lane.terms.at(origin).end(ObligationEnd::Lost);
                lane.lost[producer].insert(seq);
                open = true;
                let counted = Reason { code: TRUNCATED, detail: reason.detail.clone() };
                self.count_reason(end_name(ObligationEnd::Lost), stood.cluster, event, &counted, now);
            }
        }
        if open && self.topics[stood.topic.index()].cut[producer].insert(seq) && self.named_lost.len() < LOST_NAMED_MAX {
            let Stood { topic, partition, offset, .. } = stood;
            let reason = reason.clone();
            self.named_lost.push(NamedLost { event: event.id, consumer: None, topic, partition, offset, at: now, reason });
        }
        open
    }

    /// A consumer lost an event that its group had committed.
    pub(super) fn name_lost(&mut self, now: SimTime, ended: &Ended, reason: &Reason) {
        let Ended { topic, partition, offset, event, component, .. } = *ended;
        if self.named_lost.len() < LOST_NAMED_MAX {
            let (consumer, reason) = (Some(component), reason.clone());
            self.named_lost.push(NamedLost { event: event.id, consumer, topic, partition, offset, at: now, reason });
        }
    }

    /// An append that nobody was told of is gone: the submission is open again, or as its client ended it.
    fn withdraw(&mut self, now: SimTime, topic: TopicIx, event: &EventMeta) {
        let id = event.id;
        let origin = self.origins.of(event);
        let (producer, seq) = (id.producer.index(), id.seq);
        let of_topic = &mut self.topics[topic.index()];
        if of_topic.lanes.iter().any(|lane| lane.ended[producer].contains(seq)) {
            // It was delivered or expired from another place in the log: it was there.
            return;
        }
        if of_topic.appended[producer].remove(seq) {
            for lane in &mut of_topic.lanes {
                lane.terms.at(origin).created -= 1;
            }
        }
        let stands_in_another = self.topics.iter().any(|topic| topic.appended[producer].contains(seq));
        if !stands_in_another && self.producers[producer].accepted.remove(seq) {
            self.sent.at(origin).unsettle(Outcome::Accepted);
            self.producers[producer].refused.remove(seq);
            if let Some(settled) = self.overruled.remove(&id) {
                self.settled(now, &settled);
            }
        }
    }
}
