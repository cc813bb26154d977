//! A queue while it runs: calls take their time, then the machine decides.

use std::sync::Arc;

use super::spec;
use crate::components::moves::Moves;
use crate::components::slab::Slab;
use crate::components::{BuildCtx, EndRole, Params};
use crate::engine::{Ctx, FigureKind, Figures, Input, LinkEnd, Process};
use crate::event::{Answer, Fact, Hop, HopKind, Message, ObligationEnd, Placed, Query, QueueError, QueueRequest};
use crate::machines::broker::cluster::Caller;
use crate::machines::broker::queue::{Effects, FifoConfig, Queue, QueueConfig, Sampling};
use crate::random::{Distribution, Stream};
use crate::units::{ComponentIx, SimDuration, SimTime, TopicIx};

/// Timer tokens: what in the upper byte, which below.
const SERVED: u64 = 1 << 56;
const DEADLINE: u64 = 2 << 56;
const MOVES: u64 = 3 << 56;
const REDRIVE: u64 = 4 << 56;
const LOW: u64 = (1 << 56) - 1;

/// A running queue.
#[derive(Clone, Debug)]
pub(super) struct QueueSim {
    queue: Queue,
    topic: TopicIx,
    name: Arc<str>,
    /// The component behind each link end, and whether its dead letters come here.
    clients: Vec<ComponentIx>,
    letters_from: Vec<bool>,
    letters_to: Option<LinkEnd>,
    has_reader: bool,
    call_time: Distribution,
    rng: Stream,
    /// Calls that the service is at.
    serving: Slab<Serving>,
    /// When the last call of each link end is answered: a client's calls keep their order.
    served_at: Vec<SimTime>,
    moves: Moves,
    /// Time between two redriven messages; none while no redrive goes on.
    redrive_interval: Option<SimDuration>,
    deadline_set: SimTime,
    moves_set: SimTime,
    requests: u64,
}

#[derive(Clone, Debug)]
struct Serving {
    caller: Caller,
    request: QueueRequest,
    arrived: SimTime,
}

impl QueueSim {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let cfg = config(ctx, params);
        let letters_from = |facts: &crate::components::LinkFacts| {
            facts.role == EndRole::To && facts.peer_kind == "queue" && facts.peer_port == "dead_letters"
        };
        Self {
            topic: cfg.topic,
            has_reader: cfg.reader.is_some(),
            queue: Queue::new(cfg, ctx.stream("chance")),
            name: ctx.id.into(),
            clients: ctx.links.iter().map(|facts| facts.peer).collect(),
            letters_from: ctx.links.iter().map(letters_from).collect(),
            letters_to: ctx.links_at("dead_letters").next().map(|facts| facts.end),
            call_time: params.distribution("call_time"),
            rng: ctx.stream("calls"),
            serving: Slab::new(),
            served_at: vec![SimTime::ZERO; ctx.links.len()],
            moves: Moves::default(),
            redrive_interval: None,
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
        let slot = self.serving.put(Serving { caller, request, arrived: ctx.now });
        ctx.timer_at(*served_at, SERVED | slot);
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, Serving { caller, request, arrived }: Serving) {
        let mut effects = Effects::default();
        self.queue.handle(ctx.now, caller, request, &mut effects);
        self.carry_out(ctx, effects, arrived);
    }

    fn carry_out(&mut self, ctx: &mut Ctx<'_>, effects: Effects, arrived: SimTime) {
        for fact in effects.facts {
            self.show(ctx, &fact, arrived);
            ctx.fact(fact);
        }
        for entry in effects.dead {
            // Invariant: without this link there is no `max_receive_count`, so nothing is buried.
            if let Some(to) = self.letters_to {
                self.moves.send(ctx, to, entry);
            }
        }
        for (caller, reply) in effects.replies {
            ctx.send(LinkEnd(caller.end), Message::QueueReply(Box::new(reply)));
        }
        self.set_timers(ctx);
    }

    /// Hops of followed events that arrive here, and of all that leave without being processed.
    fn show(&self, ctx: &mut Ctx<'_>, fact: &Fact, arrived: SimTime) {
        let (me, now) = (ctx.me, ctx.now);
        let hop = |kind, number: Option<u64>, words: String| Hop {
            component: me,
            kind,
            queued: arrived,
            served: arrived,
            done: now,
            placed: number.map(|offset| Placed { topic: self.topic, partition: 0, offset }),
            group: None,
            words: words.into(),
            payload: None,
            key: None,
        };
        match fact {
            Fact::Appended(appended) | Fact::Moved(appended) => {
                for record in appended.batch.traced.as_deref().unwrap_or_default() {
                    let verb = if matches!(fact, Fact::Moved(_)) { "moved" } else { "sent" };
                    let hop = hop(
                        HopKind::Appended,
                        Some(appended.base_offset),
                        format!("{verb} to {} as message {}", self.name, appended.base_offset),
                    );
                    ctx.hop(record.meta, hop);
                }
            }
            // A redrive shows where the message arrives.
            Fact::EndedWith(with) if with.0.end != ObligationEnd::Forwarded => {
                let (ended, reason) = &**with;
                let kind = if ended.end == ObligationEnd::DeadLettered { HopKind::Rejected } else { HopKind::Lost };
                let words = format!("left {}: {}", self.name, reason.detail.as_deref().unwrap_or(reason.code));
                let hop = hop(kind, Some(ended.offset), words);
                ctx.hop(ended.event, hop);
            }
            Fact::Settled(settled) => {
                let hop = hop(HopKind::Duplicate, None, "a duplicate within five minutes: accepted and dropped".to_owned());
                ctx.hop(settled.event, hop);
            }
            _ => {}
        }
    }

    fn set_timers(&mut self, ctx: &mut Ctx<'_>) {
        // Only an earlier deadline needs a timer of its own; a later one is seen when this one rings.
        if let Some(at) = self.queue.next_deadline().filter(|at| *at < self.deadline_set) {
            self.deadline_set = at.max(ctx.now);
            ctx.timer_at(at, DEADLINE);
        }
        let at = self.moves.next_wake();
        if at < self.moves_set {
            self.moves_set = at;
            ctx.timer_at(at, MOVES);
        }
    }

    /// Moves one dead letter back; the task ends when none is left.
    fn redrive(&mut self, ctx: &mut Ctx<'_>) {
        let Some(interval) = self.redrive_interval else { return };
        let mut effects = Effects::default();
        let moved = self.queue.take_moved(ctx.now, 1, |origin| self.letters_from[origin as usize], &mut effects);
        if moved.is_empty() {
            self.redrive_interval = None;
        } else {
            ctx.timer_after(interval, REDRIVE);
        }
        self.carry_out(ctx, effects, ctx.now);
        for (origin, entry) in moved {
            self.moves.send(ctx, LinkEnd(origin), entry);
        }
        self.set_timers(ctx);
    }

    fn set(&mut self, param: &str, text: &str) -> Result<(), String> {
        let duration = || text.parse::<SimDuration>().map_err(|error| error.to_string());
        let ratio = || text.parse::<crate::units::Ratio>().map(|ratio| ratio.0).map_err(|error| error.to_string());
        let cfg = self.queue.config_mut();
        match param {
            "visibility_timeout" => cfg.visibility = duration()?,
            "receive_wait" => cfg.wait = duration()?,
            "delay" => cfg.delay = duration()?,
            "retention" => cfg.retention = duration()?,
            "duplicate_ratio" => cfg.sampling.duplicates = ratio()?,
            "disorder_ratio" => cfg.sampling.disorder = ratio()?,
            "short_poll_share" => cfg.sampling.short_poll_share = ratio()?,
            "call_time" => self.call_time = text.parse()?,
            "max_receive_count" if self.letters_to.is_some() => {
                cfg.receives_max = Some(text.parse().map_err(|_| format!("`{text}` is no whole number"))?);
            }
            other => return Err(format!("`{other}` cannot be changed while it runs")),
        }
        Ok(())
    }

    fn action(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &indexmap::IndexMap<String, crate::model::Value>) -> Result<(), String> {
        match name {
            "purge" => self.administer(ctx, |queue, now, out| queue.purge(now, out).map(drop))?,
            "delete-queue" => {
                self.redrive_interval = None;
                self.administer(ctx, |queue, now, out| queue.remove(now, out).map(drop))?;
            }
            "create-queue" => self.administer(ctx, |queue, now, _| queue.create(now))?,
            "redrive" if !self.queue.exists() => return Err(QueueError::NonExistentQueue.to_string()),
            "redrive" if self.letters_from.iter().any(|from| *from) => {
                let rate = Params::new(spec::REDRIVE, None, params).rate("rate");
                let is_new = self.redrive_interval.replace(SimDuration::from_secs_f64(1.0 / rate.max(0.001))).is_none();
                if is_new {
                    self.redrive(ctx);
                }
            }
            "redrive" => return Err("no queue's dead letters come here".to_owned()),
            other => return Err(format!("a queue does not understand `{other}`")),
        }
        Ok(())
    }
}

impl QueueSim {
    /// What an operator does, or why SQS refuses it.
    fn administer(
        &mut self,
        ctx: &mut Ctx<'_>,
        act: impl FnOnce(&mut Queue, SimTime, &mut Effects) -> Result<(), QueueError>,
    ) -> Result<(), String> {
        let mut effects = Effects::default();
        act(&mut self.queue, ctx.now, &mut effects).map_err(|error| error.to_string())?;
        self.carry_out(ctx, effects, ctx.now);
        Ok(())
    }
}

impl Process for QueueSim {
    fn start(&mut self, _: &mut Ctx<'_>) {}

    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        match message {
            Message::Queue(request) => self.take_call(ctx, end, *request),
            Message::QueueReply(reply) => {
                self.moves.on_reply(ctx.now, &reply);
                self.set_timers(ctx);
            }
            // Nothing else is sent to a queue.
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        match token & !LOW {
            SERVED => {
                if let Some(serving) = self.serving.take(token & LOW) {
                    self.serve(ctx, serving);
                }
            }
            DEADLINE if ctx.now >= self.deadline_set => {
                self.deadline_set = SimTime::MAX;
                let mut effects = Effects::default();
                self.queue.on_deadline(ctx.now, &mut effects);
                self.carry_out(ctx, effects, ctx.now);
            }
            MOVES if ctx.now >= self.moves_set => {
                self.moves_set = SimTime::MAX;
                self.moves.on_wake(ctx);
                self.set_timers(ctx);
            }
            REDRIVE => self.redrive(ctx),
            // An earlier timer has done this one's work.
            _ => {}
        }
    }

    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } => {
                self.set(param, &value.to_field_text())?;
                self.set_timers(ctx);
                Ok(())
            }
            Input::Action { name, params } => self.action(ctx, name, params),
        }
    }

    fn figures(&self, now: SimTime, out: &mut Figures) {
        let (counts, holdings) = (self.queue.counts(), self.queue.holdings(now));
        out.counter("requests_count", self.requests);
        out.counter("appended_count", counts.sent);
        out.counter("received_count", counts.received);
        out.counter("received_again_count", counts.received_again);
        out.counter("empty_receives_count", counts.empty_receives);
        out.counter("deleted_count", counts.deleted);
        out.counter("dead_lettered_count", counts.dead_lettered);
        out.counter("redriven_count", counts.redriven);
        out.counter("expired_count", counts.expired);
        out.counter("deduplicated_count", counts.deduplicated);
        out.counter("visibility_changes_count", counts.visibility_changes);
        out.counter("throttled_count", counts.throttled);
        out.counter("over_limit_count", counts.over_limit);
        out.gauge("queue_length", holdings.visible as f64);
        out.gauge("in_flight", holdings.in_flight as f64);
        out.gauge("delayed", holdings.delayed as f64);
        out.gauge("moving", self.moves.len() as f64);
        out.gauge("oldest_age_s", holdings.oldest_age.as_ms_f64() / 1e3);
        if self.has_reader {
            let all = holdings.visible + holdings.in_flight + holdings.delayed;
            out.of("lag", &self.name, FigureKind::Gauge, all as f64);
        }
    }

    fn browse(&self, now: SimTime, query: &Query) -> Option<Answer> {
        match query {
            Query::Records { topic, partition: 0, seek, records_max } if *topic == self.name => {
                Some(Answer::Queue(self.queue.page(now, &self.name, *seek, *records_max)))
            }
            Query::Queues => Some(Answer::Queues(vec![self.queue.standing(now, &self.name)], Vec::new())),
            Query::Records { .. } | Query::Partitions | Query::Subjects | Query::SchemaUses | Query::Service(_) => None,
        }
    }

    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}

fn config(ctx: &BuildCtx<'_>, params: &Params<'_>) -> QueueConfig {
    let fifo = ctx.project.components.get(ctx.id).is_some_and(super::is_fifo);
    let high_throughput = params.text("throughput") == "high";
    QueueConfig {
        me: ctx.me,
        topic: ctx.topics.iter().find(|topic| topic.cluster == ctx.me).map_or(TopicIx(0), |topic| topic.topic),
        reader: ctx.groups.iter().find(|group| group.cluster == ctx.me).map(|group| group.group),
        fifo: fifo.then(|| FifoConfig {
            content_deduplication: params.flag("content_deduplication"),
            high_throughput,
            group_deduplication: spec::deduplicates_by_group(params),
        }),
        visibility: params.duration("visibility_timeout"),
        delay: params.duration("delay"),
        wait: params.duration("receive_wait"),
        retention: params.duration("retention"),
        message_bytes_max: params.size("max_message_size").unwrap_or(1 << 20),
        in_flight_max: usize::try_from(params.count("in_flight_max")).unwrap_or(1).max(1),
        receives_max: params.is_given("max_receive_count").then(|| u32::try_from(params.count("max_receive_count")).unwrap_or(1)),
        sampling: Sampling {
            duplicates: params.ratio("duplicate_ratio"),
            disorder: params.ratio("disorder_ratio"),
            short_poll_share: params.ratio("short_poll_share"),
        },
    }
}
