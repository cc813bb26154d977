//! What a component is while it runs, and what it may do.

use crate::event::{Answer, EventId, Fact, Hop, KeptLog, Message, Query, TableShape};
use crate::model::Value;
use crate::random::mix64;
use crate::units::{ComponentIx, SimDuration, SimTime};

/// One of a component's own link ends, by the order in which `compile/` handed them to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkEnd(pub u16);

/// What a scenario or a person does to a running component, between instants.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Gives a parameter another value (`load`, `service_time`…).
    Set { param: String, value: Value },
    /// Any other action that the kind lists, by name, with arguments.
    Action { name: String, params: indexmap::IndexMap<String, Value> },
}

/// A component while it runs. It owns its whole state, random streams included: cloning every process,
/// the calendar and the network is a checkpoint.
///
/// A process never asks a clock. `ctx.now` is the instant; everything it wants done goes through `ctx`.
pub trait Process: Send + Sync {
    /// Called once, at time zero, in the plan's order.
    fn start(&mut self, ctx: &mut Ctx<'_>);
    /// Whether its topics are logs that can outlive the run.
    fn keeps_logs(&self) -> bool {
        false
    }
    /// The columns of the read model that it keeps, if it keeps one: it tells of every change by a fact.
    fn read_model(&self) -> Option<TableShape> {
        None
    }
    /// Called before [`Self::start`] with what earlier runs have left of one of its logs.
    fn restore(&mut self, kept: &KeptLog) {
        let _ = kept;
    }
    /// A message has arrived at one of its link ends.
    fn on_message(&mut self, ctx: &mut Ctx<'_>, end: LinkEnd, message: Message);
    /// A timer that it set is due; stale timers are the process's to recognise by their token.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64);
    /// A scenario's or a person's intervention.
    ///
    /// # Errors
    /// In words, when the kind does not understand it; the run goes on.
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        let _ = (ctx, input);
        Err("this component takes no changes while it runs".to_owned())
    }
    /// Its process is gone at this instant: what it had in memory is lost, and told; what it sends or sets now is never
    /// carried out. Gives how many pieces of work it had. What an observer counts goes on.
    ///
    /// # Errors
    /// In words, when the kind is no single process.
    fn crash(&mut self, ctx: &mut Ctx<'_>) -> Result<u64, String> {
        let _ = ctx;
        Err("this component is no single process that could crash".to_owned())
    }
    /// The process begins anew after a [`Self::crash`].
    fn restart(&mut self, ctx: &mut Ctx<'_>) {
        self.start(ctx);
    }
    /// Counters and gauges as of `now`; called by observers, changes nothing.
    fn figures(&self, now: SimTime, out: &mut Figures);
    /// What it holds, for a person who looks; changes nothing. None where it holds no such thing.
    fn browse(&self, now: SimTime, query: &Query) -> Option<Answer> {
        let _ = (now, query);
        None
    }
    /// For checkpoints.
    fn clone_box(&self) -> Box<dyn Process>;
}

impl Clone for Box<dyn Process> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

pub use super::figures::Figures;

/// Which events observers follow: one in `one_in` by a hash of the id, none when it is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceSampling {
    /// 0: none. 1: all.
    pub one_in: u64,
}

impl TraceSampling {
    /// Whether this event is followed. The same for every run of the same project.
    #[must_use]
    pub fn takes(self, id: EventId) -> bool {
        match self.one_in {
            0 => false,
            1 => true,
            n => {
                let bits = id.seq ^ (u64::from(id.producer.0) << 48);
                mix64(bits).is_multiple_of(n)
            }
        }
    }
}

/// Where a turn's wishes go, in the order in which the process has them: the driver, or an [`Outbox`].
pub trait Outlet {
    /// Put a message on the link at this end of `from`, after `delay`.
    fn send(&mut self, now: SimTime, from: (ComponentIx, LinkEnd), delay: SimDuration, message: Message);
    /// Call `on_timer(token)` of this component at that instant.
    fn timer(&mut self, at: SimTime, component: ComponentIx, token: u64);
    /// Tell observers.
    fn fact(&mut self, now: SimTime, fact: Fact);
}

/// What a process wanted done.
#[derive(Debug)]
pub enum Effect {
    /// Put a message on the link at this end, after a delay.
    Send { end: LinkEnd, delay: SimDuration, message: Message },
    /// Call `on_timer(token)` at that instant.
    Timer { at: SimTime, token: u64 },
}

/// Collects the effects and facts of one process, to look at.
#[derive(Debug, Default)]
pub struct Outbox {
    /// In order.
    pub effects: Vec<Effect>,
    /// In order.
    pub facts: Vec<Fact>,
}

impl Outlet for Outbox {
    fn send(&mut self, _: SimTime, from: (ComponentIx, LinkEnd), delay: SimDuration, message: Message) {
        self.effects.push(Effect::Send { end: from.1, delay, message });
    }
    fn timer(&mut self, at: SimTime, _: ComponentIx, token: u64) {
        self.effects.push(Effect::Timer { at, token });
    }
    fn fact(&mut self, _: SimTime, fact: Fact) {
        self.facts.push(fact);
    }
}

/// One turn of a process.
pub struct Ctx<'a> {
    /// The instant.
    pub now: SimTime,
    /// Which component this process is.
    pub me: ComponentIx,
    /// Which events to report hops of.
    pub tracing: TraceSampling,
    /// Where wishes go.
    pub out: &'a mut dyn Outlet,
}

impl Ctx<'_> {
    /// Puts a message on the link at `end` now.
    pub fn send(&mut self, end: LinkEnd, message: Message) {
        self.send_after(end, SimDuration::ZERO, message);
    }
    /// Puts a message on the link at `end` after `delay`.
    pub fn send_after(&mut self, end: LinkEnd, delay: SimDuration, message: Message) {
        self.out.send(self.now, (self.me, end), delay, message);
    }
    /// Asks for `on_timer(token)` after `delay`. There is no cancel: put a generation into the token.
    pub fn timer_after(&mut self, delay: SimDuration, token: u64) {
        self.out.timer(self.now + delay, self.me, token);
    }
    /// Asks for `on_timer(token)` at an instant, now at the earliest.
    pub fn timer_at(&mut self, at: SimTime, token: u64) {
        self.out.timer(at.max(self.now), self.me, token);
    }
    /// Tells observers.
    pub fn fact(&mut self, fact: Fact) {
        self.out.fact(self.now, fact);
    }
    /// Tells observers about a hop. Call it for followed events, and for every rejection, loss and duplicate.
    pub fn hop(&mut self, event: crate::event::EventMeta, hop: Hop) {
        self.fact(Fact::Hop(Box::new((event, hop))));
    }
}
