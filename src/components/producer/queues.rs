//! An event as a queue's message, and the client with every linked queue.

use std::sync::Arc;

use bytes::Bytes;

use super::payload::Target;
use super::queue_client::{QueueClient, QueueClientConfig, QueueOutput};
use super::telling::settle;
use crate::components::{BuildCtx, EndRole, Params, takes_fifo};
use crate::engine::Ctx;
use crate::event::{EventMeta, Message, QueueEntry, QueueReply};
use crate::machines::broker::batch::BatchBuilder;
use crate::units::{SimDuration, SimTime};

/// How events become messages.
#[derive(Clone, Debug)]
pub(super) struct Messages {
    delay: Option<SimDuration>,
    deduplicate_by_id: bool,
    /// Standard queues get message groups too.
    names_tenants: bool,
    /// The message group of events without a key.
    default_group: Bytes,
}

/// An event with its bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::components) struct Letter<'a> {
    pub meta: EventMeta,
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
    pub extra_header_bytes: u32,
    pub traced: bool,
}

impl Messages {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Self {
        Self {
            delay: params.is_given("message_delay").then(|| params.duration("message_delay")),
            deduplicate_by_id: params.text("deduplication") == "event_id",
            names_tenants: params.flag("message_groups"),
            default_group: Bytes::copy_from_slice(ctx.key.as_bytes()),
        }
    }

    pub fn entry(&self, letter: Letter<'_>, is_fifo: bool) -> QueueEntry {
        let Letter { meta, key, .. } = letter;
        let group = || key.map_or_else(|| self.default_group.clone(), Bytes::copy_from_slice);
        let id = || Bytes::from(format!("{}-{}", meta.id.producer.0, meta.id.seq));
        QueueEntry {
            group: if is_fifo { Some(group()) } else { key.filter(|_| self.names_tenants).map(Bytes::copy_from_slice) },
            deduplication: (is_fifo && self.deduplicate_by_id).then(id),
            delay: self.delay,
            ..letter.sealed()
        }
    }
}

impl Letter<'_> {
    /// As a message of no group.
    pub fn sealed(self) -> QueueEntry {
        let Letter { meta, key, value, extra_header_bytes, traced } = self;
        let mut builder = BatchBuilder::with_capacity(value.len() + 128);
        builder.push(&meta, key, value, extra_header_bytes, traced);
        QueueEntry {
            event: meta,
            batch: builder.finish(),
            size_bytes: u32::try_from(value.len()).unwrap_or(u32::MAX).saturating_add(extra_header_bytes),
            group: None,
            deduplication: None,
            delay: None,
            attempt: 1,
            moved_since: None,
        }
    }
}

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
        let queues = Self { client, messages: Messages::new(ctx, params), out: QueueOutput::default() };
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
