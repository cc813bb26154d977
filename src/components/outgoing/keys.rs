//! The secrets of an endpoint and their rotation: for a while the old one signs beside the new one, so that the receiver may
//! take over the new one at any time of it.
//!
//! In: rotations, instants. Out: what signs now, and what the receiver checks with. Source: Standard Webhooks 1.0.0, "Signature
//! scheme" (the header is a list of signatures, for rotation without downtime). Start at [`Keys::rotate`].

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::signature::{Headers, Refusal, Secret};
use crate::units::{SimDuration, SimTime};

/// Secrets that sign one webhook, at most: the oldest goes before its time.
const SIGNING_MAX: usize = 4;

/// What both sides have.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// The newest first, each with when it signs no more.
    signing: VecDeque<(Secret, SimTime)>,
    /// What the receiver checks with, and what it takes over when.
    known: Secret,
    to_come: VecDeque<(SimTime, Secret)>,
    rotations: u64,
}

/// How a secret is rotated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    /// The old one signs for so long beside the new one.
    pub overlap: SimDuration,
    /// The receiver takes the new one over after this.
    pub adopted_after: SimDuration,
}

impl Keys {
    pub fn new(secret: Secret) -> Self {
        Self { signing: VecDeque::from([(secret.clone(), SimTime::MAX)]), known: secret, to_come: VecDeque::new(), rotations: 0 }
    }

    /// A new secret signs from now on. It is made of the endpoint's name and of how many there were before.
    pub fn rotate(&mut self, now: SimTime, name: &str, rotation: Rotation) {
        self.rotations += 1;
        let secret = Secret::new(&Sha256::digest(format!("{name}/{}", self.rotations)));
        let ends = now + rotation.overlap;
        self.signing.iter_mut().for_each(|(_, until)| *until = (*until).min(ends));
        self.signing.push_front((secret.clone(), SimTime::MAX));
        self.signing.truncate(SIGNING_MAX);
        let at = now + rotation.adopted_after;
        // A receiver takes over one after the other: none before an older one.
        let at = self.to_come.back().map_or(at, |(before, _)| at.max(*before));
        self.to_come.push_back((at, secret));
    }

    /// The headers of a webhook, with a signature of each secret that is valid.
    pub fn sign(&mut self, now: SimTime, id: String, timestamp: i64, body: &[u8]) -> Headers {
        self.signing.retain(|(_, until)| *until > now);
        Secret::sign(self.signing.iter().map(|(secret, _)| secret), id, timestamp, body)
    }

    /// What the receiver says.
    ///
    /// # Errors
    /// Why it refuses.
    pub fn verify(&mut self, now: SimTime, headers: &Headers, clock: Clock, body: &[u8]) -> Result<(), Refusal> {
        while self.to_come.front().is_some_and(|(at, _)| *at <= now)
            && let Some((_, secret)) = self.to_come.pop_front()
        {
            self.known = secret;
        }
        self.known.verify(headers, clock.now_s, clock.tolerance_s, body)
    }
}

/// A receiver's clock, and how far from it a webhook's timestamp may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub now_s: i64,
    pub tolerance_s: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(s)
    }

    proptest! {
        /// A receiver that takes a new secret over while the old one still signs refuses nothing, whatever the rotations.
        #[test]
        fn rotation_within_the_overlap_refuses_nothing(rotations in proptest::collection::vec((0u64..40, 1u64..30, 0u64..30), 0..4)) {
            let mut keys = Keys::new(Secret::new(b"the first of all the secrets"));
            let mut due: Vec<_> = Vec::new();
            let mut from_s = 0;
            for (gap_s, overlap_s, adopted_s) in rotations {
                // The next rotation waits until the one before is over.
                from_s += gap_s;
                let adopted_s = adopted_s.min(overlap_s - 1);
                due.push((from_s, overlap_s, adopted_s));
                from_s += overlap_s;
            }
            for s in 0..from_s + 5 {
                for (_, overlap_s, adopted_s) in due.iter().filter(|(from_s, ..)| *from_s == s) {
                    let rotation = Rotation { overlap: SimDuration::from_secs(*overlap_s), adopted_after: SimDuration::from_secs(*adopted_s) };
                    keys.rotate(at(s), "acme", rotation);
                }
                let headers = keys.sign(at(s), "msg_1".to_owned(), 7, b"x");
                let signatures = headers.signature.split(' ').count();
                let overlaps = due.iter().any(|(from_s, overlap_s, _)| (*from_s..from_s + overlap_s).contains(&s));
                prop_assert_eq!(signatures, if overlaps { 2 } else { 1 });
                prop_assert_eq!(keys.verify(at(s), &headers, Clock { now_s: 7, tolerance_s: 1 }, b"x"), Ok(()));
            }
        }
    }

    #[test]
    fn a_receiver_that_is_late_refuses_until_it_has_the_new_secret() {
        let mut keys = Keys::new(Secret::new(b"the first of all the secrets"));
        keys.rotate(at(10), "acme", Rotation { overlap: SimDuration::from_secs(5), adopted_after: SimDuration::from_secs(8) });
        let mut is_taken = |s| {
            let headers = keys.sign(at(s), "msg_1".to_owned(), 7, b"x");
            keys.verify(at(s), &headers, Clock { now_s: 7, tolerance_s: 1 }, b"x").is_ok()
        };
        assert_eq!([14, 15, 17, 18].map(&mut is_taken), [true, false, false, true]);
    }
}
