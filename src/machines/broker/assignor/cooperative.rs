//! `CooperativeStickyAssignor`: nobody gets a partition before its owner has let go of it.

use std::collections::BTreeMap;

use super::sticky::{Claims, Partitions, deal};
use super::{Assignment, Subscriber};
use crate::units::TopicIx;

/// The sticky assignment without the partitions that move between two members: their owners see that they are
/// gone, let go and join again, and the next round hands them over.
pub(super) fn assign(members: &[&Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let partitions = Partitions::of(topics);
    let claims = Claims::of(members, &partitions);
    let mut owner_of = BTreeMap::new();
    for (member, owned) in claims.by_member.iter().enumerate() {
        owner_of.extend(owned.iter().map(|&partition| (partition, member)));
    }
    let mut dealt = deal(members, &partitions, &claims);
    for (member, partitions) in dealt.iter_mut().enumerate() {
        partitions.retain(|partition| owner_of.get(partition).is_none_or(|owner| *owner == member));
    }
    partitions.name(members, dealt)
}
