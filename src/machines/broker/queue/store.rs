//! What a queue holds, and in which state each message is.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Holdings;
use super::order::{Order, Shards};
use crate::event::{EventMeta, QueueEntry, QueueMessage, Receipt, RecordBatch};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub event: EventMeta,
    pub batch: RecordBatch,
    size_bytes: u32,
    pub group: Option<Bytes>,
    deduplication: Option<Bytes>,
    /// What retention counts from.
    pub sent: SimTime,
    pub receives: u32,
    pub state: State,
    /// The link end that a move came by.
    pub origin: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Delayed { until: SimTime },
    Visible,
    InFlight { since: SimTime, until: SimTime },
}

impl Stored {
    pub fn new(entry: QueueEntry, sent: SimTime, origin: Option<u16>) -> Self {
        let QueueEntry { event, batch, size_bytes, group, deduplication, .. } = entry;
        Self { event, batch, size_bytes, group, deduplication, sent, receives: 0, state: State::Visible, origin }
    }
    /// For another queue, which takes `since` as the time it was first sent.
    pub fn into_entry(self, since: SimTime) -> QueueEntry {
        let Self { event, batch, size_bytes, group, deduplication, .. } = self;
        QueueEntry { event, batch, size_bytes, group, deduplication, delay: None, attempt: 1, moved_since: Some(since) }
    }
    fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }
    fn hidden_until(&self) -> Option<SimTime> {
        match self.state {
            State::Delayed { until } | State::InFlight { until, .. } => Some(until),
            State::Visible => None,
        }
    }
}

/// All messages.
#[derive(Clone, Debug)]
pub(super) struct Store {
    messages: BTreeMap<u64, Stored>,
    order: Order,
    /// Delayed and in flight, by when they show again.
    hidden: BTreeSet<(SimTime, u64)>,
    by_age: BTreeSet<(SimTime, u64)>,
    in_flight: usize,
    next_number: u64,
}

impl Store {
    pub fn new(is_fifo: bool) -> Self {
        Self {
            messages: BTreeMap::new(),
            order: Order::new(is_fifo),
            hidden: BTreeSet::new(),
            by_age: BTreeSet::new(),
            in_flight: 0,
            next_number: 0,
        }
    }
    pub fn next_number(&self) -> u64 {
        self.next_number
    }
    /// The oldest number that is still there, or the next one.
    pub fn first_number(&self) -> u64 {
        self.messages.first_key_value().map_or(self.next_number, |(number, _)| *number)
    }
    /// All of them, by number.
    pub fn messages(&self) -> &BTreeMap<u64, Stored> {
        &self.messages
    }
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
    pub fn get(&self, number: u64) -> Option<&Stored> {
        self.messages.get(&number)
    }
    pub fn receives(&self, number: u64) -> u32 {
        self.messages.get(&number).map_or(0, |stored| stored.receives)
    }
    pub fn next(&self, group: &mut Option<Bytes>, shards: Shards, disorder: Option<&mut Stream>) -> Option<u64> {
        self.order.next(group, shards, disorder)
    }
    /// Visible messages that a move brought, oldest first.
    pub fn moved_in(&self) -> impl Iterator<Item = (u64, u16)> {
        let visible = self.messages.iter().filter(|(_, stored)| stored.state == State::Visible);
        visible.filter_map(|(number, stored)| Some((*number, stored.origin?)))
    }
    pub fn holdings(&self, now: SimTime) -> Holdings {
        let oldest = self.by_age.first().map_or(now, |(sent, _)| *sent);
        Holdings {
            visible: self.messages.len() - self.hidden.len(),
            in_flight: self.in_flight,
            delayed: self.hidden.len() - self.in_flight,
            oldest_age: now.since(oldest),
        }
    }
    /// When a message shows again or expires.
    pub fn next_change(&self, retention: SimDuration) -> Option<SimTime> {
        let shown = self.hidden.first().map(|(until, _)| *until);
        let expired = self.by_age.first().map(|(sent, _)| *sent + retention);
        [shown, expired].into_iter().flatten().min()
    }

    pub fn add(&mut self, now: SimTime, mut stored: Stored, delay: SimDuration) {
        let number = self.next_number;
        self.next_number += 1;
        self.by_age.insert((stored.sent, number));
        if delay.is_zero() {
            self.order.show(number, stored.group.as_ref(), false);
        } else {
            stored.state = State::Delayed { until: now + delay };
            self.hidden.insert((now + delay, number));
        }
        self.messages.insert(number, stored);
    }

    /// Gives a visible message to a receiver and hides it.
    pub fn hand_out(&mut self, number: u64, now: SimTime, until: SimTime) -> Option<QueueMessage> {
        let stored = self.messages.get_mut(&number)?;
        stored.receives += 1;
        stored.state = State::InFlight { since: now, until };
        self.order.hide(number, stored.group.as_ref());
        self.hidden.insert((until, number));
        self.in_flight += 1;
        Some(QueueMessage {
            receipt: Receipt { number, receive: stored.receives },
            receive_count: stored.receives,
            sent: stored.sent,
            group: stored.group.clone(),
            batch: stored.batch.clone(),
        })
    }

    pub fn hide_until(&mut self, number: u64, until: SimTime) {
        let Some(stored) = self.messages.get_mut(&number) else { return };
        let State::InFlight { since, until: before } = stored.state else { return };
        self.hidden.remove(&(before, number));
        self.hidden.insert((until, number));
        stored.state = State::InFlight { since, until };
    }

    /// Shows what is hidden until now.
    pub fn show_due(&mut self, now: SimTime) {
        while let Some((until, number)) = self.hidden.first().copied().filter(|(until, _)| *until <= now) {
            self.hidden.remove(&(until, number));
            let Some(stored) = self.messages.get_mut(&number) else { continue };
            let was_in_flight = stored.is_in_flight();
            self.in_flight -= usize::from(was_in_flight);
            stored.state = State::Visible;
            self.order.show(number, stored.group.as_ref(), was_in_flight);
        }
    }

    pub fn remove(&mut self, number: u64) -> Option<Stored> {
        let stored = self.messages.remove(&number)?;
        self.by_age.remove(&(stored.sent, number));
        if let Some(until) = stored.hidden_until() {
            self.hidden.remove(&(until, number));
        }
        self.in_flight -= usize::from(stored.is_in_flight());
        self.order.forget(number, stored.group.as_ref(), stored.is_in_flight());
        Some(stored)
    }

    /// What has been here for `retention` goes, in flight or not.
    pub fn take_expired(&mut self, now: SimTime, retention: SimDuration) -> Vec<(u64, Stored)> {
        let mut gone = Vec::new();
        while let Some((_, number)) = self.by_age.first().copied().filter(|(sent, _)| *sent + retention <= now) {
            gone.extend(self.remove(number).map(|stored| (number, stored)));
        }
        gone
    }

    pub fn take_all(&mut self) -> Vec<(u64, Stored)> {
        let numbers: Vec<u64> = self.messages.keys().copied().collect();
        numbers.into_iter().filter_map(|number| self.remove(number).map(|stored| (number, stored))).collect()
    }
}
