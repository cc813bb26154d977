//! The rate-limiting plugin (kong/plugins/rate-limiting/handler.lua, policy local, priority 910).
//!
//! Fixed windows on the UTC calendar. All periods are looked at; a refused request counts in none. One
//! configuration runs a request, that of the narrowest scope (consumer before route before all); its counters
//! are kept apart from those of other scopes. When several periods are exhausted the product's pick is by the
//! order of a Lua table; here it is the longest.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Period, Request};

/// Counters kept at once. When expired ones are gone and there is still no room, a newcomer passes uncounted,
/// as with the product's `fault_tolerant`.
pub const COUNTERS_MAX: usize = 100_000;

const PERIODS: usize = Period::ALL.len();

/// What a counter belongs to. Where it cannot be told, the client's address stands in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LimitBy {
    /// The consumer that key-auth found.
    #[default]
    Consumer,
    /// The key used; the same as the consumer here while each has one.
    Credential,
    /// The client's address.
    Ip,
    /// The service behind the route.
    Service,
    /// A header's value.
    Header(Arc<str>),
}

/// One configuration of the plugin.
#[derive(Clone, Debug, Default)]
pub struct LimitSpec {
    /// Only for the route of that name.
    pub route: Option<Arc<str>>,
    /// Only for the consumer of that name.
    pub consumer: Option<Arc<str>>,
    /// Whose counter.
    pub limit_by: LimitBy,
    /// Requests a period, by [`Period`]; none is unlimited.
    pub limits: [Option<u32>; PERIODS],
}

/// What the answer's headers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LimitHeaders {
    /// `RateLimit-Limit`: of the tightest period.
    pub limit: u32,
    /// `RateLimit-Remaining`.
    pub remaining: u32,
    /// `RateLimit-Reset` in seconds, at least 1; `Retry-After` of a refusal.
    pub reset_s: u32,
    /// Whether `Retry-After` is among them.
    pub refused: bool,
    /// `X-RateLimit-Limit-…` and `X-RateLimit-Remaining-…` by period.
    pub periods: [Option<(u32, u32)>; PERIODS],
}

impl LimitHeaders {
    /// Names and values as the product writes them.
    #[must_use]
    pub fn list(&self) -> Vec<(String, u32)> {
        let mut list = Vec::new();
        for (period, shown) in Period::ALL.iter().zip(&self.periods) {
            if let Some((limit, remaining)) = shown {
                list.push((format!("X-RateLimit-Limit-{}", period.title()), *limit));
                list.push((format!("X-RateLimit-Remaining-{}", period.title()), *remaining));
            }
        }
        let tightest = [("RateLimit-Limit", self.limit), ("RateLimit-Remaining", self.remaining), ("RateLimit-Reset", self.reset_s)];
        list.extend(tightest.map(|(name, value)| (name.to_owned(), value)));
        if self.refused {
            list.push(("Retry-After".to_owned(), self.reset_s));
        }
        list
    }
}

/// Hashing without a random seed: maps here are only looked up, but a run's cost should not vary either.
pub(super) fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89)
}

/// All configurations with their counters.
#[derive(Clone, Debug)]
pub(super) struct RateLimits {
    configs: Vec<Config>,
    counters: HashMap<Owner, [Window; PERIODS], ahash::RandomState>,
    swept_at_s: i64,
}

#[derive(Clone, Debug)]
struct Config {
    route: Option<u32>,
    consumer: Option<u32>,
    limit_by: LimitBy,
    limits: [Option<u32>; PERIODS],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owner {
    config: u32,
    identifier: Identifier,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Identifier {
    Consumer(u32),
    Service(u32),
    Client(u32),
    Value(Arc<str>),
}

/// A window's beginning and what passed in it.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start_s: i64,
    count: u32,
}

impl RateLimits {
    pub(super) fn new(specs: &[LimitSpec], routes: &[Arc<str>], consumers: &[Arc<str>]) -> Self {
        // A name that nobody bears makes a configuration that never runs; the component reports it.
        let number = |found: Option<usize>| Some(found.map_or(u32::MAX, |index| index as u32));
        let config = |spec: &LimitSpec| Config {
            route: spec.route.as_ref().and_then(|name| number(routes.iter().position(|route| route == name))),
            consumer: spec.consumer.as_ref().and_then(|name| number(consumers.iter().position(|consumer| consumer == name))),
            limit_by: spec.limit_by.clone(),
            limits: spec.limits,
        };
        Self { configs: specs.iter().map(config).collect(), counters: HashMap::with_hasher(hasher()), swept_at_s: i64::MIN }
    }
    pub(super) fn clear(&mut self) {
        self.counters.clear();
    }
    pub(super) fn len(&self) -> usize {
        self.counters.len()
    }
    /// Whether the request passes and what the headers say; none when no configuration applies. Counts it if so.
    pub(super) fn take(&mut self, unix_s: i64, request: &Request<'_>, route: u32, consumer: Option<u32>) -> Option<(bool, LimitHeaders)> {
        let config = self.config_for(route, consumer)?;
        let Config { limit_by, limits, .. } = &self.configs[config];
        let limits = *limits;
        let identifier = identify(limit_by, request, route, consumer);
        let owner = Owner { config: config as u32, identifier };
        self.make_room(unix_s, &owner);
        let mut uncounted = [Window::default(); PERIODS];
        let windows = if self.counters.len() < COUNTERS_MAX || self.counters.contains_key(&owner) {
            self.counters.entry(owner).or_default()
        } else {
            &mut uncounted
        };
        for (period, window) in Period::ALL.iter().zip(windows.iter_mut()) {
            let start_s = period.start(unix_s);
            if window.start_s != start_s {
                *window = Window { start_s, count: 0 };
            }
        }
        let (passes, headers) = decide(unix_s, &limits, windows);
        if passes {
            for window in windows {
                window.count = window.count.saturating_add(1);
            }
        }
        Some((passes, headers))
    }
    /// The narrowest scope that fits: consumer and route, consumer, route, all (Kong's plugin precedence).
    fn config_for(&self, route: u32, consumer: Option<u32>) -> Option<usize> {
        let fits = |config: &Config| {
            config.route.is_none_or(|wanted| wanted == route) && config.consumer.is_none_or(|wanted| Some(wanted) == consumer)
        };
        let narrowness = |config: &Config| (config.consumer.is_some(), config.route.is_some());
        let mut best: Option<usize> = None;
        for (index, config) in self.configs.iter().enumerate() {
            if fits(config) && best.is_none_or(|best| narrowness(config) > narrowness(&self.configs[best])) {
                best = Some(index);
            }
        }
        best
    }
    /// Drops expired counters when the table is full, at most once a second.
    fn make_room(&mut self, unix_s: i64, newcomer: &Owner) {
        if self.counters.len() < COUNTERS_MAX || self.swept_at_s == unix_s || self.counters.contains_key(newcomer) {
            return;
        }
        self.swept_at_s = unix_s;
        let configs = &self.configs;
        self.counters.retain(|owner, windows| {
            let limits = &configs[owner.config as usize].limits;
            let longest = (0..PERIODS).rev().find(|period| limits[*period].is_some());
            longest.is_some_and(|period| windows[period].start_s == Period::ALL[period].start(unix_s))
        });
    }
}

fn identify(limit_by: &LimitBy, request: &Request<'_>, route: u32, consumer: Option<u32>) -> Identifier {
    let found = match limit_by {
        LimitBy::Consumer | LimitBy::Credential => consumer.map(Identifier::Consumer),
        LimitBy::Service => Some(Identifier::Service(route)),
        LimitBy::Header(name) => {
            request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| Identifier::Value(Arc::clone(value)))
        }
        LimitBy::Ip => None,
    };
    found.unwrap_or(Identifier::Client(request.client))
}

/// Kong's access phase: the exhausted period if any, and the tightest one for the headers.
fn decide(unix_s: i64, limits: &[Option<u32>; PERIODS], windows: &[Window; PERIODS]) -> (bool, LimitHeaders) {
    let left = |period: usize| limits[period].map(|limit| (limit, limit.saturating_sub(windows[period].count)));
    let stop = (0..PERIODS).rev().find(|period| left(*period).is_some_and(|(_, remaining)| remaining == 0));
    let mut headers = LimitHeaders { refused: stop.is_some(), ..LimitHeaders::default() };
    let mut tightest: Option<usize> = None;
    for period in 0..PERIODS {
        let Some((limit, remaining)) = left(period) else { continue };
        let counted = stop.is_none_or(|stop| stop == period);
        let remaining = remaining.saturating_sub(u32::from(counted));
        headers.periods[period] = Some((limit, remaining));
        // Longer windows come later: a tie is theirs.
        if tightest.is_none() || remaining <= headers.remaining {
            tightest = Some(period);
            headers.limit = limit;
            headers.remaining = remaining;
        }
    }
    if let Some(period) = tightest {
        let elapsed_s = unix_s - windows[period].start_s;
        headers.reset_s = (Period::ALL[period].nominal_s() - elapsed_s).max(1) as u32;
    }
    (stop.is_none(), headers)
}
