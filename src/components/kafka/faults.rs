//! What scenarios and buttons do to the nodes of a cluster.
//!
//! In: actions by name (`actions.rs` lists them). Out: the machine's reaction, and what becomes of requests that the node
//! had: those of a node that goes are refused, as clients see when a connection breaks; a paused node's wait.
//! Must not know: elections (`machines/broker`). Start at [`KafkaSim::disturb`].

use super::sim::{FAULT_OVER, KafkaSim};
use crate::components::Params;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{Acks, Message};
use crate::machines::broker::cluster::{Caller, Effects};
use crate::machines::broker::{NodeFault, NodeState, dropped, refusal};

/// What the component keeps of its nodes' faults.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    /// By node: it vanished without a word, and nothing answers there.
    silent: Vec<bool>,
    /// By node: pauses so far, so that the end of an older one is told from that of a newer.
    pauses: Vec<u64>,
}

impl Faults {
    pub fn new(nodes: u32) -> Self {
        Self { silent: vec![false; nodes as usize], pauses: vec![0; nodes as usize] }
    }

    /// There is one node more.
    pub fn add_node(&mut self) {
        self.silent.push(false);
        self.pauses.push(0);
    }
}

impl KafkaSim {
    /// Carries out a fault of a node.
    pub fn disturb(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &Params<'_>) -> Result<(), String> {
        let node = u32::try_from(params.count("node")).unwrap_or(u32::MAX);
        let silent = name == "crash-node" && params.flag("silent");
        let fault = match name {
            "crash-node" => NodeFault::Crash { disk_lost: params.text("disk") == "lost", silent },
            "restart-node" => NodeFault::Restart,
            "shutdown-node" => NodeFault::ShutDown,
            "pause-node" => NodeFault::Pause,
            "slow-node" => NodeFault::Slow(params.number("factor") != 1.0),
            "isolate-node" => NodeFault::Isolate,
            "rejoin-node" => NodeFault::Rejoin,
            "fill-disk" => NodeFault::FillDisk,
            _ => NodeFault::FreeDisk,
        };
        self.inject(ctx, node, fault)?;
        let index = node as usize;
        match fault {
            NodeFault::Crash { .. } | NodeFault::ShutDown => self.faults.silent[index] = silent,
            NodeFault::Slow(_) => self.nodes.slow_down(index, params.number("factor")),
            NodeFault::Pause => {
                self.nodes.pause(index);
                self.faults.pauses[index] += 1;
                ctx.timer_after(params.duration("for"), FAULT_OVER | self.faults.pauses[index] << 8 | u64::from(node));
            }
            _ => {}
        }
        self.empty_where_down(ctx);
        Ok(())
    }

    /// A node's pause is over, unless the node has crashed since or pauses again.
    pub fn fault_over(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let (node, number) = ((token & 0xff) as u32, token >> 8);
        let index = node as usize;
        if self.faults.pauses[index] != number || self.cluster.node_state(node) != NodeState::Paused {
            return;
        }
        let late = self.nodes.resume(index);
        // A paused node can always resume.
        let resumed = self.inject(ctx, node, NodeFault::Resume);
        debug_assert_eq!(resumed, Ok(()), "a paused node can resume");
        for place in late {
            if let Some(served) = self.nodes.done(ctx.now, place) {
                self.served(ctx, served);
            }
        }
        self.serve(ctx, index);
    }

    pub fn inject(&mut self, ctx: &mut Ctx<'_>, node: u32, fault: NodeFault) -> Result<(), String> {
        let mut effects = Effects::default();
        self.cluster.fault(ctx.now, node, fault, &mut effects)?;
        self.carry_out(ctx, effects, None);
        Ok(())
    }

    /// Nodes go at other instants than that of an action too (a shutdown takes its time): what they had is refused.
    pub fn empty_where_down(&mut self, ctx: &mut Ctx<'_>) {
        for node in 0..self.faults.silent.len() {
            if self.cluster.node_state(node as u32) != NodeState::Down {
                continue;
            }
            for (caller, request) in self.connections.lose(node) {
                self.refuse(ctx, node, caller, &request);
            }
            if self.nodes.has_work(node) {
                for (caller, request) in self.nodes.crash(ctx.now, node) {
                    self.refuse(ctx, node, caller, &request);
                }
            }
        }
    }

    /// Nobody listens at a node: its machine says so at once, if it is still there.
    pub fn refuse(&mut self, ctx: &mut Ctx<'_>, node: usize, caller: Caller, request: &Message) {
        if let Message::Produce(request) = request
            && request.acks == Acks::None
        {
            let why = format!("node {node} was down");
            let gone = request.entries.iter().flat_map(|entry| dropped(ctx.me, &entry.batch, &why)).collect::<Vec<_>>();
            gone.into_iter().for_each(|fact| ctx.fact(fact));
        }
        if !self.faults.silent[node]
            && let Some(reply) = refusal(request)
        {
            ctx.send(LinkEnd(caller.end), reply);
        }
    }
}
