//! The simulated network: what each link direction does to a message.
//!
//! In: a message's size and the instant it is put on the wire. Out: when it arrives, or that it never will.
//! Latency is drawn per message, bandwidth serialises, loss is silent, and each direction is first in
//! first out, unless a fault says otherwise. Must not know: what the message means.

use super::faults::{Fate, LinkFaults};
use crate::compile::PlannedLink;
use crate::engine::LinkEnd;
use crate::random::{Distribution, Stream};
use crate::units::{ComponentIx, SimDuration, SimTime};

/// One link while it runs.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub from: (ComponentIx, LinkEnd),
    pub to: (ComponentIx, LinkEnd),
    latency: Distribution,
    bandwidth_bytes_per_s: Option<u64>,
    loss_ratio: f64,
    directions: [Direction; 2],
    pub faults: LinkFaults,
}

#[derive(Clone, Debug)]
struct Direction {
    stream: Stream,
    free_at: SimTime,
    last_arrival: SimTime,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Transit {
    /// When it arrives, or would have.
    pub arrives: SimTime,
    /// Whether it vanishes.
    pub lost: bool,
    /// When a fault's copy of it arrives.
    pub copy_arrives: Option<SimTime>,
}

impl Wire {
    pub fn new(link: &PlannedLink) -> Self {
        let direction = |stream: &Stream| Direction { stream: stream.clone(), free_at: SimTime::ZERO, last_arrival: SimTime::ZERO };
        Self {
            from: link.from,
            to: link.to,
            latency: link.latency.clone(),
            bandwidth_bytes_per_s: link.bandwidth_bytes_per_s,
            loss_ratio: link.loss_ratio,
            directions: [direction(&link.streams[0]), direction(&link.streams[1])],
            faults: LinkFaults::new(link.fault_stream.clone()),
        }
    }

    /// Who takes what travels that way.
    #[inline]
    pub fn receiver(&self, backwards: bool) -> (ComponentIx, LinkEnd) {
        if backwards { self.from } else { self.to }
    }

    /// Puts a message on the wire. `wire_bytes` is asked only where a bandwidth needs it; `tell` hears which fault
    /// struck it, and how.
    #[inline]
    pub fn transmit(
        &mut self,
        backwards: bool,
        now: SimTime,
        wire_bytes: impl FnOnce() -> u64,
        mut tell: impl FnMut(usize, &'static str),
    ) -> Transit {
        let fate = if self.faults.is_empty() { Fate::default() } else { self.faults.strike(backwards, now, &mut tell) };
        let direction = &mut self.directions[usize::from(backwards)];
        let mut leaves = now;
        if let Some(bandwidth) = self.bandwidth_bytes_per_s {
            let ns = u128::from(wire_bytes()) * 1_000_000_000 / u128::from(bandwidth.max(1));
            leaves = now.max(direction.free_at) + SimDuration::from_ns(u64::try_from(ns).unwrap_or(u64::MAX));
            direction.free_at = leaves;
        }
        let latency = self.latency.sample(&mut direction.stream) + fate.delay;
        let arrives = if fate.overtaken { leaves + latency } else { (leaves + latency).max(direction.last_arrival) };
        let lost = self.loss_ratio > 0.0 && direction.stream.chance(self.loss_ratio);
        if lost || fate.lost {
            return Transit { arrives, lost: true, copy_arrives: None };
        }
        if !fate.overtaken {
            direction.last_arrival = arrives;
        }
        Transit { arrives, lost: false, copy_arrives: fate.copy_after.map(|after| arrives + after) }
    }
}
