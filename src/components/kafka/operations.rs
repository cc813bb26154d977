//! What operators do to a cluster while it runs.
//!
//! In: actions by name (`spec.rs` lists them). Out: the machine's reaction; what becomes of a node is in `faults.rs`.
//! Must not know: elections, placement (`machines/broker`). Start at [`KafkaSim::act`].

use indexmap::IndexMap;

use super::sim::KafkaSim;
use super::spec;
use crate::components::Params;
use crate::engine::Ctx;
use crate::machines::broker::cluster::Effects;
use crate::model::Value;

impl KafkaSim {
    /// Carries out an action on a topic or a node.
    pub fn act(&mut self, ctx: &mut Ctx<'_>, name: &str, params: &IndexMap<String, Value>) -> Result<(), String> {
        let action = spec::ACTIONS
            .iter()
            .find(|action| action.name == name)
            .ok_or_else(|| format!("a Kafka cluster does not understand `{name}`"))?;
        let params = Params::new(action.params, None, params);
        let mut effects = Effects::default();
        match name {
            spec::PURGE => self.cluster.purge(&params.text("topic"), &mut effects)?,
            spec::ADD_PARTITIONS => {
                let to = u32::try_from(params.count("to")).unwrap_or(u32::MAX);
                self.cluster.grow_topic(ctx.now, &params.text("topic"), to, &mut effects)?;
                self.show_new_partitions();
            }
            _ => return self.disturb(ctx, name, &params),
        }
        self.carry_out(ctx, effects, None);
        Ok(())
    }
}
