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
}

const BREAKER: u64 = 1 << 32;

impl Timer {
    pub fn set(self, ctx: &mut Ctx<'_>, at: SimTime) {
        let token = match self {
            Self::Saga(number) => u64::from(number),
            Self::Breaker(instance) => BREAKER | u64::from(instance),
        };
        handler::timer(ctx, at, token);
    }
    /// Of a token that [`Self::set`] has made.
    pub fn of(token: u64) -> Self {
        // The lower half is the number.
        let number = token as u32;
        if token & BREAKER == 0 { Self::Saga(number) } else { Self::Breaker(number) }
    }
}
