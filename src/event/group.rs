//! What a member of a consumer group says of itself when it joins.

use std::sync::Arc;

use crate::units::{SimTime, TopicIx};

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
