//! Workers: service, failures, deletes, and the end of each obligation.

use bytes::Bytes;

use super::calls::Caller;
use super::heartbeat::Handle;
use super::sim::QueueConsumer;
use crate::engine::Ctx;
use crate::event::{Ended, EventMeta, Fact, Hop, HopKind, ObligationEnd, Placed, QueueMessage, Reason, Receipt};
use crate::machines::broker::batch::{records, value_bytes};
use crate::machines::broker::fanout::envelope;
use crate::units::SimTime;

/// A message that an instance holds.
#[derive(Clone, Debug)]
pub(super) struct Held {
    meta: EventMeta,
    pub value: Bytes,
    key: Option<Bytes>,
    group: Option<Bytes>,
    /// Which of the queues it came from.
    source: usize,
    receipt: Receipt,
    arrived: SimTime,
}

/// One thread of an instance.
#[derive(Clone, Debug, Default)]
pub(super) struct Worker {
    work: Option<(Held, SimTime)>,
}

impl Held {
    pub fn new(now: SimTime, source: usize, message: &QueueMessage) -> Option<Self> {
        let record = records(&message.batch).next()?;
        Some(Self {
            meta: record.meta,
            // What a fan-out topic has wrapped is unwrapped first, as its subscribers do.
            value: envelope::open(record.value).unwrap_or_else(|| value_bytes(&message.batch, &record)),
            key: record.key.map(|key| message.batch.bytes.slice_ref(key)),
            group: message.group.clone(),
            source,
            receipt: message.receipt,
            arrived: now,
        })
    }
    pub fn handle(&self) -> Handle {
        (self.source, self.receipt)
    }
}

impl QueueConsumer {
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>, index: usize, held: Held) {
        self.station.begin(ctx.now);
        let service = self.service_time.sample(&mut self.service_rng);
        let instance = &mut self.instances[index];
        let number = instance.free.pop().unwrap_or_else(|| {
            instance.workers.push(Worker::default());
            (instance.workers.len() - 1) as u32
        });
        instance.workers[number as usize].work = Some((held, ctx.now));
        instance.busy += 1;
        ctx.timer_after(service, Self::worker_token(index, number, instance.life));
    }

    /// A worker's service is over.
    pub(super) fn worker_due(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32) {
        let instance = &mut self.instances[index];
        let Some((held, begun)) = instance.workers[number as usize].work.take() else { return };
        instance.free.push(number);
        instance.busy -= 1;
        self.station.finish(ctx.now);
        if self.failure_rng.chance(self.failure_ratio) {
            self.fail(ctx, index, &held, begun);
        } else {
            self.succeed(ctx, index, &held, begun);
        }
        self.advance(ctx, index);
    }

    fn succeed(&mut self, ctx: &mut Ctx<'_>, index: usize, held: &Held, begun: SimTime) {
        self.counts.processed += 1;
        ctx.fact(Fact::Ended(Ended {
            component: ctx.me,
            group: self.sources[held.source].group,
            topic: self.sources[held.source].topic,
            partition: 0,
            offset: held.receipt.number,
            event: held.meta,
            waited: begun.since(held.arrived),
            end: ObligationEnd::Delivered,
        }));
        if ctx.tracing.takes(held.meta.id) {
            let words = format!("processed by {}#{} at receive {}", self.name, index + 1, held.receipt.receive);
            self.hop(ctx, held, HopKind::Processed, begun, words);
        }
        self.heartbeats.end(held.handle());
        self.calls.delete(ctx, Caller { instance: index, source: held.source }, held.receipt);
    }

    /// The message is left to its queue, which shows it again: now, later, or never again. What is held of its
    /// message group goes with it, or it would overtake the one that failed.
    fn fail(&mut self, ctx: &mut Ctx<'_>, index: usize, held: &Held, begun: SimTime) {
        self.counts.failed += 1;
        if ctx.tracing.takes(held.meta.id) {
            self.hop(ctx, held, HopKind::Rejected, begun, format!("failed at receive {}, left to the queue", held.receipt.receive));
        }
        self.show_again(ctx, index, held);
        if held.group.is_some() && self.sources[held.source].is_fifo {
            let buffer = std::mem::take(&mut self.instances[index].buffer);
            let (left, kept): (Vec<Held>, Vec<Held>) =
                buffer.into_iter().partition(|other| other.source == held.source && other.group == held.group);
            self.instances[index].buffer = kept.into();
            self.station.abandon(ctx.now, left.len() as u64);
            left.iter().for_each(|other| self.show_again(ctx, index, other));
        }
    }

    /// A message that cannot be decoded takes no service and is left to its queue.
    pub(super) fn refuse(&mut self, ctx: &mut Ctx<'_>, index: usize, held: &Held, reason: &Reason) {
        self.counts.rejected += 1;
        let words = format!("rejected by {}: {}", self.name, reason.detail.as_deref().unwrap_or(reason.code));
        self.hop(ctx, held, HopKind::Rejected, ctx.now, words);
        self.show_again(ctx, index, held);
    }

    fn show_again(&mut self, ctx: &mut Ctx<'_>, index: usize, held: &Held) {
        self.heartbeats.end(held.handle());
        if let Some(after) = self.failed_visibility {
            self.calls.show(ctx, Caller { instance: index, source: held.source }, vec![(held.receipt, after)]);
        }
    }

    fn hop(&self, ctx: &mut Ctx<'_>, held: &Held, kind: HopKind, served: SimTime, words: String) {
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: held.arrived,
            served,
            done: ctx.now,
            placed: Some(Placed { topic: self.sources[held.source].topic, partition: 0, offset: held.receipt.number }),
            group: Some(self.sources[held.source].group),
            words: words.into(),
            payload: Some(held.value.clone()),
            key: held.key.clone(),
        };
        ctx.hop(held.meta, hop);
    }
}
