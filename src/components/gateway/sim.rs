//! A gateway while it runs.
//!
//! ```text
//! request ─► queue ─► worker (service_time) ─► machine: route, key, limit ─► schema ─► topic ─► 200 after the ack
//!    503 full                                       404  401  429             400        502 503 504
//!                                                                             └─► answer of a service (respond)
//! ```
//!
//! The client of a submission tells its end; the gateway tells hops, and the acceptance of what it answers itself.

use std::collections::VecDeque;
use std::sync::Arc;

use super::answers::{Answers, Phrase};
use super::config::RouteTarget;
use super::schemas::{Checked, Found, Schemas};
use super::upstream::Upstream;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Fact, HopKind, HttpRequest, Message, Outcome, Reason, Settled};
use crate::machines::gateway::{Gateway, Request, Verdict};
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, SimTime};

/// A request on its way through.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Where the answer goes.
    pub end: LinkEnd,
    /// The request.
    pub request: Box<HttpRequest>,
    /// When it came.
    pub queued: SimTime,
    /// When a worker took it.
    pub served: SimTime,
    /// Which route took it, once decided.
    pub route: u32,
}

/// What became of a request at the upstream.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The log has it.
    Accepted,
    /// It does not.
    Failed { status: u16, words: String },
}

/// A route's running side.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub target: RouteTarget,
    /// `accepted by route orders`.
    pub words: Arc<str>,
}

/// The limits of its own work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub workers: u32,
    pub queue_max: usize,
    pub in_flight_max: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct GatewaySim {
    pub machine: Gateway,
    pub routes: Vec<Route>,
    pub limits: Limits,
    pub station: Station,
    pub queue: VecDeque<Job>,
    pub serving: Slots<Job>,
    /// Waiting for the answer of a service behind the gateway.
    pub answering: Slots<Job>,
    pub service_time: Distribution,
    pub service_rng: Stream,
    pub answer_rng: Stream,
    pub upstream: Upstream,
    pub schemas: Option<Schemas>,
    pub answers: Answers,
    /// Kept to be reused.
    pub answered: Vec<(Job, Answer)>,
}

/// What a timer is for, in the token's high byte.
const SERVED: u64 = 1 << 56;
const ANSWER: u64 = 2 << 56;
const WAKE: u64 = 3 << 56;
const LOOKUP: u64 = 4 << 56;
const KIND_MASK: u64 = 0xff << 56;

impl GatewaySim {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, request: Box<HttpRequest>) {
        self.answers.requests += 1;
        let job = Job { end, request, queued: ctx.now, served: ctx.now, route: u32::MAX };
        let busy = self.station.serving() >= u64::from(self.limits.workers);
        if busy && self.queue.len() >= self.limits.queue_max {
            let waiting = self.queue.len();
            let words = if waiting == 0 { "every worker is busy".to_owned() } else { format!("{waiting} requests wait already") };
            self.answers.refuse(ctx, &job, 503, Phrase::Made(words), None);
            return;
        }
        self.station.arrive(ctx.now);
        self.queue.push_back(job);
        self.begin(ctx);
    }
    /// Gives free workers what waits.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        while self.station.serving() < u64::from(self.limits.workers) {
            let Some(mut job) = self.queue.pop_front() else { return };
            job.served = ctx.now;
            self.station.begin(ctx.now);
            let takes = self.service_time.sample(&mut self.service_rng);
            ctx.timer_after(takes, SERVED | self.serving.insert(job));
        }
    }
    fn on_served(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some(mut job) = self.serving.take(slot) else { return };
        self.station.finish(ctx.now);
        let decision = {
            let request = &job.request;
            let seen = Request {
                method: &request.method,
                path: &request.path,
                headers: &request.headers,
                event_type: &request.event_type,
                client: u32::from(job.end.0),
            };
            self.machine.handle(ctx.now, &seen)
        };
        if let Some(route) = decision.route {
            job.route = route;
            self.answers.route(route);
        }
        match decision.verdict {
            Verdict::Forward => self.validate(ctx, job),
            Verdict::Refuse { status, words, .. } => {
                let limits = decision.limits.filter(|limits| limits.refused);
                let retry_after = limits.map(|limits| SimDuration::from_secs(u64::from(limits.reset_s)));
                self.answers.refuse(ctx, &job, status, Phrase::Known(words), retry_after);
            }
        }
        self.begin(ctx);
    }
    fn validate(&mut self, ctx: &mut Ctx<'_>, job: Job) {
        let waiting = self.upstream.waiting() + self.answering.len() + self.schemas.as_ref().map_or(0, Schemas::waiting);
        if waiting >= self.limits.in_flight_max {
            self.answers.refuse(ctx, &job, 503, Phrase::Made(format!("{waiting} requests wait for an upstream already")), None);
            return;
        }
        let Some(schemas) = &mut self.schemas else { return self.forward(ctx, job) };
        match schemas.check(&job.request.body) {
            Checked::Valid => self.forward(ctx, job),
            Checked::Invalid(words) => self.answers.refuse(ctx, &job, 400, Phrase::Made(words), None),
            Checked::Unknown(id) => schemas.wait(ctx, id, job, |call| LOOKUP | call),
        }
    }
    fn on_found(&mut self, ctx: &mut Ctx<'_>, found: Option<Found>) {
        match found {
            None => {}
            Some(Found::Schema(jobs)) => {
                for job in jobs {
                    self.validate(ctx, job);
                }
            }
            Some(Found::Failed { jobs, status, words }) => {
                for job in &jobs {
                    self.answers.refuse(ctx, job, status, Phrase::Made(words.clone()), None);
                }
            }
        }
    }
    fn forward(&mut self, ctx: &mut Ctx<'_>, job: Job) {
        let Some(route) = self.routes.get(job.route as usize) else { return };
        match &route.target {
            RouteTarget::Topic(topic) => {
                if ctx.tracing.takes(job.request.event.id) {
                    self.answers.hop(ctx, &job, HopKind::Gateway, &route.words);
                }
                self.upstream.push(ctx, *topic, job);
                self.flush(ctx);
            }
            RouteTarget::Respond { after, .. } => {
                let takes = after.sample(&mut self.answer_rng);
                let token = ANSWER | self.answering.insert(job);
                ctx.timer_after(takes, token);
            }
            // The compiler refuses such a design.
            RouteTarget::Unknown(_) => {}
        }
    }
    fn on_answer(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some(job) = self.answering.take(slot) else { return };
        let Some(Route { target: RouteTarget::Respond { status, .. }, words }) = self.routes.get(job.route as usize) else { return };
        if !(200..400).contains(status) {
            let words = format!("the service of route {} answered {status}", self.answers.route_name(job.route));
            self.answers.refuse(ctx, &job, *status, Phrase::Made(words), None);
            return;
        }
        if ctx.tracing.takes(job.request.event.id) {
            self.answers.hop(ctx, &job, HopKind::Gateway, words);
        }
        let reason = Reason { code: "answered", detail: None };
        let settled = Settled { event: job.request.event, at: ctx.me, outcome: Outcome::Accepted, reason };
        ctx.fact(Fact::Settled(Box::new(settled)));
        self.answers.accept(ctx, &job, *status);
    }
    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        let mut answered = std::mem::take(&mut self.answered);
        self.upstream.flush(ctx, WAKE, &mut answered);
        for (job, answer) in answered.drain(..) {
            match answer {
                Answer::Accepted => self.answers.accept(ctx, &job, 200),
                Answer::Failed { status, words } => self.answers.refuse(ctx, &job, status, Phrase::Made(words), None),
            }
        }
        self.answered = answered;
    }
}

impl Process for GatewaySim {
    fn start(&mut self, _ctx: &mut Ctx<'_>) {}
    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        match message {
            Message::Http(request) => self.on_request(ctx, end, request),
            Message::ProduceReply(reply) => {
                self.upstream.on_reply(ctx, &reply);
                self.flush(ctx);
            }
            Message::MetadataReply(reply) => {
                self.upstream.on_metadata(ctx, &reply);
                self.flush(ctx);
            }
            Message::SchemaReply(reply) => {
                let found = self.schemas.as_mut().and_then(|schemas| schemas.on_reply(&reply));
                self.on_found(ctx, found);
            }
            // Links are typed: nothing else arrives.
            _ => {}
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let rest = token & !KIND_MASK;
        match token & KIND_MASK {
            SERVED => self.on_served(ctx, rest),
            ANSWER => self.on_answer(ctx, rest),
            LOOKUP => {
                let found = self.schemas.as_mut().and_then(|schemas| schemas.on_timeout(rest));
                self.on_found(ctx, found);
            }
            _ => {
                self.upstream.on_wake(ctx);
                self.flush(ctx);
            }
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        super::inputs::apply(self, input)?;
        self.begin(ctx);
        Ok(())
    }
    fn crash(&mut self, ctx: &mut Ctx<'_>) -> Result<u64, String> {
        Ok(self.lose_memory(ctx))
    }
    fn figures(&self, now: SimTime, out: &mut Figures) {
        self.station.figures(now, out);
        let waiting = self.upstream.waiting() + self.answering.len() + self.schemas.as_ref().map_or(0, Schemas::waiting);
        out.gauge("upstream_waiting_count", waiting as f64);
        out.counter("retried_count", self.upstream.retried());
        if let Some(ratio) = self.upstream.moved_keys_ratio() {
            out.gauge("moved_keys_ratio", ratio);
        }
        out.counter("schema_lookups_count", self.schemas.as_ref().map_or(0, Schemas::lookups));
        out.gauge("rate_limit_counters_count", self.machine.counters() as f64);
        self.answers.figures(out);
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

/// Things named by small numbers that are used again.
#[derive(Clone, Debug)]
pub(super) struct Slots<T> {
    items: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }
    fn insert(&mut self, item: T) -> u64 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.items.push(None);
            (self.items.len() - 1) as u32
        });
        self.items[slot as usize] = Some(item);
        u64::from(slot)
    }
    /// All of them.
    pub fn into_items(self) -> impl Iterator<Item = T> {
        self.items.into_iter().flatten()
    }
    fn take(&mut self, slot: u64) -> Option<T> {
        let item = self.items.get_mut(slot as usize)?.take()?;
        self.free.push(slot as u32);
        Some(item)
    }
}
