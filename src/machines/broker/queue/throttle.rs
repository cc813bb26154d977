//! Calls a second: a FIFO queue takes so many of each action, a standard queue nearly any number.

use crate::event::QueueCall;
use crate::units::{SimDuration, SimTime};

const SECOND: SimDuration = SimDuration::from_secs(1);

/// Actions that have a quota of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    Receive,
    Delete,
    ChangeVisibility,
}

impl Action {
    pub fn of(call: &QueueCall) -> Self {
        match call {
            QueueCall::Send(_) => Self::Send,
            QueueCall::Receive(_) => Self::Receive,
            QueueCall::Delete(_) => Self::Delete,
            QueueCall::ChangeVisibility(..) => Self::ChangeVisibility,
        }
    }
}

/// Counts calls in whole seconds.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    calls_per_s_max: Option<u32>,
    window_began: SimTime,
    calls: [u32; 4],
}

impl Throttle {
    pub fn new(calls_per_s_max: Option<u32>) -> Self {
        Self { calls_per_s_max, window_began: SimTime::ZERO, calls: [0; 4] }
    }

    pub fn admits(&mut self, now: SimTime, action: Action) -> bool {
        let Some(max) = self.calls_per_s_max else { return true };
        if now.since(self.window_began) >= SECOND {
            self.window_began = SimTime::from_ns(now.as_ns() - now.as_ns() % SECOND.as_ns());
            self.calls = [0; 4];
        }
        let calls = &mut self.calls[action as usize];
        let admitted = *calls < max;
        *calls += u32::from(admitted);
        admitted
    }
}
