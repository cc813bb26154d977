//! What a consumer does with an event beyond taking its time: the seam at which a service hangs its logic.
//!
//! ```text
//! record ─► begin (reads, waits) ─► service time ─► step ─► wait │ publish │ done │ failed
//!                                                    ▲──────┴────────┘
//! ```
//!
//! In: tasks, one for each busy worker. Out: [`Step`]s, which the consumer carries out; events that are made go out through
//! its results' client, or through the outbox. Must not know: what the logic is. Start at [`Handler`].

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;

use super::encoders::Encoders;
use super::outbox::{Outbox, Relay};
use super::results::Results;
use super::schemas::Reader;
use super::sim::Consumer;
use super::work::{Next, State};
use crate::components::producer::telling::hop;
use crate::engine::{Ctx, Figures, Input};
use crate::event::{Answer, EventId, EventMeta, Fact, Hop, HopKind, Message, Query, Reason, TableShape};
use crate::machines::broker::client::Outgoing;
use crate::machines::codec::Schema;
use crate::units::{EventTypeIx, SimDuration, SimTime, TopicIx};

/// A worker of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::components) struct WorkerId {
    pub instance: u32,
    pub worker: u32,
}

/// An event that a worker is at.
#[derive(Debug)]
pub(in crate::components) struct Task<'a> {
    pub worker: WorkerId,
    pub event: EventMeta,
    pub topic: TopicIx,
    pub partition: u32,
    pub offset: u64,
    pub key: Option<Bytes>,
    pub value: Bytes,
    reader: Option<&'a Reader>,
    encoders: Option<&'a Encoders>,
}

impl Task<'_> {
    /// The payload by its registered schema, where there is one.
    pub fn decoded(&self) -> Option<Json> {
        self.reader?.decode(&self.value)
    }
    /// That schema.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        self.reader?.schema_of(&self.value)
    }
    /// What events are written with, for [`encoded`].
    pub fn encoders(&self) -> Option<&Encoders> {
        self.encoders
    }
    /// The same value by the schema of another type; the same bytes where that has none.
    ///
    /// # Errors
    /// Why it does not fit.
    pub fn written_again(&self, ty: EventTypeIx) -> Result<Bytes, Reason> {
        let Some(encoders) = self.encoders.filter(|encoders| encoders.has(ty)) else { return Ok(self.value.clone()) };
        let value = self.decoded().or_else(|| serde_json::from_slice(&self.value).ok()).unwrap_or_default();
        encoders.encode(ty, &value)
    }
}

/// An event's bytes by the schema of its type; its JSON where it has none.
///
/// # Errors
/// Why it does not fit.
pub(in crate::components) fn encoded(encoders: Option<&Encoders>, ty: EventTypeIx, json: &[u8]) -> Result<Bytes, Reason> {
    let value = || serde_json::from_slice::<Json>(json).unwrap_or_default();
    let by_schema = encoders.filter(|encoders| encoders.has(ty)).map(|encoders| encoders.encode(ty, &value()));
    by_schema.unwrap_or_else(|| Ok(Bytes::copy_from_slice(json)))
}

/// An event that a handler has made.
#[derive(Clone, Debug)]
pub(in crate::components) struct Draft {
    /// Which of the linked topics.
    pub way: usize,
    pub ty: EventTypeIx,
    pub key: Option<Bytes>,
    pub value: Bytes,
    /// What it was made from.
    pub parent: EventMeta,
}

/// What a worker does next.
#[derive(Debug)]
pub(in crate::components) enum Step {
    /// Waits, then goes on.
    Wait(SimDuration),
    /// Writes these to their topics, and goes on once all are acknowledged.
    Publish(Vec<Draft>),
    /// The event is processed; these go into the outbox, in the same instant as what the handler has just stored.
    Done(Vec<Draft>),
    /// Waits until the handler says by [`Handler::woken`] that it can go on.
    Hold,
    /// The event stands elsewhere now, in these words.
    Forwarded(String),
    /// Its instance cannot go on behind this event: it gives back what it holds, and leaves the group.
    Stop(Reason),
    /// It could not be; `again` allows another attempt.
    Failed { reason: Reason, again: bool },
}

impl Step {
    /// The event is processed, and nothing is made of it.
    pub fn done() -> Self {
        Self::Done(Vec::new())
    }
}

/// A service's logic. Its state is the service's database: an instance's crash does not touch it.
pub(in crate::components) trait Handler: std::fmt::Debug + Send + Sync {
    /// Work on an event begins, for the first time or again: how much longer than the service time it takes.
    fn begin(&mut self, task: &Task<'_>) -> SimDuration;
    /// A wait is over, or what was to be written is written.
    fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step;
    /// A worker leaves its event where it is.
    fn abandon(&mut self, ctx: &mut Ctx<'_>, worker: WorkerId);
    /// So many instances are up now; one of them, if it is named, is just gone with all that it was at.
    fn instances(&mut self, ctx: &mut Ctx<'_>, up: usize, lost: Option<usize>) {
        let _ = (ctx, up, lost);
    }
    /// An instance's process has ended, after a crash or at the end of its work, and its memory with it; its workers have
    /// left their events before.
    fn instance_over(&mut self, instance: u32) {
        let _ = instance;
    }
    /// A timer that it set with [`timer`]; what it makes goes to the outbox.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64, encoders: Option<&Encoders>) -> Vec<Draft> {
        let _ = (ctx, token, encoders);
        Vec::new()
    }
    /// A message that no client of the consumer has asked for; given back when it is nobody's.
    fn take(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        let _ = ctx;
        Some(message)
    }
    /// Workers on hold that can go on, since it was last asked.
    fn woken(&mut self) -> Vec<WorkerId> {
        Vec::new()
    }
    /// An intervention that it understands; none when it is the consumer's.
    fn input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Option<Result<After, String>> {
        let _ = (ctx, input);
        None
    }
    fn figures(&self, out: &mut Figures);
    fn read_model(&self) -> Option<TableShape> {
        None
    }
    fn browse(&self, query: &Query) -> Option<Answer> {
        let _ = query;
        None
    }
    fn clone_box(&self) -> Box<dyn Handler>;
}

/// What the consumer does after an intervention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::components) enum After {
    Nothing,
    /// Reads everything again from the beginning.
    ReadAgain,
}

impl Clone for Box<dyn Handler> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// A handler's timers: low byte of their tokens.
pub(super) const TOKEN_HANDLER: u64 = 5;

/// Asks for [`Handler::on_timer`].
pub(in crate::components) fn timer(ctx: &mut Ctx<'_>, at: SimTime, token: u64) {
    debug_assert!(token < 1 << 56, "the consumer needs a byte of it");
    ctx.timer_at(at, TOKEN_HANDLER | token << 8);
}

impl Consumer {
    /// Gives it its logic.
    pub(super) fn handled_by(mut self, handler: Box<dyn Handler>, relay: Relay, encoders: Option<Encoders>) -> Self {
        self.encoders = encoders;
        self.handler = Some(handler);
        self.outbox = Outbox::new(relay);
        self
    }

    /// Calls the handler about what a worker is at.
    fn ask<R>(
        &mut self,
        ctx: &mut Ctx<'_>,
        index: usize,
        number: u32,
        ask: impl FnOnce(&mut dyn Handler, &mut Ctx<'_>, &Task<'_>) -> R,
    ) -> Option<R> {
        let handler = self.handler.as_mut()?;
        let record = &self.instances[index].workers[number as usize].work.as_ref()?.record;
        let task = Task {
            worker: WorkerId { instance: index as u32, worker: number },
            event: record.meta,
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            key: record.key(),
            value: record.value(),
            reader: self.reader.as_ref(),
            encoders: self.encoders.as_ref(),
        };
        Some(ask(handler.as_mut(), ctx, &task))
    }

    /// Work on an event begins: what the handler's part of it takes.
    pub(super) fn begin_handling(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) -> SimDuration {
        self.ask(ctx, index, number, |handler, _, task| handler.begin(task)).unwrap_or(SimDuration::ZERO)
    }

    /// Goes on with an event as far as the handler can.
    pub(super) fn handle(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) -> Next {
        if self.outbox.is_full() {
            let reason = Reason { code: "outbox-full", detail: Some("its outbox is full".into()) };
            return self.attempt_failed(ctx, index, number, reason);
        }
        if self.encoders.as_ref().is_some_and(Encoders::is_waiting) {
            self.hold(index, number);
            return Next::Wait;
        }
        loop {
            let Some(step) = self.ask(ctx, index, number, |handler, ctx, task| handler.step(ctx, task)) else { return Next::Wait };
            match step {
                Step::Wait(span) => {
                    let worker = &mut self.instances[index].workers[number as usize];
                    if let Some(work) = &mut worker.work {
                        work.state = State::Serving;
                    }
                    let generation = worker.generation;
                    ctx.timer_after(span, Self::worker_token(index, number, generation));
                    return Next::Wait;
                }
                Step::Publish(drafts) => {
                    if self.publish(ctx, index, number, drafts) {
                        return Next::Wait;
                    }
                }
                Step::Done(drafts) => {
                    self.commit_to_outbox(ctx, drafts);
                    self.succeed(ctx, index, number);
                    return Next::Serve;
                }
                Step::Failed { reason, again: true } => return self.attempt_failed(ctx, index, number, reason),
                Step::Hold => {
                    self.stand_by(index, number);
                    return Next::Wait;
                }
                Step::Forwarded(words) => {
                    self.forwarded(ctx, index, number, &words);
                    return Next::Serve;
                }
                Step::Stop(reason) => {
                    self.stop_for(ctx, index, number, &reason);
                    return Next::Wait;
                }
                Step::Failed { reason, again: false } => {
                    self.fail(ctx, index, number, reason);
                    return Next::Serve;
                }
            }
        }
    }

    /// Writes a worker's events; false when there is nothing to wait for.
    pub(super) fn publish(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, drafts: Vec<Draft>) -> bool {
        let Some(results) = &mut self.results else { return false };
        if drafts.is_empty() {
            return false;
        }
        if let Some(work) = &mut self.instances[index].workers[number as usize].work {
            work.state = State::Writing;
        }
        let mut out = std::mem::take(&mut results.out);
        for draft in drafts {
            let meta = results.derive(ctx, &draft);
            let outgoing = Outgoing {
                meta,
                key: draft.key.as_deref(),
                value: Some(&draft.value),
                extra_header_bytes: results.header_bytes_of(draft.ty),
                traced: ctx.tracing.takes(meta.id),
            };
            let writer = results.writer(index);
            writer.waiting.push((meta.id.seq, number));
            writer.client.push(ctx.now, draft.way, &outgoing, &mut out);
        }
        results.out = out;
        // A client that refuses at once gives up the whole attempt; what it took is on its way.
        self.results_settled(ctx, index);
        true
    }

    /// A handler's timer.
    pub(super) fn handler_due(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let Some(handler) = &mut self.handler else { return };
        let drafts = handler.on_timer(ctx, token, self.encoders.as_ref());
        self.commit_to_outbox(ctx, drafts);
        self.wake_held(ctx);
    }

    /// An instance that is down has nothing left to do: its process ends.
    pub(super) fn end_process(&mut self, index: usize) {
        let instance = &self.instances[index];
        if !instance.up
            && instance.busy == 0
            && instance.polled == 0
            && let Some(handler) = &mut self.handler
        {
            handler.instance_over(index as u32);
        }
    }

    /// Workers that an instance had are gone.
    pub(super) fn abandon_handling(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let Some(handler) = &mut self.handler else { return };
        let busy = (0..).zip(&self.instances[index].workers).filter(|(_, worker)| worker.work.is_some());
        for (number, _) in busy {
            handler.abandon(ctx, WorkerId { instance: index as u32, worker: number });
        }
    }
}

impl Results {
    /// An event comes into being.
    pub(super) fn derive(&mut self, ctx: &mut Ctx<'_>, draft: &Draft) -> EventMeta {
        let id = EventId { producer: ctx.me, seq: self.take_seq() };
        let meta = EventMeta { id, event_type: draft.ty, born: ctx.now, root_born: draft.parent.root_born };
        ctx.fact(Fact::Derived(meta, draft.parent.id));
        if ctx.tracing.takes(id) {
            let words = format!("made from {}", self.name(draft.parent.id));
            let hop = hop(ctx, HopKind::Produced, meta.born, words.into());
            ctx.hop(meta, Hop { payload: Some(draft.value.clone()), key: draft.key.clone(), ..hop });
        }
        meta
    }
}
