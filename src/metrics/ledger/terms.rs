//! The counters of a ledger, by origin: which component made events of which type.
//!
//! Every fact is counted under its event's origin, so that the same counters give the whole design's balance, each
//! event type's, and each path's.

use std::ops::AddAssign;

use crate::event::{EventMeta, ObligationEnd, Outcome};
use crate::metrics::report;
use crate::units::{ComponentIx, EventTypeIx};

/// How many ends an obligation can have.
const ENDS: usize = 11;

/// Numbers each (producer, event type) that a run meets, from 0 on.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    /// By producer: few types each.
    numbers: Vec<Vec<(EventTypeIx, usize)>>,
    list: Vec<(ComponentIx, EventTypeIx)>,
}

impl Origins {
    pub fn new(components: usize) -> Self {
        Self { numbers: vec![Vec::new(); components], list: Vec::new() }
    }

    #[inline]
    pub fn of(&mut self, event: &EventMeta) -> usize {
        let numbers = &mut self.numbers[event.id.producer.index()];
        if let Some((_, number)) = numbers.iter().find(|(event_type, _)| *event_type == event.event_type) {
            return *number;
        }
        let number = self.list.len();
        numbers.push((event.event_type, number));
        self.list.push((event.id.producer, event.event_type));
        number
    }

    pub fn iter(&self) -> impl Iterator<Item = (usize, ComponentIx, EventTypeIx)> + '_ {
        self.list.iter().enumerate().map(|(number, (producer, event_type))| (number, *producer, *event_type))
    }
}

/// What is counted by origin: grows as origins come.
#[derive(Clone, Debug, Default)]
pub(super) struct ByOrigin<T>(Vec<T>);

impl<T: Clone + Default + for<'a> AddAssign<&'a T>> ByOrigin<T> {
    #[inline]
    pub fn at(&mut self, origin: usize) -> &mut T {
        if origin >= self.0.len() {
            self.0.resize(origin + 1, T::default());
        }
        &mut self.0[origin]
    }
    pub fn get(&self, origin: usize) -> T {
        self.0.get(origin).cloned().unwrap_or_default()
    }
    pub fn sum(&self) -> T {
        let mut all = T::default();
        self.0.iter().for_each(|one| all += one);
        all
    }
}

/// One group's obligations of one origin in one topic.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    pub created: u64,
    ends: [u64; ENDS],
    pub duplicates: u64,
    /// Delivered, but late on purpose; among the delivered.
    pub backfilled: u64,
    /// Processed once more, on purpose.
    pub replayed: u64,
}

impl Terms {
    #[inline]
    pub fn end(&mut self, end: ObligationEnd) {
        self.ends[end as usize] += 1;
    }
    pub fn reopen(&mut self, end: ObligationEnd) {
        self.ends[end as usize] -= 1;
    }
    pub fn ended(&self) -> u64 {
        self.ends.iter().sum()
    }
    /// The same as a report tells it; what has not ended is in flight.
    pub fn told(&self) -> report::Obligations {
        let of = |end: ObligationEnd| self.ends[end as usize];
        report::Obligations {
            balanced: self.ended() <= self.created,
            created: self.created,
            delivered: of(ObligationEnd::Delivered),
            failed_skipped: of(ObligationEnd::FailedSkipped),
            rejected_at_consumer: of(ObligationEnd::RejectedAtConsumer),
            dead_lettered: of(ObligationEnd::DeadLettered),
            forwarded: of(ObligationEnd::Forwarded),
            expired: of(ObligationEnd::Expired),
            skipped: of(ObligationEnd::Skipped),
            lost: of(ObligationEnd::Lost),
            filtered: of(ObligationEnd::Filtered),
            compacted: of(ObligationEnd::Compacted),
            aborted: of(ObligationEnd::Aborted),
            in_flight: self.created.saturating_sub(self.ended()),
            duplicate_deliveries: self.duplicates,
            backfilled: self.backfilled,
            replayed: self.replayed,
        }
    }
}

impl AddAssign<&Self> for Terms {
    fn add_assign(&mut self, other: &Self) {
        self.created += other.created;
        self.duplicates += other.duplicates;
        self.backfilled += other.backfilled;
        self.replayed += other.replayed;
        self.ends.iter_mut().zip(other.ends).for_each(|(sum, more)| *sum += more);
    }
}

/// The submissions of one origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent {
    pub created: u64,
    /// Made from another event; among the created.
    pub derived: u64,
    outcomes: [u64; 4],
    pub duplicate_appends: u64,
}

impl Sent {
    pub fn settle(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }
    pub fn unsettle(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] -= 1;
    }
    /// The same as a report tells it; what is not settled is in flight.
    pub fn told(&self) -> report::Submissions {
        let of = |outcome: Outcome| self.outcomes[outcome as usize];
        let settled: u64 = self.outcomes.iter().sum();
        report::Submissions {
            balanced: settled <= self.created,
            created: self.created,
            accepted: of(Outcome::Accepted),
            rejected: of(Outcome::Rejected),
            dropped: of(Outcome::Dropped),
            abandoned: of(Outcome::Abandoned),
            in_flight: self.created.saturating_sub(settled),
            derived: self.derived,
            duplicate_appends: self.duplicate_appends,
        }
    }
}

impl AddAssign<&Self> for Sent {
    fn add_assign(&mut self, other: &Self) {
        self.created += other.created;
        self.derived += other.derived;
        self.duplicate_appends += other.duplicate_appends;
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(sum, more)| *sum += more);
    }
}
