//! What faults of nodes do: sessions, fencing, elections, truncation, the return of a node.
//!
//! ```text
//! crash, pause, isolation ─ session over ─► fenced: out of every ISR ─► election ─► the log is cut to the new leader's
//! return ─► truncated to the leader's log ─► fetches ─► in the ISR again ─ imbalance check ─► preferred leader
//! ```
//!
//! Source: Kafka's ReplicationControlManager and Partition as the digest in `semantics/broker.md` reads them. What the
//! loss of the controller's quorum stops is in `quorum.rs`. Start at [`Cluster::fault`].

use super::cluster::{Cluster, Effects, send_answers};
use super::known_bad::KnownBad;
use super::nodes::{NodeFault, NodeState};
use super::partition::Partition;
use super::produce::Unacked;
use super::replicas::Deposed;
use crate::event::{
    Appended, BrokerError, Fact, FetchReply, FetchedPartition, GroupReply, Message, MetadataReply, ProduceReply, ProduceResult, Reason,
    StoredBatch, TransactionReply, Truncated,
};
use crate::units::SimTime;

impl Cluster {
    /// Whether a node answers.
    #[must_use]
    pub fn node_state(&self, node: u32) -> NodeState {
        self.nodes[node as usize].state
    }

    pub(super) fn serves(&self, node: u32) -> bool {
        self.nodes[node as usize].state == NodeState::Up
    }

    /// Something happens to a node.
    ///
    /// # Errors
    /// In words, when it cannot happen to the node as it is.
    pub fn fault(&mut self, now: SimTime, node: u32, fault: NodeFault, out: &mut Effects) -> Result<(), String> {
        let state = self.nodes.get(node as usize).ok_or_else(|| format!("there is no node {node}"))?.state;
        match (fault, state) {
            (NodeFault::Crash { .. } | NodeFault::ShutDown, NodeState::Down) => return Err(format!("node {node} is down already")),
            (NodeFault::Restart, NodeState::Up | NodeState::Paused) => return Err(format!("node {node} is not down")),
            (NodeFault::Pause | NodeFault::ShutDown, NodeState::Down | NodeState::Paused) => {
                return Err(format!("node {node} does not run"));
            }
            (NodeFault::Crash { disk_lost, silent }, _) => self.crash(now, node, disk_lost, silent, out),
            (NodeFault::Restart, _) => self.restart(now, node, out),
            (NodeFault::ShutDown, _) => self.shut_down(now, node, out),
            (NodeFault::Pause, _) => {
                self.nodes[node as usize].state = NodeState::Paused;
                self.silence(now, node, "stopped answering", out);
            }
            (NodeFault::Resume, NodeState::Paused) => self.resume(now, node, out),
            (NodeFault::Resume, _) => {}
            (NodeFault::Isolate, _) => {
                self.nodes[node as usize].isolated = true;
                self.silence(now, node, "was cut off", out);
            }
            (NodeFault::Rejoin, _) => {
                self.nodes[node as usize].isolated = false;
                self.reach_again(now, node, out);
            }
            (NodeFault::Slow(slow), _) => {
                self.nodes[node as usize].slow = slow;
                self.disturb_all(now, node, out);
            }
            (NodeFault::FillDisk, _) => {
                self.nodes[node as usize].disk_full = true;
                self.nodes[node as usize].last_trouble = "ran out of disk space";
                if self.has_quorum() {
                    self.take_leadership(now, node, out);
                } else {
                    self.disturb_all(now, node, out);
                }
            }
            (NodeFault::FreeDisk, _) => {
                self.nodes[node as usize].disk_full = false;
                self.reach_again(now, node, out);
            }
        }
        Ok(())
    }

    fn crash(&mut self, now: SimTime, node: u32, disk_lost: bool, silent: bool, out: &mut Effects) {
        self.nodes[node as usize].state = NodeState::Down;
        if disk_lost {
            for at in self.partitions_of(node) {
                self.partitions[at.0][at.1 as usize].wipe(node);
            }
        }
        self.break_connections(node, silent, out);
        self.silence(now, node, if disk_lost { "crashed with its disk" } else { "crashed" }, out);
    }

    /// The connections of a node break: clients learn it at once, unless its machine vanished from the network too.
    fn break_connections(&mut self, node: u32, silent: bool, out: &mut Effects) {
        let mut broken = Effects::default();
        self.fail_unacked(BrokerError::BrokerNotAvailable, |_, unacked| unacked.node == node, &mut broken);
        let polls = self.take_polls(node);
        broken.replies.extend(polls.iter().filter_map(|(caller, request)| Some((*caller, refusal(request)?))));
        let mut answers = Vec::new();
        for coordinated in self.groups.values_mut().filter(|coordinated| coordinated.node == node) {
            coordinated.group.disconnect(&mut answers);
        }
        send_answers(answers, &mut broken);
        if !silent {
            out.replies.append(&mut broken.replies);
        }
    }

    /// The controller no longer hears a node: its session runs out.
    fn silence(&mut self, now: SimTime, node: u32, trouble: &'static str, out: &mut Effects) {
        let ends = now + self.cfg.session_timeout;
        let state = &mut self.nodes[node as usize];
        state.leaving = false;
        state.last_trouble = trouble;
        if !state.fenced {
            state.session_ends.get_or_insert(ends);
        }
        self.disturb_all(now, node, out);
    }

    pub(super) fn restart(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        if self.nodes[node as usize].session_ends.is_some() || self.quorum_lost {
            // The controller refuses a second registration while the first one's session lasts.
            self.nodes[node as usize].returns = true;
        } else {
            self.nodes[node as usize].state = NodeState::Up;
            self.reach_again(now, node, out);
        }
    }

    fn resume(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        self.nodes[node as usize].state = NodeState::Up;
        self.reach_again(now, node, out);
        for (caller, request) in self.take_polls(node) {
            self.handle(now, caller, request, out);
        }
    }

    /// A node can reach the others again, if nothing else is the matter with it.
    pub(super) fn reach_again(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        let state = &mut self.nodes[node as usize];
        let registers = state.fenced && self.quorum_lost;
        if !state.has_session() || state.disk_full || registers {
            return;
        }
        let was_away = std::mem::take(&mut state.fenced) || state.session_ends.is_none();
        (state.session_ends, state.returns) = (None, false);
        for at in self.partitions_of(node) {
            let partition = &mut self.partitions[at.0][at.1 as usize];
            if partition.replicas.leader.is_none() && self.has_quorum() {
                self.elect(now, at, out);
            }
            let partition = &mut self.partitions[at.0][at.1 as usize];
            let leads = partition.replicas.leader.is_none_or(|leader| leader == node);
            if was_away && !leads {
                partition.rejoin(node);
            }
            self.disturb(now, at, out);
            self.end_misplaced(at, out);
        }
        self.fail_misplaced(node, out);
        self.move_groups(now, out);
    }

    /// A controlled shutdown: nothing more is appended at the node, and others take over as soon as they have all of it.
    pub(super) fn shut_down(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        let patience = now + self.cfg.session_timeout;
        let state = &mut self.nodes[node as usize];
        (state.leaving, state.last_trouble) = (true, "was shut down");
        state.session_ends.get_or_insert(patience);
        if self.quorum_lost {
            // It waits for the controller's word.
            return;
        }
        for at in self.partitions_of(node) {
            self.disturb(now, at, out);
            if self.partitions[at.0][at.1 as usize].replicas.leader == Some(node)
                && let Some(other) = self.successor(at, node)
            {
                self.begin_hand_over(now, at, other, out);
            }
        }
        self.leave_if_done(now, node, out);
    }

    fn successor(&self, at: (usize, u32), node: u32) -> Option<u32> {
        let replicas = &self.partitions[at.0][at.1 as usize].replicas;
        replicas.candidate(&self.nodes, false).filter(|other| *other != node)
    }

    pub(super) fn begin_hand_over(&mut self, now: SimTime, at: (usize, u32), to: u32, out: &mut Effects) {
        self.partitions[at.0][at.1 as usize].replicas.handing_over = Some(to);
        self.hand_over(now, at, out);
    }

    /// The chosen successor leads once it has everything.
    pub(super) fn hand_over(&mut self, now: SimTime, at: (usize, u32), out: &mut Effects) {
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let (Some(from), Some(to)) = (partition.replicas.leader, partition.replicas.handing_over) else { return };
        if !self.nodes[to as usize].may_lead() || !partition.replicas.is_in_sync(to) {
            partition.replicas.handing_over = None;
        } else if partition.replicas.of(to).is_some_and(|replica| replica.agrees_to == partition.log.next_offset()) {
            self.install(now, at, to, out);
        }
        self.leave_if_done(now, from, out);
    }

    fn leave_if_done(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        let waits = |at: &(usize, u32)| {
            let replicas = &self.partitions[at.0][at.1 as usize].replicas;
            replicas.leader == Some(node) && replicas.handing_over.is_some()
        };
        if self.nodes[node as usize].leaving && !self.partitions_of(node).iter().any(waits) {
            self.leave(now, node, out);
        }
    }

    fn leave(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        let state = &mut self.nodes[node as usize];
        (state.state, state.leaving, state.session_ends) = (NodeState::Down, false, None);
        self.break_connections(node, false, out);
        self.fence(now, node, out);
    }

    fn fence(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        self.nodes[node as usize].fenced = true;
        self.take_leadership(now, node, out);
        self.move_groups(now, out);
    }

    /// A node leaves every ISR, and what it leads gets another leader where there is one.
    pub(super) fn take_leadership(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        for at in self.partitions_of(node) {
            let partition = &mut self.partitions[at.0][at.1 as usize];
            partition.replicas.leave_isr(node);
            if partition.replicas.handing_over == Some(node) {
                partition.replicas.handing_over = None;
            }
            if partition.replicas.leader == Some(node) {
                self.depose(now, at, node, out);
            }
            self.disturb(now, at, out);
        }
    }

    fn depose(&mut self, now: SimTime, at: (usize, u32), node: u32, out: &mut Effects) {
        let cut_off = self.nodes[node as usize].isolated && self.nodes[node as usize].state != NodeState::Down;
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let candidate = partition.replicas.candidate(&self.nodes, self.cfg.unclean_election);
        if cut_off {
            if candidate.is_none() {
                // Nobody takes over: the node goes on for the clients that reach it, and keeps what it takes.
                return;
            }
            let believed = Deposed { high_watermark: partition.high_watermark, next_offset: partition.log.next_offset() };
            if let Some(replica) = partition.replicas.of_mut(node) {
                replica.deposed = Some(believed);
            }
        }
        partition.step_down();
        match candidate {
            Some(candidate) => self.install(now, at, candidate, out),
            None => self.end_misplaced(at, out),
        }
    }

    /// A partition without a leader gets one, if any of its replicas may lead.
    pub(super) fn elect(&mut self, now: SimTime, at: (usize, u32), out: &mut Effects) {
        let replicas = &self.partitions[at.0][at.1 as usize].replicas;
        if let Some(node) = replicas.candidate(&self.nodes, self.cfg.unclean_election) {
            self.install(now, at, node, out);
        }
    }

    /// Makes a node the leader of a partition. What it has not is gone.
    fn install(&mut self, now: SimTime, at: (usize, u32), node: u32, out: &mut Effects) {
        let topic = self.cfg.topics[at.0].topic;
        let keeps_the_epoch = self.errs(KnownBad::KeepsTheEpoch);
        let trusts_the_leader = self.errs(KnownBad::TrustsTheLeaderAlone);
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let replicas = &partition.replicas;
        let (old, clean) = (replicas.last_leader, replicas.is_in_sync(node));
        self.elections += 1;
        self.unclean_elections += u64::from(!clean);
        let wiped = replicas.of(node).is_some_and(|replica| replica.wiped);
        let told_nobody: Vec<u64> = replicas.unacknowledged.iter().copied().collect();
        let memory_before = partition.log.memory_bytes();
        let acknowledged_to = partition.high_watermark;
        let (cut, back) = partition.take_over(now, node);
        partition.replicas.epoch -= u32::from(keeps_the_epoch);
        // Invariant: what every replica in sync has survives an election among them.
        debug_assert!(
            !clean || wiped || trusts_the_leader || partition.high_watermark == acknowledged_to,
            "a clean election keeps all below the high watermark"
        );
        self.log_memory_bytes = self.log_memory_bytes + partition.log.memory_bytes() - memory_before;
        if !clean {
            partition.replicas.in_sync = vec![node];
        }
        if let Some(from) = cut.first().map(|stored| stored.base_offset) {
            partition.forget_from(from, clean && !wiped);
            let detail = match (clean, wiped) {
                (_, true) => format!("node {node} leads with an empty disk"),
                (true, false) => format!("node {old} {} before node {node} had it", self.nodes[old as usize].last_trouble),
                (false, false) => format!("unclean election: node {node} leads, which was not in sync with node {old}"),
            };
            let reason = Reason { code: "truncated", detail: Some(detail.into()) };
            let unacknowledged = told_nobody.into_iter().filter(|base_offset| *base_offset >= from).collect();
            let truncated = Truncated { cluster: self.cfg.me, topic, partition: at.1, from, unacknowledged, reason };
            out.facts.push(Fact::Truncated(Box::new(truncated)));
        }
        if let Some(first) = cut.first().or(back.first()) {
            self.recall_transactions(at, first.base_offset);
        }
        out.facts.extend(back.into_iter().map(|stored| self.back_in_the_log(at, stored)));
        let others: Vec<u32> = self.partitions[at.0][at.1 as usize].replicas.list.iter().map(|replica| replica.node).collect();
        for other in others.into_iter().filter(|other| *other != node && self.nodes[*other as usize].may_follow()) {
            self.partitions[at.0][at.1 as usize].rejoin(other);
        }
        self.expect_imbalance_check(now, at);
        self.disturb(now, at, out);
        self.end_misplaced(at, out);
        self.fail_misplaced(old, out);
    }

    /// A batch that an earlier election had cut, and this one brings back.
    fn back_in_the_log(&self, at: (usize, u32), stored: StoredBatch) -> Fact {
        let topic = self.cfg.topics[at.0].topic;
        let (base_offset, batch) = (stored.base_offset, stored.batch);
        let (cluster, partition) = (self.cfg.me, at.1);
        Fact::Appended(Box::new(Appended { cluster, topic, partition, base_offset, client: cluster, attempt: 2, batch }))
    }

    /// acks=all requests at a node that no longer leads what they wait for.
    fn fail_misplaced(&mut self, node: u32, out: &mut Effects) {
        if self.nodes[node as usize].state != NodeState::Up {
            return;
        }
        let leads = |partitions: &[Vec<Partition>], need: &(usize, u32, u64)| {
            partitions[need.0][need.1 as usize].replicas.leader == Some(node) || need.2 == u64::MAX
        };
        let is_misplaced =
            |partitions: &[Vec<Partition>], one: &Unacked| one.node == node && !one.needs.iter().all(|need| leads(partitions, need));
        self.fail_unacked(BrokerError::NotLeaderOrFollower, is_misplaced, out);
    }

    /// Groups and transactions whose coordinator is gone go on at the next node, from the log that holds their state.
    pub(super) fn move_groups(&mut self, now: SimTime, out: &mut Effects) {
        if self.quorum_lost {
            return;
        }
        self.move_transactions();
        let count = self.cfg.nodes.max(1);
        let mut answers = Vec::new();
        for (group, coordinated) in &mut self.groups {
            if self.nodes[coordinated.node as usize].may_lead() {
                continue;
            }
            let next = (0..count).map(|step| (group.0 + step) % count).find(|node| self.nodes[*node as usize].may_lead());
            if let Some(next) = next.filter(|next| *next != coordinated.node) {
                coordinated.group.disconnect(&mut answers);
                coordinated.node = next;
                coordinated.group.renew_sessions(now);
            }
        }
        send_answers(answers, out);
    }

    /// What the controller does as time passes.
    pub(super) fn control(&mut self, now: SimTime, out: &mut Effects) {
        if self.has_quorum() {
            self.end_sessions(now, out);
        }
        if self.isr_check_at.is_some_and(|at| at <= now) {
            self.check_isr(now, out);
            self.time_out_unacked(now, out);
        }
        if self.has_quorum() && self.imbalance_check_at.is_some_and(|at| at <= now) {
            self.imbalance_check_at = None;
            self.balance(now, out);
        }
    }

    /// Nodes that the controller has not heard of for too long.
    fn end_sessions(&mut self, now: SimTime, out: &mut Effects) {
        for node in 0..self.nodes.len() as u32 {
            let state = &mut self.nodes[node as usize];
            if state.session_ends.is_none_or(|ends| ends > now) {
                continue;
            }
            state.session_ends = None;
            let returns = state.returns;
            if state.leaving {
                self.leave(now, node, out);
            } else {
                self.fence(now, node, out);
            }
            if returns {
                self.restart(now, node, out);
            }
        }
    }

    fn disturb_all(&mut self, now: SimTime, node: u32, out: &mut Effects) {
        for at in self.partitions_of(node) {
            self.disturb(now, at, out);
        }
    }

    /// Partitions with a replica on a node, by (topic's place, partition).
    pub(super) fn partitions_of(&self, node: u32) -> Vec<(usize, u32)> {
        let all = self.partitions.iter().enumerate().flat_map(|(topic, list)| (0..).zip(list).map(move |(at, one)| (topic, at, one)));
        all.filter(|(_, _, one)| one.replicas.of(node).is_some()).map(|(topic, partition, _)| (topic, partition)).collect()
    }
}

/// What a client hears instead of an answer: the connection was refused, or broke.
#[must_use]
pub fn refusal(request: &Message) -> Option<Message> {
    let error = BrokerError::BrokerNotAvailable;
    match request {
        Message::Produce(request) => {
            let result = |entry: &crate::event::ProduceEntry| ProduceResult {
                topic: entry.topic,
                partition: entry.partition,
                base_offset: Err(error),
            };
            let results = request.entries.iter().map(result).collect();
            Some(Message::ProduceReply(Box::new(ProduceReply { call: request.call, results })))
        }
        Message::Fetch(request) => {
            let refused = |wanted: &crate::event::FetchPartition| FetchedPartition::failed(wanted.topic, wanted.partition, error);
            let partitions = request.partitions.iter().map(refused).collect();
            Some(Message::FetchReply(Box::new(FetchReply { call: request.call, partitions })))
        }
        Message::Group(request) => Some(Message::GroupReply(Box::new(GroupReply { call: request.call, result: Err(error) }))),
        Message::Transaction(request) => {
            Some(Message::TransactionReply(Box::new(TransactionReply { call: request.call, result: Err(error) })))
        }
        Message::Metadata(request) => Some(Message::MetadataReply(Box::new(MetadataReply { call: request.call, leaders: Err(error) }))),
        _ => None,
    }
}
