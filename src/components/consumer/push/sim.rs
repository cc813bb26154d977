//! The running endpoint.
//!
//! ```text
//! request ─► schema known? ─► worker free? ─► work ─► 200, or the status of failures
//!                │                └ no: waits, or 503
//!                └ does not fit: 400
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::work::Work;
use crate::components::alarm::Alarm;
use crate::components::consumer::schemas::{CALLS_SCHEMA, Reader, Verdict};
use crate::components::consumer::spec::{CONCURRENCY_MAX, INSTANCES_MAX};
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Answer, HttpRequest, Message, Query};
use crate::machines::broker::fanout::envelope;
use crate::random::{Distribution, Stream};
use crate::units::{GroupIx, Ratio, SimTime};

/// Timer tokens: what in the upper byte, a work's number below.
pub(super) const WORK: u64 = 1 << 56;
const WAKE: u64 = 2 << 56;
const LOW: u64 = (1 << 56) - 1;

/// Statuses that it answers by itself.
const BAD_REQUEST: u16 = 400;
const UNAVAILABLE: u16 = 503;

/// A consumer that is pushed to, while it runs.
#[derive(Clone, Debug)]
pub(in crate::components::consumer) struct PushConsumer {
    pub(super) name: Arc<str>,
    /// The group of each subscription, by the end of its link.
    pub(super) groups: BTreeMap<u16, GroupIx>,
    pub(super) instances: Vec<Instance>,
    concurrency: usize,
    waiting_max: usize,
    pub(super) service_time: Distribution,
    pub(super) service_rng: Stream,
    pub(super) failure_ratio: f64,
    pub(super) failure_rng: Stream,
    pub(super) failure_status: u16,
    reader: Option<Reader>,
    /// Requests that are not decoded yet, because a schema is missing.
    inbox: VecDeque<Held>,
    /// Requests that wait for a worker.
    waiting: VecDeque<Held>,
    pub(super) works: BTreeMap<u64, Work>,
    pub(super) next_work: u64,
    pub(super) station: Station,
    pub(super) counts: Counts,
    alarm: Alarm,
}

/// Requests by what became of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    requests: u64,
    pub processed: u64,
    pub failed: u64,
    rejected: u64,
    refused: u64,
}

/// One process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Instance {
    pub up: bool,
    pub busy: usize,
}

/// A request that it has taken.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub end: LinkEnd,
    pub request: HttpRequest,
    /// What the envelope held.
    pub value: Bytes,
    pub arrived: SimTime,
}

impl PushConsumer {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let group = |facts: &crate::components::LinkFacts| {
            let topic = facts.pushes.as_ref()?;
            let name = format!("{}→{}", topic.name, ctx.id);
            let group = ctx.groups.iter().find(|group| group.cluster == topic.cluster && *group.name == *name)?;
            Some((facts.end.0, group.group))
        };
        let registry = ctx.links_at("schemas").next().filter(|_| params.flag("validate"));
        let version = params.is_given("reader_version").then(|| u32::try_from(params.count("reader_version")).unwrap_or(1));
        let count = |name: &str| usize::try_from(params.count(name)).unwrap_or(0);
        let mut consumer = Self {
            name: ctx.id.into(),
            groups: ctx.links_at("in").filter_map(group).collect(),
            instances: vec![Instance { up: true, busy: 0 }; count("instances")],
            concurrency: count("concurrency").max(1),
            waiting_max: count("request_queue"),
            service_time: params.distribution("service_time"),
            service_rng: ctx.stream("service"),
            failure_ratio: params.ratio("failure_ratio"),
            failure_rng: ctx.stream("failures"),
            failure_status: u16::try_from(params.count("failure_status")).unwrap_or(500),
            reader: registry.map(|facts| Reader::new(facts.end, Arc::clone(ctx.schemas), version)),
            inbox: VecDeque::new(),
            waiting: VecDeque::new(),
            works: BTreeMap::new(),
            next_work: 0,
            station: Station::default(),
            counts: Counts::default(),
            alarm: Alarm::default(),
        };
        consumer.count_servers();
        consumer
    }

    fn count_servers(&mut self) {
        let up = self.instances.iter().filter(|instance| instance.up).count();
        self.station.set_servers((up * self.concurrency) as u32);
    }

    fn take(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, request: HttpRequest) {
        self.counts.requests += 1;
        let value = envelope::open(&request.body).unwrap_or_else(|| request.body.clone());
        let held = Held { end, request, value, arrived: ctx.now };
        if self.instances.iter().any(|instance| instance.up) {
            self.inbox.push_back(held);
            self.advance(ctx);
        } else {
            self.refuse(ctx, &held, "no instance is up");
        }
    }

    fn refuse(&mut self, ctx: &mut Ctx<'_>, held: &Held, why: &'static str) {
        self.counts.refused += 1;
        self.answer(ctx, held, UNAVAILABLE, Some(why.into()));
    }

    /// Everything that can be done now.
    pub(super) fn advance(&mut self, ctx: &mut Ctx<'_>) {
        while let Some(held) = self.inbox.pop_front() {
            match self.reader.as_mut().map_or(Verdict::Good, |reader| reader.judge(ctx, &held.value)) {
                Verdict::Wait => {
                    self.inbox.push_front(held);
                    break;
                }
                Verdict::Bad(reason) => {
                    self.counts.rejected += 1;
                    let words = format!("rejected by {}: {}", self.name, reason.detail.as_deref().unwrap_or(reason.code));
                    self.hop_rejected(ctx, &held, ctx.now, words);
                    self.answer(ctx, &held, BAD_REQUEST, Some(reason.code.into()));
                }
                Verdict::Good => self.admit(ctx, held),
            }
        }
        while let Some(instance) = self.free_instance()
            && let Some(held) = self.waiting.pop_front()
        {
            self.begin(ctx, instance, held);
        }
        let wake = self.reader.as_ref().map_or(SimTime::MAX, Reader::next_wake);
        self.alarm.set(ctx, wake, WAKE);
    }

    fn admit(&mut self, ctx: &mut Ctx<'_>, held: Held) {
        let free = self.free_instance().filter(|_| self.waiting.is_empty());
        if free.is_none() && self.waiting.len() >= self.waiting_max {
            return self.refuse(ctx, &held, "too many requests wait");
        }
        self.station.arrive(ctx.now);
        match free {
            Some(instance) => self.begin(ctx, instance, held),
            None => self.waiting.push_back(held),
        }
    }

    /// The instance that is up and has the least to do, if it has a free worker.
    fn free_instance(&self) -> Option<usize> {
        let free = self.instances.iter().enumerate().filter(|(_, instance)| instance.up && instance.busy < self.concurrency);
        free.min_by_key(|(_, instance)| instance.busy).map(|(index, _)| index)
    }

    fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &indexmap::IndexMap<String, crate::model::Value>) -> Result<(), String> {
        let starts = match name {
            "start-instance" => true,
            "stop-instance" | "crash-instance" => false,
            other => return Err(format!("a consumer that is pushed to does not understand `{other}`")),
        };
        let index = match params.get("instance") {
            Some(value) => {
                let number = value.to_field_text().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                number.filter(|index| self.instances.get(*index).is_some_and(|instance| instance.up != starts))
            }
            None if starts => self.instances.iter().position(|instance| !instance.up).or_else(|| {
                let has_room = (self.instances.len() as i64) < INSTANCES_MAX;
                has_room.then(|| {
                    self.instances.push(Instance::default());
                    self.instances.len() - 1
                })
            }),
            None => self.instances.iter().rposition(|instance| instance.up),
        };
        let index = index.ok_or("no such instance can do that")?;
        self.instances[index].up = starts;
        if name == "crash-instance" {
            self.crash(ctx, index);
        }
        self.count_servers();
        if !self.instances.iter().any(|instance| instance.up) {
            let waiting: Vec<Held> = self.inbox.drain(..).chain(self.waiting.drain(..)).collect();
            self.station.abandon(ctx.now, self.station.waiting());
            waiting.iter().for_each(|held| self.refuse(ctx, held, "no instance is up"));
        }
        self.advance(ctx);
        Ok(())
    }

    fn set(&mut self, ctx: &mut Ctx<'_>, param: &str, text: &str) -> Result<(), String> {
        match param {
            "service_time" => self.service_time = text.parse::<Distribution>().map_err(|error| error.to_string())?,
            "failure_ratio" => self.failure_ratio = text.parse::<Ratio>().map_err(|error| error.to_string())?.0,
            "failure_status" => {
                let status = text.parse().ok().filter(|status| (400..=599).contains(status));
                self.failure_status = status.ok_or_else(|| format!("`{text}` is no status from 400 to 599"))?;
            }
            "concurrency" => {
                let number = text.parse().ok().filter(|number| (1..=CONCURRENCY_MAX as usize).contains(number));
                self.concurrency = number.ok_or_else(|| format!("`{text}` is no number from 1 to {CONCURRENCY_MAX}"))?;
                self.count_servers();
                self.advance(ctx);
            }
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }
}

impl Process for PushConsumer {
    fn start(&mut self, _: &mut Ctx<'_>) {}

    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        match message {
            Message::Http(request) => self.take(ctx, end, *request),
            Message::SchemaReply(reply) => {
                debug_assert_eq!(reply.call.0 >> 56, u64::from(CALLS_SCHEMA), "only the reader looks schemas up");
                if let Some(reader) = &mut self.reader {
                    reader.on_reply(ctx, &reply);
                }
                self.advance(ctx);
            }
            // Nothing else is sent to an endpoint.
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        match token & !LOW {
            WORK => self.work_due(ctx, token & LOW),
            WAKE if self.alarm.rings(ctx.now) => {
                if let Some(reader) = &mut self.reader {
                    reader.on_wake(ctx);
                }
                self.advance(ctx);
            }
            // An earlier timer has done this one's work.
            _ => {}
        }
    }

    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } => self.set(ctx, param, &value.to_field_text()),
            Input::Action { name, params } => self.action(ctx, name, params),
        }
    }

    fn figures(&self, now: SimTime, out: &mut Figures) {
        out.counter("requests_count", self.counts.requests);
        out.counter("processed_count", self.counts.processed);
        out.counter("failed_count", self.counts.failed);
        out.counter("rejected_count", self.counts.rejected);
        out.counter("refused_count", self.counts.refused);
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
