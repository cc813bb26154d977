//! Instances that stand still for a while, or work more slowly: a long garbage collection, a noisy neighbour.
//!
//! A suspended instance neither heartbeats nor polls nor works; what comes for it meanwhile is taken when it goes on, in
//! order. Only what is shared by all instances goes on: look-ups of schemas, the writing of results and dead letters.
//! In: messages and timers of the consumer. Out: those that are due now. Must not know: what they mean. Start at
//! [`Consumer::suspend`].

use super::sim::{Consumer, TOKEN_RESUME};
use crate::engine::{Ctx, LinkEnd, Process};
use crate::event::Message;
use crate::units::SimDuration;

/// What came for an instance that stands still.
#[derive(Clone, Debug)]
pub(super) enum Late {
    Message(LinkEnd, Message),
    Timer(u64),
}

/// Whether an instance stands still, and how fast it is.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// While it stands still: no more than the answers to its calls under way and the timers of its workers.
    late: Option<Vec<Late>>,
    /// Tells the end of one suspension from that of an earlier one.
    suspensions: u32,
    /// How many times as long its work takes.
    pub factor: f64,
}

impl Default for Condition {
    fn default() -> Self {
        Self { late: None, suspensions: 0, factor: 1.0 }
    }
}

impl Condition {
    pub fn is_suspended(&self) -> bool {
        self.late.is_some()
    }
}

impl Consumer {
    /// An instance stands still, until it is resumed or for a while.
    pub fn suspend(&mut self, ctx: &mut Ctx<'_>, index: usize, span: Option<SimDuration>) {
        let condition = &mut self.instances[index].condition;
        condition.late.get_or_insert_default();
        condition.suspensions = condition.suspensions.wrapping_add(1);
        if let Some(span) = span {
            ctx.timer_after(span, TOKEN_RESUME | (index as u64) << 8 | u64::from(condition.suspensions) << 20);
        }
    }

    /// A suspension's time is over.
    pub fn suspension_over(&mut self, ctx: &mut Ctx<'_>, index: usize, suspension: u32) {
        if self.instances[index].condition.suspensions == suspension {
            self.resume_instance(ctx, index);
        }
    }

    /// An instance goes on and takes what has come for it.
    pub fn resume_instance(&mut self, ctx: &mut Ctx<'_>, index: usize) {
        let Some(late) = self.instances[index].condition.late.take() else { return };
        for late in late {
            match late {
                Late::Message(end, message) => self.on_message(ctx, end, message),
                Late::Timer(token) => self.on_timer(ctx, token),
            }
        }
        self.advance(ctx, index);
    }

    /// Forgets what came for an instance that is gone.
    pub fn drop_late(&mut self, index: usize) {
        self.instances[index].condition.late = None;
    }

    /// Keeps a message for later when its instance stands still; gives it back otherwise.
    pub fn hold_message(&mut self, end: LinkEnd, message: Message) -> Option<Message> {
        let call = match &message {
            Message::FetchReply(reply) => reply.call,
            Message::GroupReply(reply) => reply.call,
            Message::MetadataReply(reply) => reply.call,
            _ => return Some(message),
        };
        let owner = self.owner_of(call).and_then(|(index, _)| self.instances[index].condition.late.as_mut());
        match owner {
            Some(late) => {
                late.push(Late::Message(end, message));
                None
            }
            None => Some(message),
        }
    }

    /// Keeps a timer of an instance that stands still.
    pub fn holds_timer(&mut self, index: usize, token: u64) -> bool {
        let late = self.instances.get_mut(index).and_then(|instance| instance.condition.late.as_mut());
        late.is_some_and(|late| {
            late.push(Late::Timer(token));
            true
        })
    }
}
