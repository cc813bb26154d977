//! `StickyAssignor`: as even as can be, then as few moves as can be.

use std::collections::VecDeque;
use std::sync::Arc;

use super::sticky_uneven::deal_uneven;
use super::{Assignment, Subscriber, wants};
use crate::units::TopicIx;

/// A partition's place in the list of all: topics in order, the partitions of each in order.
pub(super) type Place = usize;

/// Even shares that keep what members own.
pub(super) fn assign(members: &[&Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let partitions = Partitions::of(topics);
    let claims = Claims::of(members, &partitions);
    let dealt = deal(members, &partitions, &claims);
    partitions.name(members, dealt)
}

/// What each member gets, by places.
pub(super) fn deal(members: &[&Subscriber], partitions: &Partitions<'_>, claims: &Claims) -> Vec<Vec<Place>> {
    if are_alike(members) { deal_even(members, partitions, claims) } else { deal_uneven(members, partitions, claims) }
}

/// Whether all members want the same topics.
pub(super) fn are_alike(members: &[&Subscriber]) -> bool {
    members.windows(2).all(|pair| same_topics(&pair[0].1.topics, &pair[1].1.topics))
}

fn same_topics(one: &[TopicIx], other: &[TopicIx]) -> bool {
    one == other || (one.iter().all(|topic| other.contains(topic)) && other.iter().all(|topic| one.contains(topic)))
}

/// Every partition, numbered.
pub(super) struct Partitions<'a> {
    pub topics: &'a [(TopicIx, u32)],
    /// The first place of each topic, and one past the last of all.
    pub starts: Vec<Place>,
}

impl<'a> Partitions<'a> {
    pub fn of(topics: &'a [(TopicIx, u32)]) -> Self {
        let mut starts = vec![0];
        for (_, count) in topics {
            starts.push(starts[starts.len() - 1] + *count as usize);
        }
        Self { topics, starts }
    }

    pub fn count(&self) -> usize {
        self.starts[self.topics.len()]
    }

    pub fn place(&self, (topic, partition): (TopicIx, u32)) -> Option<Place> {
        let at = self.topics.iter().position(|(other, count)| *other == topic && partition < *count)?;
        Some(self.starts[at] + partition as usize)
    }

    /// The topic of a place, as a place in `topics`.
    pub fn topic_at(&self, place: Place) -> usize {
        self.starts.partition_point(|start| *start <= place) - 1
    }

    pub fn name(&self, members: &[&Subscriber], dealt: Vec<Vec<Place>>) -> Assignment {
        let named = |place: Place| {
            let at = self.topic_at(place);
            (self.topics[at].0, (place - self.starts[at]) as u32)
        };
        let lists = dealt.into_iter().map(|places| places.into_iter().map(named).collect());
        members.iter().map(|(id, _)| Arc::clone(id)).zip(lists).collect()
    }
}

/// What members own by right: claims of the newest generation, to partitions that they still want and that
/// nobody else claims.
pub(super) struct Claims {
    pub by_member: Vec<Vec<Place>>,
}

impl Claims {
    pub fn of(members: &[&Subscriber], partitions: &Partitions<'_>) -> Self {
        let newest = members.iter().map(|member| member.1.generation).max().flatten();
        let mut claimants = vec![0u32; partitions.count()];
        let mut by_member: Vec<Vec<Place>> = Vec::with_capacity(members.len());
        for member in members {
            let mut owned = Vec::new();
            if member.1.generation == newest {
                let wanted = member.1.owned.iter().filter(|one| wants(member, one.0));
                owned.extend(wanted.filter_map(|one| partitions.place(*one)));
            }
            owned.iter().for_each(|&place| claimants[place] += 1);
            by_member.push(owned);
        }
        // Two owners of one generation: something went wrong, neither is believed.
        by_member.iter_mut().for_each(|owned| owned.retain(|&place| claimants[place] == 1));
        Self { by_member }
    }
}

/// All members want the same topics: shares differ by one at most, and who owns keeps up to its share.
fn deal_even(members: &[&Subscriber], partitions: &Partitions<'_>, claims: &Claims) -> Vec<Vec<Place>> {
    let Some(first) = members.first() else { return Vec::new() };
    let wanted = (0..partitions.topics.len()).filter(|&at| wants(first, partitions.topics[at].0));
    let wanted: Vec<Place> = wanted.flat_map(|at| partitions.starts[at]..partitions.starts[at + 1]).collect();
    let share = wanted.len() / members.len();
    let mut larger_shares = wanted.len() % members.len();
    let mut taken = vec![false; partitions.count()];
    let mut dealt: Vec<Vec<Place>> = Vec::with_capacity(members.len());
    // Members with less than a share, then those with just a share, get what is left.
    let (mut short, mut even) = (VecDeque::new(), VecDeque::new());
    for (member, owned) in claims.by_member.iter().enumerate() {
        let mut keep = owned.len().min(share);
        if owned.len() > share && larger_shares > 0 {
            larger_shares -= 1;
            keep += 1;
        } else if owned.len() < share {
            short.push_back(member);
        } else {
            even.push_back(member);
        }
        owned[..keep].iter().for_each(|&place| taken[place] = true);
        dealt.push(owned[..keep].to_vec());
    }
    for place in wanted.into_iter().filter(|&place| !taken[place]) {
        let Some(member) = short.pop_front().or_else(|| even.pop_front()) else { break };
        dealt[member].push(place);
        if dealt[member].len() < share {
            short.push_back(member);
        } else if dealt[member].len() == share {
            even.push_back(member);
        }
    }
    dealt
}
