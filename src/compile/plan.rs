//! What runs: dense, typed, built.

use std::sync::Arc;

use crate::components::{ConsumerGroup, PeerTopic};
use crate::diagnostics::Diagnostic;
use crate::engine::{Input, LinkEnd, Process, TraceSampling};
use crate::event::KeptLog;
use crate::machines::codec::SchemaLibrary;
use crate::model::{Project, Value};
use crate::random::{Distribution, Stream};
use crate::units::{ComponentIx, GroupIx, LinkIx, SimDuration, SimTime, TopicIx};

/// What a person chose for one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunOptions {
    /// By name; none is the project's first scenario, or its own loads when it has none.
    pub scenario: Option<String>,
    /// Instead of the project's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's length.
    pub length: Option<SimDuration>,
    /// `--set COMPONENT.PARAM=VALUE`, in order, after the scenario's overrides.
    pub set: Vec<(String, String, Value)>,
    /// Instead of the scenario's warm-up.
    pub warm_up: Option<WarmUp>,
    /// Which events to follow; none lets the plan choose by the design's rates.
    pub tracing: Option<TraceSampling>,
}

/// How much of the head is cut from the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// This much.
    Fixed(SimDuration),
    /// Chosen from the run's own series by MSER-5.
    Auto,
}

/// A compiled design.
#[derive(Clone)]
pub struct Plan {
    /// The design, scenario and overrides applied.
    pub project: Arc<Project>,
    /// Name of the scenario, empty for the design's own loads.
    pub scenario: String,
    /// Seed of every stream.
    pub seed: u64,
    /// Virtual end.
    pub length: SimDuration,
    /// Head cut from the figures.
    pub warm_up: WarmUp,
    /// By [`ComponentIx`]; the order is the project's.
    pub components: Vec<PlannedComponent>,
    /// By [`crate::units::LinkIx`]; the order is the project's.
    pub links: Vec<PlannedLink>,
    /// By [`crate::units::TopicIx`].
    pub topics: Vec<PeerTopic>,
    /// By [`crate::units::GroupIx`].
    pub groups: Vec<ConsumerGroup>,
    /// Topics and groups of retries, with those whose events are tried again there.
    pub retries: Vec<((TopicIx, GroupIx), (TopicIx, GroupIx))>,
    /// Names by [`crate::units::EventTypeIx`].
    pub event_types: Vec<Arc<str>>,
    /// Schemas compiled once.
    pub schemas: Arc<SchemaLibrary>,
    /// Faults and changes by time.
    pub inputs: Vec<TimedInput>,
    /// Which events to follow.
    pub tracing: TraceSampling,
    /// What logs hold at the beginning; nothing unless earlier runs have left something.
    pub kept: Arc<Vec<KeptLog>>,
    /// Warnings and notes.
    pub remarks: Vec<Diagnostic>,
    /// `component.param` → value given by scenario or command line.
    pub overrides: std::collections::BTreeMap<String, String>,
}

/// A component with its process, ready to start.
#[derive(Clone)]
pub struct PlannedComponent {
    /// Visible id.
    pub id: Arc<str>,
    /// Stream key.
    pub key: Arc<str>,
    /// Kind.
    pub kind: &'static str,
    /// What runs.
    pub process: Box<dyn Process>,
    /// The groups that it reads with: of what is linked to it, then of its retry topics.
    pub groups: Vec<GroupIx>,
    /// The topic that it writes results to.
    pub results: Option<TopicIx>,
    /// For each of its [`LinkEnd`]s: which link, and whether it holds the `from` end.
    pub ends: Vec<(crate::units::LinkIx, bool)>,
}

/// A link with its network.
#[derive(Clone, Debug)]
pub struct PlannedLink {
    /// `from→to` as reports show it.
    pub id: Arc<str>,
    /// Component and its end.
    pub from: (ComponentIx, LinkEnd),
    /// Component and its end.
    pub to: (ComponentIx, LinkEnd),
    /// One-way delay.
    pub latency: Distribution,
    /// Bytes a second in each direction.
    pub bandwidth_bytes_per_s: Option<u64>,
    /// Share of messages that vanish.
    pub loss_ratio: f64,
    /// For latency and loss, one for each direction.
    pub streams: [Stream; 2],
    /// For faults, so that one moves no other number.
    pub fault_stream: Stream,
    /// A schema look-up: drawn dashed.
    pub is_reference: bool,
}

/// What something happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputTarget {
    /// A component.
    Component(ComponentIx),
    /// A link.
    Link(LinkIx),
}

/// Something a scenario or a person does.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedInput {
    /// When.
    pub at: SimTime,
    /// To what.
    pub target: InputTarget,
    /// What.
    pub input: Input,
}
