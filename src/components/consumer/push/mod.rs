//! A consumer that is pushed to: an HTTP endpoint that a fan-out topic's deliveries are posted to.
//!
//! In: requests, each with one event. Out: 200 when it is processed, another status when not, and the end of each
//! obligation. Requests that find no free worker wait, up to a limit; beyond it, and while no instance is up, they are
//! answered 503 as a load balancer would.
//! Must not know: the topic, or when it tries again. Start at `sim.rs`; its workers are `work.rs`.

mod sim;
pub(super) mod spec;
mod work;

pub(super) use sim::PushConsumer;
