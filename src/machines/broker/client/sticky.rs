//! The partition of an event: by its key, or the one that the topic sticks to.

use crate::random::Stream;

/// One topic's choice. Without a key Kafka stays with one partition until `batch.size` bytes went there, then
/// draws another (KIP-794; all partitions count as available here).
#[derive(Clone, Debug)]
pub(super) struct TopicChoice {
    partitions: u32,
    current: Option<u32>,
    sent_bytes: u64,
}

impl TopicChoice {
    pub fn new(partitions: u32) -> Self {
        Self { partitions: partitions.max(1), current: None, sent_bytes: 0 }
    }

    #[inline]
    pub fn choose(&mut self, key: Option<&[u8]>, record_bytes: u64, batch_bytes: u64, rng: &mut Stream) -> u32 {
        if let Some(key) = key {
            return (murmur2(key) as u32 & 0x7fff_ffff) % self.partitions;
        }
        let current = match self.current {
            Some(current) if self.sent_bytes < batch_bytes => current,
            _ => {
                self.sent_bytes = 0;
                rng.below(u64::from(self.partitions)) as u32
            }
        };
        self.current = Some(current);
        self.sent_bytes += record_bytes;
        current
    }
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
