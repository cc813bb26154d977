//! rate-limiting (kong/plugins/rate-limiting/handler.lua and policies/init.lua): fixed windows on the UTC calendar.
//!
//! All periods are looked at; a refused request counts in none. When several periods are exhausted the product's
//! pick is by the order of a Lua table; here it is the longest. Kong counts in a timer of no delay after the
//! decision; here it is the same instant.
//!
//! Policies: `local` counts on each node alone, so that N nodes let N times the limit pass. `cluster` and `redis`
//! share one count; `redis` with a `sync_rate` above 0 counts alone and compares notes that often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Field, FieldType, Plugin, PluginKind, Settings, Stop, Turn};
use crate::machines::gateway::answer::{BodyForm, Words};
use crate::machines::gateway::{Period, hasher};

pub(super) const KIND: PluginKind = PluginKind {
    name: "rate-limiting",
    priority: 910,
    help: "Answers 429 beyond so many requests in a window of the UTC clock; refused requests do not count",
    fields: &[
        Field::new("second", LIMIT, "Requests in each second"),
        Field::new("minute", LIMIT, "Requests in each minute"),
        Field::new("hour", LIMIT, "Requests in each hour"),
        Field::new("day", LIMIT, "Requests in each UTC day"),
        Field::new("month", LIMIT, "Requests in each month of the calendar"),
        Field::new("year", LIMIT, "Requests in each year of the calendar"),
        LIMIT_BY.or("consumer"),
        HEADER_NAME,
        PATH,
        Field::new("policy", FieldType::Choice(&["local", "cluster", "redis"]), "Where counters are: on each node, or shared").or("local"),
        Field::new(
            "sync_rate",
            FieldType::Number { min: -1.0, max: 86_400.0 },
            "With redis: seconds between comparing notes; -1 is at once",
        )
        .or("-1"),
        Field::new(
            "fault_tolerant",
            FieldType::Flag,
            "While the shared store is away requests pass uncounted; otherwise they are answered 500",
        )
        .or("true"),
        Field::new("hide_client_headers", FieldType::Flag, "Say nothing of limits in answers").or("false"),
        Field::new("error_code", FieldType::Count { min: 100, max: 599 }, "Instead of 429").or("429"),
        Field::new("error_message", FieldType::Text, "Instead of the product's words").or("API rate limit exceeded"),
    ],
    by_consumer: true,
    compile: |settings, _| Ok(Box::new(RateLimiting::new(settings)?)),
};

const LIMIT: FieldType = FieldType::Count { min: 1, max: 1_000_000_000 };
const LIMIT_BY: Field = Field::new(
    "limit_by",
    FieldType::Choice(&["consumer", "credential", "ip", "service", "header", "path"]),
    "Who has a counter of their own; where that cannot be told, the client's address counts",
);
pub(super) const HEADER_NAME: Field = Field::new("header_name", FieldType::Text, "Whose value has the counter, with `header`");
pub(super) const PATH: Field = Field::new("path", FieldType::Text, "The path that has the counter, with `path`");

/// Counters kept at once by one instance. When expired ones are gone and there is still no room, a newcomer passes
/// uncounted, as with the product's `fault_tolerant`.
pub const COUNTERS_MAX: usize = 100_000;

const PERIODS: usize = Period::ALL.len();

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

/// What a counter belongs to. Where it cannot be told, the client's address stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LimitBy {
    Consumer,
    Credential,
    Ip,
    Service,
    Header(Arc<str>),
    Path(Arc<str>),
}

impl LimitBy {
    pub(super) fn new(settings: &Settings, field: &str) -> Result<Self, String> {
        Ok(match settings.text(field).as_deref() {
            Some("credential") => Self::Credential,
            Some("ip") => Self::Ip,
            Some("service") => Self::Service,
            Some("header") => Self::Header(settings.header("header_name").ok_or("no header is named to count by (`header_name`)")?),
            Some("path") => Self::Path(settings.text("path").ok_or("no path is named to count by (`path`)")?),
            _ => Self::Consumer,
        })
    }
    pub(super) fn identify(&self, turn: &Turn<'_>) -> Identifier {
        let found = match self {
            Self::Consumer => turn.consumer.map(Identifier::Consumer),
            Self::Credential => turn.credential.map(Identifier::Credential),
            Self::Service => Some(Identifier::Service(turn.service)),
            Self::Header(name) => {
                turn.request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| Identifier::Value(Arc::clone(value)))
            }
            Self::Path(path) => (turn.request.bare_path() == &**path).then(|| Identifier::Value(Arc::clone(path))),
            Self::Ip => None,
        };
        found.unwrap_or(Identifier::Ip(turn.request.ip))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identifier {
    Consumer(u32),
    Credential(u32),
    Service(u32),
    Ip(IpAddr),
    Value(Arc<str>),
}

/// What the two limiting plugins answer.
pub(super) fn refusal(settings: &Settings) -> Stop {
    const WORDS: &str = "API rate limit exceeded";
    let words = settings.text("error_message").filter(|words| &**words != WORDS).map_or(Words::Known(WORDS), Words::Made);
    let status = settings.count("error_code").unwrap_or(429) as u16;
    Stop { status, code: "rate-limit", words, form: BodyForm::Error, challenge: None }
}

#[derive(Debug)]
struct Config {
    limit_by: LimitBy,
    limits: [Option<u32>; PERIODS],
    sharing: Sharing,
    fault_tolerant: bool,
    hides: bool,
    refusal: Stop,
}

/// Where counters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Alone,
    AtOnce,
    /// Every so many milliseconds.
    Every(i64),
}

#[derive(Clone, Debug)]
struct RateLimiting {
    config: Arc<Config>,
    counters: HashMap<Owner, [Window; PERIODS], ahash::RandomState>,
    swept_at_s: i64,
    /// Of each node: when it compares notes next.
    syncs_at_ms: Vec<i64>,
}

/// The shared counters belong to this node.
const SHARED: u32 = u32::MAX;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Owner {
    node: u32,
    identifier: Identifier,
}

/// A window's beginning, what passed in it, and how much of that the others do not know of yet.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    start_s: i64,
    count: u32,
    untold: u32,
}

impl RateLimiting {
    fn new(settings: &Settings) -> Result<Self, String> {
        let limits = Period::ALL.map(|period| settings.count(period.name()).map(|limit| limit as u32));
        if limits.iter().all(Option::is_none) {
            return Err("no period has a limit; for example minute: 600".to_owned());
        }
        let given: Vec<(Period, u32)> = Period::ALL.into_iter().zip(limits).filter_map(|(period, limit)| Some((period, limit?))).collect();
        if let Some(pair) = given.windows(2).find(|pair| pair[1].1 < pair[0].1) {
            let ((shorter, few), (longer, many)) = (pair[0], pair[1]);
            return Err(format!("the limit for a {} ({many}) is lower than that for a {} ({few})", longer.name(), shorter.name()));
        }
        let sync_rate = settings.number("sync_rate").unwrap_or(-1.0);
        let sharing = match settings.text("policy").as_deref() {
            Some("cluster") => Sharing::AtOnce,
            Some("redis") if sync_rate <= 0.0 => Sharing::AtOnce,
            Some("redis") => Sharing::Every((sync_rate * 1_000.0) as i64),
            _ => Sharing::Alone,
        };
        let config = Config {
            limit_by: LimitBy::new(settings, "limit_by")?,
            limits,
            sharing,
            fault_tolerant: settings.flag("fault_tolerant"),
            hides: settings.flag("hide_client_headers"),
            refusal: refusal(settings),
        };
        Ok(Self { config: Arc::new(config), counters: HashMap::with_hasher(hasher()), swept_at_s: i64::MIN, syncs_at_ms: Vec::new() })
    }
    /// Drops expired counters when the table is full, at most once a second.
    fn make_room(&mut self, unix_s: i64) {
        if self.counters.len() < COUNTERS_MAX || self.swept_at_s == unix_s {
            return;
        }
        self.swept_at_s = unix_s;
        let longest = (0..PERIODS).rev().find(|period| self.config.limits[*period].is_some());
        self.counters.retain(|_, windows| longest.is_some_and(|period| windows[period].start_s == Period::ALL[period].start(unix_s)));
    }
    /// The owner's windows as of now; none when there is no room.
    fn windows(&mut self, unix_s: i64, owner: Owner) -> Option<&mut [Window; PERIODS]> {
        if self.counters.len() >= COUNTERS_MAX && !self.counters.contains_key(&owner) {
            self.make_room(unix_s);
            if self.counters.len() >= COUNTERS_MAX {
                return None;
            }
        }
        let limits = self.config.limits;
        let windows = self.counters.entry(owner).or_default();
        for (at, window) in windows.iter_mut().enumerate().filter(|(at, _)| limits[*at].is_some()) {
            let start_s = Period::ALL[at].start(unix_s);
            if window.start_s != start_s {
                *window = Window { start_s, ..Window::default() };
            }
        }
        Some(windows)
    }
    /// A node tells the shared counters what it let pass, and learns what the others did.
    fn compare_notes(&mut self, turn: &mut Turn<'_>, every_ms: i64) {
        let node = turn.node as usize;
        if self.syncs_at_ms.len() <= node {
            self.syncs_at_ms.resize(node + 1, i64::MIN);
        }
        if turn.unix_ms < self.syncs_at_ms[node] || !turn.store_up {
            return;
        }
        self.syncs_at_ms[node] = turn.unix_ms.saturating_add(every_ms);
        turn.store_calls += 1;
        let own: Vec<Owner> = self.counters.keys().filter(|owner| owner.node == turn.node).cloned().collect();
        for owner in own {
            let Some(told) = self.windows(turn.unix_s, owner.clone()).map(|windows| *windows) else { continue };
            let Some(shared) = self.windows(turn.unix_s, Owner { node: SHARED, ..owner.clone() }) else { continue };
            for (window, told) in shared.iter_mut().zip(told) {
                window.count = window.count.saturating_add(told.untold);
            }
            let shared = *shared;
            if let Some(windows) = self.windows(turn.unix_s, owner) {
                for (window, shared) in windows.iter_mut().zip(shared) {
                    *window = Window { count: shared.count, untold: 0, ..*window };
                }
            }
        }
    }
}

impl Plugin for RateLimiting {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = Arc::clone(&self.config);
        let node = match config.sharing {
            Sharing::Alone => turn.node,
            Sharing::Every(every_ms) => {
                self.compare_notes(turn, every_ms);
                turn.node
            }
            Sharing::AtOnce if turn.store_up => {
                turn.store_calls += 1;
                SHARED
            }
            Sharing::AtOnce => {
                turn.store_is_missed();
                let stop = Stop::error(500, "store", "An unexpected error occurred");
                return if config.fault_tolerant { Ok(()) } else { Err(stop) };
            }
        };
        let unix_s = turn.unix_s;
        let owner = Owner { node, identifier: config.limit_by.identify(turn) };
        let mut uncounted;
        let windows = match self.windows(unix_s, owner) {
            Some(windows) => windows,
            None => {
                uncounted = Period::ALL.map(|period| Window { start_s: period.start(unix_s), ..Window::default() });
                &mut uncounted
            }
        };
        let (passes, headers) = decide(unix_s, &config.limits, windows);
        if passes {
            for window in windows {
                window.count = window.count.saturating_add(1);
                window.untold = window.untold.saturating_add(1);
            }
        }
        turn.note(|| format!("{} of {} left", headers.remaining, headers.limit));
        if !config.hides {
            turn.limits = Some(headers);
        }
        if passes { Ok(()) } else { Err(config.refusal.clone()) }
    }
    fn forget(&mut self, node: Option<u32>) {
        match node {
            None => self.counters.clear(),
            Some(node) => self.counters.retain(|owner, _| owner.node != node),
        }
    }
    fn kept(&self) -> usize {
        self.counters.len()
    }
    fn is_shared(&self) -> bool {
        self.config.sharing != Sharing::Alone
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
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
