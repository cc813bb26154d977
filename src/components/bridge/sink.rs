//! From topics to a queue or a fan-out topic: the part of a sink task that sends.
//!
//! In: records that the consumer's workers are at, answers of the queue. Out: sends, in batches of ten. A record's position
//! is committed after its message was taken: a task that crashes between leaves messages that come twice. What passes by
//! itself (throttling, no answer) is sent again for as long as it takes, like a `RetriableException`.
//! Start at [`Sink::step`](Handler::step).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::message::Encoding;
use super::spec;
use crate::components::alarm::Alarm;
use crate::components::connect::OnError;
use crate::components::consumer::encoders::Encoders;
use crate::components::consumer::handler::{Handler, Step, Task, WorkerId, timer};
use crate::components::letters::Letter;
use crate::components::producer::queue_client::{QueueClient, QueueClientConfig, QueueOutput};
use crate::components::producer::queues::config;
use crate::components::{BuildCtx, Params, takes_fifo};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, LinkEnd};
use crate::event::{EventId, Message, Outcome, QueueEntry, Reason, header_bytes};
use crate::units::{SimDuration, SimTime};

/// Calls of a task are numbered from its own number on, this many bits up.
const TASK_SHIFT: u32 = 32;

/// What came of a message.
#[derive(Clone, Debug)]
enum Came {
    Taken,
    /// It goes again.
    Again,
    Refused(Reason),
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    cfg: QueueClientConfig,
    end: LinkEnd,
    is_fifo: bool,
    /// Of the queue or the fan-out topic.
    name: Arc<str>,
    encoding: Encoding,
    with_attributes: bool,
    on_error: OnError,
    /// Names of topics by number.
    topics: Arc<[Arc<str>]>,
    /// Lengths of the components' keys and of the names of event types.
    key_bytes: Arc<[usize]>,
    type_bytes: Arc<[usize]>,
    /// One a task.
    clients: Vec<QueueClient>,
    /// Who waits for which message of a task; an event may stand in its topic twice.
    waiting: BTreeMap<(u32, EventId), VecDeque<WorkerId>>,
    came: BTreeMap<WorkerId, Came>,
    woken: Vec<WorkerId>,
    out: QueueOutput,
    alarm: Alarm,
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    bridged: u64,
    refused: u64,
    stopped: u64,
    resent: u64,
}

impl Sink {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let facts = ctx.links_at("out").find(|facts| facts.queue.is_some());
        let (Some(facts), Some(queue)) = (facts, facts.and_then(|facts| facts.queue.as_ref())) else {
            return Err(Diagnostic::error("link-missing", format!("components.{}", ctx.id), "it leads to no queue"));
        };
        Ok(Self {
            // Its workers bound what waits.
            cfg: QueueClientConfig { report_acks: true, ..config(params, usize::MAX, 0) },
            end: facts.end,
            is_fifo: ctx.project.components.get(&facts.peer_id).is_some_and(takes_fifo),
            name: Arc::clone(&queue.name),
            encoding: Encoding::named(&params.text("encoding")),
            with_attributes: params.flag("message_attributes"),
            on_error: OnError::of(params),
            topics: ctx.topics.iter().map(|topic| Arc::clone(&topic.name)).collect(),
            key_bytes: spec::key_bytes(ctx),
            type_bytes: spec::type_bytes(ctx),
            clients: Vec::new(),
            waiting: BTreeMap::new(),
            came: BTreeMap::new(),
            woken: Vec::new(),
            out: QueueOutput::default(),
            alarm: Alarm::default(),
            counts: Counts::default(),
        })
    }

    fn client(&mut self, task: u32) -> &mut QueueClient {
        while self.clients.len() <= task as usize {
            let first_call = (self.clients.len() as u64) << TASK_SHIFT;
            let mut client = QueueClient::new(QueueClientConfig { first_call, ..self.cfg.clone() });
            client.add_target(self.end, self.is_fifo);
            self.clients.push(client);
        }
        &mut self.clients[task as usize]
    }

    /// The message for a record. A FIFO queue gets the key as message group, the topic's name where there is none, and the
    /// record's place as deduplication id: what a crash sends twice is one message to it.
    fn entry(&self, ctx: &Ctx<'_>, task: &Task<'_>) -> Result<QueueEntry, Reason> {
        let body = self.encoding.body(&task.value)?;
        let of = |list: &[usize], index: usize| list.get(index).copied().unwrap_or_default();
        let attributes =
            header_bytes(of(&self.key_bytes, task.event.id.producer.index()), of(&self.type_bytes, task.event.event_type.index()));
        let letter = Letter {
            meta: task.event,
            key: task.key.as_deref(),
            value: &body,
            extra_header_bytes: if self.with_attributes { attributes } else { 0 },
            traced: ctx.tracing.takes(task.event.id),
        };
        let topic = self.topics.get(task.topic.index()).map_or("", |name| name);
        let group = || task.key.clone().unwrap_or_else(|| Bytes::copy_from_slice(topic.as_bytes()));
        let place = || Bytes::from(format!("{topic}-{}-{}", task.partition, task.offset));
        Ok(QueueEntry { group: self.is_fifo.then(group), deduplication: self.is_fifo.then(place), ..letter.sealed() })
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Result<(), Reason> {
        let entry = self.entry(ctx, task)?;
        self.waiting.entry((task.worker.instance, task.event.id)).or_default().push_back(task.worker);
        let mut out = std::mem::take(&mut self.out);
        self.client(task.worker.instance).push(ctx.now, 0, entry, &mut out);
        self.out = out;
        self.carry_out(ctx, task.worker.instance);
        Ok(())
    }

    /// Carries out what a task's client wants.
    fn carry_out(&mut self, ctx: &mut Ctx<'_>, task: u32) {
        for (end, request) in std::mem::take(&mut self.out.requests) {
            ctx.send(end, Message::Queue(Box::new(request)));
        }
        for event in std::mem::take(&mut self.out.accepted) {
            self.note(task, event.id, Came::Taken);
        }
        for (event, outcome, reason) in std::mem::take(&mut self.out.unsent) {
            let passes = outcome != Outcome::Rejected || reason.code == "rate-limit";
            self.note(task, event.id, if passes { Came::Again } else { Came::Refused(reason) });
        }
        let wake = self.clients.iter().map(QueueClient::next_wake).min().unwrap_or(SimTime::MAX);
        if self.alarm.is_late_for(wake) {
            timer(ctx, wake, 0);
        }
    }

    fn note(&mut self, task: u32, event: EventId, came: Came) {
        let Some(waiting) = self.waiting.get_mut(&(task, event)) else { return };
        let worker = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&(task, event));
        }
        if let Some(worker) = worker {
            self.came.insert(worker, came);
            self.woken.push(worker);
        }
    }

    fn refuse(&mut self, reason: Reason) -> Step {
        self.counts.refused += 1;
        self.on_error.refused(reason, &mut self.counts.stopped)
    }
}

impl Handler for Sink {
    fn begin(&mut self, _: &Task<'_>) -> SimDuration {
        SimDuration::ZERO
    }
    fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        match self.came.remove(&task.worker) {
            Some(Came::Taken) => {
                self.counts.bridged += 1;
                return Step::Forwarded(format!("moved to {}", self.name));
            }
            Some(Came::Refused(reason)) => return self.refuse(reason),
            Some(Came::Again) => self.counts.resent += 1,
            None => {}
        }
        match self.send(ctx, task) {
            Ok(()) => Step::Hold,
            Err(reason) => self.refuse(reason),
        }
    }
    fn abandon(&mut self, _: &mut Ctx<'_>, worker: WorkerId) {
        self.came.remove(&worker);
        self.woken.retain(|woken| *woken != worker);
        self.waiting.retain(|_, waiting| {
            waiting.retain(|waits| *waits != worker);
            !waiting.is_empty()
        });
        // The last worker of a task takes its client with it: what that has not sent is never sent.
        let is_left =
            self.waiting.range((worker.instance, EventId::default())..).next().is_some_and(|((task, _), _)| *task == worker.instance);
        if !is_left {
            self.client(worker.instance).abandon();
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, _: u64, _: Option<&Encoders>) -> Vec<crate::components::consumer::handler::Draft> {
        if self.alarm.rings(ctx.now) {
            for task in 0..self.clients.len() {
                self.clients[task].on_wake(ctx.now, &mut self.out);
                self.carry_out(ctx, task as u32);
            }
        }
        Vec::new()
    }
    fn take(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        let Message::QueueReply(reply) = message else { return Some(message) };
        let task = (reply.call.0 >> TASK_SHIFT) as u32;
        if let Some(client) = self.clients.get_mut(task as usize) {
            client.on_reply(ctx.now, &reply, &mut self.out);
            self.carry_out(ctx, task);
        }
        None
    }
    fn woken(&mut self) -> Vec<WorkerId> {
        std::mem::take(&mut self.woken)
    }
    fn figures(&self, out: &mut Figures) {
        out.counter("bridged_count", self.counts.bridged);
        out.counter("refused_count", self.counts.refused);
        out.counter("stopped_tasks_count", self.counts.stopped);
        out.counter("resent_count", self.counts.resent + self.clients.iter().map(|client| client.counts.retried).sum::<u64>());
        out.gauge("calls_in_flight", self.clients.iter().map(QueueClient::in_flight).sum::<usize>() as f64);
    }
    fn clone_box(&self) -> Box<dyn Handler> {
        Box::new(self.clone())
    }
}
