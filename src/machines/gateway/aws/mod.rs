//! AWS API Gateway's profile: routes by template, authorizers, API keys with usage plans, token buckets, models.
//!
//! ```text
//! request ─► size 413 ─► route 403/404 ─► authorizer 401/403/500 ─► API key 403 ─► plan, stage, account 429 ─► model 400 ─► integration
//! ```
//!
//! In: an [`ApiSpec`] compiled once, then (now, request). Out: an [`ApiDecision`]. Buckets, quotas and the authorizers'
//! kept verdicts are the only state. A request that any bucket refuses takes a token from none (the product does not
//! say). Must not know: where integrations are, queues, service times. Start at [`Api::handle`].

mod authorizer;
mod bucket;
mod routes;
mod services;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use super::{Answer, Period, Request, hasher, uri};
use crate::machines::codec::Schema;
use crate::units::SimTime;

pub use authorizer::{AuthorizerSpec, TTL_S_MAX};
pub use bucket::{Bucket, Throttle};
pub use services::{Action, Service};

/// Largest payload: 10 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 10 << 20;
/// An account's own limits in most regions.
pub const ACCOUNT: Throttle = Throttle { rate_milli: 10_000_000, burst: 5_000 };

/// Which of the two products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKind {
    /// REST API.
    #[default]
    Rest,
    /// HTTP API.
    Http,
}

/// A route (or a method of a resource).
#[derive(Clone, Debug, Default)]
pub struct ApiRoute {
    /// Name.
    pub name: Arc<str>,
    /// `POST`…, `ANY`.
    pub method: Arc<str>,
    /// `/orders/{id}`, `/files/{proxy+}`, `$default`.
    pub path: Arc<str>,
    /// Its own limit in the stage.
    pub throttle: Option<Throttle>,
    /// Only with an API key of a usage plan.
    pub key_required: bool,
    /// Which authorizer.
    pub authorizer: Option<usize>,
    /// One of these scopes must be in the token.
    pub scopes: Vec<Arc<str>>,
    /// What the body must be.
    pub model: Option<Arc<Schema>>,
}

/// How much a key may ask for.
#[derive(Clone, Debug, Default)]
pub struct UsagePlan {
    /// Name.
    pub name: Arc<str>,
    /// For each key.
    pub throttle: Option<Throttle>,
    /// For each key and route, by route name.
    pub by_route: Vec<(Arc<str>, Throttle)>,
    /// Requests in a period, for each key.
    pub quota: Option<(u64, QuotaPeriod)>,
    /// The keys, each with whose it is.
    pub keys: Vec<(Arc<str>, Arc<str>)>,
}

/// Of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum QuotaPeriod {
    Day,
    Week,
    Month,
}

impl QuotaPeriod {
    /// Unix second at which the period around `unix_s` began (UTC; weeks begin on Sunday).
    fn start(self, unix_s: i64) -> i64 {
        const DAY_S: i64 = 86_400;
        match self {
            Self::Day => Period::Day.start(unix_s),
            Self::Month => Period::Month.start(unix_s),
            Self::Week => {
                let day = unix_s.div_euclid(DAY_S);
                // 1970-01-01 was a Thursday, the fifth day of its week.
                (day - (day + 4).rem_euclid(7)) * DAY_S
            }
        }
    }
}

/// Everything that the machine is told.
#[derive(Clone, Debug)]
pub struct ApiSpec {
    /// Which product.
    pub kind: ApiKind,
    /// Its routes.
    pub routes: Vec<ApiRoute>,
    /// Of the account in the region.
    pub account: Throttle,
    /// Of the stage, for all its routes together.
    pub stage: Option<Throttle>,
    /// Usage plans.
    pub plans: Vec<UsagePlan>,
    /// Authorizers.
    pub authorizers: Vec<AuthorizerSpec>,
}

impl Default for ApiSpec {
    fn default() -> Self {
        Self { kind: ApiKind::Rest, routes: Vec::new(), account: ACCOUNT, stage: None, plans: Vec::new(), authorizers: Vec::new() }
    }
}

/// The product's gateway responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the product's own names")]
pub enum ResponseType {
    MissingAuthenticationToken,
    NotFound,
    RequestTooLarge,
    Unauthorized,
    AccessDenied,
    Forbidden,
    AuthorizerFailure,
    InvalidApiKey,
    Throttled,
    QuotaExceeded,
    BadRequestBody,
    IntegrationFailure,
    IntegrationTimeout,
    ServiceUnavailable,
}

/// What a gateway response is made of.
struct Parts {
    status: u16,
    /// Stable code of the reason.
    code: &'static str,
    message: &'static str,
    /// `x-amzn-ErrorType` of a REST API.
    error_type: &'static str,
}

impl ResponseType {
    /// As a REST API has them.
    fn rest(self) -> Parts {
        let parts = |status, code, message, error_type| Parts { status, code, message, error_type };
        match self {
            Self::MissingAuthenticationToken => {
                parts(403, "no-route", "Missing Authentication Token", "MissingAuthenticationTokenException")
            }
            Self::NotFound => parts(404, "no-route", "Not Found", "NotFoundException"),
            Self::RequestTooLarge => {
                parts(413, "too-large", "HTTP content length exceeded 10485760 bytes.", "RequestEntityTooLargeException")
            }
            Self::Unauthorized => parts(401, "unauthorized", "Unauthorized", "UnauthorizedException"),
            Self::AccessDenied => {
                parts(403, "forbidden", "User is not authorized to access this resource with an explicit deny", "AccessDeniedException")
            }
            Self::Forbidden => parts(403, "forbidden", "Forbidden", "ForbiddenException"),
            Self::AuthorizerFailure => parts(500, "authorizer", "no message", "AuthorizerConfigurationException"),
            Self::InvalidApiKey => parts(403, "unauthorized", "Forbidden", "ForbiddenException"),
            Self::Throttled => parts(429, "rate-limit", "Too Many Requests", "TooManyRequestsException"),
            Self::QuotaExceeded => parts(429, "quota", "Limit Exceeded", "LimitExceededException"),
            Self::BadRequestBody => parts(400, "schema", "Invalid request body", "BadRequestException"),
            Self::IntegrationFailure => parts(502, "upstream", "Internal server error", "InternalServerErrorException"),
            Self::IntegrationTimeout => parts(504, "timeout", "Endpoint request timed out", "InternalServerErrorException"),
            Self::ServiceUnavailable => parts(503, "unavailable", "Service Unavailable", "ServiceUnavailableException"),
        }
    }
    /// HTTP APIs differ where integrations fail and payloads are too large.
    fn parts(self, kind: ApiKind) -> Parts {
        let rest = self.rest();
        let (status, message) = match self {
            _ if kind == ApiKind::Rest => return rest,
            Self::RequestTooLarge => (413, "Request Entity Too Large"),
            Self::IntegrationFailure | Self::AuthorizerFailure => (500, "Internal Server Error"),
            Self::IntegrationTimeout => (503, "Service Unavailable"),
            Self::MissingAuthenticationToken => (404, "Not Found"),
            _ => return rest,
        };
        Parts { status, message, ..rest }
    }
    /// Status and message of the product's answer.
    #[must_use]
    pub fn said(self, kind: ApiKind) -> (u16, &'static str) {
        let parts = self.parts(kind);
        (parts.status, parts.message)
    }
    /// The stable code of the reason.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.rest().code
    }
    /// As the product answers.
    #[must_use]
    pub fn answer(self, kind: ApiKind) -> Answer {
        let Parts { status, error_type, .. } = self.parts(kind);
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        match (kind, self) {
            (ApiKind::Rest, _) => headers.push(("x-amzn-ErrorType".to_owned(), error_type.to_owned())),
            (ApiKind::Http, Self::Unauthorized) => headers.push(("www-authenticate".to_owned(), "Bearer".to_owned())),
            (ApiKind::Http, Self::Forbidden) => {
                headers.push(("www-authenticate".to_owned(), "Bearer error=\"insufficient_scope\"".to_owned()));
            }
            _ => {}
        }
        Answer { status, headers, body: self.body(kind) }
    }
    /// Its own spelling, one by one.
    #[must_use]
    pub fn body(self, kind: ApiKind) -> String {
        let message = self.parts(kind).message;
        match self {
            Self::AccessDenied => format!("{{\"Message\":\"{message}\"}}"),
            Self::AuthorizerFailure if kind == ApiKind::Rest => "{\"message\":null}".to_owned(),
            Self::BadRequestBody => format!("{{\"message\": \"{message}\"}}"),
            Self::IntegrationFailure | Self::IntegrationTimeout if kind == ApiKind::Rest => format!("{{\"message\": \"{message}\"}}"),
            _ => format!("{{\"message\":\"{message}\"}}"),
        }
    }
}

/// Why a request is answered here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiStop {
    /// Which gateway response.
    pub response: ResponseType,
    /// What a person would like to know beyond it.
    pub detail: Option<String>,
}

impl ApiStop {
    fn of(response: ResponseType) -> Self {
        Self { response, detail: None }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiDecision {
    /// Nothing stops it: on to the integration.
    pub stop: Option<ApiStop>,
    /// Which route, by its place.
    pub route: Option<u32>,
    /// Whose API key it carries, by the place among [`Api::owners`].
    pub key_owner: Option<u32>,
    /// A function was asked: pay for it.
    pub authorizer_called: bool,
    /// Which bucket was empty: `account`, `stage`, `route orders`, `plan basic`.
    pub throttled_by: Option<Arc<str>>,
}

/// An API with its buckets. What was compiled is shared by clones.
#[derive(Clone, Debug)]
pub struct Api {
    spec: Arc<ApiSpec>,
    routes: Arc<routes::Routes>,
    authorizers: Vec<authorizer::Authorizer>,
    account: Limit,
    stage: Option<Limit>,
    by_route: Vec<Option<Limit>>,
    /// Who has keys, in the order of the plans.
    owners: Arc<[Arc<str>]>,
    /// Places in `keys` by what clients send; only looked up, never walked.
    by_key: Arc<HashMap<Arc<str>, u32, ahash::RandomState>>,
    keys: Vec<Key>,
    epoch_unix_s: i64,
}

/// One API key's state.
#[derive(Clone, Debug)]
struct Key {
    owner: u32,
    plan: u32,
    limit: Option<Limit>,
    /// By route name.
    by_route: Vec<(Arc<str>, Limit)>,
    /// The quota's period, and what was used of it.
    used: (i64, u64),
}

/// A bucket, and what it is called in answers' reasons.
#[derive(Clone, Debug)]
struct Limit {
    throttle: Throttle,
    bucket: Bucket,
    name: Arc<str>,
}

impl Limit {
    fn full(throttle: Throttle, name: impl Into<Arc<str>>) -> Self {
        Self { throttle, bucket: Bucket::full(throttle, SimTime::ZERO), name: name.into() }
    }
    fn is_empty(&mut self, now: SimTime) -> bool {
        !self.bucket.has_one(self.throttle, now)
    }
}

impl Key {
    fn new(plan: &UsagePlan, number: usize, owner: u32) -> Self {
        let of_route = |(route, throttle): &(Arc<str>, Throttle)| {
            (Arc::clone(route), Limit::full(*throttle, format!("plan {} for route {route}", plan.name)))
        };
        Self {
            owner,
            plan: number as u32,
            limit: plan.throttle.map(|throttle| Limit::full(throttle, format!("plan {}", plan.name))),
            by_route: plan.by_route.iter().map(of_route).collect(),
            used: (i64::MIN, 0),
        }
    }
}

impl Api {
    /// Compiles routes and authorizers.
    ///
    /// # Errors
    /// Everything that is wrong, each with what it is of.
    pub fn new(spec: &ApiSpec, epoch_unix_s: i64) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let routes = routes::Routes::new(&spec.routes)
            .map_err(|found| problems.extend(found.into_iter().map(|(at, words)| format!("route `{}`: {words}", spec.routes[at].name))));
        let mut authorizers = Vec::new();
        for (at, authorizer) in spec.authorizers.iter().enumerate() {
            match authorizer::Authorizer::new(authorizer, spec.kind) {
                Ok(authorizer) => authorizers.push(authorizer),
                Err(words) => problems.push(format!("authorizer {at}: {words}")),
            }
        }
        for route in spec.routes.iter().filter(|route| route.authorizer.is_some_and(|at| at >= spec.authorizers.len())) {
            problems.push(format!("route `{}`: there is no such authorizer", route.name));
        }
        let mut owners: Vec<Arc<str>> = Vec::new();
        let mut by_owner: HashMap<Arc<str>, u32, ahash::RandomState> = HashMap::with_hasher(hasher());
        let mut by_key: HashMap<Arc<str>, u32, ahash::RandomState> = HashMap::with_hasher(hasher());
        let mut keys: Vec<Key> = Vec::new();
        for (number, plan) in spec.plans.iter().enumerate() {
            for (value, owner) in &plan.keys {
                let owner = *by_owner.entry(Arc::clone(owner)).or_insert_with(|| {
                    owners.push(Arc::clone(owner));
                    (owners.len() - 1) as u32
                });
                if let Some(other) = by_key.insert(Arc::clone(value), keys.len() as u32) {
                    let other = &spec.plans[keys[other as usize].plan as usize].name;
                    let words = if *other == plan.name { "has a key twice".to_owned() } else { format!("has a key of the plan `{other}`") };
                    problems.push(format!("plan `{}` {words}: a key is in one plan of a stage", plan.name));
                }
                keys.push(Key::new(plan, number, owner));
            }
        }
        let of_route = |route: &ApiRoute| route.throttle.map(|throttle| Limit::full(throttle, format!("route {}", route.name)));
        match routes {
            Ok(routes) if problems.is_empty() => Ok(Self {
                routes: Arc::new(routes),
                authorizers,
                account: Limit::full(spec.account, "account"),
                stage: spec.stage.map(|throttle| Limit::full(throttle, "stage")),
                by_route: spec.routes.iter().map(of_route).collect(),
                owners: owners.into(),
                by_key: Arc::new(by_key),
                keys,
                spec: Arc::new(spec.clone()),
                epoch_unix_s,
            }),
            _ => Err(problems),
        }
    }
    /// What it was told.
    #[must_use]
    pub fn spec(&self) -> &ApiSpec {
        &self.spec
    }
    /// Who has API keys: the numbers of [`ApiDecision::key_owner`].
    #[must_use]
    pub fn owners(&self) -> &[Arc<str>] {
        &self.owners
    }
    /// What the path's parameters are in a request that a route took.
    #[must_use]
    pub fn params(&self, route: u32, request: &Request<'_>) -> Vec<(String, String)> {
        self.routes.params(route, &uri::normal(request.bare_path()))
    }
    /// Decides.
    pub fn handle(&mut self, now: SimTime, request: &Request<'_>) -> ApiDecision {
        let mut decision = ApiDecision { stop: None, route: None, key_owner: None, authorizer_called: false, throttled_by: None };
        decision.stop = self.judge(now, request, &mut decision).err();
        decision
    }
    fn judge(&mut self, now: SimTime, request: &Request<'_>, decision: &mut ApiDecision) -> Result<(), ApiStop> {
        let spec = Arc::clone(&self.spec);
        if request.body.len() > PAYLOAD_BYTES_MAX {
            return Err(ApiStop::of(ResponseType::RequestTooLarge));
        }
        let path = uri::normal(request.bare_path());
        let Some(at) = self.routes.find(spec.kind, request.method, &path) else {
            let response = if spec.kind == ApiKind::Rest { ResponseType::MissingAuthenticationToken } else { ResponseType::NotFound };
            return Err(ApiStop::of(response));
        };
        decision.route = Some(at);
        let route = &spec.routes[at as usize];
        let unix_s = self.epoch_unix_s.saturating_add_unsigned(now.as_ns() / 1_000_000_000);
        if let Some(authorizer) = route.authorizer.and_then(|at| self.authorizers.get_mut(at)) {
            match authorizer.judge(now, unix_s, request, &route.scopes) {
                Ok(passed) => decision.authorizer_called = passed.called,
                Err((stop, called)) => {
                    decision.authorizer_called = called;
                    return Err(stop);
                }
            }
        }
        // A key counts only where one is asked for.
        let mut key = None;
        if route.key_required {
            let known = request.header("x-api-key").and_then(|given| self.by_key.get(given));
            let number = *known.ok_or_else(|| ApiStop::of(ResponseType::InvalidApiKey))?;
            decision.key_owner = Some(self.keys[number as usize].owner);
            key = Some(number as usize);
        }
        self.throttle(now, unix_s, at as usize, key, decision)?;
        if let Some(model) = &route.model {
            model.validate_text(request.body).map_err(|words| ApiStop { response: ResponseType::BadRequestBody, detail: Some(words) })?;
        }
        Ok(())
    }
    /// Plan and route, plan, route, stage, account: all must have a token, then each gives one.
    fn throttle(&mut self, now: SimTime, unix_s: i64, route: usize, key: Option<usize>, decision: &mut ApiDecision) -> Result<(), ApiStop> {
        let spec = &self.spec;
        let name = &spec.routes[route].name;
        let mut quota: Option<&mut u64> = None;
        let (mut of_plan_and_route, mut of_plan) = (None, None);
        if let Some(key) = key.and_then(|key| self.keys.get_mut(key)) {
            if let Some((limit, period)) = spec.plans[key.plan as usize].quota {
                let start = period.start(unix_s);
                if key.used.0 != start {
                    key.used = (start, 0);
                }
                if key.used.1 >= limit {
                    return Err(ApiStop::of(ResponseType::QuotaExceeded));
                }
                quota = Some(&mut key.used.1);
            }
            of_plan_and_route = key.by_route.iter_mut().find(|(of, _)| of == name).map(|(_, limit)| limit);
            of_plan = key.limit.as_mut();
        }
        let of_route = self.by_route[route].as_mut();
        let mut limits = [of_plan_and_route, of_plan, of_route, self.stage.as_mut(), Some(&mut self.account)];
        if let Some(empty) = limits.iter_mut().flatten().find_map(|limit| limit.is_empty(now).then_some(&limit.name)) {
            decision.throttled_by = Some(Arc::clone(empty));
            return Err(ApiStop::of(ResponseType::Throttled));
        }
        limits.into_iter().flatten().for_each(|limit| limit.bucket.take());
        if let Some(used) = quota {
            *used += 1;
        }
        Ok(())
    }
}
