//! The running consumer of one queue or several.
//!
//! ```text
//! receive ─► inbox ─decode─► buffer ─► workers ─► end of the obligation, delete
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::calls::{Answered, Calls, Receiver, rest_after};
use super::heartbeat::Heartbeats;
use super::spec::{self, CallSettings};
use super::work::{Held, Worker};
use crate::components::alarm::Alarm;
use crate::components::consumer::schemas::{CALLS_SCHEMA, Reader, Verdict};
use crate::components::{BuildCtx, Params, takes_fifo};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Answer, Message, Query, QueueMessage, ReceiveCall};
use crate::random::{Distribution, Stream};
use crate::units::{GroupIx, SimDuration, SimTime, TopicIx};

/// Low byte of timer tokens; a worker's has instance (12 bits), worker (20) and life (24) above it.
const TOKEN_WORKER: u64 = 0;
const TOKEN_WAKE: u64 = 1;
const TOKEN_RECEIVE: u64 = 2;

/// A consumer of a queue while it runs.
#[derive(Clone, Debug)]
pub(in crate::components::consumer) struct QueueConsumer {
    pub(super) name: Arc<str>,
    pub(super) sources: Vec<Source>,
    pub(super) calls: Calls,
    receive: ReceiveCall,
    pub(super) heartbeats: Heartbeats,
    pub(super) failed_visibility: Option<SimDuration>,
    pub(super) instances: Vec<Instance>,
    concurrency: usize,
    pub(super) service_time: Distribution,
    pub(super) service_rng: Stream,
    pub(super) failure_ratio: f64,
    pub(super) failure_rng: Stream,
    reader: Option<Reader>,
    pub(super) station: Station,
    pub(super) counts: Counts,
    alarm: Alarm,
}

/// A queue that it reads.
#[derive(Clone, Debug)]
pub(in crate::components::consumer) struct Source {
    pub topic: TopicIx,
    pub group: GroupIx,
    pub is_fifo: bool,
    /// How long a received message is hidden, as far as it knows.
    pub visibility: SimDuration,
}

/// Messages by what became of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub processed: u64,
    pub failed: u64,
    pub rejected: u64,
    pub receives: u64,
    pub empty_receives: u64,
    pub heartbeats: u64,
}

/// One process that polls.
#[derive(Clone, Debug, Default)]
pub(super) struct Instance {
    up: bool,
    /// Counts its lives: timers and answers of an earlier one are stale.
    pub life: u32,
    /// By source.
    receiving: Vec<bool>,
    /// Messages that are not decoded yet, because a schema is missing.
    inbox: VecDeque<Held>,
    pub buffer: VecDeque<Held>,
    pub workers: Vec<Worker>,
    pub free: Vec<u32>,
    pub busy: usize,
}

impl Instance {
    fn new(sources: usize) -> Self {
        Self { receiving: vec![false; sources], ..Self::default() }
    }
}

/// The queues that it is linked to, each with its link's end.
pub(in crate::components::consumer) fn sources(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Vec<(Source, LinkEnd)> {
    let source = |facts: &crate::components::LinkFacts| {
        let queue = facts.queue.as_ref()?;
        let group = ctx.groups.iter().find(|group| group.topics.contains(&queue.topic))?;
        let source = Source {
            topic: queue.topic,
            group: group.group,
            is_fifo: ctx.project.components.get(&facts.peer_id).is_some_and(takes_fifo),
            visibility: spec::visibility(ctx, params, &facts.peer_id),
        };
        Some((source, facts.end))
    };
    ctx.links_at("in").filter_map(source).collect()
}

impl QueueConsumer {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let (sources, ends): (Vec<Source>, Vec<LinkEnd>) = sources(ctx, params).into_iter().unzip();
        if sources.is_empty() {
            return Err(Diagnostic::error("link-missing", format!("components.{}", ctx.id), "it reads no queue"));
        }
        let registry = ctx.links_at("schemas").next().filter(|_| params.flag("validate"));
        let version = params.is_given("reader_version").then(|| u32::try_from(params.count("reader_version")).unwrap_or(1));
        let settings = CallSettings::new(params);
        let instances = usize::try_from(params.count("instances")).unwrap_or(0);
        let mut consumer = Self {
            name: ctx.id.into(),
            calls: Calls::new(ends, settings.delete_linger),
            heartbeats: Heartbeats::new(settings.heartbeat),
            receive: settings.receive,
            failed_visibility: settings.failed_visibility,
            instances: vec![Instance { up: true, ..Instance::new(sources.len()) }; instances],
            sources,
            concurrency: usize::try_from(params.count("concurrency")).unwrap_or(1).max(1),
            service_time: params.distribution("service_time"),
            service_rng: ctx.stream("service"),
            failure_ratio: params.ratio("failure_ratio"),
            failure_rng: ctx.stream("failures"),
            reader: registry.map(|facts| Reader::new(facts.end, Arc::clone(ctx.schemas), version)),
            station: Station::default(),
            counts: Counts::default(),
            alarm: Alarm::default(),
        };
        consumer.count_servers();
        Ok(consumer)
    }

    fn count_servers(&mut self) {
        let up = self.instances.iter().filter(|instance| instance.up).count();
        self.station.set_servers((up * self.concurrency) as u32);
    }

    /// Everything that an instance can do now.
    pub(super) fn advance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.take_in(ctx, index);
        while self.instances[index].busy < self.concurrency
            && let Some(held) = self.instances[index].buffer.pop_front()
        {
            self.begin(ctx, index, held);
        }
        let instance = &mut self.instances[index];
        let is_idle = instance.buffer.is_empty() && instance.inbox.is_empty() && instance.busy < self.concurrency;
        if instance.up && is_idle {
            for (source, receiving) in instance.receiving.iter_mut().enumerate().filter(|(_, receiving)| !**receiving) {
                *receiving = true;
                self.counts.receives += 1;
                self.calls.receive(ctx, Receiver { instance: index, life: instance.life, source }, self.receive);
            }
        }
        self.set_timer(ctx);
    }

    /// Decodes what has come, in order, until a schema must be waited for.
    fn take_in(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        while let Some(held) = self.instances[index].inbox.pop_front() {
            let verdict = self.reader.as_mut().map_or(Verdict::Good, |reader| reader.judge(ctx, &held.value));
            match verdict {
                Verdict::Wait => {
                    self.instances[index].inbox.push_front(held);
                    return;
                }
                Verdict::Bad(reason) => self.refuse(ctx, index, &held, &reason),
                Verdict::Good => {
                    self.station.arrive(ctx.now);
                    self.instances[index].buffer.push_back(held);
                }
            }
        }
    }

    fn on_answer(&mut self, ctx: &mut Ctx<'_>, answered: Answered) {
        match answered {
            Answered::Received(receiver, messages) => self.received(ctx, receiver, messages),
            Answered::Over(source, receipts) => receipts.into_iter().for_each(|receipt| self.heartbeats.end((source, receipt))),
            Answered::Done => {}
        }
        self.set_timer(ctx);
    }

    fn received(&mut self, ctx: &mut Ctx<'_>, receiver: Receiver, messages: Option<Vec<QueueMessage>>) {
        let Receiver { instance: index, life, source } = receiver;
        let instance = &mut self.instances[index];
        if instance.life != life {
            // The process that asked is gone: what it was given shows again by itself.
            return;
        }
        let rest = rest_after(messages.as_deref());
        for held in messages.into_iter().flatten().filter_map(|message| Held::new(ctx.now, source, &message)) {
            self.heartbeats.begin(ctx.now, index, held.handle());
            instance.inbox.push_back(held);
        }
        if rest.is_zero() {
            instance.receiving[source] = false;
            self.advance(ctx, index);
        } else {
            self.counts.empty_receives += 1;
            ctx.timer_after(rest, TOKEN_RECEIVE | (index as u64) << 8 | (source as u64) << 20 | u64::from(life) << 40);
        }
    }

    pub(super) fn set_timer(&mut self, ctx: &mut Ctx<'_>) {
        let wake = self.calls.next_wake().min(self.heartbeats.next_wake());
        let wake = wake.min(self.reader.as_ref().map_or(SimTime::MAX, Reader::next_wake));
        self.alarm.set(ctx, wake, TOKEN_WAKE);
    }

    fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if !self.alarm.rings(ctx.now) {
            return;
        }
        if let Some(reader) = &mut self.reader {
            reader.on_wake(ctx);
        }
        self.beat(ctx);
        for receiver in self.calls.on_wake(ctx) {
            self.received(ctx, receiver, Some(Vec::new()));
        }
        self.set_timer(ctx);
    }

    /// Hides what is held for its visibility timeout from now on.
    fn beat(&mut self, ctx: &mut Ctx<'_>) {
        let due = self.heartbeats.take_due(ctx.now);
        self.counts.heartbeats += due.len() as u64;
        let (given, sources) = (self.receive.visibility, &self.sources);
        self.calls.beat(ctx, &due, |source| given.unwrap_or(sources[source].visibility));
    }

    pub(super) fn worker_token(instance: usize, worker: u32, life: u32) -> u64 {
        TOKEN_WORKER | (instance as u64) << 8 | u64::from(worker) << 20 | u64::from(life) << 40
    }

    /// The instance that an action means: by its number, else the last that is up (or the first that is not).
    fn instance_named(&self, params: &indexmap::IndexMap<String, crate::model::Value>, up: bool) -> Result<Option<usize>, String> {
        if let Some(value) = params.get("instance") {
            let text = value.to_field_text();
            let index = text.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).filter(|index| *index < self.instances.len());
            return index.map(Some).ok_or_else(|| format!("there is no instance {text}"));
        }
        let fits = |instance: &Instance| instance.up == up;
        Ok(if up { self.instances.iter().rposition(fits) } else { self.instances.iter().position(fits) })
    }

    fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &indexmap::IndexMap<String, crate::model::Value>) -> Result<(), String> {
        let starts = name == "start-instance";
        let index = match (self.instance_named(params, !starts)?, name) {
            (Some(index), "start-instance") if !self.instances[index].up => index,
            (Some(index), "stop-instance" | "crash-instance") if self.instances[index].up => index,
            (None, "start-instance") if (self.instances.len() as i64) < crate::components::consumer::spec::INSTANCES_MAX => {
                self.instances.push(Instance::new(self.sources.len()));
                self.instances.len() - 1
            }
            (_, "start-instance" | "stop-instance" | "crash-instance") => return Err("no such instance can do that".to_owned()),
            (_, other) => return Err(format!("a consumer of a queue does not understand `{other}`")),
        };
        self.instances[index].up = starts;
        if name == "crash-instance" {
            self.crash(ctx, index);
        }
        self.count_servers();
        self.advance(ctx, index);
        Ok(())
    }

    /// The process is gone with what it holds; the queue shows those messages again.
    fn crash(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let instance = &mut self.instances[index];
        for _ in 0..instance.busy {
            self.station.interrupt(ctx.now);
        }
        self.station.abandon(ctx.now, instance.buffer.len() as u64);
        *instance = Instance { life: (instance.life + 1) & 0xff_ffff, ..Instance::new(self.sources.len()) };
        self.heartbeats.end_all(index);
        self.calls.abandon(index);
    }

    fn set(&mut self, ctx: &mut Ctx<'_>, param: &str, text: &str) -> Result<(), String> {
        let duration = || text.parse::<SimDuration>().map_err(|error| error.to_string());
        match param {
            "service_time" => self.service_time = text.parse::<Distribution>().map_err(|error| error.to_string())?,
            "failure_ratio" => self.failure_ratio = text.parse::<crate::units::Ratio>().map_err(|error| error.to_string())?.0,
            "receive_wait" => self.receive.wait = Some(duration()?),
            "visibility_timeout" => self.receive.visibility = Some(duration()?),
            "failed_visibility" => self.failed_visibility = Some(duration()?),
            "concurrency" => {
                let most = crate::components::consumer::spec::CONCURRENCY_MAX as usize;
                let number = text.parse().ok().filter(|number| (1..=most).contains(number));
                self.concurrency = number.ok_or_else(|| format!("`{text}` is no number from 1 to {most}"))?;
                self.count_servers();
                for index in 0..self.instances.len() {
                    self.advance(ctx, index);
                }
            }
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }
}

impl Process for QueueConsumer {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        for index in 0..self.instances.len() {
            self.advance(ctx, index);
        }
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        match message {
            Message::QueueReply(reply) => {
                let answered = self.calls.answered(*reply);
                self.on_answer(ctx, answered);
            }
            Message::SchemaReply(reply) => {
                debug_assert_eq!(reply.call.0 >> 56, u64::from(CALLS_SCHEMA), "only the reader looks schemas up");
                if let Some(reader) = &mut self.reader {
                    reader.on_reply(ctx, &reply);
                }
                for index in 0..self.instances.len() {
                    self.advance(ctx, index);
                }
            }
            // Nothing else is sent to a consumer of a queue.
            _ => {}
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let (index, life) = ((token >> 8 & 0xfff) as usize, (token >> 40) as u32);
        match token & 0xff {
            TOKEN_WAKE => self.wake(ctx),
            _ if self.instances[index].life != life => {}
            TOKEN_WORKER => self.worker_due(ctx, index, (token >> 20 & 0xf_ffff) as u32),
            _ => {
                self.instances[index].receiving[(token >> 20 & 0xf_ffff) as usize] = false;
                self.advance(ctx, index);
            }
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } => self.set(ctx, param, &value.to_field_text()),
            Input::Action { name, params } => self.action(ctx, name, params),
        }
    }
    fn figures(&self, now: SimTime, out: &mut Figures) {
        out.counter("processed_count", self.counts.processed);
        out.counter("failed_count", self.counts.failed);
        out.counter("rejected_count", self.counts.rejected);
        out.counter("receives_count", self.counts.receives);
        out.counter("empty_receives_count", self.counts.empty_receives);
        out.counter("heartbeats_count", self.counts.heartbeats);
        out.gauge("instances", self.instances.iter().filter(|instance| instance.up).count() as f64);
        self.station.figures(now, out);
    }
    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        self.reader.as_ref()?.browse(query)
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
