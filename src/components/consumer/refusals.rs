//! Refusals by access control lists: the exception that leaves a poll or a commit.
//!
//! Kafka's client throws it and leaves the rest to the application, which mostly ends with it: the instance stops in good
//! order. One with `authorization_retry` polls again after that time, as Spring's listener containers can.
//! In: the error of a client. Out: a stopped instance, or nothing. Start at [`Consumer::be_refused`].

use std::collections::BTreeSet;

use super::sim::Consumer;
use crate::engine::{Ctx, Figures};
use crate::units::SimDuration;

/// What a consumer was refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    /// How long after a refusal it polls again.
    retry: Option<SimDuration>,
    count: u64,
    /// Instances that have stopped for it.
    stopped: BTreeSet<usize>,
}

impl Refusals {
    pub fn new(retry: Option<SimDuration>) -> Self {
        Self { retry, ..Self::default() }
    }

    /// An instance is started by hand.
    pub fn begin_anew(&mut self, index: usize) {
        self.stopped.remove(&index);
    }

    /// Nothing where nothing was refused.
    pub fn figures(&self, out: &mut Figures) {
        if self.count > 0 {
            out.counter("refusals_count", self.count);
            out.gauge("refused_instances", self.stopped.len() as f64);
        }
    }
}

impl Consumer {
    /// A poll, a commit or a transaction of an instance ends with an exception. A producer that met a fatal error cannot
    /// try again, whatever the setting.
    pub fn be_refused(&mut self, ctx: &mut Ctx<'_>, index: usize, is_fatal: bool) {
        self.refusals.count += 1;
        if (self.refusals.retry.is_none() || is_fatal) && self.instances[index].up {
            self.refusals.stopped.insert(index);
            self.stop_instance(ctx, index);
            self.count_servers();
            self.tell_instances(ctx, None);
        }
    }
}
