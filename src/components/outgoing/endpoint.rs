//! An endpoint of webhooks: what its sender knows of it, and who gets the posts.
//!
//! In: a row of `endpoints`. Out: what is owed, what rests, what was told. Must not know: schedules. Start at [`Endpoint`];
//! `played.rs` is a receiver that is not drawn, `drawn.rs` one that is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::drawn::Drawn;
use super::keys::Keys;
use super::played::{Played, State};
use super::receivers::{self, Receiver};
use super::sim::Owed;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{FigureKind, Figures};
use crate::event::EventId;
use crate::units::SimTime;

/// Who gets the posts.
#[derive(Clone, Debug)]
pub(super) enum Other {
    Played(Box<Played>),
    /// A component of the design.
    Drawn(Drawn),
}

/// An endpoint: the sender's books about it, and the receiver itself.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub receiver: Receiver,
    pub keys: Keys,
    pub other: Other,
    pub ready: VecDeque<Owed>,
    pub resting: BTreeMap<(SimTime, u64), Owed>,
    /// It has asked for no posts before.
    pub not_before: SimTime,
    /// By number: attempts that have failed.
    pub failures: BTreeMap<u64, usize>,
    pub under_way: usize,
    pub failing_since: Option<SimTime>,
    /// Why nothing is sent any more.
    pub disabled: Option<&'static str>,
    /// Numbers of what it has not got and nobody has given up.
    pub owed: BTreeSet<u64>,
    pub delivered: u64,
    pub given_up: u64,
}

impl Endpoint {
    /// # Errors
    /// When its secret is none.
    pub fn new(ctx: &BuildCtx<'_>, name: &str, row: &Params<'_>) -> Result<Self, Diagnostic> {
        let bad = |words| Diagnostic::error("secret-bad", format!("components.{}.endpoints.{name}.secret", ctx.id), words);
        let secret = receivers::secret(row, "secret", name).map_err(bad)?;
        Ok(Self {
            receiver: Receiver::new(ctx, name, row),
            keys: Keys::new(secret),
            other: Drawn::new(ctx, row).map_or_else(|| Other::Played(Box::new(Played::new(row))), Other::Drawn),
            ready: VecDeque::new(),
            resting: BTreeMap::new(),
            not_before: SimTime::ZERO,
            failures: BTreeMap::new(),
            under_way: 0,
            failing_since: None,
            disabled: None,
            owed: BTreeSet::new(),
            delivered: 0,
            given_up: 0,
        })
    }
    /// Whether it is known to have an event.
    pub fn has(&self, event: EventId) -> bool {
        matches!(&self.other, Other::Played(played) if played.has(event))
    }
    /// It gets what happens from now on.
    pub fn enable(&mut self, now: SimTime) {
        (self.disabled, self.failing_since, self.not_before) = (None, None, now);
        if let Other::Played(played) = &mut self.other {
            played.state = State::Answers;
        }
    }
    /// Something happens to its receiver.
    ///
    /// # Errors
    /// When that is drawn.
    pub fn happens(&mut self, action: &str, arguments: &Params<'_>) -> Result<(), String> {
        let Other::Played(played) = &mut self.other else {
            return Err(format!("`{}` is drawn: do it to the component itself", self.receiver.name));
        };
        match action {
            "slow-receiver" => played.factor = arguments.number("factor"),
            "kill-receiver" => played.state = State::Dead,
            "gone-receiver" => played.state = State::Gone,
            _ => played.state = State::Answers,
        }
        Ok(())
    }
    pub fn figures(&self, out: &mut Figures) {
        let name = &self.receiver.name;
        out.of("endpoint_delivered_count", name, FigureKind::Counter, self.delivered as f64);
        out.of("endpoint_given_up_count", name, FigureKind::Counter, self.given_up as f64);
        out.of("endpoint_waiting", name, FigureKind::Gauge, (self.ready.len() + self.resting.len()) as f64);
    }
}
