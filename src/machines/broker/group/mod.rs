//! One consumer group: its positions, and the coordinator of whichever protocol its members speak.
//!
//! ```text
//!            ┌ classic/   JoinGroup, SyncGroup, Heartbeat, LeaveGroup: the leader deals out, all wait for all
//! call ─► Group
//!            └ consumer/  ConsumerGroupHeartbeat (KIP-848): the coordinator deals out, each member follows alone
//! ```
//!
//! A group is of one protocol while it has members; an empty one becomes what the first to come speaks, and keeps its
//! positions. Kafka can also turn a group over while it has members (`group.consumer.migration.policy`): that is not
//! modelled, and the other protocol's members are refused as under the policy `disabled`. Kafka lets a classic member into
//! a group of the consumer protocol in any case; here it is refused too.
//! Must not know: links, logs. Start at [`Group::handle`].

mod classic;
mod consumer;
mod offsets;

use std::sync::Arc;

use self::classic::ClassicGroup;
use self::consumer::ConsumerGroup;
use self::offsets::Offsets;
use crate::event::{BrokerError, CallId, GroupCall, GroupReply, GroupResult, MemberEpoch, OffsetCommit, RemoteAssignor};
use crate::units::{SimDuration, SimTime, TopicIx};

/// Members of one group; further ones are refused.
const MEMBERS_MAX: usize = 10_000;

/// Where an answer goes.
pub type ReplyTo<C> = (C, CallId);
/// Answers of one turn.
pub type Answers<C> = Vec<(C, GroupReply)>;
/// Topics in the order of their names, with how many partitions they have.
pub type TopicSizes = Arc<[(TopicIx, u32)]>;

/// What brokers decide of groups; Kafka's names in the comments.
#[derive(Clone, Debug)]
pub struct GroupConfig {
    /// `group.initial.rebalance.delay.ms`; of classic groups.
    pub initial_rebalance_delay: SimDuration,
    /// `group.consumer.heartbeat.interval.ms`.
    pub heartbeat_interval: SimDuration,
    /// `group.consumer.session.timeout.ms`.
    pub session_timeout: SimDuration,
    /// `group.consumer.assignors`, the default first.
    pub assignors: Arc<[RemoteAssignor]>,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            initial_rebalance_delay: SimDuration::from_secs(3),
            heartbeat_interval: SimDuration::from_secs(5),
            session_timeout: SimDuration::from_secs(45),
            assignors: Arc::from(RemoteAssignor::ALL),
        }
    }
}

/// A group; `C` is whatever finds a caller again.
#[derive(Clone, Debug)]
pub struct Group<C> {
    cfg: GroupConfig,
    topics: TopicSizes,
    coordinator: Coordinator<C>,
    offsets: Offsets,
    /// Of protocols that the group has spoken before.
    rebalances_before: u64,
}

#[derive(Clone, Debug)]
enum Coordinator<C> {
    Classic(ClassicGroup<C>),
    Consumer(ConsumerGroup),
}

impl<C: Copy> Group<C> {
    /// An empty group over these topics.
    #[must_use]
    pub fn new(cfg: GroupConfig, topics: TopicSizes) -> Self {
        let coordinator = Coordinator::Classic(ClassicGroup::new(cfg.initial_rebalance_delay));
        Self { cfg, topics, coordinator, offsets: Offsets::default(), rebalances_before: 0 }
    }
    /// Committed position of a partition.
    #[must_use]
    pub fn committed(&self, topic: TopicIx, partition: u32) -> Option<u64> {
        self.offsets.committed(topic, partition)
    }
    /// Generations, or target assignments, that began.
    #[must_use]
    pub fn rebalances(&self) -> u64 {
        let now = match &self.coordinator {
            Coordinator::Classic(group) => group.rebalances(),
            Coordinator::Consumer(group) => group.rebalances(),
        };
        self.rebalances_before + now
    }
    /// Members now.
    #[must_use]
    pub fn member_count(&self) -> usize {
        match &self.coordinator {
            Coordinator::Classic(group) => group.member_count(),
            Coordinator::Consumer(group) => group.member_count(),
        }
    }

    /// Takes a call; what asks for logs is the cluster's and never comes here.
    pub fn handle(&mut self, now: SimTime, to: ReplyTo<C>, member: &Arc<str>, call: GroupCall, out: &mut Answers<C>) {
        match call {
            GroupCall::MemberHeartbeat(beat) => {
                let result = self.consumer_group(beat.epoch).and_then(|(group, topics)| group.heartbeat(now, member, &beat, topics));
                answer(out, to, result);
            }
            GroupCall::FetchOffsets { partitions, epoch } => {
                let result = self.may_ask(member, epoch).and_then(|()| self.offsets.fetch(partitions));
                answer(out, to, result.map(GroupResult::Offsets));
            }
            GroupCall::Commit { generation, offsets } => {
                let result = self.may_commit(now, member, generation);
                if result.is_ok() {
                    self.offsets.commit(&offsets);
                }
                answer(out, to, result.map(|()| GroupResult::Done));
            }
            GroupCall::ListOffsets { .. } | GroupCall::ResetOffsets { .. } => answer(out, to, Err(BrokerError::UnknownTopicOrPartition)),
            call => match self.classic_group(matches!(call, GroupCall::Join { .. })) {
                Ok(group) => group.handle(now, to, member, call, out),
                Err(error) => answer(out, to, Err(error)),
            },
        }
    }

    /// The coordinator of the consumer protocol, if a member with this epoch may turn to it.
    fn consumer_group(&mut self, epoch: MemberEpoch) -> Result<(&mut ConsumerGroup, &TopicSizes), BrokerError> {
        if let Coordinator::Classic(group) = &self.coordinator
            && group.member_count() == 0
            && epoch == MemberEpoch::Joining
        {
            self.rebalances_before += group.rebalances();
            self.coordinator = Coordinator::Consumer(ConsumerGroup::new(&self.cfg));
        }
        match &mut self.coordinator {
            Coordinator::Consumer(group) => Ok((group, &self.topics)),
            Coordinator::Classic(_) => Err(BrokerError::GroupIdNotFound),
        }
    }

    /// The coordinator of the classic protocol, if a member may turn to it.
    fn classic_group(&mut self, joins: bool) -> Result<&mut ClassicGroup<C>, BrokerError> {
        if let Coordinator::Consumer(group) = &self.coordinator
            && group.member_count() == 0
            && joins
        {
            self.rebalances_before += group.rebalances();
            self.coordinator = Coordinator::Classic(ClassicGroup::new(self.cfg.initial_rebalance_delay));
        }
        match &mut self.coordinator {
            Coordinator::Classic(group) => Ok(group),
            Coordinator::Consumer(_) if joins => Err(BrokerError::InconsistentGroupProtocol),
            Coordinator::Consumer(_) => Err(BrokerError::UnknownMemberId),
        }
    }

    /// Positions are told to anybody, but to a member that names its epoch only if that is right.
    fn may_ask(&self, member: &Arc<str>, epoch: Option<u32>) -> Result<(), BrokerError> {
        match (&self.coordinator, epoch) {
            (Coordinator::Consumer(group), Some(epoch)) => group.check_epoch(member, epoch),
            _ => Ok(()),
        }
    }

    fn may_commit(&mut self, now: SimTime, member: &Arc<str>, generation: u32) -> Result<(), BrokerError> {
        match &mut self.coordinator {
            Coordinator::Classic(group) => group.may_commit(now, member, generation),
            Coordinator::Consumer(group) => group.check_epoch(member, generation),
        }
    }

    /// Takes positions that count once a producer's transaction is committed.
    pub(super) fn commit_in_transaction(
        &mut self,
        now: SimTime,
        member: &Arc<str>,
        generation: u32,
        producer: u64,
        offsets: &[OffsetCommit],
    ) -> Result<(), BrokerError> {
        // Producers know no member epochs (`OffsetMetadataManager.validateTransactionalOffsetCommit`).
        let in_their_words = |error| if error == BrokerError::StaleMemberEpoch { BrokerError::IllegalGeneration } else { error };
        self.may_commit(now, member, generation).map_err(in_their_words)?;
        self.offsets.commit_in_transaction(producer, offsets);
        Ok(())
    }

    /// A producer's transaction has ended.
    pub(super) fn end_transaction(&mut self, producer: u64, commit: bool) {
        self.offsets.end_transaction(producer, commit);
    }

    /// Sets committed positions from outside the protocol (an operator's reset).
    pub fn reset(&mut self, offsets: &[OffsetCommit]) {
        self.offsets.commit(offsets);
    }

    /// Topics have changed: a group of the consumer protocol looks with the next heartbeat whether that concerns it.
    pub fn update_topics(&mut self, topics: TopicSizes) {
        self.topics = topics;
        if let Coordinator::Consumer(group) = &mut self.coordinator {
            group.look_at_topics();
        }
    }

    /// The coordinator's connections break: calls that wait are answered so, and must be made again.
    pub fn disconnect(&mut self, out: &mut Answers<C>) {
        if let Coordinator::Classic(group) = &mut self.coordinator {
            group.disconnect(out);
        }
    }

    /// Another node has taken the group over from its log: every session begins anew.
    pub fn renew_sessions(&mut self, now: SimTime) {
        match &mut self.coordinator {
            Coordinator::Classic(group) => group.renew_sessions(now),
            Coordinator::Consumer(group) => group.renew_sessions(now),
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<SimTime> {
        match &self.coordinator {
            Coordinator::Classic(group) => group.next_deadline(),
            Coordinator::Consumer(group) => group.next_deadline(),
        }
    }

    /// Ends sessions and phases whose time is up.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Answers<C>) {
        match &mut self.coordinator {
            Coordinator::Classic(group) => group.on_deadline(now, out),
            Coordinator::Consumer(group) => group.on_deadline(now),
        }
    }

    /// Lets an empty group of the consumer protocol do what it must not: to show that tests see it.
    #[cfg(test)]
    pub(super) fn hand_over_at_once(&mut self) {
        let mut group = ConsumerGroup::new(&self.cfg);
        group.hands_over_at_once = true;
        self.coordinator = Coordinator::Consumer(group);
    }

    /// Who may hold each partition, as the coordinator of the consumer protocol knows it.
    #[cfg(test)]
    pub(super) fn holders(&self) -> Vec<(Arc<str>, (TopicIx, u32))> {
        match &self.coordinator {
            Coordinator::Classic(_) => Vec::new(),
            Coordinator::Consumer(group) => group.holders(),
        }
    }
}

fn answer<C>(out: &mut Answers<C>, (caller, call): ReplyTo<C>, result: Result<GroupResult, BrokerError>) {
    out.push((caller, GroupReply { call, result }));
}
