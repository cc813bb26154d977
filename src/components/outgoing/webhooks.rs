//! Webhooks: signed posts to endpoints, tried again by a schedule, until they are answered or given up.
//!
//! ```text
//! taken in ─► ready ─► attempt: sign, post ─► receiver: verify, process, answer ─► 2xx: over
//!                ▲                                                 └─► else: by the schedule again ─► given up
//!                └──────────── due ◄───────────────────────────────────────┘        410, or failing for long: disabled
//! ```
//!
//! What is owed stands in a store that outlives instances: an instance that crashes loses the answers it waits for, and those
//! posts are made again. An answer with `Retry-After` puts off the next attempt and every other post to its endpoint. Source:
//! Standard Webhooks 1.0.0, "Operational considerations". Start at [`Webhooks::take_in`]; who gets posts stands in
//! `endpoint.rs`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::endpoint::{Endpoint, Other};
use super::keys::{Clock, Rotation};
use super::played::{Post, Verdict};
use super::receivers;
use super::retry_after;
use super::signature::Headers;
use super::sim::{Books, Delivery, Owed};
use crate::components::consumer::handler::timer;
use crate::components::slab::Slab;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures};
use crate::event::{HttpReply, ObligationEnd, Reason};
use crate::machines::codec::EPOCH_MS;
use crate::random::Stream;
use crate::units::{SimDuration, SimTime};

/// Low byte of timer tokens; an attempt's place or an endpoint's number stands above.
const TOKEN_ANSWER: u64 = 0;
const TOKEN_LATE: u64 = 1;
const TOKEN_DUE: u64 = 2;
/// Of a drawn receiver; its call's number stands above.
const TOKEN_SILENT: u64 = 3;

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
    heeds_retry_after: bool,
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
    /// An answer of a played receiver will come, late perhaps.
    answers: bool,
}

/// An answer as the sender reads it.
#[derive(Clone, Copy, Debug)]
struct Status {
    code: u16,
    /// It asks for nothing before this is over.
    asked: Option<SimDuration>,
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
    /// Answers that asked the sender to wait, and were heeded.
    put_off: u64,
    /// Posts that receivers refused for their limit.
    limited: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Webhooks {
    rules: Rules,
    endpoints: Vec<Endpoint>,
    attempts: Slab<Attempt>,
    /// Posts to drawn receivers by the number of their call: where the attempt stands.
    calls: BTreeMap<u64, u64>,
    next_call: u64,
    up: usize,
    next_instance: usize,
    /// A share of the bodies is changed on its way, until then.
    tampering: (f64, SimTime),
    rng: Stream,
    counts: Counts,
}

impl Webhooks {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        Ok(Self {
            rules: Rules {
                schedule: params.words("retry_schedule").iter().filter_map(|word| word.parse().ok()).collect(),
                jitter: params.ratio("retry_jitter"),
                timeout: params.duration("post_timeout"),
                disable_after: params.duration("disable_after"),
                is_ordered: params.text("ordering") == "per_endpoint",
                under_way_max: usize::try_from(params.count("posts_in_flight")).unwrap_or(1).max(1),
                tolerance_s: (params.duration("tolerance").as_ns() / 1_000_000_000) as i64,
                heeds_retry_after: params.flag("heed_retry_after"),
            },
            endpoints: receivers::rows(params).iter().map(|(name, row)| Endpoint::new(ctx, name, row)).collect::<Result<_, _>>()?,
            attempts: Slab::new(),
            calls: BTreeMap::new(),
            next_call: 0,
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
            let is_put_off = ctx.now < endpoint.not_before;
            if endpoint.under_way >= under_way_max || is_held || is_put_off || endpoint.disabled.is_some() {
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
        let headers = endpoint.keys.sign(ctx.now, id, unix_s(ctx.now), &item.body);
        let is_tampered = ctx.now < self.tampering.1 && self.rng.chance(self.tampering.0);
        let body = if is_tampered { tampered(&item.body) } else { item.body.clone() };
        let attempts = endpoint.failures.get(&item.number).map_or(1, |failures| *failures as u32 + 1);
        let mut attempt = Attempt { endpoint: number, item, headers, body, instance: self.next_instance, is_awaited: true, answers: false };
        self.next_instance = self.next_instance.wrapping_add(1);
        let timeout = self.rules.timeout;
        match &endpoint.other {
            Other::Drawn(drawn) => {
                let call = self.next_call;
                self.next_call += 1;
                drawn.post(ctx, call, &attempt.item, &attempt.headers, (attempt.body.clone(), attempts));
                let place = self.attempts.put(attempt);
                self.calls.insert(call, place);
                timer(ctx, ctx.now + timeout, TOKEN_SILENT | call << 8);
            }
            Other::Played(played) => {
                let (takes, answers) = played.takes(&mut self.rng);
                attempt.answers = answers;
                let place = self.attempts.put(attempt);
                if !answers || takes > timeout {
                    timer(ctx, ctx.now + timeout, TOKEN_LATE | place << 8);
                }
                if answers {
                    timer(ctx, ctx.now + takes, TOKEN_ANSWER | place << 8);
                }
            }
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
                    self.timed_out(ctx, books, number, &item);
                }
            }
            TOKEN_SILENT => {
                if let Some(attempt) = self.calls.remove(&place).and_then(|place| self.attempts.take(place)) {
                    self.timed_out(ctx, books, attempt.endpoint, &attempt.item);
                }
            }
            _ => self.due(ctx, place as usize),
        }
    }

    fn timed_out(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, item: &Owed) {
        self.counts.timeouts += 1;
        let words = format!("no answer within {}", self.rules.timeout);
        self.failed(ctx, books, number, item, (&words, None));
    }

    /// A drawn receiver has answered. Nobody waits for what comes after the timeout, or for an instance that is gone.
    pub fn on_reply(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, reply: &HttpReply) {
        let Some(attempt) = self.calls.remove(&reply.call.0).and_then(|place| self.attempts.take(place)) else { return };
        if (200..300).contains(&reply.status) {
            let words = format!("delivered as {}, answered {}", attempt.headers.id, reply.status);
            self.delivered(ctx, books, &attempt, words);
        }
        let asked = reply.retry_after.map(|wait| wait.min(retry_after::WAIT_MAX));
        self.answered(ctx, books, &attempt, Status { code: reply.status, asked });
    }

    fn due(&mut self, ctx: &mut Ctx<'_>, number: usize) {
        let endpoint = &mut self.endpoints[number];
        while let Some(entry) = endpoint.resting.first_entry().filter(|entry| entry.key().0 <= ctx.now) {
            // What has waited longest goes first.
            endpoint.ready.push_front(entry.remove());
        }
        self.pump(ctx, number);
    }

    /// A receiver has an event: what was owed to it ends, and what comes once more is told.
    fn delivered(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, attempt: &Attempt, words: String) {
        let endpoint = &mut self.endpoints[attempt.endpoint];
        endpoint.delivered += 1;
        let delivery = Delivery { to: &endpoint.receiver, end: ObligationEnd::Delivered, reason: None, words };
        if endpoint.owed.remove(&attempt.item.number) {
            books.end(ctx, &attempt.item, delivery);
        } else {
            books.tell(ctx, &attempt.item, delivery);
        }
    }

    /// What a played receiver does with a post, and what it answers.
    fn receive(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, attempt: &Attempt) -> Status {
        let endpoint = &mut self.endpoints[attempt.endpoint];
        let Other::Played(played) = &mut endpoint.other else { return Status { code: 500, asked: None } };
        let clock = Clock { now_s: unix_s(ctx.now), tolerance_s: self.rules.tolerance_s };
        let post = Post { event: attempt.item.meta.id, headers: &attempt.headers, body: &attempt.body, clock };
        let answer = played.receive(ctx.now, &post, &mut endpoint.keys, &mut self.rng);
        match answer.verdict {
            Verdict::Gone | Verdict::Failed => {}
            Verdict::Limited => self.counts.limited += 1,
            Verdict::Refused(refusal) => {
                self.counts.refused += 1;
                books.refused(ctx, &attempt.item, &endpoint.receiver, refusal.words());
            }
            Verdict::Recognised => {
                self.counts.recognised += 1;
                if endpoint.owed.remove(&attempt.item.number) {
                    books.close(ctx, &attempt.item);
                }
            }
            Verdict::Processed { again } => {
                self.counts.repeated += u64::from(again);
                self.delivered(ctx, books, attempt, format!("delivered as {}", attempt.headers.id));
            }
        }
        let asked = answer.retry_after.and_then(|text| retry_after::read(&text, clock.now_s));
        Status { code: answer.status, asked }
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, attempt: &Attempt, status: Status) {
        let number = attempt.endpoint;
        match status.code {
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
            other => self.failed(ctx, books, number, &attempt.item, (&format!("the endpoint answered {other}"), status.asked)),
        }
    }

    /// An attempt has failed, in these words: another by the schedule, not before what was asked for, or none.
    fn failed(&mut self, ctx: &mut Ctx<'_>, books: &mut Books, number: usize, item: &Owed, (words, asked): (&str, Option<SimDuration>)) {
        self.counts.failed += 1;
        let asked = asked.filter(|_| self.rules.heeds_retry_after);
        let endpoint = &mut self.endpoints[number];
        endpoint.under_way -= 1;
        let since = *endpoint.failing_since.get_or_insert(ctx.now);
        let failures = endpoint.failures.entry(item.number).or_default();
        *failures += 1;
        let (attempts, wait) = (*failures, self.rules.schedule.get(*failures - 1).copied());
        if let Some(asked) = asked.filter(|asked| !asked.is_zero()) {
            self.counts.put_off += 1;
            let until = ctx.now + asked;
            if until > endpoint.not_before {
                endpoint.not_before = until;
                timer(ctx, until, TOKEN_DUE | (number as u64) << 8);
            }
        }
        if let Some(code) = endpoint.disabled {
            self.give_up(ctx, books, number, item, (code, words));
        } else if let Some(wait) = wait {
            let jitter = 1.0 + self.rules.jitter * self.rng.unit_f64();
            let at = ctx.now + wait.scaled(jitter).max(asked.unwrap_or_default());
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
        if endpoint.has(item.meta.id) {
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
            let is_its = |attempt: &Attempt| attempt.is_awaited && attempt.instance % of == lost % of;
            for attempt in self.attempts.iter_mut().filter(|attempt| is_its(attempt)) {
                attempt.is_awaited = false;
                let endpoint = &mut self.endpoints[attempt.endpoint];
                endpoint.under_way -= 1;
                endpoint.ready.push_front(Owed::clone(&attempt.item));
            }
            // Answers of drawn receivers to it find nobody.
            let Self { calls, attempts, .. } = self;
            calls.retain(|_, place| {
                let is_awaited = attempts.get(*place).is_some_and(|attempt| attempt.is_awaited);
                if !is_awaited {
                    attempts.take(*place);
                }
                is_awaited
            });
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
            "disable-receiver" => self.disable(ctx, books, number, "endpoint-disabled"),
            "enable-receiver" => {
                endpoint.enable(ctx.now);
                self.pump(ctx, number);
            }
            "rotate-secret" => {
                let [overlap, adopted_after] = ["overlap", "adopted_after"].map(|name| arguments.duration(name));
                endpoint.keys.rotate(ctx.now, &endpoint.receiver.name, Rotation { overlap, adopted_after });
            }
            "slow-receiver" | "kill-receiver" | "revive-receiver" | "gone-receiver" => endpoint.happens(name, arguments)?,
            other => return Err(format!("a sender of webhooks does not understand `{other}`")),
        }
        Ok(())
    }

    pub fn figures(&self, out: &mut Figures) {
        let Counts { attempts, failed, timeouts, refused, recognised, repeated, disabled, put_off, limited } = self.counts;
        out.counter("posts_count", attempts);
        out.counter("posts_failed_count", failed);
        out.counter("post_timeouts_count", timeouts);
        out.counter("signatures_refused_count", refused);
        out.counter("repeats_recognised_count", recognised);
        out.counter("repeats_processed_count", repeated);
        out.counter("disabled_count", disabled);
        for (name, count) in [("posts_limited_count", limited), ("retry_after_heeded_count", put_off)] {
            if count > 0 {
                out.counter(name, count);
            }
        }
        out.gauge("endpoints_disabled", self.endpoints.iter().filter(|endpoint| endpoint.disabled.is_some()).count() as f64);
        out.gauge("posts_in_flight", self.endpoints.iter().map(|endpoint| endpoint.under_way).sum::<usize>() as f64);
        self.endpoints.iter().for_each(|endpoint| endpoint.figures(out));
    }
}

fn unix_s(now: SimTime) -> i64 {
    EPOCH_MS / 1_000 + (now.as_ns() / 1_000_000_000) as i64
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
