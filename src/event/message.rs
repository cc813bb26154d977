//! The closed list of what ports carry. A call names a [`CallId`] of its caller; the reply repeats it.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    AbortedTransaction, Assignor, EventMeta, Isolation, MemberHeartbeat, OffsetTarget, Placed, ProducerStamp, QueueReply, QueueRequest,
    RecordBatch, StoredBatch, Subscription, TransactionReply, TransactionRequest,
};
use crate::units::{GroupIx, SimDuration, TopicIx};

/// Matches a reply with its call; unique within the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Anything a link can carry. Large bodies are boxed so that moving a message moves two words.
#[derive(Clone, Debug)]
pub enum Message {
    /// An HTTP request that carries one event.
    Http(Box<HttpRequest>),
    /// Its answer.
    HttpReply(Box<HttpReply>),
    /// Batches for partitions of one broker cluster.
    Produce(Box<ProduceRequest>),
    /// Its answer; none is sent for acks=0.
    ProduceReply(Box<ProduceReply>),
    /// A (long-polling) fetch.
    Fetch(Box<FetchRequest>),
    /// Its answer.
    FetchReply(Box<FetchReply>),
    /// A call to a group's coordinator.
    Group(Box<GroupRequest>),
    /// Its answer.
    GroupReply(Box<GroupReply>),
    /// A call to the coordinator of a transactional id.
    Transaction(Box<TransactionRequest>),
    /// Its answer.
    TransactionReply(Box<TransactionReply>),
    /// Asks a node of a cluster who leads a topic's partitions.
    Metadata(Box<MetadataRequest>),
    /// Its answer.
    MetadataReply(Box<MetadataReply>),
    /// A look-up at a schema registry.
    Schema(Box<SchemaRequest>),
    /// Its answer.
    SchemaReply(Box<SchemaReply>),
    /// A call to a queue or a fan-out topic.
    Queue(Box<QueueRequest>),
    /// Its answer.
    QueueReply(Box<QueueReply>),
}

impl Message {
    /// Size on a wire, protocol framing estimated, for links with a bandwidth.
    #[must_use]
    pub fn wire_bytes(&self) -> u64 {
        const FRAME_BYTES: u64 = 40;
        const HTTP_HEADER_BYTES: u64 = 200;
        FRAME_BYTES
            + match self {
                Self::Http(request) => HTTP_HEADER_BYTES + request.body.len() as u64,
                Self::HttpReply(reply) => HTTP_HEADER_BYTES + u64::from(reply.body_bytes),
                Self::Produce(request) => request.entries.iter().map(|e| u64::from(e.batch.wire_bytes) + 20).sum(),
                Self::ProduceReply(reply) => 30 * reply.results.len() as u64,
                Self::Fetch(request) => 40 * request.partitions.len() as u64,
                Self::FetchReply(reply) => {
                    reply.partitions.iter().map(|p| 40 + p.batches.iter().map(|b| u64::from(b.batch.wire_bytes)).sum::<u64>()).sum()
                }
                Self::Group(_) | Self::GroupReply(_) | Self::Transaction(_) | Self::TransactionReply(_) | Self::Metadata(_) => 60,
                Self::MetadataReply(reply) => 20 * reply.leaders.as_ref().map_or(1, |leaders| leaders.len() as u64),
                Self::Schema(_) => 60,
                Self::SchemaReply(reply) => reply.result.as_ref().map_or(60, SchemaFound::text_bytes),
                Self::Queue(request) => HTTP_HEADER_BYTES + request.body_bytes(),
                Self::QueueReply(reply) => HTTP_HEADER_BYTES + reply.body_bytes(),
            }
    }
    /// The same message once more, as a network may deliver it: what it carries counts as tried again.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = self.clone();
        match &mut copy {
            Self::Http(request) => request.attempt += 1,
            Self::Produce(request) => {
                for entry in &mut request.entries {
                    entry.attempt += 1;
                }
            }
            _ => {}
        }
        copy
    }
    /// Whether this answers a call (and so travels against the call's direction).
    #[must_use]
    pub fn is_reply(&self) -> bool {
        match self {
            Self::HttpReply(_)
            | Self::ProduceReply(_)
            | Self::FetchReply(_)
            | Self::GroupReply(_)
            | Self::TransactionReply(_)
            | Self::MetadataReply(_)
            | Self::SchemaReply(_)
            | Self::QueueReply(_) => true,
            Self::Http(_)
            | Self::Produce(_)
            | Self::Fetch(_)
            | Self::Group(_)
            | Self::Transaction(_)
            | Self::Metadata(_)
            | Self::Schema(_)
            | Self::Queue(_) => false,
        }
    }
}

/// `POST /path` with one event as its body.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// For the reply.
    pub call: CallId,
    /// `POST`, `PUT`…
    pub method: Arc<str>,
    /// Path, beginning with `/`.
    pub path: Arc<str>,
    /// Header names in lower case with their values; shared by all requests of one client template.
    pub headers: Arc<[(Arc<str>, Arc<str>)]>,
    /// Which event.
    pub event: EventMeta,
    /// The event's type as CloudEvents' `ce-type`.
    pub event_type: Arc<str>,
    /// Partition key, if any.
    pub key: Option<Bytes>,
    /// Payload in the registry's wire format, or bare.
    pub body: Bytes,
    /// 1 for the first try.
    pub attempt: u32,
    /// A fan-out topic's delivery: the event's place in that topic.
    pub delivery: Option<Placed>,
}

/// The answer of a gateway or service.
#[derive(Clone, Debug)]
pub struct HttpReply {
    /// Of the request.
    pub call: CallId,
    /// Which event.
    pub event: EventMeta,
    /// Status code.
    pub status: u16,
    /// Why, in words, for anything but success.
    pub reason: Option<Arc<str>>,
    /// `Retry-After`.
    pub retry_after: Option<SimDuration>,
    /// Size of its body.
    pub body_bytes: u32,
}

impl HttpReply {
    /// An answer with nothing but a status.
    #[must_use]
    pub fn to(request: &HttpRequest, status: u16) -> Self {
        Self { call: request.call, event: request.event, status, reason: None, retry_after: None, body_bytes: 0 }
    }
}

/// What must have happened before a produce request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Acks {
    /// No answer at all.
    None,
    /// The leader has appended.
    Leader,
    /// Every in-sync replica has it.
    #[default]
    All,
}

/// Kafka's error names, those in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BrokerError {
    /// No such topic or partition.
    UnknownTopicOrPartition,
    /// A batch over `max.message.bytes`.
    RecordTooLarge,
    /// A batch whose CRC or layout is wrong.
    CorruptMessage,
    /// A record without a key for a compacted topic.
    InvalidRecord,
    /// A timestamp too far from the broker's clock.
    InvalidTimestamp,
    /// Fewer in-sync replicas than `min.insync.replicas`; nothing was written.
    NotEnoughReplicas,
    /// The same, but seen only after the batch was written.
    NotEnoughReplicasAfterAppend,
    /// The node does not lead the partition: ask who does.
    NotLeaderOrFollower,
    /// The broker did not finish in the request's timeout.
    RequestTimedOut,
    /// The fetch offset is outside the log.
    OffsetOutOfRange,
    /// The member must rejoin with the id that it was given.
    MemberIdRequired,
    /// The coordinator does not know this member.
    UnknownMemberId,
    /// Another member has taken this static member's place.
    FencedInstanceId,
    /// The group has members.
    NonEmptyGroup,
    /// The member's generation is over.
    IllegalGeneration,
    /// Consumer protocol: the member's epoch is not the one that the coordinator knows; it must give everything up and rejoin.
    FencedMemberEpoch,
    /// Consumer protocol: positions came with another epoch than the member has by now; try again with that.
    StaleMemberEpoch,
    /// Consumer protocol: another member stands for this instance, and has not left.
    UnreleasedInstanceId,
    /// The group is not one of the consumer protocol.
    GroupIdNotFound,
    /// The coordinator has no such assignor.
    UnsupportedAssignor,
    /// The member understands no assignor that all others do.
    InconsistentGroupProtocol,
    /// The group is between generations: rejoin.
    RebalanceInProgress,
    /// The broker is down: the connection was refused, or broke before the answer.
    BrokerNotAvailable,
    /// Idempotence: a gap in the sequence.
    OutOfOrderSequence,
    /// The broker's disks are full (`KAFKA_STORAGE_ERROR`).
    StorageError,
    /// Another producer with the same transactional id has begun, or the transaction was aborted for its age.
    ProducerFenced,
    /// The same, said by the leader of a partition.
    InvalidProducerEpoch,
    /// The coordinator knows no such transactional id.
    InvalidProducerIdMapping,
    /// The batch, the positions or the end do not belong to an open transaction.
    InvalidTxnState,
    /// The transaction before this one is not complete yet: come again.
    ConcurrentTransactions,
    /// A transaction has still to decide on a position: come again.
    UnstableOffsetCommit,
    /// An access control list does not let the caller use the topic.
    TopicAuthorizationFailed,
    /// The same for a consumer group.
    GroupAuthorizationFailed,
    /// The same for a transactional id.
    TransactionalIdAuthorizationFailed,
    /// The same for the cluster: the caller may write nothing at all.
    ClusterAuthorizationFailed,
}

impl BrokerError {
    /// Whether an access control list refused.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::TopicAuthorizationFailed
                | Self::GroupAuthorizationFailed
                | Self::TransactionalIdAuthorizationFailed
                | Self::ClusterAuthorizationFailed
        )
    }
}

/// Batches for several partitions.
#[derive(Clone, Debug)]
pub struct ProduceRequest {
    /// For the reply.
    pub call: CallId,
    /// To which node of the cluster: the leader of its partitions, as far as the client knows.
    pub node: u32,
    /// `producer.id` among those of the sending component.
    pub producer: u64,
    /// In which transaction, by its id.
    pub transaction: Option<(Arc<str>, ProducerStamp)>,
    /// What must have happened before the answer.
    pub acks: Acks,
    /// At most one batch a partition.
    pub entries: Vec<ProduceEntry>,
}

/// One batch for one partition.
#[derive(Clone, Debug)]
pub struct ProduceEntry {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Sequence number of the batch within (producer, partition), the same for every try of it.
    pub batch_seq: u64,
    /// For an idempotent producer its epoch for this partition: a higher one begins again at `batch_seq` 0.
    /// None without idempotence: nothing is deduplicated.
    pub epoch: Option<u32>,
    /// 1 for the first try.
    pub attempt: u32,
    /// The bytes.
    pub batch: RecordBatch,
}

/// Outcome for each partition of a produce request.
#[derive(Clone, Debug)]
pub struct ProduceReply {
    /// Of the request.
    pub call: CallId,
    /// In the request's order.
    pub results: Vec<ProduceResult>,
}

/// Outcome for one partition.
#[derive(Clone, Copy, Debug)]
pub struct ProduceResult {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset of the batch's first record, or why not.
    pub base_offset: Result<u64, BrokerError>,
}

/// Asks for records; waits at the broker until `min_bytes` are there or `max_wait` has passed.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// For the reply.
    pub call: CallId,
    /// To which node of the cluster: the leader of its partitions, as far as the client knows, or one that it preferred.
    pub node: u32,
    /// `client.rack`: a leader elsewhere names a replica that is nearer.
    pub rack: Option<Arc<str>>,
    /// Longest wait at the broker.
    pub max_wait: SimDuration,
    /// Answer as soon as this much is there.
    pub min_bytes: u64,
    /// Limit over all partitions; the first batch comes whatever its size.
    pub max_bytes: u64,
    /// What the reader sees of transactions.
    pub isolation: Isolation,
    /// Where to read.
    pub partitions: Vec<FetchPartition>,
}

/// One place to read.
#[derive(Clone, Copy, Debug)]
pub struct FetchPartition {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// First offset wanted.
    pub offset: u64,
    /// Limit for this partition.
    pub max_bytes: u64,
}

/// What a fetch brought.
#[derive(Clone, Debug)]
pub struct FetchReply {
    /// Of the request.
    pub call: CallId,
    /// Only partitions with records or an error; empty when the wait ran out.
    pub partitions: Vec<FetchedPartition>,
}

/// Records of one partition.
#[derive(Clone, Debug)]
pub struct FetchedPartition {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Set when nothing could be read.
    pub error: Option<BrokerError>,
    /// The node whose replica shall be read instead (`preferred_read_replica`); then nothing else is here.
    pub preferred_replica: Option<u32>,
    /// First offset that is not yet visible.
    pub high_watermark: u64,
    /// First offset still kept.
    pub log_start: u64,
    /// For a reader of committed records: the aborted transactions among the batches.
    pub aborted: Vec<AbortedTransaction>,
    /// Whole batches; the first may begin before the offset asked for.
    pub batches: Vec<StoredBatch>,
}

impl FetchedPartition {
    /// Nothing of a partition.
    #[must_use]
    pub fn empty(topic: TopicIx, partition: u32) -> Self {
        Self {
            topic,
            partition,
            error: None,
            preferred_replica: None,
            high_watermark: 0,
            log_start: 0,
            aborted: Vec::new(),
            batches: Vec::new(),
        }
    }
    /// Nothing of it, and why.
    #[must_use]
    pub fn failed(topic: TopicIx, partition: u32, error: BrokerError) -> Self {
        Self { error: Some(error), ..Self::empty(topic, partition) }
    }
}

/// Asks who leads a topic's partitions.
#[derive(Clone, Copy, Debug)]
pub struct MetadataRequest {
    /// For the reply.
    pub call: CallId,
    /// To which node of the cluster: any will do.
    pub node: u32,
    /// Which topic.
    pub topic: TopicIx,
}

/// What a node knows of a topic.
#[derive(Clone, Debug)]
pub struct MetadataReply {
    /// Of the request.
    pub call: CallId,
    /// The node that leads each partition, none while it is offline; or why the node cannot say.
    pub leaders: Result<Vec<Option<u32>>, BrokerError>,
}

/// A call to a group's coordinator.
#[derive(Clone, Debug)]
pub struct GroupRequest {
    /// For the reply.
    pub call: CallId,
    /// Which group.
    pub group: GroupIx,
    /// Which member; empty at the first join.
    pub member: Arc<str>,
    /// What.
    pub body: GroupCall,
}

/// Calls of both group protocols, and those that they share.
#[derive(Clone, Debug)]
pub enum GroupCall {
    /// Take part; answered when all members have joined or the rebalance timeout has passed.
    Join { client_id: Arc<str>, subscription: Subscription, session_timeout: SimDuration, rebalance_timeout: SimDuration },
    /// Hand in (leader) or ask for (follower) the assignment.
    Sync { generation: u32, assignments: Vec<(Arc<str>, Vec<(TopicIx, u32)>)> },
    /// I live.
    Heartbeat { generation: u32 },
    /// I go.
    Leave,
    /// The consumer protocol's one call: join, stay, leave, and say what is held.
    MemberHeartbeat(Box<MemberHeartbeat>),
    /// Commit positions; the generation is the member's epoch under the consumer protocol.
    Commit { generation: u32, offsets: Vec<OffsetCommit> },
    /// Where did the group stop? Asked with the member's epoch under the consumer protocol.
    FetchOffsets { partitions: Vec<(TopicIx, u32)>, epoch: Option<u32> },
    /// First and next offset of partitions, for `auto.offset.reset`.
    ListOffsets { partitions: Vec<(TopicIx, u32)> },
    /// Put the group's positions elsewhere (`kafka-consumer-groups --reset-offsets`); only a group without members allows it.
    ResetOffsets { topics: Vec<TopicIx>, to: OffsetTarget },
}

/// A committed position: the next offset to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetCommit {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Next offset to read.
    pub offset: u64,
}

/// The coordinator's answer.
#[derive(Clone, Debug)]
pub struct GroupReply {
    /// Of the request.
    pub call: CallId,
    /// What, or why not.
    pub result: Result<GroupResult, BrokerError>,
}

/// What the coordinator can say.
#[derive(Clone, Debug)]
pub enum GroupResult {
    /// The generation has begun; `members` is filled for the leader only.
    Joined { member: Arc<str>, generation: u32, leader: Arc<str>, assignor: Assignor, members: Vec<(Arc<str>, Subscription)> },
    /// What this member reads.
    Synced { partitions: Vec<(TopicIx, u32)> },
    /// Consumer protocol: the member's epoch, when to come again, and what it may hold if that has changed.
    Heard { epoch: u32, interval: SimDuration, assignment: Option<Arc<[(TopicIx, u32)]>> },
    /// Heartbeat, leave or commit went well.
    Done,
    /// Committed positions; `None` where there is none.
    Offsets(Vec<(TopicIx, u32, Option<u64>)>),
    /// (topic, partition, first offset, next offset).
    Bounds(Vec<(TopicIx, u32, u64, u64)>),
}

/// A look-up at a registry.
#[derive(Clone, Debug)]
pub struct SchemaRequest {
    /// For the reply.
    pub call: CallId,
    /// What.
    pub body: SchemaCall,
}

/// What a registry is asked during a run.
#[derive(Clone, Debug)]
pub enum SchemaCall {
    /// `GET /schemas/ids/{id}`.
    ById(u32),
    /// Glue's `GetSchemaVersion` by the UUID on the wire.
    ByUuid([u8; 16]),
    /// `GET /subjects/{subject}/versions/{version}`; `None` is `latest`.
    BySubject { subject: Arc<str>, version: Option<u32> },
    /// `POST /subjects/{subject}/versions`.
    Register { subject: Arc<str>, text: Arc<str>, schema_type: Arc<str> },
}

/// A schema that another one refers to by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Named {
    /// As the text refers to it: an Avro full name, a JSON Schema's `$ref` without its fragment, a Protobuf import's path.
    pub name: Arc<str>,
    /// The schema itself.
    pub text: Arc<str>,
}

/// A registry's answer.
#[derive(Clone, Debug)]
pub struct SchemaReply {
    /// Of the request.
    pub call: CallId,
    /// The schema, or (error code as Confluent numbers it, message).
    pub result: Result<SchemaFound, (u32, Arc<str>)>,
}

/// A registered schema; the client compiles the text itself, as a real client does.
#[derive(Clone, Debug)]
pub struct SchemaFound {
    /// Global id, the one on the wire.
    pub id: u32,
    /// What stands on the wire instead, in Glue's framing.
    pub uuid: Option<[u8; 16]>,
    /// Subject.
    pub subject: Arc<str>,
    /// Version within the subject, from 1.
    pub version: u32,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub schema_type: Arc<str>,
    /// The schema.
    pub text: Arc<str>,
    /// What it refers to, flat and in order: what a reference itself refers to stands before it. A real client asks for
    /// each by itself.
    pub references: Arc<[Named]>,
}

impl SchemaFound {
    fn text_bytes(&self) -> u64 {
        let texts = self.references.iter().map(|reference| &reference.text).chain([&self.text]);
        texts.map(|text| text.len() as u64).sum()
    }
}
