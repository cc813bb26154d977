//! What the cleaner of a compacted topic means to the books: a record that goes was overtaken by a later value of its
//! key, so whoever had not read it is owed nothing any more: no bad end, and no reason is listed.

use std::collections::HashSet;

use super::{Ledger, Retained};
use crate::event::{Compacted, ObligationEnd};
use crate::machines::broker::batch::{opened, records};

impl Ledger {
    /// A part of a log is thinner now.
    pub fn compacted(&mut self, section: &Compacted) {
        let topic = &mut self.topics[section.topic.index()];
        topic.cluster = Some(section.cluster);
        let retained = &mut topic.partitions[section.partition as usize];
        let behind = retained.split_off(retained.partition_point(|kept| kept.base_offset < section.to));
        let before = retained.split_off(retained.partition_point(|kept| kept.base_offset < section.from));
        let mut staying = HashSet::<u64, ahash::RandomState>::default();
        for stored in &section.kept {
            let Ok(batch) = opened(&stored.batch) else { continue };
            staying.extend(records(&batch).map(|record| stored.base_offset + u64::from(record.position)));
            retained.push_back(Retained::new(stored.base_offset, batch.into_owned()));
        }
        retained.extend(behind);
        for gone in before {
            for record in records(&gone.batch) {
                let stays = staying.contains(&(gone.base_offset + u64::from(record.position)));
                if stays || self.stands_elsewhere(section.topic, record.meta.id) {
                    continue;
                }
                let (producer, seq) = (record.meta.id.producer.index(), record.meta.id.seq);
                let origin = self.origins.of(&record.meta);
                for lane in 0..self.topics[section.topic.index()].lanes.len() {
                    let lane = &mut self.topics[section.topic.index()].lanes[lane];
                    if lane.ended[producer].insert(seq) {
                        lane.terms.at(origin).end(ObligationEnd::Compacted);
                        lane.compacted[producer].insert(seq);
                    }
                }
            }
        }
    }
}
