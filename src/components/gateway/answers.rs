//! Answers to clients: their words, hops and counters.

use std::sync::Arc;

use super::sim::Job;
use super::usage::Usage;
use crate::engine::{Ctx, FigureKind, Figures};
use crate::event::{Hop, HopKind, HttpReply, Message};
use crate::machines::gateway::Words;
use crate::units::{SimDuration, SimTime};

/// Statuses that are told from the first on; any other, and those of its services, once one was answered.
const STATUSES: [u16; 8] = [200, 400, 401, 404, 429, 502, 503, 504];

/// What one route has seen.
#[derive(Clone, Debug)]
struct RouteBook {
    name: Arc<str>,
    requests: u64,
    /// (status, `orders 429`, how many).
    statuses: Vec<(u16, Arc<str>, u64)>,
    in_bytes: u64,
    answered: u64,
    gateway_s: f64,
    upstream_s: f64,
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
    routes: Vec<RouteBook>,
    pub usage: Usage,
    /// Refusals by the stable code of their reason.
    reasons: Vec<(&'static str, Arc<str>, u64)>,
    /// (words, the same for the client, the same for the hop).
    phrases: Vec<(&'static str, Arc<str>, Arc<str>)>,
}

impl Answers {
    pub(super) fn new(id: &str, routes: Vec<Arc<str>>, clients: &[Arc<str>], service_statuses: impl Iterator<Item = u16>) -> Self {
        let mut statuses: Vec<u16> = STATUSES.into_iter().chain(service_statuses).collect();
        statuses.sort_unstable();
        statuses.dedup();
        Self {
            id: id.into(),
            requests: 0,
            accepted: 0,
            rejected: 0,
            statuses: statuses.into_iter().map(|status| (status, status.to_string().into(), 0)).collect(),
            routes: routes
                .into_iter()
                .map(|name| RouteBook {
                    name,
                    requests: 0,
                    statuses: Vec::new(),
                    in_bytes: 0,
                    answered: 0,
                    gateway_s: 0.0,
                    upstream_s: 0.0,
                })
                .collect(),
            usage: Usage::new(clients),
            reasons: Vec::new(),
            phrases: Vec::new(),
        }
    }
    /// A route took a request of a consumer, or of nobody known.
    pub(super) fn route(&mut self, route: u32, consumer: Option<u32>, bytes: usize) {
        if let Some(book) = self.routes.get_mut(route as usize) {
            book.requests += 1;
            book.in_bytes += bytes as u64;
        }
        if let Some(consumer) = consumer {
            self.usage.known(consumer);
        }
    }
    /// A plugin or the router refused a request.
    pub(super) fn reason(&mut self, code: &'static str) {
        match self.reasons.iter_mut().find(|(known, ..)| *known == code) {
            Some((_, _, count)) => *count += 1,
            None => self.reasons.push((code, code.into(), 1)),
        }
    }
    pub(super) fn route_name(&self, route: u32) -> &str {
        self.routes.get(route as usize).map_or("?", |book| &book.name)
    }
    /// Answers with success.
    pub(super) fn accept(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16) {
        self.accepted += 1;
        self.reply(ctx, job, status, None, None);
    }
    /// Answers with anything else, and tells the hop.
    pub(super) fn refuse(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16, words: Words, retry_after: Option<SimDuration>) {
        let (reason, words) = match words {
            Words::Known(words) => self.known(words),
            Words::Made(words) => (Arc::clone(&words), self.hop_words(&words)),
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
        match self.statuses.iter_mut().find(|(known, ..)| *known == status) {
            Some((_, _, count)) => *count += 1,
            None => self.statuses.push((status, status.to_string().into(), 1)),
        }
        if let Some(book) = self.routes.get_mut(job.route as usize) {
            match book.statuses.iter_mut().find(|(known, ..)| *known == status) {
                Some((_, _, count)) => *count += 1,
                None => book.statuses.push((status, format!("{} {status}", book.name).into(), 1)),
            }
            let seconds = |from: SimTime, to: SimTime| to.since(from).as_ns() as f64 / 1e9;
            book.answered += 1;
            book.gateway_s += seconds(job.queued, job.decided.max(job.queued));
            book.upstream_s += seconds(job.decided.max(job.queued), ctx.now);
            if let Some(client) = job.client {
                self.usage.answered(client, (job.route, &book.name), status);
            }
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
    pub(super) fn figures(&self, now: SimTime, out: &mut Figures) {
        out.counter("requests_count", self.requests);
        out.counter("accepted_count", self.accepted);
        out.counter("rejected_count", self.rejected);
        for (_, label, count) in &self.statuses {
            out.of("responses_count", label, FigureKind::Counter, *count as f64);
        }
        for book in &self.routes {
            out.of("route_requests_count", &book.name, FigureKind::Counter, book.requests as f64);
        }
        for book in self.routes.iter().filter(|book| book.answered > 0) {
            for (_, label, count) in &book.statuses {
                out.of("route_responses_count", label, FigureKind::Counter, *count as f64);
            }
            out.of("route_in_bytes", &book.name, FigureKind::Counter, book.in_bytes as f64);
            out.of("route_gateway_ms_mean", &book.name, FigureKind::Gauge, book.gateway_s * 1e3 / book.answered as f64);
            out.of("route_upstream_ms_mean", &book.name, FigureKind::Gauge, book.upstream_s * 1e3 / book.answered as f64);
        }
        self.usage.figures(now, out);
        for (_, label, count) in &self.reasons {
            out.of("rejections_count", label, FigureKind::Counter, *count as f64);
        }
    }
}
