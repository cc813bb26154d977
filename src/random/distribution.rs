//! Distributions of durations.

use std::fmt;
use std::str::FromStr;

use super::Stream;
use crate::units::SimDuration;

/// A distribution of durations as a project writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    constant: SimDuration,
}

impl Distribution {
    /// Draws one duration.
    pub fn sample(&self, _rng: &mut Stream) -> SimDuration {
        self.constant
    }
    /// Its mean.
    #[must_use]
    pub fn mean(&self) -> SimDuration {
        self.constant
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.constant.fmt(f)
    }
}

impl FromStr for Distribution {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(|constant| Self { constant }).map_err(|e: crate::units::UnitError| e.to_string())
    }
}
