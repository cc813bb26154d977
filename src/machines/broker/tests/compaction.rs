//! The cleaner against a map: whatever is appended, cleaned and cut, the last value of each key is there.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::event::{EventId, EventMeta, StoredBatch};
use crate::machines::broker::batch::{BatchBuilder, check_records, opened, records};
use crate::machines::broker::compaction::CompactionConfig;
use crate::machines::broker::compression::Compression;
use crate::machines::broker::log::{LogConfig, PartitionLog, ReadLimit};
use crate::units::{ComponentIx, SimDuration, SimTime};

const TOMBSTONE_TIME: SimDuration = SimDuration::from_secs(5);

#[derive(Clone, Debug)]
enum Step {
    /// Keys, and whether each record deletes its own.
    Append(Vec<(u8, bool)>),
    Wait(u64),
    Clean,
    /// Cuts so many batches off the end, of those that are not settled.
    Cut(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec((0u8..12, prop::bool::weighted(0.2)), 1..6).prop_map(Step::Append),
        2 => (1u64..4).prop_map(Step::Wait),
        3 => Just(Step::Clean),
        1 => (1usize..4).prop_map(Step::Cut),
    ]
}

/// Offset, key and value of every record; none for a tombstone.
fn contents(log: &PartitionLog) -> Vec<(u64, u8, Option<u64>)> {
    let mut batches: Vec<StoredBatch> = Vec::new();
    log.read(0, ReadLimit { below: u64::MAX, max_bytes: u64::MAX, at_least_one: true }, &mut batches);
    let mut all = Vec::new();
    for stored in &batches {
        assert_eq!(check_records(&stored.batch), Ok(()));
        let open = opened(&stored.batch).expect("it reads");
        for record in records(&open) {
            let offset = stored.base_offset + u64::from(record.position);
            assert_eq!(record.meta.id.seq, offset, "a record keeps its offset");
            all.push((offset, record.key.expect("every record has a key")[0], (!record.is_tombstone).then_some(offset)));
        }
    }
    all
}

/// The last value of each key; deleted ones are absent.
fn state(contents: &[(u64, u8, Option<u64>)]) -> BTreeMap<u8, u64> {
    let mut state = BTreeMap::new();
    for (_, key, value) in contents {
        match value {
            Some(value) => drop(state.insert(*key, *value)),
            None => drop(state.remove(key)),
        }
    }
    state
}

fn log(dirty_ratio_min: f64, compacts: bool) -> PartitionLog {
    let compaction = CompactionConfig { dirty_ratio_min, tombstone_time: TOMBSTONE_TIME, lag_min: SimDuration::ZERO, lag_max: None };
    PartitionLog::new(LogConfig {
        segment_bytes: 900,
        segment_time: SimDuration::from_secs(3_600),
        retention_time: None,
        retention_bytes: None,
        deletes: false,
        compaction: compacts.then_some(compaction),
    })
}

fn append(log: &mut PartitionLog, now: SimTime, entries: &[(u8, bool)], compression: Compression) {
    let mut builder = BatchBuilder::packing(compression);
    for (seq, (key, deletes)) in (log.next_offset()..).zip(entries) {
        let meta = EventMeta { id: EventId { producer: ComponentIx(0), seq }, born: now, root_born: now, ..EventMeta::default() };
        builder.push_record(&meta, Some(&[*key]), (!deletes).then_some(&seq.to_be_bytes()[..]), 40, false);
    }
    log.append(now, builder.finish());
}

/// What a cleaner may break.
fn breach(thin: &[(u64, u8, Option<u64>)], whole: &[(u64, u8, Option<u64>)]) -> Option<&'static str> {
    if state(thin) != state(whole) {
        return Some("a key has another last value");
    }
    (!thin.iter().all(|record| whole.contains(record))).then_some("a record is invented or moved")
}

/// What a cleaner does wrong.
#[derive(Clone, Copy, Debug)]
enum KnownBad {
    /// It keeps the first value of a key.
    KeepsTheFirst,
    /// It drops tombstones at once, and only after that the values that they delete.
    DropsTombstones,
    /// It moves what stays together.
    ClosesGaps,
}

/// The log as such a cleaner leaves it.
fn badly_cleaned(whole: &PartitionLog, bad: KnownBad) -> Vec<(u64, u8, Option<u64>)> {
    let all = contents(whole);
    let is_first = |(offset, key, _): &&(u64, u8, Option<u64>)| !all.iter().any(|other| other.1 == *key && other.0 < *offset);
    let is_last = |(offset, key, _): &&(u64, u8, Option<u64>)| !all.iter().any(|other| other.1 == *key && other.0 > *offset);
    match bad {
        KnownBad::KeepsTheFirst => all.iter().filter(is_first).copied().collect(),
        KnownBad::DropsTombstones => all.iter().filter(|(_, _, value)| value.is_some()).copied().collect(),
        KnownBad::ClosesGaps => (0..).zip(all.iter().filter(is_last)).map(|(offset, (_, key, value))| (offset, *key, *value)).collect(),
    }
}

#[test]
fn a_bad_cleaner_is_caught() {
    let mut whole = log(0.0, false);
    append(&mut whole, SimTime::ZERO, &[(1, false), (2, false), (1, false), (3, false), (2, true)], Compression::None);
    assert_eq!(breach(&contents(&whole), &contents(&whole)), None);
    for bad in [KnownBad::KeepsTheFirst, KnownBad::DropsTombstones, KnownBad::ClosesGaps] {
        assert!(breach(&badly_cleaned(&whole, bad), &contents(&whole)).is_some(), "{bad:?} goes unseen");
    }
}

proptest! {
    #[test]
    fn the_last_value_of_each_key_stays(steps in prop::collection::vec(step(), 1..150), ratio in 0.0f64..0.9, codec in 0..Compression::ALL.len()) {
        let codec = Compression::ALL[codec];
        let (mut cleaned, mut whole) = (log(ratio, true), log(ratio, false));
        let (mut now, mut settled) = (SimTime::ZERO, 0);
        let mut bases: Vec<u64> = Vec::new();
        for step in steps {
            match step {
                Step::Append(entries) => {
                    bases.push(whole.next_offset());
                    append(&mut cleaned, now, &entries, codec);
                    append(&mut whole, now, &entries, Compression::None);
                }
                Step::Wait(seconds) => now += SimDuration::from_secs(seconds),
                Step::Clean => {
                    // All but the two newest batches are settled.
                    settled = settled.max(bases.iter().rev().nth(1).copied().unwrap_or(0));
                    let before = cleaned.records();
                    let section = cleaned.compact(now, settled);
                    prop_assert!(section.iter().all(|section| section.to <= settled));
                    prop_assert_eq!(before - cleaned.records(), section.map_or(0, |section| section.removed));
                }
                Step::Cut(count) => {
                    let kept = bases.len().saturating_sub(count).max(bases.partition_point(|base| *base < settled));
                    if let Some(from) = bases.get(kept).copied() {
                        whole.truncate(from);
                        cleaned.truncate(from);
                        bases.truncate(kept);
                    }
                    prop_assert_eq!(cleaned.next_offset(), whole.next_offset());
                }
            }
        }
        let (thin, all) = (contents(&cleaned), contents(&whole));
        prop_assert_eq!(breach(&thin, &all), None);
        // The active segment is as it was.
        let open: Vec<_> = all.iter().rev().take(1).collect();
        prop_assert!(open.iter().all(|record| thin.contains(record)));
    }
}

#[test]
fn a_tombstone_goes_when_its_time_is_over_and_not_before() {
    let mut log = log(0.0, true);
    append(&mut log, SimTime::ZERO, &[(1, false), (2, false), (1, true)], Compression::None);
    // Batches enough to close the first segment.
    (0..30u8).for_each(|key| append(&mut log, SimTime::ZERO, &[(100 + key, false)], Compression::None));
    let settled = log.next_offset();
    let has_tombstone = |log: &PartitionLog| contents(log).iter().any(|(_, _, value)| value.is_none());
    log.compact(SimTime::ZERO, settled).expect("it is dirty");
    assert!(has_tombstone(&log) && !state(&contents(&log)).contains_key(&1));
    let dirty = |log: &mut PartitionLog, now| (0..30u8).for_each(|key| append(log, now, &[(100 + key, false)], Compression::None));
    let early = SimTime::ZERO + SimDuration::from_secs(4);
    dirty(&mut log, early);
    log.compact(early, log.next_offset()).expect("it is dirty again");
    assert!(has_tombstone(&log), "who reads slowly learns of the deletion");
    let late = SimTime::ZERO + TOMBSTONE_TIME;
    dirty(&mut log, late);
    log.compact(late, log.next_offset()).expect("it is dirty again");
    assert!(!has_tombstone(&log));
    assert_eq!(state(&contents(&log)).get(&2), Some(&1), "what was never deleted stays");
}

#[test]
fn what_was_cut_is_forgotten_by_the_cleaner() {
    let mut log = log(0.0, true);
    let deletion = [(1, false), (2, false), (1, true)];
    let fill = |log: &mut PartitionLog, now| (0..80u8).for_each(|key| append(log, now, &[(100 + key % 30, false)], Compression::None));
    append(&mut log, SimTime::ZERO, &deletion, Compression::None);
    fill(&mut log, SimTime::ZERO);
    log.compact(SimTime::ZERO, log.next_offset()).expect("it is dirty");
    // An unclean election takes even what was settled and cleaned.
    log.truncate(0);
    let late = SimTime::ZERO + TOMBSTONE_TIME + TOMBSTONE_TIME;
    append(&mut log, late, &deletion, Compression::None);
    fill(&mut log, late);
    log.compact(late, log.next_offset()).expect("it is dirty");
    let of_key: Vec<_> = contents(&log).into_iter().filter(|(_, key, _)| *key == 1).collect();
    assert_eq!(of_key, [(2, 1, None)], "the new deletion has its own time, and no old value comes back");
}
