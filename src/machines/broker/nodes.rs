//! The nodes of a cluster as its controller sees them.
//!
//! A node that stops answering keeps what it leads until its session with the controller is over
//! (`broker.session.timeout.ms`); then it is *fenced*: out of every ISR, and others lead.
//! Must not know: partitions. Start at [`Node`].

use crate::units::SimTime;

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// It is gone at once. What it had appended stands on its disk, unless the disk is lost too. Its connections break,
    /// which clients see, unless it vanishes silently: then they wait for their timeouts.
    Crash { disk_lost: bool, silent: bool },
    /// A node that is down comes back. After a crash its old session must be over first, as in Kafka.
    Restart,
    /// A controlled shutdown: others take over what it leads, then it goes.
    ShutDown,
    /// It does nothing until [`NodeFault::Resume`]: a long garbage collection.
    Pause,
    /// A pause is over.
    Resume,
    /// It reaches neither the other nodes nor the controller; clients still reach it.
    Isolate,
    /// It reaches the others again.
    Rejoin,
    /// It works slower (or no longer so), and so its followers and fetches no longer keep step with the others'.
    Slow(bool),
    /// Its disk is full: the log directory is offline, and others take over.
    FillDisk,
    /// There is room again.
    FreeDisk,
}

/// Whether a node answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeState {
    /// As it should be.
    #[default]
    Up,
    /// Nothing listens there.
    Down,
    /// It listens and does not answer.
    Paused,
}

/// One node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Node {
    pub state: NodeState,
    /// Reaches no other node and no controller.
    pub isolated: bool,
    /// The controller has taken everything from it.
    pub fenced: bool,
    /// Hands over what it leads, then goes.
    pub leaving: bool,
    /// Comes back as soon as its old session is over.
    pub returns: bool,
    pub slow: bool,
    pub disk_full: bool,
    /// When the controller gives it up.
    pub session_ends: Option<SimTime>,
    /// Why it last stopped leading, for a person.
    pub last_trouble: &'static str,
}

impl Node {
    fn reaches_others(&self) -> bool {
        self.state == NodeState::Up && !self.isolated
    }
    /// Whether it may lead a partition.
    pub fn may_lead(&self) -> bool {
        self.may_follow() && !self.leaving
    }
    /// Whether it gives records to followers and fetches them.
    pub fn may_follow(&self) -> bool {
        self.reaches_others() && !self.fenced && !self.disk_full
    }
    /// Whether it keeps step with other nodes of its kind.
    pub fn keeps_step(&self) -> bool {
        self.may_lead() && !self.slow
    }
    /// Whether the controller hears of it.
    pub fn has_session(&self) -> bool {
        self.reaches_others()
    }
}
