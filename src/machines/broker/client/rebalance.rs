//! What a rebalance does to a member: what it gives back, what it keeps, what it has lost.
//!
//! An eager member gives everything back before it joins; a cooperative one only what its new assignment lacks, and so
//! does a member of the consumer protocol. The phases and their calls are in `membership.rs` and `heartbeats.rs`. Start at `disturbed`, with which a rebalance begins, and
//! `take`, with which it ends.

use std::sync::Arc;

use super::backoff;
use super::consumer::{CommitMode, ConsumerClient, ConsumerOutput};
use super::membership::Phase;
use super::progress::Progress;
use super::{Assignment, assign};
use crate::event::{Assignor, BrokerError, GroupCall, Subscription};
use crate::units::{SimDuration, SimTime, TopicIx};

/// Whether a commit that was refused so may be taken in the same generation later.
fn may_pass(error: BrokerError) -> bool {
    !matches!(
        error,
        BrokerError::RequestTimedOut
            | BrokerError::UnknownMemberId
            | BrokerError::IllegalGeneration
            | BrokerError::FencedInstanceId
            | BrokerError::RebalanceInProgress
    ) && !error.is_refusal()
}

impl ConsumerClient {
    /// What a cooperative member keeps while it joins again.
    pub(super) fn owned(&self) -> Option<(u32, Arc<[(TopicIx, u32)]>)> {
        let owned: Arc<[_]> = self.assigned.iter().map(|progress| (progress.topic, progress.partition)).collect();
        (!owned.is_empty()).then_some((self.generation, owned))
    }

    /// The assignment of the whole group, when this member leads it.
    pub(super) fn deal_out(&self, assignor: Assignor, mut members: Vec<(Arc<str>, Subscription)>) -> Assignment {
        if assignor.is_cooperative() {
            // Eager members gave everything back before they joined: nothing of theirs has to be withheld from others.
            for (_, subscription) in members.iter_mut().filter(|(_, subscription)| !subscription.cooperates()) {
                subscription.owned = Arc::default();
            }
        }
        assign(assignor, &members, &self.cfg.cluster_topics)
    }

    /// The leader of a group sees that a topic has more partitions than it dealt out: it joins again, so that the group
    /// rebalances (`rejoinNeededOrPending`). Other members wait for it.
    pub(super) fn rejoin_if_grown(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.cfg.standalone {
            return self.assign_new(now, out);
        }
        let grown = self.dealt.as_ref().is_some_and(|dealt| *dealt != self.cfg.cluster_topics);
        if !grown || self.phase != Phase::Stable {
            return;
        }
        self.dealt = None;
        if self.cooperates() { self.rejoin(now, out) } else { self.drain(now, false, out) }
    }

    /// Takes a new assignment on: what stays is not touched, what is missing goes, what is new is looked up.
    pub(super) fn take(&mut self, now: SimTime, partitions: &[(TopicIx, u32)], out: &mut ConsumerOutput) {
        self.failures = 0;
        self.rebalances += 1;
        self.main_call = None;
        self.heard_at = now;
        if !self.is_modern() {
            self.heartbeat_at = now + self.cfg.heartbeat_interval;
        }
        for progress in &mut self.assigned {
            progress.revoked = !partitions.contains(&(progress.topic, progress.partition));
        }
        for &(topic, partition) in partitions {
            let Some(place) = self.cfg.topics.iter().position(|read| read.topic == topic) else { continue };
            if self.slot_of(topic, partition).is_none() {
                let lane = self.lane_of(place, partition);
                self.epoch += 1;
                self.assigned.push(Progress::new(self.epoch, topic, partition, lane));
            }
        }
        if self.assigned.iter().any(|progress| progress.revoked) {
            self.phase = Phase::Draining { until: now + self.cfg.rebalance_timeout, leaving: false };
            out.revoked = true;
        } else {
            self.settle(now, out);
        }
        self.commit_postponed(now, out);
    }

    /// Nothing goes any more: what is new is looked up.
    fn settle(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.assigned.iter().any(|progress| progress.fetch_from.is_none()) {
            self.phase = Phase::Locating;
            self.locate(now, out);
        } else {
            self.phase = Phase::Stable;
        }
        if self.is_modern() {
            self.tell_owned(now, out);
        }
    }

    /// The call that the phase waits for failed.
    pub(super) fn refused(&mut self, now: SimTime, error: BrokerError, out: &mut ConsumerOutput) {
        match error {
            BrokerError::FencedInstanceId => self.be_fenced(out),
            BrokerError::UnknownMemberId if self.is_modern() => self.ask_again_later(now),
            BrokerError::RebalanceInProgress if self.cooperates() => self.join(now, out),
            BrokerError::UnknownMemberId | BrokerError::IllegalGeneration | BrokerError::RebalanceInProgress => {
                // What was fetched belongs to a generation that is over.
                self.lose(now, error, out);
            }
            // A transaction has to decide first: ask again as if there were no answer.
            BrokerError::UnstableOffsetCommit if self.phase == Phase::Locating => {
                self.main_call = Some(self.pending(now, self.cfg.retry_backoff));
            }
            // The generation holds: ask again at once after a timeout, which was long enough.
            BrokerError::RequestTimedOut if self.phase == Phase::Locating => self.locate(now, out),
            BrokerError::RequestTimedOut if self.phase == Phase::Listing => self.list_offsets(now, out),
            // What a reader without a group has it keeps, whatever a node says: it asks again.
            _ if self.cfg.standalone => {
                out.refused = error.is_refusal().then_some(error);
                let rest = if error.is_refusal() { self.refusal_rest() } else { self.cfg.retry_backoff_max };
                self.main_call = Some(self.pending(now, rest));
            }
            _ if self.is_modern() => self.ask_again_later(now),
            _ => {
                self.failures += 1;
                let mut until = now + backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, self.failures);
                if error.is_refusal() {
                    out.refused = Some(error);
                    until = now + self.refusal_rest();
                }
                if !self.cooperates() {
                    self.forget();
                    out.revoked = true;
                }
                self.phase = Phase::Resting { until };
            }
        }
    }

    /// How long it waits after an ACL has refused something.
    pub(super) fn refusal_rest(&self) -> SimDuration {
        self.cfg.refusal_retry.unwrap_or(self.cfg.retry_backoff_max)
    }

    /// Another process has this member's instance id: for Kafka's client that is fatal.
    pub(super) fn be_fenced(&mut self, out: &mut ConsumerOutput) {
        self.crash();
        out.revoked = true;
    }

    /// The group went on without this member: its partitions are gone without a commit (`onPartitionsLost`).
    pub(super) fn lose(&mut self, now: SimTime, error: BrokerError, out: &mut ConsumerOutput) {
        if error == BrokerError::UnknownMemberId {
            self.member = Arc::from("");
        }
        self.forget();
        out.revoked = true;
        self.join(now, out);
    }

    /// A heartbeat or a commit says that the group has moved on.
    pub(super) fn disturbed(&mut self, now: SimTime, error: BrokerError, out: &mut ConsumerOutput) {
        // Under the consumer protocol heartbeats alone tell.
        if self.is_modern() {
            return;
        }
        if error == BrokerError::FencedInstanceId {
            return self.be_fenced(out);
        }
        let fatal = matches!(error, BrokerError::UnknownMemberId | BrokerError::IllegalGeneration);
        // Others may pass; the next heartbeat tells.
        if !fatal && error != BrokerError::RebalanceInProgress {
            return;
        }
        match self.phase {
            Phase::Stopped | Phase::Overdue => {}
            Phase::Draining { leaving, .. } | Phase::Committing { leaving } if leaving || !self.cooperates() => {
                if error == BrokerError::UnknownMemberId {
                    self.member = Arc::from("");
                    self.heartbeat_at = SimTime::MAX;
                }
            }
            _ if fatal && self.cooperates() => self.lose(now, error, out),
            // It joins again in any case.
            Phase::Draining { .. } | Phase::Committing { .. } => {}
            _ if self.cooperates() => self.rejoin(now, out),
            _ => {
                if error == BrokerError::UnknownMemberId {
                    self.member = Arc::from("");
                }
                self.drain(now, false, out);
            }
        }
    }

    /// Joins again and reads on meanwhile; positions are committed first, as `onJoinPrepare` does.
    fn rejoin(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.cfg.commit == CommitMode::Transaction {
            // An open transaction commits in this generation or not at all.
            self.main_call = None;
            self.phase = Phase::Draining { until: now + self.cfg.rebalance_timeout, leaving: false };
            return;
        }
        let commits = self.commit_call.is_some() || self.cfg.commit == CommitMode::Auto && self.commit(now, out);
        if commits {
            self.main_call = None;
            self.phase = Phase::Committing { leaving: false };
        } else {
            self.join(now, out);
        }
    }

    pub(super) fn committed(&mut self, now: SimTime, error: Option<BrokerError>, out: &mut ConsumerOutput) {
        // At most once, work waits for its commit: no answer is no reason to begin, nor is a coordinator that is away
        // (`commitSync` tries again after any error that may pass), nor a rebalance in which the partitions stay.
        let waits = self.cfg.commit == CommitMode::Before;
        let unanswered = waits && error == Some(BrokerError::RequestTimedOut);
        let postponed = waits && self.cooperates() && error == Some(BrokerError::RebalanceInProgress);
        let refused = waits && error.is_some_and(may_pass) && !matches!(self.phase, Phase::Committing { .. });
        self.rest_after_commit(now, error);
        if let Some(error) = error {
            // An asynchronous commit by the clock only says so in the log.
            out.refused = out.refused.or_else(|| (error.is_refusal() && self.cfg.commit != CommitMode::Auto).then_some(error));
            for progress in &mut self.assigned {
                progress.committed = None;
            }
            self.commit_again = postponed || refused;
            self.disturbed(now, error, out);
        }
        if refused {
            return;
        }
        if postponed && self.commit_again {
            return self.go_on_after_commit(now, out);
        }
        let again = std::mem::take(&mut self.commit_again) || unanswered;
        if again && self.commit(now, out) {
            return;
        }
        out.committed = Some(error.map_or(Ok(()), Err));
        self.go_on_after_commit(now, out);
    }

    /// `commitSync` tries again after `retry.backoff`, longer each time.
    fn rest_after_commit(&mut self, now: SimTime, error: Option<BrokerError>) {
        self.commit_failures = if error.is_some() { self.commit_failures + 1 } else { 0 };
        self.commit_not_before = match error {
            Some(_) => now + backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, self.commit_failures),
            None => SimTime::ZERO,
        };
    }

    /// When a commit that was refused for the time being is due again.
    pub(super) fn commit_due(&self) -> Option<SimTime> {
        let waits = self.commit_again && self.commit_call.is_none() && matches!(self.phase, Phase::Stable | Phase::Draining { .. });
        waits.then_some(self.commit_not_before)
    }

    fn go_on_after_commit(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if let Phase::Committing { leaving } = self.phase {
            self.give_back(now, leaving, out);
        }
    }

    /// Makes up for the commit that a rebalance has put off.
    pub(super) fn commit_postponed(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if std::mem::take(&mut self.commit_again) && !self.commit(now, out) {
            out.committed = Some(Ok(()));
        }
    }

    pub(super) fn drain(&mut self, now: SimTime, leaving: bool, out: &mut ConsumerOutput) {
        self.main_call = None;
        for lane in &mut self.lanes {
            lane.pending = None;
        }
        for progress in &mut self.assigned {
            progress.revoked = true;
        }
        self.phase = Phase::Draining { until: now + self.cfg.rebalance_timeout, leaving };
        out.revoked = true;
    }

    pub(super) fn give_back(&mut self, now: SimTime, leaving: bool, out: &mut ConsumerOutput) {
        if leaving {
            return self.leave(now, out);
        }
        if self.cooperates() {
            // Work on what goes must no longer move a position.
            self.epoch += 1;
            self.assigned.retain(|progress| !progress.revoked);
            // Only one that outlasted the rebalance's timeout is still under way.
            if self.commit_call.take().is_some() {
                self.commit_again = false;
            }
        } else {
            self.forget();
        }
        if self.is_modern() {
            self.settle(now, out);
            self.reconcile(now, out);
        } else {
            self.join(now, out);
        }
    }

    pub(super) fn leave(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        // The place of a static member is kept until its session ends (KIP-345).
        if self.is_modern() {
            self.leave_by_heartbeat(now, out);
        } else if !self.member.is_empty() && self.cfg.instance.is_none() {
            let pending = self.pending(now, self.cfg.request_timeout);
            self.send_group(pending.call, GroupCall::Leave, out);
        }
        self.forget();
        out.revoked = true;
        self.member = Arc::from("");
        self.kept = None;
        self.phase = Phase::Stopped;
    }

    /// Lets go of the assignment and of every call under way.
    pub(super) fn forget(&mut self) {
        // Work on these partitions must no longer move a position.
        self.epoch += 1;
        self.assigned.clear();
        self.main_call = None;
        self.heartbeat_call = None;
        self.commit_call = None;
        self.commit_again = false;
        self.lanes.clear();
        self.beats.forget();
    }
}
