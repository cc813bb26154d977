//! Positions of a group that an operator moves, as `kafka-consumer-groups --reset-offsets` does.
//!
//! In: where to. Out: new positions, and what the group will not read for it. Must not know: why. Start at
//! [`Cluster::reset_offsets`].

use super::cluster::{Cluster, Effects};
use crate::event::{BrokerError, Fact, OffsetCommit, OffsetTarget};
use crate::units::{GroupIx, TopicIx};

impl Cluster {
    /// Moves the positions of a group without members. What a move forward passes over is skipped; what a move
    /// backward goes over again is read once more.
    pub(super) fn reset_offsets(
        &mut self,
        group: GroupIx,
        topics: &[TopicIx],
        to: OffsetTarget,
        out: &mut Effects,
    ) -> Result<(), BrokerError> {
        let state = &self.groups.get(&group).ok_or(BrokerError::UnknownMemberId)?.group;
        if state.member_count() > 0 {
            return Err(BrokerError::NonEmptyGroup);
        }
        let mut offsets = Vec::new();
        for &topic in topics {
            let place = self.place(topic).ok_or(BrokerError::UnknownTopicOrPartition)?;
            for (partition, stands) in (0..).zip(&self.partitions[place]) {
                let (first, end) = (stands.log.log_start(), stands.high_watermark);
                let wanted = match to {
                    OffsetTarget::Earliest => first,
                    OffsetTarget::Latest => end,
                    OffsetTarget::Time(at) => stands.log.offset_for_time(at),
                    OffsetTarget::Offset(offset) => offset,
                };
                let offset = wanted.clamp(first, end.max(first));
                if offset > state.committed(topic, partition).unwrap_or(first) {
                    out.facts.push(Fact::GroupStart { group, topic, partition, offset });
                }
                offsets.push(OffsetCommit { topic, partition, offset });
            }
        }
        if let Some(coordinated) = self.groups.get_mut(&group) {
            coordinated.group.reset(&offsets);
        }
        Ok(())
    }
}
