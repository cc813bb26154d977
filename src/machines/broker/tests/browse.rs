//! Pages of a log against a plain list of what stands in it.

use proptest::prelude::*;

use super::batch;
use crate::event::{LogContent, LogRow, LogStanding, Seek};
use crate::machines::broker::batch::BatchBuilder;
use crate::machines::broker::compaction::CompactionConfig;
use crate::machines::broker::log::LogConfig;
use crate::machines::broker::partition::Partition;
use crate::machines::broker::replicas::Replicas;
use crate::units::{SimDuration, SimTime};

fn config(compacts: bool) -> LogConfig {
    let at_once = CompactionConfig { dirty_ratio_min: 0.0, tombstone_time: SimDuration::ZERO, lag_min: SimDuration::ZERO, lag_max: None };
    LogConfig {
        segment_bytes: 400,
        segment_time: SimDuration::from_secs(3600),
        retention_time: None,
        retention_bytes: None,
        deletes: false,
        compaction: compacts.then_some(at_once),
    }
}

fn partition(cfg: LogConfig, batches: &[u32]) -> Partition {
    let mut partition = Partition::new(cfg, Replicas::new(vec![0]));
    let mut seq = 0;
    for (second, count) in batches.iter().enumerate() {
        let now = SimTime::ZERO + SimDuration::from_secs(second as u64);
        partition.log.append(now, batch(seq, *count, 20, now));
        seq += u64::from(*count);
    }
    partition.high_watermark = partition.log.next_offset();
    partition
}

fn offsets(rows: &[LogRow]) -> Vec<u64> {
    rows.iter().map(|row| row.offset).collect()
}

proptest! {
    #[test]
    fn a_page_is_a_cut_of_the_whole_log(batches in prop::collection::vec(1u32..9, 0..20), at in 0u64..200, page in 1usize..30, start in 0u64..60) {
        let mut partition = partition(config(false), &batches);
        let end = partition.log.next_offset();
        partition.log.delete_before(start.min(end));
        let (start, end) = (partition.log.log_start(), end);
        let whole: Vec<u64> = (start..end).collect();
        let from = offsets(&partition.page(Seek::From(at), page).1);
        prop_assert_eq!(from, whole.iter().copied().filter(|offset| *offset >= at).take(page).collect::<Vec<_>>());
        let below: Vec<u64> = whole.iter().copied().filter(|offset| *offset < at).collect();
        prop_assert_eq!(offsets(&partition.page(Seek::Below(at), page).1), &below[below.len().saturating_sub(page)..]);
        prop_assert_eq!(offsets(&partition.page(Seek::END, page).1), &whole[whole.len().saturating_sub(page)..]);
    }

    #[test]
    fn a_time_leads_to_the_first_record_of_it(batches in prop::collection::vec(1u32..9, 1..20), second in 0u64..25) {
        let partition = partition(config(false), &batches);
        let at = SimTime::ZERO + SimDuration::from_secs(second);
        let expected: u32 = batches.iter().take(second as usize).sum();
        let rows = partition.page(Seek::FromTime(at), 5).1;
        prop_assert_eq!(rows.first().map_or(partition.log.next_offset(), |row| row.offset), u64::from(expected));
    }
}

#[test]
fn what_compaction_took_is_a_gap_and_what_is_above_the_watermark_is_told() {
    let mut partition = Partition::new(config(true), Replicas::new(vec![0]));
    for (second, key) in ["a", "b", "a", "a", "b", "c", "d"].into_iter().enumerate() {
        let now = SimTime::ZERO + SimDuration::from_secs(second as u64);
        let mut builder = BatchBuilder::default();
        builder.push(&crate::event::EventMeta { born: now, ..Default::default() }, Some(key.as_bytes()), &[7; 150], 0, false);
        partition.log.append(now, builder.finish());
    }
    partition.high_watermark = 6;
    let compacted = partition.log.compact(SimTime::ZERO + SimDuration::from_secs(60), 6);
    assert!(compacted.is_some_and(|section| section.removed > 0));
    let rows = partition.page(Seek::From(0), 100).1;
    assert!(matches!(rows[0], LogRow { offset: 0, content: LogContent::Gap { until } } if until >= 1), "{rows:?}");
    for pair in rows.windows(2) {
        assert_eq!(pair[0].next_offset(), pair[1].offset, "a hole in {rows:?}");
    }
    let last = rows.last().expect("something stands there");
    assert!(matches!(&last.content, LogContent::Record(record, LogStanding::Unreplicated) if record.key.as_deref() == Some(b"d")));
    // The same log from its end: nothing else is told.
    assert_eq!(partition.page(Seek::END, 100).1, rows);
}
