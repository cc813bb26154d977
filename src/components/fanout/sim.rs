//! A fan-out topic while it runs: publishes take their time, then each delivery takes its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::Names;
use super::deliver::{answer_of, answer_of_status};
use super::policies::{Change, SET_FILTER};
use super::spec;
use super::subscriptions::{self, Endpoint, Protocol};
use crate::components::moves::Moves;
use crate::components::slab::Slab;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, FigureKind, Figures, Input, LinkEnd, Process};
use crate::event::{
    Answer as Shown, Fact, Hop, HopKind, Message, Placed, Query, QueueCall, QueueEntry, QueueError, QueueReply, QueueRequest,
};
use crate::event::{QueueResult, SubscriptionStanding};
use crate::machines::broker::cluster::Caller;
use crate::machines::broker::fanout::topic::{Answer, DeduplicationRules, Effects, Fanout, FanoutConfig};
use crate::random::{Distribution, Stream};
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

/// Timer tokens: what in the upper byte, which below.
const SERVED: u64 = 1 << 56;
const DELIVER: u64 = 2 << 56;
pub(super) const LATE: u64 = 3 << 56;
const DEADLINE: u64 = 4 << 56;
const MOVES: u64 = 5 << 56;
pub(super) const FILTER: u64 = 6 << 56;
const LOW: u64 = (1 << 56) - 1;

/// A running fan-out topic.
#[derive(Clone, Debug)]
pub(super) struct FanoutSim {
    pub(super) fanout: Fanout,
    pub(super) names: Names,
    pub(super) name: Arc<str>,
    pub(super) topic: TopicIx,
    pub(super) endpoints: Vec<Endpoint>,
    clients: Vec<ComponentIx>,
    call_time: Distribution,
    delivery_time: Distribution,
    pub(super) delivery_timeout: SimDuration,
    rng: Stream,
    /// Publishes that the service is at.
    serving: Slab<(Caller, QueueRequest)>,
    served_at: Vec<SimTime>,
    /// Deliveries that the service is about to send.
    starting: Slab<(usize, u64)>,
    /// When the last delivery of each subscription set out: they keep their order.
    sent_at: Vec<SimTime>,
    /// Deliveries that wait for an answer, by call.
    pub(super) waiting: BTreeMap<u64, (usize, u64)>,
    pub(super) next_call: u64,
    /// Filter policies that do not count yet.
    pub(super) changes: Slab<Change>,
    /// Dead letters on their way.
    moves: Moves,
    deadline_set: SimTime,
    moves_set: SimTime,
    requests: u64,
}

impl FanoutSim {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let (subscriptions, endpoints) = subscriptions::all(ctx, params);
        let fifo = ctx.project.components.get(ctx.id).is_some_and(spec::is_fifo);
        let rules = DeduplicationRules { by_content: params.flag("content_deduplication"), within_group: false };
        let topic = ctx.topics.iter().find(|topic| topic.cluster == ctx.me).map_or(TopicIx(0), |topic| topic.topic);
        Self {
            fanout: Fanout::new(FanoutConfig {
                me: ctx.me,
                topic,
                fifo: fifo.then_some(rules),
                message_bytes_max: params.size("max_message_size").unwrap_or(256 << 10),
                subscriptions,
            }),
            names: Names::new(ctx, params),
            name: ctx.id.into(),
            topic,
            sent_at: vec![SimTime::ZERO; endpoints.len()],
            endpoints,
            clients: ctx.links.iter().map(|facts| facts.peer).collect(),
            call_time: params.distribution("call_time"),
            delivery_time: params.distribution("delivery_time"),
            delivery_timeout: params.duration("delivery_timeout"),
            rng: ctx.stream("calls"),
            serving: Slab::new(),
            served_at: vec![SimTime::ZERO; ctx.links.len()],
            starting: Slab::new(),
            waiting: BTreeMap::new(),
            next_call: 0,
            changes: Slab::new(),
            moves: Moves::default(),
            deadline_set: SimTime::MAX,
            moves_set: SimTime::MAX,
            requests: 0,
        }
    }

    fn take_call(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, request: QueueRequest) {
        self.requests += 1;
        let caller = Caller { end: end.0, client: self.clients[end.0 as usize] };
        let served_at = &mut self.served_at[end.0 as usize];
        *served_at = (ctx.now + self.call_time.sample(&mut self.rng)).max(*served_at);
        let slot = self.serving.put((caller, request));
        ctx.timer_at(*served_at, SERVED | slot);
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, caller: Caller, request: QueueRequest) {
        let QueueRequest { call, body } = request;
        let mut effects = Effects::default();
        let result = match body {
            QueueCall::Send(entries) => {
                let entries = entries.into_iter().map(|entry| {
                    let attributes = self.names.of(&entry);
                    (entry, attributes)
                });
                self.fanout.publish(ctx.now, caller, entries.collect(), &mut effects).map(QueueResult::Entries)
            }
            // Invariant: the ports let only producers in, which do nothing but send.
            _ => Err(QueueError::InvalidParameterValue),
        };
        self.carry_out(ctx, effects);
        ctx.send(LinkEnd(caller.end), Message::QueueReply(Box::new(QueueReply { call, result })));
    }

    pub(super) fn carry_out(&mut self, ctx: &mut Ctx<'_>, effects: Effects) {
        for fact in effects.facts {
            self.show(ctx, &fact);
            ctx.fact(fact);
        }
        for (subscription, number) in effects.deliveries {
            let sent_at = &mut self.sent_at[subscription];
            *sent_at = (ctx.now + self.delivery_time.sample(&mut self.rng)).max(*sent_at);
            let slot = self.starting.put((subscription, number));
            ctx.timer_at(*sent_at, DELIVER | slot);
            if let Protocol::Http { interval, .. } = self.endpoints[subscription].protocol {
                *sent_at += interval;
            }
        }
        for (subscription, entry) in effects.dead {
            if let Some(end) = self.endpoints[subscription].dead_letters {
                self.moves.send(ctx, end, QueueEntry { moved_since: Some(ctx.now), ..entry });
            }
        }
        if let Some(at) = self.fanout.next_deadline().filter(|at| *at < self.deadline_set) {
            self.deadline_set = at;
            ctx.timer_at(at, DEADLINE);
        }
        self.set_moves_timer(ctx);
    }

    fn set_moves_timer(&mut self, ctx: &mut Ctx<'_>) {
        let at = self.moves.next_wake();
        if at < self.moves_set {
            self.moves_set = at;
            ctx.timer_at(at, MOVES);
        }
    }

    /// Hops of followed events that are published here, and of deliveries given up.
    fn show(&self, ctx: &mut Ctx<'_>, fact: &Fact) {
        let (me, now) = (ctx.me, ctx.now);
        let hop = |kind, number, words: String| Hop {
            component: me,
            kind,
            queued: now,
            served: now,
            done: now,
            placed: Some(Placed { topic: self.topic, partition: 0, offset: number }),
            group: None,
            words: words.into(),
            payload: None,
            key: None,
        };
        match fact {
            Fact::Appended(appended) => {
                for record in appended.batch.traced.as_deref().unwrap_or_default() {
                    let hop = hop(HopKind::Appended, appended.base_offset, format!("published to {}", self.name));
                    ctx.hop(record.meta, hop);
                }
            }
            Fact::EndedWith(with) => {
                let (ended, reason) = &**with;
                let words = format!("not delivered by {}: {}", self.name, reason.detail.as_deref().unwrap_or(reason.code));
                ctx.hop(ended.event, hop(HopKind::Lost, ended.offset, words));
            }
            _ => {}
        }
    }
}

impl Process for FanoutSim {
    fn start(&mut self, _: &mut Ctx<'_>) {}

    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        match message {
            Message::Queue(request) => self.take_call(ctx, end, *request),
            Message::QueueReply(reply) if self.endpoints.iter().any(|endpoint| endpoint.dead_letters == Some(end)) => {
                self.moves.on_reply(ctx.now, &reply);
                self.set_moves_timer(ctx);
            }
            Message::QueueReply(reply) => self.answered(ctx, reply.call.0, answer_of(&reply)),
            Message::HttpReply(reply) => self.answered(ctx, reply.call.0, answer_of_status(reply.status)),
            // Nothing else is sent to a fan-out topic.
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        match token & !LOW {
            SERVED => {
                if let Some((caller, request)) = self.serving.take(token & LOW) {
                    self.serve(ctx, caller, request);
                }
            }
            DELIVER => {
                if let Some((subscription, number)) = self.starting.take(token & LOW) {
                    self.deliver(ctx, subscription, number);
                }
            }
            LATE => self.answered(ctx, token & LOW, Answer::Failed),
            FILTER => self.filter_counts(token & LOW),
            MOVES if ctx.now >= self.moves_set => {
                self.moves_set = SimTime::MAX;
                self.moves.on_wake(ctx);
                self.set_moves_timer(ctx);
            }
            DEADLINE if ctx.now >= self.deadline_set => {
                self.deadline_set = SimTime::MAX;
                let mut effects = Effects::default();
                self.fanout.on_deadline(ctx.now, &mut effects);
                self.carry_out(ctx, effects);
            }
            // An earlier timer has done this one's work.
            _ => {}
        }
    }

    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        let (param, value) = match input {
            Input::Set { param, value } => (param, value),
            Input::Action { name, params } if name == SET_FILTER.name => return self.set_filter(ctx, params),
            Input::Action { name, .. } => return Err(format!("a fan-out topic does not understand `{name}`")),
        };
        let text = value.to_field_text();
        match param.as_str() {
            "call_time" => self.call_time = text.parse()?,
            "delivery_time" => self.delivery_time = text.parse()?,
            "delivery_timeout" => self.delivery_timeout = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?,
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }

    fn figures(&self, _: SimTime, out: &mut Figures) {
        let (published, deduplicated) = self.fanout.published();
        out.counter("requests_count", self.requests);
        out.counter("appended_count", published);
        out.counter("deduplicated_count", deduplicated);
        out.gauge("queue_length", self.fanout.open_deliveries() as f64);
        out.gauge("moving", self.moves.len() as f64);
        for (endpoint, counts) in self.endpoints.iter().zip(self.fanout.counts()) {
            let figures = [
                ("delivered_count", counts.delivered),
                ("filtered_count", counts.filtered),
                ("retried_count", counts.retried),
                ("dead_lettered_count", counts.dead_lettered),
                ("lost_count", counts.lost),
            ];
            for (name, value) in figures {
                out.of(name, &endpoint.name, FigureKind::Counter, value as f64);
            }
            if let Some(group) = &endpoint.group_name {
                out.of("lag", group, FigureKind::Gauge, counts.waiting() as f64);
            }
        }
    }

    fn browse(&self, _: SimTime, query: &Query) -> Option<Shown> {
        let Query::Queues = query else { return None };
        let standing = |(endpoint, counts): (&Endpoint, &crate::machines::broker::fanout::topic::Counts)| SubscriptionStanding {
            topic: Arc::clone(&self.name),
            endpoint: Arc::clone(&endpoint.name),
            protocol: endpoint.protocol.name(),
            filter_policy: endpoint.filter_policy.clone(),
            filter_scope: endpoint.filter_scope,
            delivered: counts.delivered,
            filtered: counts.filtered,
            waiting: counts.waiting(),
            retried: counts.retried,
            dead_lettered: counts.dead_lettered,
            lost: counts.lost,
        };
        Some(Shown::Queues(Vec::new(), self.endpoints.iter().zip(self.fanout.counts()).map(standing).collect()))
    }

    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
