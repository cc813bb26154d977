//! From a gateway's parameters to what its machine is told; read leniently, `check.rs` reports what is wrong.

use std::sync::Arc;

use crate::components::{BuildCtx, LinkFacts, Params};
use crate::event::Acks;
use crate::machines::broker::client::ProducerConfig;
use crate::machines::gateway::{ApiKey, GatewaySpec, KeyAuthSpec, LimitBy, LimitSpec, Period, RouteSpec};
use crate::random::Distribution;

/// What a route does with a request.
#[derive(Clone, Debug)]
pub(super) enum RouteTarget {
    /// To a linked topic, by its place among the links at `records`.
    Topic(usize),
    /// An answer of a service behind the gateway.
    Respond { status: u16, after: Distribution },
    /// The file names no topic that is linked.
    Unknown(Option<String>),
}

/// The routes in file order, each with its target.
pub(super) fn routes(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Vec<(RouteSpec, RouteTarget)> {
    let topics: Vec<&LinkFacts> = ctx.links_at("records").collect();
    let rows = params.rows("routes");
    if rows.is_empty() && topics.len() == 1 {
        let everything = RouteSpec { name: "everything".into(), paths: vec!["/".to_owned()], ..RouteSpec::default() };
        return vec![(everything, RouteTarget::Topic(0))];
    }
    rows.iter().map(|row| (route(row), target(row, &topics))).collect()
}

fn route(row: &Params<'_>) -> RouteSpec {
    RouteSpec {
        name: row.text("name").into(),
        hosts: row.words("hosts"),
        methods: row.words("methods"),
        headers: row.words("headers").iter().map(|word| header(word)).collect(),
        paths: row.words("paths"),
        regex_priority: row.count("regex_priority") as u32,
        event_types: row.words("event_types"),
    }
}

/// `version: v1|v2`; a regular expression keeps its bars.
fn header(word: &str) -> (String, Vec<String>) {
    let (name, values) = word.split_once([':', '=']).unwrap_or((word, ""));
    let values = values.trim();
    let values = if values.starts_with("~*") { vec![values.to_owned()] } else { values.split('|').map(str::to_owned).collect() };
    (name.trim().to_ascii_lowercase(), values)
}

fn target(row: &Params<'_>, topics: &[&LinkFacts]) -> RouteTarget {
    if row.is_given("respond") {
        return RouteTarget::Respond { status: row.count("respond") as u16, after: row.distribution("respond_after") };
    }
    let Some(wanted) = row.optional_text("topic") else {
        return if topics.len() == 1 { RouteTarget::Topic(0) } else { RouteTarget::Unknown(None) };
    };
    match topics.iter().position(|facts| facts.peer_port == wanted) {
        Some(place) => RouteTarget::Topic(place),
        None => RouteTarget::Unknown(Some(wanted)),
    }
}

/// Everything the machine is told.
pub(super) fn gateway_spec(routes: &[(RouteSpec, RouteTarget)], params: &Params<'_>) -> GatewaySpec {
    GatewaySpec {
        routes: routes.iter().map(|(route, _)| route.clone()).collect(),
        key_auth: params.flag("key_auth").then(|| KeyAuthSpec {
            key_name: params.text("key_name").to_ascii_lowercase().into(),
            keys: params.rows("api_keys").iter().map(api_key).collect(),
        }),
        limits: limits(params),
    }
}

fn api_key(row: &Params<'_>) -> ApiKey {
    ApiKey { consumer: row.text("consumer").into(), key: row.text("key").into() }
}

/// The rows of `rate_limits`.
pub(super) fn limits(params: &Params<'_>) -> Vec<LimitSpec> {
    params.rows("rate_limits").iter().map(limit).collect()
}

fn limit(row: &Params<'_>) -> LimitSpec {
    let limit_by = match row.text("limit_by").as_str() {
        "credential" => LimitBy::Credential,
        "ip" => LimitBy::Ip,
        "service" => LimitBy::Service,
        "header" => LimitBy::Header(row.text("header").to_ascii_lowercase().into()),
        _ => LimitBy::Consumer,
    };
    LimitSpec {
        route: row.optional_text("route").map(Arc::from),
        consumer: row.optional_text("consumer").map(Arc::from),
        limit_by,
        limits: Period::ALL.map(|period| row.is_given(period.name()).then(|| row.count(period.name()) as u32)),
    }
}

/// The producing client's settings.
pub(super) fn producer(params: &Params<'_>) -> ProducerConfig {
    let acks = match params.text("acks").as_str() {
        "0" => Acks::None,
        "all" => Acks::All,
        _ => Acks::Leader,
    };
    let batch_bytes = params.size("batch_size").unwrap_or(1 << 20);
    ProducerConfig {
        acks,
        batch_bytes,
        linger: params.duration("linger"),
        buffer_bytes: params.size("buffer").unwrap_or(32 << 20),
        // A request is refused at once when there is no room: the gateway keeps no second queue.
        max_block: crate::units::SimDuration::ZERO,
        request_bytes_max: batch_bytes.max(1 << 20),
        request_timeout: params.duration("request_timeout"),
        delivery_timeout: params.duration("delivery_timeout"),
        retries_max: params.count("retries") as u32,
        retry_backoff: params.duration("retry_backoff"),
        idempotence: false,
        report_acks: true,
        ..ProducerConfig::default()
    }
}
