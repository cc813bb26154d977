//! How a consumer is a member of its group, and the problems that this can have.
//!
//! In: settings, and those of the clusters that it reads. Out: the protocol of its members, diagnostics. Kafka refuses
//! settings of one protocol with the other (`ConsumerConfig`), and so does this. Must not know: what members do. Start at
//! [`check`].

use std::collections::BTreeMap;

use crate::components::{BuildCtx, Params, kafka};
use crate::diagnostics::Diagnostic;
use crate::event::{Assignor, RemoteAssignor};
use crate::machines::broker::client::GroupProtocol;
use crate::model::Component;
use crate::units::ComponentIx;

/// Settings that the consumer protocol refuses: here, in Kafka, and where their matter is settled then.
const CLASSIC_ONLY: &[(&str, &str, &str)] = &[
    ("assignor", "partition.assignment.strategy", "remote_assignor here, and consumer_assignors (group.consumer.assignors) of the cluster"),
    ("session_timeout", "session.timeout.ms", "consumer_session_timeout (group.consumer.session.timeout.ms) of the cluster"),
    ("heartbeat_interval", "heartbeat.interval.ms", "consumer_heartbeat_interval (group.consumer.heartbeat.interval.ms) of the cluster"),
];

/// `group.protocol`.
pub(super) fn protocol(params: &Params<'_>) -> GroupProtocol {
    if params.text("group_protocol") != "consumer" {
        return GroupProtocol::Classic;
    }
    GroupProtocol::Consumer {
        assignor: RemoteAssignor::named(&params.text("remote_assignor")).filter(|_| params.is_given("remote_assignor")),
    }
}

/// Problems of the group's settings.
pub(super) fn check(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    match protocol(params) {
        GroupProtocol::Classic => check_classic(path, params, out),
        GroupProtocol::Consumer { assignor } => check_modern(ctx, path, (params, assignor), out),
    }
    check_other_members(ctx, path, params, out);
    check_partitions(ctx, path, params, out);
}

fn check_classic(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if params.is_given("remote_assignor") {
        let message = "remote_assignor (group.remote.assignor) cannot be set with group_protocol: \"classic\"";
        let hint = "set assignor (partition.assignment.strategy), or group_protocol: \"consumer\"";
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.remote_assignor"), message).with_hint(hint));
    }
    if params.duration("heartbeat_interval") >= params.duration("session_timeout") {
        let message = "heartbeat_interval (heartbeat.interval.ms) must be shorter than session_timeout (session.timeout.ms)";
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.heartbeat_interval"), message)
                .with_hint("a third of session_timeout or less is usual"),
        );
    }
    check_assignors(path, params, out);
}

fn check_assignors(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let words = params.words("assignor");
    let known = Assignor::ALL.map(Assignor::name);
    let hint = format!("choose from {}", known.join(", "));
    if words.is_empty() {
        out.push(Diagnostic::error("param-choice", format!("{path}.assignor"), "a member needs an assignor").with_hint(hint));
        return;
    }
    for word in words.iter().filter(|word| Assignor::named(word).is_none()) {
        let message = format!("there is no assignor `{word}`");
        out.push(Diagnostic::error("param-choice", format!("{path}.assignor"), message).with_hint(hint.clone()));
    }
}

fn check_modern(ctx: &BuildCtx<'_>, path: &str, (params, assignor): (&Params<'_>, Option<RemoteAssignor>), out: &mut Vec<Diagnostic>) {
    for (name, key, home) in CLASSIC_ONLY.iter().filter(|(name, ..)| params.is_given(name)) {
        let message = format!("{name} ({key}) cannot be set with group_protocol: \"consumer\"");
        let hint = format!("take it away and set {home}");
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.{name}"), message).with_hint(hint));
    }
    let mine = ctx.project.components.get(ctx.id).and_then(|component| component.profile.as_deref());
    let mut previews = mine == Some(PREVIEW_PROFILE);
    for (id, cluster) in clusters(ctx) {
        previews |= cluster.profile.as_deref() == Some(PREVIEW_PROFILE);
        let known = kafka::remote_assignors(cluster);
        if let Some(assignor) = assignor.filter(|assignor| !known.contains(assignor)) {
            let message = format!("{id} has no assignor `{}`: members are refused (UNSUPPORTED_ASSIGNOR)", assignor.name());
            let hint = format!("add it to consumer_assignors (group.consumer.assignors) of {id}");
            out.push(Diagnostic::error("assignor-unsupported", format!("{path}.remote_assignor"), message).with_hint(hint));
        }
    }
    if previews {
        let message =
            "the consumer protocol is a preview in Kafka 3.9: its brokers have to be told to allow it, and it is not for production";
        let hint = "choose the profile kafka-4.0 for consumer and cluster, or group_protocol: \"classic\"";
        out.push(Diagnostic::warning("preview-feature", format!("{path}.group_protocol"), message).with_hint(hint));
    }
}

/// In which the consumer protocol is no more than a preview.
const PREVIEW_PROFILE: &str = "kafka-3.9";

/// Clusters that it reads, each once.
fn clusters<'a>(ctx: &'a BuildCtx<'_>) -> impl Iterator<Item = (&'a str, &'a Component)> {
    let read: std::collections::BTreeSet<ComponentIx> =
        ctx.links_at("in").filter_map(|facts| Some(facts.topic.as_ref()?.cluster)).collect();
    read.into_iter().filter_map(|cluster| ctx.project.components.get_index(cluster.index())).map(|(id, component)| (id.as_str(), component))
}

/// A group is of one protocol while it has members.
fn check_other_members(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if params.count("instances") == 0 {
        return;
    }
    let group = super::group_name(ctx.id, params);
    let is_modern = |params: &Params<'_>| params.text("group_protocol") == "consumer";
    for (id, other) in ctx.project.components.iter().filter(|(id, other)| *id != ctx.id && other.kind == super::spec::SPEC.id) {
        let theirs = Params::new(super::spec::SPEC.params, other.profile.as_deref(), &other.params);
        let runs = theirs.count("instances") > 0 && super::group_name(id, &theirs) == group;
        if runs && is_modern(&theirs) && !is_modern(params) {
            let message = format!(
                "the group {group} is of one protocol while it has members, and {id} speaks the consumer protocol: who comes second is refused"
            );
            let hint = "give both the same group_protocol, or begin with instances: 0 and start one after the other has stopped";
            out.push(Diagnostic::warning("group-protocols", format!("{path}.group_protocol"), message).with_hint(hint));
        }
    }
}

fn check_partitions(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    // The range assignors deal each topic out on its own, so a member beyond the widest topic gets nothing; the
    // others deal out all topics together.
    let chosen = match protocol(params) {
        GroupProtocol::Classic => params.words("assignor").first().cloned().unwrap_or_default(),
        GroupProtocol::Consumer { assignor: Some(assignor) } => assignor.name().to_owned(),
        GroupProtocol::Consumer { assignor: None } => {
            let first = clusters(ctx).next().and_then(|(_, cluster)| kafka::remote_assignors(cluster).first().copied());
            first.unwrap_or(RemoteAssignor::Uniform).name().to_owned()
        }
    };
    let by_topic = chosen == Assignor::Range.name();
    let mut shares: BTreeMap<ComponentIx, u32> = BTreeMap::new();
    for topic in ctx.links_at("in").filter_map(|facts| facts.topic.as_ref()) {
        let partitions = shares.entry(topic.cluster).or_default();
        *partitions = if by_topic { (*partitions).max(topic.partitions) } else { *partitions + topic.partitions };
    }
    let instances = params.count("instances");
    for (cluster, partitions) in shares {
        if instances > i64::from(partitions) {
            out.push(
                Diagnostic::warning(
                    "instances-idle",
                    format!("{path}.instances"),
                    format!(
                        "{instances} instances share {partitions} partitions of {}: {} stay idle",
                        ctx.id_of(cluster),
                        instances - i64::from(partitions)
                    ),
                )
                .with_hint("add partitions, or take instances away"),
            );
        }
    }
}
