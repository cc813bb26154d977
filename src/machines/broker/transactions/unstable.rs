//! What one partition knows of transactions: which are open in it, and which were aborted.
//!
//! Readers of committed records see what is below the last stable offset: the first record of the first transaction
//! that is open, or whose marker is not yet on every replica in sync. Below it they pass over what was aborted.
//! Source: Kafka's ProducerStateManager and TransactionIndex. Must not know: coordinators. Start at [`Unstable::last_stable`].

use super::marker::{control_of, stamp_of};
use crate::event::{AbortedTransaction, RecordBatch};
use crate::machines::broker::log::{PartitionLog, ReadLimit};

/// Transactions of one partition.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Unstable {
    /// Something of a transaction was ever appended.
    used: bool,
    /// By their first record.
    open: Vec<Open>,
    /// By their marker.
    aborted: Vec<Aborted>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    producer: u64,
    first: u64,
    /// Where its marker stands, once it does.
    marker: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Aborted {
    producer: u64,
    first: u64,
    marker: u64,
}

impl Unstable {
    /// A producer's batch was appended in a transaction.
    pub fn appended(&mut self, producer: u64, base_offset: u64) {
        self.used = true;
        if !self.open.iter().any(|open| open.producer == producer && open.marker.is_none()) {
            self.open.push(Open { producer, first: base_offset, marker: None });
        }
    }

    /// A marker was appended. A transaction that has written nothing here leaves nothing behind.
    pub fn ended(&mut self, producer: u64, marker: u64, commit: bool) {
        self.used = true;
        let Some(open) = self.open.iter_mut().find(|open| open.producer == producer && open.marker.is_none()) else { return };
        open.marker = Some(marker);
        if !commit {
            self.aborted.push(Aborted { producer, first: open.first, marker });
        }
    }

    /// The high watermark has moved: markers below it can no longer be lost.
    #[inline]
    pub fn advanced(&mut self, high_watermark: u64) {
        if !self.open.is_empty() {
            self.open.retain(|open| open.marker.is_none_or(|marker| marker >= high_watermark));
        }
    }

    /// Up to where records are decided.
    pub fn last_stable(&self, high_watermark: u64) -> u64 {
        self.open.first().map_or(high_watermark, |open| open.first.min(high_watermark))
    }

    /// The aborted transactions with records in a range.
    pub fn aborted_in(&self, range: std::ops::Range<u64>) -> Vec<AbortedTransaction> {
        let after = self.aborted.partition_point(|aborted| aborted.marker < range.start);
        let touching = self.aborted[after..].iter().filter(|aborted| aborted.first < range.end);
        touching.map(|aborted| AbortedTransaction { producer: aborted.producer, first_offset: aborted.first }).collect()
    }

    /// Whether somebody has ever written in a transaction here.
    pub fn is_used(&self) -> bool {
        self.used
    }

    /// Whether what a producer wrote at an offset was aborted.
    pub fn is_aborted(&self, producer: u64, offset: u64) -> bool {
        let after = self.aborted.partition_point(|aborted| aborted.marker < offset);
        self.aborted[after..].iter().any(|aborted| aborted.producer == producer && aborted.first <= offset)
    }

    /// Records below an offset are gone by retention.
    pub fn retain(&mut self, log_start: u64) {
        self.aborted.retain(|aborted| aborted.marker >= log_start);
    }

    /// The log begins with what earlier runs have left, all of it decided.
    pub fn restore(&mut self, log: &PartitionLog) {
        self.used = true;
        self.reread(log, log.next_offset());
        self.used = !self.aborted.is_empty();
    }

    /// The log has changed under it: everything is found anew from what stands there.
    pub fn reread(&mut self, log: &PartitionLog, high_watermark: u64) {
        if !self.used {
            return;
        }
        (self.open, self.aborted) = (Vec::new(), Vec::new());
        let mut batches = Vec::new();
        log.read(log.log_start(), ReadLimit { below: u64::MAX, max_bytes: u64::MAX, at_least_one: true }, &mut batches);
        for stored in &batches {
            self.note(&stored.batch, stored.base_offset);
        }
        self.advanced(high_watermark);
    }

    fn note(&mut self, batch: &RecordBatch, base_offset: u64) {
        let Some(stamp) = stamp_of(batch) else { return };
        match control_of(batch) {
            Some(commit) => self.ended(stamp.id, base_offset, commit),
            None => self.appended(stamp.id, base_offset),
        }
    }
}
