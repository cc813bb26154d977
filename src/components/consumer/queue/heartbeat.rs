//! Heartbeats: while a message is worked on, or waits for a worker, its visibility timeout is extended again and again.
//!
//! SQS refuses to hide a message for more than twelve hours from its receive on: then it is shown whatever its receiver does.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Caller;
use crate::event::Receipt;
use crate::units::{SimDuration, SimTime};

/// A message of one of the queues, as it was received.
pub(in crate::components::consumer) type Handle = (usize, Receipt);

/// The messages whose timeouts are extended.
#[derive(Clone, Debug, Default)]
pub(in crate::components::consumer) struct Heartbeats {
    /// Time between two; none without heartbeats.
    every: Option<SimDuration>,
    due: BTreeSet<(SimTime, Handle)>,
    /// When each is due, and which instance has it.
    held: BTreeMap<Handle, (SimTime, usize)>,
}

impl Heartbeats {
    pub fn new(every: Option<SimDuration>) -> Self {
        Self { every, ..Self::default() }
    }

    /// An instance has received a message.
    pub fn begin(&mut self, now: SimTime, instance: usize, handle: Handle) {
        let Some(every) = self.every else { return };
        self.due.insert((now + every, handle));
        self.held.insert(handle, (now + every, instance));
    }
    /// It is done with it, or has lost it.
    pub fn end(&mut self, handle: Handle) {
        if let Some((at, _)) = self.held.remove(&handle) {
            self.due.remove(&(at, handle));
        }
    }
    /// An instance is gone with all that it held.
    pub fn end_all(&mut self, instance: usize) {
        let gone: Vec<Handle> = self.held.iter().filter(|(_, (_, of))| *of == instance).map(|(handle, _)| *handle).collect();
        gone.into_iter().for_each(|handle| self.end(handle));
    }

    pub fn next_wake(&self) -> SimTime {
        self.due.first().map_or(SimTime::MAX, |(at, _)| *at)
    }
    /// What is due now, in the order of who holds it; each is due again after the interval.
    pub fn take_due(&mut self, now: SimTime) -> Vec<(Caller, Receipt)> {
        let Some(every) = self.every else { return Vec::new() };
        let mut due = Vec::new();
        while let Some((at, handle)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, handle));
            self.due.insert((now + every, handle));
            if let Some((at, instance)) = self.held.get_mut(&handle) {
                *at = now + every;
                due.push((Caller { instance: *instance, source: handle.0 }, handle.1));
            }
        }
        due.sort_unstable();
        due
    }
}
