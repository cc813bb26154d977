//! Sizes, rates and shares.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::parse::{UnitError, parse_number_and_unit, trim_float};
use super::time::SimDuration;

/// A size in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Bytes(pub u64);

/// How often something happens, per second of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Rate(pub f64);

/// A share: 0.0 is nothing, 1.0 is everything. May exceed 1 where an overload is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Ratio(pub f64);

impl Rate {
    /// Mean time between two occurrences; [`SimDuration::MAX`] for a rate of zero.
    #[must_use]
    pub fn mean_gap(self) -> SimDuration {
        if self.0 > 0.0 { SimDuration::from_secs_f64(1.0 / self.0) } else { SimDuration::MAX }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        for (size, name) in UNITS {
            if self.0 >= size && self.0.is_multiple_of(size) {
                return write!(f, "{}{name}", self.0 / size);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl FromStr for Bytes {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = parse_number_and_unit(text)?;
        let scale = match unit {
            "B" => 1.0,
            "" if number == 0.0 => 1.0,
            "kB" | "KB" => 1e3,
            "MB" => 1e6,
            "GB" => 1e9,
            "KiB" => 1024.0,
            "MiB" => 1_048_576.0,
            "GiB" => 1_073_741_824.0,
            "TiB" => 1_099_511_627_776.0,
            other => return Err(UnitError::unknown(text, other, "a size such as 100B, 16KiB, 64MiB")),
        };
        if number < 0.0 {
            return Err(UnitError::negative(text, "a size"));
        }
        let bytes = libm::round(number * scale);
        if bytes >= u64::MAX as f64 { Err(UnitError::too_large(text, "a size")) } else { Ok(Self(bytes as u64)) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", trim_float(self.0))
    }
}

impl FromStr for Rate {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = parse_number_and_unit(text)?;
        let (scale, per) = match unit.split_once('/') {
            Some(("", per)) => (1.0, per.trim()),
            Some(("k", per)) => (1e3, per.trim()),
            Some(("M", per)) => (1e6, per.trim()),
            _ => return Err(UnitError::unknown(text, unit, "a rate such as 1200/s, 30/min, 5k/s")),
        };
        let seconds = match per {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            other => return Err(UnitError::unknown(text, other, "a rate such as 1200/s, 30/min, 5k/s")),
        };
        let rate = number * scale / seconds;
        if rate < 0.0 {
            return Err(UnitError::negative(text, "a rate"));
        }
        if rate > 1e12 { Err(UnitError::too_large(text, "a rate")) } else { Ok(Self(rate)) }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", trim_float(self.0 * 100.0))
    }
}

impl FromStr for Ratio {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = parse_number_and_unit(text)?;
        let ratio = match unit {
            "%" => number / 100.0,
            "" => number,
            other => return Err(UnitError::unknown(text, other, "a share such as 5% or 0.05")),
        };
        if ratio < 0.0 { Err(UnitError::negative(text, "a share")) } else { Ok(Self(ratio)) }
    }
}
