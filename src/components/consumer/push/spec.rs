//! What a consumer that is pushed to can be told, and the problems that this can have.

use crate::components::consumer::queue;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::model::{Default_, ParamSpec, ParamType, Provenance};

use Default_::Same;
use ParamType as T;

pub(in crate::components::consumer) const FAILURE_STATUS: ParamSpec = ParamSpec::new(
    "failure_status",
    "Status of failures",
    T::Count { min: 400, max: 599 },
    Same("500"),
    "What it answers when processing fails: after 5xx and 429 the topic tries again, after another 4xx it does not",
)
.group("Pushed to");

pub(in crate::components::consumer) const REQUEST_QUEUE: ParamSpec = ParamSpec::new(
    "request_queue",
    "Waiting requests",
    T::Count { min: 0, max: 1_000_000 },
    Same("100"),
    "Requests that wait for a free worker; more are answered 503",
)
.from(Provenance::Assumed)
.group("Pushed to");

/// Settings of those who receive from queues.
const OF_QUEUES: &[&str] =
    &["receive_size", "receive_wait", "visibility_timeout", "failed_visibility", "visibility_heartbeat", "delete_linger"];

/// Whether a fan-out topic pushes to the consumer.
pub(in crate::components::consumer) fn is_pushed_to(ctx: &BuildCtx<'_>) -> bool {
    ctx.links_at("in").any(|facts| facts.pushes.is_some())
}

/// Problems of a consumer that is pushed to.
pub(in crate::components::consumer) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if ctx.links_at("in").any(|facts| facts.pushes.is_none()) {
        out.push(
            Diagnostic::error("link-twice", path, "a consumer that a fan-out topic pushes to reads nothing else")
                .with_hint("give topics and queues a consumer of their own"),
        );
    }
    if ctx.links_at("dead_letters").next().is_some() {
        out.push(
            Diagnostic::error("link-senseless", path, "dead letters of a subscription are the fan-out topic's doing")
                .with_hint("link the topic's dead_letters to a queue"),
        );
    }
    if ctx.links_at("results").next().is_some() {
        out.push(
            Diagnostic::error("link-senseless", path, "a consumer that is pushed to writes no results")
                .with_hint("read a topic, or take the link away"),
        );
    }
    for name in queue::spec::OF_TOPICS.iter().chain(OF_QUEUES).filter(|name| params.is_given(name)) {
        out.push(Diagnostic::warning(
            "setting-unused",
            format!("{path}.{name}"),
            format!("`{name}` counts for nothing: a fan-out topic pushes to it"),
        ));
    }
}
