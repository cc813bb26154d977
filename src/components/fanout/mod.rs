//! A fan-out topic: each link to a queue, a consumer or a gateway is a subscription with a filter of its own.
//!
//! In: published events, answers of endpoints. Out: deliveries, retries, dead letters. Who gets what, and when it
//! is tried again, is decided by `machines/broker/fanout`; this room adds time and links.
//! Must not know: endpoints from the inside. Start at `sim.rs`; deliveries are `deliver.rs`, what filters see is
//! `attributes.rs`, what links and rows say `subscriptions.rs`.

mod attributes;
mod deliver;
mod policies;
mod rows;
mod sim;
mod spec;
mod subscriptions;

use super::{BuildCtx, Declarations, Kind, KindSpec, Params, PlannedAction, PortSpec, PortType, TopicDecl};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::machines::broker::cluster::Leaders;
use crate::model::Component;

pub(super) use spec::is_fifo;

/// The kind.
#[derive(Debug)]
pub struct FanoutKind;

impl Kind for FanoutKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::PublishIn, help: "Events are published here" },
            PortSpec {
                name: "subscriptions".to_owned(),
                ty: PortType::Subscriptions,
                help: "Queues, consumers and gateways that subscribe",
            },
            PortSpec { name: "dead_letters".to_owned(), ty: PortType::Letters, help: "Queues for what a subscription could not take" },
        ]
    }
    fn declares(&self, id: &str, _: &Component) -> Declarations {
        // Numbered like a topic of one partition: a message's number is its offset.
        let topic = TopicDecl { name: id.to_owned(), partitions: 1, leaders: Leaders::new(0, 1), needs_keys: false };
        Declarations { topics: vec![topic], ..Declarations::default() }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn check_action(&self, component: &Component, action: &PlannedAction<'_>, out: &mut Vec<Diagnostic>) {
        policies::check(component, action, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        Ok(Box::new(sim::FanoutSim::new(ctx, params)))
    }
}
