//! The log against a flat list of batches.

use proptest::prelude::*;

use super::batch;
use crate::event::{EventMeta, StoredBatch};
use crate::machines::broker::batch::{BatchBuilder, check, records};
use crate::machines::broker::compression::Compression;
use crate::machines::broker::log::{LogConfig, PartitionLog, ReadLimit};
use crate::units::{SimDuration, SimTime, Timestamp};

/// What may happen to a log.
#[derive(Clone, Copy, Debug)]
enum Step {
    Append { count: u32, value_bytes: usize, older_ms: u64 },
    Wait { ms: u64 },
    Retain { behind: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u32..5, 0usize..300, 0u64..50).prop_map(|(count, value_bytes, older_ms)| Step::Append { count, value_bytes, older_ms }),
        2 => (0u64..400).prop_map(|ms| Step::Wait { ms }),
        1 => prop_oneof![3 => Just(0), 1 => 0u64..20].prop_map(|behind| Step::Retain { behind }),
    ]
}

fn config() -> impl Strategy<Value = LogConfig> {
    let size = prop::option::of(500u64..4_000);
    let time = prop::option::of((100u64..2_000).prop_map(SimDuration::from_ms));
    (400u64..2_000, 50u64..1_000, time, size).prop_map(|(segment_bytes, segment_ms, retention_time, retention_bytes)| LogConfig {
        segment_bytes,
        segment_time: SimDuration::from_ms(segment_ms),
        retention_time,
        retention_bytes,
        deletes: true,
        compaction: None,
    })
}

fn everything(log: &PartitionLog) -> Vec<StoredBatch> {
    let mut all = Vec::new();
    log.read(log.log_start(), ReadLimit { below: u64::MAX, max_bytes: u64::MAX, at_least_one: true }, &mut all);
    all
}

fn wire(batches: &[StoredBatch]) -> u64 {
    batches.iter().map(|stored| u64::from(stored.batch.wire_bytes)).sum()
}

proptest! {
    #[test]
    fn a_log_is_a_list_that_loses_its_head(cfg in config(), steps in prop::collection::vec(step(), 1..120), reads in prop::collection::vec((any::<prop::sample::Index>(), 0u64..3_000, any::<bool>()), 10)) {
        let mut log = PartitionLog::new(cfg);
        let mut list: Vec<StoredBatch> = Vec::new();
        let (mut now, mut seq) = (SimTime::from_ns(1_000_000_000), 0);
        for step in steps {
            match step {
                Step::Append { count, value_bytes, older_ms } => {
                    let born = SimTime::from_ns(now.as_ns() - older_ms * 1_000_000);
                    let batch = batch(seq, count, value_bytes, born);
                    let (base_offset, _) = log.append(now, batch.clone());
                    prop_assert_eq!(base_offset, seq, "offsets are contiguous");
                    list.push(StoredBatch { base_offset, batch });
                    seq += u64::from(count);
                }
                Step::Wait { ms } => now += SimDuration::from_ms(ms),
                Step::Retain { behind } => {
                    let high_watermark = seq.saturating_sub(behind).max(log.log_start());
                    let (before, all) = (log.log_start(), everything(&log));
                    let moved = log.retain(now, high_watermark);
                    prop_assert_eq!(moved, (log.log_start() > before).then_some(log.log_start()));
                    prop_assert!(log.log_start() <= high_watermark, "nothing goes that a replica lacks");
                    // What size took, not age, left at least retention.bytes behind it.
                    let young = |stored: &StoredBatch| cfg.retention_time.is_none_or(|keep| Timestamp::from(now).since(stored.batch.max_timestamp) <= keep);
                    let gone = all.iter().take_while(|stored| stored.base_offset < log.log_start());
                    if let Some(last) = gone.enumerate().filter(|(_, stored)| young(stored)).map(|(index, _)| index).last() {
                        let keep = cfg.retention_bytes.expect("only size takes what is young");
                        prop_assert!(wire(&all[last + 1..]) >= keep);
                    }
                    prop_assert!(log.retain(now, high_watermark).is_none(), "once is enough");
                }
            }
            list.retain(|stored| stored.base_offset >= log.log_start());
            prop_assert_eq!(log.next_offset(), seq);
            prop_assert_eq!(log.bytes(), wire(&list));
        }
        // The index: every read equals a scan of the list.
        for (index, max_bytes, at_least_one) in reads {
            let offset = log.log_start() + index.index((seq - log.log_start()) as usize + 1) as u64;
            let below = log.log_start() + index.index((seq - log.log_start()) as usize + 2) as u64;
            let (mut found, mut expected, mut size) = (Vec::new(), Vec::new(), 0);
            let read = log.read(offset, ReadLimit { below, max_bytes, at_least_one }, &mut found);
            for stored in list.iter().filter(|stored| stored.next_offset() > offset) {
                let bytes = u64::from(stored.batch.wire_bytes);
                let fits = size + bytes <= max_bytes || (size == 0 && at_least_one);
                if stored.next_offset() > below || !fits {
                    break;
                }
                size += bytes;
                expected.push(stored.base_offset);
            }
            prop_assert_eq!(read, size);
            prop_assert_eq!(found.iter().map(|stored| stored.base_offset).collect::<Vec<_>>(), expected);
            for stored in &found {
                let original = list.iter().find(|other| other.base_offset == stored.base_offset).expect("it was appended");
                prop_assert_eq!(stored.batch.bytes.as_ptr(), original.batch.bytes.as_ptr(), "nothing is copied");
                prop_assert_eq!(check(&stored.batch), Ok(()));
                let first = records(&stored.batch).next().map(|record| record.meta.id.seq);
                prop_assert_eq!(first, Some(stored.base_offset), "a record keeps its offset");
            }
            let at = SimTime::from_ns(now.as_ns().saturating_sub(max_bytes * 1_000_000));
            let since = list.iter().find(|stored| stored.batch.max_timestamp >= at.into()).map_or(seq, |stored| stored.base_offset);
            prop_assert_eq!(log.offset_for_time(at), since);
        }
    }

    #[test]
    fn a_time_is_found_to_the_record(cfg in config(), gaps in prop::collection::vec(0u64..50, 1..60), a_batch in 1usize..8, at in 0u64..1_500, deleted in 0u64..60) {
        let mut log = PartitionLog::new(LogConfig { retention_time: None, retention_bytes: None, ..cfg });
        let births: Vec<u64> = gaps.iter().scan(0, |born, gap| { *born += gap; Some(*born) }).collect();
        for (number, births) in births.chunks(a_batch).enumerate() {
            let mut builder = BatchBuilder::packing(Compression::ALL[number % Compression::ALL.len()]);
            for born in births {
                let born = SimTime::from_ns(*born);
                builder.push(&EventMeta { born, root_born: born, ..EventMeta::default() }, None, b"value", 0, false);
            }
            log.append(SimTime::ZERO, builder.finish());
        }
        let deleted = deleted.min(log.next_offset());
        log.delete_before(deleted);
        let expected = births.partition_point(|born| *born < at) as u64;
        prop_assert_eq!(log.offset_for_time(SimTime::from_ns(at)), expected.max(deleted));
    }

    #[test]
    fn memory_is_bounded_by_retention(cfg in config(), appends in prop::collection::vec(1usize..200, 50..150)) {
        let Some(keep) = cfg.retention_bytes else { return Ok(()) };
        let mut log = PartitionLog::new(cfg);
        let mut largest = 0;
        for (at, value_bytes) in appends.into_iter().enumerate() {
            let now = SimTime::from_ns(at as u64);
            let batch = batch(log.next_offset(), 1, value_bytes, now);
            largest = largest.max(u64::from(batch.wire_bytes));
            let (_, rolled) = log.append(now, batch);
            if rolled {
                log.retain(now, log.next_offset());
            }
            prop_assert!(log.bytes() <= keep + 2 * cfg.segment_bytes.max(largest), "{} bytes", log.bytes());
        }
    }

    #[test]
    fn a_clone_is_a_checkpoint(cfg in config(), before in 1u32..20, after in 1u32..20) {
        let mut log = PartitionLog::new(cfg);
        let append = |log: &mut PartitionLog, count: u32, from: u64| (0..count).for_each(|at| {
            let seq = from + u64::from(at);
            log.append(SimTime::from_ns(seq), batch(seq, 1, 90, SimTime::from_ns(seq)));
        });
        append(&mut log, before, 0);
        let checkpoint = log.clone();
        append(&mut log, after, u64::from(before));
        prop_assert_eq!(checkpoint.next_offset(), u64::from(before));
        prop_assert_eq!(everything(&checkpoint).len(), before as usize);
        prop_assert_eq!(everything(&log).len(), (before + after) as usize);
    }
}
