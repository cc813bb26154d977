//! What operators do to a cluster while it runs.
//!
//! In: actions by name (`actions.rs` lists them). Out: the machine's reaction; what becomes of a node is in `faults.rs`.
//! Must not know: elections, placement (`machines/broker`). Start at [`KafkaSim::act`].

use indexmap::IndexMap;

use super::acls;
use super::actions;
use super::sim::{KafkaSim, QUORUM_BACK};
use crate::components::{Params, SKEW_CLOCK, clock};
use crate::engine::Ctx;
use crate::machines::broker::Blight;
use crate::machines::broker::Reassign;
use crate::machines::broker::cluster::Effects;
use crate::model::Value;

impl KafkaSim {
    /// Carries out an action on a topic or a node.
    pub fn act(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &IndexMap<String, Value>) -> Result<(), String> {
        let action = actions::ACTIONS
            .iter()
            .find(|action| action.name == name)
            .ok_or_else(|| format!("a Kafka cluster does not understand `{name}`"))?;
        let params = Params::new(action.params, None, params);
        let mut effects = Effects::default();
        match name {
            actions::PURGE => self.cluster.purge(&params.text("topic"), &mut effects)?,
            actions::ADD_PARTITIONS => {
                let to = u32::try_from(params.count("to")).unwrap_or(u32::MAX);
                self.cluster.grow_topic(ctx.now, &params.text("topic"), to, &mut effects)?;
            }
            actions::ADD_BROKER => {
                self.cluster.add_broker()?;
                self.nodes.add();
                self.connections.add_node();
                self.faults.add_node();
            }
            actions::REASSIGN => self.cluster.reassign(ctx.now, &reassign(&params), &mut effects)?,
            actions::ELECT_PREFERRED => self.cluster.elect_preferred(ctx.now, params.optional_text("topic").as_deref(), &mut effects)?,
            actions::ROLLING_RESTART => return self.roll(ctx, params.duration("for")),
            _ if name == SKEW_CLOCK.name => self.cluster.set_clock(clock::skewed(ctx.now, &params)),
            actions::CORRUPT => {
                let number = |name: &str| params.is_given(name).then(|| u32::try_from(params.count(name)).unwrap_or(u32::MAX));
                let offset = params.is_given("offset").then(|| u64::try_from(params.count("offset")).unwrap_or(0));
                let (partition, node) = (number("partition"), number("node"));
                let blight = Blight { topic: params.optional_text("topic"), partition, node, offset };
                self.cluster.corrupt(&blight, &mut self.disk_rng)?;
            }
            actions::ADD_ACL => acls::change(&mut self.cluster, &params, true)?,
            actions::REMOVE_ACL => acls::change(&mut self.cluster, &params, false)?,
            actions::QUORUM_LOSS => {
                self.cluster.lose_quorum()?;
                ctx.timer_after(params.duration("for"), QUORUM_BACK);
            }
            actions::REDRIVE => return self.redrive(ctx, &params.text("from"), &params.text("into"), params.rate("rate")),
            _ => return self.disturb(ctx, name, &params),
        }
        self.carry_out(ctx, effects, None);
        self.follow_layout();
        Ok(())
    }

    /// The controllers are back.
    pub fn quorum_back(&mut self, ctx: &mut Ctx<'_>) {
        let mut effects = Effects::default();
        self.cluster.regain_quorum(ctx.now, &mut effects);
        self.carry_out(ctx, effects, None);
        self.follow_layout();
        self.empty_where_down(ctx);
    }
}

fn reassign(params: &Params<'_>) -> Reassign {
    Reassign {
        topic: params.optional_text("topic"),
        nodes: params.words("nodes").iter().map(|word| word.parse().unwrap_or(u32::MAX)).collect(),
        replication: params.is_given("replication").then(|| params.count("replication").clamp(1, 100) as u32),
        throttle_per_s: params.size("throttle"),
    }
}
