//! A token bucket, exactly: in whole trillionths of a token, so that no rounding ever lets one more pass.
//!
//! docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html: `rate` tokens a second
//! flow in, at most `burst` are kept. The product is best effort; this is the ideal.

use crate::units::SimTime;

/// One token.
const TOKEN: u128 = 1_000_000_000_000;

/// Limits of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Thousandths of a request each second.
    pub rate_milli: u64,
    /// Requests.
    pub burst: u32,
}

impl Throttle {
    /// From requests each second; parts smaller than a thousandth are lost.
    #[must_use]
    pub fn new(rate: f64, burst: u32) -> Self {
        Self { rate_milli: (rate * 1_000.0) as u64, burst }
    }
}

/// The tokens of one bucket; full at first.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    tokens: u128,
    filled_at: SimTime,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(throttle: Throttle, now: SimTime) -> Self {
        Self { tokens: u128::from(throttle.burst) * TOKEN, filled_at: now }
    }
    /// Lets flow in what has flowed in, and says whether a token is there.
    pub fn has_one(&mut self, throttle: Throttle, now: SimTime) -> bool {
        let elapsed_ns = now.as_ns().saturating_sub(self.filled_at.as_ns());
        // A thousandth of a token each second is a trillionth each nanosecond.
        let inflow = u128::from(elapsed_ns) * u128::from(throttle.rate_milli);
        self.tokens = self.tokens.saturating_add(inflow).min(u128::from(throttle.burst) * TOKEN);
        self.filled_at = self.filled_at.max(now);
        self.tokens >= TOKEN
    }
    /// Takes one; call [`Self::has_one`] before.
    pub fn take(&mut self) {
        self.tokens = self.tokens.saturating_sub(TOKEN);
    }
}
