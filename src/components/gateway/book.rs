//! What was answered of one kind: how often, how large, and how long it was in the gateway and behind it.
//!
//! In: one [`Seen`] for each answer. Out: figures. Must not know: whose it was. Start at [`Book`].

use std::sync::Arc;

use crate::engine::{FigureKind, Figures, Latencies};
use crate::units::SimDuration;

/// One answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// From its coming to the decision: the queue, the worker, the plugins.
    pub gateway: SimDuration,
    /// From the decision to the answer.
    pub upstream: SimDuration,
    /// Of the request's body.
    pub in_bytes: u64,
    /// Of the answer's.
    pub out_bytes: u64,
}

/// Sums of many.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub in_bytes: u64,
    pub out_bytes: u64,
    gateway: Latencies,
    upstream: Latencies,
}

impl Default for Book {
    fn default() -> Self {
        Self { in_bytes: 0, out_bytes: 0, gateway: Latencies::small(), upstream: Latencies::small() }
    }
}

impl Book {
    pub(super) fn add(&mut self, seen: Seen) {
        self.in_bytes += seen.in_bytes;
        self.out_bytes += seen.out_bytes;
        self.gateway.record(seen.gateway);
        self.upstream.record(seen.upstream);
    }
    /// How many.
    pub(super) fn answered(&self) -> u64 {
        self.gateway.count()
    }
    /// Mean and 99th percentile of the time in the gateway, and of the time behind it, under these four names.
    pub(super) fn times(&self, names: [&'static str; 4], label: &Arc<str>, out: &mut Figures) {
        let values = [self.gateway.mean_s(), self.gateway.quantile_s(0.99), self.upstream.mean_s(), self.upstream.quantile_s(0.99)];
        for (name, seconds) in names.into_iter().zip(values) {
            if let Some(seconds) = seconds {
                out.of(name, label, FigureKind::Gauge, seconds * 1e3);
            }
        }
    }
}
