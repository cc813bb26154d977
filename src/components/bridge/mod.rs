//! The bridge: events of one messaging system move on into another, as a connector of Kafka Connect takes them.
//!
//! ```text
//! topic ─► sink tasks (a consumer group) ─► batches of ten ─► queue or fan-out topic      position after the answer
//! queue ─► source tasks (receives)       ─► producing client ─► topic                     delete after the acknowledgement
//! ```
//!
//! In: records or messages. Out: the same events at another place, each under its id. Both ways are at least once. The words
//! are those of Kafka Connect 4.0 and, for queues, of the connector kafka-connect-sqs 1.6 (Nordstrom). Must not know: queues
//! and logs from the inside. Start at `sink.rs` and `source.rs`; what bytes become is `message.rs`.

mod message;
mod sink;
mod source;
mod spec;
#[cfg(test)]
mod tests;

use super::consumer::outbox::Relay;
use super::consumer::{group_name, handled};
use crate::components::{BuildCtx, Declarations, Kind, KindSpec, Params, PortSpec, PortType};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::model::Component;

/// The kind.
#[derive(Debug)]
pub struct BridgeKind;

impl Kind for BridgeKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::RecordsIn, help: "Topics, or a queue, that it takes events from" },
            PortSpec {
                name: "out".to_owned(),
                ty: PortType::Onward,
                help: "The queue or fan-out topic, or the topic, that it moves them to",
            },
            PortSpec {
                name: "dead_letters".to_owned(),
                ty: PortType::RecordsOut,
                help: "Topic for records that the other side cannot take",
            },
        ]
    }
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        Declarations { group: Some(group_name(id, &params)), guarantees: params.words("guarantees"), ..Declarations::default() }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        if spec::reads_queue(ctx) {
            return Ok(Box::new(source::SourceTasks::new(ctx, params)?));
        }
        handled(ctx, params, Box::new(sink::Sink::new(ctx, params)?), Relay::default())
    }
}
