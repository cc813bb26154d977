//! AWS API Gateway's profile: routes by template, authorizers, API keys with usage plans, token buckets, models.
//!
//! ```text
//! request ─► size 413 ─► route 403/404 ─► authorizer 401/403/500 ─► API key 403 ─► plan, stage, account 429 ─► model 400 ─► integration
//! ```
//!
//! In: an [`ApiSpec`] compiled once, then (now, request). Out: an [`ApiDecision`]. Buckets, quotas and the authorizers'
//! kept verdicts are the only state. A request that any bucket refuses takes a token from none (the product does not
//! say). Must not know: what integrations are, queues, service times. Start at [`Api::handle`].

mod authorizer;
mod bucket;
mod routes;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::{Answer, Period, Request, uri};
use crate::machines::codec::Schema;
use crate::units::{SimDuration, SimTime};

pub use authorizer::{AuthorizerSpec, TTL_S_MAX};
pub use bucket::{Bucket, Throttle};

/// Largest payload: 10 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 10 << 20;
/// The longest that an integration may take unless the account has more.
pub const INTEGRATION_TIMEOUT: SimDuration = SimDuration::from_secs(29);
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

impl ResponseType {
    /// Status, stable code, body and the header `x-amzn-ErrorType` of a REST API.
    fn rest(self) -> (u16, &'static str, &'static str, &'static str) {
        match self {
            Self::MissingAuthenticationToken => {
                (403, "no-route", r#"{"message":"Missing Authentication Token"}"#, "MissingAuthenticationTokenException")
            }
            Self::NotFound => (404, "no-route", r#"{"message":"Not Found"}"#, "NotFoundException"),
            Self::RequestTooLarge => {
                (413, "too-large", r#"{"message":"HTTP content length exceeded 10485760 bytes."}"#, "RequestEntityTooLargeException")
            }
            Self::Unauthorized => (401, "unauthorized", r#"{"message":"Unauthorized"}"#, "UnauthorizedException"),
            Self::AccessDenied => (
                403,
                "forbidden",
                r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#,
                "AccessDeniedException",
            ),
            Self::Forbidden => (403, "forbidden", r#"{"message":"Forbidden"}"#, "ForbiddenException"),
            Self::AuthorizerFailure => (500, "authorizer", r#"{"message":null}"#, "AuthorizerConfigurationException"),
            Self::InvalidApiKey => (403, "unauthorized", r#"{"message":"Forbidden"}"#, "ForbiddenException"),
            Self::Throttled => (429, "rate-limit", r#"{"message":"Too Many Requests"}"#, "TooManyRequestsException"),
            Self::QuotaExceeded => (429, "quota", r#"{"message":"Limit Exceeded"}"#, "LimitExceededException"),
            Self::BadRequestBody => (400, "schema", r#"{"message": "Invalid request body"}"#, "BadRequestException"),
            Self::IntegrationFailure => (502, "upstream", r#"{"message": "Internal server error"}"#, "InternalServerErrorException"),
            Self::IntegrationTimeout => (504, "timeout", r#"{"message": "Endpoint request timed out"}"#, "InternalServerErrorException"),
            Self::ServiceUnavailable => (503, "unavailable", r#"{"message":"Service Unavailable"}"#, "ServiceUnavailableException"),
        }
    }
    /// As the product answers; HTTP APIs differ where integrations fail and payloads are too large.
    #[must_use]
    pub fn answer(self, kind: ApiKind) -> Answer {
        let (mut status, _, mut body, error_type) = self.rest();
        let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        if kind == ApiKind::Http {
            (status, body) = match self {
                Self::RequestTooLarge => (413, r#"{"message":"Request Entity Too Large"}"#),
                Self::IntegrationFailure => (500, r#"{"message":"Internal Server Error"}"#),
                Self::IntegrationTimeout => (503, r#"{"message":"Service Unavailable"}"#),
                Self::MissingAuthenticationToken => (404, r#"{"message":"Not Found"}"#),
                Self::AuthorizerFailure => (500, r#"{"message":"Internal Server Error"}"#),
                _ => (status, body),
            };
            match self {
                Self::Unauthorized => headers.push(("www-authenticate".to_owned(), "Bearer".to_owned())),
                Self::Forbidden => headers.push(("www-authenticate".to_owned(), "Bearer error=\"insufficient_scope\"".to_owned())),
                _ => {}
            }
        } else {
            headers.push(("x-amzn-ErrorType".to_owned(), error_type.to_owned()));
        }
        Answer { status, headers, body: body.to_owned() }
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
    /// The stable code of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.response.rest().1
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiDecision {
    /// Nothing stops it: on to the integration.
    pub stop: Option<ApiStop>,
    /// Which route, by its place.
    pub route: Option<u32>,
    /// Values of the path's parameters.
    pub params: Vec<(String, String)>,
    /// Whose API key it carries.
    pub key_owner: Option<Arc<str>>,
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
    account: Bucket,
    stage: Option<Bucket>,
    by_route: Vec<Option<Bucket>>,
    keys: Vec<Key>,
    epoch_unix_s: i64,
}

/// One API key's state.
#[derive(Clone, Debug)]
struct Key {
    value: Arc<str>,
    owner: Arc<str>,
    plan: usize,
    bucket: Option<Bucket>,
    /// By place in the plan's list.
    by_route: Vec<Bucket>,
    /// The quota's period, and what was used of it.
    used: (i64, u64),
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
            match authorizer::Authorizer::new(authorizer) {
                Ok(authorizer) => authorizers.push(authorizer),
                Err(words) => problems.push(format!("authorizer {at}: {words}")),
            }
        }
        for route in spec.routes.iter().filter(|route| route.authorizer.is_some_and(|at| at >= spec.authorizers.len())) {
            problems.push(format!("route `{}`: there is no such authorizer", route.name));
        }
        let full = |throttle: Throttle| Bucket::full(throttle, SimTime::ZERO);
        let mut keys: Vec<Key> = Vec::new();
        for (plan, of) in spec.plans.iter().enumerate() {
            for (value, owner) in &of.keys {
                if keys.iter().any(|key| key.value == *value) {
                    problems.push(format!("plan `{}`: a key is in two plans", of.name));
                }
                keys.push(Key {
                    value: Arc::clone(value),
                    owner: Arc::clone(owner),
                    plan,
                    bucket: of.throttle.map(full),
                    by_route: of.by_route.iter().map(|(_, throttle)| full(*throttle)).collect(),
                    used: (i64::MIN, 0),
                });
            }
        }
        match routes {
            Ok(routes) if problems.is_empty() => Ok(Self {
                routes: Arc::new(routes),
                authorizers,
                account: full(spec.account),
                stage: spec.stage.map(full),
                by_route: spec.routes.iter().map(|route| route.throttle.map(full)).collect(),
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
    /// Decides.
    pub fn handle(&mut self, now: SimTime, request: &Request<'_>) -> ApiDecision {
        let mut decision =
            ApiDecision { stop: None, route: None, params: Vec::new(), key_owner: None, authorizer_called: false, throttled_by: None };
        decision.stop = self.judge(now, request, &mut decision).err();
        decision
    }
    fn judge(&mut self, now: SimTime, request: &Request<'_>, decision: &mut ApiDecision) -> Result<(), ApiStop> {
        let spec = Arc::clone(&self.spec);
        if request.body.len() > PAYLOAD_BYTES_MAX {
            return Err(ApiStop::of(ResponseType::RequestTooLarge));
        }
        let path = uri::normal(request.bare_path());
        let found = self.routes.find(request.method, &path);
        let Some(at) = found.route else {
            let response = if spec.kind == ApiKind::Rest { ResponseType::MissingAuthenticationToken } else { ResponseType::NotFound };
            return Err(ApiStop::of(response));
        };
        decision.route = Some(at);
        decision.params = found.params;
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
        let given = request.header("x-api-key");
        let key = given.and_then(|given| self.keys.iter().position(|key| *key.value == *given));
        if route.key_required && key.is_none() {
            return Err(ApiStop::of(ResponseType::InvalidApiKey));
        }
        // A key counts only where one is asked for.
        let key = key.filter(|_| route.key_required);
        decision.key_owner = key.map(|key| Arc::clone(&self.keys[key].owner));
        self.throttle(now, unix_s, at as usize, key, decision)?;
        if let Some(model) = &route.model {
            model.validate_text(request.body).map_err(|words| ApiStop { response: ResponseType::BadRequestBody, detail: Some(words) })?;
        }
        Ok(())
    }
    /// Plan and route, plan, route, stage, account: all must have a token, then each gives one.
    fn throttle(&mut self, now: SimTime, unix_s: i64, route: usize, key: Option<usize>, decision: &mut ApiDecision) -> Result<(), ApiStop> {
        let spec = Arc::clone(&self.spec);
        let name = &spec.routes[route].name;
        let mut taken: Vec<&mut Bucket> = Vec::with_capacity(5);
        let mut quota: Option<&mut u64> = None;
        let mut empty = |words: String| {
            decision.throttled_by = Some(words.into());
            Err(ApiStop::of(ResponseType::Throttled))
        };
        if let Some(key) = key.and_then(|key| self.keys.get_mut(key)) {
            let plan = &spec.plans[key.plan];
            if let Some((limit, period)) = plan.quota {
                let start = period.start(unix_s);
                if key.used.0 != start {
                    key.used = (start, 0);
                }
                if key.used.1 >= limit {
                    return Err(ApiStop::of(ResponseType::QuotaExceeded));
                }
                quota = Some(&mut key.used.1);
            }
            for (bucket, (_, throttle)) in key.by_route.iter_mut().zip(&plan.by_route).filter(|(_, (of, _))| of == name) {
                if !bucket.has_one(*throttle, now) {
                    return empty(format!("plan {} for route {name}", plan.name));
                }
                taken.push(bucket);
            }
            if let (Some(bucket), Some(throttle)) = (&mut key.bucket, plan.throttle) {
                if !bucket.has_one(throttle, now) {
                    return empty(format!("plan {}", plan.name));
                }
                taken.push(bucket);
            }
        }
        if let (Some(bucket), Some(throttle)) = (&mut self.by_route[route], spec.routes[route].throttle) {
            if !bucket.has_one(throttle, now) {
                return empty(format!("route {name}"));
            }
            taken.push(bucket);
        }
        if let (Some(bucket), Some(throttle)) = (&mut self.stage, spec.stage) {
            if !bucket.has_one(throttle, now) {
                return empty("stage".to_owned());
            }
            taken.push(bucket);
        }
        if !self.account.has_one(spec.account, now) {
            return empty("account".to_owned());
        }
        self.account.take();
        taken.into_iter().for_each(Bucket::take);
        if let Some(used) = quota {
            *used += 1;
        }
        Ok(())
    }
}
