//! Outgoing calls that may fail: circuit breaker, retry, time limit and bulkhead, with Resilience4j's names and states.
//!
//! ```text
//! retry ( circuit breaker ( time limit ( bulkhead ( call ))))
//! ```
//!
//! In: when a call wants to begin, how it ended. Out: whether it may, and what the breaker makes of it. Time is an argument.
//! Must not know: what is called. Start at [`CircuitBreaker`]; sources are Resilience4j's documents (CircuitBreaker, Retry,
//! Bulkhead, TimeLimiter) and its `CircuitBreakerStateMachine`.

mod breaker;
mod retry;
#[cfg(test)]
mod tests;
mod window;

pub use breaker::{BreakerConfig, BreakerState, CallEnd, CircuitBreaker, Permission};
pub use retry::{Bulkhead, RetryConfig};
pub use window::WindowType;
