//! The service: a consumer that does something with what it reads, on state that is its own.
//!
//! ```text
//! topics ─► consumer (group, workers, retries) ─► outgoing call ─► role ─► outbox or direct ─► topics
//!                                                    │             └─ aggregate │ projection │ saga │ plain
//!                                                    └─ circuit breaker, retry, time limit, bulkhead
//! ```
//!
//! In: records. Out: events made from them. Reading, work, retries and dead letters are the consumer's: a service is a
//! [`Handler`](super::consumer::handler::Handler) of it. Must not know: logs, databases. Start at `sim.rs`; what a project
//! says is read in `read.rs`, each role is a file.

mod aggregate;
mod calls;
mod deadlines;
mod look;
mod payload;
mod projection;
mod read;
mod saga;
mod sim;
mod spec;
#[cfg(test)]
mod tests;
mod timers;

pub use super::consumer::retries::{RetryTopics, Suffix};

use super::consumer::ConsumerKind;
use crate::components::{BuildCtx, CompanionTopic, Declarations, Framework, Kind, KindSpec, Params, PortSpec, PortType};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::model::Component;

/// The kind.
#[derive(Debug)]
pub struct ServiceKind;

impl Kind for ServiceKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn keeps_something(&self) -> bool {
        true
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::RecordsIn, help: "Topics with commands or events" },
            PortSpec {
                name: "events".to_owned(),
                ty: PortType::RecordsOut,
                help: "Topics for what it makes: events, or commands of a saga",
            },
            PortSpec { name: "dead_letters".to_owned(), ty: PortType::RecordsOut, help: "Topic for records that cannot be processed" },
            PortSpec { name: "schemas".to_owned(), ty: PortType::SchemasFrom, help: "Looks schemas up at a registry" },
        ]
    }
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::PARAMS, component.profile.as_deref(), &component.params);
        let read = ConsumerKind.declares(id, component);
        Declarations { event_types: read::event_types(&params), schemas_written: read::schemas_written(&params), ..read }
    }
    fn framework(&self, profile: &str) -> Option<&'static Framework> {
        ConsumerKind.framework(profile)
    }
    fn companion_topics(&self, component: &Component, topic: &str) -> Vec<CompanionTopic> {
        ConsumerKind.companion_topics(component, topic)
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        ConsumerKind.check(ctx, params, out);
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        sim::build(ctx, params)
    }
}
