//! A queue: one card, messages inside.
//!
//! In: sends of producers and other queues, receives and deletes of consumers. Out: their answers, after the
//! time that a call takes; dead letters to the queue that is linked. What happens to messages is decided by
//! `machines/broker/queue`; this room adds time and links.
//! Must not know: who its clients are. Start at `sim.rs`.

mod sim;
mod spec;

use super::{BuildCtx, Declarations, Kind, KindSpec, Params, PortSpec, PortType, TopicDecl};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::machines::broker::cluster::Leaders;
use crate::model::Component;

pub(super) use spec::is_fifo;

/// The kind.
#[derive(Debug)]
pub struct QueueKind;

impl Kind for QueueKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::MessagesIn, help: "Messages are sent here" },
            PortSpec { name: "out".to_owned(), ty: PortType::MessagesOut, help: "Consumers receive here" },
            PortSpec { name: "dead_letters".to_owned(), ty: PortType::Letters, help: "Queue for messages received too often" },
        ]
    }
    fn declares(&self, id: &str, _: &Component) -> Declarations {
        // A queue is numbered like a topic of one partition: a message's number is its offset.
        let topic = TopicDecl { name: id.to_owned(), partitions: 1, leaders: Leaders::new(0, 1), needs_keys: false };
        Declarations { topics: vec![topic], ..Declarations::default() }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        Ok(Box::new(sim::QueueSim::new(ctx, params)))
    }
}
