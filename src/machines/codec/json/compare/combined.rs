//! Lists of schemas (`allOf`, `anyOf`, `oneOf`): branches are matched one to one, as many as can be.

use std::collections::BTreeSet;

use super::matching;
use super::rules;
use super::shape::{Combined, Criterion, NodeIx};
use super::walk::{At, Outcome, OutcomeIx, Pair, Step, Walk};

impl<'a> Walk<'a> {
    pub(super) fn combined(&mut self, pair: Pair, original: &Combined, update: &Combined, out: &mut Outcome<'a>) {
        if original.criterion != update.criterion {
            let (is_one_before, is_one_now) = (original.branches.len() == 1, update.branches.len() == 1);
            let is_wider = update.criterion == Criterion::Any
                || (is_one_before && is_one_now)
                || (is_one_before && update.criterion == Criterion::One)
                || (is_one_now && original.criterion == Criterion::All);
            if !is_wider {
                self.find(out, &rules::COMBINED_TYPE_CHANGED, Step::Here, pair);
                return;
            }
            self.find(out, &rules::COMBINED_TYPE_EXTENDED, Step::Here, pair);
        }
        let (before, after) = (self.distinct(pair.original, original), self.distinct(pair.update, update));
        let is_sum = original.criterion != Criterion::All;
        match before.len().cmp(&after.len()) {
            std::cmp::Ordering::Less if update.criterion == Criterion::All => {
                self.find(out, &rules::PRODUCT_TYPE_EXTENDED, Step::Here, pair)
            }
            std::cmp::Ordering::Less => self.find(out, &rules::SUM_TYPE_EXTENDED, Step::Here, pair),
            std::cmp::Ordering::Greater if is_sum => self.find(out, &rules::SUM_TYPE_NARROWED, Step::Here, pair),
            std::cmp::Ordering::Greater => self.find(out, &rules::PRODUCT_TYPE_NARROWED, Step::Here, pair),
            std::cmp::Ordering::Equal => {}
        }
        self.match_branches(pair, original.criterion, (&before, &after), out);
    }

    fn match_branches(&mut self, pair: Pair, criterion: Criterion, (before, after): (&[NodeIx], &[NodeIx]), out: &mut Outcome<'a>) {
        let mut edges: Vec<Vec<u32>> = vec![Vec::new(); before.len()];
        let mut results: Vec<Vec<OutcomeIx>> = vec![Vec::new(); before.len()];
        for (index, branch) in before.iter().enumerate() {
            for (other, update) in after.iter().enumerate() {
                let nested = self.compare(pair.original.sibling(*branch), pair.update.sibling(*update));
                if self.is_exhausted() {
                    self.find(out, &rules::COMPARISON_LIMIT, Step::Here, pair);
                    return;
                }
                if !self.breaks(nested) {
                    // The least changed partner is tried first.
                    let at = if nested == super::walk::NOTHING { 0 } else { edges[index].len() };
                    edges[index].insert(at, other as u32);
                    results[index].insert(at, nested);
                }
            }
        }
        let partners = matching::maximum(&edges, after.len());
        for (index, partner) in partners.iter().enumerate() {
            let chosen = partner.and_then(|partner| edges[index].iter().position(|other| *other == partner));
            if let Some(at) = chosen {
                self.nest(out, Step::Index(criterion.keyword(), index), results[index][at]);
            }
        }
        if partners.iter().flatten().count() < before.len().min(after.len()) {
            self.find(out, &rules::COMBINED_TYPE_SUBSCHEMAS_CHANGED, Step::Here, pair);
        }
    }

    /// Without duplicates.
    fn distinct(&self, at: At, combined: &Combined) -> Vec<NodeIx> {
        let mut seen = BTreeSet::new();
        combined.branches.iter().copied().filter(|branch| seen.insert(self.node(at.sibling(*branch)).print)).collect()
    }
}
