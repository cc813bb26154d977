//! How a producing client packs its batches: the codec, how well it does, how long it takes.
//!
//! A batch takes records while its packed size, as estimated from the topic's earlier batches, is below `batch.size`.
//! Source: CompressionRatioEstimator and MemoryRecordsBuilder (Kafka 4.0).

use crate::event::RecordBatch;
use crate::machines::broker::compression::Compression;
use crate::units::{SimDuration, SimTime};

/// A batch that shrank better moves the estimate by this much, one that shrank worse by that.
const IMPROVING_STEP: f32 = 0.005;
const DETERIORATING_STEP: f32 = 0.05;
/// A batch is taken to be this much larger than estimated (`COMPRESSION_RATE_ESTIMATION_FACTOR`).
const CAUTION: f32 = 1.05;

/// The packing side of a client.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    pub compression: Compression,
    /// Time for one KiB of records.
    pub kib_time: SimDuration,
    /// One batch is packed at a time.
    busy_until: SimTime,
    /// Expected ratio of packed to plain bytes, by topic.
    estimates: Vec<f32>,
    plain_bytes: u64,
    packed_bytes: u64,
}

impl Packing {
    pub fn new(compression: Compression, kib_time: SimDuration) -> Self {
        Self { compression, kib_time, busy_until: SimTime::ZERO, estimates: Vec::new(), plain_bytes: 0, packed_bytes: 0 }
    }

    pub fn add_topic(&mut self) {
        self.estimates.push(1.0);
    }

    /// What so many bytes of a topic come to, packed, about.
    #[inline]
    pub fn estimated_bytes(&self, topic: usize, plain_bytes: u64) -> u64 {
        if self.compression == Compression::None {
            return plain_bytes;
        }
        (plain_bytes as f32 * self.estimates[topic] * CAUTION) as u64
    }

    /// A batch of `plain_bytes` was packed; returns when it may leave.
    pub fn packed(&mut self, now: SimTime, topic: usize, plain_bytes: u64, batch: &RecordBatch) -> SimTime {
        if self.compression == Compression::None {
            return SimTime::ZERO;
        }
        let packed_bytes = u64::from(batch.wire_bytes);
        self.plain_bytes += plain_bytes;
        self.packed_bytes += packed_bytes;
        let observed = packed_bytes as f32 / plain_bytes.max(1) as f32;
        let estimate = &mut self.estimates[topic];
        *estimate =
            if observed > *estimate { observed.max(*estimate + DETERIORATING_STEP) } else { observed.max(*estimate - IMPROVING_STEP) };
        let work = self.kib_time.per_kib(plain_bytes);
        self.busy_until = self.busy_until.max(now) + work;
        self.busy_until
    }

    /// A batch was too large for its broker: the topic is taken to shrink no more.
    pub fn too_large(&mut self, topic: usize) {
        self.estimates[topic] = self.estimates[topic].max(1.0);
    }

    /// Packed bytes for each plain one so far (Kafka's metric `compression-rate-avg`).
    pub fn ratio(&self) -> Option<f64> {
        (self.plain_bytes > 0).then(|| self.packed_bytes as f64 / self.plain_bytes as f64)
    }
}
