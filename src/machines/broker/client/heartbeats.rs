//! A member of a group of the consumer protocol (KIP-848): one call, made again and again.
//!
//! ```text
//! join (epoch 0) ─► told what it may hold ─► finish, commit and let go of what is not in it ─► say what is left
//!      ▲                    ▲                                                                      │
//!      │                    └── every heartbeat may bring more, or less ◄──────────────────────────┘
//!      └── UNKNOWN_MEMBER_ID, FENCED_MEMBER_EPOCH: everything is lost
//! ```
//!
//! How often it beats the coordinator says; how long its session is it does not know. In: answers and the instant. Out:
//! heartbeats. Source: `ConsumerHeartbeatRequestManager` and `ConsumerMembershipManager` of Kafka 4.0; that a member makes
//! its id itself is KIP-1082. Must not know: other members. Start at [`ConsumerClient::heard`].

use std::sync::Arc;

use super::backoff;
use super::consumer::{ConsumerClient, ConsumerOutput, GroupProtocol};
use super::membership::Phase;
use crate::event::{BrokerError, GroupCall, MemberDetails, MemberEpoch, MemberHeartbeat};
use crate::units::{SimDuration, SimTime, TopicIx};

/// An error that Kafka's consumer does not get over ends its process. Whoever runs it starts it again: Kubernetes after
/// ten seconds at first.
const RESTART_AFTER: SimDuration = SimDuration::from_secs(10);

/// What heartbeats have to say, and what they have brought.
#[derive(Clone, Debug, Default)]
pub(super) struct Beats {
    /// As the coordinator wants it; at once before it was heard.
    interval: SimDuration,
    /// What it shall hold, unless that was told to an earlier life.
    target: Option<Arc<[(TopicIx, u32)]>>,
    /// The next one says everything, because the one before had no answer.
    says_all: bool,
    /// The next one says what it holds, because that has changed.
    says_owned: bool,
    /// How often it has begun as a new member.
    lives: u32,
}

impl Beats {
    /// A process begins.
    pub fn begin_anew(&mut self) {
        *self = Self { lives: self.lives, ..Self::default() };
    }

    /// The assignment is gone.
    pub fn forget(&mut self) {
        self.target = None;
    }
}

impl ConsumerClient {
    /// Whether its group is of the consumer protocol.
    pub(super) fn is_modern(&self) -> bool {
        matches!(self.cfg.protocol, GroupProtocol::Consumer { .. })
    }

    /// Comes with epoch 0 and nothing.
    pub(super) fn join_by_heartbeat(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.member.is_empty() {
            self.beats.lives += 1;
            // Kafka's client draws a UUID; counts keep ids readable and the run repeatable.
            self.member = Arc::from(format!("{}-{}-{}", self.cfg.client_id, self.cfg.call_tag, self.beats.lives));
        }
        self.generation = 0;
        self.beat(now, out);
    }

    /// Does what heartbeats have to do now.
    pub(super) fn beat_if_due(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.heartbeat_call.is_some_and(|pending| pending.deadline <= now) {
            self.heartbeat_call = None;
            self.unheard(now, BrokerError::RequestTimedOut, out);
        }
        if self.is_member() && self.heartbeat_call.is_none() && self.heartbeat_at <= now {
            self.beat(now, out);
        }
    }

    /// When that is.
    pub(super) fn next_beat(&self) -> SimTime {
        match self.heartbeat_call {
            Some(pending) => pending.deadline,
            None if self.is_member() => self.heartbeat_at,
            None => SimTime::MAX,
        }
    }

    fn is_member(&self) -> bool {
        self.beats() || self.phase == Phase::Joining
    }

    fn beat(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        let joins = self.phase == Phase::Joining;
        let says_all = std::mem::take(&mut self.beats.says_all) || joins;
        let says_owned = std::mem::take(&mut self.beats.says_owned) || says_all;
        let GroupProtocol::Consumer { assignor } = self.cfg.protocol else { return };
        let details = says_all.then(|| MemberDetails {
            topics: self.cfg.topics.iter().map(|read| read.topic).collect(),
            rebalance_timeout: self.cfg.rebalance_timeout,
            assignor,
        });
        let owned = says_owned.then(|| self.assigned.iter().map(|progress| (progress.topic, progress.partition)).collect());
        let epoch = if joins { MemberEpoch::Joining } else { MemberEpoch::At(self.generation) };
        let pending = self.pending(now, self.cfg.request_timeout);
        self.heartbeat_call = Some(pending);
        self.heartbeat_at = now + self.beats.interval;
        let body = MemberHeartbeat { epoch, instance: self.cfg.instance.clone(), details, owned };
        self.send_group(pending.call, GroupCall::MemberHeartbeat(Box::new(body)), out);
    }

    /// The coordinator has answered: in which epoch this member is, and what it may hold if that has changed.
    pub(super) fn heard(
        &mut self,
        now: SimTime,
        (epoch, interval, assignment): (u32, SimDuration, Option<Arc<[(TopicIx, u32)]>>),
        out: &mut ConsumerOutput,
    ) {
        self.generation = epoch;
        self.failures = 0;
        if self.beats.interval != interval {
            self.beats.interval = interval;
            self.heartbeat_at = now + interval;
        }
        if self.phase == Phase::Joining {
            self.phase = Phase::Stable;
        }
        if assignment.is_some() {
            self.beats.target = assignment;
        }
        if self.beats.says_owned {
            self.beat(now, out);
        }
        self.reconcile(now, out);
    }

    /// Goes on to what it shall hold, unless it is still on its way to what it was told before.
    pub(super) fn reconcile(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if !matches!(self.phase, Phase::Stable | Phase::Locating | Phase::Listing) {
            return;
        }
        let Some(target) = self.beats.target.clone() else { return };
        let holds_it = target.len() == self.assigned.len() && target.iter().all(|one| self.slot_of(one.0, one.1).is_some());
        if !holds_it {
            self.take(now, &target, out);
        }
    }

    /// Others wait for what it has let go of, so it says at once what it holds now; after the answer to the heartbeat
    /// that is under way.
    pub(super) fn tell_owned(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        self.beats.says_owned = true;
        if self.heartbeat_call.is_none() {
            self.beat(now, out);
        }
    }

    /// A heartbeat failed.
    pub(super) fn unheard(&mut self, now: SimTime, error: BrokerError, out: &mut ConsumerOutput) {
        self.beats.says_all = true;
        let leaves = matches!(self.phase, Phase::Draining { leaving: true, .. } | Phase::Committing { leaving: true });
        match error {
            // It is out of the group already: no more heartbeats, it goes on leaving.
            BrokerError::FencedMemberEpoch | BrokerError::UnknownMemberId if leaves => self.heartbeat_at = SimTime::MAX,
            BrokerError::FencedMemberEpoch | BrokerError::UnknownMemberId => self.lose(now, error, out),
            BrokerError::FencedInstanceId => self.be_fenced(out),
            BrokerError::UnreleasedInstanceId | BrokerError::GroupIdNotFound | BrokerError::UnsupportedAssignor => {
                self.crash();
                self.beats.begin_anew();
                self.phase = Phase::Resting { until: now + RESTART_AFTER };
                out.revoked = true;
            }
            _ => {
                self.failures += 1;
                self.heartbeat_at = now + backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, self.failures);
            }
        }
    }

    /// Says that it leaves, and listens to no answer; a static member says that it comes back.
    pub(super) fn leave_by_heartbeat(&mut self, now: SimTime, out: &mut ConsumerOutput) {
        if self.member.is_empty() {
            return;
        }
        let epoch = if self.cfg.instance.is_some() { MemberEpoch::Away } else { MemberEpoch::Leaving };
        let pending = self.pending(now, self.cfg.request_timeout);
        let body = MemberHeartbeat { epoch, instance: self.cfg.instance.clone(), details: None, owned: None };
        self.send_group(pending.call, GroupCall::MemberHeartbeat(Box::new(body)), out);
    }

    /// Asks for positions again after a while: whether it is still a member heartbeats tell.
    pub(super) fn ask_again_later(&mut self, now: SimTime) {
        self.failures += 1;
        let rest = backoff(self.cfg.retry_backoff, self.cfg.retry_backoff_max, self.failures);
        self.main_call = Some(self.pending(now, rest));
    }
}
