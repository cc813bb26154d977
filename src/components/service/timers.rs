//! A service's timers: whose they are, in a token.

use crate::components::consumer::handler;
use crate::engine::Ctx;
use crate::units::SimTime;

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// The circuit breaker of an instance.
    Breaker(u32),
    /// A saga, by its number.
    Saga(u32),
    /// The deadline of an aggregate, by its stream.
    Deadline(u32),
}

const BREAKER: u64 = 1 << 32;
const DEADLINE: u64 = 2 << 32;

impl Timer {
    pub fn set(self, ctx: &mut Ctx<'_>, at: SimTime) {
        let token = match self {
            Self::Saga(number) => u64::from(number),
            Self::Breaker(instance) => BREAKER | u64::from(instance),
            Self::Deadline(stream) => DEADLINE | u64::from(stream),
        };
        handler::timer(ctx, at, token);
    }
    /// Of a token that [`Self::set`] has made.
    pub fn of(token: u64) -> Self {
        // The lower half is the number.
        let number = token as u32;
        match token - u64::from(number) {
            BREAKER => Self::Breaker(number),
            DEADLINE => Self::Deadline(number),
            _ => Self::Saga(number),
        }
    }
}
