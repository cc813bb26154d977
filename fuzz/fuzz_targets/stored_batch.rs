//! The decoder of stored batches: any bytes are refused or read, and what is read is within its bytes.
#![no_main]

use bytes::Bytes;
use eventyard::machines::broker::batch::{check_records, opened, records};
use eventyard::machines::broker::stored::{decode, encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    let Ok(stored) = decode(&bytes) else { return };
    let mut again = Vec::new();
    encode(stored.base_offset, &stored.batch, &mut again);
    assert_eq!(again, input[..again.len()]);
    let _ = check_records(&stored.batch);
    if let Ok(open) = opened(&stored.batch) {
        assert!(records(&open).count() <= open.bytes.len());
    }
});
