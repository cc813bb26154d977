//! What a log has where, as it was appended.

use super::Ledger;
use crate::event::{Ended, EventMeta};
use crate::machines::broker::batch::records;
use crate::units::TopicIx;

impl Ledger {
    /// The key of a record that a log still has.
    pub fn key_of(&self, ended: &Ended) -> Option<&[u8]> {
        self.record_at(ended.topic, ended.partition, ended.offset)?.1
    }

    /// The event and the key at an offset that a log still has.
    pub fn record_at(&self, topic: TopicIx, partition: u32, offset: u64) -> Option<(EventMeta, Option<&[u8]>)> {
        let retained = &self.topics[topic.index()].partitions[partition as usize];
        let after = retained.partition_point(|kept| kept.base_offset <= offset);
        let kept = &retained[after.checked_sub(1)?];
        let position = u32::try_from(offset - kept.base_offset).ok()?;
        records(&kept.batch).find(|record| record.position == position).map(|record| (record.meta, record.key))
    }

    /// The events of the batch that a log has at this offset, each with its own.
    pub fn events_at(&self, topic: TopicIx, partition: u32, base_offset: u64) -> impl Iterator<Item = (u64, EventMeta)> + use<> {
        let retained = &self.topics[topic.index()].partitions[partition as usize];
        let at = retained.binary_search_by_key(&base_offset, |kept| kept.base_offset).ok();
        let batch = at.map(|at| &retained[at].batch);
        let events: Vec<_> =
            batch.into_iter().flat_map(records).map(|record| (base_offset + u64::from(record.position), record.meta)).collect();
        events.into_iter()
    }
}
