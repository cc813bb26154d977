//! The coordinator of a group of the consumer protocol (KIP-848).
//!
//! ```text
//! members, topics change ─► group epoch + 1 ─► target assignment of that epoch ─► each member by itself:
//!                                                 let go of what is not in its target, take what others have let go of
//! ```
//!
//! Nobody waits for anybody: every heartbeat is answered at once, with what the member may hold now. A partition goes
//! to its new owner once the old one has said that it does not hold it any more, has left, or was thrown out.
//!
//! In: heartbeats with the instant, deadlines, the news that topics have changed. Out: the answer to each heartbeat; whether
//! a member may commit. Source: `GroupMetadataManager.consumerGroupHeartbeat` and `ConsumerGroup` of Kafka 4.0. As KIP-848
//! says, and Kafka since KAFKA-19233, a member that was fenced may rejoin under its id before its session ends.
//! Must not know: positions, links. Start at [`ConsumerGroup::heartbeat`]; one member's way is in `member.rs`.

mod member;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::member::Member;
use super::{GroupConfig, MEMBERS_MAX};
use crate::event::{BrokerError, GroupResult, MemberEpoch, MemberHeartbeat, RemoteAssignor, Subscription};
use crate::machines::broker::assignor::{Subscriber, assign_remotely};
use crate::units::{SimDuration, SimTime, TopicIx};

/// A group of the consumer protocol.
#[derive(Clone, Debug)]
pub(super) struct ConsumerGroup {
    heartbeat_interval: SimDuration,
    session_timeout: SimDuration,
    assignors: Arc<[RemoteAssignor]>,
    /// Grows whenever partitions have to be dealt out anew.
    epoch: u32,
    /// The epoch that the members' targets belong to.
    target_epoch: u32,
    members: BTreeMap<Arc<str>, Member>,
    /// Which member stands for each instance id.
    statics: BTreeMap<Arc<str>, Arc<str>>,
    /// Partitions that a member holds or has still to let go of: nobody else gets them.
    held: BTreeSet<(TopicIx, u32)>,
    /// The topics that members want, as they were when the group last looked.
    seen: Vec<(TopicIx, u32)>,
    /// Topics have changed since.
    looks: bool,
    rebalances: u64,
    /// Known to be wrong: partitions go to their new owners before the old ones have let go.
    #[cfg(test)]
    pub hands_over_at_once: bool,
}

impl ConsumerGroup {
    /// An empty group.
    pub fn new(cfg: &GroupConfig) -> Self {
        Self {
            heartbeat_interval: cfg.heartbeat_interval,
            session_timeout: cfg.session_timeout,
            assignors: Arc::clone(&cfg.assignors),
            epoch: 0,
            target_epoch: 0,
            members: BTreeMap::new(),
            statics: BTreeMap::new(),
            held: BTreeSet::new(),
            seen: Vec::new(),
            looks: false,
            rebalances: 0,
            #[cfg(test)]
            hands_over_at_once: false,
        }
    }
    /// How often partitions were dealt out.
    pub fn rebalances(&self) -> u64 {
        self.rebalances
    }
    /// Members now, static ones that are away included.
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Takes a heartbeat.
    pub fn heartbeat(
        &mut self,
        now: SimTime,
        id: &Arc<str>,
        beat: &MemberHeartbeat,
        topics: &[(TopicIx, u32)],
    ) -> Result<GroupResult, BrokerError> {
        let assignor = beat.details.as_ref().and_then(|details| details.assignor);
        if assignor.is_some_and(|assignor| !self.assignors.contains(&assignor)) {
            return Err(BrokerError::UnsupportedAssignor);
        }
        match beat.epoch {
            MemberEpoch::Leaving | MemberEpoch::Away => return self.leave(id, beat),
            MemberEpoch::Joining => self.admit(id, beat)?,
            MemberEpoch::At(epoch) => self.recognise(id, epoch, beat)?,
        }
        let member = self.members.get_mut(id).expect("it was admitted or recognised");
        let wants_other_topics = member.update(beat);
        member.expires = now + self.session_timeout;
        self.follow_topics(wants_other_topics, topics);
        if self.epoch > self.target_epoch {
            self.deal_out(topics);
        }
        let changed = self.reconcile(now, id, beat.owned.as_deref());
        let member = &self.members[id];
        let assignment = (beat.is_full() || changed).then(|| member.assigned());
        Ok(GroupResult::Heard { epoch: member.epoch(), interval: self.heartbeat_interval, assignment })
    }

    /// Lets a member in that comes with epoch 0: a new one, one that was fenced, or a static one that is back.
    fn admit(&mut self, id: &Arc<str>, beat: &MemberHeartbeat) -> Result<(), BrokerError> {
        if self.members.len() >= MEMBERS_MAX && !self.members.contains_key(id) {
            return Err(BrokerError::BrokerNotAvailable);
        }
        let before = beat.instance.as_ref().and_then(|instance| self.statics.get(instance));
        if let Some(before) = before {
            // Even the same member has to leave before it comes again (`throwIfInstanceIdIsUnreleased`).
            if !self.members.get(before).is_some_and(Member::is_away) {
                return Err(BrokerError::UnreleasedInstanceId);
            }
            let mut member = self.members.remove(&Arc::clone(before)).expect("it was just looked at");
            member.come_back();
            self.members.insert(Arc::clone(id), member);
        }
        self.members.entry(Arc::clone(id)).or_insert_with(|| Member::new(beat.instance.clone()));
        if let Some(instance) = &beat.instance {
            self.statics.insert(Arc::clone(instance), Arc::clone(id));
        }
        Ok(())
    }

    /// A member that says in which epoch it is: nobody else, and no other epoch.
    fn recognise(&self, id: &Arc<str>, epoch: u32, beat: &MemberHeartbeat) -> Result<(), BrokerError> {
        self.stands_for(id, beat)?;
        let member = self.members.get(id).ok_or(BrokerError::UnknownMemberId)?;
        if member.takes(epoch, beat.owned.as_deref()) { Ok(()) } else { Err(BrokerError::FencedMemberEpoch) }
    }

    /// Whether it is this member that stands for the instance that it names.
    fn stands_for(&self, id: &Arc<str>, beat: &MemberHeartbeat) -> Result<(), BrokerError> {
        let Some(instance) = &beat.instance else { return Ok(()) };
        match self.statics.get(instance) {
            None => Err(BrokerError::UnknownMemberId),
            Some(other) if other != id => Err(BrokerError::FencedInstanceId),
            Some(_) => Ok(()),
        }
    }

    fn leave(&mut self, id: &Arc<str>, beat: &MemberHeartbeat) -> Result<GroupResult, BrokerError> {
        self.stands_for(id, beat)?;
        let member = self.members.get_mut(id).ok_or(BrokerError::UnknownMemberId)?;
        if beat.epoch == MemberEpoch::Away && beat.instance.is_some() {
            // Its place is kept until its session ends; what it had still to let go of is free.
            for partition in member.go_away() {
                self.held.remove(&partition);
            }
        } else {
            self.remove(id);
        }
        Ok(GroupResult::Done)
    }

    fn remove(&mut self, id: &Arc<str>) {
        let Some(member) = self.members.remove(id) else { return };
        member.holds().for_each(|partition| {
            self.held.remove(&partition);
        });
        if let Some(instance) = &member.instance
            && self.statics.get(instance) == Some(id)
        {
            self.statics.remove(instance);
        }
        self.epoch += 1;
    }

    /// Topics have changed, as brokers learn of it.
    pub fn look_at_topics(&mut self) {
        self.looks = true;
    }

    /// A new epoch begins when members want other topics, or when those that they want have changed.
    fn follow_topics(&mut self, wants_other_topics: bool, topics: &[(TopicIx, u32)]) {
        if !wants_other_topics && !self.looks {
            return;
        }
        self.looks = false;
        let wanted: BTreeSet<TopicIx> = self.members.values().flat_map(|member| member.topics().iter().copied()).collect();
        let seen: Vec<_> = topics.iter().copied().filter(|(topic, _)| wanted.contains(topic)).collect();
        if wants_other_topics || seen != self.seen {
            self.epoch += 1;
            self.seen = seen;
        }
    }

    /// A target for every member (`TargetAssignmentBuilder`).
    fn deal_out(&mut self, topics: &[(TopicIx, u32)]) {
        let subscriber = |(id, member): (&Arc<str>, &Member)| -> Subscriber {
            let (instance, topics, owned) = (member.instance.clone(), Arc::clone(member.topics()), member.target());
            (Arc::clone(id), Subscription { instance, topics, owned, ..Subscription::default() })
        };
        let members: Vec<Subscriber> = self.members.iter().map(subscriber).collect();
        for (id, partitions) in assign_remotely(self.preferred_assignor(), &members, topics) {
            if let Some(member) = self.members.get_mut(&id) {
                member.aim_at(partitions);
            }
        }
        self.target_epoch = self.epoch;
        self.rebalances += 1;
    }

    /// What most members ask for; without a wish, and between equals, what the broker names first.
    fn preferred_assignor(&self) -> RemoteAssignor {
        let votes = |assignor: RemoteAssignor| self.members.values().filter(|member| member.assignor() == Some(assignor)).count();
        let first_of_most = self.assignors.iter().rev().max_by_key(|assignor| votes(**assignor));
        first_of_most.copied().unwrap_or(RemoteAssignor::Uniform)
    }

    /// Takes a member a step further towards its target. True when what it may hold has changed.
    fn reconcile(&mut self, now: SimTime, id: &Arc<str>, owned: Option<&[(TopicIx, u32)]>) -> bool {
        let Some(member) = self.members.get_mut(id) else { return false };
        let before = member.assigned();
        let held_before: Vec<_> = member.holds().collect();
        #[cfg(test)]
        let held = if self.hands_over_at_once { &BTreeSet::new() } else { &self.held };
        #[cfg(not(test))]
        let held = &self.held;
        if !member.reconcile(now, self.target_epoch, owned, |partition| !held.contains(&partition)) {
            return false;
        }
        for partition in held_before {
            self.held.remove(&partition);
        }
        for partition in member.holds() {
            // Invariant: a partition has one holder.
            let is_new = self.held.insert(partition);
            debug_assert!(is_new || cfg!(test), "{partition:?} is held twice");
        }
        member.assigned() != before
    }

    /// Whether this is a member, in this epoch: only then may it commit.
    pub fn check_epoch(&self, id: &Arc<str>, epoch: u32) -> Result<(), BrokerError> {
        let member = self.members.get(id).ok_or(BrokerError::UnknownMemberId)?;
        if member.is_at(epoch) { Ok(()) } else { Err(BrokerError::StaleMemberEpoch) }
    }

    /// Another node coordinates the group: sessions and the time for letting go begin anew.
    pub fn renew_sessions(&mut self, now: SimTime) {
        for member in self.members.values_mut() {
            member.expires = now + self.session_timeout;
            member.renew_revocation(now);
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.members.values().map(Member::deadline).min()
    }

    /// Throws members out that were silent for a session, or have not let go in time.
    pub fn on_deadline(&mut self, now: SimTime) {
        let due = self.members.iter().filter(|(_, member)| member.deadline() <= now);
        for id in due.map(|(id, _)| Arc::clone(id)).collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    #[cfg(test)]
    pub fn holders(&self) -> Vec<(Arc<str>, (TopicIx, u32))> {
        self.members.iter().flat_map(|(id, member)| member.holds().map(move |partition| (Arc::clone(id), partition))).collect()
    }
}
