//! The replicas of one partition: who leads, who is in sync, how far each one's log goes, what an election cuts.
//!
//! Replicas share batches: a follower is a position in the leader's log ([`Replica::agrees_to`]). Only one that
//! missed an election can have what the leader has not, its `tail`, until it returns and truncates. Kafka finds the
//! place where two logs part by their leader epochs; here it is known. Must not know: other partitions, time.
//! Start at [`Partition::take_over`].

use std::collections::VecDeque;

use super::nodes::Node;
use super::partition::Partition;
use crate::event::StoredBatch;
use crate::units::SimTime;

/// Leader epochs remembered of one partition; the oldest go first.
const EPOCHS_MAX: usize = 1_000;

/// One copy of a partition.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    pub node: u32,
    /// Its log is the leader's up to this offset.
    pub agrees_to: u64,
    /// A fetch up to this offset is under way, or was the last one.
    pub asked_to: u64,
    /// What its log has from there on instead of the leader's records.
    tail: Vec<StoredBatch>,
    /// When it last had all that the leader had.
    pub caught_up_at: SimTime,
    /// It leads no more and does not know it, cut off as it is.
    pub deposed: Option<Deposed>,
    /// Its disk is empty.
    pub wiped: bool,
}

/// What a node still believes of a partition that it led.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deposed {
    pub high_watermark: u64,
    pub next_offset: u64,
}

/// All copies of a partition.
#[derive(Clone, Debug)]
pub(super) struct Replicas {
    /// In order of assignment: the first is the preferred leader.
    pub list: Vec<Replica>,
    pub leader: Option<u32>,
    /// Whose log the partition's log is.
    pub last_leader: u32,
    /// Grows with every election.
    pub epoch: u32,
    /// (epoch, its first offset), oldest first.
    pub epochs: Vec<(u32, u64)>,
    /// Nodes whose replica is in sync, the leader's included.
    pub in_sync: Vec<u32>,
    /// All followers have the same and fetch together: one fetch stands for all.
    pub lockstep: bool,
    /// Fetches of an earlier session are void: something has happened to a leader or follower since.
    pub session: u32,
    /// Takes over once it has everything; nothing is appended until then.
    pub handing_over: Option<u32>,
    /// Base offsets of acks=all batches above the high watermark: nobody has been told that they stand.
    pub unacknowledged: VecDeque<u64>,
}

impl Replica {
    /// An empty one.
    pub fn new(node: u32) -> Self {
        Self { node, agrees_to: 0, asked_to: 0, tail: Vec::new(), caught_up_at: SimTime::ZERO, deposed: None, wiped: false }
    }
}

impl Replicas {
    /// An empty replica on each of these nodes; the first leads, all are in sync.
    pub fn new(nodes: Vec<u32>) -> Self {
        let list: Vec<Replica> = nodes.into_iter().map(Replica::new).collect();
        let leader = list[0].node;
        Self {
            in_sync: list.iter().map(|replica| replica.node).collect(),
            list,
            leader: Some(leader),
            last_leader: leader,
            epoch: 0,
            epochs: vec![(0, 0)],
            lockstep: true,
            session: 0,
            handing_over: None,
            unacknowledged: VecDeque::new(),
        }
    }
    /// Whether there is only one.
    pub fn is_single(&self) -> bool {
        self.list.len() == 1
    }
    pub fn of(&self, node: u32) -> Option<&Replica> {
        self.list.iter().find(|replica| replica.node == node)
    }
    pub fn of_mut(&mut self, node: u32) -> Option<&mut Replica> {
        self.list.iter_mut().find(|replica| replica.node == node)
    }
    pub fn is_in_sync(&self, node: u32) -> bool {
        self.in_sync.contains(&node)
    }
    /// Puts a node's replica back into the ISR, in order of assignment.
    pub fn join_isr(&mut self, node: u32) {
        let is_member = |replica: &&Replica| replica.node == node || self.in_sync.contains(&replica.node);
        self.in_sync = self.list.iter().filter(is_member).map(|replica| replica.node).collect();
    }
    /// Takes a node's replica out of the ISR; the last one stays.
    pub fn leave_isr(&mut self, node: u32) {
        if self.in_sync.len() > 1 {
            self.in_sync.retain(|member| *member != node);
        }
    }
    /// The first of the assignment that may lead and is in sync; if none is, and unclean elections are allowed, the
    /// first that may lead at all.
    pub fn candidate(&self, nodes: &[Node], unclean: bool) -> Option<u32> {
        let mut able = self.list.iter().map(|replica| replica.node).filter(|node| nodes[*node as usize].may_lead());
        let clean = able.clone().find(|node| self.is_in_sync(*node));
        clean.or_else(|| able.next().filter(|_| unclean))
    }
    /// First offset of the present leader's epoch.
    pub fn epoch_start(&self) -> u64 {
        self.epochs.last().map_or(0, |(_, start)| *start)
    }
}

impl Partition {
    /// How far the log of a node goes that agrees with the leader's.
    pub fn position(&self, replica: &Replica) -> u64 {
        if self.replicas.leader == Some(replica.node) { self.log.next_offset() } else { replica.agrees_to }
    }

    /// What every replica in sync has.
    pub fn in_sync_to(&self) -> u64 {
        let members = self.replicas.list.iter().filter(|replica| self.replicas.is_in_sync(replica.node));
        members.map(|replica| self.position(replica)).min().unwrap_or(self.high_watermark)
    }

    /// The leader stops leading; the log stays as it left it.
    pub fn step_down(&mut self) {
        let end = self.log.next_offset();
        if let Some(node) = self.replicas.leader.take()
            && let Some(replica) = self.replicas.of_mut(node)
        {
            replica.agrees_to = if replica.wiped { 0 } else { end };
        }
        self.replicas.handing_over = None;
    }

    /// Makes `node` the leader: the log becomes its log. What is cut from the old one, in order, and what the new one
    /// had instead and is back.
    pub fn take_over(&mut self, now: SimTime, node: u32) -> (Vec<StoredBatch>, Vec<StoredBatch>) {
        self.step_down();
        let Some(leader) = self.replicas.of_mut(node) else { return (Vec::new(), Vec::new()) };
        let (keep, back) = (leader.agrees_to, std::mem::take(&mut leader.tail));
        (leader.deposed, leader.wiped) = (None, false);
        let cut = self.log.truncate(keep);
        self.forget_rotten(None, keep);
        for replica in self.replicas.list.iter_mut().filter(|replica| replica.agrees_to > keep) {
            let had = cut.partition_point(|stored| stored.next_offset() <= replica.agrees_to);
            replica.tail.splice(0..0, cut[..had].iter().cloned());
            replica.agrees_to = keep;
        }
        for stored in &back {
            self.log.append(now, stored.batch.clone());
        }
        self.recognise_tails();
        let end = self.log.next_offset();
        let replicas = &mut self.replicas;
        replicas.unacknowledged.retain(|base_offset| *base_offset < keep);
        (replicas.leader, replicas.last_leader) = (Some(node), node);
        replicas.epoch += 1;
        replicas.epochs.retain(|(_, start)| *start <= end);
        replicas.epochs.push((replicas.epoch, end));
        if replicas.epochs.len() > EPOCHS_MAX {
            replicas.epochs.remove(0);
        }
        self.high_watermark = self.high_watermark.min(end);
        (cut, back)
    }

    /// Tails that begin like the log are no tails.
    fn recognise_tails(&mut self) {
        for replica in &mut self.replicas.list {
            let same = |stored: &&StoredBatch| {
                self.log.batch_at(stored.base_offset).is_some_and(|here| here.batch.bytes.as_ptr() == stored.batch.bytes.as_ptr())
            };
            let count = replica.tail.iter().take_while(same).count();
            if let Some(last) = replica.tail.drain(..count).next_back() {
                replica.agrees_to = last.next_offset();
            }
        }
    }

    /// A returning follower truncates to where its log and the leader's part.
    pub fn rejoin(&mut self, node: u32) {
        let log_start = self.log.log_start();
        if let Some(replica) = self.replicas.of_mut(node) {
            replica.tail.clear();
            let kept = if replica.wiped { 0 } else { replica.agrees_to };
            replica.agrees_to = kept.max(log_start);
            (replica.deposed, replica.wiped) = (None, false);
            let kept = replica.agrees_to;
            self.forget_rotten(Some(node), kept);
        }
    }

    /// A node's disk is lost, with its replica.
    pub fn wipe(&mut self, node: u32) {
        if let Some(replica) = self.replicas.of_mut(node) {
            replica.tail.clear();
            replica.agrees_to = 0;
            replica.wiped = true;
        }
    }
}
