//! The calendar: what is due next, in the total order (time, then sequence of scheduling).
//!
//! A radix heap over whole nanoseconds (Ahuja, Mehlhorn, Orlin, Tarjan 1990): bucket k holds what differs
//! from the last popped instant first at bit k−1. It asks for two things a simulation gives anyway: whole
//! numbers, and no push into the past. Measured beside a binary and a 4-ary heap in `tests/bench/engine.rs`.
//!
//! Few pending items stand in one short list, the soonest last: there a scan beats any heap. More than [`FEW_MAX`] move into
//! the buckets, and come back when few are left.
//!
//! Equal instants keep their order without a sequence number: two entries with the same instant always
//! share a bucket (its number depends only on the instant and on bits of the last popped instant that no
//! pop below it changes), and every move between buckets keeps their order.

use crate::units::SimTime;

const BUCKETS: usize = 65;
/// Items that are kept in the short list at most.
const FEW_MAX: usize = 128;
/// So many left in the buckets come back to the short list.
const FEW_AGAIN: usize = 48;

/// A monotone priority queue, first in first out within an instant.
#[derive(Clone, Debug)]
pub struct Calendar<T> {
    /// The latest first; of equal instants the one scheduled first stands last. Everything is here, or nothing.
    few: Vec<(u64, T)>,
    is_few: bool,
    /// `buckets[0]` holds what is due at `last`, read from `head` on.
    buckets: [Vec<(u64, T)>; BUCKETS],
    head: usize,
    /// Bit k is set when `buckets[k + 1]` holds something.
    occupied: u64,
    last: u64,
    len: usize,
    len_max: usize,
}

impl<T> Default for Calendar<T> {
    fn default() -> Self {
        Self {
            few: Vec::new(),
            is_few: true,
            buckets: std::array::from_fn(|_| Vec::new()),
            head: 0,
            occupied: 0,
            last: 0,
            len: 0,
            len_max: 0,
        }
    }
}

impl<T: Clone> Calendar<T> {
    /// Schedules `item` at `at`. An instant before the last popped one is a defect of the caller.
    #[inline]
    pub fn push(&mut self, at: SimTime, item: T) {
        let at = at.as_ns();
        assert!(at >= self.last, "scheduled into the past");
        self.len += 1;
        self.len_max = self.len_max.max(self.len);
        if self.is_few && self.len <= FEW_MAX {
            let behind = self.few.iter().rev().take_while(|(other, _)| *other <= at).count();
            self.few.insert(self.few.len() - behind, (at, item));
            return;
        }
        if self.is_few {
            self.spread();
        }
        self.put(at, item);
    }

    fn put(&mut self, at: u64, item: T) {
        let bucket = bucket_of(at, self.last);
        self.buckets[bucket].push((at, item));
        if bucket > 0 {
            self.occupied |= 1 << (bucket - 1);
        }
    }

    /// The short list is full: its items go into the buckets, in their order.
    #[cold]
    fn spread(&mut self) {
        self.is_few = false;
        let mut few = std::mem::take(&mut self.few);
        while let Some((at, item)) = few.pop() {
            self.put(at, item);
        }
        self.few = few;
    }

    /// Few are left: they come back into the short list, in their order.
    #[cold]
    fn gather(&mut self) {
        let (mut few, last, len) = (std::mem::take(&mut self.few), self.last, self.len);
        while let Some((at, item)) = self.pop_bucket(u64::MAX) {
            few.push((at.as_ns(), item));
        }
        few.reverse();
        // Taking them out moved the calendar on; in the list nothing depends on it but the guard against the past.
        (self.few, self.is_few, self.last, self.len) = (few, true, last, len);
    }

    /// The next item due at or before `limit`; looking does not move the calendar past `limit`, so that
    /// inputs of a paused run may still be scheduled from there on.
    #[inline]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<(SimTime, T)> {
        if !self.is_few && self.len <= FEW_AGAIN {
            self.gather();
        }
        if !self.is_few {
            return self.pop_bucket(limit.as_ns());
        }
        let (at, item) = self.few.pop_if(|(at, _)| *at <= limit.as_ns())?;
        self.last = at;
        self.len -= 1;
        Some((SimTime::from_ns(at), item))
    }

    fn pop_bucket(&mut self, limit: u64) -> Option<(SimTime, T)> {
        if self.head >= self.buckets[0].len() {
            let bucket = self.lowest()?;
            if let [(at, _)] = self.buckets[bucket][..] {
                return if at > limit { None } else { self.pop_only(bucket) };
            }
            if !self.refill(bucket, limit) {
                return None;
            }
        }
        if self.last > limit {
            return None;
        }
        let (at, item) = self.buckets[0][self.head].clone();
        self.head += 1;
        if self.head == self.buckets[0].len() {
            self.buckets[0].clear();
            self.head = 0;
        }
        self.len -= 1;
        Some((SimTime::from_ns(at), item))
    }

    /// The only item of the lowest bucket needs no way through bucket 0.
    #[inline]
    fn pop_only(&mut self, bucket: usize) -> Option<(SimTime, T)> {
        let (at, item) = self.buckets[bucket].pop()?;
        self.occupied &= !(1 << (bucket - 1));
        self.last = at;
        self.len -= 1;
        Some((SimTime::from_ns(at), item))
    }

    /// When the next item is due.
    #[must_use]
    pub fn next_at(&self) -> Option<SimTime> {
        if self.is_few {
            return self.few.last().map(|(at, _)| SimTime::from_ns(*at));
        }
        if self.head < self.buckets[0].len() {
            return Some(SimTime::from_ns(self.last));
        }
        let bucket = self.lowest()?;
        self.buckets[bucket].iter().map(|(at, _)| SimTime::from_ns(*at)).min()
    }

    /// Whether an item pushed at `at` would be the next to be popped; false also where it is not known at once.
    #[inline]
    #[must_use]
    pub fn would_be_next(&self, at: SimTime) -> bool {
        let none_now =
            if self.is_few { self.few.last().is_none_or(|(due, _)| *due > self.last) } else { self.head >= self.buckets[0].len() };
        at.as_ns() == self.last && none_now
    }
    /// Pending items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Most items that were pending at once.
    #[must_use]
    pub fn len_max(&self) -> usize {
        self.len_max
    }

    fn lowest(&self) -> Option<usize> {
        (self.occupied != 0).then(|| self.occupied.trailing_zeros() as usize + 1)
    }

    /// Moves what is due next from the lowest bucket into bucket 0; false when nothing is due until `limit`.
    fn refill(&mut self, bucket: usize, limit: u64) -> bool {
        let least = self.buckets[bucket].iter().map(|(at, _)| *at).min().expect("an occupied bucket holds something");
        if least > limit {
            return false;
        }
        self.last = least;
        self.occupied &= !(1 << (bucket - 1));
        let mut moving = std::mem::take(&mut self.buckets[bucket]);
        for (at, item) in moving.drain(..) {
            let lower = bucket_of(at, least);
            self.buckets[lower].push((at, item));
            if lower > 0 {
                self.occupied |= 1 << (lower - 1);
            }
        }
        // The allocation stays with its bucket: a steady run allocates nothing.
        self.buckets[bucket] = moving;
        true
    }
}

#[inline]
fn bucket_of(at: u64, last: u64) -> usize {
    (64 - (at ^ last).leading_zeros()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against a sorted map keyed by (time, sequence), with pops limited at random.
        #[test]
        fn agrees_with_a_sorted_map(ops in prop::collection::vec((0u64..5_000, 0u8..4), 1..600), drains in 1usize..300) {
            let mut calendar = Calendar::default();
            let mut oracle = std::collections::BTreeMap::new();
            let mut now = 0;
            for (seq, (delta, op)) in ops.into_iter().enumerate() {
                // Whole stretches of pushes and of pops walk through both ways to keep items.
                let pushes = if (seq / drains) % 2 == 0 { op < 3 } else { op < 1 };
                if pushes {
                    let at = SimTime::from_ns(now + delta / 10);
                    let is_first = oracle.first_key_value().is_none_or(|((first, _), _)| *first > at.as_ns());
                    prop_assert!(!calendar.would_be_next(at) || is_first);
                    calendar.push(SimTime::from_ns(now + delta / 10), seq);
                    oracle.insert((now + delta / 10, seq), seq);
                } else {
                    let limit = now + delta;
                    let expected = oracle.first_key_value().filter(|((at, _), _)| *at <= limit).map(|((at, _), seq)| (SimTime::from_ns(*at), *seq));
                    prop_assert_eq!(calendar.next_at().map(SimTime::as_ns), oracle.first_key_value().map(|((at, _), _)| *at));
                    prop_assert_eq!(calendar.pop_until(SimTime::from_ns(limit)), expected);
                    if let Some((at, _)) = expected {
                        oracle.pop_first();
                        now = at.as_ns();
                    }
                }
                prop_assert_eq!(calendar.len(), oracle.len());
            }
        }
    }
}
