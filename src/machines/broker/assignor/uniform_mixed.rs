//! The uniform assignor for members that want different topics.
//!
//! ```text
//! keep what is still wanted ─► free partitions to who has least ─► from who has most to who has least, topic by topic
//! ```
//!
//! Source: `UniformHeterogeneousAssignmentBuilder`, tie for tie: topics with many partitions for each reader come first,
//! then those with few readers.

use super::sticky::{Partitions, Place};
use super::uniform::kept;
use super::{Subscriber, wants};

/// Rounds over all topics that even shares out.
const ROUNDS_MAX: usize = 16;

/// What each member gets.
pub(super) fn deal_mixed(members: &[&Subscriber], partitions: &Partitions<'_>) -> Vec<Vec<Place>> {
    let mut shares = Shares::new(members, partitions);
    let order = shares.topics_in_order();
    for &topic in &order {
        shares.deal_free(topic);
    }
    shares.even_out(&order);
    let mut dealt = vec![Vec::new(); members.len()];
    for (place, owner) in shares.owners.iter().enumerate() {
        if let Some(owner) = owner {
            dealt[*owner].push(place);
        }
    }
    dealt
}

struct Shares<'a> {
    partitions: &'a Partitions<'a>,
    /// Members that want each topic, in order.
    readers: Vec<Vec<usize>>,
    owners: Vec<Option<usize>>,
    counts: Vec<usize>,
}

impl<'a> Shares<'a> {
    fn new(members: &[&Subscriber], partitions: &'a Partitions<'a>) -> Self {
        let readers = partitions.topics.iter().map(|(topic, _)| (0..members.len()).filter(|&at| wants(members[at], *topic)).collect());
        let mut owners = vec![None; partitions.count()];
        for (number, member) in members.iter().enumerate() {
            kept(member, partitions).into_iter().for_each(|place| owners[place] = Some(number));
        }
        let mut counts = vec![0; members.len()];
        owners.iter().flatten().for_each(|owner: &usize| counts[*owner] += 1);
        Self { partitions, readers: readers.collect(), owners, counts }
    }

    /// Topics that somebody wants: most partitions for each reader first, then fewest readers.
    fn topics_in_order(&self) -> Vec<usize> {
        let mut topics: Vec<usize> = (0..self.readers.len()).filter(|&topic| !self.readers[topic].is_empty()).collect();
        let size = |topic: usize| (self.places(topic).len(), self.readers[topic].len());
        topics.sort_by(|&one, &other| {
            let ((partitions, readers), (other_partitions, other_readers)) = (size(one), size(other));
            let more_for_each = (other_partitions * readers).cmp(&(partitions * other_readers));
            more_for_each.then(readers.cmp(&other_readers))
        });
        topics
    }

    fn places(&self, topic: usize) -> std::ops::Range<Place> {
        self.partitions.starts[topic]..self.partitions.starts[topic + 1]
    }

    fn deal_free(&mut self, topic: usize) {
        let mut levels = Levels::new(&self.readers[topic], &self.counts);
        for place in self.places(topic).filter(|&place| self.owners[place].is_none()).collect::<Vec<_>>() {
            let least = levels.next_least(&self.counts);
            self.give(place, least);
        }
    }

    fn give(&mut self, place: Place, to: usize) {
        if let Some(from) = self.owners[place].replace(to) {
            self.counts[from] -= 1;
        }
        self.counts[to] += 1;
    }

    /// Goes over the topics until none of them can be evened out any more, or it has taken long enough.
    fn even_out(&mut self, order: &[usize]) {
        let shared: Vec<usize> = order.iter().copied().filter(|&topic| self.readers[topic].len() >= 2).collect();
        let mut last_changed = None;
        for _ in 0..ROUNDS_MAX {
            for &topic in &shared {
                if last_changed == Some(topic) {
                    return;
                }
                if self.even_out_topic(topic) || last_changed.is_none() {
                    last_changed = Some(topic);
                }
            }
        }
    }

    /// Moves partitions of one topic from readers with most to readers with least. True when any moved.
    fn even_out_topic(&mut self, topic: usize) -> bool {
        let mut levels = Levels::new(&self.readers[topic], &self.counts);
        if levels.is_even(&self.counts) {
            return false;
        }
        // What each member may give: its last partition first.
        let mut to_give: Vec<Vec<Place>> = vec![Vec::new(); self.counts.len()];
        for place in self.places(topic) {
            if let Some(owner) = self.owners[place] {
                to_give[owner].push(place);
            }
        }
        let mut moved = false;
        while let Some(most) = levels.next_most(&self.counts, &to_give) {
            let least = levels.next_least(&self.counts);
            if levels.is_balanced() {
                break;
            }
            if let Some(place) = to_give[most].pop() {
                self.give(place, least);
                moved = true;
            }
        }
        moved
    }
}

/// Members of one topic by how much they have: a range that is filled up from below, and one that is worn down from above.
///
/// Within a range everybody gets (or gives) one before anybody gets a second; when all have, the level moves by one and
/// the range takes in those who stand there.
struct Levels {
    sorted: Vec<usize>,
    least_end: usize,
    least_level: isize,
    next_least: usize,
    most_start: usize,
    most_end: usize,
    most_level: isize,
    /// One past the next to give.
    next_most: usize,
}

impl Levels {
    fn new(readers: &[usize], counts: &[usize]) -> Self {
        let mut sorted = readers.to_vec();
        sorted.sort_by_key(|&member| (counts[member], member));
        let count = |at: usize| sorted.get(at).map_or(0, |&member| counts[member] as isize);
        let (end, first, last) = (sorted.len(), count(0), count(sorted.len().saturating_sub(1)));
        Self {
            least_end: 0,
            least_level: first - 1,
            next_least: 0,
            most_start: end,
            most_end: end,
            most_level: last + 1,
            next_most: end,
            sorted,
        }
    }

    /// Whether nobody has two more than another.
    fn is_even(&self, counts: &[usize]) -> bool {
        let (first, last) = (self.sorted.first(), self.sorted.last());
        first.zip(last).is_none_or(|(first, last)| counts[*last] - counts[*first] <= 1)
    }

    fn is_balanced(&self) -> bool {
        self.most_level - self.least_level <= 1
    }

    /// Who gets the next partition.
    fn next_least(&mut self, counts: &[usize]) -> usize {
        if self.next_least >= self.least_end {
            self.least_level += 1;
            while self.least_end < self.sorted.len() && counts[self.sorted[self.least_end]] as isize == self.least_level {
                self.least_end += 1;
            }
            self.next_least = 0;
        }
        self.next_least += 1;
        self.sorted[self.next_least - 1]
    }

    /// Who gives the next partition; none when nobody has one to give.
    fn next_most(&mut self, counts: &[usize], to_give: &[Vec<Place>]) -> Option<usize> {
        loop {
            if self.next_most <= self.most_start {
                self.widen(counts);
            }
            if self.next_most == 0 {
                return None;
            }
            self.next_most -= 1;
            let member = self.sorted[self.next_most];
            if !to_give[member].is_empty() {
                return Some(member);
            }
            // It has nothing of this topic: out of the range, whose end takes its place.
            self.most_end -= 1;
            self.sorted.swap(self.next_most, self.most_end);
        }
    }

    /// Everybody in the upper range has given one.
    fn widen(&mut self, counts: &[usize]) {
        self.most_level = match self.most_start.checked_sub(1) {
            Some(below) if self.most_end <= self.most_start => counts[self.sorted[below]] as isize,
            _ => self.most_level - 1,
        };
        while self.most_start > 0 && counts[self.sorted[self.most_start - 1]] as isize == self.most_level {
            self.most_start -= 1;
        }
        self.next_most = self.most_end;
    }
}
