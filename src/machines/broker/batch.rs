//! Kafka's record batch, version 2: built once by a producer, read by everyone after.
//!
//! ```text
//! 0 baseOffset i64 · 8 batchLength i32 · 12 partitionLeaderEpoch i32 · 16 magic i8 = 2 · 17 crc u32 (CRC-32C of the rest)
//! 21 attributes i16 · 23 lastOffsetDelta i32 · 27 baseTimestamp i64 (ms) · 35 maxTimestamp i64 · 43 producerId i64
//! 51 producerEpoch i16 · 53 baseSequence i32 · 57 recordCount i32 · 61 records…
//! record: length, attributes i8, timestampDelta, offsetDelta, keyLength, key, valueLength, value, headerCount, headers (varints zig-zag)
//! ```
//!
//! Source: the protocol's "Record Batch" page (kafka.apache.org/documentation/#recordbatch).
//! Bits 0 to 2 of the attributes name the codec that the records are packed with: see [`opened`].
//! Each record carries one compact header (`ey`, 32 bytes) with the event's identity; what CloudEvents and
//! trace headers would add on a wire is counted in `wire_bytes`, and written out where somebody looks.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::compression::{Compression, Unreadable};
use super::transactions::marker;
use crate::event::{EventId, EventMeta, ProducerStamp, RecordBatch, TracedRecord};
use crate::units::{ComponentIx, EventTypeIx, SimTime, Timestamp};

/// Bytes of a batch before its first record.
pub const HEADER_BYTES: usize = 61;
/// The lower byte of the attributes; its lowest three bits are the codec.
pub(super) const ATTRIBUTES_AT: usize = 22;
const CODEC_MASK: u8 = 0b111;
/// The attribute of a batch that has its log's time.
const LOG_APPEND_TIME: u8 = 0b1000;
const BASE_TIMESTAMP_AT: usize = 27;
/// Where the bytes under the checksum begin.
pub(super) const CRC_FROM: usize = 21;
const META_BYTES: usize = 32;
/// headerCount 1, key length 2, `ey`, value length 32, all zig-zag varints but the text.
const META_HEADER: [u8; 5] = [2, 4, b'e', b'y', 64];
/// Trailing bytes of every record.
const TAIL_BYTES: usize = META_HEADER.len() + META_BYTES;

/// Collects records into one batch.
#[derive(Clone, Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    count: u32,
    extra_bytes: u64,
    base_ms: i64,
    max_timestamp: Timestamp,
    /// How far the clock is ahead that its records are stamped by.
    pub skew_ms: i64,
    traced: Vec<TracedRecord>,
    compression: Compression,
    /// In whose transaction its batches are.
    pub(super) stamp: Option<ProducerStamp>,
}

impl BatchBuilder {
    /// An empty builder with room for a batch of `capacity_bytes`.
    #[must_use]
    pub fn with_capacity(capacity_bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity_bytes), ..Self::default() }
    }
    /// An empty builder whose batches are packed.
    #[must_use]
    pub fn packing(compression: Compression) -> Self {
        Self { compression, ..Self::default() }
    }
    /// Adds a record. `extra_header_bytes` is what its CloudEvents and trace headers add on a wire.
    #[inline]
    pub fn push(&mut self, meta: &EventMeta, key: Option<&[u8]>, value: &[u8], extra_header_bytes: u32, traced: bool) {
        self.push_record(meta, key, Some(value), extra_header_bytes, traced);
    }
    /// The same; without a value it is a tombstone, which deletes its key.
    #[inline]
    pub fn push_record(&mut self, meta: &EventMeta, key: Option<&[u8]>, value: Option<&[u8]>, extra_header_bytes: u32, traced: bool) {
        let timestamp = Timestamp::from(meta.born).plus_ms(self.skew_ms);
        let timestamp_ms = timestamp.as_ms();
        if self.count == 0 {
            self.bytes.clear();
            self.bytes.resize(HEADER_BYTES, 0);
            self.base_ms = timestamp_ms;
            self.max_timestamp = timestamp;
        }
        // Births of one producer are in order; a moved event may be older than the batch's first.
        let delta_ms = timestamp_ms - self.base_ms;
        let key_length = key.map_or(-1, |key| key.len() as i64);
        let value_length = value.map_or(-1, |value| value.len() as i64);
        let value = value.unwrap_or_default();
        let body = 1
            + varint_size(delta_ms)
            + varint_size(i64::from(self.count))
            + varint_size(key_length)
            + key.map_or(0, <[u8]>::len)
            + varint_size(value_length)
            + value.len()
            + TAIL_BYTES;
        self.bytes.reserve(body + 5);
        put_varint(&mut self.bytes, body as i64);
        self.bytes.push(0);
        put_varint(&mut self.bytes, delta_ms);
        put_varint(&mut self.bytes, i64::from(self.count));
        put_varint(&mut self.bytes, key_length);
        self.bytes.extend_from_slice(key.unwrap_or_default());
        put_varint(&mut self.bytes, value_length);
        self.bytes.extend_from_slice(value);
        let mut tail = [0; TAIL_BYTES];
        tail[..META_HEADER.len()].copy_from_slice(&META_HEADER);
        write_meta(&mut tail[META_HEADER.len()..], meta);
        self.bytes.extend_from_slice(&tail);
        if traced {
            self.traced.push(TracedRecord { position: self.count, meta: *meta });
        }
        self.count += 1;
        self.extra_bytes += u64::from(extra_header_bytes);
        self.max_timestamp = self.max_timestamp.max(timestamp);
    }
    /// Records so far.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// What the batch would weigh on a wire if it were not packed.
    #[must_use]
    pub fn wire_bytes(&self) -> u64 {
        (self.bytes.len() as u64 + self.extra_bytes).saturating_sub(u64::from(self.count) * TAIL_BYTES as u64)
    }
    /// Closes the batch and starts an empty one of the same capacity. Nothing but the header and the
    /// checksum is written here.
    #[must_use]
    pub fn finish(&mut self) -> RecordBatch {
        let mut wire_bytes = self.wire_bytes();
        let capacity = self.bytes.capacity().min(4 * self.bytes.len()).max(HEADER_BYTES);
        let mut bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(capacity));
        if bytes.is_empty() {
            bytes.resize(HEADER_BYTES, 0);
        }
        if self.compression != Compression::None && self.count > 0 {
            let plain_bytes = (bytes.len() - HEADER_BYTES) as u64;
            // Headers that are written out late are taken to shrink like the rest.
            let packed_bytes = (packed(self.compression, &anonymous(&bytes)).len() - HEADER_BYTES) as u64;
            bytes = packed(self.compression, &bytes);
            let header_bytes = HEADER_BYTES as u64;
            wire_bytes = header_bytes + ((wire_bytes - header_bytes) * packed_bytes).div_ceil(plain_bytes);
        }
        write_header(&mut bytes, self.count, self.base_ms, self.max_timestamp);
        if let Some(stamp) = self.stamp {
            marker::stamp(&mut bytes, stamp);
        }
        write_checksum(&mut bytes);
        let traced = std::mem::take(&mut self.traced);
        let batch = RecordBatch {
            bytes: Bytes::from(bytes),
            record_count: self.count,
            offsets: self.count,
            wire_bytes: u32::try_from(wire_bytes).unwrap_or(u32::MAX),
            max_timestamp: self.max_timestamp,
            traced: if traced.is_empty() { None } else { Some(Arc::from(traced)) },
        };
        self.count = 0;
        self.extra_bytes = 0;
        batch
    }
}

/// The header of a batch whose records are written; the attributes stay as they are.
pub(super) fn write_header(bytes: &mut [u8], count: u32, base_ms: i64, max_timestamp: Timestamp) {
    let length = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[16] = 2;
    bytes[23..27].copy_from_slice(&(count.saturating_sub(1) as i32).to_be_bytes());
    bytes[27..35].copy_from_slice(&base_ms.to_be_bytes());
    bytes[35..43].copy_from_slice(&max_timestamp.as_ms().to_be_bytes());
    bytes[43..51].copy_from_slice(&(-1i64).to_be_bytes());
    bytes[51..53].copy_from_slice(&(-1i16).to_be_bytes());
    bytes[53..57].copy_from_slice(&(-1i32).to_be_bytes());
    bytes[57..61].copy_from_slice(&(count as i32).to_be_bytes());
}

/// The checksum of a batch that is written otherwise.
pub(super) fn write_checksum(bytes: &mut [u8]) {
    let crc = crc_fast::crc32_iscsi(&bytes[CRC_FROM..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// A batch's bytes without the plan's numbers of components and event types: a component more in a design changes these,
/// and must not change how well the batches of the others shrink.
fn anonymous(bytes: &[u8]) -> Vec<u8> {
    const NUMBERS_BYTES: usize = 6;
    let mut bytes = bytes.to_vec();
    let mut at = HEADER_BYTES;
    while let Some((length, behind)) = take_varint(&bytes[at..]) {
        at = bytes.len() - behind.len() + length as usize;
        bytes[at - META_BYTES..at - META_BYTES + NUMBERS_BYTES].fill(0);
    }
    bytes
}

/// A batch's bytes with the records behind its header packed.
fn packed(compression: Compression, plain: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(plain.len() / 2 + HEADER_BYTES);
    bytes.extend_from_slice(&plain[..HEADER_BYTES]);
    bytes[ATTRIBUTES_AT] = compression.id();
    compression.pack(&plain[HEADER_BYTES..], &mut bytes);
    bytes
}

/// The codec that a batch's records are packed with.
///
/// # Errors
/// The batch is cut off, or names a codec that there is not.
pub fn compression(batch: &RecordBatch) -> Result<Compression, BatchError> {
    let attributes = *batch.bytes.get(ATTRIBUTES_AT).ok_or(BatchError::Truncated)?;
    Compression::of_id(attributes & CODEC_MASK).ok_or(BatchError::Codec(attributes & CODEC_MASK))
}

/// A batch whose records can be read: itself if it is not packed, else a copy with its records unpacked, whose
/// checksum no longer holds.
///
/// # Errors
/// The batch is cut off, or its codec cannot read it.
pub fn opened(batch: &RecordBatch) -> Result<Cow<'_, RecordBatch>, BatchError> {
    let compression = compression(batch)?;
    if compression == Compression::None {
        return Ok(Cow::Borrowed(batch));
    }
    let packed = batch.bytes.get(HEADER_BYTES..).ok_or(BatchError::Truncated)?;
    let mut bytes = Vec::with_capacity(HEADER_BYTES + 4 * packed.len());
    bytes.extend_from_slice(&batch.bytes[..HEADER_BYTES]);
    bytes[ATTRIBUTES_AT] &= !CODEC_MASK;
    compression.open(packed, &mut bytes)?;
    Ok(Cow::Owned(RecordBatch { bytes: Bytes::from(bytes), ..batch.clone() }))
}

/// Which events a batch carries, packed or not; none of one that cannot be read.
#[must_use]
pub fn events(batch: &RecordBatch) -> Vec<EventMeta> {
    opened(batch).map_or_else(|_| Vec::new(), |batch| records(&batch).map(|record| record.meta).collect())
}

/// Where its records stand, counted from its base offset; none of one that cannot be read.
#[must_use]
pub fn positions(batch: &RecordBatch) -> Vec<u32> {
    opened(batch).map_or_else(|_| Vec::new(), |batch| records(&batch).map(|record| record.position).collect())
}

/// Where the first record of `at` or later stands, counted from its base offset; none of one that cannot be read.
#[must_use]
pub fn first_since(batch: &RecordBatch, at: Timestamp) -> Option<u32> {
    let is_stamped = is_stamped_by_log(batch);
    let batch = opened(batch).ok()?;
    records(&batch).find(|record| is_stamped || record.timestamp() >= at).map(|record| record.position)
}

/// When its first record says that it was made.
#[must_use]
pub fn first_timestamp(batch: &RecordBatch) -> Timestamp {
    Timestamp::from_ms(base_ms(batch))
}

/// A copy whose records are all of the instant of their append (`LogAppendTime`).
#[must_use]
pub fn stamped_by_log(batch: &RecordBatch, at: Timestamp) -> RecordBatch {
    let mut bytes = batch.bytes.to_vec();
    stamp_by_log(&mut bytes);
    bytes[35..43].copy_from_slice(&at.as_ms().to_be_bytes());
    write_checksum(&mut bytes);
    RecordBatch { bytes: Bytes::from(bytes), max_timestamp: at, ..batch.clone() }
}

/// Lets a batch's time count for all of its records.
pub(super) fn stamp_by_log(bytes: &mut [u8]) {
    bytes[ATTRIBUTES_AT] |= LOG_APPEND_TIME;
}

/// Whether its records have the log's time instead of their own.
#[must_use]
pub fn is_stamped_by_log(batch: &RecordBatch) -> bool {
    batch.bytes.get(ATTRIBUTES_AT).is_some_and(|attributes| attributes & LOG_APPEND_TIME != 0)
}

fn base_ms(batch: &RecordBatch) -> i64 {
    let field = batch.bytes.get(BASE_TIMESTAMP_AT..BASE_TIMESTAMP_AT + 8);
    field.and_then(|field| field.try_into().ok()).map_or(0, i64::from_be_bytes)
}

/// Whether every record of a batch that is not packed ([`opened`] otherwise) has a key.
#[must_use]
pub fn is_keyed(batch: &RecordBatch) -> bool {
    records(batch).all(|record| record.key.is_some())
}

/// The first and the second half of a batch's records, for one that is too large as a whole.
#[must_use]
pub fn halves(batch: &RecordBatch) -> [RecordBatch; 2] {
    let plain = opened(batch).unwrap_or(Cow::Borrowed(batch));
    let (first_count, count) = (batch.record_count.div_ceil(2), batch.record_count);
    // What headers add is known of the whole batch only: shared out evenly.
    let in_memory = plain.bytes.len() as u64 - u64::from(count) * TAIL_BYTES as u64;
    let extra = u64::from(batch.wire_bytes).saturating_sub(in_memory) / u64::from(count.max(1));
    let traced = batch.traced.as_deref().unwrap_or_default();
    let mut builder = BatchBuilder::packing(compression(batch).unwrap_or_default());
    builder.stamp = marker::stamp_of(batch);
    let mut half = |positions: std::ops::Range<u32>| {
        for record in records(&plain).filter(|record| positions.contains(&record.position)) {
            let is_traced = traced.iter().any(|traced| traced.position == record.position);
            let value = (!record.is_tombstone).then_some(record.value);
            builder.skew_ms = record.skew_ms();
            builder.push_record(&record.meta, record.key, value, extra as u32, is_traced);
        }
        builder.finish()
    };
    [half(0..first_count), half(first_count..count)]
}

/// One record of a batch, borrowed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Position in the batch: its offset is the batch's base offset plus this.
    pub position: u32,
    /// Which event.
    pub meta: EventMeta,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Payload; empty in a tombstone.
    pub value: &'a [u8],
    /// It has no value at all: its key is deleted.
    pub is_tombstone: bool,
    /// By the clock of whoever made it.
    pub timestamp_ms: i64,
}

impl RecordRef<'_> {
    /// How far that clock was ahead.
    #[must_use]
    pub fn skew_ms(&self) -> i64 {
        self.timestamp_ms - Timestamp::from(self.meta.born).as_ms()
    }
    /// When it says that it was made.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from(self.meta.born).plus_ms(self.skew_ms())
    }
}

/// Why bytes are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BatchError {
    /// Shorter than it says, or than a header.
    #[error("the batch is cut off")]
    Truncated,
    /// Not version 2.
    #[error("magic byte {0} is not 2")]
    Magic(u8),
    /// The checksum does not match.
    #[error("the checksum does not match")]
    Crc,
    /// Packed with a codec that there is not.
    #[error("there is no codec {0}")]
    Codec(u8),
    /// Packed, and the codec cannot read it.
    #[error(transparent)]
    Packed(#[from] Unreadable),
    /// A record's lengths contradict each other.
    #[error("record {0} is malformed")]
    Record(u32),
}

/// The records of a batch that is not packed ([`opened`] otherwise), in order. Ends early at a malformed record; [`check`] says why.
pub fn records(batch: &RecordBatch) -> Records<'_> {
    debug_assert!(batch.bytes.get(ATTRIBUTES_AT).is_none_or(|attributes| attributes & CODEC_MASK == 0), "a packed batch must be opened");
    Records { rest: batch.bytes.get(HEADER_BYTES..).unwrap_or_default(), left: batch.record_count, base_ms: base_ms(batch) }
}

/// See [`records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: u32,
    base_ms: i64,
}

impl<'a> Iterator for Records<'a> {
    type Item = RecordRef<'a>;
    #[inline]
    fn next(&mut self) -> Option<RecordRef<'a>> {
        if self.left == 0 {
            return None;
        }
        let (length, after_length) = take_varint(self.rest)?;
        let body = after_length.get(..usize::try_from(length).ok()?)?;
        self.rest = &after_length[body.len()..];
        let (timestamp_delta, body) = take_varint(body.get(1..)?)?;
        let (offset_delta, body) = take_varint(body)?;
        let (key_length, body) = take_varint(body)?;
        let (key, body) = if key_length < 0 { (None, body) } else { split(body, key_length).map(|(key, rest)| (Some(key), rest))? };
        let (value_length, body) = take_varint(body)?;
        let (value, tail) = split(body, value_length.max(0))?;
        let meta = tail.strip_prefix(&META_HEADER).filter(|meta| meta.len() == META_BYTES)?;
        let position = u32::try_from(offset_delta).ok()?;
        self.left -= 1;
        let timestamp_ms = self.base_ms + timestamp_delta;
        Some(RecordRef { position, meta: read_meta(meta), key, value, is_tombstone: value_length < 0, timestamp_ms })
    }
}

/// The records of a batch that is not packed, each with its own bytes.
pub(super) fn raw_records(batch: &RecordBatch) -> impl Iterator<Item = (RecordRef<'_>, &[u8])> {
    let mut records = records(batch);
    std::iter::from_fn(move || {
        let before = records.rest;
        let record = records.next()?;
        Some((record, &before[..before.len() - records.rest.len()]))
    })
}

/// A batch whose records were exchanged: packs them again and mends the header, whose offsets stay.
pub(super) fn rewritten(mut bytes: Vec<u8>, compression: Compression, record_count: u32, newest: Timestamp) -> Bytes {
    if compression != Compression::None {
        bytes = packed(compression, &bytes);
    }
    let length = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[35..43].copy_from_slice(&newest.as_ms().to_be_bytes());
    bytes[57..61].copy_from_slice(&(record_count as i32).to_be_bytes());
    write_checksum(&mut bytes);
    Bytes::from(bytes)
}

/// Whether the whole batch reads as it should, checksum included.
///
/// # Errors
/// The first thing that is wrong.
pub fn check(batch: &RecordBatch) -> Result<(), BatchError> {
    check_bytes(&batch.bytes)
}

/// The same for the bytes alone.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_bytes(bytes: &[u8]) -> Result<(), BatchError> {
    if bytes.len() < HEADER_BYTES {
        return Err(BatchError::Truncated);
    }
    if bytes[16] != 2 {
        return Err(BatchError::Magic(bytes[16]));
    }
    let stored = u32::from_be_bytes([bytes[17], bytes[18], bytes[19], bytes[20]]);
    if crc_fast::crc32_iscsi(&bytes[CRC_FROM..]) != stored {
        return Err(BatchError::Crc);
    }
    Ok(())
}

/// The batch with its records readable, if a broker may append it: its checksum holds, and its codec can read it.
///
/// # Errors
/// The first thing that is wrong.
pub fn validated(batch: &RecordBatch) -> Result<Cow<'_, RecordBatch>, BatchError> {
    check(batch)?;
    opened(batch)
}

/// Whether every record reads too; slower than [`check`].
///
/// # Errors
/// The first thing that is wrong.
pub fn check_records(batch: &RecordBatch) -> Result<(), BatchError> {
    check(batch)?;
    let read = records(opened(batch)?.as_ref()).count() as u32;
    if read == batch.record_count { Ok(()) } else { Err(BatchError::Record(read)) }
}

/// A record's payload as a handle to the batch's own bytes: no copy.
#[must_use]
pub fn value_bytes(batch: &RecordBatch, record: &RecordRef<'_>) -> Bytes {
    batch.bytes.slice_ref(record.value)
}

/// Writes another event into the record that ends where these bytes end.
pub(super) fn write_event(bytes: &mut [u8], event: &EventMeta) {
    let at = bytes.len() - META_BYTES;
    write_meta(&mut bytes[at..], event);
}

fn write_meta(out: &mut [u8], meta: &EventMeta) {
    out[0..4].copy_from_slice(&meta.id.producer.0.to_be_bytes());
    out[4..6].copy_from_slice(&meta.event_type.0.to_be_bytes());
    out[8..16].copy_from_slice(&meta.id.seq.to_be_bytes());
    out[16..24].copy_from_slice(&meta.born.as_ns().to_be_bytes());
    out[24..32].copy_from_slice(&meta.root_born.as_ns().to_be_bytes());
}

#[inline]
fn read_meta(bytes: &[u8]) -> EventMeta {
    let long = |at: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(eight)
    };
    EventMeta {
        id: EventId { producer: ComponentIx(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])), seq: long(8) },
        event_type: EventTypeIx(u16::from_be_bytes([bytes[4], bytes[5]])),
        born: SimTime::from_ns(long(16)),
        root_born: SimTime::from_ns(long(24)),
    }
}

fn split(bytes: &[u8], length: i64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(length).ok()?)
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[inline]
fn varint_size(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[inline]
fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[inline]
fn take_varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    match bytes {
        // Most numbers of a record are of one or two bytes.
        [byte, rest @ ..] if *byte < 0x80 => Some((unzigzag(u64::from(*byte)), rest)),
        [low, high, rest @ ..] if *high < 0x80 => Some((unzigzag(u64::from(low & 0x7f) | u64::from(*high) << 7), rest)),
        _ => take_long_varint(bytes),
    }
}

fn take_long_varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((unzigzag(value), &bytes[index + 1..]));
        }
    }
    None
}
