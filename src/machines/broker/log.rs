//! One partition's log: segments of shared batch handles, an index by position, retention.
//!
//! In: batches with the instant of their append. Out: batches from an offset on, the offsets that retention
//! took away. Nothing is copied: a log holds handles to the bytes that the producer encoded.
//! Retention rules: Kafka's LogConfig, as the digest in `semantics/broker.md` reads them (whole closed
//! segments; by size while what would remain is at least the limit; by time from a segment's newest record).

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::{self, compression};
use super::compaction::{Cleaned, CompactionConfig};
use super::compression::Compression;
use crate::event::{KeptLog, RecordBatch, StoredBatch};
use crate::units::{SimDuration, SimTime, Timestamp};

/// When segments roll and when they go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`.
    pub segment_bytes: u64,
    /// `segment.ms`.
    pub segment_time: SimDuration,
    /// `retention.ms`; none keeps for ever.
    pub retention_time: Option<SimDuration>,
    /// `retention.bytes`; none keeps all.
    pub retention_bytes: Option<u64>,
    /// Whether `cleanup.policy` has `delete`: without it nothing goes by age or size.
    pub deletes: bool,
    /// With `compact` in it.
    pub compaction: Option<CompactionConfig>,
}

/// A log.
#[derive(Clone, Debug)]
pub struct PartitionLog {
    pub(super) cfg: LogConfig,
    /// Shared with checkpoints: a closed segment never changes again.
    pub(super) segments: VecDeque<Arc<Segment>>,
    pub(super) log_start: u64,
    next_offset: u64,
    bytes: u64,
    memory_bytes: u64,
    pub(super) cleaned: Cleaned,
}

/// What a read may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Only batches that end here or before (the high watermark).
    pub below: u64,
    /// Size of all batches together.
    pub max_bytes: u64,
    /// The first batch comes whatever its size, so that a reader always gets on.
    pub at_least_one: bool,
}

/// What a batch takes beside its bytes: its handle in a segment and the shared buffer's own header.
const HANDLE_BYTES: u64 = 128;

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub base_offset: u64,
    /// Its index: one entry a batch, found by binary search.
    pub batches: Vec<StoredBatch>,
    pub bytes: u64,
    memory_bytes: u64,
    pub opened: SimTime,
    pub max_timestamp: Timestamp,
}

impl PartitionLog {
    /// An empty log.
    #[must_use]
    pub fn new(cfg: LogConfig) -> Self {
        Self { cfg, segments: VecDeque::new(), log_start: 0, next_offset: 0, bytes: 0, memory_bytes: 0, cleaned: Cleaned::default() }
    }
    /// Appends a batch; returns its base offset and whether a segment was rolled for it.
    pub fn append(&mut self, now: SimTime, batch: RecordBatch) -> (u64, bool) {
        let size = u64::from(batch.wire_bytes);
        let rolled = match self.segments.back() {
            None => true,
            Some(active) => active.bytes + size > self.cfg.segment_bytes || now.since(active.opened) >= self.cfg.segment_time,
        };
        if rolled {
            // A new index begins as large as its neighbour.
            let capacity = self.segments.back().map_or(16, |last| last.batches.len());
            self.segments.push_back(Arc::new(Segment {
                base_offset: self.next_offset,
                batches: Vec::with_capacity(capacity),
                bytes: 0,
                memory_bytes: 0,
                opened: now,
                max_timestamp: Timestamp::MIN,
            }));
        }
        let base_offset = self.next_offset;
        self.next_offset += u64::from(batch.offsets);
        self.bytes += size;
        let memory = memory_of(&batch);
        self.memory_bytes += memory;
        // A checkpoint that shares the active segment makes this copy its handles, once.
        let active = Arc::make_mut(self.segments.back_mut().expect("a segment was just made if there was none"));
        active.bytes += size;
        active.memory_bytes += memory;
        active.max_timestamp = active.max_timestamp.max(batch.max_timestamp);
        active.batches.push(StoredBatch { base_offset, batch });
        (base_offset, rolled)
    }
    /// Puts what earlier runs have left into an empty log.
    pub fn restore(&mut self, kept: &KeptLog) {
        for stored in &kept.batches {
            self.next_offset = stored.base_offset;
            self.append(SimTime::ZERO, stored.batch.clone());
        }
        (self.log_start, self.next_offset) = (kept.log_start, kept.next_offset);
    }
    /// Whole batches from the one that holds `offset` on. Appends to `out` and returns their size.
    pub fn read(&self, offset: u64, limit: ReadLimit, out: &mut Vec<StoredBatch>) -> u64 {
        let mut size = 0;
        let first = self.segments.partition_point(|segment| segment.base_offset <= offset).saturating_sub(1);
        for (index, segment) in self.segments.iter().enumerate().skip(first) {
            let from = if index == first { segment.batches.partition_point(|stored| stored.next_offset() <= offset) } else { 0 };
            for stored in &segment.batches[from..] {
                let bytes = u64::from(stored.batch.wire_bytes);
                let first_of_all = size == 0 && limit.at_least_one;
                if stored.next_offset() > limit.below || (!first_of_all && size + bytes > limit.max_bytes) {
                    return size;
                }
                size += bytes;
                out.push(stored.clone());
            }
        }
        size
    }
    /// Batches from the one that holds `offset` on.
    pub fn batches_from(&self, offset: u64) -> impl Iterator<Item = &StoredBatch> {
        let first = self.segments.partition_point(|segment| segment.base_offset <= offset).saturating_sub(1);
        let before = |segment: &Arc<Segment>| segment.batches.partition_point(|stored| stored.next_offset() <= offset);
        let skipped = self.segments.get(first).map_or(0, before);
        self.segments.iter().skip(first).flat_map(|segment| &segment.batches).skip(skipped)
    }
    /// Batches that begin below `offset`, the last one first.
    pub fn batches_below(&self, offset: u64) -> impl Iterator<Item = &StoredBatch> {
        let count = self.segments.partition_point(|segment| segment.base_offset < offset);
        let behind = |segment: &Arc<Segment>| segment.batches.iter().rev().take_while(|stored| stored.base_offset >= offset).count();
        let skipped = count.checked_sub(1).and_then(|last| self.segments.get(last)).map_or(0, behind);
        self.segments.iter().take(count).rev().flat_map(|segment| segment.batches.iter().rev()).skip(skipped)
    }
    /// Segments that it consists of.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.segments.len()
    }
    /// Offset of the first record of `at` or later, by its timestamp; the end of the log if there is none.
    #[must_use]
    pub fn offset_for_time(&self, at: impl Into<Timestamp>) -> u64 {
        let at = at.into();
        let segment = self.segments.iter().find(|segment| segment.max_timestamp >= at);
        let batch = segment.and_then(|segment| segment.batches.iter().find(|stored| stored.batch.max_timestamp >= at));
        batch.map_or(self.next_offset, |stored| {
            let position = batch::first_since(&stored.batch, at).unwrap_or(0);
            self.log_start.max(stored.base_offset + u64::from(position))
        })
    }
    /// Drops what retention no longer keeps and every replica has (all below `high_watermark`); the new first
    /// offset if it moved.
    pub fn retain(&mut self, now: impl Into<Timestamp>, high_watermark: u64) -> Option<u64> {
        let now = now.into();
        let before = self.log_start;
        // A log that is only compacted keeps every key's last value for ever.
        while self.cfg.deletes
            && let Some(oldest) = self.segments.front()
        {
            let closed = self.segments.len() > 1;
            let too_big = closed && self.cfg.retention_bytes.is_some_and(|keep| self.bytes - oldest.bytes >= keep);
            // Time may take the active segment too, once all of its records are old.
            let too_old = self.cfg.retention_time.is_some_and(|keep| !oldest.batches.is_empty() && now.since(oldest.max_timestamp) > keep);
            if !(too_big || too_old) || oldest.next_offset() > high_watermark {
                break;
            }
            let gone = self.segments.pop_front().expect("it was just looked at");
            self.bytes -= gone.bytes;
            self.memory_bytes -= gone.memory_bytes;
            // Records below it may have been deleted by hand.
            let first = self.segments.front().map_or(self.next_offset, |segment| segment.base_offset);
            self.log_start = self.log_start.max(first);
        }
        (self.log_start > before).then_some(self.log_start)
    }
    /// Moves the log's start up to `offset` (`DeleteRecords`), and drops segments that lie below it as a whole; the new
    /// first offset if it moved.
    pub fn delete_before(&mut self, offset: u64) -> Option<u64> {
        if offset <= self.log_start {
            return None;
        }
        self.log_start = offset;
        while self.segments.front().is_some_and(|oldest| oldest.next_offset() <= offset) {
            self.segments.pop_front();
        }
        self.recount();
        Some(offset)
    }
    /// Cuts everything from the batch at `offset` on; what was cut, in order.
    pub fn truncate(&mut self, offset: u64) -> Vec<StoredBatch> {
        let mut cut = VecDeque::new();
        while offset < self.next_offset
            && let Some(last) = self.segments.back_mut()
        {
            let keep = last.batches.partition_point(|stored| stored.base_offset < offset);
            if keep == last.batches.len() {
                break;
            }
            let segment = Arc::make_mut(last);
            let gone = segment.batches.split_off(keep);
            let bytes: u64 = gone.iter().map(|stored| u64::from(stored.batch.wire_bytes)).sum();
            let memory_bytes: u64 = gone.iter().map(|stored| memory_of(&stored.batch)).sum();
            segment.bytes -= bytes;
            segment.memory_bytes -= memory_bytes;
            segment.max_timestamp = segment.batches.iter().map(|stored| stored.batch.max_timestamp).max().unwrap_or(Timestamp::MIN);
            self.bytes -= bytes;
            self.memory_bytes -= memory_bytes;
            gone.into_iter().rev().for_each(|stored| cut.push_front(stored));
            if keep > 0 {
                break;
            }
            self.segments.pop_back();
        }
        self.next_offset = self.next_offset.min(offset);
        self.log_start = self.log_start.min(offset);
        // The last segment takes appends again: from its start on nothing counts as cleaned.
        let open = self.segments.back().map_or(offset, |segment| segment.base_offset);
        self.cleaned.cut(offset, open);
        cut.into()
    }
    /// Size of the batches from `from` up to `to`.
    #[must_use]
    pub fn bytes_between(&self, from: u64, to: u64) -> u64 {
        let mut batches = Vec::new();
        self.read(from.max(self.log_start), ReadLimit { below: to, max_bytes: u64::MAX, at_least_one: true }, &mut batches)
    }
    /// The batch that begins at `offset`.
    #[must_use]
    pub fn batch_at(&self, offset: u64) -> Option<&StoredBatch> {
        let segment = self.segments.get(self.segments.partition_point(|segment| segment.base_offset <= offset).checked_sub(1)?)?;
        let at = segment.batches.binary_search_by_key(&offset, |stored| stored.base_offset).ok()?;
        segment.batches.get(at)
    }
    /// Sizes anew, after segments were exchanged.
    pub(super) fn recount(&mut self) {
        self.bytes = self.segments.iter().map(|segment| segment.bytes).sum();
        self.memory_bytes = self.segments.iter().map(|segment| segment.memory_bytes).sum();
    }
    /// Records in it.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.segments.iter().flat_map(|segment| &segment.batches).map(|stored| u64::from(stored.batch.record_count)).sum()
    }
    /// First offset kept.
    #[must_use]
    pub fn log_start(&self) -> u64 {
        self.log_start
    }
    /// Offset of the next record.
    #[must_use]
    pub fn next_offset(&self) -> u64 {
        self.next_offset
    }
    /// Size with headers written out.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
    /// What it takes of this machine's memory.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

fn memory_of(batch: &RecordBatch) -> u64 {
    // Packed bytes hold numbers of the plan, which must not show in figures: what they weigh on a wire is close.
    let bytes = if compression(batch) == Ok(Compression::None) { batch.bytes.len() as u64 } else { u64::from(batch.wire_bytes) };
    bytes + HANDLE_BYTES
}

impl Segment {
    /// Of these batches.
    pub fn of(base_offset: u64, opened: SimTime, batches: Vec<StoredBatch>) -> Self {
        let bytes = batches.iter().map(|stored| u64::from(stored.batch.wire_bytes)).sum();
        let memory_bytes = batches.iter().map(|stored| memory_of(&stored.batch)).sum();
        let max_timestamp = batches.iter().map(|stored| stored.batch.max_timestamp).max().unwrap_or(Timestamp::MIN);
        Self { base_offset, batches, bytes, memory_bytes, opened, max_timestamp }
    }
    /// Takes what comes behind it.
    pub fn join(&mut self, mut next: Self) {
        self.batches.append(&mut next.batches);
        self.bytes += next.bytes;
        self.memory_bytes += next.memory_bytes;
        self.max_timestamp = self.max_timestamp.max(next.max_timestamp);
    }
    pub fn next_offset(&self) -> u64 {
        self.batches.last().map_or(self.base_offset, StoredBatch::next_offset)
    }
}
