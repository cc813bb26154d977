//! Replicas move to other nodes while their partition goes on: what `kafka-reassign-partitions.sh` does.
//!
//! ```text
//! replicas [0 1] ─ target [2 1] ─► [2 1 0], node 2 fetches everything ─ in sync ─► node 0 hands over what it leads ─► [2 1]
//! ```
//!
//! Source: PartitionReassignmentReplicas and AdminUtils.assignReplicasToBrokers (Kafka 3.9); where the tool draws a
//! first node by chance, here it is the topic's place. Records that only the old leader has are handed over first, as in
//! every election of this machine that nobody is in a hurry for.
//! Must not know: how long a fetch takes. Start at [`Cluster::reassign`].

use super::cluster::{Cluster, Effects};
use super::nodes::Node;
use super::partition::Partition;
use super::placement::over_racks;
use super::replicas::Replica;
use crate::units::SimTime;

/// Nodes of one cluster, at most.
const NODES_MAX: usize = 100;

/// What shall go where.
#[derive(Clone, Debug, Default)]
pub struct Reassign {
    /// Of this topic; of all when absent.
    pub topic: Option<String>,
    /// To these nodes; to all that can lead when empty.
    pub nodes: Vec<u32>,
    /// So many replicas of each partition; as many as it has when absent.
    pub replication: Option<u32>,
    /// Most bytes a second that a node takes or gives for it.
    pub throttle_per_s: Option<u64>,
}

/// A partition on its way.
#[derive(Clone, Debug)]
pub(super) struct Reassigning {
    /// Where its replicas shall be, the preferred leader first.
    target: Vec<u32>,
    /// Of these, the nodes that had none.
    adding: Vec<u32>,
    pub throttle_per_s: Option<u64>,
}

impl Reassigning {
    /// Whether a node gets a replica that it had not.
    pub fn adds(&self, node: u32) -> bool {
        self.adding.contains(&node)
    }
}

/// All reassignments so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reassignment {
    pub bytes: u64,
    moving: usize,
    moved: u64,
    began: Option<SimTime>,
    ended: SimTime,
    /// Changes whenever a partition's nodes do.
    layout: u64,
}

/// What reassignments have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReassignmentFigures {
    /// Partitions on their way.
    pub moving: usize,
    /// Partitions that have arrived.
    pub moved: u64,
    /// Copied to new replicas.
    pub bytes: u64,
    /// When the latest one began.
    pub began: SimTime,
    /// When the last partition arrived, if none is on its way.
    pub ended: Option<SimTime>,
}

impl Cluster {
    /// A new node joins, with nothing on it. Returns its number.
    ///
    /// # Errors
    /// In words, when there are too many.
    pub fn add_broker(&mut self) -> Result<u32, String> {
        self.ask_controller()?;
        if self.nodes.len() >= NODES_MAX {
            return Err(format!("a cluster may have {NODES_MAX} brokers"));
        }
        self.nodes.push(Node::default());
        Ok(self.nodes.len() as u32 - 1)
    }

    /// Changes whenever some partition has other nodes, or there are more partitions.
    #[must_use]
    pub fn layout(&self) -> u64 {
        self.reassignment.layout
    }

    pub(super) fn lay_out_anew(&mut self) {
        self.reassignment.layout += 1;
    }

    /// None before the first.
    #[must_use]
    pub fn reassignment_figures(&self) -> Option<ReassignmentFigures> {
        let Reassignment { bytes, moving, moved, began, ended, .. } = self.reassignment;
        Some(ReassignmentFigures { moving, moved, bytes, began: began?, ended: (moving == 0).then_some(ended) })
    }

    /// Begins to move replicas: round-robin over the nodes, the leader's first.
    ///
    /// # Errors
    /// In words, when a topic or node is unknown, there are too few nodes, or a partition is on its way already.
    pub fn reassign(&mut self, now: SimTime, wanted: &Reassign, out: &mut Effects) -> Result<(), String> {
        self.ask_controller()?;
        let only = wanted.topic.as_deref().map(|topic| self.place_named(topic)).transpose()?;
        let nodes = self.target_nodes(wanted)?;
        let places = (0..self.partitions.len()).filter(|place| only.is_none_or(|only| only == *place));
        let places: Vec<usize> = places.collect();
        for &place in &places {
            let topic = &self.cfg.topics[place];
            let copies = wanted.replication.unwrap_or(topic.replication) as usize;
            if copies > nodes.len() {
                return Err(format!("`{}` wants {copies} replicas, and there are {} nodes for them", topic.name, nodes.len()));
            }
            if self.partitions[place].iter().any(|partition| partition.reassigning.is_some()) {
                return Err(format!("a reassignment of `{}` is under way", topic.name));
            }
        }
        self.reassignment.began = Some(now);
        self.reassignment.ended = now;
        for place in places {
            let copies = wanted.replication.unwrap_or(self.cfg.topics[place].replication);
            self.cfg.topics[place].replication = copies;
            for partition in 0..self.partitions[place].len() as u32 {
                let target = over_racks(assignment(&nodes, place, partition), &self.cfg.racks, copies);
                self.begin_reassignment(now, (place, partition), target, wanted.throttle_per_s, out);
            }
        }
        Ok(())
    }

    fn target_nodes(&self, wanted: &Reassign) -> Result<Vec<u32>, String> {
        let mut nodes = wanted.nodes.clone();
        if nodes.is_empty() {
            nodes = (0..self.nodes.len() as u32).filter(|node| self.nodes[*node as usize].may_lead()).collect();
        }
        nodes.sort_unstable();
        nodes.dedup();
        match nodes.iter().find(|node| **node as usize >= self.nodes.len()) {
            Some(unknown) => Err(format!("there is no node {unknown}")),
            None => Ok(nodes),
        }
    }

    fn begin_reassignment(&mut self, now: SimTime, at: (usize, u32), target: Vec<u32>, throttle_per_s: Option<u64>, out: &mut Effects) {
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let replicas = &mut partition.replicas;
        if replicas.list.iter().map(|replica| replica.node).eq(target.iter().copied()) {
            return;
        }
        let adding: Vec<u32> = target.iter().copied().filter(|node| replicas.of(*node).is_none()).collect();
        let mut before = std::mem::take(&mut replicas.list);
        for node in &target {
            let kept = before.iter().position(|replica| replica.node == *node);
            replicas.list.push(kept.map_or_else(|| Replica::new(*node), |index| before.remove(index)));
        }
        replicas.list.append(&mut before);
        for node in &adding {
            partition.forget_rotten(Some(*node), 0);
        }
        partition.reassigning = Some(Box::new(Reassigning { target, adding, throttle_per_s }));
        self.reassignment.moving += 1;
        self.lay_out_anew();
        self.disturb(now, at, out);
        self.advance_reassignment(now, at, out);
    }

    /// When every added replica is in sync, the others go; if they lead, they hand over first.
    pub(super) fn advance_reassignment(&mut self, now: SimTime, at: (usize, u32), out: &mut Effects) {
        if self.quorum_lost {
            return;
        }
        let Some((leads, successor)) = self.partitions[at.0][at.1 as usize].ready_to_move(&self.nodes) else { return };
        if !leads {
            let handing_over = self.partitions[at.0][at.1 as usize].replicas.handing_over.is_some();
            let Some(successor) = successor.filter(|_| !handing_over) else { return };
            // It may lead at once, or when it has what is under way: then this is asked again.
            self.begin_hand_over(now, at, successor, out);
            if self.partitions[at.0][at.1 as usize].replicas.leader != Some(successor) {
                return;
            }
        }
        self.complete_reassignment(now, at, out);
    }

    fn complete_reassignment(&mut self, now: SimTime, at: (usize, u32), out: &mut Effects) {
        let partition = &mut self.partitions[at.0][at.1 as usize];
        let Some(moving) = partition.reassigning.take() else { return };
        partition.replicas.list.retain(|replica| moving.target.contains(&replica.node));
        partition.replicas.in_sync.retain(|node| moving.target.contains(node));
        self.reassignment.moving -= 1;
        self.reassignment.moved += 1;
        self.reassignment.ended = now;
        self.lay_out_anew();
        self.disturb(now, at, out);
        // The one replica that is left waits for nobody.
        self.advance_in_sync(at, out);
        self.answer_acknowledged(out);
        self.expect_imbalance_check(now, at);
    }
}

impl Partition {
    /// Whether fewer replicas are in sync than there are, without those that a reassignment adds.
    pub fn is_under_replicated(&self) -> bool {
        let adds = |node| self.reassigning.as_ref().is_some_and(|moving| moving.adds(node));
        self.replicas.list.iter().any(|replica| !adds(replica.node) && !self.replicas.is_in_sync(replica.node))
    }

    /// If every added replica is in sync: whether the leader stays, and who could lead instead.
    fn ready_to_move(&self, nodes: &[Node]) -> Option<(bool, Option<u32>)> {
        let moving = self.reassigning.as_ref()?;
        let leader = self.replicas.leader?;
        let in_sync = |node: &&u32| self.replicas.is_in_sync(**node);
        if !moving.adding.iter().all(|node| in_sync(&node)) {
            return None;
        }
        let successor = moving.target.iter().find(|node| in_sync(node) && nodes[**node as usize].may_lead());
        Some((moving.target.contains(&leader), successor.copied()))
    }
}

/// In which order nodes get a partition's replicas: leaders round-robin, followers further away with each turn.
fn assignment(nodes: &[u32], place: usize, partition: u32) -> Vec<u32> {
    let count = nodes.len();
    let (first, turn) = ((place + partition as usize) % count, partition as usize / count);
    let others = (0..count - 1).map(|copy| (first + 1 + (turn + copy) % (count - 1)) % count);
    std::iter::once(first).chain(others).map(|index| nodes[index]).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn replicas_are_in_as_many_racks_as_there_are() {
        let racks: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
        let nodes: Vec<u32> = (0..7).collect();
        for partition in 0..50 {
            let chosen = over_racks(assignment(&nodes, 0, partition), &racks, 3);
            let in_racks: std::collections::BTreeSet<u32> = chosen.iter().map(|node| node % 3).collect();
            assert_eq!((chosen[0], in_racks.len()), (partition % 7, 3), "{chosen:?}");
        }
    }

    #[test]
    fn leaders_and_followers_are_spread_as_the_tool_spreads_them() {
        let nodes = [0, 1, 2, 3, 4];
        // AdminUtils' own comment: ten partitions of three replicas on five brokers, the first node being 0.
        let spread: Vec<Vec<u32>> = (0..10).map(|partition| over_racks(assignment(&nodes, 0, partition), &[], 3)).collect();
        let first_turn = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0], [4, 0, 1]];
        let second_turn = [[0, 2, 3], [1, 3, 4], [2, 4, 0], [3, 0, 1], [4, 1, 2]];
        assert!(spread.iter().eq(first_turn.iter().chain(&second_turn)), "{spread:?}");
        assert_eq!(assignment(&[7], 3, 5), [7], "one node takes it all");
    }
}
