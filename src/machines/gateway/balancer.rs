//! Which target of an upstream gets a request, and which are taken out for their failures.
//!
//! kong/runloop/balancer (round_robin.lua, least_connections.lua, consistent_hashing.lua) and lua-resty-healthcheck:
//! passive checks count what requests met, active ones what probes met; a target is unhealthy once one of its counters of
//! failures in a row reaches its threshold (0 is off), healthy again after enough successes of probes. Without active
//! checks nothing brings it back but a person: Kong's circuit breaker. Weights are shares as in the product; which
//! target is the next, or which a key belongs to, is drawn otherwise there.
//! In: targets, outcomes. Out: a target's number. Must not know: how long targets take. Start at [`Balancer::pick`].

use std::sync::Arc;

use crate::random::{FNV1A_BASIS, fnv1a, mix64};

/// Most targets of one upstream.
pub const TARGETS_MAX: usize = 1_000;
/// Points on the ring of consistent hashing for each unit of weight.
const POINTS: usize = 16;
/// Largest weight (Kong has 65535; shares are the same).
pub const WEIGHT_MAX: u32 = 1_000;

/// How targets are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the product's own names")]
pub enum Algorithm {
    #[default]
    RoundRobin,
    ConsistentHashing,
    LeastConnections,
}

/// Failures in a row after which a target is unhealthy; 0 is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// Statuses 429, 500 and 503.
    pub http_failures: u32,
    /// Connections refused.
    pub tcp_failures: u32,
    /// Answers that did not come in time.
    pub timeouts: u32,
}

/// An upstream as the design has it.
#[derive(Clone, Debug, Default)]
pub struct UpstreamSpec {
    /// How targets are chosen.
    pub algorithm: Algorithm,
    /// Names and weights; 0 gets nothing.
    pub targets: Vec<(Arc<str>, u32)>,
    /// Of what requests met.
    pub passive: Thresholds,
    /// Of what probes met.
    pub active: Thresholds,
    /// Probes in a row that must succeed before a target is healthy again; 0 is never.
    pub successes: u32,
}

/// What a request or a probe met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// An answer.
    Status(u16),
    /// Nobody there.
    Refused,
    /// No answer in time.
    Timeout,
}

impl Met {
    /// Statuses that count as failures (Kong's defaults for passive checks).
    fn is_failure(self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 429 | 500 | 503),
            Self::Refused | Self::Timeout => true,
        }
    }
}

/// Counters of one sort of checks.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    http: u32,
    tcp: u32,
    timeouts: u32,
}

impl Row {
    fn note(&mut self, met: Met, thresholds: Thresholds) -> bool {
        let (counter, threshold) = match met {
            Met::Status(_) => (&mut self.http, thresholds.http_failures),
            Met::Refused => (&mut self.tcp, thresholds.tcp_failures),
            Met::Timeout => (&mut self.timeouts, thresholds.timeouts),
        };
        *counter = counter.saturating_add(1);
        threshold > 0 && *counter >= threshold
    }
}

#[derive(Clone, Debug)]
struct Target {
    weight: u32,
    healthy: bool,
    connections: u32,
    /// Of smooth weighted round robin.
    credit: i64,
    passive: Row,
    active: Row,
    successes: u32,
}

/// The targets with their health.
#[derive(Clone, Debug)]
pub struct Balancer {
    spec: Arc<UpstreamSpec>,
    targets: Vec<Target>,
    /// Points by hash; only of consistent hashing.
    ring: Arc<[(u64, u32)]>,
}

impl Balancer {
    /// All healthy.
    #[must_use]
    pub fn new(spec: &UpstreamSpec) -> Self {
        let target = |(_, weight): &(Arc<str>, u32)| Target {
            weight: (*weight).min(WEIGHT_MAX),
            healthy: true,
            connections: 0,
            credit: 0,
            passive: Row::default(),
            active: Row::default(),
            successes: 0,
        };
        let targets: Vec<Target> = spec.targets.iter().take(TARGETS_MAX).map(target).collect();
        let mut ring: Vec<(u64, u32)> = Vec::new();
        if spec.algorithm == Algorithm::ConsistentHashing {
            for (at, target) in targets.iter().enumerate() {
                let points = 0..target.weight as usize * POINTS;
                let name = spec.targets[at].0.as_bytes();
                ring.extend(points.map(|number| (point([name, &(number as u64).to_le_bytes()]), at as u32)));
            }
            ring.sort_unstable();
        }
        Self { spec: Arc::new(spec.clone()), targets, ring: ring.into() }
    }
    /// What requests with the same value share, for consistent hashing.
    #[must_use]
    pub fn key(value: &[u8]) -> u64 {
        point([value])
    }
    /// A target for a request, none of those already tried; none when all are unhealthy or were tried.
    pub fn pick(&mut self, key: u64, tried: &[u32]) -> Option<u32> {
        let usable = |at: usize, target: &Target| target.healthy && target.weight > 0 && !tried.contains(&(at as u32));
        match self.spec.algorithm {
            Algorithm::ConsistentHashing => {
                let from = self.ring.partition_point(|(point, _)| *point < key);
                let after = self.ring[from..].iter().chain(&self.ring[..from]);
                after.map(|(_, at)| *at).find(|at| usable(*at as usize, &self.targets[*at as usize]))
            }
            Algorithm::LeastConnections => {
                let candidates = self.targets.iter().enumerate().filter(|(at, target)| usable(*at, target));
                // (connections + 1) / weight, compared without a fraction; a tie is the first's.
                let less = |a: &(usize, &Target), b: &(usize, &Target)| {
                    let load = |x: &Target, y: &Target| u64::from(x.connections + 1) * u64::from(y.weight);
                    load(a.1, b.1).cmp(&load(b.1, a.1))
                };
                candidates.min_by(less).map(|(at, _)| at as u32)
            }
            Algorithm::RoundRobin => {
                let mut total = 0;
                let mut best: Option<usize> = None;
                for at in 0..self.targets.len() {
                    if !usable(at, &self.targets[at]) {
                        continue;
                    }
                    let weight = i64::from(self.targets[at].weight);
                    total += weight;
                    self.targets[at].credit += weight;
                    if best.is_none_or(|best| self.targets[at].credit > self.targets[best].credit) {
                        best = Some(at);
                    }
                }
                best.map(|at| {
                    self.targets[at].credit -= total;
                    at as u32
                })
            }
        }
    }
    /// A request begins at a target.
    pub fn begin(&mut self, target: u32) {
        if let Some(target) = self.targets.get_mut(target as usize) {
            target.connections += 1;
        }
    }
    /// It is over. True when the target has become unhealthy by it.
    pub fn end(&mut self, target: u32, met: Met) -> bool {
        let thresholds = self.spec.passive;
        let Some(target) = self.targets.get_mut(target as usize) else { return false };
        target.connections = target.connections.saturating_sub(1);
        if !met.is_failure() {
            target.passive = Row::default();
            return false;
        }
        let falls = target.passive.note(met, thresholds) && target.healthy;
        if falls {
            target.healthy = false;
            target.successes = 0;
        }
        falls
    }
    /// A probe has come back. True when the target's health has changed by it.
    pub fn probed(&mut self, target: u32, met: Met) -> bool {
        let (thresholds, needed) = (self.spec.active, self.spec.successes);
        let Some(target) = self.targets.get_mut(target as usize) else { return false };
        if met.is_failure() {
            target.successes = 0;
            let falls = target.active.note(met, thresholds) && target.healthy;
            target.healthy &= !falls;
            return falls;
        }
        target.active = Row::default();
        target.successes = target.successes.saturating_add(1);
        let rises = !target.healthy && needed > 0 && target.successes >= needed;
        if rises {
            target.healthy = true;
            target.passive = Row::default();
        }
        rises
    }
    /// Whether a target gets requests.
    #[must_use]
    pub fn is_healthy(&self, target: u32) -> bool {
        self.targets.get(target as usize).is_some_and(|target| target.healthy)
    }
    /// Healthy ones.
    #[must_use]
    pub fn healthy(&self) -> usize {
        self.targets.iter().filter(|target| target.healthy).count()
    }
    /// What an upstream answers without any: Kong's 503.
    pub const NO_PEER: &'static str = "failure to get a peer from the ring-balancer";
}

/// A place on the ring: FNV-1a with SplitMix64's finaliser, the same on every machine.
fn point<const N: usize>(parts: [&[u8]; N]) -> u64 {
    mix64(parts.into_iter().fold(FNV1A_BASIS, fnv1a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn upstream(algorithm: Algorithm, weights: &[u32]) -> UpstreamSpec {
        let targets = weights.iter().enumerate().map(|(at, weight)| (format!("10.0.0.{at}:80").into(), *weight)).collect();
        UpstreamSpec { algorithm, targets, ..UpstreamSpec::default() }
    }

    #[test]
    fn failures_in_a_row_take_a_target_out_and_probes_bring_it_back() {
        let spec = UpstreamSpec {
            passive: Thresholds { http_failures: 3, tcp_failures: 1, timeouts: 2 },
            active: Thresholds { tcp_failures: 2, ..Thresholds::default() },
            successes: 2,
            ..upstream(Algorithm::RoundRobin, &[1, 1])
        };
        let mut balancer = Balancer::new(&spec);
        let mut end = |met: Met| balancer.end(0, met);
        assert_eq!([end(Met::Status(500)), end(Met::Status(503)), end(Met::Status(200))], [false; 3]);
        assert_eq!([end(Met::Status(500)), end(Met::Status(502)), end(Met::Status(404))], [false; 3], "a success begins the row anew");
        assert_eq!([end(Met::Timeout), end(Met::Timeout)], [false, true]);
        assert_eq!([balancer.pick(0, &[]), balancer.pick(0, &[]), balancer.pick(0, &[1])], [Some(1), Some(1), None]);
        assert_eq!([balancer.probed(0, Met::Status(200)), balancer.probed(0, Met::Refused)], [false, false]);
        assert_eq!([balancer.probed(0, Met::Status(200)), balancer.probed(0, Met::Status(200))], [false, true]);
        assert!(balancer.end(0, Met::Refused));
        assert!(!balancer.is_healthy(0) && balancer.healthy() == 1);
        let mut broken = Balancer::new(&UpstreamSpec { successes: 0, ..spec });
        assert!(broken.end(0, Met::Refused));
        assert!((0..100).all(|_| !broken.probed(0, Met::Status(200))), "without active checks a person brings it back");
    }

    #[test]
    fn the_least_busy_for_its_weight_is_next() {
        let mut balancer = Balancer::new(&upstream(Algorithm::LeastConnections, &[1, 3]));
        let mut next = || {
            let at = balancer.pick(0, &[]).expect("there are some");
            balancer.begin(at);
            at
        };
        assert_eq!([next(), next(), next(), next(), next()], [1, 1, 0, 1, 1]);
    }

    proptest! {
        /// Over whole rounds each target gets exactly its weight.
        #[test]
        fn round_robin_gives_each_its_share(weights in proptest::collection::vec(0u32..8, 1..6), rounds in 1u32..5) {
            let total: u32 = weights.iter().sum();
            prop_assume!(total > 0);
            let mut balancer = Balancer::new(&upstream(Algorithm::RoundRobin, &weights));
            let mut got = vec![0; weights.len()];
            for _ in 0..total * rounds {
                got[balancer.pick(0, &[]).expect("one has a weight") as usize] += 1;
            }
            prop_assert_eq!(got, weights.iter().map(|weight| weight * rounds).collect::<Vec<_>>());
        }
        /// A key stays where it is while other targets come and go.
        #[test]
        fn a_key_moves_only_when_its_own_target_goes(keys in proptest::collection::vec(any::<u64>(), 1..50), gone in 0u32..4) {
            let spec = UpstreamSpec { passive: Thresholds { tcp_failures: 1, ..Thresholds::default() }, ..upstream(Algorithm::ConsistentHashing, &[1, 2, 3, 4]) };
            let mut balancer = Balancer::new(&spec);
            let before: Vec<_> = keys.iter().map(|key| balancer.pick(*key, &[])).collect();
            balancer.end(gone, Met::Refused);
            for (key, before) in keys.iter().zip(before) {
                let now = balancer.pick(*key, &[]);
                prop_assert_eq!(before == Some(gone), now != before);
            }
        }
    }
}
