//! One partition: its log, its replicas, and what it knows of idempotent producers.
//!
//! A batch is recognised by (producer, epoch, sequence): Kafka's ProducerStateManager with a number a batch instead
//! of one a record. Must not know: requests, groups.

use super::log::{LogConfig, PartitionLog};
use super::reassignment::Reassigning;
use super::replicas::Replicas;
use super::rot::Rotten;
use super::transactions::Unstable;
use crate::event::{BrokerError, KeptLog};
use crate::units::ComponentIx;

/// Batches of each idempotent producer that a partition remembers (`ProducerStateEntry.NumBatchesToRetain`).
const REMEMBERED_BATCHES: usize = 5;

/// Producers that a partition remembers; the one that came first goes first.
const PRODUCERS_MAX: usize = 10_000;

/// A producing client: its component, and which of that component's.
pub(super) type Producer = (ComponentIx, u64);

/// One partition at its leader.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub log: PartitionLog,
    pub replicas: Replicas,
    /// Its replicas are on their way to other nodes.
    pub reassigning: Option<Box<Reassigning>>,
    /// Records below it are on every replica in sync, and readers see no further.
    pub high_watermark: u64,
    /// Long polls that wait for it, by number.
    pub waiters: Vec<u64>,
    pub transactions: Unstable,
    producers: Vec<ProducerState>,
    /// Copies that have gone bad.
    pub rotten: Vec<Rotten>,
    /// Records appended so far.
    pub appended: u64,
    /// Records that the cleaner removed.
    pub compacted: u64,
}

#[derive(Clone, Debug)]
struct ProducerState {
    producer: Producer,
    epoch: u32,
    /// (batch sequence, base offset), newest last.
    batches: Vec<(u64, u64)>,
    /// What may come when `batches` is empty: only this number, or any.
    resumes_at: Option<u64>,
}

impl Partition {
    pub fn new(cfg: LogConfig, replicas: Replicas) -> Self {
        Self {
            log: PartitionLog::new(cfg),
            replicas,
            reassigning: None,
            high_watermark: 0,
            waiters: Vec::new(),
            transactions: Unstable::default(),
            producers: Vec::new(),
            rotten: Vec::new(),
            appended: 0,
            compacted: 0,
        }
    }

    /// Begins with what earlier runs have left: every replica has all of it.
    pub fn restore(&mut self, kept: &KeptLog) {
        self.log.restore(kept);
        self.high_watermark = kept.next_offset;
        self.replicas.list.iter_mut().for_each(|replica| replica.agrees_to = kept.next_offset);
        self.transactions.restore(&self.log);
    }

    /// Where this batch stands already, if it does; an error for a gap in the sequence.
    pub fn known(&self, producer: Producer, epoch: u32, batch_seq: u64) -> Result<Option<u64>, BrokerError> {
        let state = self.producers.iter().find(|state| state.producer == producer);
        let Some(state) = state.filter(|state| epoch <= state.epoch) else {
            // Links lose messages, not connections: a later batch must not open an epoch while its first one is retried.
            return if batch_seq == 0 { Ok(None) } else { Err(BrokerError::OutOfOrderSequence) };
        };
        if epoch < state.epoch {
            return Err(BrokerError::OutOfOrderSequence);
        }
        if let Some((_, offset)) = state.batches.iter().find(|(seq, _)| *seq == batch_seq) {
            return Ok(Some(*offset));
        }
        let expected = state.batches.last().map(|(seq, _)| seq + 1).or(state.resumes_at);
        if expected.is_none_or(|expected| expected == batch_seq) { Ok(None) } else { Err(BrokerError::OutOfOrderSequence) }
    }

    /// The log was cut at `offset`: what producers had sent since is unknown again. After a `clean` election at most
    /// the batches in flight are gone, which are all remembered, so the next number is certain.
    pub fn forget_from(&mut self, offset: u64, clean: bool) {
        for state in &mut self.producers {
            let keep = state.batches.partition_point(|(_, base_offset)| *base_offset < offset);
            if let Some((first_gone, _)) = state.batches.get(keep) {
                state.resumes_at = clean.then_some(*first_gone);
                state.batches.truncate(keep);
            }
        }
    }

    /// A batch was appended.
    pub fn remember(&mut self, producer: Producer, epoch: u32, batch_seq: u64, base_offset: u64) {
        let index = match self.producers.iter().position(|state| state.producer == producer) {
            Some(index) => index,
            None => {
                if self.producers.len() >= PRODUCERS_MAX {
                    self.producers.remove(0);
                }
                self.producers.push(ProducerState {
                    producer,
                    epoch,
                    batches: Vec::with_capacity(REMEMBERED_BATCHES + 1),
                    resumes_at: Some(0),
                });
                self.producers.len() - 1
            }
        };
        let state = &mut self.producers[index];
        if state.epoch != epoch {
            state.epoch = epoch;
            state.batches.clear();
        }
        state.batches.push((batch_seq, base_offset));
        if state.batches.len() > REMEMBERED_BATCHES {
            state.batches.remove(0);
        }
    }
}
