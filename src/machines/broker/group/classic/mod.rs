//! The coordinator of a classic group: its leader deals partitions out, and everybody waits for everybody.
//!
//! ```text
//! Empty ─join─► PreparingRebalance ─all joined, or time up─► CompletingRebalance ─leader's sync─► Stable ─┐
//!                  ▲──────────── join, leave, session timeout ◄────────────────────────────────────────────┘
//! ```
//!
//! In: calls with the instant and where to answer; deadlines. Out: answers, possibly to others than the
//! caller. Source: kafka.coordinator.group.GroupCoordinator (3.9) as the digest in `semantics/broker.md` reads it.

mod statics;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::statics::StaticMembers;
use super::{Answers, MEMBERS_MAX, ReplyTo, answer};
use crate::event::{Assignor, BrokerError, GroupCall, GroupResult, Subscription};
use crate::units::{SimDuration, SimTime, TopicIx};

/// A classic group; `C` is whatever finds a caller again.
#[derive(Clone, Debug)]
pub(super) struct ClassicGroup<C> {
    initial_rebalance_delay: SimDuration,
    phase: Phase,
    /// While an empty group waits for its first members.
    initial: Option<InitialDelay>,
    generation: u32,
    leader: Option<Arc<str>>,
    /// What the running generation is dealt out by.
    assignor: Assignor,
    members: BTreeMap<Arc<str>, Member<C>>,
    statics: StaticMembers,
    named: u64,
    deadline: Option<SimTime>,
    rebalances: u64,
}

/// The first join phase of an empty group is never cut short, and is prolonged while members come
/// (Kafka's `InitialDelayedJoin`).
#[derive(Clone, Copy, Debug)]
struct InitialDelay {
    /// How much longer it may become.
    remaining: SimDuration,
    /// Somebody new came since it was last prolonged.
    newcomer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Empty,
    Preparing,
    Completing,
    Stable,
}

#[derive(Clone, Debug)]
struct Member<C> {
    subscription: Subscription,
    session_timeout: SimDuration,
    rebalance_timeout: SimDuration,
    expires: SimTime,
    /// Waits for the join phase or the leader's assignment.
    waiting: Option<ReplyTo<C>>,
    joined: bool,
    assignment: Vec<(TopicIx, u32)>,
}

impl<C: Copy> ClassicGroup<C> {
    /// An empty group.
    pub fn new(initial_rebalance_delay: SimDuration) -> Self {
        Self {
            initial_rebalance_delay,
            phase: Phase::Empty,
            initial: None,
            generation: 0,
            leader: None,
            assignor: Assignor::Range,
            members: BTreeMap::new(),
            statics: StaticMembers::default(),
            named: 0,
            deadline: None,
            rebalances: 0,
        }
    }
    /// Generations that began.
    pub fn rebalances(&self) -> u64 {
        self.rebalances
    }
    /// Members now.
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Takes a call of the classic protocol.
    pub fn handle(&mut self, now: SimTime, to: ReplyTo<C>, member: &Arc<str>, call: GroupCall, out: &mut Answers<C>) {
        match call {
            GroupCall::Join { client_id, subscription, session_timeout, rebalance_timeout } => {
                self.join(now, to, member, &client_id, subscription, session_timeout, rebalance_timeout, out);
            }
            GroupCall::Sync { generation, assignments } => match self.known(now, member, generation) {
                Err(error) => answer(out, to, Err(error)),
                Ok(()) => self.sync(now, to, member, assignments, out),
            },
            GroupCall::Heartbeat { generation } => {
                let rejoin = self.phase == Phase::Preparing;
                let known = self.known(now, member, generation);
                let result = match known {
                    Err(error) => Err(error),
                    Ok(()) if rejoin => Err(BrokerError::RebalanceInProgress),
                    Ok(()) => Ok(GroupResult::Done),
                };
                answer(out, to, result);
            }
            GroupCall::Leave => {
                let known = self.members.remove(member).is_some();
                answer(out, to, if known { Ok(GroupResult::Done) } else { Err(self.stranger(member)) });
                if known {
                    self.membership_changed(now, out);
                }
            }
            // Of the other protocol, or not of a protocol at all.
            _ => answer(out, to, Err(BrokerError::UnknownMemberId)),
        }
    }

    /// Commits of the running generation are taken while members rejoin, as Kafka does.
    pub fn may_commit(&mut self, now: SimTime, member: &Arc<str>, generation: u32) -> Result<(), BrokerError> {
        self.known(now, member, generation)?;
        if self.phase == Phase::Completing { Err(BrokerError::RebalanceInProgress) } else { Ok(()) }
    }

    /// The coordinator's connections break: calls that wait are answered so, and must be made again.
    pub fn disconnect(&mut self, out: &mut Answers<C>) {
        for member in self.members.values_mut() {
            if let Some(to) = member.waiting.take() {
                member.joined = false;
                answer(out, to, Err(BrokerError::BrokerNotAvailable));
            }
        }
    }

    /// Another node has taken the group over from its log: every session begins anew.
    pub fn renew_sessions(&mut self, now: SimTime) {
        for member in self.members.values_mut() {
            member.expires = now + member.session_timeout;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one join request")]
    fn join(
        &mut self,
        now: SimTime,
        to: ReplyTo<C>,
        member: &Arc<str>,
        client_id: &str,
        subscription: Subscription,
        session_timeout: SimDuration,
        rebalance_timeout: SimDuration,
        out: &mut Answers<C>,
    ) {
        let id = if member.is_empty() {
            if self.members.len() >= MEMBERS_MAX {
                return answer(out, to, Err(BrokerError::BrokerNotAvailable));
            }
            self.named += 1;
            // A real coordinator appends a random UUID; a count keeps ids readable and the run repeatable.
            Arc::from(format!("{}-{}", subscription.instance.as_deref().unwrap_or(client_id), self.named))
        } else if self.members.contains_key(member) {
            Arc::clone(member)
        } else {
            return answer(out, to, Err(self.stranger(member)));
        };
        if !self.understands_the_others(&id, &subscription) {
            return answer(out, to, Err(BrokerError::InconsistentGroupProtocol));
        }
        if self.repeats_its_join(member, &subscription) {
            return self.tell_generation(now, to, member, out);
        }
        let returns = match &subscription.instance {
            Some(instance) if member.is_empty() => self.take_place(instance, &id, out),
            _ => false,
        };
        let expires = now + session_timeout;
        let assignment = self.members.get(&id).map(|known| known.assignment.clone()).unwrap_or_default();
        let joined = Member { subscription, session_timeout, rebalance_timeout, expires, waiting: Some(to), joined: true, assignment };
        self.members.insert(Arc::clone(&id), joined);
        match self.phase {
            // Its assignment waits for it; a vote for another assignor would have to be counted.
            Phase::Stable if returns && self.elect() == self.assignor => {
                let member = self.members.get_mut(&id).expect("it was just put there");
                (member.waiting, member.joined) = (None, false);
                self.tell_generation(now, to, &id, out);
            }
            Phase::Empty => {
                self.phase = Phase::Preparing;
                let delay = self.initial_rebalance_delay;
                self.deadline = Some(now + delay);
                if delay.is_zero() {
                    self.complete_join(now, out);
                } else {
                    self.initial = Some(InitialDelay { remaining: less(rebalance_timeout, delay), newcomer: false });
                }
            }
            Phase::Preparing => {
                if let Some(initial) = &mut self.initial {
                    initial.newcomer |= member.is_empty() && self.generation == 0;
                }
                self.complete_join_if_all(now, out);
            }
            Phase::Completing | Phase::Stable => self.prepare(now, out),
        }
    }

    /// A known member that missed the answer to its join changes nothing; a leader that joins a stable group
    /// wants a new assignment.
    fn repeats_its_join(&self, member: &Arc<str>, subscription: &Subscription) -> bool {
        let Some(known) = self.members.get(member) else { return false };
        let running = match self.phase {
            Phase::Empty | Phase::Preparing => false,
            Phase::Completing => true,
            Phase::Stable => self.leader.as_ref() != Some(member),
        };
        running && known.subscription == *subscription
    }

    fn tell_generation(&mut self, now: SimTime, to: ReplyTo<C>, id: &Arc<str>, out: &mut Answers<C>) {
        if let Some(member) = self.members.get_mut(id) {
            member.expires = now + member.session_timeout;
        }
        let leader = self.leader.clone().expect("a running generation has a leader");
        let members = if *id == leader { self.subscriptions() } else { Vec::new() };
        answer(out, to, Ok(self.joined(id, leader, members)));
    }

    fn joined(&self, id: &Arc<str>, leader: Arc<str>, members: Vec<(Arc<str>, Subscription)>) -> GroupResult {
        GroupResult::Joined { member: Arc::clone(id), generation: self.generation, leader, assignor: self.assignor, members }
    }

    fn subscriptions(&self) -> Vec<(Arc<str>, Subscription)> {
        self.members.iter().map(|(id, member)| (Arc::clone(id), member.subscription.clone())).collect()
    }

    /// Whether some assignor of a member is understood by every other member.
    fn understands_the_others(&self, id: &Arc<str>, subscription: &Subscription) -> bool {
        let others = || self.members.iter().filter(|(other, _)| *other != id).map(|(_, member)| &member.subscription);
        subscription.assignors.iter().any(|assignor| others().all(|other| other.assignors.contains(assignor)))
    }

    /// Each member votes for the assignor that it likes best among those that all understand.
    fn elect(&self) -> Assignor {
        let understood = |assignor: &Assignor| self.members.values().all(|member| member.subscription.assignors.contains(assignor));
        let mut votes: BTreeMap<Assignor, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some(assignor) = member.subscription.assignors.iter().copied().find(understood) {
                *votes.entry(assignor).or_default() += 1;
            }
        }
        let most = votes.iter().max_by_key(|(assignor, count)| (**count, std::cmp::Reverse(**assignor)));
        most.map_or(self.assignor, |(assignor, _)| *assignor)
    }

    /// A new join phase: everybody must come again.
    fn prepare(&mut self, now: SimTime, out: &mut Answers<C>) {
        // Members that waited for their assignment are told to rejoin; those that just joined stay joined.
        for member in self.members.values_mut() {
            if !member.joined
                && let Some(to) = member.waiting.take()
            {
                // Its session rested while it waited (`propagateAssignment`).
                member.expires = now + member.session_timeout;
                answer(out, to, Err(BrokerError::RebalanceInProgress));
            }
        }
        self.phase = Phase::Preparing;
        self.deadline = Some(now + self.longest_rebalance());
        self.complete_join_if_all(now, out);
    }

    fn longest_rebalance(&self) -> SimDuration {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default()
    }

    fn complete_join_if_all(&mut self, now: SimTime, out: &mut Answers<C>) {
        // The initial delay of an empty group is waited for in full: more members may come.
        if self.initial.is_none() && self.members.values().all(|member| member.joined) {
            self.complete_join(now, out);
        }
    }

    fn complete_join(&mut self, now: SimTime, out: &mut Answers<C>) {
        self.initial = None;
        // A static member that is away keeps its place until its session ends.
        self.members.retain(|id, member| member.joined || self.statics.contains(id));
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.deadline = None;
            return;
        }
        let Some(joined) = self.members.iter().find(|(_, member)| member.joined).map(|(id, _)| Arc::clone(id)) else {
            // Everybody is away: sessions end before the next look, or somebody comes.
            self.deadline = Some(now + self.longest_rebalance());
            return;
        };
        self.generation += 1;
        self.rebalances += 1;
        self.assignor = self.elect();
        self.phase = Phase::Completing;
        let still = self.leader.take().filter(|leader| self.members.get(leader).is_some_and(|member| member.joined));
        let leader = still.unwrap_or(joined);
        let all = self.subscriptions();
        self.deadline = Some(now + self.longest_rebalance());
        let mut waiting = Vec::new();
        for (id, member) in &mut self.members {
            if std::mem::take(&mut member.joined) {
                member.expires = now + member.session_timeout;
            }
            member.assignment.clear();
            waiting.extend(member.waiting.take().map(|to| (to, Arc::clone(id))));
        }
        for (to, id) in waiting {
            let members = if id == leader { all.clone() } else { Vec::new() };
            answer(out, to, Ok(self.joined(&id, Arc::clone(&leader), members)));
        }
        self.leader = Some(leader);
    }

    fn sync(
        &mut self,
        now: SimTime,
        to: ReplyTo<C>,
        id: &Arc<str>,
        assignments: Vec<(Arc<str>, Vec<(TopicIx, u32)>)>,
        out: &mut Answers<C>,
    ) {
        match self.phase {
            Phase::Empty | Phase::Preparing => return answer(out, to, Err(BrokerError::RebalanceInProgress)),
            Phase::Stable => {
                let partitions = self.members[id].assignment.clone();
                return answer(out, to, Ok(GroupResult::Synced { partitions }));
            }
            Phase::Completing => {}
        }
        self.members.get_mut(id).expect("known by the caller's check").waiting = Some(to);
        if self.leader.as_ref() != Some(id) {
            return;
        }
        for (member, partitions) in assignments {
            if let Some(member) = self.members.get_mut(&member) {
                member.assignment = partitions;
            }
        }
        self.phase = Phase::Stable;
        self.deadline = None;
        for member in self.members.values_mut() {
            if let Some(to) = member.waiting.take() {
                member.expires = now + member.session_timeout;
                answer(out, to, Ok(GroupResult::Synced { partitions: member.assignment.clone() }));
            }
        }
    }

    fn known(&mut self, now: SimTime, id: &Arc<str>, generation: u32) -> Result<(), BrokerError> {
        let stranger = self.stranger(id);
        let member = self.members.get_mut(id).ok_or(stranger)?;
        member.expires = now + member.session_timeout;
        if generation == self.generation { Ok(()) } else { Err(BrokerError::IllegalGeneration) }
    }

    fn membership_changed(&mut self, now: SimTime, out: &mut Answers<C>) {
        self.statics.retain(|id| self.members.contains_key(id));
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.initial = None;
            self.deadline = None;
        } else if self.phase == Phase::Preparing {
            self.complete_join_if_all(now, out);
        } else {
            self.prepare(now, out);
        }
    }

    /// When [`Self::on_deadline`] wants to be called.
    pub fn next_deadline(&self) -> Option<SimTime> {
        // A member that waits for an answer is alive by that alone.
        let sessions = self.members.values().filter(|member| member.waiting.is_none()).map(|member| member.expires);
        sessions.chain(self.deadline).min()
    }

    /// Ends sessions and phases whose time is up.
    pub fn on_deadline(&mut self, now: SimTime, out: &mut Answers<C>) {
        let before = self.members.len();
        self.members.retain(|_, member| member.waiting.is_some() || member.expires > now);
        if self.members.len() != before {
            self.membership_changed(now, out);
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            match self.phase {
                Phase::Preparing => match &mut self.initial {
                    Some(initial) if initial.newcomer && !initial.remaining.is_zero() => {
                        let delay = self.initial_rebalance_delay.min(initial.remaining);
                        *initial = InitialDelay { remaining: less(initial.remaining, delay), newcomer: false };
                        self.deadline = Some(now + delay);
                    }
                    _ => self.complete_join(now, out),
                },
                // Who did not sync in time is out; the others begin again.
                Phase::Completing => {
                    self.members.retain(|_, member| member.waiting.is_some());
                    self.deadline = None;
                    self.membership_changed(now, out);
                }
                Phase::Empty | Phase::Stable => self.deadline = None,
            }
        }
    }
}

fn less(span: SimDuration, by: SimDuration) -> SimDuration {
    SimDuration::from_ns(span.as_ns().saturating_sub(by.as_ns()))
}
