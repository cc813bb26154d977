//! What a queue can be told, and the problems that its settings can have.

use crate::components::{ActionSpec, BuildCtx, EndRole, KindSpec, Params};
use crate::diagnostics::Diagnostic;
use crate::model::{Component, Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Amazon SQS SetQueueAttributes and quotas");
const STANDARD: &str = "sqs-standard";
const FIFO: &str = "sqs-fifo";

/// A queue.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "queue",
    title: "Queue",
    category: "Messaging",
    profiles: &[STANDARD, FIFO],
    help: "Keeps each message until a consumer has received and deleted it",
    params: PARAMS,
    actions: &[
        ActionSpec { name: "purge", help: "Every message is gone at once; SQS refuses a second purge within a minute", params: &[] },
        ActionSpec {
            name: "delete-queue",
            help: "The queue is gone with its messages: whoever calls it is told that there is no such queue",
            params: &[],
        },
        ActionSpec { name: "create-queue", help: "The deleted queue is there again, empty; SQS refuses it within a minute", params: &[] },
        ActionSpec {
            name: "redrive",
            help: "Moves the dead letters that are here back to the queues that they came from",
            params: REDRIVE,
        },
    ],
    id_stem: "queue",
};

/// Arguments of a redrive.
pub(super) const REDRIVE: &[ParamSpec] =
    &[ParamSpec::new("rate", "Rate", T::Rate { min: "0.1/s", max: "500/s" }, Same("500/s"), "Messages moved a second at most")
        .key("MaxNumberOfMessagesPerSecond")
        .from(DOCUMENTED)];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "visibility_timeout",
        "Visibility timeout",
        T::Duration { min: "0s", max: "12h" },
        Same("30s"),
        "How long a received message is hidden; it is received again unless it is deleted within this time",
    )
    .key("VisibilityTimeout")
    .from(DOCUMENTED)
    .group("Queue"),
    ParamSpec::new(
        "receive_wait",
        "Receive wait",
        T::Duration { min: "0s", max: "20s" },
        Same("0s"),
        "How long a receive waits for a message (long polling); 0s is short polling, which asks only some of the servers",
    )
    .key("ReceiveMessageWaitTimeSeconds")
    .from(DOCUMENTED)
    .group("Queue"),
    ParamSpec::new("delay", "Delay", T::Duration { min: "0s", max: "15min" }, Same("0s"), "How long each new message stays hidden")
        .key("DelaySeconds")
        .from(DOCUMENTED)
        .group("Queue"),
    ParamSpec::new(
        "retention",
        "Retention",
        T::Duration { min: "60s", max: "14d" },
        Same("4d"),
        "A message that was not deleted within this time is gone; as a dead letter it keeps its age on a standard queue",
    )
    .key("MessageRetentionPeriod")
    .from(DOCUMENTED)
    .group("Queue"),
    ParamSpec::new(
        "max_message_size",
        "Largest message",
        T::Size { min: "1KiB", max: "1MiB" },
        Same("1MiB"),
        "Body and attributes of a message, and of a whole batch",
    )
    .key("MaximumMessageSize")
    .from(DOCUMENTED)
    .group("Queue"),
    ParamSpec::new(
        "in_flight_max",
        "Most in flight",
        T::Count { min: 1, max: 120_000 },
        Same("120000"),
        "Messages received and not deleted yet; beyond it a receive brings none",
    )
    .from(DOCUMENTED)
    .group("Queue"),
    ParamSpec::new(
        "max_receive_count",
        "Most receives",
        T::Count { min: 1, max: 1000 },
        Absent,
        "A message received so often and never deleted moves to the queue linked at dead_letters; without it nothing moves",
    )
    .key("RedrivePolicy.maxReceiveCount")
    .group("Dead letters"),
    ParamSpec::new(
        "redrive_permission",
        "Redrive permission",
        T::Choice(&["allowAll", "denyAll", "byQueue"]),
        Same("allowAll"),
        "Which queues may name this one as their dead-letter queue; byQueue asks for redrive_sources",
    )
    .key("RedriveAllowPolicy.redrivePermission")
    .from(DOCUMENTED)
    .group("Dead letters"),
    ParamSpec::new("redrive_sources", "Redrive sources", T::Words, Absent, "With byQueue: the queues that may, at most ten")
        .key("RedriveAllowPolicy.sourceQueueArns")
        .group("Dead letters"),
    ParamSpec::new(
        "content_deduplication",
        "Content deduplication",
        T::Bool,
        Same("false"),
        "FIFO: a message without a deduplication id is known by its body's SHA-256",
    )
    .key("ContentBasedDeduplication")
    .from(DOCUMENTED)
    .group("FIFO"),
    ParamSpec::new(
        "throughput",
        "Throughput",
        T::Choice(&["standard", "high"]),
        Same("standard"),
        "FIFO: standard (perQueue) takes 300 calls a second of each action; high (perMessageGroupId) 70,000, of which 300 sends a second may \
         be of one message group. A call brings up to ten messages",
    )
    .key("FifoThroughputLimit")
    .from(DOCUMENTED)
    .group("FIFO"),
    ParamSpec::new(
        "deduplication_scope",
        "Deduplication scope",
        T::Choice(&["queue", "messageGroup"]),
        Absent,
        "FIFO: whether an id counts in the whole queue or in its message group; queue when absent, messageGroup with high throughput",
    )
    .key("DeduplicationScope")
    .group("FIFO"),
    ParamSpec::new(
        "duplicate_ratio",
        "Duplicates",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("0.1%"),
        "Share of receives that leave a visible copy behind, to be received once more (standard queues deliver at least once)",
    )
    .from(Provenance::Assumed)
    .group("Chance"),
    ParamSpec::new(
        "disorder_ratio",
        "Disorder",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("1%"),
        "Share of messages handed out ahead of older ones (standard queues keep order as well as they can)",
    )
    .from(Provenance::Assumed)
    .group("Chance"),
    ParamSpec::new(
        "short_poll_share",
        "Servers asked",
        T::Ratio { min: 0.01, max: 1.0 },
        Same("75%"),
        "Share of the servers that a short poll asks; messages on the others are missed by it",
    )
    .from(Provenance::Assumed)
    .group("Chance"),
    ParamSpec::new("call_time", "Call time", T::DurationDist, Same("lognormal(6ms, 0.4)"), "How long the service takes for one call")
        .from(Provenance::Assumed)
        .group("Cost model"),
];

/// Whether a component is a FIFO queue.
pub(in crate::components) fn is_fifo(component: &Component) -> bool {
    component.kind == SPEC.id && component.profile.as_deref() == Some(FIFO)
}

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    let fifo = ctx.project.components.get(ctx.id).is_some_and(is_fifo);
    check_dead_letters(ctx, &path, params, fifo, out);
    check_redrive_permission(ctx, &path, params, out);
    if fifo && params.text("throughput") == "high" && !deduplicates_by_group(params) {
        out.push(
            Diagnostic::error(
                "setting-contradiction",
                format!("{path}.deduplication_scope"),
                "high throughput (FifoThroughputLimit: perMessageGroupId) deduplicates within each message group",
            )
            .with_hint("leave deduplication_scope out, or write \"messageGroup\""),
        );
    }
    let (unused, why): (&[&str], &str) = if fifo {
        (&["duplicate_ratio", "disorder_ratio", "short_poll_share"], "a FIFO queue neither repeats nor reorders by chance")
    } else {
        (&["content_deduplication", "throughput", "deduplication_scope"], "only a FIFO queue has it")
    };
    for name in unused.iter().filter(|name| params.is_given(name)) {
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.{name}"), format!("`{name}` counts for nothing: {why}"))
                .with_hint(format!("leave it out, or choose the profile {}", if fifo { STANDARD } else { FIFO })),
        );
    }
    if ctx.links_at("in").next().is_none() {
        out.push(
            Diagnostic::warning("link-missing", path.clone(), "nothing is sent to it")
                .with_hint(format!("link a producer, or another queue's dead_letters, to {}.in", ctx.id)),
        );
    }
}

/// Whether an id counts within its message group only.
pub(super) fn deduplicates_by_group(params: &Params<'_>) -> bool {
    let scope = params.optional_text("deduplication_scope");
    scope.map_or_else(|| params.text("throughput") == "high", |scope| scope == "messageGroup")
}

/// Queues that a `byQueue` permission can name.
const REDRIVE_SOURCES_MAX: usize = 10;

fn check_redrive_permission(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let (permission, sources) = (params.text("redrive_permission"), params.words("redrive_sources"));
    let here = format!("{path}.redrive_sources");
    if permission != "byQueue" && !sources.is_empty() {
        out.push(
            Diagnostic::warning("setting-unused", here, "redrive_sources counts only with redrive_permission: \"byQueue\"")
                .with_hint("leave it out, or write redrive_permission: \"byQueue\""),
        );
    } else if permission == "byQueue" && !(1..=REDRIVE_SOURCES_MAX).contains(&sources.len()) {
        out.push(
            Diagnostic::error(
                "setting-contradiction",
                here,
                format!("it names {} queues; SQS takes 1 to {REDRIVE_SOURCES_MAX}", sources.len()),
            )
            .with_hint("name the queues whose dead letters come here, or allow all (redrive_permission: \"allowAll\")"),
        );
    }
    let sends_letters = |facts: &&crate::components::LinkFacts| facts.peer_kind == SPEC.id && facts.peer_port == "dead_letters";
    for facts in ctx.links_at("in").filter(sends_letters) {
        let is_allowed = permission == "allowAll" || (permission == "byQueue" && sources.contains(&facts.peer_id));
        if !is_allowed {
            let words = format!("{} does not take the dead letters of {}", ctx.id, facts.peer_id);
            out.push(
                Diagnostic::error("setting-contradiction", format!("{path}.redrive_permission"), words)
                    .with_hint(format!("name {} in redrive_sources, allow all, or take the link away", facts.peer_id)),
            );
        }
    }
}

fn check_dead_letters(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, fifo: bool, out: &mut Vec<Diagnostic>) {
    let mut targets = ctx.links_at("dead_letters").filter(|facts| facts.role == EndRole::From);
    let Some(target) = targets.next() else {
        if params.is_given("max_receive_count") {
            out.push(
                Diagnostic::error("link-missing", format!("{path}.max_receive_count"), "dead letters have nowhere to go")
                    .with_hint(format!("link {}.dead_letters to another queue", ctx.id)),
            );
        }
        return;
    };
    if targets.next().is_some() {
        out.push(
            Diagnostic::error("link-twice", path, "dead letters can go to one queue only")
                .with_hint(format!("keep one link at {}.dead_letters", ctx.id)),
        );
    }
    if !params.is_given("max_receive_count") {
        out.push(
            Diagnostic::error("setting-missing", format!("{path}.max_receive_count"), "it does not say when a message is a dead letter")
                .with_hint("write max_receive_count: 3 or so (maxReceiveCount), or take the link away"),
        );
    }
    if ctx.project.components.get(&target.peer_id).is_some_and(|peer| is_fifo(peer) != fifo) {
        out.push(
            Diagnostic::error(
                "setting-contradiction",
                path,
                format!("{} and its dead-letter queue {} differ in type", ctx.id, target.peer_id),
            )
            .with_hint("a FIFO queue's dead letters go to a FIFO queue, a standard queue's to a standard one"),
        );
    }
}
