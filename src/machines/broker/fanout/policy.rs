//! A filter policy, and whether a message fits it.
//!
//! Keys are joined by AND, the values of one key by OR, and `$or` joins whole groups of keys by OR. A key
//! that the message lacks matches `exists: false` and nothing else, not even anything-but.
//! Source: docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::attributes::{Attributes, ValueRef};
use super::rule::Rule;

/// What a policy is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The message's attributes.
    #[default]
    MessageAttributes,
    /// The body, which must be a JSON object.
    MessageBody,
}

/// A policy that was read without a complaint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterPolicy {
    pub(super) scope: Scope,
    pub(super) clauses: Clauses,
}

/// What is known of a message.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its attributes.
    pub attributes: &'a Attributes,
    /// Its body, where it is JSON.
    pub body: Option<&'a Json>,
}

/// All of these must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Clauses(pub Vec<Clause>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause {
    /// One of the rules holds for the key's value.
    Key { name: Arc<str>, rules: Vec<Rule> },
    /// The clauses hold inside the object under this key.
    Inside { name: Arc<str>, clauses: Clauses },
    /// `$or`: one of these groups holds.
    Either(Vec<Clauses>),
}

impl FilterPolicy {
    /// What it is held against.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Whether the message is for this subscription. A body that is no JSON object fits only the empty policy.
    #[must_use]
    pub fn accepts(&self, subject: Subject<'_>) -> bool {
        match self.scope {
            Scope::MessageAttributes => self.clauses.hold(&InAttributes(subject.attributes)),
            Scope::MessageBody => match subject.body {
                Some(Json::Object(body)) => self.clauses.hold(&InBody(Some(body))),
                _ => self.clauses.0.is_empty(),
            },
        }
    }
}

impl FilterPolicy {
    /// Which of its conditions the message does not fulfil, by the names of their keys; none when it is accepted.
    #[must_use]
    pub fn failing(&self, subject: Subject<'_>) -> Vec<&str> {
        let failing = |place: &dyn Fn(&Clause) -> bool| self.clauses.0.iter().filter(|clause| !place(clause)).map(Clause::name).collect();
        match (self.scope, subject.body) {
            (Scope::MessageAttributes, _) => failing(&|clause| clause.holds(&InAttributes(subject.attributes))),
            (Scope::MessageBody, Some(Json::Object(body))) => failing(&|clause| clause.holds(&InBody(Some(body)))),
            (Scope::MessageBody, _) => failing(&|_| false),
        }
    }
}

impl Clause {
    fn name(&self) -> &str {
        match self {
            Self::Key { name, .. } | Self::Inside { name, .. } => name,
            Self::Either(_) => "$or",
        }
    }
    fn holds(&self, place: &impl Place) -> bool {
        match self {
            Self::Key { name, rules } => place.satisfies(name, rules),
            Self::Inside { name, clauses } => place.inside(name, clauses),
            Self::Either(groups) => groups.iter().any(|group| group.hold(place)),
        }
    }
}

/// Where keys are looked up.
trait Place {
    /// Whether the key is there, and one of the rules holds.
    fn satisfies(&self, name: &str, rules: &[Rule]) -> bool;
    /// Whether the clauses hold inside the object under the key.
    fn inside(&self, name: &str, clauses: &Clauses) -> bool;
}

struct InAttributes<'a>(&'a Attributes);

/// The object that is looked into; none where the body has no such object, so that every key is missing.
struct InBody<'a>(Option<&'a Map<String, Json>>);

impl Clauses {
    fn hold(&self, place: &impl Place) -> bool {
        self.0.iter().all(|clause| clause.holds(place))
    }
}

impl Place for InAttributes<'_> {
    fn satisfies(&self, name: &str, rules: &[Rule]) -> bool {
        let attribute = self.0.get(name);
        rules.iter().any(|rule| match (rule, attribute) {
            (Rule::Exists(wanted), found) => *wanted == found.is_some(),
            (rule, Some(found)) => found.any(|value| rule.holds(value)),
            (_, None) => false,
        })
    }
    fn inside(&self, _: &str, _: &Clauses) -> bool {
        // Attributes are flat; the reader refuses nesting under this scope.
        false
    }
}

impl Place for InBody<'_> {
    fn satisfies(&self, name: &str, rules: &[Rule]) -> bool {
        let found = self.0.and_then(|object| object.get(name));
        rules.iter().any(|rule| match (rule, found) {
            // `exists` asks for leaves: an object is none.
            (Rule::Exists(wanted), found) => *wanted == found.is_some_and(|value| !value.is_object()),
            (rule, Some(Json::Array(list))) => list.iter().filter_map(ValueRef::of).any(|value| rule.holds(value)),
            (rule, Some(value)) => ValueRef::of(value).is_some_and(|value| rule.holds(value)),
            (_, None) => false,
        })
    }
    fn inside(&self, name: &str, clauses: &Clauses) -> bool {
        match self.0.and_then(|object| object.get(name)) {
            Some(Json::Object(inner)) => clauses.hold(&InBody(Some(inner))),
            // Of a list of objects, one must fulfil all clauses by itself.
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_object).any(|inner| clauses.hold(&InBody(Some(inner)))),
            _ => clauses.hold(&InBody(None)),
        }
    }
}
