//! Order by key: whether a group got each key's events in the order of their births.
//!
//! In: deliveries with their keys. Out: which came after a younger one of the same producer and key.
//! A second delivery of an event is a duplicate, not a disorder. Start at [`KeyOrder::delivered`].

use ahash::AHashMap;

use crate::event::EventId;
use crate::units::{ComponentIx, GroupIx, TopicIx};

/// Keys watched at once; deliveries of further keys are not judged.
const KEYS_MAX: usize = 1_000_000;

type Lane = (TopicIx, GroupIx);

/// The watch over all groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyOrder {
    /// The youngest event delivered, by lane, producer and key.
    youngest: AHashMap<(Lane, ComponentIx, Box<[u8]>), u64>,
}

impl KeyOrder {
    /// A first delivery of an event with this key; whether it came after a younger one of its topic and group.
    pub fn delivered(&mut self, lane: Lane, id: EventId, key: &[u8]) -> bool {
        let watched = (lane, id.producer, Box::from(key));
        if self.youngest.len() >= KEYS_MAX && !self.youngest.contains_key(&watched) {
            return false;
        }
        let youngest = self.youngest.entry(watched).or_insert(id.seq);
        let is_late = *youngest > id.seq;
        *youngest = id.seq.max(*youngest);
        is_late
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_late(watch: &mut KeyOrder, seq: u64, keys: u64) -> bool {
        let id = EventId { producer: ComponentIx(0), seq };
        watch.delivered((TopicIx(0), GroupIx(0)), id, &(seq % keys).to_be_bytes())
    }

    proptest! {
        /// Against the definition: an event is late when an earlier delivery of its key has a greater number.
        #[test]
        fn counts_what_comes_after_a_younger_one(order in Just((0u64..60).collect::<Vec<_>>()).prop_shuffle(), keys in 1u64..8) {
            let mut watch = KeyOrder::default();
            let said = order.iter().filter(|seq| is_late(&mut watch, **seq, keys)).count();
            let late = |at: &usize| order[..*at].iter().any(|before| before % keys == order[*at] % keys && *before > order[*at]);
            prop_assert_eq!(said, (0..order.len()).filter(late).count());
        }
    }
}
