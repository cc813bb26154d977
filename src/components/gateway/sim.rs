//! A gateway while it runs.
//!
//! ```text
//! request ─► queue ─► worker (service_time) ─► machine: route, key, limit ─► schema ─► topic ─► 200 after the ack
//!    503 full                                       404  401  429             400        502 503 504
//!                                                                             └─► answer of a service (respond)
//! ```
//!
//! The client of a submission tells its end; the gateway tells hops, and the acceptance of what it answers itself.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use super::answers::Answers;
use super::attributes::Attributes;
use super::config::RouteTarget;
use super::integrations::Integrations;
use super::machine::{Decided, Machine, Stopped, Trouble};
use super::pools::Pools;
use super::schemas::{Checked, Found, Schemas};
use super::upstream::Upstream;
use crate::components::Params;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Fact, HopKind, HttpRequest, Message, Outcome, Reason, Settled};
use crate::machines::gateway::{Met, PluginSpec, Request, Words, client_ip};
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
    /// Which of the gateway's nodes has it.
    pub node: u32,
    /// When the plugins were through with it; before that, when it came.
    pub decided: SimTime,
    /// Under which the service's answer is kept.
    pub cache_key: Option<Arc<str>>,
    /// Whose it is, by the machine's number.
    pub client: Option<u32>,
    /// The target that has it, of an upstream.
    pub target: u32,
    /// Targets that it has tried in vain.
    pub tried: Vec<u32>,
}

/// How clients connect.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// Only clients with a certificate.
    pub mutual: bool,
    pub handshake: Distribution,
    pub requests_per_connection: u64,
    /// By link end: requests of the connection that is open.
    pub connections: BTreeMap<u16, u64>,
    pub handshakes: u64,
}

impl Tls {
    /// None where clients connect in clear.
    pub(super) fn new(params: &Params<'_>) -> Option<Self> {
        (params.text("tls") != "none").then(|| Self {
            mutual: params.text("tls") == "mtls",
            handshake: params.distribution("tls_handshake"),
            requests_per_connection: params.count("requests_per_connection").max(1) as u64,
            connections: BTreeMap::new(),
            handshakes: 0,
        })
    }
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
    /// Body of the answer of what stands behind it.
    pub answer_bytes: u32,
}

/// The limits of its own work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of each node.
    pub workers: u32,
    pub nodes: u32,
    pub queue_max: usize,
    pub in_flight_max: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct GatewaySim {
    pub machine: Machine,
    pub routes: Vec<Route>,
    /// The machine's routes by ours, where they are not the same.
    pub of_row: Option<Vec<u32>>,
    /// The longest that a service may take.
    pub upstream_timeout: SimDuration,
    /// Of a function that is asked who it is.
    pub authorizer_time: Distribution,
    pub authorizer_rng: Stream,
    pub limits: Limits,
    pub station: Station,
    pub queue: VecDeque<Job>,
    pub serving: Slots<Job>,
    /// Waiting for the answer of a service behind the gateway, with what it will be.
    pub answering: Slots<(Job, Met)>,
    pub service_time: Distribution,
    pub service_rng: Stream,
    pub answer_rng: Stream,
    pub upstream: Upstream,
    pub pools: Pools,
    pub integrations: Integrations,
    pub schemas: Option<Schemas>,
    pub answers: Answers,
    /// Decided, and waiting for the store of shared counters.
    pub storing: Slots<(Job, Decided)>,
    pub store_time: Distribution,
    pub store_rng: Stream,
    /// When that store answers again; none while it does.
    pub store_back_at: Option<SimTime>,
    /// Requests that a limit did not count meanwhile.
    pub uncounted: u64,
    pub tls: Option<Tls>,
    pub tls_rng: Stream,
    /// With the parameter that each comes from.
    pub plugins: Vec<(String, PluginSpec)>,
    pub limit_policy: String,
    /// The node that the load balancer picks next.
    pub next_node: u32,
    /// Kept to be reused.
    pub answered: Vec<(Job, Answer)>,
}

/// What a timer is for, in the token's high byte.
const SERVED: u64 = 1 << 56;
const ANSWER: u64 = 2 << 56;
const WAKE: u64 = 3 << 56;
const LOOKUP: u64 = 4 << 56;
const STORED: u64 = 5 << 56;
pub(super) const TRIED: u64 = 6 << 56;
const PROBE: u64 = 7 << 56;
const STORE_BACK: u64 = 8 << 56;
pub(super) const SENT: u64 = 9 << 56;
const KIND_MASK: u64 = 0xff << 56;

impl GatewaySim {
    fn on_request(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, request: Box<HttpRequest>) {
        self.answers.requests += 1;
        self.answers.usage.came(ctx.now);
        let node = self.next_node % self.limits.nodes;
        self.next_node = (node + 1) % self.limits.nodes;
        let now = ctx.now;
        let job = Job {
            end,
            request,
            queued: now,
            served: now,
            route: u32::MAX,
            node,
            decided: now,
            cache_key: None,
            client: None,
            target: 0,
            tried: Vec::new(),
        };
        let busy = self.station.serving() >= self.workers();
        if busy && self.queue.len() >= self.limits.queue_max {
            let waiting = self.queue.len();
            let words = if waiting == 0 { "every worker is busy".to_owned() } else { format!("{waiting} requests wait already") };
            self.answers.refuse(ctx, &job, Stopped::made(503, "queue-full", words));
            return;
        }
        self.station.arrive(ctx.now);
        self.queue.push_back(job);
        self.begin(ctx);
    }
    /// Gives free workers what waits.
    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        while self.station.serving() < self.workers() {
            let Some(mut job) = self.queue.pop_front() else { return };
            job.served = ctx.now;
            self.station.begin(ctx.now);
            let takes = self.service_time.sample(&mut self.service_rng).plus(self.handshake(job.end));
            ctx.timer_after(takes, SERVED | self.serving.insert(job));
        }
    }
    fn on_served(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some(mut job) = self.serving.take(slot) else { return };
        self.station.finish(ctx.now);
        job.decided = ctx.now;
        if self.tls.as_ref().is_some_and(|tls| tls.mutual) && header(&job.request, "ssl-client-verify") != Some("SUCCESS") {
            // The words of Kong's mtls-auth plugin.
            let words = Words::Known("No required TLS certificate was sent");
            self.answers.refuse(ctx, &job, Stopped::new(401, "certificate", words));
            self.begin(ctx);
            return;
        }
        let decision = {
            let request = &job.request;
            let event = Attributes::of(&request.headers, &request.body, &request.event_type, request.key.as_deref());
            let seen = Request {
                method: &request.method,
                path: &request.path,
                headers: &request.headers,
                event_type: &event.event_type,
                event_source: &event.source,
                event_subject: &event.subject,
                ip: address(&job),
                https: self.tls.is_some(),
                sni: header(request, "host").unwrap_or_default(),
                body: &request.body,
            };
            self.machine.handle(ctx.now, job.node, &seen)
        };
        self.uncounted += u64::from(decision.uncounted);
        if decision.store_calls > 0 || decision.authorizer_called {
            let mut takes = SimDuration::ZERO;
            if decision.authorizer_called {
                takes = self.authorizer_time.sample(&mut self.authorizer_rng);
            }
            // One question after the other, as plugins run.
            for _ in 0..decision.store_calls {
                takes = takes.plus(self.store_time.sample(&mut self.store_rng));
            }
            let token = STORED | self.storing.insert((job, decision));
            ctx.timer_after(takes, token);
        } else {
            self.decided(ctx, job, decision);
        }
        self.begin(ctx);
    }
    fn on_stored(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some((mut job, decision)) = self.storing.take(slot) else { return };
        job.decided = ctx.now;
        self.decided(ctx, job, decision);
    }
    fn decided(&mut self, ctx: &mut Ctx<'_>, mut job: Job, decision: Decided) {
        let row = |route: u32| self.of_row.as_ref().map_or(route, |of_row| of_row.get(route as usize).copied().unwrap_or(u32::MAX));
        if let Some(route) = decision.route.map(row) {
            job.route = route;
            self.answers.route(route, decision.client);
        }
        job.cache_key = decision.cache_key;
        job.client = decision.client;
        match decision.stop {
            None => self.validate(ctx, job),
            // From the cache, or a plugin's own.
            Some(Stopped { status, code: "cache", .. }) if is_success(status) => {
                let body_bytes = self.answer_bytes(job.route);
                self.accept_here(ctx, &job, status, body_bytes);
            }
            Some(Stopped { status, body_bytes, .. }) if is_success(status) => {
                self.accept_here(ctx, &job, status, body_bytes.unwrap_or_default());
            }
            Some(refusal) => self.answers.refuse(ctx, &job, refusal),
        }
    }
    /// Answers without a topic: the gateway tells the end.
    fn accept_here(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16, body_bytes: u32) {
        if let (true, Some(route)) = (ctx.tracing.takes(job.request.event.id), self.routes.get(job.route as usize)) {
            self.answers.hop(ctx, job, HopKind::Gateway, &route.words);
        }
        let reason = Reason { code: "answered", detail: None };
        let settled = Settled { event: job.request.event, at: ctx.me, outcome: Outcome::Accepted, reason };
        ctx.fact(Fact::Settled(Box::new(settled)));
        self.answers.accept(ctx, job, status, body_bytes);
    }
    /// Body of the answer of what stands behind a route.
    pub(super) fn answer_bytes(&self, route: u32) -> u32 {
        self.routes.get(route as usize).map_or(0, |route| route.answer_bytes)
    }
    fn workers(&self) -> u64 {
        u64::from(self.limits.workers) * u64::from(self.limits.nodes)
    }
    /// What a new connection costs, if this request needs one.
    fn handshake(&mut self, end: LinkEnd) -> SimDuration {
        let Some(tls) = &mut self.tls else { return SimDuration::ZERO };
        let sent = tls.connections.entry(end.0).or_default();
        let is_new = *sent % tls.requests_per_connection == 0;
        *sent += 1;
        if !is_new {
            return SimDuration::ZERO;
        }
        tls.handshakes += 1;
        let takes = tls.handshake.sample(&mut self.tls_rng);
        // A client's certificate is checked too.
        if tls.mutual { SimDuration::from_ns(takes.as_ns().saturating_mul(3) / 2) } else { takes }
    }
    /// More or fewer workers on each node from now on.
    pub fn set_workers(&mut self, workers: u32) {
        self.limits.workers = workers.max(1);
        self.station.set_servers(self.workers().min(u64::from(u32::MAX)) as u32);
    }
    /// More or fewer nodes from now on; what a node that is gone has counted is forgotten.
    pub fn set_nodes(&mut self, nodes: u32) {
        for gone in nodes.max(1)..self.limits.nodes {
            self.machine.forget(Some(gone));
        }
        self.limits.nodes = nodes.max(1);
        self.set_workers(self.limits.workers);
    }
    /// Other rate limits or plugins from now on; what the changed ones counted is forgotten.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    pub fn set_plugins(&mut self, params: &Params<'_>, param: &str) -> Result<(), String> {
        let place = |origin: &str| ["key_auth", "rate_limits", "plugins"].iter().position(|known| origin.starts_with(known));
        // Each with where it has stood so far.
        let old = self.plugins.iter().enumerate().filter(|(_, (origin, _))| !origin.starts_with(param));
        let new = super::config::plugins(params, &self.limit_policy).into_iter().filter(|(origin, _)| origin.starts_with(param));
        let mut plugins: Vec<_> = old.map(|(at, plugin)| (Some(at), plugin.clone())).chain(new.map(|plugin| (None, plugin))).collect();
        plugins.sort_by_key(|(_, (origin, _))| place(origin));
        let (kept, plugins): (Vec<Option<usize>>, Vec<_>) = plugins.into_iter().unzip();
        let specs: Vec<PluginSpec> = plugins.iter().map(|(_, spec)| spec.clone()).collect();
        let Machine::Kong(machine) = &mut self.machine else {
            return Err(format!("`{param}` belongs to the profile kong-3"));
        };
        machine.set_plugins(&specs, &kept).map_err(|problems| problems.first().map_or_else(String::new, |p| p.message.clone()))?;
        self.plugins = plugins;
        Ok(())
    }
    fn validate(&mut self, ctx: &mut Ctx<'_>, job: Job) {
        let waiting = self.waiting();
        if waiting >= self.limits.in_flight_max {
            let words = format!("{waiting} requests wait for an upstream already");
            self.answers.refuse(ctx, &job, Stopped::made(503, "in-flight", words));
            return;
        }
        let Some(schemas) = &mut self.schemas else { return self.forward(ctx, job) };
        match schemas.check(&job.request.body) {
            Checked::Valid => self.forward(ctx, job),
            Checked::Invalid(words) => self.answers.refuse(ctx, &job, Stopped::made(400, "schema", words)),
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
                    self.answers.refuse(ctx, job, Stopped::made(status, "registry", words.as_str()));
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
            RouteTarget::Respond { status, after } => {
                let after = after.sample(&mut self.answer_rng);
                let met = if after >= self.upstream_timeout { Met::Timeout } else { Met::Status(*status) };
                let token = ANSWER | self.answering.insert((job, met));
                ctx.timer_after(after.min(self.upstream_timeout), token);
            }
            RouteTarget::Upstream(pool) => {
                let pool = *pool;
                self.try_target(ctx, job, pool);
            }
            RouteTarget::Queue(service) => {
                let service = *service;
                self.send_message(ctx, job, service);
            }
            // The compiler refuses such a design.
            RouteTarget::Unknown(_) | RouteTarget::NoUpstream(_) | RouteTarget::NoQueue(_) => {}
        }
    }
    fn on_answer(&mut self, ctx: &mut Ctx<'_>, slot: u64) {
        let Some((job, met)) = self.answering.take(slot) else { return };
        self.service_met(ctx, &job, met);
    }
    /// What a request met at the service behind its route is answered.
    pub(super) fn service_met(&mut self, ctx: &mut Ctx<'_>, job: &Job, met: Met) {
        match met {
            Met::Status(status) => self.service_answered(ctx, job, status),
            Met::Refused => self.trouble(ctx, job, Trouble::Refused),
            Met::Timeout => self.trouble(ctx, job, Trouble::Timeout),
        }
    }
    /// No service has an answer.
    pub(super) fn trouble(&mut self, ctx: &mut Ctx<'_>, job: &Job, trouble: Trouble) {
        let (status, words) = self.machine.trouble(trouble);
        self.answers.refuse(ctx, job, Stopped::new(status, trouble.code(), Words::Known(words)));
    }
    /// The service behind a route has answered.
    fn service_answered(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16) {
        if let Some(key) = &job.cache_key {
            self.machine.answered(ctx.now, job.node, key, status);
        }
        let body_bytes = self.answer_bytes(job.route);
        if !is_success(status) {
            let words = format!("the service of route {} answered {status}", self.answers.route_name(job.route));
            let refusal = Stopped { body_bytes: Some(body_bytes), ..Stopped::made(status, "service", words) };
            self.answers.refuse(ctx, job, refusal);
            return;
        }
        self.accept_here(ctx, job, status, body_bytes);
    }
    /// The store of shared counters is gone, for a while or until it is told otherwise.
    ///
    /// # Errors
    /// When there is none.
    pub fn lose_store(&mut self, ctx: &mut Ctx<'_>, lasts: Option<SimDuration>) -> Result<(), String> {
        self.machine.set_store_up(false)?;
        self.store_back_at = lasts.map(|lasts| ctx.now + lasts);
        if let Some(at) = self.store_back_at {
            ctx.timer_at(at, STORE_BACK);
        }
        Ok(())
    }
    /// It answers again, with what it counted before.
    ///
    /// # Errors
    /// When there is none.
    pub fn regain_store(&mut self) -> Result<(), String> {
        self.store_back_at = None;
        self.machine.set_store_up(true)
    }
    fn store_is_back(&mut self, now: SimTime) {
        // A later loss may have put it off.
        if self.store_back_at.is_some_and(|at| at <= now) {
            self.store_back_at = None;
            // There is a store: one was lost.
            let _ = self.machine.set_store_up(true);
        }
    }
    fn waiting(&self) -> usize {
        self.upstream.waiting()
            + self.answering.len()
            + self.pools.trying.len()
            + self.integrations.waiting()
            + self.storing.len()
            + self.schemas.as_ref().map_or(0, Schemas::waiting)
    }
    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        let mut answered = std::mem::take(&mut self.answered);
        self.upstream.flush(ctx, WAKE, &mut answered);
        for (job, answer) in answered.drain(..) {
            match answer {
                Answer::Accepted => {
                    let body_bytes = self.answer_bytes(job.route);
                    self.answers.accept(ctx, &job, 200, body_bytes);
                }
                Answer::Failed { status, words } => self.answers.refuse(ctx, &job, Stopped::made(status, "log", words)),
            }
        }
        self.answered = answered;
    }
}

impl Process for GatewaySim {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.pools.start(ctx, PROBE);
        // The store is a process of its own: it comes back when it would have.
        if let Some(at) = self.store_back_at {
            ctx.timer_at(at.max(ctx.now), STORE_BACK);
        }
    }
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
            Message::QueueReply(reply) => self.on_queue_reply(ctx, &reply),
            // Links are typed: nothing else arrives.
            _ => {}
        }
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let rest = token & !KIND_MASK;
        match token & KIND_MASK {
            SERVED => self.on_served(ctx, rest),
            ANSWER => self.on_answer(ctx, rest),
            STORED => self.on_stored(ctx, rest),
            TRIED => self.on_tried(ctx, rest),
            PROBE => self.pools.probe(ctx, rest, self.limits.nodes, PROBE),
            SENT => self.on_sent_timeout(ctx, rest),
            STORE_BACK => self.store_is_back(ctx.now),
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
        super::inputs::apply(self, ctx, input)?;
        self.begin(ctx);
        Ok(())
    }
    fn crash(&mut self, ctx: &mut Ctx<'_>) -> Result<u64, String> {
        Ok(self.lose_memory(ctx))
    }
    fn figures(&self, now: SimTime, out: &mut Figures) {
        self.station.figures(now, out);
        out.gauge("upstream_waiting_count", self.waiting() as f64);
        if let Some(tls) = &self.tls {
            out.counter("handshakes_count", tls.handshakes);
        }
        out.counter("retried_count", self.upstream.retried());
        if let Some(ratio) = self.upstream.moved_keys_ratio() {
            out.gauge("moved_keys_ratio", ratio);
        }
        out.counter("schema_lookups_count", self.schemas.as_ref().map_or(0, Schemas::lookups));
        out.gauge("rate_limit_counters_count", self.machine.counters() as f64);
        if self.uncounted > 0 {
            out.counter("uncounted_requests_count", self.uncounted);
        }
        self.pools.figures(out);
        self.answers.figures(now, out);
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

fn is_success(status: u16) -> bool {
    (200..400).contains(&status)
}

pub(super) fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
}

/// A client card's address: what it says itself (`x-forwarded-for`), or one for each link.
pub(super) fn address(job: &Job) -> IpAddr {
    let told = header(&job.request, "x-forwarded-for").and_then(|list| list.split(',').next()?.trim().parse().ok());
    told.unwrap_or_else(|| client_ip(u32::from(job.end.0)))
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
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }
    pub fn insert(&mut self, item: T) -> u64 {
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
    pub fn take(&mut self, slot: u64) -> Option<T> {
        let item = self.items.get_mut(slot as usize)?.take()?;
        self.free.push(slot as u32);
        Some(item)
    }
}
