//! The links of a fan-out topic as subscriptions.

use std::sync::Arc;

use crate::components::{BuildCtx, EndRole, LinkFacts, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::LinkEnd;
use crate::machines::broker::fanout::policy::{FilterPolicy, Scope};
use crate::machines::broker::fanout::read;
use crate::machines::broker::fanout::retry::RetryPolicy;
use crate::machines::broker::fanout::topic::Subscription;
use crate::units::GroupIx;

/// A subscription with its links.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// The queue's id.
    pub name: Arc<str>,
    pub end: LinkEnd,
    /// Raw message delivery: the body as it is, without an envelope.
    pub raw: bool,
    pub dead_letters: Option<LinkEnd>,
}

/// Links at the port of subscriptions, in file order.
pub(super) fn links<'a>(ctx: &'a BuildCtx<'_>) -> impl Iterator<Item = &'a LinkFacts> {
    ctx.links_at("subscriptions").filter(|facts| facts.role == EndRole::From)
}

/// The settings of a subscription: the row that is called like its queue.
fn row<'a>(params: &Params<'a>, queue: &str) -> Option<Params<'a>> {
    params.named("subscriptions").into_iter().find(|(id, _)| *id == queue).map(|(_, row)| row)
}

/// A subscription's filter policy; everything is accepted where there is none.
///
/// # Errors
/// Everything that SNS would refuse about it.
pub(super) fn policy(row: &Params<'_>, path: &str) -> Result<FilterPolicy, Vec<Diagnostic>> {
    let Some(text) = row.optional_text("filter_policy") else { return Ok(FilterPolicy::default()) };
    let scope = if row.text("filter_scope") == "MessageBody" { Scope::MessageBody } else { Scope::MessageAttributes };
    read::read(&text, scope, &format!("{path}.filter_policy"))
}

/// Each subscription for the machine, and its links.
pub(super) fn all(ctx: &BuildCtx<'_>, params: &Params<'_>) -> (Vec<Subscription>, Vec<Endpoint>) {
    let of_mine = |name: &str| ctx.groups.iter().find(|group| group.cluster == ctx.me && *group.name == *name).map(|group| group.group);
    links(ctx)
        .map(|facts| {
            let row = row(params, &facts.peer_id);
            let dead_letters = dead_letters(ctx, row.as_ref());
            let subscription = Subscription {
                group: of_mine(&format!("{}→{}", ctx.id, facts.peer_id)).unwrap_or(GroupIx(0)),
                // A policy that cannot be read was an error of the check.
                policy: row.as_ref().and_then(|row| policy(row, "").ok()).unwrap_or_default(),
                retry: RetryPolicy::MANAGED,
                has_dead_letters: dead_letters.is_some(),
            };
            let raw = row.is_some_and(|row| row.flag("raw"));
            (subscription, Endpoint { name: facts.peer_id.as_str().into(), end: facts.end, raw, dead_letters })
        })
        .unzip()
}

/// The queue for what a subscription gives up: the one that its row names, or the only one.
fn dead_letters(ctx: &BuildCtx<'_>, row: Option<&Params<'_>>) -> Option<LinkEnd> {
    let wanted = row.and_then(|row| row.optional_text("dead_letters"));
    let mut linked = ctx.links_at("dead_letters").filter(|facts| facts.role == EndRole::From);
    linked.find(|facts| wanted.as_ref().is_none_or(|wanted| *wanted == facts.peer_id)).map(|facts| facts.end)
}
