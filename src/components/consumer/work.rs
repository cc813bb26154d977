//! Workers: polls, service, failures, dead letters, and the end of each obligation.

use super::intake::Received;
use super::sim::Consumer;
use crate::engine::Ctx;
use crate::event::{Ended, EventId, Fact, HopKind, ObligationEnd, Reason};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{CommitMode, ConsumerClient, Outgoing};
use crate::units::{SimDuration, SimTime};

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
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingLetter {
    event: EventId,
    pub instance: usize,
    worker: u32,
}

impl Consumer {
    /// Hands records to free workers, poll by poll.
    pub fn serve(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        loop {
            let instance = &self.instances[index];
            if instance.busy >= self.concurrency
                || instance.condition.is_suspended()
                || instance.awaiting_commit
                || self.waits_for_transaction(ctx, index)
            {
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
            self.station.begin(ctx.now);
            if record.refused.is_some() {
                self.refuse(ctx, index, record);
            } else {
                self.begin(ctx, index, record);
            }
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

    fn begin(&mut self, ctx: &mut Ctx<'_>, index: usize, record: Received) {
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
            self.attempt_failed(ctx, index, number)
        } else if self.handler.is_some() {
            self.handle(ctx, index, number)
        } else {
            self.finish_attempt(ctx, index, number)
        };
        if next == Next::Serve {
            self.resume(ctx, index);
        }
    }

    /// Rests before the next attempt, or gives up.
    pub fn attempt_failed(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) -> Next {
        let worker = &mut self.instances[index].workers[number as usize];
        let Some(work) = &mut worker.work else { return Next::Wait };
        if work.attempts < self.max_attempts || self.on_failure == OnFailure::RetryForever {
            work.state = State::Resting;
            ctx.timer_after(self.retry_backoff, Self::worker_token(index, number, worker.generation));
            return Next::Wait;
        }
        self.fail(ctx, index, number);
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
        if let Some(record) = self.table.is_some().then(|| work.record.clone()) {
            self.tabulate(&record);
        }
        self.tell_end(ctx, index, Fact::Ended(ended));
        self.release(ctx, index, number);
    }

    /// The last attempt has failed.
    fn fail(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) {
        self.counts.failed += 1;
        if self.on_failure == OnFailure::DeadLetter && self.dead_letters.is_some() {
            let Some(work) = &mut self.instances[index].workers[number as usize].work else { return };
            work.state = State::Writing;
            let record = work.record.clone();
            self.letters.push(PendingLetter { event: record.meta.id, instance: index, worker: number });
            self.write_letter(ctx, &record);
            self.letters_settled(ctx);
            return;
        }
        self.give_up(ctx, index, number, "attempts", "skipped");
    }

    /// No attempt can help.
    pub fn fail_for(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, reason: &Reason) {
        if self.on_failure == OnFailure::DeadLetter && self.dead_letters.is_some() {
            return self.fail(ctx, index, number);
        }
        self.counts.failed += 1;
        let Some(work) = &self.instances[index].workers[number as usize].work else { return };
        let fact = self.end_with(ctx, work, ObligationEnd::FailedSkipped, reason.clone());
        self.tell_end(ctx, index, fact);
        self.release(ctx, index, number);
    }

    fn give_up(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, code: &'static str, verb: &str) {
        let Some(work) = &self.instances[index].workers[number as usize].work else { return };
        let words = format!("failed {}, {verb}", times(work.attempts));
        let fact = self.end_with(ctx, work, ObligationEnd::FailedSkipped, Reason { code, detail: Some(words.into()) });
        self.tell_end(ctx, index, fact);
        self.release(ctx, index, number);
    }

    /// A record that cannot be decoded takes no service; a copy goes to the dead letters.
    fn refuse(&mut self, ctx: &mut Ctx<'_>, index: usize, mut record: Received) {
        let Some(reason) = record.refused.take() else { return };
        self.station.finish(ctx.now);
        self.counts.rejected += 1;
        self.instances[index].clients[record.client].done(record.epoch, record.slot, record.offset);
        if self.on_failure == OnFailure::DeadLetter {
            self.write_letter(ctx, &record);
        }
        let words = format!("rejected by {}: {}", self.member(index), reason.detail.as_deref().unwrap_or(reason.code));
        self.hop(ctx, &record, HopKind::Rejected, ctx.now, words);
        let ended = self.ended(ctx, &record, ctx.now, ObligationEnd::RejectedAtConsumer);
        self.tell_end(ctx, index, Fact::EndedWith(Box::new((ended, *reason))));
    }

    fn write_letter(&mut self, ctx: &mut Ctx<'_>, record: &Received) {
        const HEADERS_BYTES: u32 = 200;
        let Some(client) = &mut self.dead_letters else { return };
        let (value, key) = (record.value(), record.key());
        let outgoing = Outgoing {
            meta: record.meta,
            key: key.as_deref(),
            value: Some(&value),
            extra_header_bytes: HEADERS_BYTES,
            traced: ctx.tracing.takes(record.meta.id),
        };
        client.push(ctx.now, 0, &outgoing, &mut self.letters_out);
        self.flush_letters(ctx);
    }

    /// Goes on with workers whose dead letter was acknowledged, or could not be written.
    pub fn letters_settled(&mut self, ctx: &mut Ctx<'_>) {
        let acked = std::mem::take(&mut self.letters_out.acked);
        let unsent = std::mem::take(&mut self.letters_out.unsent);
        for batch in &acked {
            for event in events(&batch.batch) {
                let Some(letter) = self.take_letter(event.id) else { continue };
                let Some(work) = &self.instances[letter.instance].workers[letter.worker as usize].work else { continue };
                self.counts.dead_lettered += 1;
                let words = format!("failed {}, dead-lettered", times(work.attempts));
                let reason = Reason { code: "attempts", detail: Some(words.into()) };
                let fact = self.end_with(ctx, work, ObligationEnd::DeadLettered, reason);
                self.tell_end(ctx, letter.instance, fact);
                self.release(ctx, letter.instance, letter.worker);
                self.resume(ctx, letter.instance);
            }
        }
        for letter in unsent {
            if let Some(letter) = self.take_letter(letter.event.id) {
                self.give_up(ctx, letter.instance, letter.worker, "dead-letter", "its dead letter could not be written, skipped");
                self.resume(ctx, letter.instance);
            }
        }
        self.flush_letters(ctx);
    }

    pub fn resume(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.serve(ctx, index);
        self.fetch_and_drain(ctx, index);
    }

    fn take_letter(&mut self, event: EventId) -> Option<PendingLetter> {
        let at = self.letters.iter().position(|letter| letter.event == event)?;
        Some(self.letters.remove(at))
    }

    /// Frees a worker; its record needs no more work.
    pub fn release(&mut self, ctx: &Ctx<'_>, index: usize, number: u32) {
        let instance = &mut self.instances[index];
        let worker = &mut instance.workers[number as usize];
        let Some(Work { record, .. }) = &worker.work else { return };
        instance.clients[record.client].done(record.epoch, record.slot, record.offset);
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
            group: self.group_of(record.client),
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
