//! Workers of an endpoint: service, failures, answers, and the end of each obligation.

use std::sync::Arc;

use super::sim::{Held, PushConsumer, WORK};
use crate::engine::Ctx;
use crate::event::{Ended, Fact, Hop, HopKind, HttpReply, Message, ObligationEnd};
use crate::units::SimTime;

/// Statuses of its answers.
const OK: u16 = 200;
/// What a client sees whose connection breaks: a load balancer's answer for a process that is gone.
const BAD_GATEWAY: u16 = 502;

/// A request that a worker is at.
#[derive(Clone, Debug)]
pub(super) struct Work {
    instance: usize,
    held: Held,
    begun: SimTime,
}

impl PushConsumer {
    pub(super) fn begin(&mut self, ctx: &mut Ctx<'_>, instance: usize, held: Held) {
        self.station.begin(ctx.now);
        self.instances[instance].busy += 1;
        let number = self.next_work;
        self.next_work += 1;
        self.works.insert(number, Work { instance, held, begun: ctx.now });
        ctx.timer_after(self.service_time.sample(&mut self.service_rng), WORK | number);
    }

    /// A worker's service is over; one that is gone has none.
    pub(super) fn work_due(&mut self, ctx: &mut Ctx<'_>, number: u64) {
        let Some(Work { instance, held, begun }) = self.works.remove(&number) else { return };
        self.instances[instance].busy -= 1;
        self.station.finish(ctx.now);
        if self.failure_rng.chance(self.failure_ratio) {
            self.counts.failed += 1;
            let words = format!("failed at try {}, answered {}", held.request.attempt, self.failure_status);
            self.hop_rejected(ctx, &held, begun, words);
            self.answer(ctx, &held, self.failure_status, Some("processing failed".into()));
        } else {
            self.succeed(ctx, instance, &held, begun);
        }
        self.advance(ctx);
    }

    fn succeed(&mut self, ctx: &mut Ctx<'_>, instance: usize, held: &Held, begun: SimTime) {
        self.counts.processed += 1;
        if let (Some(placed), Some(group)) = (held.request.delivery, self.groups.get(&held.end.0)) {
            ctx.fact(Fact::Ended(Ended {
                component: ctx.me,
                group: *group,
                topic: placed.topic,
                partition: placed.partition,
                offset: placed.offset,
                event: held.request.event,
                waited: begun.since(held.arrived),
                end: ObligationEnd::Delivered,
            }));
        }
        let words = format!("processed by {}#{} at try {}", self.name, instance + 1, held.request.attempt);
        self.hop(ctx, held, HopKind::Processed, begun, words);
        self.answer(ctx, held, OK, None);
    }

    /// The process is gone with what it was at: those connections break.
    pub(super) fn crash(&mut self, ctx: &mut Ctx<'_>, instance: usize) {
        let gone: Vec<u64> = self.works.iter().filter(|(_, work)| work.instance == instance).map(|(number, _)| *number).collect();
        for work in gone.into_iter().filter_map(|number| self.works.remove(&number)).collect::<Vec<_>>() {
            self.station.interrupt(ctx.now);
            self.answer(ctx, &work.held, BAD_GATEWAY, Some("the instance crashed".into()));
        }
        self.instances[instance].busy = 0;
    }

    pub(super) fn answer(&self, ctx: &mut Ctx<'_>, held: &Held, status: u16, reason: Option<Arc<str>>) {
        let reply = HttpReply { reason, ..HttpReply::to(&held.request, status) };
        ctx.send(held.end, Message::HttpReply(Box::new(reply)));
    }

    pub(super) fn hop_rejected(&self, ctx: &mut Ctx<'_>, held: &Held, served: SimTime, words: String) {
        self.hop(ctx, held, HopKind::Rejected, served, words);
    }

    fn hop(&self, ctx: &mut Ctx<'_>, held: &Held, kind: HopKind, served: SimTime, words: String) {
        if !ctx.tracing.takes(held.request.event.id) && kind == HopKind::Processed {
            return;
        }
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: held.arrived,
            served,
            done: ctx.now,
            placed: held.request.delivery,
            group: self.groups.get(&held.end.0).copied(),
            words: words.into(),
            payload: Some(held.value.clone()),
            key: held.request.key.clone(),
        };
        ctx.hop(held.request.event, hop);
    }
}
