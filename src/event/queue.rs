//! Calls to a queue or a fan-out topic, in SQS's terms, and their answers.

use std::fmt;

use bytes::Bytes;

use super::{CallId, EventMeta, RecordBatch};
use crate::units::{SimDuration, SimTime};

/// A call.
#[derive(Clone, Debug)]
pub struct QueueRequest {
    /// For the reply.
    pub call: CallId,
    /// What.
    pub body: QueueCall,
}

/// What a queue is asked. A fan-out topic understands `Send` alone, as its `PublishBatch`.
#[derive(Clone, Debug)]
pub enum QueueCall {
    /// `SendMessageBatch`.
    Send(Vec<QueueEntry>),
    /// `ReceiveMessage`.
    Receive(ReceiveCall),
    /// `DeleteMessageBatch`.
    Delete(Vec<Receipt>),
    /// `ChangeMessageVisibilityBatch`: each hidden for this long from now; zero shows it at once.
    ChangeVisibility(Vec<(Receipt, SimDuration)>),
}

/// `ReceiveMessage`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiveCall {
    /// `MaxNumberOfMessages`, 1 to 10.
    pub max_messages: u32,
    /// `WaitTimeSeconds`: above zero it is a long poll. The queue's own when absent.
    pub wait: Option<SimDuration>,
    /// `VisibilityTimeout`; the queue's own when absent.
    pub visibility: Option<SimDuration>,
}

/// One message to be stored.
#[derive(Clone, Debug)]
pub struct QueueEntry {
    /// Which event.
    pub event: EventMeta,
    /// The event as a batch of one record: key and payload exist once, whoever keeps them.
    pub batch: RecordBatch,
    /// Body and attributes as the product counts them.
    pub size_bytes: u32,
    /// `MessageGroupId`.
    pub group: Option<Bytes>,
    /// `MessageDeduplicationId`.
    pub deduplication: Option<Bytes>,
    /// `DelaySeconds` of this message; the queue's own when absent.
    pub delay: Option<SimDuration>,
    /// 1 for the first try.
    pub attempt: u32,
    /// Set when a queue moves it (dead letters, redrive): when it was first sent.
    pub moved_since: Option<SimTime>,
}

/// A receipt handle: which message, and which of its receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Receipt {
    /// The message's number in its queue.
    pub number: u64,
    /// Which receive of it.
    pub receive: u32,
}

/// A message as a receiver sees it.
#[derive(Clone, Debug)]
pub struct QueueMessage {
    /// For deleting it and changing its visibility; its number is the message's place in the queue.
    pub receipt: Receipt,
    /// `ApproximateReceiveCount`, this receive included.
    pub receive_count: u32,
    /// `SentTimestamp`.
    pub sent: SimTime,
    /// `MessageGroupId`.
    pub group: Option<Bytes>,
    /// The event as a batch of one record.
    pub batch: RecordBatch,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct QueueReply {
    /// Of the request.
    pub call: CallId,
    /// What came of it, or why the call as a whole was refused.
    pub result: Result<QueueResult, QueueError>,
}

/// What came of a call.
#[derive(Clone, Debug)]
pub enum QueueResult {
    /// Of a send, a delete or a visibility change: each entry's outcome, in the call's order.
    Entries(Vec<Result<(), QueueError>>),
    /// Of a receive; empty when there was nothing.
    Messages(Vec<QueueMessage>),
}

/// SQS's error names, those in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueError {
    /// A value out of its range, a message too large, a receipt that is over.
    InvalidParameterValue,
    /// A FIFO queue needs a message group and a deduplication id.
    MissingParameter,
    /// A batch of none.
    EmptyBatchRequest,
    /// More than ten entries.
    TooManyEntriesInBatchRequest,
    /// The entries together are too large.
    BatchRequestTooLong,
    /// Too many messages are in flight.
    OverLimit,
    /// More calls than the queue's throughput.
    RequestThrottled,
    /// The message is not hidden by a receive.
    MessageNotInflight,
    /// A receipt that the queue never gave.
    ReceiptHandleIsInvalid,
    /// There is no such queue (any more).
    NonExistentQueue,
    /// It was purged within the last minute.
    PurgeQueueInProgress,
    /// A queue of this name was deleted within the last minute.
    QueueDeletedRecently,
}

impl QueueError {
    /// As SQS names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidParameterValue => "InvalidParameterValue",
            Self::MissingParameter => "MissingParameter",
            Self::EmptyBatchRequest => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchRequestTooLong => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::OverLimit => "OverLimit",
            Self::RequestThrottled => "RequestThrottled",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::NonExistentQueue => "AWS.SimpleQueueService.NonExistentQueue",
            Self::PurgeQueueInProgress => "AWS.SimpleQueueService.PurgeQueueInProgress",
            Self::QueueDeletedRecently => "AWS.SimpleQueueService.QueueDeletedRecently",
        }
    }
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::OverLimit | Self::RequestThrottled)
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl QueueRequest {
    /// Size on a wire.
    pub(super) fn body_bytes(&self) -> u64 {
        match &self.body {
            QueueCall::Send(entries) => entries.iter().map(|entry| u64::from(entry.size_bytes) + 100).sum(),
            QueueCall::Delete(receipts) => 200 * receipts.len() as u64,
            QueueCall::ChangeVisibility(changes) => 200 * changes.len() as u64,
            QueueCall::Receive(_) => 200,
        }
    }
}

impl QueueReply {
    /// Size on a wire.
    pub(super) fn body_bytes(&self) -> u64 {
        match &self.result {
            Ok(QueueResult::Entries(entries)) => 100 * entries.len() as u64,
            Ok(QueueResult::Messages(messages)) => messages.iter().map(|message| u64::from(message.batch.wire_bytes) + 300).sum(),
            Err(_) => 200,
        }
    }
}
