//! A growing set of sequence numbers, one bit each; runs of 4,096 that are all in it cost nothing.

const CHUNK_BITS: u64 = 4096;
const WORDS: usize = (CHUNK_BITS / 64) as usize;

/// A set of sequence numbers that mostly grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeqSet {
    chunks: Vec<Chunk>,
    count: u64,
}

#[derive(Clone, Debug)]
enum Chunk {
    Empty,
    Full,
    Some { words: Box<[u64; WORDS]>, count: u16 },
}

impl SeqSet {
    /// Adds `seq`; false when it was in the set already.
    #[inline]
    pub fn insert(&mut self, seq: u64) -> bool {
        let index = (seq / CHUNK_BITS) as usize;
        if index >= self.chunks.len() {
            self.chunks.resize(index + 1, Chunk::Empty);
        }
        let chunk = &mut self.chunks[index];
        let within = seq % CHUNK_BITS;
        let (word, bit) = ((within / 64) as usize, 1u64 << (within % 64));
        match chunk {
            Chunk::Full => return false,
            Chunk::Empty => {
                let mut words = Box::new([0; WORDS]);
                words[word] = bit;
                *chunk = Chunk::Some { words, count: 1 };
            }
            Chunk::Some { words, count } => {
                if words[word] & bit != 0 {
                    return false;
                }
                words[word] |= bit;
                *count += 1;
                if u64::from(*count) == CHUNK_BITS {
                    *chunk = Chunk::Full;
                }
            }
        }
        self.count += 1;
        true
    }
    /// Takes `seq` out; false when it was not in the set.
    pub fn remove(&mut self, seq: u64) -> bool {
        let Some(chunk) = self.chunks.get_mut((seq / CHUNK_BITS) as usize) else { return false };
        let within = seq % CHUNK_BITS;
        let (word, bit) = ((within / 64) as usize, 1u64 << (within % 64));
        if matches!(chunk, Chunk::Full) {
            *chunk = Chunk::Some { words: Box::new([u64::MAX; WORDS]), count: CHUNK_BITS as u16 };
        }
        let Chunk::Some { words, count } = chunk else { return false };
        if words[word] & bit == 0 {
            return false;
        }
        words[word] &= !bit;
        *count -= 1;
        self.count -= 1;
        true
    }
    /// Whether `seq` is in the set.
    #[inline]
    pub fn contains(&self, seq: u64) -> bool {
        let within = seq % CHUNK_BITS;
        match self.chunks.get((seq / CHUNK_BITS) as usize) {
            None | Some(Chunk::Empty) => false,
            Some(Chunk::Full) => true,
            Some(Chunk::Some { words, .. }) => words[(within / 64) as usize] & (1 << (within % 64)) != 0,
        }
    }
    /// Whether everything from `least` to `most` is in the set.
    pub fn contains_all(&self, least: u64, most: u64) -> bool {
        let mut seq = least;
        while seq <= most {
            match self.chunks.get((seq / CHUNK_BITS) as usize) {
                Some(Chunk::Full) => seq = (seq / CHUNK_BITS + 1) * CHUNK_BITS,
                Some(Chunk::Some { .. }) if self.contains(seq) => seq += 1,
                _ => return false,
            }
        }
        true
    }
    /// How many are in the set, counted as they came.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// How many of this set are also in `other`, counted bit by bit: the ledger's second opinion.
    pub fn count_in_both(&self, other: &Self) -> u64 {
        self.words().zip(other.words()).map(|(a, b)| u64::from((a & b).count_ones())).sum()
    }
    /// How many below `limit` are in this set or in `other`, counted bit by bit.
    pub fn count_in_either(&self, other: &Self, limit: u64) -> u64 {
        let len = self.chunks.len().max(other.chunks.len()) * WORDS;
        let (ours, others) = (self.words().chain(std::iter::repeat(0)), other.words().chain(std::iter::repeat(0)));
        let below = |index: usize| match limit.saturating_sub(64 * index as u64) {
            bits @ 0..64 => (1 << bits) - 1,
            _ => u64::MAX,
        };
        let either = ours.zip(others).take(len).enumerate();
        either.map(|(index, (a, b))| u64::from(((a | b) & below(index)).count_ones())).sum()
    }
    fn words(&self) -> impl Iterator<Item = u64> {
        self.chunks.iter().flat_map(Chunk::words).copied()
    }
}

impl Chunk {
    fn words(&self) -> &[u64; WORDS] {
        match self {
            Self::Empty => &[0; WORDS],
            Self::Full => &[u64::MAX; WORDS],
            Self::Some { words, .. } => words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(
            seqs in prop::collection::vec(0u64..20_000, 0..3_000),
            taken_out in prop::collection::vec(0u64..21_000, 0..300),
            full in any::<bool>(),
            limit in 0u64..22_000,
        ) {
            let mut bits = SeqSet::default();
            let mut oracle = std::collections::BTreeSet::new();
            let filled = if full { 0..5_000 } else { 0..0 };
            for seq in filled.chain(seqs) {
                prop_assert_eq!(bits.insert(seq), oracle.insert(seq));
            }
            for seq in taken_out {
                prop_assert_eq!(bits.remove(seq), oracle.remove(&seq));
            }
            prop_assert_eq!(bits.count(), oracle.len() as u64);
            prop_assert_eq!(bits.count_in_both(&bits), oracle.len() as u64);
            let mut others = SeqSet::default();
            (limit / 2..limit).for_each(|seq| assert!(others.insert(seq)));
            prop_assert_eq!(bits.count_in_both(&others), oracle.range(limit / 2..limit).count() as u64);
            let either = oracle.range(..limit / 2).count() as u64 + limit - limit / 2;
            prop_assert_eq!(bits.count_in_either(&others, limit), either);
            prop_assert_eq!(others.count_in_either(&bits, u64::MAX), either + oracle.range(limit..).count() as u64);
            prop_assert_eq!(bits.contains_all(limit / 2, limit), (limit / 2..=limit).all(|seq| oracle.contains(&seq)));
            prop_assert_eq!(bits.contains_all(0, limit), (0..=limit).all(|seq| oracle.contains(&seq)));
            for seq in (0..20_000).step_by(7) {
                prop_assert_eq!(bits.contains(seq), oracle.contains(&seq));
                prop_assert_eq!(bits.remove(seq), oracle.remove(&seq));
                prop_assert_eq!(bits.count(), oracle.len() as u64);
                prop_assert!(!bits.contains(seq));
            }
        }
    }
}
