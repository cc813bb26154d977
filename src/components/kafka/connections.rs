//! Connections of clients to nodes: how many a node takes, from everybody and from one client.
//!
//! ```text
//! first request of a connection ─► closed at once: its client has too many (max.connections.per.ip)
//!                               └► not accepted: the node has too many, it waits for one to go (max.connections)
//! ```
//!
//! A client holds one connection to each node that it talks to, and one more to its group's coordinator, as Kafka's does; one
//! that was not used for a while is closed (`connections.max.idle.ms`), and so are those of a node that goes down. Without
//! a limit nothing is counted. Must not know: what requests do. Start at [`Connections::admit`].

use std::collections::{BTreeMap, VecDeque};

use crate::components::Params;
use crate::engine::Figures;
use crate::event::{CallId, Message};
use crate::machines::broker::cluster::Caller;
use crate::units::{ComponentIx, SimDuration, SimTime};

/// Requests that wait for a connection at one node; a further one is not answered, and its client times out.
const WAITING_MAX: usize = 100_000;

/// A client's connection to a node; instances of a component differ by the tag of their calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Connection {
    client: ComponentIx,
    tag: u16,
    /// The consumer's own one to its group's coordinator.
    coordinates: bool,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Admission {
    /// It goes on.
    Taken(Message),
    /// Its connection is closed.
    Closed(Message),
    /// It waits until the node accepts its connection; then, or never, [`Connections::free`] gives it back.
    Waits,
}

#[derive(Clone, Debug, Default)]
struct Door {
    /// Open connections with when they were last used.
    open: BTreeMap<Connection, SimTime>,
    waiting: VecDeque<(Connection, Caller, Message)>,
}

/// The connections of all nodes.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    max: Option<usize>,
    per_client_max: Option<usize>,
    idle_max: SimDuration,
    doors: Vec<Door>,
    closed: u64,
    waited: u64,
}

fn call_of(message: &Message) -> Option<CallId> {
    Some(match message {
        Message::Produce(request) => request.call,
        Message::Fetch(request) => request.call,
        Message::Metadata(request) => request.call,
        Message::Group(request) => request.call,
        Message::Transaction(request) => request.call,
        _ => return None,
    })
}

impl Connections {
    pub fn new(nodes: u32, params: &Params<'_>) -> Self {
        let limit = |name: &str| params.is_given(name).then(|| usize::try_from(params.count(name)).unwrap_or(usize::MAX));
        Self {
            max: limit("max_connections"),
            per_client_max: limit("max_connections_per_client"),
            idle_max: params.duration("connections_idle_max"),
            doors: vec![Door::default(); nodes as usize],
            closed: 0,
            waited: 0,
        }
    }

    /// Whether there is anything to look after.
    pub fn is_active(&self) -> bool {
        self.max.is_some() || self.per_client_max.is_some()
    }

    /// There is one node more.
    pub fn add_node(&mut self) {
        self.doors.push(Door::default());
    }

    /// A request has come to a node.
    pub fn admit(&mut self, now: SimTime, node: usize, caller: Caller, message: Message) -> Admission {
        let Some(call) = call_of(&message) else { return Admission::Taken(message) };
        let coordinates = matches!(message, Message::Group(_));
        let connection = Connection { client: caller.client, tag: (call.0 >> 48) as u16, coordinates };
        self.close_idle(now, node);
        let door = &mut self.doors[node];
        if let Some(used) = door.open.get_mut(&connection) {
            *used = now;
            return Admission::Taken(message);
        }
        let of_client = || door.open.keys().filter(|other| other.client == caller.client).count();
        if self.per_client_max.is_some_and(|max| of_client() >= max) {
            self.closed += 1;
            return Admission::Closed(message);
        }
        if self.max.is_some_and(|max| door.open.len() >= max) {
            if door.waiting.len() < WAITING_MAX {
                self.waited += u64::from(!door.waiting.iter().any(|(other, ..)| *other == connection));
                door.waiting.push_back((connection, caller, message));
            }
            return Admission::Waits;
        }
        door.open.insert(connection, now);
        Admission::Taken(message)
    }

    fn close_idle(&mut self, now: SimTime, node: usize) {
        let idle_max = self.idle_max;
        self.doors[node].open.retain(|_, used| *used + idle_max > now);
    }

    /// When a connection of a node will have been idle for too long, if somebody waits for its place.
    pub fn next_free(&self, node: usize) -> Option<SimTime> {
        let door = self.doors.get(node).filter(|door| !door.waiting.is_empty())?;
        door.open.values().min().map(|used| *used + self.idle_max)
    }

    /// A connection may have gone: the requests of those that take its place.
    pub fn free(&mut self, now: SimTime, node: usize) -> Vec<(Caller, Message)> {
        self.close_idle(now, node);
        let Door { open, waiting } = &mut self.doors[node];
        let mut accepted = Vec::new();
        for (connection, caller, message) in std::mem::take(waiting) {
            if open.contains_key(&connection) || self.max.is_none_or(|max| open.len() < max) {
                open.insert(connection, now);
                accepted.push((caller, message));
            } else {
                waiting.push_back((connection, caller, message));
            }
        }
        accepted
    }

    /// A node is gone, and its connections with it; who has waited for one.
    pub fn lose(&mut self, node: usize) -> impl Iterator<Item = (Caller, Message)> + use<> {
        std::mem::take(&mut self.doors[node]).waiting.into_iter().map(|(_, caller, message)| (caller, message))
    }

    pub fn figures(&self, out: &mut Figures) {
        if !self.is_active() {
            return;
        }
        out.gauge("connections", self.doors.iter().map(|door| door.open.len()).sum::<usize>() as f64);
        out.gauge("waiting_for_connection", self.doors.iter().map(|door| door.waiting.len()).sum::<usize>() as f64);
        out.counter("closed_connections_count", self.closed);
        out.counter("unaccepted_connections_count", self.waited);
    }
}
