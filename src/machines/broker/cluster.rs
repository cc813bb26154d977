//! A Kafka cluster as one pure machine: topics, partitions with leaders, groups, and who waits for what.
//!
//! In: requests (once a node has served them) with the instant and the caller; the word that followers have
//! caught up; deadlines. Out ([`Effects`]): replies, also to others than the caller; facts; what to replicate.
//! Must not know: links, service times, clocks. Start at [`Cluster::handle`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::batch;
use super::group::{Answers, Group};
use super::log::{LogConfig, PartitionLog};
use crate::event::{
    Acks, Appended, BrokerError, Fact, FetchReply, FetchRequest, FetchedPartition, GroupCall, GroupReply, GroupRequest, GroupResult,
    Message, ProduceEntry, ProduceReply, ProduceRequest, ProduceResult,
};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Batches of each idempotent producer that a partition remembers (`ProducerStateEntry.NumBatchesToRetain`).
const REMEMBERED_BATCHES: usize = 5;
/// Long polls waiting at once; a further one is answered empty at once.
const WAITING_MAX: usize = 100_000;

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
}

/// What a turn of the machine wants done.
#[derive(Debug, Default)]
pub struct Effects {
    /// Replies by link end.
    pub replies: Vec<(u16, Message)>,
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
    partitions: Vec<Vec<Partition>>,
    groups: BTreeMap<GroupIx, Group<Caller>>,
    /// Long polls by number; partitions hold the numbers of those that wait for them.
    waiting: BTreeMap<u64, Waiting>,
    waiting_named: u64,
    deadlines: BTreeMap<(SimTime, u64), ()>,
    /// acks=all requests whose batches are not on every replica yet.
    unacked: Vec<Unacked>,
}

#[derive(Clone, Debug)]
struct Partition {
    log: PartitionLog,
    high_watermark: u64,
    waiters: Vec<u64>,
    producers: Vec<ProducerState>,
    appended: u64,
}

#[derive(Clone, Debug)]
struct ProducerState {
    client: ComponentIx,
    epoch: u32,
    /// (batch sequence, base offset), newest last.
    batches: Vec<(u64, u64)>,
}

#[derive(Clone, Debug)]
struct Waiting {
    caller: Caller,
    request: FetchRequest,
    deadline: SimTime,
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
        let partition = |topic: &TopicConfig| Partition {
            log: PartitionLog::new(topic.log),
            high_watermark: 0,
            waiters: Vec::new(),
            producers: Vec::new(),
            appended: 0,
        };
        Self {
            partitions: cfg.topics.iter().map(|topic| (0..topic.partitions).map(|_| partition(topic)).collect()).collect(),
            groups: cfg.groups.iter().map(|group| (*group, Group::new(cfg.initial_rebalance_delay))).collect(),
            waiting: BTreeMap::new(),
            waiting_named: 0,
            deadlines: BTreeMap::new(),
            unacked: Vec::new(),
            cfg,
        }
    }
    /// Settings.
    #[must_use]
    pub fn config(&self) -> &ClusterConfig {
        &self.cfg
    }
    /// The node that leads a partition: spread round-robin, each topic beginning one node further.
    #[must_use]
    pub fn leader(&self, topic: TopicIx, partition: u32) -> u32 {
        let place = self.place(topic).unwrap_or(0) as u32;
        (place + partition) % self.cfg.nodes.max(1)
    }
    /// The node that serves a request: the leader of its first partition, or the group's coordinator.
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
            out.replies.push((caller.end, Message::ProduceReply(Box::new(reply))));
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
        let bytes = u64::from(entry.batch.wire_bytes);
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
        if rolled && let Some(log_start) = partition.log.retain(now) {
            out.facts.push(Fact::LogStart { topic: entry.topic, partition: entry.partition, log_start });
        }
        if replicated {
            out.replicate.push(Replicate { topic: place, partition: entry.partition, up_to: next, bytes });
        } else {
            self.advance(now, place, entry.partition, next, out);
        }
        Ok((place, base_offset, next))
    }

    /// Followers have everything below `up_to`: the high watermark moves, producers are answered, readers woken.
    pub fn replicated(&mut self, now: SimTime, done: Replicate, out: &mut Effects) {
        self.advance(now, done.topic, done.partition, done.up_to, out);
        let partitions = &self.partitions;
        let met = |need: &(usize, u32, u64)| partitions[need.0][need.1 as usize].high_watermark >= need.2;
        let mut index = 0;
        while index < self.unacked.len() {
            if self.unacked[index].needs.iter().all(met) {
                // Order of answers is the order of requests: no swap_remove.
                let unacked = self.unacked.remove(index);
                out.replies.push((unacked.caller.end, Message::ProduceReply(Box::new(unacked.reply))));
            } else {
                index += 1;
            }
        }
    }

    fn advance(&mut self, now: SimTime, place: usize, partition: u32, up_to: u64, out: &mut Effects) {
        let state = &mut self.partitions[place][partition as usize];
        if up_to <= state.high_watermark {
            return;
        }
        state.high_watermark = up_to;
        for waiter in std::mem::take(&mut state.waiters) {
            let Some(waiting) = self.waiting.get(&waiter) else { continue };
            let mut reply = FetchReply { call: waiting.request.call, partitions: Vec::new() };
            let (size, error) = self.collect(&waiting.request, &mut reply);
            if size >= waiting.request.min_bytes || error {
                self.answer_waiting(waiter, reply, out);
            } else if let Some(state) = self.partitions.get_mut(place).and_then(|all| all.get_mut(partition as usize)) {
                state.waiters.push(waiter);
            }
        }
        let _ = now;
    }

    fn fetch(&mut self, now: SimTime, caller: Caller, request: FetchRequest, out: &mut Effects) {
        let mut reply = FetchReply { call: request.call, partitions: Vec::new() };
        let (size, error) = self.collect(&request, &mut reply);
        let full = size >= request.min_bytes && size > 0;
        if full || error || request.max_wait.is_zero() || self.waiting.len() >= WAITING_MAX {
            out.replies.push((caller.end, Message::FetchReply(Box::new(reply))));
            return;
        }
        self.waiting_named += 1;
        let number = self.waiting_named;
        for wanted in &request.partitions {
            if let Some(place) = self.place(wanted.topic) {
                self.partitions[place][wanted.partition as usize].waiters.push(number);
            }
        }
        let deadline = now + request.max_wait;
        self.deadlines.insert((deadline, number), ());
        self.waiting.insert(number, Waiting { caller, request, deadline });
    }

    /// Fills a reply with what is there; its size, and whether a partition could not be read.
    fn collect(&self, request: &FetchRequest, reply: &mut FetchReply) -> (u64, bool) {
        let (mut size, mut failed) = (0, false);
        for wanted in &request.partitions {
            let found = self.place(wanted.topic).and_then(|place| self.partitions[place].get(wanted.partition as usize));
            let mut one = FetchedPartition {
                topic: wanted.topic,
                partition: wanted.partition,
                error: None,
                high_watermark: 0,
                log_start: 0,
                batches: Vec::new(),
            };
            match found {
                None => one.error = Some(BrokerError::UnknownTopicOrPartition),
                Some(state) => {
                    one.high_watermark = state.high_watermark;
                    one.log_start = state.log.log_start();
                    if wanted.offset < state.log.log_start() || wanted.offset > state.log.next_offset() {
                        one.error = Some(BrokerError::OffsetOutOfRange);
                    } else if wanted.offset < state.high_watermark && (size == 0 || size < request.max_bytes) {
                        let limit = wanted.max_bytes.min(request.max_bytes.saturating_sub(size).max(1));
                        size += state.log.read(wanted.offset, state.high_watermark, limit, &mut one.batches);
                    }
                }
            }
            failed |= one.error.is_some();
            if one.error.is_some() || !one.batches.is_empty() {
                reply.partitions.push(one);
            }
        }
        (size, failed)
    }

    fn answer_waiting(&mut self, number: u64, reply: FetchReply, out: &mut Effects) {
        let Some(waiting) = self.waiting.remove(&number) else { return };
        self.deadlines.remove(&(waiting.deadline, number));
        for wanted in &waiting.request.partitions {
            if let Some(place) = self.place(wanted.topic) {
                self.partitions[place][wanted.partition as usize].waiters.retain(|other| *other != number);
            }
        }
        out.replies.push((waiting.caller.end, Message::FetchReply(Box::new(reply))));
    }

    fn group_call(&mut self, now: SimTime, caller: Caller, request: GroupRequest, out: &mut Effects) {
        if let GroupCall::ListOffsets { partitions } = &request.body {
            let bounds = partitions.iter().filter_map(|&(topic, partition)| {
                let state = self.partitions[self.place(topic)?].get(partition as usize)?;
                Some((topic, partition, state.log.log_start(), state.high_watermark))
            });
            let result = Ok(GroupResult::Bounds(bounds.collect()));
            out.replies.push((caller.end, Message::GroupReply(Box::new(GroupReply { call: request.call, result }))));
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
        let polls = self.deadlines.keys().next().map(|(at, _)| *at);
        let groups = self.groups.values().filter_map(Group::next_deadline).min();
        [polls, groups].into_iter().flatten().min()
    }

    /// Answers long polls whose wait is over, ends sessions and rebalances whose time is up.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Effects) {
        while let Some(&(at, number)) = self.deadlines.keys().next()
            && at <= now
        {
            let Some(waiting) = self.waiting.get(&number) else {
                self.deadlines.remove(&(at, number));
                continue;
            };
            let mut reply = FetchReply { call: waiting.request.call, partitions: Vec::new() };
            self.collect(&waiting.request, &mut reply);
            self.answer_waiting(number, reply, out);
        }
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
                if let Some(log_start) = state.log.retain(now) {
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
    /// Generations that a group has begun.
    #[must_use]
    pub fn rebalances(&self, group: GroupIx) -> u64 {
        self.groups.get(&group).map_or(0, Group::rebalances)
    }

    fn place(&self, topic: TopicIx) -> Option<usize> {
        // Topics of one cluster are numbered in a row.
        let first = self.cfg.topics.first()?.topic.0;
        let place = topic.0.checked_sub(first)? as usize;
        (place < self.cfg.topics.len()).then_some(place)
    }
}

impl Partition {
    /// Where this batch stands already, if it does; an error for a gap in the sequence.
    fn known(&self, client: ComponentIx, epoch: u32, batch_seq: u64) -> Result<Option<u64>, BrokerError> {
        let state = self.producers.iter().find(|state| state.client == client);
        let Some(state) = state.filter(|state| epoch <= state.epoch) else {
            // Links lose messages, not connections: a later batch must not open an epoch while its first one is retried.
            return if batch_seq == 0 { Ok(None) } else { Err(BrokerError::OutOfOrderSequence) };
        };
        if epoch < state.epoch {
            return Err(BrokerError::OutOfOrderSequence);
        }
        if let Some((_, offset)) = state.batches.iter().find(|(seq, _)| *seq == batch_seq) {
            return Ok(Some(*offset));
        }
        let expected = state.batches.last().map_or(0, |(seq, _)| seq + 1);
        if batch_seq == expected { Ok(None) } else { Err(BrokerError::OutOfOrderSequence) }
    }
    fn remember(&mut self, client: ComponentIx, epoch: u32, batch_seq: u64, base_offset: u64) {
        let index = match self.producers.iter().position(|state| state.client == client) {
            Some(index) => index,
            None => {
                self.producers.push(ProducerState { client, epoch, batches: Vec::with_capacity(REMEMBERED_BATCHES + 1) });
                self.producers.len() - 1
            }
        };
        let state = &mut self.producers[index];
        if state.epoch != epoch {
            state.epoch = epoch;
            state.batches.clear();
        }
        state.batches.push((batch_seq, base_offset));
        if state.batches.len() > REMEMBERED_BATCHES {
            state.batches.remove(0);
        }
    }
}

fn send_answers(answers: Answers<Caller>, out: &mut Effects) {
    for (caller, reply) in answers {
        out.replies.push((caller.end, Message::GroupReply(Box::new(reply))));
    }
}
