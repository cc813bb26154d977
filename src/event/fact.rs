//! What observers are told. Facts change nothing: a run is the same bytes with nobody listening.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::{EventId, EventMeta, RecordBatch, RowChange, StoredBatch};
use crate::units::{ComponentIx, GroupIx, SimDuration, SimTime, TopicIx};

/// Something that happened to an event. Facts that come once an event are kept small; others are boxed.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A producer's event came into being: a submission has begun.
    Born(EventMeta),
    /// The same for an event that was made from another, its parent.
    Derived(EventMeta, EventId),
    /// The submission's client knows how it ended (a later fact for the same event replaces this one).
    Settled(Box<Settled>),
    /// A batch stands in a log: obligations begin for each attached group.
    Appended(Box<Appended>),
    /// The same for events of an earlier run, which a log has from the beginning.
    Kept(Box<Appended>),
    /// The same for an event that a queue moved here (a dead letter, a redrive): no second append, and an
    /// obligation that a move had ended is open again.
    Moved(Box<Appended>),
    /// A reader writes an event once more to the topic that it read it from, to try it again: no second append.
    Renewed { topic: TopicIx, event: EventId },
    /// An obligation of one group to one record ended.
    Ended(Ended),
    /// The same with a reason; anything but a first delivery.
    EndedWith(Box<(Ended, Reason)>),
    /// A batch was taken by a node that had lost the lead without knowing it: acknowledged, and in no log that counts.
    Stranded(Box<(Appended, Reason)>),
    /// A partition's log was cut: its new leader has less than the old one had.
    Truncated(Box<Truncated>),
    /// A topic has so many partitions now, more than before.
    Partitions { topic: TopicIx, partitions: u32 },
    /// Records below this offset are gone by retention.
    LogStart { topic: TopicIx, partition: u32, log_start: u64 },
    /// The cleaner has been through a part of a log: what is there now.
    Compacted(Box<Compacted>),
    /// A group began at this offset: earlier records are skipped for it.
    GroupStart { group: GroupIx, topic: TopicIx, partition: u32, offset: u64 },
    /// A group reads late, or once more, what stands below this offset: backfill and replay are no news.
    Reread { group: GroupIx, topic: TopicIx, partition: u32, up_to: u64 },
    /// An answer to a reader lacked what was acknowledged before.
    StaleRead(Box<StaleRead>),
    /// A group goes on behind a batch that it could not read.
    Unreadable(Box<Unreadable>),
    /// A read model has changed.
    Row(Box<RowChange>),
    /// An autoscaler has decided.
    Scaled(Box<Scaled>),
    /// A task has stopped for good, for an error.
    TaskStopped(Box<TaskStopped>),
    /// A hop of an event that observers follow.
    Hop(Box<(EventMeta, Hop)>),
}

/// Why something ended as it did: a stable code and, where known, words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code: `schema`, `rate-limit`, `timeout`, `no-route`…
    pub code: &'static str,
    /// `field amount is text, schema wants double`.
    pub detail: Option<Cow<'static, str>>,
}

impl Reason {
    /// Code: gone by retention.
    pub const RETENTION: &str = "retention";
    /// Code: before the offset at which the group began, or was put by hand.
    pub const LATEST: &str = "latest";
    /// Code: received too often, so moved to the dead-letter queue.
    pub const RECEIVES: &str = "receives";
    /// Code: moved from a dead-letter queue back to where it came from.
    pub const REDRIVE: &str = "redrive";
}

/// How a submission ended, as far as its client knows.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which event.
    pub event: EventMeta,
    /// Where it ended.
    pub at: ComponentIx,
    /// How.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// The ends of a submission. Acceptance needs no fact: an appended record is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A gateway, a schema or the broker said no.
    Rejected,
    /// The client had no room for it.
    Dropped,
    /// The client gave up after its timeouts and retries.
    Abandoned,
    /// A target that is no log took it (a gateway that answers 2xx itself).
    Accepted,
}

/// A batch at its place.
#[derive(Clone, Debug)]
pub struct Appended {
    /// The cluster's component.
    pub cluster: ComponentIx,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset of its first record.
    pub base_offset: u64,
    /// Who sent it.
    pub client: ComponentIx,
    /// 1 for the first try: only later tries can append an event twice.
    pub attempt: u32,
    /// The bytes.
    pub batch: RecordBatch,
}

/// A batch whose bytes do not say which events it holds any more: only its place does.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Who could not read it.
    pub component: ComponentIx,
    /// For which group.
    pub group: GroupIx,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset of its first record.
    pub base_offset: u64,
    /// Records below this offset had been read before.
    pub from: u64,
    /// Why.
    pub reason: Reason,
}

/// What a node answered that led a partition, was replaced, and did not know.
#[derive(Clone, Copy, Debug)]
pub struct StaleRead {
    /// Who read.
    pub reader: ComponentIx,
    /// The node that answered.
    pub node: u32,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// The first record that others had acknowledged and the answer lacked.
    pub lacks: u64,
}

/// A part of a partition's log of which the cleaner has left the last value of each key.
#[derive(Clone, Debug)]
pub struct Compacted {
    /// The cluster's component.
    pub cluster: ComponentIx,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// The part's first offset,
    pub from: u64,
    /// and the offset after its last.
    pub to: u64,
    /// Its batches.
    pub kept: Vec<StoredBatch>,
}

/// The end of a partition's log that is gone.
#[derive(Clone, Debug)]
pub struct Truncated {
    /// The cluster's component.
    pub cluster: ComponentIx,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Everything from this offset on is gone.
    pub from: u64,
    /// Base offsets of the batches among it that no producer was told of: their events are not lost, their
    /// producers still have them.
    pub unacknowledged: Vec<u64>,
    /// Why.
    pub reason: Reason,
}

/// A component has more instances, or fewer.
#[derive(Clone, Debug)]
pub struct Scaled {
    /// Which.
    pub component: ComponentIx,
    /// How many it had, those included that were starting.
    pub from: u32,
    /// How many it shall have.
    pub to: u32,
    /// What it goes by.
    pub why: String,
}

/// A connector's task came to an error that it does not go on behind.
#[derive(Clone, Debug)]
pub struct TaskStopped {
    /// Whose.
    pub component: ComponentIx,
    /// Which; the first is 1.
    pub task: usize,
    /// The error, in words.
    pub why: String,
}

impl TaskStopped {
    /// For what an event could not be taken.
    #[must_use]
    pub fn new(component: ComponentIx, task: usize, reason: &Reason) -> Self {
        Self { component, task, why: reason.detail.as_deref().unwrap_or(reason.code).to_owned() }
    }
}

/// The end of one obligation.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Who ended it.
    pub component: ComponentIx,
    /// Which group.
    pub group: GroupIx,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
    /// Which event.
    pub event: EventMeta,
    /// How long it stood in the component's queue before work on it first began.
    pub waited: SimDuration,
    /// How.
    pub end: ObligationEnd,
}

/// The ends of an obligation (design: the ledger).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObligationEnd {
    /// Processed successfully.
    Delivered,
    /// Failed for good and skipped.
    FailedSkipped,
    /// Unreadable for the consumer's schema check.
    RejectedAtConsumer,
    /// Written to a dead-letter topic.
    DeadLettered,
    /// Written to a retry topic, or taken by a subscription's queue.
    Forwarded,
    /// Gone by retention before it was read.
    Expired,
    /// The group began after it (`auto.offset.reset=latest`).
    Skipped,
    /// Acknowledged, or committed, and gone.
    Lost,
    /// Not for this subscription, by its filter policy.
    Filtered,
    /// Its transaction was aborted: a reader of committed events does not see it.
    Aborted,
    /// Gone by compaction before it was read: a later value of its key stands in the log.
    Compacted,
}

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset.
    pub offset: u64,
}

/// One stay of an event at a component; the gaps between hops are links.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Where.
    pub component: ComponentIx,
    /// What was done there.
    pub kind: HopKind,
    /// When it arrived.
    pub queued: SimTime,
    /// When work on it began.
    pub served: SimTime,
    /// When it was done.
    pub done: SimTime,
    /// Its place in a log, where it has one.
    pub placed: Option<Placed>,
    /// The group that reads it, for a consumer's hop.
    pub group: Option<GroupIx>,
    /// How it ended here, in plain words: `accepted by route orders`, `rejected: field amount is text, schema wants double`.
    pub words: Arc<str>,
    /// Payload as it was here; kept once by observers when it is the same.
    pub payload: Option<Bytes>,
    /// Key.
    pub key: Option<Bytes>,
}

/// What a hop was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HopKind {
    /// Made.
    Produced,
    /// Passed or answered by a gateway.
    Gateway,
    /// Appended to a log.
    Appended,
    /// Processed by a consumer.
    Processed,
    /// Refused.
    Rejected,
    /// Gone.
    Lost,
    /// Seen again.
    Duplicate,
}

impl Fact {
    /// The event concerned, where the fact is about one.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        match self {
            Self::Born(meta) | Self::Derived(meta, _) => Some(meta.id),
            Self::Settled(settled) => Some(settled.event.id),
            Self::Renewed { event, .. } => Some(*event),
            Self::Ended(ended) => Some(ended.event.id),
            Self::EndedWith(with) => Some(with.0.event.id),
            Self::Hop(hop) => Some(hop.0.id),
            Self::Appended(_)
            | Self::Kept(_)
            | Self::Moved(_)
            | Self::Stranded(_)
            | Self::Truncated(_)
            | Self::Compacted(_)
            | Self::Partitions { .. }
            | Self::StaleRead(_)
            | Self::Unreadable(_)
            | Self::LogStart { .. }
            | Self::Reread { .. }
            | Self::Row(_)
            | Self::Scaled(_)
            | Self::TaskStopped(_)
            | Self::GroupStart { .. } => None,
        }
    }
}
