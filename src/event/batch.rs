//! A handle to one encoded Kafka record batch. Its layout is built and read in `machines/broker/batch`.

use std::sync::Arc;

use bytes::Bytes;

use super::EventMeta;
use crate::units::{Timestamp, TopicIx};

/// One record batch in Kafka's v2 layout, encoded once by its producer and shared by everyone after.
#[derive(Clone, Debug)]
pub struct RecordBatch {
    /// 61 bytes of batch header, then the records. Headers of records are one compact internal header
    /// each; [`Self::wire_bytes`] counts what they are written out.
    pub bytes: Bytes,
    /// How many records.
    pub record_count: u32,
    /// How many offsets it takes: more than it has records once compaction has thinned it.
    pub offsets: u32,
    /// Size with CloudEvents and trace headers written out: what networks carry and retention counts.
    pub wire_bytes: u32,
    /// Timestamp of the newest record, for retention by time.
    pub max_timestamp: Timestamp,
    /// Records of this batch that observers follow, by position; empty for most batches.
    pub traced: Option<Arc<[TracedRecord]>>,
}

/// A record that observers follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedRecord {
    /// Position in the batch.
    pub position: u32,
    /// Which event.
    pub meta: EventMeta,
}

/// What earlier runs have left of one partition.
#[derive(Clone, Debug)]
pub struct KeptLog {
    /// The topic,
    pub topic: TopicIx,
    /// and which of its partitions.
    pub partition: u32,
    /// First offset,
    pub log_start: u64,
    /// and the one after the last.
    pub next_offset: u64,
    /// In order; where offsets are missing there is no record any more.
    pub batches: Vec<StoredBatch>,
}

/// A batch at its place in a log.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    /// Offset of its first record.
    pub base_offset: u64,
    /// The batch.
    pub batch: RecordBatch,
}

impl StoredBatch {
    /// Offset after its last record.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.base_offset + u64::from(self.batch.offsets)
    }
}
