//! The nodes of a cluster: each a queue in front of request threads.
//!
//! In: requests. Out: each request once its service is over. Produce requests of one connection are served one
//! after another, so that several in flight cannot overtake each other. When a node's queue is full its network threads
//! read nothing more (`queued.max.requests`): what comes then waits in the sockets, and is read in the order in which it came.
//! Must not know: what a request does (`machines/broker`). Start at [`Nodes::arrive`].

use std::collections::VecDeque;

use super::costs::Costs;
use crate::components::slab::Slab;
use crate::engine::{Ctx, Figures, Station};
use crate::event::Message;
use crate::machines::broker::cluster::Caller;
use crate::units::{SimDuration, SimTime};

/// Requests that wait at one node, in its queue and in sockets; a further one is not answered, and its client times out.
pub(super) const QUEUED_REQUESTS_MAX: u64 = 100_000;

/// All nodes, and what their threads work on.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    nodes: Vec<Node>,
    serving: Slab<Served>,
    /// Requests that each node's queue holds.
    queued_max: usize,
    /// Requests that were not read at once.
    unread: u64,
}

/// What the nodes of a cluster are like at the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodesConfig {
    pub count: u32,
    /// `num.io.threads`.
    pub threads: u32,
    /// `queued.max.requests`.
    pub queued_max: usize,
    pub links: usize,
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
    /// Not read yet, because the queue is full.
    sockets: VecDeque<Waiting>,
    /// Since when the queue is full, and for how long it was before.
    full_since: Option<SimTime>,
    full_time: SimDuration,
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
            sockets: VecDeque::new(),
            full_since: None,
            full_time: SimDuration::ZERO,
            threads,
            free: threads,
            factor: 1.0,
            paused: false,
            late: Vec::new(),
            life: 0,
            connections: vec![Connection::default(); links],
        }
    }

    /// Puts a request into the queue, or leaves it in its socket; false if so.
    fn read(&mut self, now: SimTime, waiting: Waiting, queued_max: usize) -> bool {
        if self.sockets.is_empty() && self.queue.len() < queued_max {
            self.queue.push_back(waiting);
            return true;
        }
        self.full_since.get_or_insert(now);
        self.sockets.push_back(waiting);
        false
    }

    /// The first request of the queue; the next one in a socket takes its place.
    fn next(&mut self, now: SimTime) -> Option<Waiting> {
        let next = self.queue.pop_front()?;
        self.queue.extend(self.sockets.pop_front());
        if self.sockets.is_empty() {
            self.end_full(now);
        }
        Some(next)
    }

    fn end_full(&mut self, now: SimTime) {
        if let Some(since) = self.full_since.take() {
            self.full_time = self.full_time.plus(now.since(since));
        }
    }
}

impl Nodes {
    pub fn new(cfg: NodesConfig) -> Self {
        let nodes = vec![Node::new(cfg.threads, cfg.links); cfg.count as usize];
        Self { nodes, serving: Slab::new(), queued_max: cfg.queued_max.max(1), unread: 0 }
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
        self.unread += u64::from(!node.read(now, waiting, self.queued_max));
        true
    }

    /// Hands waiting requests to free threads: those that take time ring `timer` with their place, one that takes
    /// none is returned at once.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>, node: usize, costs: &mut Costs, timer: u64) -> Option<Served> {
        while self.nodes[node].free > 0 && !self.nodes[node].paused {
            let Waiting { caller, message, arrived } = self.nodes[node].next(ctx.now)?;
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
        let waiting: Vec<Waiting> = node.queue.drain(..).chain(node.sockets.drain(..)).chain(held).collect();
        node.end_full(now);
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
                Some(next) => drop(node.read(now, next, self.queued_max)),
                None => connection.busy = false,
            }
        }
    }

    pub fn figures(&self, now: SimTime, out: &mut Figures) {
        if self.unread > 0 {
            let full = |node: &Node| node.full_time.plus(node.full_since.map_or(SimDuration::ZERO, |since| now.since(since)));
            let full_time = self.nodes.iter().map(full).fold(SimDuration::ZERO, SimDuration::plus);
            out.counter("unread_requests_count", self.unread);
            out.gauge("request_queue_full_s", full_time.as_secs_f64());
        }
        Station::figures_of_all(self.nodes.iter().map(|node| &node.station), now, out);
    }
}
