//! Redrive: messages of a dead-letter queue go back to where they came from (`StartMessageMoveTask`).

use super::{Effects, Queue};
use crate::event::{ObligationEnd, QueueEntry, Reason};
use crate::units::SimTime;

impl Queue {
    /// Takes up to `count` visible messages that were moved here by link ends that `from` chooses, each with
    /// its end. Moved on they count as new: retention begins again.
    pub fn take_moved(&mut self, now: SimTime, count: usize, from: impl Fn(u16) -> bool, out: &mut Effects) -> Vec<(u16, QueueEntry)> {
        self.advance(now, out);
        let chosen: Vec<(u64, u16)> = self.store.moved_in().filter(|(_, origin)| from(*origin)).take(count).collect();
        let mut taken = Vec::new();
        for (number, origin) in chosen {
            let Some(stored) = self.store.remove(number) else { continue };
            self.counts.redriven += 1;
            self.end(number, &stored, ObligationEnd::Forwarded, Reason { code: Reason::REDRIVE, detail: None }, out);
            taken.push((origin, stored.into_entry(now)));
        }
        self.tell_log_start(out);
        taken
    }
}
