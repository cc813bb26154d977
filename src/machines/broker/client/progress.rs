//! How far one assigned partition has come: fetched, processed, committed.

use std::collections::VecDeque;

use crate::event::{CallId, StoredBatch};
use crate::machines::broker::batch::positions;
use crate::units::{SimTime, TopicIx};

/// One assigned partition.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Tells this assignment from an earlier one of the same partition.
    pub epoch: u32,
    pub topic: TopicIx,
    pub partition: u32,
    /// The connection to its leader.
    pub lane: usize,
    /// Next offset to ask for; none until the group's position is known.
    pub fetch_from: Option<u64>,
    /// The last fetch that asked for it.
    pub fetched_by: Option<CallId>,
    /// It is given back as soon as the work on it is finished and committed.
    pub revoked: bool,
    /// It is not asked for before.
    pub not_before: SimTime,
    /// The log's end as the last fetch told it.
    pub end_seen: u64,
    /// Where the log ended when reading began, if that was asked for.
    pub end_at_first: Option<u64>,
    /// Received and not all done, ascending: (offset, done).
    outstanding: VecDeque<(u64, bool)>,
    /// After the last record that a poll handed out.
    polled_to: u64,
    /// Last position that a commit carried.
    pub committed: Option<u64>,
}

impl Progress {
    pub fn new(epoch: u32, topic: TopicIx, partition: u32, lane: usize) -> Self {
        Self {
            epoch,
            topic,
            partition,
            lane,
            fetch_from: None,
            fetched_by: None,
            revoked: false,
            not_before: SimTime::ZERO,
            end_seen: 0,
            end_at_first: None,
            outstanding: VecDeque::new(),
            polled_to: 0,
            committed: None,
        }
    }

    pub fn begin_at(&mut self, offset: u64) {
        self.fetch_from = Some(offset);
        self.polled_to = offset;
    }

    /// Everything since the group's position is void.
    pub fn forget(&mut self, epoch: u32) {
        self.epoch = epoch;
        (self.fetch_from, self.fetched_by, self.committed) = (None, None, None);
        self.outstanding.clear();
    }

    /// Records from an offset on have come. Offsets that retention or compaction took away in between count as done.
    pub fn received(&mut self, from: u64, batches: &[StoredBatch]) {
        for stored in batches {
            let end = stored.next_offset();
            if stored.batch.offsets == stored.batch.record_count {
                self.outstanding.extend((stored.base_offset.max(from)..end).map(|offset| (offset, false)));
            } else {
                let offsets = positions(&stored.batch).into_iter().map(|position| stored.base_offset + u64::from(position));
                self.outstanding.extend(offsets.filter(|offset| *offset >= from).map(|offset| (offset, false)));
            }
            self.fetch_from = Some(end);
        }
    }

    /// What was received from an offset on is void, and asked for again.
    pub fn read_again(&mut self, offset: u64, not_before: SimTime) {
        self.outstanding.truncate(self.outstanding.partition_point(|entry| entry.0 < offset));
        (self.fetch_from, self.fetched_by, self.not_before) = (Some(offset), None, not_before);
    }

    pub fn polled(&mut self, offset: u64) {
        self.polled_to = self.polled_to.max(offset + 1);
    }

    #[inline]
    pub fn done(&mut self, offset: u64) {
        // One worker ends records in order: no search.
        let at = match self.outstanding.front() {
            Some(first) if first.0 == offset => Ok(0),
            _ => self.outstanding.binary_search_by_key(&offset, |entry| entry.0),
        };
        if let Ok(at) = at {
            self.outstanding[at].1 = true;
        }
        while self.outstanding.front().is_some_and(|entry| entry.1) {
            self.outstanding.pop_front();
        }
    }

    /// The first offset that is not done: what at-least-once may commit.
    pub fn done_to(&self) -> Option<u64> {
        self.outstanding.front().map(|entry| entry.0).or(self.fetch_from)
    }

    /// Records behind the first that is not done.
    pub fn lag(&self) -> u64 {
        self.done_to().map_or(0, |done| self.end_seen.saturating_sub(done))
    }

    /// Everything is done that stood there when reading began.
    pub fn has_caught_up(&self) -> bool {
        self.end_at_first.is_some_and(|end| self.done_to() >= Some(end))
    }

    /// What at-most-once commits before work begins.
    pub fn polled_to(&self) -> Option<u64> {
        self.fetch_from.map(|_| self.polled_to)
    }
}
