//! AWS service integrations: routes that lead to queues (SQS) and fan-out topics (SNS), by one call for each request.
//!
//! ```text
//! route ─► SendMessage / Publish ─► 200 when the service has it │ its error: 500, throttled 503 │ no answer in time: 504
//! ```
//!
//! docs.aws.amazon.com/apigateway: the product passes the body on and does not try again; a client gets what the service
//! answers. Which status a service's error becomes is a mapping of the design there; here it is the one above, which OpenAPI is
//! exported with.
//! Must not know: routes, plugins. Start at [`GatewaySim::send_message`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::attributes::is_structured;
use super::machine::{Stopped, Trouble};
use super::sim::{GatewaySim, Job, SENT};
use crate::components::letters::{Letter, Messages};
use crate::components::{BuildCtx, LinkFacts, takes_fifo};
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, HopKind, Message, QueueCall, QueueError, QueueReply, QueueRequest, QueueResult, header_bytes};
use crate::machines::gateway::aws::{Action, ApiKind, Service};
use crate::model::Project;

/// A queue or fan-out topic that is linked.
#[derive(Clone, Copy, Debug)]
struct Linked {
    end: LinkEnd,
    /// It keeps the order of message groups.
    is_fifo: bool,
    /// Body of its answer as AWS's product hands it on; none of a plugin of one's own.
    answer_bytes: Option<u32>,
}

/// Every queue and fan-out topic that is linked, and the calls under way.
#[derive(Clone, Debug)]
pub(super) struct Integrations {
    /// In link order.
    services: Vec<Linked>,
    messages: Messages,
    /// With what the service's answer will have for a body.
    waiting: BTreeMap<u64, (Job, Option<u32>)>,
    next_call: u64,
    /// Length of each component's id.
    id_bytes: Arc<[usize]>,
}

/// What AWS calls a queue or fan-out topic of the design.
pub(super) fn service(project: &Project, id: &str) -> Option<Service> {
    let component = project.components.get(id)?;
    let action = if component.kind == "fanout" { Action::Publish } else { Action::SendMessage };
    Some(Service { action, is_fifo: takes_fifo(component) })
}

impl Integrations {
    /// For a product of AWS's, or for another.
    pub(super) fn new(ctx: &BuildCtx<'_>, kind: Option<ApiKind>) -> Self {
        let linked = |facts: &LinkFacts| {
            let service = service(ctx.project, &facts.peer_id);
            Linked {
                end: facts.end,
                is_fifo: service.is_some_and(|service| service.is_fifo),
                answer_bytes: kind.and_then(|kind| Some(service?.answer_bytes(kind))),
            }
        };
        Self {
            services: ctx.links_at("messages").map(linked).collect(),
            messages: Messages::new(ctx),
            waiting: BTreeMap::new(),
            next_call: 0,
            id_bytes: super::upstream::id_bytes(ctx),
        }
    }
    /// Requests that wait for a service's answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
    /// Forgets every request that waits; its message may be on its way.
    pub(super) fn forget(&mut self) -> impl Iterator<Item = Job> {
        std::mem::take(&mut self.waiting).into_values().map(|(job, _)| job)
    }
}

impl GatewaySim {
    /// A request's body goes to a service as a message; the answer comes with [`Self::on_queue_reply`].
    pub(super) fn send_message(&mut self, ctx: &mut Ctx<'_>, job: Job, service: usize) {
        let all = &mut self.integrations;
        let Some(Linked { end, is_fifo, answer_bytes }) = all.services.get(service).copied() else { return };
        let request = &job.request;
        let producer_bytes = all.id_bytes.get(request.event.id.producer.index()).copied().unwrap_or_default();
        let letter = Letter {
            meta: request.event,
            key: request.key.as_deref(),
            value: &request.body,
            // What a structured body holds needs no attributes.
            extra_header_bytes: if is_structured(&request.headers) { 0 } else { header_bytes(producer_bytes, request.event_type.len()) },
            traced: ctx.tracing.takes(request.event.id),
        };
        let mut entry = all.messages.entry(letter, is_fifo);
        entry.attempt = request.attempt;
        if let (true, Some(route)) = (ctx.tracing.takes(request.event.id), self.routes.get(job.route as usize)) {
            self.answers.hop(ctx, &job, HopKind::Gateway, &route.words);
        }
        let call = all.next_call;
        all.next_call += 1;
        all.waiting.insert(call, (job, answer_bytes));
        let body = QueueCall::Send(vec![entry]);
        ctx.send(end, Message::Queue(Box::new(QueueRequest { call: CallId(call), body })));
        ctx.timer_after(self.upstream_timeout, SENT | call);
    }
    /// A service has answered; answers after the timeout are ignored.
    pub(super) fn on_queue_reply(&mut self, ctx: &mut Ctx<'_>, reply: &QueueReply) {
        let Some((job, answer_bytes)) = self.integrations.waiting.remove(&reply.call.0) else { return };
        let of_entry = match &reply.result {
            Ok(QueueResult::Entries(results)) => results.first().copied().unwrap_or(Ok(())),
            Ok(QueueResult::Messages(_)) => Ok(()),
            Err(error) => Err(*error),
        };
        match of_entry {
            Ok(()) => {
                let body_bytes = answer_bytes.unwrap_or_else(|| self.answer_bytes(job.route));
                self.answers.accept(ctx, &job, 200, body_bytes);
            }
            Err(error) => {
                let words = format!("the service of route {} answered {error}", self.answers.route_name(job.route));
                self.answers.refuse(ctx, &job, Stopped::made(status_of(error), "service-error", words));
            }
        }
    }
    /// A service has not answered in time, unless it has.
    pub(super) fn on_sent_timeout(&mut self, ctx: &mut Ctx<'_>, call: u64) {
        if let Some((job, _)) = self.integrations.waiting.remove(&call) {
            self.trouble(ctx, &job, Trouble::Timeout);
        }
    }
}

/// What a client is told of a service's error.
fn status_of(error: QueueError) -> u16 {
    if error.is_passing() { 503 } else { 500 }
}
