//! A reader without a group: it takes every partition of its topics for itself (`assign`), reads each from its first
//! record, and commits nothing.
//!
//! Kafka Streams fills a global table so. The reader knows where logs ended when it began, and so when it has caught up.
//! In: the partitions that it knows of. Out: their positions. Must not know: what is made of the records. Start at
//! [`ConsumerClient::assign_all`].

use super::consumer::{ConsumerClient, ConsumerOutput};
use super::membership::Phase;
use super::progress::Progress;
use crate::units::SimTime;

impl ConsumerClient {
    /// Takes what it does not have yet.
    pub(super) fn assign_all(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        for place in 0..self.cfg.topics.len() {
            let topic = self.cfg.topics[place].topic;
            for partition in 0..self.partitions_of(place) {
                if self.slot_of(topic, partition).is_none() {
                    let lane = self.lane_of(place, partition);
                    self.epoch += 1;
                    self.assigned.push(Progress::new(self.epoch, topic, partition, lane));
                }
            }
        }
        self.list_offsets(now, out);
    }

    /// A topic may have more partitions than it reads.
    pub(super) fn assign_new(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let known: u32 = (0..self.cfg.topics.len()).map(|place| self.partitions_of(place)).sum();
        if self.phase == Phase::Stable && known as usize > self.assigned.len() {
            self.assign_all(now, out);
        }
    }

    fn partitions_of(&self, place: usize) -> u32 {
        let topic = self.cfg.topics[place].topic;
        self.cfg.cluster_topics.iter().find(|known| known.0 == topic).map_or(0, |known| known.1)
    }

    /// Whether it has been through everything that stood in the logs when it began.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.phase == Phase::Stable && self.assigned.iter().all(Progress::has_caught_up)
    }
}
