//! The links of a fan-out topic as subscriptions.

use std::sync::Arc;

use crate::components::{BuildCtx, EndRole, LinkFacts, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::LinkEnd;
use crate::machines::broker::fanout::policy::{FilterPolicy, Scope};
use crate::machines::broker::fanout::read;
use crate::machines::broker::fanout::retry::{Backoff, RetryPolicy};
use crate::machines::broker::fanout::topic::Subscription;
use crate::units::{GroupIx, SimDuration};

/// Names of what a policy may be held against; the first is the default.
pub(super) const SCOPES: [&str; 2] = ["MessageAttributes", "MessageBody"];

/// A subscription with its links.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// The subscriber's id.
    pub name: Arc<str>,
    /// What its group is called, where the subscriber itself reads it.
    pub group_name: Option<Arc<str>>,
    pub end: LinkEnd,
    /// Raw message delivery: the body as it is, without an envelope.
    pub raw: bool,
    pub protocol: Protocol,
    pub dead_letters: Option<LinkEnd>,
    /// The text of its filter policy, and what that is held against.
    pub filter_policy: Option<Arc<str>>,
    pub filter_scope: &'static str,
}

/// How deliveries travel.
#[derive(Clone, Debug)]
pub(super) enum Protocol {
    /// A `SendMessage` to a queue.
    Queue,
    /// A POST to this path, no closer upon each other than this.
    Http { path: Arc<str>, interval: SimDuration },
}

impl Protocol {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queue => "sqs",
            Self::Http { .. } => "https",
        }
    }
}

/// Links at the port of subscriptions, in file order.
pub(super) fn links<'a>(ctx: &'a BuildCtx<'_>) -> impl Iterator<Item = &'a LinkFacts> {
    ctx.links_at("subscriptions").filter(|facts| facts.role == EndRole::From)
}

/// The settings of a subscription: the row that is called like its subscriber.
fn row<'a>(params: &Params<'a>, subscriber: &str) -> Option<Params<'a>> {
    params.named("subscriptions").into_iter().find(|(id, _)| *id == subscriber).map(|(_, row)| row)
}

pub(super) fn scope_name(row: &Params<'_>) -> &'static str {
    let wanted = row.text("filter_scope");
    SCOPES.into_iter().find(|name| *name == wanted).unwrap_or(SCOPES[0])
}

/// A subscription's filter policy; everything is accepted where there is none.
///
/// # Errors
/// Everything that SNS would refuse about it.
pub(super) fn policy(row: &Params<'_>, path: &str) -> Result<FilterPolicy, Vec<Diagnostic>> {
    let Some(text) = row.optional_text("filter_policy") else { return Ok(FilterPolicy::default()) };
    let scope = if scope_name(row) == SCOPES[1] { Scope::MessageBody } else { Scope::MessageAttributes };
    read::read(&text, scope, &format!("{path}.filter_policy"))
}

/// The delivery policy of an HTTP endpoint: of all its retries, those that no other phase takes grow.
pub(super) fn retry_policy(row: &Params<'_>) -> RetryPolicy {
    let count = |name: &str| u32::try_from(row.count(name)).unwrap_or(0);
    let (immediate, early, late) = (count("immediate_retries"), count("early_retries"), count("late_retries"));
    RetryPolicy {
        immediate,
        early,
        growing: count("retries").saturating_sub(immediate.saturating_add(early).saturating_add(late)),
        backoff: Backoff::named(&row.text("backoff")).unwrap_or_default(),
        late,
        delay_min: row.duration("retry_delay_min"),
        delay_max: row.duration("retry_delay_max"),
    }
}

/// Each subscription for the machine, and its links.
pub(super) fn all(ctx: &BuildCtx<'_>, params: &Params<'_>) -> (Vec<Subscription>, Vec<Endpoint>) {
    links(ctx).map(|facts| one(ctx, params, facts)).unzip()
}

fn one(ctx: &BuildCtx<'_>, params: &Params<'_>, facts: &LinkFacts) -> (Subscription, Endpoint) {
    let row = row(params, &facts.peer_id);
    let dead_letters = dead_letters(ctx, row.as_ref());
    let name = format!("{}→{}", ctx.id, facts.peer_id);
    let group = ctx.groups.iter().find(|group| group.cluster == ctx.me && *group.name == *name);
    let is_queue = facts.queue.is_some();
    // A gateway passes the event on, so its answer is the end; a consumer tells when it has processed it.
    let is_told_by_endpoint = !is_queue && facts.peer_port_takes_records();
    let retry = match &row {
        _ if is_queue => RetryPolicy::MANAGED,
        Some(row) => retry_policy(row),
        None => RetryPolicy::HTTP,
    };
    let subscription = Subscription {
        group: group.map_or(GroupIx(0), |group| group.group),
        // A policy that cannot be read was an error of the check.
        policy: row.as_ref().and_then(|row| policy(row, "").ok()).unwrap_or_default(),
        retry,
        has_dead_letters: dead_letters.is_some(),
        is_told_by_endpoint,
    };
    let endpoint = Endpoint {
        name: facts.peer_id.as_str().into(),
        group_name: group.filter(|_| is_told_by_endpoint).map(|group| Arc::clone(&group.name)),
        end: facts.end,
        raw: row.as_ref().is_some_and(|row| row.flag("raw")),
        protocol: if is_queue { Protocol::Queue } else { http(row.as_ref()) },
        dead_letters,
        filter_policy: row.as_ref().and_then(|row| row.optional_text("filter_policy")).map(Into::into),
        filter_scope: row.as_ref().map_or(SCOPES[0], scope_name),
    };
    (subscription, endpoint)
}

fn http(row: Option<&Params<'_>>) -> Protocol {
    let rate = row.filter(|row| row.is_given("max_receives_per_second")).map(|row| row.count("max_receives_per_second"));
    Protocol::Http {
        path: row.map_or_else(|| "/".to_owned(), |row| row.text("path")).into(),
        interval: rate.map_or(SimDuration::ZERO, |rate| SimDuration::from_secs_f64(1.0 / rate.max(1) as f64)),
    }
}

/// The queue for what a subscription gives up: the one that its row names, or the only one.
fn dead_letters(ctx: &BuildCtx<'_>, row: Option<&Params<'_>>) -> Option<LinkEnd> {
    let wanted = row.and_then(|row| row.optional_text("dead_letters"));
    let mut linked = ctx.links_at("dead_letters").filter(|facts| facts.role == EndRole::From);
    linked.find(|facts| wanted.as_ref().is_none_or(|wanted| *wanted == facts.peer_id)).map(|facts| facts.end)
}
