//! When a delivery that failed is tried again: SNS's phases for each kind of endpoint.
//!
//! Source: docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html.

use crate::units::SimDuration;

const SECOND_NS: u64 = 1_000_000_000;

/// Retries in phases: at once, at the least delay, growing, at the greatest delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Without a delay.
    pub immediate: u32,
    /// With the least delay (pre-backoff).
    pub early: u32,
    /// With delays that grow from the least to the greatest by equal factors.
    pub growing: u32,
    /// With the greatest delay (post-backoff).
    pub late: u32,
    /// Least delay.
    pub delay_min: SimDuration,
    /// Greatest delay.
    pub delay_max: SimDuration,
}

impl RetryPolicy {
    /// Endpoints inside AWS, such as queues: 100,015 tries over 23 days.
    pub const MANAGED: Self = Self {
        immediate: 3,
        early: 2,
        growing: 10,
        late: 100_000,
        delay_min: SimDuration::from_secs(1),
        delay_max: SimDuration::from_secs(20),
    };

    /// The wait before the retry that follows `failures`, counted from 1; none when they are used up.
    #[must_use]
    pub fn delay(&self, failures: u32) -> Option<SimDuration> {
        let mut left = failures.checked_sub(1)?;
        let phases = [(self.immediate, SimDuration::ZERO), (self.early, self.delay_min)];
        for (tries, delay) in phases {
            match left.checked_sub(tries) {
                None => return Some(delay),
                Some(rest) => left = rest,
            }
        }
        if left < self.growing {
            return Some(self.grown(left));
        }
        (left - self.growing < self.late).then_some(self.delay_max)
    }

    /// The delay of one growing try, from the least at the first to the greatest at the last.
    fn grown(&self, step: u32) -> SimDuration {
        if self.growing < 2 || self.delay_min.is_zero() {
            return self.delay_max;
        }
        let ratio = self.delay_max.as_ns() as f64 / self.delay_min.as_ns() as f64;
        let factor = libm::pow(ratio, f64::from(step) / f64::from(self.growing - 1));
        SimDuration::from_secs_f64(self.delay_min.as_ns() as f64 / SECOND_NS as f64 * factor).min(self.delay_max)
    }
}
