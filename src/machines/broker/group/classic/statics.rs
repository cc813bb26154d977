//! Static members (KIP-345): an instance id keeps its place while its member restarts.
//!
//! A member that comes without a member id but with a known instance id takes the place of the one before it, which
//! is fenced from then on. In a stable group nothing else happens: no generation begins, the assignment is handed on
//! (`GroupCoordinator.updateStaticMemberAndRebalance`). Must not know: phases beyond that. Start at
//! [`ClassicGroup::take_place`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Answers, ClassicGroup, answer};
use crate::event::BrokerError;

/// Which member stands for an instance id.
#[derive(Clone, Debug, Default)]
pub(super) struct StaticMembers {
    places: BTreeMap<Arc<str>, Place>,
}

#[derive(Clone, Debug)]
struct Place {
    member: Arc<str>,
    /// The member before it, which may not know yet.
    fenced: Option<Arc<str>>,
}

impl StaticMembers {
    /// Lets a member stand for an instance id; the one that it replaces.
    fn put(&mut self, instance: &Arc<str>, member: &Arc<str>) -> Option<Arc<str>> {
        let before = self.places.get(instance).map(|place| Arc::clone(&place.member));
        let place = Place { member: Arc::clone(member), fenced: before.clone() };
        self.places.insert(Arc::clone(instance), place);
        before
    }

    /// Whether another member stands for the instance that this one was.
    pub fn has_fenced(&self, member: &Arc<str>) -> bool {
        self.places.values().any(|place| place.fenced.as_ref() == Some(member))
    }

    /// Whether this member stands for an instance id.
    pub fn contains(&self, member: &Arc<str>) -> bool {
        self.places.values().any(|place| place.member == *member)
    }

    /// Frees the places of members that are gone.
    pub fn retain(&mut self, is_member: impl Fn(&Arc<str>) -> bool) {
        self.places.retain(|_, place| is_member(&place.member));
    }
}

impl<C: Copy> ClassicGroup<C> {
    /// A new member id for an instance id. True when there was one before: the new one has taken everything over.
    pub(super) fn take_place(&mut self, instance: &Arc<str>, id: &Arc<str>, out: &mut Answers<C>) -> bool {
        let Some(before) = self.statics.put(instance, id) else { return false };
        let Some(mut member) = self.members.remove(&before) else { return false };
        if let Some(to) = member.waiting.take() {
            answer(out, to, Err(BrokerError::FencedInstanceId));
        }
        member.joined = false;
        if self.leader.as_ref() == Some(&before) {
            self.leader = Some(Arc::clone(id));
        }
        self.members.insert(Arc::clone(id), member);
        true
    }

    /// How a member is told that the group does not know it.
    pub(super) fn stranger(&self, id: &Arc<str>) -> BrokerError {
        if self.statics.has_fenced(id) { BrokerError::FencedInstanceId } else { BrokerError::UnknownMemberId }
    }
}
