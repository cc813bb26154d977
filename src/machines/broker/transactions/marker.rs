//! Bytes of transactions: whose a batch is, and the control batch that ends a transaction in a partition.
//!
//! Bit 4 of a batch's attributes says that it belongs to a transaction, bit 5 that it is a marker: one record with the
//! key (version i16 = 0, type i16: 0 abort, 1 commit) and the value (version i16 = 0, coordinator epoch i32), which takes
//! one offset and is no event. Source: the protocol's "Control Batches" and Kafka's EndTransactionMarker.

use bytes::Bytes;

use crate::event::{ProducerStamp, RecordBatch};
use crate::machines::broker::batch::{ATTRIBUTES_AT, HEADER_BYTES, write_checksum, write_header};
use crate::units::{SimTime, Timestamp};

const TRANSACTIONAL: u8 = 1 << 4;
const CONTROL: u8 = 1 << 5;
const PRODUCER_ID_AT: usize = 43;
const PRODUCER_EPOCH_AT: usize = 51;
/// Length 16, attributes, both deltas 0, key of 4 bytes; then version and the type's higher byte.
const RECORD_HEAD: [u8; 8] = [32, 0, 0, 0, 8, 0, 0, 0];
/// Value of 6 bytes: version 0, coordinator epoch 0; no headers.
const RECORD_TAIL: [u8; 8] = [12, 0, 0, 0, 0, 0, 0, 0];
/// Where the type's lower byte stands.
const TYPE_AT: usize = HEADER_BYTES + RECORD_HEAD.len();

/// Writes into a batch's header that it belongs to a producer's transaction.
pub(in super::super) fn stamp(header: &mut [u8], stamp: ProducerStamp) {
    header[ATTRIBUTES_AT] |= TRANSACTIONAL;
    header[PRODUCER_ID_AT..PRODUCER_EPOCH_AT].copy_from_slice(&stamp.id.to_be_bytes());
    header[PRODUCER_EPOCH_AT..PRODUCER_EPOCH_AT + 2].copy_from_slice(&stamp.epoch.to_be_bytes());
}

/// In whose transaction a batch was written; none outside of transactions.
#[must_use]
pub fn stamp_of(batch: &RecordBatch) -> Option<ProducerStamp> {
    let header = batch.bytes.get(..HEADER_BYTES).filter(|header| header[ATTRIBUTES_AT] & TRANSACTIONAL != 0)?;
    let mut id = [0; 8];
    id.copy_from_slice(&header[PRODUCER_ID_AT..PRODUCER_EPOCH_AT]);
    let epoch = [header[PRODUCER_EPOCH_AT], header[PRODUCER_EPOCH_AT + 1]];
    Some(ProducerStamp { id: u64::from_be_bytes(id), epoch: u16::from_be_bytes(epoch) })
}

/// Whether a batch is a marker, and then whether it commits.
#[must_use]
pub fn control_of(batch: &RecordBatch) -> Option<bool> {
    let is_control = batch.bytes.get(ATTRIBUTES_AT).is_some_and(|attributes| attributes & CONTROL != 0);
    is_control.then(|| batch.bytes.get(TYPE_AT) == Some(&1))
}

/// The marker of a transaction.
#[must_use]
pub(super) fn control_batch(now: SimTime, producer: ProducerStamp, commit: bool) -> RecordBatch {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes.extend_from_slice(&RECORD_HEAD);
    bytes.push(u8::from(commit));
    bytes.extend_from_slice(&RECORD_TAIL);
    let max_timestamp = Timestamp::from(now);
    write_header(&mut bytes, 1, max_timestamp.as_ms(), max_timestamp);
    bytes[ATTRIBUTES_AT] |= CONTROL;
    stamp(&mut bytes, producer);
    write_checksum(&mut bytes);
    RecordBatch { wire_bytes: bytes.len() as u32, bytes: Bytes::from(bytes), record_count: 1, offsets: 1, max_timestamp, traced: None }
}
