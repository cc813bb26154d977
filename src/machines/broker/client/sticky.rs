//! The partition of an event: by its key, or the one that the topic sticks to.
//!
//! When a topic gets more partitions, most keys get another one (`murmur2 % partitions`): what of a key went to the old
//! one and what goes to the new one have no order any more. Start at [`TopicChoice::choose`].

use crate::random::Stream;

/// One topic's choice. Without a key Kafka stays with one partition until `batch.size` bytes went there, then
/// draws another (KIP-794; all partitions count as available here).
#[derive(Clone, Debug)]
pub(super) struct TopicChoice {
    /// By partition, the client's place for it.
    slots: Vec<usize>,
    current: Option<usize>,
    sent_bytes: u64,
    moved: Option<MovedKeys>,
}

/// Events with a key since a topic first got more partitions.
#[derive(Clone, Copy, Debug)]
pub(super) struct MovedKeys {
    /// Partitions before.
    before: u32,
    pub keyed: u64,
    /// Of these, those whose key had another partition before.
    pub moved: u64,
}

impl TopicChoice {
    pub fn new(slots: Vec<usize>) -> Self {
        Self { slots, current: None, sent_bytes: 0, moved: None }
    }

    pub fn partitions(&self) -> usize {
        self.slots.len()
    }

    /// The topic has one partition more.
    pub fn grow(&mut self, slot: usize) {
        let before = self.slots.len() as u32;
        self.moved.get_or_insert(MovedKeys { before, keyed: 0, moved: 0 });
        self.slots.push(slot);
    }

    pub fn moved(&self) -> Option<MovedKeys> {
        self.moved
    }

    /// The client's place for the event's partition.
    #[inline]
    pub fn choose(&mut self, key: Option<&[u8]>, record_bytes: u64, batch_bytes: u64, rng: &mut Stream) -> usize {
        let partitions = self.slots.len() as u32;
        if let Some(key) = key {
            let hash = positive_hash(key);
            let partition = hash % partitions;
            if let Some(moved) = &mut self.moved {
                moved.keyed += 1;
                moved.moved += u64::from(hash % moved.before != partition);
            }
            return self.slots[partition as usize];
        }
        let current = match self.current {
            Some(current) if self.sent_bytes < batch_bytes => current,
            _ => {
                self.sent_bytes = 0;
                self.slots[rng.below(u64::from(partitions)) as usize]
            }
        };
        self.current = Some(current);
        self.sent_bytes += record_bytes;
        current
    }
}

/// What a key's partition is the remainder of (`Utils.toPositive`).
#[inline]
#[must_use]
pub fn positive_hash(key: &[u8]) -> u32 {
    murmur2(key) as u32 & 0x7fff_ffff
}

/// MurmurHash2 as Kafka's `Utils.murmur2` computes it.
#[must_use]
pub(super) fn murmur2(bytes: &[u8]) -> i32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let (words, tail) = bytes.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (index, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    (hash ^ (hash >> 15)) as i32
}
