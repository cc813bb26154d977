//! Objects: what is required, properties that come and go in open, closed and partly open models, dependencies, the rest.
//!
//! A model is *open* when an object may have any other property, *closed* when it may have none, *partly open* when a schema or a
//! pattern says which. A property that the reader adds is safe where the writer's model is closed; one that it no longer names
//! is safe where its own model is open.

use super::rules;
use super::shape::{NodeIx, Object, Shape};
use super::walk::{At, Outcome, Pair, Step, Walk};

const PROPERTIES: &str = "properties";
const DEPENDENCIES: &str = "dependencies";

impl<'a> Walk<'a> {
    pub(super) fn objects(&mut self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        self.required(pair, original, update, out);
        self.properties(pair, original, update, out);
        self.required_with(pair, original, update, out);
        self.schemas_with(pair, original, update, out);
        self.additional(pair, original, update, out);
        self.unevaluated(pair, (original.unevaluated, update.unevaluated), &UNEVALUATED, out);
        self.bound(out, &rules::MAX_PROPERTIES, pair, (original.most, update.most));
        self.bound(out, &rules::MIN_PROPERTIES, pair, (original.least, update.least));
        self.not_compared(pair, original, update, out);
    }

    /// Of the properties that both declare; a name that is declared nowhere is ours to warn of.
    fn required(&self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        for (name, _) in &original.required {
            if !update.requires(name) && original.property(name).is_some() && update.property(name).is_some() {
                self.find(out, &rules::REQUIRED_ATTRIBUTE_REMOVED, Step::Name("required", name), pair);
            }
        }
        for (name, _) in update.required.iter().filter(|(name, _)| !original.requires(name)) {
            let rule = match (original.property(name), update.property(name)) {
                (Some(_), Some(node)) if self.has_default(pair.update.sibling(node)) => &rules::REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED,
                (Some(_), Some(_)) => &rules::REQUIRED_ATTRIBUTE_ADDED,
                // What is said of the new property says it.
                (None, Some(_)) => continue,
                (_, None) => &rules::REQUIRED_UNDECLARED_ADDED,
            };
            self.find(out, rule, Step::Name("required", name), pair);
        }
    }

    fn properties(&mut self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        for (name, before, after) in both(&original.properties, &update.properties) {
            match (before, after) {
                (Some(before), Some(after)) => {
                    self.descend(out, Step::Name(PROPERTIES, name), pair.original.sibling(before), pair.update.sibling(after));
                }
                (Some(before), None) => self.property_removed(pair, name, before, update, out),
                (None, Some(after)) => self.property_added(pair, name, after, (original, update), out),
                (None, None) => {}
            }
        }
    }

    /// Only the reader's model counts.
    fn property_removed(&mut self, pair: Pair, name: &'a str, before: NodeIx, update: &'a Object, out: &mut Outcome<'a>) {
        let (step, before) = (Step::Name(PROPERTIES, name), pair.original.sibling(before));
        let rule = if self.is_open(pair.update, update) {
            &rules::PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL
        } else if let Some(cover) = self.cover(pair.update, update, name) {
            let nested = self.descend(out, step, before, pair.update.sibling(cover));
            if self.breaks(nested) {
                &rules::PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            } else {
                &rules::PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            }
        } else if matches!(self.node(before).shape, Shape::False) {
            &rules::PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL
        } else {
            &rules::PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL
        };
        self.find(out, rule, step, pair);
    }

    /// Only the writer's model counts.
    fn property_added(&mut self, pair: Pair, name: &'a str, after: NodeIx, objects: (&'a Object, &'a Object), out: &mut Outcome<'a>) {
        let (original, update) = objects;
        let (step, after) = (Step::Name(PROPERTIES, name), pair.update.sibling(after));
        let (is_required, has_default) = (update.requires(name), self.has_default(after));
        if self.is_open(pair.original, original) {
            let rule = match (is_required, has_default) {
                _ if matches!(self.node(after).shape, Shape::Empty | Shape::True) => {
                    &rules::PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL
                }
                (true, true) => &rules::REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL,
                (true, false) => &rules::REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
                (false, _) => &rules::OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
            };
            self.find(out, rule, step, pair);
            if *rule == rules::PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL && is_required && !original.requires(name) {
                self.find(out, &rules::REQUIRED_UNDECLARED_ADDED, Step::Name("required", name), pair);
            }
            return;
        }
        if let Some(cover) = self.cover(pair.original, original, name) {
            let nested = self.descend(out, step, pair.original.sibling(cover), after);
            let rule = if self.breaks(nested) {
                &rules::PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            } else {
                &rules::PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            };
            self.find(out, rule, step, pair);
        }
        let rule = match (is_required, has_default) {
            (true, true) => &rules::REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL,
            (true, false) => &rules::REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
            (false, _) => &rules::OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
        };
        self.find(out, rule, step, pair);
    }

    fn required_with(&self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        for (name, before, after) in both(&original.required_with, &update.required_with) {
            let rule = match (&before, &after) {
                (_, None) => &rules::DEPENDENCY_ARRAY_REMOVED,
                (None, Some(_)) => &rules::DEPENDENCY_ARRAY_ADDED,
                (Some(before), Some(after)) if before == after => continue,
                (Some(before), Some(after)) if before.iter().all(|one| after.contains(one)) => &rules::DEPENDENCY_ARRAY_EXTENDED,
                (Some(before), Some(after)) if after.iter().all(|one| before.contains(one)) => &rules::DEPENDENCY_ARRAY_NARROWED,
                (Some(_), Some(_)) => &rules::DEPENDENCY_ARRAY_CHANGED,
            };
            let step = Step::Name(DEPENDENCIES, name);
            self.find(out, rule, step, pair);
            let is_always_there = after.is_some_and(|names| names.iter().all(|one| original.requires(one)));
            if rule.effect == rules::Effect::Breaks && is_always_there {
                self.find(out, &rules::REFUSED_WITHOUT_EFFECT, step, pair);
            }
        }
    }

    fn schemas_with(&mut self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        for (name, before, after) in both(&original.schemas_with, &update.schemas_with) {
            let step = Step::Name(DEPENDENCIES, name);
            match (before, after) {
                (_, None) => self.find(out, &rules::DEPENDENCY_SCHEMA_REMOVED, step, pair),
                (None, Some(_)) => self.find(out, &rules::DEPENDENCY_SCHEMA_ADDED, step, pair),
                (Some(before), Some(after)) => {
                    self.descend(out, step, pair.original.sibling(before), pair.update.sibling(after));
                }
            }
        }
    }

    fn additional(&mut self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        let step = Step::Keyword("additionalProperties");
        let rule = match (original.is_closed, update.is_closed) {
            (true, false) => &rules::ADDITIONAL_PROPERTIES_ADDED,
            (false, true) => &rules::ADDITIONAL_PROPERTIES_REMOVED,
            _ => match (original.additional, update.additional) {
                (None, Some(_)) => &rules::ADDITIONAL_PROPERTIES_NARROWED,
                (Some(_), None) => &rules::ADDITIONAL_PROPERTIES_EXTENDED,
                parts => return self.maybe(out, step, pair, parts),
            },
        };
        self.find(out, rule, step, pair);
    }

    pub(super) fn unevaluated(
        &mut self,
        pair: Pair,
        parts: (Option<NodeIx>, Option<NodeIx>),
        words: &'static Unevaluated,
        out: &mut Outcome<'a>,
    ) {
        let step = Step::Keyword(words.keyword);
        let shape = |at: At| &self.node(at).shape;
        let (before, after) = (parts.0.map(|node| pair.original.sibling(node)), parts.1.map(|node| pair.update.sibling(node)));
        let is_false = |at: Option<At>| at.is_some_and(|at| matches!(shape(at), Shape::False));
        let is_empty = |at: Option<At>| at.is_some_and(|at| matches!(shape(at), Shape::Empty | Shape::True));
        let rule = match (before, after) {
            (None, None) => return,
            (Some(_), Some(_)) if is_false(before) == is_false(after) && is_empty(before) == is_empty(after) => {
                return self.maybe(out, step, pair, parts);
            }
            (None, Some(_)) if is_false(after) => words.removed,
            (None, Some(_)) => words.narrowed,
            (Some(_), None) if is_false(before) => words.added,
            (Some(_), None) => words.extended,
            _ if is_false(before) => words.added,
            _ if is_false(after) => words.removed,
            _ if is_empty(before) => words.narrowed,
            _ => words.extended,
        };
        self.find(out, rule, step, pair);
    }

    /// Keywords whose changes the product overlooks.
    fn not_compared(&self, pair: Pair, original: &'a Object, update: &'a Object, out: &mut Outcome<'a>) {
        let differs = |before: Option<NodeIx>, after: NodeIx| {
            before.is_none_or(|before| !self.is_same(pair.original.sibling(before), pair.update.sibling(after)))
        };
        for entry in &update.patterns {
            let before = original.patterns.iter().find(|other| other.pattern == entry.pattern).map(|other| other.node);
            let lets_all_through = matches!(self.node(pair.update.sibling(entry.node)).shape, Shape::Empty | Shape::True);
            if differs(before, entry.node) && !lets_all_through {
                self.find(out, &rules::RULE_WITHOUT_COMPARISON, Step::Name("patternProperties", &entry.pattern), pair);
            }
        }
        if let Some(names) = update.names.filter(|names| differs(original.names, *names)) {
            let lets_all_through = matches!(self.node(pair.update.sibling(names)).shape, Shape::Empty | Shape::True);
            if !lets_all_through {
                self.find(out, &rules::RULE_WITHOUT_COMPARISON, Step::Keyword("propertyNames"), pair);
            }
        }
    }

    fn is_open(&self, at: At, object: &Object) -> bool {
        let rest_is_open = || object.unevaluated.is_none_or(|node| matches!(self.node(at.sibling(node)).shape, Shape::Empty | Shape::True));
        !object.is_closed && object.additional.is_none() && object.patterns.is_empty() && rest_is_open()
    }

    /// What a partly open model says of a property of this name.
    fn cover(&self, at: At, object: &Object, name: &str) -> Option<NodeIx> {
        let says_something = |node: &NodeIx| !matches!(self.node(at.sibling(*node)).shape, Shape::Empty | Shape::True | Shape::False);
        let by_pattern = object.patterns.iter().find(|entry| entry.fits(name)).map(|entry| entry.node);
        let rest = || object.unevaluated.filter(|_| !object.is_closed).filter(says_something);
        by_pattern.or(object.additional).or_else(rest)
    }

    fn has_default(&self, at: At) -> bool {
        self.node(at).notes.default.is_some()
    }
}

/// The four rules of `unevaluatedProperties` and of `unevaluatedItems`.
pub(super) struct Unevaluated {
    pub(super) keyword: &'static str,
    pub(super) added: &'static rules::Rule,
    pub(super) removed: &'static rules::Rule,
    pub(super) narrowed: &'static rules::Rule,
    pub(super) extended: &'static rules::Rule,
}

static UNEVALUATED: Unevaluated = Unevaluated {
    keyword: "unevaluatedProperties",
    added: &rules::UNEVALUATED_PROPERTIES_ADDED,
    removed: &rules::UNEVALUATED_PROPERTIES_REMOVED,
    narrowed: &rules::UNEVALUATED_PROPERTIES_NARROWED,
    extended: &rules::UNEVALUATED_PROPERTIES_EXTENDED,
};

impl Object {
    pub(super) fn property(&self, name: &str) -> Option<NodeIx> {
        self.properties.binary_search_by(|(key, _)| (**key).cmp(name)).ok().map(|at| self.properties[at].1)
    }
    pub(super) fn requires(&self, name: &str) -> bool {
        self.required.binary_search_by(|(key, _)| (**key).cmp(name)).is_ok()
    }
}

/// Two sorted maps side by side.
fn both<'a, T: Clone>(before: &'a [(Box<str>, T)], after: &'a [(Box<str>, T)]) -> impl Iterator<Item = (&'a str, Option<T>, Option<T>)> {
    let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return None,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        let left = if order.is_le() { before.next() } else { None };
        let right = if order.is_ge() { after.next() } else { None };
        let name = left.or(right).map(|(name, _)| &**name)?;
        Some((name, left.map(|(_, value)| value.clone()), right.map(|(_, value)| value.clone())))
    })
}
