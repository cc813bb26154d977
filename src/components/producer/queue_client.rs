//! The way to queues: batches of up to ten, a limit on calls under way, timeouts, retries.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::LinkEnd;
use crate::event::{CallId, EventMeta, Outcome, QueueCall, QueueEntry, QueueError, QueueReply, QueueRequest, QueueResult, Reason};
use crate::units::{SimDuration, SimTime};

/// Entries of one call.
const BATCH_MAX: usize = 10;
/// Body and attributes of one call's entries together.
const BATCH_BYTES_MAX: u64 = 1 << 20;
/// A backoff grows to this many times the first.
const BACKOFF_GROWTH_MAX: u64 = 100;

/// Settings.
#[derive(Clone, Debug)]
pub(in crate::components) struct QueueClientConfig {
    pub batch_max: usize,
    pub linger: SimDuration,
    /// Calls under way to one standard queue; to a FIFO queue there is one, which keeps the order.
    pub calls_max: usize,
    pub timeout: SimDuration,
    pub retries_max: u32,
    pub backoff: SimDuration,
    pub buffer_max: usize,
    pub call_tag: u8,
    /// Tells the calls of several clients with one tag apart.
    pub first_call: u64,
    /// Accepted events are given out.
    pub report_acks: bool,
}

/// What one call of the client wants done.
#[derive(Clone, Debug, Default)]
pub(in crate::components) struct QueueOutput {
    /// Where, and the request.
    pub requests: Vec<(LinkEnd, QueueRequest)>,
    /// Events that a queue has taken, where that is wanted.
    pub accepted: Vec<EventMeta>,
    /// Events that are over without being accepted.
    pub unsent: Vec<(EventMeta, Outcome, Reason)>,
}

/// Counters.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::components) struct QueueCounts {
    pub accepted: u64,
    pub rejected: u64,
    pub retried: u64,
    pub dropped: u64,
    pub abandoned: u64,
}

/// A queue that it sends to.
#[derive(Clone, Debug)]
struct Target {
    end: LinkEnd,
    is_fifo: bool,
    /// Events that wait, each with when it came.
    pending: VecDeque<(SimTime, QueueEntry)>,
    /// Calls under way or resting.
    calls: usize,
}

#[derive(Clone, Debug)]
struct Call {
    target: usize,
    entries: Vec<QueueEntry>,
    attempts: u32,
    /// When it is too late, or a retry is due.
    due: SimTime,
    is_resting: bool,
}

/// The client.
#[derive(Clone, Debug)]
pub(in crate::components) struct QueueClient {
    cfg: QueueClientConfig,
    targets: Vec<Target>,
    calls: BTreeMap<u64, Call>,
    next_call: u64,
    pub counts: QueueCounts,
}

impl QueueClient {
    pub fn new(cfg: QueueClientConfig) -> Self {
        Self { next_call: cfg.first_call, cfg, targets: Vec::new(), calls: BTreeMap::new(), counts: QueueCounts::default() }
    }
    /// Another queue; its number is for [`Self::push`].
    pub fn add_target(&mut self, end: LinkEnd, is_fifo: bool) -> usize {
        self.targets.push(Target { end, is_fifo, pending: VecDeque::new(), calls: 0 });
        self.targets.len() - 1
    }
    pub fn is_fifo(&self, target: usize) -> bool {
        self.targets[target].is_fifo
    }
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }
    pub fn waiting(&self) -> usize {
        self.targets.iter().map(|target| target.pending.len()).sum()
    }

    /// Forgets every event that is not answered, and gives them back, each with whether it had been sent.
    pub fn abandon(&mut self) -> Vec<(EventMeta, bool)> {
        let calls = std::mem::take(&mut self.calls);
        let mut events: Vec<(EventMeta, bool)> =
            calls.into_values().flat_map(|call| call.entries).map(|entry| (entry.event, true)).collect();
        for target in &mut self.targets {
            target.calls = 0;
            events.extend(target.pending.drain(..).map(|(_, entry)| (entry.event, false)));
        }
        events
    }

    /// Takes an event.
    pub fn push(&mut self, now: SimTime, target: usize, entry: QueueEntry, out: &mut QueueOutput) {
        if self.targets[target].pending.len() >= self.cfg.buffer_max {
            self.counts.dropped += 1;
            let reason = Reason { code: "queue-full", detail: Some("the client's buffer is full".into()) };
            out.unsent.push((entry.event, Outcome::Dropped, reason));
            return;
        }
        self.targets[target].pending.push_back((now, entry));
        self.flush(now, target, out);
    }

    /// Sends batches that are full or have lingered.
    fn flush(&mut self, now: SimTime, number: usize, out: &mut QueueOutput) {
        loop {
            let target = &mut self.targets[number];
            let calls_max = if target.is_fifo { 1 } else { self.cfg.calls_max };
            let Some((oldest, _)) = target.pending.front() else { return };
            let is_due = target.pending.len() >= self.cfg.batch_max || *oldest + self.cfg.linger <= now;
            if !is_due || target.calls >= calls_max {
                return;
            }
            let mut bytes = 0u64;
            let mut entries: Vec<QueueEntry> = Vec::new();
            while entries.len() < self.cfg.batch_max.min(BATCH_MAX)
                && let Some((_, entry)) =
                    target.pending.pop_front_if(|(_, entry)| entries.is_empty() || bytes + u64::from(entry.size_bytes) <= BATCH_BYTES_MAX)
            {
                bytes += u64::from(entry.size_bytes);
                entries.push(entry);
            }
            target.calls += 1;
            self.send(now, number, entries, 0, out);
        }
    }

    fn send(&mut self, now: SimTime, target: usize, mut entries: Vec<QueueEntry>, attempts: u32, out: &mut QueueOutput) {
        let attempts = attempts + 1;
        entries.iter_mut().for_each(|entry| entry.attempt = attempts);
        self.counts.retried += if attempts > 1 { entries.len() as u64 } else { 0 };
        let number = self.next_call;
        self.next_call += 1;
        let call = CallId(u64::from(self.cfg.call_tag) << 56 | number);
        out.requests.push((self.targets[target].end, QueueRequest { call, body: QueueCall::Send(entries.clone()) }));
        self.calls.insert(number, Call { target, entries, attempts, due: now + self.cfg.timeout, is_resting: false });
    }

    /// A queue has answered; answers after the timeout are ignored.
    pub fn on_reply(&mut self, now: SimTime, reply: &QueueReply, out: &mut QueueOutput) {
        let number = reply.call.0 & !(0xff << 56);
        let Some(call) = self.calls.remove(&number) else { return };
        let target = call.target;
        match &reply.result {
            Err(QueueError::BatchRequestTooLong) if call.entries.len() > 1 => self.halve(now, call, out),
            result => {
                let of_entry = |index: usize| match result {
                    Ok(QueueResult::Entries(results)) => results.get(index).copied().unwrap_or(Ok(())),
                    Ok(QueueResult::Messages(_)) => Ok(()),
                    Err(error) => Err(*error),
                };
                let mut again = Vec::new();
                for (index, entry) in call.entries.into_iter().enumerate() {
                    match of_entry(index) {
                        Ok(()) => {
                            self.counts.accepted += 1;
                            out.accepted.extend(self.cfg.report_acks.then_some(entry.event));
                        }
                        Err(error) if error.is_passing() && call.attempts <= self.cfg.retries_max => again.push(entry),
                        Err(error) => self.reject(&entry, error, out),
                    }
                }
                self.rest_or_end(now, target, again, call.attempts);
            }
        }
        self.flush(now, target, out);
    }

    fn reject(&mut self, entry: &QueueEntry, error: QueueError, out: &mut QueueOutput) {
        self.counts.rejected += 1;
        let reason = Reason { code: code_of(error), detail: Some(format!("the queue answered {error}").into()) };
        out.unsent.push((entry.event, Outcome::Rejected, reason));
    }

    /// A batch too large for the queue goes again in halves.
    fn halve(&mut self, now: SimTime, call: Call, out: &mut QueueOutput) {
        let mut first = call.entries;
        let second = first.split_off(first.len() / 2);
        self.targets[call.target].calls += 1;
        for half in [first, second] {
            self.send(now, call.target, half, call.attempts - 1, out);
        }
    }

    /// What must be sent again rests; with nothing left the call is over.
    fn rest_or_end(&mut self, now: SimTime, target: usize, entries: Vec<QueueEntry>, attempts: u32) {
        if entries.is_empty() {
            self.targets[target].calls -= 1;
            return;
        }
        let backoff = self.cfg.backoff.times((1 << attempts.saturating_sub(1).min(32)).min(BACKOFF_GROWTH_MAX));
        self.calls.insert(self.next_call, Call { target, entries, attempts, due: now + backoff, is_resting: true });
        self.next_call += 1;
    }

    /// Does what is due: timeouts, retries, batches that have lingered.
    pub fn on_wake(&mut self, now: SimTime, out: &mut QueueOutput) {
        let due: Vec<u64> = self.calls.iter().filter(|(_, call)| call.due <= now).map(|(number, _)| *number).collect();
        for number in due {
            let Some(call) = self.calls.remove(&number) else { continue };
            if call.is_resting {
                self.send(now, call.target, call.entries, call.attempts, out);
            } else if call.attempts <= self.cfg.retries_max {
                self.rest_or_end(now, call.target, call.entries, call.attempts);
            } else {
                self.give_up(call, out);
            }
        }
        for target in 0..self.targets.len() {
            self.flush(now, target, out);
        }
    }

    fn give_up(&mut self, call: Call, out: &mut QueueOutput) {
        self.targets[call.target].calls -= 1;
        self.counts.abandoned += call.entries.len() as u64;
        let words = format!("no answer within {}, {} attempts", self.cfg.timeout, call.attempts);
        for entry in call.entries {
            out.unsent.push((entry.event, Outcome::Abandoned, Reason { code: "timeout", detail: Some(words.clone().into()) }));
        }
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        let calls = self.calls.values().map(|call| call.due);
        let calls_max = |target: &Target| if target.is_fifo { 1 } else { self.cfg.calls_max };
        let free = self.targets.iter().filter(|target| target.calls < calls_max(target));
        let lingering = free.filter_map(|target| target.pending.front().map(|(since, _)| *since + self.cfg.linger));
        calls.chain(lingering).min().unwrap_or(SimTime::MAX)
    }
}

/// A stable code for a refusal.
fn code_of(error: QueueError) -> &'static str {
    match error {
        QueueError::RequestThrottled | QueueError::OverLimit => "rate-limit",
        QueueError::MissingParameter => "message-group",
        QueueError::NonExistentQueue => "no-queue",
        _ => "too-large",
    }
}
