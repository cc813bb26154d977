//! Kafka's range assignor.

use std::sync::Arc;

use crate::units::TopicIx;

/// Who reads what: for each topic its partitions in order, an equal run for each subscribed member, the
/// first ones taking one more. Members stand in text order, so `m10` before `m2`
/// (`RangeAssignor`, Kafka 3.9; cases in `kafka_assignors.json`).
#[must_use]
pub fn assign_range(members: &[(Arc<str>, Arc<[TopicIx]>)], topics: &[(TopicIx, u32)]) -> Vec<(Arc<str>, Vec<(TopicIx, u32)>)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let mut assigned: Vec<(Arc<str>, Vec<(TopicIx, u32)>)> = sorted.iter().map(|member| (Arc::clone(&member.0), Vec::new())).collect();
    for &(topic, partitions) in topics {
        let readers: Vec<usize> = (0..sorted.len()).filter(|&index| sorted[index].1.contains(&topic)).collect();
        let Ok(count) = u32::try_from(readers.len()) else { continue };
        let (Some(each), Some(extra)) = (partitions.checked_div(count), partitions.checked_rem(count)) else { continue };
        let mut next = 0;
        for (rank, &reader) in (0..count).zip(&readers) {
            let end = next + each + u32::from(rank < extra);
            assigned[reader].1.extend((next..end).map(|partition| (topic, partition)));
            next = end;
        }
    }
    assigned
}
