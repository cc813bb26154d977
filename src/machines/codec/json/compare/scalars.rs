//! Texts, numbers, lists of values, and what must not match.

use super::rules;
use super::shape::{Literal, NodeIx, Number, Text};
use super::walk::{Outcome, Pair, Step, Walk};

impl<'a> Walk<'a> {
    pub(super) fn texts(&self, pair: Pair, original: &Text, update: &Text, out: &mut Outcome<'a>) {
        self.bound(out, &rules::MAX_LENGTH, pair, (original.most, update.most));
        self.bound(out, &rules::MIN_LENGTH, pair, (original.least, update.least));
        let pattern = match (&original.pattern, &update.pattern) {
            (None, Some(_)) => Some(&rules::PATTERN_ADDED),
            (Some(_), None) => Some(&rules::PATTERN_REMOVED),
            (Some(original), Some(update)) if original != update => Some(&rules::PATTERN_CHANGED),
            _ => None,
        };
        if let Some(rule) = pattern {
            self.find(out, rule, Step::Keyword("pattern"), pair);
        }
        if update.format.is_some() && original.format != update.format {
            self.find(out, &rules::RULE_WITHOUT_COMPARISON, Step::Keyword("format"), pair);
        }
    }

    pub(super) fn numbers(&self, pair: Pair, original: &Number, update: &Number, out: &mut Outcome<'a>) {
        self.bound(out, &rules::MAXIMUM, pair, (original.most, update.most));
        self.bound(out, &rules::MINIMUM, pair, (original.least, update.least));
        self.bound(out, &rules::EXCLUSIVE_MAXIMUM, pair, (original.below, update.below));
        self.bound(out, &rules::EXCLUSIVE_MINIMUM, pair, (original.above, update.above));
        let multiple = match (original.multiple_of, update.multiple_of) {
            (None, Some(_)) => Some(&rules::MULTIPLE_OF_ADDED),
            (Some(_), None) => Some(&rules::MULTIPLE_OF_REMOVED),
            (Some(original), Some(update)) if original == update => None,
            (Some(original), Some(update)) if update.is_multiple_of(original) => Some(&rules::MULTIPLE_OF_EXPANDED),
            (Some(original), Some(update)) if original.is_multiple_of(update) => Some(&rules::MULTIPLE_OF_REDUCED),
            (Some(_), Some(_)) => Some(&rules::MULTIPLE_OF_CHANGED),
            (None, None) => None,
        };
        if let Some(rule) = multiple {
            self.find(out, rule, Step::Keyword("multipleOf"), pair);
        }
        match (original.is_whole, update.is_whole) {
            (true, false) => self.find(out, &rules::TYPE_EXTENDED, Step::Here, pair),
            (false, true) => self.find(out, &rules::TYPE_NARROWED, Step::Here, pair),
            _ => {}
        }
        for (keyword, is_excluded_now) in [
            ("exclusiveMinimum", update.is_least_excluded && !original.is_least_excluded && update.least == original.least),
            ("exclusiveMaximum", update.is_most_excluded && !original.is_most_excluded && update.most == original.most),
        ] {
            if is_excluded_now {
                self.find(out, &rules::RULE_WITHOUT_COMPARISON, Step::Keyword(keyword), pair);
            }
        }
    }

    pub(super) fn enums(&self, pair: Pair, original: &[Literal], update: &[Literal], out: &mut Outcome<'a>) {
        // Both are sorted by print.
        let holds = |all: &[Literal], one: &Literal| all.binary_search_by_key(&one.print, |literal| literal.print).is_ok();
        let has_all_old = original.iter().all(|value| holds(update, value));
        let has_no_new = update.iter().all(|value| holds(original, value));
        let rule = match (has_all_old, has_no_new) {
            (true, true) => return,
            (true, false) => &rules::ENUM_ARRAY_EXTENDED,
            (false, true) => &rules::ENUM_ARRAY_NARROWED,
            (false, false) => &rules::ENUM_ARRAY_CHANGED,
        };
        self.find(out, rule, Step::Keyword("enum"), pair);
    }

    /// What must not match may only become less.
    pub(super) fn negations(&mut self, pair: Pair, original: NodeIx, update: NodeIx, out: &mut Outcome<'a>) {
        let (original, update) = (pair.original.sibling(original), pair.update.sibling(update));
        if self.is_same(original, update) {
            return;
        }
        let nested = self.compare(update, original);
        let rule = if self.breaks(nested) { &rules::NOT_TYPE_EXTENDED } else { &rules::NOT_TYPE_NARROWED };
        self.find(out, rule, Step::Keyword("not"), pair);
    }
}
