//! A batch as it stands in a segment file: its bytes with the base offset written into the header.
//!
//! In: a batch and its offset, or bytes that claim to be one. Out: the other. The layout is Kafka's own (see
//! [`super::batch`]): the base offset and the length stand before the checksum's range, so a reader must compare them
//! with where the batch stands. An offset that compaction left empty is taken by a batch without records, as Kafka's
//! cleaner leaves one behind for an idempotent producer: so every batch of a file begins where the last one ends, and
//! a damaged offset shows. Must not know: files. Start at [`decode`].

use bytes::Bytes;

use super::batch::{self, BatchError, HEADER_BYTES, write_checksum, write_header};
use crate::event::{EventMeta, RecordBatch, StoredBatch};
use crate::units::Timestamp;

/// Bytes before those that `batchLength` counts.
pub const PREFIX_BYTES: usize = 12;
/// A batch that says to be longer is none.
pub const BATCH_BYTES_MAX: usize = 1 << 30;

/// Appends the batch to `out` as it stands in a file.
pub fn encode(base_offset: u64, batch: &RecordBatch, out: &mut Vec<u8>) {
    out.extend_from_slice(&base_offset.to_be_bytes());
    out.extend_from_slice(&batch.bytes[8..]);
}

/// A batch without records that takes `offsets` offsets.
#[must_use]
pub fn filler(offsets: u32) -> RecordBatch {
    let mut bytes = vec![0; HEADER_BYTES];
    write_header(&mut bytes, 0, 0, Timestamp::default());
    bytes[23..27].copy_from_slice(&(offsets.max(1) as i32 - 1).to_be_bytes());
    write_checksum(&mut bytes);
    let wire_bytes = bytes.len() as u32;
    RecordBatch { bytes: Bytes::from(bytes), record_count: 0, offsets, wire_bytes, max_timestamp: Timestamp::default(), traced: None }
}

/// How long the batch is that begins here, by its own word; none when that cannot be.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let word = bytes.get(8..PREFIX_BYTES)?;
    let length = i32::from_be_bytes([word[0], word[1], word[2], word[3]]);
    let whole = PREFIX_BYTES + usize::try_from(length).ok()?;
    (HEADER_BYTES..=BATCH_BYTES_MAX).contains(&whole).then_some(whole)
}

/// The batch at the beginning of `bytes`, which are kept and not copied. Its offset is what the header says; its size on
/// a wire is taken to be its size here, since nobody knows any more what its headers were written out.
///
/// # Errors
/// It is cut off, its checksum does not hold, or its header contradicts itself.
pub fn decode(bytes: &Bytes) -> Result<StoredBatch, BatchError> {
    let whole = length(bytes).filter(|whole| *whole <= bytes.len()).ok_or(BatchError::Truncated)?;
    batch::check_bytes(&bytes[..whole])?;
    let word = |at: usize| i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let long = |at: usize| (u64::from(word(at) as u32)) << 32 | u64::from(word(at + 4) as u32);
    let (last, count) = (word(23), word(57));
    if last < 0 || count < 0 || count - 1 > last {
        return Err(BatchError::Record(0));
    }
    let batch = RecordBatch {
        bytes: bytes.slice(..whole),
        record_count: count as u32,
        offsets: last as u32 + 1,
        wire_bytes: whole as u32,
        max_timestamp: Timestamp::from_ms(long(35) as i64),
        traced: None,
    };
    Ok(StoredBatch { base_offset: long(0), batch })
}

/// The batch with another identity for each of its events, all of the time of the newest; a marker stays as it is.
///
/// # Errors
/// Its codec cannot read it, or a record is malformed.
pub fn with_events(batch: &RecordBatch, mut change: impl FnMut(EventMeta) -> EventMeta) -> Result<RecordBatch, BatchError> {
    if super::control_of(batch).is_some() {
        return Ok(batch.clone());
    }
    batch::check_records(batch)?;
    let open = batch::opened(batch)?;
    let mut bytes = open.bytes.to_vec();
    let (mut at, mut newest) = (HEADER_BYTES, Timestamp::default());
    for (record, raw) in batch::raw_records(&open) {
        at += raw.len();
        let event = change(record.meta);
        newest = newest.max(event.born.into());
        batch::write_event(&mut bytes[..at], &event);
    }
    batch::stamp_by_log(&mut bytes);
    let bytes = batch::rewritten(bytes, batch::compression(batch)?, batch.record_count, newest);
    Ok(RecordBatch { bytes, max_timestamp: newest, ..batch.clone() })
}
