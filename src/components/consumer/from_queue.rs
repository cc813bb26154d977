//! A consumer with a handler that reads queues: messages come into the same buffer as records, and leave to the queue's rules.
//!
//! ```text
//! receive ─► inbox ─decode─► buffer ─► workers ─ done ─► delete
//!                                          └─ failed ─► left to the queue, which shows it again or buries it
//! ```
//!
//! A message that comes once more is the same event: what a handler keeps of events it has done (deduplication) knows it.
//! In: messages. Out: receives, deletes, visibility changes. Must not know: the queue from the inside, the handler. Start at
//! [`Consumer::receive`]; a consumer without a handler is `queue/`, whose calls and heartbeats these are.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::intake::Received;
use super::queue::spec::{self, CallSettings};
use super::queue::{Answered, Caller, Calls, Heartbeats, Receiver, Source, rest_after, sources};
use super::schemas::Verdict;
use super::sim::Consumer;
use super::work::Next;
use crate::components::alarm::Alarm;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, Figures};
use crate::event::{HopKind, Message, QueueMessage, QueueReply, Reason, Receipt, ReceiveCall};
use crate::machines::broker::batch::{records, value_bytes};
use crate::machines::broker::fanout::envelope;
use crate::units::{SimDuration, SimTime, TopicIx, UnitError};

/// Low bytes of timer tokens.
pub(super) const TOKEN_QUEUE: u64 = 7;
pub(super) const TOKEN_RECEIVE: u64 = 8;

/// What a consumer knows of its queues.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    pub sources: Vec<Source>,
    calls: Calls,
    receive: ReceiveCall,
    heartbeats: Heartbeats,
    failed_visibility: Option<SimDuration>,
    /// By instance.
    inboxes: Vec<Inbox>,
    alarm: Alarm,
    receives: u64,
    empty_receives: u64,
    beats: u64,
}

/// What one instance has received and not decoded.
#[derive(Clone, Debug, Default)]
struct Inbox {
    /// Counts its lives: answers to an earlier one are stale.
    life: u32,
    /// By source: a receive is under way, or rests.
    receiving: Vec<bool>,
    messages: VecDeque<Received>,
}

/// Where a message came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FromQueue {
    /// Which of the queues.
    pub source: usize,
    pub receipt: Receipt,
    /// Its message group.
    group: Option<Bytes>,
}

impl Queues {
    /// None where no queue is linked.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<Self> {
        if !spec::reads_queue(ctx) {
            return None;
        }
        let (sources, ends): (Vec<Source>, Vec<_>) = sources(ctx, params).into_iter().unzip();
        let settings = CallSettings::new(params);
        Some(Self {
            calls: Calls::new(ends, settings.delete_linger),
            sources,
            receive: settings.receive,
            heartbeats: Heartbeats::new(settings.heartbeat),
            failed_visibility: settings.failed_visibility,
            inboxes: Vec::new(),
            alarm: Alarm::default(),
            receives: 0,
            empty_receives: 0,
            beats: 0,
        })
    }

    fn inbox(&mut self, index: usize) -> &mut Inbox {
        let sources = self.sources.len();
        while self.inboxes.len() <= index {
            self.inboxes.push(Inbox { receiving: vec![false; sources], ..Inbox::default() });
        }
        &mut self.inboxes[index]
    }

    pub fn figures(&self, out: &mut Figures) {
        out.counter("receives_count", self.receives);
        out.counter("empty_receives_count", self.empty_receives);
        out.counter("heartbeats_count", self.beats);
    }

    /// Settings that may change while it runs; none when it is no such setting.
    pub fn set(&mut self, param: &str, text: &str) -> Option<Result<(), String>> {
        let place = match param {
            "receive_wait" => &mut self.receive.wait,
            "visibility_timeout" => &mut self.receive.visibility,
            "failed_visibility" => &mut self.failed_visibility,
            _ => return None,
        };
        Some(text.parse().map(|span| *place = Some(span)).map_err(|error: UnitError| error.to_string()))
    }
}

/// A message as the record that workers take.
fn received(now: SimTime, source: usize, topic: TopicIx, message: &QueueMessage) -> Option<Received> {
    let record = records(&message.batch).next()?;
    // What a fan-out topic has wrapped is unwrapped first, as its subscribers do.
    let value = envelope::open(record.value).unwrap_or_else(|| value_bytes(&message.batch, &record));
    let key = record.key.unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(value.len() + key.len());
    bytes.extend_from_slice(&value);
    bytes.extend_from_slice(key);
    let (value_end, end) = (value.len() as u32, bytes.len() as u32);
    let from = FromQueue { source, receipt: message.receipt, group: message.group.clone() };
    let key_range = record.key.map(|_| (value_end, end));
    Some(Received::from_queue((now, record.meta), (topic, from), (bytes.freeze(), (0, value_end), key_range)))
}

impl Consumer {
    /// Asks for messages where an instance has none left, and room for them.
    pub(super) fn receive(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let Some(queues) = &mut self.queues else { return };
        let instance = &self.instances[index];
        let is_idle = instance.up && instance.buffer.is_empty() && instance.busy < self.concurrency;
        if !is_idle || self.is_paused || instance.condition.is_suspended() || !queues.inbox(index).messages.is_empty() {
            return self.set_queue_timer(ctx);
        }
        for source in 0..queues.sources.len() {
            let inbox = queues.inbox(index);
            if !std::mem::replace(&mut inbox.receiving[source], true) {
                let receiver = Receiver { instance: index, life: inbox.life, source };
                queues.receives += 1;
                queues.calls.receive(ctx, receiver, queues.receive);
            }
        }
        self.set_queue_timer(ctx);
    }

    /// A queue has answered.
    pub(super) fn on_queue_reply(&mut self, ctx: &mut Ctx<'_>, reply: QueueReply) {
        let Some(queues) = &mut self.queues else { return };
        match queues.calls.answered(reply) {
            Answered::Received(receiver, messages) => self.received_from_queue(ctx, receiver, messages),
            Answered::Over(source, receipts) => receipts.into_iter().for_each(|receipt| queues.heartbeats.end((source, receipt))),
            Answered::Done => {}
        }
        self.set_queue_timer(ctx);
    }

    fn received_from_queue(&mut self, ctx: &mut Ctx<'_>, receiver: Receiver, messages: Option<Vec<QueueMessage>>) {
        let Receiver { instance: index, life, source } = receiver;
        let Some(queues) = &mut self.queues else { return };
        if queues.inbox(index).life != life {
            // The process that asked is gone: what it was given shows again by itself.
            return;
        }
        let rest = rest_after(messages.as_deref());
        let topic = queues.sources[source].topic;
        for one in messages.into_iter().flatten().filter_map(|message| received(ctx.now, source, topic, &message)) {
            if let Some(from) = &one.from_queue {
                queues.heartbeats.begin(ctx.now, index, (from.source, from.receipt));
            }
            queues.inbox(index).messages.push_back(one);
        }
        if rest.is_zero() {
            queues.inbox(index).receiving[source] = false;
            self.advance(ctx, index);
        } else {
            queues.empty_receives += 1;
            ctx.timer_after(rest, TOKEN_RECEIVE | (index as u64) << 8 | (source as u64) << 20 | u64::from(life) << 40);
        }
    }

    /// A receive's rest is over.
    pub(super) fn receive_again(&mut self, ctx: &mut Ctx<'_>, index: usize, token: u64) {
        let Some(queues) = &mut self.queues else { return };
        let inbox = queues.inbox(index);
        if u64::from(inbox.life) == token >> 40 {
            inbox.receiving[(token >> 20 & 0xf_ffff) as usize] = false;
            self.advance(ctx, index);
        }
    }

    /// Decodes what has come, in order, until a schema must be waited for.
    pub(super) fn take_in_messages(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        while let Some(message) = self.queues.as_mut().and_then(|queues| queues.inbox(index).messages.pop_front()) {
            let verdict = self.reader.as_mut().map_or(Verdict::Good, |reader| reader.judge(ctx, &message.value()));
            match (verdict, &mut self.queues) {
                (Verdict::Wait, Some(queues)) => return queues.inbox(index).messages.push_front(message),
                (Verdict::Bad(reason), _) => {
                    self.counts.rejected += 1;
                    self.leave_to_queue(ctx, index, &message, ctx.now, &reason);
                }
                _ => {
                    self.station.arrive(ctx.now);
                    self.instances[index].buffer.push_back(message);
                }
            }
        }
    }

    /// A message is done with: it is deleted.
    pub(super) fn delete_message(&mut self, ctx: &mut Ctx<'_>, index: usize, from: &FromQueue) {
        if let Some(queues) = &mut self.queues {
            queues.heartbeats.end((from.source, from.receipt));
            queues.calls.delete(ctx, Caller { instance: index, source: from.source }, from.receipt);
        }
        self.set_queue_timer(ctx);
    }

    /// A worker could not process a message: the queue shows it again, now, later, or never again. What is held of its message
    /// group goes with it, or it would overtake the one that failed.
    pub(super) fn message_failed(&mut self, ctx: &mut Ctx<'_>, (index, number): (usize, u32), reason: &Reason) -> Next {
        let Some((record, begun)) = self.work_of(index, number) else { return Next::Wait };
        self.counts.failed += 1;
        self.leave_to_queue(ctx, index, &record, begun, reason);
        let is_fifo = |queues: &Queues, from: &FromQueue| from.group.is_some() && queues.sources[from.source].is_fifo;
        if let (Some(queues), Some(from)) = (&self.queues, &record.from_queue)
            && is_fifo(queues, from)
        {
            let held = std::mem::take(&mut self.instances[index].buffer);
            let goes = |other: &Received| {
                other.from_queue.as_ref().is_some_and(|other| (other.source, &other.group) == (from.source, &from.group))
            };
            let (left, kept): (Vec<Received>, Vec<Received>) = held.into_iter().partition(goes);
            self.instances[index].polled -= left.len().min(self.instances[index].polled);
            self.instances[index].buffer = kept.into();
            self.station.abandon(ctx.now, left.len() as u64);
            left.iter().for_each(|other| self.show_again(ctx, index, other));
        }
        self.put_down(ctx, index, number);
        Next::Serve
    }

    fn leave_to_queue(&mut self, ctx: &mut Ctx<'_>, index: usize, record: &Received, begun: SimTime, reason: &Reason) {
        let receive = record.from_queue.as_ref().map_or(1, |from| from.receipt.receive);
        let why = reason.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let words = format!("failed by {} at receive {receive}{why}, left to the queue", self.member(index));
        self.hop(ctx, record, HopKind::Rejected, begun, words);
        self.show_again(ctx, index, record);
    }

    fn show_again(&mut self, ctx: &mut Ctx<'_>, index: usize, record: &Received) {
        let (Some(queues), Some(from)) = (&mut self.queues, &record.from_queue) else { return };
        queues.heartbeats.end((from.source, from.receipt));
        if let Some(after) = queues.failed_visibility {
            queues.calls.show(ctx, Caller { instance: index, source: from.source }, vec![(from.receipt, after)]);
        }
    }

    /// An instance is gone: the queue shows again what it held.
    pub(super) fn crash_queues(&mut self, index: usize) {
        let Some(queues) = &mut self.queues else { return };
        queues.heartbeats.end_all(index);
        queues.calls.abandon(index);
        let life = (queues.inbox(index).life + 1) & 0xff_ffff;
        *queues.inbox(index) = Inbox { life, receiving: vec![false; queues.sources.len()], ..Inbox::default() };
    }

    fn set_queue_timer(&mut self, ctx: &mut Ctx<'_>) {
        let Some(queues) = &mut self.queues else { return };
        let wake = queues.calls.next_wake().min(queues.heartbeats.next_wake());
        queues.alarm.set(ctx, wake, TOKEN_QUEUE);
    }

    /// Calls that were not answered in time, deletes that have waited, heartbeats.
    pub(super) fn queues_due(&mut self, ctx: &mut Ctx<'_>) {
        let Some(queues) = &mut self.queues else { return };
        if !queues.alarm.rings(ctx.now) {
            return;
        }
        let due = queues.heartbeats.take_due(ctx.now);
        queues.beats += due.len() as u64;
        let (given, sources) = (queues.receive.visibility, &queues.sources);
        queues.calls.beat(ctx, &due, |source| given.unwrap_or(sources[source].visibility));
        for receiver in queues.calls.on_wake(ctx) {
            self.received_from_queue(ctx, receiver, Some(Vec::new()));
        }
        self.set_queue_timer(ctx);
    }

    /// Gives a message to the queues' side, if it is an answer of one.
    pub(super) fn give_to_queues(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        match message {
            Message::QueueReply(reply) if self.queues.is_some() => {
                self.on_queue_reply(ctx, *reply);
                None
            }
            other => Some(other),
        }
    }
}
