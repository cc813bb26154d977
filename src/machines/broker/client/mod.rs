//! What a Kafka client does before and after the wire, as pure machines: no clock, no links, no components.
//!
//! In: events to send, replies, and "it is now t". Out: requests by the caller's link, the instant at which to
//! be woken, what became of events. As in Kafka a client has a connection to every node that leads one of its
//! partitions (a *lane*: a link and a node), and a request names partitions of one leader only.
//! Must not know: components, links, the log. Start at [`ProducerClient::push`] for the way in, and at
//! [`ConsumerClient::start`] for the way out.
//!
//! ```text
//! event ─► ProducerClient (batches, retries) ─► Produce ─► broker ─► Fetch ─► ConsumerClient (group) ─► records
//! ```

mod abandon;
mod accumulator;
mod batches;
mod consumer;
mod heartbeats;
mod isolation;
mod membership;
mod metadata;
mod packing;
mod progress;
mod rebalance;
mod sender;
mod standalone;
mod sticky;
mod transaction;

pub use super::assignor::{Assignment, Subscriber, assign};
pub use accumulator::{Outgoing, ProducerClient, ProducerConfig, ProducerCounts, Push};
pub use consumer::{
    CommitMode, ConsumerClient, ConsumerConfig, ConsumerOutput, FetchedRecords, GroupProtocol, HeldPartition, OffsetReset, ReadTopic,
};
#[cfg(test)]
pub(super) use isolation::aborted_batches;
pub use sender::{AckedBatch, ClientOutput, Unsent};
pub use sticky::positive_hash;
pub use transaction::{Finish, TransactionConfig, TransactionEnd, TransactionStage};

use crate::units::SimDuration;

/// Kafka's retry backoff: doubles from `first` with every attempt, never above `max`.
#[must_use]
pub fn backoff(first: SimDuration, max: SimDuration, failures: u32) -> SimDuration {
    first.times(1u64 << failures.saturating_sub(1).min(32)).min(max)
}

#[cfg(test)]
mod membership_tests;
#[cfg(test)]
mod tests;
