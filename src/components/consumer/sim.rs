//! The running consumer: instances, their timers, their links.
//!
//! ```text
//! links ─► ConsumerClient ─► inbox ─decode─► buffer ─poll─► workers ─► end of the obligation, commit
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use super::corrupt::CorruptBatches;
use super::encoders::Encoders;
use super::frameworks;
use super::from_queue::{Queues, TOKEN_QUEUE, TOKEN_RECEIVE};
use super::handler::{Handler, TOKEN_HANDLER};
use super::intake::{Inbound, Received};
use super::outbox::{Outbox, TOKEN_RELAY};
use super::pauses::Pauses;
use super::pool::Pool;
use super::queue::spec;
use super::refusals::Refusals;
use super::reset::Resetting;
use super::results::Results;
use super::retries::Retries;
use super::scaling::{Scaling, TOKEN_SCALE, TOKEN_STARTED};
use super::schemas::{CALLS_SCHEMA, Reader};
use super::snapshot::Table;
use super::suspension::Condition;
use super::work::{OnFailure, PendingLetter, Worker};
use crate::components::alarm::Alarm;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures, Input, LinkEnd, Process, Station};
use crate::event::{Answer, CallId, EventMeta, Fact, Hop, HopKind, Message, Placed, Query, TableShape};
use crate::machines::broker::client::{ClientOutput, CommitMode, ConsumerClient, ConsumerConfig, ConsumerOutput, ProducerClient};
use crate::random::{Distribution, Stream};
use crate::units::{GroupIx, SimDuration, SimTime};

/// High bytes of call ids of dead letters; look-ups have 0xfe in the first, results what `results.rs` says, members of
/// groups what is below.
pub(super) const CALLS_DEAD_LETTER: u16 = 0xff00;

/// Low byte of timer tokens; the rest is instance (12 bits), worker (20), its generation (24).
const TOKEN_WORKER: u64 = 0;
const TOKEN_INSTANCE: u64 = 1;
const TOKEN_SHARED: u64 = 2;
pub(super) const TOKEN_RESUME: u64 = 3;
pub(super) const TOKEN_RESET: u64 = 4;

/// A consumer while it runs.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    pub group_name: Arc<str>,
    pub template: Vec<ConsumerConfig>,
    pub instances: Vec<Instance>,
    pub concurrency: u32,
    /// Where records wait in a queue of their own for workers.
    pub pool: Option<Pool>,
    pub service_time: Distribution,
    pub service_rng: Stream,
    /// For one KiB of records; by the batch's codec when absent.
    pub unpacking_time: Option<SimDuration>,
    pub failure_ratio: f64,
    pub failure_rng: Stream,
    pub max_attempts: u32,
    pub retry_backoff: SimDuration,
    pub on_failure: OnFailure,
    pub commit: CommitMode,
    auto_commit_interval: SimDuration,
    pub max_poll_interval: SimDuration,
    pub poll_size: usize,
    pub buffer_max: usize,
    /// Records whose commit may have been taken though nobody works on them: see [`Self::settle`].
    pub unconfirmed: Vec<Received>,
    pub reader: Option<Reader>,
    /// Writes dead letters, and to retry topics.
    pub dead_letters: Option<ProducerClient>,
    pub retries: Option<Retries>,
    /// Queues that it reads, in place of topics.
    pub queues: Option<Queues>,
    pub letters: Vec<PendingLetter>,
    pub results: Option<Results>,
    /// What is done with each event, beyond taking time for it.
    pub handler: Option<Box<dyn Handler>>,
    /// What the handler's events are written with.
    pub encoders: Option<Encoders>,
    pub outbox: Outbox,
    pub corrupt: CorruptBatches,
    pub refusals: Refusals,
    /// What it reads, as a table.
    pub table: Option<Table>,
    pub scaling: Option<Scaling>,
    /// An instance was started before.
    pub has_begun: bool,
    pub station: Station,
    pub counts: Counts,
    pauses: Pauses,
    /// Nobody polls records, by hand.
    pub is_paused: bool,
    pub resetting: Option<Resetting>,
    shared_alarm: Alarm,
    pub letters_out: ClientOutput,
    client_out: ConsumerOutput,
}

/// Events by what became of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub processed: u64,
    pub failed: u64,
    pub rejected: u64,
    pub dead_lettered: u64,
    pub retried: u64,
    pub polls: u64,
    pub missed_polls: u64,
    pub lost: u64,
}

/// One member of the group (one of each cluster's group, when it reads several clusters).
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub clients: Vec<ConsumerClient>,
    /// Batches that are not decoded yet, because a schema is missing.
    pub inbox: VecDeque<Inbound>,
    /// Records in order of arrival.
    pub buffer: VecDeque<Received>,
    /// How many at the buffer's front the present poll has handed out.
    pub polled: usize,
    /// At most once: the poll's commit is under way, its records wait.
    pub awaiting_commit: bool,
    /// Handed over to workers, and waiting for one: see `pool.rs`.
    pub pool: VecDeque<Received>,
    pub workers: Vec<Worker>,
    pub free: Vec<u32>,
    pub busy: u32,
    pub up: bool,
    pub committed_at: SimTime,
    pub condition: Condition,
    /// When the next poll must have come.
    pub poll_due: SimTime,
    alarm: Alarm,
}

impl Consumer {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let (dead_letters, retries) = super::dead_letter_client(ctx, params);
        let on_failure = match params.text("on_failure").as_str() {
            "skip" => OnFailure::Skip,
            "retry_forever" => OnFailure::RetryForever,
            _ if dead_letters.is_some() => OnFailure::DeadLetter,
            _ => OnFailure::Skip,
        };
        let (max_attempts, retry_backoff) = frameworks::retries(ctx, params);
        let registry = ctx.links_at("schemas").next().filter(|_| params.flag("validate"));
        let version = params.is_given("reader_version").then(|| u32::try_from(params.count("reader_version")).unwrap_or(1));
        let number = |name: &str| usize::try_from(params.count(name)).unwrap_or(0).max(1);
        let mut consumer = Self {
            group_name: Arc::from(super::group_name(ctx.id, params)),
            template: super::client_configs(ctx, params),
            instances: Vec::new(),
            concurrency: u32::try_from(params.count("concurrency")).unwrap_or(1).max(1),
            pool: Pool::new(ctx, params),
            service_time: params.distribution("service_time"),
            service_rng: ctx.stream("service"),
            unpacking_time: params.is_given("unpacking_time").then(|| params.duration("unpacking_time")),
            failure_ratio: params.ratio("failure_ratio"),
            failure_rng: ctx.stream("failures"),
            max_attempts,
            retry_backoff,
            on_failure,
            // A queue has no positions.
            commit: if spec::reads_queue(ctx) { CommitMode::Auto } else { super::commit_mode(params) },
            auto_commit_interval: params.duration("auto_commit_interval"),
            max_poll_interval: params.duration("rebalance_timeout"),
            poll_size: number("poll_size"),
            buffer_max: number("buffer"),
            unconfirmed: Vec::new(),
            reader: registry.map(|facts| Reader::new(facts.end, Arc::clone(ctx.schemas), version)),
            dead_letters,
            retries,
            queues: Queues::new(ctx, params),
            letters: Vec::new(),
            results: Results::new(ctx, params)?,
            handler: None,
            encoders: None,
            outbox: Outbox::default(),
            corrupt: CorruptBatches::new(params.text("on_corrupt") == "skip"),
            refusals: Refusals::new(params.is_given("authorization_retry").then(|| params.duration("authorization_retry"))),
            table: super::reads_snapshot(params).then(Table::default),
            has_begun: false,
            scaling: Scaling::new(params),
            station: Station::default(),
            counts: Counts::default(),
            pauses: Pauses::default(),
            is_paused: false,
            resetting: None,
            shared_alarm: Alarm::default(),
            letters_out: ClientOutput::default(),
            client_out: ConsumerOutput::default(),
        };
        for _ in 0..params.count("instances") {
            consumer.add_instance();
        }
        consumer.count_servers();
        Ok(consumer)
    }

    pub fn add_instance(&mut self) -> usize {
        let number = self.instances.len() + 1;
        let first_tag = self.instances.len() * self.template.len() + 1;
        let clients = (first_tag..).zip(&self.template).map(|(tag, cfg)| {
            let instance = cfg.instance.as_ref().map(|of| Arc::from(format!("{of}-{number}")));
            let cfg = ConsumerConfig { call_tag: tag as u16, instance, ..cfg.clone() };
            ConsumerClient::new(cfg)
        });
        self.instances.push(Instance {
            clients: clients.collect(),
            inbox: VecDeque::new(),
            buffer: VecDeque::new(),
            polled: 0,
            awaiting_commit: false,
            pool: VecDeque::new(),
            workers: Vec::new(),
            free: Vec::new(),
            busy: 0,
            up: true,
            committed_at: SimTime::ZERO,
            condition: Condition::default(),
            poll_due: SimTime::MAX,
            alarm: Alarm::default(),
        });
        self.instances.len() - 1
    }

    pub fn count_servers(&mut self) {
        let up = self.instances.iter().filter(|instance| instance.up).count() as u32;
        self.station.set_servers(up * self.concurrency);
    }

    /// Which instance and which of its clients a call belongs to.
    pub fn owner_of(&self, call: CallId) -> Option<(usize, usize)> {
        let number = usize::try_from(call.0 >> 48).ok()?.checked_sub(1)?;
        let clusters = self.template.len();
        let instance = number.checked_div(clusters)?;
        (instance < self.instances.len()).then_some((instance, number % clusters))
    }

    /// Calls one client and carries out what it wants.
    pub fn with_client(
        &mut self,
        ctx: &mut Ctx<'_>,
        at: (usize, usize),
        call: impl FnOnce(&mut ConsumerClient, SimTime, &mut ConsumerOutput),
    ) {
        let mut out = std::mem::take(&mut self.client_out);
        let client = &mut self.instances[at.0].clients[at.1];
        let was_committing = client.is_committing();
        call(client, ctx.now, &mut out);
        let ended = was_committing && !client.is_committing();
        self.carry_out(ctx, at, &mut out);
        let (committed, reset, refused) = (out.committed.take(), out.reset.take(), out.refused.take());
        if ended && self.instances[at.0].awaiting_commit {
            self.commit_ended(ctx, at, committed);
        }
        self.client_out = out;
        if let Some(result) = reset {
            self.reset_answered(ctx, at.1, result);
        }
        if refused.is_some() {
            self.be_refused(ctx, at.0, false);
        }
    }

    fn carry_out(&mut self, ctx: &mut Ctx<'_>, (index, client): (usize, usize), out: &mut ConsumerOutput) {
        for (link, message) in out.sends.drain(..) {
            ctx.send(LinkEnd(link), message);
        }
        let group = self.template[client].group;
        for (topic, partition, offset) in out.starts.drain(..) {
            ctx.fact(Fact::GroupStart { group, topic, partition, offset });
        }
        for (topic, partition, up_to) in out.rereads.drain(..) {
            ctx.fact(Fact::Reread { group, topic, partition, up_to });
        }
        let revoked = std::mem::take(&mut out.revoked);
        if revoked {
            self.revoke(ctx, index, client);
        }
        if revoked || !out.positions.is_empty() {
            self.note_pauses(ctx.now, index, client);
        }
        for position in out.positions.drain(..) {
            self.settle(ctx, group, position);
        }
        for fetched in out.records.drain(..) {
            self.instances[index].inbox.extend(Inbound::of(client, fetched));
        }
    }

    /// What an instance reads has changed.
    pub fn note_pauses(&mut self, now: SimTime, index: usize, client: usize) {
        let client = &self.instances[index].clients[client];
        let held: Vec<_> = client.held().collect();
        let topics: Vec<_> = client.topics().iter().map(|read| read.topic).collect();
        self.pauses.update(now, index, &topics, &held);
    }

    /// Everything that an instance can do now, until nothing more happens in this instant.
    pub fn advance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.take_in(ctx, index);
        self.serve(ctx, index);
        self.fetch_and_drain(ctx, index);
        self.set_instance_timer(ctx, index);
        self.flush_letters(ctx);
    }

    /// Fetches while there is room; lets clients go on whose work is finished.
    pub fn fetch_and_drain(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        self.end_process(index);
        if self.instances[index].condition.is_suspended() {
            return;
        }
        for client in 0..self.template.len() {
            if self.instances[index].clients[client].is_overdue() && !self.is_between_polls(index) {
                self.with_client(ctx, (index, client), |client, now, out| client.poll(now, out));
            }
            let instance = &self.instances[index];
            if instance.clients[client].is_draining() && !instance.works_for(client) && !self.is_transacting(index) {
                self.with_client(ctx, (index, client), |client, now, out| client.drained(now, out));
            }
            let instance = &self.instances[index];
            let has_room = instance.up && !self.is_paused && instance.buffer.len() < self.buffer_max && instance.inbox.is_empty();
            // Asked after every event: mostly each long poll is under way.
            if has_room && instance.clients[client].is_due_to_fetch(ctx.now) {
                self.with_client(ctx, (index, client), |client, now, out| client.fetch(now, out));
            }
        }
        self.note_caught_up(ctx.now, index);
        self.receive(ctx, index);
    }

    pub fn commit_now(&mut self, ctx: &mut Ctx<'_>, index: usize) -> bool {
        self.instances[index].committed_at = ctx.now;
        let mut under_way = false;
        for client in 0..self.template.len() {
            self.with_client(ctx, (index, client), |client, now, out| under_way |= client.commit(now, out));
        }
        under_way
    }

    /// Whether an instance's thread is busy with what the last poll handed out; else it sits in the next poll.
    pub fn is_between_polls(&self, index: usize) -> bool {
        self.instances[index].polled > 0 || !self.takes_more(index)
    }

    /// A poll that does not come in time costs an instance its membership, as Kafka's heartbeat thread sees to.
    fn watch_poll(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        if self.instances[index].poll_due > ctx.now {
            return;
        }
        self.instances[index].poll_due = SimTime::MAX;
        self.counts.missed_polls += 1;
        for client in 0..self.template.len() {
            self.with_client(ctx, (index, client), |client, now, out| client.miss_poll(now, out));
        }
    }

    /// Commits by the clock, as `poll` does.
    pub fn auto_commit(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        if self.commit == CommitMode::Auto && self.instances[index].committed_at + self.auto_commit_interval <= ctx.now {
            self.commit_now(ctx, index);
        }
    }

    fn set_instance_timer(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let poll_due = if self.is_between_polls(index) { self.instances[index].poll_due } else { SimTime::MAX };
        let instance = &mut self.instances[index];
        let wake = instance.clients.iter().map(|client| client.next_wake(ctx.now)).fold(poll_due, SimTime::min);
        instance.alarm.set(ctx, wake, TOKEN_INSTANCE | (index as u64) << 8);
    }

    /// Sends dead letters; sets the timer that look-ups, dead letters and results share.
    pub fn flush_letters(&mut self, ctx: &mut Ctx<'_>) {
        let mut wake = self.reader.as_ref().map_or(SimTime::MAX, Reader::next_wake);
        if let Some(client) = &mut self.dead_letters {
            for (link, message) in self.letters_out.sends.drain(..) {
                ctx.send(LinkEnd(link), message);
            }
            wake = wake.min(client.next_wake(ctx.now));
        }
        if let Some(results) = &mut self.results {
            wake = wake.min(results.next_wake(ctx.now));
        }
        wake = wake.min(self.encoders.as_ref().map_or(SimTime::MAX, Encoders::next_wake));
        self.shared_alarm.set(ctx, wake, TOKEN_SHARED);
    }

    pub fn worker_token(instance: usize, worker: u32, generation: u32) -> u64 {
        TOKEN_WORKER | (instance as u64) << 8 | u64::from(worker) << 20 | u64::from(generation) << 40
    }

    pub fn group_of(&self, client: usize) -> GroupIx {
        self.template[client].group
    }

    pub fn group_of_record(&self, record: &Received) -> GroupIx {
        match (&record.from_queue, &self.queues) {
            (Some(from), Some(queues)) => queues.sources[from.source].group,
            _ => self.group_of(record.client),
        }
    }

    /// The schemas that it reads and writes with, for a person who looks.
    fn schema_uses(&self, query: &Query) -> Option<Answer> {
        let read = self.reader.as_ref().and_then(|reader| reader.browse(query));
        let written = self.encoders.iter().flat_map(Encoders::uses).filter(|_| *query == Query::SchemaUses);
        let mut uses = match read {
            Some(Answer::SchemaUses(uses)) => uses,
            other => {
                debug_assert!(other.is_none(), "a reader tells of schemas only");
                Vec::new()
            }
        };
        uses.extend(written);
        (!uses.is_empty()).then(|| Answer::SchemaUses(uses))
    }

    /// Tells observers about a stay here.
    pub fn hop(&self, ctx: &mut Ctx<'_>, record: &Received, kind: HopKind, served: SimTime, words: String) {
        let placed = Some(Placed { topic: record.topic, partition: record.partition, offset: record.offset });
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: record.arrived,
            served,
            done: ctx.now,
            placed,
            group: Some(self.group_of_record(record)),
            words: words.into(),
            payload: Some(record.value()),
            key: record.key(),
        };
        let meta: EventMeta = record.meta;
        ctx.hop(meta, hop);
    }
}

impl Process for Consumer {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(results) = &mut self.results {
            results.ask_for_schema(ctx);
        }
        if let Some(encoders) = &mut self.encoders {
            encoders.ask(ctx);
        }
        self.start_scaling(ctx);
        for index in 0..self.instances.len() {
            self.start_instance(ctx, index);
            self.receive(ctx, index);
            self.set_instance_timer(ctx, index);
        }
        self.tell_instances(ctx, None);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        let Some(message) = self.hold_message(end, message) else { return };
        let Some(message) = self.give_to_writer(ctx, message) else { return };
        let Some(message) = self.give_to_relay(ctx, message) else { return };
        let Some(message) = self.give_to_queues(ctx, message) else { return };
        let Some(message) = self.give_to_handler(ctx, message) else { return };
        let at = match message {
            Message::FetchReply(reply) => {
                let Some(at) = self.owner_of(reply.call) else { return };
                self.with_client(ctx, at, |client, now, out| client.on_fetch_reply(now, *reply, out));
                at
            }
            Message::GroupReply(reply) => {
                let Some(at) = self.owner_of(reply.call) else { return };
                self.with_client(ctx, at, |client, now, out| client.on_group_reply(now, *reply, out));
                at
            }
            Message::SchemaReply(reply) => {
                debug_assert_eq!(reply.call.0 >> 56, u64::from(CALLS_SCHEMA), "only the reader looks schemas up");
                if let Some(reader) = &mut self.reader {
                    reader.on_reply(ctx, &reply);
                }
                if let Some(encoders) = &mut self.encoders {
                    encoders.on_reply(&reply);
                }
                self.on_result_schema(ctx, &reply);
                for index in 0..self.instances.len() {
                    self.advance(ctx, index);
                }
                return;
            }
            Message::ProduceReply(reply) => {
                if let Some(client) = &mut self.dead_letters {
                    client.on_reply(ctx.now, &reply, &mut self.letters_out);
                }
                self.letters_settled(ctx);
                return;
            }
            Message::MetadataReply(reply) => {
                if let Some(client) = &mut self.dead_letters {
                    client.on_metadata(ctx.now, &reply, &mut self.letters_out);
                    self.letters_settled(ctx);
                }
                let Some(at) = self.owner_of(reply.call) else { return };
                self.with_client(ctx, at, |client, now, out| client.on_metadata(now, &reply, out));
                at
            }
            // Nothing else is sent to a consumer.
            _ => return,
        };
        self.advance(ctx, at.0);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let index = (token >> 8 & 0xfff) as usize;
        match token & 0xff {
            TOKEN_WORKER | TOKEN_INSTANCE if self.holds_timer(index, token) => {}
            TOKEN_RESUME => self.suspension_over(ctx, index, (token >> 20) as u32),
            TOKEN_RESET => self.go_on_with_reset(ctx),
            TOKEN_HANDLER => self.handler_due(ctx, token >> 8),
            TOKEN_RELAY => self.relay_due(ctx),
            TOKEN_QUEUE => self.queues_due(ctx),
            TOKEN_SCALE => self.scale(ctx),
            TOKEN_STARTED => self.instance_started(ctx),
            TOKEN_RECEIVE => self.receive_again(ctx, index, token),
            TOKEN_WORKER => self.worker_due(ctx, index, (token >> 20 & 0xf_ffff) as u32, (token >> 40) as u32),
            TOKEN_INSTANCE if self.instances[index].alarm.rings(ctx.now) => {
                for client in 0..self.template.len() {
                    self.with_client(ctx, (index, client), |client, now, out| client.on_wake(now, out));
                }
                if self.is_between_polls(index) {
                    self.watch_poll(ctx, index);
                } else {
                    self.auto_commit(ctx, index);
                }
                self.advance(ctx, index);
            }
            TOKEN_SHARED if self.shared_alarm.rings(ctx.now) => {
                if let Some(reader) = &mut self.reader {
                    reader.on_wake(ctx);
                }
                if let Some(client) = &mut self.dead_letters {
                    client.on_wake(ctx.now, &mut self.letters_out);
                }
                if let Some(encoders) = &mut self.encoders {
                    encoders.ask(ctx);
                }
                self.results_due(ctx);
                self.letters_settled(ctx);
            }
            // A wake-up that an earlier one has made stale.
            _ => {}
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        if let Some(result) = self.handler.as_mut().and_then(|handler| handler.input(ctx, input)) {
            return self.after_input(ctx, result?);
        }
        match input {
            Input::Set { param, value } => self.set(ctx, param, &value.to_field_text()),
            Input::Action { name, params } => self.action(ctx, name, params),
        }
    }
    fn figures(&self, now: SimTime, out: &mut Figures) {
        let clients = || self.instances.iter().flat_map(|instance| &instance.clients);
        out.counter("processed_count", self.counts.processed);
        out.counter("failed_count", self.counts.failed);
        out.counter("rejected_count", self.counts.rejected);
        out.counter("dead_lettered_count", self.counts.dead_lettered);
        out.counter("retried_count", self.counts.retried);
        out.counter("lost_count", self.counts.lost);
        out.counter("polls_count", self.counts.polls);
        out.counter("missed_polls_count", self.counts.missed_polls);
        out.counter("rebalances_count", clients().map(ConsumerClient::rebalances_count).max().unwrap_or(0));
        if let Some(results) = &self.results {
            out.counter("results_count", results.written);
        }
        if let Some(handler) = &self.handler {
            handler.figures(out);
            self.outbox.figures(out);
        }
        if let Some(retries) = &self.retries {
            retries.figures(out);
        }
        if let Some(queues) = &self.queues {
            queues.figures(out);
        }
        self.corrupt.figures(out);
        self.refusals.figures(out);
        if let Some(table) = &self.table {
            table.figures(out);
        }
        if let Some(scaling) = &self.scaling {
            scaling.figures(self.instances.iter().filter(|instance| instance.up).count(), out);
        }
        self.pool_figures(out);
        self.pauses.figures(now, out);
        self.station.figures(now, out);
        out.gauge("buffered_count", self.instances.iter().map(|instance| instance.buffer.len()).sum::<usize>() as f64);
        out.gauge("instances", self.instances.iter().filter(|instance| instance.up).count() as f64);
        out.gauge("assigned_partitions", clients().map(ConsumerClient::assigned_count).sum::<usize>() as f64);
    }
    fn read_model(&self) -> Option<TableShape> {
        self.handler.as_ref()?.read_model()
    }
    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        let of_handler = self.handler.as_ref().and_then(|handler| handler.browse(query));
        of_handler.or_else(|| self.schema_uses(query))
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
