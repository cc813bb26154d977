//! Most pairs between two sets, by Hopcroft and Karp (1973).

use std::collections::VecDeque;

const FREE: u32 = u32::MAX;

/// For each on the left its partner on the right. `edges` are in order of preference, which holds where it costs no pair.
pub(super) fn maximum(edges: &[Vec<u32>], right_count: usize) -> Vec<Option<u32>> {
    let mut pairs = Pairs { edges, of_left: vec![FREE; edges.len()], of_right: vec![FREE; right_count], layer: vec![0; edges.len()] };
    pairs.take_what_is_free();
    while pairs.layers() {
        for left in 0..edges.len() {
            if pairs.of_left[left] == FREE {
                pairs.augment(left);
            }
        }
    }
    pairs.of_left.into_iter().map(|right| (right != FREE).then_some(right)).collect()
}

struct Pairs<'a> {
    edges: &'a [Vec<u32>],
    of_left: Vec<u32>,
    of_right: Vec<u32>,
    /// How many changes away from a free one on the left.
    layer: Vec<u32>,
}

impl Pairs<'_> {
    fn take_what_is_free(&mut self) {
        for (left, edges) in self.edges.iter().enumerate() {
            if let Some(right) = edges.iter().find(|right| self.of_right[**right as usize] == FREE) {
                self.of_left[left] = *right;
                self.of_right[*right as usize] = left as u32;
            }
        }
    }

    /// Numbers the left by distance; whether a free one on the right is in reach.
    fn layers(&mut self) -> bool {
        let mut queue = VecDeque::new();
        for left in 0..self.edges.len() {
            let is_free = self.of_left[left] == FREE;
            self.layer[left] = if is_free { 0 } else { FREE };
            if is_free {
                queue.push_back(left);
            }
        }
        let mut is_reached = false;
        while let Some(left) = queue.pop_front() {
            for right in &self.edges[left] {
                match self.of_right[*right as usize] {
                    FREE => is_reached = true,
                    next if self.layer[next as usize] == FREE => {
                        self.layer[next as usize] = self.layer[left] + 1;
                        queue.push_back(next as usize);
                    }
                    _ => {}
                }
            }
        }
        is_reached
    }

    fn augment(&mut self, left: usize) -> bool {
        for at in 0..self.edges[left].len() {
            let right = self.edges[left][at] as usize;
            let next = self.of_right[right];
            if next == FREE || (self.layer[next as usize] == self.layer[left] + 1 && self.augment(next as usize)) {
                self.of_left[left] = right as u32;
                self.of_right[right] = left as u32;
                return true;
            }
        }
        self.layer[left] = FREE;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest matching by trying everything.
    fn by_force(edges: &[Vec<u32>], taken: &mut Vec<u32>) -> usize {
        let Some((first, rest)) = edges.split_first() else { return 0 };
        let mut most = by_force(rest, taken);
        for right in first {
            if !taken.contains(right) {
                taken.push(*right);
                most = most.max(1 + by_force(rest, taken));
                taken.pop();
            }
        }
        most
    }

    #[test]
    fn as_many_pairs_as_can_be() {
        let mut rng = crate::random::Stream::new(3, "matching", "tests");
        for _ in 0..500 {
            let (left, right) = (rng.below(6) as usize, 1 + rng.below(6));
            let edges: Vec<Vec<u32>> = (0..left).map(|_| (0..right as u32).filter(|_| rng.below(3) == 0).collect()).collect();
            let pairs = maximum(&edges, right as usize);
            let mut used: Vec<u32> = pairs.iter().flatten().copied().collect();
            assert_eq!(used.len(), by_force(&edges, &mut Vec::new()), "{edges:?}");
            assert!(pairs.iter().enumerate().all(|(at, partner)| partner.is_none_or(|partner| edges[at].contains(&partner))));
            used.sort_unstable();
            used.dedup();
            assert_eq!(used.len(), pairs.iter().flatten().count());
        }
    }
}
