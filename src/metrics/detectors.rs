//! What goes wrong by topic and group: repeated, missing, disordered and hidden events, each with its first example.
//!
//! In: ends of obligations as the recorder hears them. Out: counts, and words that name the first event, when and where:
//! what stands beside a broken guarantee. Start at [`Detectors::saw`].

use std::collections::BTreeMap;

use super::order::KeyOrder;
use crate::event::{Ended, EventId, ObligationEnd, Reason};
use crate::units::{ComponentIx, GroupIx, SimTime, TopicIx};

/// What a detector finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Anomaly {
    /// Processed once more.
    Duplicate,
    /// Never to be processed by the group: lost, gone, or skipped for good.
    Gap,
    /// Processed after a younger event of its producer and key.
    OutOfOrder,
    /// Acknowledged before, and not in an answer to the group.
    StaleRead,
}

impl Anomaly {
    /// In reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Gap => "gap",
            Self::OutOfOrder => "out_of_order",
            Self::StaleRead => "stale_read",
        }
    }
    /// Which of them break a guarantee.
    pub fn breaking(guarantee: &str) -> &'static [Self] {
        match guarantee {
            "at_least_once" => &[Self::Gap],
            "at_most_once" => &[Self::Duplicate],
            "exactly_once" => &[Self::Gap, Self::Duplicate],
            "ordered_per_key" => &[Self::OutOfOrder],
            _ => &[],
        }
    }
}

/// How often, and the first of them.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub topic: TopicIx,
    pub group: GroupIx,
    pub anomaly: Anomaly,
    pub count: u64,
    pub event: EventId,
    pub at: SimTime,
    pub component: ComponentIx,
    /// `lost: truncated…`, for a gap.
    pub why: String,
}

/// The detectors of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detectors {
    /// Only where an expectation asks for order by key: it looks at every delivery.
    order: Option<KeyOrder>,
    seen: BTreeMap<(TopicIx, GroupIx, Anomaly), Sighting>,
}

impl Detectors {
    /// With or without a watch over the order of keys.
    pub fn new(watches_order: bool) -> Self {
        Self { order: watches_order.then(KeyOrder::default), seen: BTreeMap::new() }
    }
    /// An anomaly of one obligation.
    pub fn saw(&mut self, now: SimTime, anomaly: Anomaly, ended: &Ended, reason: Option<&Reason>) {
        let why = || reason.map_or_else(String::new, |reason| reason.detail.as_deref().unwrap_or(reason.code).to_owned());
        let Ended { topic, group, component, event, .. } = *ended;
        let sighting = self.seen.entry((topic, group, anomaly)).or_insert_with(|| Sighting {
            topic,
            group,
            anomaly,
            count: 0,
            event: event.id,
            at: now,
            component,
            why: why(),
        });
        sighting.count += 1;
    }
    /// Whether order by key is watched: a delivery's key is wanted then.
    pub fn watches_order(&self) -> bool {
        self.order.is_some()
    }
    /// A first delivery with its key, where order is watched, and the topic and group whose order it is.
    pub fn delivered(&mut self, now: SimTime, ended: &Ended, read: (TopicIx, GroupIx), key: &[u8]) {
        if self.order.as_mut().is_some_and(|order| order.delivered(read, ended.event.id, key)) {
            self.saw(now, Anomaly::OutOfOrder, ended, None);
        }
    }
    /// Deliveries out of order; none where nobody watched.
    pub fn disorders(&self, matching: impl Fn(TopicIx, GroupIx) -> bool) -> Option<u64> {
        self.order.as_ref()?;
        let seen = self.seen.values().filter(|one| one.anomaly == Anomaly::OutOfOrder && matching(one.topic, one.group));
        Some(seen.map(|one| one.count).sum())
    }
    /// Everything seen, by topic, group and anomaly.
    pub fn sightings(&self) -> impl Iterator<Item = &Sighting> {
        self.seen.values()
    }
}

/// Whether a group will never process what ended so.
pub(crate) fn leaves_a_gap(end: ObligationEnd) -> bool {
    matches!(end, ObligationEnd::Lost | ObligationEnd::Expired | ObligationEnd::FailedSkipped | ObligationEnd::RejectedAtConsumer)
}
