//! What a member of a consumer group says of itself: when it joins a classic group, and with every heartbeat of the
//! consumer protocol (KIP-848).

use std::sync::Arc;

use crate::units::{SimDuration, SimTime, TopicIx};

/// How partitions are dealt out: an entry of `partition.assignment.strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assignor {
    /// A run of each topic for each member.
    Range,
    /// One partition after another to one member after another.
    RoundRobin,
    /// Even, and with few moves; members give everything back first.
    Sticky,
    /// As sticky, but members keep what stays theirs while the rest moves.
    CooperativeSticky,
}

impl Assignor {
    /// Every assignor.
    pub const ALL: [Self; 4] = [Self::Range, Self::RoundRobin, Self::Sticky, Self::CooperativeSticky];

    /// Kafka's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }

    /// Whether members keep what they own while the group rebalances.
    #[must_use]
    pub fn is_cooperative(self) -> bool {
        self == Self::CooperativeSticky
    }
}

/// What a member wants, and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// What it wants to read.
    pub topics: Arc<[TopicIx]>,
    /// What it understands, best liked first.
    pub assignors: Arc<[Assignor]>,
    /// What it was reading.
    pub owned: Arc<[(TopicIx, u32)]>,
    /// The generation in which it was given that.
    pub generation: Option<u32>,
}

impl Subscription {
    /// Whether the member keeps what it owns while the group rebalances: Kafka's consumer does when every
    /// assignor that it understands can.
    #[must_use]
    pub fn cooperates(&self) -> bool {
        self.assignors.iter().all(|assignor| assignor.is_cooperative())
    }
}

/// How the coordinator itself deals partitions out: an entry of `group.consumer.assignors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemoteAssignor {
    /// Even, and with few moves.
    Uniform,
    /// A run of each topic for each member.
    Range,
}

impl RemoteAssignor {
    /// Every assignor, the brokers' default first.
    pub const ALL: [Self; 2] = [Self::Uniform, Self::Range];

    /// Kafka's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assignor| assignor.name() == name)
    }
}

/// `ConsumerGroupHeartbeat`: all that a member of the consumer protocol ever says to its coordinator. What has not
/// changed since it was last said is left out.
#[derive(Clone, Debug)]
pub struct MemberHeartbeat {
    /// Where the member stands.
    pub epoch: MemberEpoch,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Said when it joins, and after a heartbeat that had no answer.
    pub details: Option<MemberDetails>,
    /// What it holds, said when that has changed.
    pub owned: Option<Arc<[(TopicIx, u32)]>>,
}

impl MemberHeartbeat {
    /// Whether it says everything: the answer then carries the assignment, changed or not.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.epoch == MemberEpoch::Joining || self.details.is_some() && self.owned.is_some()
    }
}

/// The epoch that a member names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberEpoch {
    /// 0: it joins, and holds nothing.
    Joining,
    /// The epoch that the coordinator told it last.
    At(u32),
    /// -1: it leaves.
    Leaving,
    /// -2: a static member is away for a while.
    Away,
}

/// What a member wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDetails {
    /// What it wants to read.
    pub topics: Arc<[TopicIx]>,
    /// `max.poll.interval.ms`: how long it may take to let go of partitions.
    pub rebalance_timeout: SimDuration,
    /// `group.remote.assignor`; the coordinator's choice when none.
    pub assignor: Option<RemoteAssignor>,
}

/// Where an operator puts the positions of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetTarget {
    /// The first record kept.
    Earliest,
    /// What comes next.
    Latest,
    /// The first record born at this time or later.
    Time(SimTime),
    /// This offset in every partition, or the nearest that there is.
    Offset(u64),
}
