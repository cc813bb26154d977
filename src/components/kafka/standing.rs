//! How the partitions of a cluster stand, as figures: who leads, who is in sync, what moves.
//!
//! Figures are labelled once, and anew when partitions get other nodes. Start at [`KafkaSim::standing_figures`].

use std::sync::Arc;

use super::sim::KafkaSim;
use super::spec;
use crate::engine::{FigureKind, Figures};
use crate::machines::broker::cluster::Cluster;
use crate::units::SimTime;

/// What the figures of one topic are of.
#[derive(Clone, Debug)]
pub(super) struct TopicLabels {
    pub name: Arc<str>,
    /// `orders[3]`, one a partition.
    pub partitions: Vec<Arc<str>>,
    /// `orders[3]@1`, one a replica, where there are several of a partition.
    replicas: Vec<Vec<Arc<str>>>,
}

impl TopicLabels {
    pub fn new(cluster: &Cluster, place: usize, name: &Arc<str>) -> Self {
        let (mut partitions, mut replicas) = (Vec::new(), Vec::new());
        for (partition, standing) in cluster.standings(place).enumerate() {
            let label = format!("{name}[{partition}]");
            let of_nodes = standing.in_sync.iter().filter(|_| standing.in_sync.len() > 1);
            replicas.push(of_nodes.map(|(node, _)| Arc::from(format!("{label}@{node}"))).collect());
            partitions.push(Arc::from(label));
        }
        Self { name: Arc::clone(name), partitions, replicas }
    }
}

impl KafkaSim {
    /// Topics may have more partitions than before, and partitions other nodes.
    pub fn follow_layout(&mut self) {
        if self.layout == self.cluster.layout() {
            return;
        }
        self.layout = self.cluster.layout();
        for (place, (labels, replicated_at)) in self.labels.iter_mut().zip(&mut self.replicated_at).enumerate() {
            *labels = TopicLabels::new(&self.cluster, place, &labels.name);
            replicated_at.resize(labels.partitions.len(), SimTime::ZERO);
        }
    }

    /// Who leads each partition, and which replicas are in sync.
    pub fn standing_figures(&self, out: &mut Figures) {
        let mut offline = 0;
        for (place, labels) in self.labels.iter().enumerate() {
            for (partition, standing) in self.cluster.standings(place).enumerate() {
                offline += usize::from(standing.leader.is_none());
                if partition >= spec::PARTITION_FIGURES_MAX {
                    continue;
                }
                let label = &labels.partitions[partition];
                let mut gauge = |name, value| out.of(name, label, FigureKind::Gauge, value);
                gauge("partition_leader", standing.leader.map_or(-1.0, f64::from));
                gauge("partition_leader_epoch", f64::from(standing.epoch));
                gauge("partition_log_end", standing.log_end as f64);
                gauge("partition_high_watermark", standing.high_watermark as f64);
                gauge("partition_log_bytes", standing.log_bytes as f64);
                for (label, (_, in_sync)) in labels.replicas[partition].iter().zip(&standing.in_sync) {
                    out.of("replica_in_sync", label, FigureKind::Gauge, f64::from(u8::from(*in_sync)));
                }
            }
        }
        let (elections, unclean_elections) = self.cluster.elections();
        out.gauge("under_replicated_partitions", self.cluster.under_replicated() as f64);
        out.gauge("offline_partitions", offline as f64);
        out.counter("elections_count", elections);
        out.counter("unclean_elections_count", unclean_elections);
    }

    /// Only once the controller's quorum was lost.
    pub fn quorum_figures(&self, out: &mut Figures) {
        if self.cluster.quorum_losses() > 0 {
            out.gauge("controller_quorum", f64::from(u8::from(self.cluster.has_quorum())));
        }
    }

    /// Only once replicas were told to move.
    pub fn reassignment_figures(&self, now: SimTime, out: &mut Figures) {
        if let Some(figures) = self.cluster.reassignment_figures() {
            out.gauge("reassigning_partitions", figures.moving as f64);
            out.counter("reassigned_partitions_count", figures.moved);
            out.counter("reassigned_bytes", figures.bytes);
            out.gauge("reassignment_s", figures.ended.unwrap_or(now).since(figures.began).as_secs_f64());
        }
    }
}
