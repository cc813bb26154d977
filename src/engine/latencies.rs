//! Latencies: a histogram for percentiles, exact sums for means. Observers keep some, and processes with figures of time.

use std::borrow::Cow;

use hdrhistogram::Histogram;

use crate::units::SimDuration;

/// Significant digits over nanoseconds; a histogram grows to the largest value seen.
const DIGITS: u8 = 3;
/// Of one among hundreds: a hundredth of its value is near enough, and it takes a tenth of the memory.
const DIGITS_SMALL: u8 = 2;

/// A set of durations.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
    sum_ns: u128,
    max_ns: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self::with_digits(DIGITS)
    }
}

impl Latencies {
    /// Of less memory; percentiles to two digits.
    pub fn small() -> Self {
        Self::with_digits(DIGITS_SMALL)
    }
    fn with_digits(digits: u8) -> Self {
        let mut histogram = Histogram::new(digits).expect("up to five digits are allowed");
        histogram.auto(true);
        Self { histogram, sum_ns: 0, max_ns: 0 }
    }
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
    /// All parts together; the only part as it is. A copy of a histogram costs more than most samples.
    pub fn sum<'a>(parts: impl IntoIterator<Item = Cow<'a, Self>>) -> Option<Cow<'a, Self>> {
        parts.into_iter().reduce(|mut all, part| {
            all.to_mut().add(&part);
            all
        })
    }
    /// Exact mean of all parts in seconds.
    pub fn mean_of<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Option<f64> {
        let add = |(sum, count): (u128, u64), part: &Self| (sum + part.sum_ns, count + part.count());
        let (sum_ns, count) = parts.into_iter().fold((0, 0), add);
        (count > 0).then(|| sum_ns as f64 / count as f64 / 1e9)
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
        Self::mean_of([self])
    }
    /// Quantile in seconds to the histogram's digits; never above the exact maximum.
    pub fn quantile_s(&self, quantile: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.histogram.value_at_quantile(quantile).min(self.max_ns) as f64 / 1e9)
    }
    /// Exact maximum in seconds.
    pub fn max_s(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.max_ns as f64 / 1e9)
    }
}
