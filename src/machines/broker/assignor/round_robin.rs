//! `RoundRobinAssignor`.

use super::{Assignment, Subscriber, nothing_for, wants};
use crate::units::TopicIx;

/// One partition after another to one member after another; who does not want it is skipped.
pub(super) fn assign(members: &[&Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let mut assigned = nothing_for(members);
    let mut turn = 0;
    for &(topic, partitions) in topics {
        let wanted: Vec<bool> = members.iter().map(|member| wants(member, topic)).collect();
        if !wanted.contains(&true) {
            continue;
        }
        for partition in 0..partitions {
            while !wanted[turn] {
                turn = (turn + 1) % members.len();
            }
            assigned[turn].1.push((topic, partition));
            turn = (turn + 1) % members.len();
        }
    }
    assigned
}
