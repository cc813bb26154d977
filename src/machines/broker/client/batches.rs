//! The open, waiting and flying batches of one partition.

use std::collections::VecDeque;

use crate::event::RecordBatch;
use crate::machines::broker::batch::BatchBuilder;
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
    pub partition: u32,
    pub lane: u16,
    pub open: Option<OpenBatch>,
    /// Its records; kept for its memory.
    pub builder: BatchBuilder,
    /// In sending order.
    pub queue: VecDeque<SealedBatch>,
    /// Sequence numbers under way, ascending; at most `max.in.flight`.
    pub flying: Vec<u64>,
    pub next_seq: u64,
    pub epoch: u32,
    /// A sent batch was given up: its number may be missing at the broker, so a new epoch must begin.
    pub epoch_over: bool,
    /// Whether its lane's list of partitions with work holds it.
    pub listed: bool,
}

impl Partition {
    pub fn new(topic: TopicIx, partition: u32, lane: u16) -> Self {
        Self {
            topic,
            partition,
            lane,
            open: None,
            builder: BatchBuilder::default(),
            queue: VecDeque::new(),
            flying: Vec::new(),
            next_seq: 0,
            epoch: 0,
            epoch_over: false,
            listed: false,
        }
    }

    /// Closes the open batch, if any, and puts it behind the others.
    pub fn seal(&mut self) -> bool {
        let Some(open) = self.open.take() else { return false };
        self.queue.push_back(SealedBatch {
            batch: self.builder.finish(),
            opened: open.opened,
            reserved_bytes: open.reserved_bytes,
            seq: None,
            attempts: 0,
            not_before: SimTime::ZERO,
        });
        true
    }

    /// Puts a batch back after a failure: by number when order must hold, else to the front as Kafka does.
    pub fn requeue(&mut self, batch: SealedBatch, ordered: bool) {
        let at = if ordered { self.queue.partition_point(|other| other.seq.is_some_and(|seq| Some(seq) < batch.seq)) } else { 0 };
        self.queue.insert(at, batch);
    }

    /// Begins a new epoch once nothing of the old one is under way.
    pub fn renew_epoch(&mut self) {
        if self.epoch_over && self.flying.is_empty() {
            self.epoch_over = false;
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
        may && !self.epoch_over
    }
}
