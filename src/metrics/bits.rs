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
    /// How many are in the set, counted as they came.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// How many of this set are also in `other`, counted bit by bit: the ledger's second opinion.
    pub fn count_in_both(&self, other: &Self) -> u64 {
        self.chunks.iter().zip(&other.chunks).map(|(a, b)| both(a, b)).sum()
    }
}

fn both(a: &Chunk, b: &Chunk) -> u64 {
    match (a, b) {
        (Chunk::Empty, _) | (_, Chunk::Empty) => 0,
        (Chunk::Full, Chunk::Full) => CHUNK_BITS,
        (Chunk::Full, Chunk::Some { words, .. }) | (Chunk::Some { words, .. }, Chunk::Full) => {
            words.iter().map(|word| u64::from(word.count_ones())).sum()
        }
        (Chunk::Some { words: a, .. }, Chunk::Some { words: b, .. }) => {
            a.iter().zip(b.iter()).map(|(a, b)| u64::from((a & b).count_ones())).sum()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_set(seqs in prop::collection::vec(0u64..20_000, 0..3_000), full in any::<bool>()) {
            let mut bits = SeqSet::default();
            let mut oracle = std::collections::BTreeSet::new();
            let filled = if full { 0..5_000 } else { 0..0 };
            for seq in filled.chain(seqs) {
                prop_assert_eq!(bits.insert(seq), oracle.insert(seq));
            }
            prop_assert_eq!(bits.count(), oracle.len() as u64);
            prop_assert_eq!(bits.count_in_both(&bits), oracle.len() as u64);
            for seq in (0..20_000).step_by(7) {
                prop_assert_eq!(bits.contains(seq), oracle.contains(&seq));
            }
        }
    }
}
