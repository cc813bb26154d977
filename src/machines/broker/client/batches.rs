//! The open, waiting and flying batches of one partition.

use std::collections::VecDeque;

use super::packing::Packing;
use crate::event::RecordBatch;
use crate::machines::broker::batch::{BatchBuilder, halves};
use crate::machines::broker::compression::Compression;
use crate::units::{SimTime, TopicIx};

/// Batches that a broker remembers for each producer and partition (`ProducerStateEntry.NUM_BATCHES_TO_RETAIN`).
const IDEMPOTENT_SPAN_MAX: u64 = 5;

/// A batch that takes records.
#[derive(Clone, Debug)]
pub(super) struct OpenBatch {
    pub opened: SimTime,
    /// Tells linger deadlines of earlier batches of the partition from this one's.
    pub serial: u64,
    /// What it takes of the client's buffer.
    pub reserved_bytes: u64,
}

/// A batch that takes no more records.
#[derive(Clone, Debug)]
pub(super) struct SealedBatch {
    pub batch: RecordBatch,
    pub opened: SimTime,
    pub reserved_bytes: u64,
    /// Given when it is first sent, so that a batch that never leaves makes no gap.
    pub seq: Option<u64>,
    pub attempts: u32,
    pub not_before: SimTime,
}

/// What a client keeps for one partition.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub topic: TopicIx,
    /// The topic's place in the client.
    pub place: usize,
    pub partition: u32,
    /// The connection to its leader.
    pub lane: usize,
    pub open: Option<OpenBatch>,
    /// Its records; kept for its memory.
    pub builder: BatchBuilder,
    /// In sending order.
    pub queue: VecDeque<SealedBatch>,
    /// Sequence numbers under way, ascending; at most `max.in.flight`.
    pub flying: Vec<u64>,
    pub next_seq: u64,
    pub epoch: u32,
    /// The first number of a sent batch that was given up or split: it may be missing at the broker, so a new epoch
    /// must begin. Batches numbered before it are still sent again in the old one.
    pub epoch_over: Option<u64>,
    /// Whether its lane's list of partitions with work holds it.
    pub listed: bool,
}

impl Partition {
    pub fn new((topic, place): (TopicIx, usize), partition: u32, lane: usize, compression: Compression) -> Self {
        Self {
            topic,
            place,
            partition,
            lane,
            open: None,
            builder: BatchBuilder::packing(compression),
            queue: VecDeque::new(),
            flying: Vec::new(),
            next_seq: 0,
            epoch: 0,
            epoch_over: None,
            listed: false,
        }
    }

    /// Closes the open batch, if any, and puts it behind the others.
    pub fn seal(&mut self, now: SimTime, packing: &mut Packing) -> bool {
        let Some(open) = self.open.take() else { return false };
        let plain_bytes = self.builder.wire_bytes();
        let batch = self.builder.finish();
        let not_before = packing.packed(now, self.place, plain_bytes, &batch);
        self.queue.push_back(SealedBatch {
            batch,
            opened: open.opened,
            reserved_bytes: open.reserved_bytes,
            seq: None,
            attempts: 0,
            not_before,
        });
        true
    }

    /// Puts a batch back after a failure: by number when order must hold, else to the front as Kafka does.
    pub fn requeue(&mut self, batch: SealedBatch, ordered: bool) {
        self.queue.insert(self.place(batch.seq, ordered), batch);
    }

    /// Puts the halves of a batch that is too large in its place; they are numbered in the next epoch.
    pub fn requeue_halves(&mut self, batch: &SealedBatch, ordered: bool) {
        let at = self.place(batch.seq, ordered);
        // Kafka does not count this try.
        let attempts = batch.attempts.saturating_sub(1);
        let seq = batch.seq.filter(|_| ordered);
        let mut reserved_bytes = batch.reserved_bytes;
        for (at, half) in (at..).zip(halves(&batch.batch)) {
            let reserved_bytes = std::mem::take(&mut reserved_bytes);
            let (opened, not_before) = (batch.opened, SimTime::ZERO);
            self.queue.insert(at, SealedBatch { batch: half, opened, reserved_bytes, seq, attempts, not_before });
        }
    }

    fn place(&self, seq: Option<u64>, ordered: bool) -> usize {
        if ordered { self.queue.partition_point(|other| other.seq.is_some_and(|other| Some(other) < seq)) } else { 0 }
    }

    /// This number will not come: see [`Self::epoch_over`].
    pub fn end_epoch(&mut self, seq: u64) {
        self.epoch_over = Some(self.epoch_over.map_or(seq, |over| over.min(seq)));
    }

    /// Begins a new epoch once nothing of the old one is under way or must be sent again.
    pub fn renew_epoch(&mut self) {
        let Some(over) = self.epoch_over else { return };
        if self.flying.is_empty() && !self.queue.iter().any(|batch| batch.seq.is_some_and(|seq| seq < over)) {
            self.epoch_over = None;
            self.epoch += 1;
            self.next_seq = 0;
            for batch in &mut self.queue {
                batch.seq = None;
            }
        }
    }

    /// Whether the first batch may leave now. With idempotence a retry waits for everything numbered before it,
    /// and nothing overtakes it (`shouldStopDrainBatchesForPartition` of Kafka's RecordAccumulator).
    pub fn can_send(&self, now: SimTime, idempotent: bool) -> bool {
        let Some(first) = self.queue.front() else { return false };
        if first.not_before > now {
            return false;
        }
        if !idempotent {
            return true;
        }
        // The broker remembers the last five batches: no number may run further ahead of one that is not acknowledged.
        let oldest = self.flying.first();
        let may = match first.seq {
            Some(seq) => oldest.is_none_or(|oldest| seq < *oldest),
            None => oldest.is_none_or(|oldest| self.next_seq - oldest < IDEMPOTENT_SPAN_MAX),
        };
        may && self.epoch_over.is_none_or(|over| first.seq.is_some_and(|seq| seq < over))
    }
}
