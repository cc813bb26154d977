//! Batches that have gone bad on the disk of a node.
//!
//! A broker does not look at bytes that it reads from its log; whoever gets them does: a consumer's poll fails at the
//! checksum (`check.crcs`), a follower throws the batch away and asks for it again, for ever (Kafka's
//! AbstractFetcherThread), and the cleaner leaves the partition alone. Other replicas have good copies of their own.
//! Replicas share batches here, so that a bad copy stands apart from the log, with whose it is.
//! Must not know: who reads. Start at [`Cluster::corrupt`].

use super::batch::HEADER_BYTES;
use super::cluster::Cluster;
use super::log::ReadLimit;
use super::partition::Partition;
use crate::event::{RecordBatch, StoredBatch};
use crate::random::Stream;

/// Bad copies of one partition; further ones are refused.
const ROTTEN_MAX: usize = 1_000;

/// One replica's copy of a batch, with a bit that is wrong.
#[derive(Clone, Debug)]
pub(super) struct Rotten {
    node: u32,
    stored: StoredBatch,
}

/// Which batch is to go bad; what is not named is left to chance.
#[derive(Clone, Debug, Default)]
pub struct Blight {
    /// Topic.
    pub topic: Option<String>,
    /// Partition.
    pub partition: Option<u32>,
    /// Whose copy; the leader's when absent.
    pub node: Option<u32>,
    /// One that holds this offset.
    pub offset: Option<u64>,
}

impl Partition {
    /// Puts bad copies where a node has them.
    pub fn spoil(&self, node: u32, batches: &mut [StoredBatch]) {
        for rotten in self.rotten.iter().filter(|rotten| rotten.node == node) {
            if let Some(good) = batches.iter_mut().find(|stored| stored.base_offset == rotten.stored.base_offset) {
                *good = rotten.stored.clone();
            }
        }
    }

    /// How far towards `up_to` a follower gets that has its leader's log up to `from`: to the first bad batch.
    pub fn sound_to(&self, from: u64, up_to: u64) -> u64 {
        let of_leader = self.rotten.iter().filter(|rotten| self.replicas.leader == Some(rotten.node));
        of_leader.map(|rotten| rotten.stored.base_offset).filter(|bad| (from..up_to).contains(bad)).min().unwrap_or(up_to)
    }

    /// Copies from `offset` on are gone: a node's, or all nodes'.
    pub fn forget_rotten(&mut self, node: Option<u32>, offset: u64) {
        self.rotten.retain(|rotten| rotten.stored.base_offset < offset || node.is_some_and(|node| node != rotten.node));
    }

    /// Batches of a replica that may go bad: what every replica in sync has.
    fn soundly_stored(&self, blight: &Blight, node: u32) -> Vec<StoredBatch> {
        let Some(replica) = self.replicas.of(node) else { return Vec::new() };
        let below = self.position(replica).min(self.high_watermark);
        let mut batches = Vec::new();
        self.log.read(self.log.log_start(), ReadLimit { below, max_bytes: u64::MAX, at_least_one: true }, &mut batches);
        batches.retain(|stored| {
            let is_bad = |rotten: &Rotten| rotten.node == node && rotten.stored.base_offset == stored.base_offset;
            let wanted = blight.offset.is_none_or(|offset| (stored.base_offset..stored.next_offset()).contains(&offset));
            wanted && stored.batch.bytes.len() > HEADER_BYTES && !self.rotten.iter().any(is_bad)
        });
        batches
    }
}

impl Cluster {
    /// Flips a bit in a stored batch of one replica.
    ///
    /// # Errors
    /// In words, when there is no such topic, or nothing stored there.
    pub fn corrupt(&mut self, blight: &Blight, rng: &mut Stream) -> Result<(), String> {
        let place = blight.topic.as_deref().map(|name| self.place_named(name)).transpose()?;
        let mut candidates = Vec::new();
        for (at, partitions) in self.partitions.iter().enumerate().filter(|(at, _)| place.is_none_or(|place| place == *at)) {
            for (number, partition) in (0..).zip(partitions).filter(|(number, _)| blight.partition.is_none_or(|one| one == *number)) {
                let node = blight.node.unwrap_or(partition.replicas.last_leader);
                let batches = partition.soundly_stored(blight, node);
                if !batches.is_empty() && partition.rotten.len() < ROTTEN_MAX {
                    candidates.push((at, number, node, batches));
                }
            }
        }
        if candidates.is_empty() {
            return Err("no such batch is stored there and sound".to_owned());
        }
        let (place, partition, node, mut batches) = candidates.swap_remove(rng.below(candidates.len() as u64) as usize);
        let StoredBatch { base_offset, batch } = batches.swap_remove(rng.below(batches.len() as u64) as usize);
        let stored = StoredBatch { base_offset, batch: with_a_bit_flipped(&batch, rng) };
        self.partitions[place][partition as usize].rotten.push(Rotten { node, stored });
        Ok(())
    }

    /// Bad copies that stand in logs; none where there never was one.
    #[must_use]
    pub fn rotten_count(&self) -> Option<usize> {
        let standing = |partition: &Partition| {
            let log_start = partition.log.log_start();
            let stands = |rotten: &&Rotten| rotten.stored.next_offset() > log_start && partition.replicas.of(rotten.node).is_some();
            partition.rotten.iter().filter(stands).count()
        };
        let mut struck = self.partitions.iter().flatten().filter(|partition| !partition.rotten.is_empty()).peekable();
        struck.peek()?;
        Some(struck.map(standing).sum())
    }
}

/// Somewhere among its records: the header tells readers where the batch ends.
fn with_a_bit_flipped(batch: &RecordBatch, rng: &mut Stream) -> RecordBatch {
    let mut bytes = batch.bytes.to_vec();
    let bit = rng.below(8 * (bytes.len() - HEADER_BYTES) as u64) as usize;
    bytes[HEADER_BYTES + bit / 8] ^= 1 << (bit % 8);
    RecordBatch { bytes: bytes.into(), ..batch.clone() }
}
