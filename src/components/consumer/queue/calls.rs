//! Calls of a consumer to its queue that wait for their answers.

use std::collections::BTreeMap;

use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, QueueCall, QueueRequest, Receipt, ReceiveCall};
use crate::units::{SimDuration, SimTime};

/// Beyond its own wait a call is given up after this.
const TIMEOUT: SimDuration = SimDuration::from_secs(5);
/// How often a delete or a visibility change is tried.
const ATTEMPTS_MAX: u32 = 3;

/// What a call was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Receive { instance: usize, life: u32 },
    Delete(Receipt),
    Show(Receipt, SimDuration),
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    purpose: Purpose,
    attempts: u32,
    deadline: SimTime,
}

/// The calls under way, by number.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    end: LinkEnd,
    pending: BTreeMap<u64, Pending>,
    next_call: u64,
}

impl Calls {
    pub fn new(end: LinkEnd) -> Self {
        Self { end, pending: BTreeMap::new(), next_call: 0 }
    }

    pub fn receive(&mut self, ctx: &mut Ctx<'_>, instance: usize, life: u32, how: ReceiveCall) {
        let deadline = ctx.now + how.wait.unwrap_or(SimDuration::from_secs(20)) + TIMEOUT;
        self.call(ctx, Pending { purpose: Purpose::Receive { instance, life }, attempts: 1, deadline }, QueueCall::Receive(how));
    }
    pub fn delete(&mut self, ctx: &mut Ctx<'_>, receipt: Receipt) {
        self.attempt(ctx, Purpose::Delete(receipt), 1);
    }
    pub fn show(&mut self, ctx: &mut Ctx<'_>, receipt: Receipt, after: SimDuration) {
        self.attempt(ctx, Purpose::Show(receipt, after), 1);
    }

    /// An answer has come: what for, or nothing when it was given up before.
    pub fn answered(&mut self, call: CallId) -> Option<Purpose> {
        self.pending.remove(&call.0).map(|pending| pending.purpose)
    }
    /// An answer that refuses for now: a delete or visibility change goes again, after its deadline.
    pub fn refused(&mut self, call: CallId) -> Option<Purpose> {
        let pending = self.pending.get(&call.0)?;
        if matches!(pending.purpose, Purpose::Receive { .. }) { self.answered(call) } else { None }
    }

    /// When [`Self::take_late`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        self.pending.values().map(|pending| pending.deadline).min().unwrap_or(SimTime::MAX)
    }
    /// Tries again what was not answered in time; returns the receives, which are over.
    pub fn take_late(&mut self, ctx: &mut Ctx<'_>) -> Vec<Purpose> {
        let late: Vec<u64> = self.pending.iter().filter(|(_, pending)| pending.deadline <= ctx.now).map(|(call, _)| *call).collect();
        let mut receives = Vec::new();
        for Pending { purpose, attempts, .. } in late.into_iter().filter_map(|call| self.pending.remove(&call)).collect::<Vec<_>>() {
            if matches!(purpose, Purpose::Receive { .. }) {
                receives.push(purpose);
            } else if attempts < ATTEMPTS_MAX {
                // A message whose delete is lost for good comes again: at least once.
                self.attempt(ctx, purpose, attempts + 1);
            }
        }
        receives
    }

    fn attempt(&mut self, ctx: &mut Ctx<'_>, purpose: Purpose, attempts: u32) {
        let body = match purpose {
            Purpose::Delete(receipt) => QueueCall::Delete(vec![receipt]),
            Purpose::Show(receipt, after) => QueueCall::ChangeVisibility(receipt, after),
            Purpose::Receive { .. } => return,
        };
        self.call(ctx, Pending { purpose, attempts, deadline: ctx.now + TIMEOUT }, body);
    }

    fn call(&mut self, ctx: &mut Ctx<'_>, pending: Pending, body: QueueCall) {
        let call = CallId(self.next_call);
        self.next_call += 1;
        self.pending.insert(call.0, pending);
        ctx.send(self.end, Message::Queue(Box::new(QueueRequest { call, body })));
    }
}
