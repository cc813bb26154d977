//! The gateway's Kafka side: requests that wait for the log's acknowledgement.
//!
//! An event goes into the producing client unchanged; its request is answered when its batch is acknowledged
//! or given up. Two requests for one event may wait at once (a client that timed out sends it again): the
//! first acknowledgement answers the first of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::attributes::is_structured;
use super::sim::{Answer, Job};
use crate::components::BuildCtx;
use crate::components::alarm::Alarm;
use crate::engine::{Ctx, LinkEnd};
use crate::event::{EventId, MetadataReply, Outcome, ProduceReply, STRUCTURED_HEADER_BYTES, header_bytes};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{ClientOutput, Outgoing, ProducerClient, ProducerConfig};
use crate::units::SimTime;

/// The client with its links.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    client: ProducerClient,
    out: ClientOutput,
    /// Only looked up, never walked.
    pending: HashMap<EventId, Job, ahash::RandomState>,
    /// Further requests for an event that is in `pending`, oldest first; rare and short.
    repeated: Vec<Job>,
    /// How often the process began anew: brokers know its batches by that.
    lives: u64,
    alarm: Alarm,
    /// Length of each component's id.
    id_bytes: Arc<[usize]>,
}

impl Upstream {
    pub(super) fn new(ctx: &BuildCtx<'_>, cfg: ProducerConfig) -> Self {
        let mut client = ProducerClient::new(cfg, ctx.stream("partition"));
        for facts in ctx.links_at("records") {
            if let Some(topic) = &facts.topic {
                client.add_topic(topic.topic, topic.partitions, topic.leaders, facts.end.0);
            }
        }
        Self {
            client,
            out: ClientOutput::default(),
            pending: HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4)),
            repeated: Vec::new(),
            lives: 0,
            alarm: Alarm::default(),
            id_bytes: id_bytes(ctx),
        }
    }
    /// Requests that wait.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len() + self.repeated.len()
    }
    /// Records sent once more.
    pub(super) fn retried(&self) -> u64 {
        self.client.counts().retried
    }
    /// Share of records whose key goes to another partition than before, where a topic has got more of them.
    pub(super) fn moved_keys_ratio(&self) -> Option<f64> {
        self.client.moved_keys_ratio()
    }
    /// Changes a setting while running.
    pub(super) fn config_mut(&mut self) -> &mut ProducerConfig {
        self.client.config_mut()
    }
    /// Passes an event on. Call [`Self::flush`] after.
    pub(super) fn push(&mut self, ctx: &Ctx<'_>, topic: usize, job: Job) {
        let request = &job.request;
        let producer_bytes = self.id_bytes.get(request.event.id.producer.index()).copied().unwrap_or_default();
        let event = Outgoing {
            meta: request.event,
            key: request.key.as_deref(),
            value: Some(&request.body),
            // A structured record has its attributes in its value.
            extra_header_bytes: if is_structured(&request.headers) {
                STRUCTURED_HEADER_BYTES
            } else {
                header_bytes(producer_bytes, request.event_type.len())
            },
            traced: ctx.tracing.takes(request.event.id),
        };
        self.client.push(ctx.now, topic, &event, &mut self.out);
        match self.pending.entry(request.event.id) {
            Entry::Occupied(_) => self.repeated.push(job),
            Entry::Vacant(place) => drop(place.insert(job)),
        }
    }
    /// Forgets every request that waits, and gives them back. Their events may still be on their way to the log.
    pub(super) fn abandon(&mut self, now: SimTime) -> Vec<Job> {
        self.lives += 1;
        let events = self.client.abandon(now, self.lives);
        self.alarm = Alarm::default();
        let mut jobs = std::mem::take(&mut self.repeated);
        jobs.extend(events.into_iter().filter_map(|(event, _)| self.pending.remove(&event.id)));
        debug_assert!(self.pending.is_empty(), "whoever waits has an event in the client");
        jobs
    }
    /// The broker has answered. Call [`Self::flush`] after.
    pub(super) fn on_reply(&mut self, ctx: &Ctx<'_>, reply: &ProduceReply) {
        self.client.on_reply(ctx.now, reply, &mut self.out);
    }
    /// A broker has said who leads. Call [`Self::flush`] after.
    pub(super) fn on_metadata(&mut self, ctx: &Ctx<'_>, reply: &MetadataReply) {
        self.client.on_metadata(ctx.now, reply, &mut self.out);
    }
    /// The armed timer. Call [`Self::flush`] after.
    pub(super) fn on_wake(&mut self, ctx: &Ctx<'_>) {
        if self.alarm.rings(ctx.now) {
            self.client.on_wake(ctx.now, &mut self.out);
        }
    }
    /// Sends what the client wants sent, arms its timer, and hands out the requests that are answered.
    pub(super) fn flush(&mut self, ctx: &mut Ctx<'_>, wake_token: u64, answered: &mut Vec<(Job, Answer)>) {
        let mut out = std::mem::take(&mut self.out);
        for (link, message) in out.sends.drain(..) {
            ctx.send(LinkEnd(link), message);
        }
        for acked in out.acked.drain(..) {
            for event in events(&acked.batch) {
                answered.extend(self.take(event.id).map(|job| (job, Answer::Accepted)));
            }
        }
        for unsent in out.unsent.drain(..) {
            let status = match unsent.outcome {
                Outcome::Dropped => 503,
                Outcome::Abandoned => 504,
                Outcome::Rejected | Outcome::Accepted => 502,
            };
            let words = unsent.reason.detail.map_or(unsent.reason.code.to_owned(), std::borrow::Cow::into_owned);
            answered.extend(self.take(unsent.event.id).map(|job| (job, Answer::Failed { status, words })));
        }
        self.out = out;
        let next = self.client.next_wake(ctx.now);
        self.alarm.set(ctx, next, wake_token);
    }
    fn take(&mut self, id: EventId) -> Option<Job> {
        let job = self.pending.remove(&id)?;
        if let Some(at) = self.repeated.iter().position(|other| other.request.event.id == id) {
            let next = self.repeated.remove(at);
            self.pending.insert(id, next);
        }
        Some(job)
    }
}

/// Length of each component's id: what its events' attributes take on a wire depends on it.
pub(super) fn id_bytes(ctx: &BuildCtx<'_>) -> Arc<[usize]> {
    ctx.project.components.iter().map(|(id, component)| component.stream_key(id).len()).collect()
}
