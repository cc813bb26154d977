//! What a fan-out topic can be told, and the problems that its settings can have.

use super::subscriptions;
use crate::components::{BuildCtx, KindSpec, Params, queue};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{Component, Default_, ParamSpec, ParamType, Provenance};

use Default_::{Absent, Same};
use ParamType as T;

const DOCUMENTED: Provenance = Provenance::Documented("Amazon SNS Subscribe and quotas");
const STANDARD: &str = "sns-standard";
const FIFO: &str = "sns-fifo";

/// One row of `subscriptions`, called like the queue that subscribes.
const SUBSCRIPTION: &[ParamSpec] = &[
    ParamSpec::new(
        "filter_policy",
        "Filter policy",
        T::LongText,
        Absent,
        r#"Which events it wants, as JSON: {"type": ["OrderPlaced"], "source": [{"prefix": "web"}]}. All of them when absent"#,
    )
    .key("FilterPolicy"),
    ParamSpec::new(
        "filter_scope",
        "Filter scope",
        T::Choice(&["MessageAttributes", "MessageBody"]),
        Same("MessageAttributes"),
        "Looks at the event's attributes (id, source, type, subject, partitionkey) or into its JSON body",
    )
    .key("FilterPolicyScope")
    .from(DOCUMENTED),
    ParamSpec::new("raw", "Raw delivery", T::Bool, Same("false"), "Delivers the body as it is; else in a JSON envelope")
        .key("RawMessageDelivery")
        .from(DOCUMENTED),
    ParamSpec::new(
        "dead_letters",
        "Dead letters",
        T::Text { max_chars: 200 },
        Absent,
        "Queue linked at dead_letters that takes what could not be delivered; the first one when absent",
    )
    .key("RedrivePolicy.deadLetterTargetArn"),
];

/// A fan-out topic.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "fanout",
    title: "Fan-out topic",
    category: "Messaging",
    profiles: &[STANDARD, FIFO],
    help: "Delivers each event to every queue that subscribes and whose filter takes it",
    params: PARAMS,
    actions: &[],
    id_stem: "fanout",
};

const PARAMS: &[ParamSpec] = &[
    ParamSpec::new(
        "subscriptions",
        "Subscriptions",
        T::Named(SUBSCRIPTION),
        Absent,
        "Settings of subscriptions, each called like the queue it is linked to; a link without a row takes everything",
    )
    .group("Subscriptions"),
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
    let queues: Vec<&str> = subscriptions::links(ctx).map(|facts| facts.peer_id.as_str()).collect();
    if queues.is_empty() {
        let problem = Diagnostic::warning("link-missing", path.clone(), "nobody subscribes");
        out.push(problem.with_hint(format!("link {}.subscriptions to a queue", ctx.id)));
    }
    let letters: Vec<&str> = ctx.links_at("dead_letters").map(|facts| facts.peer_id.as_str()).collect();
    for (id, row) in params.named("subscriptions") {
        let here = format!("{path}.subscriptions.{id}");
        if !queues.contains(&id) {
            let problem =
                Diagnostic::error("subscription-unlinked", here.clone(), format!("{}.subscriptions is not linked to `{id}`", ctx.id));
            let hint =
                nearest(id, queues.iter().copied()).map_or_else(|| format!("link it to {id}.in"), |near| format!("did you mean `{near}`?"));
            out.push(problem.with_hint(hint));
        }
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
    if !ctx.project.components.get(ctx.id).is_some_and(is_fifo) {
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
