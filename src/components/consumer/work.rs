//! Workers: polls, service, failures, dead letters, and the end of each obligation.

use super::intake::Received;
use super::retries::Destination;
use super::sim::Consumer;
use crate::engine::Ctx;
use crate::event::{Ended, EventId, Fact, HopKind, ObligationEnd, Reason};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{CommitMode, ConsumerClient, Outgoing};
use crate::units::{SimDuration, SimTime, TopicIx};

/// What becomes of an event whose attempts are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnFailure {
    DeadLetter,
    Skip,
    RetryForever,
}

/// One thread of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker {
    pub work: Option<Work>,
    pub generation: u32,
}

/// What a worker is at.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub record: Received,
    pub begun: SimTime,
    attempts: u32,
    pub state: State,
    /// Its handler is at it: the service time of this attempt is over.
    is_handled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Serving,
    /// Waits before the next attempt.
    Resting,
    /// Waits until its dead letter or its result is acknowledged.
    Writing,
}

/// What an instance does once an attempt is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Its worker is free, or another is.
    Serve,
    /// Nothing: the worker keeps its record.
    Wait,
}

/// A dead letter that a worker waits for.
#[derive(Clone, Debug)]
pub(super) struct PendingLetter {
    event: EventId,
    pub instance: usize,
    worker: u32,
    /// Why its event has failed.
    reason: Reason,
    to: Destination,
}

/// Why an attempt has failed that `failure_ratio` lets fail: nothing more is known of it.
const CHANCE: Reason = Reason { code: "attempts", detail: None };

impl Consumer {
    /// Hands records to free workers, poll by poll.
    pub fn serve(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        loop {
            let instance = &self.instances[index];
            if instance.condition.is_suspended() {
                return;
            }
            if self.serve_pool(ctx, index) {
                continue;
            }
            if !self.takes_more(index) || self.instances[index].awaiting_commit || self.waits_for_transaction(ctx, index) {
                return;
            }
            let instance = &self.instances[index];
            if instance.buffer.is_empty() {
                if instance.busy == 0 && self.commit == CommitMode::After {
                    // The poll's work is done: nothing is left to wait for.
                    self.commit_now(ctx, index);
                }
                return;
            }
            if instance.polled == 0 && (self.is_paused || !self.poll(ctx, index)) {
                return;
            }
            let instance = &mut self.instances[index];
            let record = instance.buffer.pop_front().expect("it was not empty, and a poll takes nothing away");
            instance.polled -= 1;
            self.hand_over(ctx, index, record);
        }
    }

    /// The next poll; false when its records must wait for a commit.
    fn poll(&mut self, ctx: &mut Ctx<'_>, index: usize) -> bool {
        // What is committed before its work, or together with it, must not begin while a member can commit nothing.
        let commits_with_work = matches!(self.commit, CommitMode::Before | CommitMode::Transaction);
        if commits_with_work && self.instances[index].clients.iter().any(ConsumerClient::must_wait_to_commit) {
            return false;
        }
        self.counts.polls += 1;
        match self.commit {
            CommitMode::Auto => self.auto_commit(ctx, index),
            CommitMode::After => {
                self.commit_now(ctx, index);
            }
            CommitMode::Before => {}
            CommitMode::Transaction => {
                if !self.begin_transaction(ctx, index) {
                    return false;
                }
            }
        }
        let instance = &mut self.instances[index];
        // A commit may find that the group has moved on, which empties the buffer.
        instance.polled = self.poll_size.min(instance.buffer.len());
        instance.poll_due = ctx.now + self.max_poll_interval;
        if self.commit == CommitMode::Before {
            for record in instance.buffer.iter().take(instance.polled) {
                instance.clients[record.client].polled(record.epoch, record.slot, record.offset);
            }
            let under_way = self.commit_now(ctx, index);
            self.instances[index].awaiting_commit = under_way;
            return !under_way;
        }
        instance.polled > 0
    }

    pub fn begin(&mut self, ctx: &mut Ctx<'_>, index: usize, record: Received) {
        let service = self.service_of(index) + record.unpacking;
        let instance = &mut self.instances[index];
        let number = instance.free.pop().unwrap_or_else(|| {
            instance.workers.push(Worker::default());
            (instance.workers.len() - 1) as u32
        });
        let worker = &mut instance.workers[number as usize];
        worker.work = Some(Work { record, begun: ctx.now, attempts: 1, state: State::Serving, is_handled: false });
        instance.busy += 1;
        let token = Self::worker_token(index, number, worker.generation);
        let handling = self.begin_handling(ctx, index, number);
        ctx.timer_after(service.plus(handling), token);
    }

    /// How long an instance needs for the next event.
    fn service_of(&mut self, index: usize) -> SimDuration {
        let service = self.service_time.sample(&mut self.service_rng);
        let factor = self.instances[index].condition.factor;
        if factor == 1.0 { service } else { service.scaled(factor) }
    }

    /// A worker's timer: its service or its rest is over.
    pub fn worker_due(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, generation: u32) {
        let worker = &mut self.instances[index].workers[number as usize];
        if worker.generation != generation {
            return;
        }
        let Some(work) = &mut worker.work else { return };
        if work.state == State::Resting {
            work.state = State::Serving;
            work.is_handled = false;
            work.attempts += 1;
            self.counts.retried += 1;
            let service = self.service_of(index).plus(self.begin_handling(ctx, index, number));
            ctx.timer_after(service, Self::worker_token(index, number, generation));
            return;
        }
        let is_first = !std::mem::replace(&mut work.is_handled, self.handler.is_some());
        let next = if is_first && self.failure_rng.chance(self.failure_ratio) {
            self.attempt_failed(ctx, index, number, CHANCE)
        } else if self.handler.is_some() {
            self.handle(ctx, index, number)
        } else {
            self.finish_attempt(ctx, index, number)
        };
        if next == Next::Serve {
            self.resume(ctx, index);
        }
    }

    /// Rests before the next attempt, leaves for a retry topic, or is given up for the reason of the last one.
    pub fn attempt_failed(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, reason: Reason) -> Next {
        let worker = &mut self.instances[index].workers[number as usize];
        let Some(work) = &mut worker.work else { return Next::Wait };
        if work.record.from_queue.is_some() {
            return self.message_failed(ctx, (index, number), &reason);
        }
        let stays = self.retries.is_none() && (work.attempts < self.max_attempts || self.on_failure == OnFailure::RetryForever);
        if stays {
            work.state = State::Resting;
            ctx.timer_after(self.retry_backoff, Self::worker_token(index, number, worker.generation));
            return Next::Wait;
        }
        let to = self.destination(index, number, true);
        self.send_away(ctx, (index, number), reason, to);
        Next::Serve
    }

    pub fn succeed(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) {
        let Some(work) = &self.instances[index].workers[number as usize].work else { return };
        self.counts.processed += 1;
        let ended = self.ended(ctx, &work.record, work.begun, ObligationEnd::Delivered);
        if ctx.tracing.takes(work.record.meta.id) {
            let tries = if work.attempts > 1 { format!(", attempt {}", work.attempts) } else { String::new() };
            let words = format!("processed by {} after {}{tries}", self.member(index), shown(ctx.now.since(work.begun)));
            self.hop(ctx, &work.record, HopKind::Processed, work.begun, words);
        }
        let from = work.record.from_queue.clone();
        if let Some(record) = self.table.is_some().then(|| work.record.clone()) {
            self.tabulate(&record);
        }
        self.tell_end(ctx, index, Fact::Ended(ended));
        if let Some(from) = from {
            self.delete_message(ctx, index, &from);
        }
        self.release(ctx, index, number);
    }

    /// What a worker is at, and since when.
    pub fn work_of(&self, index: usize, number: u32) -> Option<(Received, SimTime)> {
        let work = self.instances[index].workers[number as usize].work.as_ref()?;
        Some((work.record.clone(), work.begun))
    }

    /// No attempt can help.
    pub fn fail(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, reason: Reason) {
        if self.queues.is_some() {
            self.message_failed(ctx, (index, number), &reason);
            return;
        }
        let to = self.destination(index, number, false);
        self.send_away(ctx, (index, number), reason, to);
    }

    /// Where the event goes that a worker cannot process.
    fn destination(&self, index: usize, number: u32, helps: bool) -> Destination {
        let work = self.instances[index].workers[number as usize].work.as_ref();
        work.map_or(Destination::None, |work| self.destination_of(&work.record, helps))
    }

    fn destination_of(&self, record: &Received, helps: bool) -> Destination {
        match &self.retries {
            Some(retries) => retries.next_of(record, helps),
            None if self.on_failure == OnFailure::DeadLetter && self.dead_letters.is_some() => Destination::DeadLetters { way: 0 },
            None => Destination::None,
        }
    }

    fn send_away(&mut self, ctx: &mut Ctx<'_>, (index, number): (usize, u32), reason: Reason, to: Destination) {
        self.counts.failed += u64::from(!matches!(to, Destination::Retry { .. }));
        if to == Destination::None {
            return self.give_up(ctx, (index, number), ObligationEnd::FailedSkipped, &reason, "skipped");
        }
        let Some(work) = &mut self.instances[index].workers[number as usize].work else { return };
        work.state = State::Writing;
        let record = work.record.clone();
        self.write_letter(ctx, &record, &to);
        self.letters.push(PendingLetter { event: record.meta.id, instance: index, worker: number, reason, to });
        self.letters_settled(ctx);
    }

    /// An event ends without having been processed: what became of it instead, and why.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, (index, number): (usize, u32), end: ObligationEnd, reason: &Reason, instead: &str) {
        let Some(work) = &self.instances[index].workers[number as usize].work else { return };
        let why = reason.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let tries = match &self.retries {
            Some(retries) => format!("at try {}", retries.attempt_of(&work.record)),
            None => times(work.attempts),
        };
        let words = format!("failed {tries}{why}, {instead}");
        let fact = self.end_with(ctx, work, end, Reason { code: reason.code, detail: Some(words.into()) });
        self.tell_end(ctx, index, fact);
        self.release(ctx, index, number);
    }

    /// A record that cannot be decoded, or that nobody has room for, takes no service; a copy goes to the dead letters.
    pub fn refuse(&mut self, ctx: &mut Ctx<'_>, index: usize, mut record: Received) {
        let Some(reason) = record.refused.take() else { return };
        self.station.finish(ctx.now);
        self.counts.rejected += 1;
        self.instances[index].clients[record.client].done(record.epoch, record.slot, record.offset);
        let to = self.destination_of(&record, false);
        self.write_letter(ctx, &record, &to);
        self.forget_retries(record.topic, record.meta.id);
        let words = format!("rejected by {}: {}", self.member(index), reason.detail.as_deref().unwrap_or(reason.code));
        self.hop(ctx, &record, HopKind::Rejected, ctx.now, words);
        let ended = self.ended(ctx, &record, ctx.now, ObligationEnd::RejectedAtConsumer);
        self.tell_end(ctx, index, Fact::EndedWith(Box::new((ended, *reason))));
    }

    /// Writes a failed event to where it goes: a copy, with headers that say why.
    fn write_letter(&mut self, ctx: &mut Ctx<'_>, record: &Received, to: &Destination) {
        const HEADERS_BYTES: u32 = 200;
        let (Some(way), Some(client)) = (to.way(), &mut self.dead_letters) else { return };
        if let Some(retries) = &mut self.retries {
            retries.note(ctx.now, record.meta.id, to);
        }
        if to.is_topic(record.topic) {
            ctx.fact(Fact::Renewed { topic: record.topic, event: record.meta.id });
        }
        let (value, key) = (record.value(), record.key());
        let outgoing = Outgoing {
            meta: record.meta,
            key: key.as_deref(),
            value: Some(&value),
            extra_header_bytes: HEADERS_BYTES,
            traced: ctx.tracing.takes(record.meta.id),
        };
        client.push(ctx.now, way, &outgoing, &mut self.letters_out);
        self.flush_letters(ctx);
    }

    /// Goes on with workers whose dead letter was acknowledged, or could not be written.
    pub fn letters_settled(&mut self, ctx: &mut Ctx<'_>) {
        let acked = std::mem::take(&mut self.letters_out.acked);
        let unsent = std::mem::take(&mut self.letters_out.unsent);
        for batch in &acked {
            for event in events(&batch.batch) {
                let Some(letter) = self.take_letter(event.id) else { continue };
                self.letter_written(ctx, &letter);
                self.resume(ctx, letter.instance);
            }
        }
        for unsent in unsent {
            if let Some(letter) = self.take_letter(unsent.event.id) {
                let at = (letter.instance, letter.worker);
                let (code, instead) = match &letter.to {
                    Destination::Retry { name, .. } => ("retry-topic", format!("could not be written to {name}, skipped")),
                    _ => ("dead-letter", "its dead letter could not be written, skipped".to_owned()),
                };
                self.give_up(ctx, at, ObligationEnd::FailedSkipped, &Reason { code, ..letter.reason }, &instead);
                self.resume(ctx, letter.instance);
            }
        }
        self.flush_letters(ctx);
    }

    /// A failed event stands where it was to go.
    fn letter_written(&mut self, ctx: &mut Ctx<'_>, letter: &PendingLetter) {
        let PendingLetter { instance, worker, reason, to, .. } = letter;
        match to {
            Destination::Retry { topic, name, attempt, .. } => {
                if let Some(retries) = &mut self.retries {
                    retries.forwarded += 1;
                }
                let Some(work) = &self.instances[*instance].workers[*worker as usize].work else { return };
                if *topic == work.record.topic {
                    // It is still owed in that topic: nothing has ended.
                    let words = format!("failed at try {}, once more to {name}", attempt - 1);
                    self.hop(ctx, &work.record, HopKind::Processed, work.begun, words);
                    return self.put_down(ctx, *instance, *worker);
                }
                let instead = format!("written to {name}");
                self.give_up(ctx, (*instance, *worker), ObligationEnd::Forwarded, reason, &instead);
            }
            Destination::DeadLetters { .. } | Destination::None => {
                self.counts.dead_lettered += 1;
                self.give_up(ctx, (*instance, *worker), ObligationEnd::DeadLettered, reason, "dead-lettered");
            }
        }
    }

    pub fn resume(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.serve(ctx, index);
        self.fetch_and_drain(ctx, index);
    }

    fn take_letter(&mut self, event: EventId) -> Option<PendingLetter> {
        let at = self.letters.iter().position(|letter| letter.event == event)?;
        Some(self.letters.remove(at))
    }

    /// Frees a worker; its event is over with.
    pub fn release(&mut self, ctx: &Ctx<'_>, index: usize, number: u32) {
        if let Some(work) = &self.instances[index].workers[number as usize].work {
            self.forget_retries(work.record.topic, work.record.meta.id);
        }
        self.put_down(ctx, index, number);
    }

    fn forget_retries(&mut self, topic: TopicIx, event: EventId) {
        if let Some(retries) = &mut self.retries {
            retries.forget(topic, event);
        }
    }

    /// Frees a worker; its record needs no more work.
    pub fn put_down(&mut self, ctx: &Ctx<'_>, index: usize, number: u32) {
        let instance = &mut self.instances[index];
        let worker = &mut instance.workers[number as usize];
        let Some(Work { record, .. }) = &worker.work else { return };
        if record.from_queue.is_none() {
            instance.clients[record.client].done(record.epoch, record.slot, record.offset);
        }
        worker.work = None;
        instance.free.push(number);
        instance.busy -= 1;
        self.station.finish(ctx.now);
    }

    fn end_with(&self, ctx: &mut Ctx<'_>, work: &Work, end: ObligationEnd, reason: Reason) -> Fact {
        let words = reason.detail.as_deref().unwrap_or(reason.code).to_owned();
        self.hop(ctx, &work.record, HopKind::Processed, work.begun, words);
        Fact::EndedWith(Box::new((self.ended(ctx, &work.record, work.begun, end), reason)))
    }

    pub fn ended(&self, ctx: &Ctx<'_>, record: &Received, begun: SimTime, end: ObligationEnd) -> Ended {
        Ended {
            component: ctx.me,
            group: self.group_of_record(record),
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            event: record.meta,
            waited: begun.since(record.arrived),
            end,
        }
    }

    pub fn member(&self, index: usize) -> String {
        format!("{}#{}", self.group_name, index + 1)
    }
}

fn times(attempts: u32) -> String {
    match attempts {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

/// Rounded to what a person reads.
fn shown(span: SimDuration) -> String {
    format!("{:.1} ms", span.as_ms_f64())
}
