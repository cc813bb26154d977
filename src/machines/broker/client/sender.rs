//! The producing client after a batch is ready: requests, replies, retries, giving up.
//!
//! One request takes at most one batch of each partition of its lane. A failed batch goes back: to its place
//! by sequence number with idempotence, to the front without (so that later batches may overtake it, as in
//! Kafka with several requests in flight). One of several records that the broker finds too large comes back as two
//! halves. A batch is given up when its retries or `delivery.timeout` are used up.

use std::collections::VecDeque;

use super::accumulator::ProducerClient;
use super::backoff;
use super::batches::SealedBatch;
use super::metadata::{MetadataConfig, hints_at_a_new_leader};
use super::transaction::{FENCED, FENCED_CODE, TransactionEnd};
use crate::event::{
    Acks, BrokerError, CallId, EventMeta, Message, MetadataReply, Outcome, ProduceEntry, ProduceReply, ProduceRequest, Reason, RecordBatch,
};
use crate::machines::broker::batch::events;
use crate::units::{SimTime, TopicIx};

/// What one call to the client wants done; the caller empties it.
#[derive(Clone, Debug, Default)]
pub struct ClientOutput {
    /// To be sent over these links.
    pub sends: Vec<(u16, Message)>,
    /// Events that will not be appended, as far as the client knows.
    pub unsent: Vec<Unsent>,
    /// Acknowledged batches, if asked for.
    pub acked: Vec<AckedBatch>,
    /// How a transaction ended.
    pub transaction: Option<TransactionEnd>,
}

/// An event that ended at the client.
#[derive(Clone, Debug)]
pub struct Unsent {
    /// Which.
    pub event: EventMeta,
    /// Rejected, dropped or abandoned.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
}

/// A batch that the broker has.
#[derive(Clone, Debug)]
pub struct AckedBatch {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Offset of its first record; none with acks=0.
    pub base_offset: Option<u64>,
    /// Its records.
    pub batch: RecordBatch,
}

/// The connection to one node, over one link.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub link: u16,
    pub node: u32,
    pub in_flight: VecDeque<InFlight>,
    /// Partitions with a batch that may leave, or will after a backoff.
    pub ready: VecDeque<usize>,
}

impl Lane {
    pub fn new(link: u16, node: u32) -> Self {
        Self { link, node, in_flight: VecDeque::new(), ready: VecDeque::new() }
    }
}

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    call: CallId,
    pub sent: SimTime,
    pub batches: Vec<(usize, SealedBatch)>,
}

impl ProducerClient {
    /// The broker has answered; late answers to calls that timed out are ignored, but for what they say of leaders.
    pub fn on_reply(&mut self, now: SimTime, reply: &ProduceReply, out: &mut ClientOutput) {
        for result in &reply.results {
            if let Err(error) = result.base_offset
                && hints_at_a_new_leader(error)
            {
                let found = self.partitions.iter().find(|one| one.topic == result.topic && one.partition == result.partition);
                if let Some((place, lane)) = found.map(|one| (one.place, one.lane)) {
                    self.suspect(now, place, lane);
                }
            }
        }
        let found = self.lanes.iter_mut().find_map(|lane| {
            let at = lane.in_flight.iter().position(|request| request.call == reply.call)?;
            lane.in_flight.remove(at)
        });
        let Some(request) = found else {
            // Without acks nothing waits for the answer, but a broken connection is seen.
            return self.ask_for_leaders(now, out);
        };
        debug_assert_eq!(request.batches.len(), reply.results.len(), "one result for each entry");
        let was_fatal = self.fatal.is_some();
        let mut results = reply.results.iter();
        for (slot, batch) in request.batches {
            match results.next().map_or(Err(BrokerError::RequestTimedOut), |result| result.base_offset) {
                Ok(base_offset) => self.acked(slot, batch, Some(base_offset), out),
                Err(error) => self.failed(now, slot, batch, error, out),
            }
        }
        if self.fatal.is_some() && !was_fatal {
            self.fail_for_good(now, out);
        }
        self.ask_for_leaders(now, out);
        self.settle(now, out);
        self.drive_transaction(now, out);
    }

    /// A node has said who leads a topic's partitions: what waits for them goes there.
    pub fn on_metadata(&mut self, now: SimTime, reply: &MetadataReply, out: &mut ClientOutput) {
        let cfg = self.metadata_config();
        let told = self.metadata.iter_mut().position(|metadata| metadata.on_reply(now, reply, cfg));
        if let Some(place) = told {
            self.grow(place, self.metadata[place].partitions());
            for slot in 0..self.partitions.len() {
                if self.partitions[slot].place == place {
                    self.follow(slot);
                }
            }
            self.settle(now, out);
        }
        self.ask_for_leaders(now, out);
    }

    /// Moves a partition to the connection to its present leader.
    fn follow(&mut self, slot: usize) {
        let partition = &self.partitions[slot];
        let metadata = &self.metadata[partition.place];
        let (link, node, old) = (metadata.link, metadata.leader(partition.partition), partition.lane);
        let lane = self.lane(link, node);
        if lane != old {
            self.partitions[slot].lane = lane;
            if std::mem::take(&mut self.partitions[slot].listed) {
                self.lanes[old].ready.retain(|listed| *listed != slot);
                self.list(slot);
            }
        }
    }

    fn suspect(&mut self, now: SimTime, place: usize, lane: usize) {
        let cfg = self.metadata_config();
        self.metadata[place].suspect(now, self.lanes[lane].node, cfg);
    }

    pub(super) fn ask_for_leaders(&mut self, now: SimTime, out: &mut ClientOutput) {
        let cfg = self.metadata_config();
        for metadata in &mut self.metadata {
            let (tag, next_call) = (u64::from(self.cfg.call_tag) << 48, &mut self.next_call);
            let call = || {
                let call = CallId(tag | *next_call);
                *next_call += 1;
                call
            };
            if let Some(request) = metadata.ask(now, call, cfg) {
                out.sends.push((metadata.link, Message::Metadata(Box::new(request))));
            }
        }
    }

    fn metadata_config(&self) -> MetadataConfig {
        let cfg = &self.cfg;
        MetadataConfig { request_timeout: cfg.request_timeout, retry_backoff: cfg.retry_backoff, retry_backoff_max: cfg.retry_backoff_max }
    }

    /// Sends whatever may leave, on every lane.
    pub(super) fn drain_all(&mut self, now: SimTime, out: &mut ClientOutput) {
        for lane in 0..self.lanes.len() {
            while !self.lanes[lane].ready.is_empty() && self.lanes[lane].in_flight.len() < self.cfg.in_flight_max {
                if !self.send_one(now, lane, out) {
                    break;
                }
            }
        }
    }

    /// Requests that took too long, and batches that waited too long.
    pub(super) fn time_out(&mut self, now: SimTime, out: &mut ClientOutput) {
        for lane in 0..self.lanes.len() {
            while self.lanes[lane].in_flight.front().is_some_and(|request| request.sent + self.cfg.request_timeout <= now) {
                let request = self.lanes[lane].in_flight.pop_front().expect("there is a first one");
                for (slot, batch) in request.batches {
                    self.suspect(now, self.partitions[slot].place, lane);
                    self.failed(now, slot, batch, BrokerError::RequestTimedOut, out);
                }
            }
        }
        if self.unsent_batches > 0 && self.next_expiry <= now {
            self.expire(now, out);
        }
    }

    fn send_one(&mut self, now: SimTime, lane: usize, out: &mut ClientOutput) -> bool {
        let call = CallId(u64::from(self.cfg.call_tag) << 48 | self.next_call);
        let mut entries = Vec::new();
        let mut batches = Vec::new();
        let mut request_bytes = 0;
        let epoch_base = self.transaction.as_ref().map_or(0, |transaction| transaction.epoch_base());
        for _ in 0..self.lanes[lane].ready.len() {
            let Some(slot) = self.lanes[lane].ready.pop_front() else { break };
            if self.partitions[slot].queue.is_empty() && self.is_due(slot, now) {
                self.partitions[slot].seal(now, &mut self.packing);
            }
            let partition = &mut self.partitions[slot];
            partition.renew_epoch();
            let size = partition.queue.front().map_or(0, |batch| u64::from(batch.batch.wire_bytes));
            let fits = entries.is_empty() || request_bytes + size <= self.cfg.request_bytes_max;
            let belongs = self.transaction.as_ref().is_none_or(|transaction| transaction.holds(slot));
            if fits && belongs && partition.can_send(now, self.cfg.idempotence) {
                let mut batch = partition.queue.pop_front().expect("a batch that can be sent is there");
                let seq = batch.seq.unwrap_or(partition.next_seq);
                if batch.seq.is_none() {
                    partition.next_seq += 1;
                    batch.seq = Some(seq);
                }
                batch.attempts += 1;
                let records = u64::from(batch.batch.record_count);
                self.counts.retried += if batch.attempts > 1 { records } else { 0 };
                let at = partition.flying.partition_point(|flying| *flying < seq);
                partition.flying.insert(at, seq);
                self.unsent_batches -= 1;
                request_bytes += size;
                entries.push(ProduceEntry {
                    topic: partition.topic,
                    partition: partition.partition,
                    batch_seq: seq,
                    epoch: self.cfg.idempotence.then_some(epoch_base + partition.epoch),
                    attempt: batch.attempts,
                    batch: batch.batch.clone(),
                });
                batches.push((slot, batch));
            }
            if !self.partitions[slot].queue.is_empty() || self.is_due(slot, now) {
                self.lanes[lane].ready.push_back(slot);
            } else {
                self.partitions[slot].listed = false;
            }
        }
        if entries.is_empty() {
            return false;
        }
        self.next_call += 1;
        for (slot, _) in &batches {
            let place = self.partitions[*slot].place;
            self.metadata[place].refresh(now, self.cfg.metadata_age_max);
        }
        let (node, producer, acks) = (self.lanes[lane].node, self.cfg.producer, self.cfg.acks);
        let request = ProduceRequest { call, node, producer, transaction: self.transaction_stamp(), acks, entries };
        out.sends.push((self.lanes[lane].link, Message::Produce(Box::new(request))));
        if self.cfg.acks == Acks::None {
            for (slot, batch) in batches {
                self.acked(slot, batch, None, out);
            }
        } else {
            self.lanes[lane].in_flight.push_back(InFlight { call, sent: now, batches });
        }
        true
    }

    fn acked(&mut self, slot: usize, batch: SealedBatch, base_offset: Option<u64>, out: &mut ClientOutput) {
        self.landed(slot, &batch);
        self.release(&batch);
        self.counts.acked += u64::from(batch.batch.record_count);
        if self.cfg.report_acks {
            let partition = &self.partitions[slot];
            out.acked.push(AckedBatch { topic: partition.topic, partition: partition.partition, base_offset, batch: batch.batch });
        }
    }

    fn failed(&mut self, now: SimTime, slot: usize, mut batch: SealedBatch, error: BrokerError, out: &mut ClientOutput) {
        self.landed(slot, &batch);
        let (code, words) = error_words(error);
        if error == BrokerError::RecordTooLarge && batch.batch.record_count > 1 {
            self.split(slot, &batch);
        } else if !is_retriable(error) {
            self.fatal = self.fatal.or_else(|| is_fatal(error).then_some(error));
            self.give_up(slot, &batch, Outcome::Rejected, &Reason { code, detail: Some(words.into()) }, out);
        } else if batch.opened + self.cfg.delivery_timeout <= now {
            let detail = format!("{words}; not delivered within delivery.timeout");
            self.give_up(slot, &batch, Outcome::Abandoned, &Reason { code: "delivery-timeout", detail: Some(detail.into()) }, out);
        } else if batch.attempts > self.cfg.retries_max {
            let detail = format!("{words}; {} attempts", batch.attempts);
            self.give_up(slot, &batch, Outcome::Abandoned, &Reason { code, detail: Some(detail.into()) }, out);
        } else {
            batch.not_before = now + backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, batch.attempts);
            self.expect_expiry(batch.opened);
            self.unsent_batches += 1;
            self.partitions[slot].requeue(batch, self.cfg.idempotence);
            self.list(slot);
        }
    }

    /// A batch too large as a whole is sent again in two: by Kafka at `batch.size` and, what was split before, in
    /// halves; here no batch of several records is larger than `batch.size`.
    fn split(&mut self, slot: usize, batch: &SealedBatch) {
        let partition = &mut self.partitions[slot];
        self.packing.too_large(partition.place);
        partition.requeue_halves(batch, self.cfg.idempotence);
        if let Some(seq) = batch.seq.filter(|_| self.cfg.idempotence) {
            partition.end_epoch(seq);
        }
        self.expect_expiry(batch.opened);
        self.unsent_batches += 2;
        self.list(slot);
    }

    fn expect_expiry(&mut self, opened: SimTime) {
        let expiry = opened + self.cfg.delivery_timeout;
        self.next_expiry = if self.unsent_batches == 0 { expiry } else { self.next_expiry.min(expiry) };
    }

    /// Gives up what has waited for longer than `delivery.timeout`, and finds the next such instant.
    fn expire(&mut self, now: SimTime, out: &mut ClientOutput) {
        let mut next = SimTime::MAX;
        for slot in 0..self.partitions.len() {
            if self.partitions[slot].open.as_ref().is_some_and(|open| open.opened + self.cfg.delivery_timeout <= now) {
                self.partitions[slot].seal(now, &mut self.packing);
            }
            let mut at = 0;
            while at < self.partitions[slot].queue.len() {
                let expiry = self.partitions[slot].queue[at].opened + self.cfg.delivery_timeout;
                if expiry <= now {
                    let batch = self.partitions[slot].queue.remove(at).expect("within the queue");
                    self.unsent_batches -= 1;
                    let reason = Reason { code: "delivery-timeout", detail: Some("not sent within delivery.timeout".into()) };
                    self.give_up(slot, &batch, Outcome::Abandoned, &reason, out);
                } else {
                    next = next.min(expiry);
                    at += 1;
                }
            }
            if let Some(open) = &self.partitions[slot].open {
                next = next.min(open.opened + self.cfg.delivery_timeout);
            }
        }
        self.next_expiry = next;
    }

    fn give_up(&mut self, slot: usize, batch: &SealedBatch, outcome: Outcome, reason: &Reason, out: &mut ClientOutput) {
        self.release(batch);
        if let Some(transaction) = &mut self.transaction {
            transaction.spoil(reason.code == FENCED_CODE);
        }
        // Invariant: a number that the broker may not have seen is never followed within its epoch.
        if let Some(seq) = batch.seq.filter(|_| self.cfg.idempotence) {
            self.partitions[slot].end_epoch(seq);
        }
        let count = u64::from(batch.batch.record_count);
        match outcome {
            Outcome::Rejected => self.counts.rejected += count,
            _ => self.counts.abandoned += count,
        }
        out.unsent.extend(events(&batch.batch).into_iter().map(|event| Unsent { event, outcome, reason: reason.clone() }));
    }

    fn landed(&mut self, slot: usize, batch: &SealedBatch) {
        let partition = &mut self.partitions[slot];
        partition.flying.retain(|flying| Some(*flying) != batch.seq);
        if !partition.queue.is_empty() {
            self.list(slot);
        }
    }

    fn release(&mut self, batch: &SealedBatch) {
        self.reserved_bytes -= batch.reserved_bytes;
        self.counts.buffered -= u64::from(batch.batch.record_count);
    }
}

fn is_retriable(error: BrokerError) -> bool {
    match error {
        BrokerError::UnknownTopicOrPartition
        | BrokerError::CorruptMessage
        | BrokerError::NotEnoughReplicas
        | BrokerError::NotEnoughReplicasAfterAppend
        | BrokerError::NotLeaderOrFollower
        | BrokerError::RequestTimedOut
        | BrokerError::BrokerNotAvailable
        | BrokerError::OutOfOrderSequence
        | BrokerError::StorageError => true,
        BrokerError::RecordTooLarge
        | BrokerError::InvalidRecord
        | BrokerError::InvalidTimestamp
        | BrokerError::ProducerFenced
        | BrokerError::InvalidProducerEpoch
        | BrokerError::InvalidProducerIdMapping
        | BrokerError::InvalidTxnState
        | BrokerError::ConcurrentTransactions
        | BrokerError::UnstableOffsetCommit
        | BrokerError::OffsetOutOfRange
        | BrokerError::MemberIdRequired
        | BrokerError::UnknownMemberId
        | BrokerError::FencedInstanceId
        | BrokerError::NonEmptyGroup
        | BrokerError::IllegalGeneration
        | BrokerError::FencedMemberEpoch
        | BrokerError::StaleMemberEpoch
        | BrokerError::UnreleasedInstanceId
        | BrokerError::GroupIdNotFound
        | BrokerError::UnsupportedAssignor
        | BrokerError::InconsistentGroupProtocol
        | BrokerError::RebalanceInProgress
        | BrokerError::TopicAuthorizationFailed
        | BrokerError::GroupAuthorizationFailed
        | BrokerError::TransactionalIdAuthorizationFailed
        | BrokerError::ClusterAuthorizationFailed => false,
    }
}

/// Whether a producer that met it can do nothing more (`TransactionManager.transitionToFatalError`).
pub(super) fn is_fatal(error: BrokerError) -> bool {
    matches!(error, BrokerError::ClusterAuthorizationFailed | BrokerError::TransactionalIdAuthorizationFailed)
}

/// Why an event ended that met this error.
pub(super) fn reason_of(error: BrokerError) -> Reason {
    let (code, words) = error_words(error);
    Reason { code, detail: Some(words.into()) }
}

/// A stable code and words for a person.
fn error_words(error: BrokerError) -> (&'static str, &'static str) {
    match error {
        BrokerError::UnknownTopicOrPartition => ("unknown-topic", "the broker knows no such topic or partition"),
        BrokerError::RecordTooLarge => ("record-too-large", "the batch is larger than the broker's message.max.bytes"),
        BrokerError::InvalidRecord => ("invalid-record", "a compacted topic takes no record without a key"),
        BrokerError::InvalidTimestamp => {
            ("invalid-timestamp", "its timestamp is further from the broker's clock than message.timestamp.before.max or after.max allow")
        }
        BrokerError::CorruptMessage => ("corrupt", "the batch's checksum is wrong"),
        BrokerError::NotEnoughReplicas => ("not-enough-replicas", "fewer replicas in sync than min.insync.replicas"),
        BrokerError::NotEnoughReplicasAfterAppend => {
            ("not-enough-replicas-after-append", "written, but then fewer replicas were in sync than min.insync.replicas")
        }
        BrokerError::NotLeaderOrFollower => ("not-leader", "the broker does not lead the partition"),
        BrokerError::RequestTimedOut => ("timeout", "no answer within request.timeout"),
        BrokerError::BrokerNotAvailable => ("broker-down", "the connection to the broker was refused or broke"),
        BrokerError::OutOfOrderSequence => ("out-of-order", "a batch before this one is missing"),
        BrokerError::StorageError => ("storage-full", "the broker's disks are full"),
        BrokerError::ProducerFenced | BrokerError::InvalidProducerEpoch => (FENCED_CODE, FENCED),
        BrokerError::InvalidTxnState => ("transaction-over", "its transaction is over"),
        BrokerError::TopicAuthorizationFailed => ("topic-authorization", "no ACL lets its principal write to the topic"),
        BrokerError::GroupAuthorizationFailed => ("group-authorization", "no ACL lets its principal use the group"),
        BrokerError::TransactionalIdAuthorizationFailed => {
            ("transactional-id-authorization", "no ACL lets its principal use the transactional id")
        }
        BrokerError::ClusterAuthorizationFailed => {
            ("cluster-authorization", "its principal may write to no topic, and so not idempotently either")
        }
        _ => ("broker", "the broker refused"),
    }
}
