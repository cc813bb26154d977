//! How a run begins with what earlier ones have left.
//!
//! In: the batches of a folder. Out: logs for a plan. An event of an earlier run keeps its bytes, key and offset, and gets
//! the identity of an event from outside: the design's producers begin their own numbers again. Its birth counts as the
//! run's beginning. Transactions that no marker has ended are left out, as their coordinator would abort them.
//! Must not know: files. Start at [`Opened::load`].

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use super::journal::{Journal, RunEntry};
use super::{DataDir, Opened};
use crate::compile::Plan;
use crate::diagnostics::Diagnostic;
use crate::event::{EventId, EventMeta, KeptLog, StoredBatch};
use crate::machines::broker::batch::{opened, records};
use crate::machines::broker::compaction::thinned;
use crate::machines::broker::stored::with_events;
use crate::machines::broker::{control_of, stamp_of};
use crate::units::{ComponentIx, EventTypeIx, SimDuration, SimTime, TopicIx};

/// Damages told one by one; the rest is counted.
const REPAIRS_TOLD_MAX: usize = 20;
/// Records say when they were made in whole milliseconds.
const MS: u64 = 1_000_000;

/// From where on a run has what earlier ones left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeptFrom {
    /// All of it.
    #[default]
    Earliest,
    /// Nothing: offsets go on where they were.
    Latest,
    /// In every partition, this offset.
    Offset(u64),
    /// Events born at this time or later, counted through all earlier runs.
    Time(SimDuration),
}

impl FromStr for KeptFrom {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            _ => text.parse().map(Self::Offset).or_else(|_| {
                let time = text.parse().map(Self::Time);
                time.map_err(|_| format!("`{text}` is neither `earliest`, `latest`, an offset such as 1200, nor a time such as 30s"))
            }),
        }
    }
}

/// Gives events of earlier runs their identity in this one.
struct Renaming<'a> {
    outside: ComponentIx,
    next_seq: u64,
    event_types: &'a mut Vec<Arc<str>>,
    known: BTreeMap<String, EventTypeIx>,
}

impl Renaming<'_> {
    fn event(&mut self, run: Option<&RunEntry>, event: EventMeta) -> EventMeta {
        let id = EventId { producer: self.outside, seq: self.next_seq };
        self.next_seq += 1;
        let name = run.and_then(|run| run.event_types.get(usize::from(event.event_type.0))).map_or("unknown", String::as_str);
        EventMeta { id, event_type: self.event_type(name), born: SimTime::ZERO, root_born: SimTime::ZERO }
    }

    fn event_type(&mut self, name: &str) -> EventTypeIx {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let number = self.event_types.iter().position(|known| **known == *name).unwrap_or_else(|| {
            self.event_types.push(Arc::from(name));
            self.event_types.len() - 1
        });
        let number = EventTypeIx(u16::try_from(number).unwrap_or(u16::MAX));
        self.known.insert(name.to_owned(), number);
        number
    }
}

impl Opened {
    /// Puts what the folder holds into the plan, and says what there was in its remarks. Gives where this run lies in time.
    pub fn load(self, dir: &DataDir, from: KeptFrom, plan: &mut Plan) -> u64 {
        let journal = dir.journal();
        let mut renaming = Renaming {
            outside: ComponentIx(plan.components.len() as u32),
            next_seq: 0,
            event_types: &mut plan.event_types,
            known: BTreeMap::new(),
        };
        let (mut logs, mut after_ns, mut left_out) = (Vec::new(), 0, 0);
        for (at, batches) in self.logs {
            let name = dir.log_name(at);
            let newest = batches.iter().map(|stored| time_of(journal, &name, stored, stored.batch.max_timestamp.clamped()).as_ns() + MS);
            after_ns = newest.fold(after_ns, u64::max);
            logs.push(kept_log(journal, &name, at, batches, from, &mut renaming, &mut left_out));
        }
        let records: u64 = logs.iter().flat_map(|log| &log.batches).map(|stored| u64::from(stored.batch.record_count)).sum();
        let mut remarks = Vec::new();
        if !logs.is_empty() {
            let runs = journal.runs.len();
            let message = format!(
                "{records} records of {runs} earlier {} stand in the logs at the beginning",
                if runs == 1 { "run" } else { "runs" }
            );
            remarks.push(Diagnostic::note("data-kept", "", message));
        }
        remarks
            .extend(self.repairs.iter().take(REPAIRS_TOLD_MAX).map(|repair| Diagnostic::warning("data-damaged", "", repair.to_string())));
        if self.repairs.len() > REPAIRS_TOLD_MAX {
            let message = format!("{} further damages in the folder", self.repairs.len() - REPAIRS_TOLD_MAX);
            remarks.push(Diagnostic::warning("data-damaged", "", message));
        }
        if left_out > 0 {
            let message = format!("{left_out} batches are left out: their transactions were never ended, or their records cannot be read");
            remarks.push(Diagnostic::warning("data-left-out", "", message));
        }
        for line in &journal.damaged {
            let message = format!("line {line} of runs.jsonl cannot be read: names and times of its run are unknown");
            remarks.push(Diagnostic::warning("data-damaged", "", message));
        }
        plan.remarks.extend(remarks);
        plan.kept = Arc::new(logs);
        after_ns
    }
}

fn time_of(journal: &Journal, log: &str, stored: &StoredBatch, born: SimTime) -> SimDuration {
    Journal::time_of(journal.run_of(log, stored.base_offset), born)
}

fn kept_log(
    journal: &Journal,
    name: &str,
    (topic, partition): (TopicIx, u32),
    batches: Vec<StoredBatch>,
    from: KeptFrom,
    renaming: &mut Renaming<'_>,
    left_out: &mut u64,
) -> KeptLog {
    let next_offset = batches.last().map_or(0, StoredBatch::next_offset);
    let first = batches.first().map_or(0, |stored| stored.base_offset);
    let log_start = first.max(journal.starts.get(name).copied().unwrap_or(0)).min(next_offset);
    let log_start = match from {
        KeptFrom::Earliest => log_start,
        KeptFrom::Latest => next_offset,
        KeptFrom::Offset(offset) => offset.clamp(log_start, next_offset),
        KeptFrom::Time(time) => offset_for_time(journal, name, &batches, time).clamp(log_start, next_offset),
    };
    let undecided = undecided(&batches);
    let mut kept = Vec::new();
    let ahead = batches.into_iter().enumerate().filter(|(_, stored)| stored.next_offset() > log_start);
    for (index, StoredBatch { base_offset, batch }) in ahead {
        let is_marker = control_of(&batch).is_some();
        if undecided.contains(&index) {
            *left_out += 1;
            continue;
        }
        if batch.record_count == 0 {
            continue;
        }
        let batch = if is_marker || base_offset >= log_start {
            Some(batch)
        } else {
            thinned(&batch, |record| base_offset + u64::from(record.position) >= log_start)
        };
        let Some(batch) = batch else { continue };
        let run = journal.run_of(name, base_offset);
        match with_events(&batch, |event| renaming.event(run, event)) {
            Ok(batch) => kept.push(StoredBatch { base_offset, batch }),
            Err(_) => *left_out += 1,
        }
    }
    KeptLog { topic, partition, log_start, next_offset, batches: kept }
}

/// Offset of the first record born at a time or later, counted through all runs.
pub(super) fn offset_for_time(journal: &Journal, log: &str, batches: &[StoredBatch], time: SimDuration) -> u64 {
    for stored in batches {
        let run = journal.run_of(log, stored.base_offset);
        let Ok(open) = opened(&stored.batch) else { continue };
        if let Some(record) = records(&open).find(|record| Journal::time_of(run, record.meta.born) >= time) {
            return stored.base_offset + u64::from(record.position);
        }
    }
    batches.last().map_or(0, StoredBatch::next_offset)
}

/// Which batches belong to transactions without a marker.
fn undecided(batches: &[StoredBatch]) -> BTreeSet<usize> {
    let (mut decided, mut undecided) = (BTreeSet::new(), BTreeSet::new());
    for (index, stored) in batches.iter().enumerate().rev() {
        let Some(stamp) = stamp_of(&stored.batch) else { continue };
        if control_of(&stored.batch).is_some() {
            decided.insert(stamp.id);
        } else if !decided.contains(&stamp.id) {
            undecided.insert(index);
        }
    }
    undecided
}
