//! What a gateway can be told: data for the inspector, the checks and the docs.

use super::pools::{START_TARGET, STOP_TARGET};
use crate::components::{ActionSpec, CRASH, KindSpec, PRINCIPAL, RESTART};
use crate::model::{Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Required, Same};

/// A name, a host, a key.
const NAME: ParamType = ParamType::Text { max_chars: 200 };
/// Requests a period.
const LIMIT: ParamType = ParamType::Count { min: 1, max: 1_000_000_000 };

const ROUTE: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Names the route in figures and in the path of an event"),
    ParamSpec::new(
        "paths",
        "Paths",
        ParamType::Words,
        Absent,
        "`/orders` takes every path that begins so (`/orders-old` too); `~/orders/\\d+$` is a regular expression. Any path when empty",
    )
    .key("paths"),
    ParamSpec::new("methods", "Methods", ParamType::Words, Absent, "`POST`, `PUT`…; any when empty").key("methods"),
    ParamSpec::new("hosts", "Hosts", ParamType::Words, Absent, "`shop.example`, `*.example`, `shop.*`; any when empty").key("hosts"),
    ParamSpec::new(
        "headers",
        "Headers",
        ParamType::Words,
        Absent,
        "`version: v1`, several values as `version: v1|v2`, a regular expression as `version: ~*v[12]`; all must match",
    )
    .key("headers"),
    ParamSpec::new(
        "event_types",
        "Event types",
        ParamType::Words,
        Absent,
        "Only events of these types, by the header `ce-type` or `type` in a structured body; a star last stands for any rest, and any type fits when empty. Ranks like one more header",
    ),
    ParamSpec::new("event_sources", "Event sources", ParamType::Words, Absent, "The same by `ce-source` or `source`"),
    ParamSpec::new("event_subjects", "Event subjects", ParamType::Words, Absent, "The same by `ce-subject` or `subject`; a producer's subject is the event's key"),
    ParamSpec::new(
        "regex_priority",
        "Regex priority",
        ParamType::Count { min: 0, max: 1_000_000 },
        Same("0"),
        "Of routes with regular expressions the highest is tried first",
    )
    .key("regex_priority"),
    ParamSpec::new("protocols", "Protocols", ParamType::Words, Absent, "`https` answers 426 to plain requests; both when empty")
        .key("protocols"),
    ParamSpec::new("snis", "SNIs", ParamType::Words, Absent, "Host names of TLS handshakes; any when empty").key("snis"),
    ParamSpec::new("service", "Service", NAME, Absent, "The service behind it, for plugins and limits by service; the route's own name when absent")
        .key("service.name"),
    ParamSpec::new("service_host", "Service host", NAME, Absent, "The service's own host; its name when absent").key("service.host"),
    ParamSpec::new("service_path", "Service path", NAME, Absent, "Stands before every path that the service gets").key("service.path"),
    ParamSpec::new("strip_path", "Strip path", ParamType::Bool, Same("true"), "The service gets the path without the part that matched")
        .key("strip_path")
        .from(Provenance::Documented("Kong, route")),
    ParamSpec::new("preserve_host", "Preserve host", ParamType::Bool, Same("false"), "The service gets the client's `Host`")
        .key("preserve_host")
        .from(Provenance::Documented("Kong, route")),
    ParamSpec::new("rate", "Rate", RATE, Absent, "AWS: the token bucket of this route").key("throttlingRateLimit"),
    ParamSpec::new("burst", "Burst", BURST, Same("1"), "AWS: requests at once of that bucket").key("throttlingBurstLimit"),
    ParamSpec::new("key_required", "Needs an API key", ParamType::Bool, Same("false"), "AWS: only with the key of a usage plan, in `x-api-key`")
        .key("apiKeyRequired"),
    ParamSpec::new("authorizer", "Authorizer", NAME, Absent, "AWS: who decides whether a request may pass").key("authorizerId"),
    ParamSpec::new("scopes", "Scopes", ParamType::Words, Absent, "AWS: one of them must be in the token").key("authorizationScopes"),
    ParamSpec::new("model", "Model", NAME, Absent, "AWS: a JSON Schema of the project that bodies must fit, or 400").key("requestModels"),
    ParamSpec::new(
        "topic",
        "Topic",
        NAME,
        Absent,
        "A topic linked at `records`; the only linked one when neither this nor `respond` is given. In the product this takes the kafka-upstream plugin of the enterprise edition",
    )
    .key("kafka-upstream.topic"),
    ParamSpec::new(
        "queue",
        "Queue",
        NAME,
        Absent,
        "Instead of a topic: a queue or fan-out topic linked at `messages`, which gets the body as a message. Its errors are answered 500, throttling 503. AWS: a service integration with SQS or, of a REST API, SNS",
    )
    .key("integrationSubtype"),
    ParamSpec::new("upstream", "Upstream", NAME, Absent, "Instead of a topic: several servers behind the gateway, of which one answers")
        .key("service.host"),
    ParamSpec::new(
        "respond",
        "Answer",
        ParamType::Count { min: 200, max: 599 },
        Absent,
        "Instead of a topic: a service behind the gateway that answers with this status",
    ),
    ParamSpec::new(
        "respond_after",
        "Answer after",
        ParamType::DurationDist,
        Same("0s"),
        "How long that service takes; it has no queue of its own",
    )
    .from(Provenance::Assumed),
    ParamSpec::new(
        "answer_size",
        "Answer size",
        ParamType::Size { min: "0B", max: "1GiB" },
        Same("0B"),
        "Body of the answer of what stands behind the route; of a queue or fan-out topic behind AWS's gateway it is the product's own",
    )
    .from(Provenance::Assumed),
];

/// Of a token bucket.
const BURST: ParamType = ParamType::Count { min: 1, max: 1_000_000_000 };
const RATE: ParamType = ParamType::Rate { min: "0.001/s", max: "1000000000/s" };
const AWS: &str = "AWS API Gateway";

const USAGE_PLAN: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Names the plan in answers' reasons"),
    ParamSpec::new("consumers", "Consumers", ParamType::Words, Absent, "Whose API keys are in it").key("apiStages"),
    ParamSpec::new("rate", "Rate", RATE, Absent, "Requests of each key").key("throttle.rateLimit"),
    ParamSpec::new("burst", "Burst", BURST, Same("1"), "Requests of each key at once").key("throttle.burstLimit"),
    ParamSpec::new("quota", "Quota", LIMIT, Absent, "Requests of each key in a period").key("quota.limit"),
    ParamSpec::new("quota_period", "Period", ParamType::Choice(&["day", "week", "month"]), Same("day"), "Of the quota, in UTC")
        .key("quota.period"),
];

const AUTHORIZER: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Routes name it"),
    ParamSpec::new("type", "Type", ParamType::Choice(&["jwt", "lambda"]), Same("jwt"), "Tokens verified here, or a function that is asked"),
    ParamSpec::new(
        "issuer",
        "Issuer",
        NAME,
        Absent,
        "One of the token issuers; RS256 to RS512, for a REST API ES256 and ES384 too, as the product has it",
    )
    .key("jwtConfiguration.issuer"),
    ParamSpec::new("audiences", "Audiences", ParamType::Words, Absent, "One of them must be in the token's `aud`; any when empty")
        .key("jwtConfiguration.audience"),
    ParamSpec::new("identity", "Identity header", NAME, Same("authorization"), "Without it nobody is asked, and the answer is 401")
        .key("identitySource"),
    ParamSpec::new("allow", "Allows", ParamType::Words, Absent, "Values of that header that the function allows"),
    ParamSpec::new("deny", "Denies", ParamType::Words, Absent, "Values that it denies (403); any other it calls unauthorised (401)"),
    ParamSpec::new(
        "ttl",
        "Kept for",
        ParamType::Duration { min: "0s", max: "1h" },
        Same("300s"),
        "How long its verdict on a value is kept",
    )
    .key("authorizerResultTtlInSeconds")
    .from(Provenance::Documented(AWS)),
    ParamSpec::new("time", "Takes", ParamType::DurationDist, Same("20ms"), "How long the function takes when it is asked")
        .from(Provenance::Assumed),
    ParamSpec::new("fails", "Fails", ParamType::Bool, Same("false"), "Every call of it fails: 500"),
];

const API_KEY: &[ParamSpec] = &[
    ParamSpec::new("consumer", "Consumer", NAME, Required, "Whose key it is; one consumer may have several").key("consumer.username"),
    ParamSpec::new("key", "Key", NAME, Required, "What clients send: `env:NAME`, `file:NAME` or `sample:…`").key("key"),
];

const CONSUMER: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Who").key("consumer.username"),
    ParamSpec::new("groups", "Groups", ParamType::Words, Absent, "Of the acl plugin").key("acls.group"),
];

const LOGIN: &[ParamSpec] = &[
    ParamSpec::new("consumer", "Consumer", NAME, Required, "Whose it is").key("consumer.username"),
    ParamSpec::new("user", "User", NAME, Required, "User name").key("username"),
    ParamSpec::new("password", "Password", NAME, Required, "`env:NAME`, `file:NAME` or `sample:…`").key("password"),
];

const TOKEN_ISSUER: &[ParamSpec] = &[
    ParamSpec::new("consumer", "Consumer", NAME, Required, "Whose tokens these are").key("consumer.username"),
    ParamSpec::new("issuer", "Issuer", NAME, Required, "What the claim `iss` of its tokens says").key("key"),
    ParamSpec::new("algorithm", "Algorithm", ParamType::Choice(ALGORITHMS), Same("HS256"), "Of its signatures").key("algorithm"),
    ParamSpec::new(
        "secret",
        "Secret",
        ParamType::Text { max_chars: 5_000 },
        Required,
        "The shared secret or the public key: `env:NAME`, `file:NAME` or `sample:…`",
    )
    .key("secret"),
];

/// Signatures that have a key pair for runs.
pub(crate) const ALGORITHMS: &[&str] = &["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256"];

const PLUGIN: &[ParamSpec] = &[
    ParamSpec::new("plugin", "Plugin", ParamType::Choice(PLUGINS), Required, "Which; they run by the product's priorities").key("name"),
    ParamSpec::new("route", "Route", NAME, Absent, "Only for this route; of several of one kind the narrowest scope runs alone"),
    ParamSpec::new("service", "Service", NAME, Absent, "Only for this service"),
    ParamSpec::new("consumer", "Consumer", NAME, Absent, "Only for this consumer"),
    ParamSpec::new(
        "settings",
        "Settings",
        ParamType::Words,
        Absent,
        "The product's own names: `minute=5`, `allow=gold`, lists with commas as `claims_to_verify=exp,nbf` in an entry of its own",
    )
    .key("config"),
];

/// The names of the machine's list; a test compares them.
pub(super) const PLUGINS: &[&str] = &[
    "correlation-id",
    "cors",
    "jwt",
    "key-auth",
    "basic-auth",
    "ip-restriction",
    "request-size-limiting",
    "acl",
    "rate-limiting",
    "rate-limiting-advanced",
    "proxy-cache",
    "request-termination",
];

const RATE_LIMIT: &[ParamSpec] = &[
    ParamSpec::new(
        "limit_by",
        "Count by",
        ParamType::Choice(&["consumer", "credential", "ip", "service", "header"]),
        Same("consumer"),
        "Who has a counter of their own; where that cannot be told, the client's address counts",
    )
    .key("limit_by")
    .from(Provenance::Documented("Kong, rate-limiting plugin")),
    ParamSpec::new("header", "Header", NAME, Absent, "Its value has the counter, for `limit_by: \"header\"`").key("header_name"),
    ParamSpec::new("route", "Route", NAME, Absent, "Only for this route; the narrowest scope runs alone"),
    ParamSpec::new("consumer", "Consumer", NAME, Absent, "Only for this consumer; narrower than a route"),
    ParamSpec::new("second", "A second", LIMIT, Absent, "Requests in each second of the UTC clock").key("second"),
    ParamSpec::new("minute", "A minute", LIMIT, Absent, "Requests in each minute of the UTC clock").key("minute"),
    ParamSpec::new("hour", "An hour", LIMIT, Absent, "Requests in each hour of the UTC clock").key("hour"),
    ParamSpec::new("day", "A day", LIMIT, Absent, "Requests in each UTC day").key("day"),
    ParamSpec::new("month", "A month", LIMIT, Absent, "Requests in each month of the calendar").key("month"),
    ParamSpec::new("year", "A year", LIMIT, Absent, "Requests in each year of the calendar").key("year"),
];

/// Of a row of failures; 0 is off.
const IN_A_ROW: ParamType = ParamType::Count { min: 0, max: 255 };
const KONG_UPSTREAM: Provenance = Provenance::Documented("Kong, upstream");

const UPSTREAMS: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Routes name it").key("name"),
    ParamSpec::new(
        "algorithm",
        "Algorithm",
        ParamType::Choice(&["round-robin", "least-connections", "consistent-hashing"]),
        Same("round-robin"),
        "Which target is next; weights are shares in each of them",
    )
    .key("algorithm")
    .from(KONG_UPSTREAM),
    ParamSpec::new(
        "hash_on",
        "Hash on",
        ParamType::Choice(&["consumer", "ip", "header"]),
        Same("consumer"),
        "What stays at one target, with consistent hashing; the client's address where it is not known",
    )
    .key("hash_on"),
    ParamSpec::new("hash_on_header", "Hash header", NAME, Absent, "For `hash_on: \"header\"`").key("hash_on_header"),
    ParamSpec::new(
        "retries",
        "Retries",
        ParamType::Count { min: 0, max: 100 },
        Same("5"),
        "Further targets that a request is sent to when nobody is there, or, where its method may be repeated, when no answer comes in time",
    )
    .key("service.retries")
    .from(Provenance::Documented("Kong, service")),
    ParamSpec::new("connect_time", "Connects in", ParamType::DurationDist, Same("500us"), "To open a connection, or to be refused one")
        .from(Provenance::Assumed),
    ParamSpec::new("http_failures", "Failures", IN_A_ROW, Same("0"), "Answers 429, 500, 503 in a row after which a target gets nothing; 0 is never")
        .key("healthchecks.passive.unhealthy.http_failures")
        .from(KONG_UPSTREAM),
    ParamSpec::new("tcp_failures", "Refusals", IN_A_ROW, Same("0"), "The same of connections refused")
        .key("healthchecks.passive.unhealthy.tcp_failures")
        .from(KONG_UPSTREAM),
    ParamSpec::new("timeouts", "Timeouts", IN_A_ROW, Same("0"), "The same of answers that did not come in time")
        .key("healthchecks.passive.unhealthy.timeouts")
        .from(KONG_UPSTREAM),
    ParamSpec::new(
        "probe_interval",
        "Probes every",
        ParamType::Duration { min: "1ms", max: "1h" },
        Absent,
        "Each node asks each target whether it is well; without it nothing brings a target back that was taken out, but a new start of the gateway",
    )
    .key("healthchecks.active.healthy.interval"),
    ParamSpec::new(
        "probe_timeout",
        "Probe timeout",
        ParamType::Duration { min: "1ms", max: "1h" },
        Same("1s"),
        "A probe that is not answered by then counts as a timeout",
    )
    .key("healthchecks.active.timeout")
    .from(KONG_UPSTREAM),
    ParamSpec::new("probe_successes", "Probe successes", IN_A_ROW, Same("0"), "Good probes in a row that bring a target back; 0 is never")
        .key("healthchecks.active.healthy.successes")
        .from(KONG_UPSTREAM),
    ParamSpec::new("probe_http_failures", "Probe failures", IN_A_ROW, Same("0"), "Bad answers to probes in a row that take a target out; 0 is never")
        .key("healthchecks.active.unhealthy.http_failures")
        .from(KONG_UPSTREAM),
    ParamSpec::new("probe_tcp_failures", "Probe refusals", IN_A_ROW, Same("0"), "The same of connections refused")
        .key("healthchecks.active.unhealthy.tcp_failures")
        .from(KONG_UPSTREAM),
    ParamSpec::new("probe_timeouts", "Probe timeouts", IN_A_ROW, Same("0"), "The same of probes that were not answered")
        .key("healthchecks.active.unhealthy.timeouts")
        .from(KONG_UPSTREAM),
];

const TARGETS: &[ParamSpec] = &[
    ParamSpec::new("upstream", "Upstream", NAME, Required, "Whose it is").key("upstream.name"),
    ParamSpec::new("target", "Target", NAME, Required, "Host and port").key("target"),
    ParamSpec::new("weight", "Weight", ParamType::Count { min: 0, max: 1_000 }, Same("100"), "Its share; 0 gets nothing")
        .key("weight")
        .from(KONG_UPSTREAM),
    ParamSpec::new("respond", "Answer", ParamType::Count { min: 200, max: 599 }, Same("200"), "The status that it answers with"),
    ParamSpec::new("respond_after", "Answer after", ParamType::DurationDist, Same("10ms"), "How long it takes; it has no queue of its own")
        .from(Provenance::Assumed),
    ParamSpec::new(
        "failures",
        "Failures",
        ParamType::Ratio { min: 0.0, max: 1.0 },
        Same("0%"),
        "Share of requests that it answers with 500",
    ),
];

const UPSTREAM: &str = "Kong, kafka-upstream plugin";

/// What a person or a scenario does to the store of shared counters.
pub(super) const STORE_DOWN: ActionSpec = ActionSpec {
    name: "store-down",
    help: "The store of shared counters (`limit_policy`) refuses connections: limits count nothing and let everything pass, or answer 500 where the plugin says `fault_tolerant=false`",
    params: &[ParamSpec::new(
        "for",
        "For",
        ParamType::Duration { min: "1ms", max: "1000h" },
        Absent,
        "How long; until store-up when absent",
    )],
};
/// See [`STORE_DOWN`].
pub(super) const STORE_UP: ActionSpec =
    ActionSpec { name: "store-up", help: "The store of shared counters answers again, with what it had counted", params: &[] };

/// A limit of a usage plan for one route.
const PLAN_LIMIT: &[ParamSpec] = &[
    ParamSpec::new("plan", "Plan", NAME, Required, "Which usage plan"),
    ParamSpec::new("route", "Route", NAME, Required, "Which route"),
    ParamSpec::new("rate", "Rate", RATE, Required, "Requests of each key to that route").key("apiStages.throttle.rateLimit"),
    ParamSpec::new("burst", "Burst", BURST, Same("1"), "Requests of each key at once to that route").key("apiStages.throttle.burstLimit"),
];

/// Parameters in inspector order.
pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "routes",
        "Routes",
        ParamType::Rows(ROUTE),
        Absent,
        "Which requests go where; the most specific route takes a request. Without any, everything goes to the only linked topic",
    )
    .group("Routing"),
    ParamSpec::new("upstreams", "Upstreams", ParamType::Rows(UPSTREAMS), Absent, "Services of several servers behind the gateway, with health checks")
        .key("upstreams")
        .group("Upstreams"),
    ParamSpec::new("targets", "Targets", ParamType::Rows(TARGETS), Absent, "The servers of upstreams").key("targets").group("Upstreams"),
    ParamSpec::new("key_auth", "Check API keys", ParamType::Bool, Same("false"), "Answers 401 to requests without a known key")
        .key("key-auth")
        .group("Security"),
    ParamSpec::new("key_name", "Key header", NAME, Same("apikey"), "Header or query field that carries the key")
        .key("key_names")
        .from(Provenance::Documented("Kong, key-auth plugin"))
        .group("Security"),
    ParamSpec::new("api_keys", "API keys", ParamType::Rows(API_KEY), Absent, "Who may enter, while keys are checked").group("Security"),
    ParamSpec::new(
        "rate_limits",
        "Rate limits",
        ParamType::Rows(RATE_LIMIT),
        Absent,
        "Answers 429 beyond so many requests in a window of the UTC clock; refused requests do not count. Virtual time begins at 2026-01-01 00:00",
    )
    .key("rate-limiting")
    .group("Security"),
    ParamSpec::new(
        "limit_policy",
        "Counters",
        ParamType::Choice(&["local", "cluster", "redis"]),
        Same("local"),
        "Where the counters of the rate limits are: on each node, so that limits grow with the nodes, or shared",
    )
    .key("policy")
    .from(Provenance::Documented("Kong, rate-limiting plugin"))
    .group("Security"),
    ParamSpec::new("consumers", "Consumers", ParamType::Rows(CONSUMER), Absent, "Who may call, and their groups").group("Security"),
    ParamSpec::new("logins", "Logins", ParamType::Rows(LOGIN), Absent, "User names and passwords, for the plugin basic-auth")
        .key("basicauth_credentials")
        .group("Security"),
    ParamSpec::new("token_issuers", "Token issuers", ParamType::Rows(TOKEN_ISSUER), Absent, "Whose tokens are taken, for the plugin jwt")
        .key("jwt_secrets")
        .group("Security"),
    ParamSpec::new(
        "plugins",
        "Plugins",
        ParamType::Rows(PLUGIN),
        Absent,
        "What else runs on requests, with the product's own settings; `key_auth` and `rate_limits` above are short forms",
    )
    .key("plugins")
    .group("Security"),
    ParamSpec::new("account_rate", "Account rate", RATE, Same("10000/s"), "AWS: the token bucket of the account in its region")
        .key("throttleSettings.rateLimit")
        .from(Provenance::Documented(AWS))
        .group("AWS"),
    ParamSpec::new("account_burst", "Account burst", BURST, Same("5000"), "AWS: requests at once of that bucket")
        .key("throttleSettings.burstLimit")
        .from(Provenance::Documented(AWS))
        .group("AWS"),
    ParamSpec::new("stage_rate", "Stage rate", RATE, Absent, "AWS: the token bucket of all routes together").group("AWS"),
    ParamSpec::new("stage_burst", "Stage burst", BURST, Same("1"), "AWS: requests at once of that bucket").group("AWS"),
    ParamSpec::new("usage_plans", "Usage plans", ParamType::Rows(USAGE_PLAN), Absent, "AWS: what the keys of consumers may ask for").group("AWS"),
    ParamSpec::new("plan_limits", "Plan limits", ParamType::Rows(PLAN_LIMIT), Absent, "AWS: token buckets of usage plans for single routes, beside the plan's own")
        .key("apiStages.throttle")
        .group("AWS"),
    ParamSpec::new("authorizers", "Authorizers", ParamType::Rows(AUTHORIZER), Absent, "AWS: who decides whether a request may pass").group("AWS"),
    ParamSpec::new(
        "tls",
        "TLS",
        ParamType::Choice(&["none", "tls", "mtls"]),
        Same("none"),
        "How clients connect: with a handshake for each new connection, with `mtls` only clients that have a certificate (`certificate: true`)",
    )
    .group("Security"),
    ParamSpec::new(
        "validate",
        "Validate payloads",
        ParamType::Bool,
        Same("false"),
        "Answers 400 to payloads that their registered schema refuses; looks schemas up by the id on the wire at the registry linked at `schemas`, and keeps them. Runs after rate limits, as the kafka-upstream plugin does",
    )
    .group("Schemas"),
    ParamSpec::new(
        "schema_timeout",
        "Registry timeout",
        ParamType::Duration { min: "1ms", max: "1h" },
        Same("1s"),
        "Without an answer of the registry the waiting requests get 503",
    )
    .from(Provenance::Assumed)
    .group("Schemas"),
    ParamSpec::new(
        "service_time",
        "Service time",
        ParamType::DurationDist,
        Same("1ms"),
        "Work of one worker on one request, plugins and validation included; the upstream's time comes on top",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "nodes",
        "Nodes",
        ParamType::Count { min: 1, max: 1_000 },
        Same("1"),
        "Gateway nodes behind one load balancer, which takes turns; each adds its workers and has its own counters and cache",
    )
    .group("Cost model"),
    ParamSpec::new(
        "store_time",
        "Shared store",
        ParamType::DurationDist,
        Same("500us"),
        "One question at the store of shared counters (`limit_policy`), on top of the service time",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "tls_handshake",
        "TLS handshake",
        ParamType::DurationDist,
        Same("2ms"),
        "Work of one worker on a handshake, while `tls` is on; half as much again with client certificates",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "requests_per_connection",
        "Requests a connection",
        ParamType::Count { min: 1, max: 1_000_000_000 },
        Same("1000"),
        "After so many a client connects anew",
    )
    .key("nginx_upstream_keepalive_requests")
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "concurrency",
        "Workers",
        ParamType::Count { min: 1, max: 100_000 },
        Same("8"),
        "Requests worked on at the same time by each node; waiting for the upstream holds no worker",
    )
    .key("nginx_worker_processes")
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "queue_max",
        "Waiting requests",
        ParamType::Count { min: 0, max: 1_000_000 },
        Same("1000"),
        "More than these that wait for a worker are answered 503",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "upstream_timeout",
        "Service timeout",
        ParamType::Duration { min: "1ms", max: "1h" },
        Default_::ByProfile(&[("aws-rest-api", "29s"), ("aws-http-api", "30s"), ("kong-3", "60s")]),
        "A service that has not answered by then is not waited for: 504 (503 for an HTTP API)",
    )
    .key("read_timeout")
    .from(Provenance::Documented("Kong, service; AWS API Gateway, integration"))
    .group("Cost model"),
    ParamSpec::new(
        "in_flight_max",
        "Requests at the upstream",
        ParamType::Count { min: 1, max: 1_000_000 },
        Same("16384"),
        "More than these that wait for an answer of the upstream or the registry are answered 503",
    )
    .key("nginx_events_worker_connections")
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "acks",
        "Acks",
        ParamType::Choice(&["0", "1", "all"]),
        Same("1"),
        "What the log must have done before a client is answered 200",
    )
    .key("producer_request_acks")
    .from(Provenance::Documented(UPSTREAM))
    .group("Kafka upstream"),
    ParamSpec::new(
        "linger",
        "Linger",
        ParamType::Duration { min: "0s", max: "1min" },
        Same("0s"),
        "How long a batch waits for more records",
    )
    .key("producer_async_flush_timeout")
    .from(Provenance::Assumed)
    .group("Kafka upstream"),
    ParamSpec::new(
        "batch_size",
        "Batch size",
        ParamType::Size { min: "1B", max: "64MiB" },
        Same("1MiB"),
        "A batch this large leaves at once",
    )
    .key("producer_request_limits_bytes_per_request")
    .from(Provenance::Documented(UPSTREAM))
    .group("Kafka upstream"),
    ParamSpec::new(
        "buffer",
        "Buffer",
        ParamType::Size { min: "1B", max: "16GiB" },
        Same("32MiB"),
        "Records that wait to be sent or acknowledged; beyond it requests are answered 503",
    )
    .from(Provenance::Assumed)
    .group("Kafka upstream"),
    ParamSpec::new(
        "request_timeout",
        "Request timeout",
        ParamType::Duration { min: "1ms", max: "1h" },
        Same("2s"),
        "Without the broker's answer a batch is sent again",
    )
    .key("producer_request_timeout")
    .from(Provenance::Documented(UPSTREAM))
    .group("Kafka upstream"),
    ParamSpec::new(
        "delivery_timeout",
        "Delivery timeout",
        ParamType::Duration { min: "1ms", max: "1h" },
        Same("10s"),
        "A record that is not acknowledged by then is given up and its request answered 504",
    )
    .from(Provenance::Assumed)
    .group("Kafka upstream"),
    ParamSpec::new(
        "retries",
        "Retries",
        ParamType::Count { min: 0, max: 1_000_000 },
        Same("10"),
        "How often a batch is sent again",
    )
    .key("producer_request_retries_max_attempts")
    .from(Provenance::Documented(UPSTREAM))
    .group("Kafka upstream"),
    ParamSpec::new(
        "retry_backoff",
        "Retry backoff",
        ParamType::Duration { min: "0s", max: "10min" },
        Same("100ms"),
        "Wait before a batch is sent again; doubles each time up to 1s",
    )
    .key("producer_request_retries_backoff_timeout")
    .from(Provenance::Documented(UPSTREAM))
    .group("Kafka upstream"),
    PRINCIPAL,
];

/// The kind.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "gateway",
    title: "API gateway",
    category: "Edge",
    profiles: &["kong-3", super::aws::REST, super::aws::HTTP],
    help: "Takes HTTP requests, checks keys, limits and schemas, and passes events on to topics (in the product by the kafka-upstream plugin of the enterprise edition), to queues, or to services",
    params: PARAMS,
    actions: &[CRASH, RESTART, STOP_TARGET, START_TARGET, STORE_DOWN, STORE_UP],
    id_stem: "edge",
};
