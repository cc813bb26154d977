//! The running producer.
//!
//! ```text
//! arrival timer ─► draw type, key, validity ─► (schema known?) ─► bytes ─► ProducerClient, QueueClient or HttpClient ─► links
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::credentials::{Credentials, Sort};
use super::envelopes::Envelopes;
use super::http::{HttpClient, HttpOutput, Jitter, Job, breaker, http_config};
use super::lookups::Lookups;
use super::payload::{EventKinds, Source, Target};
use super::queues::Queues;
use super::telling::{hop, settle};
use super::transactions::Transactions;
use crate::components::alarm::Alarm;
use crate::components::letters::Letter;
use crate::components::load::Load;
use crate::components::{BuildCtx, EndRole, Params, clock};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, FigureKind, Figures, Input, LinkEnd, Process};
use crate::event::{Answer, EventId, EventMeta, Fact, Hop, HopKind, Message, Outcome, Query, Reason, SchemaReply};
use crate::machines::broker::client::{ClientOutput, Outgoing, ProducerClient, Push};
use crate::machines::codec::{SchemaLibrary, digits};
use crate::machines::resilience::BreakerState;
use crate::random::{Distribution, KeySampler, Stream};
use crate::units::SimTime;

/// High bytes of call ids to brokers.
pub(super) const CALLS_KAFKA: u16 = 0x0100;
/// High byte of call ids to gateways.
pub(super) const CALLS_HTTP: u8 = 2;
/// High byte of call ids to queues.
const CALLS_QUEUE: u8 = 4;

/// Events that wait for their schema; more are dropped.
const HELD_MAX: usize = 10_000;

/// Low byte of timer tokens.
const TOKEN_ARRIVAL: u64 = 0;
const TOKEN_WAKE: u64 = 1;
const TOKEN_USER: u64 = 2;

/// A producer while it runs.
#[derive(Clone, Debug)]
pub(super) struct Producer {
    pub(super) load: Load,
    pub(super) paused: bool,
    /// A closed loop: so many users, each with one event under way at most.
    users: u64,
    think_time: Distribution,
    /// Users whose event is under way.
    users_waiting: u64,
    events_max: Option<u64>,
    pub(super) kinds: EventKinds,
    pub(super) keys: KeySampler,
    pub(super) key_prefix: Arc<str>,
    pub(super) invalid_ratio: f64,
    tombstone_ratio: f64,
    /// So many of the next events break their schema, unseen by its own check.
    pub(super) poison_left: u64,
    pub(super) validate: bool,
    streams: Streams,
    library: Arc<SchemaLibrary>,
    envelopes: Envelopes,
    pub(super) kafka: Option<ProducerClient>,
    transactions: Option<Transactions>,
    pub(super) http: Option<HttpClient>,
    pub(super) queues: Option<Queues>,
    gateways: Vec<LinkEnd>,
    pub(super) lookups: Lookups,
    pub(super) held: VecDeque<Held>,
    next_seq: u64,
    rejected: u64,
    dropped: u64,
    /// Given up because the process was gone.
    pub(super) abandoned: u64,
    /// How often the process began anew: brokers know its batches by that.
    pub(super) lives: u64,
    alarm: Alarm,
    key_bytes: Vec<u8>,
    payload: Vec<u8>,
    client_out: ClientOutput,
    http_out: HttpOutput,
}

#[derive(Clone, Debug)]
struct Streams {
    arrivals: Stream,
    thinking: Stream,
    types: Stream,
    keys: Stream,
    validity: Stream,
    tombstones: Stream,
    payload: Stream,
}

/// An event whose schema is not known yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub meta: EventMeta,
    kind: usize,
    key: Option<u64>,
    invalid: bool,
    /// It is not checked here: a poison pill.
    unchecked: bool,
    /// It deletes its key.
    tombstone: bool,
}

impl Producer {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let gateways: Vec<LinkEnd> =
            ctx.links_at("out").filter(|facts| facts.role == EndRole::From && facts.port_leads_to_http()).map(|facts| facts.end).collect();
        let (kafka, topics) = super::kafka_client(ctx, params).map_or((None, Vec::new()), |(client, topics)| (Some(client), topics));
        let transactions = Transactions::new(ctx, params);
        let kafka = match &transactions {
            Some(transactions) => kafka.map(|client| transactions.equip(client)),
            None => kafka,
        };
        let (queues, queue_names) = Queues::new(ctx, params, CALLS_QUEUE);
        let topics = topics.into_iter().map(|(name, number)| (name, Target::Topic(number)));
        let ways: Vec<_> = topics.chain(queue_names).collect();
        let http = if gateways.is_empty() {
            None
        } else {
            let cfg = http_config(params);
            let jitter_rng = (cfg.jitter != Jitter::None).then(|| ctx.stream("jitter"));
            Some(HttpClient::new(cfg, Credentials::new(ctx, params)?, gateways.len()).with(breaker(params), jitter_rng))
        };
        Ok(Self {
            load: Load::new(params),
            paused: false,
            users: if params.is_given("users") && http.is_some() { params.count("users").max(0) as u64 } else { 0 },
            think_time: params.distribution("think_time"),
            users_waiting: 0,
            events_max: params.is_given("max_events").then(|| u64::try_from(params.count("max_events")).unwrap_or(0)),
            kinds: EventKinds::new(ctx, params, &ways, http.is_some())?,
            keys: params.keys("keys").sampler(),
            key_prefix: Arc::from(params.text("key_prefix")),
            invalid_ratio: params.ratio("invalid_ratio"),
            tombstone_ratio: params.ratio("tombstone_ratio"),
            poison_left: 0,
            validate: params.flag("validate"),
            streams: Streams {
                arrivals: ctx.stream("arrivals"),
                thinking: ctx.stream("thinking"),
                types: ctx.stream("types"),
                keys: ctx.stream("keys"),
                validity: ctx.stream("validity"),
                tombstones: ctx.stream("tombstones"),
                payload: ctx.stream("payload"),
            },
            library: Arc::clone(ctx.schemas),
            envelopes: Envelopes::new(ctx.id, params),
            kafka,
            transactions,
            http,
            queues,
            gateways,
            lookups: Lookups::new(ctx, params),
            held: VecDeque::new(),
            next_seq: 0,
            rejected: 0,
            dropped: 0,
            abandoned: 0,
            lives: 0,
            alarm: Alarm::default(),
            key_bytes: Vec::new(),
            payload: Vec::new(),
            client_out: ClientOutput::default(),
            http_out: HttpOutput::default(),
        })
    }

    pub(super) fn schedule_arrival(&mut self, ctx: &mut Ctx<'_>) {
        if self.paused || self.events_max.is_some_and(|max| self.next_seq >= max) {
            return;
        }
        if self.users > 0 {
            // Timers of an older load are stale: everybody without an event under way thinks anew.
            self.think(ctx, self.users.saturating_sub(self.users_waiting));
            return;
        }
        if let Some(at) = self.load.next(ctx.now, &mut self.streams.arrivals) {
            ctx.timer_at(at, self.load.generation() << 8 | TOKEN_ARRIVAL);
        }
    }

    /// Users begin to think: all that have nothing under way.
    pub(super) fn think(&mut self, ctx: &mut Ctx<'_>, users: u64) {
        for _ in 0..users {
            let thinks = self.think_time.sample(&mut self.streams.thinking);
            ctx.timer_after(thinks, self.load.generation() << 8 | TOKEN_USER);
        }
    }
    /// Users whose event has come to its end think about the next.
    fn release_users(&mut self, ctx: &mut Ctx<'_>) {
        let under_way = self.http.as_ref().map_or(0, |client| client.waiting() + client.in_flight()) + self.held.len();
        let free = self.users_waiting.saturating_sub(under_way as u64);
        self.users_waiting -= free;
        self.think(ctx, free);
    }

    /// Makes an event. Returns whether a client may have something to do.
    fn arrive(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let kind = self.kinds.draw(&mut self.streams.types);
        let id = EventId { producer: ctx.me, seq: self.next_seq };
        self.next_seq += 1;
        let meta = EventMeta { id, event_type: self.kinds.list[kind].ty, born: ctx.now, root_born: ctx.now };
        let key = self.keys.sample(&mut self.streams.keys);
        let unchecked = self.poison_left > 0;
        self.poison_left -= u64::from(unchecked);
        let invalid = self.streams.validity.chance(self.invalid_ratio) || unchecked;
        ctx.fact(Fact::Born(meta));
        let tombstone = self.tombstone_ratio > 0.0 && key.is_some() && self.streams.tombstones.chance(self.tombstone_ratio);
        let held = Held { meta, kind, key, invalid, unchecked, tombstone };
        // Events of one producer keep their order: one that waits holds back those after it.
        let must_wait = !self.held.is_empty() || matches!(self.kinds.list[kind].source, Source::Unknown { .. });
        let stirred = if must_wait {
            if self.held.len() < HELD_MAX {
                self.held.push_back(held);
            } else {
                self.dropped += 1;
                let reason = Reason { code: "schema-pending", detail: Some("too many events wait for their schema".into()) };
                settle(ctx, meta, Outcome::Dropped, reason, None);
            }
            false
        } else {
            self.dispatch(ctx, &held)
        };
        if self.users == 0 {
            self.schedule_arrival(ctx);
        }
        stirred
    }

    /// Makes the bytes and hands them to a client. Returns whether that may have something to do.
    fn dispatch(&mut self, ctx: &mut Ctx<'_>, event: &Held) -> bool {
        let kind = &self.kinds.list[event.kind];
        let meta = event.meta;
        self.payload.clear();
        let written =
            kind.source.write(&mut self.streams.payload, ctx.now, event.invalid, self.validate && !event.unchecked, &mut self.payload);
        let key = event.key.map(|number| {
            self.key_bytes.clear();
            self.key_bytes.extend_from_slice(self.key_prefix.as_bytes());
            digits(number, &mut self.key_bytes);
            self.key_bytes.as_slice()
        });
        if let Err(reason) = written {
            self.rejected += 1;
            settle(ctx, meta, Outcome::Rejected, reason, Some((Bytes::copy_from_slice(&self.payload), key.map(Bytes::copy_from_slice))));
            return false;
        }
        let traced = ctx.tracing.takes(meta.id);
        if traced {
            let words = if event.invalid { "made with a payload that breaks its schema" } else { "made" };
            let hop = hop(ctx, HopKind::Produced, meta.born, words.into());
            let hop = Hop { payload: Some(Bytes::copy_from_slice(&self.payload)), key: key.map(Bytes::copy_from_slice), ..hop };
            ctx.hop(meta, hop);
        }
        match (kind.target, &mut self.kafka, &mut self.http, &mut self.queues) {
            (Target::Topic(topic), Some(client), ..) => {
                let extra_header_bytes = kind.extra_header_bytes;
                let outgoing =
                    Outgoing { meta, key, value: (!event.tombstone).then_some(self.payload.as_slice()), extra_header_bytes, traced };
                client.push(ctx.now, topic, &outgoing, &mut self.client_out) != Push::Joined
            }
            (Target::Gateways, _, Some(client), _) => {
                let job = Job {
                    meta,
                    event_type: Arc::clone(&kind.name),
                    method: Arc::clone(&kind.method),
                    path: Arc::clone(&kind.path),
                    key: key.map(Bytes::copy_from_slice),
                    body: self.envelopes.around(&meta, &kind.name, key, &self.payload),
                    attempts: 0,
                    credential: Sort::Good,
                    turn: 0,
                };
                client.push(ctx.now, job, &mut self.http_out);
                true
            }
            (Target::Queue(queue), .., Some(queues)) => {
                let extra_header_bytes = kind.extra_header_bytes;
                queues.push(ctx.now, queue, Letter { meta, key, value: &self.payload, extra_header_bytes, traced });
                true
            }
            _ => {
                self.dropped += 1;
                let reason = Reason { code: "unlinked", detail: Some("the producer is linked to nothing".into()) };
                settle(ctx, meta, Outcome::Dropped, reason, None);
                false
            }
        }
    }

    /// Carries out what the clients want, and sets the next wake-up.
    fn flush(&mut self, ctx: &mut Ctx<'_>) {
        if let (Some(transactions), Some(client)) = (&mut self.transactions, &mut self.kafka) {
            transactions.drive(ctx.now, client, &mut self.client_out);
        }
        for (link, message) in self.client_out.sends.drain(..) {
            ctx.send(LinkEnd(link), message);
        }
        for unsent in self.client_out.unsent.drain(..) {
            settle(ctx, unsent.event, unsent.outcome, unsent.reason, None);
        }
        for (gateway, request) in self.http_out.requests.drain(..) {
            ctx.send(self.gateways[gateway], Message::Http(Box::new(request)));
        }
        for (job, outcome, reason) in self.http_out.unsent.drain(..) {
            settle(ctx, job.meta, outcome, reason, Some((job.body, job.key)));
        }
        if let Some(queues) = &mut self.queues {
            queues.send(ctx);
        }
        if self.users_waiting > 0 {
            self.release_users(ctx);
        }
        let mut wake = self.lookups.next_wake();
        if let Some(client) = &mut self.kafka {
            wake = wake.min(client.next_wake(ctx.now));
            wake = wake.min(self.transactions.as_ref().map_or(SimTime::MAX, |transactions| transactions.next_wake(client)));
        }
        if let Some(client) = &mut self.http {
            wake = wake.min(client.next_wake(ctx.now));
        }
        if let Some(queues) = &self.queues {
            wake = wake.min(queues.client.next_wake());
        }
        self.alarm.set(ctx, wake, TOKEN_WAKE);
    }

    fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if !self.alarm.rings(ctx.now) {
            return;
        }
        if let Some(client) = &mut self.kafka {
            client.on_wake(ctx.now, &mut self.client_out);
        }
        if let Some(client) = &mut self.http {
            client.on_wake(ctx.now, &mut self.http_out);
        }
        if let Some(queues) = &mut self.queues {
            queues.on_wake(ctx.now);
        }
        self.lookups.on_wake(ctx, &self.kinds);
        self.flush(ctx);
    }

    fn on_schema(&mut self, ctx: &mut Ctx<'_>, reply: &SchemaReply) {
        let Some(asked) = self.lookups.answered(reply) else { return };
        self.kinds.learn(&asked.subject, asked.version, &self.library, &reply.result);
        while let Some(event) = self.held.front().copied() {
            if matches!(self.kinds.list[event.kind].source, Source::Unknown { .. }) {
                break;
            }
            self.held.pop_front();
            self.dispatch(ctx, &event);
        }
    }
}

impl Process for Producer {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.lookups.begin(ctx, &self.kinds);
        if let Some(client) = &mut self.kafka {
            client.start_transactions(ctx.now, &mut self.client_out);
        }
        self.users_waiting = 0;
        self.schedule_arrival(ctx);
        self.flush(ctx);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        match message {
            Message::ProduceReply(reply) => {
                if let Some(client) = &mut self.kafka {
                    client.on_reply(ctx.now, &reply, &mut self.client_out);
                }
            }
            Message::MetadataReply(reply) => {
                if let Some(client) = &mut self.kafka {
                    client.on_metadata(ctx.now, &reply, &mut self.client_out);
                }
            }
            Message::TransactionReply(reply) => {
                if let Some(client) = &mut self.kafka {
                    client.on_transaction(ctx.now, &reply, &mut self.client_out);
                }
            }
            Message::HttpReply(reply) => {
                if let Some(client) = &mut self.http {
                    client.on_reply(ctx.now, &reply, &mut self.http_out);
                }
            }
            Message::QueueReply(reply) => {
                if let Some(queues) = &mut self.queues {
                    queues.on_reply(ctx.now, &reply);
                }
            }
            Message::SchemaReply(reply) => self.on_schema(ctx, &reply),
            // Nothing else is sent to a producer.
            _ => {}
        }
        self.flush(ctx);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        if token & 0xff == TOKEN_WAKE {
            self.wake(ctx);
        } else if token & 0xff == TOKEN_USER {
            let may = !self.paused && self.events_max.is_none_or(|max| self.next_seq < max);
            if token >> 8 == self.load.generation() && may {
                self.users_waiting += 1;
                self.arrive(ctx);
                self.flush(ctx);
            }
        } else if token >> 8 == self.load.generation() && !self.paused && self.arrive(ctx) {
            self.flush(ctx);
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        self.apply(ctx, input)?;
        self.flush(ctx);
        Ok(())
    }
    fn crash(&mut self, ctx: &mut Ctx<'_>) -> Result<u64, String> {
        self.load.renew();
        self.alarm = Alarm::default();
        Ok(self.lose_memory(ctx))
    }
    fn figures(&self, now: SimTime, out: &mut Figures) {
        clock::figures(self.kafka.as_ref().map(ProducerClient::clock).unwrap_or_default(), now, out);
        let kafka = self.kafka.as_ref().map(ProducerClient::counts).unwrap_or_default();
        let none = super::http::HttpCounts::default();
        let http = self.http.as_ref().map_or(&none, |client| &client.counts);
        let queues = self.queues.as_ref().map(|queues| queues.client.counts).unwrap_or_default();
        out.counter("produced_count", self.next_seq);
        out.counter("accepted_count", kafka.acked + http.accepted + queues.accepted);
        out.counter("rejected_count", kafka.rejected + http.rejected + queues.rejected + self.rejected);
        out.counter("retried_count", kafka.retried + http.retried + queues.retried);
        out.counter("dropped_count", kafka.dropped + http.dropped + queues.dropped + self.dropped);
        out.counter("abandoned_count", kafka.abandoned + http.abandoned + queues.abandoned + self.abandoned);
        let waiting = self.http.as_ref().map_or(0, |client| client.waiting() + client.in_flight())
            + self.queues.as_ref().map_or(0, |queues| queues.client.waiting())
            + self.held.len();
        out.gauge("buffered_count", kafka.buffered as f64 + waiting as f64);
        let in_flight = self.kafka.as_ref().map_or(0, ProducerClient::in_flight)
            + self.http.as_ref().map_or(0, HttpClient::in_flight)
            + self.queues.as_ref().map_or(0, |queues| queues.client.in_flight());
        out.gauge("in_flight", in_flight as f64);
        if let Some(ratio) = self.kafka.as_ref().and_then(ProducerClient::compression_ratio) {
            out.gauge("compression_ratio", ratio);
        }
        if let Some(ratio) = self.kafka.as_ref().and_then(ProducerClient::moved_keys_ratio) {
            out.gauge("moved_keys_ratio", ratio);
        }
        if let Some(transactions) = &self.transactions {
            transactions.figures(out);
        }
        if let Some(breaker) = self.http.as_ref().and_then(|client| client.breaker.as_ref()) {
            let level = match breaker.state() {
                BreakerState::Closed => 0.0,
                BreakerState::HalfOpen => 1.0,
                BreakerState::Open => 2.0,
            };
            out.gauge("breaker_level", level);
            out.counter("breaker_openings_count", breaker.opened_count());
        }
        for (status, count) in http.statuses.values() {
            out.of("responses_count", status, FigureKind::Counter, *count as f64);
        }
    }
    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        let uses = (*query == Query::SchemaUses).then(|| self.kinds.uses())?;
        (!uses.is_empty()).then_some(Answer::SchemaUses(uses))
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
