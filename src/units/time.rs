//! Virtual time in whole nanoseconds: an instant and a span.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse::{UnitError, parse_number_and_unit, trim_float};

/// An instant of virtual time: nanoseconds since the run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimTime(u64);

/// A span of virtual time in nanoseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SimDuration(u64);

impl SimTime {
    /// The instant at which every run begins.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const MAX: Self = Self(u64::MAX);

    /// The instant `ns` nanoseconds after the beginning.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// The instant `seconds` after the beginning; negative and NaN count as zero.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self(SimDuration::from_secs_f64(seconds).0)
    }
    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }
    /// Seconds since the beginning, for display and charts.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// The span since `earlier`, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// What `bytes` take when a KiB takes this span.
    #[must_use]
    pub const fn per_kib(self, bytes: u64) -> Self {
        Self(self.0.saturating_mul(bytes) / 1024)
    }
    /// A span of `ns` nanoseconds.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }
    /// A span of `us` microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(us * 1_000)
    }
    /// A span of `ms` milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }
    /// A span of whole `seconds`.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1_000_000_000)
    }
    /// A span of `seconds`, rounded to the nanosecond; negative and NaN count as zero.
    #[must_use]
    pub fn from_secs_f64(seconds: f64) -> Self {
        // `as` saturates and maps NaN to zero, which is the documented behaviour here.
        Self(libm::round(seconds * 1e9) as u64)
    }
    /// Whole nanoseconds.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }
    /// Seconds, for display and formulas.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// Milliseconds, for display.
    #[must_use]
    pub fn as_ms_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// Whether the span is empty.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// This span `count` times, saturating.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
    /// This span scaled by `factor`; negative and NaN give zero.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self(libm::round(self.0 as f64 * factor) as u64)
    }
    /// The sum, saturating.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;
    fn add(self, span: SimDuration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}
impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}
impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.plus(other)
    }
}
impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
impl Sub<SimTime> for SimTime {
    type Output = SimDuration;
    fn sub(self, earlier: SimTime) -> SimDuration {
        self.since(earlier)
    }
}

impl fmt::Display for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The largest unit that still reads well, at most three decimals; hours and days only when whole.
        const UNITS: [(u64, &str); 7] = [
            (86_400_000_000_000, "d"),
            (3_600_000_000_000, "h"),
            (60_000_000_000, "min"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
            (1, "ns"),
        ];
        let ns = self.0;
        if ns == 0 {
            return f.write_str("0s");
        }
        for (size, name) in UNITS {
            let whole_only = size > 1_000_000_000;
            let exact = ns.is_multiple_of((size / 1_000).max(1));
            if ns >= size && (if whole_only { ns.is_multiple_of(size) } else { exact }) {
                return write!(f, "{}{name}", trim_float(ns as f64 / size as f64));
            }
        }
        write!(f, "{ns}ns")
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&SimDuration(self.0), f)
    }
}

impl FromStr for SimDuration {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = parse_number_and_unit(text)?;
        let scale_ns = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            "d" => 86_400e9,
            "" if number == 0.0 => 1.0,
            other => return Err(UnitError::unknown(text, other, "a duration such as 250ms, 2s, 5min")),
        };
        if number < 0.0 {
            return Err(UnitError::negative(text, "a duration"));
        }
        let ns = libm::round(number * scale_ns);
        if ns >= u64::MAX as f64 {
            return Err(UnitError::too_large(text, "a duration"));
        }
        Ok(Self(ns as u64))
    }
}
