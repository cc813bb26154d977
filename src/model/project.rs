//! The design as plain data.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Value;
use crate::units::{SimDuration, SimTime};

/// More components than this are refused by the reader and by edits.
pub const COMPONENTS_MAX: usize = 10_000;

/// A whole design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// What the window's title shows.
    pub name: String,
    /// One paragraph: what this design shows or decides.
    pub aim: String,
    /// The seed of a run that is given no other.
    pub seed: u64,
    /// Assumptions, as text; the report prints them.
    pub assumptions: Vec<String>,
    /// Decisions, as text; the report prints them.
    pub decisions: Vec<String>,
    /// Schemas by name, inline or by relative path; contents are loaded with the project.
    pub schemas: IndexMap<String, SchemaSource>,
    /// Components by visible id, in file order.
    pub components: IndexMap<String, Component>,
    /// Links in file order.
    pub links: Vec<Link>,
    /// Scenarios by name. The first is the default; with none, a run uses the design's own loads for 60 s.
    pub scenarios: IndexMap<String, Scenario>,
    /// What must hold, as expression text (`p99(latency, "checkout") < 200ms`).
    pub expect: Vec<String>,
    /// Positions, frames, notes: nothing here changes a run.
    pub layout: Layout,
}

/// A box on the canvas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Component {
    /// What it is (`producer`); one of the names in the list of kinds.
    pub kind: String,
    /// Immutable key: random streams hang on it. Empty means "its id", which is what a new component has;
    /// a rename fills it with the first id.
    pub key: String,
    /// Which real product it behaves like (`kafka-4.0`); none means the kind's first profile.
    pub profile: Option<String>,
    /// Shown on the card instead of the id.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Which team owns it.
    pub owner: Option<String>,
    /// The bounded context it belongs to.
    pub context: Option<String>,
    /// The class of data it handles (`public`, `personal`…).
    pub data_class: Option<String>,
    /// Only what differs from the profile's defaults.
    pub params: IndexMap<String, Value>,
}

impl Component {
    /// The stream key of the component called `id`.
    #[must_use]
    pub fn stream_key<'a>(&'a self, id: &'a str) -> &'a str {
        if self.key.is_empty() { id } else { &self.key }
    }
}

/// One end of a link: `shop.orders`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Endpoint {
    /// Component id.
    pub component: String,
    /// Port name.
    pub port: String,
}

impl Endpoint {
    /// `component.port`; the component id ends at the first dot, port names may contain dots (topics do).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (component, port) = text.split_once('.')?;
        (!component.is_empty() && !port.is_empty()).then(|| Self { component: component.to_owned(), port: port.to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.component, self.port)
    }
}

/// A wire. Its id in reports is `from→to`; two links between the same ports are refused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// Where data comes from (for a reference link: who looks up).
    pub from: Endpoint,
    /// Where data goes.
    pub to: Endpoint,
    /// `latency`, `bandwidth`, `loss` where they differ from [`crate::components::LINK_PARAMS`].
    pub params: IndexMap<String, Value>,
}

impl Link {
    /// The id that reports use.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}→{}", self.from, self.to)
    }
}

/// A schema and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaSource {
    /// Relative path as written, `None` for an inline schema.
    pub path: Option<String>,
    /// The schema's text; `Err` says why it could not be read.
    pub text: Arc<str>,
}

impl SchemaSource {
    /// Whether a text is a schema itself and not the path of one: JSON begins like this, and Protobuf has signs that paths
    /// have not.
    #[must_use]
    pub fn is_schema(text: &str) -> bool {
        text.trim_start().starts_with(['{', '[', '"']) || text.contains([';', '{'])
    }
}

/// A load and its faults: what a run adds to the design.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// What this scenario shows.
    pub about: String,
    /// Virtual length of the run.
    pub length: Option<SimDuration>,
    /// Virtual time cut from the head of the figures.
    pub warm_up: Option<SimDuration>,
    /// Overrides: component id → parameter → value.
    pub set: IndexMap<String, IndexMap<String, Value>>,
    /// Things that happen at a time.
    pub faults: Vec<TimedFault>,
    /// Expectations of the project that this scenario is meant to miss, by their text; tests check that they do.
    pub misses: Vec<String>,
}

/// What something happens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTarget {
    /// A component, by its id; in files `component: "billing"`.
    Component(String),
    /// A link, by its ends; in files `link: "web.out -> edge.in"`.
    Link(Endpoint, Endpoint),
}

impl FaultTarget {
    /// A link as files and reports name it: its ends with `->` or `→` between.
    #[must_use]
    pub fn link(text: &str) -> Option<Self> {
        let (from, to) = text.split_once("->").or_else(|| text.split_once('→'))?;
        Some(Self::Link(Endpoint::parse(from.trim())?, Endpoint::parse(to.trim())?))
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component(id) => f.write_str(id),
            Self::Link(from, to) => write!(f, "{from} -> {to}"),
        }
    }
}

/// One thing that happens at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedFault {
    /// When.
    pub at: SimTime,
    /// To what.
    pub target: FaultTarget,
    /// What: `set` (with `params`), `stop-instance`, `cut`; a kind lists what it understands, as do links.
    pub action: String,
    /// Its arguments.
    pub params: IndexMap<String, Value>,
}

/// Everything about the drawing and nothing about the meaning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Top left corner of each card by component id.
    pub positions: IndexMap<String, [f32; 2]>,
    /// Labelled groups.
    pub frames: Vec<Frame>,
    /// Notes.
    pub notes: Vec<Note>,
}

/// A labelled rectangle; moving it moves its members.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// Shown at its top edge.
    pub label: String,
    /// Top left corner.
    pub position: [f32; 2],
    /// Width and height.
    pub size: [f32; 2],
    /// Component ids that move with it.
    pub members: Vec<String>,
}

/// A piece of text on the canvas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Note {
    /// The text.
    pub text: String,
    /// Top left corner.
    pub position: [f32; 2],
    /// Width and height.
    pub size: [f32; 2],
}
