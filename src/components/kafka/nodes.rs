//! The nodes of a cluster: each a queue in front of request threads.
//!
//! In: requests. Out: each request once its service is over. Produce requests of one connection are served one
//! after another, so that several in flight cannot overtake each other.
//! Must not know: what a request does (`machines/broker`). Start at [`Nodes::arrive`].

use std::collections::VecDeque;

use super::costs::Costs;
use crate::components::slab::Slab;
use crate::engine::{Ctx, Figures, Station};
use crate::event::Message;
use crate::machines::broker::cluster::Caller;
use crate::units::SimTime;

/// Requests that wait at one node; a further one is not answered, and its client times out.
pub(super) const QUEUED_REQUESTS_MAX: u64 = 100_000;

/// All nodes, and what their threads work on.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    serving: Slab<Served>,
}

/// A request that a thread works on, or has done.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub node: usize,
    pub caller: Caller,
    pub message: Message,
    pub arrived: SimTime,
    pub begun: SimTime,
}

#[derive(Clone, Debug)]
struct Node {
    station: Station,
    queue: VecDeque<Waiting>,
    free: u32,
    /// One a link end.
    connections: Vec<Connection>,
}

#[derive(Clone, Debug, Default)]
struct Connection {
    /// One of its produce requests is queued or served.
    busy: bool,
    held: VecDeque<Waiting>,
}

#[derive(Clone, Debug)]
struct Waiting {
    caller: Caller,
    message: Message,
    arrived: SimTime,
}

impl Nodes {
    pub fn new(count: u32, threads: u32, links: usize) -> Self {
        let connections = vec![Connection::default(); links];
        let node = Node { station: Station::new(threads), queue: VecDeque::new(), free: threads, connections };
        Self { nodes: vec![node; count as usize], serving: Slab::new() }
    }

    /// A request waits at a node; behind the produce requests of its connection, if it is one. False when the
    /// node's queue is full.
    pub fn arrive(&mut self, now: SimTime, node: usize, caller: Caller, message: Message) -> bool {
        let node = &mut self.nodes[node];
        if node.station.waiting() >= QUEUED_REQUESTS_MAX {
            return false;
        }
        node.station.arrive(now);
        let produces = matches!(message, Message::Produce(_));
        let waiting = Waiting { caller, message, arrived: now };
        if produces {
            let connection = &mut node.connections[usize::from(caller.end)];
            if connection.busy {
                connection.held.push_back(waiting);
                return true;
            }
            connection.busy = true;
        }
        node.queue.push_back(waiting);
        true
    }

    /// Hands waiting requests to free threads: those that take time ring `timer` with their place, one that takes
    /// none is returned at once.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>, node: usize, costs: &mut Costs, timer: u64) -> Option<Served> {
        while self.nodes[node].free > 0 {
            let Waiting { caller, message, arrived } = self.nodes[node].queue.pop_front()?;
            self.nodes[node].station.begin(ctx.now);
            let span = costs.service(&message);
            let served = Served { node, caller, message, arrived, begun: ctx.now };
            if span.is_zero() {
                self.finish(ctx.now, &served);
                return Some(served);
            }
            self.nodes[node].free -= 1;
            ctx.timer_after(span, timer | self.serving.put(served));
        }
        None
    }

    /// A thread is done with the request at this place.
    pub fn done(&mut self, now: SimTime, place: u64) -> Option<Served> {
        let served = self.serving.take(place)?;
        self.nodes[served.node].free += 1;
        self.finish(now, &served);
        Some(served)
    }

    fn finish(&mut self, now: SimTime, served: &Served) {
        let node = &mut self.nodes[served.node];
        node.station.finish(now);
        if let Message::Produce(_) = &served.message {
            let connection = &mut node.connections[usize::from(served.caller.end)];
            match connection.held.pop_front() {
                Some(next) => node.queue.push_back(next),
                None => connection.busy = false,
            }
        }
    }

    pub fn figures(&self, now: SimTime, out: &mut Figures) {
        Station::figures_of_all(self.nodes.iter().map(|node| &node.station), now, out);
    }
}
