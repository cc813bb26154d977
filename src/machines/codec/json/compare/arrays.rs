//! Lists: `items` for all, a schema for each of the first, and what is additional.

use super::objects::Unevaluated;
use super::rules;
use super::shape::{Array, NodeIx, Shape};
use super::walk::{At, Outcome, Pair, Step, Walk};

const ITEMS: &str = "items";

impl<'a> Walk<'a> {
    pub(super) fn arrays(&mut self, pair: Pair, original: &'a Array, update: &'a Array, out: &mut Outcome<'a>) {
        self.maybe(out, Step::Keyword(ITEMS), pair, (original.every, update.every));
        self.first_items(pair, original, update, out);
        self.additional_items(pair, original, update, out);
        self.unevaluated(pair, (original.unevaluated, update.unevaluated), &UNEVALUATED, out);
        self.bound(out, &rules::MAX_ITEMS, pair, (original.most, update.most));
        self.bound(out, &rules::MIN_ITEMS, pair, (original.least, update.least));
        match (original.is_unique, update.is_unique) {
            (true, false) => self.find(out, &rules::UNIQUE_ITEMS_REMOVED, Step::Keyword("uniqueItems"), pair),
            (false, true) => self.find(out, &rules::UNIQUE_ITEMS_ADDED, Step::Keyword("uniqueItems"), pair),
            _ => {}
        }
        self.bound(out, &rules::MAX_CONTAINS, pair, (original.most_contained, update.most_contained));
        self.bound(out, &rules::MIN_CONTAINS, pair, (original.least_contained, update.least_contained));
        if let Some(after) = update.contains {
            let after = pair.update.sibling(after);
            if original.contains.is_none_or(|before| !self.is_same(pair.original.sibling(before), after)) {
                self.find(out, &rules::RULE_WITHOUT_COMPARISON, Step::Keyword("contains"), pair);
            }
        }
    }

    fn first_items(&mut self, pair: Pair, original: &'a Array, update: &'a Array, out: &mut Outcome<'a>) {
        for at in 0..original.first.len().max(update.first.len()) {
            match (original.first.get(at), update.first.get(at)) {
                (Some(before), Some(after)) => {
                    self.descend(out, Step::Index(ITEMS, at), pair.original.sibling(*before), pair.update.sibling(*after));
                }
                (Some(before), None) => self.item_removed(pair, at, *before, update, out),
                (None, Some(after)) => self.item_added(pair, at, *after, original, out),
                (None, None) => {}
            }
        }
    }

    fn item_removed(&mut self, pair: Pair, at: usize, before: NodeIx, update: &'a Array, out: &mut Outcome<'a>) {
        let (step, before) = (Step::Index(ITEMS, at), pair.original.sibling(before));
        let rule = if self.is_open_list(pair.update, update) {
            &rules::ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL
        } else if let Some(cover) = self.cover_of_items(pair.update, update) {
            let nested = self.descend(out, step, before, pair.update.sibling(cover));
            if self.breaks(nested) {
                &rules::ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            } else {
                &rules::ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            }
        } else if matches!(self.node(before).shape, Shape::False) {
            &rules::ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL
        } else {
            &rules::ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL
        };
        self.find(out, rule, step, pair);
    }

    fn item_added(&mut self, pair: Pair, at: usize, after: NodeIx, original: &'a Array, out: &mut Outcome<'a>) {
        let (step, after) = (Step::Index(ITEMS, at), pair.update.sibling(after));
        let rule = if self.is_open_list(pair.original, original) {
            if matches!(self.node(after).shape, Shape::Empty | Shape::True) {
                &rules::ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL
            } else {
                &rules::ITEM_ADDED_TO_OPEN_CONTENT_MODEL
            }
        } else if let Some(cover) = self.cover_of_items(pair.original, original) {
            let nested = self.descend(out, step, pair.original.sibling(cover), after);
            if self.breaks(nested) {
                &rules::ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            } else {
                &rules::ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL
            }
        } else {
            &rules::ITEM_ADDED_TO_CLOSED_CONTENT_MODEL
        };
        self.find(out, rule, step, pair);
    }

    fn additional_items(&mut self, pair: Pair, original: &'a Array, update: &'a Array, out: &mut Outcome<'a>) {
        let step = Step::Keyword("additionalItems");
        let rule = match (original.is_closed, update.is_closed) {
            (true, false) => &rules::ADDITIONAL_ITEMS_ADDED,
            (false, true) => &rules::ADDITIONAL_ITEMS_REMOVED,
            _ => match (original.additional, update.additional) {
                (None, Some(_)) => &rules::ADDITIONAL_ITEMS_NARROWED,
                (Some(_), None) => &rules::ADDITIONAL_ITEMS_EXTENDED,
                parts => return self.maybe(out, step, pair, parts),
            },
        };
        self.find(out, rule, step, pair);
        let has_no_meaning = update.first.is_empty() && !self.shapes(pair.update).is_modern;
        if rule.effect == rules::Effect::Breaks && has_no_meaning {
            // Beside one schema for all items, and without a list of them, the keyword has no meaning.
            self.find(out, &rules::REFUSED_WITHOUT_EFFECT, step, pair);
        }
    }

    fn is_open_list(&self, at: At, array: &Array) -> bool {
        let rest_is_open = || array.unevaluated.is_none_or(|node| matches!(self.node(at.sibling(node)).shape, Shape::Empty | Shape::True));
        !array.is_closed && array.additional.is_none() && rest_is_open()
    }

    fn cover_of_items(&self, at: At, array: &Array) -> Option<NodeIx> {
        let says_something = |node: &NodeIx| !matches!(self.node(at.sibling(*node)).shape, Shape::Empty | Shape::True | Shape::False);
        array.additional.or_else(|| array.unevaluated.filter(|_| !array.is_closed).filter(says_something))
    }
}

static UNEVALUATED: Unevaluated = Unevaluated {
    keyword: "unevaluatedItems",
    added: &rules::UNEVALUATED_ITEMS_ADDED,
    removed: &rules::UNEVALUATED_ITEMS_REMOVED,
    narrowed: &rules::UNEVALUATED_ITEMS_NARROWED,
    extended: &rules::UNEVALUATED_ITEMS_EXTENDED,
};
