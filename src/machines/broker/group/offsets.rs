//! Positions of a group, whichever protocol its members speak.
//!
//! In: commits that the coordinator has allowed, ends of transactions. Out: positions. Must not know: members.

use std::collections::BTreeMap;

use crate::event::{BrokerError, OffsetCommit};
use crate::machines::broker::transactions::PendingOffsets;
use crate::units::TopicIx;

/// A partition, and where the group goes on in it, if that is known.
type Position = (TopicIx, u32, Option<u64>);

/// Committed positions, and those that wait for the end of a transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    committed: BTreeMap<(TopicIx, u32), u64>,
    pending: PendingOffsets,
}

impl Offsets {
    pub fn committed(&self, topic: TopicIx, partition: u32) -> Option<u64> {
        self.committed.get(&(topic, partition)).copied()
    }

    /// Positions of these partitions, unless a transaction has still to decide on one.
    pub fn fetch(&self, partitions: Vec<(TopicIx, u32)>) -> Result<Vec<Position>, BrokerError> {
        if self.pending.touches(&partitions) {
            return Err(BrokerError::UnstableOffsetCommit);
        }
        Ok(partitions.into_iter().map(|(topic, partition)| (topic, partition, self.committed(topic, partition))).collect())
    }

    pub fn commit(&mut self, offsets: &[OffsetCommit]) {
        for commit in offsets {
            self.committed.insert((commit.topic, commit.partition), commit.offset);
        }
    }

    pub fn commit_in_transaction(&mut self, producer: u64, offsets: &[OffsetCommit]) {
        self.pending.add(producer, offsets);
    }

    pub fn end_transaction(&mut self, producer: u64, commit: bool) {
        let offsets = self.pending.take(producer);
        if commit {
            self.commit(&offsets);
        }
    }
}
