//! Which visible message comes next: the oldest more or less on a standard queue, by message group on FIFO.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::random::Stream;

/// A message handed out of order is one of this many oldest.
const DISORDER_DEPTH: u64 = 10;
/// Servers over which a standard queue's messages lie, one bit each.
const SHARDS: u32 = 16;

/// The servers that one receive asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shards(u16);

impl Shards {
    /// A long poll asks all of them.
    pub const ALL: Self = Self(u16::MAX);

    /// A short poll asks some, one at least.
    pub fn sampled(share: f64, rng: &mut Stream) -> Self {
        if share >= 1.0 {
            return Self::ALL;
        }
        let certain = 1 << rng.below(u64::from(SHARDS));
        Self((0..SHARDS).filter(|_| rng.chance(share)).fold(certain, |mask, shard| mask | 1 << shard))
    }
    fn has(self, number: u64) -> bool {
        // Fibonacci hashing: neighbours lie on different servers.
        let shard = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SHARDS.ilog2());
        self.0 >> shard & 1 == 1
    }
}

/// The visible messages.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Standard(BTreeSet<u64>),
    Fifo(Groups),
}

/// Message groups of a FIFO queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<Bytes, Group>,
    /// Groups with a visible message and nothing in flight, by their oldest message.
    free: BTreeMap<u64, Bytes>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    visible: BTreeSet<u64>,
    in_flight: u32,
}

impl Order {
    /// The next message for a receive that has taken from `group` last (a FIFO receive goes on in its group).
    pub fn next(&self, group: &mut Option<Bytes>, shards: Shards, disorder: Option<&mut Stream>) -> Option<u64> {
        match self {
            Self::Standard(visible) => {
                let mut asked = visible.iter().copied().filter(|number| shards.has(*number));
                let Some(rng) = disorder else { return asked.next() };
                let oldest: Vec<u64> = asked.take(DISORDER_DEPTH as usize).collect();
                oldest.get(rng.below(oldest.len() as u64) as usize).copied()
            }
            Self::Fifo(groups) => {
                let same = group.as_ref().and_then(|name| groups.groups.get(name)?.visible.first().copied());
                same.or_else(|| {
                    let (number, name) = groups.free.first_key_value()?;
                    *group = Some(name.clone());
                    Some(*number)
                })
            }
        }
    }
    /// A message becomes visible; `was_in_flight` when its receive has run out.
    pub fn show(&mut self, number: u64, group: Option<&Bytes>, was_in_flight: bool) {
        self.change(group, |visible, in_flight| {
            visible.insert(number);
            *in_flight -= u32::from(was_in_flight);
        });
    }
    /// A visible message is handed out.
    pub fn hide(&mut self, number: u64, group: Option<&Bytes>) {
        self.change(group, |visible, in_flight| {
            visible.remove(&number);
            *in_flight += 1;
        });
    }
    /// A message is gone.
    pub fn forget(&mut self, number: u64, group: Option<&Bytes>, was_in_flight: bool) {
        self.change(group, |visible, in_flight| {
            visible.remove(&number);
            *in_flight -= u32::from(was_in_flight);
        });
    }

    fn change(&mut self, group: Option<&Bytes>, change: impl FnOnce(&mut BTreeSet<u64>, &mut u32)) {
        match self {
            // Only groups are blocked by what is in flight; any number does here.
            Self::Standard(visible) => change(visible, &mut 1),
            Self::Fifo(groups) => groups.change(group.cloned().unwrap_or_default(), change),
        }
    }
}

impl Groups {
    fn change(&mut self, name: Bytes, change: impl FnOnce(&mut BTreeSet<u64>, &mut u32)) {
        let group = self.groups.entry(name.clone()).or_default();
        if let Some(oldest) = group.visible.first() {
            self.free.remove(oldest);
        }
        change(&mut group.visible, &mut group.in_flight);
        match (group.visible.first(), group.in_flight) {
            (Some(oldest), 0) => {
                self.free.insert(*oldest, name);
            }
            (None, 0) => {
                self.groups.remove(&name);
            }
            _ => {}
        }
    }
}
