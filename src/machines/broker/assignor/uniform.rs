//! `UniformAssignor` of the consumer protocol: even shares, then few moves.
//!
//! Where all members want the same topics a member keeps its last target up to its share. The larger shares go to the
//! first members, whoever holds more now: so a partition may move though the shares were even, as it does in Kafka 4.0.
//! Source: `UniformHomogeneousAssignmentBuilder`. Where members want different topics: `uniform_mixed.rs`.

use super::sticky::{Partitions, Place, are_alike};
use super::uniform_mixed::deal_mixed;
use super::{Assignment, Subscriber, wants};
use crate::units::TopicIx;

/// Even shares that keep what members were to have.
pub(super) fn assign(members: &[&Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let partitions = Partitions::of(topics);
    let dealt = if are_alike(members) { deal_alike(members, &partitions) } else { deal_mixed(members, &partitions) };
    partitions.name(members, dealt)
}

/// What a member was to have and still wants, in order.
pub(super) fn kept(member: &Subscriber, partitions: &Partitions<'_>) -> Vec<Place> {
    let mut kept: Vec<Place> = member.1.owned.iter().filter(|one| wants(member, one.0)).filter_map(|one| partitions.place(*one)).collect();
    kept.sort_unstable();
    kept
}

fn deal_alike(members: &[&Subscriber], partitions: &Partitions<'_>) -> Vec<Vec<Place>> {
    let Some(first) = members.first() else { return Vec::new() };
    let topics = (0..partitions.topics.len()).filter(|&at| wants(first, partitions.topics[at].0));
    let wanted: Vec<Place> = topics.flat_map(|at| partitions.starts[at]..partitions.starts[at + 1]).collect();
    let (share, larger_shares) = (wanted.len() / members.len(), wanted.len() % members.len());
    let mut is_kept = vec![false; partitions.count()];
    let (mut dealt, mut surplus, mut short) = (Vec::with_capacity(members.len()), Vec::new(), Vec::new());
    for (number, member) in members.iter().enumerate() {
        let quota = share + usize::from(number < larger_shares);
        let mut keeps = kept(member, partitions);
        keeps.iter().for_each(|&place| is_kept[place] = true);
        surplus.extend(keeps.split_off(quota.min(keeps.len())));
        if keeps.len() < quota {
            short.push((number, quota - keeps.len()));
        }
        dealt.push(keeps);
    }
    let mut free = wanted.into_iter().filter(|place| !is_kept[*place]).chain(surplus);
    for (number, missing) in short {
        dealt[number].extend(free.by_ref().take(missing));
    }
    dealt
}
