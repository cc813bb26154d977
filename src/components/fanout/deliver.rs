//! A delivery sets out, as a message to a queue or as an HTTP request, and its answer is told to the machine.

use std::sync::Arc;

use super::sim::{FanoutSim, LATE};
use super::subscriptions::Protocol;
use crate::engine::Ctx;
use crate::event::{CallId, HttpRequest, Message, Placed, QueueCall, QueueEntry, QueueReply, QueueRequest, QueueResult};
use crate::machines::broker::batch::{BatchBuilder, records, value_bytes};
use crate::machines::broker::fanout::envelope::{self, Sheet};
use crate::machines::broker::fanout::topic::{Answer, Effects, Published, RAW_ATTRIBUTES_MAX, Refusal};

/// The status of an endpoint that asks for patience; SNS tries again as after a server's error.
const TOO_MANY_REQUESTS: u16 = 429;

impl FanoutSim {
    /// Sends a delivery, in its envelope where the subscription wants one.
    pub(super) fn deliver(&mut self, ctx: &mut Ctx<'_>, subscription: usize, number: u64) {
        let Some(message) = self.fanout.message(number) else { return };
        let endpoint = &self.endpoints[subscription];
        let attributes = message.attributes.0.len();
        if endpoint.raw && matches!(endpoint.protocol, Protocol::Queue) && attributes > RAW_ATTRIBUTES_MAX {
            return self.told(ctx, (subscription, number), Answer::Refused(Refusal::Attributes(attributes)));
        }
        let entry = if endpoint.raw { message.entry.clone() } else { self.enveloped(ctx, number, message) };
        let call = self.next_call;
        let request = match &endpoint.protocol {
            Protocol::Queue => {
                let body = QueueCall::Send(vec![QueueEntry { delay: None, ..entry }]);
                Some(Message::Queue(Box::new(QueueRequest { call: CallId(call), body })))
            }
            Protocol::Http { path, .. } => self.post((subscription, number), path, &entry).map(|request| Message::Http(Box::new(request))),
        };
        let (Some(request), end) = (request, endpoint.end) else { return };
        self.next_call += 1;
        ctx.send(end, request);
        self.waiting.insert(call, (subscription, number));
        ctx.timer_after(self.delivery_timeout, LATE | call);
    }

    fn post(&self, (subscription, number): (usize, u64), path: &Arc<str>, entry: &QueueEntry) -> Option<HttpRequest> {
        let record = records(&entry.batch).next()?;
        Some(HttpRequest {
            call: CallId(self.next_call),
            method: "POST".into(),
            path: Arc::clone(path),
            headers: Arc::from([(Arc::from("x-amz-sns-message-type"), Arc::from("Notification"))]),
            event: record.meta,
            event_type: self.names.type_of(entry),
            key: record.key.map(|key| entry.batch.bytes.slice_ref(key)),
            body: value_bytes(&entry.batch, &record),
            attempt: self.fanout.failures(subscription, number) + 1,
            delivery: Some(Placed { topic: self.topic, partition: 0, offset: number }),
        })
    }

    fn enveloped(&self, ctx: &Ctx<'_>, number: u64, message: &Published) -> QueueEntry {
        let entry = &message.entry;
        let Some(record) = records(&entry.batch).next() else { return entry.clone() };
        let id = format!("{}-{number}", self.name);
        let sheet = Sheet { message_id: &id, topic: &self.name, at: message.at, attributes: &message.attributes };
        let value = envelope::seal(&sheet, record.value);
        let mut builder = BatchBuilder::with_capacity(value.len() + 128);
        builder.push(&record.meta, record.key, &value, 0, ctx.tracing.takes(record.meta.id));
        QueueEntry { batch: builder.finish(), size_bytes: u32::try_from(value.len()).unwrap_or(u32::MAX), ..entry.clone() }
    }

    pub(super) fn answered(&mut self, ctx: &mut Ctx<'_>, call: u64, answer: Answer) {
        // What waits no more was answered before, or was late.
        if let Some(delivery) = self.waiting.remove(&call) {
            self.told(ctx, delivery, answer);
        }
    }

    fn told(&mut self, ctx: &mut Ctx<'_>, (subscription, number): (usize, u64), answer: Answer) {
        let mut effects = Effects::default();
        self.fanout.answered(ctx.now, subscription, number, answer, &mut effects);
        self.carry_out(ctx, effects);
    }
}

pub(super) fn answer_of(reply: &QueueReply) -> Answer {
    let error = match &reply.result {
        Ok(QueueResult::Entries(entries)) => entries.iter().find_map(|entry| entry.err()),
        Ok(QueueResult::Messages(_)) => None,
        Err(error) => Some(*error),
    };
    match error {
        None => Answer::Taken,
        Some(error) if error.is_passing() => Answer::Failed,
        Some(error) => Answer::Refused(Refusal::Queue(error)),
    }
}

/// SNS tries again after a server's error and after 429, and after nothing else.
/// Source: docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html.
pub(super) fn answer_of_status(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Taken,
        TOO_MANY_REQUESTS | 500..=599 => Answer::Failed,
        other => Answer::Refused(Refusal::Status(other)),
    }
}
