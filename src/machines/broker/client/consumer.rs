//! One member of a consumer group: its settings, its fetches, its commits.
//!
//! Joining and leaving a group is in `membership.rs`. The caller owns the buffer of records and the workers; it
//! says whether there is room ([`ConsumerClient::fetch`]), which records a poll handed out, which are done.
//! One long poll is in flight per lane, which is a leader of its partitions; the next goes out as soon as the last
//! is answered and there is room.

use std::sync::Arc;

use super::backoff;
use super::heartbeats::Beats;
use super::isolation::aborted_batches;
use super::membership::Phase;
use super::metadata::{TopicMetadata, hints_at_a_new_leader};
use super::progress::Progress;
use crate::event::{
    Assignor, BrokerError, CallId, FetchPartition, FetchReply, FetchRequest, GroupCall, GroupRequest, Isolation, Message, OffsetCommit,
    RemoteAssignor, StoredBatch,
};
use crate::machines::broker::cluster::Leaders;
use crate::units::{GroupIx, SimDuration, SimTime, TopicIx};

/// When positions are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitMode {
    /// After each poll's records are processed: at least once.
    After,
    /// Before they are processed: at most once.
    Before,
    /// `enable.auto.commit`: every interval, what is processed by then.
    Auto,
    /// With the transaction that carries the results: exactly once.
    Transaction,
}

/// `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    /// From the first record kept.
    Earliest,
    /// From what comes next.
    Latest,
}

/// `group.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// Members deal partitions out among themselves, in rounds.
    Classic,
    /// The coordinator does (KIP-848).
    Consumer {
        /// `group.remote.assignor`; the coordinator's choice when none.
        assignor: Option<RemoteAssignor>,
    },
}

/// A topic that a member reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTopic {
    /// Which.
    pub topic: TopicIx,
    /// Who leads its partitions.
    pub leaders: Leaders,
    /// The caller's link to it.
    pub link: u16,
}

/// A member's settings; Kafka's names in the comments.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// `client.id`.
    pub client_id: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// `group.id`.
    pub group: GroupIx,
    /// What it reads.
    pub topics: Vec<ReadTopic>,
    /// It reads every partition without a group (`assign`), and commits nothing.
    pub standalone: bool,
    /// How it is a member. Assignors, session and heartbeats below are the classic protocol's.
    pub protocol: GroupProtocol,
    /// `partition.assignment.strategy`.
    pub assignors: Arc<[Assignor]>,
    /// Every topic of the cluster with its partition count, by name, for a leader's assignment; what a member reads
    /// itself it learns anew with its metadata.
    pub cluster_topics: Arc<[(TopicIx, u32)]>,
    /// `session.timeout.ms`.
    pub session_timeout: SimDuration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: SimDuration,
    /// `max.poll.interval.ms`: how long a rebalance waits for this member, and how long it may go without a poll.
    pub rebalance_timeout: SimDuration,
    /// `request.timeout.ms`.
    pub request_timeout: SimDuration,
    /// `retry.backoff.ms`.
    pub retry_backoff: SimDuration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: SimDuration,
    /// `metadata.max.age.ms`; as long it reads from a replica that is nearer than the leader.
    pub metadata_age_max: SimDuration,
    /// `client.rack`.
    pub rack: Option<Arc<str>>,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: u64,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: SimDuration,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: u64,
    /// `max.partition.fetch.bytes`.
    pub partition_fetch_bytes: u64,
    /// `auto.offset.reset`.
    pub reset: OffsetReset,
    /// When positions are committed.
    pub commit: CommitMode,
    /// `isolation.level`.
    pub isolation: Isolation,
    /// How long it rests after a refusal by an ACL (Spring's `authExceptionRetryInterval`); its backoff when none.
    pub refusal_retry: Option<SimDuration>,
    /// Put into the high bytes of every call id, so that several members of one component do not mix.
    pub call_tag: u16,
}

/// Records that a fetch brought for one partition.
#[derive(Clone, Debug)]
pub struct FetchedRecords {
    /// Which assignment of the partition they belong to; work on an older one must not be committed.
    pub epoch: u32,
    /// The partition's place in the assignment when they came.
    pub slot: usize,
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Records below this offset were seen before: the first batch may begin earlier.
    pub from: u64,
    /// Whole batches.
    pub batches: Vec<StoredBatch>,
    /// First offsets of those among them that were aborted, and so are to be passed over.
    pub aborted: Vec<u64>,
}

/// What one call to the client wants done; the caller empties it.
#[derive(Clone, Debug, Default)]
pub struct ConsumerOutput {
    /// To be sent over these links.
    pub sends: Vec<(u16, Message)>,
    /// To be put into the buffer.
    pub records: Vec<FetchedRecords>,
    /// Partitions at which the group began at `latest`: (topic, partition, offset).
    pub starts: Vec<(TopicIx, u32, u64)>,
    /// Partitions go: of those that are not held any more, drop what no poll has handed out, finish the rest,
    /// then call `drained`.
    pub revoked: bool,
    /// How a commit ended. One that is forgotten with its generation ends without a word: it may have been taken.
    pub committed: Option<Result<(), BrokerError>>,
    /// An ACL refuses what the member does: its poll, or its commit, ends with an exception.
    pub refused: Option<BrokerError>,
    /// How a reset of the group's positions ended.
    pub reset: Option<Result<(), BrokerError>>,
    /// What stood there before it began late, or begins anew: (topic, partition, offset).
    pub rereads: Vec<(TopicIx, u32, u64)>,
    /// Where the group goes on in new partitions: (topic, partition, offset).
    pub positions: Vec<(TopicIx, u32, u64)>,
}

/// A partition that a member reads, or is about to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldPartition {
    /// Topic.
    pub topic: TopicIx,
    /// Partition.
    pub partition: u32,
    /// Whether it knows where to read.
    pub is_located: bool,
}

/// A call under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub call: CallId,
    pub deadline: SimTime,
}

/// The fetches from one node, over one link.
#[derive(Clone, Copy, Debug)]
pub(super) struct FetchLane {
    pub link: u16,
    pub node: u32,
    pub pending: Option<Pending>,
    pub not_before: SimTime,
    pub failures: u32,
}

impl FetchLane {
    pub fn new(link: u16, node: u32) -> Self {
        Self { link, node, pending: None, not_before: SimTime::ZERO, failures: 0 }
    }
    /// Whether a fetch may set out now.
    fn is_free(&self, now: SimTime) -> bool {
        self.pending.is_none() && self.not_before <= now
    }
}

/// One member of a group.
#[derive(Clone, Debug)]
pub struct ConsumerClient {
    pub(super) cfg: ConsumerConfig,
    pub(super) phase: Phase,
    /// Empty until the coordinator has given one.
    pub(super) member: Arc<str>,
    /// Its generation; under the consumer protocol its member epoch.
    pub(super) generation: u32,
    /// Of the consumer protocol.
    pub(super) beats: Beats,
    /// Grows with every partition that is given or taken.
    pub(super) epoch: u32,
    pub(super) assigned: Vec<Progress>,
    /// What the eager sticky assignor should let it keep: its last assignment, with the generation of that.
    pub(super) kept: Option<(u32, Arc<[(TopicIx, u32)]>)>,
    /// The partition counts that its assignment of the group went by, while it leads the group (`assignmentSnapshot`).
    pub(super) dealt: Option<Arc<[(TopicIx, u32)]>>,
    pub(super) main_call: Option<Pending>,
    pub(super) heartbeat_call: Option<Pending>,
    pub(super) commit_call: Option<Pending>,
    pub(super) commit_again: bool,
    /// After a commit that failed the next one waits until then.
    pub(super) commit_not_before: SimTime,
    pub(super) commit_failures: u32,
    /// An operator's call, made without being a member.
    pub(super) reset_call: Option<Pending>,
    pub(super) heartbeat_at: SimTime,
    pub(super) heard_at: SimTime,
    pub(super) lanes: Vec<FetchLane>,
    /// Who leads, by topic.
    pub(super) metadata: Vec<TopicMetadata>,
    pub(super) failures: u32,
    pub(super) next_call: u64,
    pub(super) rebalances: u64,
    pub(super) fetches: u64,
    /// Its group begins while the run goes on already.
    pub(super) late: bool,
}

impl ConsumerConfig {
    /// Partitions of all that it reads, as they are when it begins.
    #[must_use]
    pub fn partitions_count(&self) -> u32 {
        let is_read = |topic: TopicIx| self.topics.iter().any(|read| read.topic == topic);
        self.cluster_topics.iter().filter(|(topic, _)| is_read(*topic)).map(|(_, partitions)| *partitions).sum()
    }
}

impl ConsumerClient {
    /// A member that has not joined.
    #[must_use]
    pub fn new(cfg: ConsumerConfig) -> Self {
        Self {
            metadata: cfg.topics.iter().map(|read| TopicMetadata::new(read.topic, read.link, read.leaders)).collect(),
            cfg,
            phase: Phase::Stopped,
            member: Arc::from(""),
            generation: 0,
            beats: Beats::default(),
            epoch: 0,
            assigned: Vec::new(),
            kept: None,
            dealt: None,
            main_call: None,
            heartbeat_call: None,
            commit_call: None,
            commit_again: false,
            commit_not_before: SimTime::ZERO,
            commit_failures: 0,
            reset_call: None,
            heartbeat_at: SimTime::MAX,
            heard_at: SimTime::ZERO,
            lanes: Vec::new(),
            failures: 0,
            next_call: 0,
            rebalances: 0,
            fetches: 0,
            late: false,
        }
    }

    /// How many partitions it has.
    #[must_use]
    pub fn assigned_count(&self) -> usize {
        self.assigned.len()
    }
    /// What it reads, without what it is giving back.
    pub fn held(&self) -> impl Iterator<Item = HeldPartition> {
        let held = self.assigned.iter().filter(|progress| !progress.revoked);
        held.map(|one| HeldPartition { topic: one.topic, partition: one.partition, is_located: one.fetch_from.is_some() })
    }
    /// Records that stand in its partitions and are not done, as far as its fetches have told (`records-lag`).
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.assigned.iter().filter(|progress| !progress.revoked).map(Progress::lag).sum()
    }
    /// What it wants to read.
    #[must_use]
    pub fn topics(&self) -> &[ReadTopic] {
        &self.cfg.topics
    }
    /// How often it was given an assignment.
    #[must_use]
    pub fn rebalances_count(&self) -> u64 {
        self.rebalances
    }
    /// Fetches answered.
    #[must_use]
    pub fn fetches_count(&self) -> u64 {
        self.fetches
    }
    /// Whether it takes no part.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }
    /// Whether a commit is under way, or put off until a rebalance is over.
    #[must_use]
    pub fn is_committing(&self) -> bool {
        self.commit_call.is_some() || self.commit_again
    }
    /// Whether nothing was given or taken since.
    #[must_use]
    pub fn is_current(&self, epoch: u32) -> bool {
        self.epoch == epoch
    }
    /// Whether records of this assignment may still be begun.
    #[must_use]
    pub fn holds(&self, epoch: u32, slot: usize) -> bool {
        self.assigned_as(epoch, slot).is_some_and(|at| !self.assigned[at].revoked)
    }
    /// Whether a rebalance waits for work on records of this assignment.
    #[must_use]
    pub fn gives_back(&self, epoch: u32, slot: usize) -> bool {
        self.assigned_as(epoch, slot).is_some_and(|at| self.assigned[at].revoked)
    }
    /// Whether it reads on while its group rebalances: Kafka's consumer does so when every assignor that it
    /// understands is cooperative, and always under the consumer protocol.
    #[must_use]
    pub(super) fn cooperates(&self) -> bool {
        self.is_modern() || self.cfg.assignors.iter().all(|assignor| assignor.is_cooperative())
    }

    /// Whether [`Self::fetch`] may have something to do.
    #[inline]
    #[must_use]
    pub fn is_due_to_fetch(&self, now: SimTime) -> bool {
        let age_max = self.cfg.metadata_age_max;
        self.lanes.iter().any(|lane| lane.is_free(now)) || self.metadata.iter().any(|metadata| metadata.is_old(now, age_max))
    }

    /// Sends a long poll on every lane that has none; call it when there is room for records.
    pub fn fetch(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if !matches!(self.phase, Phase::Stable) && !self.cooperates() {
            return;
        }
        self.refresh_leaders(now, out);
        for lane in 0..self.lanes.len() {
            if !self.lanes[lane].is_free(now) {
                continue;
            }
            let mut pending = None;
            let mut partitions = Vec::new();
            for slot in 0..self.assigned.len() {
                let progress = &self.assigned[slot];
                let wanted = progress.lane == lane && !progress.revoked && progress.not_before <= now;
                let Some(offset) = self.assigned[slot].fetch_from.filter(|_| wanted) else { continue };
                let timeout = self.cfg.request_timeout.plus(self.cfg.fetch_max_wait);
                let Pending { call, .. } = *pending.get_or_insert_with(|| self.pending(now, timeout));
                let progress = &mut self.assigned[slot];
                progress.fetched_by = Some(call);
                let (topic, partition) = (progress.topic, progress.partition);
                partitions.push(FetchPartition { topic, partition, offset, max_bytes: self.cfg.partition_fetch_bytes });
            }
            let Some(pending) = pending else { continue };
            self.lanes[lane].pending = Some(pending);
            let request = FetchRequest {
                call: pending.call,
                node: self.lanes[lane].node,
                rack: self.cfg.rack.clone(),
                max_wait: self.cfg.fetch_max_wait,
                min_bytes: self.cfg.fetch_min_bytes,
                max_bytes: self.cfg.fetch_max_bytes,
                isolation: self.cfg.isolation,
                partitions,
            };
            out.sends.push((self.lanes[lane].link, Message::Fetch(Box::new(request))));
        }
    }

    /// A fetch was answered; answers of an older assignment are ignored.
    pub fn on_fetch_reply(&mut self, now: SimTime, reply: FetchReply, out: &mut ConsumerOutput) {
        let Some(lane) = self.lanes.iter().position(|lane| lane.pending.is_some_and(|pending| pending.call == reply.call)) else {
            return;
        };
        self.lanes[lane].pending = None;
        self.fetches += 1;
        let mut failed = false;
        for fetched in reply.partitions {
            let Some(slot) = self.slot_of(fetched.topic, fetched.partition) else { continue };
            // It may have gone and come back since, to another position.
            if self.assigned[slot].fetched_by != Some(reply.call) || self.assigned[slot].revoked {
                continue;
            }
            match fetched.error {
                None => {}
                Some(BrokerError::OffsetOutOfRange) => {
                    self.assigned[slot].fetch_from = None;
                    continue;
                }
                Some(error) if error.is_refusal() => {
                    self.assigned[slot].not_before = now + self.refusal_rest();
                    out.refused = Some(error);
                    continue;
                }
                Some(error) => {
                    failed = true;
                    if hints_at_a_new_leader(error) {
                        self.suspect(now, lane);
                    }
                    continue;
                }
            }
            if let Some(node) = fetched.preferred_replica {
                self.assigned[slot].lane = self.lane_to(self.lanes[lane].link, node);
                continue;
            }
            let Some(from) = self.assigned[slot].fetch_from else { continue };
            self.assigned[slot].end_seen = fetched.high_watermark;
            if fetched.batches.last().is_none_or(|last| last.next_offset() <= from) {
                continue;
            }
            self.assigned[slot].received(from, &fetched.batches);
            let (topic, partition) = (fetched.topic, fetched.partition);
            let aborted = aborted_batches(&fetched.batches, &fetched.aborted);
            let (epoch, batches) = (self.assigned[slot].epoch, fetched.batches);
            out.records.push(FetchedRecords { epoch, slot, topic, partition, from, batches, aborted });
        }
        let lane = &mut self.lanes[lane];
        lane.failures = if failed { lane.failures + 1 } else { 0 };
        if failed {
            lane.not_before = now + backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, lane.failures);
        }
        self.ask_for_leaders(now, out);
        if self.assigned.iter().any(|progress| progress.fetch_from.is_none()) && matches!(self.phase, Phase::Stable) {
            self.list_offsets(now, out);
        }
    }

    /// What has come of this assignment from an offset on cannot be read: it is asked for again later.
    pub fn read_again(&mut self, epoch: u32, slot: usize, offset: u64, not_before: SimTime) {
        if let Some(at) = self.assigned_as(epoch, slot) {
            self.assigned[at].read_again(offset, not_before);
        }
    }

    /// A poll has handed this record out.
    pub fn polled(&mut self, epoch: u32, slot: usize, offset: u64) {
        if let Some(at) = self.assigned_as(epoch, slot) {
            self.assigned[at].polled(offset);
        }
    }

    /// This record needs no more work.
    #[inline]
    pub fn done(&mut self, epoch: u32, slot: usize, offset: u64) {
        if let Some(at) = self.assigned_as(epoch, slot) {
            self.assigned[at].done(offset);
        }
    }

    /// Where an assignment of a partition stands now: mostly where it stood when its records came.
    #[inline]
    fn assigned_as(&self, epoch: u32, slot: usize) -> Option<usize> {
        match self.assigned.get(slot) {
            Some(progress) if progress.epoch == epoch => Some(slot),
            _ => self.assigned.iter().position(|progress| progress.epoch == epoch),
        }
    }

    /// Whether it holds partitions whose positions cannot be committed yet, because it joins again.
    #[must_use]
    pub fn must_wait_to_commit(&self) -> bool {
        let goes = self.cfg.commit == CommitMode::Transaction && matches!(self.phase, Phase::Draining { .. } | Phase::Committing { .. });
        !self.assigned.is_empty() && (goes || !self.may_commit())
    }

    /// Whether the coordinator would take a commit: not while this member has asked to join and has no answer.
    fn may_commit(&self) -> bool {
        matches!(self.phase, Phase::Stable | Phase::Locating | Phase::Listing | Phase::Draining { .. } | Phase::Committing { .. })
    }

    /// Commits what the mode allows, if it has changed; one commit is under way at a time. Returns whether
    /// one is under way now.
    pub fn commit(&mut self, now: SimTime, out: &mut ConsumerOutput) -> bool {
        if self.commit_call.is_some() {
            self.commit_again = true;
            return true;
        }
        // Work that waits for its commit decides itself when to try again.
        let rests = self.cfg.commit == CommitMode::After && self.commit_not_before > now;
        if self.cfg.standalone || self.cfg.commit == CommitMode::Transaction || rests || !self.may_commit() {
            return false;
        }
        let before = self.cfg.commit == CommitMode::Before;
        let mut offsets = Vec::new();
        for progress in &mut self.assigned {
            let position = if before { progress.polled_to() } else { progress.done_to() };
            if position.is_some() && position != progress.committed {
                progress.committed = position;
                let (topic, partition) = (progress.topic, progress.partition);
                offsets.push(OffsetCommit { topic, partition, offset: position.unwrap_or_default() });
            }
        }
        if offsets.is_empty() {
            return false;
        }
        let pending = self.pending(now, self.cfg.request_timeout);
        self.commit_call = Some(pending);
        let body = GroupCall::Commit { generation: self.generation, offsets };
        self.send_group(pending.call, body, out);
        true
    }

    pub(super) fn pending(&mut self, now: SimTime, timeout: SimDuration) -> Pending {
        self.next_call += 1;
        Pending { call: CallId(u64::from(self.cfg.call_tag) << 48 | self.next_call), deadline: now + timeout }
    }

    pub(super) fn send_group(&self, call: CallId, body: GroupCall, out: &mut ConsumerOutput) {
        let link = self.cfg.topics.first().map_or(0, |read| read.link);
        let request = GroupRequest { call, group: self.cfg.group, member: Arc::clone(&self.member), body };
        out.sends.push((link, Message::Group(Box::new(request))));
    }

    pub(super) fn slot_of(&self, topic: TopicIx, partition: u32) -> Option<usize> {
        self.assigned.iter().position(|progress| progress.topic == topic && progress.partition == partition)
    }
}
