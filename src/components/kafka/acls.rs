//! Access control lists of a cluster: how they are written, what they are warned of, how they change mid-run.
//!
//! In: rows of the cluster's `acls`, the principals of whoever is linked to it, actions. Out: the machine's rules, and a
//! warning for each client that will be refused. What rules mean is in `machines::broker::acl`. Start at [`acls`].

use std::sync::Arc;

use super::spec::DOCUMENTED;
use crate::components::{BuildCtx, EndRole, LinkFacts, Params, by_id};
use crate::diagnostics::Diagnostic;
use crate::machines::broker::acl::{ACLS_MAX, ANONYMOUS, Acl, Acls, Operation, ResourceKind};
use crate::machines::broker::cluster::Cluster;
use crate::model::{Component, Default_, ParamSpec, ParamType};

use Default_::{Absent, Required, Same};
use ParamType as T;

/// Who a client of clusters is. Its links authenticate it.
pub const PRINCIPAL: ParamSpec = ParamSpec::new(
    "principal",
    "Principal",
    T::Text { max_chars: 249 },
    Absent,
    "Who it is to a cluster with ACLs: a user's name; User:ANONYMOUS when absent",
)
.group("Security");

/// Operations in the order of their names' list.
const OPERATIONS: &[&str] = &[
    "All",
    "Read",
    "Write",
    "Create",
    "Delete",
    "Alter",
    "Describe",
    "ClusterAction",
    "DescribeConfigs",
    "AlterConfigs",
    "IdempotentWrite",
];

/// One rule: a row of `acls`, and the arguments of the actions that add and remove one.
pub(super) const ACL: &[ParamSpec] = &[
    ParamSpec::new("principal", "Principal", T::Text { max_chars: 249 }, Required, "Whom it is about: User:web, or User:* for everybody"),
    ParamSpec::new("operation", "Operation", T::Choice(OPERATIONS), Required, "What may be done; All is everything"),
    ParamSpec::new(
        "resource",
        "Resource",
        T::Choice(&["topic", "group", "transactional-id", "cluster"]),
        Same("topic"),
        "To which kind of thing",
    ),
    ParamSpec::new("name", "Name", T::Text { max_chars: 249 }, Same("*"), "Of which name; * is any. A cluster has none"),
    ParamSpec::new(
        "pattern",
        "Pattern",
        T::Choice(&["literal", "prefixed"]),
        Same("literal"),
        "Whether the name is meant as it stands, or every name that begins so",
    ),
    ParamSpec::new("permission", "Permission", T::Choice(&["allow", "deny"]), Same("allow"), "A deny outweighs every allow"),
];

/// What a cluster says of who may do what.
pub(super) const PARAMS: [ParamSpec; 3] = [
    ParamSpec::new(
        "acls",
        "ACLs",
        T::Rows(ACL),
        Absent,
        "Who may do what (kafka-acls.sh). With at least one, what none allows is refused; without, everybody may do everything",
    )
    .group("Security"),
    ParamSpec::new("super_users", "Super users", T::Words, Absent, "Principals that may do everything, whatever the ACLs say")
        .key("super.users")
        .group("Security"),
    ParamSpec::new(
        "allow_if_no_acl",
        "Open without ACL",
        T::Bool,
        Same("false"),
        "Whether everybody may use a topic, group or transactional id that no ACL is about",
    )
    .key("allow.everyone.if.no.acl.found")
    .from(DOCUMENTED)
    .group("Security"),
];

/// The rules of a cluster; none when it has no authorizer.
pub(super) fn acls(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Option<Acls> {
    if !params.is_given("acls") {
        return None;
    }
    let principals = ctx.links.iter().filter_map(|facts| Some((facts.peer, principal_of(ctx.project.components.get(&facts.peer_id)?)?)));
    let groups = ctx.groups.iter().filter(|group| group.cluster == ctx.me);
    Some(Acls {
        rules: params.rows("acls").iter().filter_map(acl).take(ACLS_MAX).collect(),
        principals: principals.collect(),
        groups: groups.map(|group| (group.group, Arc::clone(&group.name))).collect(),
        super_users: params.words("super_users").iter().map(|name| user(name)).collect(),
        open: params.flag("allow_if_no_acl"),
    })
}

/// One rule, as a row or an action writes it.
pub(super) fn acl(row: &Params<'_>) -> Option<Acl> {
    let resource = ResourceKind::named(&row.text("resource"))?;
    let is_cluster = resource == ResourceKind::Cluster;
    Some(Acl {
        principal: user(&row.text("principal")),
        denies: row.text("permission") == "deny",
        operation: Operation::named(&row.text("operation"))?,
        resource,
        name: if is_cluster { "*".into() } else { row.text("name").into() },
        is_prefix: !is_cluster && row.text("pattern") == "prefixed",
    })
}

/// Adds a rule, or takes one away.
///
/// # Errors
/// In words, when the cluster asks nobody, or knows no such rule.
pub(super) fn change(cluster: &mut Cluster, params: &Params<'_>, adds: bool) -> Result<(), String> {
    let rule = acl(params).ok_or("an ACL needs a principal, an operation and a resource")?;
    let acls = cluster.acls_mut().ok_or("no authorizer is configured: give the cluster `acls` to begin with")?;
    if adds { acls.add(rule) } else { acls.remove(&rule) }
}

/// `web` and `User:web` are the same.
fn user(name: &str) -> Arc<str> {
    if name.contains(':') { name.into() } else { format!("User:{name}").into() }
}

fn principal_of(component: &Component) -> Option<Arc<str>> {
    let text = component.params.get(PRINCIPAL.name)?.to_field_text();
    (!text.is_empty()).then(|| user(&text))
}

/// Clients that will be refused what their links are for.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let Some(acls) = acls(ctx, params) else { return };
    for facts in ctx.links {
        let Some(peer) = ctx.project.components.get(&facts.peer_id) else { continue };
        for (operation, kind, name) in needs(facts, peer) {
            let who = acls.principal(facts.peer);
            if acls.permits(who, operation, (kind, &name)) {
                continue;
            }
            let kind_name = ResourceKind::ALL.iter().find(|(known, _)| *known == kind).map_or("", |(_, name)| name);
            let message = format!("`{}` is {who}, and no ACL lets it {} {kind_name} `{name}`", facts.peer_id, verb(operation));
            let hint = if who == ANONYMOUS {
                format!("give `{}` a `principal`, and let it", facts.peer_id)
            } else {
                format!("add (principal: \"{who}\", operation: \"{operation}\", resource: \"{kind_name}\", name: \"{name}\")")
            };
            out.push(Diagnostic::warning("acl-refused", format!("components.{}.acls", ctx.id), message).with_hint(hint));
        }
    }
}

fn verb(operation: Operation) -> &'static str {
    if operation == Operation::Write { "write to" } else { "read from" }
}

/// What a link is for: its client writes to the topic, or reads it as a group.
fn needs(facts: &LinkFacts, peer: &Component) -> Vec<(Operation, ResourceKind, String)> {
    let topic = facts.port.clone();
    let text = |name: &str| peer.params.get(name).map(|value| value.to_field_text()).filter(|text| !text.is_empty());
    if facts.role == EndRole::To {
        let mut needs = vec![(Operation::Write, ResourceKind::Topic, topic)];
        if peer.kind == "producer" {
            needs.extend(text("transactional_id").map(|id| (Operation::Write, ResourceKind::TransactionalId, id)));
        } else if facts.peer_port == "results" && text("commit").as_deref() == Some("transaction") {
            let prefix = text("transactional_id").unwrap_or_else(|| peer.stream_key(&facts.peer_id).to_owned());
            needs.push((Operation::Write, ResourceKind::TransactionalId, format!("{prefix}-1")));
        }
        return needs;
    }
    let joins = text("read").as_deref() != Some("snapshot");
    let group = by_id(&peer.kind).filter(|_| joins).and_then(|kind| kind.declares(&facts.peer_id, peer).group);
    let group = group.map(|name| (Operation::Read, ResourceKind::Group, name));
    [(Operation::Read, ResourceKind::Topic, topic)].into_iter().chain(group).collect()
}
