//! Leaders go back to where they should be: to the first replica of each partition.
//!
//! By themselves now and then (`auto.leader.rebalance.enable`), or at an operator's word. Whoever leads hands over what is
//! not replicated yet. Must not know: faults of nodes. Start at [`Cluster::elect_preferred`].

use super::cluster::{Cluster, Effects};
use crate::units::SimTime;

/// `leader.imbalance.per.broker.percentage`: leaders are given back to a node that lacks more than this share of them.
const IMBALANCE_PERCENT_MAX: usize = 10;

impl Cluster {
    /// Gives leaders back to the first replica of each partition that is in sync (`kafka-leader-election.sh`), of one
    /// topic or of all.
    ///
    /// # Errors
    /// In words, when there is no such topic.
    pub fn elect_preferred(&mut self, now: SimTime, topic: Option<&str>, out: &mut Effects) -> Result<(), String> {
        self.ask_controller()?;
        let only = topic.map(|topic| self.place_named(topic)).transpose()?;
        for place in (0..self.partitions.len()).filter(|place| only.is_none_or(|only| only == *place)) {
            for partition in 0..self.partitions[place].len() as u32 {
                let replicas = &self.partitions[place][partition as usize].replicas;
                let preferred = replicas.list[0].node;
                let leads = replicas.leader == Some(preferred);
                if !leads && replicas.is_in_sync(preferred) && self.nodes[preferred as usize].may_lead() {
                    self.begin_hand_over(now, (place, partition), preferred, out);
                }
            }
        }
        Ok(())
    }

    /// Gives leaders back to the nodes that should lead them, where a node lacks too many.
    pub(super) fn balance(&mut self, now: SimTime, out: &mut Effects) {
        for node in 0..self.nodes.len() as u32 {
            let preferred: Vec<(usize, u32)> = self.partitions_of(node).into_iter().filter(|at| self.prefers(*at, node)).collect();
            let lacking: Vec<(usize, u32)> =
                preferred.iter().copied().filter(|at| self.partitions[at.0][at.1 as usize].replicas.leader != Some(node)).collect();
            let too_many = lacking.len() * 100 > preferred.len() * IMBALANCE_PERCENT_MAX;
            for at in lacking {
                self.expect_imbalance_check(now, at);
                let in_sync = self.partitions[at.0][at.1 as usize].replicas.is_in_sync(node);
                if too_many && in_sync && self.nodes[node as usize].may_lead() {
                    self.begin_hand_over(now, at, node, out);
                }
            }
        }
    }

    fn prefers(&self, at: (usize, u32), node: u32) -> bool {
        self.partitions[at.0][at.1 as usize].replicas.list[0].node == node
    }

    pub(super) fn expect_imbalance_check(&mut self, now: SimTime, at: (usize, u32)) {
        let every = self.cfg.imbalance_check.as_ns().max(1);
        let replicas = &self.partitions[at.0][at.1 as usize].replicas;
        if replicas.leader != Some(replicas.list[0].node) {
            self.imbalance_check_at.get_or_insert(SimTime::from_ns((now.as_ns() / every + 1) * every));
        }
    }
}
