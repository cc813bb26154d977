//! Order by key: whether a group got each key's events in the order of their births.
//!
//! In: deliveries with their keys. Out: how many came after a younger one of the same producer and key.
//! A second delivery of an event is a duplicate, not a disorder. Start at [`KeyOrder::delivered`].

use std::collections::BTreeMap;

use ahash::AHashMap;

use crate::event::Ended;
use crate::units::{ComponentIx, GroupIx, TopicIx};

/// Keys watched at once; deliveries of further keys are not judged.
const KEYS_MAX: usize = 1_000_000;

type Lane = (TopicIx, GroupIx);

/// The watch over all groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyOrder {
    /// The youngest event delivered, by lane, producer and key.
    youngest: AHashMap<(Lane, ComponentIx, Box<[u8]>), u64>,
    /// How many came too late.
    disorders: BTreeMap<Lane, u64>,
}

impl KeyOrder {
    /// A first delivery of an event with this key.
    pub fn delivered(&mut self, ended: &Ended, key: &[u8]) {
        let (lane, id) = ((ended.topic, ended.group), ended.event.id);
        let watched = (lane, id.producer, Box::from(key));
        if self.youngest.len() >= KEYS_MAX && !self.youngest.contains_key(&watched) {
            return;
        }
        let youngest = self.youngest.entry(watched).or_insert(id.seq);
        if *youngest > id.seq {
            *self.disorders.entry(lane).or_default() += 1;
        }
        *youngest = id.seq.max(*youngest);
    }

    /// Deliveries that came after a younger one of their key.
    pub fn disorders(&self, matching: impl Fn(TopicIx, GroupIx) -> bool) -> u64 {
        self.disorders.iter().filter(|((topic, group), _)| matching(*topic, *group)).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventId, EventMeta, ObligationEnd};
    use crate::units::SimDuration;
    use proptest::prelude::*;

    fn delivery(seq: u64) -> Ended {
        Ended {
            component: ComponentIx(1),
            group: GroupIx(0),
            topic: TopicIx(0),
            partition: 0,
            offset: 0,
            event: EventMeta { id: EventId { producer: ComponentIx(0), seq }, ..EventMeta::default() },
            waited: SimDuration::ZERO,
            end: ObligationEnd::Delivered,
        }
    }

    proptest! {
        /// Against the definition: an event is late when an earlier delivery of its key has a greater number.
        #[test]
        fn counts_what_comes_after_a_younger_one(order in Just((0u64..60).collect::<Vec<_>>()).prop_shuffle(), keys in 1u64..8) {
            let mut watch = KeyOrder::default();
            order.iter().for_each(|seq| watch.delivered(&delivery(*seq), &(seq % keys).to_be_bytes()));
            let late = |at: &usize| order[..*at].iter().any(|before| before % keys == order[*at] % keys && *before > order[*at]);
            prop_assert_eq!(watch.disorders(|_, _| true), (0..order.len()).filter(late).count() as u64);
            prop_assert_eq!(watch.disorders(|_, group| group == GroupIx(7)), 0);
        }
    }
}
