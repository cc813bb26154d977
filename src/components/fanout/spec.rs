//! What a fan-out topic can be told, and the problems that its settings can have.

use super::rows::{self, SUBSCRIPTION};
use super::{policies, subscriptions};
use crate::components::{BuildCtx, KindSpec, Params, queue};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Component, Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Amazon SNS Subscribe and quotas");
const STANDARD: &str = "sns-standard";
const FIFO: &str = "sns-fifo";

/// A fan-out topic.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "fanout",
    title: "Fan-out topic",
    category: "Messaging",
    profiles: &[STANDARD, FIFO],
    help: "Delivers each event to every queue, consumer or gateway that subscribes and whose filter takes it",
    params: PARAMS,
    actions: policies::ACTIONS,
    id_stem: "fanout",
};

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "subscriptions",
        "Subscriptions",
        T::Named(SUBSCRIPTION),
        Absent,
        "Settings of subscriptions, each called like what it is linked to; a link without a row takes everything",
    )
    .group("Subscriptions"),
    ParamSpec::new(
        "attributes",
        "Attributes",
        T::Words,
        Absent,
        "Fields of JSON bodies that publishers give as message attributes too, for filter policies: total, country. Raw delivery to a queue \
         takes ten attributes in all",
    )
    .group("Topic"),
    ParamSpec::new(
        "max_message_size",
        "Largest message",
        T::Size { min: "1KiB", max: "256KiB" },
        Same("256KiB"),
        "Body and attributes of an event, and of a whole batch",
    )
    .from(DOCUMENTED)
    .group("Topic"),
    ParamSpec::new(
        "content_deduplication",
        "Content deduplication",
        T::Bool,
        Same("false"),
        "FIFO: an event without a deduplication id is known by its body's SHA-256",
    )
    .key("ContentBasedDeduplication")
    .from(DOCUMENTED)
    .group("FIFO"),
    ParamSpec::new("call_time", "Call time", T::DurationDist, Same("lognormal(10ms, 0.4)"), "How long the service takes for one publish")
        .from(Provenance::Assumed)
        .group("Cost model"),
    ParamSpec::new(
        "delivery_time",
        "Delivery time",
        T::DurationDist,
        Same("lognormal(20ms, 0.5)"),
        "How long the service takes to begin a delivery",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
    ParamSpec::new(
        "delivery_timeout",
        "Delivery timeout",
        T::Duration { min: "1ms", max: "1h" },
        Same("15s"),
        "A delivery without an answer for this long has failed and is tried again",
    )
    .from(Provenance::Assumed)
    .group("Cost model"),
];

/// Whether a component is a FIFO topic.
pub(in crate::components) fn is_fifo(component: &Component) -> bool {
    component.kind == SPEC.id && component.profile.as_deref() == Some(FIFO)
}

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    let subscribers: Vec<&str> = subscriptions::links(ctx).map(|facts| facts.peer_id.as_str()).collect();
    if subscribers.is_empty() {
        let problem = Diagnostic::warning("link-missing", path.clone(), "nobody subscribes");
        out.push(problem.with_hint(format!("link {}.subscriptions to a queue or a consumer", ctx.id)));
    }
    let letters: Vec<&str> = ctx.links_at("dead_letters").map(|facts| facts.peer_id.as_str()).collect();
    for (id, row) in params.named("subscriptions") {
        let here = format!("{path}.subscriptions.{id}");
        if !subscribers.contains(&id) {
            let problem =
                Diagnostic::error("subscription-unlinked", here.clone(), format!("{}.subscriptions is not linked to `{id}`", ctx.id));
            let hint = nearest(id, subscribers.iter().copied())
                .map_or_else(|| format!("link it to {id}.in"), |near| format!("did you mean `{near}`?"));
            out.push(problem.with_hint(hint));
        }
        let is_queue = subscriptions::links(ctx).any(|facts| facts.peer_id == id && facts.queue.is_some());
        rows::check(&row, &here, is_queue, out);
        if let Err(problems) = subscriptions::policy(&row, &here) {
            out.extend(problems);
        }
        if let Some(wanted) = row.optional_text("dead_letters").filter(|wanted| !letters.contains(&wanted.as_str())) {
            let problem = Diagnostic::error(
                "link-missing",
                format!("{here}.dead_letters"),
                format!("{}.dead_letters is not linked to `{wanted}`", ctx.id),
            );
            out.push(problem.with_hint(format!("link {}.dead_letters to {wanted}.in", ctx.id)));
        }
    }
    if ctx.project.components.get(ctx.id).is_some_and(is_fifo) {
        for facts in subscriptions::links(ctx).filter(|facts| facts.queue.is_none()) {
            let words = format!("the FIFO topic {} cannot deliver to {} over HTTP", ctx.id, facts.peer_id);
            out.push(
                Diagnostic::error("setting-contradiction", path.clone(), words).with_hint("put a queue between, or choose sns-standard"),
            );
        }
    } else {
        check_standard(ctx, &path, params, out);
    }
}

fn check_standard(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if params.is_given("content_deduplication") {
        out.push(Diagnostic::warning("setting-unused", format!("{path}.content_deduplication"), "only a FIFO topic deduplicates"));
    }
    for facts in subscriptions::links(ctx) {
        if ctx.project.components.get(&facts.peer_id).is_some_and(queue::is_fifo) {
            let words = format!("the standard topic {} cannot deliver to the FIFO queue {}", ctx.id, facts.peer_id);
            out.push(Diagnostic::error("setting-contradiction", path, words).with_hint("choose the profile sns-fifo, or a standard queue"));
        }
    }
}
