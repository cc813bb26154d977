//! What a sender of outgoing events can be told, and the problems that its settings can have.

use super::actions;
use super::receivers::{self, RECEIVERS_MAX};
use crate::components::combine::{combined, count};
use crate::components::consumer::spec::{OF_LISTENERS, READING};
use crate::components::{BuildCtx, KindSpec, Params};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};
use crate::units::SimDuration;

use Default_::{Absent, Same};

const WEBHOOKS: Provenance = Provenance::Documented("Standard Webhooks 1.0.0");
const SSE: Provenance = Provenance::Documented("WHATWG HTML, server-sent events");

/// A sender of outgoing events.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "outgoing",
    title: "Outgoing events",
    category: "Edge",
    profiles: &["standard-webhooks", "server-sent-events", "websocket"],
    help: "Delivers the events of a topic to many receivers outside: signed webhooks with retries, or pushes over open connections",
    params: PARAMS,
    actions: actions::ACTIONS,
    id_stem: "outgoing",
};

const PARAMS: &[ParamSpec] = &combined::<{ count(OWN, READING, OF_LISTENERS) }>(OWN, READING, OF_LISTENERS);

const COUNT: ParamSpec = ParamSpec::new(
    "count",
    "How many",
    T::Count { min: 1, max: RECEIVERS_MAX as i64 },
    Same("1"),
    "So many of the kind, called name-1, name-2…",
);
const TYPES: ParamSpec = ParamSpec::new("types", "Types", T::Words, Absent, "Event types that it wants; all when absent");

const ENDPOINT: &[ParamSpec] = &[
    COUNT,
    TYPES,
    ParamSpec::new("response_time", "Response time", T::DurationDist, Same("lognormal(80ms, 0.5)"), "From the post to the answer")
        .from(Provenance::Assumed),
    ParamSpec::new("failure_ratio", "Failures", T::Ratio { min: 0.0, max: 1.0 }, Same("0%"), "Share of posts that it cannot process"),
    ParamSpec::new(
        "failure_status",
        "Status of failures",
        T::Count { min: 300, max: 599 },
        Same("500"),
        "What it answers then; 410 disables it",
    ),
    ParamSpec::new(
        "limit",
        "Limit",
        T::Rate { min: "0.001/s", max: "1000000/s" },
        Absent,
        "Posts that it takes, with a second's worth at once; what is more it refuses, and asks to wait until there is room. No limit when absent",
    ),
    ParamSpec::new("limit_status", "Status of the limit", T::Choice(&["429", "503"]), Same("429"), "What it answers to what is more").from(WEBHOOKS),
    ParamSpec::new(
        "retry_after",
        "Retry-After",
        T::Duration { min: "1s", max: "24h" },
        Absent,
        "What it asks for with each 429 and 503; without it a limit asks for as long as it takes until there is room, and a failure for nothing",
    )
    .from(WEBHOOKS),
    ParamSpec::new(
        "retry_after_form",
        "Form of Retry-After",
        T::Choice(&["seconds", "date"]),
        Same("seconds"),
        "A number of seconds, or a date by its own clock: with clock_ahead a sender waits for too long",
    )
    .from(Provenance::Documented("RFC 9110")),
    ParamSpec::new(
        "at",
        "At",
        T::Text { max_chars: 200 },
        Absent,
        "A gateway that is linked at posts: it gets the posts with their three headers, and answers by its own rules. What stands here of response times, failures, limits and clocks is that of a receiver that is not drawn",
    ),
    ParamSpec::new("path", "Path", T::Text { max_chars: 2_000 }, Same("/"), "With at: what is asked for"),
    ParamSpec::new("host", "Host", T::Text { max_chars: 200 }, Absent, "With at: the header Host"),
    ParamSpec::new(
        "secret",
        "Secret",
        T::Text { max_chars: 200 },
        Absent,
        "What signs its webhooks: sample:whsec_… with base64, or env:NAME, file:NAME; made of its name when absent",
    ),
    ParamSpec::new(
        "knows_repeats",
        "Knows repeats",
        T::Bool,
        Same("false"),
        "It remembers each webhook-id, and answers one that comes again without processing it once more",
    )
    .from(WEBHOOKS),
    ParamSpec::new(
        "clock_ahead",
        "Clock ahead",
        T::Duration { min: "0s", max: "24h" },
        Same("0s"),
        "How far its clock is ahead: beyond the tolerance it takes every webhook for an old one played back, and refuses it",
    ),
];

const CLIENT: &[ParamSpec] = &[
    COUNT,
    TYPES,
    ParamSpec::new(
        "receive_rate",
        "Receive rate",
        T::Rate { min: "0.001/s", max: "1000000/s" },
        Same("100/s"),
        "How many events it reads a second at most",
    )
    .from(Provenance::Assumed),
    ParamSpec::new(
        "connection_time",
        "Connection time",
        T::DurationDist,
        Absent,
        "How long a connection holds before it breaks; it does not break by itself when absent",
    ),
];

const OWN: &[ParamSpec] = &[
    ParamSpec::new("endpoints", "Endpoints", T::Named(ENDPOINT), Absent, "Webhooks: who gets events").group("Receivers"),
    ParamSpec::new("clients", "Clients", T::Named(CLIENT), Absent, "Push: who is connected").group("Receivers"),
    ParamSpec::new(
        "retry_schedule",
        "Retry schedule",
        T::Words,
        Same("5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h"),
        "Waits before the second attempt, the third and so on; after the last one an event is given up",
    )
    .from(WEBHOOKS)
    .group("Webhooks"),
    ParamSpec::new("retry_jitter", "Jitter", T::Ratio { min: 0.0, max: 1.0 }, Same("10%"), "Up to this share is added to each wait, by chance")
        .from(Provenance::Assumed)
        .group("Webhooks"),
    ParamSpec::new(
        "post_timeout",
        "Timeout",
        T::Duration { min: "1ms", max: "1h" },
        Same("15s"),
        "An attempt without an answer for this long has failed; the standard recommends 15 to 30 s",
    )
    .from(WEBHOOKS)
    .group("Webhooks"),
    ParamSpec::new(
        "disable_after",
        "Disable after",
        T::Duration { min: "1s", max: "8760h" },
        Same("120h"),
        "An endpoint that has failed for so long without one success is disabled",
    )
    .from(Provenance::Documented("Svix, endpoints that fail for 5 days"))
    .group("Webhooks"),
    ParamSpec::new(
        "heed_retry_after",
        "Heed Retry-After",
        T::Bool,
        Same("true"),
        "An answer that asks to wait puts off the next attempt, and every other post to the endpoint; up to 24 h",
    )
    .from(WEBHOOKS)
    .group("Webhooks"),
    ParamSpec::new(
        "ordering",
        "Order",
        T::Choice(&["none", "per_endpoint"]),
        Same("none"),
        "Per endpoint: one post at a time, and what waits for its next attempt holds up what comes after it",
    )
    .group("Webhooks"),
    ParamSpec::new(
        "posts_in_flight",
        "Posts under way",
        T::Count { min: 1, max: 10_000 },
        Same("10"),
        "Without an order: how many posts to one endpoint may wait for their answers",
    )
    .from(Provenance::Assumed)
    .group("Webhooks"),
    ParamSpec::new(
        "tolerance",
        "Tolerance",
        T::Duration { min: "1s", max: "24h" },
        Same("5min"),
        "Receivers refuse a webhook-timestamp that is further from their clock",
    )
    .from(Provenance::Documented("Standard Webhooks, reference libraries"))
    .group("Webhooks"),
    ParamSpec::new(
        "send_buffer",
        "Send buffer",
        T::Count { min: 1, max: 1_000_000 },
        Same("1000"),
        "Events that wait for one client at most",
    )
    .from(Provenance::Assumed)
    .group("Push"),
    ParamSpec::new(
        "on_full",
        "When it is full",
        T::Choice(&["drop_oldest", "disconnect"]),
        Same("drop_oldest"),
        "The oldest event that waits is lost to the client, or its connection is closed",
    )
    .group("Push"),
    ParamSpec::new(
        "replay_buffer",
        "Replay buffer",
        T::Count { min: 0, max: 1_000_000 },
        Same("1000"),
        "Server-sent events: so many of the newest events can be sent again to a client that comes back and says its Last-Event-ID. It stands in a store that outlives instances",
    )
    .from(Provenance::Assumed)
    .group("Push"),
    ParamSpec::new("reconnect_time", "Reconnect time", T::DurationDist, Same("uniform(2s, 4s)"), "How long until a client is back; a few seconds in browsers")
        .from(SSE)
        .group("Push"),
    ParamSpec::new(
        "push_heartbeat",
        "Heartbeat",
        T::Duration { min: "10ms", max: "1h" },
        Same("15s"),
        "Time between the comments (server-sent events) or pings (WebSocket) that keep connections open",
    )
    .from(SSE)
    .group("Push"),
    ParamSpec::new(
        "silence_timeout",
        "Silence timeout",
        T::Duration { min: "10ms", max: "24h" },
        Same("30s"),
        "At the first heartbeat after so long without a sign of life, a client's connection is closed",
    )
    .from(Provenance::Assumed)
    .group("Push"),
    ParamSpec::new("service_time", "Work", T::DurationDist, Same("100us"), "How long a worker needs to take an event in")
        .from(Provenance::Assumed)
        .group("Work"),
    ParamSpec::new(
        "on_failure",
        "On failure",
        T::Choice(&["skip", "retry_forever"]),
        Same("skip"),
        "What becomes of an event that could not be taken in, when its attempts are used up",
    )
    .group("Work"),
    ParamSpec::new(
        "commit",
        "Commit",
        T::Choice(&["auto", "after"]),
        Same("auto"),
        "When positions are committed: every interval, or after each poll's work. What is taken in twice after a crash goes out twice, under the same webhook-id",
    )
    .key("enable.auto.commit")
    .group("Positions"),
];

const OF_WEBHOOKS: &[&str] = &[
    "endpoints",
    "retry_schedule",
    "retry_jitter",
    "post_timeout",
    "disable_after",
    "heed_retry_after",
    "ordering",
    "posts_in_flight",
    "tolerance",
];
const OF_PUSH: &[&str] = &["clients", "send_buffer", "on_full", "replay_buffer", "reconnect_time", "push_heartbeat", "silence_timeout"];

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    let is_webhooks = receivers::is_webhooks(params);
    check_in(ctx, &path, out);
    let table = receivers::table(params);
    let rows = receivers::rows(params);
    if rows.is_empty() {
        out.push(
            Diagnostic::warning("receivers-missing", format!("{path}.{table}"), "nobody gets its events")
                .with_hint(format!("{table}: {{\"partners\": (count: 10)}}")),
        );
    }
    if rows.len() > RECEIVERS_MAX {
        let words = format!("at most {RECEIVERS_MAX} receivers, these are more");
        out.push(
            Diagnostic::error("receivers-many", format!("{path}.{table}"), words).with_hint("take more components, or fewer receivers"),
        );
    }
    let (unused, profile) = if is_webhooks { (OF_PUSH, "webhooks") } else { (OF_WEBHOOKS, "pushes") };
    for name in unused.iter().filter(|name| params.is_given(name)) {
        out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), format!("`{name}` says nothing of {profile}")));
    }
    if params.profile() == Some("websocket") && params.is_given("replay_buffer") {
        let words = "a WebSocket has no Last-Event-ID: what a client misses is lost to it";
        out.push(Diagnostic::warning("setting-unused", format!("{path}.replay_buffer"), words).with_hint("choose server-sent-events"));
    }
    if !is_webhooks {
        return;
    }
    for word in params.words("retry_schedule") {
        if word.parse::<SimDuration>().is_err() {
            let place = format!("{path}.retry_schedule");
            out.push(Diagnostic::error("param-type", place, format!("`{word}` is no duration")).with_hint("5s, 5min, 30min"));
        }
    }
    check_drawn(ctx, params, &path, out);
    for (id, row) in params.named("endpoints") {
        if let Err(words) = receivers::secret(&row, "secret", id) {
            let place = format!("{path}.endpoints.{id}.secret");
            out.push(
                Diagnostic::error("secret-bad", place, words).with_hint("leave it away, or sample:whsec_ and 24 bytes or more in base64"),
            );
        }
    }
}

/// Settings of a receiver that is not drawn.
const OF_PLAYED: &[&str] = &[
    "response_time",
    "failure_ratio",
    "failure_status",
    "limit",
    "limit_status",
    "retry_after",
    "retry_after_form",
    "knows_repeats",
    "clock_ahead",
];

/// Endpoints that are components of the design, and components that are none.
fn check_drawn(ctx: &BuildCtx<'_>, params: &Params<'_>, path: &str, out: &mut Vec<Diagnostic>) {
    let linked: Vec<&str> = ctx.links_at("posts").map(|facts| facts.peer_id.as_str()).collect();
    let mut wanted = Vec::new();
    for (id, row) in params.named("endpoints") {
        let place = format!("{path}.endpoints.{id}");
        let Some(at) = row.optional_text("at") else {
            for name in ["path", "host"].iter().filter(|name| row.is_given(name)) {
                let words = format!("`{name}` says nothing of a receiver that is not drawn");
                out.push(Diagnostic::warning("setting-unused", format!("{place}.{name}"), words).with_hint("at: the id of a gateway"));
            }
            continue;
        };
        for name in OF_PLAYED.iter().filter(|name| row.is_given(name)) {
            let words = format!("`{name}` says nothing of a receiver that is drawn: {at} answers by its own rules");
            out.push(Diagnostic::warning("setting-unused", format!("{place}.{name}"), words));
        }
        if !linked.contains(&at.as_str()) {
            let hint = match nearest(&at, linked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("draw a link from `{}.posts` to the gateway", ctx.id),
            };
            let words = format!("`{at}` is not linked at `posts`");
            out.push(Diagnostic::error("receiver-unknown", format!("{place}.at"), words).with_hint(hint));
        }
        wanted.push(at);
    }
    for id in linked.iter().filter(|id| !wanted.iter().any(|at| at == *id)) {
        let words = format!("`{id}` is linked at `posts`, but no endpoint is there");
        out.push(
            Diagnostic::warning("receiver-unused", format!("{path}.endpoints"), words)
                .with_hint(format!("endpoints: {{\"{id}\": (at: \"{id}\", path: \"/hooks\")}}")),
        );
    }
}

fn check_in(ctx: &BuildCtx<'_>, path: &str, out: &mut Vec<Diagnostic>) {
    if ctx.links_at("in").next().is_none() {
        out.push(Diagnostic::warning("link-missing", path, "it reads nothing").with_hint(format!("link a topic to {}.in", ctx.id)));
    }
    for facts in ctx.links_at("in").filter(|facts| facts.topic.is_none()) {
        out.push(
            Diagnostic::error("link-senseless", path, format!("it reads topics, and {} is none", facts.peer_id))
                .with_hint("put a bridge and a topic between them"),
        );
    }
}
