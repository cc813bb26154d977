//! A folder against a list of batches: whatever is appended, cut, thinned, torn or flipped.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::partition::{Access, PartitionDir, Repair, segment_names};
use super::scan::{Damage, scan};
use crate::event::{EventId, EventMeta, RecordBatch, StoredBatch};
use crate::machines::broker::batch::{BatchBuilder, events};
use crate::machines::broker::compression::Compression;
use crate::units::{ComponentIx, SimTime};

/// Small, so that a few batches fill a segment.
const SEGMENT_BYTES: u64 = 700;

fn batch(seq: u64, values: &[u8], codec: Compression) -> RecordBatch {
    let mut builder = BatchBuilder::packing(codec);
    for (position, value) in (0..).zip(values) {
        let born = SimTime::from_ns((seq + position) * 1_000_000);
        let meta =
            EventMeta { id: EventId { producer: ComponentIx(3), seq: seq + position }, born, root_born: born, ..EventMeta::default() };
        builder.push(&meta, Some(&[*value]), &vec![*value; usize::from(*value)], 0, false);
    }
    builder.finish()
}

/// Offset and bytes behind the header's first words, which only the place decides.
type Contents = Vec<(u64, Vec<u8>)>;

fn contents<'a>(batches: impl IntoIterator<Item = &'a StoredBatch>) -> Contents {
    batches
        .into_iter()
        .filter(|stored| stored.batch.record_count > 0)
        .map(|stored| (stored.base_offset, stored.batch.bytes[16..].to_vec()))
        .collect()
}

fn opened(path: &Path, access: Access) -> (PartitionDir, Contents, Vec<Repair>) {
    let mut all = Vec::new();
    let (dir, repairs) = PartitionDir::open(path, SEGMENT_BYTES, access, |stored| all.push(stored)).expect("the folder is there");
    (dir, contents(&all), repairs)
}

fn filled(path: &Path, count: u64) -> Vec<StoredBatch> {
    let (mut dir, _, _) = opened(path, Access::Write);
    let mut list = Vec::new();
    for number in 0..count {
        let batch = batch(dir.next_offset(), &[20 + number as u8, 5, 40], Compression::ALL[number as usize % Compression::ALL.len()]);
        list.push(StoredBatch { base_offset: dir.next_offset(), batch: batch.clone() });
        dir.append(dir.next_offset(), &batch).expect("there is room");
    }
    dir.sync().expect("there is room");
    list
}

fn last_segment(path: &Path) -> PathBuf {
    let last = segment_names(path).expect("it is there").pop().expect("there is one");
    path.join(super::partition::file_name(last))
}

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<u8>, usize),
    /// Leaves out offsets before the next batch.
    Skip(u64),
    /// So many batches from the end.
    Truncate(usize),
    /// Up to the batch at this place.
    Start(prop::sample::Index),
    /// A part between two places, of which every so manyth batch stays.
    Replace(prop::sample::Index, prop::sample::Index, usize),
    Sync,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (prop::collection::vec(0u8..60, 1..5), 0..Compression::ALL.len()).prop_map(|(values, codec)| Step::Append(values, codec)),
        1 => (1u64..9).prop_map(Step::Skip),
        1 => (1usize..5).prop_map(Step::Truncate),
        1 => any::<prop::sample::Index>().prop_map(Step::Start),
        1 => (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1usize..4).prop_map(|(from, to, every)| Step::Replace(from, to, every)),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_folder_holds_what_a_list_holds(steps in prop::collection::vec(step(), 1..80)) {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().join("orders-0");
        let (mut dir, _, _) = opened(&path, Access::Write);
        let mut list: Vec<StoredBatch> = Vec::new();
        let (mut next, mut seq) = (0, 0);
        for step in steps {
            match step {
                Step::Append(values, codec) => {
                    let batch = batch(seq, &values, Compression::ALL[codec]);
                    dir.append(next, &batch).expect("there is room");
                    list.push(StoredBatch { base_offset: next, batch });
                    (next, seq) = (next + values.len() as u64, seq + values.len() as u64);
                }
                Step::Skip(offsets) => next += offsets,
                Step::Truncate(count) => {
                    list.truncate(list.len().saturating_sub(count));
                    next = list.last().map_or(dir.first_offset(), StoredBatch::next_offset);
                    dir.truncate(next).expect("it can be cut");
                }
                Step::Start(at) => {
                    let Some(stored) = list.get(at.index(list.len() + 1)) else { continue };
                    dir.start(stored.base_offset).expect("files go");
                    let first = dir.first_offset();
                    list.retain(|stored| stored.base_offset >= first);
                }
                Step::Replace(from, to, every) => {
                    let (from, to) = (from.index(list.len() + 1), to.index(list.len() + 1));
                    let Some((first, last)) = list.get(from).zip(list.get(to)).filter(|_| from < to) else { continue };
                    let (begin, end) = (first.base_offset, last.base_offset);
                    let kept: Vec<StoredBatch> = list[from..to].iter().step_by(every).cloned().collect();
                    dir.replace(begin, end, &kept).expect("there is room");
                    list.splice(from..to, kept);
                }
                Step::Sync => dir.sync().expect("there is room"),
                Step::Reopen => {
                    dir.sync().expect("there is room");
                    let (again, found, repairs) = opened(&path, Access::Write);
                    prop_assert_eq!(repairs, vec![]);
                    prop_assert_eq!(found, contents(&list));
                    prop_assert!(again.next_offset() <= next);
                    dir = again;
                }
            }
        }
        dir.sync().expect("there is room");
        let (_, found, repairs) = opened(&path, Access::Read);
        prop_assert_eq!(repairs, vec![]);
        prop_assert_eq!(found, contents(&list));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), base in any::<u32>()) {
        let scanned = scan(&bytes.into(), u64::from(base));
        prop_assert!(scanned.found.is_empty() && scanned.next_offset == u64::from(base));
    }
}

/// A process can be killed at any byte of a write.
#[test]
fn a_cut_anywhere_in_the_last_segment_loses_only_what_was_cut() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("orders-0");
    let list = filled(&path, 12);
    let file = last_segment(&path);
    let whole = fs::read(&file).expect("it is there");
    let base = segment_names(&path).expect("it is there").pop().expect("there is one");
    assert!(base > 0 && whole.len() > 200, "there are several segments");
    for length in (0..=whole.len()).rev() {
        fs::write(&file, &whole[..length]).expect("there is room");
        let (mut dir, found, repairs) = opened(&path, Access::Write);
        let mut end = 0;
        let fits = |stored: &&StoredBatch| {
            stored.base_offset < base || {
                end += stored.batch.bytes.len();
                end <= length
            }
        };
        let expected: Vec<&StoredBatch> = list.iter().take_while(fits).collect();
        assert_eq!(found, contents(expected.iter().copied()), "cut at {length}");
        let kept: usize = expected.iter().filter(|stored| stored.base_offset >= base).map(|stored| stored.batch.bytes.len()).sum();
        let torn = (length > kept).then(|| Damage::Torn { position: kept as u64, bytes: (length - kept) as u64 });
        assert_eq!(repairs.iter().map(|repair| repair.damage).collect::<Vec<_>>(), Vec::from_iter(torn), "cut at {length}");
        // The log goes on behind what is left.
        let next = dir.next_offset();
        dir.append(next, &batch(next, &[9], Compression::None)).and_then(|_| dir.sync()).expect("there is room");
        let (_, again, repairs) = opened(&path, Access::Read);
        assert_eq!((again.len(), repairs), (found.len() + 1, vec![]), "cut at {length}");
    }
}

#[test]
fn a_flipped_bit_costs_the_batch_that_it_is_in_and_is_told() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("orders-0");
    let list = filled(&path, 9);
    let all = contents(&list);
    for base in segment_names(&path).expect("it is there") {
        let file = path.join(super::partition::file_name(base));
        let whole = fs::read(&file).expect("it is there");
        let ends: Vec<usize> = scan(&whole.clone().into(), base).found.iter().map(|found| found.position as usize).collect();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            fs::write(&file, &bytes).expect("there is room");
            let (_, found, repairs) = opened(&path, Access::Read);
            let begin = *ends.iter().rev().find(|end| **end <= at).expect("every byte is in a batch");
            let hit = at - begin;
            if (12..16).contains(&hit) {
                // The leader's epoch: outside of the checksum, and nobody reads it.
                assert_eq!((found, repairs), (all.clone(), vec![]));
                continue;
            }
            assert!(!repairs.is_empty(), "byte {at} of {base}");
            let is_in_place = hit < 8;
            let lost = all.len() - found.len();
            assert_eq!(lost, usize::from(!is_in_place), "byte {at} of {base}: {repairs:?}");
            assert!(found.iter().all(|one| all.contains(one)), "nothing is invented: byte {at} of {base}");
        }
        fs::write(&file, &whole).expect("there is room");
    }
}

#[test]
fn a_kill_while_files_are_exchanged_leaves_the_old_or_the_new() {
    let folder = tempfile::tempdir().expect("there is room");
    let (path, before) = (folder.path().join("orders-0"), folder.path().join("before"));
    let list = filled(&path, 10);
    copy(&path, &before);
    let (mut dir, _, _) = opened(&path, Access::Write);
    let kept: Vec<StoredBatch> = list[1..7].iter().step_by(3).cloned().collect();
    dir.replace(list[1].base_offset, list[7].base_offset, &kept).expect("there is room");
    let (_, thin, _) = opened(&path, Access::Read);
    assert_eq!(thin.len(), all_but(&list, 6, 2));

    // Killed before the list of the exchange stood: the old files, and the drafts are cleared away.
    let early = folder.path().join("early");
    copy(&before, &early);
    fs::write(early.join("00000000000000000000.cleaned"), b"half a file").expect("there is room");
    let (_, found, repairs) = opened(&early, Access::Write);
    assert_eq!((found, repairs), (contents(&list), vec![]));
    assert!(!early.join("00000000000000000000.cleaned").exists());

    // Killed after it: the new ones, however many of the files had their names already.
    let new = segment_names(&path).expect("it is there");
    for renamed in 0..=new.len() {
        let late = folder.path().join(format!("late-{renamed}"));
        copy(&before, &late);
        let names = |bases: &[u64]| bases.iter().map(|base| super::partition::file_name(*base)).collect::<Vec<_>>();
        let old = segment_names(&late).expect("it is there");
        let json = serde_json::json!({"old": names(&old), "new": names(&new)});
        fs::write(late.join("swap.json"), json.to_string()).expect("there is room");
        for (number, base) in new.iter().enumerate() {
            let file = late.join(super::partition::file_name(*base));
            let to = if number < renamed { file } else { file.with_extension("cleaned") };
            fs::copy(path.join(super::partition::file_name(*base)), to).expect("there is room");
        }
        let (_, found, repairs) = opened(&late, Access::Write);
        assert_eq!((found, repairs), (thin.clone(), vec![]), "{renamed} renamed");
    }
}

fn all_but(list: &[StoredBatch], of: usize, kept: usize) -> usize {
    list.len() - of + kept
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room");
    for entry in fs::read_dir(from).expect("it is there") {
        let file = entry.expect("it is there").path();
        fs::copy(&file, to.join(file.file_name().expect("it has a name"))).expect("there is room");
    }
}

#[test]
fn a_search_behind_damage_ends() {
    // Bytes that look like the beginning of a long batch at every place.
    let bytes: Vec<u8> = [0, 0, 1, 2].iter().copied().cycle().take(200_000).collect();
    assert!(scan(&bytes.into(), 0).found.is_empty());
}

#[test]
fn records_come_back_as_events() {
    let folder = tempfile::tempdir().expect("there is room");
    let list = filled(folder.path(), 5);
    let mut found = Vec::new();
    PartitionDir::open(folder.path(), SEGMENT_BYTES, Access::Read, |stored| found.extend(events(&stored.batch))).expect("it is there");
    assert_eq!(found, list.iter().flat_map(|stored| events(&stored.batch)).collect::<Vec<_>>());
}
