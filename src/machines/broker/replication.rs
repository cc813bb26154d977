//! How followers come by what leaders append, and what that moves: the high watermark, the ISR, waiting producers.
//!
//! While all nodes of a partition are well its followers fetch in lockstep: one [`Replicate`] stands for all of them.
//! Otherwise each has its own, and only those that can reach the leader. How long a fetch takes is the caller's affair;
//! followers in lockstep count as in sync however long that is.
//! Start at [`Cluster::spread`] and [`Cluster::replicated`].

use super::cluster::{Cluster, Effects};
use super::known_bad::KnownBad;
use super::log::ReadLimit;
use super::partition::Partition;
use super::replicas::Replica;
use crate::event::{Acks, BrokerError, Message, StoredBatch};
use crate::units::SimTime;

/// `replica.fetch.max.bytes`: most bytes of a partition that one fetch of a follower brings.
const FETCH_BYTES_MAX: u64 = 1 << 20;

/// Records up to an offset that followers have yet to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicate {
    /// Topic, by its place in the cluster.
    pub topic: usize,
    /// Partition.
    pub partition: u32,
    /// Which node fetches; none for all followers together.
    pub follower: Option<u32>,
    /// Offset after the last record.
    pub up_to: u64,
    /// Size of what is new.
    pub bytes: u64,
    /// When the leader had it.
    pub asked: SimTime,
    /// Void once the partition's session has changed.
    pub session: u32,
    /// A reassignment's throttle: what comes to the follower, and what leaves the leader, in bytes a second.
    pub throttle_per_s: Option<u64>,
}

impl Cluster {
    /// A batch stands at the leader: followers must fetch it.
    pub(super) fn spread(
        &mut self,
        now: SimTime,
        (topic, partition): (usize, u32),
        base_offset: u64,
        bytes: u64,
        acks: Acks,
        out: &mut Effects,
    ) {
        let state = &mut self.partitions[topic][partition as usize];
        let up_to = state.log.next_offset();
        if state.replicas.is_single() {
            return self.advance((topic, partition), up_to, bytes, out);
        }
        let replicas = &mut state.replicas;
        if acks == Acks::All {
            replicas.unacknowledged.push_back(base_offset);
        }
        let session = replicas.session;
        let fetch = Replicate { topic, partition, follower: None, up_to, bytes, asked: now, session, throttle_per_s: None };
        if replicas.lockstep {
            out.replicate.push(fetch);
            return;
        }
        let leader = replicas.leader;
        for replica in replicas.list.iter_mut().filter(|replica| Some(replica.node) != leader) {
            if replica.agrees_to == base_offset {
                replica.caught_up_at = now;
            }
            // One that is further behind asks for the next part when it has the last.
            if replica.asked_to == base_offset && reaches(&self.nodes, leader, replica.node) {
                replica.asked_to = up_to;
                out.replicate.push(Replicate { follower: Some(replica.node), ..fetch });
            }
        }
        self.advance_in_sync((topic, partition), out);
    }

    /// A fetch of followers is over: the high watermark moves, producers are answered, readers woken.
    pub fn replicated(&mut self, now: SimTime, done: Replicate, out: &mut Effects) {
        let at = (done.topic, done.partition);
        let state = &mut self.partitions[done.topic][done.partition as usize];
        if done.session != state.replicas.session {
            return;
        }
        match done.follower {
            None => {
                for replica in &mut state.replicas.list {
                    replica.agrees_to = done.up_to;
                }
                self.advance(at, done.up_to, done.bytes, out);
            }
            Some(node) => self.caught_up(now, at, node, done, out),
        }
        self.answer_acknowledged(out);
        if self.transactions.is_ending() {
            self.settle_transactions(now, out);
        }
        if self.partitions[done.topic][done.partition as usize].replicas.handing_over.is_some() {
            self.hand_over(now, at, out);
        }
        if self.partitions[done.topic][done.partition as usize].reassigning.is_some() {
            self.advance_reassignment(now, at, out);
        }
    }

    /// One follower has more than before; it may belong to the ISR again, or keep step again.
    fn caught_up(&mut self, now: SimTime, (topic, partition): (usize, u32), node: u32, done: Replicate, out: &mut Effects) {
        let state = &mut self.partitions[topic][partition as usize];
        if state.reassigning.as_ref().is_some_and(|moving| moving.adds(node)) {
            self.reassignment.bytes += done.bytes;
        }
        let (end, high_watermark) = (state.log.next_offset(), state.high_watermark);
        let has = state.replicas.of(node).map_or(done.up_to, |replica| replica.agrees_to);
        let up_to = state.sound_to(has, done.up_to);
        let replicas = &mut state.replicas;
        let epoch_start = replicas.epoch_start();
        let Some(replica) = replicas.of_mut(node) else { return };
        replica.agrees_to = replica.agrees_to.max(up_to);
        let position = replica.agrees_to;
        replica.caught_up_at = if position == end { now } else { replica.caught_up_at.max(done.asked) };
        let joins = !self.quorum_lost && !replicas.is_in_sync(node);
        if joins && position >= high_watermark && position >= epoch_start {
            replicas.join_isr(node);
        }
        let leader = replicas.leader;
        let keeps_step = |replica: &Replica| {
            self.nodes[replica.node as usize].keeps_step() && (Some(replica.node) == leader || replica.agrees_to == end)
        };
        // Once in lockstep, only a disturbance ends it.
        replicas.lockstep |= replicas.in_sync.len() == replicas.list.len() && replicas.list.iter().all(keeps_step);
        let asks_on = |replica: &&Replica| replica.node == node && position < end && replica.asked_to == position;
        if !replicas.lockstep && replicas.list.iter().any(|replica| asks_on(&replica)) {
            let next = state.next_fetch((topic, partition), node, now);
            out.replicate.push(next);
        }
        self.advance_in_sync((topic, partition), out);
    }

    /// The high watermark follows the slowest replica in sync.
    pub(super) fn advance_in_sync(&mut self, at: (usize, u32), out: &mut Effects) {
        let state = &self.partitions[at.0][at.1 as usize];
        let Some(leader) = state.replicas.leader else { return };
        // A leader that its controller does not hear cannot move the ISR or the high watermark.
        if !self.nodes[leader as usize].has_session() && state.replicas.in_sync.len() > 1 {
            return;
        }
        let in_sync_to = if self.errs(KnownBad::TrustsTheLeaderAlone) { state.log.next_offset() } else { state.in_sync_to() };
        let (from, up_to) = (state.high_watermark, in_sync_to);
        if up_to > from {
            let bytes = state.log.bytes_between(from, up_to);
            self.advance(at, up_to, bytes, out);
        }
    }

    fn advance(&mut self, (topic, partition): (usize, u32), up_to: u64, bytes: u64, out: &mut Effects) {
        let state = &mut self.partitions[topic][partition as usize];
        if up_to > state.high_watermark {
            state.high_watermark = up_to;
            state.transactions.advanced(up_to);
            let unacknowledged = &mut state.replicas.unacknowledged;
            while unacknowledged.pop_front_if(|base_offset| *base_offset < up_to).is_some() {}
            self.wake(topic, partition, bytes, out);
        }
    }

    /// Answers acks=all requests whose batches every replica in sync has.
    pub(super) fn answer_acknowledged(&mut self, out: &mut Effects) {
        let partitions = &self.partitions;
        // Only the node that leads can know: one that paused over an election finds out when it goes on.
        let met = |node: u32, need: &(usize, u32, u64)| {
            let partition = &partitions[need.0][need.1 as usize];
            partition.replicas.leader == Some(node) && partition.high_watermark >= need.2
        };
        let min_in_sync = self.cfg.min_insync_replicas as usize;
        let mut index = 0;
        while index < self.unacked.len() {
            let waiting = &self.unacked[index];
            if waiting.needs.iter().all(|need| met(waiting.node, need)) {
                // Order of answers is the order of requests: no swap_remove.
                let mut unacked = self.unacked.remove(index);
                for (topic, partition, _) in std::mem::take(&mut unacked.needs) {
                    if partitions[topic][partition as usize].replicas.in_sync.len() < min_in_sync {
                        let topic = self.cfg.topics[topic].topic;
                        unacked.fail((topic, partition), BrokerError::NotEnoughReplicasAfterAppend);
                    }
                }
                out.replies.push((unacked.caller, Message::ProduceReply(Box::new(unacked.reply))));
            } else {
                index += 1;
            }
        }
    }

    /// Something has happened to a node of a partition: fetches under way are void, and begin again where they can.
    pub(super) fn disturb(&mut self, now: SimTime, (topic, partition): (usize, u32), out: &mut Effects) {
        let state = &mut self.partitions[topic][partition as usize];
        if state.replicas.is_single() {
            return;
        }
        let end = state.log.next_offset();
        let replicas = &mut state.replicas;
        replicas.session += 1;
        let Some(leader) = replicas.leader else {
            replicas.lockstep = false;
            return;
        };
        let followers = || replicas.list.iter().filter(|replica| replica.node != leader);
        let first = followers().next().map_or(end, |replica| replica.agrees_to);
        let together = followers().all(|replica| replica.agrees_to == first) && replicas.in_sync.len() == replicas.list.len();
        let lockstep = together && replicas.list.iter().all(|replica| self.nodes[replica.node as usize].keeps_step());
        let behind = followers().filter(|replica| replica.agrees_to < end || !replicas.is_in_sync(replica.node));
        let able = behind.filter(|replica| reaches(&self.nodes, Some(leader), replica.node));
        let able: Vec<u32> = able.map(|replica| replica.node).collect();
        replicas.lockstep = lockstep;
        if lockstep {
            let (bytes, session) = (state.log.bytes_between(first, end), replicas.session);
            let together = Replicate { topic, partition, follower: None, up_to: end, bytes, asked: now, session, throttle_per_s: None };
            out.replicate.extend((first < end).then_some(together));
        } else {
            for replica in &mut replicas.list {
                replica.asked_to = replica.agrees_to;
                if replica.agrees_to == end {
                    replica.caught_up_at = now;
                }
            }
            for node in able {
                let next = state.next_fetch((topic, partition), node, now);
                out.replicate.push(next);
            }
            self.expect_isr_check(now);
        }
        self.advance_in_sync((topic, partition), out);
        self.answer_acknowledged(out);
    }

    /// `replica.lag.time.max.ms`: a follower that has not had all of its leader's log for so long leaves the ISR.
    pub(super) fn check_isr(&mut self, now: SimTime, out: &mut Effects) {
        let mut again = false;
        for topic in 0..self.partitions.len() {
            for partition in 0..self.partitions[topic].len() {
                let state = &mut self.partitions[topic][partition];
                let end = state.log.next_offset();
                let replicas = &mut state.replicas;
                if replicas.is_single() || replicas.lockstep {
                    continue;
                }
                again = true;
                let Some(leader) = replicas.leader.filter(|leader| self.nodes[*leader as usize].has_session()) else { continue };
                let lags = |replica: &&Replica| {
                    !self.quorum_lost
                        && replica.node != leader
                        && replica.agrees_to < end
                        && replica.caught_up_at + self.cfg.replica_lag_max < now
                };
                let lagging: Vec<u32> = replicas.list.iter().filter(lags).map(|replica| replica.node).collect();
                for node in lagging {
                    replicas.leave_isr(node);
                }
                self.advance_in_sync((topic, partition as u32), out);
            }
        }
        self.answer_acknowledged(out);
        self.isr_check_at = None;
        if again {
            self.expect_isr_check(now);
        }
    }

    fn expect_isr_check(&mut self, now: SimTime) {
        // Kafka's `isr-expiration` task runs twice in each span.
        let half = crate::units::SimDuration::from_ns(self.cfg.replica_lag_max.as_ns() / 2 + 1);
        self.isr_check_at.get_or_insert(now + half);
    }
}

impl Partition {
    /// What a follower fetches next: from where its log ends, as much as one fetch brings.
    fn next_fetch(&mut self, (topic, partition): (usize, u32), node: u32, now: SimTime) -> Replicate {
        let end = self.log.next_offset();
        let throttle_per_s = self.reassigning.as_ref().filter(|moving| moving.adds(node)).and_then(|moving| moving.throttle_per_s);
        let from = self.replicas.of(node).map_or(end, |replica| replica.agrees_to).max(self.log.log_start());
        let mut batches = Vec::new();
        let bytes = self.log.read(from, ReadLimit { below: end, max_bytes: FETCH_BYTES_MAX, at_least_one: true }, &mut batches);
        let up_to = batches.last().map_or(end, StoredBatch::next_offset);
        if let Some(replica) = self.replicas.of_mut(node) {
            replica.asked_to = up_to;
        }
        let session = self.replicas.session;
        Replicate { topic, partition, follower: Some(node), up_to, bytes, asked: now, session, throttle_per_s }
    }
}

fn reaches(nodes: &[super::nodes::Node], leader: Option<u32>, follower: u32) -> bool {
    leader.is_some_and(|leader| nodes[leader as usize].may_follow() || nodes[leader as usize].leaving)
        && nodes[follower as usize].may_follow()
}
