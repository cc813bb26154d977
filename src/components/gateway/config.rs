//! From a gateway's parameters to what its machine is told; read leniently, `check.rs` reports what is wrong.

use std::sync::Arc;

use crate::components::secrets::Secret;
use crate::components::{BuildCtx, LinkFacts, Params};
use crate::event::Acks;
use crate::machines::broker::client::ProducerConfig;
use crate::machines::gateway::{ConsumerSpec, GatewaySpec, Period, PluginSpec, RouteSpec, TokenAlgorithm, TokenCredential};
use crate::random::Distribution;

/// What a route does with a request.
#[derive(Clone, Debug)]
pub(super) enum RouteTarget {
    /// To a linked topic, by its place among the links at `records`.
    Topic(usize),
    /// An answer of a service behind the gateway.
    Respond { status: u16, after: Distribution },
    /// To a target of an upstream, by its place.
    Upstream(usize),
    /// The file names no such upstream.
    NoUpstream(String),
    /// To a linked queue or fan-out topic, by its place among the links at `messages`.
    Queue(usize),
    /// The file names no queue that is linked.
    NoQueue(String),
    /// The file names no topic that is linked.
    Unknown(Option<String>),
}

/// The routes in file order, each with its target.
pub(super) fn routes(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Vec<(RouteSpec, RouteTarget)> {
    let topics: Vec<&LinkFacts> = ctx.links_at("records").collect();
    let rows = params.rows("routes");
    if rows.is_empty() && topics.len() == 1 {
        return vec![everything()];
    }
    let upstreams: Vec<String> = params.rows("upstreams").iter().map(|row| row.text("name")).collect();
    let queues: Vec<&str> = ctx.links_at("messages").map(|facts| facts.peer_id.as_str()).collect();
    rows.iter().map(|row| (route(row), target(row, &topics, &upstreams, &queues))).collect()
}

/// Of a gateway with one topic and no routes.
pub(super) fn everything() -> (RouteSpec, RouteTarget) {
    let everything = RouteSpec { name: "everything".into(), paths: vec!["/".to_owned()], ..RouteSpec::default() };
    (everything, RouteTarget::Topic(0))
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
        event_sources: row.words("event_sources"),
        event_subjects: row.words("event_subjects"),
        protocols: row.words("protocols"),
        snis: row.words("snis"),
        service: row.optional_text("service").unwrap_or_default().into(),
        service_host: row.optional_text("service_host").unwrap_or_default().into(),
        service_path: row.optional_text("service_path").unwrap_or_default().into(),
        strip_path: row.flag("strip_path"),
        preserve_host: row.flag("preserve_host"),
    }
}

/// `version: v1|v2`; a regular expression keeps its bars.
pub(crate) fn header(word: &str) -> (String, Vec<String>) {
    let (name, values) = word.split_once([':', '=']).unwrap_or((word, ""));
    let values = values.trim();
    let values = if values.starts_with("~*") { vec![values.to_owned()] } else { values.split('|').map(str::to_owned).collect() };
    (name.trim().to_ascii_lowercase(), values)
}

fn target(row: &Params<'_>, topics: &[&LinkFacts], upstreams: &[String], queues: &[&str]) -> RouteTarget {
    if row.is_given("respond") {
        return RouteTarget::Respond { status: row.count("respond") as u16, after: row.distribution("respond_after") };
    }
    if let Some(wanted) = row.optional_text("upstream") {
        let place = upstreams.iter().position(|name| *name == wanted);
        return place.map_or(RouteTarget::NoUpstream(wanted), RouteTarget::Upstream);
    }
    if let Some(wanted) = row.optional_text("queue") {
        let place = queues.iter().position(|id| **id == *wanted);
        return place.map_or(RouteTarget::NoQueue(wanted), RouteTarget::Queue);
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
        consumers: consumers(params),
        plugins: plugins(params, &params.text("limit_policy")).into_iter().map(|(_, plugin)| plugin).collect(),
    }
}

/// Consumers in first-named order, with what they prove themselves with.
pub(super) fn consumers(params: &Params<'_>) -> Vec<ConsumerSpec> {
    let mut list: Vec<ConsumerSpec> = Vec::new();
    let mut of = |name: String, add: &mut dyn FnMut(&mut ConsumerSpec)| {
        let at = list.iter().position(|known| *known.name == *name).unwrap_or_else(|| {
            list.push(ConsumerSpec { name: name.into(), ..ConsumerSpec::default() });
            list.len() - 1
        });
        add(&mut list[at]);
    };
    for row in params.rows("api_keys") {
        of(row.text("consumer"), &mut |consumer| consumer.keys.push(Secret::read(&row.text("key")).stand_in().into()));
    }
    for row in params.rows("consumers") {
        of(row.text("name"), &mut |consumer| consumer.groups = row.words("groups").into_iter().map(Arc::from).collect());
    }
    for row in params.rows("logins") {
        let password = Secret::read(&row.text("password")).stand_in();
        of(row.text("consumer"), &mut |consumer| consumer.logins.push((row.text("user").into(), password.as_str().into())));
    }
    for row in params.rows("token_issuers") {
        let algorithm: TokenAlgorithm = row.text("algorithm").parse().unwrap_or_default();
        let secret = Secret::read(&row.text("secret")).verify_key(algorithm);
        of(row.text("consumer"), &mut |consumer| {
            consumer.tokens.push(TokenCredential { key: row.text("issuer").into(), algorithm, secret: secret.as_str().into() });
        });
    }
    list
}

/// The plugins, each with the parameter that it comes from: `key_auth`, `rate_limits[2]`, `plugins[0]`.
pub(super) fn plugins(params: &Params<'_>, limit_policy: &str) -> Vec<(String, PluginSpec)> {
    let mut list = Vec::new();
    if params.flag("key_auth") {
        let config = vec![("key_names".to_owned(), params.text("key_name"))];
        list.push(("key_auth".to_owned(), PluginSpec { name: "key-auth".into(), config, ..PluginSpec::default() }));
    }
    let limits = params.rows("rate_limits");
    list.extend(limits.iter().enumerate().map(|(at, row)| (format!("rate_limits[{at}]"), limit(row, limit_policy))));
    list.extend(params.rows("plugins").iter().enumerate().map(|(at, row)| (format!("plugins[{at}]"), plugin(row))));
    list
}

fn limit(row: &Params<'_>, policy: &str) -> PluginSpec {
    let mut config: Vec<(String, String)> = vec![("limit_by".to_owned(), row.text("limit_by")), ("policy".to_owned(), policy.to_owned())];
    config.extend(row.optional_text("header").map(|name| ("header_name".to_owned(), name)));
    let given = Period::ALL.into_iter().filter(|period| row.is_given(period.name()));
    config.extend(given.map(|period| (period.name().to_owned(), row.count(period.name()).to_string())));
    PluginSpec { name: "rate-limiting".into(), config, ..scope(row) }
}

fn plugin(row: &Params<'_>) -> PluginSpec {
    // A setting without a sign is a flag.
    let pair = |setting: String| match setting.split_once('=') {
        Some((name, value)) => (name.trim().to_owned(), value.trim().to_owned()),
        None => (setting.trim().to_owned(), "true".to_owned()),
    };
    let config = row.words("settings").into_iter().map(pair).collect();
    PluginSpec { name: row.text("plugin").into(), config, service: row.optional_text("service").map(Arc::from), ..scope(row) }
}

fn scope(row: &Params<'_>) -> PluginSpec {
    let name = |field: &str| row.optional_text(field).map(Arc::from);
    PluginSpec { route: name("route"), consumer: name("consumer"), ..PluginSpec::default() }
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
