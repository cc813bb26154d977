//! How the partitions of a cluster stand, gathered from its figures for a table.

use serde::Serialize;

use crate::engine::Figure;

/// One partition, as a table shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PartitionView {
    /// `orders[3]`.
    pub name: String,
    /// The node that leads it; none while it is offline.
    pub leader: Option<u32>,
    /// Of the leader.
    pub epoch: u64,
    /// Nodes whose replicas are in sync, the leader's included; empty when there is one replica only.
    pub in_sync: Vec<u32>,
    /// How many replicas it has.
    pub replicas: usize,
    /// Offset of the next record.
    pub log_end: u64,
    /// Readers see what is below.
    pub high_watermark: u64,
    /// Size of its log.
    pub log_bytes: u64,
}

impl PartitionView {
    /// Whether a replica is missing from the ISR.
    #[must_use]
    pub fn is_under_replicated(&self) -> bool {
        self.in_sync.len() < self.replicas
    }
}

/// Whether a figure is shown in this table.
pub(crate) fn is_of_a_partition(figure: &Figure) -> bool {
    figure.name.starts_with("partition_") || figure.name == "replica_in_sync"
}

/// The partitions that a component's figures tell of, in their order.
pub(crate) fn partitions_of(figures: &[Figure]) -> Vec<PartitionView> {
    let mut all: Vec<PartitionView> = Vec::new();
    for figure in figures {
        if figure.name == "partition_leader" {
            let leader = (figure.value >= 0.0).then_some(figure.value as u32);
            all.push(PartitionView { name: figure.label.to_string(), leader, ..PartitionView::default() });
        }
        // A partition's other figures follow the one that names its leader.
        let Some(partition) = all.last_mut() else { continue };
        match figure.name {
            "partition_leader_epoch" => partition.epoch = figure.value as u64,
            "partition_log_end" => partition.log_end = figure.value as u64,
            "partition_high_watermark" => partition.high_watermark = figure.value as u64,
            "partition_log_bytes" => partition.log_bytes = figure.value as u64,
            "replica_in_sync" => {
                partition.replicas += 1;
                let node = figure.label.rsplit_once('@').and_then(|(_, node)| node.parse::<u32>().ok());
                partition.in_sync.extend(node.filter(|_| figure.value > 0.0));
            }
            _ => {}
        }
    }
    all
}
