//! A Kafka cluster: a card with broker nodes and topics inside.
//!
//! In: produce, fetch and group requests over the links of its topics. Out: their answers, after a node has
//! served them. The log, the groups and the long polls are `machines/broker`; this room adds time: which
//! node serves a request, how long it takes, when followers have caught up.
//! Must not know: who its clients are. Start at `sim.rs`; the nodes' queues are
//! `nodes.rs`, times `costs.rs`, what scenarios do to nodes `faults.rs`, what operators do to topics `operations.rs`.

mod acls;
mod actions;
mod connections;
mod costs;
mod faults;
mod nodes;
mod operations;
mod quotas;
mod redrives;
mod rolling;
mod sim;
mod spec;
mod standing;
#[cfg(test)]
mod tests;
mod throttle;

pub use acls::PRINCIPAL;

use indexmap::IndexMap;

use super::{BuildCtx, CompanionTopic, Declarations, Kind, KindSpec, Params, PlannedAction, PortSpec, PortType, TopicDecl};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::event::RemoteAssignor;
use crate::model::{Component, Value};

/// What a cluster deals partitions out by to members of the consumer protocol, the default first.
pub(super) fn remote_assignors(cluster: &Component) -> Vec<RemoteAssignor> {
    spec::remote_assignors(&Params::new(spec::PARAMS, cluster.profile.as_deref(), &cluster.params))
}

/// The kind.
pub struct Kafka;

impl Kind for Kafka {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, component: &Component) -> Vec<PortSpec> {
        let port =
            |topic: TopicDecl| PortSpec { name: topic.name, ty: PortType::Topic, help: "Producers link to it, consumers link from it" };
        spec::topics(component).into_iter().map(port).collect()
    }
    fn declares(&self, _id: &str, component: &Component) -> Declarations {
        Declarations { topics: spec::topics(component), ..Declarations::default() }
    }
    fn create_topic(&self, component: &mut Component, topic: &CompanionTopic) {
        let topics = component.params.entry("topics".to_owned()).or_insert_with(|| Value::Map(IndexMap::new()));
        if let Value::Map(topics) = topics
            && !topics.contains_key(&topic.name)
        {
            let settings = [("partitions".to_owned(), Value::Int(i64::from(topic.partitions)))];
            topics.insert(topic.name.clone(), Value::Map(settings.into_iter().collect()));
        }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn check_action(&self, component: &Component, action: &PlannedAction<'_>, out: &mut Vec<Diagnostic>) {
        actions::check(component, action, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        Ok(Box::new(sim::KafkaSim::new(ctx, params)))
    }
}
