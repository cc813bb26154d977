//! Transactions: several partitions and a group's positions change together or not at all.
//!
//! ```text
//! Init ─► AddPartitions ─► Produce… ─► AddOffsets ─► CommitOffsets ─► End ─► markers at every partition ─► complete
//!             Empty              Ongoing                              Ending                       Complete
//! ```
//!
//! In: calls of transactional producers, what replication and elections do to markers, time. Out: control batches in
//! logs, positions of groups, answers. What a coordinator decides stands: its state is a log's, and moves with that.
//! Source: Kafka's TransactionCoordinator and TransactionStateManager (4.0, transactions of version 2) as the digest in
//! `semantics/broker.md` reads them. Start at [`Cluster::transaction`]; who holds which id is in `coordinator.rs`, what a
//! partition knows in `unstable.rs`.

mod coordinator;
pub(super) mod marker;
mod offsets;
mod unstable;

pub(super) use coordinator::Coordinator;
#[cfg(test)]
pub(super) use coordinator::log_partition;
pub(super) use offsets::PendingOffsets;
pub(super) use unstable::Unstable;

use coordinator::Ending;

use super::cluster::{Caller, Cluster, Effects};
use super::nodes::NodeState;
use crate::event::{
    Acks, Appended, BrokerError, Fact, GroupOffsets, Message, ProducerStamp, TransactionCall, TransactionReply, TransactionRequest,
};
use crate::units::{SimDuration, SimTime, TopicIx};

/// Markers that could not be written are tried again after this.
const MARKER_RETRY: SimDuration = SimDuration::from_ms(100);

/// How transactions stand in a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionFigures {
    /// Transactional ids known.
    pub ids: u64,
    /// Under way, or waiting for their markers.
    pub open: u64,
    /// Committed so far.
    pub committed: u64,
    /// Aborted so far.
    pub aborted: u64,
}

impl Cluster {
    /// A call to a coordinator.
    pub(super) fn transaction(&mut self, now: SimTime, caller: Caller, request: TransactionRequest, out: &mut Effects) {
        if let Err(error) = self.screened(self.may_transact(caller, &request)) {
            let reply = TransactionReply { call: request.call, result: Err(error) };
            out.replies.push((caller, Message::TransactionReply(Box::new(reply))));
            return;
        }
        let TransactionRequest { call, id, body } = request;
        let result = match body {
            TransactionCall::Init { timeout } => {
                let node = self.transaction_node(&id);
                self.transactions.init(now, &id, node, timeout)
            }
            TransactionCall::AddPartitions { stamp, partitions } => self.add_partitions(now, &id, stamp, &partitions),
            TransactionCall::AddOffsets { stamp, group } => self.transactions.add_group(now, &id, stamp, group),
            TransactionCall::CommitOffsets { stamp, offsets } => self.commit_offsets(now, &id, stamp, &offsets),
            TransactionCall::End { stamp, commit } => self.transactions.end(now, &id, stamp, commit),
        };
        self.settle_transactions(now, out);
        out.replies.push((caller, Message::TransactionReply(Box::new(TransactionReply { call, result }))));
    }

    fn add_partitions(
        &mut self,
        now: SimTime,
        id: &str,
        stamp: ProducerStamp,
        partitions: &[(TopicIx, u32)],
    ) -> Result<ProducerStamp, BrokerError> {
        let known = |(topic, partition): &(TopicIx, u32)| {
            let place = self.place(*topic)?;
            (self.partitions[place].len() > *partition as usize).then_some((place, *partition))
        };
        let places: Option<Vec<(usize, u32)>> = partitions.iter().map(known).collect();
        let places = places.ok_or(BrokerError::UnknownTopicOrPartition)?;
        self.transactions.add_partitions(now, id, stamp, &places)
    }

    fn commit_offsets(
        &mut self,
        now: SimTime,
        id: &str,
        stamp: ProducerStamp,
        commit: &GroupOffsets,
    ) -> Result<ProducerStamp, BrokerError> {
        self.transactions.verify_group(id, stamp, commit.group)?;
        let coordinated = self.groups.get_mut(&commit.group).ok_or(BrokerError::UnknownMemberId)?;
        coordinated.group.commit_in_transaction(now, &commit.member, commit.generation, stamp.id, &commit.offsets)?;
        Ok(stamp)
    }

    /// The node that coordinates a transactional id: the one that leads its partition of Kafka's transaction log.
    pub(super) fn transaction_node(&self, id: &str) -> u32 {
        let count = self.cfg.nodes.max(1);
        let first = coordinator::log_partition(id) % count;
        let stays = self.transactions.node_of(id);
        let able = || (0..count).map(|step| (first + step) % count).find(|node| self.nodes[*node as usize].may_lead());
        stays.or_else(able).unwrap_or(first)
    }

    /// Ids whose coordinator is gone go on at the next node, from the log that holds their state.
    pub(super) fn move_transactions(&mut self) {
        let (count, nodes) = (self.cfg.nodes.max(1), &self.nodes);
        self.transactions.move_from(|id, node| {
            if nodes[node as usize].may_lead() {
                return node;
            }
            let first = coordinator::log_partition(id) % count;
            (0..count).map(|step| (first + step) % count).find(|node| nodes[*node as usize].may_lead()).unwrap_or(node)
        });
    }

    /// Writes markers where they are missing, and completes what has all of its own.
    pub(super) fn settle_transactions(&mut self, now: SimTime, out: &mut Effects) {
        for mut ending in self.transactions.take_ending() {
            if self.serves(ending.node) {
                for at in ending.partitions_without_marker() {
                    if let Some(offset) = self.write_marker(now, at, &ending, out) {
                        ending.marked(at, offset);
                    }
                }
                ending.groups.retain(|group| {
                    let Some(coordinated) = self.groups.get_mut(group) else { return false };
                    let serves = self.nodes[coordinated.node as usize].state == NodeState::Up;
                    if serves {
                        coordinated.group.end_transaction(ending.producer, ending.commit);
                    }
                    !serves
                });
            }
            ending.drop_replicated(|at, offset| self.partitions[at.0][at.1 as usize].high_watermark > offset);
            self.transactions.put_back(now, ending);
        }
    }

    /// The control record of a transaction at one partition; its offset, unless it cannot be written now.
    fn write_marker(&mut self, now: SimTime, (place, number): (usize, u32), ending: &Ending, out: &mut Effects) -> Option<u64> {
        let min_in_sync = self.cfg.min_insync_replicas as usize;
        let partition = &mut self.partitions[place][number as usize];
        let replicas = &partition.replicas;
        let leader = replicas.leader.filter(|leader| self.nodes[*leader as usize].may_follow())?;
        if replicas.handing_over.is_some() || replicas.in_sync.len() < min_in_sync || !self.nodes[leader as usize].has_session() {
            return None;
        }
        let stamp = ProducerStamp { id: ending.producer, epoch: ending.epoch };
        let batch = marker::control_batch(now, stamp, ending.commit);
        let bytes = u64::from(batch.wire_bytes);
        let memory_before = partition.log.memory_bytes();
        let (offset, _) = partition.log.append(now, batch.clone());
        partition.transactions.ended(ending.producer, offset, ending.commit);
        self.log_memory_bytes = self.log_memory_bytes + partition.log.memory_bytes() - memory_before;
        let (cluster, topic) = (self.cfg.me, self.cfg.topics[place].topic);
        // No event stands in it; whoever keeps the log needs it all the same.
        let appended = Appended { cluster, topic, partition: number, base_offset: offset, client: cluster, attempt: 1, batch };
        out.facts.push(Fact::Appended(Box::new(appended)));
        self.spread(now, (place, number), offset, bytes, Acks::All, out);
        Some(offset)
    }

    /// A log was cut at an offset: the transactions in it are read anew, and markers that are gone are written again.
    pub(super) fn recall_transactions(&mut self, at: (usize, u32), from: u64) {
        let partition = &mut self.partitions[at.0][at.1 as usize];
        partition.transactions.reread(&partition.log, partition.high_watermark);
        self.transactions.forget_markers(at, from);
    }

    /// What is due by the clock: transactions that were open for too long are aborted, markers are tried again.
    pub(super) fn time_transactions(&mut self, now: SimTime, out: &mut Effects) {
        let nodes = &self.nodes;
        if self.transactions.time_out(now, |node| nodes[node as usize].state == NodeState::Up) {
            self.settle_transactions(now, out);
        }
    }

    /// How transactions stand.
    #[must_use]
    pub fn transaction_figures(&self) -> TransactionFigures {
        self.transactions.figures()
    }
}
