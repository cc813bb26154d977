//! What travels: the event's record, the messages that ports carry, and the facts that observers read.
//!
//! In and out: plain values. An event is one immutable record; its payload bytes exist once and are
//! shared from the producer to the log to every consumer.
//! Must not know: who sends or receives. Start at [`EventMeta`], then [`Message`], then [`Fact`].

mod batch;
mod browse;
mod fact;
mod group;
mod message;
mod queue;
mod read_model;
mod record;
mod scalar;
mod schemas;
mod service;
mod standing;
mod transaction;

pub use batch::{KeptLog, RecordBatch, StoredBatch, TracedRecord};
pub use browse::{
    Answer, HeldRecord, LogContent, LogMarks, LogPage, LogRow, LogStanding, PAGE_RECORDS_MAX, PartitionStanding, Query, Seek,
};
pub use fact::{
    Appended, Compacted, Ended, Fact, Hop, HopKind, ObligationEnd, Outcome, Placed, Reason, Scaled, Settled, StaleRead, TaskStopped,
    Truncated, Unreadable,
};
pub use group::{Assignor, MemberDetails, MemberEpoch, MemberHeartbeat, OffsetTarget, RemoteAssignor, Subscription};
pub use message::{
    Acks, BrokerError, CallId, FetchPartition, FetchReply, FetchRequest, FetchedPartition, GroupCall, GroupReply, GroupRequest,
    GroupResult, HttpReply, HttpRequest, Message, MetadataReply, MetadataRequest, Named, OffsetCommit, ProduceEntry, ProduceReply,
    ProduceRequest, ProduceResult, SchemaCall, SchemaFound, SchemaReply, SchemaRequest,
};
pub use queue::{QueueCall, QueueEntry, QueueError, QueueMessage, QueueReply, QueueRequest, QueueResult, Receipt, ReceiveCall};
pub use read_model::{Cells, RowChange, RowEdit, TableShape};
pub use record::{EventId, EventMeta, STRUCTURED_HEADER_BYTES, header_bytes};
pub use scalar::{Scalar, TEXT_BYTES_MAX, write_object};
pub use schemas::{SCHEMA_USES_MAX, SUBJECTS_SHOWN_MAX, SchemaUse, SchemaWay, SubjectStanding, VersionStanding, VersionState};
pub use service::{SERVICE_PAGE_ROWS, ServiceQuery, ServiceRow, ServiceStanding, StreamEvent, StreamStanding, Transition};
pub use standing::{MessageState, QueuePage, QueueRow, QueueStanding, SubscriptionStanding};
pub use transaction::{AbortedTransaction, GroupOffsets, Isolation, ProducerStamp, TransactionCall, TransactionReply, TransactionRequest};
