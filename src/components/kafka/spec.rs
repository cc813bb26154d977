//! What a Kafka cluster can be told, and the problems that its settings can have.

use super::acls;
use crate::components::{BuildCtx, KindSpec, Params, TopicDecl};
use crate::diagnostics::Diagnostic;
use crate::event::RemoteAssignor;
use crate::machines::broker::cluster::Leaders;
use crate::model::{Component, Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Same};
use ParamType as T;

pub(super) const DOCUMENTED: Provenance = Provenance::Documented("Kafka 4.0 broker and topic configuration");
/// Partitions of one cluster, at most.
const PARTITIONS_MAX: i64 = 100_000;

const TOPIC: &[ParamSpec] = &[
    ParamSpec::new("partitions", "Partitions", T::Count { min: 1, max: 10_000 }, Same("1"), "How many logs the topic is split into")
        .key("num.partitions")
        .from(DOCUMENTED),
    ParamSpec::new(
        "replication",
        "Replication factor",
        T::Count { min: 1, max: 100 },
        Same("1"),
        "Copies of each partition, the leader's included",
    )
    .key("default.replication.factor")
    .from(DOCUMENTED),
    ParamSpec::new(
        "retention_time",
        "Retention time",
        T::Duration { min: "1ms", max: "3650d" },
        Same("7d"),
        "Segments whose newest record is older are deleted",
    )
    .key("retention.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "retention_size",
        "Retention size",
        T::Size { min: "1B", max: "1TiB" },
        Absent,
        "Oldest segments of a partition are deleted beyond this size; unlimited when absent",
    )
    .key("retention.bytes")
    .from(DOCUMENTED),
    ParamSpec::new(
        "segment_size",
        "Segment size",
        T::Size { min: "1KiB", max: "1TiB" },
        Same("1GiB"),
        "A segment this large is closed; retention takes whole closed segments",
    )
    .key("segment.bytes")
    .from(DOCUMENTED),
    ParamSpec::new(
        "segment_time",
        "Segment time",
        T::Duration { min: "1ms", max: "3650d" },
        Same("7d"),
        "A segment open this long is closed",
    )
    .key("segment.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "cleanup_policy",
        "Cleanup",
        T::Choice(&["delete", "compact", "compact,delete"]),
        Same("delete"),
        "What becomes of old records: `delete` drops them by age and size, `compact` keeps the last value of each key",
    )
    .key("cleanup.policy")
    .from(DOCUMENTED),
    ParamSpec::new(
        "min_dirty_ratio",
        "Dirty share",
        T::Ratio { min: 0.0, max: 1.0 },
        Same("50%"),
        "A log is compacted when this share of its closed segments was not cleaned yet",
    )
    .key("min.cleanable.dirty.ratio")
    .from(DOCUMENTED),
    ParamSpec::new(
        "tombstone_time",
        "Tombstones stay",
        T::Duration { min: "0s", max: "3650d" },
        Same("24h"),
        "How long a deletion can be read after the cleaner first passed it",
    )
    .key("delete.retention.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "min_compaction_lag",
        "Compacted after",
        T::Duration { min: "0s", max: "3650d" },
        Same("0s"),
        "Younger records are not compacted",
    )
    .key("min.compaction.lag.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "max_compaction_lag",
        "Compacted within",
        T::Duration { min: "1ms", max: "3650d" },
        Absent,
        "Records do not stay uncleaned for longer, however small their share",
    )
    .key("max.compaction.lag.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "timestamp_type",
        "Timestamps",
        T::Choice(&["CreateTime", "LogAppendTime"]),
        Same("CreateTime"),
        "Whose clock records are stamped by: the producer's, or the broker's when it appends them",
    )
    .key("message.timestamp.type")
    .from(DOCUMENTED),
    ParamSpec::new(
        "timestamp_before_max",
        "Oldest timestamp",
        T::Duration { min: "0s", max: "87600h" },
        Absent,
        "A batch is refused that says it is older, by the broker's clock; any age when absent",
    )
    .key("message.timestamp.before.max.ms")
    .from(DOCUMENTED),
    ParamSpec::new(
        "timestamp_after_max",
        "Newest timestamp",
        T::Duration { min: "0s", max: "87600h" },
        Same("1h"),
        "A batch is refused that is further ahead of the broker's clock",
    )
    .key("message.timestamp.after.max.ms")
    .from(DOCUMENTED),
    ParamSpec::new("max_message_size", "Largest batch", T::Size { min: "1B", max: "1GiB" }, Same("1048588B"), "A larger batch is refused")
        .key("max.message.bytes")
        .from(DOCUMENTED),
    ParamSpec::new("owner", "Owner", T::Text { max_chars: 200 }, Absent, "Team that owns the topic"),
    ParamSpec::new("description", "Description", T::LongText, Absent, "What the topic carries"),
];

/// A cluster.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "kafka",
    title: "Kafka cluster",
    category: "Messaging",
    profiles: &["kafka-4.0", "kafka-3.9"],
    help: "Keeps topics as partitioned logs and hands them to consumer groups",
    params: PARAMS,
    actions: super::actions::ACTIONS,
    id_stem: "kafka",
};

pub(super) const PARAMS: &[ParamSpec] = &[
    ParamSpec::new("topics", "Topics", T::Named(TOPIC), Absent, "Each topic is a port of the card").group("Topics"),
    ParamSpec::new("brokers", "Brokers", T::Count { min: 1, max: 100 }, Same("3"), "Nodes; each leads its share of the partitions")
        .group("Cluster"),
    ParamSpec::new(
        "racks",
        "Racks",
        T::Words,
        Absent,
        "Racks of the brokers, dealt out in turn: with a, b, c broker 3 is in a again. A partition's replicas go to different ones",
    )
    .key("broker.rack")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "min_insync_replicas",
        "Min in-sync replicas",
        T::Count { min: 1, max: 100 },
        Same("1"),
        "Fewest copies that must take a batch under acks=all",
    )
    .key("min.insync.replicas")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "unclean_leader_election",
        "Unclean election",
        T::Bool,
        Same("false"),
        "Whether a replica that is not in sync may lead when no other can: available sooner, with acknowledged records lost",
    )
    .key("unclean.leader.election.enable")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "replica_lag_max",
        "Replica lag",
        T::Duration { min: "1ms", max: "1h" },
        Same("30s"),
        "A follower that has not caught up for so long is no longer in sync",
    )
    .key("replica.lag.time.max.ms")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "broker_session_timeout",
        "Broker session",
        T::Duration { min: "1ms", max: "1h" },
        Same("9s"),
        "A node that the controller has not heard of for so long is fenced, and others lead",
    )
    .key("broker.session.timeout.ms")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "leader_imbalance_check",
        "Leader balance check",
        T::Duration { min: "1s", max: "30d" },
        Same("5min"),
        "How often leaders are given back to the first replica of each partition",
    )
    .key("leader.imbalance.check.interval.seconds")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "initial_rebalance_delay",
        "Initial rebalance delay",
        T::Duration { min: "0s", max: "1h" },
        Same("3s"),
        "An empty classic group waits this long for more members",
    )
    .key("group.initial.rebalance.delay.ms")
    .from(DOCUMENTED)
    .group("Groups"),
    ParamSpec::new(
        "consumer_heartbeat_interval",
        "Heartbeat of members",
        T::Duration { min: "1ms", max: "1h" },
        Same("5s"),
        "How often members of the consumer protocol shall come; with it they hear what they have to let go of",
    )
    .key("group.consumer.heartbeat.interval.ms")
    .from(DOCUMENTED)
    .group("Groups"),
    ParamSpec::new(
        "consumer_session_timeout",
        "Session of members",
        T::Duration { min: "1ms", max: "24h" },
        Same("45s"),
        "A member of the consumer protocol that is silent for so long is out; beyond 45 s to 60 s a broker needs group.consumer.min.session.timeout.ms or group.consumer.max.session.timeout.ms too",
    )
    .key("group.consumer.session.timeout.ms")
    .from(DOCUMENTED)
    .group("Groups"),
    ParamSpec::new(
        "consumer_assignors",
        "Assignors of the cluster",
        T::Words,
        Same("uniform, range"),
        "How partitions are dealt out to members of the consumer protocol: uniform, range; the first where no member asks for one",
    )
    .key("group.consumer.assignors")
    .from(DOCUMENTED)
    .group("Groups"),
    ParamSpec::new(
        "cleaner_backoff",
        "Cleaner's rest",
        T::Duration { min: "1ms", max: "24h" },
        Same("15s"),
        "Time between two looks for logs that are worth compacting",
    )
    .key("log.cleaner.backoff.ms")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "retention_check_interval",
        "Retention check",
        T::Duration { min: "1ms", max: "30d" },
        Same("5min"),
        "How often old segments are looked for; a rolled segment looks at once",
    )
    .key("log.retention.check.interval.ms")
    .from(DOCUMENTED)
    .group("Cluster"),
    ParamSpec::new(
        "producer_byte_rate",
        "Producer quota",
        T::Size { min: "1B", max: "1TiB" },
        Absent,
        "Bytes a second that each client may write to each node; beyond ten seconds' worth of it the node mutes the client",
    )
    .key("producer_byte_rate")
    .from(DOCUMENTED)
    .group("Quotas"),
    ParamSpec::new(
        "consumer_byte_rate",
        "Consumer quota",
        T::Size { min: "1B", max: "1TiB" },
        Absent,
        "Bytes a second that each client may fetch from each node; beyond ten seconds' worth of it the node answers empty and mutes it",
    )
    .key("consumer_byte_rate")
    .from(DOCUMENTED)
    .group("Quotas"),
    acls::PARAMS[0],
    acls::PARAMS[1],
    acls::PARAMS[2],
    ParamSpec::new(
        "max_connections",
        "Connections",
        T::Count { min: 1, max: 1_000_000 },
        Absent,
        "Connections that one node has at most; a further one waits until another was idle for too long. Unlimited when absent",
    )
    .key("max.connections")
    .from(DOCUMENTED)
    .group("Connections"),
    ParamSpec::new(
        "max_connections_per_client",
        "Connections of a client",
        T::Count { min: 1, max: 1_000_000 },
        Absent,
        "Connections that one node takes from one component, whose instances share an address; further ones are closed at once",
    )
    .key("max.connections.per.ip")
    .from(DOCUMENTED)
    .group("Connections"),
    ParamSpec::new(
        "connections_idle_max",
        "Idle connections",
        T::Duration { min: "1ms", max: "30d" },
        Same("10min"),
        "A connection that nobody used for so long is closed; counted where there is a limit",
    )
    .key("connections.max.idle.ms")
    .from(DOCUMENTED)
    .group("Connections"),
    ParamSpec::new(
        "queued_max_requests",
        "Queued requests",
        T::Count { min: 1, max: 100_000 },
        Same("500"),
        "Requests that wait at one node for a thread; when so many do, the network threads read nothing more until one is taken",
    )
    .key("queued.max.requests")
    .from(DOCUMENTED)
    .group("Cost model"),
    ParamSpec::new("io_threads", "Request threads", T::Count { min: 1, max: 1_000 }, Same("8"), "Requests that one node serves at once")
        .key("num.io.threads")
        .from(DOCUMENTED)
        .group("Cost model"),
    ParamSpec::new(
        "request_service_time",
        "Time per request",
        T::DurationDist,
        Same("100us"),
        "Work of a node for each request, whatever its size",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "byte_service_time",
        "Time per KiB",
        T::Duration { min: "0s", max: "1s" },
        Same("1us"),
        "Work of a node for each KiB that a request carries in",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "replication_latency",
        "Latency between nodes",
        T::DurationDist,
        Same("500us"),
        "One way between two nodes; a follower's fetch pays it twice",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
];

/// The topics, read leniently.
pub(super) fn topics(component: &Component) -> Vec<TopicDecl> {
    let params = Params::new(PARAMS, component.profile.as_deref(), &component.params);
    let nodes = nodes(&params);
    let topic = |(place, (name, row)): (usize, (&str, Params<'_>))| TopicDecl {
        name: name.to_owned(),
        partitions: row.count("partitions").clamp(1, 10_000) as u32,
        leaders: Leaders::new(place, nodes),
        needs_keys: row.text("cleanup_policy").contains("compact"),
    };
    params.named("topics").into_iter().enumerate().map(topic).collect()
}

/// How many nodes the cluster has.
pub(super) fn nodes(params: &Params<'_>) -> u32 {
    params.count("brokers").clamp(1, 100) as u32
}

/// What groups of the consumer protocol are dealt out by, the default first.
pub(super) fn remote_assignors(params: &Params<'_>) -> Vec<RemoteAssignor> {
    params.words("consumer_assignors").iter().filter_map(|name| RemoteAssignor::named(name)).collect()
}

/// Settings of groups that brokers refuse.
fn check_groups(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let words = params.words("consumer_assignors");
    let here = || format!("{path}.consumer_assignors");
    let hint = || format!("choose from {}", RemoteAssignor::ALL.map(RemoteAssignor::name).join(", "));
    if words.is_empty() {
        out.push(Diagnostic::error("param-choice", here(), "a cluster needs an assignor").with_hint(hint()));
    }
    for word in words.iter().filter(|word| RemoteAssignor::named(word).is_none()) {
        out.push(Diagnostic::error("param-choice", here(), format!("brokers have no assignor `{word}`")).with_hint(hint()));
    }
    if params.duration("consumer_heartbeat_interval") >= params.duration("consumer_session_timeout") {
        let message = "consumer_heartbeat_interval (group.consumer.heartbeat.interval.ms) must be shorter than \
                       consumer_session_timeout (group.consumer.session.timeout.ms)";
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.consumer_heartbeat_interval"), message)
                .with_hint("a third of consumer_session_timeout or less is usual"),
        );
    }
}

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    check_groups(&path, params, out);
    let brokers = params.count("brokers");
    let topics = params.named("topics");
    if topics.is_empty() {
        out.push(
            Diagnostic::warning(
                "kafka-no-topics",
                format!("{path}.topics"),
                format!("`{}` has no topics, so nothing can be linked to it", ctx.id),
            )
            .with_hint("add one, for example topics: {\"orders\": (partitions: 6)}"),
        );
    }
    acls::check(ctx, params, out);
    let partitions: i64 = topics.iter().map(|(_, row)| row.count("partitions")).sum();
    if partitions > PARTITIONS_MAX {
        out.push(Diagnostic::error(
            "kafka-partitions",
            format!("{path}.topics"),
            format!("{partitions} partitions; one cluster may have {PARTITIONS_MAX}"),
        ));
    }
    for (name, row) in topics {
        let here = format!("{path}.topics.{name}");
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 249 || !name.chars().all(legal) {
            out.push(
                Diagnostic::error(
                    "topic-name",
                    here.clone(),
                    format!("`{}` cannot name a topic", name.chars().take(60).collect::<String>()),
                )
                .with_hint("Kafka allows letters, digits, . _ and -, at most 249"),
            );
        }
        let replication = row.count("replication");
        if replication > brokers {
            out.push(
                Diagnostic::error(
                    "kafka-replication",
                    format!("{here}.replication"),
                    format!("`replication` (default.replication.factor) is {replication}, but there are only {brokers} brokers"),
                )
                .with_hint(format!("at most {brokers}, or add brokers")),
            );
        }
        let insync = params.count("min_insync_replicas");
        if insync > replication {
            out.push(
                Diagnostic::warning(
                    "kafka-insync",
                    format!("{here}.replication"),
                    format!("`min_insync_replicas` (min.insync.replicas) is {insync}, more than the {replication} copies: acks=all is always refused"),
                )
                .with_hint("raise `replication` or lower `min_insync_replicas`"),
            );
        }
    }
}

/// Partitions of one topic that show a figure of their own; further ones count in the topic's only.
pub(super) const PARTITION_FIGURES_MAX: usize = 64;
