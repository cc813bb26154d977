//! A rolling restart: one node after another is shut down, stays down for a while, comes back, and is waited for.
//!
//! ```text
//! node 0: Leaving ─ handed over ─► Down ─ its time ─► Returning ─ no partition under-replicated ─► node 1: Leaving …
//! ```
//!
//! In: the action, and a timer. Out: faults of nodes (`faults.rs`). Must not know: elections, what else happens to nodes.
//! Start at [`KafkaSim::roll`].

use super::sim::{KafkaSim, ROLLING};
use crate::engine::{Ctx, Figures};
use crate::machines::broker::{NodeFault, NodeState};
use crate::units::{SimDuration, SimTime};

/// How often it is looked whether a node is gone, or back: what an operator's script does between two commands.
const LOOK_EVERY: SimDuration = SimDuration::from_secs(1);

/// Rolling restarts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RollingRestarts {
    under_way: Option<Rolling>,
    restarted: u64,
    began: Option<SimTime>,
    ended: SimTime,
}

#[derive(Clone, Copy, Debug)]
struct Rolling {
    node: u32,
    step: Step,
    /// How long each node is down.
    down: SimDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It hands over what it leads.
    Leaving,
    Down,
    /// It catches up.
    Returning,
}

impl KafkaSim {
    /// Begins with the first node, if all is well.
    pub fn roll(&mut self, ctx: &mut Ctx<'_>, down: SimDuration) -> Result<(), String> {
        if self.rolling.under_way.is_some() {
            return Err("a rolling restart is under way".to_owned());
        }
        if let Some(node) = (0..self.cluster.node_count()).find(|node| self.cluster.node_state(*node) != NodeState::Up) {
            return Err(format!("node {node} does not run: restart it first"));
        }
        let lacking = self.cluster.under_replicated();
        if lacking > 0 {
            return Err(format!("{lacking} partitions are under-replicated: wait until all replicas are in sync"));
        }
        (self.rolling.began, self.rolling.restarted) = (Some(ctx.now), 0);
        self.roll_node(ctx, 0, down)
    }

    fn roll_node(&mut self, ctx: &mut Ctx<'_>, node: u32, down: SimDuration) -> Result<(), String> {
        self.rolling.under_way = Some(Rolling { node, step: Step::Leaving, down });
        self.inject(ctx, node, NodeFault::ShutDown)?;
        self.empty_where_down(ctx);
        self.go_on_rolling(ctx);
        Ok(())
    }

    /// Looks whether the node that is at work is through with its step.
    pub fn go_on_rolling(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Rolling { node, step, down }) = self.rolling.under_way else { return };
        let state = self.cluster.node_state(node);
        match step {
            Step::Leaving if state == NodeState::Down => self.step_to(ctx, Step::Down, down),
            Step::Down => {
                // Somebody else may have restarted it.
                if state == NodeState::Down && self.inject(ctx, node, NodeFault::Restart).is_err() {
                    return self.end_rolling(ctx.now);
                }
                self.step_to(ctx, Step::Returning, LOOK_EVERY);
            }
            Step::Returning if state == NodeState::Up && self.cluster.under_replicated() == 0 => {
                self.rolling.restarted += 1;
                if node + 1 == self.cluster.node_count() || self.roll_node(ctx, node + 1, down).is_err() {
                    self.end_rolling(ctx.now);
                }
            }
            Step::Leaving | Step::Returning => ctx.timer_after(LOOK_EVERY, ROLLING),
        }
    }

    fn step_to(&mut self, ctx: &mut Ctx<'_>, next: Step, after: SimDuration) {
        if let Some(rolling) = &mut self.rolling.under_way {
            rolling.step = next;
            ctx.timer_after(after, ROLLING);
        }
    }

    fn end_rolling(&mut self, now: SimTime) {
        (self.rolling.under_way, self.rolling.ended) = (None, now);
    }

    /// Only once there was one.
    pub fn rolling_figures(&self, now: SimTime, out: &mut Figures) {
        if let Some(began) = self.rolling.began {
            let until = if self.rolling.under_way.is_some() { now } else { self.rolling.ended };
            out.gauge("rolled_nodes", self.rolling.restarted as f64);
            out.gauge("rolling_restart_s", until.since(began).as_secs_f64());
        }
    }
}
