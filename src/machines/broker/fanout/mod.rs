//! The fan-out machine: one topic, its subscriptions, and which of them an event is for (Amazon SNS).
//!
//! In: published events with their attributes, answers of endpoints, each with its instant. Out: what to
//! deliver to which subscription, and how each delivery ended.
//! Must not know: links, clocks, queues, components. Start at [`topic::Fanout`]; [`policy::FilterPolicy`]
//! decides who gets what, and [`read`] turns a policy's text into one and names everything that is wrong with it.

pub mod attributes;
pub mod envelope;
pub mod policy;
pub mod read;
pub mod retry;
mod rule;
pub mod topic;

#[cfg(test)]
mod tests;
