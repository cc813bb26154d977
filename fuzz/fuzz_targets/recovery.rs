//! Recovery of a segment: whole batches come in order, damage is accounted for byte by byte.
#![no_main]

use bytes::Bytes;
use eventyard::adapters::log_store::scan::{Damage, scan};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, Vec<u8>)| {
    let (base_offset, bytes) = (u64::from(input.0), Bytes::from(input.1));
    let size = bytes.len() as u64;
    let scanned = scan(&bytes, base_offset);
    let mut next = base_offset;
    for found in &scanned.found {
        assert!(found.stored.base_offset >= next);
        next = found.stored.next_offset();
    }
    assert_eq!(next, scanned.next_offset);
    let whole: u64 = scanned.found.iter().map(|found| found.stored.batch.bytes.len() as u64).sum();
    let damaged = scanned.damage.iter().map(|damage| match damage {
        Damage::Torn { bytes, .. } | Damage::Hole { bytes, .. } => *bytes,
        Damage::Offset { .. } => 0,
    });
    assert_eq!(whole + damaged.sum::<u64>(), size);
});
