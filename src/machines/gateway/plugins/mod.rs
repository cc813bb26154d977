//! Kong's plugins: one file each, and one list in the order in which they run.
//!
//! In: settings, requests. Out: on, or an answer. A plugin with its scope is an *instance*; of the instances of one
//! kind only that of the narrowest scope runs a request, as in the product.
//! Must not know: queues, links, brokers. Start at [`ALL`]; adding a plugin is one file and one line there.

mod acl;
mod basic_auth;
mod correlation_id;
mod cors;
mod ip_restriction;
mod jwt;
mod key_auth;
mod proxy_cache;
mod rate_limiting;
mod rate_limiting_advanced;
mod request_size_limiting;
mod request_termination;
mod settings;

use std::fmt::Debug;
use std::sync::Arc;

use super::people::{Known, People};
use super::{Request, Stop};

pub use basic_auth::basic_credentials;
pub use rate_limiting::{COUNTERS_MAX, LimitHeaders};
#[cfg(test)]
pub(super) use rate_limiting_advanced::estimate;
pub use settings::{Field, FieldType, SETTING_BYTES_MAX, Settings};

/// One kind of plugin.
pub struct PluginKind {
    /// The product's name.
    pub name: &'static str,
    /// Higher runs earlier (`PRIORITY` in the product's handler).
    pub priority: u32,
    /// One sentence.
    pub help: &'static str,
    /// Its settings.
    pub fields: &'static [Field],
    /// Whether it may belong to a consumer only.
    pub by_consumer: bool,
    compile: fn(&Settings, &World<'_>) -> Result<Box<dyn Plugin>, String>,
}

/// Every kind, by falling priority.
pub const ALL: &[PluginKind] = &[
    correlation_id::KIND,
    cors::KIND,
    jwt::KIND,
    key_auth::KIND,
    basic_auth::KIND,
    ip_restriction::KIND,
    request_size_limiting::KIND,
    acl::KIND,
    rate_limiting::KIND,
    rate_limiting_advanced::KIND,
    proxy_cache::KIND,
    request_termination::KIND,
];

/// The kind called so.
#[must_use]
pub fn kind(name: &str) -> Option<&'static PluginKind> {
    ALL.iter().find(|kind| kind.name == name)
}

/// A plugin as the design has it.
#[derive(Clone, Debug, Default)]
pub struct PluginSpec {
    /// Which kind.
    pub name: Arc<str>,
    /// Only for the route of that name.
    pub route: Option<Arc<str>>,
    /// Only for the service of that name.
    pub service: Option<Arc<str>>,
    /// Only for the consumer of that name.
    pub consumer: Option<Arc<str>>,
    /// Settings as pairs of texts.
    pub config: Vec<(String, String)>,
}

/// What a plugin may look at while it is compiled.
pub(super) struct World<'a> {
    pub people: &'a People,
}

/// What a plugin sees of a request and tells of it.
pub(super) struct Turn<'r> {
    /// Whole seconds, as Kong's clock for windows and tokens ticks.
    pub unix_s: i64,
    /// The same with its fraction, in milliseconds.
    pub unix_ms: i64,
    pub request: &'r Request<'r>,
    pub node: u32,
    pub route: u32,
    pub service: u32,
    pub consumer: Option<u32>,
    pub credential: Option<u32>,
    pub people: &'r People,
    pub limits: Option<LimitHeaders>,
    /// Under which the answer is to be kept.
    pub cache_key: Option<Arc<str>>,
    /// Whether the counters' shared store answers.
    pub store_up: bool,
    /// Asked of a shared store, for its cost.
    pub store_calls: u32,
    /// A limit did not count this request: the store does not answer.
    pub uncounted: bool,
    /// What a person who looks is told; none in a run.
    pub shown: Option<Shown>,
}

/// Told to a person who tries a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// Of the answer to the client.
    pub answer_headers: Vec<(String, String)>,
    /// Of the request to the service.
    pub upstream_headers: Vec<(String, String)>,
    /// Of the plugin that runs.
    pub note: String,
}

impl Turn<'_> {
    fn authenticate(&mut self, known: Known) {
        self.consumer = Some(known.consumer);
        self.credential = Some(known.credential);
        let name = Arc::clone(&self.people.names[known.consumer as usize]);
        self.note(|| format!("consumer {name}"));
        self.upstream_header("X-Consumer-Username", || name.to_string());
    }
    /// A limit's store does not answer.
    fn store_is_missed(&mut self) {
        self.uncounted = true;
        self.note(|| "the counters' store does not answer".to_owned());
    }
    fn note(&mut self, words: impl FnOnce() -> String) {
        if let Some(shown) = &mut self.shown {
            shown.note = words();
        }
    }
    fn answer_header(&mut self, name: &str, value: impl FnOnce() -> String) {
        if let Some(shown) = &mut self.shown {
            shown.answer_headers.retain(|(known, _)| known != name);
            shown.answer_headers.push((name.to_owned(), value()));
        }
    }
    fn upstream_header(&mut self, name: &str, value: impl FnOnce() -> String) {
        if let Some(shown) = &mut self.shown {
            shown.upstream_headers.retain(|(known, _)| known != name);
            shown.upstream_headers.push((name.to_owned(), value()));
        }
    }
}

/// An instance while it runs. What never changes is shared between clones.
pub(super) trait Plugin: Debug + Send + Sync {
    /// A request; an answer ends it here.
    fn access(&mut self, turn: &mut Turn<'_>) -> Result<(), Stop>;
    /// The service has answered a request that left with a cache key.
    fn answered(&mut self, reply: &ServiceReply<'_>) {
        let _ = reply;
    }
    /// What it has counted or kept is forgotten, on one node or on all.
    fn forget(&mut self, node: Option<u32>) {
        let _ = node;
    }
    /// Counters or entries in memory.
    fn kept(&self) -> usize {
        0
    }
    /// Whether it counts in a store that nodes share.
    fn is_shared(&self) -> bool {
        false
    }
    fn clone_box(&self) -> Box<dyn Plugin>;
}

/// What a service has answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServiceReply<'a> {
    pub unix_s: i64,
    pub node: u32,
    pub cache_key: &'a Arc<str>,
    pub status: u16,
    pub content_type: &'a str,
}

impl Clone for Box<dyn Plugin> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// What is wrong with a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginProblem {
    /// Which, by its place in the list.
    pub plugin: usize,
    /// In one sentence.
    pub message: String,
}

/// All instances of a gateway.
#[derive(Clone, Debug)]
pub(super) struct Plugins {
    instances: Vec<Instance>,
    /// By route: for each kind that may run, its instances with the narrowest scope first.
    by_route: Arc<[Vec<Vec<u32>>]>,
}

#[derive(Clone, Debug)]
struct Instance {
    kind: &'static str,
    consumer: Option<u32>,
    plugin: Box<dyn Plugin>,
}

/// Routes and services by number, for scopes.
pub(super) struct Names<'a> {
    pub routes: &'a [Arc<str>],
    /// Of each route.
    pub services: &'a [u32],
    pub service_names: &'a [Arc<str>],
}

impl Plugins {
    pub(super) fn new(specs: &[PluginSpec], people: &People, names: &Names<'_>) -> Result<Self, Vec<PluginProblem>> {
        let world = World { people };
        let mut problems = Vec::new();
        let mut instances = Vec::new();
        let mut scopes: Vec<(usize, Option<u32>, Option<u32>, u32)> = Vec::new();
        for (at, spec) in specs.iter().enumerate() {
            let mut wrong = |message: String| problems.push(PluginProblem { plugin: at, message });
            let Some(order) = ALL.iter().position(|kind| kind.name == &*spec.name) else {
                let known: Vec<&str> = ALL.iter().map(|kind| kind.name).collect();
                wrong(format!("there is no plugin `{}`; these are: {}", spec.name, known.join(", ")));
                continue;
            };
            let kind = &ALL[order];
            let mut find = |what: &str, wanted: &Option<Arc<str>>, known: &[Arc<str>]| {
                let wanted = wanted.as_ref()?;
                let found = known.iter().position(|name| name == wanted).map(|at| at as u32);
                if found.is_none() {
                    wrong(format!("there is no {what} `{wanted}`"));
                }
                Some(found.unwrap_or(u32::MAX))
            };
            let route = find("route", &spec.route, names.routes);
            let service = find("service", &spec.service, names.service_names);
            let consumer = find("consumer", &spec.consumer, &people.names);
            if consumer.is_some() && !kind.by_consumer {
                wrong(format!("`{}` finds out who the consumer is: it cannot belong to one", kind.name));
            }
            let scope = (route.is_some(), service.is_some(), consumer.is_some());
            match Settings::read(kind.fields, &spec.config) {
                Err(words) => words.into_iter().for_each(&mut wrong),
                Ok(settings) => match (kind.compile)(&settings, &world) {
                    Err(words) => wrong(words),
                    Ok(plugin) => {
                        instances.push(Instance { kind: kind.name, consumer, plugin });
                        scopes.push((order, route, service, narrowness(scope)));
                    }
                },
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let of_route = |route: usize| {
            let fits = |at: &u32| {
                let (_, wanted, service, _) = scopes[*at as usize];
                wanted.is_none_or(|wanted| wanted as usize == route) && service.is_none_or(|service| service == names.services[route])
            };
            let mut fitting: Vec<u32> = (0..instances.len() as u32).filter(fits).collect();
            // Stable: of two equal scopes the first in the list runs.
            fitting.sort_by_key(|at| (scopes[*at as usize].0, u32::MAX - scopes[*at as usize].3));
            let chunks = fitting.chunk_by(|a, b| scopes[*a as usize].0 == scopes[*b as usize].0);
            chunks.map(<[u32]>::to_vec).collect::<Vec<_>>()
        };
        let by_route = (0..names.routes.len()).map(of_route).collect();
        Ok(Self { instances, by_route })
    }
    /// Runs a request through them; `each` hears of every plugin that ran.
    pub(super) fn access(
        &mut self,
        turn: &mut Turn<'_>,
        mut each: impl FnMut(&'static str, &mut Turn<'_>, Option<&Stop>),
    ) -> Result<(), Stop> {
        let by_route = Arc::clone(&self.by_route);
        for candidates in by_route.get(turn.route as usize).into_iter().flatten() {
            let fits = |at: &&u32| self.instances[**at as usize].consumer.is_none_or(|wanted| Some(wanted) == turn.consumer);
            let Some(at) = candidates.iter().find(fits) else { continue };
            let instance = &mut self.instances[*at as usize];
            let result = instance.plugin.access(turn);
            each(instance.kind, turn, result.as_ref().err());
            result?;
        }
        Ok(())
    }
    /// Tells the plugins what a service has answered.
    pub(super) fn answered(&mut self, reply: &ServiceReply<'_>) {
        for instance in &mut self.instances {
            instance.plugin.answered(reply);
        }
    }
    pub(super) fn forget(&mut self, node: Option<u32>) {
        for instance in &mut self.instances {
            instance.plugin.forget(node);
        }
    }
    pub(super) fn kept(&self, kind: &str) -> usize {
        self.instances.iter().filter(|instance| instance.kind == kind).map(|instance| instance.plugin.kept()).sum()
    }
    pub(super) fn share_counters(&self) -> bool {
        self.instances.iter().any(|instance| instance.plugin.is_shared())
    }
    /// Takes over what stood in an older list: of each instance, where.
    pub(super) fn keep(&mut self, kept: &[Option<usize>], old: &Self) {
        for (instance, at) in self.instances.iter_mut().zip(kept) {
            if let Some(known) = at.and_then(|at| old.instances.get(at)) {
                instance.plugin.clone_from(&known.plugin);
            }
        }
    }
}

/// The product's order of scopes, narrowest highest (route, service, consumer).
fn narrowness(scope: (bool, bool, bool)) -> u32 {
    match scope {
        (true, true, true) => 7,
        (true, false, true) => 6,
        (false, true, true) => 5,
        (true, true, false) => 4,
        (false, false, true) => 3,
        (true, false, false) => 2,
        (false, true, false) => 1,
        (false, false, false) => 0,
    }
}

/// Settings that the authenticating plugins have in common, beside [`Fallback::FIELD`].
const ON_PREFLIGHT: Field = Field::new("run_on_preflight", FieldType::Flag, "Check OPTIONS requests too").or("true");
const REALM: Field = Field::new("realm", FieldType::Text, "Named in the challenge of a 401");

/// The credential part that the three authenticating plugins have in common.
#[derive(Clone, Debug)]
struct Fallback {
    /// The consumer that stands for everybody who cannot prove who they are.
    anonymous: Option<u32>,
}

impl Fallback {
    const FIELD: Field =
        Field::new("anonymous", FieldType::Text, "The consumer that requests without a good credential are taken for, instead of 401");
    fn new(settings: &Settings, world: &World<'_>) -> Result<Self, String> {
        let Some(name) = settings.text("anonymous") else { return Ok(Self { anonymous: None }) };
        let number = world.people.number(&name).ok_or_else(|| format!("there is no consumer `{name}` to be anonymous"))?;
        Ok(Self { anonymous: Some(number) })
    }
    /// Whether another plugin has already found who it is.
    fn is_done(&self, turn: &Turn<'_>) -> bool {
        self.anonymous.is_some() && turn.credential.is_some()
    }
    fn settle(&self, turn: &mut Turn<'_>, found: Result<Known, Stop>) -> Result<(), Stop> {
        match (found, self.anonymous) {
            (Ok(known), _) => turn.authenticate(known),
            (Err(stop), None) => return Err(stop),
            (Err(stop), Some(consumer)) => {
                turn.consumer = Some(consumer);
                turn.credential = None;
                turn.note(|| format!("anonymous: {}", stop.words.as_str()));
                turn.upstream_header("X-Anonymous-Consumer", || "true".to_owned());
            }
        }
        Ok(())
    }
}
