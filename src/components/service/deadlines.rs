//! Deadlines of aggregates: the command that one gives itself when it has been in a state for too long.
//!
//! In: which state each stream is in now, and what has led there. Out: a command for a stream whose time is over. Deadlines are
//! kept beside the events, and so outlive every instance. Must not know: what commands do. Start at [`Deadlines::moved`].

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::timers::Timer;
use crate::components::Params;
use crate::engine::Ctx;
use crate::event::EventMeta;
use crate::units::{SimDuration, SimTime};

/// What has led to something: its key as bytes, and the event itself.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub key: Option<Bytes>,
    pub event: EventMeta,
}

/// How long a state may last, and what is to happen then.
#[derive(Clone, Debug)]
struct Rule {
    after: SimDuration,
    command: Arc<str>,
}

/// A stream in a state that has a deadline.
#[derive(Clone, Debug)]
struct Waiting {
    state: u16,
    /// The end of time once it is over: a stream that stays in its state has had its command.
    at: SimTime,
    cause: Cause,
}

/// The deadlines of a service.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    /// By state.
    rules: Vec<Option<Rule>>,
    /// By stream.
    waiting: BTreeMap<u32, Waiting>,
    passed: u64,
}

impl Deadlines {
    /// None where no state has one.
    pub fn new(params: &Params<'_>, states: &[Arc<str>]) -> Option<Self> {
        let mut rules = vec![None; states.len()];
        for row in params.rows("deadlines") {
            let state = row.text("state");
            if let Some(place) = states.iter().position(|known| **known == *state) {
                rules[place] = Some(Rule { after: row.duration("after"), command: row.text("command").into() });
            }
        }
        rules.iter().any(Option::is_some).then(|| Self { rules, waiting: BTreeMap::new(), passed: 0 })
    }

    /// A stream has new events, and is in this state now: the time of a state that it was in before counts on.
    pub fn moved(&mut self, ctx: &mut Ctx<'_>, stream: u32, state: u16, cause: &Cause) {
        if self.waiting.get(&stream).is_some_and(|waiting| waiting.state == state) {
            return;
        }
        self.waiting.remove(&stream);
        if let Some(Some(rule)) = self.rules.get(usize::from(state)) {
            let at = ctx.now + rule.after;
            self.waiting.insert(stream, Waiting { state, at, cause: cause.clone() });
            Timer::Deadline(stream).set(ctx, at);
        }
    }

    /// A timer of this stream has fired: the command that is due, if it is still where it was when that was set.
    pub fn due(&mut self, now: SimTime, stream: u32) -> Option<(Arc<str>, Cause)> {
        let waiting = self.waiting.get_mut(&stream).filter(|waiting| waiting.at <= now)?;
        waiting.at = SimTime::MAX;
        let rule = self.rules.get(usize::from(waiting.state))?.as_ref()?;
        self.passed += 1;
        Some((Arc::clone(&rule.command), waiting.cause.clone()))
    }

    pub fn passed_count(&self) -> u64 {
        self.passed
    }
}
