//! The way to a gateway: one request an event, a limit on requests under way, timeouts, retries.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::credentials::{Credentials, Sort};
use super::sim::CALLS_HTTP;
use crate::components::Params;
use crate::event::{CallId, EventMeta, HttpReply, HttpRequest, Outcome, Reason};
use crate::machines::resilience::{BreakerConfig, CallEnd, CircuitBreaker, Permission};
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// Distinct statuses counted; there are no more than these three digits.
const STATUSES_MAX: usize = 600;
/// A backoff grows to this many times the first.
const BACKOFF_GROWTH_MAX: u64 = 100;

/// Settings.
#[derive(Clone, Debug)]
pub(super) struct HttpConfig {
    pub timeout: SimDuration,
    pub retries_max: u32,
    pub retry_statuses: Vec<u16>,
    pub backoff: SimDuration,
    pub concurrency_max: usize,
    pub queue_max: usize,
    pub call_tag: u8,
    /// Whether a gateway's `Retry-After` is heeded.
    pub heeds_retry_after: bool,
    pub jitter: Jitter,
    /// From the event's birth; nothing is sent again beyond it.
    pub budget: Option<SimDuration>,
}

/// How backoffs are spread (AWS Architecture Blog, "Exponential Backoff And Jitter").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Jitter {
    #[default]
    None,
    /// Anywhere up to the backoff.
    Full,
    /// Half of it, and anywhere up to the other half.
    Equal,
}

/// An event on its way to a gateway.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub meta: EventMeta,
    pub event_type: Arc<str>,
    pub method: Arc<str>,
    pub path: Arc<str>,
    pub key: Option<Bytes>,
    pub body: Bytes,
    /// Tries so far.
    pub attempts: u32,
    /// What it proves itself with.
    pub credential: Sort,
    /// By which the breaker knows its last try.
    pub turn: u64,
}

/// What one call wants done.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpOutput {
    /// (which gateway in link order, request).
    pub requests: Vec<(usize, HttpRequest)>,
    /// Events that are over without being accepted.
    pub unsent: Vec<(Job, Outcome, Reason)>,
}

/// Counters.
#[derive(Clone, Debug, Default)]
pub(super) struct HttpCounts {
    pub accepted: u64,
    pub rejected: u64,
    pub retried: u64,
    pub dropped: u64,
    pub abandoned: u64,
    /// Answers by status, in order of status.
    pub statuses: BTreeMap<u16, (Arc<str>, u64)>,
}

/// The client.
#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    pub cfg: HttpConfig,
    credentials: Credentials,
    pub breaker: Option<CircuitBreaker>,
    jitter_rng: Option<Stream>,
    gateways: usize,
    next_gateway: usize,
    queue: VecDeque<Job>,
    under_way: BTreeMap<u64, Job>,
    /// In order of sending: (when it is too late, call).
    deadlines: VecDeque<(SimTime, u64)>,
    /// Waiting for their retry, by instant and number.
    resting: BTreeMap<(SimTime, u64), Job>,
    next_number: u64,
    pub counts: HttpCounts,
}

impl HttpClient {
    pub fn new(cfg: HttpConfig, credentials: Credentials, gateways: usize) -> Self {
        Self {
            cfg,
            credentials,
            breaker: None,
            jitter_rng: None,
            gateways,
            next_gateway: 0,
            queue: VecDeque::new(),
            under_way: BTreeMap::new(),
            deadlines: VecDeque::new(),
            resting: BTreeMap::new(),
            next_number: 0,
            counts: HttpCounts::default(),
        }
    }

    /// The same with a breaker, and randomness for its jitter.
    pub fn with(mut self, breaker: Option<CircuitBreaker>, jitter_rng: Option<Stream>) -> Self {
        (self.breaker, self.jitter_rng) = (breaker, jitter_rng);
        self
    }
    pub fn in_flight(&self) -> usize {
        self.under_way.len()
    }
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.resting.len()
    }

    /// Takes an event.
    pub fn push(&mut self, now: SimTime, mut job: Job, out: &mut HttpOutput) {
        job.credential = self.credentials.draw();
        if self.under_way.len() < self.cfg.concurrency_max && self.queue.is_empty() {
            self.send(now, job, out);
        } else if self.waiting() < self.cfg.queue_max {
            self.queue.push_back(job);
        } else {
            self.counts.dropped += 1;
            let reason = Reason { code: "queue-full", detail: Some("every connection is busy and the queue is full".into()) };
            out.unsent.push((job, Outcome::Dropped, reason));
        }
    }

    /// Forgets every event that is not answered, and gives them back, each with whether it had been sent.
    pub fn abandon(&mut self) -> Vec<(EventMeta, bool)> {
        self.deadlines.clear();
        if let Some(breaker) = &mut self.breaker {
            self.under_way.values().for_each(|job| breaker.release(job.turn));
        }
        let sent = std::mem::take(&mut self.under_way).into_values().chain(std::mem::take(&mut self.resting).into_values());
        let unsent = self.queue.drain(..).map(|job| (job.meta, false));
        sent.map(|job| (job.meta, true)).chain(unsent).collect()
    }

    /// A gateway has answered; answers after the timeout are ignored.
    pub fn on_reply(&mut self, now: SimTime, reply: &HttpReply, out: &mut HttpOutput) {
        let number = reply.call.0 & !(0xff << 56);
        let Some(job) = self.under_way.remove(&number) else { return };
        if self.counts.statuses.len() < STATUSES_MAX || self.counts.statuses.contains_key(&reply.status) {
            self.counts.statuses.entry(reply.status).or_insert_with(|| (reply.status.to_string().into(), 0)).1 += 1;
        }
        self.tell_breaker(now, &job, reply.status >= 500);
        if (200..300).contains(&reply.status) {
            self.counts.accepted += 1;
        } else if self.cfg.retry_statuses.contains(&reply.status) && job.attempts <= self.cfg.retries_max {
            let asked = reply.retry_after.filter(|_| self.cfg.heeds_retry_after).unwrap_or_default();
            let rest = self.backoff(job.attempts).max(asked);
            self.rest(now, rest, job, out);
        } else {
            self.counts.rejected += 1;
            let words = reply.reason.as_ref().map_or_else(|| reply.status.to_string(), |words| format!("{}: {words}", reply.status));
            out.unsent.push((job, Outcome::Rejected, Reason { code: status_code(reply.status), detail: Some(words.into()) }));
        }
        self.refill(now, out);
    }

    /// Does what is due: timeouts and retries.
    pub fn on_wake(&mut self, now: SimTime, out: &mut HttpOutput) {
        while let Some(&(deadline, number)) = self.deadlines.front() {
            if deadline > now && self.under_way.contains_key(&number) {
                break;
            }
            self.deadlines.pop_front();
            let Some(job) = self.under_way.remove(&number) else { continue };
            self.tell_breaker(now, &job, true);
            if job.attempts <= self.cfg.retries_max {
                let rest = self.backoff(job.attempts);
                self.rest(now, rest, job, out);
            } else {
                self.counts.abandoned += 1;
                let words = format!("no answer within {}, {} attempts", self.cfg.timeout, job.attempts);
                out.unsent.push((job, Outcome::Abandoned, Reason { code: "timeout", detail: Some(words.into()) }));
            }
        }
        self.refill(now, out);
    }

    /// When [`Self::on_wake`] has something to do.
    pub fn next_wake(&mut self, now: SimTime) -> SimTime {
        while self.deadlines.front().is_some_and(|(_, number)| !self.under_way.contains_key(number)) {
            self.deadlines.pop_front();
        }
        let deadline = self.deadlines.front().map_or(SimTime::MAX, |(deadline, _)| *deadline);
        // A retry that is due but finds no free connection goes out with the next answer.
        let due = self.resting.keys().next().map_or(SimTime::MAX, |(at, _)| *at);
        if due > now { deadline.min(due) } else { deadline }
    }

    fn tell_breaker(&mut self, now: SimTime, job: &Job, failed: bool) {
        if let Some(breaker) = &mut self.breaker {
            breaker.ended(now, job.turn, CallEnd { failed, took: SimDuration::ZERO });
        }
    }

    fn refill(&mut self, now: SimTime, out: &mut HttpOutput) {
        while self.under_way.len() < self.cfg.concurrency_max {
            let due = self.resting.first_key_value().is_some_and(|((at, _), _)| *at <= now);
            let job = if due { self.resting.pop_first().map(|(_, job)| job) } else { self.queue.pop_front() };
            let Some(job) = job else { return };
            self.send(now, job, out);
        }
    }

    fn rest(&mut self, now: SimTime, rest: SimDuration, job: Job, out: &mut HttpOutput) {
        if self.cfg.budget.is_some_and(|budget| now + rest > job.meta.born + budget) {
            self.counts.abandoned += 1;
            let words = format!("no time is left for another try, {} attempts", job.attempts);
            out.unsent.push((job, Outcome::Abandoned, Reason { code: "budget", detail: Some(words.into()) }));
            return;
        }
        self.next_number += 1;
        self.resting.insert((now + rest, self.next_number), job);
    }

    fn backoff(&mut self, failures: u32) -> SimDuration {
        let whole = self.cfg.backoff.times((1 << failures.saturating_sub(1).min(32)).min(BACKOFF_GROWTH_MAX));
        let Some(rng) = &mut self.jitter_rng else { return whole };
        let part = |share: f64| SimDuration::from_ns((whole.as_ns() as f64 * share) as u64);
        match self.cfg.jitter {
            Jitter::None => whole,
            Jitter::Full => part(rng.unit_f64()),
            Jitter::Equal => part(0.5 + rng.unit_f64() / 2.0),
        }
    }

    fn send(&mut self, now: SimTime, mut job: Job, out: &mut HttpOutput) {
        match self.breaker.as_mut().map(|breaker| breaker.acquire(now)) {
            Some(Permission::Refused) => {
                let outcome = if job.attempts == 0 { Outcome::Dropped } else { Outcome::Abandoned };
                *(if job.attempts == 0 { &mut self.counts.dropped } else { &mut self.counts.abandoned }) += 1;
                let words = "the client's circuit breaker is open";
                out.unsent.push((job, outcome, Reason { code: "circuit-open", detail: Some(words.into()) }));
                return;
            }
            Some(Permission::Granted(turn)) => job.turn = turn,
            None => {}
        }
        self.next_number += 1;
        job.attempts += 1;
        self.counts.retried += u64::from(job.attempts > 1);
        let request = HttpRequest {
            call: CallId(u64::from(self.cfg.call_tag) << 56 | self.next_number),
            method: Arc::clone(&job.method),
            path: Arc::clone(&job.path),
            headers: self.credentials.headers(now, job.credential),
            event: job.meta,
            event_type: Arc::clone(&job.event_type),
            key: job.key.clone(),
            body: job.body.clone(),
            attempt: job.attempts,
            delivery: None,
        };
        out.requests.push((self.next_gateway, request));
        self.next_gateway = (self.next_gateway + 1) % self.gateways.max(1);
        self.deadlines.push_back((now + self.cfg.timeout, self.next_number));
        self.under_way.insert(self.next_number, job);
    }
}

/// A stable code for a final answer.
fn status_code(status: u16) -> &'static str {
    match status {
        400 | 422 => "schema",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "no-route",
        405 => "method",
        413 => "too-large",
        429 => "rate-limit",
        502 => "upstream",
        503 => "unavailable",
        504 => "timeout",
        _ => "http",
    }
}

/// The client's circuit breaker: it counts the last requests, and only whether they failed. None when it is off.
pub(super) fn breaker(params: &Params<'_>) -> Option<CircuitBreaker> {
    let window_size = usize::try_from(params.count("breaker_window")).unwrap_or(1).max(1);
    params.is_given("breaker_failures").then(|| {
        CircuitBreaker::new(BreakerConfig {
            failure_rate: 100.0 * params.ratio("breaker_failures"),
            slow_rate: f64::INFINITY,
            window_size,
            calls_min: u32::try_from(window_size).unwrap_or(u32::MAX),
            half_open_calls: u32::try_from(params.count("breaker_trials")).unwrap_or(1),
            open_wait: params.duration("breaker_wait"),
            ..BreakerConfig::default()
        })
    })
}

/// What the parameters say to the client of gateways.
pub(super) fn http_config(params: &Params<'_>) -> HttpConfig {
    let count = |name: &str| usize::try_from(params.count(name)).unwrap_or(0);
    HttpConfig {
        timeout: params.duration("http_timeout"),
        retries_max: u32::try_from(params.count("http_retries")).unwrap_or(0),
        retry_statuses: super::retry_statuses(params).into_iter().filter_map(Result::ok).collect(),
        backoff: params.duration("backoff"),
        concurrency_max: count("http_concurrency").max(1),
        queue_max: count("http_queue"),
        call_tag: CALLS_HTTP,
        heeds_retry_after: params.flag("retry_after"),
        jitter: match params.text("backoff_jitter").as_str() {
            "full" => Jitter::Full,
            "equal" => Jitter::Equal,
            _ => Jitter::None,
        },
        budget: params.is_given("http_budget").then(|| params.duration("http_budget")),
    }
}
