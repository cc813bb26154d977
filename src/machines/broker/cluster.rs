//! A Kafka cluster as one pure machine: topics, partitions with leaders, groups, and who waits for what.
//!
//! In: requests (once a node has served them) with the instant and the caller; the word that followers have
//! caught up; faults of nodes; deadlines. Out ([`Effects`]): replies, also to others than the caller; facts; what to
//! replicate. Must not know: links, service times, clocks. Start at [`Cluster::handle`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::acl::Acls;
use super::compaction::Section;
use super::fetch::LongPolls;
use super::group::{Answers, Group, GroupConfig, TopicSizes};
use super::log::LogConfig;
use super::nodes::{Node, NodeState};
use super::partition::Partition;
use super::placement::{rack_of, replica_nodes};
use super::produce::Unacked;
use super::reassignment::Reassignment;
use super::redrive::Redrives;
use super::replicas::Replicas;
use super::transactions::Coordinator;
use crate::event::{
    BrokerError, Compacted, Fact, GroupCall, GroupReply, GroupRequest, GroupResult, KeptLog, Message, MetadataReply, TransactionCall,
};
use crate::units::{Clock, ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

pub use super::replication::Replicate;

/// Which node leads each partition of a topic at the beginning: spread round-robin, each topic beginning one node
/// further. What a client that has just started learns from Kafka's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaders {
    first: u32,
    nodes: u32,
}

impl Leaders {
    /// Leaders of the topic at this place of a cluster's list.
    #[must_use]
    pub fn new(place: usize, nodes: u32) -> Self {
        let nodes = nodes.max(1);
        Self { first: place as u32 % nodes, nodes }
    }
    /// How many nodes the cluster has.
    #[must_use]
    pub fn nodes(self) -> u32 {
        self.nodes
    }
    /// The node that leads a partition at the beginning.
    #[must_use]
    pub fn of(self, partition: u32) -> u32 {
        (self.first + partition) % self.nodes
    }
}

/// Finds a caller again: its link end and its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// Link end of the cluster.
    pub end: u16,
    /// The component behind it.
    pub client: ComponentIx,
}

/// One topic's settings.
#[derive(Clone, Debug)]
pub struct TopicConfig {
    /// Number in the plan.
    pub topic: TopicIx,
    /// Name.
    pub name: Arc<str>,
    /// How many partitions.
    pub partitions: u32,
    /// Copies of each, the leader's included.
    pub replication: u32,
    /// Segments and retention.
    pub log: LogConfig,
    /// `max.message.bytes`: largest batch.
    pub message_bytes_max: u64,
    /// Whose time records have.
    pub timestamps: Timestamps,
}

/// `message.timestamp.type`, and what goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    /// `CreateTime`: the producer's. A batch is refused that is further from the broker's clock.
    Create {
        /// `message.timestamp.before.max.ms`; any when none.
        before_max: Option<SimDuration>,
        /// `message.timestamp.after.max.ms`.
        after_max: SimDuration,
    },
    /// `LogAppendTime`: the leader's.
    LogAppend,
}

impl Default for Timestamps {
    fn default() -> Self {
        Self::Create { before_max: None, after_max: SimDuration::from_secs(3_600) }
    }
}

/// A cluster's settings.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Which component this is.
    pub me: ComponentIx,
    /// How many nodes at the beginning; they hold the logs of groups and transactions.
    pub nodes: u32,
    /// `broker.rack` of the nodes, round and round; none without racks.
    pub racks: Vec<Arc<str>>,
    /// Topics in file order.
    pub topics: Vec<TopicConfig>,
    /// Groups that read here.
    pub groups: Vec<GroupIx>,
    /// How they are coordinated.
    pub group_config: GroupConfig,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
    /// `replica.lag.time.max.ms`.
    pub replica_lag_max: SimDuration,
    /// `unclean.leader.election.enable`.
    pub unclean_election: bool,
    /// `broker.session.timeout.ms`.
    pub session_timeout: SimDuration,
    /// `leader.imbalance.check.interval.seconds`.
    pub imbalance_check: SimDuration,
    /// Memory of all logs together; beyond it batches are refused until retention has made room.
    pub log_memory_bytes_max: u64,
}

/// What a turn of the machine wants done.
#[derive(Debug, Default)]
pub struct Effects {
    /// Replies and whom they are for.
    pub replies: Vec<(Caller, Message)>,
    /// For observers.
    pub facts: Vec<Fact>,
    /// Followers must fetch this: call [`Cluster::replicated`] when they have.
    pub replicate: Vec<Replicate>,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) cfg: ClusterConfig,
    pub(super) nodes: Vec<Node>,
    /// The controller decides nothing.
    pub(super) quorum_lost: bool,
    pub(super) quorum_losses: u64,
    pub(super) partitions: Vec<Vec<Partition>>,
    pub(super) groups: BTreeMap<GroupIx, Coordinated>,
    pub(super) polls: LongPolls,
    /// Who may write under each transactional id.
    pub(super) transactions: Coordinator,
    /// acks=all requests whose batches are not on every replica yet.
    pub(super) unacked: Vec<Unacked>,
    pub(super) log_memory_bytes: u64,
    pub(super) storage_full: u64,
    /// Answers to readers that were older than what was acknowledged.
    pub(super) stale_reads: u64,
    pub(super) elections: u64,
    /// Of all nodes.
    pub(super) clock: Clock,
    pub(super) unclean_elections: u64,
    pub(super) redrives: Redrives,
    /// Of all reassignments so far.
    pub(super) reassignment: Reassignment,
    /// Who may do what; without, everybody may do everything.
    pub(super) acls: Option<Box<Acls>>,
    /// Requests, or parts of them, that these refused.
    pub(super) refusals: u64,
    #[cfg(test)]
    pub(super) known_bad: Option<super::known_bad::KnownBad>,
    /// When followers that lag are looked for; only while some do not keep step.
    pub(super) isr_check_at: Option<SimTime>,
    /// When leaders are given back to the preferred nodes; only while others lead.
    pub(super) imbalance_check_at: Option<SimTime>,
}

/// How a partition stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The node that leads it; none while it is offline.
    pub leader: Option<u32>,
    /// Of the leader.
    pub epoch: u32,
    /// Offset of the leader's next record.
    pub log_end: u64,
    /// Readers see what is below.
    pub high_watermark: u64,
    /// Readers of committed records see what is below.
    pub last_stable: u64,
    /// Size of the leader's log.
    pub log_bytes: u64,
    /// Each node with a replica, and whether it is in sync; the preferred leader first.
    pub in_sync: Vec<(u32, bool)>,
}

/// A group and the node that coordinates it.
#[derive(Clone, Debug)]
pub(super) struct Coordinated {
    pub group: Group<Caller>,
    pub node: u32,
}

impl Cluster {
    /// A cluster with empty logs.
    #[must_use]
    pub fn new(cfg: ClusterConfig) -> Self {
        let nodes = cfg.nodes.max(1);
        let all = vec![Node::default(); nodes as usize];
        let partitions = |(place, topic): (usize, &TopicConfig)| {
            let partition = |partition| {
                Partition::new(topic.log, Replicas::new(replica_nodes((&all, &cfg.racks), topic.replication, place, partition)))
            };
            (0..topic.partitions).map(partition).collect()
        };
        let sizes = topic_sizes(&cfg.topics);
        let group = |group: &GroupIx| {
            (*group, Coordinated { group: Group::new(cfg.group_config.clone(), Arc::clone(&sizes)), node: group.0 % nodes })
        };
        Self {
            partitions: cfg.topics.iter().enumerate().map(partitions).collect(),
            nodes: all,
            quorum_lost: false,
            quorum_losses: 0,
            groups: cfg.groups.iter().map(group).collect(),
            polls: LongPolls::default(),
            transactions: Coordinator::default(),
            unacked: Vec::new(),
            log_memory_bytes: 0,
            storage_full: 0,
            stale_reads: 0,
            elections: 0,
            clock: Clock::default(),
            unclean_elections: 0,
            redrives: Redrives::default(),
            reassignment: Reassignment::default(),
            acls: None,
            refusals: 0,
            #[cfg(test)]
            known_bad: None,
            isr_check_at: None,
            imbalance_check_at: None,
            cfg,
        }
    }
    /// Begins with what earlier runs have left of a partition.
    pub fn restore(&mut self, kept: &KeptLog) {
        let place = self.cfg.topics.iter().position(|topic| topic.topic == kept.topic);
        let partition = place.and_then(|place| self.partitions[place].get_mut(kept.partition as usize));
        if let Some(partition) = partition {
            partition.restore(kept);
            self.log_memory_bytes += partition.log.memory_bytes();
        }
    }
    /// Settings.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.cfg
    }
    /// The node that a request goes to: the one that it names, or the coordinator of the group or transaction.
    #[must_use]
    pub fn node_of(&self, message: &Message) -> u32 {
        let node = match message {
            Message::Produce(request) => request.node,
            Message::Fetch(request) => request.node,
            Message::Metadata(request) => request.node,
            Message::Group(request) => self.group_node(request.group),
            Message::Transaction(request) => match &request.body {
                TransactionCall::CommitOffsets { offsets, .. } => self.group_node(offsets.group),
                _ => self.transaction_node(&request.id),
            },
            _ => 0,
        };
        node.min(self.nodes.len() as u32 - 1)
    }

    fn group_node(&self, group: GroupIx) -> u32 {
        self.groups.get(&group).map_or(0, |coordinated| coordinated.node)
    }

    /// Carries out a request.
    pub fn handle(&mut self, now: SimTime, caller: Caller, message: Message, out: &mut Effects) {
        match message {
            Message::Produce(request) => self.produce(now, caller, *request, out),
            Message::Fetch(request) => self.fetch(now, caller, *request, out),
            Message::Group(request) => self.group_call(now, caller, *request, out),
            Message::Transaction(request) => self.transaction(now, caller, *request, out),
            Message::Metadata(request) => {
                let may = self.screened(self.may_describe(caller, request.topic));
                let leaders = may.and_then(|()| self.leaders(request.topic, request.node));
                out.replies.push((caller, Message::MetadataReply(Box::new(MetadataReply { call: request.call, leaders }))));
            }
            _ => {}
        }
    }

    /// The node that leads a partition of the topic at this place.
    #[must_use]
    pub fn leader(&self, place: usize, partition: u32) -> Option<u32> {
        self.partitions[place][partition as usize].replicas.leader
    }

    /// Who leads a topic's partitions, as far as a node knows.
    fn leaders(&self, topic: TopicIx, node: u32) -> Result<Vec<Option<u32>>, BrokerError> {
        let place = self.place(topic).ok_or(BrokerError::UnknownTopicOrPartition)?;
        let leader = |partition: &Partition| {
            let replicas = &partition.replicas;
            let believes_to_lead = replicas.of(node).is_some_and(|replica| replica.deposed.is_some());
            if believes_to_lead { Some(node) } else { replicas.leader }
        };
        Ok(self.partitions[place].iter().map(leader).collect())
    }

    fn group_call(&mut self, now: SimTime, caller: Caller, request: GroupRequest, out: &mut Effects) {
        if let Err(error) = self.screened(self.may_call_group(caller, &request)) {
            let reply = GroupReply { call: request.call, result: Err(error) };
            out.replies.push((caller, Message::GroupReply(Box::new(reply))));
            return;
        }
        if let GroupCall::ResetOffsets { topics, to } = &request.body {
            let result = self.reset_offsets(request.group, topics, *to, out).map(|()| GroupResult::Done);
            out.replies.push((caller, Message::GroupReply(Box::new(GroupReply { call: request.call, result }))));
            return;
        }
        if let GroupCall::ListOffsets { partitions } = &request.body {
            let bounds = partitions.iter().filter_map(|&(topic, partition)| {
                let state = self.partitions[self.place(topic)?].get(partition as usize)?;
                Some((topic, partition, state.log.log_start(), state.high_watermark))
            });
            let result = Ok(GroupResult::Bounds(bounds.collect()));
            out.replies.push((caller, Message::GroupReply(Box::new(GroupReply { call: request.call, result }))));
            return;
        }
        let mut answers: Answers<Caller> = Vec::new();
        match self.groups.get_mut(&request.group) {
            Some(coordinated) => coordinated.group.handle(now, (caller, request.call), &request.member, request.body, &mut answers),
            None => answers.push((caller, GroupReply { call: request.call, result: Err(BrokerError::UnknownMemberId) })),
        }
        send_answers(answers, out);
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        let groups = self.groups.values().filter(|one| self.serves(one.node)).filter_map(|one| one.group.next_deadline()).min();
        let sessions = self.nodes.iter().filter_map(|node| node.session_ends).min();
        let decisions = [sessions, self.imbalance_check_at].into_iter().filter(|_| self.has_quorum());
        let checks = [self.polls.next_deadline(), groups, self.isr_check_at, self.transactions.next_deadline()];
        checks.into_iter().chain(decisions).flatten().min()
    }

    /// Answers long polls whose wait is over, ends sessions and rebalances whose time is up, looks after nodes.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Effects) {
        self.end_polls(now, out);
        self.control(now, out);
        let mut answers = Vec::new();
        for Coordinated { group, node } in self.groups.values_mut() {
            // A coordinator that does not answer ends nobody's session.
            if self.nodes[*node as usize].state == NodeState::Up && group.next_deadline().is_some_and(|at| at <= now) {
                group.on_deadline(now, &mut answers);
            }
        }
        send_answers(answers, out);
        self.time_transactions(now, out);
    }

    /// Fetches that a deposed leader answered with less than what was acknowledged by then, counted by partition.
    #[must_use]
    pub fn stale_reads(&self) -> u64 {
        self.stale_reads
    }
    /// Its nodes' clocks show something else from now on.
    pub fn set_clock(&mut self, clock: Clock) {
        self.clock = clock;
    }
    /// What its nodes' clocks show.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }
    /// Retention over all partitions (`log.retention.check.interval.ms`).
    pub fn retain(&mut self, now: SimTime, out: &mut Effects) {
        for (place, topic) in self.partitions.iter_mut().enumerate() {
            for (partition, state) in topic.iter_mut().enumerate() {
                let before = state.log.memory_bytes();
                let moved = state.log.retain(self.clock.read(now), state.high_watermark);
                self.log_memory_bytes -= before - state.log.memory_bytes();
                if let Some(log_start) = moved {
                    state.transactions.retain(log_start);
                    out.facts.push(Fact::LogStart { topic: self.cfg.topics[place].topic, partition: partition as u32, log_start });
                }
            }
        }
    }

    /// Deletes all settled records of a topic (`kafka-delete-records`).
    ///
    /// # Errors
    /// In words, when there is no such topic.
    pub fn purge(&mut self, topic: &str, out: &mut Effects) -> Result<(), String> {
        let place = self.place_named(topic)?;
        for (partition, state) in (0..).zip(&mut self.partitions[place]) {
            let before = state.log.memory_bytes();
            if let Some(log_start) = state.log.delete_before(state.high_watermark) {
                self.log_memory_bytes -= before - state.log.memory_bytes();
                state.transactions.retain(log_start);
                out.facts.push(Fact::LogStart { topic: self.cfg.topics[place].topic, partition, log_start });
            }
        }
        Ok(())
    }

    /// The cleaner's pass over all partitions of compacted topics (`log.cleaner.backoff.ms`).
    pub fn compact(&mut self, now: SimTime, out: &mut Effects) {
        for (place, topic) in self.partitions.iter_mut().enumerate() {
            for (partition, state) in topic.iter_mut().enumerate() {
                let before = state.log.memory_bytes();
                // A partition with a batch that cannot be read is not cleaned any more (Kafka's `uncleanable-partitions-count`).
                if !state.rotten.is_empty() {
                    continue;
                }
                let settled = state.transactions.last_stable(state.high_watermark);
                if let Some(compacted) = state.log.compact(now, settled) {
                    self.log_memory_bytes = self.log_memory_bytes + state.log.memory_bytes() - before;
                    state.compacted += compacted.removed;
                    let Section { from, to, kept, .. } = compacted;
                    let (cluster, topic, partition) = (self.cfg.me, self.cfg.topics[place].topic, partition as u32);
                    out.facts.push(Fact::Compacted(Box::new(Compacted { cluster, topic, partition, from, to, kept })));
                }
            }
        }
    }

    /// Whether a topic is compacted.
    #[must_use]
    pub fn compacts(&self) -> bool {
        self.cfg.topics.iter().any(|topic| topic.log.compaction.is_some())
    }

    /// (records kept, records that the cleaner removed) of a compacted topic by its place.
    #[must_use]
    pub fn compaction_figures(&self, place: usize) -> Option<(u64, u64)> {
        self.cfg.topics[place].log.compaction?;
        let partitions = self.partitions[place].iter();
        Some(partitions.fold((0, 0), |(kept, gone), partition| (kept + partition.log.records(), gone + partition.compacted)))
    }

    /// Records between a group's committed positions and the high watermarks of what it reads.
    #[must_use]
    pub fn lag(&self, group: GroupIx, topics: &[TopicIx]) -> u64 {
        let of_topic = |topic: &TopicIx| {
            let partitions = self.place(*topic).map_or(0, |place| self.partitions[place].len() as u32);
            (0..partitions).map(|partition| self.partition_lag(group, *topic, partition)).sum::<u64>()
        };
        topics.iter().map(of_topic).sum()
    }
    /// (size, records appended) of a topic by its place, and records appended of each partition.
    #[must_use]
    pub fn topic_figures(&self, place: usize) -> (u64, Vec<u64>) {
        let partitions = &self.partitions[place];
        (partitions.iter().map(|p| p.log.bytes()).sum(), partitions.iter().map(|p| p.appended).collect())
    }
    /// How each partition of the topic at this place stands.
    pub fn standings(&self, place: usize) -> impl Iterator<Item = Standing> {
        self.partitions[place].iter().map(|partition| Standing {
            leader: partition.replicas.leader,
            epoch: partition.replicas.epoch,
            log_end: partition.log.next_offset(),
            high_watermark: partition.high_watermark,
            last_stable: partition.transactions.last_stable(partition.high_watermark),
            log_bytes: partition.log.bytes(),
            in_sync: partition.replicas.list.iter().map(|replica| (replica.node, partition.replicas.is_in_sync(replica.node))).collect(),
        })
    }
    /// The rack of a node, where there are racks.
    #[must_use]
    pub fn rack_of(&self, node: u32) -> Option<&Arc<str>> {
        rack_of(&self.cfg.racks, node)
    }
    /// To how many followers in other racks a fetch copies records.
    #[must_use]
    pub fn copies_to_other_racks(&self, fetch: &Replicate) -> u64 {
        let replicas = &self.partitions[fetch.topic][fetch.partition as usize].replicas;
        let Some(leader) = replicas.leader.filter(|_| !self.cfg.racks.is_empty()) else { return 0 };
        let fetches = |node: u32| node != leader && fetch.follower.is_none_or(|follower| follower == node);
        let others = replicas.list.iter().filter(|replica| fetches(replica.node) && self.rack_of(replica.node) != self.rack_of(leader));
        others.count() as u64
    }
    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        self.nodes.len() as u32
    }
    /// Partitions with fewer replicas in sync than they should have.
    #[must_use]
    pub fn under_replicated(&self) -> usize {
        self.partitions.iter().flatten().filter(|partition| partition.is_under_replicated()).count()
    }
    /// Elections so far, and those of them that were unclean.
    #[must_use]
    pub fn elections(&self) -> (u64, u64) {
        (self.elections, self.unclean_elections)
    }
    /// Memory that all logs take, and batches refused for want of it.
    #[must_use]
    pub fn memory_figures(&self) -> (u64, u64) {
        (self.log_memory_bytes, self.storage_full)
    }
    /// Generations that a group has begun, or how often its coordinator dealt out.
    #[must_use]
    pub fn rebalances(&self, group: GroupIx) -> u64 {
        self.groups.get(&group).map_or(0, |coordinated| coordinated.group.rebalances())
    }

    /// Groups learn that topics have changed.
    pub(super) fn tell_groups_of_topics(&mut self) {
        let sizes = topic_sizes(&self.cfg.topics);
        for coordinated in self.groups.values_mut() {
            coordinated.group.update_topics(Arc::clone(&sizes));
        }
    }

    /// The place of the topic with this name, or words for a person.
    pub(super) fn place_named(&self, topic: &str) -> Result<usize, String> {
        let place = self.cfg.topics.iter().position(|known| *known.name == *topic);
        place.ok_or_else(|| format!("there is no topic `{topic}`"))
    }

    /// A topic's place in the settings.
    pub(super) fn place(&self, topic: TopicIx) -> Option<usize> {
        // Topics of one cluster are numbered in a row.
        let first = self.cfg.topics.first()?.topic.0;
        let place = topic.0.checked_sub(first)? as usize;
        (place < self.cfg.topics.len()).then_some(place)
    }
}

/// Topics in the order of their names.
fn topic_sizes(topics: &[TopicConfig]) -> TopicSizes {
    let mut topics: Vec<&TopicConfig> = topics.iter().collect();
    topics.sort_by(|one, other| one.name.cmp(&other.name));
    topics.into_iter().map(|topic| (topic.topic, topic.partitions)).collect()
}

pub(super) fn send_answers(answers: Answers<Caller>, out: &mut Effects) {
    for (caller, reply) in answers {
        out.replies.push((caller, Message::GroupReply(Box::new(reply))));
    }
}
