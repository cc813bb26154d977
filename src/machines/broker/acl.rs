//! Access control lists: who may do what to which topic, group, transactional id or cluster.
//!
//! In: rules, and who asks for what. Out: yes or no. A deny that fits outweighs every allow; what no rule allows is
//! refused. Reading, writing, deleting and altering imply describing, but only where they are allowed.
//! Source: Kafka's StandardAuthorizer and AclOperation (4.0). Must not know: requests (`authorize.rs`). Start at
//! [`Acls::permits`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::units::{ComponentIx, GroupIx};

/// Rules of one cluster; further ones are refused.
pub const ACLS_MAX: usize = 10_000;
/// Who a client is that has no credentials.
pub const ANONYMOUS: &str = "User:ANONYMOUS";
/// Every principal.
const ANYBODY: &str = "User:*";
/// Every name.
const ANY_NAME: &str = "*";
/// What Kafka calls the one resource of the kind cluster.
pub const CLUSTER_NAME: &str = "kafka-cluster";

/// What somebody wants to do, by the names of kafka-acls.sh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Everything.
    All,
    /// Read records, take part in a group.
    Read,
    /// Write records, use a transactional id.
    Write,
    /// Create topics.
    Create,
    /// Delete.
    Delete,
    /// Alter.
    Alter,
    /// Look up.
    Describe,
    /// What brokers do among themselves.
    ClusterAction,
    /// Look settings up.
    DescribeConfigs,
    /// Change settings.
    AlterConfigs,
    /// Write idempotently, to any topic.
    IdempotentWrite,
}

/// What it is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A topic.
    Topic,
    /// A consumer group.
    Group,
    /// A transactional id.
    TransactionalId,
    /// The cluster itself.
    Cluster,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    /// `User:web`, or `User:*`.
    pub principal: Arc<str>,
    /// It forbids instead of allowing.
    pub denies: bool,
    /// What.
    pub operation: Operation,
    /// To which kind of resource,
    pub resource: ResourceKind,
    /// of which name (`*`: any),
    pub name: Arc<str>,
    /// which is only the beginning of the names meant.
    pub is_prefix: bool,
}

/// All rules of a cluster, and who its clients are.
#[derive(Clone, Debug, Default)]
pub struct Acls {
    /// Rules in the order in which they came.
    pub rules: Vec<Acl>,
    /// Clients that are not [`ANONYMOUS`].
    pub principals: BTreeMap<ComponentIx, Arc<str>>,
    /// Names of groups: requests have their numbers.
    pub groups: BTreeMap<GroupIx, Arc<str>>,
    /// `super.users`: rules do not hold for them.
    pub super_users: Vec<Arc<str>>,
    /// `allow.everyone.if.no.acl.found`.
    pub open: bool,
}

impl Operation {
    /// Every operation with the name that kafka-acls.sh gives it.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::All, "All"),
        (Self::Read, "Read"),
        (Self::Write, "Write"),
        (Self::Create, "Create"),
        (Self::Delete, "Delete"),
        (Self::Alter, "Alter"),
        (Self::Describe, "Describe"),
        (Self::ClusterAction, "ClusterAction"),
        (Self::DescribeConfigs, "DescribeConfigs"),
        (Self::AlterConfigs, "AlterConfigs"),
        (Self::IdempotentWrite, "IdempotentWrite"),
    ];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(operation, _)| operation)
    }

    /// Whether who may do this may do the other too.
    fn implies(self, other: Self) -> bool {
        match other {
            Self::Describe => matches!(self, Self::Read | Self::Write | Self::Delete | Self::Alter),
            Self::DescribeConfigs => self == Self::AlterConfigs,
            _ => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(operation, _)| operation == self).map_or("", |(_, name)| name))
    }
}

impl ResourceKind {
    /// Every kind with its name in files.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Topic, "topic"), (Self::Group, "group"), (Self::TransactionalId, "transactional-id"), (Self::Cluster, "cluster")];

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(kind, _)| kind)
    }
}

impl Acl {
    fn is_of(&self, principal: &str) -> bool {
        &*self.principal == ANYBODY || &*self.principal == principal
    }

    fn fits(&self, kind: ResourceKind, name: &str) -> bool {
        let is_named = if self.is_prefix { name.starts_with(&*self.name) } else { &*self.name == ANY_NAME || &*self.name == name };
        self.resource == kind && is_named
    }

    fn covers(&self, operation: Operation) -> bool {
        self.operation == Operation::All || self.operation == operation || (!self.denies && self.operation.implies(operation))
    }

    /// Whether this rule, which denies, leaves nothing of what the other allows.
    fn outweighs(&self, allowed: &Self) -> bool {
        let same = !self.is_prefix && !allowed.is_prefix && self.name == allowed.name;
        let within = self.is_prefix && &*allowed.name != ANY_NAME && allowed.name.starts_with(&*self.name);
        same || within || (!self.is_prefix && &*self.name == ANY_NAME)
    }
}

impl Acls {
    /// Who a client is.
    #[must_use]
    pub fn principal(&self, client: ComponentIx) -> &str {
        self.principals.get(&client).map_or(ANONYMOUS, |principal| principal)
    }

    /// Whether somebody may do something to one resource.
    #[must_use]
    pub fn permits(&self, principal: &str, operation: Operation, (kind, name): (ResourceKind, &str)) -> bool {
        if self.super_users.iter().any(|user| **user == *principal) {
            return true;
        }
        let mut here = self.rules.iter().filter(|rule| rule.fits(kind, name)).peekable();
        if here.peek().is_none() {
            return self.open;
        }
        let mut allowed = false;
        for rule in here.filter(|rule| rule.is_of(principal) && rule.covers(operation)) {
            if rule.denies {
                return false;
            }
            allowed = true;
        }
        allowed
    }

    /// Whether somebody may do something to any resource of a kind at all (`authorizeByResourceType`).
    #[must_use]
    pub fn permits_any(&self, principal: &str, operation: Operation, kind: ResourceKind) -> bool {
        let mine = || self.rules.iter().filter(|rule| rule.resource == kind && rule.is_of(principal) && rule.covers(operation));
        let survives = |allowed: &Acl| !mine().any(|rule| rule.denies && rule.outweighs(allowed));
        self.open || self.super_users.iter().any(|user| **user == *principal) || mine().any(|rule| !rule.denies && survives(rule))
    }

    /// One more rule.
    ///
    /// # Errors
    /// In words, when there are too many.
    pub fn add(&mut self, rule: Acl) -> Result<(), String> {
        if self.rules.contains(&rule) {
            return Ok(());
        }
        if self.rules.len() >= ACLS_MAX {
            return Err(format!("there are {ACLS_MAX} ACLs already"));
        }
        self.rules.push(rule);
        Ok(())
    }

    /// One rule less.
    ///
    /// # Errors
    /// In words, when there is none like it.
    pub fn remove(&mut self, rule: &Acl) -> Result<(), String> {
        let at = self.rules.iter().position(|known| known == rule).ok_or("there is no such ACL")?;
        self.rules.remove(at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(principal: &str, sign: char, operation: Operation, name: &str) -> Acl {
        let is_prefix = name.len() > 1 && name.ends_with('*');
        let name = if is_prefix { &name[..name.len() - 1] } else { name };
        let (principal, name) = (principal.into(), name.into());
        Acl { principal, denies: sign == '-', operation, resource: ResourceKind::Topic, name, is_prefix }
    }

    fn acls(rules: &[(&str, char, Operation, &str)]) -> Acls {
        let rules = rules.iter().map(|(principal, sign, operation, name)| rule(principal, *sign, *operation, name));
        Acls { rules: rules.collect(), ..Acls::default() }
    }

    fn may(acls: &Acls, who: &str, operation: Operation, topic: &str) -> bool {
        acls.permits(who, operation, (ResourceKind::Topic, topic))
    }

    use Operation as O;

    #[test]
    fn what_no_rule_allows_is_refused() {
        let acls = acls(&[("User:web", '+', O::Write, "orders")]);
        assert!(may(&acls, "User:web", O::Write, "orders"));
        assert!(!may(&acls, "User:web", O::Read, "orders"));
        assert!(!may(&acls, "User:web", O::Write, "orders-2"));
        assert!(!may(&acls, "User:app", O::Write, "orders"));
        assert!(!acls.permits("User:web", O::Write, (ResourceKind::Group, "orders")), "a topic is no group");
    }

    #[test]
    fn a_deny_outweighs_every_allow() {
        let acls = acls(&[("User:*", '+', O::All, "*"), ("User:web", '-', O::Write, "audit*")]);
        assert!(may(&acls, "User:web", O::Write, "orders") && may(&acls, "User:web", O::Read, "audit-log"));
        assert!(!may(&acls, "User:web", O::Write, "audit-log") && may(&acls, "User:app", O::Write, "audit-log"));
    }

    #[test]
    fn describing_comes_with_other_rights_but_is_not_denied_with_them() {
        let allowed = acls(&[("User:web", '+', O::Write, "orders"), ("User:app", '+', O::Create, "orders")]);
        assert!(may(&allowed, "User:web", O::Describe, "orders") && !may(&allowed, "User:app", O::Describe, "orders"));
        let denied = acls(&[("User:web", '+', O::All, "orders"), ("User:web", '-', O::Write, "orders")]);
        assert!(may(&denied, "User:web", O::Describe, "orders") && !may(&denied, "User:web", O::Write, "orders"));
    }

    #[test]
    fn prefixes_and_wildcards_fit_names() {
        let acls = acls(&[("User:web", '+', O::Write, "shop.*"), ("User:app", '+', O::Write, "*")]);
        assert!(may(&acls, "User:web", O::Write, "shop.orders") && !may(&acls, "User:web", O::Write, "shops"));
        assert!(may(&acls, "User:app", O::Write, "anything"));
    }

    #[test]
    fn without_a_rule_for_the_resource_it_may_be_open() {
        let mut acls = acls(&[("User:web", '+', O::Write, "orders")]);
        acls.open = true;
        acls.super_users = vec!["User:root".into()];
        assert!(may(&acls, "User:app", O::Write, "other"), "nothing is said of it");
        assert!(!may(&acls, "User:app", O::Write, "orders"), "it has a rule, for somebody else");
        assert!(may(&acls, "User:root", O::Write, "orders"));
    }

    #[test]
    fn a_right_to_any_topic_must_survive_what_is_denied() {
        let any = |rules: &[_]| acls(rules).permits_any("User:web", O::Write, ResourceKind::Topic);
        let allowed = ("User:web", '+', O::Write, "orders");
        assert!(any(&[allowed]) && !any(&[("User:app", '+', O::Write, "orders")]));
        assert!(!any(&[allowed, ("User:web", '-', O::Write, "orders")]));
        assert!(!any(&[allowed, ("User:web", '-', O::Write, "or*")]));
        assert!(!any(&[allowed, ("User:*", '-', O::All, "*")]));
        assert!(any(&[allowed, ("User:web", '-', O::Write, "orders-2")]));
        assert!(any(&[("User:web", '+', O::Write, "*"), ("User:web", '-', O::Write, "or*")]), "other topics are left");
    }
}
