//! The sticky assignor for members that want different topics.

use std::collections::BTreeSet;

use super::sticky::{Claims, Partitions, Place};
use super::{Subscriber, wants};

/// Owners keep, the rest goes to the member with least; then partitions move wherever a move evens two members
/// out, new ones before those that somebody owns.
pub(super) fn deal_uneven(members: &[&Subscriber], partitions: &Partitions<'_>, claims: &Claims) -> Vec<Vec<Place>> {
    let mut shares = Shares::new(members, partitions, claims);
    let order = fewest_readers_first(&shares, partitions);
    let fresh: Vec<Place> = order.iter().copied().filter(|&place| shares.owners[place].is_none()).collect();
    for &place in &fresh {
        let least = shares.least_for(partitions.topic_at(place));
        shares.give(place, least);
    }
    shares.even_out(&fresh, partitions);
    shares.even_out(&order, partitions);
    let mut dealt = vec![Vec::new(); members.len()];
    for (place, owner) in shares.owners.iter().enumerate() {
        if let Some(owner) = owner {
            dealt[*owner].push(place);
        }
    }
    dealt
}

/// Partitions that somebody wants; those that few want come first, as they leave least choice.
fn fewest_readers_first(shares: &Shares, partitions: &Partitions<'_>) -> Vec<Place> {
    let mut topics: Vec<usize> = (0..partitions.topics.len()).filter(|&topic| !shares.readers[topic].is_empty()).collect();
    topics.sort_by_key(|&topic| shares.readers[topic].len());
    topics.into_iter().flat_map(|topic| partitions.starts[topic]..partitions.starts[topic + 1]).collect()
}

struct Shares {
    /// Who wants each topic.
    readers: Vec<BTreeSet<usize>>,
    owners: Vec<Option<usize>>,
    counts: Vec<usize>,
    /// Members by what they have: (count, member).
    ranking: BTreeSet<(usize, usize)>,
}

impl Shares {
    fn new(members: &[&Subscriber], partitions: &Partitions<'_>, claims: &Claims) -> Self {
        let readers =
            partitions.topics.iter().map(|(topic, _)| (0..members.len()).filter(|&index| wants(members[index], *topic)).collect());
        let mut owners = vec![None; partitions.count()];
        for (member, owned) in claims.by_member.iter().enumerate() {
            owned.iter().for_each(|&place| owners[place] = Some(member));
        }
        let counts: Vec<usize> = claims.by_member.iter().map(Vec::len).collect();
        let ranking = counts.iter().copied().zip(0..).collect();
        Self { readers: readers.collect(), owners, counts, ranking }
    }

    /// Of those who want a topic, who has least.
    fn least_for(&self, topic: usize) -> usize {
        let readers = &self.readers[topic];
        self.ranking.iter().map(|entry| entry.1).find(|member| readers.contains(member)).expect("somebody wants every topic dealt out")
    }

    fn give(&mut self, place: Place, to: usize) {
        if let Some(from) = self.owners[place].replace(to) {
            self.count(from, self.counts[from] - 1);
        }
        self.count(to, self.counts[to] + 1);
    }

    fn count(&mut self, member: usize, count: usize) {
        self.ranking.remove(&(self.counts[member], member));
        self.counts[member] = count;
        self.ranking.insert((count, member));
    }

    /// Moves partitions to members that have two or more less, until there is none. It ends: each move lowers the sum of squares.
    fn even_out(&mut self, order: &[Place], partitions: &Partitions<'_>) {
        loop {
            let mut moved = false;
            for &place in order {
                let Some(owner) = self.owners[place] else { continue };
                let least = self.least_for(partitions.topic_at(place));
                if self.counts[owner] > self.counts[least] + 1 {
                    self.give(place, least);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }
}
