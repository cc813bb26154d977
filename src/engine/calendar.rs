//! The calendar: what is due next, in the total order (time, then sequence of scheduling).

use crate::units::SimTime;

/// A monotone priority queue.
#[derive(Clone, Debug, Default)]
pub struct Calendar<T> {
    entries: std::collections::BTreeMap<(SimTime, u64), T>,
    seq: u64,
}

impl<T> Calendar<T> {
    /// Schedules `item` at `at`, which must not be before the last popped instant.
    pub fn push(&mut self, at: SimTime, item: T) {
        self.entries.insert((at, self.seq), item);
        self.seq += 1;
    }
    /// The next item due at or before `limit`.
    pub fn pop_until(&mut self, limit: SimTime) -> Option<(SimTime, T)> {
        let ((at, _), _) = self.entries.first_key_value()?;
        if *at > limit {
            return None;
        }
        self.entries.pop_first().map(|((at, _), item)| (at, item))
    }
}
