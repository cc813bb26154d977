//! Who reads what: the assignors of Kafka's classic group protocol, which the leader of a group runs, and those of the
//! consumer protocol, which the coordinator runs itself.
//!
//! In: the members' subscriptions, the partition count of each topic. Out: the partitions of each member.
//! Must not know: the protocols' phases, time. Start at [`assign`] and [`assign_remotely`].
//!
//! Every partition of a topic that anybody wants gets exactly one reader; only the cooperative assignor leaves
//! some without one, until their owners have let go. Cases that Kafka's own classes computed are in
//! `kafka_assignors.json`; those of the coordinator's assignors are in `remote_tests.rs`.

mod cooperative;
mod range;
mod round_robin;
mod sticky;
mod sticky_uneven;
mod uniform;
mod uniform_mixed;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::event::{Assignor, RemoteAssignor, Subscription};
use crate::units::TopicIx;

/// A member and what it says of itself.
pub type Subscriber = (Arc<str>, Subscription);
/// What each member gets.
pub type Assignment = Vec<(Arc<str>, Vec<(TopicIx, u32)>)>;

/// Deals the partitions of `topics`, which stand in the order of their names, out to the members.
#[must_use]
pub fn assign(assignor: Assignor, members: &[Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let mut members: Vec<&Subscriber> = members.iter().collect();
    match assignor {
        Assignor::Range | Assignor::RoundRobin => members.sort_by(|a, b| by_instance(a, b)),
        // Text order, so `m10` comes before `m2`.
        Assignor::Sticky | Assignor::CooperativeSticky => members.sort_by(|a, b| a.0.cmp(&b.0)),
    }
    match assignor {
        Assignor::Range => range::assign(&members, topics),
        Assignor::RoundRobin => round_robin::assign(&members, topics),
        Assignor::Sticky => sticky::assign(&members, topics),
        Assignor::CooperativeSticky => cooperative::assign(&members, topics),
    }
}

/// Deals partitions out as the coordinator of a consumer group does; what a member owns is its last target.
#[must_use]
pub fn assign_remotely(assignor: RemoteAssignor, members: &[Subscriber], topics: &[(TopicIx, u32)]) -> Assignment {
    let mut members: Vec<&Subscriber> = members.iter().collect();
    match assignor {
        RemoteAssignor::Range => {
            members.sort_by(|a, b| by_instance(a, b));
            range::assign(&members, topics)
        }
        // Kafka goes through a hash table of members; text order is what its tests take.
        RemoteAssignor::Uniform => {
            members.sort_by(|a, b| a.0.cmp(&b.0));
            uniform::assign(&members, topics)
        }
    }
}

/// Static members by their instance ids, then the others by their member ids.
fn by_instance(a: &Subscriber, b: &Subscriber) -> Ordering {
    match (&a.1.instance, &b.1.instance) {
        (Some(one), Some(other)) => one.cmp(other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.0.cmp(&b.0),
    }
}

fn nothing_for(members: &[&Subscriber]) -> Assignment {
    members.iter().map(|(id, _)| (Arc::clone(id), Vec::new())).collect()
}

fn wants(member: &Subscriber, topic: TopicIx) -> bool {
    member.1.topics.contains(&topic)
}

#[cfg(test)]
mod remote_tests;
#[cfg(test)]
mod tests;
