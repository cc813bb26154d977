//! What a consumer can be told, and the problems that its settings can have.

use super::retries::RetryTopics;
use super::{frameworks, groups, pool, push, queue, retries, scaling};
use crate::components::{BuildCtx, KindSpec, PRINCIPAL, Params, PeerTopic};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Default_, ParamSpec, ParamType, Provenance};
use crate::predicate::GUARANTEES;

use Default_::{Absent, ByProfile, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Kafka 4.0 ConsumerConfig");
/// More instances of one component are refused.
pub(in crate::components) const INSTANCES_MAX: i64 = 1_000;
/// More workers of one instance are refused.
pub(super) const CONCURRENCY_MAX: i64 = 100_000;

/// A consumer.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "consumer",
    title: "Consumer",
    category: "Clients",
    profiles: &["kafka-4.0", "kafka-3.9", "spring-cloud-stream", "micronaut"],
    help: "Reads topics as a consumer group, or queues, or is pushed to by a fan-out topic, and processes each event",
    params: PARAMS,
    actions: super::actions::ACTIONS,
    id_stem: "consumer",
};

/// What is said of reading topics and queues, and of work: all but what belongs to pushes.
pub(in crate::components) const READING: &[ParamSpec] = PARAMS.split_at(PARAMS.len() - OF_PUSHES).0;
const OF_PUSHES: usize = 2;
/// What those who move events as they are have no use for: they decode nothing, make nothing, and work on the thread that polls.
pub(in crate::components) const OF_LISTENERS: &[&str] = &[
    "pool_queue",
    "pool_full",
    "validate",
    "reader_version",
    "result_type",
    "result_schema",
    "transactional_id",
    "transaction_timeout",
    "read",
];

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new("group", "Group", T::Text { max_chars: 249 }, Absent, "Name of the consumer group; the component's id when absent")
        .key("group.id")
        .group("Group"),
    ParamSpec::new("instances", "Instances", T::Count { min: 0, max: INSTANCES_MAX }, Same("1"), "Members of the group").group("Group"),
    scaling::PARAMS[0],
    scaling::PARAMS[1],
    scaling::PARAMS[2],
    scaling::PARAMS[3],
    scaling::PARAMS[4],
    scaling::PARAMS[5],
    scaling::PARAMS[6],
    scaling::PARAMS[7],
    ParamSpec::new(
        "concurrency",
        "Concurrency",
        T::Count { min: 1, max: CONCURRENCY_MAX },
        Same("1"),
        "Workers of each instance over one buffer; above 1, order within a partition is lost",
    )
    .group("Work"),
    pool::PARAMS[0],
    pool::PARAMS[1],
    ParamSpec::new("service_time", "Service time", T::DurationDist, Same("exp(5ms)"), "How long a worker needs for one event")
        .from(Provenance::Assumed)
        .group("Work"),
    ParamSpec::new("failure_ratio", "Failures", T::Ratio { min: 0.0, max: 1.0 }, Same("0%"), "Share of attempts that fail").group("Work"),
    ParamSpec::new(
        "max_attempts",
        "Attempts",
        T::Count { min: 1, max: 1_000_000 },
        ByProfile(&[("micronaut", "2"), ("kafka", "3")]),
        "How often an event is tried before it is given up",
    )
    .group("Work"),
    ParamSpec::new(
        "retry_backoff",
        "Retry backoff",
        T::Duration { min: "0s", max: "24h" },
        Same("1s"),
        "Wait between two attempts; the worker waits too",
    )
    .from(Provenance::Assumed)
    .group("Work"),
    ParamSpec::new(
        "on_failure",
        "On failure",
        T::Choice(&["dead_letter", "skip", "retry_forever"]),
        Absent,
        "What becomes of an event whose attempts are used up; dead_letter when that port is linked, else skip",
    )
    .group("Work"),
    retries::spec::PARAMS[0],
    retries::spec::PARAMS[1],
    retries::spec::PARAMS[2],
    retries::spec::PARAMS[3],
    retries::spec::PARAMS[4],
    retries::spec::PARAMS[5],
    retries::spec::PARAMS[6],
    retries::spec::PARAMS[7],
    retries::spec::PARAMS[8],
    ParamSpec::new(
        "on_corrupt",
        "On a bad checksum",
        T::Choice(&["retry", "skip"]),
        Same("retry"),
        "A batch whose checksum does not hold is read again, until another replica leads that has a good copy; or the reader goes on \
         behind it (seek), and its events end as rejected",
    )
    .group("Work"),
    ParamSpec::new(
        "validate",
        "Validate",
        T::Bool,
        Same("true"),
        "Decodes each event with its schema when a registry is linked, and rejects what does not fit",
    )
    .group("Schema"),
    ParamSpec::new(
        "reader_version",
        "Reader's version",
        T::Count { min: 1, max: 1_000_000 },
        Absent,
        "Version of the subject that this consumer reads with; the writer's when absent",
    )
    .group("Schema"),
    ParamSpec::new(
        "result_type",
        "Type of results",
        T::Text { max_chars: 200 },
        Absent,
        "Event type of what is written to the topic linked at results; the type of the event that it was made from when absent",
    )
    .group("Results"),
    ParamSpec::new(
        "result_schema",
        "Schema of results",
        T::Text { max_chars: 500 },
        Absent,
        "Subject at the linked registry, or a schema of the project; the bytes of the event that it was made from when absent",
    )
    .group("Results"),
    ParamSpec::new("poll_size", "Poll size", T::Count { min: 1, max: 1_000_000 }, Same("500"), "Most records that one poll hands out")
        .key("max.poll.records")
        .from(DOCUMENTED)
        .group("Fetching"),
    ParamSpec::new(
        "buffer",
        "Buffer",
        T::Count { min: 1, max: 10_000_000 },
        Same("1000"),
        "The next fetch goes out while fewer records than this wait in an instance",
    )
    .group("Fetching"),
    ParamSpec::new(
        "fetch_min_bytes",
        "Smallest fetch",
        T::Size { min: "1B", max: "1GiB" },
        Same("1B"),
        "The broker waits until this much is there",
    )
    .key("fetch.min.bytes")
    .from(DOCUMENTED)
    .group("Fetching"),
    ParamSpec::new(
        "fetch_max_wait",
        "Longest wait",
        T::Duration { min: "1ms", max: "1h" },
        Same("500ms"),
        "The broker answers a fetch after this at the latest",
    )
    .key("fetch.max.wait.ms")
    .from(DOCUMENTED)
    .group("Fetching"),
    ParamSpec::new("fetch_max_bytes", "Largest fetch", T::Size { min: "1B", max: "2GiB" }, Same("50MiB"), "Most bytes of one fetch")
        .key("fetch.max.bytes")
        .from(DOCUMENTED)
        .group("Fetching"),
    ParamSpec::new(
        "partition_fetch_bytes",
        "Largest fetch of a partition",
        T::Size { min: "1B", max: "2GiB" },
        Same("1MiB"),
        "Most bytes of one partition in a fetch",
    )
    .key("max.partition.fetch.bytes")
    .from(DOCUMENTED)
    .group("Fetching"),
    ParamSpec::new(
        "unpacking_time",
        "Unpacking time",
        T::Duration { min: "0s", max: "1s" },
        Absent,
        "How long a worker needs to unpack one KiB of compressed records; by the codec when absent: gzip 2.8 us, snappy 0.7 us, lz4 0.3 us, zstd 0.7 us",
    )
    .from(Provenance::Assumed)
    .group("Fetching"),
    ParamSpec::new(
        "guarantees",
        "Guarantees",
        T::Words,
        Absent,
        "What its group is promised: at_least_once, at_most_once, exactly_once, ordered_per_key. A run says kept or broken, with the first counter-example",
    )
    .group("Group"),
    ParamSpec::new(
        "commit",
        "Commit",
        T::Choice(&["auto", "after", "before", "transaction"]),
        ByProfile(&[("spring-cloud-stream", "after"), ("kafka", "auto")]),
        "When positions are committed: every interval, after each poll's work (at least once), before it (at most once), or in one transaction with the poll's results (exactly once)",
    )
    .key("enable.auto.commit")
    .from(DOCUMENTED)
    .group("Positions"),
    ParamSpec::new(
        "auto_commit_interval",
        "Commit interval",
        T::Duration { min: "1ms", max: "24h" },
        Same("5s"),
        "Time between automatic commits",
    )
    .key("auto.commit.interval.ms")
    .from(DOCUMENTED)
    .group("Positions"),
    ParamSpec::new(
        "isolation",
        "Isolation",
        T::Choice(&["read_uncommitted", "read_committed"]),
        Same("read_uncommitted"),
        "What it sees of transactions: everything, or only what is committed, up to the last stable offset",
    )
    .key("isolation.level")
    .from(DOCUMENTED)
    .group("Fetching"),
    ParamSpec::new(
        "transactional_id",
        "Transactional id",
        T::Text { max_chars: 249 },
        Absent,
        "With commit: transaction, what transactional ids begin with (each instance adds its number); the component's key when absent",
    )
    .key("transactional.id")
    .group("Results"),
    ParamSpec::new(
        "transaction_timeout",
        "Transaction timeout",
        T::Duration { min: "1ms", max: "15min" },
        Same("60s"),
        "The coordinator aborts a transaction that is open for longer, and fences its producer; until then readers of committed events wait",
    )
    .key("transaction.timeout.ms")
    .from(Provenance::Documented("Kafka 4.0 ProducerConfig"))
    .group("Results"),
    ParamSpec::new(
        "read",
        "Reads",
        T::Choice(&["group", "snapshot"]),
        Same("group"),
        "As a member of its group, or without one, as a table: every partition from its first record on, the latest value of each key, nothing committed",
    )
    .group("Positions"),
    ParamSpec::new(
        "offset_reset",
        "Start at",
        T::Choice(&["latest", "earliest"]),
        ByProfile(&[("spring-cloud-stream", "earliest"), ("kafka", "latest")]),
        "Where a group without a position begins; with latest, events from before its first join are skipped",
    )
    .key("auto.offset.reset")
    .from(DOCUMENTED)
    .group("Positions"),
    ParamSpec::new(
        "group_protocol",
        "Group protocol",
        T::Choice(&["classic", "consumer"]),
        Same("classic"),
        "Classic: members deal partitions out among themselves, in rounds that all wait for. Consumer (KIP-848): the cluster deals out, and each member follows by itself; session, heartbeat and assignors are then the cluster's",
    )
    .key("group.protocol")
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new(
        "remote_assignor",
        "Assignor at the cluster",
        T::Choice(&["uniform", "range"]),
        Absent,
        "With group_protocol: consumer, how the cluster shall deal partitions out; what most members ask for counts, and the cluster's first assignor when absent",
    )
    .key("group.remote.assignor")
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new(
        "assignor",
        "Assignors",
        T::Words,
        Same("range, cooperative-sticky"),
        "How partitions are dealt out, best liked first: range, roundrobin, sticky, cooperative-sticky; the group takes what most members like best among those that all know. With cooperative-sticky alone, members read on while the group rebalances",
    )
    .key("partition.assignment.strategy")
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new(
        "static_members",
        "Static members",
        T::Bool,
        Same("false"),
        "Each instance has a group.instance.id (the component's key and the number): one that stops or crashes and is back within its session finds its partitions waiting, without a rebalance. With group_protocol: consumer only one that stopped; who crashed has to wait for its session's end",
    )
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new(
        "session_timeout",
        "Session timeout",
        // What brokers accept as they come: group.min.session.timeout.ms and group.max.session.timeout.ms.
        T::Duration { min: "6s", max: "30min" },
        Same("45s"),
        "Without a heartbeat for this long a member is out; brokers accept 6 s to 30 min (group.min.session.timeout.ms, group.max.session.timeout.ms)",
    )
    .key("session.timeout.ms")
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new("heartbeat_interval", "Heartbeat", T::Duration { min: "1ms", max: "1h" }, Same("3s"), "Time between heartbeats")
        .key("heartbeat.interval.ms")
        .from(DOCUMENTED)
        .group("Group"),
    ParamSpec::new(
        "rebalance_timeout",
        "Longest time between polls",
        T::Duration { min: "1ms", max: "24h" },
        Same("5min"),
        "An instance that works longer on what a poll handed out is out of its group until its next poll; a rebalance waits as long for it",
    )
    .key("max.poll.interval.ms")
    .from(DOCUMENTED)
    .group("Group"),
    ParamSpec::new(
        "request_timeout",
        "Request timeout",
        T::Duration { min: "1ms", max: "1h" },
        Same("30s"),
        "Longest wait for a broker's answer",
    )
    .key("request.timeout.ms")
    .from(DOCUMENTED)
    .group("Group"),
    PRINCIPAL,
    ParamSpec::new(
        "authorization_retry",
        "Retry refusals",
        T::Duration { min: "1ms", max: "24h" },
        Absent,
        "How long after a refusal by an ACL an instance polls again (Spring's authExceptionRetryInterval); it stops when absent",
    )
    .group("Security"),
    ParamSpec::new(
        "rack",
        "Rack",
        T::Text { max_chars: 100 },
        Absent,
        "Where its instances run: with brokers in racks, they read from a replica there, if one is in sync, instead of the leader",
    )
    .key("client.rack")
    .from(DOCUMENTED)
    .group("Fetching"),
    ParamSpec::new(
        "metadata_max_age",
        "Metadata age",
        T::Duration { min: "1ms", max: "30d" },
        Same("5min"),
        "Partitions and their leaders are asked for again after this long; a group whose leader sees new partitions rebalances",
    )
    .key("metadata.max.age.ms")
    .from(DOCUMENTED)
    .group("Group"),
    queue::spec::RECEIVE_SIZE,
    queue::spec::RECEIVE_WAIT,
    queue::spec::VISIBILITY,
    queue::spec::FAILED_VISIBILITY,
    queue::spec::HEARTBEAT,
    queue::spec::DELETE_LINGER,
    push::spec::FAILURE_STATUS,
    push::spec::REQUEST_QUEUE,
];

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    if ctx.links_at("in").next().is_none() {
        out.push(
            Diagnostic::warning("link-missing", path.clone(), "it reads nothing")
                .with_hint(format!("link a topic, a queue or a fan-out topic to {}.in", ctx.id)),
        );
    }
    check_guarantees(&path, params, out);
    scaling::check(ctx, &path, params, out);
    check_snapshot(&path, params, out);
    if push::spec::is_pushed_to(ctx) {
        return push::spec::check(ctx, &path, params, out);
    }
    if queue::spec::reads_queue(ctx) {
        return queue::spec::check(ctx, &path, params, out);
    }
    let dead_letters = ctx.links_at("dead_letters").count();
    if params.text("on_failure") == "dead_letter" && dead_letters == 0 {
        out.push(Diagnostic::error("link-missing", format!("{path}.on_failure"), "dead letters have nowhere to go").with_hint(format!(
            "link {}.dead_letters to a topic{}",
            ctx.id,
            usual_name(ctx, params)
        )));
    }
    if dead_letters > 1 {
        out.push(
            Diagnostic::error("link-twice", path.clone(), "dead letters can go to one topic only")
                .with_hint(format!("keep one link at {}.dead_letters", ctx.id)),
        );
    }
    if dead_letters > 0
        && matches!(params.text("on_failure").as_str(), "skip" | "retry_forever")
        && ctx.links_at("schemas").next().is_none()
    {
        out.push(Diagnostic::warning("setting-unused", format!("{path}.on_failure"), "nothing will be written to the dead-letter topic"));
    }
    check_dead_letters_return(ctx, &path, out);
    check_fetch_wait(&path, params, out);
    if params.is_given("reader_version") && ctx.links_at("schemas").next().is_none() {
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.reader_version"), "without a registry there is no version to read with")
                .with_hint(format!("link {}.schemas to a registry", ctx.id)),
        );
    }
    if params.is_given("auto_commit_interval") && params.text("commit") != "auto" {
        out.push(Diagnostic::warning(
            "setting-unused",
            format!("{path}.auto_commit_interval"),
            "it counts only with commit: \"auto\" (enable.auto.commit)",
        ));
    }
    check_results(ctx, &path, params, out);
    pool::check(&path, params, out);
    frameworks::check(ctx, &path, params, out);
    retries::spec::check(ctx, &path, params, out);
    super::transactions::check(ctx, &path, params, out);
    groups::check(ctx, &path, params, out);
}

/// What Spring calls the dead-letter topic of the first topic that is read.
fn usual_name(ctx: &BuildCtx<'_>, params: &Params<'_>) -> String {
    let Some(topic) = ctx.links_at("in").find_map(|facts| facts.topic.as_ref()) else { return String::new() };
    let profile = ctx.project.components.get(ctx.id).and_then(|component| component.profile.as_deref());
    let name = match profile {
        Some("spring-cloud-stream") => RetryTopics::binder(&topic.name, &super::group_name(ctx.id, params)),
        _ => RetryTopics::recoverer(&topic.name),
    };
    format!(" (Spring calls it {name}), or write retry_topics: true")
}

fn check_guarantees(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    for word in params.words("guarantees").iter().filter(|word| !GUARANTEES.contains(&word.as_str())) {
        let diagnostic = Diagnostic::error("guarantee-unknown", format!("{path}.guarantees"), format!("`{word}` is no guarantee"));
        let hint = nearest(word, GUARANTEES.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        out.push(diagnostic.with_hint(hint.unwrap_or_else(|| format!("there are {}", GUARANTEES.join(", ")))));
    }
}

fn check_results(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let topics: Vec<_> = ctx.links_at("results").filter_map(|facts| facts.topic.as_ref()).collect();
    if topics.is_empty() && ctx.links_at("events").next().is_none() {
        for name in ["result_type", "result_schema"].into_iter().filter(|name| params.is_given(name)) {
            let unused = Diagnostic::warning("setting-unused", format!("{path}.{name}"), "it writes no results");
            out.push(unused.with_hint(format!("link {}.results to a topic", ctx.id)));
        }
    }
    if topics.len() > 1 {
        out.push(
            Diagnostic::error("link-twice", path, "results can go to one topic only")
                .with_hint(format!("keep one link at {}.results", ctx.id)),
        );
    }
    if let Some(topic) = topics.iter().find(|topic| reads(ctx, topic)) {
        let message = format!("each result comes back as an event: it reads {} and writes to it", topic.name);
        out.push(Diagnostic::error("feedback-loop", path, message).with_hint("give results a topic of their own"));
    }
}

fn reads(ctx: &BuildCtx<'_>, topic: &PeerTopic) -> bool {
    ctx.links_at("in").filter_map(|facts| facts.topic.as_ref()).any(|read| read.topic == topic.topic)
}

/// Allowed, because what comes of it is worth seeing once.
fn check_dead_letters_return(ctx: &BuildCtx<'_>, path: &str, out: &mut Vec<Diagnostic>) {
    let mut topics = ctx.links_at("dead_letters").filter_map(|facts| facts.topic.as_ref());
    if let Some(topic) = topics.find(|topic| reads(ctx, topic)) {
        let message = format!("each dead letter comes back as an event: it reads {} and writes to it", topic.name);
        out.push(Diagnostic::warning("feedback-loop", path, message).with_hint("give dead letters a topic of their own"));
    }
}

/// A table is one instance's, is read in order, and has no positions in a group.
fn check_snapshot(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if !super::reads_snapshot(params) {
        return;
    }
    if params.count("instances") > 1 {
        let message = "each instance that reads a snapshot reads all of it: they would not share the work";
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.instances"), message)
                .with_hint("one instance; give each further one a component of its own"),
        );
    }
    if params.count("concurrency") > 1 {
        let message = "several workers apply the values of a key in any order: the last one may not win";
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.concurrency"), message).with_hint("leave it at 1"));
    }
    for name in ["commit", "offset_reset", "static_members", "assignor"].into_iter().filter(|name| params.is_given(name)) {
        let message = "a snapshot is read from the first record on, without a group's positions";
        out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), message));
    }
}

/// A long poll without records is answered after the longest wait: that must not look like a broker that is gone.
fn check_fetch_wait(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let (wait, timeout) = (params.duration("fetch_max_wait"), params.duration("request_timeout"));
    if wait >= timeout {
        let message = "fetch_max_wait (fetch.max.wait.ms) must be shorter than request_timeout (request.timeout.ms)";
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.fetch_max_wait"), message)
                .with_hint(format!("keep it below {timeout}, or allow a request more time")),
        );
    }
}
