//! One member of a group of the consumer protocol, on its way to its target.
//!
//! ```text
//!          target of a new epoch                        it holds none of that any more
//! Stable ────────────────────────┬─► Unrevoked ────────────────────────────────────────┐
//!   ▲                            ├─────────────────────────────────────────────────────┤
//!   └── all of the target is its own ◄────────── Unreleased, until others have let go ◄┘
//! ```
//!
//! While it has something to let go of it stays in its epoch; then it goes on to the target's. Source:
//! `CurrentAssignmentBuilder` and `ConsumerGroupMember`. Must not know: other members. Start at [`Member::reconcile`].

use std::sync::Arc;

use crate::event::{MemberDetails, MemberEpoch, MemberHeartbeat, RemoteAssignor};
use crate::units::{SimDuration, SimTime, TopicIx};

type Partition = (TopicIx, u32);

/// A member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// `group.instance.id`.
    pub instance: Option<Arc<str>>,
    /// Its session's end.
    pub expires: SimTime,
    details: MemberDetails,
    /// 0 until it has been given something.
    epoch: u32,
    /// The one before: the member may not have heard of the present one yet.
    previous_epoch: u32,
    /// A static member that has said that it comes back.
    is_away: bool,
    state: State,
    /// What it may hold, in order.
    assigned: Arc<[Partition]>,
    /// What it has still to let go of.
    revoked: Vec<Partition>,
    /// By when.
    revoke_until: Option<SimTime>,
    /// What it shall hold in the end, in order.
    target: Arc<[Partition]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has what it shall have.
    Stable,
    /// It has not let go of everything yet.
    Unrevoked,
    /// Others have not let go yet.
    Unreleased,
}

impl Member {
    /// One that has said nothing yet.
    pub fn new(instance: Option<Arc<str>>) -> Self {
        Self {
            instance,
            expires: SimTime::MAX,
            details: MemberDetails { topics: Arc::default(), rebalance_timeout: SimDuration::ZERO, assignor: None },
            epoch: 0,
            previous_epoch: 0,
            is_away: false,
            state: State::Stable,
            assigned: Arc::default(),
            revoked: Vec::new(),
            revoke_until: None,
            target: Arc::default(),
        }
    }
    pub fn epoch(&self) -> u32 {
        self.epoch
    }
    pub fn topics(&self) -> &Arc<[TopicIx]> {
        &self.details.topics
    }
    pub fn assignor(&self) -> Option<RemoteAssignor> {
        self.details.assignor
    }
    pub fn assigned(&self) -> Arc<[Partition]> {
        Arc::clone(&self.assigned)
    }
    pub fn target(&self) -> Arc<[Partition]> {
        Arc::clone(&self.target)
    }
    pub fn is_away(&self) -> bool {
        self.is_away
    }
    pub fn is_at(&self, epoch: u32) -> bool {
        !self.is_away && self.epoch == epoch
    }
    /// What nobody else may have: what it may hold, and what it has to let go of.
    pub fn holds(&self) -> impl Iterator<Item = Partition> {
        self.assigned.iter().chain(&self.revoked).copied()
    }
    /// When it is thrown out, unless something happens before.
    pub fn deadline(&self) -> SimTime {
        self.revoke_until.map_or(self.expires, |until| until.min(self.expires))
    }

    /// Whether it may say this epoch: its own, or the one before if the answer with its own was lost. Then it holds
    /// nothing that it may not hold.
    pub fn takes(&self, epoch: u32, owned: Option<&[Partition]>) -> bool {
        let holds_its_own = |owned: &[Partition]| owned.iter().all(|one| self.assigned.binary_search(one).is_ok());
        self.is_at(epoch) || !self.is_away && epoch == self.previous_epoch && epoch < self.epoch && owned.is_some_and(holds_its_own)
    }

    /// Notes what a heartbeat says. True when it wants other topics than before.
    pub fn update(&mut self, beat: &MemberHeartbeat) -> bool {
        debug_assert!(matches!(beat.epoch, MemberEpoch::Joining | MemberEpoch::At(_)), "others do not stay");
        let Some(details) = &beat.details else { return false };
        let wants_other_topics = details.topics != self.details.topics;
        // What is left out of a heartbeat stays as it was.
        let assignor = details.assignor.or(self.details.assignor);
        self.details = MemberDetails { assignor, ..details.clone() };
        wants_other_topics
    }

    /// A new target; partitions in any order.
    pub fn aim_at(&mut self, mut target: Vec<Partition>) {
        target.sort_unstable();
        if *self.target != *target {
            self.target = target.into();
        }
    }

    /// A static member that is away takes no part; what it had to let go of is given up.
    pub fn go_away(&mut self) -> Vec<Partition> {
        self.is_away = true;
        self.revoke_until = None;
        std::mem::take(&mut self.revoked)
    }

    /// A static member is back, perhaps under another id, and holds nothing yet.
    pub fn come_back(&mut self) {
        (self.is_away, self.epoch, self.previous_epoch) = (false, 0, 0);
    }

    /// The time for letting go begins anew.
    pub fn renew_revocation(&mut self, now: SimTime) {
        if self.revoke_until.is_some() {
            self.revoke_until = Some(now + self.details.rebalance_timeout);
        }
    }

    /// A step towards the target of an epoch; `owned` is what the member says that it holds, if it says so. True when
    /// something has changed.
    pub fn reconcile(&mut self, now: SimTime, target_epoch: u32, owned: Option<&[Partition]>, is_free: impl Fn(Partition) -> bool) -> bool {
        let epoch = match self.state {
            State::Stable if self.epoch == target_epoch => return false,
            State::Unrevoked if still_owns(owned, &self.revoked) => return false,
            State::Unrevoked => self.epoch + 1,
            State::Stable | State::Unreleased => self.epoch,
        };
        let is_in = |list: &[Partition], one: &Partition| list.binary_search(one).is_ok();
        let (mut assigned, lost): (Vec<_>, Vec<_>) = self.assigned.iter().copied().partition(|one| is_in(&self.target, one));
        if !lost.is_empty() && still_owns(owned, &lost) {
            self.become_(State::Unrevoked, epoch, assigned);
            self.revoked = lost;
            self.revoke_until = Some(now + self.details.rebalance_timeout);
            return true;
        }
        let missing = self.target.iter().copied().filter(|one| !is_in(&self.assigned, one));
        let (free, unreleased): (Vec<_>, Vec<_>) = missing.partition(|one| is_free(*one));
        assigned.extend(free);
        assigned.sort_unstable();
        let state = if unreleased.is_empty() { State::Stable } else { State::Unreleased };
        self.become_(state, target_epoch, assigned);
        self.revoked.clear();
        self.revoke_until = None;
        true
    }

    fn become_(&mut self, state: State, epoch: u32, assigned: Vec<Partition>) {
        self.state = state;
        (self.previous_epoch, self.epoch) = (self.epoch, epoch);
        if *self.assigned != *assigned {
            self.assigned = assigned.into();
        }
    }
}

/// Whether a member may hold one of these partitions still: it says so, or says nothing.
fn still_owns(owned: Option<&[Partition]>, revoked: &[Partition]) -> bool {
    owned.is_none_or(|owned| owned.iter().any(|one| revoked.contains(one)))
}
