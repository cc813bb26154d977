//! Which runs have written into a data folder, and what only they knew: names behind numbers, where each began.
//!
//! In: entries. Out: the same, of a later run. One line an entry, each with its checksum, only ever appended: a line that
//! is damaged or torn costs what it says and nothing else. Must not know: segment files. Start at [`Journal::open`].

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::at;
use crate::machines::codec::HeaderId;
use crate::run::StoreError;
use crate::units::{SimDuration, SimTime};

const FILE: &str = "runs.jsonl";
/// What stands around an entry: `{"crc":"0badcafe","entry":…}`.
const HEAD: &str = "{\"crc\":\"";
const MIDDLE: &str = "\",\"entry\":";

/// Something that a run has left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A run begins.
    Run(RunEntry),
    /// It cut a log below where it began: from here on the log is its own.
    Began { log: String, offset: u64 },
    /// Records below this offset were deleted.
    Start { log: String, offset: u64 },
    /// A schema that payloads name by its number, or where one is said by its UUID.
    Schema {
        id: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uuid: Option<[u8; 16]>,
        schema_type: String,
        text: String,
    },
}

/// A run that has written here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEntry {
    /// Of the program.
    pub version: String,
    /// The project's name,
    pub project: String,
    /// the scenario's,
    pub scenario: String,
    /// and the seed.
    pub seed: u64,
    /// What lies before it in time: the runs before count as long as their newest record is old.
    pub after_ns: u64,
    /// Names behind the numbers of producers,
    pub components: Vec<String>,
    /// and of event types.
    pub event_types: Vec<String>,
    /// `cluster/topic-partition` to the first offset that it wrote; 0 where nothing is said.
    pub began: BTreeMap<String, u64>,
}

/// The file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Runs in order.
    pub runs: Vec<RunEntry>,
    /// Records below were deleted, by log.
    pub starts: BTreeMap<String, u64>,
    /// Schemas by what stands before payloads: type and text.
    pub schemas: BTreeMap<HeaderId, (String, String)>,
    /// Lines that could not be read.
    pub damaged: Vec<usize>,
    /// The last line has no end: the next one must begin anew.
    torn: bool,
}

impl Journal {
    /// Reads the journal of a folder; empty when there is none.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(&path, error)),
        };
        let torn = bytes.last().is_some_and(|last| *last != b'\n');
        let (runs, starts, schemas) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut journal = Self { path, runs, starts, schemas, damaged: Vec::new(), torn };
        for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            match parse(line) {
                Some(entry) => journal.take(entry),
                None => journal.damaged.push(number + 1),
            }
        }
        Ok(journal)
    }

    /// Writes an entry, and waits until the disk has it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&mut self, entry: Entry) -> Result<(), StoreError> {
        let json = serde_json::to_string(&entry).expect("names and numbers are JSON");
        let line_break = if std::mem::take(&mut self.torn) { "\n" } else { "" };
        let line = format!("{line_break}{HEAD}{:08x}{MIDDLE}{json}}}\n", crc_fast::crc32_iscsi(json.as_bytes()));
        let write = || {
            let mut open = OpenOptions::new().create(true).append(true).open(&self.path)?;
            open.write_all(line.as_bytes())?;
            open.sync_all()
        };
        write().map_err(|error: std::io::Error| at(&self.path, error))?;
        self.take(entry);
        Ok(())
    }

    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Run(run) => self.runs.push(run),
            Entry::Began { log, offset } => {
                if let Some(run) = self.runs.last_mut() {
                    run.began.insert(log, offset);
                }
            }
            Entry::Start { log, offset } => drop(self.starts.insert(log, offset)),
            Entry::Schema { id, uuid, schema_type, text } => {
                drop(self.schemas.insert(HeaderId::of(id, uuid), (schema_type, text)));
            }
        }
    }

    /// The run that wrote an offset of a log.
    #[must_use]
    pub fn run_of(&self, log: &str, offset: u64) -> Option<&RunEntry> {
        self.runs.iter().rev().find(|run| run.began.get(log).is_none_or(|began| *began <= offset))
    }

    /// When an event of a run was born, counted through all runs.
    #[must_use]
    pub fn time_of(run: Option<&RunEntry>, born: SimTime) -> SimDuration {
        SimDuration::from_ns(run.map_or(0, |run| run.after_ns).saturating_add(born.as_ns()))
    }
}

fn parse(line: &[u8]) -> Option<Entry> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix(HEAD)?;
    let (crc, rest) = line.split_at_checked(8)?;
    let json = rest.strip_prefix(MIDDLE)?.strip_suffix('}')?;
    let holds = u32::from_str_radix(crc, 16).ok()? == crc_fast::crc32_iscsi(json.as_bytes());
    if holds { serde_json::from_str(json).ok() } else { None }
}
