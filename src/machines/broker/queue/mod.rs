//! The queue machine: one standard or FIFO queue with Amazon SQS's rules.
//!
//! In: sends, receives, deletes and visibility changes, each with its instant and caller. Out: answers (at
//! once, or when a long poll ends), facts, and dead letters to be moved to another queue.
//! Must not know: links, clocks, service times, consumers. Start at [`Queue::handle`]; which message comes
//! next is `order.rs`, what is where `store.rs`, who waits `polls.rs`, what a
//! receipt is good for `receipts.rs`, what operators do `lifetime.rs` and `moves.rs`.
//!
//! ```text
//! send ─► delayed ─► visible ─receive─► in flight ─delete─► gone
//!                       ▲                  │
//!                       └── visibility ◄───┘        received too often ─► dead letter
//! ```
//!
//! Source: docs.aws.amazon.com/AWSSimpleQueueService (developer guide, API reference).

mod browse;
mod config;
mod lifetime;
mod moves;
mod order;
mod polls;
mod receipts;
mod store;
mod throttle;

#[cfg(test)]
mod tests;

pub use config::{FifoConfig, QueueConfig, Sampling};

use super::cluster::Caller;
use super::deduplication::Deduplication;
use crate::event::{
    Appended, Ended, Fact, ObligationEnd, Outcome, QueueCall, QueueEntry, QueueError, QueueMessage, QueueReply, QueueRequest, QueueResult,
    Reason, ReceiveCall, Settled,
};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};
use lifetime::Lifetime;
use order::Shards;
use polls::{Poll, Polls};
use store::{Store, Stored};
use throttle::{Action, Throttle};

/// Entries of one call, and messages of one receive.
pub const BATCH_MAX: usize = 10;
/// Longest a message may be hidden from its receive on.
pub const VISIBILITY_MAX: SimDuration = SimDuration::from_secs(12 * 3600);
/// Longest delay.
pub const DELAY_MAX: SimDuration = SimDuration::from_secs(900);
/// Longest poll.
pub const WAIT_MAX: SimDuration = SimDuration::from_secs(20);

/// What a turn of the machine wants done.
#[derive(Debug, Default)]
pub struct Effects {
    /// Answers and whom they are for.
    pub replies: Vec<(Caller, QueueReply)>,
    /// For observers.
    pub facts: Vec<Fact>,
    /// Messages that left for the dead-letter queue.
    pub dead: Vec<QueueEntry>,
}

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages stored.
    pub sent: u64,
    /// Sends that were dropped as duplicates.
    pub deduplicated: u64,
    /// Messages handed out, again and again ones included.
    pub received: u64,
    /// Of these, such as had been handed out before.
    pub received_again: u64,
    /// Receives that brought nothing.
    pub empty_receives: u64,
    /// Messages deleted.
    pub deleted: u64,
    /// Visibility timeouts changed.
    pub visibility_changes: u64,
    /// Moved to the dead-letter queue.
    pub dead_lettered: u64,
    /// Gone by retention.
    pub expired: u64,
    /// Moved back to where they came from.
    pub redriven: u64,
    /// Calls refused for their rate.
    pub throttled: u64,
    /// Receives refused because too much was in flight.
    pub over_limit: u64,
}

/// What a queue holds at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// `ApproximateNumberOfMessages`.
    pub visible: usize,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: usize,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: usize,
    /// `ApproximateAgeOfOldestMessage`.
    pub oldest_age: SimDuration,
}

/// One queue.
#[derive(Clone, Debug)]
pub struct Queue {
    cfg: QueueConfig,
    rng: Stream,
    store: Store,
    polls: Polls,
    deduplication: Deduplication,
    throttle: Throttle,
    lifetime: Lifetime,
    log_start: u64,
    counts: Counts,
}

impl Queue {
    /// An empty queue; `rng` is its own stream for sampled duplicates, disorder and short polls.
    #[must_use]
    pub fn new(cfg: QueueConfig, rng: Stream) -> Self {
        let throttle = Throttle::new(cfg.fifo.as_ref());
        Self {
            store: Store::new(cfg.fifo.is_some()),
            cfg,
            rng,
            polls: Polls::default(),
            deduplication: Deduplication::default(),
            throttle,
            lifetime: Lifetime::default(),
            log_start: 0,
            counts: Counts::default(),
        }
    }

    /// Settings; changes count from the next call on.
    pub fn config_mut(&mut self) -> &mut QueueConfig {
        &mut self.cfg
    }
    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
    /// What it holds.
    #[must_use]
    pub fn holdings(&self, now: SimTime) -> Holdings {
        self.store.holdings(now)
    }
    /// When [`Self::on_deadline`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        [self.store.next_change(self.cfg.retention), self.polls.next_deadline()].into_iter().flatten().min()
    }
    /// Does what is due: messages reappear or expire, polls end.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Effects) {
        self.advance(now, out);
        self.serve_polls(now, out);
        for poll in self.polls.take_due(now) {
            self.counts.empty_receives += 1;
            out.replies.push((poll.caller, QueueReply { call: poll.call, result: Ok(QueueResult::Messages(Vec::new())) }));
        }
        self.tell_log_start(out);
    }

    /// Takes a call.
    pub fn handle(&mut self, now: SimTime, caller: Caller, request: QueueRequest, out: &mut Effects) {
        self.advance(now, out);
        let QueueRequest { call, body } = request;
        let result = if !self.lifetime.exists() {
            Err(QueueError::NonExistentQueue)
        } else if self.throttle.admits(now, Action::of(&body)) {
            match body {
                QueueCall::Send(entries) => self.send(now, caller, entries, out).map(QueueResult::Entries),
                QueueCall::Receive(receive) => match self.receive(now, receive, out) {
                    Ok(messages) if messages.is_empty() && self.polls.has_room() && !self.wait_of(receive).is_zero() => {
                        let visibility = receive.visibility.unwrap_or(self.cfg.visibility);
                        let max_messages = receive.max_messages as usize;
                        self.polls.push(now + self.wait_of(receive), Poll { caller, call, max_messages, visibility });
                        return self.tell_log_start(out);
                    }
                    result => {
                        self.counts.empty_receives += u64::from(result.as_ref().is_ok_and(Vec::is_empty));
                        result.map(QueueResult::Messages)
                    }
                },
                QueueCall::Delete(receipts) => self.delete(receipts).map(QueueResult::Entries),
                QueueCall::ChangeVisibility(changes) => self.change_visibility(now, changes).map(QueueResult::Entries),
            }
        } else {
            self.counts.throttled += 1;
            Err(QueueError::RequestThrottled)
        };
        out.replies.push((caller, QueueReply { call, result }));
        self.advance(now, out);
        self.serve_polls(now, out);
        self.tell_log_start(out);
    }

    fn send(
        &mut self,
        now: SimTime,
        caller: Caller,
        entries: Vec<QueueEntry>,
        out: &mut Effects,
    ) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        check_batch(entries.len())?;
        let total: u64 = entries.iter().map(|entry| u64::from(entry.size_bytes)).sum();
        if entries.len() > 1 && total > self.cfg.message_bytes_max {
            return Err(QueueError::BatchRequestTooLong);
        }
        let groups = entries.iter().filter_map(|entry| entry.group.as_ref());
        self.throttle.begin_send(groups);
        Ok(entries.into_iter().map(|entry| self.send_one(now, caller, entry, out)).collect())
    }

    fn send_one(&mut self, now: SimTime, caller: Caller, entry: QueueEntry, out: &mut Effects) -> Result<(), QueueError> {
        if entry.moved_since.is_some() {
            // Another queue has taken and checked it before.
            self.append(now, caller, entry, out);
            return Ok(());
        }
        if u64::from(entry.size_bytes) > self.cfg.message_bytes_max || entry.delay.is_some_and(|delay| delay > DELAY_MAX) {
            return Err(QueueError::InvalidParameterValue);
        }
        if let Some(fifo) = &self.cfg.fifo {
            if entry.delay.is_some() {
                // Only the queue as a whole can delay; otherwise a group would overtake itself.
                return Err(QueueError::InvalidParameterValue);
            }
            if entry.group.as_ref().is_some_and(|group| !self.throttle.admits_group(group)) {
                self.counts.throttled += 1;
                return Err(QueueError::RequestThrottled);
            }
            if !self.deduplication.is_new(now, fifo.deduplication(), &entry)? {
                self.counts.deduplicated += 1;
                let reason = Reason { code: "deduplicated", detail: None };
                out.facts.push(Fact::Settled(Box::new(Settled {
                    event: entry.event,
                    at: self.cfg.me,
                    outcome: Outcome::Accepted,
                    reason,
                })));
                return Ok(());
            }
        }
        self.append(now, caller, entry, out);
        Ok(())
    }

    fn append(&mut self, now: SimTime, caller: Caller, entry: QueueEntry, out: &mut Effects) {
        self.counts.sent += 1;
        // On a move a standard queue keeps the first enqueue time, so that retention counts on; FIFO starts anew.
        let sent = entry.moved_since.filter(|_| self.cfg.fifo.is_none()).unwrap_or(now);
        let delay = if entry.moved_since.is_some() { SimDuration::ZERO } else { entry.delay.unwrap_or(self.cfg.delay) };
        let appended = Appended {
            cluster: self.cfg.me,
            topic: self.cfg.topic,
            partition: 0,
            base_offset: self.store.next_number(),
            client: caller.client,
            attempt: entry.attempt,
            batch: entry.batch.clone(),
        };
        let is_move = entry.moved_since.is_some();
        out.facts.push(if is_move { Fact::Moved(Box::new(appended)) } else { Fact::Appended(Box::new(appended)) });
        self.store.add(now, Stored::new(entry, sent, is_move.then_some(caller.end)), delay);
    }

    fn wait_of(&self, receive: ReceiveCall) -> SimDuration {
        receive.wait.unwrap_or(self.cfg.wait)
    }

    fn receive(&mut self, now: SimTime, receive: ReceiveCall, out: &mut Effects) -> Result<Vec<QueueMessage>, QueueError> {
        let visibility = receive.visibility.unwrap_or(self.cfg.visibility);
        let wait = self.wait_of(receive);
        if !(1..=BATCH_MAX).contains(&(receive.max_messages as usize)) || wait > WAIT_MAX || visibility > VISIBILITY_MAX {
            return Err(QueueError::InvalidParameterValue);
        }
        let is_short = wait.is_zero();
        if is_short && self.cfg.fifo.is_none() && self.store.in_flight() >= self.cfg.in_flight_max {
            self.counts.over_limit += 1;
            return Err(QueueError::OverLimit);
        }
        let shards = if is_short && self.cfg.fifo.is_none() {
            Shards::sampled(self.cfg.sampling.short_poll_share, &mut self.rng)
        } else {
            Shards::ALL
        };
        Ok(self.take(now, receive.max_messages as usize, visibility, shards, out))
    }

    /// Hands out up to `count` messages, hiding each; what was received too often leaves instead.
    fn take(&mut self, now: SimTime, count: usize, visibility: SimDuration, shards: Shards, out: &mut Effects) -> Vec<QueueMessage> {
        let mut taken = Vec::new();
        let mut group = None;
        while taken.len() < count && self.store.in_flight() < self.cfg.in_flight_max {
            let disorder = self.rng_chance(self.cfg.sampling.disorder);
            let Some(number) = self.store.next(&mut group, shards, disorder.then_some(&mut self.rng)) else { break };
            if self.cfg.receives_max.is_some_and(|max| self.store.receives(number) >= max) {
                self.bury(number, out);
                continue;
            }
            // A copy on a server that did not hear of the receive stays visible, to be received once more.
            let is_copied = self.rng_chance(self.cfg.sampling.duplicates);
            let until = if is_copied { now } else { now + visibility };
            taken.extend(self.store.hand_out(number, now, until));
        }
        self.counts.received += taken.len() as u64;
        self.counts.received_again += taken.iter().filter(|message| message.receive_count > 1).count() as u64;
        taken
    }

    fn rng_chance(&mut self, share: f64) -> bool {
        self.cfg.fifo.is_none() && self.rng.chance(share)
    }

    /// To the dead-letter queue.
    fn bury(&mut self, number: u64, out: &mut Effects) {
        let Some(stored) = self.store.remove(number) else { return };
        self.counts.dead_lettered += 1;
        let words = format!("received {} times and never deleted", stored.receives);
        self.end(number, &stored, ObligationEnd::DeadLettered, Reason { code: Reason::RECEIVES, detail: Some(words.into()) }, out);
        let since = stored.sent;
        out.dead.push(stored.into_entry(since));
    }

    /// What time alone does.
    fn advance(&mut self, now: SimTime, out: &mut Effects) {
        for (number, stored) in self.store.take_expired(now, self.cfg.retention) {
            self.counts.expired += 1;
            self.end(number, &stored, ObligationEnd::Expired, Reason { code: Reason::RETENTION, detail: None }, out);
        }
        self.store.show_due(now);
    }

    /// Long polls get what is there, the one that has waited longest first.
    fn serve_polls(&mut self, now: SimTime, out: &mut Effects) {
        while let Some(poll) = self.polls.first() {
            let messages = self.take(now, poll.max_messages, poll.visibility, Shards::ALL, out);
            if messages.is_empty() {
                return;
            }
            self.polls.pop_first();
            out.replies.push((poll.caller, QueueReply { call: poll.call, result: Ok(QueueResult::Messages(messages)) }));
        }
    }

    /// Tells the end of the obligation to a message that leaves without its reader's doing.
    fn end(&self, number: u64, stored: &Stored, end: ObligationEnd, reason: Reason, out: &mut Effects) {
        let Some(group) = self.cfg.reader else { return };
        let ended = Ended {
            component: self.cfg.me,
            group,
            topic: self.cfg.topic,
            partition: 0,
            offset: number,
            event: stored.event,
            waited: SimDuration::ZERO,
            end,
        };
        out.facts.push(Fact::EndedWith(Box::new((ended, reason))));
    }

    /// Nothing is left below the oldest message: observers need not remember it either.
    fn tell_log_start(&mut self, out: &mut Effects) {
        let log_start = self.store.first_number();
        if log_start > self.log_start {
            self.log_start = log_start;
            out.facts.push(Fact::LogStart { topic: self.cfg.topic, partition: 0, log_start });
        }
    }
}

fn check_batch(entries: usize) -> Result<(), QueueError> {
    match entries {
        0 => Err(QueueError::EmptyBatchRequest),
        1..=BATCH_MAX => Ok(()),
        _ => Err(QueueError::TooManyEntriesInBatchRequest),
    }
}
