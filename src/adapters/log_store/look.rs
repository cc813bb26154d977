//! What a data folder holds, for a person: its logs, and the records in one of them.
//!
//! In: a folder. Out: figures of each log, records with their payloads decoded by the schemas that the runs had. Nothing in
//! the folder is changed. Must not know: how it is printed. Start at [`logs`] and [`records_of`].

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value as Json;

use super::at;
use super::journal::Journal;
use super::load::{KeptFrom, offset_for_time};
use super::partition::{Access, PartitionDir, Repair};
use crate::event::{ProducerStamp, StoredBatch};
use crate::machines::broker::batch::{RecordRef, opened, records};
use crate::machines::broker::{control_of, stamp_of};
use crate::machines::codec::{SchemaLibrary, unframe_any};
use crate::run::StoreError;

/// One log of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogSeen {
    /// `shop/orders-0`.
    pub log: String,
    /// First offset,
    pub log_start: u64,
    /// and the one after the last.
    pub log_end: u64,
    /// Records in it, without markers.
    pub records: u64,
    /// Size of its files.
    pub bytes: u64,
    /// How many files.
    pub segments: usize,
    /// What is damaged, in words.
    pub damage: Vec<String>,
}

/// One record of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordSeen {
    /// `shop/orders-0`.
    pub log: String,
    /// Offset.
    pub offset: u64,
    /// Seconds since the first of all runs began.
    pub time_s: f64,
    /// Which run wrote it, from 1.
    pub run: Option<usize>,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What stands at an offset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum What {
    /// An event.
    Event {
        /// `web-17`.
        event: String,
        /// Type.
        event_type: String,
        /// Key, as text where it is one.
        key: Option<String>,
        /// Bytes of the value.
        bytes: usize,
        /// Decoded; as text where no schema of the folder fits; nothing when the record deletes its key.
        value: Json,
        /// In whose transaction it was written.
        transaction: Option<u64>,
    },
    /// The end of a transaction.
    Marker {
        /// Whether it was committed.
        commit: bool,
        /// Of which producer.
        producer: Option<u64>,
    },
}

/// Every log of a folder, by name.
///
/// # Errors
/// What the file system says; a folder without any log.
pub fn logs(folder: &Path) -> Result<Vec<LogSeen>, StoreError> {
    let journal = Journal::open(folder)?;
    let mut seen = Vec::new();
    for log in names(folder)? {
        let mut records = 0;
        let (open, repairs) = read(folder, &log, |stored| {
            if control_of(&stored.batch).is_none() {
                records += u64::from(stored.batch.record_count);
            }
        })?;
        seen.push(LogSeen {
            log_start: open.first_offset().max(journal.starts.get(&log).copied().unwrap_or(0)),
            log_end: open.next_offset(),
            records,
            bytes: open.bytes(),
            segments: open.segments(),
            damage: repairs.iter().map(ToString::to_string).collect(),
            log,
        });
    }
    Ok(seen)
}

/// Up to `most` records of the logs that `wanted` names (`shop/orders-0`, `orders-0`, `shop/orders` or `orders`), each log
/// from `from` on.
///
/// # Errors
/// What the file system says; no log of that name.
pub fn records_of(folder: &Path, wanted: &str, from: KeptFrom, most: usize) -> Result<Vec<RecordSeen>, StoreError> {
    let journal = Journal::open(folder)?;
    let all = names(folder)?;
    let chosen: Vec<&String> = all.iter().filter(|log| names_of(log).contains(&wanted)).collect();
    if chosen.is_empty() {
        let near = crate::diagnostics::nearest(wanted, all.iter().flat_map(|log| names_of(log)));
        let hint = near.map_or_else(|| format!("there are {}", all.join(", ")), |near| format!("did you mean `{near}`?"));
        return Err(StoreError { place: folder.display().to_string(), words: format!("no log is called `{wanted}`: {hint}") });
    }
    let schemas = SchemaLibrary::default();
    let mut seen = Vec::new();
    for log in chosen {
        let mut batches = Vec::new();
        let (open, _) = read(folder, log, |stored| batches.push(stored))?;
        let begin = match from {
            KeptFrom::Earliest => open.first_offset().max(journal.starts.get(log).copied().unwrap_or(0)),
            KeptFrom::Latest => open.next_offset(),
            KeptFrom::Offset(offset) => offset,
            KeptFrom::Time(time) => offset_for_time(&journal, log, &batches, time),
        };
        let left = most.saturating_sub(seen.len());
        let ahead = batches.iter().filter(|stored| stored.next_offset() > begin);
        seen.extend(ahead.flat_map(|stored| seen_in(&journal, &schemas, log, stored)).filter(|record| record.offset >= begin).take(left));
    }
    Ok(seen)
}

/// What a log may be asked for as: with and without its cluster and its partition.
fn names_of(log: &str) -> [&str; 4] {
    let topic = log.rsplit_once('-').map_or(log, |(topic, _)| topic);
    let bare = |name: &'_ str| name.find('/').map_or(0, |slash| slash + 1);
    [log, topic, &log[bare(log)..], &topic[bare(topic)..]]
}

fn seen_in(journal: &Journal, schemas: &SchemaLibrary, log: &str, stored: &StoredBatch) -> Vec<RecordSeen> {
    let run = journal.run_of(log, stored.base_offset);
    let number = run.and_then(|run| journal.runs.iter().position(|other| std::ptr::eq(run, other)));
    let record = |offset, time_s, what| RecordSeen { log: log.to_owned(), offset, time_s, run: number.map(|number| number + 1), what };
    let stamp: Option<ProducerStamp> = stamp_of(&stored.batch);
    if let Some(commit) = control_of(&stored.batch) {
        let time_s = Journal::time_of(run, stored.batch.max_timestamp.clamped()).as_secs_f64();
        return vec![record(stored.base_offset, time_s, What::Marker { commit, producer: stamp.map(|stamp| stamp.id) })];
    }
    let Ok(open) = opened(&stored.batch) else { return Vec::new() };
    let event = |seen: RecordRef<'_>| {
        let name = |names: Option<&Vec<String>>, number: usize| names.and_then(|names| names.get(number)).cloned();
        let producer = name(run.map(|run| &run.components), seen.meta.id.producer.index()).unwrap_or_else(|| "unknown".to_owned());
        let event_type = name(run.map(|run| &run.event_types), usize::from(seen.meta.event_type.0)).unwrap_or_else(|| "unknown".to_owned());
        let what = What::Event {
            event: format!("{producer}-{}", seen.meta.id.seq),
            event_type,
            key: seen.key.map(text),
            bytes: seen.value.len(),
            value: if seen.is_tombstone { Json::Null } else { decoded(journal, schemas, seen.value) },
            transaction: stamp.map(|stamp| stamp.id),
        };
        record(stored.base_offset + u64::from(seen.position), Journal::time_of(run, seen.meta.born).as_secs_f64(), what)
    };
    records(&open).map(event).collect()
}

fn decoded(journal: &Journal, schemas: &SchemaLibrary, payload: &[u8]) -> Json {
    let by_schema = || {
        let (id, body) = unframe_any(payload).ok()?;
        let (schema_type, text) = journal.schemas.get(&id)?;
        schemas.compile(schema_type, text).ok()?.body_to_json(id.framing(), &body).ok()
    };
    by_schema().unwrap_or_else(|| Json::String(text(payload)))
}

/// As text where the bytes are one, else in hexadecimal digits.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn read(folder: &Path, log: &str, visit: impl FnMut(StoredBatch)) -> Result<(PartitionDir, Vec<Repair>), StoreError> {
    PartitionDir::open(&folder.join(log), super::SEGMENT_BYTES, Access::Read, visit)
}

/// `cluster/topic-partition` of every log, by name and number.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    for cluster in folders(folder)? {
        for log in folders(&folder.join(&cluster))? {
            if let Some((topic, number)) = log.rsplit_once('-').and_then(|(topic, number)| Some((topic, number.parse::<u32>().ok()?))) {
                names.push((format!("{cluster}/{topic}"), number));
            }
        }
    }
    if names.is_empty() {
        let words = "no logs here: `eventyard run FILE --data DIR` keeps them in a folder".to_owned();
        return Err(StoreError { place: folder.display().to_string(), words });
    }
    names.sort();
    Ok(names.into_iter().map(|(topic, number)| format!("{topic}-{number}")).collect())
}

fn folders(path: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(path).map_err(|error| at(path, error))?;
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(folders.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
