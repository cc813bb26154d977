//! A replication throttle: how fast replicas that a reassignment adds may be copied.
//!
//! Kafka's tool sets the same rate for what a broker gives (`leader.replication.throttled.rate`) and takes
//! (`follower.replication.throttled.rate`), over all partitions together. Followers in sync are not throttled.

use std::collections::BTreeMap;

use crate::units::{SimDuration, SimTime};

/// When each node may give and take the next bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Throttle {
    gives: BTreeMap<u32, SimTime>,
    takes: BTreeMap<u32, SimTime>,
}

impl Throttle {
    /// So many bytes go from one node to another at a rate; when they are over.
    pub fn pass(&mut self, now: SimTime, from: Option<u32>, to: u32, bytes: u64, per_s: u64) -> SimTime {
        let takes = self.takes.entry(to).or_default();
        let mut begins = now.max(*takes);
        let gives = from.map(|from| self.gives.entry(from).or_default());
        if let Some(gives) = &gives {
            begins = begins.max(**gives);
        }
        let over = begins + SimDuration::from_secs_f64(bytes as f64 / per_s.max(1) as f64);
        *takes = over;
        if let Some(gives) = gives {
            *gives = over;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_gives_and_takes_one_after_another() {
        let mut throttle = Throttle::default();
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        let mut pass = |now, from, to| throttle.pass(at(now), Some(from), to, 1_000, 500);
        assert_eq!(pass(0, 0, 2), at(2));
        assert_eq!(pass(0, 1, 3), at(2), "others do not wait");
        assert_eq!(pass(1, 0, 3), at(4), "both have something under way");
        assert_eq!(pass(9, 0, 3), at(11));
    }
}
