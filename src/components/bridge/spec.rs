//! What a bridge can be told, and the problems that its settings can have.

use std::sync::Arc;

use crate::components::combine::{combined, count};
use crate::components::connect::{self, CONNECT};
use crate::components::consumer::actions::ACTIONS;
use crate::components::consumer::queue::spec as queue;
use crate::components::consumer::spec::{INSTANCES_MAX, OF_LISTENERS, READING};
use crate::components::producer::queue_spec;
use crate::components::{BuildCtx, KindSpec, Params};
use crate::diagnostics::Diagnostic;
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};

use Default_::Same;

const SQS: Provenance = Provenance::Documented("kafka-connect-sqs 1.6");

/// A bridge.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "bridge",
    title: "Bridge",
    category: "Services",
    profiles: &["kafka-connect-4.0"],
    help: "Moves events from a topic to a queue or a fan-out topic, or from a queue to a topic, as connectors of Kafka Connect do",
    params: PARAMS,
    actions: ACTIONS,
    id_stem: "bridge",
};

const PARAMS: &[ParamSpec] = &combined::<{ count(OWN, READING, OF_LISTENERS) }>(OWN, READING, OF_LISTENERS);

const OWN: &[ParamSpec] = &[
    ParamSpec::new("instances", "Tasks", T::Count { min: 0, max: INSTANCES_MAX }, Same("1"), "Tasks that share the work")
        .key("tasks.max")
        .from(CONNECT)
        .group("Connector"),
    connect::ON_FAILURE,
    ParamSpec::new(
        "encoding",
        "Encoding",
        T::Choice(&["text", "base64"]),
        Same("text"),
        "How bytes stand in a message's body: as they are, which SQS takes only where they are text (the header of a registry is none), or in base64. From a queue, base64 is undone",
    )
    .key("value.converter")
    .group("Connector"),
    ParamSpec::new(
        "message_attributes",
        "Attributes",
        T::Bool,
        Same("false"),
        "Record headers go along as message attributes, and message attributes as record headers; they count towards a message's size",
    )
    .key("sqs.message.attributes.enabled")
    .from(SQS)
    .group("Connector"),
    ParamSpec::new(
        "key",
        "Record key",
        T::Choice(&["message_id", "message_group", "attribute"]),
        Same("message_id"),
        "From a queue: what becomes the record's key. With the message's id, events of one entity come to any partition; the message group is a FIFO queue's; the attribute is the event's own key (partitionkey)",
    )
    .key("sqs.message.attributes.partition.key")
    .from(SQS)
    .group("From a queue"),
    ParamSpec::new("receive_size", "Receive size", T::Count { min: 1, max: 10 }, Same("1"), "From a queue: most messages of one receive")
        .key("sqs.max.messages")
        .from(SQS)
        .group("From a queue"),
    ParamSpec::new(
        "receive_wait",
        "Receive wait",
        T::Duration { min: "0s", max: "20s" },
        Same("1s"),
        "From a queue: how long a receive waits for a message",
    )
    .key("sqs.wait.time.seconds")
    .from(SQS)
    .group("From a queue"),
    queue::VISIBILITY,
    ParamSpec::new(
        "concurrency",
        "Records under way",
        T::Count { min: 1, max: 10_000 },
        Same("100"),
        "From topics: how many records of a task are sent and not answered at most",
    )
    .from(Provenance::Assumed)
    .group("From topics"),
    ParamSpec::new("service_time", "Work", T::DurationDist, Same("50us"), "From topics: how long a task needs to make a message of a record")
        .from(Provenance::Assumed)
        .group("From topics"),
    connect::COMMIT,
    connect::COMMIT_INTERVAL,
    connect::OFFSET_RESET,
    queue_spec::BATCH,
    queue_spec::LINGER,
    queue_spec::CALLS,
    queue_spec::TIMEOUT,
    queue_spec::RETRIES,
    queue_spec::BACKOFF,
];

/// Settings of one way that say nothing on the other.
const OF_QUEUES: &[&str] = &["key", "receive_size", "receive_wait", "visibility_timeout"];
const OF_TOPICS: &[&str] = &[
    "commit",
    "concurrency",
    "service_time",
    "auto_commit_interval",
    "offset_reset",
    "group",
    "poll_size",
    "queue_batch",
    "queue_linger",
    "queue_calls",
];

/// What becomes a record's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFrom {
    MessageId,
    Group,
    Attribute,
}

pub(super) fn key_from(params: &Params<'_>) -> KeyFrom {
    match params.text("key").as_str() {
        "message_group" => KeyFrom::Group,
        "attribute" => KeyFrom::Attribute,
        _ => KeyFrom::MessageId,
    }
}

pub(super) fn reads_queue(ctx: &BuildCtx<'_>) -> bool {
    ctx.links_at("in").any(|facts| facts.queue.is_some())
}

/// Length of each component's key.
pub(super) fn key_bytes(ctx: &BuildCtx<'_>) -> Arc<[usize]> {
    ctx.project.components.iter().map(|(id, component)| component.stream_key(id).len()).collect()
}

/// Length of each event type's name.
pub(super) fn type_bytes(ctx: &BuildCtx<'_>) -> Arc<[usize]> {
    let mut lengths = vec![0; ctx.event_types.len()];
    ctx.event_types.iter().for_each(|(name, ty)| lengths[ty.index()] = name.len());
    lengths.into()
}

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    check_in(ctx, &path, out);
    check_out(ctx, &path, out);
    let from_queue = reads_queue(ctx);
    let letters = ctx.links_at("dead_letters").count();
    if from_queue && (letters > 0 || params.text("on_failure") == "dead_letter") {
        let words = "Kafka Connect has dead letters for sinks only: what a queue's message cannot become is left to the queue";
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.on_failure"), words)
                .with_hint("take stop, and give the queue dead letters of its own"),
        );
    } else if params.text("on_failure") == "dead_letter" && letters == 0 {
        out.push(
            Diagnostic::error("link-missing", format!("{path}.on_failure"), "dead letters have nowhere to go")
                .with_hint(format!("link {}.dead_letters to a topic", ctx.id)),
        );
    } else if letters > 0 && params.text("on_failure") != "dead_letter" {
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.on_failure"), "nothing will be written to the dead-letter topic")
                .with_hint("take dead_letter"),
        );
    }
    if letters > 1 {
        out.push(
            Diagnostic::error("link-twice", path.clone(), "dead letters can go to one topic only")
                .with_hint(format!("keep one link at {}.dead_letters", ctx.id)),
        );
    }
    let (unused, reads) = if from_queue { (OF_TOPICS, "a queue") } else { (OF_QUEUES, "topics") };
    for name in unused.iter().filter(|name| params.is_given(name)) {
        out.push(Diagnostic::warning(
            "setting-unused",
            format!("{path}.{name}"),
            format!("`{name}` says nothing of a bridge that reads {reads}"),
        ));
    }
}

fn check_in(ctx: &BuildCtx<'_>, path: &str, out: &mut Vec<Diagnostic>) {
    let (mut topics, mut queues) = (0, 0);
    for facts in ctx.links_at("in") {
        topics += usize::from(facts.topic.is_some());
        queues += usize::from(facts.queue.is_some());
        if facts.pushes.is_some() {
            out.push(
                Diagnostic::error("link-senseless", path, format!("{} pushes, and a bridge asks for what it moves", facts.peer_id))
                    .with_hint("put a queue between them"),
            );
        }
    }
    if topics + queues == 0 {
        out.push(
            Diagnostic::warning("link-missing", path, "it reads nothing").with_hint(format!("link a topic or a queue to {}.in", ctx.id)),
        );
    }
    if queues > 1 || (queues == 1 && topics > 0) {
        out.push(
            Diagnostic::error("link-twice", path, "a bridge reads topics, or one queue").with_hint("give each queue a bridge of its own"),
        );
    }
}

fn check_out(ctx: &BuildCtx<'_>, path: &str, out: &mut Vec<Diagnostic>) {
    let links: Vec<_> = ctx.links_at("out").collect();
    match links[..] {
        [] => out.push(
            Diagnostic::error("link-missing", path, "it leads nowhere")
                .with_hint(format!("link {}.out to a queue or a fan-out topic, or to a topic when it reads a queue", ctx.id)),
        ),
        [facts] => {
            let is_queue = facts.queue.is_some();
            if is_queue == reads_queue(ctx) && ctx.links_at("in").next().is_some() {
                let words = if is_queue { "from a queue it moves events to a topic" } else { "from topics it moves events to a queue" };
                out.push(
                    Diagnostic::error("link-senseless", path, words)
                        .with_hint("a bridge leads from one messaging system to another; within one, a consumer or a subscription does it"),
                );
            }
        }
        _ => out.push(
            Diagnostic::error("link-twice", path, "a bridge leads to one place only").with_hint(format!("keep one link at {}.out", ctx.id)),
        ),
    }
}
