//! The kinds of component: one folder each, and one explicit list.
//!
//! In: the model's parameters, checked against each kind's `ParamSpec`s. Out: ports, diagnostics, and a
//! [`Process`] to run. `spec.rs` of a kind is data (inspector, docs and checks read it), `sim.rs` its
//! behaviour, `tests.rs` its tests.
//! Must not know: the driver, files, the window. Start at [`Kind`] and [`ALL`]; adding a kind is one
//! folder and one line there (and an icon, and a sample).

mod alarm;
mod bridge;
pub mod clock;
mod combine;
mod connect;
mod consumer;
mod database;
pub mod fanout;
mod faults;
pub mod gateway;
pub mod kafka;
mod letters;
mod load;
mod moves;
mod outgoing;
mod params;
pub mod producer;
pub mod queue;
pub mod registry;
pub mod secrets;
pub mod service;
mod slab;
mod wiring;

pub use clock::SKEW_CLOCK;
pub use faults::{COMPONENT_FAULTS, CRASH, FREEZE, LINK_FAULTS, RESTART};
pub use kafka::PRINCIPAL;
pub use params::{ParamError, Params, check_params, check_value};
pub use wiring::{BuildCtx, ConsumerGroup, EndRole, LinkFacts, PeerTopic, Refusal, can_connect};

use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::machines::broker::cluster::Leaders;
use crate::machines::codec::{Rules, SchemaLibrary};
use crate::machines::registry::{Compatibility, SubjectNaming};
use crate::model::{Component, Default_, ParamSpec, ParamType, Project, Provenance, TimedFault};

/// Every kind, in the palette's order.
pub const ALL: &[&dyn Kind] = &[
    &producer::ProducerKind,
    &gateway::GatewayKind,
    &kafka::Kafka,
    &queue::QueueKind,
    &fanout::FanoutKind,
    &bridge::BridgeKind,
    &consumer::ConsumerKind,
    &service::ServiceKind,
    &outgoing::OutgoingKind,
    &database::DatabaseKind,
    &registry::RegistryKind,
];

/// The kind called `id`.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static dyn Kind> {
    ALL.iter().copied().find(|kind| kind.spec().id == id)
}

/// A component's parameters under its profile, or its kind's first. None of a kind that is not known.
#[must_use]
pub fn params_of(component: &Component) -> Option<Params<'_>> {
    let spec = by_id(&component.kind)?.spec();
    let profile = component.profile.as_deref().or_else(|| spec.profiles.first().copied());
    Some(Params::new(spec.params, profile, &component.params))
}

/// Whether a component keeps the order of message groups, as FIFO queues and topics do.
fn takes_fifo(component: &Component) -> bool {
    queue::is_fifo(component) || fanout::is_fifo(component)
}

/// What a link can be told.
pub const LINK_PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "latency",
        "Latency",
        ParamType::DurationDist,
        Default_::Same("1ms"),
        "One-way delay of each message; replies pay it again on their way back",
    )
    .from(Provenance::Assumed)
    .group("Network"),
    ParamSpec::new(
        "bandwidth",
        "Bandwidth",
        ParamType::Size { min: "1B", max: "1TiB" },
        Default_::Absent,
        "Bytes a second in each direction; messages queue behind each other. Unlimited when absent",
    )
    .group("Network"),
    ParamSpec::new(
        "loss",
        "Loss",
        ParamType::Ratio { min: 0.0, max: 1.0 },
        Default_::Same("0%"),
        "Share of messages that vanish; the caller sees a timeout",
    )
    .group("Network"),
];

/// What a kind of component is: static data.
#[derive(Clone, Copy, Debug)]
pub struct KindSpec {
    /// In files: `producer`.
    pub id: &'static str,
    /// In the palette: `Producer`.
    pub title: &'static str,
    /// The palette's section: `Clients`, `Messaging`, `Services`, `Edge`, `Governance`.
    pub category: &'static str,
    /// Which real products it can behave like; the first is the default. May be empty.
    pub profiles: &'static [&'static str],
    /// One sentence for the palette and the docs.
    pub help: &'static str,
    /// Parameters in inspector order.
    pub params: &'static [ParamSpec],
    /// Actions besides `set` that scenarios and buttons may send.
    pub actions: &'static [ActionSpec],
    /// Stem of a new component's id: `producer` gives `producer-1`.
    pub id_stem: &'static str,
}

impl KindSpec {
    /// What a scenario or a button may do to it: what the kind understands, and what may happen to any component.
    pub fn all_actions(&self) -> impl Iterator<Item = &'static ActionSpec> {
        self.actions.iter().chain(COMPONENT_FAULTS)
    }
    /// The action called `name`.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<&'static ActionSpec> {
        self.all_actions().find(|action| action.name == name)
    }
}

/// A framework that a profile stands for: what it calls the settings of a kind.
#[derive(Clone, Copy, Debug)]
pub struct Framework {
    /// The profile.
    pub profile: &'static str,
    /// For people.
    pub title: &'static str,
    /// Its own key for a parameter.
    pub keys: &'static [(&'static str, &'static str)],
    /// What stands before Kafka's keys, which it hands on to Kafka's client.
    pub passes_on: &'static str,
    /// Groups of parameters that it has nothing for.
    pub lacks_groups: &'static [&'static str],
    /// Further such parameters.
    pub lacks: &'static [&'static str],
}

/// What a framework makes of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameworkKey {
    /// It is set under this key.
    Key(String),
    /// There is no such setting.
    Lacking,
    /// It is no setting of a client.
    Other,
}

impl Framework {
    /// What it calls a parameter.
    #[must_use]
    pub fn key_of(&self, spec: &ParamSpec) -> FrameworkKey {
        if self.lacks.contains(&spec.name) || self.lacks_groups.contains(&spec.group) {
            return FrameworkKey::Lacking;
        }
        if let Some((_, key)) = self.keys.iter().find(|(name, _)| *name == spec.name) {
            return FrameworkKey::Key((*key).to_owned());
        }
        match (spec.product_key, spec.provenance) {
            (Some(key), Provenance::Documented(source)) if source.starts_with("Kafka") => {
                FrameworkKey::Key(format!("{}{key}", self.passes_on))
            }
            (Some(key), _) => FrameworkKey::Key(key.to_owned()),
            _ => FrameworkKey::Other,
        }
    }
}

/// What a scenario or a button may do to a running component, beside changing its parameters.
#[derive(Clone, Copy, Debug)]
pub struct ActionSpec {
    /// In files: `stop-instance`.
    pub name: &'static str,
    /// One or two sentences.
    pub help: &'static str,
    /// Its arguments; those without a default must be given.
    pub params: &'static [ParamSpec],
}

/// An action that a scenario plans.
#[derive(Clone, Copy, Debug)]
pub struct PlannedAction<'a> {
    /// Where it stands in the file.
    pub path: &'a str,
    /// When, to what, which.
    pub fault: &'a TimedFault,
    /// Its arguments, read by their specs.
    pub arguments: &'a Params<'a>,
    /// All that the scenario plans, this one too.
    pub timeline: &'a [TimedFault],
}

/// What flows through a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortType {
    /// Gives events to a gateway (HTTP) or to a topic (produce): a client's way out.
    EventsOut,
    /// Takes HTTP requests.
    HttpIn,
    /// Produces to topics: a gateway's or service's way out to a log.
    RecordsOut,
    /// Moves events on to a topic, a queue or a fan-out topic: a bridge's way out.
    Onward,
    /// Posts to gateways: a sender of webhooks' way out.
    Posts,
    /// Sends to queues and fan-out topics: a gateway's way out to them.
    MessagesFrom,
    /// A topic: records come in and go out.
    Topic,
    /// Reads topics, or a queue.
    RecordsIn,
    /// A queue's way in: messages are sent here.
    MessagesIn,
    /// A queue's way out: consumers receive here.
    MessagesOut,
    /// Gives what cannot be processed to another queue.
    Letters,
    /// A fan-out topic's way in: events are published here.
    PublishIn,
    /// A fan-out topic's way out: each link is a subscription.
    Subscriptions,
    /// Looks schemas up (a reference, dashed).
    SchemasFrom,
    /// Answers look-ups.
    Schemas,
}

/// One port of a component, possibly named by a parameter (a topic).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSpec {
    /// In files, after the dot.
    pub name: String,
    /// What flows.
    pub ty: PortType,
    /// For a tooltip.
    pub help: &'static str,
}

impl PortSpec {
    /// Whether links may begin here.
    #[must_use]
    pub fn gives(&self) -> bool {
        matches!(
            self.ty,
            PortType::EventsOut
                | PortType::RecordsOut
                | PortType::Onward
                | PortType::Posts
                | PortType::MessagesFrom
                | PortType::Topic
                | PortType::MessagesOut
                | PortType::Letters
                | PortType::Subscriptions
                | PortType::SchemasFrom
        )
    }
    /// Whether its links look something up and carry no events.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        matches!(self.ty, PortType::SchemasFrom | PortType::Schemas)
    }
    /// Whether links may end here.
    #[must_use]
    pub fn takes(&self) -> bool {
        matches!(
            self.ty,
            PortType::HttpIn | PortType::Topic | PortType::RecordsIn | PortType::MessagesIn | PortType::PublishIn | PortType::Schemas
        )
    }
}

/// A topic that a cluster's parameters declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDecl {
    /// Name, also the port's.
    pub name: String,
    /// How many partitions.
    pub partitions: u32,
    /// Which nodes lead them.
    pub leaders: Leaders,
    /// It refuses records without a key.
    pub needs_keys: bool,
}

/// A topic that a component needs beside one that it reads, in the same cluster: created where it does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanionTopic {
    /// Name.
    pub name: String,
    /// Partitions, where it is created.
    pub partitions: u32,
    /// It is read with the component's group and this behind its name; none where it is only written to.
    pub group_suffix: Option<String>,
}

/// Events that a component writes with a registered schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaWritten {
    /// Subject at the registry that it asks; by a strategy the project's schema whose subject it asks for.
    pub subject: String,
    /// How the client names the subject of what it writes; none where the subject itself is given.
    pub naming: Option<SubjectNaming>,
    /// Which message of a Protobuf schema it is; the first when absent.
    pub message: Option<String>,
    /// The latest one when absent.
    pub version: Option<u32>,
    /// The way out.
    pub port: &'static str,
    /// The topic or queue, where it goes to one of several.
    pub topic: Option<String>,
}

impl SchemaWritten {
    /// The subject that the client asks for, where it writes to this topic or queue.
    ///
    /// # Errors
    /// Why a strategy gives none: there is no such schema or topic, or the schema has no name.
    pub fn subject_in(&self, project: &Project, schemas: &SchemaLibrary, topic: Option<&str>) -> Result<String, String> {
        let Some(naming) = self.naming else { return Ok(self.subject.clone()) };
        let source = project.schemas.get(&self.subject).ok_or_else(|| format!("`{}` is no schema of this project", self.subject))?;
        let schema = schemas.compile_any(&source.text)?;
        let ty = schema.type_named(self.message.as_deref())?;
        let record = schema.typed(ty).message_name().or_else(|| schema.name());
        match (naming, topic.or(self.topic.as_deref())) {
            (SubjectNaming::Record, topic) => naming.subject(topic.unwrap_or_default(), false, record.as_deref()),
            (_, Some(topic)) => naming.subject(topic, false, record.as_deref()),
            (_, None) => Err("its subject is named after a topic, and it writes to none".to_owned()),
        }
    }
}

/// How a component reads events by their schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemasRead {
    /// Version of the subject that it reads with; the writer's when absent.
    pub version: Option<u32>,
}

/// A subject that a registry begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectDeclared {
    /// Its name.
    pub name: String,
    /// Of all its versions.
    pub schema_type: String,
    /// The level that counts for it, in Confluent's words; none when it takes no further version.
    pub level: Option<Compatibility>,
    /// By which rules its versions are compared.
    pub rules: Rules,
    /// What its schemas name, and the subject of each.
    pub references: Vec<(String, String)>,
    /// Names of the project's schemas, oldest first.
    pub versions: Vec<String>,
}

/// Names that a component brings into the design; `compile/` numbers them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declarations {
    /// Topics of a cluster.
    pub topics: Vec<TopicDecl>,
    /// The consumer group that it reads with.
    pub group: Option<String>,
    /// Event types that it makes.
    pub event_types: Vec<String>,
    /// Receivers that it serves itself: each is a group of its own towards what it takes in, which is its first topic.
    pub receivers: Vec<String>,
    /// Guarantees that it states: words of the expectation `guarantee("id", word)`.
    pub guarantees: Vec<String>,
    /// What it writes with registered schemas.
    pub schemas_written: Vec<SchemaWritten>,
    /// How it reads with them, if it does.
    pub schemas_read: Option<SchemasRead>,
    /// Subjects that it keeps.
    pub subjects: Vec<SubjectDeclared>,
}

/// A kind of component.
pub trait Kind: Sync {
    /// Its static data.
    fn spec(&self) -> &'static KindSpec;
    /// Its ports under these parameters (read leniently: a broken parameter gives fewer ports, no error).
    fn ports(&self, component: &Component) -> Vec<PortSpec>;
    /// Topics, group and event types that it declares (read leniently, like ports).
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let _ = (id, component);
        Declarations::default()
    }
    /// Whether it answers [`crate::event::Query::Service`]: it has state or rows that a person can look at.
    fn keeps_something(&self) -> bool {
        false
    }
    /// The framework that a profile stands for, where it is one.
    fn framework(&self, profile: &str) -> Option<&'static Framework> {
        let _ = profile;
        None
    }
    /// What it needs beside a topic that it reads (read leniently, like ports).
    fn companion_topics(&self, component: &Component, topic: &str) -> Vec<CompanionTopic> {
        let _ = (component, topic);
        Vec::new()
    }
    /// Puts a topic into a cluster that has none of that name.
    fn create_topic(&self, component: &mut Component, topic: &CompanionTopic) {
        let _ = (component, topic);
    }
    /// Problems beyond each parameter's own range: contradictions, missing links, risky settings.
    /// Paths begin with `components.<id>`.
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>);
    /// Problems of an action's arguments beyond each one's own range; paths begin with the action's.
    fn check_action(&self, component: &Component, action: &PlannedAction<'_>, out: &mut Vec<Diagnostic>) {
        let _ = (component, action, out);
    }
    /// The running component. Called only when no diagnostic of the project is an error.
    ///
    /// # Errors
    /// A diagnostic, if something can only be seen while building.
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic>;
}
