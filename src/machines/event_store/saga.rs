//! A saga by orchestration: steps forward, each answered or timed out, and compensations in reverse order.
//!
//! ```text
//! begun ─► step 1 ─done─► step 2 ─done─► … ─► completed
//!             │ failed        │ failed or timed out
//!             ▼               ▼
//!         compensated ◄── undo 1 ◄── undo 2 (only if it may have happened)
//! ```
//!
//! In: answers by type, deadlines. Out: commands to send, the next deadline, the end. A step that timed out may have
//! happened, so that it is compensated too; a compensation that is not answered is sent again until it is.
//! Must not know: topics, who answers. Start at [`Saga::begin`].

use std::sync::Arc;

use crate::units::{SimDuration, SimTime};

/// Most steps of one saga.
pub const STEPS_MAX: usize = 64;
/// How often the wait for the answer to a compensation doubles.
const BACKOFF_DOUBLINGS_MAX: u32 = 6;

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepSpec {
    /// The command that it sends.
    pub command: Arc<str>,
    /// Events that say that it is done.
    pub done: Vec<Arc<str>>,
    /// Events that say that it cannot be done, and has not been.
    pub failed: Vec<Arc<str>>,
    /// The command that undoes it; none when there is nothing to undo.
    pub compensate: Option<Arc<str>>,
    /// Events that say that it is undone; a compensation without them is not waited for.
    pub compensated: Vec<Arc<str>>,
    /// How long it waits for an answer; for ever when absent.
    pub timeout: Option<SimDuration>,
}

/// What a saga does, step by step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saga {
    /// The events that begin one.
    pub begins: Vec<Arc<str>>,
    /// In order.
    pub steps: Vec<StepSpec>,
    /// Known to be wrong: a step that timed out is not compensated, though it may have happened.
    pub forgets_timed_out: bool,
}

/// Where one saga stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SagaInstance {
    /// Which step, forward or backward.
    pub step: usize,
    /// On its way back.
    pub is_compensating: bool,
    /// When the step's patience is over.
    pub deadline: SimTime,
    /// Commands sent for the step.
    pub attempts: u32,
    /// How it ended.
    pub end: Option<SagaEnd>,
}

/// How a saga ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaEnd {
    /// Every step was done.
    Completed,
    /// Every step that was done, or may have been, was undone.
    Compensated,
}

/// What comes to a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaInput<'a> {
    /// An event of this type.
    Event(&'a str),
    /// Time has passed.
    Deadline,
}

/// What a saga wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SagaOutput {
    /// Send a command.
    Send(Arc<str>),
    /// It is over.
    End(SagaEnd),
}

impl Saga {
    /// Whether an event begins one.
    #[must_use]
    pub fn is_begun_by(&self, ty: &str) -> bool {
        self.begins.iter().any(|begins| **begins == *ty)
    }

    /// A new one, and its first command.
    #[must_use]
    pub fn begin(&self, now: SimTime, out: &mut Vec<SagaOutput>) -> SagaInstance {
        let mut instance = SagaInstance { step: 0, is_compensating: false, deadline: SimTime::MAX, attempts: 0, end: None };
        self.enter(now, &mut instance, out);
        instance
    }

    /// An answer, or the end of its patience. What it does not wait for is passed over; false then.
    pub fn handle(&self, now: SimTime, instance: &mut SagaInstance, input: SagaInput<'_>, out: &mut Vec<SagaOutput>) -> bool {
        if instance.end.is_some() {
            return false;
        }
        let Some(step) = self.steps.get(instance.step) else { return false };
        let names = |types: &[Arc<str>]| matches!(input, SagaInput::Event(ty) if types.iter().any(|one| **one == *ty));
        let is_late = input == SagaInput::Deadline && instance.deadline <= now;
        if instance.is_compensating {
            if names(&step.compensated) {
                self.go_back(now, instance, out);
            } else if is_late {
                self.send_compensation(now, instance, out);
            } else {
                return false;
            }
        } else if names(&step.done) {
            instance.step += 1;
            self.enter(now, instance, out);
        } else if names(&step.failed) {
            instance.is_compensating = true;
            self.go_back(now, instance, out);
        } else if is_late {
            instance.is_compensating = true;
            if self.forgets_timed_out {
                self.go_back(now, instance, out);
            } else {
                self.compensate(now, instance, out);
            }
        } else {
            return false;
        }
        true
    }

    /// Sends a step's command; a saga without a further step is complete.
    fn enter(&self, now: SimTime, instance: &mut SagaInstance, out: &mut Vec<SagaOutput>) {
        instance.attempts = 1;
        match self.steps.get(instance.step) {
            Some(step) => {
                instance.deadline = step.timeout.map_or(SimTime::MAX, |timeout| now + timeout);
                out.push(SagaOutput::Send(Arc::clone(&step.command)));
            }
            None => Self::end(instance, SagaEnd::Completed, out),
        }
    }

    /// To the step before the present one, which needs no more undoing.
    fn go_back(&self, now: SimTime, instance: &mut SagaInstance, out: &mut Vec<SagaOutput>) {
        match instance.step.checked_sub(1) {
            Some(before) => {
                instance.step = before;
                self.compensate(now, instance, out);
            }
            None => Self::end(instance, SagaEnd::Compensated, out),
        }
    }

    /// Undoes the present step, and those before it whose undoing is not waited for.
    fn compensate(&self, now: SimTime, instance: &mut SagaInstance, out: &mut Vec<SagaOutput>) {
        instance.attempts = 0;
        self.send_compensation(now, instance, out);
    }

    fn send_compensation(&self, now: SimTime, instance: &mut SagaInstance, out: &mut Vec<SagaOutput>) {
        let Some(step) = self.steps.get(instance.step) else { return };
        if let Some(command) = &step.compensate {
            instance.attempts += 1;
            out.push(SagaOutput::Send(Arc::clone(command)));
            if !step.compensated.is_empty() {
                // Each try waits twice as long: many sagas that ask a participant in trouble again must not keep it there.
                let wait = |timeout: SimDuration| timeout.times(1 << (instance.attempts - 1).min(BACKOFF_DOUBLINGS_MAX));
                instance.deadline = step.timeout.map_or(SimTime::MAX, |timeout| now + wait(timeout));
                return;
            }
        }
        self.go_back(now, instance, out);
    }

    fn end(instance: &mut SagaInstance, end: SagaEnd, out: &mut Vec<SagaOutput>) {
        instance.end = Some(end);
        instance.deadline = SimTime::MAX;
        out.push(SagaOutput::End(end));
    }
}
