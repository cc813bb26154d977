//! The walk through two schemas at once: pairs of nodes, each judged once.
//!
//! `original` is the writer's side and `update` the reader's, save under `not`, where they change places. A pair met again gives
//! what it gave before. A pair met inside itself (a recursive schema) is taken to be compatible, and when that guess went into the
//! answer the walk is made again with the pairs that turned out to break, until nothing more turns out so (the product does
//! the same). Must not know: words. Start at [`Walk::run`].

use std::collections::HashMap;

use super::rules::{self, Bound, Rule};
use super::shape::{Combined, Criterion, Node, NodeIx, Shape, Shapes};
use crate::machines::codec::difference::{Policy, Severity};

/// Comparisons of pairs beyond these are not made: the schemas are too entangled.
pub(super) const STEPS_MAX: usize = 200_000;
/// Deepest nesting of pairs, through references.
const DEPTH_MAX: usize = 400;

/// A node of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) is_reader: bool,
    pub(super) node: NodeIx,
}

impl At {
    pub(super) fn sibling(self, node: NodeIx) -> Self {
        Self { node, ..self }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    pub(super) original: At,
    pub(super) update: At,
}

/// Where below a node something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    Here,
    Keyword(&'static str),
    /// A keyword that the product does not put into its path.
    Note(&'static str),
    Name(&'static str, &'a str),
    Index(&'static str, usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) rule: &'static Rule,
    pub(super) step: Step<'a>,
    pub(super) pair: Pair,
}

#[derive(Debug)]
pub(super) enum Entry<'a> {
    Found(Found<'a>),
    /// The step is where the product would place what is below.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests compare the product's paths"))]
    Nested(Step<'a>, OutcomeIx),
}

pub(super) type OutcomeIx = u32;
/// No difference at all.
pub(super) const NOTHING: OutcomeIx = 0;

/// What a pair gave.
#[derive(Debug, Default)]
pub(super) struct Outcome<'a> {
    pub(super) breaks: bool,
    pub(super) entries: Vec<Entry<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Known {
    Open,
    Done(OutcomeIx),
}

pub(super) struct Walk<'a> {
    reader: &'a Shapes,
    writer: &'a Shapes,
    policy: Policy,
    known: HashMap<Pair, Known, ahash::RandomState>,
    pub(super) outcomes: Vec<Outcome<'a>>,
    /// Pairs that broke in the last pass.
    broken: HashMap<Pair, OutcomeIx, ahash::RandomState>,
    /// A pair inside itself was taken to be compatible.
    has_guessed: bool,
    pub(super) steps: usize,
    depth: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(reader: &'a Shapes, writer: &'a Shapes, policy: Policy) -> Self {
        let hasher = || ahash::RandomState::with_seeds(5, 6, 7, 8);
        Self {
            reader,
            writer,
            policy,
            known: HashMap::with_hasher(hasher()),
            outcomes: vec![Outcome::default()],
            broken: HashMap::with_hasher(hasher()),
            has_guessed: false,
            steps: 0,
            depth: 0,
        }
    }
    /// Compares the whole schemas.
    pub(super) fn run(&mut self) -> OutcomeIx {
        loop {
            self.known.clear();
            self.has_guessed = false;
            let root = self.compare(At { is_reader: false, node: 0 }, At { is_reader: true, node: 0 });
            let before = std::mem::take(&mut self.broken);
            for (pair, known) in &self.known {
                if let Known::Done(outcome) = known
                    && self.breaks(*outcome)
                {
                    self.broken.insert(*pair, *outcome);
                }
            }
            let is_settled = self.broken.len() == before.len() && self.broken.keys().all(|pair| before.contains_key(pair));
            if !self.has_guessed || is_settled || self.is_exhausted() {
                return root;
            }
        }
    }
    pub(super) fn node(&self, at: At) -> &'a Node {
        let shapes = if at.is_reader { self.reader } else { self.writer };
        &shapes.nodes[at.node as usize]
    }
    pub(super) fn shapes(&self, at: At) -> &'a Shapes {
        if at.is_reader { self.reader } else { self.writer }
    }
    pub(super) fn breaks(&self, outcome: OutcomeIx) -> bool {
        self.outcomes[outcome as usize].breaks
    }
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps > STEPS_MAX
    }
    /// Whether both stand for the same, seen without following references.
    pub(super) fn is_same(&self, one: At, other: At) -> bool {
        let (one, other) = (self.node(one), self.node(other));
        one.print == other.print && !one.has_reference && !other.has_reference
    }
    pub(super) fn find(&self, out: &mut Outcome<'a>, rule: &'static Rule, step: Step<'a>, pair: Pair) {
        out.breaks |= rule.severity(self.policy) == Severity::Breaks;
        out.entries.push(Entry::Found(Found { rule, step, pair }));
    }
    pub(super) fn nest(&self, out: &mut Outcome<'a>, step: Step<'a>, nested: OutcomeIx) {
        if nested != NOTHING {
            out.breaks |= self.breaks(nested);
            out.entries.push(Entry::Nested(step, nested));
        }
    }
    /// Compares and takes in what comes out.
    pub(super) fn descend(&mut self, out: &mut Outcome<'a>, step: Step<'a>, original: At, update: At) -> OutcomeIx {
        let nested = self.compare(original, update);
        self.nest(out, step, nested);
        nested
    }
    /// Two parts of which either may be missing.
    pub(super) fn maybe(&mut self, out: &mut Outcome<'a>, step: Step<'a>, pair: Pair, parts: (Option<NodeIx>, Option<NodeIx>)) {
        match parts {
            (None, None) => {}
            (None, Some(_)) => self.find(out, &rules::SCHEMA_ADDED, step, pair),
            (Some(_), None) => self.find(out, &rules::SCHEMA_REMOVED, step, pair),
            (Some(original), Some(update)) => {
                self.descend(out, step, pair.original.sibling(original), pair.update.sibling(update));
            }
        }
    }
    pub(super) fn bound<T: PartialOrd>(&self, out: &mut Outcome<'a>, bound: &'static Bound, pair: Pair, values: (Option<T>, Option<T>)) {
        let rule = match values {
            (None, Some(_)) => &bound.added,
            (Some(_), None) => &bound.removed,
            (Some(original), Some(update)) if original < update => &bound.increased,
            (Some(original), Some(update)) if original > update => &bound.decreased,
            _ => return,
        };
        self.find(out, rule, Step::Keyword(bound.keyword), pair);
    }

    pub(super) fn compare(&mut self, original: At, update: At) -> OutcomeIx {
        self.steps += 1;
        let resolved = |walk: &Self, at: At| at.sibling(walk.shapes(at).target(at.node));
        let pair = Pair { original: resolved(self, original), update: resolved(self, update) };
        if self.is_same(pair.original, pair.update) {
            return NOTHING;
        }
        match self.known.get(&pair) {
            Some(Known::Done(outcome)) => return *outcome,
            Some(Known::Open) => {
                return self.broken.get(&pair).copied().unwrap_or_else(|| {
                    self.has_guessed = true;
                    NOTHING
                });
            }
            None => {}
        }
        let mut out = Outcome::default();
        if self.is_exhausted() || self.depth >= DEPTH_MAX {
            self.steps = STEPS_MAX + 1;
            self.find(&mut out, &rules::COMPARISON_LIMIT, Step::Here, pair);
        } else {
            self.known.insert(pair, Known::Open);
            self.depth += 1;
            self.kinds(pair, &mut out);
            self.depth -= 1;
        }
        let outcome = self.keep(out);
        self.known.insert(pair, Known::Done(outcome));
        outcome
    }

    fn keep(&mut self, out: Outcome<'a>) -> OutcomeIx {
        if out.entries.is_empty() {
            return NOTHING;
        }
        self.outcomes.push(out);
        self.outcomes.len() as OutcomeIx - 1
    }

    fn kinds(&mut self, pair: Pair, out: &mut Outcome<'a>) {
        let (before, after) = (self.node(pair.original), self.node(pair.update));
        match (&before.shape, &after.shape) {
            (Shape::Combined(_), Shape::Combined(_)) => {}
            (_, Shape::Combined(update)) if self.fits_a_branch(pair, update, out) => return,
            (Shape::Combined(original), _) if self.a_branch_fits(pair, original, out) => return,
            _ => {}
        }
        if std::mem::discriminant(&before.shape) != std::mem::discriminant(&after.shape) {
            self.other_kind(pair, out);
            return;
        }
        self.notes(pair, out);
        match (&before.shape, &after.shape) {
            (Shape::Text(original), Shape::Text(update)) => self.texts(pair, original, update, out),
            (Shape::Number(original), Shape::Number(update)) => self.numbers(pair, original, update, out),
            (Shape::Enum(original), Shape::Enum(update)) => self.enums(pair, original, update, out),
            (Shape::Const(original), Shape::Const(update)) if original != update => {
                self.find(out, &rules::ENUM_ARRAY_CHANGED, Step::Keyword("const"), pair);
            }
            (Shape::Combined(original), Shape::Combined(update)) => self.combined(pair, original, update, out),
            (Shape::Not(original), Shape::Not(update)) => self.negations(pair, *original, *update, out),
            (Shape::Object(original), Shape::Object(update)) => self.objects(pair, original, update, out),
            (Shape::Array(original), Shape::Array(update)) => self.arrays(pair, original, update, out),
            (Shape::Conditional(original), Shape::Conditional(update)) if original != update => {
                self.find(out, &rules::CONDITION_NOT_COMPARED, Step::Keyword("if"), pair);
            }
            (Shape::Foreign(original), Shape::Foreign(update)) if original != update => {
                self.find(out, &rules::TYPE_CHANGED, Step::Here, pair);
            }
            (Shape::Reference(original), Shape::Reference(update)) => {
                // The product does not look behind a reference to a reference.
                let behind = self.compare(pair.original.sibling(*original), pair.update.sibling(*update));
                if self.breaks(behind) {
                    self.find(out, &rules::REFERENCE_CHAIN_NOT_COMPARED, Step::Here, pair);
                }
            }
            _ => {}
        }
    }

    /// One schema against a list: the only one, or one of those of which one is enough.
    fn fits_a_branch(&mut self, pair: Pair, update: &Combined, out: &mut Outcome<'a>) -> bool {
        if update.branches.len() != 1 && update.criterion == Criterion::All {
            return false;
        }
        for branch in &update.branches {
            let nested = self.compare(pair.original, pair.update.sibling(*branch));
            if !self.breaks(nested) {
                self.nest(out, Step::Here, nested);
                if update.branches.len() > 1 {
                    self.find(out, &rules::SUM_TYPE_EXTENDED, Step::Here, pair);
                }
                return true;
            }
            if self.is_exhausted() {
                break;
            }
        }
        false
    }

    /// A list against one schema: the only one, or one of those that all hold.
    fn a_branch_fits(&mut self, pair: Pair, original: &Combined, out: &mut Outcome<'a>) -> bool {
        if original.branches.len() != 1 && original.criterion != Criterion::All {
            return false;
        }
        for branch in &original.branches {
            let nested = self.compare(pair.original.sibling(*branch), pair.update);
            if !self.breaks(nested) {
                self.nest(out, Step::Here, nested);
                if original.branches.len() > 1 {
                    self.find(out, &rules::PRODUCT_TYPE_NARROWED, Step::Here, pair);
                }
                return true;
            }
            if self.is_exhausted() {
                break;
            }
        }
        false
    }

    fn other_kind(&self, pair: Pair, out: &mut Outcome<'a>) {
        let (before, after) = (self.node(pair.original), self.node(pair.update));
        let takes_all = matches!(after.shape, Shape::Empty | Shape::True);
        if matches!(before.shape, Shape::False) || takes_all || (before.notes.is_bytes && after.notes.is_bytes) {
            return;
        }
        self.find(out, &rules::TYPE_CHANGED, Step::Here, pair);
        if matches!(before.shape, Shape::Empty | Shape::True) && after.shape.asks_nothing() {
            self.find(out, &rules::REFUSED_WITHOUT_EFFECT, Step::Here, pair);
        }
    }

    fn notes(&self, pair: Pair, out: &mut Outcome<'a>) {
        let (before, after) = (&self.node(pair.original).notes, &self.node(pair.update).notes);
        for (rule, keyword, is_same) in [
            (&rules::ID_CHANGED, "$id", before.id == after.id),
            (&rules::TITLE_CHANGED, "title", before.title == after.title),
            (&rules::DESCRIPTION_CHANGED, "description", before.description == after.description),
            (&rules::DEFAULT_CHANGED, "default", before.default == after.default),
        ] {
            if !is_same {
                self.find(out, rule, Step::Note(keyword), pair);
            }
        }
    }
}
