//! How queues and subscriptions stand, and a page of what a queue holds, for a person who looks.

use std::sync::Arc;

use bytes::Bytes;

use super::HeldRecord;
use crate::units::{SimDuration, SimTime};

/// How a queue stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueStanding {
    /// Id of its component.
    pub name: Arc<str>,
    /// Keeps the order of message groups.
    pub is_fifo: bool,
    /// Was deleted, and not created again.
    pub is_gone: bool,
    /// `ApproximateNumberOfMessages`.
    pub visible: u64,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: u64,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: u64,
    /// `ApproximateAgeOfOldestMessage`.
    pub oldest_age: SimDuration,
    /// Messages sent so far.
    pub sent: u64,
    /// Received more than once.
    pub received_again: u64,
    /// Deleted by receivers.
    pub deleted: u64,
    /// Moved to its dead-letter queue.
    pub dead_lettered: u64,
    /// Gone by retention or an operator's hand.
    pub expired: u64,
}

/// How a subscription of a fan-out topic stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscriptionStanding {
    /// Id of the topic's component.
    pub topic: Arc<str>,
    /// Id of the component that subscribes.
    pub endpoint: Arc<str>,
    /// `sqs` or `https`.
    pub protocol: &'static str,
    /// The text of its filter policy; none where it takes everything.
    pub filter_policy: Option<Arc<str>>,
    /// What the policy is held against: `MessageAttributes` or `MessageBody`.
    pub filter_scope: &'static str,
    /// Taken by the endpoint.
    pub delivered: u64,
    /// Not for it, by its filter policy.
    pub filtered: u64,
    /// Deliveries under way, or waiting for a retry.
    pub waiting: u64,
    /// Deliveries tried again.
    pub retried: u64,
    /// Given up, to the dead-letter queue.
    pub dead_lettered: u64,
    /// Given up without one.
    pub lost: u64,
}

/// A page of what a queue holds, by message number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueuePage {
    /// Of the whole queue.
    pub standing: QueueStanding,
    /// The oldest number that is there,
    pub first_number: u64,
    /// and the number of the next message.
    pub next_number: u64,
    /// Its messages.
    pub rows: Vec<QueueRow>,
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueRow {
    /// Its number in the queue.
    pub number: u64,
    /// What it carries.
    pub record: HeldRecord,
    /// `SentTimestamp`.
    pub sent: SimTime,
    /// `ApproximateReceiveCount`.
    pub receives: u32,
    /// `MessageGroupId`.
    pub group: Option<Bytes>,
    /// Who can receive it.
    pub state: MessageState,
}

/// Where a message of a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// The next receive may bring it.
    Visible,
    /// Not received yet, and hidden until then.
    Delayed(SimTime),
    /// Received, and hidden until then.
    InFlight(SimTime),
}
