//! What a handler may want beyond work and results: to wait for somebody outside, to have an event stand elsewhere, to stop.
//!
//! In: steps of a handler, messages that no client has asked for. Out: workers that go on, obligations that end as forwarded.
//! Must not know: whom a handler waits for. Start at [`Consumer::give_to_handler`].

use super::handler::WorkerId;
use super::sim::Consumer;
use super::work::State;
use crate::engine::Ctx;
use crate::event::{Fact, HopKind, Message, ObligationEnd, Reason, TaskStopped};

impl Consumer {
    /// A worker keeps its event until the handler wakes it.
    pub(super) fn stand_by(&mut self, index: usize, number: u32) {
        if let Some(work) = &mut self.instances[index].workers[number as usize].work {
            work.state = State::Writing;
        }
    }

    /// Gives a message to the handler, if it asked; the message back when it did not.
    pub(super) fn give_to_handler(&mut self, ctx: &mut Ctx<'_>, message: Message) -> Option<Message> {
        let Some(handler) = &mut self.handler else { return Some(message) };
        let rest = handler.take(ctx, message);
        self.wake_held(ctx);
        rest
    }

    /// Workers that the handler has woken go on by their timers, which wait while their instance stands still.
    pub(super) fn wake_held(&mut self, ctx: &mut Ctx<'_>) {
        let Some(handler) = &mut self.handler else { return };
        for WorkerId { instance, worker: number } in handler.woken() {
            let Some(worker) = self.instances[instance as usize].workers.get_mut(number as usize) else { continue };
            if let Some(work) = &mut worker.work {
                work.state = State::Serving;
                ctx.timer_at(ctx.now, Self::worker_token(instance as usize, number, worker.generation));
            }
        }
    }

    /// Tells the handler how many instances are up, and which one is lost.
    pub(super) fn tell_instances(&mut self, ctx: &mut Ctx<'_>, lost: Option<usize>) {
        let up = self.instances.iter().filter(|instance| instance.up).count();
        if let Some(handler) = &mut self.handler {
            handler.instances(ctx, up, lost);
        }
    }

    /// A worker's event stands elsewhere now, and is owed to others there.
    pub(super) fn forwarded(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, words: &str) {
        let Some(work) = &self.instances[index].workers[number as usize].work else { return };
        self.counts.processed += 1;
        let ended = self.ended(ctx, &work.record, work.begun, ObligationEnd::Forwarded);
        if ctx.tracing.takes(work.record.meta.id) {
            self.hop(ctx, &work.record, HopKind::Processed, work.begun, format!("{words} by {}", self.member(index)));
        }
        self.tell_end(ctx, index, Fact::Ended(ended));
        self.release(ctx, index, number);
    }

    /// An instance gives up: what it holds goes back to the group, and the event that it could not take comes first for
    /// whoever reads on.
    pub(super) fn stop_for(&mut self, ctx: &mut Ctx<'_>, index: usize, number: u32, reason: &Reason) {
        let stopped = TaskStopped::new(ctx.me, index + 1, reason);
        if let Some(work) = &self.instances[index].workers[number as usize].work {
            let words = format!("{} stops: {}", self.member(index), stopped.why);
            self.hop(ctx, &work.record, HopKind::Rejected, work.begun, words);
        }
        ctx.fact(Fact::TaskStopped(Box::new(stopped)));
        self.abandon_handling(ctx, index);
        self.interrupt_work(ctx, index);
        let instance = &mut self.instances[index];
        instance.inbox.clear();
        instance.polled = 0;
        let waiting = std::mem::take(&mut instance.buffer);
        self.station.abandon(ctx.now, waiting.len() as u64);
        self.stop_instance(ctx, index);
        self.count_servers();
        self.tell_instances(ctx, Some(index));
    }
}
