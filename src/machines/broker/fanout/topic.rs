//! A fan-out topic: what is published goes to each subscription by itself, until it is taken or given up.
//!
//! ```text
//! publish ─► filter per subscription ─► delivery ─taken─► done
//!                                          ▲  └ failed ─► wait, in phases ─► dead letter, or lost
//!                                          └────────────────┘
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use bytes::Bytes;
use serde_json::Value as Json;

use super::attributes::Attributes;
use super::policy::{FilterPolicy, Scope, Subject};
use super::retry::RetryPolicy;
use crate::event::{Appended, Ended, Fact, ObligationEnd, Outcome, QueueEntry, QueueError, Reason, Settled};
use crate::machines::broker::batch::records;
use crate::machines::broker::cluster::Caller;
use crate::machines::broker::deduplication::Deduplication;
pub use crate::machines::broker::deduplication::DeduplicationRules;
use crate::machines::codec::unframe_any;
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Entries of one publish.
const BATCH_MAX: usize = 10;
/// Message attributes that raw delivery to a queue takes.
pub const RAW_ATTRIBUTES_MAX: usize = 10;

/// A topic's settings.
#[derive(Clone, Debug)]
pub struct FanoutConfig {
    /// The component, for facts.
    pub me: ComponentIx,
    /// Its number in the plan: a message's number is its offset.
    pub topic: TopicIx,
    /// Set for a FIFO topic.
    pub fifo: Option<DeduplicationRules>,
    /// Largest message, and largest batch.
    pub message_bytes_max: u64,
    /// Its subscriptions.
    pub subscriptions: Vec<Subscription>,
}

/// One subscription's settings.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Whose obligations its deliveries are.
    pub group: GroupIx,
    /// What it wants.
    pub policy: FilterPolicy,
    /// How its deliveries are tried again.
    pub retry: RetryPolicy,
    /// Whether what is given up goes to a dead-letter queue; else it is lost.
    pub has_dead_letters: bool,
    /// The endpoint tells itself when it has processed an event; else its taking it ends the obligation.
    pub is_told_by_endpoint: bool,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken.
    Taken,
    /// No answer, or one that may be another next time.
    Failed,
    /// Refused for good: a client error is not tried again.
    Refused(Refusal),
}

/// Why an endpoint refused a delivery for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A queue's error.
    Queue(QueueError),
    /// An HTTP status that is neither success, nor 429, nor a server's error.
    Status(u16),
    /// Raw delivery to a queue takes no more than [`RAW_ATTRIBUTES_MAX`].
    Attributes(usize),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue(error) => write!(f, "the endpoint answered {error}"),
            Self::Status(status) => write!(f, "the endpoint answered {status}"),
            Self::Attributes(count) => write!(f, "{count} message attributes, and raw delivery to a queue takes {RAW_ATTRIBUTES_MAX}"),
        }
    }
}

/// What a turn of the machine wants done.
#[derive(Debug, Default)]
pub struct Effects {
    /// For observers.
    pub facts: Vec<Fact>,
    /// To be sent now: (subscription, message's number).
    pub deliveries: Vec<(usize, u64)>,
    /// For the subscription's dead-letter queue.
    pub dead: Vec<(usize, QueueEntry)>,
}

/// What happened so far at one subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For this subscription, by its filter policy.
    pub passed: u64,
    /// Taken by the endpoint.
    pub delivered: u64,
    /// Not for this subscription.
    pub filtered: u64,
    /// Deliveries tried again.
    pub retried: u64,
    /// Given up, to the dead-letter queue.
    pub dead_lettered: u64,
    /// Given up without one.
    pub lost: u64,
}

impl Counts {
    /// Deliveries that are not over.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.passed - self.delivered - self.dead_lettered - self.lost
    }
}

/// A published message that some subscription still waits for.
#[derive(Clone, Debug)]
pub struct Published {
    /// As it was published.
    pub entry: QueueEntry,
    /// Its attributes.
    pub attributes: Attributes,
    /// When.
    pub at: SimTime,
    open: usize,
}

/// A delivery that is not over.
#[derive(Clone, Copy, Debug, Default)]
struct Delivery {
    failures: u32,
    due: Option<SimTime>,
}

/// One topic.
#[derive(Clone, Debug)]
pub struct Fanout {
    cfg: FanoutConfig,
    messages: BTreeMap<u64, Published>,
    deliveries: BTreeMap<(usize, u64), Delivery>,
    /// Retries by their time.
    due: BTreeSet<(SimTime, usize, u64)>,
    /// FIFO: by subscription and message group the deliveries in order; only the first is under way.
    lines: BTreeMap<(usize, Bytes), VecDeque<u64>>,
    deduplication: Deduplication,
    next_number: u64,
    log_start: u64,
    counts: Vec<Counts>,
    published: u64,
    deduplicated: u64,
}

impl Fanout {
    /// A topic without messages.
    #[must_use]
    pub fn new(cfg: FanoutConfig) -> Self {
        Self {
            counts: vec![Counts::default(); cfg.subscriptions.len()],
            cfg,
            messages: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            due: BTreeSet::new(),
            lines: BTreeMap::new(),
            deduplication: Deduplication::default(),
            next_number: 0,
            log_start: 0,
            published: 0,
            deduplicated: 0,
        }
    }
    /// By subscription.
    #[must_use]
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }
    /// Messages taken, and those dropped as duplicates.
    #[must_use]
    pub fn published(&self) -> (u64, u64) {
        (self.published, self.deduplicated)
    }
    /// Deliveries that are not over.
    #[must_use]
    pub fn open_deliveries(&self) -> usize {
        self.deliveries.len()
    }
    /// A message that some delivery is at.
    #[must_use]
    pub fn message(&self, number: u64) -> Option<&Published> {
        self.messages.get(&number)
    }
    /// How often a delivery has failed.
    #[must_use]
    pub fn failures(&self, subscription: usize, number: u64) -> u32 {
        self.deliveries.get(&(subscription, number)).map_or(0, |delivery| delivery.failures)
    }
    /// When [`Self::on_deadline`] has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// `PublishBatch`: each entry with its attributes.
    ///
    /// # Errors
    /// When the batch as a whole is refused.
    pub fn publish(
        &mut self,
        now: SimTime,
        caller: Caller,
        entries: Vec<(QueueEntry, Attributes)>,
        out: &mut Effects,
    ) -> Result<Vec<Result<(), QueueError>>, QueueError> {
        let total: u64 = entries.iter().map(|(entry, _)| u64::from(entry.size_bytes)).sum();
        match entries.len() {
            0 => return Err(QueueError::EmptyBatchRequest),
            count if count > BATCH_MAX => return Err(QueueError::TooManyEntriesInBatchRequest),
            count if count > 1 && total > self.cfg.message_bytes_max => return Err(QueueError::BatchRequestTooLong),
            _ => {}
        }
        let results = entries.into_iter().map(|(entry, attributes)| self.publish_one(now, caller, entry, attributes, out)).collect();
        self.tell_log_start(out);
        Ok(results)
    }

    fn publish_one(
        &mut self,
        now: SimTime,
        caller: Caller,
        entry: QueueEntry,
        attributes: Attributes,
        out: &mut Effects,
    ) -> Result<(), QueueError> {
        if u64::from(entry.size_bytes) > self.cfg.message_bytes_max {
            return Err(QueueError::InvalidParameterValue);
        }
        if let Some(rules) = self.cfg.fifo
            && !self.deduplication.is_new(now, rules, &entry)?
        {
            self.deduplicated += 1;
            let reason = Reason { code: "deduplicated", detail: None };
            out.facts.push(Fact::Settled(Box::new(Settled { event: entry.event, at: self.cfg.me, outcome: Outcome::Accepted, reason })));
            return Ok(());
        }
        let number = self.next_number;
        self.next_number += 1;
        self.published += 1;
        out.facts.push(Fact::Appended(Box::new(Appended {
            cluster: self.cfg.me,
            topic: self.cfg.topic,
            partition: 0,
            base_offset: number,
            client: caller.client,
            attempt: entry.attempt,
            batch: entry.batch.clone(),
        })));
        self.fan_out(number, Published { entry, attributes, at: now, open: 0 }, out);
        Ok(())
    }

    fn fan_out(&mut self, number: u64, mut message: Published, out: &mut Effects) {
        let body = self.looks_into_bodies().then(|| body_of(&message.entry)).flatten();
        let subject = Subject { attributes: &message.attributes, body: body.as_ref() };
        let (wanted, filtered): (Vec<usize>, Vec<usize>) =
            (0..self.cfg.subscriptions.len()).partition(|subscription| self.cfg.subscriptions[*subscription].policy.accepts(subject));
        for subscription in filtered {
            self.counts[subscription].filtered += 1;
            out.facts.push(self.end(subscription, number, &message.entry, ObligationEnd::Filtered, None));
        }
        message.open = wanted.len();
        if wanted.is_empty() {
            return;
        }
        for subscription in wanted {
            self.counts[subscription].passed += 1;
            self.deliveries.insert((subscription, number), Delivery::default());
            if self.stand_in_line(subscription, number, &message.entry) {
                out.deliveries.push((subscription, number));
            }
        }
        self.messages.insert(number, message);
    }

    /// A subscription's filter policy is another from now on.
    pub fn set_policy(&mut self, subscription: usize, policy: FilterPolicy) {
        if let Some(subscription) = self.cfg.subscriptions.get_mut(subscription) {
            subscription.policy = policy;
        }
    }

    fn looks_into_bodies(&self) -> bool {
        self.cfg.subscriptions.iter().any(|subscription| subscription.policy.scope() == Scope::MessageBody)
    }

    /// Whether a delivery may go at once; on a FIFO topic one of its group may be before it.
    fn stand_in_line(&mut self, subscription: usize, number: u64, entry: &QueueEntry) -> bool {
        let Some(group) = entry.group.as_ref().filter(|_| self.cfg.fifo.is_some()) else { return true };
        let line = self.lines.entry((subscription, group.clone())).or_default();
        line.push_back(number);
        line.len() == 1
    }

    /// An endpoint has answered, or has not in time.
    pub fn answered(&mut self, now: SimTime, subscription: usize, number: u64, answer: Answer, out: &mut Effects) {
        let Some(delivery) = self.deliveries.get_mut(&(subscription, number)) else { return };
        let retry = self.cfg.subscriptions[subscription].retry;
        match answer {
            Answer::Taken => {
                self.counts[subscription].delivered += 1;
                let end = (!self.cfg.subscriptions[subscription].is_told_by_endpoint).then_some((ObligationEnd::Forwarded, None));
                self.finish(subscription, number, end, out);
            }
            Answer::Failed => {
                delivery.failures += 1;
                match retry.delay(delivery.failures) {
                    Some(delay) => {
                        self.counts[subscription].retried += 1;
                        delivery.due = Some(now + delay);
                        self.due.insert((now + delay, subscription, number));
                    }
                    None => self.give_up(subscription, number, "retries", "its retries are used up".to_owned(), out),
                }
            }
            Answer::Refused(refusal) => self.give_up(subscription, number, "refused", refusal.to_string(), out),
        }
        self.tell_log_start(out);
    }

    fn give_up(&mut self, subscription: usize, number: u64, code: &'static str, words: String, out: &mut Effects) {
        let reason = Some(Reason { code, detail: Some(words.into()) });
        if self.cfg.subscriptions[subscription].has_dead_letters {
            self.counts[subscription].dead_lettered += 1;
            if let Some(message) = self.messages.get(&number) {
                out.dead.push((subscription, message.entry.clone()));
            }
            self.finish(subscription, number, Some((ObligationEnd::DeadLettered, reason)), out);
        } else {
            self.counts[subscription].lost += 1;
            self.finish(subscription, number, Some((ObligationEnd::Lost, reason)), out);
        }
    }

    fn finish(&mut self, subscription: usize, number: u64, end: Option<(ObligationEnd, Option<Reason>)>, out: &mut Effects) {
        if let Some(Delivery { due: Some(due), .. }) = self.deliveries.remove(&(subscription, number)) {
            self.due.remove(&(due, subscription, number));
        }
        let Some(message) = self.messages.get_mut(&number) else { return };
        message.open -= 1;
        let (entry, is_over) = (message.entry.clone(), message.open == 0);
        if is_over {
            self.messages.remove(&number);
        }
        out.facts.extend(end.map(|(end, reason)| self.end(subscription, number, &entry, end, reason)));
        if let Some(group) = entry.group.filter(|_| self.cfg.fifo.is_some()) {
            self.next_in_line(subscription, group, out);
        }
    }

    fn next_in_line(&mut self, subscription: usize, group: Bytes, out: &mut Effects) {
        let key = (subscription, group);
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.pop_front();
        match line.front() {
            Some(next) => out.deliveries.push((subscription, *next)),
            None => drop(self.lines.remove(&key)),
        }
    }

    /// Retries that are due.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Effects) {
        while let Some((at, subscription, number)) = self.due.first().copied().filter(|(at, ..)| *at <= now) {
            self.due.remove(&(at, subscription, number));
            if let Some(delivery) = self.deliveries.get_mut(&(subscription, number)) {
                delivery.due = None;
                out.deliveries.push((subscription, number));
            }
        }
    }

    fn end(&self, subscription: usize, number: u64, entry: &QueueEntry, end: ObligationEnd, reason: Option<Reason>) -> Fact {
        let ended = Ended {
            component: self.cfg.me,
            group: self.cfg.subscriptions[subscription].group,
            topic: self.cfg.topic,
            partition: 0,
            offset: number,
            event: entry.event,
            waited: SimDuration::ZERO,
            end,
        };
        match reason {
            Some(reason) => Fact::EndedWith(Box::new((ended, reason))),
            None => Fact::Ended(ended),
        }
    }

    /// Nothing is open below the oldest message: observers need not remember it either.
    fn tell_log_start(&mut self, out: &mut Effects) {
        let log_start = self.messages.first_key_value().map_or(self.next_number, |(number, _)| *number);
        if log_start > self.log_start {
            self.log_start = log_start;
            out.facts.push(Fact::LogStart { topic: self.cfg.topic, partition: 0, log_start });
        }
    }
}

/// The body as JSON, with or without a registry's header; none when it is none (Avro, say).
#[must_use]
pub fn body_of(entry: &QueueEntry) -> Option<Json> {
    let record = records(&entry.batch).next()?;
    let payload = unframe_any(record.value).map_or(Cow::Borrowed(record.value), |(_, payload)| payload);
    serde_json::from_slice(&payload).ok()
}
