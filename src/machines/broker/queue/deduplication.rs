//! What a FIFO queue has taken within five minutes, so that a second send of it stores nothing.

use std::collections::VecDeque;

use ahash::AHashSet;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::config::FifoConfig;
use crate::event::{QueueEntry, QueueError};
use crate::machines::broker::batch::records;
use crate::units::{SimDuration, SimTime};

/// How long a deduplication id is remembered, whether its message was deleted or not.
pub(super) const WINDOW: SimDuration = SimDuration::from_secs(300);
/// Ids remembered at once; beyond it the oldest are forgotten early.
const IDS_MAX: usize = 4_000_000;

/// In high-throughput mode ids count within their message group only.
type Key = (Option<Bytes>, Bytes);

#[derive(Clone, Debug, Default)]
pub(super) struct Deduplication {
    known: AHashSet<Key>,
    by_age: VecDeque<(SimTime, Key)>,
}

impl Deduplication {
    /// Whether the entry is no repetition; remembers it.
    ///
    /// # Errors
    /// SQS's, when the entry lacks its group or an id.
    pub fn is_new(&mut self, now: SimTime, fifo: &FifoConfig, entry: &QueueEntry) -> Result<bool, QueueError> {
        let Some(group) = &entry.group else { return Err(QueueError::MissingParameter) };
        let id = match &entry.deduplication {
            Some(id) => id.clone(),
            None if fifo.content_deduplication => content_hash(entry),
            None => return Err(QueueError::InvalidParameterValue),
        };
        self.forget(now);
        let key = (fifo.high_throughput.then(|| group.clone()), id);
        if !self.known.insert(key.clone()) {
            return Ok(false);
        }
        self.by_age.push_back((now, key));
        Ok(true)
    }

    fn forget(&mut self, now: SimTime) {
        while let Some((_, key)) = self.by_age.pop_front_if(|(at, _)| *at + WINDOW <= now) {
            self.known.remove(&key);
        }
        while self.by_age.len() >= IDS_MAX
            && let Some((_, key)) = self.by_age.pop_front()
        {
            self.known.remove(&key);
        }
    }
}

fn content_hash(entry: &QueueEntry) -> Bytes {
    let mut hash = Sha256::new();
    for record in records(&entry.batch) {
        hash.update(record.value);
    }
    Bytes::copy_from_slice(&hash.finalize())
}
