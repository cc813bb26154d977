//! Calls to the coordinator of a transactional id, and their answers.

use std::sync::Arc;

use super::{BrokerError, CallId, OffsetCommit};
use crate::units::{GroupIx, SimDuration, TopicIx};

/// Who writes in a transaction: `producer.id` and its epoch. A higher epoch of the id fences lower ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerStamp {
    /// `producer.id`.
    pub id: u64,
    /// Its epoch: grows with every transaction that ends, as in transactions of version 2 (KIP-890).
    pub epoch: u16,
}

/// A call about one transactional id.
#[derive(Clone, Debug)]
pub struct TransactionRequest {
    /// For the reply.
    pub call: CallId,
    /// `transactional.id`.
    pub id: Arc<str>,
    /// What.
    pub body: TransactionCall,
}

/// What a coordinator is asked.
#[derive(Clone, Debug)]
pub enum TransactionCall {
    /// `InitProducerId`: fences who wrote under this id before, and aborts what that one had open.
    Init { timeout: SimDuration },
    /// `AddPartitionsToTxn`: begins the transaction, if none is open.
    AddPartitions { stamp: ProducerStamp, partitions: Vec<(TopicIx, u32)> },
    /// `AddOffsetsToTxn`.
    AddOffsets { stamp: ProducerStamp, group: GroupIx },
    /// `TxnOffsetCommit`, which goes to the group's coordinator.
    CommitOffsets { stamp: ProducerStamp, offsets: GroupOffsets },
    /// `EndTxn`.
    End { stamp: ProducerStamp, commit: bool },
}

/// Positions of a group that are committed with a transaction.
#[derive(Clone, Debug)]
pub struct GroupOffsets {
    /// Which group.
    pub group: GroupIx,
    /// Who commits them.
    pub member: Arc<str>,
    /// The member's generation.
    pub generation: u32,
    /// Next offsets to read.
    pub offsets: Vec<OffsetCommit>,
}

/// The coordinator's answer.
#[derive(Clone, Debug)]
pub struct TransactionReply {
    /// Of the request.
    pub call: CallId,
    /// With whose stamp the caller goes on.
    pub result: Result<ProducerStamp, BrokerError>,
}

/// `isolation.level`: what a reader sees of transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Everything below the high watermark, aborted or not.
    #[default]
    Uncommitted,
    /// What is committed, up to the last stable offset.
    Committed,
}

/// A transaction whose records a reader of committed ones must pass over, from its first record to its marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// `producer.id`.
    pub producer: u64,
    /// Its first record in the partition.
    pub first_offset: u64,
}
