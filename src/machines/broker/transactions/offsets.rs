//! Positions of a group that wait for the end of a transaction.
//!
//! Nobody may go on from a partition with such a position: whoever asks comes again (`UNSTABLE_OFFSET_COMMIT`).

use crate::event::OffsetCommit;
use crate::units::TopicIx;

/// By producer.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct PendingOffsets(Vec<(u64, Vec<OffsetCommit>)>);

impl PendingOffsets {
    /// Further positions of a producer's transaction.
    pub fn add(&mut self, producer: u64, offsets: &[OffsetCommit]) {
        match self.0.iter_mut().find(|(of, _)| *of == producer) {
            Some((_, list)) => list.extend_from_slice(offsets),
            None => self.0.push((producer, offsets.to_vec())),
        }
    }
    /// The positions of a transaction that has ended.
    pub fn take(&mut self, producer: u64) -> Vec<OffsetCommit> {
        let at = self.0.iter().position(|(of, _)| *of == producer);
        at.map(|at| self.0.remove(at).1).unwrap_or_default()
    }
    /// Whether one of these partitions waits.
    pub fn touches(&self, partitions: &[(TopicIx, u32)]) -> bool {
        self.0.iter().flat_map(|(_, list)| list).any(|commit| partitions.contains(&(commit.topic, commit.partition)))
    }
}
