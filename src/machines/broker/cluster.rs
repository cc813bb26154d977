//! A Kafka cluster as one pure machine: topics, partitions with leaders, groups, and who waits for what.
//!
//! In: requests (once a node has served them) with the instant and the caller; the word that followers have
//! caught up; deadlines. Out ([`Effects`]): replies, also to others than the caller; facts; what to replicate.
//! Must not know: links, service times, clocks. Start at [`Cluster::handle`]; fetches are in `fetch.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch;
use super::fetch::LongPolls;
use super::group::{Answers, Group};
use super::log::LogConfig;
use super::partition::Partition;
use crate::event::{
    Acks, Appended, BrokerError, Fact, GroupCall, GroupReply, GroupRequest, GroupResult, Message, ProduceEntry, ProduceReply,
    ProduceRequest, ProduceResult,
};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Which node leads each partition of a topic: spread round-robin, each topic beginning one node further.
/// What a client learns from Kafka's metadata.
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
    /// The node that leads a partition.
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
}

/// A cluster's settings.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Which component this is.
    pub me: ComponentIx,
    /// How many nodes.
    pub nodes: u32,
    /// Topics in file order.
    pub topics: Vec<TopicConfig>,
    /// Groups that read here.
    pub groups: Vec<GroupIx>,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay: SimDuration,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
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

/// Records up to an offset that followers have yet to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicate {
    /// Topic, by its place in the cluster.
    pub topic: usize,
    /// Partition.
    pub partition: u32,
    /// Offset after the last record.
    pub up_to: u64,
    /// Size of what is new.
    pub bytes: u64,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Cluster {
    cfg: ClusterConfig,
    pub(super) partitions: Vec<Vec<Partition>>,
    groups: BTreeMap<GroupIx, Group<Caller>>,
    pub(super) polls: LongPolls,
    /// acks=all requests whose batches are not on every replica yet.
    unacked: Vec<Unacked>,
    log_memory_bytes: u64,
    storage_full: u64,
}

#[derive(Clone, Debug)]
struct Unacked {
    caller: Caller,
    reply: ProduceReply,
    /// (topic place, partition, offset that the high watermark must reach).
    needs: Vec<(usize, u32, u64)>,
}

impl Cluster {
    /// A cluster with empty logs.
    #[must_use]
    pub fn new(cfg: ClusterConfig) -> Self {
        Self {
            partitions: cfg.topics.iter().map(|topic| vec![Partition::new(topic.log); topic.partitions as usize]).collect(),
            groups: cfg.groups.iter().map(|group| (*group, Group::new(cfg.initial_rebalance_delay))).collect(),
            polls: LongPolls::default(),
            unacked: Vec::new(),
            log_memory_bytes: 0,
            storage_full: 0,
            cfg,
        }
    }
    /// Settings.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.cfg
    }
    /// The node that leads a partition.
    #[must_use]
    pub fn leader(&self, topic: TopicIx, partition: u32) -> u32 {
        Leaders::new(self.place(topic).unwrap_or(0), self.cfg.nodes).of(partition)
    }
    /// The node that serves a request: the leader of its partitions (clients ask each node for its own), or the
    /// group's coordinator.
    #[must_use]
    pub fn node_of(&self, message: &Message) -> u32 {
        match message {
            Message::Produce(request) => request.entries.first().map_or(0, |entry| self.leader(entry.topic, entry.partition)),
            Message::Fetch(request) => request.partitions.first().map_or(0, |wanted| self.leader(wanted.topic, wanted.partition)),
            Message::Group(request) => request.group.0 % self.cfg.nodes.max(1),
            _ => 0,
        }
    }

    /// Carries out a request.
    pub fn handle(&mut self, now: SimTime, caller: Caller, message: Message, out: &mut Effects) {
        match message {
            Message::Produce(request) => self.produce(now, caller, *request, out),
            Message::Fetch(request) => self.fetch(now, caller, *request, out),
            Message::Group(request) => self.group_call(now, caller, *request, out),
            _ => {}
        }
    }

    fn produce(&mut self, now: SimTime, caller: Caller, request: ProduceRequest, out: &mut Effects) {
        let mut results = Vec::with_capacity(request.entries.len());
        let mut needs = Vec::new();
        for entry in request.entries {
            let (topic, partition) = (entry.topic, entry.partition);
            let result = self.append(now, caller, request.acks, entry, out);
            if let Ok((place, base_offset, next)) = result {
                if request.acks == Acks::All && self.partitions[place][partition as usize].high_watermark < next {
                    needs.push((place, partition, next));
                }
                results.push(ProduceResult { topic, partition, base_offset: Ok(base_offset) });
            } else {
                results.push(ProduceResult { topic, partition, base_offset: result.map(|(_, offset, _)| offset) });
            }
        }
        let reply = ProduceReply { call: request.call, results };
        if request.acks == Acks::None {
            return;
        }
        if needs.is_empty() {
            out.replies.push((caller, Message::ProduceReply(Box::new(reply))));
        } else {
            self.unacked.push(Unacked { caller, reply, needs });
        }
    }

    /// (place of the topic, base offset, next offset) of the batch in the log.
    fn append(
        &mut self,
        now: SimTime,
        caller: Caller,
        acks: Acks,
        entry: ProduceEntry,
        out: &mut Effects,
    ) -> Result<(usize, u64, u64), BrokerError> {
        let place = self.place(entry.topic).ok_or(BrokerError::UnknownTopicOrPartition)?;
        let topic = &self.cfg.topics[place];
        let replicated = topic.replication.min(self.cfg.nodes) > 1;
        if acks == Acks::All && topic.replication.min(self.cfg.nodes) < self.cfg.min_insync_replicas {
            return Err(BrokerError::NotEnoughReplicas);
        }
        if u64::from(entry.batch.wire_bytes) > topic.message_bytes_max {
            return Err(BrokerError::RecordTooLarge);
        }
        let partition = self.partitions[place].get_mut(entry.partition as usize).ok_or(BrokerError::UnknownTopicOrPartition)?;
        batch::check(&entry.batch).map_err(|_| BrokerError::CorruptMessage)?;
        let count = u64::from(entry.batch.record_count);
        if let Some(epoch) = entry.epoch
            && let Some(offset) = partition.known(caller.client, epoch, entry.batch_seq)?
        {
            return Ok((place, offset, offset + count));
        }
        if self.log_memory_bytes >= self.cfg.log_memory_bytes_max {
            self.storage_full += 1;
            return Err(BrokerError::StorageError);
        }
        let bytes = u64::from(entry.batch.wire_bytes);
        let memory_before = partition.log.memory_bytes();
        let (base_offset, rolled) = partition.log.append(now, entry.batch.clone());
        if let Some(epoch) = entry.epoch {
            partition.remember(caller.client, epoch, entry.batch_seq, base_offset);
        }
        partition.appended += count;
        let next = base_offset + count;
        out.facts.push(Fact::Appended(Box::new(Appended {
            cluster: self.cfg.me,
            topic: entry.topic,
            partition: entry.partition,
            base_offset,
            client: caller.client,
            attempt: entry.attempt,
            batch: entry.batch,
        })));
        if rolled && let Some(log_start) = partition.log.retain(now, partition.high_watermark) {
            out.facts.push(Fact::LogStart { topic: entry.topic, partition: entry.partition, log_start });
        }
        self.log_memory_bytes = self.log_memory_bytes + partition.log.memory_bytes() - memory_before;
        if replicated {
            out.replicate.push(Replicate { topic: place, partition: entry.partition, up_to: next, bytes });
        } else {
            self.advance(Replicate { topic: place, partition: entry.partition, up_to: next, bytes }, out);
        }
        Ok((place, base_offset, next))
    }

    /// Followers have everything below `up_to`: the high watermark moves, producers are answered, readers woken.
    pub fn replicated(&mut self, done: Replicate, out: &mut Effects) {
        self.advance(done, out);
        let partitions = &self.partitions;
        let met = |need: &(usize, u32, u64)| partitions[need.0][need.1 as usize].high_watermark >= need.2;
        let mut index = 0;
        while index < self.unacked.len() {
            if self.unacked[index].needs.iter().all(met) {
                // Order of answers is the order of requests: no swap_remove.
                let unacked = self.unacked.remove(index);
                out.replies.push((unacked.caller, Message::ProduceReply(Box::new(unacked.reply))));
            } else {
                index += 1;
            }
        }
    }

    fn advance(&mut self, done: Replicate, out: &mut Effects) {
        let state = &mut self.partitions[done.topic][done.partition as usize];
        if done.up_to > state.high_watermark {
            state.high_watermark = done.up_to;
            self.wake(done.topic, done.partition, done.bytes, out);
        }
    }

    fn group_call(&mut self, now: SimTime, caller: Caller, request: GroupRequest, out: &mut Effects) {
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
            Some(group) => group.handle(now, (caller, request.call), &request.member, request.body, &mut answers),
            None => answers.push((caller, GroupReply { call: request.call, result: Err(BrokerError::UnknownMemberId) })),
        }
        send_answers(answers, out);
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        let groups = self.groups.values().filter_map(Group::next_deadline).min();
        [self.polls.next_deadline(), groups].into_iter().flatten().min()
    }

    /// Answers long polls whose wait is over, ends sessions and rebalances whose time is up.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Effects) {
        self.end_polls(now, out);
        let mut answers = Vec::new();
        for group in self.groups.values_mut() {
            if group.next_deadline().is_some_and(|at| at <= now) {
                group.on_deadline(now, &mut answers);
            }
        }
        send_answers(answers, out);
    }

    /// Retention over all partitions (`log.retention.check.interval.ms`).
    pub fn retain(&mut self, now: SimTime, out: &mut Effects) {
        for (place, topic) in self.partitions.iter_mut().enumerate() {
            for (partition, state) in topic.iter_mut().enumerate() {
                let before = state.log.memory_bytes();
                let moved = state.log.retain(now, state.high_watermark);
                self.log_memory_bytes -= before - state.log.memory_bytes();
                if let Some(log_start) = moved {
                    out.facts.push(Fact::LogStart { topic: self.cfg.topics[place].topic, partition: partition as u32, log_start });
                }
            }
        }
    }

    /// Records between a group's committed positions and the high watermarks of what it reads.
    #[must_use]
    pub fn lag(&self, group: GroupIx, topics: &[TopicIx]) -> u64 {
        let Some(state) = self.groups.get(&group) else { return 0 };
        let of_topic = |topic: &TopicIx| {
            let partitions = self.place(*topic).map_or(&[][..], |place| &self.partitions[place]);
            let lag = |(partition, p): (usize, &Partition)| {
                let from = state.committed(*topic, partition as u32).unwrap_or(p.log.log_start()).max(p.log.log_start());
                p.high_watermark.saturating_sub(from)
            };
            partitions.iter().enumerate().map(lag).sum::<u64>()
        };
        topics.iter().map(of_topic).sum()
    }
    /// (size, records appended) of a topic by its place, and records appended of each partition.
    #[must_use]
    pub fn topic_figures(&self, place: usize) -> (u64, Vec<u64>) {
        let partitions = &self.partitions[place];
        (partitions.iter().map(|p| p.log.bytes()).sum(), partitions.iter().map(|p| p.appended).collect())
    }
    /// Memory that all logs take, and batches refused for want of it.
    #[must_use]
    pub fn memory_figures(&self) -> (u64, u64) {
        (self.log_memory_bytes, self.storage_full)
    }
    /// Generations that a group has begun.
    #[must_use]
    pub fn rebalances(&self, group: GroupIx) -> u64 {
        self.groups.get(&group).map_or(0, Group::rebalances)
    }

    /// A topic's place in the settings.
    pub(super) fn place(&self, topic: TopicIx) -> Option<usize> {
        // Topics of one cluster are numbered in a row.
        let first = self.cfg.topics.first()?.topic.0;
        let place = topic.0.checked_sub(first)? as usize;
        (place < self.cfg.topics.len()).then_some(place)
    }
}

fn send_answers(answers: Answers<Caller>, out: &mut Effects) {
    for (caller, reply) in answers {
        out.replies.push((caller, Message::GroupReply(Box::new(reply))));
    }
}
