//! How components see their surroundings: link ends, peers, topics, groups; and which links make sense.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::{PortSpec, PortType};
use crate::engine::LinkEnd;
use crate::machines::broker::cluster::Leaders;
use crate::machines::codec::SchemaLibrary;
use crate::model::Project;
use crate::random::Stream;
use crate::units::{ComponentIx, EventTypeIx, GroupIx, LinkIx, SimDuration, TopicIx};

/// A registry's client repeats a look-up that has no answer after this.
pub(super) const SCHEMA_TIMEOUT: SimDuration = SimDuration::from_secs(5);

/// Which end of a link a component holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndRole {
    /// The link begins at this component.
    From,
    /// The link ends at this component.
    To,
}

/// A topic at the other end of a link, or one of the component's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerTopic {
    /// Number in the plan.
    pub topic: TopicIx,
    /// Name.
    pub name: Arc<str>,
    /// How many partitions.
    pub partitions: u32,
    /// Which nodes lead them.
    pub leaders: Leaders,
    /// It refuses records without a key.
    pub needs_keys: bool,
    /// The cluster's component.
    pub cluster: ComponentIx,
}

/// One of a component's link ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    /// What the process calls it.
    pub end: LinkEnd,
    /// The link.
    pub link: LinkIx,
    /// This component's port.
    pub port: String,
    /// That port's type.
    pub port_ty: PortType,
    /// Which end.
    pub role: EndRole,
    /// The other component.
    pub peer: ComponentIx,
    /// Its id.
    pub peer_id: String,
    /// Its kind.
    pub peer_kind: String,
    /// Its port.
    pub peer_port: String,
    /// That port's type.
    pub peer_port_ty: PortType,
    /// The topic at the other end, if the peer's port is one.
    pub topic: Option<PeerTopic>,
    /// The queue or fan-out topic at the other end, if the peer is one: numbered like a topic of one partition.
    pub queue: Option<PeerTopic>,
    /// The fan-out topic at the other end, if it pushes here what is published there.
    pub pushes: Option<PeerTopic>,
}

impl LinkFacts {
    /// Whether the peer is a consumer: its port reads topics and queues, or takes what is pushed.
    #[must_use]
    pub fn peer_port_takes_records(&self) -> bool {
        self.peer_port_ty == PortType::RecordsIn
    }
    /// Whether requests over HTTP go over it: the peer is neither a topic nor a queue.
    #[must_use]
    pub fn port_leads_to_http(&self) -> bool {
        self.topic.is_none() && self.queue.is_none()
    }
}

/// A consumer group attached to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// Number in the plan.
    pub group: GroupIx,
    /// Name.
    pub name: Arc<str>,
    /// The cluster.
    pub cluster: ComponentIx,
    /// The topics it reads.
    pub topics: Vec<TopicIx>,
}

/// Everything a kind may know of its surroundings while it is checked and built.
#[derive(Clone, Copy, Debug)]
pub struct BuildCtx<'a> {
    /// The whole design.
    pub project: &'a Project,
    /// This component's visible id.
    pub id: &'a str,
    /// Its number.
    pub me: ComponentIx,
    /// Its stream key.
    pub key: &'a str,
    /// The run's seed.
    pub seed: u64,
    /// Its link ends in file order.
    pub links: &'a [LinkFacts],
    /// Every topic of the design by number.
    pub topics: &'a [PeerTopic],
    /// Every group of the design by number.
    pub groups: &'a [ConsumerGroup],
    /// Event types of the design in first-named order.
    pub event_types: &'a BTreeMap<String, EventTypeIx>,
    /// The project's schemas, compiled once and shared; a client that got a text from a registry asks here.
    pub schemas: &'a Arc<SchemaLibrary>,
}

impl BuildCtx<'_> {
    /// A random stream of this component for one purpose (`arrivals`, `payload`, `service`…).
    #[must_use]
    pub fn stream(&self, purpose: &str) -> Stream {
        Stream::new(self.seed, self.key, purpose)
    }
    /// The link ends at one of its ports.
    pub fn links_at<'a>(&'a self, port: &'a str) -> impl Iterator<Item = &'a LinkFacts> {
        self.links.iter().filter(move |facts| facts.port == port)
    }
    /// A component's visible id, for words shown to a person.
    #[must_use]
    pub fn id_of(&self, component: ComponentIx) -> &str {
        self.project.components.get_index(component.index()).map_or("?", |(id, _)| id)
    }
}

/// Why two ports cannot be linked, in words for the pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a link from one port to another makes sense; the names are for the words of a refusal.
///
/// # Errors
/// The reason, ready to show.
pub fn can_connect(from: (&str, &PortSpec), to: (&str, &PortSpec)) -> Result<(), Refusal> {
    use PortType as P;
    let (from_id, from_port) = from;
    let (to_id, to_port) = to;
    if from_id == to_id {
        return Err(Refusal(format!("{from_id} cannot feed itself")));
    }
    match (from_port.ty, to_port.ty) {
        (P::EventsOut, P::HttpIn | P::Topic | P::MessagesIn | P::PublishIn)
        | (P::Onward, P::Topic | P::MessagesIn | P::PublishIn)
        | (P::RecordsOut, P::Topic)
        | (P::MessagesFrom, P::MessagesIn | P::PublishIn)
        | (P::Topic | P::MessagesOut, P::RecordsIn)
        | (P::Letters | P::Subscriptions, P::MessagesIn)
        | (P::Subscriptions, P::RecordsIn | P::HttpIn)
        | (P::Posts, P::HttpIn)
        | (P::SchemasFrom, P::Schemas) => Ok(()),
        (P::RecordsIn, P::EventsOut) => {
            Err(Refusal(format!("a consumer cannot feed a producer: {from_id} only reads, {to_id} only makes events")))
        }
        (_, P::EventsOut) => Err(Refusal(format!("{to_id} makes events and takes none"))),
        (P::RecordsIn, _) => Err(Refusal(format!("{from_id} only reads topics; begin at the topic and end here"))),
        (P::HttpIn, _) => Err(Refusal(format!("{from_id}.{} takes requests; nothing begins there", from_port.name))),
        (P::Schemas, _) => Err(Refusal(format!("{from_id} answers look-ups; begin at the component that looks up"))),
        (_, P::SchemasFrom) => Err(Refusal(format!("{to_id}.{} looks schemas up; begin there and end at a registry", to_port.name))),
        (P::SchemasFrom, _) => Err(Refusal(format!("schema look-ups of {from_id} must end at a schema registry, not at {to_id}"))),
        (_, P::Schemas) => Err(Refusal(format!("{to_id} keeps schemas, it takes no events; link the schemas port of {from_id} to it"))),
        (P::MessagesIn | P::PublishIn, _) => Err(Refusal(format!("{from_id}.{} takes messages; nothing begins there", from_port.name))),
        (P::MessagesOut, _) => Err(Refusal(format!("a consumer receives from {from_id}; end at its port `in`"))),
        (P::Subscriptions, _) => {
            Err(Refusal(format!("queues, consumers and gateways subscribe to {from_id}, and {to_id} is none of them")))
        }
        (P::MessagesFrom, _) => Err(Refusal(format!("{from_id}.{} sends to queues and fan-out topics only", from_port.name))),
        (_, P::MessagesFrom) => Err(Refusal(format!("{to_id}.{} sends to queues; begin there and end at a queue", to_port.name))),
        (_, P::PublishIn) => Err(Refusal(format!("{to_id} takes events of producers and gateways"))),
        (P::Letters, _) => Err(Refusal(format!("dead letters of {from_id} go to a queue, not to {to_id}"))),
        (_, P::MessagesIn) => {
            Err(Refusal(format!("{to_id} takes messages of producers, of gateways, of fan-out topics, and other queues' dead letters")))
        }
        (_, P::MessagesOut | P::Letters | P::Subscriptions) => {
            Err(Refusal(format!("messages leave {to_id}.{}; begin there", to_port.name)))
        }
        (P::Topic, P::Topic) => Err(Refusal(format!("a topic cannot feed a topic; put a component between {from_id} and {to_id}"))),
        (P::EventsOut, P::RecordsIn) => {
            Err(Refusal(format!("{to_id} reads from topics and queues; put a Kafka topic between {from_id} and {to_id}, or a queue")))
        }
        (P::RecordsOut, P::RecordsIn) => Err(Refusal(format!("{to_id} reads from topics; put a Kafka topic between"))),
        (P::Topic, P::HttpIn) => Err(Refusal(format!("{to_id} takes HTTP requests; a topic sends none"))),
        (P::Posts, _) => Err(Refusal(format!("{from_id}.{} posts to gateways, and {to_id} is none", from_port.name))),
        (_, P::Posts) => Err(Refusal(format!("posts leave {to_id}.{}; begin there", to_port.name))),
        (P::Onward, _) => Err(Refusal(format!("{from_id}.{} leads to a topic, a queue or a fan-out topic", from_port.name))),
        (_, P::Onward) => Err(Refusal(format!("events leave {to_id}.{}; begin there", to_port.name))),
        (P::RecordsOut, P::HttpIn) => Err(Refusal(format!("{from_id}.{} writes to topics only", from_port.name))),
        (_, P::RecordsOut) => Err(Refusal(format!("{to_id}.{} writes to topics; begin there and end at a topic", to_port.name))),
    }
}
