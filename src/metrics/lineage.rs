//! Events made from others: results that were made twice of one parent.
//!
//! Two results of one parent are two events to the ledger, and one fact told twice to whoever reads them. In: births
//! of derived events, ends of obligations. Out: whether a delivery repeats one of another result of the same parent.
//! Results of such results count alike, so that a repetition is followed through any number of stages.
//! Start at [`Lineage::derived`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ahash::AHashMap;

use crate::event::{Ended, EventId, EventMeta, Reason};
use crate::units::{ComponentIx, EventTypeIx, GroupIx, TopicIx};

/// Parents whose first result is remembered; a result made after so many others counts as a first one.
const PARENTS_MAX: usize = 1_000_000;
/// Aborted deliveries remembered; further ones count as deliveries when another result comes.
const ABORTED_MAX: usize = 1_000_000;

/// Results with twins that are remembered; further ones count as first ones.
const TWINS_MAX: usize = 1_000_000;
/// Deliveries of twins remembered; a repetition of further ones counts as a first delivery.
const PROCESSED_MAX: usize = 1_000_000;

/// Why a delivery repeats another.
pub(super) const REPEATED: Reason =
    Reason { code: "result-repeated", detail: Some(std::borrow::Cow::Borrowed("another result of the same event was processed before")) };

/// Who made results of what.
#[derive(Clone, Debug, Default)]
pub(super) struct Lineage {
    /// The first result of a type that a component made of a parent: one command may make events of several types.
    firsts: AHashMap<(ComponentIx, EventId, EventTypeIx), EventId>,
    by_age: VecDeque<(ComponentIx, EventId, EventTypeIx)>,
    /// Results that have twins, with the first of them.
    twins: BTreeMap<EventId, EventId>,
    /// Groups that have processed one of several twins, by the first of these.
    processed: BTreeSet<(TopicIx, GroupIx, EventId)>,
    aborted: BTreeSet<(TopicIx, GroupIx, EventId)>,
}

impl Lineage {
    /// A component has made an event of a parent.
    pub fn derived(&mut self, made: &EventMeta, parent: EventId) {
        let event = made.id;
        let parent = (event.producer, self.twins.get(&parent).copied().unwrap_or(parent), made.event_type);
        if let Some(first) = self.firsts.get(&parent) {
            if self.twins.len() < TWINS_MAX {
                self.twins.insert(event, *first);
                self.twins.insert(*first, *first);
            }
            return;
        }
        if self.by_age.len() >= PARENTS_MAX
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.firsts.remove(&oldest);
        }
        self.firsts.insert(parent, event);
        self.by_age.push_back(parent);
    }

    /// A group passes over an aborted event.
    pub fn aborted(&mut self, ended: &Ended) {
        if self.aborted.len() < ABORTED_MAX {
            self.aborted.insert((ended.topic, ended.group, ended.event.id));
        }
    }

    /// Whether a first delivery repeats that of a twin; `has_ended` says whether an event had ended for the same group before.
    pub fn repeats(&mut self, ended: &Ended, has_ended: impl FnOnce(EventId) -> bool) -> bool {
        let Some(first) = self.twins.get(&ended.event.id).copied() else { return false };
        let key = (ended.topic, ended.group, first);
        if self.processed.contains(&key) {
            return true;
        }
        if self.processed.len() < PROCESSED_MAX {
            self.processed.insert(key);
        }
        // The first one may have been processed when it had no twin yet.
        first != ended.event.id && !self.aborted.contains(&key) && has_ended(first)
    }
}
