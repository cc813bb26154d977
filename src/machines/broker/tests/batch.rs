//! Batches as bytes: what is written is read, packed or not, and broken bytes are refused.

use bytes::Bytes;
use proptest::prelude::*;

use crate::event::{EventId, EventMeta, RecordBatch};
use crate::machines::broker::batch::{
    BatchBuilder, BatchError, CRC_FROM, HEADER_BYTES, check, check_records, compression, events, halves, opened, records, value_bytes,
};
use crate::machines::broker::compression::Compression;
use crate::units::{ComponentIx, EventTypeIx, SimTime};

fn meta(seq: u64, born_ns: u64) -> EventMeta {
    let born = SimTime::from_ns(born_ns);
    EventMeta { id: EventId { producer: ComponentIx(7), seq }, event_type: EventTypeIx(3), born, root_born: born }
}

proptest! {
    #[test]
    fn what_is_written_is_read(list in prop::collection::vec((any::<u64>(), 0u64..1 << 50, prop::option::of(prop::collection::vec(any::<u8>(), 0..40)), prop::collection::vec(any::<u8>(), 0..300)), 1..50)) {
        let mut builder = BatchBuilder::default();
        for (seq, born, key, value) in &list {
            builder.push(&meta(*seq, *born), key.as_deref(), value, 200, seq % 3 == 0);
        }
        let batch = builder.finish();
        prop_assert_eq!(check_records(&batch), Ok(()));
        for (record, (seq, born, key, value)) in records(&batch).zip(&list) {
            prop_assert_eq!(record.meta, meta(*seq, *born));
            prop_assert_eq!(record.key, key.as_deref());
            prop_assert_eq!(record.value, &value[..]);
            prop_assert_eq!(&value_bytes(&batch, &record)[..], &value[..]);
        }
        prop_assert!(builder.is_empty());
    }

    #[test]
    fn a_packed_batch_opens_to_what_was_written(values in prop::collection::vec("[a-c]{0,60}", 1..60), codec in 0..Compression::ALL.len()) {
        let codec = Compression::ALL[codec];
        let mut builder = BatchBuilder::packing(codec);
        let mut plain = BatchBuilder::default();
        for (seq, value) in values.iter().enumerate() {
            builder.push(&meta(seq as u64, 5), Some(b"key"), value.as_bytes(), 200, false);
            plain.push(&meta(seq as u64, 5), Some(b"key"), value.as_bytes(), 200, false);
        }
        let (batch, plain) = (builder.finish(), plain.finish());
        prop_assert_eq!(compression(&batch), Ok(codec));
        prop_assert_eq!(check_records(&batch), Ok(()));
        let read = opened(&batch).expect("it was just packed");
        prop_assert_eq!(&read.bytes[HEADER_BYTES..], &plain.bytes[HEADER_BYTES..]);
        prop_assert_eq!(events(&batch), events(&plain));
        if codec != Compression::None && values.len() > 10 {
            prop_assert!(batch.wire_bytes < plain.wire_bytes, "{} of {}", batch.wire_bytes, plain.wire_bytes);
        }
        let together: Vec<EventMeta> = halves(&batch).iter().flat_map(events).collect();
        prop_assert_eq!(together, events(&batch));
    }

    #[test]
    fn broken_bytes_are_refused_and_never_panic(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..10), at in any::<prop::sample::Index>(), flip in 1u8..=255, cut in any::<prop::sample::Index>()) {
        let mut builder = BatchBuilder::default();
        for (seq, value) in values.iter().enumerate() {
            builder.push(&meta(seq as u64, 5), None, value, 0, false);
        }
        let good = builder.finish();
        let mut bytes = good.bytes.to_vec();
        let index = CRC_FROM + at.index(bytes.len() - CRC_FROM);
        bytes[index] ^= flip;
        let broken = RecordBatch { bytes: Bytes::from(bytes.clone()), ..good.clone() };
        prop_assert_eq!(check(&broken), Err(BatchError::Crc));
        let _ = opened(&broken).map(|batch| records(&batch).count());
        bytes.truncate(cut.index(bytes.len()));
        let short = RecordBatch { bytes: Bytes::from(bytes), ..good };
        prop_assert!(check_records(&short).is_err());
        let _ = opened(&short).map(|batch| records(&batch).count());
    }
}
