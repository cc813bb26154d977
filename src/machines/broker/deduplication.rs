//! What a FIFO queue or topic has taken within five minutes, so that a second send of it stores nothing.

use std::collections::VecDeque;

use ahash::AHashSet;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::batch::records;
use crate::event::{QueueEntry, QueueError};
use crate::units::{SimDuration, SimTime};

/// How long a deduplication id is remembered, whether its message was deleted or not.
const WINDOW: SimDuration = SimDuration::from_secs(300);
/// Ids remembered at once; beyond it the oldest are forgotten early.
const IDS_MAX: usize = 4_000_000;

/// How a second send is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeduplicationRules {
    /// `ContentBasedDeduplication`: a message without an id is known by its body's SHA-256.
    pub by_content: bool,
    /// Ids count within their message group only, as in high-throughput mode.
    pub within_group: bool,
}

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
    pub fn is_new(&mut self, now: SimTime, rules: DeduplicationRules, entry: &QueueEntry) -> Result<bool, QueueError> {
        let Some(group) = &entry.group else { return Err(QueueError::MissingParameter) };
        let id = match &entry.deduplication {
            Some(id) => id.clone(),
            None if rules.by_content => content_hash(entry),
            None => return Err(QueueError::InvalidParameterValue),
        };
        self.forget(now);
        let key = (rules.within_group.then(|| group.clone()), id);
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
