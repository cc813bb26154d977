//! An API gateway as a pure machine, profile kong-3, first slice: routing, key authentication, rate limits.
//!
//! ```text
//! request ─► router (traditional_compatible) ─► key-auth 1250 ─► rate-limiting 910 ─► forward to a topic, or answer
//!               404                               401               429
//! ```
//!
//! In: a [`GatewaySpec`] compiled once, then (now, request). Out: a [`Decision`]; the counters of the rate
//! limits are the only state. Nothing is allocated for a decision but a counter's first use.
//! Must not know: queues, service times, schemas, brokers, links: the component around it does.
//! Start at [`Gateway::handle`]; the rules were read in Kong's own source (commit 22246ef), each file says where.
//! Not here yet: jwt, acl, the sliding windows of rate-limiting-advanced, strip_path.

mod key_auth;
mod matching;
mod rate_limit;
mod router;
mod windows;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::units::SimTime;

pub use key_auth::{ApiKey, KeyAuthSpec};
pub use matching::{REGEX_BYTES_MAX, RouteSpec};
pub use rate_limit::{COUNTERS_MAX, LimitBy, LimitHeaders, LimitSpec};
pub use router::{ROUTES_COMPARED_MAX, ROUTES_MAX, Router, RouterProblem, shadowed};
pub use windows::Period;

/// What virtual time zero is on the calendar unless told otherwise: that of the payloads, 2026-01-01T00:00:00Z.
pub const EPOCH_UNIX_S: i64 = super::codec::EPOCH_MS / 1_000;

/// Everything that a gateway is told.
#[derive(Clone, Debug, Default)]
pub struct GatewaySpec {
    /// What it takes and where that goes.
    pub routes: Vec<RouteSpec>,
    /// The key-auth plugin, for all routes.
    pub key_auth: Option<KeyAuthSpec>,
    /// The rate-limiting plugin, once for each scope.
    pub limits: Vec<LimitSpec>,
}

/// A request as the plugins see it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST`…
    pub method: &'a str,
    /// Path, possibly with a query.
    pub path: &'a str,
    /// Names in lower case.
    pub headers: &'a [(Arc<str>, Arc<str>)],
    /// CloudEvents' `ce-type`, which travels as a header of its own.
    pub event_type: &'a str,
    /// Which client sent it: stands for its address.
    pub client: u32,
}

impl Request<'_> {
    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| &**header == name).map(|(_, value)| &**value)
    }
    /// The path without its query.
    #[must_use]
    pub fn bare_path(&self) -> &str {
        self.path.split_once('?').map_or(self.path, |(path, _)| path)
    }
}

/// Whether a request passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the route's target.
    Forward,
    /// Answered here: status, stable code, the product's own words.
    Refuse { status: u16, code: &'static str, words: &'static str },
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it passes.
    pub verdict: Verdict,
    /// Which route took it, by its place in [`GatewaySpec::routes`].
    pub route: Option<u32>,
    /// Which consumer it is from, by [`KeyAuthSpec::keys`].
    pub consumer: Option<u32>,
    /// What the answer says of the limits; none when no limit applies.
    pub limits: Option<LimitHeaders>,
}

/// A gateway with its counters. The compiled routes are shared by clones.
#[derive(Clone, Debug)]
pub struct Gateway {
    router: Arc<Router>,
    key_auth: Option<Arc<key_auth::KeyAuth>>,
    limits: rate_limit::RateLimits,
    route_names: Arc<[Arc<str>]>,
    consumers: Arc<[Arc<str>]>,
    epoch_unix_s: i64,
}

impl Gateway {
    /// Compiles the routes.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(spec: &GatewaySpec, epoch_unix_s: i64) -> Result<Self, Vec<RouterProblem>> {
        let consumers: Arc<[Arc<str>]> = spec.key_auth.iter().flat_map(KeyAuthSpec::consumers).collect();
        let route_names: Arc<[Arc<str>]> = spec.routes.iter().map(|route| Arc::clone(&route.name)).collect();
        Ok(Self {
            router: Arc::new(Router::new(&spec.routes)?),
            key_auth: spec.key_auth.as_ref().map(|auth| Arc::new(key_auth::KeyAuth::new(auth))),
            limits: rate_limit::RateLimits::new(&spec.limits, &route_names, &consumers),
            route_names,
            consumers,
            epoch_unix_s,
        })
    }
    /// Decides, and counts the request when it passes. Kong counts in a timer of no delay after the decision;
    /// here it is the same instant.
    pub fn handle(&mut self, now: SimTime, request: &Request<'_>) -> Decision {
        let mut decision = Decision { verdict: Verdict::Forward, route: None, consumer: None, limits: None };
        let Some(route) = self.router.find(request) else {
            decision.verdict = Verdict::Refuse { status: 404, code: "no-route", words: "no Route matched with those values" };
            return decision;
        };
        decision.route = Some(route);
        // Plugins run by priority, highest first: key-auth is 1250, rate-limiting 910.
        if let Some(auth) = &self.key_auth {
            match auth.consumer(request) {
                Ok(consumer) => decision.consumer = Some(consumer),
                Err(words) => {
                    decision.verdict = Verdict::Refuse { status: 401, code: "unauthorized", words };
                    return decision;
                }
            }
        }
        // Kong's clock for windows ticks in whole seconds (ngx.time).
        let unix_s = self.epoch_unix_s.saturating_add_unsigned(now.as_ns() / 1_000_000_000);
        if let Some((passes, headers)) = self.limits.take(unix_s, request, route, decision.consumer) {
            decision.limits = Some(headers);
            if !passes {
                decision.verdict = Verdict::Refuse { status: 429, code: "rate-limit", words: "API rate limit exceeded" };
            }
        }
        decision
    }
    /// Other limits from now on; what was counted is forgotten.
    pub fn set_limits(&mut self, limits: &[LimitSpec]) {
        self.limits = rate_limit::RateLimits::new(limits, &self.route_names, &self.consumers);
    }
    /// What was counted is forgotten.
    pub fn forget_counts(&mut self) {
        self.limits.clear();
    }
    /// Counters of the rate limits in memory.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.limits.len()
    }
}
