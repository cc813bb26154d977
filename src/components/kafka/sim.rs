//! A cluster while it runs: the nodes that serve requests, and the machine behind them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::acls;
use super::connections::{Admission, Connections};
use super::costs::Costs;
use super::faults::Faults;
use super::nodes::{Nodes, NodesConfig, Served};
use super::quotas::{Quotas, Unmute};
use super::redrives::Paced;
use super::rolling::RollingRestarts;
use super::spec;
use super::standing::TopicLabels;
use super::throttle::Throttle;
use crate::components::slab::Slab;
use crate::components::{BuildCtx, Params, clock};
use crate::engine::{Ctx, FigureKind, Figures, Input, LinkEnd, Process};
use crate::event::{Answer, CallId, Fact, Hop, HopKind, KeptLog, Message, Placed, Query};
use crate::machines::broker::NodeState;
use crate::machines::broker::cluster::{Caller, Cluster, ClusterConfig, Effects, Replicate, Timestamps, TopicConfig};
use crate::machines::broker::compaction::CompactionConfig;
use crate::machines::broker::group::GroupConfig;
use crate::machines::broker::log::LogConfig;
use crate::random::Stream;
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Memory of one cluster's logs. Beyond it the disks count as full: batches are refused (`StorageError`, which
/// clients retry) until retention has made room.
const LOG_MEMORY_BYTES_MAX: u64 = 4 << 30;

/// Timer tokens: what in the upper byte, which below.
const SERVED: u64 = 1 << 56;
const REPLICATED: u64 = 2 << 56;
const DEADLINE: u64 = 3 << 56;
const RETENTION: u64 = 4 << 56;
const CLEANING: u64 = 6 << 56;
/// Below: which node, and above it the number of its fault.
pub(super) const FAULT_OVER: u64 = 5 << 56;
pub(super) const ROLLING: u64 = 7 << 56;
pub(super) const QUORUM_BACK: u64 = 8 << 56;
/// Below: which connection.
const UNMUTE: u64 = 10 << 56;
/// Below: which redrive.
pub(super) const REDRIVE: u64 = 9 << 56;
/// Below: which node.
const CONNECTION_IDLE: u64 = 11 << 56;
const LOW: u64 = (1 << 56) - 1;

/// A running cluster.
#[derive(Clone, Debug)]
pub(super) struct KafkaSim {
    pub(super) cluster: Cluster,
    pub(super) nodes: Nodes,
    costs: Costs,
    /// The client behind each link end.
    clients: Vec<ComponentIx>,
    pub(super) labels: Vec<TopicLabels>,
    /// Which layout of the cluster the labels show.
    pub(super) layout: u64,
    groups: Vec<GroupLabel>,
    retention_check: SimDuration,
    cleaner_backoff: SimDuration,
    requests: u64,
    in_bytes: u64,
    out_bytes: u64,
    refused: u64,
    /// Replication under way, in order of completion times per partition.
    replicating: Slab<Replicate>,
    deadline_set: SimTime,
    /// When the last replication of a partition completes: followers fetch in order.
    pub(super) replicated_at: Vec<Vec<SimTime>>,
    /// The same for followers that fetch by themselves: (topic, partition, node).
    fetched_at: BTreeMap<(usize, u32, u32), SimTime>,
    pub(super) faults: Faults,
    throttle: Throttle,
    pub(super) rolling: RollingRestarts,
    /// Which batches go bad.
    pub(super) disk_rng: Stream,
    pub(super) redrives: Vec<Paced>,
    quotas: Quotas,
    pub(super) connections: Connections,
    /// Copied to followers in other racks, and fetched by readers there.
    cross_rack_bytes: [u64; 2],
    /// Fetches of readers with a rack that wait for an answer from another one.
    far_fetches: BTreeSet<(u16, CallId)>,
}

#[derive(Clone, Debug)]
struct GroupLabel {
    group: GroupIx,
    name: Arc<str>,
    topics: Vec<TopicIx>,
}

impl KafkaSim {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        let rows = params.named("topics");
        let mine: Vec<_> = ctx.topics.iter().filter(|topic| topic.cluster == ctx.me).collect();
        let topics: Vec<TopicConfig> = mine.iter().zip(&rows).map(|(topic, (_, row))| topic_config(topic, row)).collect();
        let groups = ctx.groups.iter().filter(|group| group.cluster == ctx.me);
        let groups: Vec<GroupLabel> =
            groups.map(|group| GroupLabel { group: group.group, name: Arc::clone(&group.name), topics: group.topics.clone() }).collect();
        let nodes = spec::nodes(params);
        let threads = params.count("io_threads").clamp(1, 1_000) as u32;
        let replicated_at = topics.iter().map(|topic| vec![SimTime::ZERO; topic.partitions as usize]).collect();
        let cfg = ClusterConfig {
            me: ctx.me,
            nodes,
            racks: params.words("racks").into_iter().map(Arc::from).collect(),
            topics,
            groups: groups.iter().map(|group| group.group).collect(),
            group_config: GroupConfig {
                initial_rebalance_delay: params.duration("initial_rebalance_delay"),
                heartbeat_interval: params.duration("consumer_heartbeat_interval"),
                session_timeout: params.duration("consumer_session_timeout"),
                assignors: spec::remote_assignors(params).into(),
            },
            min_insync_replicas: params.count("min_insync_replicas").clamp(1, 100) as u32,
            replica_lag_max: params.duration("replica_lag_max"),
            unclean_election: params.flag("unclean_leader_election"),
            session_timeout: params.duration("broker_session_timeout"),
            imbalance_check: params.duration("leader_imbalance_check"),
            log_memory_bytes_max: LOG_MEMORY_BYTES_MAX,
        };
        let cluster = Cluster::new(cfg).guarded(acls::acls(ctx, params));
        Self {
            labels: mine.iter().enumerate().map(|(place, topic)| TopicLabels::new(&cluster, place, &topic.name)).collect(),
            clients: ctx.links.iter().map(|facts| facts.peer).collect(),
            layout: cluster.layout(),
            cluster,
            nodes: Nodes::new(NodesConfig {
                count: nodes,
                threads,
                queued_max: usize::try_from(params.count("queued_max_requests")).unwrap_or(usize::MAX),
                links: ctx.links.len(),
            }),
            costs: Costs::new(params, ctx.stream("service")),
            groups,
            retention_check: params.duration("retention_check_interval"),
            cleaner_backoff: params.duration("cleaner_backoff"),
            requests: 0,
            in_bytes: 0,
            out_bytes: 0,
            refused: 0,
            replicating: Slab::new(),
            deadline_set: SimTime::MAX,
            replicated_at,
            fetched_at: BTreeMap::new(),
            faults: Faults::new(nodes),
            throttle: Throttle::default(),
            rolling: RollingRestarts::default(),
            disk_rng: ctx.stream("disk"),
            redrives: Vec::new(),
            quotas: Quotas::new(params),
            connections: Connections::new(nodes, params),
            cross_rack_bytes: [0; 2],
            far_fetches: BTreeSet::new(),
        }
    }

    /// Lets a node's free threads begin, and carries out what takes them no time.
    pub(super) fn serve(&mut self, ctx: &mut Ctx<'_>, node: usize) {
        while let Some(served) = self.nodes.begin(ctx, node, &mut self.costs, SERVED) {
            self.served(ctx, served);
        }
    }

    pub(super) fn served(&mut self, ctx: &mut Ctx<'_>, served: Served) {
        let mut effects = Effects::default();
        if let Message::Produce(request) = &served.message
            && self.quotas.is_active()
        {
            let produced = (request.call, served.message.wire_bytes());
            let unmute = self.quotas.produced(ctx.now, served.node as u32, served.caller, produced);
            self.expect_unmute(ctx, unmute);
        }
        self.cluster.handle(ctx.now, served.caller, served.message, &mut effects);
        self.carry_out(ctx, effects, Some((served.arrived, served.begun)));
    }

    pub(super) fn carry_out(&mut self, ctx: &mut Ctx<'_>, effects: Effects, served: Option<(SimTime, SimTime)>) {
        for fact in effects.facts {
            if let (Fact::Appended(appended), Some((arrived, begun))) = (&fact, served) {
                for record in appended.batch.traced.as_deref().unwrap_or_default() {
                    let offset = appended.base_offset + u64::from(record.position);
                    let words = format!("appended to {}[{}] at offset {offset}", self.topic_name(appended.topic), appended.partition);
                    let hop = Hop {
                        component: ctx.me,
                        kind: HopKind::Appended,
                        queued: arrived,
                        served: begun,
                        done: ctx.now,
                        placed: Some(Placed { topic: appended.topic, partition: appended.partition, offset }),
                        group: None,
                        words: words.into(),
                        payload: None,
                        key: None,
                    };
                    ctx.hop(record.meta, hop);
                }
            }
            ctx.fact(fact);
        }
        for done in effects.replicate {
            self.cross_rack_bytes[0] += done.bytes * self.cluster.copies_to_other_racks(&done);
            let span = self.costs.replication(done.bytes);
            // Followers fetch in order, so that what comes first is replicated first.
            let (last, span) = match done.follower {
                None => (&mut self.replicated_at[done.topic][done.partition as usize], span),
                Some(node) => {
                    let last = self.fetched_at.entry((done.topic, done.partition, node)).or_default();
                    let by_leader =
                        self.cluster.leader(done.topic, done.partition).map_or(span, |leader| self.nodes.slowed(leader as usize, span));
                    (last, self.nodes.slowed(node as usize, span).max(by_leader))
                }
            };
            let mut at = (ctx.now + span).max(*last);
            if let (Some(rate), Some(to)) = (done.throttle_per_s, done.follower) {
                let from = self.cluster.leader(done.topic, done.partition);
                at = at.max(self.throttle.pass(ctx.now, from, to, done.bytes, rate));
            }
            *last = at;
            let slot = self.replicating.put(done);
            ctx.timer_at(at, REPLICATED | slot);
        }
        for (caller, mut message) in effects.replies {
            if let Message::FetchReply(reply) = &mut message {
                let unmute = if self.quotas.is_active() { self.quotas.fetched(ctx.now, caller, reply) } else { None };
                self.expect_unmute(ctx, unmute);
                let is_far = !self.far_fetches.is_empty() && self.far_fetches.remove(&(caller.end, reply.call));
                let bytes = message.wire_bytes();
                self.out_bytes += bytes;
                self.cross_rack_bytes[1] += if is_far { bytes } else { 0 };
            }
            ctx.send(LinkEnd(caller.end), message);
        }
        self.set_deadline(ctx);
    }

    fn expect_unmute(&self, ctx: &mut Ctx<'_>, unmute: Option<Unmute>) {
        if let Some((at, number)) = unmute {
            ctx.timer_at(at, UNMUTE | number);
        }
    }

    fn unmute(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        if let Some((node, held)) = self.quotas.unmute(ctx.now, number) {
            for (caller, message) in held {
                self.arrive(ctx, node as usize, caller, message);
            }
        }
    }

    /// A request is at a node's door.
    fn arrive(&mut self, ctx: &mut Ctx<'_>, node: usize, caller: Caller, message: Message) {
        if self.cluster.node_state(node as u32) == NodeState::Down {
            return self.refuse(ctx, node, caller, &message);
        }
        let message = if self.connections.is_active() {
            match self.connections.admit(ctx.now, node, caller, message) {
                Admission::Taken(message) => message,
                Admission::Closed(message) => return self.refuse(ctx, node, caller, &message),
                Admission::Waits => return self.expect_connection(ctx, node),
            }
        } else {
            message
        };
        if let Message::Fetch(request) = &message
            && let (Some(rack), Some(own)) = (&request.rack, self.cluster.rack_of(node as u32))
            && rack != own
        {
            self.far_fetches.insert((caller.end, request.call));
        }
        let message = if self.quotas.is_active() {
            let Some(message) = self.quotas.admit(node as u32, caller, message) else { return };
            message
        } else {
            message
        };
        if self.nodes.arrive(ctx.now, node, caller, message) {
            self.requests += 1;
            self.serve(ctx, node);
        } else {
            self.refused += 1;
        }
    }

    /// Somebody waits for a connection: the next one that was idle for too long makes room.
    fn expect_connection(&self, ctx: &mut Ctx<'_>, node: usize) {
        if let Some(at) = self.connections.next_free(node) {
            ctx.timer_at(at.max(ctx.now), CONNECTION_IDLE | node as u64);
        }
    }

    fn connection_idle(&mut self, ctx: &mut Ctx<'_>, node: usize) {
        for (caller, message) in self.connections.free(ctx.now, node) {
            self.arrive(ctx, node, caller, message);
        }
        self.expect_connection(ctx, node);
    }

    fn set_deadline(&mut self, ctx: &mut Ctx<'_>) {
        let Some(at) = self.cluster.next_deadline() else { return };
        // Only an earlier deadline needs a timer of its own; a later one is seen when this one rings.
        if at < self.deadline_set {
            self.deadline_set = at.max(ctx.now);
            ctx.timer_at(at, DEADLINE | (at.as_ns() & LOW));
        }
    }

    /// Only where somebody writes in transactions.
    fn transaction_figures(&self, out: &mut Figures) {
        let transactions = self.cluster.transaction_figures();
        if transactions.ids == 0 {
            return;
        }
        out.gauge("transactional_ids", transactions.ids as f64);
        out.gauge("open_transactions", transactions.open as f64);
        out.counter("committed_transactions_count", transactions.committed);
        out.counter("aborted_transactions_count", transactions.aborted);
        for (place, labels) in self.labels.iter().enumerate() {
            for (label, standing) in labels.partitions.iter().zip(self.cluster.standings(place)).take(spec::PARTITION_FIGURES_MAX) {
                out.of("partition_last_stable", label, FigureKind::Gauge, standing.last_stable as f64);
            }
        }
    }

    fn topic_name(&self, topic: TopicIx) -> &str {
        let place = self.cluster.config().topics.iter().position(|config| config.topic == topic);
        place.map_or("?", |place| &self.labels[place].name)
    }
}

fn topic_config(topic: &crate::components::PeerTopic, row: &Params<'_>) -> TopicConfig {
    TopicConfig {
        topic: topic.topic,
        name: Arc::clone(&topic.name),
        partitions: topic.partitions,
        replication: row.count("replication").clamp(1, 100) as u32,
        log: LogConfig {
            segment_bytes: row.size("segment_size").unwrap_or(1 << 30),
            segment_time: row.duration("segment_time"),
            retention_time: Some(row.duration("retention_time")),
            retention_bytes: row.size("retention_size"),
            deletes: row.text("cleanup_policy").contains("delete"),
            compaction: row.text("cleanup_policy").contains("compact").then(|| CompactionConfig {
                dirty_ratio_min: row.ratio("min_dirty_ratio"),
                tombstone_time: row.duration("tombstone_time"),
                lag_min: row.duration("min_compaction_lag"),
                lag_max: row.is_given("max_compaction_lag").then(|| row.duration("max_compaction_lag")),
            }),
        },
        message_bytes_max: row.size("max_message_size").unwrap_or(1_048_588),
        timestamps: match row.text("timestamp_type").as_str() {
            "LogAppendTime" => Timestamps::LogAppend,
            _ => Timestamps::Create {
                before_max: row.is_given("timestamp_before_max").then(|| row.duration("timestamp_before_max")),
                after_max: row.duration("timestamp_after_max"),
            },
        },
    }
}

impl Process for KafkaSim {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        ctx.timer_after(self.retention_check, RETENTION);
        if self.cluster.compacts() {
            ctx.timer_after(self.cleaner_backoff, CLEANING);
        }
    }

    fn keeps_logs(&self) -> bool {
        true
    }
    fn restore(&mut self, kept: &KeptLog) {
        self.cluster.restore(kept);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message) {
        let caller = Caller { end: end.0, client: self.clients[end.0 as usize] };
        if let Message::Produce(_) = &message {
            self.in_bytes += message.wire_bytes();
        }
        let node = self.cluster.node_of(&message) as usize;
        self.arrive(ctx, node, caller, message);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        match token & !LOW {
            SERVED => {
                if let Some(served) = self.nodes.done(ctx.now, token & LOW) {
                    let node = served.node;
                    self.served(ctx, served);
                    self.serve(ctx, node);
                }
            }
            REPLICATED => {
                if let Some(done) = self.replicating.take(token & LOW) {
                    let mut effects = Effects::default();
                    self.cluster.replicated(ctx.now, done, &mut effects);
                    self.carry_out(ctx, effects, None);
                    if done.follower.is_some() {
                        self.follow_layout();
                        self.empty_where_down(ctx);
                    }
                }
            }
            DEADLINE => {
                if ctx.now >= self.deadline_set {
                    self.deadline_set = SimTime::MAX;
                    let mut effects = Effects::default();
                    self.cluster.on_deadline(ctx.now, &mut effects);
                    self.carry_out(ctx, effects, None);
                    self.empty_where_down(ctx);
                }
            }
            FAULT_OVER => self.fault_over(ctx, token & LOW),
            ROLLING => self.go_on_rolling(ctx),
            QUORUM_BACK => self.quorum_back(ctx),
            REDRIVE => self.redrive_on(ctx, token & LOW),
            UNMUTE => self.unmute(ctx, token & LOW),
            CONNECTION_IDLE => self.connection_idle(ctx, (token & LOW) as usize),
            CLEANING => {
                let mut effects = Effects::default();
                self.cluster.compact(ctx.now, &mut effects);
                self.carry_out(ctx, effects, None);
                ctx.timer_after(self.cleaner_backoff, CLEANING);
            }
            _ => {
                let mut effects = Effects::default();
                self.cluster.retain(ctx.now, &mut effects);
                self.carry_out(ctx, effects, None);
                ctx.timer_after(self.retention_check, RETENTION);
            }
        }
    }

    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } => {
                let text = value.to_field_text();
                if self.quotas.set(param, &text)? { Ok(()) } else { self.costs.set(param, &text) }
            }
            Input::Action { name, params } => self.act(ctx, name, params),
        }
    }

    fn figures(&self, now: SimTime, out: &mut Figures) {
        out.counter("requests_count", self.requests);
        out.counter("refused_requests_count", self.refused);
        let (memory_bytes, storage_full) = self.cluster.memory_figures();
        out.gauge("log_memory_bytes", memory_bytes as f64);
        out.counter("storage_full_count", storage_full);
        if self.cluster.stale_reads() > 0 {
            out.counter("stale_reads_count", self.cluster.stale_reads());
        }
        clock::figures(self.cluster.clock(), now, out);
        if let Some(count) = self.cluster.rotten_count() {
            out.gauge("corrupt_batches", count as f64);
        }
        self.transaction_figures(out);
        out.counter("in_bytes", self.in_bytes);
        out.counter("out_bytes", self.out_bytes);
        let mut appended = 0;
        let figures: Vec<(u64, Vec<u64>)> = (0..self.labels.len()).map(|place| self.cluster.topic_figures(place)).collect();
        for (place, labels) in self.labels.iter().enumerate() {
            if let Some((kept, removed)) = self.cluster.compaction_figures(place) {
                out.of("log_records", &labels.name, FigureKind::Gauge, kept as f64);
                out.of("compacted_count", &labels.name, FigureKind::Counter, removed as f64);
            }
        }
        for (labels, (bytes, partitions)) in self.labels.iter().zip(&figures) {
            out.of("log_bytes", &labels.name, FigureKind::Gauge, *bytes as f64);
            out.of("appended_count", &labels.name, FigureKind::Counter, partitions.iter().sum::<u64>() as f64);
            appended += partitions.iter().sum::<u64>();
            for (label, count) in labels.partitions.iter().zip(partitions).take(spec::PARTITION_FIGURES_MAX) {
                out.of("partition_appended_count", label, FigureKind::Counter, *count as f64);
            }
        }
        out.counter("appended_count", appended);
        self.standing_figures(out);
        self.reassignment_figures(now, out);
        self.rolling_figures(now, out);
        self.quorum_figures(out);
        if !self.redrives.is_empty() {
            out.counter("redriven_count", self.cluster.redriven());
        }
        for group in &self.groups {
            out.of("lag", &group.name, FigureKind::Gauge, self.cluster.lag(group.group, &group.topics) as f64);
            out.of("rebalances_count", &group.name, FigureKind::Counter, self.cluster.rebalances(group.group) as f64);
        }
        self.quotas.figures(out);
        self.connections.figures(out);
        if let Some(refusals) = self.cluster.refusals() {
            out.counter("refusals_count", refusals);
        }
        if self.cluster.rack_of(0).is_some() {
            out.counter("cross_rack_replicated_bytes", self.cross_rack_bytes[0]);
            out.counter("cross_rack_fetched_bytes", self.cross_rack_bytes[1]);
        }
        self.nodes.figures(now, out);
    }

    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        match query {
            Query::Partitions => {
                let groups = self.groups.iter().map(|group| (group.group, Arc::clone(&group.name), &group.topics[..]));
                Some(Answer::Partitions(self.cluster.partition_standings(&groups.collect::<Vec<_>>())))
            }
            Query::Records { topic, partition, seek, records_max } => {
                let place = self.labels.iter().position(|labels| labels.name == *topic)?;
                self.cluster.page(place, *partition, *seek, *records_max).map(Answer::Log)
            }
            Query::Queues | Query::Subjects | Query::SchemaUses | Query::Service(_) => None,
        }
    }

    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
