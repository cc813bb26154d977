//! An API gateway as a pure machine: which route takes a request, what its plugins say, what is answered.
//!
//! ```text
//! request ─► router (traditional_compatible) ─► plugins by priority (jwt 1450, key-auth 1250, acl 950, …) ─► forward
//!               404                              401  403  413  429, or an answer from the cache
//! ```
//!
//! In: a [`GatewaySpec`] compiled once, then (now, node, request). Out: a [`Decision`]; the plugins' counters and
//! caches are the only state, apart for each node where the product keeps them so. [`Gateway::trial`] tells a person
//! who tries a request what each part says, by running the same plugins on a copy.
//! Must not know: queues, service times, schemas, brokers, links: the component around it does.
//! Start at [`Gateway::handle`] for Kong's profile; the rules were read in Kong's own source (commit 22246ef), each
//! file says where.

mod answer;
pub mod aws;
mod balancer;
mod matching;
mod people;
mod plugins;
mod request;
mod router;
mod token;
mod trial;
mod uri;
mod windows;

#[cfg(test)]
mod plugin_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::units::SimTime;

pub use answer::{Answer, BodyForm, Stop, Words};
pub use balancer::{Algorithm, Balancer, Met, TARGETS_MAX, Thresholds, UpstreamSpec, WEIGHT_MAX};
pub use matching::{REGEX_BYTES_MAX, RouteSpec};
pub use people::{ConsumerProblem, ConsumerSpec, CredentialKind, TokenCredential};
pub use plugins::{
    ALL as PLUGINS, COUNTERS_MAX, Field, FieldType, LimitHeaders, PluginKind, PluginProblem, PluginSpec, SETTING_BYTES_MAX, Settings,
    basic_credentials, kind as plugin_kind,
};
pub use request::{Request, client_ip};
pub use router::{ROUTES_COMPARED_MAX, ROUTES_MAX, Router, RouterProblem, shadowed};
pub use token::{SignKey, TOKEN_BYTES_MAX, TimeClaim, Token, TokenAlgorithm, VerifyKey};
pub use trial::{Step, Trial};
pub use windows::Period;

/// What virtual time zero is on the calendar unless told otherwise: that of the payloads, 2026-01-01T00:00:00Z.
pub const EPOCH_UNIX_S: i64 = super::codec::EPOCH_MS / 1_000;

/// Everything that a gateway is told.
#[derive(Clone, Debug, Default)]
pub struct GatewaySpec {
    /// What it takes and where that goes.
    pub routes: Vec<RouteSpec>,
    /// Who may call.
    pub consumers: Vec<ConsumerSpec>,
    /// What runs on requests.
    pub plugins: Vec<PluginSpec>,
}

/// What is wrong with a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayProblem {
    /// With its routes.
    Route(RouterProblem),
    /// With a consumer.
    Consumer(ConsumerProblem),
    /// With a plugin.
    Plugin(PluginProblem),
}

impl GatewayProblem {
    /// In one sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Route(problem) => &problem.message,
            Self::Consumer(problem) => &problem.message,
            Self::Plugin(problem) => &problem.message,
        }
    }
}

/// Whether a request passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the route's target.
    Forward,
    /// Answered here.
    Answer(Stop),
}

impl Verdict {
    /// The status of an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Forward => None,
            Self::Answer(stop) => Some(stop.status),
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it passes.
    pub verdict: Verdict,
    /// Which route took it, by its place in [`GatewaySpec::routes`].
    pub route: Option<u32>,
    /// Which consumer it is from, by its place in [`GatewaySpec::consumers`].
    pub consumer: Option<u32>,
    /// What the answer says of the limits; none when no limit applies.
    pub limits: Option<LimitHeaders>,
    /// Hand it to [`Gateway::answered`] with the service's answer.
    pub cache_key: Option<Arc<str>>,
    /// How often a shared store was asked.
    pub store_calls: u32,
    /// A limit did not count it: the shared store does not answer.
    pub uncounted: bool,
}

/// A gateway with its counters. What was compiled is shared by clones.
#[derive(Clone, Debug)]
pub struct Gateway {
    router: Arc<Router>,
    routes: Arc<[RouteSpec]>,
    people: Arc<people::People>,
    names: Arc<RouteNames>,
    plugins: plugins::Plugins,
    store_up: bool,
    epoch_unix_s: i64,
}

#[derive(Debug)]
struct RouteNames {
    routes: Vec<Arc<str>>,
    /// Of each route, by number.
    services: Vec<u32>,
    service_names: Vec<Arc<str>>,
}

impl RouteNames {
    fn new(specs: &[RouteSpec]) -> Self {
        let mut service_names: Vec<Arc<str>> = Vec::new();
        let mut number = |spec: &RouteSpec| {
            let name = if spec.service.is_empty() { &spec.name } else { &spec.service };
            let at = service_names.iter().position(|known| known == name).unwrap_or_else(|| {
                service_names.push(Arc::clone(name));
                service_names.len() - 1
            });
            at as u32
        };
        let services = specs.iter().map(&mut number).collect();
        Self { routes: specs.iter().map(|spec| Arc::clone(&spec.name)).collect(), services, service_names }
    }
    fn view(&self) -> plugins::Names<'_> {
        plugins::Names { routes: &self.routes, services: &self.services, service_names: &self.service_names }
    }
}

/// Hashing without a random seed: maps here are only looked up, but a run's cost should not vary either.
pub(crate) fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89)
}

impl Gateway {
    /// Compiles routes, consumers and plugins.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(spec: &GatewaySpec, epoch_unix_s: i64) -> Result<Self, Vec<GatewayProblem>> {
        let mut problems = Vec::new();
        let router = Router::new(&spec.routes).map_err(|found| problems.extend(found.into_iter().map(GatewayProblem::Route)));
        let people = people::People::new(&spec.consumers).map_err(|found| problems.extend(found.into_iter().map(GatewayProblem::Consumer)));
        let names = RouteNames::new(&spec.routes);
        // Plugins are judged even beside bad credentials: by the consumers' names alone.
        let nameless =
            || spec.consumers.iter().map(|consumer| ConsumerSpec { name: Arc::clone(&consumer.name), ..ConsumerSpec::default() });
        let people = people.or_else(|()| people::People::new(&nameless().collect::<Vec<_>>()).map_err(|_| ()));
        let plugins = match &people {
            Ok(people) => plugins::Plugins::new(&spec.plugins, people, &names.view())
                .map_err(|found| problems.extend(found.into_iter().map(GatewayProblem::Plugin))),
            Err(()) => Err(()),
        };
        match (router, people, plugins) {
            (Ok(router), Ok(people), Ok(plugins)) if problems.is_empty() => Ok(Self {
                router: Arc::new(router),
                routes: spec.routes.iter().cloned().collect(),
                people: Arc::new(people),
                names: Arc::new(names),
                plugins,
                store_up: true,
                epoch_unix_s,
            }),
            _ => Err(problems),
        }
    }
    /// Decides on node `node`, and counts the request where it passes.
    pub fn handle(&mut self, now: SimTime, node: u32, request: &Request<'_>) -> Decision {
        self.run(now, node, request, None, |_, _, _| {}).0
    }
    fn run(
        &mut self,
        now: SimTime,
        node: u32,
        request: &Request<'_>,
        shown: Option<plugins::Shown>,
        each: impl FnMut(&'static str, &mut plugins::Turn<'_>, Option<&Stop>),
    ) -> (Decision, Option<plugins::Shown>) {
        let mut decision = Decision {
            verdict: Verdict::Forward,
            route: None,
            consumer: None,
            limits: None,
            cache_key: None,
            store_calls: 0,
            uncounted: false,
        };
        let normal = uri::normal(request.path);
        let request = &Request { path: &normal, ..*request };
        let Some(route) = self.router.find(request) else {
            decision.verdict = Verdict::Answer(Stop::error(404, "no-route", "no Route matched with those values"));
            return (decision, shown);
        };
        decision.route = Some(route);
        if !request.https && self.routes[route as usize].wants_https() {
            decision.verdict = Verdict::Answer(Stop::error(426, "https", "Please use HTTPS protocol"));
            return (decision, shown);
        }
        let ms = self.epoch_unix_s.saturating_mul(1_000).saturating_add_unsigned(now.as_ns() / 1_000_000);
        let mut turn = plugins::Turn {
            unix_s: ms.div_euclid(1_000),
            unix_ms: ms,
            request,
            node,
            route,
            service: self.names.services[route as usize],
            consumer: None,
            credential: None,
            people: &self.people,
            limits: None,
            cache_key: None,
            store_up: self.store_up,
            store_calls: 0,
            uncounted: false,
            shown,
        };
        if let Err(stop) = self.plugins.access(&mut turn, each) {
            decision.verdict = Verdict::Answer(stop);
        }
        decision.consumer = turn.consumer;
        decision.limits = turn.limits;
        decision.cache_key = turn.cache_key.filter(|_| decision.verdict == Verdict::Forward);
        (decision.store_calls, decision.uncounted) = (turn.store_calls, turn.uncounted);
        (decision, turn.shown)
    }
    /// A service has answered a request whose decision had a cache key.
    pub fn answered(&mut self, now: SimTime, node: u32, cache_key: &Arc<str>, status: u16, content_type: &str) {
        let unix_s = self.epoch_unix_s.saturating_add_unsigned(now.as_ns() / 1_000_000_000);
        self.plugins.answered(&plugins::ServiceReply { unix_s, node, cache_key, status, content_type });
    }
    /// Other plugins from now on. `kept` says of each where it stood before, with what it has counted; what is new begins anew.
    ///
    /// # Errors
    /// Everything that is wrong with the new list, which is the whole one.
    pub fn set_plugins(&mut self, specs: &[PluginSpec], kept: &[Option<usize>]) -> Result<(), Vec<PluginProblem>> {
        let mut plugins = plugins::Plugins::new(specs, &self.people, &self.names.view())?;
        plugins.keep(kept, &self.plugins);
        self.plugins = plugins;
        Ok(())
    }
    /// What was counted and kept is forgotten, on one node or everywhere.
    pub fn forget_counts(&mut self, node: Option<u32>) {
        self.plugins.forget(node);
    }
    /// Whether any limit is counted in a store that nodes share.
    #[must_use]
    pub fn shares_counters(&self) -> bool {
        self.plugins.share_counters()
    }
    /// Whether the store that nodes share answers.
    pub fn set_store_up(&mut self, up: bool) {
        self.store_up = up;
    }
    /// Counters of the rate limits in memory.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.plugins.kept("rate-limiting") + self.plugins.kept("rate-limiting-advanced")
    }
    /// The consumers' names, in order.
    #[must_use]
    pub fn consumer_names(&self) -> &[Arc<str>] {
        &self.people.names
    }
}
