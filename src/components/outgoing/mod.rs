//! Outgoing events: what a topic has is delivered to many receivers outside, by webhooks or over connections that stay open.
//!
//! ```text
//! topic ─► consumer (group, workers) ─► accepted once for all receivers ─┬─► webhooks: sign, post, retry, disable
//!                                                                        └─► push: a send buffer for each client
//! ```
//!
//! In: records. Out: deliveries; each event × receiver is an obligation, which ends here with its reason. The profile says how:
//! `standard-webhooks` (Standard Webhooks 1.0.0), `server-sent-events` (WHATWG HTML), `websocket` (RFC 6455). Reading is the
//! consumer's. Must not know: logs. Start at `sim.rs`; `webhooks.rs` and `push.rs` are the two ways, `receivers.rs` is who
//! gets what.

mod actions;
mod drawn;
mod endpoint;
mod frames;
mod keys;
mod played;
mod push;
mod receivers;
mod retry_after;
mod signature;
mod sim;
mod spec;
#[cfg(test)]
mod tests;
mod webhooks;

use super::consumer::outbox::Relay;
use super::consumer::{group_name, handled};
use crate::components::{BuildCtx, Declarations, Kind, KindSpec, Params, PortSpec, PortType, TopicDecl};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::machines::broker::cluster::Leaders;
use crate::model::Component;

/// The kind.
#[derive(Debug)]
pub struct OutgoingKind;

impl Kind for OutgoingKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, component: &Component) -> Vec<PortSpec> {
        let port = |name: &str, ty, help| PortSpec { name: name.to_owned(), ty, help };
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        let mut ports = vec![port("in", PortType::RecordsIn, "Topics whose events it delivers")];
        if receivers::is_webhooks(&params) {
            ports.push(port("posts", PortType::Posts, "Webhooks: gateways that are endpoints (`at`)"));
        }
        ports
    }
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        // What it has taken in is numbered like a topic of one partition.
        let topic = TopicDecl { name: id.to_owned(), partitions: 1, leaders: Leaders::new(0, 1), needs_keys: false };
        Declarations {
            topics: vec![topic],
            group: Some(group_name(id, &params)),
            guarantees: params.words("guarantees"),
            receivers: receivers::names(&params),
            ..Declarations::default()
        }
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        handled(ctx, params, Box::new(sim::Outgoing::new(ctx, params)?), Relay::default())
    }
}
