//! A queue's settings.

use crate::machines::broker::deduplication::DeduplicationRules;
use crate::units::{ComponentIx, GroupIx, SimDuration, TopicIx};

/// One queue's settings, in SQS's terms.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// The component, for facts.
    pub me: ComponentIx,
    /// Its number in the plan: a queue is a topic of one partition, a message's number its offset.
    pub topic: TopicIx,
    /// Who reads it, all readers together; none when nobody does.
    pub reader: Option<GroupIx>,
    /// Set for a FIFO queue.
    pub fifo: Option<FifoConfig>,
    /// `VisibilityTimeout`.
    pub visibility: SimDuration,
    /// `DelaySeconds`.
    pub delay: SimDuration,
    /// `ReceiveMessageWaitTimeSeconds`.
    pub wait: SimDuration,
    /// `MessageRetentionPeriod`.
    pub retention: SimDuration,
    /// `MaximumMessageSize`, of a message and of a whole batch.
    pub message_bytes_max: u64,
    /// Most messages in flight.
    pub in_flight_max: usize,
    /// `maxReceiveCount` of the redrive policy.
    pub receives_max: Option<u32>,
    /// What chance does on a standard queue.
    pub sampling: Sampling,
}

/// What a FIFO queue has beside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FifoConfig {
    /// `ContentBasedDeduplication`: a message without an id is known by its body's SHA-256.
    pub content_deduplication: bool,
    /// `FifoThroughputLimit: perMessageGroupId`, the high-throughput mode: each message group has the calls that
    /// otherwise the whole queue has.
    pub high_throughput: bool,
    /// `DeduplicationScope: messageGroup`: an id counts within its message group only. High throughput needs it.
    pub group_deduplication: bool,
}

/// Shares of chance on a standard queue; what AWS says of them is "occasionally".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Receives that leave a visible copy behind.
    pub duplicates: f64,
    /// Messages handed out ahead of older ones.
    pub disorder: f64,
    /// Servers that a short poll asks.
    pub short_poll_share: f64,
}

impl Sampling {
    /// Nothing by chance: what a single server would do.
    pub const NONE: Self = Self { duplicates: 0.0, disorder: 0.0, short_poll_share: 1.0 };
}

impl FifoConfig {
    pub(super) fn deduplication(&self) -> DeduplicationRules {
        DeduplicationRules { by_content: self.content_deduplication, within_group: self.group_deduplication }
    }
}
