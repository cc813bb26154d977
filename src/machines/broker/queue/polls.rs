//! Long polls that wait for a message.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::CallId;
use crate::machines::broker::cluster::Caller;
use crate::units::{SimDuration, SimTime};

/// More polls than this at once are answered empty at once.
const POLLS_MAX: usize = 100_000;

/// A receive that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poll {
    pub caller: Caller,
    pub call: CallId,
    pub max_messages: usize,
    pub visibility: SimDuration,
}

/// By the order in which they came, and by their ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Polls {
    waiting: BTreeMap<u64, (SimTime, Poll)>,
    deadlines: BTreeSet<(SimTime, u64)>,
    next_number: u64,
}

impl Polls {
    pub fn has_room(&self) -> bool {
        self.waiting.len() < POLLS_MAX
    }
    pub fn push(&mut self, deadline: SimTime, poll: Poll) {
        self.waiting.insert(self.next_number, (deadline, poll));
        self.deadlines.insert((deadline, self.next_number));
        self.next_number += 1;
    }
    pub fn first(&self) -> Option<Poll> {
        self.waiting.first_key_value().map(|(_, (_, poll))| *poll)
    }
    pub fn pop_first(&mut self) {
        if let Some((number, (deadline, _))) = self.waiting.pop_first() {
            self.deadlines.remove(&(deadline, number));
        }
    }
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }
    /// Polls whose time is up.
    pub fn take_due(&mut self, now: SimTime) -> Vec<Poll> {
        let mut due = Vec::new();
        while let Some((_, number)) = self.deadlines.first().copied().filter(|(deadline, _)| *deadline <= now) {
            self.deadlines.pop_first();
            due.extend(self.waiting.remove(&number).map(|(_, poll)| poll));
        }
        due
    }
}
