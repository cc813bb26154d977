//! From a queue to a topic: source tasks that receive, write, and delete what was acknowledged.
//!
//! ```text
//! receive (up to ten) ─► producing client ─► acknowledged ─► delete        crash: the queue shows it again
//! ```
//!
//! In: messages, acknowledgements. Out: records under the events' own ids, deletes, the end of each obligation.
//! Must not know: visibility and receive counts, which are the queue's. Start at [`SourceTasks`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;

use super::message::Encoding;
use super::spec::{self, KeyFrom};
use crate::components::alarm::Alarm;
use crate::components::connect::{OnError, source_producer};
use crate::components::consumer::queue::calls::{Answered, Caller, Calls, Receiver, rest_after};
use crate::components::consumer::spec::INSTANCES_MAX;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process};
use crate::event::{
    CallId, Ended, EventId, EventMeta, Fact, Hop, HopKind, Message, ObligationEnd, Placed, QueueMessage, Reason, Receipt, ReceiveCall,
    TaskStopped, header_bytes,
};
use crate::machines::broker::batch::{events, records, value_bytes};
use crate::machines::broker::client::{ClientOutput, Outgoing, ProducerClient};
use crate::model::Value;
use crate::random::Stream;
use crate::units::{GroupIx, SimDuration, SimTime, TopicIx};

/// Messages of a task that wait for their acknowledgement; it receives no more above that.
const HELD_MAX: usize = 10_000;
/// High bytes of call ids of a task's client: this and the task's number.
const CALLS_TASKS: u16 = 0x0100;
/// Low byte of timer tokens; a task's number (16 bits) and life stand above.
const TOKEN_WAKE: u64 = 0;
const TOKEN_RECEIVE: u64 = 1;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct SourceTasks {
    name: Arc<str>,
    queue: TopicIx,
    group: GroupIx,
    /// Where to: the topic with its link.
    to: (crate::components::PeerTopic, LinkEnd),
    receive: ReceiveCall,
    encoding: Encoding,
    key: KeyFrom,
    with_attributes: bool,
    on_error: OnError,
    key_bytes: Arc<[usize]>,
    type_bytes: Arc<[usize]>,
    partition_rng: Stream,
    calls: Calls,
    tasks: Vec<SourceTask>,
    counts: Counts,
    alarm: Alarm,
    out: ClientOutput,
}

#[derive(Clone, Debug)]
struct SourceTask {
    up: bool,
    /// Counts its lives: answers and timers of an earlier one are stale.
    life: u32,
    is_receiving: bool,
    client: ProducerClient,
    /// Received and not acknowledged; an event may have been received twice.
    held: BTreeMap<EventId, VecDeque<Held>>,
    held_count: usize,
}

#[derive(Clone, Debug)]
struct Held {
    meta: EventMeta,
    receipt: Receipt,
    arrived: SimTime,
    body: Bytes,
    key: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    received: u64,
    receives: u64,
    bridged: u64,
    refused: u64,
    stopped: u64,
    /// Deletes that came too late: the queue shows the message again.
    late_deletes: u64,
}

impl SourceTasks {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let missing = |words| Diagnostic::error("link-missing", format!("components.{}", ctx.id), words);
        let facts = ctx.links_at("in").find(|facts| facts.queue.is_some()).ok_or_else(|| missing("it reads no queue"))?;
        let queue = facts.queue.as_ref().map_or(TopicIx(0), |queue| queue.topic);
        let group = ctx.groups.iter().find(|group| group.topics.contains(&queue)).map_or(GroupIx(0), |group| group.group);
        let to = ctx.links_at("out").find_map(|facts| Some((facts.topic.clone()?, facts.end)));
        let given = |name: &str| params.is_given(name).then(|| params.duration(name));
        let mut tasks = Self {
            name: ctx.id.into(),
            queue,
            group,
            to: to.ok_or_else(|| missing("it leads to no topic"))?,
            receive: ReceiveCall {
                max_messages: u32::try_from(params.count("receive_size")).unwrap_or(1),
                wait: Some(params.duration("receive_wait")),
                visibility: given("visibility_timeout"),
            },
            encoding: Encoding::named(&params.text("encoding")),
            key: spec::key_from(params),
            with_attributes: params.flag("message_attributes"),
            on_error: OnError::of(params),
            key_bytes: spec::key_bytes(ctx),
            type_bytes: spec::type_bytes(ctx),
            partition_rng: ctx.stream("partitions"),
            calls: Calls::new(vec![facts.end], SimDuration::ZERO),
            tasks: Vec::new(),
            counts: Counts::default(),
            alarm: Alarm::default(),
            out: ClientOutput::default(),
        };
        for _ in 0..params.count("instances") {
            tasks.add();
        }
        Ok(tasks)
    }

    fn add(&mut self) -> usize {
        let number = self.tasks.len();
        let cfg = source_producer(CALLS_TASKS + number as u16, producer_number(number, 0));
        let mut client = ProducerClient::new(cfg, self.partition_rng.clone());
        let (topic, end) = &self.to;
        client.add_topic(topic.topic, topic.partitions, topic.leaders, end.0);
        self.tasks.push(SourceTask { up: true, life: 0, is_receiving: false, client, held: BTreeMap::new(), held_count: 0 });
        number
    }

    /// Asks for the next messages, where a task has room.
    fn advance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let task = &mut self.tasks[index];
        if task.up && !task.is_receiving && task.held_count < HELD_MAX {
            task.is_receiving = true;
            self.counts.receives += 1;
            self.calls.receive(ctx, Receiver { instance: index, life: task.life, source: 0 }, self.receive);
        }
        self.set_timer(ctx);
    }

    fn on_queue(&mut self, ctx: &mut Ctx<'_>, answered: Answered) {
        match answered {
            Answered::Received(receiver, messages) => self.received(ctx, receiver, messages),
            Answered::Over(_, receipts) => self.counts.late_deletes += receipts.len() as u64,
            Answered::Done => {}
        }
        self.set_timer(ctx);
    }

    fn received(&mut self, ctx: &mut Ctx<'_>, receiver: Receiver, messages: Option<Vec<QueueMessage>>) {
        let Receiver { instance: index, life, .. } = receiver;
        if self.tasks[index].life != life {
            // The task that asked is gone: what it was given shows again by itself.
            return;
        }
        let rest = rest_after(messages.as_deref());
        for message in messages.into_iter().flatten() {
            if !self.tasks[index].up {
                return;
            }
            self.counts.received += 1;
            self.write(ctx, index, &message);
        }
        self.settle(ctx, index);
        if rest.is_zero() {
            self.tasks[index].is_receiving = false;
            self.advance(ctx, index);
        } else {
            ctx.timer_after(rest, TOKEN_RECEIVE | (index as u64) << 8 | u64::from(life) << 24);
        }
    }

    /// A message as a record of the topic.
    fn write(&mut self, ctx: &mut Ctx<'_>, index: usize, message: &QueueMessage) {
        let Some(record) = records(&message.batch).next() else { return };
        let body = value_bytes(&message.batch, &record);
        let own_key = record.key.map(|key| message.batch.bytes.slice_ref(key));
        let held = Held { meta: record.meta, receipt: message.receipt, arrived: ctx.now, body: body.clone(), key: own_key };
        let value = match self.encoding.value(body) {
            Ok(value) => value,
            Err(reason) => return self.refuse(ctx, index, &held, &reason),
        };
        let key = match self.key {
            KeyFrom::MessageId => Some(Bytes::from(format!("{}-{}", self.name, message.receipt.number))),
            KeyFrom::Group => message.group.clone(),
            KeyFrom::Attribute => held.key.clone(),
        };
        let of = |list: &[usize], index: usize| list.get(index).copied().unwrap_or_default();
        let attributes =
            header_bytes(of(&self.key_bytes, held.meta.id.producer.index()), of(&self.type_bytes, held.meta.event_type.index()));
        let outgoing = Outgoing {
            meta: held.meta,
            key: key.as_deref(),
            value: Some(&value),
            extra_header_bytes: if self.with_attributes { attributes } else { 0 },
            traced: ctx.tracing.takes(held.meta.id),
        };
        let task = &mut self.tasks[index];
        task.client.push(ctx.now, 0, &outgoing, &mut self.out);
        task.held.entry(held.meta.id).or_default().push_back(held);
        task.held_count += 1;
    }

    /// Sends what a task's client wants sent; deletes what is acknowledged.
    fn settle(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let out = std::mem::take(&mut self.out);
        for (link, message) in out.sends {
            ctx.send(LinkEnd(link), message);
        }
        for event in out.acked.iter().flat_map(|acked| events(&acked.batch)) {
            if let Some(held) = self.tasks[index].take(event.id) {
                self.counts.bridged += 1;
                self.end(ctx, &held, ObligationEnd::Forwarded, None);
                self.calls.delete(ctx, Caller { instance: index, source: 0 }, held.receipt);
            }
        }
        for unsent in out.unsent {
            if let Some(held) = self.tasks[index].take(unsent.event.id) {
                self.refuse(ctx, index, &held, &unsent.reason);
            }
        }
        self.advance(ctx, index);
    }

    /// The topic does not take it. A task that goes on deletes it; one that stops leaves it to its queue.
    fn refuse(&mut self, ctx: &mut Ctx<'_>, index: usize, held: &Held, reason: &Reason) {
        self.counts.refused += 1;
        match self.on_error {
            OnError::GoOn => {
                self.end(ctx, held, ObligationEnd::FailedSkipped, Some(reason));
                self.calls.delete(ctx, Caller { instance: index, source: 0 }, held.receipt);
            }
            OnError::Stop => {
                self.counts.stopped += 1;
                let stopped = TaskStopped::new(ctx.me, index + 1, reason);
                self.hop(ctx, held, HopKind::Rejected, format!("{}#{} stops: {}", self.name, stopped.task, stopped.why));
                ctx.fact(Fact::TaskStopped(Box::new(stopped)));
                self.crash(ctx, index);
            }
        }
    }

    fn end(&self, ctx: &mut Ctx<'_>, held: &Held, end: ObligationEnd, reason: Option<&Reason>) {
        let ended = Ended {
            component: ctx.me,
            group: self.group,
            topic: self.queue,
            partition: 0,
            offset: held.receipt.number,
            event: held.meta,
            waited: SimDuration::ZERO,
            end,
        };
        let topic = &self.to.0.name;
        match reason {
            None => {
                if ctx.tracing.takes(held.meta.id) {
                    self.hop(
                        ctx,
                        held,
                        HopKind::Processed,
                        format!("moved to {topic} by {} at receive {}", self.name, held.receipt.receive),
                    );
                }
                ctx.fact(Fact::Ended(ended));
            }
            Some(reason) => {
                let words = format!("not moved to {topic}, deleted: {}", reason.detail.as_deref().unwrap_or(reason.code));
                self.hop(ctx, held, HopKind::Rejected, words);
                ctx.fact(Fact::EndedWith(Box::new((ended, reason.clone()))));
            }
        }
    }

    fn hop(&self, ctx: &mut Ctx<'_>, held: &Held, kind: HopKind, words: String) {
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: held.arrived,
            served: held.arrived,
            done: ctx.now,
            placed: Some(Placed { topic: self.queue, partition: 0, offset: held.receipt.number }),
            group: Some(self.group),
            words: words.into(),
            payload: Some(held.body.clone()),
            key: held.key.clone(),
        };
        ctx.hop(held.meta, hop);
    }

    fn set_timer(&mut self, ctx: &mut Ctx<'_>) {
        let clients = self.tasks.iter_mut().map(|task| task.client.next_wake(ctx.now));
        let wake = clients.chain([self.calls.next_wake()]).min().unwrap_or(SimTime::MAX);
        self.alarm.set(ctx, wake, TOKEN_WAKE);
    }

    fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if !self.alarm.rings(ctx.now) {
            return;
        }
        for receiver in self.calls.on_wake(ctx) {
            self.received(ctx, receiver, Some(Vec::new()));
        }
        for index in 0..self.tasks.len() {
            self.tasks[index].client.on_wake(ctx.now, &mut self.out);
            self.settle(ctx, index);
        }
        self.set_timer(ctx);
    }

    /// A task is gone with what it holds: what it has sent may stand in the topic, and its queue shows it all again.
    fn crash(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let task = &mut self.tasks[index];
        task.up = false;
        task.is_receiving = false;
        task.life = (task.life + 1) & 0xff_ffff;
        task.held.clear();
        task.held_count = 0;
        task.client.abandon(ctx.now, producer_number(index, u64::from(task.life)));
        self.calls.abandon(index);
    }

    fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &IndexMap<String, Value>) -> Result<(), String> {
        let starts = name == "start-instance";
        let named = match params.get("instance") {
            Some(value) => {
                let text = value.to_field_text();
                let index = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|index| *index < self.tasks.len());
                Some(index.ok_or_else(|| format!("there is no task {text}"))?)
            }
            None if starts => self.tasks.iter().position(|task| !task.up),
            None => self.tasks.iter().rposition(|task| task.up),
        };
        let index = match (named, name) {
            (Some(index), "start-instance") if !self.tasks[index].up => index,
            (None, "start-instance") if (self.tasks.len() as i64) < INSTANCES_MAX => self.add(),
            (Some(index), "stop-instance" | "crash-instance") if self.tasks[index].up => index,
            (_, "start-instance" | "stop-instance" | "crash-instance") => return Err("no such task can do that".to_owned()),
            (_, other) => return Err(format!("a bridge that reads a queue does not understand `{other}`")),
        };
        match name {
            "crash-instance" => self.crash(ctx, index),
            // What it holds is still written and deleted.
            "stop-instance" => self.tasks[index].up = false,
            _ => self.tasks[index].up = true,
        }
        self.advance(ctx, index);
        Ok(())
    }

    fn task_of(&self, call: CallId) -> Option<usize> {
        let index = usize::from((call.0 >> 48) as u16).checked_sub(usize::from(CALLS_TASKS))?;
        (index < self.tasks.len()).then_some(index)
    }
}

/// Tells tasks and their lives apart.
fn producer_number(task: usize, life: u64) -> u64 {
    (task as u64 + 1) << 32 | life
}

impl SourceTask {
    fn take(&mut self, event: EventId) -> Option<Held> {
        let waiting = self.held.get_mut(&event)?;
        let held = waiting.pop_front();
        if waiting.is_empty() {
            self.held.remove(&event);
        }
        self.held_count -= usize::from(held.is_some());
        held
    }
}

impl Process for SourceTasks {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        for index in 0..self.tasks.len() {
            self.advance(ctx, index);
        }
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        let index = match &message {
            Message::ProduceReply(reply) => self.task_of(reply.call),
            Message::MetadataReply(reply) => self.task_of(reply.call),
            _ => None,
        };
        match (message, index) {
            (Message::QueueReply(reply), _) => {
                let answered = self.calls.answered(*reply);
                self.on_queue(ctx, answered);
            }
            (Message::ProduceReply(reply), Some(index)) => {
                self.tasks[index].client.on_reply(ctx.now, &reply, &mut self.out);
                self.settle(ctx, index);
            }
            (Message::MetadataReply(reply), Some(index)) => {
                self.tasks[index].client.on_metadata(ctx.now, &reply, &mut self.out);
                self.settle(ctx, index);
            }
            // Nothing else is sent to a bridge that reads a queue.
            _ => {}
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        if token & 0xff == TOKEN_WAKE {
            return self.wake(ctx);
        }
        let (index, life) = ((token >> 8 & 0xffff) as usize, (token >> 24) as u32);
        if self.tasks[index].life == life {
            self.tasks[index].is_receiving = false;
            self.advance(ctx, index);
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, .. } => Err(format!("`{param}` cannot be changed while it runs")),
            Input::Action { name, params } => self.action(ctx, name, params),
        }
    }
    fn figures(&self, _: SimTime, out: &mut Figures) {
        let Counts { received, receives, bridged, refused, stopped, late_deletes } = self.counts;
        out.counter("received_count", received);
        out.counter("receives_count", receives);
        out.counter("bridged_count", bridged);
        out.counter("refused_count", refused);
        out.counter("stopped_tasks_count", stopped);
        out.counter("late_deletes_count", late_deletes);
        out.counter("resent_count", self.tasks.iter().map(|task| task.client.counts().retried).sum());
        out.gauge("queue_length", self.tasks.iter().map(|task| task.held_count).sum::<usize>() as f64);
        out.gauge("instances", self.tasks.iter().filter(|task| task.up).count() as f64);
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
