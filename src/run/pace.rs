//! How virtual time follows wall time.

use crate::units::{SimDuration, SimTime};

/// Slowest ratio: a 2 ms hop takes 20 s.
pub const RATIO_MIN: f64 = 0.0001;

/// How virtual time follows wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Virtual seconds a wall second, [`RATIO_MIN`] and up.
    Ratio(f64),
    /// As fast as it goes.
    Unlimited,
    /// One visible hop a second, whatever its virtual length.
    Teaching,
}

/// Where virtual time should be, given the wall time since an anchor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub virtual_at: SimTime,
    pub wall_s: f64,
}

impl Anchor {
    /// The instant due at `wall_s` under a ratio.
    pub fn due(&self, wall_s: f64, ratio: f64) -> SimTime {
        self.virtual_at + SimDuration::from_secs_f64((wall_s - self.wall_s).max(0.0) * ratio.max(RATIO_MIN))
    }
}
