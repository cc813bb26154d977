//! Mistakes that a cluster can be told to make, in tests alone: each shows that the check of a promise can fail.
//!
//! Outside of the crate's own tests nobody can ask for one. Start at [`Cluster::errs`].

use super::cluster::Cluster;

/// What a cluster does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownBad {
    /// acks=all is answered before followers have the batch.
    AcknowledgesEarly,
    /// An election begins no epoch of its own.
    KeepsTheEpoch,
    /// The high watermark is where the leader's log ends, whoever else has it.
    TrustsTheLeaderAlone,
}

impl Cluster {
    /// Whether it makes this mistake.
    #[cfg(test)]
    pub(super) fn errs(&self, how: KnownBad) -> bool {
        self.known_bad == Some(how)
    }
    /// It makes none.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "in tests it is asked")]
    pub(super) fn errs(&self, _: KnownBad) -> bool {
        false
    }
}
