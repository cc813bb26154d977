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
use crate::units::{SimDuration, SimTime};

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
    life: u32,
}

#[derive(Clone, Debug)]
struct Node {
    station: Station,
    queue: VecDeque<Waiting>,
    threads: u32,
    free: u32,
    /// How much longer than usual its work takes.
    factor: f64,
    /// It begins nothing, and what its threads are through with has to wait.
    paused: bool,
    late: Vec<u64>,
    /// Counts its crashes: what its threads worked on before one is void.
    life: u32,
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

impl Node {
    fn new(threads: u32, links: usize) -> Self {
        Self {
            station: Station::new(threads),
            queue: VecDeque::new(),
            threads,
            free: threads,
            factor: 1.0,
            paused: false,
            late: Vec::new(),
            life: 0,
            connections: vec![Connection::default(); links],
        }
    }
}

impl Nodes {
    pub fn new(count: u32, threads: u32, links: usize) -> Self {
        Self { nodes: vec![Node::new(threads, links); count as usize], serving: Slab::new() }
    }

    /// One more, like the others were at the beginning.
    pub fn add(&mut self) {
        let Some(like) = self.nodes.first() else { return };
        self.nodes.push(Node::new(like.threads, like.connections.len()));
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
        while self.nodes[node].free > 0 && !self.nodes[node].paused {
            let Waiting { caller, message, arrived } = self.nodes[node].queue.pop_front()?;
            self.nodes[node].station.begin(ctx.now);
            let span = self.slowed(node, costs.service(&message));
            let served = Served { node, caller, message, arrived, begun: ctx.now, life: self.nodes[node].life };
            if span.is_zero() {
                self.finish(ctx.now, &served);
                return Some(served);
            }
            self.nodes[node].free -= 1;
            ctx.timer_after(span, timer | self.serving.put(served));
        }
        None
    }

    /// A thread is done with the request at this place, if its node has not crashed or paused meanwhile.
    pub fn done(&mut self, now: SimTime, place: u64) -> Option<Served> {
        let served = self.serving.get(place)?;
        let node = &mut self.nodes[served.node];
        if node.paused && node.life == served.life {
            node.late.push(place);
            return None;
        }
        let served = self.serving.take(place)?;
        let node = &mut self.nodes[served.node];
        if node.life != served.life {
            return None;
        }
        node.free += 1;
        self.finish(now, &served);
        Some(served)
    }

    /// A node is gone: the requests that it had, worked on or not.
    pub fn crash(&mut self, now: SimTime, node: usize) -> Vec<(Caller, Message)> {
        let life = self.nodes[node].life;
        let under_way = self.serving.iter().filter(|served| served.node == node && served.life == life);
        let mut requests: Vec<(Caller, Message)> = under_way.map(|served| (served.caller, served.message.clone())).collect();
        let node = &mut self.nodes[node];
        for _ in &requests {
            node.station.interrupt(now);
        }
        let held = node.connections.iter_mut().flat_map(|connection| {
            connection.busy = false;
            connection.held.drain(..)
        });
        let waiting: Vec<Waiting> = node.queue.drain(..).chain(held).collect();
        node.station.abandon(now, waiting.len() as u64);
        requests.extend(waiting.into_iter().map(|waiting| (waiting.caller, waiting.message)));
        node.life += 1;
        (node.free, node.paused) = (node.threads, false);
        node.late.clear();
        requests
    }

    /// Whether a node has requests.
    pub fn has_work(&self, node: usize) -> bool {
        let station = &self.nodes[node].station;
        station.waiting() + station.serving() > 0
    }

    /// A node begins nothing more.
    pub fn pause(&mut self, node: usize) {
        self.nodes[node].paused = true;
    }

    /// A node goes on; the places of what its threads were through with meanwhile.
    pub fn resume(&mut self, node: usize) -> Vec<u64> {
        self.nodes[node].paused = false;
        std::mem::take(&mut self.nodes[node].late)
    }

    /// From now on a node's work takes so many times as long.
    pub fn slow_down(&mut self, node: usize, factor: f64) {
        self.nodes[node].factor = factor;
    }

    /// How long a piece of work takes at a node.
    pub fn slowed(&self, node: usize, span: SimDuration) -> SimDuration {
        let factor = self.nodes[node].factor;
        if factor == 1.0 { span } else { span.scaled(factor) }
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
