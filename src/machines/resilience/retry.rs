//! Tries, and how many calls may be under way.

use crate::units::SimDuration;

/// `maxAttempts`, `waitDuration` and an exponential interval function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryConfig {
    /// Tries, the first one included.
    pub attempts_max: u32,
    /// Wait before the second.
    pub wait: SimDuration,
    /// Each further wait is so many times as long.
    pub multiplier: f64,
    /// No wait is longer.
    pub wait_max: SimDuration,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self { attempts_max: 3, wait: SimDuration::from_ms(500), multiplier: 1.0, wait_max: SimDuration::from_secs(3_600) }
    }
}

impl RetryConfig {
    /// The wait before the next try after so many; none when it was the last.
    #[must_use]
    pub fn wait_after(&self, attempts: u32) -> Option<SimDuration> {
        if attempts >= self.attempts_max {
            return None;
        }
        let mut wait = self.wait;
        for _ in 1..attempts {
            wait = wait.scaled(self.multiplier).min(self.wait_max);
        }
        Some(wait.min(self.wait_max))
    }
}

/// A semaphore: `maxConcurrentCalls`, without a wait for a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bulkhead {
    under_way: u32,
    rejected: u64,
}

impl Bulkhead {
    /// Whether one more may begin.
    pub fn acquire(&mut self, calls_max: u32) -> bool {
        if self.under_way >= calls_max {
            self.rejected += 1;
            return false;
        }
        self.under_way += 1;
        true
    }
    /// One has ended.
    pub fn release(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
    /// Calls that have a place.
    #[must_use]
    pub fn under_way_count(&self) -> u32 {
        self.under_way
    }
    /// Calls turned away (`BulkheadFullException`).
    #[must_use]
    pub fn rejected_count(&self) -> u64 {
        self.rejected
    }
}
