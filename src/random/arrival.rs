//! Arrival processes.

use std::fmt;
use std::str::FromStr;

use super::Stream;
use crate::units::{Rate, SimTime};

/// An arrival process as a project writes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    rate: Rate,
}

/// Where an arrival process stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArrivalState {
    _count: u64,
}

impl Arrival {
    /// The instant of the next arrival after `now`; none when no more will come.
    pub fn next(&self, _state: &mut ArrivalState, now: SimTime, _rng: &mut Stream) -> Option<SimTime> {
        (self.rate.0 > 0.0).then(|| now + self.rate.mean_gap())
    }
    /// Mean rate over the first `length` of a run, per second.
    #[must_use]
    pub fn mean_rate(&self, _length: crate::units::SimDuration) -> f64 {
        self.rate.0
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rate.fmt(f)
    }
}

impl FromStr for Arrival {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(|rate| Self { rate }).map_err(|e: crate::units::UnitError| e.to_string())
    }
}
