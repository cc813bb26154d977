//! What clocks show, which may be wrong.

use super::{SimDuration, SimTime};

const MS_NS: i64 = 1_000_000;

/// What a clock shows: nanoseconds since the run began, by a clock that is right; negative for one that is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than any.
    pub const MIN: Self = Self(i64::MIN);

    /// As records carry it.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(MS_NS))
    }
    /// As records carry it: whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0.div_euclid(MS_NS)
    }
    /// So many milliseconds later.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(MS_NS)))
    }
    /// As an instant of the run; before it counts as its beginning.
    #[must_use]
    pub fn clamped(self) -> SimTime {
        SimTime::from_ns(u64::try_from(self.0).unwrap_or(0))
    }
    /// The span since `earlier`, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> SimDuration {
        SimDuration::from_ns(u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0))
    }
}

impl From<SimTime> for Timestamp {
    fn from(at: SimTime) -> Self {
        Self(i64::try_from(at.as_ns()).unwrap_or(i64::MAX))
    }
}

/// A clock that is off: by a constant, and by what it gains or loses since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    offset_ms: i64,
    /// In thousand millionths: microseconds gained in a thousand seconds.
    drift_ppb: i64,
    since: SimTime,
}

impl Clock {
    /// From `since` on `by` ahead (or behind), and further so by `drift_ppm` millionths of the time that passes.
    #[must_use]
    pub fn off(since: SimTime, by: SimDuration, drift_ppm: f64, is_behind: bool) -> Self {
        let sign = if is_behind { -1 } else { 1 };
        let offset_ms = i64::try_from(by.as_ns() / MS_NS as u64).unwrap_or(i64::MAX);
        Self { offset_ms: sign * offset_ms, drift_ppb: sign * (drift_ppm * 1e3) as i64, since }
    }
    /// Whether it shows the time.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.offset_ms == 0 && self.drift_ppb == 0
    }
    /// How far it is ahead.
    #[must_use]
    pub fn ahead_ms(&self, now: SimTime) -> i64 {
        if self.is_right() {
            return 0;
        }
        let gained_ms = i128::from(now.since(self.since).as_ns()) * i128::from(self.drift_ppb) / 1_000_000_000 / i128::from(MS_NS);
        self.offset_ms.saturating_add(i64::try_from(gained_ms).unwrap_or(i64::MAX))
    }
    /// What it shows.
    #[must_use]
    pub fn read(&self, now: SimTime) -> Timestamp {
        Timestamp::from(now).plus_ms(self.ahead_ms(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_a_constant_and_drifts() {
        let (begun, later) = (SimTime::ZERO + SimDuration::from_secs(100), SimTime::ZERO + SimDuration::from_secs(1_100));
        let behind = Clock::off(begun, SimDuration::from_secs(3_600), 50.0, true);
        assert_eq!((behind.ahead_ms(begun), behind.ahead_ms(later)), (-3_600_000, -3_600_050));
        assert_eq!(Timestamp::from(later).since(behind.read(later)), SimDuration::from_ms(3_600_050));
        assert_eq!(behind.read(later).since(Timestamp::from(later)), SimDuration::ZERO);
        let right = Clock::off(begun, SimDuration::ZERO, 0.0, true);
        assert!(right.is_right() && right.read(later) == Timestamp::from(later));
        assert_eq!(Timestamp::from_ms(-1).plus_ms(-1).as_ms(), -2);
        assert_eq!(Clock::off(begun, SimDuration::from_ms(1), 0.0, true).read(SimTime::from_ns(1)).as_ms(), -1);
    }
}
