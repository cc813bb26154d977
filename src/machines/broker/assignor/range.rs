//! `RangeAssignor`.

use super::{Assignment, Subscriber, nothing_for, wants};
use crate::units::TopicIx;

/// For each topic its partitions in order, an equal run for each subscribed member, the first ones taking one more.
pub(super) fn assign(members: &[&Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let mut assigned = nothing_for(members);
    for &(topic, partitions) in topics {
        let readers: Vec<usize> = (0..members.len()).filter(|&index| wants(members[index], topic)).collect();
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
