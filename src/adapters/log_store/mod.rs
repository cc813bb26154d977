//! Topics on disk: `--data DIR` keeps what a run writes, and begins the next run with it.
//!
//! In: effects of a run on the logs of its clusters. Out: `DIR/cluster/topic-0/00000000000000000000.log`, Kafka's layout
//! and names, and `DIR/runs.jsonl`, which says whose numbers stand in them. What a crash in the simulated world loses is
//! decided there; here only a killed process can lose something, and only what no sync had covered.
//! Must not know: how a broker decides, what a run measures. Start at [`DataDir::open`]; what a segment's bytes are worth
//! is in [`scan`], how a run begins with them in [`load`],
//! how a person looks at them in [`look`].

#![expect(clippy::disallowed_methods, reason = "the one place that keeps logs in files")]

pub mod journal;
pub mod load;
pub mod look;
pub mod partition;
pub mod scan;
mod swap;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use journal::{Entry, Journal, RunEntry};
use load::KeptFrom;
use partition::{Access, PartitionDir, Repair};

use crate::compile::Plan;
use crate::event::{SchemaFound, StoredBatch};
use crate::machines::codec::HeaderId;
use crate::run::{LogChange, LogEffect, LogStore, StoreError};
use crate::units::TopicIx;

/// Size at which a segment file is closed.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// What one partition may have waiting to be written,
pub const PENDING_BYTES_MAX: usize = 256 << 10;
/// and all together.
const PENDING_ALL_BYTES_MAX: usize = 64 << 20;
/// Held while a run writes.
const LOCK: &str = "lock";

/// When the disk must have what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncPolicy {
    /// At the end of the run, and of each segment.
    #[default]
    End,
    /// After every slice of the run, some ten thousand steps.
    Slice,
    /// After every batch, as `flush.messages=1`.
    Batch,
}

impl FromStr for SyncPolicy {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "end" => Ok(Self::End),
            "slice" => Ok(Self::Slice),
            "batch" => Ok(Self::Batch),
            other => Err(format!("`{other}` is none of `end`, `slice` and `batch`")),
        }
    }
}

/// A folder with the logs of a design's clusters, open for one run.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    sync: SyncPolicy,
    segment_bytes: u64,
    journal: Journal,
    /// By topic number; empty for what is no topic of a cluster.
    topics: Vec<Topic>,
    /// Written since the last sync.
    touched: BTreeSet<(TopicIx, u32)>,
    pending_bytes: usize,
    /// Freed when the folder is closed.
    _lock: File,
}

#[derive(Debug, Default)]
struct Topic {
    /// `cluster/topic`.
    name: String,
    partitions: Vec<PartitionDir>,
}

/// What a folder held when it was opened.
#[derive(Debug, Default)]
pub struct Opened {
    /// By topic and partition: batches in order.
    pub(super) logs: Vec<((TopicIx, u32), Vec<StoredBatch>)>,
    /// What was damaged.
    pub repairs: Vec<Repair>,
}

impl DataDir {
    /// Opens a folder for a run, and puts what it holds into the plan.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_and_load(path: &Path, sync: SyncPolicy, from: KeptFrom, plan: &mut Plan) -> Result<Self, StoreError> {
        let (mut dir, opened) = Self::open(path, plan, sync)?;
        let after_ns = opened.load(&dir, from, plan);
        dir.begin(plan, after_ns)?;
        Ok(dir)
    }

    /// Opens a folder for a run of this plan, makes it if there is none, and puts its files in order.
    ///
    /// # Errors
    /// What the file system says; another run writes there; a topic has fewer partitions than the folder.
    pub fn open(path: &Path, plan: &Plan, sync: SyncPolicy) -> Result<(Self, Opened), StoreError> {
        Self::open_with(path, plan, sync, SEGMENT_BYTES)
    }

    pub(super) fn open_with(path: &Path, plan: &Plan, sync: SyncPolicy, segment_bytes: u64) -> Result<(Self, Opened), StoreError> {
        fs::create_dir_all(path).map_err(|error| at(path, error))?;
        let lock = locked(path)?;
        let journal = Journal::open(path)?;
        let mut dir = Self {
            path: path.to_owned(),
            sync,
            segment_bytes,
            journal,
            topics: Vec::new(),
            touched: BTreeSet::new(),
            pending_bytes: 0,
            _lock: lock,
        };
        let mut opened = Opened::default();
        for (index, topic) in plan.topics.iter().enumerate() {
            let cluster = &plan.components[topic.cluster.index()];
            if !cluster.process.keeps_logs() {
                dir.topics.push(Topic::default());
                continue;
            }
            let name = format!("{}/{}", cluster.id, topic.name);
            dir.refuse_fewer_partitions(&name, topic.partitions)?;
            let mut partitions = Vec::new();
            for partition in 0..topic.partitions {
                let (open, batches) = dir.open_partition(&log_name(&name, partition), &mut opened.repairs)?;
                if open.next_offset() > 0 {
                    opened.logs.push(((TopicIx(index as u32), partition), batches));
                }
                partitions.push(open);
            }
            dir.topics.push(Topic { name, partitions });
        }
        Ok((dir, opened))
    }

    fn open_partition(&self, log: &str, repairs: &mut Vec<Repair>) -> Result<(PartitionDir, Vec<StoredBatch>), StoreError> {
        let mut batches = Vec::new();
        let (open, repaired) = PartitionDir::open(&self.path.join(log), self.segment_bytes, Access::Write, |stored| batches.push(stored))?;
        repairs.extend(repaired);
        Ok((open, batches))
    }

    fn refuse_fewer_partitions(&self, topic: &str, partitions: u32) -> Result<(), StoreError> {
        let beyond = self.path.join(log_name(topic, partitions));
        if !beyond.exists() {
            return Ok(());
        }
        let words = format!(
            "the folder has more partitions of {topic} than the project's {partitions}: give the topic as many, or use another folder"
        );
        Err(StoreError { place: beyond.display().to_string(), words })
    }

    /// Writes down that a run begins, and which numbers it will use.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(&mut self, plan: &Plan, after_ns: u64) -> Result<(), StoreError> {
        let text = |names: &mut dyn Iterator<Item = &Arc<str>>| names.map(ToString::to_string).collect();
        let mut began = BTreeMap::new();
        for topic in &self.topics {
            let logs = topic.partitions.iter().enumerate().filter(|(_, open)| open.next_offset() > 0);
            began.extend(logs.map(|(partition, open)| (log_name(&topic.name, partition as u32), open.next_offset())));
        }
        self.journal.write(Entry::Run(RunEntry {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            project: plan.project.name.clone(),
            scenario: plan.scenario.clone(),
            seed: plan.seed,
            after_ns,
            components: text(&mut plan.components.iter().map(|component| &component.id)),
            event_types: text(&mut plan.event_types.iter()),
            began,
        }))
    }

    /// What earlier runs have left.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// `shop/orders-0`.
    fn log_name(&self, (topic, partition): (TopicIx, u32)) -> String {
        log_name(&self.topics[topic.index()].name, partition)
    }

    fn carry(&mut self, effect: &LogEffect) -> Result<(), StoreError> {
        if self.topics[effect.topic.index()].name.is_empty() {
            return Ok(());
        }
        self.add_partitions(effect)?;
        let topic = &mut self.topics[effect.topic.index()];
        let open = &mut topic.partitions[effect.partition as usize];
        let pending_before = open.pending_bytes();
        match &effect.change {
            LogChange::Append { base_offset, batch } => {
                open.append(*base_offset, batch)?;
                if self.sync == SyncPolicy::Batch {
                    open.sync()?;
                } else if open.pending_bytes() > PENDING_BYTES_MAX {
                    open.flush()?;
                }
            }
            LogChange::Truncate(from) => {
                let log = log_name(&topic.name, effect.partition);
                let is_older = self.journal.runs.last().and_then(|run| run.began.get(&log)).is_some_and(|began| from < began);
                open.truncate(*from)?;
                if is_older {
                    self.journal.write(Entry::Began { log, offset: *from })?;
                }
            }
            LogChange::Start(log_start) => {
                open.start(*log_start)?;
                if open.first_offset() < *log_start {
                    let log = log_name(&topic.name, effect.partition);
                    self.journal.write(Entry::Start { log, offset: *log_start })?;
                }
            }
            LogChange::Replace { from, to, kept } => open.replace(*from, *to, kept)?,
        }
        self.pending_bytes = self.pending_bytes + open.pending_bytes() - pending_before;
        self.touched.insert((effect.topic, effect.partition));
        Ok(())
    }

    /// A topic may get partitions while it runs.
    fn add_partitions(&mut self, effect: &LogEffect) -> Result<(), StoreError> {
        while self.topics[effect.topic.index()].partitions.len() <= effect.partition as usize {
            let number = self.topics[effect.topic.index()].partitions.len() as u32;
            let (open, _) = self.open_partition(&self.log_name((effect.topic, number)), &mut Vec::new())?;
            self.topics[effect.topic.index()].partitions.push(open);
        }
        Ok(())
    }

    fn each_touched(&mut self, act: impl Fn(&mut PartitionDir) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for (topic, partition) in &self.touched {
            if let Some(open) = self.topics[topic.index()].partitions.get_mut(*partition as usize) {
                act(open)?;
            }
        }
        self.pending_bytes = 0;
        Ok(())
    }
}

impl LogStore for DataDir {
    fn carry_out(&mut self, effects: &[LogEffect]) -> Result<(), StoreError> {
        for effect in effects {
            self.carry(effect)?;
            if self.pending_bytes > PENDING_ALL_BYTES_MAX {
                self.each_touched(PartitionDir::flush)?;
            }
        }
        if self.sync == SyncPolicy::Slice {
            self.each_touched(PartitionDir::sync)?;
            self.touched.clear();
        }
        Ok(())
    }

    fn schema(&mut self, found: &SchemaFound) -> Result<(), StoreError> {
        let schema = (found.schema_type.to_string(), found.text.to_string());
        if self.journal.schemas.get(&HeaderId::of(found.id, found.uuid)) == Some(&schema) {
            return Ok(());
        }
        let (schema_type, text) = schema;
        self.journal.write(Entry::Schema { id: found.id, uuid: found.uuid, schema_type, text })
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        self.each_touched(PartitionDir::sync)?;
        self.touched.clear();
        Ok(())
    }
}

/// `shop/orders-0`, the log's name and its folder.
fn log_name(topic: &str, partition: u32) -> String {
    format!("{topic}-{partition}")
}

fn locked(path: &Path) -> Result<File, StoreError> {
    let file = path.join(LOCK);
    let lock = File::create(&file).map_err(|error| at(&file, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError {
            place: path.display().to_string(),
            words: "another run writes into this folder: wait for it, or use another folder".to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(at(&file, error)),
    }
}

/// What the file system says of a file or folder.
fn at(path: &Path, error: std::io::Error) -> StoreError {
    StoreError { place: path.display().to_string(), words: error.to_string() }
}
