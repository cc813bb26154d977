//! A byte-rate quota: how long a client is muted that has sent or fetched too much.
//!
//! Bytes are counted in samples of a second, eleven of them; the rate is that of all samples over the time that they
//! span, at least ten seconds. So a client may have ten seconds' worth at once, and pays for more of it.
//! Source: Kafka's ClientQuotaManager, Rate, SampledStat and QuotaUtils.throttleTime (3.9). Start at [`ByteRate::record`].

use std::collections::VecDeque;

use crate::units::{SimDuration, SimTime};

/// `quota.window.num`.
const SAMPLES: u64 = 11;
/// `quota.window.size.seconds`.
const WINDOW: SimDuration = SimDuration::from_secs(1);

/// What one client has moved lately.
#[derive(Clone, Debug, Default)]
pub struct ByteRate {
    /// (when it began, its bytes), oldest first.
    samples: VecDeque<(SimTime, u64)>,
}

impl ByteRate {
    /// Bytes have passed; how long the client is muted for them.
    pub fn record(&mut self, now: SimTime, bytes: u64, quota_per_s: u64) -> SimDuration {
        self.forget_old(now);
        match self.samples.back_mut() {
            Some((began, sum)) if *began + WINDOW > now => *sum += bytes,
            _ => self.samples.push_back((now, bytes)),
        }
        self.throttle(now, quota_per_s)
    }

    /// Bytes that were recorded last have not passed after all.
    pub fn take_back(&mut self, bytes: u64) {
        if let Some((_, sum)) = self.samples.back_mut() {
            *sum = sum.saturating_sub(bytes);
        }
    }

    /// (rate − quota) ÷ quota × the time that the rate is measured over.
    fn throttle(&self, now: SimTime, quota_per_s: u64) -> SimDuration {
        let (bytes, span_s) = (self.samples.iter().map(|(_, sum)| *sum).sum::<u64>() as f64, self.span(now).as_secs_f64());
        let quota = quota_per_s.max(1) as f64;
        SimDuration::from_secs_f64((((bytes / span_s) - quota) / quota * span_s).max(0.0))
    }

    /// From the oldest sample until now; as if there were ten full windows where there are fewer.
    fn span(&self, now: SimTime) -> SimDuration {
        let since = self.samples.front().map_or(SimDuration::ZERO, |(began, _)| now.since(*began));
        let full = since.as_ns() / WINDOW.as_ns();
        since + WINDOW.times((SAMPLES - 1).saturating_sub(full))
    }

    fn forget_old(&mut self, now: SimTime) {
        while self.samples.front().is_some_and(|(began, _)| *began + WINDOW.times(SAMPLES) <= now) {
            self.samples.pop_front();
        }
        if self.samples.len() as u64 == SAMPLES && self.samples.back().is_some_and(|(began, _)| *began + WINDOW <= now) {
            self.samples.pop_front();
        }
    }
}

/// Most bytes that one fetch brings to a client with a quota (`getMaxValueInQuotaWindow`).
#[must_use]
pub fn window_bytes(quota_per_s: u64) -> u64 {
    quota_per_s.saturating_mul(SAMPLES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_ms(ms)
    }

    #[test]
    fn ten_seconds_worth_is_free_and_more_is_paid_for() {
        let mut rate = ByteRate::default();
        assert_eq!(rate.record(at_ms(0), 10_000, 1_000), SimDuration::ZERO);
        // 20,000 over ten seconds are twice the quota: one more window of ten.
        assert_eq!(rate.record(at_ms(500), 10_000 + 500, 1_000), SimDuration::from_secs(10));
        rate.take_back(10_500);
        assert_eq!(rate.record(at_ms(900), 0, 1_000), SimDuration::ZERO);
    }

    #[test]
    fn who_waits_as_told_gets_its_quota() {
        let (mut rate, mut now, mut bytes) = (ByteRate::default(), at_ms(0), 0);
        while now < at_ms(600_000) {
            bytes += 3_000;
            now = now + rate.record(now, 3_000, 2_000) + SimDuration::from_ms(1);
        }
        let per_s = bytes as f64 / 600.0;
        assert!((1_950.0..2_100.0).contains(&per_s), "{per_s} bytes a second");
    }
}
