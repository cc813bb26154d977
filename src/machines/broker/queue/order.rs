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

/// A tenant of a standard queue is noisy with at least so many messages in flight,
const NOISY_IN_FLIGHT_MIN: u32 = 30;
/// which are more than one in so many of all.
const NOISY_SHARE_ONE_IN: u32 = 10;

/// The visible messages.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Standard(Standard),
    Fifo(Groups),
}

/// A standard queue: the oldest first, more or less. Where messages name their group it is fair: what a noisy tenant
/// has waiting comes after all others' messages.
///
/// Source: docs.aws.amazon.com/AWSSimpleQueueService, sqs-fair-queues-detailed. SQS also counts the time that a
/// tenant's messages take; here only those in flight count.
#[derive(Clone, Debug)]
pub(super) struct Standard {
    visible: BTreeSet<u64>,
    in_flight: u32,
    /// Visible messages without a group: each is a tenant of its own.
    loners: BTreeSet<u64>,
    tenants: Groups,
    /// Tenants with enough in flight to be noisy.
    heavy: BTreeSet<Bytes>,
}

/// Message groups.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    groups: BTreeMap<Bytes, Group>,
    /// Groups from which a message may be taken, by their oldest visible message.
    free: BTreeMap<u64, Bytes>,
    /// FIFO: a group with a message in flight gives no other.
    blocks: bool,
}

#[derive(Clone, Debug, Default)]
struct Group {
    visible: BTreeSet<u64>,
    in_flight: u32,
}

impl Order {
    pub fn new(is_fifo: bool) -> Self {
        if is_fifo { Self::Fifo(Groups::new(true)) } else { Self::Standard(Standard::new()) }
    }
    /// The next message for a receive that has taken from `group` last (a FIFO receive goes on in its group).
    pub fn next(&self, group: &mut Option<Bytes>, shards: Shards, disorder: Option<&mut Stream>) -> Option<u64> {
        match self {
            Self::Standard(standard) => {
                let Some(rng) = disorder else { return standard.candidates(shards, 1).first().copied() };
                let oldest = standard.candidates(shards, DISORDER_DEPTH as usize);
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

    fn change(&mut self, group: Option<&Bytes>, change: impl Fn(&mut BTreeSet<u64>, &mut u32)) {
        match self {
            Self::Standard(standard) => standard.change(group, change),
            Self::Fifo(groups) => {
                groups.change(group.cloned().unwrap_or_default(), change);
            }
        }
    }
}

impl Standard {
    fn new() -> Self {
        let (visible, loners, heavy) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { visible, in_flight: 0, loners, tenants: Groups::new(false), heavy }
    }

    fn change(&mut self, group: Option<&Bytes>, change: impl Fn(&mut BTreeSet<u64>, &mut u32)) {
        change(&mut self.visible, &mut self.in_flight);
        let Some(group) = group else {
            // The total is counted already.
            return change(&mut self.loners, &mut 1);
        };
        let in_flight = self.tenants.change(group.clone(), change);
        if in_flight >= NOISY_IN_FLIGHT_MIN {
            self.heavy.insert(group.clone());
        } else {
            self.heavy.remove(group);
        }
    }

    /// Up to `count` messages that may come next, oldest first.
    fn candidates(&self, shards: Shards, count: usize) -> Vec<u64> {
        let mut quiet = if self.heavy.iter().any(|tenant| self.is_noisy(tenant)) { self.of_quiet(shards, count) } else { Vec::new() };
        if quiet.is_empty() {
            quiet.extend(self.visible.iter().copied().filter(|number| shards.has(*number)).take(count));
        }
        quiet
    }

    fn is_noisy(&self, tenant: &Bytes) -> bool {
        let in_flight = self.tenants.groups.get(tenant).map_or(0, |group| group.in_flight);
        in_flight >= NOISY_IN_FLIGHT_MIN && in_flight.saturating_mul(NOISY_SHARE_ONE_IN) > self.in_flight
    }

    /// The oldest of each quiet tenant. Few tenants can be noisy at once, so few are passed over.
    fn of_quiet(&self, shards: Shards, count: usize) -> Vec<u64> {
        let quiet = self.tenants.free.values().filter(|tenant| !self.is_noisy(tenant));
        let first = quiet.filter_map(|tenant| self.tenants.groups.get(tenant)?.visible.iter().copied().find(|number| shards.has(*number)));
        let mut oldest: Vec<u64> = first.take(count).collect();
        oldest.extend(self.loners.iter().copied().filter(|number| shards.has(*number)).take(count));
        oldest.sort_unstable();
        oldest.truncate(count);
        oldest
    }
}

impl Groups {
    fn new(blocks: bool) -> Self {
        Self { groups: BTreeMap::new(), free: BTreeMap::new(), blocks }
    }

    /// Changes a group; gives what it has in flight then.
    fn change(&mut self, name: Bytes, change: impl Fn(&mut BTreeSet<u64>, &mut u32)) -> u32 {
        let group = self.groups.entry(name.clone()).or_default();
        if let Some(oldest) = group.visible.first() {
            self.free.remove(oldest);
        }
        change(&mut group.visible, &mut group.in_flight);
        let in_flight = group.in_flight;
        match (group.visible.first(), in_flight) {
            (Some(oldest), in_flight) if in_flight == 0 || !self.blocks => {
                self.free.insert(*oldest, name);
            }
            (None, 0) => {
                self.groups.remove(&name);
            }
            _ => {}
        }
        in_flight
    }
}
