//! How an expectation is judged while a run goes.
//!
//! A condition is split at its outermost `and` into clauses, each judged on its own:
//! - A clause with an instantaneous figure (lag, queue, utilisation, rate, in flight, log size) must hold at
//!   every observation: its first violation is final.
//! - A clause of cumulative figures only (percentiles, totals, shares, guarantees) is judged by its value at
//!   the end; until then the verdict says how it would end now. It broke where the violation that lasted to
//!   the end began. A total that has yet to reach its lower bound is pending, not missed.
//!
//! Suffixes: `after D` ignores everything before D. `for D` lets a violation count only once it has lasted D
//! from its first to its latest observation without a pause (an observation that holds, or none at all, ends
//! it). `at end` looks once, at the end. What was never observed by the end is missed: an expectation that
//! nothing was measured for has not been met.

use super::expr::{Compare, Expr, Node};
use super::{Expectation, FigureSource, Unit};
use crate::units::SimTime;

/// Met or missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Too early to say, or nothing observed yet. Never the last word: the end decides.
    Pending,
    /// Holds so far, or held to the end.
    Met,
    /// Broken.
    Missed,
}

/// Watches one expectation through one run. A clone goes on like the original.
#[derive(Clone, Debug)]
pub struct Judge {
    expectation: Expectation,
    clauses: Vec<Clause>,
    /// What was seen of each comparison, in the order written; a guarantee counts as one.
    seen: Vec<Option<Seen>>,
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
struct Clause {
    /// Breaks at any instant; otherwise the end decides.
    instant: bool,
    /// As last observed; none when it could not be told.
    holds: Option<bool>,
    observed: bool,
    /// Where the present violation began.
    violated_since: Option<SimTime>,
    /// Where a violation that counts began.
    broke_at: Option<SimTime>,
}

/// The two sides of a comparison: the latest, or for instantaneous clauses the worst.
#[derive(Clone, Copy, Debug)]
struct Seen {
    left: f64,
    right: f64,
    excess: f64,
}

/// One turn of looking.
struct Look<'a> {
    source: &'a dyn FigureSource,
    at_end: bool,
    instant: bool,
    next: usize,
    seen: &'a mut [Option<Seen>],
}

impl Judge {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(expectation: Expectation) -> Self {
        let mut clauses = Vec::new();
        each_clause(&expectation.condition, &mut |clause| {
            let instant = clause.is_instant() && !expectation.suffix.at_end;
            clauses.push(Clause { instant, holds: None, observed: false, violated_since: None, broke_at: None });
        });
        let mut leaves = 0;
        each_leaf(&expectation.condition, &mut |_| leaves += 1);
        Self { expectation, clauses, seen: vec![None; leaves], ended: false }
    }
    /// What is judged.
    #[must_use]
    pub fn expectation(&self) -> &Expectation {
        &self.expectation
    }
    /// Looks at the figures as of `now`; `at_end` for the last time.
    pub fn observe(&mut self, now: SimTime, source: &dyn FigureSource, at_end: bool) {
        let suffix = self.expectation.suffix;
        let too_early = suffix.after.is_some_and(|after| now < SimTime::ZERO + after);
        self.ended |= at_end;
        if too_early || (suffix.at_end && !at_end) {
            return;
        }
        let mut look = Look { source, at_end, instant: false, next: 0, seen: &mut self.seen };
        let mut clauses = self.clauses.iter_mut();
        let lasting = suffix.lasting.unwrap_or_default();
        each_clause(&self.expectation.condition, &mut |expr| {
            let clause = clauses.next().expect("the clauses were counted over the same condition");
            look.instant = clause.instant;
            let holds = look.holds(expr);
            clause.observed |= holds.is_some();
            clause.holds = holds;
            if holds == Some(false) {
                let since = *clause.violated_since.get_or_insert(now);
                if now.since(since) >= lasting {
                    clause.broke_at.get_or_insert(since);
                }
            } else {
                clause.violated_since = None;
                if !clause.instant {
                    clause.broke_at = None;
                }
            }
        });
    }
    /// The verdict so far; after the last observation [`Verdict::Met`] or [`Verdict::Missed`].
    #[must_use]
    pub fn state(&self) -> Verdict {
        let unseen = if self.ended { Verdict::Missed } else { Verdict::Pending };
        let of = |clause: &Clause| match clause {
            Clause { broke_at: Some(_), .. } => Verdict::Missed,
            Clause { observed: false, .. } => unseen,
            Clause { instant: false, holds: None, .. } => unseen,
            _ => Verdict::Met,
        };
        let worst = |verdict: &Verdict| match verdict {
            Verdict::Met => 0,
            Verdict::Pending => 1,
            Verdict::Missed => 2,
        };
        self.clauses.iter().map(of).max_by_key(worst).unwrap_or(unseen)
    }
    /// The first moment it broke; none while it holds, and none when it is missed for want of observations.
    #[must_use]
    pub fn broke_at(&self) -> Option<SimTime> {
        self.clauses.iter().filter_map(|clause| clause.broke_at).min()
    }
    /// The figures that it was judged by, with units: `143ms`; for instantaneous ones the worst that was seen
    /// (`5200 at worst`); `no observations` when there is none. Several comparisons are joined by `; `.
    #[must_use]
    pub fn figure_text(&self) -> String {
        let mut texts = Vec::new();
        let mut next = 0;
        let mut clauses = self.clauses.iter();
        each_clause(&self.expectation.condition, &mut |expr| {
            let instant = clauses.next().is_some_and(|clause| clause.instant);
            each_leaf(expr, &mut |leaf| {
                let seen = self.seen.get(next).copied().flatten();
                next += 1;
                texts.push(shown(leaf, seen, instant));
            });
        });
        if self.seen.iter().all(Option::is_none) { "no observations".to_owned() } else { texts.join("; ") }
    }
}

fn shown(leaf: &Expr, seen: Option<Seen>, instant: bool) -> String {
    let Some(seen) = seen else { return "no observations".to_owned() };
    let suffix = if instant { " at worst" } else { "" };
    match &leaf.node {
        Node::Compare(_, left, right) => {
            let unit = if left.unit == Unit::Plain { right.unit } else { left.unit };
            match (left.names_a_figure(), right.names_a_figure()) {
                (true, true) => format!("{} against {}{suffix}", unit.show(seen.left), unit.show(seen.right)),
                (false, true) => format!("{}{suffix}", unit.show(seen.right)),
                _ => format!("{}{suffix}", unit.show(seen.left)),
            }
        }
        _ => Unit::Truth.show(seen.left),
    }
}

/// Calls `see` for each part between the outermost `and`s.
fn each_clause<'a>(condition: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
    if let Node::And(left, right) = &condition.node {
        each_clause(left, see);
        each_clause(right, see);
    } else {
        see(condition);
    }
}

/// Calls `see` for each comparison or guarantee, in the order written.
fn each_leaf<'a>(condition: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
    match &condition.node {
        Node::And(left, right) | Node::Or(left, right) => {
            each_leaf(left, see);
            each_leaf(right, see);
        }
        Node::Not(inner) => each_leaf(inner, see),
        _ => see(condition),
    }
}

impl Look<'_> {
    /// Three-valued: none where a missing figure leaves it open. Every leaf is looked at, whatever the others say.
    fn holds(&mut self, expr: &Expr) -> Option<bool> {
        match &expr.node {
            Node::Or(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Node::And(left, right) => match (self.holds(left), self.holds(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Node::Not(inner) => self.holds(inner).map(|holds| !holds),
            Node::Compare(sign, left, right) => {
                let sides = left.value(self.source).zip(right.value(self.source));
                let next = self.next;
                self.next += 1;
                let (l, r) = sides?;
                self.keep(next, Seen { left: l, right: r, excess: sign.excess(l, r) });
                let holds = sign.holds(l, r);
                let may_yet = !holds && !self.at_end && !self.instant && may_grow_into(*sign, left, right, l < r);
                (!may_yet).then_some(holds)
            }
            _ => {
                let value = expr.value(self.source);
                let next = self.next;
                self.next += 1;
                let value = value?;
                self.keep(next, Seen { left: value, right: 1.0, excess: 1.0 - value });
                Some(value > 0.0)
            }
        }
    }
    fn keep(&mut self, leaf: usize, seen: Seen) {
        let slot = &mut self.seen[leaf];
        let worse = slot.is_none_or(|before| seen.excess > before.excess);
        if !self.instant || worse {
            *slot = Some(seen);
        }
    }
}

/// Whether a comparison that does not hold can still come to hold because one side only grows.
fn may_grow_into(sign: Compare, left: &Expr, right: &Expr, left_is_less: bool) -> bool {
    let fixed = |expr: &Expr| !expr.names_a_figure();
    let left_grows = left.grows() && fixed(right);
    let right_grows = right.grows() && fixed(left);
    match sign {
        Compare::Greater | Compare::GreaterOrEqual => left_grows,
        Compare::Less | Compare::LessOrEqual => right_grows && !left_grows,
        Compare::Equal => (left_grows && left_is_less) || (right_grows && !left_is_less),
        Compare::NotEqual => left_grows || right_grows,
    }
}
