//! Batches whose checksum does not hold.
//!
//! Kafka's consumer does not pass them on: its poll fails until somebody seeks behind them, or its process begins anew
//! and reads them again. `on_corrupt` says which: read again until another replica leads that has a good copy, or skip.
//! In: a bad batch. Out: a position to read from, or the ends of what it held. Start at [`Consumer::take_corrupt`].

use std::collections::BTreeMap;

use super::intake::Inbound;
use super::sim::Consumer;
use crate::engine::{Ctx, Figures};
use crate::event::{Fact, Reason, Unreadable};
use crate::machines::broker::batch::BatchError;
use crate::machines::broker::client::backoff;
use crate::units::{SimDuration, SimTime, TopicIx};

/// Kafka's `retry.backoff.ms` and `retry.backoff.max.ms`.
const BACKOFF: SimDuration = SimDuration::from_ms(100);
const BACKOFF_MAX: SimDuration = SimDuration::from_secs(1);

/// What a group knows of bad batches.
#[derive(Clone, Debug, Default)]
pub(super) struct CorruptBatches {
    /// Whether they are passed over.
    pub skips: bool,
    /// Where reading stands still: the bad batch's offset, and how often it was read.
    stuck: BTreeMap<(TopicIx, u32), (u64, u32)>,
    found: u64,
}

impl CorruptBatches {
    pub fn new(skips: bool) -> Self {
        Self { skips, ..Self::default() }
    }

    /// A good batch has come: if it is the one that was bad, reading goes on.
    pub fn sound(&mut self, topic: TopicIx, partition: u32, next_offset: u64) {
        if self.stuck.get(&(topic, partition)).is_some_and(|(offset, _)| *offset < next_offset) {
            self.stuck.remove(&(topic, partition));
        }
    }

    /// Nothing where none was found.
    pub fn figures(&self, out: &mut Figures) {
        if self.found > 0 {
            out.counter("corrupt_batches_count", self.found);
            out.gauge("stuck_partitions", self.stuck.len() as f64);
        }
    }
}

impl Consumer {
    /// Deals with a batch that cannot be read.
    pub(super) fn take_corrupt(&mut self, ctx: &mut Ctx<'_>, index: usize, inbound: &Inbound, error: &BatchError) {
        self.corrupt.found += 1;
        if self.corrupt.skips {
            self.skip_corrupt(ctx, index, inbound, error);
        } else {
            self.read_again(ctx, index, inbound);
        }
    }

    fn read_again(&mut self, ctx: &mut Ctx<'_>, index: usize, inbound: &Inbound) {
        let Inbound { topic, partition, .. } = *inbound;
        let offset = inbound.first_offset();
        let (_, failures) = self.corrupt.stuck.entry((topic, partition)).and_modify(|known| known.0 = offset).or_insert((offset, 0));
        *failures += 1;
        let until = ctx.now + backoff(BACKOFF, BACKOFF_MAX, *failures);
        self.set_back(index, inbound, offset, until);
    }

    /// Reads a partition again from an offset on, but not before; what has come of it goes.
    pub(super) fn set_back(&mut self, index: usize, inbound: &Inbound, offset: u64, until: SimTime) {
        let Inbound { client, epoch, slot, .. } = *inbound;
        let instance = &mut self.instances[index];
        instance.inbox.retain(|other| (other.client, other.epoch, other.slot) != (client, epoch, slot));
        instance.clients[client].read_again(epoch, slot, offset, until);
    }

    fn skip_corrupt(&mut self, ctx: &mut Ctx<'_>, index: usize, inbound: &Inbound, error: &BatchError) {
        let Inbound { client, epoch, slot, topic, partition, .. } = *inbound;
        let (component, group, base_offset) = (ctx.me, self.group_of(client), inbound.stored.base_offset);
        let reason = Reason { code: "corrupt", detail: Some(error.to_string().into()) };
        let from = inbound.first_offset();
        ctx.fact(Fact::Unreadable(Box::new(Unreadable { component, group, topic, partition, base_offset, from, reason })));
        for offset in from..inbound.stored.next_offset() {
            self.instances[index].clients[client].done(epoch, slot, offset);
        }
        self.counts.rejected += u64::from(inbound.stored.batch.record_count);
    }
}
