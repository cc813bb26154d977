//! Log compaction: of each key the last value stays, at its own offset.
//!
//! In: a log, the instant, the offset up to which it is settled. Out: the log with thinner closed segments, and what its
//! cleaned section consists of now. The active segment is never touched. A tombstone (a record without a value) stays for
//! `delete.retention.ms` after the cleaner first passed it, so that readers learn of the deletion. Batches of transactions
//! stay as they are, and hide nothing: only their coordinator knows whether they count.
//! Source: Kafka's LogCleaner, LogCleanerManager and Cleaner (4.0). Start at [`PartitionLog::compact`].

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::batch::{self, HEADER_BYTES};
use super::log::{PartitionLog, Segment};
use super::transactions::marker;
use crate::event::{RecordBatch, StoredBatch};
use crate::units::{SimDuration, SimTime, Timestamp};

/// How a log is compacted (`cleanup.policy=compact`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompactionConfig {
    /// `min.cleanable.dirty.ratio`.
    pub dirty_ratio_min: f64,
    /// `delete.retention.ms`.
    pub tombstone_time: SimDuration,
    /// `min.compaction.lag.ms`.
    pub lag_min: SimDuration,
    /// `max.compaction.lag.ms`.
    pub lag_max: Option<SimDuration>,
}

/// What a log has of compaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Cleaned {
    /// Everything below was cleaned; a segment begins here.
    until: u64,
    /// Batches with tombstones that the cleaner has passed, by base offset: from when on these may go.
    horizons: HashMap<u64, SimTime, ahash::RandomState>,
}

impl Cleaned {
    /// Everything from `offset` on was cut, as an unclean election does; the segment that is open now begins at `open`.
    pub fn cut(&mut self, offset: u64, open: u64) {
        self.until = self.until.min(open);
        self.horizons.retain(|base, _| *base < offset);
    }
}

/// What a log's cleaned section consists of now.
#[derive(Clone, Debug)]
pub struct Section {
    /// It begins here,
    pub from: u64,
    /// and ends before.
    pub to: u64,
    /// Its batches.
    pub kept: Vec<StoredBatch>,
    /// Records that went.
    pub removed: u64,
}

/// Keys by their last offset in the dirty section; only looked up.
type LastOffsets = HashMap<Box<[u8]>, u64, ahash::RandomState>;

impl PartitionLog {
    /// Cleans the log if enough of it is dirty; `settled` is the offset below which nothing changes any more.
    pub fn compact(&mut self, now: SimTime, settled: u64) -> Option<Section> {
        let cfg = self.cfg.compaction?;
        let closed = self.segments.len().saturating_sub(1);
        let cleanable =
            |segment: &Arc<Segment>| segment.next_offset() <= settled && Timestamp::from(now).since(segment.max_timestamp) >= cfg.lag_min;
        let count = self.segments.iter().take(closed).take_while(|segment| cleanable(segment)).count();
        if count == 0 || !self.is_due(now, &cfg, count) {
            return None;
        }
        let from = self.log_start;
        let to = self.segments[count].base_offset;
        let last = self.last_offsets(count);
        let section: Vec<Arc<Segment>> = self.segments.drain(..count).collect();
        let mut removed = 0;
        let mut cleaned: Vec<Segment> = Vec::new();
        for segment in section {
            let batches = self.thin(now, &cfg, &segment.batches, &last, &mut removed);
            let thin = Segment::of(segment.base_offset, segment.opened, batches);
            // Thin neighbours become one segment again.
            match cleaned.last_mut() {
                Some(before) if before.bytes + thin.bytes <= self.cfg.segment_bytes => before.join(thin),
                _ => cleaned.push(thin),
            }
        }
        let kept = cleaned.iter().flat_map(|segment| segment.batches.iter().cloned()).collect();
        let mut segments: VecDeque<Arc<Segment>> = cleaned.into_iter().map(Arc::new).collect();
        segments.append(&mut self.segments);
        self.segments = segments;
        self.recount();
        self.cleaned.until = to;
        self.cleaned.horizons.retain(|offset, _| *offset >= from);
        Some(Section { from, to, kept, removed })
    }

    /// Whether the first `count` segments are worth a pass.
    fn is_due(&self, now: SimTime, cfg: &CompactionConfig, count: usize) -> bool {
        let bytes = |dirty: bool| -> u64 {
            let of = self.segments.iter().take(count).filter(|segment| (segment.base_offset >= self.cleaned.until) == dirty);
            of.map(|segment| segment.bytes).sum()
        };
        let (dirty, clean) = (bytes(true), bytes(false));
        let first_dirty = self.segments.iter().take(count).find(|segment| segment.base_offset >= self.cleaned.until);
        let Some(first_dirty) = first_dirty.filter(|_| dirty > 0) else { return false };
        let overdue = cfg.lag_max.is_some_and(|lag_max| now.since(first_dirty.opened) > lag_max);
        overdue || dirty as f64 >= cfg.dirty_ratio_min * (dirty + clean) as f64
    }

    fn last_offsets(&self, count: usize) -> LastOffsets {
        let mut last = LastOffsets::default();
        let dirty = self.segments.iter().take(count).filter(|segment| segment.base_offset >= self.cleaned.until);
        for stored in dirty.flat_map(|segment| &segment.batches).filter(|stored| is_plain(&stored.batch)) {
            let Ok(open) = batch::opened(&stored.batch) else { continue };
            for record in batch::records(&open) {
                let offset = stored.base_offset + u64::from(record.position);
                if let Some(key) = record.key {
                    // Mostly the key is there already: then nothing is copied.
                    match last.get_mut(key) {
                        Some(known) => *known = offset,
                        None => drop(last.insert(Box::from(key), offset)),
                    }
                }
            }
        }
        last
    }

    /// The batches with what must stay of them.
    fn thin(
        &mut self,
        now: SimTime,
        cfg: &CompactionConfig,
        batches: &[StoredBatch],
        last: &LastOffsets,
        removed: &mut u64,
    ) -> Vec<StoredBatch> {
        let mut kept = Vec::with_capacity(batches.len());
        for stored in batches {
            let horizon = self.cleaned.horizons.get(&stored.base_offset).copied();
            let mut has_tombstone = false;
            let thinned = thinned(&stored.batch, |record| {
                let offset = stored.base_offset + u64::from(record.position);
                let is_last = record.key.and_then(|key| last.get(key)).is_none_or(|last| *last <= offset);
                let is_over = record.is_tombstone && horizon.is_some_and(|horizon| horizon <= now);
                has_tombstone |= record.is_tombstone && is_last && !is_over;
                is_last && !is_over
            });
            if has_tombstone {
                self.cleaned.horizons.entry(stored.base_offset).or_insert(now + cfg.tombstone_time);
            } else {
                self.cleaned.horizons.remove(&stored.base_offset);
            }
            let records = thinned.as_ref().map_or(0, |batch| batch.record_count);
            *removed += u64::from(stored.batch.record_count - records);
            kept.extend(thinned.map(|batch| StoredBatch { base_offset: stored.base_offset, batch }));
        }
        kept
    }
}

fn is_plain(batch: &RecordBatch) -> bool {
    marker::stamp_of(batch).is_none() && marker::control_of(batch).is_none()
}

/// A batch with only some of its records, at their old places: itself when all stay, none when none does. What belongs to a
/// transaction stays as it is.
#[must_use]
pub fn thinned(batch: &RecordBatch, mut keep: impl FnMut(&batch::RecordRef<'_>) -> bool) -> Option<RecordBatch> {
    let open = if is_plain(batch) { batch::opened(batch).ok() } else { None };
    // What cannot be read, or belongs to a transaction, stays.
    let Some(open) = open else { return Some(batch.clone()) };
    let mut bytes = Vec::with_capacity(open.bytes.len());
    bytes.extend_from_slice(&open.bytes[..HEADER_BYTES]);
    let (mut positions, mut newest) = (Vec::new(), Timestamp::MIN);
    for (record, raw) in batch::raw_records(&open) {
        if keep(&record) {
            bytes.extend_from_slice(raw);
            positions.push(record.position);
            newest = newest.max(record.timestamp());
        }
    }
    let record_count = positions.len() as u32;
    if record_count == batch.record_count {
        return Some(batch.clone());
    }
    if record_count == 0 {
        return None;
    }
    if batch::is_stamped_by_log(batch) {
        newest = batch.max_timestamp;
    }
    let plain_bytes = (bytes.len() - HEADER_BYTES) as u64;
    let of_bytes = (open.bytes.len() - HEADER_BYTES) as u64;
    let wire_bytes = HEADER_BYTES as u64 + (u64::from(batch.wire_bytes) - HEADER_BYTES as u64) * plain_bytes / of_bytes.max(1);
    let traced = batch.traced.as_deref().unwrap_or_default();
    let traced: Vec<_> = traced.iter().filter(|traced| positions.contains(&traced.position)).copied().collect();
    Some(RecordBatch {
        bytes: batch::rewritten(bytes, batch::compression(batch).unwrap_or_default(), record_count, newest),
        record_count,
        offsets: batch.offsets,
        wire_bytes: wire_bytes as u32,
        max_timestamp: newest,
        traced: if traced.is_empty() { None } else { Some(Arc::from(traced)) },
    })
}
