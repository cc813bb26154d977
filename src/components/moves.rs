//! Messages on their way from one queue or topic to another queue: dead letters, and redrives back.
//!
//! A move has left one queue for good, so it is tried until the other queue has answered.

use std::collections::BTreeMap;

use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, QueueCall, QueueEntry, QueueReply, QueueRequest, QueueResult};
use crate::units::{SimDuration, SimTime};

/// A move without an answer is tried again after this.
const TIMEOUT: SimDuration = SimDuration::from_secs(5);
/// A move that was refused for now is tried again after this.
const BACKOFF: SimDuration = SimDuration::from_secs(1);

/// Moves that wait for their answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Moves {
    under_way: BTreeMap<u64, Move>,
    next_call: u64,
}

#[derive(Clone, Debug)]
struct Move {
    to: LinkEnd,
    entry: QueueEntry,
    again_at: SimTime,
}

impl Moves {
    pub fn len(&self) -> usize {
        self.under_way.len()
    }

    pub fn send(&mut self, ctx: &mut Ctx<'_>, to: LinkEnd, entry: QueueEntry) {
        let call = CallId(self.next_call);
        self.next_call += 1;
        ctx.send(to, Message::Queue(Box::new(QueueRequest { call, body: QueueCall::Send(vec![entry.clone()]) })));
        self.under_way.insert(call.0, Move { to, entry, again_at: ctx.now + TIMEOUT });
    }

    pub fn on_reply(&mut self, now: SimTime, reply: &QueueReply) {
        let is_taken = matches!(&reply.result, Ok(QueueResult::Entries(entries)) if entries.iter().all(Result::is_ok));
        if is_taken {
            self.under_way.remove(&reply.call.0);
        } else if let Some(moving) = self.under_way.get_mut(&reply.call.0) {
            moving.again_at = now + BACKOFF;
        }
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        self.under_way.values().map(|moving| moving.again_at).min().unwrap_or(SimTime::MAX)
    }

    pub fn on_wake(&mut self, ctx: &mut Ctx<'_>) {
        let due: Vec<u64> = self.under_way.iter().filter(|(_, moving)| moving.again_at <= ctx.now).map(|(call, _)| *call).collect();
        for call in due {
            if let Some(Move { to, mut entry, .. }) = self.under_way.remove(&call) {
                entry.attempt += 1;
                self.send(ctx, to, entry);
            }
        }
    }
}
