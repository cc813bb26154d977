//! A receiver of webhooks that is not drawn: what it makes of a post, and what it answers.
//!
//! In: posts as they arrive. Out: [`Answer`]s. It really checks signatures, remembers what it has, and takes no more than its
//! limit lets it. Must not know: schedules, books. Start at [`Played::receive`].

use std::collections::BTreeSet;

use super::keys::{Clock, Keys};
use super::retry_after::{self, Form};
use super::signature::{Headers, Refusal};
use crate::components::Params;
use crate::event::EventId;
use crate::random::{Distribution, Stream};
use crate::units::{Rate, SimDuration, SimTime};

/// Ids that a receiver remembers to know a webhook that comes again; the lowest are forgotten.
const SEEN_MAX: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Answers,
    /// Nobody answers.
    Dead,
    /// It says that it wants no more: 410.
    Gone,
}

/// A post as it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post<'a> {
    pub event: EventId,
    pub headers: &'a Headers,
    pub body: &'a [u8],
    /// The sender's clock, which is right, and how far from it a timestamp may be.
    pub clock: Clock,
}

/// What it makes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Gone,
    /// More than it takes.
    Limited,
    Refused(Refusal),
    /// It has it already, and says so.
    Recognised,
    Failed,
    /// For the first time, or once more.
    Processed {
        again: bool,
    },
}

/// What the sender gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub verdict: Verdict,
    pub status: u16,
    pub retry_after: Option<String>,
}

/// So many posts a second, with a second's worth at once (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug)]
struct Limit {
    gap: SimDuration,
    burst: u64,
    status: u16,
    /// When the next post would come if all came evenly.
    even: SimTime,
}

impl Limit {
    fn of(row: &Params<'_>) -> Option<Self> {
        let status = if row.text("limit_status") == "503" { 503 } else { 429 };
        let per_s = row.is_given("limit").then(|| row.rate("limit"))?;
        Some(Self { gap: Rate(per_s).mean_gap(), burst: (per_s as u64).max(1), status, even: SimTime::ZERO })
    }
    /// Takes a post, or says how long until it would.
    fn take(&mut self, now: SimTime) -> Result<(), SimDuration> {
        let may_be_at = now + SimDuration::from_ns(self.gap.as_ns().saturating_mul(self.burst - 1));
        if self.even > may_be_at {
            return Err(self.even.since(may_be_at));
        }
        self.even = self.even.max(now) + self.gap;
        Ok(())
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub state: State,
    pub factor: f64,
    response_time: Distribution,
    failure_ratio: f64,
    failure_status: u16,
    limit: Option<Limit>,
    /// What it asks for where its limit does not say.
    retry_after: Option<SimDuration>,
    form: Form,
    clock_ahead_s: i64,
    knows_repeats: bool,
    seen: BTreeSet<EventId>,
}

impl Played {
    pub fn new(row: &Params<'_>) -> Self {
        Self {
            state: State::Answers,
            factor: 1.0,
            response_time: row.distribution("response_time"),
            failure_ratio: row.ratio("failure_ratio"),
            failure_status: u16::try_from(row.count("failure_status")).unwrap_or(500),
            limit: Limit::of(row),
            retry_after: row.is_given("retry_after").then(|| row.duration("retry_after")),
            form: if row.text("retry_after_form") == "date" { Form::Date } else { Form::Seconds },
            clock_ahead_s: (row.duration("clock_ahead").as_ns() / 1_000_000_000) as i64,
            knows_repeats: row.flag("knows_repeats"),
            seen: BTreeSet::new(),
        }
    }
    /// From a post to its answer; none when nobody answers.
    pub fn takes(&self, rng: &mut Stream) -> (SimDuration, bool) {
        (self.response_time.sample(rng).scaled(self.factor), self.state != State::Dead)
    }
    /// Whether it has an event.
    pub fn has(&self, event: EventId) -> bool {
        self.seen.contains(&event)
    }
    /// What it makes of a post, and what it answers.
    pub fn receive(&mut self, now: SimTime, post: &Post<'_>, keys: &mut Keys, rng: &mut Stream) -> Answer {
        let mut asked = None;
        let verdict = self.judge(now, post, keys, rng, &mut asked);
        let status = match verdict {
            Verdict::Gone => 410,
            Verdict::Limited => self.limit.map_or(429, |limit| limit.status),
            Verdict::Refused(_) => 401,
            Verdict::Failed => self.failure_status,
            Verdict::Recognised | Verdict::Processed { .. } => 200,
        };
        let asked = self.retry_after.or(asked).filter(|_| matches!(status, 429 | 503));
        let its_now_s = post.clock.now_s + self.clock_ahead_s;
        Answer { verdict, status, retry_after: asked.map(|wait| retry_after::write(self.form, wait, its_now_s)) }
    }
    fn judge(&mut self, now: SimTime, post: &Post<'_>, keys: &mut Keys, rng: &mut Stream, asked: &mut Option<SimDuration>) -> Verdict {
        if self.state == State::Gone {
            return Verdict::Gone;
        }
        if let Some(Err(wait)) = self.limit.as_mut().map(|limit| limit.take(now)) {
            *asked = Some(wait);
            return Verdict::Limited;
        }
        let clock = Clock { now_s: post.clock.now_s + self.clock_ahead_s, ..post.clock };
        if let Err(refusal) = keys.verify(now, post.headers, clock, post.body) {
            return Verdict::Refused(refusal);
        }
        if self.knows_repeats && self.has(post.event) {
            return Verdict::Recognised;
        }
        if rng.chance(self.failure_ratio) {
            return Verdict::Failed;
        }
        let again = !self.seen.insert(post.event);
        if self.seen.len() > SEEN_MAX {
            self.seen.pop_first();
        }
        Verdict::Processed { again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// In no span are more than a second's worth and the rate taken, and who waits as long as asked is taken.
        #[test]
        fn a_limit_is_never_exceeded(gaps_ms in proptest::collection::vec(0u64..400, 1..200), per_s in 1u64..20) {
            let gap = SimDuration::from_ns(1_000_000_000 / per_s);
            let mut limit = Limit { gap, burst: per_s, status: 429, even: SimTime::ZERO };
            let (mut now, mut taken) = (SimTime::ZERO, Vec::new());
            for gap_ms in gaps_ms {
                now += SimDuration::from_ms(gap_ms);
                match limit.take(now) {
                    Ok(()) => taken.push(now),
                    Err(wait) => {
                        let (mut patient, mut hasty) = (limit, limit);
                        prop_assert!(patient.take(now + wait).is_ok());
                        prop_assert!(hasty.take(now + SimDuration::from_ns(wait.as_ns() - 1)).is_err());
                    }
                }
            }
            for (first, from) in taken.iter().enumerate() {
                for (more, to) in taken[first..].iter().enumerate() {
                    let span_s = to.since(*from).as_secs_f64();
                    prop_assert!((more as f64) < per_s as f64 * (span_s + 1.0) + 1e-6, "{more} in {span_s}");
                }
            }
        }
    }
}
