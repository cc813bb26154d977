//! Answers to clients: their words, hops and counters.

use std::sync::Arc;

use super::sim::Job;
use crate::engine::{Ctx, FigureKind, Figures};
use crate::event::{Hop, HopKind, HttpReply, Message};
use crate::units::SimDuration;

/// Statuses that a gateway itself can answer; those of its services are added.
const STATUSES: [u16; 8] = [200, 400, 401, 404, 429, 502, 503, 504];

/// Words of a refusal.
pub(super) enum Phrase {
    /// The product's own: made into text once.
    Known(&'static str),
    /// Of this request.
    Made(String),
}

/// Counters by status and route, and words kept to be shared.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// The component's visible id.
    id: Arc<str>,
    pub requests: u64,
    accepted: u64,
    rejected: u64,
    statuses: Vec<(u16, Arc<str>, u64)>,
    routes: Vec<(Arc<str>, u64)>,
    /// (words, the same for the client, the same for the hop).
    phrases: Vec<(&'static str, Arc<str>, Arc<str>)>,
}

impl Answers {
    pub(super) fn new(id: &str, routes: Vec<Arc<str>>, service_statuses: impl Iterator<Item = u16>) -> Self {
        let mut statuses: Vec<u16> = STATUSES.into_iter().chain(service_statuses).collect();
        statuses.sort_unstable();
        statuses.dedup();
        Self {
            id: id.into(),
            requests: 0,
            accepted: 0,
            rejected: 0,
            statuses: statuses.into_iter().map(|status| (status, status.to_string().into(), 0)).collect(),
            routes: routes.into_iter().map(|name| (name, 0)).collect(),
            phrases: Vec::new(),
        }
    }
    /// A route took a request.
    pub(super) fn route(&mut self, route: u32) {
        if let Some((_, count)) = self.routes.get_mut(route as usize) {
            *count += 1;
        }
    }
    pub(super) fn route_name(&self, route: u32) -> &str {
        self.routes.get(route as usize).map_or("?", |(name, _)| name)
    }
    /// Answers with success.
    pub(super) fn accept(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16) {
        self.accepted += 1;
        self.reply(ctx, job, status, None, None);
    }
    /// Answers with anything else, and tells the hop.
    pub(super) fn refuse(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16, phrase: Phrase, retry_after: Option<SimDuration>) {
        let (reason, words) = match phrase {
            Phrase::Known(words) => self.known(words),
            Phrase::Made(words) => (Arc::from(&*words), self.hop_words(&words)),
        };
        self.rejected += 1;
        self.hop(ctx, job, HopKind::Rejected, &words);
        self.reply(ctx, job, status, Some(reason), retry_after);
    }
    pub(super) fn hop(&self, ctx: &mut Ctx<'_>, job: &Job, kind: HopKind, words: &Arc<str>) {
        let hop = Hop {
            component: ctx.me,
            kind,
            queued: job.queued,
            served: job.served,
            done: ctx.now,
            placed: None,
            group: None,
            words: Arc::clone(words),
            payload: Some(job.request.body.clone()),
            key: job.request.key.clone(),
        };
        ctx.hop(job.request.event, hop);
    }
    fn reply(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16, reason: Option<Arc<str>>, retry_after: Option<SimDuration>) {
        if let Some((_, _, count)) = self.statuses.iter_mut().find(|(known, ..)| *known == status) {
            *count += 1;
        }
        let reply = HttpReply { call: job.request.call, event: job.request.event, status, reason, retry_after };
        ctx.send(job.end, Message::HttpReply(Box::new(reply)));
    }
    fn hop_words(&self, words: &str) -> Arc<str> {
        format!("rejected at {}: {words}", self.id).into()
    }
    fn known(&mut self, words: &'static str) -> (Arc<str>, Arc<str>) {
        if let Some((_, reason, hop)) = self.phrases.iter().find(|(known, ..)| *known == words) {
            return (Arc::clone(reason), Arc::clone(hop));
        }
        let (reason, hop) = (Arc::from(words), self.hop_words(words));
        self.phrases.push((words, Arc::clone(&reason), Arc::clone(&hop)));
        (reason, hop)
    }
    pub(super) fn figures(&self, out: &mut Figures) {
        out.counter("requests_count", self.requests);
        out.counter("accepted_count", self.accepted);
        out.counter("rejected_count", self.rejected);
        for (_, label, count) in &self.statuses {
            out.of("responses_count", label, FigureKind::Counter, *count as f64);
        }
        for (name, count) in &self.routes {
            out.of("route_requests_count", name, FigureKind::Counter, *count as f64);
        }
    }
}
