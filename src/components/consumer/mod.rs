//! The consumer: members of a group that fetch, decode, process, commit, retry and dead-letter.
//!
//! In: records of topics, answers of coordinators and registries. Out: fetches, group calls, look-ups, dead
//! letters, results, and the end of each obligation. Every instance has one buffer and `concurrency` workers; a worker
//! takes the oldest record, so with one partition the whole component is one FIFO queue with c servers; `pool.rs` is a
//! queue of the workers' own.
//! Must not know: the log, the registry's rules. Start at [`sim::Consumer`]; `intake.rs` turns batches into
//! records, `work.rs` serves them, `results.rs` writes what is made of them,
//! `transactions.rs` binds that to their positions, `retries/` writes failed events to retry topics, and the group protocol is in `machines::broker::client`. One that reads
//! queues is `queue/`, one that a fan-out topic pushes to `push/`.

pub(in crate::components) mod actions;
mod corrupt;
pub(in crate::components) mod encoders;
pub(in crate::components) mod frameworks;
mod from_queue;
mod groups;
pub(in crate::components) mod handler;
mod intake;
mod moving;
pub(in crate::components) mod outbox;
mod pauses;
mod pool;
mod push;
pub(in crate::components) mod queue;
mod refusals;
mod reset;
mod results;
pub(in crate::components) mod retries;
mod scaling;
mod schemas;
mod sim;
mod snapshot;
pub(in crate::components) mod spec;
mod suspension;
mod transactions;
mod work;

use std::sync::Arc;

use self::retries::Retries;
use crate::components::{
    BuildCtx, CompanionTopic, Declarations, Framework, Kind, KindSpec, Params, PeerTopic, PortSpec, PortType, SchemaWritten, SchemasRead,
};
use crate::diagnostics::Diagnostic;
use crate::engine::Process;
use crate::event::{Assignor, Isolation};
use crate::machines::broker::client::{CommitMode, ConsumerConfig, OffsetReset, ProducerClient, ProducerConfig, ReadTopic};
use crate::model::Component;
use crate::units::{ComponentIx, GroupIx, SimDuration};

/// The kind.
#[derive(Debug)]
pub struct ConsumerKind;

impl Kind for ConsumerKind {
    fn spec(&self) -> &'static KindSpec {
        &spec::SPEC
    }
    fn ports(&self, _: &Component) -> Vec<PortSpec> {
        vec![
            PortSpec { name: "in".to_owned(), ty: PortType::RecordsIn, help: "Topics to read, or queues, or a fan-out topic that pushes" },
            PortSpec { name: "dead_letters".to_owned(), ty: PortType::RecordsOut, help: "Topic for records that cannot be processed" },
            PortSpec { name: "results".to_owned(), ty: PortType::RecordsOut, help: "Topic for what is made of each event" },
            PortSpec { name: "schemas".to_owned(), ty: PortType::SchemasFrom, help: "Looks schemas up at a registry" },
        ]
    }
    fn declares(&self, id: &str, component: &Component) -> Declarations {
        let params = Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params);
        Declarations {
            group: Some(group_name(id, &params)),
            guarantees: params.words("guarantees"),
            event_types: params.optional_text("result_type").into_iter().collect(),
            schemas_written: schemas_written(&params),
            schemas_read: params.flag("validate").then(|| SchemasRead {
                version: params.is_given("reader_version").then(|| u32::try_from(params.count("reader_version")).unwrap_or(1)),
            }),
            ..Declarations::default()
        }
    }
    fn framework(&self, profile: &str) -> Option<&'static Framework> {
        frameworks::ALL.iter().find(|framework| framework.profile == profile)
    }
    fn companion_topics(&self, component: &Component, topic: &str) -> Vec<CompanionTopic> {
        retries::spec::companions(&Params::new(spec::SPEC.params, component.profile.as_deref(), &component.params), topic)
    }
    fn check(&self, ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
        spec::check(ctx, params, out);
    }
    fn build(&self, ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Box<dyn Process>, Diagnostic> {
        if push::spec::is_pushed_to(ctx) {
            return Ok(Box::new(push::PushConsumer::new(ctx, params)));
        }
        if queue::spec::reads_queue(ctx) {
            return Ok(Box::new(queue::QueueConsumer::new(ctx, params)?));
        }
        Ok(Box::new(sim::Consumer::new(ctx, params)?))
    }
}

/// What it makes of events that it has processed.
fn schemas_written(params: &Params<'_>) -> Vec<SchemaWritten> {
    let written = |subject| SchemaWritten { subject, naming: None, message: None, version: None, port: "results", topic: None };
    params.optional_text("result_schema").map(written).into_iter().collect()
}

/// A consumer with a logic of its own, and an outbox for what that makes.
pub(in crate::components) fn handled(
    ctx: &BuildCtx<'_>,
    params: &Params<'_>,
    handler: Box<dyn handler::Handler>,
    relay: outbox::Relay,
) -> Result<Box<dyn Process>, Diagnostic> {
    let encoders = encoders::Encoders::new(ctx, params)?;
    Ok(Box::new(sim::Consumer::new(ctx, params)?.handled_by(handler, relay, encoders)))
}

/// `group.id`, or the component's id.
pub(in crate::components) fn group_name(id: &str, params: &Params<'_>) -> String {
    params.optional_text("group").unwrap_or_else(|| id.to_owned())
}

fn commit_mode(params: &Params<'_>) -> CommitMode {
    match params.text("commit").as_str() {
        "before" => CommitMode::Before,
        "after" => CommitMode::After,
        "transaction" => CommitMode::Transaction,
        _ => CommitMode::Auto,
    }
}

/// Whether it reads topics as a table.
fn reads_snapshot(params: &Params<'_>) -> bool {
    params.is_given("read") && params.text("read") == "snapshot"
}

/// `partition.assignment.strategy`, best liked first.
fn assignors(params: &Params<'_>) -> Arc<[Assignor]> {
    params.words("assignor").iter().filter_map(|name| Assignor::named(name)).collect()
}

/// One member's settings for each group that the component reads with: of each cluster, and of each retry topic. Call tags
/// are given by the instance.
fn client_configs(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Vec<ConsumerConfig> {
    let name = group_name(ctx.id, params);
    let mut configs: Vec<(ComponentIx, ConsumerConfig)> = Vec::new();
    let mut add = |topic: &PeerTopic, name: &str, link: u16, reset: Option<OffsetReset>| {
        let read = ReadTopic { topic: topic.topic, leaders: topic.leaders, link };
        let Some(group) = ctx.groups.iter().find(|group| group.cluster == topic.cluster && *group.name == *name) else { return };
        match configs.iter_mut().find(|(_, config)| config.group == group.group) {
            Some((_, config)) => config.topics.push(read),
            None => {
                let mut config = client_config(ctx, params, topic.cluster, group.group);
                config.topics.push(read);
                config.reset = reset.unwrap_or(config.reset);
                configs.push((topic.cluster, config));
            }
        }
    };
    for facts in ctx.links_at("in") {
        if let Some(topic) = &facts.topic {
            add(topic, &name, facts.end.0, None);
        }
    }
    for facts in ctx.links_at("in") {
        let Some(main) = &facts.topic else { continue };
        for companion in retries::spec::companions(params, &main.name) {
            // Nothing stands in it that is older than its listener.
            if let (Some(suffix), Some(topic)) = (&companion.group_suffix, retries::beside(ctx, main, &companion.name)) {
                add(topic, &format!("{name}{suffix}"), facts.end.0, Some(OffsetReset::Earliest));
            }
        }
    }
    configs.into_iter().map(|(_, config)| config).collect()
}

/// The same for one group, without its topics.
fn client_config(ctx: &BuildCtx<'_>, params: &Params<'_>, cluster: ComponentIx, group: GroupIx) -> ConsumerConfig {
    let mut cluster_topics: Vec<_> = ctx.topics.iter().filter(|other| other.cluster == cluster).collect();
    cluster_topics.sort_by(|one, other| one.name.cmp(&other.name));
    ConsumerConfig {
        client_id: Arc::from(ctx.key),
        instance: params.flag("static_members").then(|| Arc::from(ctx.key)),
        group,
        topics: Vec::new(),
        standalone: reads_snapshot(params),
        protocol: groups::protocol(params),
        assignors: assignors(params),
        cluster_topics: cluster_topics.iter().map(|topic| (topic.topic, topic.partitions)).collect(),
        session_timeout: params.duration("session_timeout"),
        heartbeat_interval: params.duration("heartbeat_interval"),
        rebalance_timeout: params.duration("rebalance_timeout"),
        request_timeout: params.duration("request_timeout"),
        retry_backoff: SimDuration::from_ms(100),
        retry_backoff_max: SimDuration::from_secs(1),
        metadata_age_max: params.duration("metadata_max_age"),
        rack: params.optional_text("rack").map(Arc::from),
        fetch_min_bytes: params.size("fetch_min_bytes").unwrap_or(1),
        fetch_max_wait: params.duration("fetch_max_wait"),
        fetch_max_bytes: params.size("fetch_max_bytes").unwrap_or(1),
        partition_fetch_bytes: params.size("partition_fetch_bytes").unwrap_or(1),
        reset: if reads_snapshot(params) || params.text("offset_reset") == "earliest" {
            OffsetReset::Earliest
        } else {
            OffsetReset::Latest
        },
        commit: commit_mode(params),
        isolation: if params.text("isolation") == "read_committed" { Isolation::Committed } else { Isolation::Uncommitted },
        refusal_retry: params.is_given("authorization_retry").then(|| params.duration("authorization_retry")),
        call_tag: 0,
    }
}

/// The client that writes dead letters and to retry topics, and those; none where neither is wanted.
fn dead_letter_client(ctx: &BuildCtx<'_>, params: &Params<'_>) -> (Option<ProducerClient>, Option<Retries>) {
    // A worker waits for each dead letter, so it does not linger.
    let cfg =
        ProducerConfig { linger: SimDuration::ZERO, report_acks: true, call_tag: sim::CALLS_DEAD_LETTER, ..ProducerConfig::default() };
    let mut client = ProducerClient::new(cfg, ctx.stream("dead-letter-partitions"));
    if let Some(retries) = Retries::new(ctx, params, &mut client) {
        return (Some(client), Some(retries));
    }
    let mut linked = ctx.links_at("dead_letters").filter_map(|facts| Some((facts.topic.as_ref()?, facts.end)));
    let Some((topic, end)) = linked.next() else { return (None, None) };
    client.add_topic(topic.topic, topic.partitions, topic.leaders, end.0);
    (Some(client), None)
}

#[cfg(test)]
mod tests;
