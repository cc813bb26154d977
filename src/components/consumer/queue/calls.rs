//! Calls of a consumer to its queues that wait for their answers.
//!
//! Deletes may be gathered into batches of ten. What a batch could not do for now is tried again, entry by entry, by the instance
//! that asked for it: one that is gone tries nothing again.

use std::collections::BTreeMap;

use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, Message, QueueCall, QueueMessage, QueueReply, QueueRequest, QueueResult, Receipt, ReceiveCall};
use crate::units::{SimDuration, SimTime};

/// Beyond its own wait a call is given up after this.
const TIMEOUT: SimDuration = SimDuration::from_secs(5);
/// How often a delete or a visibility change is tried.
const ATTEMPTS_MAX: u32 = 3;
/// Entries of one call.
pub(in crate::components) const BATCH_MAX: usize = 10;

/// Between a receive that brought nothing and the next: what a client's loop takes.
const LOOP_TIME: SimDuration = SimDuration::from_ms(1);
/// After a receive that was refused.
const BACKOFF: SimDuration = SimDuration::from_secs(1);

/// How long a receiver rests after an answer: messages, or none because it was refused.
pub(in crate::components) fn rest_after(messages: Option<&[QueueMessage]>) -> SimDuration {
    match messages {
        None => BACKOFF,
        Some([]) => LOOP_TIME,
        Some(_) => SimDuration::ZERO,
    }
}

/// An instance, and the queue that it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::components) struct Caller {
    pub instance: usize,
    pub source: usize,
}

/// Who waits for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::components) struct Receiver {
    pub instance: usize,
    pub life: u32,
    pub source: usize,
}

impl Receiver {
    fn caller(self) -> Caller {
        Caller { instance: self.instance, source: self.source }
    }
}

/// What a call was for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Purpose {
    Receive(Receiver),
    Delete(Vec<Receipt>),
    Show(Vec<(Receipt, SimDuration)>),
}

#[derive(Clone, Debug)]
struct Pending {
    caller: Caller,
    purpose: Purpose,
    attempts: u32,
    deadline: SimTime,
}

/// What an answer brought.
#[derive(Debug)]
pub(in crate::components) enum Answered {
    /// Messages, or none because the call was refused.
    Received(Receiver, Option<Vec<QueueMessage>>),
    /// Receipts of a queue that are good for nothing any more.
    Over(usize, Vec<Receipt>),
    /// Nothing to do.
    Done,
}

/// The calls under way, by number.
#[derive(Clone, Debug)]
pub(in crate::components) struct Calls {
    /// By source.
    ends: Vec<LinkEnd>,
    /// How long deletes wait for others of their batch.
    linger: SimDuration,
    /// Deletes that wait, and until when.
    gathered: BTreeMap<Caller, (SimTime, Vec<Receipt>)>,
    pending: BTreeMap<u64, Pending>,
    next_call: u64,
}

impl Calls {
    pub fn new(ends: Vec<LinkEnd>, linger: SimDuration) -> Self {
        Self { ends, linger, gathered: BTreeMap::new(), pending: BTreeMap::new(), next_call: 0 }
    }

    pub fn receive(&mut self, ctx: &mut Ctx<'_>, receiver: Receiver, how: ReceiveCall) {
        let deadline = ctx.now + how.wait.unwrap_or(SimDuration::from_secs(20)) + TIMEOUT;
        let pending = Pending { caller: receiver.caller(), purpose: Purpose::Receive(receiver), attempts: 1, deadline };
        self.call(ctx, pending, QueueCall::Receive(how));
    }
    pub fn delete(&mut self, ctx: &mut Ctx<'_>, caller: Caller, receipt: Receipt) {
        let (_, receipts) = self.gathered.entry(caller).or_insert_with(|| (ctx.now + self.linger, Vec::new()));
        receipts.push(receipt);
        if self.linger.is_zero() || receipts.len() >= BATCH_MAX {
            self.flush(ctx, caller);
        }
    }
    /// Changes visibility timeouts: at most [`BATCH_MAX`] of them.
    pub fn show(&mut self, ctx: &mut Ctx<'_>, caller: Caller, changes: Vec<(Receipt, SimDuration)>) {
        self.attempt(ctx, caller, Purpose::Show(changes), 1);
    }

    /// Hides what is held for its visibility timeout from now on, in the order of who holds it.
    pub fn beat(&mut self, ctx: &mut Ctx<'_>, held: &[(Caller, Receipt)], visibility: impl Fn(usize) -> SimDuration) {
        for of_caller in held.chunk_by(|one, other| one.0 == other.0) {
            let caller = of_caller[0].0;
            for batch in of_caller.chunks(BATCH_MAX) {
                self.show(ctx, caller, batch.iter().map(|(_, receipt)| (*receipt, visibility(caller.source))).collect());
            }
        }
    }

    /// An instance is gone: nobody sends what it has gathered, nor waits for its answers.
    pub fn abandon(&mut self, instance: usize) {
        self.gathered.retain(|caller, _| caller.instance != instance);
        self.pending.retain(|_, pending| pending.caller.instance != instance);
    }

    fn flush(&mut self, ctx: &mut Ctx<'_>, caller: Caller) {
        if let Some((_, receipts)) = self.gathered.remove(&caller) {
            self.attempt(ctx, caller, Purpose::Delete(receipts), 1);
        }
    }

    /// An answer has come; one to a call that was given up says nothing.
    pub fn answered(&mut self, reply: QueueReply) -> Answered {
        let Some(pending) = self.pending.remove(&reply.call.0) else { return Answered::Done };
        let Pending { caller, purpose, attempts, deadline } = pending;
        let source = caller.source;
        match (purpose, reply.result) {
            (Purpose::Receive(receiver), Ok(QueueResult::Messages(messages))) => Answered::Received(receiver, Some(messages)),
            (Purpose::Receive(receiver), _) => Answered::Received(receiver, None),
            (purpose, Err(error)) if error.is_passing() => {
                // It goes again when its time is up.
                self.pending.insert(reply.call.0, Pending { caller, purpose, attempts, deadline });
                Answered::Done
            }
            (purpose, Ok(QueueResult::Entries(results))) => {
                let again = |index: usize| results.get(index).is_some_and(|result| result.is_err_and(|error| error.is_passing()));
                let is_over = |index: usize| results.get(index).is_some_and(|result| result.is_err_and(|error| !error.is_passing()));
                let over = purpose.receipts(is_over);
                if let Some(purpose) = purpose.only(again) {
                    self.pending.insert(reply.call.0, Pending { caller, purpose, attempts, deadline });
                }
                Answered::Over(source, over)
            }
            (purpose, _) => Answered::Over(source, purpose.receipts(|_| true)),
        }
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&self) -> SimTime {
        let gathered = self.gathered.values().map(|(until, _)| *until);
        self.pending.values().map(|pending| pending.deadline).chain(gathered).min().unwrap_or(SimTime::MAX)
    }
    /// Sends deletes that have waited, tries again what was not answered in time; returns the receives, which are over.
    pub fn on_wake(&mut self, ctx: &mut Ctx<'_>) -> Vec<Receiver> {
        let due: Vec<Caller> = self.gathered.iter().filter(|(_, (until, _))| *until <= ctx.now).map(|(caller, _)| *caller).collect();
        due.into_iter().for_each(|caller| self.flush(ctx, caller));
        let late: Vec<u64> = self.pending.iter().filter(|(_, pending)| pending.deadline <= ctx.now).map(|(call, _)| *call).collect();
        let mut receives = Vec::new();
        for call in late {
            match self.pending.remove(&call) {
                Some(Pending { purpose: Purpose::Receive(receiver), .. }) => receives.push(receiver),
                // A message whose delete is lost for good comes again: at least once.
                Some(Pending { caller, purpose, attempts, .. }) if attempts < ATTEMPTS_MAX => {
                    self.attempt(ctx, caller, purpose, attempts + 1);
                }
                _ => {}
            }
        }
        receives
    }

    fn attempt(&mut self, ctx: &mut Ctx<'_>, caller: Caller, purpose: Purpose, attempts: u32) {
        let body = match &purpose {
            Purpose::Delete(receipts) => QueueCall::Delete(receipts.clone()),
            Purpose::Show(changes) => QueueCall::ChangeVisibility(changes.clone()),
            Purpose::Receive(_) => return,
        };
        self.call(ctx, Pending { caller, purpose, attempts, deadline: ctx.now + TIMEOUT }, body);
    }

    fn call(&mut self, ctx: &mut Ctx<'_>, pending: Pending, body: QueueCall) {
        let call = CallId(self.next_call);
        self.next_call += 1;
        let end = self.ends[pending.caller.source];
        self.pending.insert(call.0, pending);
        ctx.send(end, Message::Queue(Box::new(QueueRequest { call, body })));
    }
}

impl Purpose {
    /// Receipts of the entries that are chosen by their places.
    fn receipts(&self, chosen: impl Fn(usize) -> bool) -> Vec<Receipt> {
        let all: Vec<Receipt> = match self {
            Self::Receive(_) => Vec::new(),
            Self::Delete(receipts) => receipts.clone(),
            Self::Show(changes) => changes.iter().map(|(receipt, _)| *receipt).collect(),
        };
        all.into_iter().enumerate().filter(|(index, _)| chosen(*index)).map(|(_, receipt)| receipt).collect()
    }
    /// The same for the chosen entries only; none when none is.
    fn only(self, chosen: impl Fn(usize) -> bool) -> Option<Self> {
        fn kept<T>(entries: Vec<T>, chosen: impl Fn(usize) -> bool) -> Option<Vec<T>> {
            let kept: Vec<T> = entries.into_iter().enumerate().filter(|(index, _)| chosen(*index)).map(|(_, entry)| entry).collect();
            (!kept.is_empty()).then_some(kept)
        }
        match self {
            Self::Receive(_) => None,
            Self::Delete(receipts) => kept(receipts, chosen).map(Self::Delete),
            Self::Show(changes) => kept(changes, chosen).map(Self::Show),
        }
    }
}
