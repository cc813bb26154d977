//! rate-limiting-advanced (closed; from its documentation): windows of any length, sliding or fixed.
//!
//! Sliding: the estimate is the last window's count, weighted by how much of it the sliding window still covers, and
//! the current count. Refused requests count there too, unless `disable_penalty`: whoever keeps sending faster than
//! the limit is never let in again. Windows begin at multiples of their length since 1970.

use std::collections::HashMap;
use std::sync::Arc;

use super::rate_limiting::{COUNTERS_MAX, HEADER_NAME, Identifier, LimitBy, PATH, refusal};
use super::{Field, FieldType, LimitHeaders, Plugin, PluginKind, Settings, Stop, Turn};
use crate::machines::gateway::{Period, hasher};

pub(super) const KIND: PluginKind = PluginKind {
    name: "rate-limiting-advanced",
    priority: 910,
    help: "Answers 429 beyond so many requests in sliding or fixed windows of any length (enterprise edition)",
    fields: &[
        Field::new("limit", FieldType::Counts, "Requests in each of the windows below"),
        Field::new("window_size", FieldType::Counts, "Lengths of the windows in seconds"),
        Field::new("window_type", FieldType::Choice(&["sliding", "fixed"]), "How windows move").or("sliding"),
        Field::new(
            "identifier",
            FieldType::Choice(&["consumer", "credential", "ip", "service", "header", "path"]),
            "Who has a counter of their own; where that cannot be told, the client's address counts",
        )
        .or("consumer"),
        HEADER_NAME,
        PATH,
        Field::new("strategy", FieldType::Choice(&["local", "cluster", "redis"]), "Where counters are: on each node, or shared")
            .or("local"),
        Field::new("disable_penalty", FieldType::Flag, "Refused requests do not count").or("false"),
        Field::new("hide_client_headers", FieldType::Flag, "Say nothing of limits in answers").or("false"),
        Field::new("error_code", FieldType::Count { min: 100, max: 599 }, "Instead of 429").or("429"),
        Field::new("error_message", FieldType::Text, "Instead of the product's words").or("API rate limit exceeded"),
    ],
    by_consumer: true,
    compile: |settings, _| Ok(Box::new(Advanced::new(settings)?)),
};

/// Most windows of one instance.
const WINDOWS_MAX: usize = 10;
/// Longest window.
const WINDOW_S_MAX: u64 = 366 * 86_400;

#[derive(Debug)]
struct Config {
    windows: Vec<Window>,
    slides: bool,
    limit_by: LimitBy,
    shared: bool,
    penalty: bool,
    hides: bool,
    refusal: Stop,
}

/// One of its windows, with the names of its headers.
#[derive(Debug)]
struct Window {
    limit: u32,
    length_s: u32,
    limit_header: String,
    remaining_header: String,
}

#[derive(Clone, Debug)]
struct Advanced {
    config: Arc<Config>,
    /// By node and identifier, one counter for each window.
    counters: HashMap<(u32, Identifier), Vec<Counter>, ahash::RandomState>,
    swept_at_s: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    /// Which window, counted since 1970.
    number: i64,
    count: u32,
    before: u32,
}

/// The estimate of a sliding window: (last count, this count, milliseconds into it, its length in milliseconds).
pub(in crate::machines::gateway) fn estimate(before: u32, count: u32, elapsed_ms: i64, length_ms: i64) -> f64 {
    f64::from(before) * ((length_ms - elapsed_ms) as f64 / length_ms as f64) + f64::from(count)
}

impl Window {
    fn new(limit: u32, length_s: u32) -> Self {
        // A calendar period's length has its name.
        let named = Period::ALL.into_iter().find(|period| period.nominal_s() == i64::from(length_s));
        let name = named.map_or_else(|| length_s.to_string(), |period| period.title().to_owned());
        let header = |what: &str| format!("X-RateLimit-{what}-{name}");
        Self { limit, length_s, limit_header: header("Limit"), remaining_header: header("Remaining") }
    }
}

impl Counter {
    fn move_to(&mut self, number: i64) {
        if number == self.number + 1 {
            *self = Self { number, count: 0, before: self.count };
        } else if number != self.number {
            *self = Self { number, count: 0, before: 0 };
        }
    }
}

impl Advanced {
    fn new(settings: &Settings) -> Result<Self, String> {
        let (limits, lengths) = (settings.counts("limit"), settings.counts("window_size"));
        if limits.is_empty() || limits.len() != lengths.len() || limits.len() > WINDOWS_MAX {
            return Err(format!("`limit` and `window_size` have one number for each window, at most {WINDOWS_MAX}"));
        }
        if limits.iter().any(|limit| *limit == 0 || *limit > 1_000_000_000) || lengths.iter().any(|s| *s == 0 || *s > WINDOW_S_MAX) {
            return Err(format!("limits are at least 1, windows 1 to {WINDOW_S_MAX} seconds"));
        }
        let config = Config {
            windows: limits.iter().zip(&lengths).map(|(limit, s)| Window::new(*limit as u32, *s as u32)).collect(),
            slides: settings.text("window_type").as_deref() != Some("fixed"),
            limit_by: LimitBy::new(settings, "identifier")?,
            shared: settings.text("strategy").as_deref() != Some("local"),
            penalty: !settings.flag("disable_penalty"),
            hides: settings.flag("hide_client_headers"),
            refusal: refusal(settings),
        };
        Ok(Self { config: Arc::new(config), counters: HashMap::with_hasher(hasher()), swept_at_s: i64::MIN })
    }
    fn make_room(&mut self, unix_s: i64) {
        if self.counters.len() < COUNTERS_MAX || self.swept_at_s == unix_s {
            return;
        }
        self.swept_at_s = unix_s;
        let windows = &self.config.windows;
        let lives = |counter: &Counter, length: u32| counter.number + 1 >= unix_s.div_euclid(i64::from(length));
        self.counters.retain(|_, counters| counters.iter().zip(windows).any(|(counter, window)| lives(counter, window.length_s)));
    }
}

impl Plugin for Advanced {
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop> {
        let config = Arc::clone(&self.config);
        if config.shared && !turn.store_up {
            turn.store_is_missed();
            return Ok(());
        }
        turn.store_calls += u32::from(config.shared);
        let node = if config.shared { u32::MAX } else { turn.node };
        let key = (node, config.limit_by.identify(turn));
        self.make_room(turn.unix_s);
        let mut uncounted = Vec::new();
        let has_room = self.counters.len() < COUNTERS_MAX || self.counters.contains_key(&key);
        let counters = if has_room { self.counters.entry(key).or_default() } else { &mut uncounted };
        counters.resize(config.windows.len(), Counter::default());
        let mut headers = LimitHeaders::default();
        let mut tightest: Option<f64> = None;
        // Of each window: what is spent of it, and how far it has got.
        let mut used = [(0.0, 0); WINDOWS_MAX];
        for ((counter, window), used) in counters.iter_mut().zip(&config.windows).zip(&mut used) {
            let length_ms = i64::from(window.length_s) * 1_000;
            counter.move_to(turn.unix_ms.div_euclid(length_ms));
            let elapsed_ms = turn.unix_ms.rem_euclid(length_ms);
            let spent =
                if config.slides { estimate(counter.before, counter.count, elapsed_ms, length_ms) } else { f64::from(counter.count) };
            headers.refused |= spent >= f64::from(window.limit);
            *used = (spent, elapsed_ms);
        }
        for (window, (spent, elapsed_ms)) in config.windows.iter().zip(used) {
            let counted = if headers.refused { 0.0 } else { 1.0 };
            let remaining = libm::floor(f64::from(window.limit) - spent - counted).max(0.0);
            turn.answer_header(&window.limit_header, || window.limit.to_string());
            turn.answer_header(&window.remaining_header, || remaining.to_string());
            if tightest.is_none_or(|known| remaining <= known) {
                tightest = Some(remaining);
                headers.limit = window.limit;
                headers.remaining = remaining as u32;
                headers.reset_s = (i64::from(window.length_s) - elapsed_ms / 1_000).max(1) as u32;
            }
        }
        // Sliding windows count refused requests too.
        if !headers.refused || (config.slides && config.penalty) {
            for counter in counters {
                counter.count = counter.count.saturating_add(1);
            }
        }
        turn.note(|| format!("{} of {} left", headers.remaining, headers.limit));
        if !config.hides {
            turn.limits = Some(headers);
        }
        if headers.refused { Err(config.refusal.clone()) } else { Ok(()) }
    }
    fn forget(&mut self, node: Option<u32>) {
        match node {
            None => self.counters.clear(),
            Some(node) => self.counters.retain(|(known, _), _| *known != node),
        }
    }
    fn kept(&self) -> usize {
        self.counters.len()
    }
    fn is_shared(&self) -> bool {
        self.config.shared
    }
    fn clone_box(&self) -> Box<dyn Plugin> {
        Box::new(self.clone())
    }
}
