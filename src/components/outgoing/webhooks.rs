//! Webhooks: signed posts to endpoints, tried again by a schedule, until they are answered or given up.
//!
//! ```text
//! taken in ─► ready ─► attempt: sign, post ─► receiver: verify, process, answer ─► 2xx: over
//!                ▲                                                 └─► else: by the schedule again ─► given up
//!                └──────────── due ◄───────────────────────────────────────┘        410, or failing for long: disabled
//! ```
//!
//! What is owed stands in a store that outlives instances: an instance that crashes loses the answers it waits for, and those
//! posts are made again. Source: Standard Webhooks 1.0.0, "Operational considerations". Start at [`Webhooks::take_in`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::receivers::{self, Receiver};
use super::signature::{Headers, Secret};
use super::sim::{Books, Delivery, Owed};
use crate::components::consumer::handler::timer;
use crate::components::slab::Slab;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, FigureKind, Figures};
use crate::event::{EventId, ObligationEnd, Reason};
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, SimTime};

/// Ids that a receiver remembers to know a webhook that comes again; the lowest are forgotten.
const SEEN_MAX: usize = 100_000;

/// Low byte of timer tokens; an attempt's place or an endpoint's number stands above.
const TOKEN_ANSWER: u64 = 0;
const TOKEN_LATE: u64 = 1;
const TOKEN_DUE: u64 = 2;

/// What counts for all endpoints.
#[derive(Clone, Debug)]
struct Rules {
    /// Waits before the second attempt, the third…
    schedule: Vec<SimDuration>,
    jitter: f64,
    timeout: SimDuration,
    disable_after: SimDuration,
    is_ordered: bool,
    under_way_max: usize,
    tolerance_s: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Answers,
    /// Nobody answers.
    Dead,
    /// It says that it wants no more: 410.
    Gone,
}

/// An endpoint: the sender's books about it, and the receiver itself.
#[derive(Clone, Debug)]
struct Endpoint {
    receiver: Receiver,
    /// The newest first; a replaced one still signs.
    secrets: Vec<Secret>,
    response_time: Distribution,
    factor: f64,
    failure_ratio: f64,
    failure_status: u16,
    clock_ahead_s: i64,
    knows_repeats: bool,
    state: State,
    ready: VecDeque<Owed>,
    resting: BTreeMap<(SimTime, u64), Owed>,
    /// By number: attempts that have failed.
    failures: BTreeMap<u64, usize>,
    under_way: usize,
    failing_since: Option<SimTime>,
    /// Why nothing is sent any more.
    disabled: Option<&'static str>,
    /// Numbers of what it has not got and nobody has given up.
    owed: BTreeSet<u64>,
    /// What the receiver remembers.
    seen: BTreeSet<EventId>,
    delivered: u64,
    given_up: u64,
}

/// A post on its way.
#[derive(Clone, Debug)]
struct Attempt {
    endpoint: usize,
    item: Owed,
    headers: Headers,
    /// As it arrives.
    body: Bytes,
    instance: usize,
    /// The sender still waits for the answer.
    is_awaited: bool,
    /// An answer will come, late perhaps.
    answers: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    attempts: u64,
    failed: u64,
    timeouts: u64,
    refused: u64,
    recognised: u64,
    repeated: u64,
    disabled: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Webhooks {
    rules: Rules,
    endpoints: Vec<Endpoint>,
    attempts: Slab<Attempt>,
    up: usize,
    next_instance: usize,
    /// A share of the bodies is changed on its way, until then.
    tampering: (f64, SimTime),
    rng: Stream,
    counts: Counts,
}

impl Webhooks {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let one = |(name, row): (String, Params<'_>)| {
            let bad = |words| Diagnostic::error("secret-bad", format!("components.{}.endpoints.{name}.secret", ctx.id), words);
            let secret = receivers::secret(&row, "secret", &name).map_err(bad)?;
            Ok(Endpoint {
                receiver: Receiver::new(ctx, &name, &row),
                secrets: vec![secret],
                response_time: row.distribution("response_time"),
                factor: 1.0,
                failure_ratio: row.ratio("failure_ratio"),
                failure_status: u16::try_from(row.count("failure_status")).unwrap_or(500),
                clock_ahead_s: (row.duration("clock_ahead").as_ns() / 1_000_000_000) as i64,
                knows_repeats: row.flag("knows_repeats"),
                state: State::Answers,
                ready: VecDeque::new(),
                resting: BTreeMap::new(),
                failures: BTreeMap::new(),
                under_way: 0,
                failing_since: None,
                disabled: None,
                owed: BTreeSet::new(),
                seen: BTreeSet::new(),
                delivered: 0,
                given_up: 0,
            })
        };
        Ok(Self {
            rules: Rules {
                schedule: params.words("retry_schedule").iter().filter_map(|word| word.parse().ok()).collect(),
                jitter: params.ratio("retry_jitter"),
                timeout: params.duration("post_timeout"),
                disable_after: params.duration("disable_after"),
                is_ordered: params.text("ordering") == "per_endpoint",
                under_way_max: usize::try_from(params.count("posts_in_flight")).unwrap_or(1).max(1),
                tolerance_s: (params.duration("tolerance").as_ns() / 1_000_000_000) as i64,
            },
            endpoints: receivers::rows(params).into_iter().map(one).collect::<Result<_, _>>()?,
            attempts: Slab::new(),
            up: 0,
            next_instance: 0,
            tampering: (0.0, SimTime::ZERO),
            rng: ctx.stream("webhooks"),
            counts: Counts::default(),
        })
    }

    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    pub fn take_in(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, item: &Owed) {
        for number in 0..self.endpoints.len() {
            let endpoint = &mut self.endpoints[number];
            if !endpoint.receiver.wants(&item.ty) {
                let (end, words) = (ObligationEnd::Filtered, "not wanted".to_owned());
                books.end(ctx, item, Delivery { to: &endpoint.receiver, end, reason: None, words });
            } else if let Some(code) = endpoint.disabled {
                endpoint.owed.insert(item.number);
                self.give_up(ctx, books, number, item, (code, "not sent: the endpoint is disabled"));
            } else {
                endpoint.owed.insert(item.number);
                endpoint.ready.push_back(Owed::clone(item));
                self.pump(ctx, number);
            }
        }
    }

    /// Posts what may go out now.
    fn pump(&mut self, ctx: &mut Ctx<'_>, number: usize) {
        while self.up > 0 {
            let endpoint = &mut self.endpoints[number];
            let under_way_max = if self.rules.is_ordered { 1 } else { self.rules.under_way_max };
            // In order, what rests before its next attempt holds up what comes after it.
            let is_held = self.rules.is_ordered && !endpoint.resting.is_empty();
            if endpoint.under_way >= under_way_max || is_held || endpoint.disabled.is_some() {
                return;
            }
            let Some(item) = endpoint.ready.pop_front() else { return };
            self.post(ctx, number, item);
        }
    }

    fn post(&mut self, ctx: &mut Ctx<'_>, number: usize, item: Owed) {
        self.counts.attempts += 1;
        let endpoint = &mut self.endpoints[number];
        endpoint.under_way += 1;
        let id = format!("msg_{}-{}", item.meta.id.producer.0, item.meta.id.seq);
        let headers = Secret::sign(&endpoint.secrets, id, unix_s(ctx.now), &item.body);
        let is_tampered = ctx.now < self.tampering.1 && self.rng.chance(self.tampering.0);
        let body = if is_tampered { tampered(&item.body) } else { item.body.clone() };
        let answers = endpoint.state != State::Dead;
        let takes = endpoint.response_time.sample(&mut self.rng).scaled(endpoint.factor);
        let attempt = Attempt { endpoint: number, item, headers, body, instance: self.next_instance, is_awaited: true, answers };
        self.next_instance = self.next_instance.wrapping_add(1);
        let place = self.attempts.put(attempt);
        if !answers || takes > self.rules.timeout {
            timer(ctx, ctx.now + self.rules.timeout, TOKEN_LATE | place << 8);
        }
        if answers {
            timer(ctx, ctx.now + takes, TOKEN_ANSWER | place << 8);
        }
    }

    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, token: u64) {
        let place = token >> 8;
        match token & 0xff {
            TOKEN_ANSWER => {
                let Some(attempt) = self.attempts.take(place) else { return };
                let status = self.receive(ctx, books, &attempt);
                if attempt.is_awaited {
                    self.answered(ctx, books, &attempt, status);
                }
            }
            TOKEN_LATE => {
                let Some(attempt) = self.attempts.get_mut(place) else { return };
                let was_awaited = std::mem::replace(&mut attempt.is_awaited, false);
                let (number, item, answers) = (attempt.endpoint, Owed::clone(&attempt.item), attempt.answers);
                if !answers {
                    self.attempts.take(place);
                }
                if was_awaited {
                    self.counts.timeouts += 1;
                    let words = format!("no answer within {}", self.rules.timeout);
                    self.failed(ctx, books, number, &item, &words);
                }
            }
            _ => self.due(ctx, place as usize),
        }
    }

    fn due(&mut self, ctx: &mut Ctx<'_>, number: usize) {
        let endpoint = &mut self.endpoints[number];
        while let Some(entry) = endpoint.resting.first_entry().filter(|entry| entry.key().0 <= ctx.now) {
            // What has waited longest goes first.
            endpoint.ready.push_front(entry.remove());
        }
        self.pump(ctx, number);
    }

    /// What the receiver does with a post: the status of its answer.
    fn receive(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, attempt: &Attempt) -> u16 {
        let endpoint = &mut self.endpoints[attempt.endpoint];
        if endpoint.state == State::Gone {
            return 410;
        }
        let Some(secret) = endpoint.secrets.last() else { return 500 };
        let its_now = unix_s(ctx.now) + endpoint.clock_ahead_s;
        if let Err(refusal) = secret.verify(&attempt.headers, its_now, self.rules.tolerance_s, &attempt.body) {
            self.counts.refused += 1;
            books.refused(ctx, &attempt.item, &endpoint.receiver, refusal.words());
            return 401;
        }
        let id = attempt.item.meta.id;
        if endpoint.knows_repeats && endpoint.seen.contains(&id) {
            self.counts.recognised += 1;
            if endpoint.owed.remove(&attempt.item.number) {
                books.close(ctx, &attempt.item);
            }
            return 200;
        }
        if self.rng.chance(endpoint.failure_ratio) {
            return endpoint.failure_status;
        }
        self.counts.repeated += u64::from(!endpoint.seen.insert(id));
        if endpoint.seen.len() > SEEN_MAX {
            endpoint.seen.pop_first();
        }
        endpoint.delivered += 1;
        let words = format!("delivered as {}", attempt.headers.id);
        let delivery = Delivery { to: &endpoint.receiver, end: ObligationEnd::Delivered, reason: None, words };
        if endpoint.owed.remove(&attempt.item.number) {
            books.end(ctx, &attempt.item, delivery);
        } else {
            books.tell(ctx, &attempt.item, delivery);
        }
        200
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, attempt: &Attempt, status: u16) {
        let number = attempt.endpoint;
        match status {
            200..=299 => {
                let endpoint = &mut self.endpoints[number];
                endpoint.under_way -= 1;
                endpoint.failing_since = None;
                endpoint.failures.remove(&attempt.item.number);
                self.pump(ctx, number);
            }
            410 => {
                self.endpoints[number].under_way -= 1;
                self.give_up(ctx, books, number, &attempt.item, ("endpoint-gone", "the endpoint answered 410 Gone"));
                self.disable(ctx, books, number, "endpoint-gone");
            }
            other => self.failed(ctx, books, number, &attempt.item, &format!("the endpoint answered {other}")),
        }
    }

    /// An attempt has failed: another by the schedule, or none.
    fn failed(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, item: &Owed, words: &str) {
        self.counts.failed += 1;
        let endpoint = &mut self.endpoints[number];
        endpoint.under_way -= 1;
        let since = *endpoint.failing_since.get_or_insert(ctx.now);
        let failures = endpoint.failures.entry(item.number).or_default();
        *failures += 1;
        let (attempts, wait) = (*failures, self.rules.schedule.get(*failures - 1).copied());
        if let Some(code) = endpoint.disabled {
            self.give_up(ctx, books, number, item, (code, words));
        } else if let Some(wait) = wait {
            let jitter = 1.0 + self.rules.jitter * self.rng.unit_f64();
            let at = ctx.now + wait.scaled(jitter);
            endpoint.resting.insert((at, item.number), Owed::clone(item));
            timer(ctx, at, TOKEN_DUE | (number as u64) << 8);
        } else {
            self.give_up(ctx, books, number, item, ("attempts", &format!("given up after {attempts} attempts, the last: {words}")));
        }
        if self.endpoints[number].disabled.is_none() && ctx.now.since(since) >= self.rules.disable_after {
            self.disable(ctx, books, number, "endpoint-disabled");
        }
        self.pump(ctx, number);
    }

    /// An endpoint does not get an event; what it makes of a post that it is still at changes nothing any more.
    fn give_up(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, item: &Owed, (code, words): (&'static str, &str)) {
        let endpoint = &mut self.endpoints[number];
        endpoint.failures.remove(&item.number);
        if !endpoint.owed.remove(&item.number) {
            return;
        }
        if endpoint.seen.contains(&item.meta.id) {
            // It has the event under another number: a crash had it taken in twice.
            return books.close(ctx, item);
        }
        endpoint.given_up += 1;
        let reason = Reason { code, detail: Some(words.to_owned().into()) };
        let delivery =
            Delivery { to: &endpoint.receiver, end: ObligationEnd::FailedSkipped, reason: Some(reason), words: words.to_owned() };
        books.end(ctx, item, delivery);
    }

    /// Nothing more is sent to an endpoint; what it is owed is given up.
    fn disable(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, code: &'static str) {
        let endpoint = &mut self.endpoints[number];
        if endpoint.disabled.replace(code).is_some() {
            return;
        }
        self.counts.disabled += 1;
        let resting = std::mem::take(&mut endpoint.resting);
        let ready = std::mem::take(&mut endpoint.ready);
        for item in resting.into_values().chain(ready) {
            self.give_up(ctx, books, number, &item, (code, "not sent: the endpoint is disabled"));
        }
    }

    /// Instances come and go. What a lost one had posted is posted again by another, at once or when one is back.
    pub fn instances(&mut self, ctx: &mut Ctx<'_>, up: usize, lost: Option<usize>) {
        if let Some(lost) = lost {
            let of = self.up.max(1);
            for attempt in self.attempts.iter_mut().filter(|attempt| attempt.is_awaited && attempt.instance % of == lost % of) {
                attempt.is_awaited = false;
                let endpoint = &mut self.endpoints[attempt.endpoint];
                endpoint.under_way -= 1;
                endpoint.ready.push_front(Owed::clone(&attempt.item));
            }
        }
        self.up = up;
        for number in 0..self.endpoints.len() {
            self.pump(ctx, number);
        }
    }

    /// What happens to endpoints, by hand or as a fault.
    pub fn action(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, name: &str, arguments: &Params<'_>) -> Result<(), String> {
        if name == "tamper" {
            self.tampering = (arguments.ratio("ratio"), ctx.now + arguments.duration("for"));
            return Ok(());
        }
        let wanted = arguments.text("receiver");
        let found = self.endpoints.iter().position(|endpoint| *endpoint.receiver.name == *wanted);
        let number = found.ok_or_else(|| format!("there is no endpoint `{wanted}`"))?;
        let endpoint = &mut self.endpoints[number];
        match name {
            "slow-receiver" => endpoint.factor = arguments.number("factor"),
            "kill-receiver" => endpoint.state = State::Dead,
            "revive-receiver" => endpoint.state = State::Answers,
            "gone-receiver" => endpoint.state = State::Gone,
            "disable-receiver" => self.disable(ctx, books, number, "endpoint-disabled"),
            "enable-receiver" => {
                (endpoint.disabled, endpoint.failing_since, endpoint.state) = (None, None, State::Answers);
                self.pump(ctx, number);
            }
            other => return Err(format!("a sender of webhooks does not understand `{other}`")),
        }
        Ok(())
    }

    pub fn figures(&self, out: &mut Figures) {
        let Counts { attempts, failed, timeouts, refused, recognised, repeated, disabled } = self.counts;
        out.counter("posts_count", attempts);
        out.counter("posts_failed_count", failed);
        out.counter("post_timeouts_count", timeouts);
        out.counter("signatures_refused_count", refused);
        out.counter("repeats_recognised_count", recognised);
        out.counter("repeats_processed_count", repeated);
        out.counter("disabled_count", disabled);
        out.gauge("endpoints_disabled", self.endpoints.iter().filter(|endpoint| endpoint.disabled.is_some()).count() as f64);
        out.gauge("posts_in_flight", self.endpoints.iter().map(|endpoint| endpoint.under_way).sum::<usize>() as f64);
        for endpoint in &self.endpoints {
            let name = &endpoint.receiver.name;
            out.of("endpoint_delivered_count", name, FigureKind::Counter, endpoint.delivered as f64);
            out.of("endpoint_given_up_count", name, FigureKind::Counter, endpoint.given_up as f64);
            out.of("endpoint_waiting", name, FigureKind::Gauge, (endpoint.ready.len() + endpoint.resting.len()) as f64);
        }
    }
}

fn unix_s(now: SimTime) -> i64 {
    (now.as_ns() / 1_000_000_000) as i64
}

/// Somebody on the way changes a byte.
fn tampered(body: &Bytes) -> Bytes {
    let mut bytes = body.to_vec();
    match bytes.last_mut() {
        Some(last) => *last ^= 1,
        None => bytes.push(b'x'),
    }
    bytes.into()
}
