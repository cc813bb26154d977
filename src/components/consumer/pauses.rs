//! What rebalances cost: how long partitions stood still, and how many changed hands.
//!
//! A partition stands still from when its instance lets go of it (revoked, lost, crashed) until an instance has its
//! position again; where a member is cooperative, what it keeps never does. In: what an instance holds, after every
//! change. Out: sums for figures. Must not know: why anything moved. Start at [`Pauses::update`].

use std::collections::BTreeMap;

use crate::engine::Figures;
use crate::machines::broker::client::HeldPartition;
use crate::units::{SimDuration, SimTime, TopicIx};

/// The pauses of every partition that the component reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses {
    partitions: BTreeMap<(TopicIx, u32), Reading>,
    paused: SimDuration,
    longest: SimDuration,
    moved: u64,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// The instance that reads it, or did last.
    instance: usize,
    stands_since: Option<SimTime>,
}

impl Pauses {
    /// An instance holds these partitions now, of the topics of one of its clients.
    pub fn update(&mut self, now: SimTime, instance: usize, topics: &[TopicIx], held: &[HeldPartition]) {
        for ((topic, partition), reading) in &mut self.partitions {
            let is_held = || held.iter().any(|one| (one.topic, one.partition) == (*topic, *partition));
            if reading.instance == instance && topics.contains(topic) && reading.stands_since.is_none() && !is_held() {
                reading.stands_since = Some(now);
            }
        }
        for one in held.iter().filter(|one| one.is_located) {
            let reading = self.partitions.entry((one.topic, one.partition)).or_insert(Reading { instance, stands_since: None });
            if let Some(since) = reading.stands_since.take() {
                self.paused = self.paused.plus(now.since(since));
                self.longest = self.longest.max(now.since(since));
            }
            self.moved += u64::from(std::mem::replace(&mut reading.instance, instance) != instance);
        }
    }

    /// Tells the sums; partitions that stand still now are in them.
    pub fn figures(&self, now: SimTime, out: &mut Figures) {
        let open = || self.partitions.values().filter_map(|reading| Some(now.since(reading.stands_since?)));
        let paused = open().fold(self.paused, SimDuration::plus);
        out.counter("moved_partitions_count", self.moved);
        out.gauge("paused_partition_s", paused.as_secs_f64());
        out.gauge("longest_pause_s", open().fold(self.longest, SimDuration::max).as_secs_f64());
    }
}
