//! Latencies: a histogram for percentiles, exact sums for means.

use hdrhistogram::Histogram;

use crate::units::SimDuration;

/// Three significant digits over nanoseconds; it grows to the largest value seen.
const DIGITS: u8 = 3;

/// A set of durations.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
    sum_ns: u128,
    max_ns: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        let mut histogram = Histogram::new(DIGITS).expect("three digits are allowed");
        histogram.auto(true);
        Self { histogram, sum_ns: 0, max_ns: 0 }
    }
}

impl Latencies {
    /// Adds one.
    #[inline]
    pub fn record(&mut self, span: SimDuration) {
        let ns = span.as_ns();
        self.histogram.record(ns).expect("the histogram resizes itself up to the largest nanosecond count");
        self.sum_ns += u128::from(ns);
        self.max_ns = self.max_ns.max(ns);
    }
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the histogram resizes itself");
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        if !self.histogram.is_empty() {
            self.histogram.reset();
        }
        self.sum_ns = 0;
        self.max_ns = 0;
    }
    /// How many.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }
    /// Exact mean in seconds.
    pub fn mean_s(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum_ns as f64 / self.count() as f64 / 1e9)
    }
    /// Quantile in seconds to three digits; never above the exact maximum.
    pub fn quantile_s(&self, quantile: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.histogram.value_at_quantile(quantile).min(self.max_ns) as f64 / 1e9)
    }
    /// Exact maximum in seconds.
    pub fn max_s(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.max_ns as f64 / 1e9)
    }
}
