//! Calls a second: a FIFO queue takes so many of each action, a standard queue nearly any number.
//!
//! A FIFO queue's messages lie on partitions by their message group, and a partition takes 300 calls a second of each
//! action, whatever their number of messages. Without the high-throughput mode the queue is one partition; with it SQS
//! adds partitions as it needs them, up to one a message group, and the region's quota is the queue's.
//! Source: docs.aws.amazon.com/AWSSimpleQueueService, quotas-messages and high-throughput-fifo.

use ahash::AHashMap;
use bytes::Bytes;

use super::FifoConfig;
use crate::event::QueueCall;
use crate::units::{SimDuration, SimTime};

const SECOND: SimDuration = SimDuration::from_secs(1);
/// Calls a second of each action that one partition takes.
const PARTITION_CALLS_MAX: u32 = 300;
/// The same of a whole queue in high-throughput mode, in the largest regions.
const QUEUE_CALLS_MAX: u32 = 70_000;

/// Actions that have a quota of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Send,
    Receive,
    Delete,
    ChangeVisibility,
}

impl Action {
    pub fn of(call: &QueueCall) -> Self {
        match call {
            QueueCall::Send(_) => Self::Send,
            QueueCall::Receive(_) => Self::Receive,
            QueueCall::Delete(_) => Self::Delete,
            QueueCall::ChangeVisibility(_) => Self::ChangeVisibility,
        }
    }
}

/// Counts calls in whole seconds.
#[derive(Clone, Debug)]
pub(super) struct Throttle {
    calls_per_s_max: Option<u32>,
    by_group: bool,
    window_began: SimTime,
    calls: [u32; 4],
    /// Sends of each message group in this second; only looked up.
    group_calls: AHashMap<Bytes, u32>,
}

impl Throttle {
    pub fn new(fifo: Option<&FifoConfig>) -> Self {
        let by_group = fifo.is_some_and(|fifo| fifo.high_throughput);
        let calls_per_s_max = fifo.map(|_| if by_group { QUEUE_CALLS_MAX } else { PARTITION_CALLS_MAX });
        Self { calls_per_s_max, by_group, window_began: SimTime::ZERO, calls: [0; 4], group_calls: AHashMap::new() }
    }

    pub fn admits(&mut self, now: SimTime, action: Action) -> bool {
        let Some(max) = self.calls_per_s_max else { return true };
        if now.since(self.window_began) >= SECOND {
            self.window_began = SimTime::from_ns(now.as_ns() - now.as_ns() % SECOND.as_ns());
            self.calls = [0; 4];
            self.group_calls.clear();
        }
        let calls = &mut self.calls[action as usize];
        let admitted = *calls < max;
        *calls += u32::from(admitted);
        admitted
    }

    /// A send of these groups' messages: it is one call to each group's partition.
    pub fn begin_send<'a>(&mut self, groups: impl Iterator<Item = &'a Bytes>) {
        if !self.by_group {
            return;
        }
        let mut counted: Vec<&Bytes> = Vec::new();
        for group in groups {
            if !counted.contains(&group) {
                counted.push(group);
                *self.group_calls.entry(group.clone()).or_default() += 1;
            }
        }
    }

    /// Whether the send that was begun may bring messages of this group.
    pub fn admits_group(&self, group: &Bytes) -> bool {
        self.group_calls.get(group).is_none_or(|calls| *calls <= PARTITION_CALLS_MAX)
    }
}
