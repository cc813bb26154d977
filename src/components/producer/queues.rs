//! The client with every linked queue.

use std::sync::Arc;

use super::payload::Target;
use super::queue_client::{QueueClient, QueueClientConfig, QueueOutput};
use super::telling::settle;
use crate::components::letters::{Letter, Messages};
use crate::components::{BuildCtx, EndRole, Params, takes_fifo};
use crate::engine::Ctx;
use crate::event::{Message, QueueReply};
use crate::units::SimTime;

/// The way to every linked queue.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    pub client: QueueClient,
    messages: Messages,
    out: QueueOutput,
}

impl Queues {
    /// None without a linked queue; and each queue's name with what the client calls it.
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>, call_tag: u8) -> (Option<Self>, Vec<(Arc<str>, Target)>) {
        let buffer_max = usize::try_from(params.count("queue_buffer")).unwrap_or(0).max(1);
        let mut client = QueueClient::new(config(params, buffer_max, call_tag));
        let mut names = Vec::new();
        for facts in ctx.links_at("out").filter(|facts| facts.role == EndRole::From) {
            if let Some(queue) = &facts.queue {
                let is_fifo = ctx.project.components.get(&facts.peer_id).is_some_and(takes_fifo);
                names.push((Arc::clone(&queue.name), Target::Queue(client.add_target(facts.end, is_fifo))));
            }
        }
        let queues = Self { client, messages: messages(ctx, params), out: QueueOutput::default() };
        ((!names.is_empty()).then_some(queues), names)
    }

    pub fn push(&mut self, now: SimTime, queue: usize, letter: Letter<'_>) {
        let entry = self.messages.entry(letter, self.client.is_fifo(queue));
        self.client.push(now, queue, entry, &mut self.out);
    }
    pub fn on_reply(&mut self, now: SimTime, reply: &QueueReply) {
        self.client.on_reply(now, reply, &mut self.out);
    }
    pub fn on_wake(&mut self, now: SimTime) {
        self.client.on_wake(now, &mut self.out);
    }
    /// Carries out what the client wants.
    pub fn send(&mut self, ctx: &mut Ctx<'_>) {
        for (end, request) in self.out.requests.drain(..) {
            ctx.send(end, Message::Queue(Box::new(request)));
        }
        for (event, outcome, reason) in self.out.unsent.drain(..) {
            settle(ctx, event, outcome, reason, None);
        }
    }
}

fn messages(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Messages {
    Messages {
        delay: params.is_given("message_delay").then(|| params.duration("message_delay")),
        deduplicate_by_id: params.text("deduplication") == "event_id",
        names_tenants: params.flag("message_groups"),
        ..Messages::new(ctx)
    }
}

/// What the parameters of `queue_spec.rs` say to the client, but for its buffer.
pub(in crate::components) fn config(params: &Params<'_>, buffer_max: usize, call_tag: u8) -> QueueClientConfig {
    let count = |name: &str| usize::try_from(params.count(name)).unwrap_or(0);
    QueueClientConfig {
        batch_max: count("queue_batch").max(1),
        linger: params.duration("queue_linger"),
        calls_max: count("queue_calls").max(1),
        timeout: params.duration("queue_timeout"),
        retries_max: u32::try_from(params.count("queue_retries")).unwrap_or(0),
        backoff: params.duration("queue_backoff"),
        buffer_max,
        call_tag,
        first_call: 0,
        report_acks: false,
    }
}
