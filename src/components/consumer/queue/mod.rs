//! A consumer that reads queues: receives, processes, deletes.
//!
//! In: messages. Out: receives with long polls, deletes, visibility changes, and the end of each obligation.
//! Every instance asks for the next batch when its workers have none left. A failed message is left to its
//! queue, which shows it again and buries it at last.
//! Must not know: the queue from the inside. Start at `sim.rs`; its calls are `calls.rs`, its workers `work.rs`,
//! and how it keeps messages hidden `heartbeat.rs`.

pub(in crate::components) mod calls;
mod heartbeat;
mod sim;
pub(in crate::components) mod spec;
mod work;

pub(super) use calls::{Answered, Caller, Calls, Receiver, rest_after};
pub(super) use heartbeat::Heartbeats;
pub(super) use sim::{QueueConsumer, Source, sources};
