//! What an operator does to a queue as a whole: purges it, deletes it, creates it again.
//!
//! Source: PurgeQueue, DeleteQueue and CreateQueue in the API reference.

use super::{Effects, Queue};
use crate::event::{ObligationEnd, QueueError, QueueReply, Reason};
use crate::units::{SimDuration, SimTime};

/// Between two purges, and between a deletion and a queue of the same name.
const REST: SimDuration = SimDuration::from_secs(60);

/// Whether the queue is there, and what was done to it last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lifetime {
    purged_at: Option<SimTime>,
    deleted_at: Option<SimTime>,
}

impl Lifetime {
    pub fn exists(&self) -> bool {
        self.deleted_at.is_none()
    }
}

impl Queue {
    /// Whether there is such a queue.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.lifetime.exists()
    }

    /// `PurgeQueue`: everything is gone, hidden messages too. Returns how many.
    ///
    /// # Errors
    /// SQS's, when it is gone or was purged within a minute.
    pub fn purge(&mut self, now: SimTime, out: &mut Effects) -> Result<usize, QueueError> {
        if !self.exists() {
            return Err(QueueError::NonExistentQueue);
        }
        if self.lifetime.purged_at.is_some_and(|at| now < at + REST) {
            return Err(QueueError::PurgeQueueInProgress);
        }
        self.lifetime.purged_at = Some(now);
        Ok(self.clear(now, "purged", out))
    }

    /// `DeleteQueue`: everything is gone, and so is the queue: whoever calls it is told. Returns how many messages.
    ///
    /// # Errors
    /// SQS's, when it is gone already.
    pub fn remove(&mut self, now: SimTime, out: &mut Effects) -> Result<usize, QueueError> {
        if !self.exists() {
            return Err(QueueError::NonExistentQueue);
        }
        let count = self.clear(now, "deleted with its queue", out);
        self.lifetime.deleted_at = Some(now);
        while let Some(poll) = self.polls.first() {
            self.polls.pop_first();
            out.replies.push((poll.caller, QueueReply { call: poll.call, result: Err(QueueError::NonExistentQueue) }));
        }
        Ok(count)
    }

    /// `CreateQueue`, under the name of the one that was deleted; one that is there stays as it is.
    ///
    /// # Errors
    /// SQS's, when it was deleted within a minute.
    pub fn create(&mut self, now: SimTime) -> Result<(), QueueError> {
        if self.lifetime.deleted_at.is_some_and(|at| now < at + REST) {
            return Err(QueueError::QueueDeletedRecently);
        }
        self.lifetime = Lifetime::default();
        Ok(())
    }

    fn clear(&mut self, now: SimTime, words: &'static str, out: &mut Effects) -> usize {
        self.advance(now, out);
        let all = self.store.take_all();
        for (number, stored) in &all {
            let reason = Reason { code: Reason::RETENTION, detail: Some(words.into()) };
            self.end(*number, stored, ObligationEnd::Expired, reason, out);
        }
        self.tell_log_start(out);
        all.len()
    }
}
