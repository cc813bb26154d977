//! Where replicas go, when a topic begins and when it gets more partitions.
//!
//! Round-robin over the nodes, each topic beginning one node further and each partition one node further than the last;
//! the replicas of a partition are on nodes that follow each other. Nodes that cannot lead come last, so that none leads
//! at once what it cannot serve. With racks, a partition's replicas are in as many of them as there are.
//! Source: Kafka's StripedReplicaPlacer, whose first node is drawn by chance; here it is the topic's place, so that a run
//! can be repeated.
//! Must not know: logs, clients. Start at [`Cluster::grow_topic`].

use std::sync::Arc;

use super::cluster::{Cluster, Effects};
use super::nodes::Node;
use super::partition::Partition;
use super::replicas::Replicas;
use crate::event::Fact;
use crate::units::SimTime;

/// Partitions of one topic, at most.
pub const PARTITIONS_MAX: u32 = 10_000;

/// The nodes of a partition's replicas, the preferred leader first.
pub(super) fn replica_nodes((nodes, racks): (&[Node], &[Arc<str>]), copies: u32, place: usize, partition: u32) -> Vec<u32> {
    let (able, others): (Vec<u32>, Vec<u32>) = (0..nodes.len() as u32).partition(|node| nodes[*node as usize].may_lead());
    let first = place + partition as usize;
    let striped = |list: Vec<u32>| (0..list.len()).map(move |step| list[(first + step) % list.len()]);
    over_racks(striped(able).chain(striped(others)).collect(), racks, copies)
}

/// The rack of a node: they are dealt out in turn.
pub(super) fn rack_of(racks: &[Arc<str>], node: u32) -> Option<&Arc<str>> {
    racks.get(node as usize % racks.len().max(1))
}

/// The first of a list leads; the others follow in the list's order, but from a rack that has fewer replicas first.
pub(super) fn over_racks(mut list: Vec<u32>, racks: &[Arc<str>], copies: u32) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::new();
    while chosen.len() < copies.max(1) as usize && !list.is_empty() {
        let in_its_rack = |node: &u32| chosen.iter().filter(|other| rack_of(racks, **other) == rack_of(racks, *node)).count();
        // The first of those that are best, where several are.
        let best = (0..list.len()).min_by_key(|index| in_its_rack(&list[*index])).unwrap_or(0);
        chosen.push(list.remove(best));
    }
    chosen
}

impl Cluster {
    /// Gives a topic more partitions (`kafka-topics.sh --alter --partitions`): empty ones, which clients see with their
    /// next metadata.
    ///
    /// # Errors
    /// In words, when there is no such topic, it has as many already, or no node can take them.
    pub fn grow_topic(&mut self, now: SimTime, topic: &str, to: u32, out: &mut Effects) -> Result<(), String> {
        self.ask_controller()?;
        let place = self.place_named(topic)?;
        let has = self.partitions[place].len() as u32;
        if to <= has {
            return Err(format!("`{topic}` has {has} partitions, and Kafka takes none away"));
        }
        if to > PARTITIONS_MAX {
            return Err(format!("a topic may have {PARTITIONS_MAX} partitions"));
        }
        if !self.nodes.iter().any(Node::may_lead) {
            return Err("no node is there to take new partitions".to_owned());
        }
        let (copies, log) = (self.cfg.topics[place].replication, self.cfg.topics[place].log);
        for partition in has..to {
            let mut replicas = Replicas::new(replica_nodes((&self.nodes, &self.cfg.racks), copies, place, partition));
            replicas.in_sync.retain(|node| self.nodes[*node as usize].may_lead());
            self.partitions[place].push(Partition::new(log, replicas));
            self.disturb(now, (place, partition), out);
        }
        self.lay_out_anew();
        let topic = &mut self.cfg.topics[place];
        topic.partitions = to;
        out.facts.push(Fact::Partitions { topic: topic.topic, partitions: to });
        self.tell_groups_of_topics();
        Ok(())
    }
}
