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
    /// With delays that grow from the least to the greatest.
    pub growing: u32,
    /// How those grow.
    pub backoff: Backoff,
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
        backoff: Backoff::Geometric,
        late: 100_000,
        delay_min: SimDuration::from_secs(1),
        delay_max: SimDuration::from_secs(20),
    };

    /// HTTP and HTTPS endpoints without a policy of their own: 3 retries, 20 seconds apart.
    pub const HTTP: Self = Self {
        immediate: 0,
        early: 0,
        growing: 3,
        backoff: Backoff::Linear,
        late: 0,
        delay_min: SimDuration::from_secs(20),
        delay_max: SimDuration::from_secs(20),
    };

    /// How long all the waits together are.
    #[must_use]
    pub fn total(&self) -> SimDuration {
        let growing = (0..self.growing).fold(SimDuration::ZERO, |sum, step| sum + self.grown(step));
        self.delay_min.times(u64::from(self.early)) + growing + self.delay_max.times(u64::from(self.late))
    }

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
        let (least, greatest) = (self.delay_min.as_ns() as f64, self.delay_max.as_ns() as f64);
        if self.growing < 2 {
            return self.delay_max;
        }
        let (step, last) = (f64::from(step), f64::from(self.growing - 1));
        let share = match self.backoff {
            Backoff::Linear => step / last,
            Backoff::Arithmetic => step * (step + 1.0) / (last * (last + 1.0)),
            // From nothing no factor leads anywhere.
            Backoff::Geometric if self.delay_min.is_zero() => 1.0,
            Backoff::Geometric => {
                let delay = least / SECOND_NS as f64 * libm::pow(greatest / least, step / last);
                return SimDuration::from_secs_f64(delay).min(self.delay_max);
            }
            Backoff::Exponential => (libm::exp2(step) - 1.0) / (libm::exp2(last) - 1.0),
        };
        SimDuration::from_secs_f64((least + (greatest - least) * share) / SECOND_NS as f64).min(self.delay_max)
    }
}

/// How delays grow between the least and the greatest. SNS names the four and shows them as curves, each one below the
/// one before it; their formulas are ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backoff {
    /// By equal steps.
    #[default]
    Linear,
    /// By steps that themselves grow by equal steps.
    Arithmetic,
    /// By equal factors.
    Geometric,
    /// By steps of which each is twice the one before.
    Exponential,
}

impl Backoff {
    /// Names as SNS writes them.
    pub const NAMES: [&str; 4] = ["linear", "arithmetic", "geometric", "exponential"];

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Linear, Self::Arithmetic, Self::Geometric, Self::Exponential];
        Self::NAMES.iter().position(|known| *known == name).map(|index| all[index])
    }
}
