//! Joining a group, staying in it, leaving it: Kafka's classic protocol, and what the consumer protocol shares with it.
//!
//! ```text
//! Stopped ─start─► Joining ─► Syncing ─► Locating ─► (Listing) ─► Stable ─rebalance─► Draining ─► Committing ─► Joining
//!                     ▲                                              │ stop ─► Draining ─► Committing ─► Leave, Stopped
//!                     └───────── Resting (backoff) ◄── an error that may pass
//! ```
//!
//! An eager member gives everything back before it joins. A cooperative one (KIP-429) says what it owns and reads on:
//! `Stable ─rebalance─► (Committing) ─► Joining ─► Syncing`; when its new assignment lacks something it gives that
//! back, `─► Draining ─► Committing ─► Joining`, so that the next round hands it to somebody else.
//!
//! Under the consumer protocol (KIP-848, `heartbeats.rs`) there is no round: heartbeats go on all the time, and what a member
//! lets go of, `Stable ─► Draining ─► Committing ─► Stable`, is told with the next.

use std::sync::Arc;

use super::consumer::{CommitMode, ConsumerClient, ConsumerOutput, OffsetReset, Pending};
use super::metadata::TopicMetadata;
use crate::event::{Assignor, BrokerError, GroupCall, GroupReply, GroupResult, OffsetTarget, Subscription};
use crate::units::{SimTime, TopicIx};

/// Where a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Stopped,
    Joining,
    Syncing,
    /// Asking for the group's positions.
    Locating,
    /// Asking where logs begin and end, for positions that are missing.
    Listing,
    Stable,
    /// Waiting for work under way to finish.
    Draining {
        until: SimTime,
        leaving: bool,
    },
    /// A last commit before the partitions go.
    Committing {
        leaving: bool,
    },
    /// Out of the group, because its next poll has not come in time.
    Overdue,
    /// Waiting before the next try to join.
    Resting {
        until: SimTime,
    },
}

impl ConsumerClient {
    /// Joins its group.
    pub fn start(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.is_stopped() {
            self.failures = 0;
            self.beats.begin_anew();
            if now > SimTime::ZERO {
                self.metadata.iter_mut().for_each(|metadata| metadata.begin_anew(now));
                self.ask_for_leaders(now, out);
            }
            self.join(now, out);
        }
    }

    /// Its group begins while the run goes on already: what stands in the logs is backfill.
    pub fn begin_late(&mut self) {
        self.late = true;
    }

    /// Leaves in good order: work under way is finished and committed first.
    pub fn stop(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        match self.phase {
            Phase::Stopped => {}
            _ if self.assigned.is_empty() && self.phase != Phase::Stable => self.leave(now, out),
            _ => self.drain(now, true, out),
        }
    }

    /// The caller has not polled for longer than `max.poll.interval.ms`: a dynamic member leaves its group, a static one
    /// falls silent; both have lost their partitions and join again with the next poll (`maybeLeaveGroup`).
    pub fn miss_poll(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if !self.cfg.standalone && !matches!(self.phase, Phase::Stopped | Phase::Overdue) {
            self.leave(now, out);
            self.phase = Phase::Overdue;
        }
    }

    /// The caller polls again.
    pub fn poll(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.is_overdue() {
            self.join(now, out);
        }
    }

    /// Whether it is out of the group until the next poll.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.phase == Phase::Overdue
    }

    /// Is gone without a word; the coordinator finds out by the session's timeout.
    pub fn crash(&mut self) {
        self.forget();
        self.member = Arc::from("");
        self.kept = None;
        self.phase = Phase::Stopped;
    }

    /// Work that a rebalance waited for is finished.
    pub fn drained(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let Phase::Draining { leaving, .. } = self.phase else { return };
        if self.cfg.commit != CommitMode::Before && self.commit(now, out) {
            self.phase = Phase::Committing { leaving };
        } else {
            self.give_back(now, leaving, out);
        }
    }

    /// Whether it waits for [`Self::drained`].
    #[must_use]
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    /// Moves the positions of its group, which must have no members.
    pub fn reset_offsets(&mut self, now: SimTime, to: OffsetTarget, out: &mut ConsumerOutput) {
        if self.reset_call.is_none() {
            let pending = self.pending(now, self.cfg.request_timeout);
            self.reset_call = Some(pending);
            let topics = self.cfg.topics.iter().map(|read| read.topic).collect();
            self.send_group(pending.call, GroupCall::ResetOffsets { topics, to }, out);
        }
    }

    /// The coordinator has answered.
    pub fn on_group_reply(&mut self, now: SimTime, reply: GroupReply, out: &mut ConsumerOutput) {
        let is = |pending: Option<Pending>| pending.is_some_and(|pending| pending.call == reply.call);
        if is(self.main_call) {
            self.main_call = None;
            match reply.result {
                Ok(result) => self.advance(now, result, out),
                Err(error) => self.refused(now, error, out),
            }
        } else if is(self.heartbeat_call) {
            self.heartbeat_call = None;
            match reply.result {
                Ok(GroupResult::Heard { epoch, interval, assignment }) => self.heard(now, (epoch, interval, assignment), out),
                Ok(_) => self.heard_at = now,
                Err(error) if self.is_modern() => self.unheard(now, error, out),
                Err(error) => self.disturbed(now, error, out),
            }
        } else if is(self.commit_call) {
            self.commit_call = None;
            self.committed(now, reply.result.err(), out);
        } else if is(self.reset_call) {
            self.reset_call = None;
            out.reset = Some(reply.result.map(|_| ()));
        }
    }

    /// Does what is due: heartbeats, timeouts, the end of a backoff.
    pub fn on_wake(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let over = |pending: Option<Pending>| pending.is_some_and(|pending| pending.deadline <= now);
        if over(self.main_call) {
            self.main_call = None;
            self.refused(now, BrokerError::RequestTimedOut, out);
        }
        if over(self.commit_call) {
            self.commit_call = None;
            self.committed(now, Some(BrokerError::RequestTimedOut), out);
        }
        if self.commit_due().is_some_and(|at| at <= now) {
            self.commit_postponed(now, out);
        }
        if over(self.reset_call) {
            self.reset_call = None;
            out.reset = Some(Err(BrokerError::RequestTimedOut));
        }
        for lane in 0..self.lanes.len() {
            if over(self.lanes[lane].pending) {
                self.lanes[lane].pending = None;
                self.suspect(now, lane);
            }
        }
        self.ask_for_leaders(now, out);
        match self.phase {
            Phase::Resting { until } if until <= now => self.join(now, out),
            Phase::Draining { until, leaving } if until <= now => self.give_back(now, leaving, out),
            _ => {}
        }
        if self.is_modern() {
            self.beat_if_due(now, out);
        } else if self.beats() && self.heartbeat_at <= now {
            self.heartbeat(now, out);
            self.rejoin_if_grown(now, out);
        }
    }

    /// When [`Self::on_wake`] has something to do.
    #[must_use]
    pub fn next_wake(&self, now: SimTime) -> SimTime {
        let deadline = |pending: Option<Pending>| pending.map_or(SimTime::MAX, |pending| pending.deadline);
        let mut wake = deadline(self.main_call).min(deadline(self.commit_call)).min(deadline(self.reset_call));
        if self.is_modern() {
            wake = wake.min(self.next_beat());
        } else if self.beats() {
            wake = wake.min(self.heartbeat_at);
        }
        for lane in &self.lanes {
            wake = wake.min(deadline(lane.pending));
            if lane.pending.is_none() && lane.not_before > now {
                wake = wake.min(lane.not_before);
            }
        }
        if self.cfg.commit == CommitMode::After && self.commit_not_before > now {
            wake = wake.min(self.commit_not_before);
        }
        wake = self.commit_due().map_or(wake, |at| wake.min(at));
        let resting = self.assigned.iter().map(|progress| progress.not_before).filter(|until| *until > now);
        wake = resting.fold(wake, SimTime::min);
        wake = self.metadata.iter().map(TopicMetadata::next_wake).fold(wake, SimTime::min);
        match self.phase {
            Phase::Resting { until } | Phase::Draining { until, .. } => wake.min(until),
            _ => wake,
        }
    }

    pub(super) fn beats(&self) -> bool {
        !self.cfg.standalone
            && matches!(self.phase, Phase::Locating | Phase::Listing | Phase::Stable | Phase::Draining { .. } | Phase::Committing { .. })
    }

    fn heartbeat(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.heard_at + self.cfg.session_timeout <= now {
            // Nobody answered for a whole session: the coordinator has dropped this member.
            self.disturbed(now, BrokerError::UnknownMemberId, out);
            return;
        }
        self.heartbeat_at = now + self.cfg.heartbeat_interval;
        let pending = self.pending(now, self.cfg.request_timeout);
        self.heartbeat_call = Some(pending);
        self.send_group(pending.call, GroupCall::Heartbeat { generation: self.generation }, out);
    }

    fn call(&mut self, now: SimTime, timeout: crate::units::SimDuration, body: GroupCall, out: &mut ConsumerOutput) {
        let pending = self.pending(now, timeout);
        self.main_call = Some(pending);
        self.send_group(pending.call, body, out);
    }

    pub(super) fn join(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.cfg.standalone {
            return self.assign_all(now, out);
        }
        self.phase = Phase::Joining;
        // What the coordinator still says of the generation before is no news.
        self.heartbeat_call = None;
        if self.is_modern() {
            return self.join_by_heartbeat(now, out);
        }
        let body = GroupCall::Join {
            client_id: Arc::clone(&self.cfg.client_id),
            subscription: self.subscription(),
            session_timeout: self.cfg.session_timeout,
            rebalance_timeout: self.cfg.rebalance_timeout,
        };
        // A join is answered when every member has come or the rebalance's timeout is over, plus a little (Kafka: 5 s).
        let timeout = self.cfg.rebalance_timeout.plus(crate::units::SimDuration::from_secs(5)).plus(self.cfg.request_timeout);
        self.call(now, timeout, body, out);
    }

    fn subscription(&self) -> Subscription {
        let owned = if self.cooperates() { self.owned() } else { self.kept.clone() };
        let (owned, generation) = owned.map_or_else(Default::default, |(generation, owned)| (owned, Some(generation)));
        Subscription {
            instance: self.cfg.instance.clone(),
            owned,
            generation,
            topics: self.cfg.topics.iter().map(|read| read.topic).collect(),
            assignors: Arc::clone(&self.cfg.assignors),
        }
    }

    fn advance(&mut self, now: SimTime, result: GroupResult, out: &mut ConsumerOutput) {
        match (self.phase, result) {
            (Phase::Joining, GroupResult::Joined { member, generation, leader, assignor, members }) => {
                self.generation = generation;
                let leads = member == leader;
                self.member = member;
                self.phase = Phase::Syncing;
                self.dealt = leads.then(|| Arc::clone(&self.cfg.cluster_topics));
                let assignments = if leads { self.deal_out(assignor, members) } else { Vec::new() };
                let timeout = self.cfg.rebalance_timeout.plus(self.cfg.request_timeout);
                self.call(now, timeout, GroupCall::Sync { generation, assignments }, out);
            }
            (Phase::Syncing, GroupResult::Synced { partitions }) => {
                if self.cfg.assignors.contains(&Assignor::Sticky) {
                    self.kept = Some((self.generation, partitions.clone().into()));
                }
                self.take(now, &partitions, out);
            }
            (Phase::Locating, GroupResult::Offsets(offsets)) => {
                for (topic, partition, offset) in offsets {
                    if let (Some(slot), Some(offset)) = (self.slot_of(topic, partition), offset) {
                        self.assigned[slot].begin_at(offset);
                        self.assigned[slot].committed = Some(offset);
                        out.positions.push((topic, partition, offset));
                    }
                }
                self.located(now, out);
            }
            (Phase::Listing, GroupResult::Bounds(bounds)) => {
                self.reset(&bounds, out);
                self.located(now, out);
            }
            _ => {}
        }
    }

    pub(super) fn locate(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let partitions = self.unlocated();
        let epoch = self.is_modern().then_some(self.generation);
        self.call(now, self.cfg.request_timeout, GroupCall::FetchOffsets { partitions, epoch }, out);
    }

    fn unlocated(&self) -> Vec<(TopicIx, u32)> {
        let missing = self.assigned.iter().filter(|progress| progress.fetch_from.is_none());
        missing.map(|progress| (progress.topic, progress.partition)).collect()
    }

    fn located(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.assigned.iter().any(|progress| progress.fetch_from.is_none()) {
            self.list_offsets(now, out);
        } else {
            self.phase = Phase::Stable;
            self.fetch(now, out);
        }
    }

    pub(super) fn list_offsets(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        self.phase = Phase::Listing;
        let partitions = self.unlocated();
        self.call(now, self.cfg.request_timeout, GroupCall::ListOffsets { partitions }, out);
    }

    fn reset(&mut self, bounds: &[(TopicIx, u32, u64, u64)], out: &mut ConsumerOutput) {
        for &(topic, partition, first, next) in bounds {
            let Some(slot) = self.slot_of(topic, partition) else { continue };
            if self.assigned[slot].fetch_from.is_some() {
                continue;
            }
            let is_first = self.assigned[slot].end_at_first.replace(next).is_none();
            let position = match self.cfg.reset {
                OffsetReset::Earliest => {
                    let rereads = is_first && next > first && (self.late || self.cfg.standalone);
                    out.rereads.extend(rereads.then_some((topic, partition, next)));
                    first
                }
                OffsetReset::Latest => {
                    if next > first {
                        out.starts.push((topic, partition, next));
                    }
                    next
                }
            };
            self.assigned[slot].begin_at(position);
            out.positions.push((topic, partition, position));
        }
    }
}
