//! Fetches: reading what is there, and long polls that wait for it.
//!
//! A fetch is answered once `fetch.min.bytes` are below the high watermarks of its partitions, once
//! `fetch.max.wait.ms` has passed, or at once when a partition cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster::{Caller, Cluster, Effects};
use super::log::ReadLimit;
use super::nodes::NodeState;
use super::partition::Partition;
use crate::event::{BrokerError, Fact, FetchPartition, FetchReply, FetchRequest, FetchedPartition, Isolation, Message, StaleRead};
use crate::units::SimTime;

/// Long polls waiting at once; a further one is answered empty at once.
const WAITING_MAX: usize = 100_000;

/// A fetch that waits for records.
#[derive(Clone, Debug)]
struct LongPoll {
    caller: Caller,
    request: FetchRequest,
    deadline: SimTime,
    /// Size of what is there for it; exact reads are made only when this is enough.
    bytes: u64,
}

/// Fetches that wait, by number; partitions hold the numbers of those that wait for them.
#[derive(Clone, Debug, Default)]
pub(super) struct LongPolls {
    waiting: BTreeMap<u64, LongPoll>,
    named: u64,
    deadlines: BTreeSet<(SimTime, u64)>,
}

impl LongPolls {
    /// When the first of them has waited long enough.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.deadlines.first().map(|(at, _)| *at)
    }
}

impl Cluster {
    /// Answers with what is there, or lets the request wait.
    pub(super) fn fetch(&mut self, now: SimTime, caller: Caller, mut request: FetchRequest, out: &mut Effects) {
        let mut reply = FetchReply { call: request.call, partitions: self.take_forbidden(caller, &mut request) };
        let (size, failed) = self.collect(&request, &mut reply);
        let error = failed || !reply.partitions.iter().all(|one| one.error.is_none());
        let full = size >= request.min_bytes && size > 0;
        let waits = !(full || error || request.max_wait.is_zero() || self.polls.waiting.len() >= WAITING_MAX);
        if !waits {
            self.note_stale(caller, &request, out);
            out.replies.push((caller, Message::FetchReply(Box::new(reply))));
            return;
        }
        self.polls.named += 1;
        let number = self.polls.named;
        for wanted in &request.partitions {
            if let Some(place) = self.place(wanted.topic) {
                self.partitions[place][wanted.partition as usize].waiters.push(number);
            }
        }
        let deadline = now + request.max_wait;
        self.polls.deadlines.insert((deadline, number));
        self.polls.waiting.insert(number, LongPoll { caller, request, deadline, bytes: size });
    }

    /// More bytes of a partition have come below its high watermark: answers those who have waited for them.
    pub(super) fn wake(&mut self, place: usize, partition: u32, bytes: u64, out: &mut Effects) {
        for number in std::mem::take(&mut self.partitions[place][partition as usize].waiters) {
            let Some(poll) = self.polls.waiting.get_mut(&number) else { continue };
            poll.bytes += bytes;
            if poll.bytes >= poll.request.min_bytes {
                let poll = &self.polls.waiting[&number];
                let mut reply = FetchReply { call: poll.request.call, partitions: Vec::new() };
                let (size, error) = self.collect(&poll.request, &mut reply);
                if size >= poll.request.min_bytes || error {
                    self.answer(number, reply, out);
                    continue;
                }
            }
            self.partitions[place][partition as usize].waiters.push(number);
        }
    }

    /// Answers long polls whose wait is over.
    pub(super) fn end_polls(&mut self, now: SimTime, out: &mut Effects) {
        while let Some(&(at, number)) = self.polls.deadlines.first()
            && at <= now
        {
            // Invariant: a deadline goes with its poll.
            let poll = &self.polls.waiting[&number];
            if self.nodes[poll.request.node as usize].state == NodeState::Paused {
                self.polls.deadlines.remove(&(at, number));
                continue;
            }
            let mut reply = FetchReply { call: poll.request.call, partitions: Vec::new() };
            self.collect(&poll.request, &mut reply);
            self.answer(number, reply, out);
        }
    }

    /// Fills a reply with what is there; its size, and whether a partition could not be read.
    fn collect(&self, request: &FetchRequest, reply: &mut FetchReply) -> (u64, bool) {
        let (mut size, mut failed) = (0, false);
        for wanted in &request.partitions {
            let found = self.place(wanted.topic).and_then(|place| self.partitions[place].get(wanted.partition as usize));
            let mut one = FetchedPartition::empty(wanted.topic, wanted.partition);
            match found {
                None => one.error = Some(BrokerError::UnknownTopicOrPartition),
                Some(state) => {
                    let readable = readable_to(state, request);
                    one.preferred_replica = self.nearer_replica(state, request, wanted.offset);
                    one.high_watermark = readable.unwrap_or(0);
                    let committed_only = request.isolation == Isolation::Committed;
                    let below = if committed_only { state.transactions.last_stable(one.high_watermark) } else { one.high_watermark };
                    one.log_start = state.log.log_start();
                    if readable.is_none() {
                        one.error = Some(BrokerError::NotLeaderOrFollower);
                    } else if wanted.offset < state.log.log_start() || wanted.offset > state.log.next_offset() {
                        one.error = Some(BrokerError::OffsetOutOfRange);
                    } else if one.preferred_replica.is_none() && wanted.offset < below {
                        let limit = ReadLimit {
                            below,
                            max_bytes: wanted.max_bytes.min(request.max_bytes.saturating_sub(size)),
                            at_least_one: size == 0,
                        };
                        size += state.log.read(wanted.offset, limit, &mut one.batches);
                        if !state.rotten.is_empty() {
                            state.spoil(request.node, &mut one.batches);
                        }
                        if let Some(last) = one.batches.last().filter(|_| committed_only) {
                            one.aborted = state.transactions.aborted_in(wanted.offset..last.next_offset());
                        }
                    }
                }
            }
            let is_sent_away = one.error.is_some() || one.preferred_replica.is_some();
            failed |= is_sent_away;
            if is_sent_away || !one.batches.is_empty() {
                reply.partitions.push(one);
            }
        }
        (size, failed)
    }

    /// Tells of the partitions asked for that a node answers with less than what was acknowledged before: it led them,
    /// others have a new leader, and it does not know.
    fn note_stale(&mut self, caller: Caller, request: &FetchRequest, out: &mut Effects) {
        let stale = |wanted: &FetchPartition| {
            let state = self.partitions[self.place(wanted.topic)?].get(wanted.partition as usize)?;
            let knows_to = state.replicas.of(request.node)?.deposed?.high_watermark;
            let lacks = wanted.offset.max(knows_to);
            let (topic, partition) = (wanted.topic, wanted.partition);
            let read = StaleRead { reader: caller.client, node: request.node, topic, partition, lacks };
            (lacks < state.high_watermark).then(|| Fact::StaleRead(Box::new(read)))
        };
        let told = out.facts.len();
        out.facts.extend(request.partitions.iter().filter_map(stale));
        self.stale_reads += (out.facts.len() - told) as u64;
    }

    /// The replica in the reader's rack that has what it asks for, if the leader is in another (`RackAwareReplicaSelector`):
    /// the one with most of the log.
    fn nearer_replica(&self, partition: &Partition, request: &FetchRequest, offset: u64) -> Option<u32> {
        let (rack, leader) = (request.rack.as_ref()?, partition.replicas.leader?);
        if leader != request.node || self.rack_of(leader) == Some(rack) {
            return None;
        }
        let near = partition.replicas.list.iter().filter(|replica| {
            let has_it = replica.agrees_to >= offset && offset >= partition.log.log_start();
            has_it && partition.replicas.is_in_sync(replica.node) && self.rack_of(replica.node) == Some(rack)
        });
        near.max_by_key(|replica| (replica.agrees_to, std::cmp::Reverse(replica.node))).map(|replica| replica.node)
    }

    /// Answers at once those who wait for a partition that cannot be read where they wait any more.
    pub(super) fn end_misplaced(&mut self, (place, partition): (usize, u32), out: &mut Effects) {
        let waiters = self.partitions[place][partition as usize].waiters.clone();
        for number in waiters {
            let Some(poll) = self.polls.waiting.get(&number) else { continue };
            let mut reply = FetchReply { call: poll.request.call, partitions: Vec::new() };
            if self.collect(&poll.request, &mut reply).1 {
                self.answer(number, reply, out);
            }
        }
    }

    /// Forgets the long polls at a node, and gives their requests back; or brings those of a resumed node to an end.
    pub(super) fn take_polls(&mut self, node: u32) -> Vec<(Caller, Message)> {
        let here: Vec<u64> = self.polls.waiting.iter().filter(|(_, poll)| poll.request.node == node).map(|(number, _)| *number).collect();
        let mut requests = Vec::with_capacity(here.len());
        for number in here {
            if let Some(poll) = self.forget(number) {
                requests.push((poll.caller, Message::Fetch(Box::new(poll.request))));
            }
        }
        requests
    }

    fn answer(&mut self, number: u64, reply: FetchReply, out: &mut Effects) {
        if let Some(poll) = self.forget(number) {
            self.note_stale(poll.caller, &poll.request, out);
            out.replies.push((poll.caller, Message::FetchReply(Box::new(reply))));
        }
    }

    fn forget(&mut self, number: u64) -> Option<LongPoll> {
        let poll = self.polls.waiting.remove(&number)?;
        self.polls.deadlines.remove(&(poll.deadline, number));
        for wanted in &poll.request.partitions {
            if let Some(place) = self.place(wanted.topic) {
                self.partitions[place][wanted.partition as usize].waiters.retain(|other| *other != number);
            }
        }
        Some(poll)
    }
}

/// What a node gives readers of a partition: all below the high watermark as far as it knows. One that neither leads nor
/// believes to gives something only to a reader with a rack, as far as its own log goes.
fn readable_to(partition: &Partition, request: &FetchRequest) -> Option<u64> {
    if partition.replicas.leader == Some(request.node) {
        return Some(partition.high_watermark);
    }
    let replica = partition.replicas.of(request.node)?;
    if let Some(deposed) = replica.deposed {
        return Some(deposed.high_watermark.min(partition.high_watermark));
    }
    let follows = request.rack.is_some() && partition.replicas.is_in_sync(request.node);
    follows.then(|| replica.agrees_to.min(partition.high_watermark))
}
