//! The reading side of transactions: which batches were aborted, positions that a transaction commits, going back.

use super::consumer::{ConsumerClient, ConsumerOutput};
use super::membership::Phase;
use crate::event::{AbortedTransaction, GroupOffsets, OffsetCommit, StoredBatch};
use crate::machines::broker::transactions::marker::{control_of, stamp_of};
use crate::units::SimTime;

/// First offsets of the aborted among fetched batches, as Kafka's CompletedFetch finds them: a producer's batches from
/// its aborted transaction's first offset to the marker.
pub(in crate::machines::broker) fn aborted_batches(batches: &[StoredBatch], transactions: &[AbortedTransaction]) -> Vec<u64> {
    let mut found = Vec::new();
    if transactions.is_empty() {
        return found;
    }
    let mut aborting: Vec<u64> = Vec::new();
    let mut coming = transactions.to_vec();
    coming.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
    for stored in batches {
        while let Some(transaction) = coming.pop_if(|transaction| transaction.first_offset < stored.next_offset()) {
            aborting.push(transaction.producer);
        }
        let Some(stamp) = stamp_of(&stored.batch) else { continue };
        match control_of(&stored.batch) {
            Some(_) => aborting.retain(|producer| *producer != stamp.id),
            None if aborting.contains(&stamp.id) => found.push(stored.base_offset),
            None => {}
        }
    }
    found
}

impl ConsumerClient {
    /// Counts assignments of this member: work of an older one belongs to nobody here.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The positions that have moved since they were last committed, to be committed with a transaction.
    #[must_use]
    pub fn moved_positions(&self) -> Option<GroupOffsets> {
        let moved = self.assigned.iter().filter_map(|progress| {
            let offset = progress.done_to().filter(|_| progress.done_to() != progress.committed)?;
            Some(OffsetCommit { topic: progress.topic, partition: progress.partition, offset })
        });
        let offsets: Vec<OffsetCommit> = moved.collect();
        let (group, member, generation) = (self.cfg.group, self.member.clone(), self.generation);
        (!offsets.is_empty()).then_some(GroupOffsets { group, member, generation, offsets })
    }

    /// A transaction has committed positions of this assignment.
    pub fn committed_by_transaction(&mut self, offsets: &[OffsetCommit]) {
        for commit in offsets {
            if let Some(slot) = self.slot_of(commit.topic, commit.partition) {
                self.assigned[slot].committed = Some(commit.offset);
            }
        }
    }

    /// Whether positions of the present generation can be committed: a transaction that carries some may begin.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.phase, Phase::Stable | Phase::Locating | Phase::Listing)
    }

    /// Goes back to where the group stands, as after an aborted transaction. While a rebalance is under way the
    /// group's positions are asked for after it.
    pub fn rewind(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        for progress in &mut self.assigned {
            self.epoch += 1;
            progress.forget(self.epoch);
        }
        for lane in &mut self.lanes {
            lane.pending = None;
        }
        out.revoked = true;
        if self.is_settled() && !self.assigned.is_empty() {
            self.phase = Phase::Locating;
            self.locate(now, out);
        }
    }
}
