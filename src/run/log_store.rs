//! Where logs go that outlive their run: what a store must do, and what it is told.
//!
//! In: facts. Out: effects on logs, in order, carried out between slices of the run, so that a run is the same with and
//! without a store. Must not know: files. Start at [`LogStore`].

use thiserror::Error;

use crate::event::{Fact, RecordBatch, SchemaFound, StoredBatch};
use crate::units::TopicIx;

/// What happened to a partition's log.
#[derive(Clone, Debug)]
pub struct LogEffect {
    /// The topic,
    pub topic: TopicIx,
    /// and which of its partitions.
    pub partition: u32,
    /// What.
    pub change: LogChange,
}

/// A change of a log.
#[derive(Clone, Debug)]
pub enum LogChange {
    /// A batch stands at its end.
    Append {
        /// Offset of its first record.
        base_offset: u64,
        /// The bytes.
        batch: RecordBatch,
    },
    /// Everything from this offset on is gone.
    Truncate(u64),
    /// Everything below this offset is gone.
    Start(u64),
    /// The cleaner has been through a part of it.
    Replace {
        /// The part's first offset,
        from: u64,
        /// and the one after its last.
        to: u64,
        /// What is there now.
        kept: Vec<StoredBatch>,
    },
}

impl LogEffect {
    /// What a fact means to a log, if it does.
    #[must_use]
    pub fn of(fact: &Fact) -> Option<Self> {
        let (topic, partition, change) = match fact {
            Fact::Appended(appended) | Fact::Moved(appended) => {
                let change = LogChange::Append { base_offset: appended.base_offset, batch: appended.batch.clone() };
                (appended.topic, appended.partition, change)
            }
            Fact::Truncated(cut) => (cut.topic, cut.partition, LogChange::Truncate(cut.from)),
            Fact::LogStart { topic, partition, log_start } => (*topic, *partition, LogChange::Start(*log_start)),
            Fact::Compacted(section) => {
                let change = LogChange::Replace { from: section.from, to: section.to, kept: section.kept.clone() };
                (section.topic, section.partition, change)
            }
            _ => return None,
        };
        Some(Self { topic, partition, change })
    }
}

/// Keeps the logs of a run.
pub trait LogStore {
    /// Carries out effects in their order.
    ///
    /// # Errors
    /// What the file system says.
    fn carry_out(&mut self, effects: &[LogEffect]) -> Result<(), StoreError>;
    /// A registry of the run has handed out this schema: payloads that are kept name it by its number.
    ///
    /// # Errors
    /// What the file system says.
    fn schema(&mut self, found: &SchemaFound) -> Result<(), StoreError>;
    /// The run is over: everything is made durable.
    ///
    /// # Errors
    /// What the file system says.
    fn finish(&mut self) -> Result<(), StoreError>;
}

/// Why logs could not be kept or opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: {words}")]
pub struct StoreError {
    /// File or folder.
    pub place: String,
    /// What went wrong, and what to do.
    pub words: String,
}
