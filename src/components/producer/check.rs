//! What is wrong with a producer's settings beyond each parameter's own range.

use std::collections::BTreeSet;

use crate::components::registry::GLUE;
use crate::components::{BuildCtx, EndRole, LinkFacts, Params};
use crate::diagnostics::{Diagnostic, nearest};

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    let outs: Vec<&LinkFacts> = ctx.links_at("out").filter(|facts| facts.role == EndRole::From).collect();
    if outs.is_empty() {
        out.push(
            Diagnostic::warning("link-missing", path.clone(), "its events go nowhere")
                .with_hint(format!("link {}.out to a topic, to a queue or to a gateway", ctx.id)),
        );
    }
    check_delivery(&path, params, out);
    super::transactions::check(ctx, &path, params, out);
    check_events(ctx, &path, params, &outs, out);
    check_keys(&path, params, &outs, out);
    super::credentials::check(&path, params, out);
    if params.text("cloud_events") == "structured" && !outs.iter().any(|facts| facts.port_leads_to_http()) {
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.cloud_events"), "only requests to a gateway have a content mode")
                .with_hint("link `out` to a gateway, or leave `cloud_events` out"),
        );
    }
    if params.is_given("users") && !outs.iter().any(|facts| facts.port_leads_to_http()) {
        out.push(
            Diagnostic::error("users-no-gateway", format!("{path}.users"), "users wait for answers, and nothing here answers")
                .with_hint("link `out` to a gateway, or leave `users` out"),
        );
    }
    for (index, header) in params.words("headers").iter().enumerate() {
        if header.split_once(':').is_none_or(|(name, _)| name.trim().is_empty()) {
            out.push(
                Diagnostic::error("header-bad", format!("{path}.headers[{index}]"), format!("`{header}` is no header"))
                    .with_hint("write \"name: value\""),
            );
        }
    }
    for (index, status) in super::retry_statuses(params).into_iter().enumerate() {
        if let Err(text) = status {
            out.push(
                Diagnostic::error("param-type", format!("{path}.retry_statuses[{index}]"), format!("`{text}` is no HTTP status"))
                    .with_hint("write numbers such as 429, 503"),
            );
        }
    }
}

fn is_glue(ctx: &BuildCtx<'_>, id: &str) -> bool {
    ctx.project.components.get(id).is_some_and(|component| component.profile.as_deref() == Some(GLUE))
}

/// A compacted topic keeps the last value of each key: it refuses what has none.
fn check_keys(path: &str, params: &Params<'_>, outs: &[&LinkFacts], out: &mut Vec<Diagnostic>) {
    let keyed = outs.iter().filter_map(|facts| facts.topic.as_ref()).find(|topic| topic.needs_keys);
    if let Some(topic) = keyed.filter(|_| params.text("keys") == "none") {
        let message = format!("`{}` is compacted and refuses every event of this producer: they carry no key", topic.name);
        out.push(
            Diagnostic::warning("keys-missing", format!("{path}.keys"), message)
                .with_hint("write keys: \"uniform(1000)\", or give the topic cleanup_policy: \"delete\""),
        );
    }
}

fn check_delivery(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let needs = |key: &str, fix: &str| {
        Diagnostic::error("setting-contradiction", format!("{path}.idempotence"), format!("idempotence (enable.idempotence) needs {key}"))
            .with_hint(fix.to_owned())
    };
    if params.is_given("idempotence") && params.flag("idempotence") {
        if params.text("acks") != "all" {
            out.push(needs("acks = all", "write acks: \"all\", or idempotence: false"));
        }
        if params.count("retries") == 0 {
            out.push(needs("retries above 0", "leave `retries` out, or write idempotence: false"));
        }
        if params.count("max_in_flight") > 5 {
            out.push(needs("max.in.flight.requests.per.connection of at most 5", "write max_in_flight: 5, or idempotence: false"));
        }
    } else if !super::idempotence(params) && params.count("max_in_flight") > 1 && params.count("retries") > 0 && params.text("acks") != "0"
    {
        out.push(
            Diagnostic::note(
                "order-risk",
                format!("{path}.max_in_flight"),
                "without idempotence a retried batch may be overtaken by a later one",
            )
            .with_hint(
                "for order, write idempotence: true (enable.idempotence) or max_in_flight: 1 (max.in.flight.requests.per.connection)",
            ),
        );
    }
    let (linger, request, delivery) = (params.duration("linger"), params.duration("request_timeout"), params.duration("delivery_timeout"));
    if delivery < linger.plus(request) {
        out.push(
            Diagnostic::error(
                "setting-contradiction",
                format!("{path}.delivery_timeout"),
                "delivery_timeout (delivery.timeout.ms) must be at least linger (linger.ms) + request_timeout (request.timeout.ms)",
            )
            .with_hint(format!("write delivery_timeout: \"{}\" or more", linger.plus(request))),
        );
    }
    if params.size("buffer_memory") < params.size("batch_size") {
        out.push(
            Diagnostic::error(
                "setting-contradiction",
                format!("{path}.buffer_memory"),
                "buffer_memory (buffer.memory) holds not even one batch (batch.size)",
            )
            .with_hint("make it larger than batch_size"),
        );
    }
}

fn check_events(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, outs: &[&LinkFacts], out: &mut Vec<Diagnostic>) {
    let rows = params.rows("events");
    let registries: Vec<&str> = ctx.links_at("schemas").map(|facts| facts.peer_id.as_str()).collect();
    let subjects: BTreeSet<&str> = registries
        .iter()
        .filter_map(|id| ctx.project.components.get(*id)?.params.get("subjects")?.as_map())
        .flat_map(|subjects| subjects.keys().map(String::as_str))
        .collect();
    let topics: Vec<&str> =
        outs.iter().filter_map(|facts| facts.topic.as_ref().or(facts.queue.as_ref())).map(|topic| &*topic.name).collect();
    let mut weight = 0.0;
    for (index, row) in rows.iter().enumerate() {
        weight += row.number("weight");
        let here = format!("{path}.events[{index}]");
        if let Some(written) = super::schema_written(params, row) {
            let topic = written.topic.as_deref().or_else(|| topics.first().copied());
            let named =
                if registries.is_empty() { Ok(written.subject.clone()) } else { written.subject_in(ctx.project, ctx.schemas, topic) };
            let schema = match named {
                Ok(schema) => schema,
                Err(words) => {
                    let hint = "name one of the project's schemas, a record with a name, and a topic; or leave value_subject_naming out \
                                and write the subject";
                    out.push(Diagnostic::error("subject-naming", format!("{here}.schema"), words).with_hint(hint));
                    continue;
                }
            };
            let (known, what): (Vec<&str>, &str) = if registries.is_empty() {
                (ctx.project.schemas.keys().map(String::as_str).collect(), "schema of this project")
            } else {
                (subjects.iter().copied().collect(), "subject at the linked registry")
            };
            if !known.contains(&schema.as_str()) {
                let hint = match nearest(&schema, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if registries.is_empty() => format!("add it to `schemas`, or link {}.schemas to a registry", ctx.id),
                    None => "add the subject to the registry".to_owned(),
                };
                out.push(Diagnostic::error("schema-unknown", format!("{here}.schema"), format!("`{schema}` is no {what}")).with_hint(hint));
            }
        } else {
            for name in ["version", "message"].into_iter().filter(|name| row.is_given(name)) {
                let words = format!("a {name} without a schema says nothing");
                out.push(Diagnostic::warning("setting-unused", format!("{here}.{name}"), words));
            }
        }
        if let Some(topic) = row.optional_text("topic")
            && !topics.contains(&topic.as_str())
        {
            let diagnostic = if topics.is_empty() && !outs.is_empty() {
                Diagnostic::warning(
                    "topic-unlinked",
                    format!("{here}.topic"),
                    format!("`{topic}` is not linked: the gateway decides where it goes"),
                )
                .with_hint("leave `topic` out here, and route the event type at the gateway")
            } else {
                Diagnostic::error("topic-unlinked", format!("{here}.topic"), format!("{}.out is not linked to a topic `{topic}`", ctx.id))
                    .with_hint(
                        nearest(&topic, topics.iter().copied())
                            .map_or_else(|| format!("link {}.out to it", ctx.id), |near| format!("did you mean `{near}`?")),
                    )
            };
            out.push(diagnostic);
        }
    }
    if params.is_given("glue_compression") && !registries.iter().any(|id| is_glue(ctx, id)) {
        let words = "only AWS Glue's serializer packs payloads, and no linked registry is of the profile glue";
        out.push(Diagnostic::warning("setting-unused", format!("{path}.glue_compression"), words));
    }
    if params.is_given("value_subject_naming") && registries.is_empty() {
        let words = "without a registry no schema has a subject";
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.value_subject_naming"), words)
                .with_hint(format!("link {}.schemas to a registry", ctx.id)),
        );
    }
    if !rows.is_empty() && weight <= 0.0 {
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.events"), "every weight is zero, so no event can be drawn")
                .with_hint("give one type a weight above 0"),
        );
    }
    if params.ratio("invalid_ratio") > 0.0 && rows.iter().all(|row| row.optional_text("schema").is_none()) {
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.invalid_ratio"), "without a schema no payload can be invalid")
                .with_hint("give an event type a schema"),
        );
    }
}
