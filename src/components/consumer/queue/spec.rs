//! What a consumer of a queue can be told, and the problems that this can have.

use crate::components::{BuildCtx, Params, by_id};
use crate::diagnostics::Diagnostic;
use crate::event::ReceiveCall;
use crate::model::{Default_, ParamSpec, ParamType, Provenance};
use crate::units::SimDuration;

use Default_::{Absent, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Amazon SQS ReceiveMessage");

pub(in crate::components::consumer) const RECEIVE_SIZE: ParamSpec =
    ParamSpec::new("receive_size", "Receive size", T::Count { min: 1, max: 10 }, Same("10"), "Most messages that one receive brings")
        .key("MaxNumberOfMessages")
        .from(DOCUMENTED)
        .group("Queue");

pub(in crate::components::consumer) const RECEIVE_WAIT: ParamSpec = ParamSpec::new(
    "receive_wait",
    "Receive wait",
    T::Duration { min: "0s", max: "20s" },
    Absent,
    "How long a receive waits for a message (long polling); the queue's own when absent",
)
.key("WaitTimeSeconds")
.group("Queue");

pub(in crate::components) const VISIBILITY: ParamSpec = ParamSpec::new(
    "visibility_timeout",
    "Visibility timeout",
    T::Duration { min: "0s", max: "12h" },
    Absent,
    "How long received messages are hidden; the queue's own when absent",
)
.key("VisibilityTimeout")
.group("Queue");

pub(in crate::components::consumer) const FAILED_VISIBILITY: ParamSpec = ParamSpec::new(
    "failed_visibility",
    "Failed messages show after",
    T::Duration { min: "0s", max: "12h" },
    Absent,
    "A message whose processing failed is shown again after this; without it, when its visibility timeout is over",
)
.key("ChangeMessageVisibility")
.group("Queue");

pub(in crate::components::consumer) const HEARTBEAT: ParamSpec = ParamSpec::new(
    "visibility_heartbeat",
    "Visibility heartbeat",
    T::Duration { min: "1ms", max: "12h" },
    Absent,
    "While a message is held, its visibility timeout begins anew after each such time (ChangeMessageVisibility), up to twelve hours from its \
     receive; without it a message held for longer than its timeout is shown to others",
)
.group("Queue");

pub(in crate::components::consumer) const DELETE_LINGER: ParamSpec = ParamSpec::new(
    "delete_linger",
    "Delete linger",
    T::Duration { min: "0s", max: "1h" },
    Same("0s"),
    "How long a delete waits for others of its batch of ten; at 0s each is a call of its own",
)
.key("DeleteMessageBatch")
.group("Queue");

/// How queues are called.
#[derive(Clone, Copy, Debug)]
pub(in crate::components::consumer) struct CallSettings {
    pub receive: ReceiveCall,
    pub failed_visibility: Option<SimDuration>,
    pub heartbeat: Option<SimDuration>,
    pub delete_linger: SimDuration,
}

impl CallSettings {
    pub fn new(params: &Params<'_>) -> Self {
        let given = |name: &str| params.is_given(name).then(|| params.duration(name));
        Self {
            receive: ReceiveCall {
                max_messages: u32::try_from(params.count("receive_size")).unwrap_or(1),
                wait: given("receive_wait"),
                visibility: given("visibility_timeout"),
            },
            failed_visibility: given("failed_visibility"),
            heartbeat: given("visibility_heartbeat"),
            delete_linger: params.duration("delete_linger"),
        }
    }
}

/// How long a queue's messages are hidden from this consumer on.
pub(super) fn visibility(ctx: &BuildCtx<'_>, params: &Params<'_>, queue: &str) -> SimDuration {
    if params.is_given("visibility_timeout") {
        return params.duration("visibility_timeout");
    }
    let of_queue = ctx.project.components.get(queue).and_then(|component| {
        let spec = by_id(&component.kind)?.spec();
        Some(Params::new(spec.params, component.profile.as_deref(), &component.params).duration("visibility_timeout"))
    });
    of_queue.unwrap_or(SimDuration::ZERO)
}

/// Settings that a consumer of a queue has no use for.
pub(in crate::components::consumer) const OF_TOPICS: &[&str] = &[
    "group",
    "max_attempts",
    "retry_backoff",
    "on_failure",
    "retry_topics",
    "pool_queue",
    "pool_full",
    "poll_size",
    "buffer",
    "fetch_min_bytes",
    "fetch_max_wait",
    "fetch_max_bytes",
    "partition_fetch_bytes",
    "commit",
    "auto_commit_interval",
    "offset_reset",
    "session_timeout",
    "heartbeat_interval",
    "rebalance_timeout",
    "static_members",
];

/// Whether the consumer reads a queue.
pub(in crate::components::consumer) fn reads_queue(ctx: &BuildCtx<'_>) -> bool {
    ctx.links_at("in").any(|facts| facts.queue.is_some())
}

/// Problems of a consumer that reads a queue.
pub(in crate::components::consumer) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if ctx.links_at("in").any(|facts| facts.queue.is_none()) {
        out.push(
            Diagnostic::error("link-twice", path, "a consumer that reads queues reads nothing else")
                .with_hint("give the topics a consumer of their own"),
        );
    }
    check_heartbeat(ctx, path, params, out);
    if ctx.links_at("dead_letters").next().is_some() {
        out.push(
            Diagnostic::error("link-senseless", path, "a queue's dead letters are the queue's own doing")
                .with_hint("link the queue's dead_letters to another queue, and set its max_receive_count"),
        );
    }
    if ctx.links_at("results").next().is_some() {
        out.push(
            Diagnostic::error("link-senseless", path, "a consumer that reads a queue writes no results")
                .with_hint("read a topic, or take the link away"),
        );
    }
    for name in OF_TOPICS.iter().filter(|name| params.is_given(name)) {
        out.push(Diagnostic::warning(
            "setting-unused",
            format!("{path}.{name}"),
            format!("`{name}` counts for topics only; this reads a queue"),
        ));
    }
}

/// A timeout that ends before its first heartbeat is never extended.
fn check_heartbeat(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if !params.is_given("visibility_heartbeat") {
        return;
    }
    let every = params.duration("visibility_heartbeat");
    for facts in ctx.links_at("in").filter(|facts| facts.queue.is_some()) {
        let visibility = visibility(ctx, params, &facts.peer_id);
        if every >= visibility {
            let words = format!("the visibility timeout of {} is over after {visibility}, before the first heartbeat", facts.peer_id);
            out.push(
                Diagnostic::error("setting-contradiction", format!("{path}.visibility_heartbeat"), words)
                    .with_hint("a heartbeat at a half of the visibility timeout, or less, is usual"),
            );
        }
    }
}
