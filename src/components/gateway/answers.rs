//! Answers to clients: their words, hops and counters.

use std::sync::Arc;

use super::book::{Book, Seen};
use super::machine::Stopped;
use super::sim::Job;
use super::usage::Usage;
use crate::engine::{Ctx, FigureKind, Figures};
use crate::event::{Hop, HopKind, HttpReply, Message};
use crate::machines::gateway::{BodyForm, Words};
use crate::units::SimTime;

/// Statuses that are told from the first on; any other, and those of its services, once one was answered.
const STATUSES: [u16; 8] = [200, 400, 401, 404, 429, 502, 503, 504];

/// What one route has seen.
#[derive(Clone, Debug)]
struct RouteBook {
    name: Arc<str>,
    requests: u64,
    /// (status, `orders 429`, how many).
    statuses: Vec<(u16, Arc<str>, u64)>,
    answered: Book,
}

impl RouteBook {
    fn new(name: Arc<str>) -> Self {
        Self { name, requests: 0, statuses: Vec::new(), answered: Book::default() }
    }
}

/// Counters by status and route, and words kept to be shared.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    /// The component's visible id.
    id: Arc<str>,
    own_form: BodyForm,
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
    /// `own_form` is how the product writes an error that no plugin has written.
    pub(super) fn new(
        id: &str,
        routes: Vec<Arc<str>>,
        clients: &[Arc<str>],
        service_statuses: impl Iterator<Item = u16>,
        own_form: BodyForm,
    ) -> Self {
        let mut statuses: Vec<u16> = STATUSES.into_iter().chain(service_statuses).collect();
        statuses.sort_unstable();
        statuses.dedup();
        Self {
            id: id.into(),
            own_form,
            requests: 0,
            accepted: 0,
            rejected: 0,
            statuses: statuses.into_iter().map(|status| (status, status.to_string().into(), 0)).collect(),
            routes: routes.into_iter().map(RouteBook::new).collect(),
            usage: Usage::new(clients),
            reasons: Vec::new(),
            phrases: Vec::new(),
        }
    }
    /// A route took a request of a consumer, or of nobody known.
    pub(super) fn route(&mut self, route: u32, consumer: Option<u32>) {
        if let Some(book) = self.routes.get_mut(route as usize) {
            book.requests += 1;
        }
        if let Some(consumer) = consumer {
            self.usage.known(consumer);
        }
    }
    fn reason(&mut self, client: Option<u32>, code: &'static str) {
        match self.reasons.iter_mut().find(|(known, ..)| *known == code) {
            Some((_, _, count)) => *count += 1,
            None => self.reasons.push((code, code.into(), 1)),
        }
        self.usage.refused(client, code);
    }
    pub(super) fn route_name(&self, route: u32) -> &str {
        self.routes.get(route as usize).map_or("?", |book| &book.name)
    }
    /// Answers with success.
    pub(super) fn accept(&mut self, ctx: &mut Ctx<'_>, job: &Job, status: u16, body_bytes: u32) {
        self.accepted += 1;
        let reply = HttpReply { body_bytes, ..HttpReply::to(&job.request, status) };
        self.reply(ctx, job, reply);
    }
    /// Answers with anything else, and tells the hop.
    pub(super) fn refuse(&mut self, ctx: &mut Ctx<'_>, job: &Job, refusal: Stopped) {
        let Stopped { status, code, words, body_bytes, retry_after } = refusal;
        let body_bytes = body_bytes.unwrap_or_else(|| self.own_form.bytes(words.as_str()));
        let (reason, words) = match words {
            Words::Known(words) => self.known(words),
            Words::Made(words) => (Arc::clone(&words), self.hop_words(&words)),
        };
        self.rejected += 1;
        self.reason(job.client, code);
        self.hop(ctx, job, HopKind::Rejected, &words);
        let reply = HttpReply { reason: Some(reason), retry_after, body_bytes, ..HttpReply::to(&job.request, status) };
        self.reply(ctx, job, reply);
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
    fn reply(&mut self, ctx: &mut Ctx<'_>, job: &Job, reply: HttpReply) {
        let status = reply.status;
        match self.statuses.iter_mut().find(|(known, ..)| *known == status) {
            Some((_, _, count)) => *count += 1,
            None => self.statuses.push((status, status.to_string().into(), 1)),
        }
        let decided = job.decided.max(job.queued);
        let seen = Seen {
            gateway: decided.since(job.queued),
            upstream: ctx.now.since(decided),
            in_bytes: job.request.body.len() as u64,
            out_bytes: u64::from(reply.body_bytes),
        };
        let mut route = None;
        if let Some(book) = self.routes.get_mut(job.route as usize) {
            match book.statuses.iter_mut().find(|(known, ..)| *known == status) {
                Some((_, _, count)) => *count += 1,
                None => book.statuses.push((status, format!("{} {status}", book.name).into(), 1)),
            }
            book.answered.add(seen);
            route = Some(&*book.name);
        }
        self.usage.answered(job.client, (job.route, route), status, seen);
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
        for RouteBook { name, statuses, answered, .. } in self.routes.iter().filter(|book| book.answered.answered() > 0) {
            for (_, label, count) in statuses {
                out.of("route_responses_count", label, FigureKind::Counter, *count as f64);
            }
            out.of("route_in_bytes", name, FigureKind::Counter, answered.in_bytes as f64);
            out.of("route_out_bytes", name, FigureKind::Counter, answered.out_bytes as f64);
            answered.times(["route_gateway_ms_mean", "route_gateway_ms_p99", "route_upstream_ms_mean", "route_upstream_ms_p99"], name, out);
        }
        self.usage.figures(now, out);
        for (_, label, count) in &self.reasons {
            out.of("rejections_count", label, FigureKind::Counter, *count as f64);
        }
    }
}
