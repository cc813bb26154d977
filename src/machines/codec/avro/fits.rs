//! Whether one part of a reader's schema reads one part of a writer's, yes or no: what unions ask of their branches.
//!
//! Two records that contain themselves are judged by the greatest fixpoint: every pair counts as good until a pair
//! that it needs is bad. Pairs wait in a list, so that a chain of records, however long, needs no stack.
//! Start at [`Fits::fits`].

use std::collections::BTreeMap;

use super::outline::{Outline, OutlineField, PartIx, Shape};

/// Steps of one comparison; a pair that needs more is called incompatible.
const STEPS_MAX: u32 = 500_000;

/// Which rules of Apache Avro a product goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AvroRules {
    /// Names match without their namespace, an enum's default takes unknown symbols, and a reader that is no union reads
    /// a union when it reads each branch.
    #[default]
    Current,
    /// Full names match, an enum's default takes nothing, and a reader that is no union reads a union of one branch only.
    Old,
}

/// What a field of the reader finds in the writer's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The position of the one field that it reads, and whether an alias led there.
    Field { at: usize, by_alias: bool },
    /// The writer has no such field.
    None,
    /// Its name and its aliases lead to several.
    Several,
}

/// A record's runs of fields.
pub(super) type Run = (u32, u32);

/// The reader's and the writer's table, and what is known of their pairs.
#[derive(Debug)]
pub(super) struct Fits<'a> {
    pub(super) reader: &'a Outline,
    pub(super) writer: &'a Outline,
    pub(super) rules: AvroRules,
    /// Of two records.
    verdicts: BTreeMap<(PartIx, PartIx), bool>,
    /// Pairs that were taken for good and are still to be looked at.
    pending: Vec<(PartIx, PartIx)>,
    steps: u32,
}

impl<'a> Fits<'a> {
    pub(super) fn new(reader: &'a Outline, writer: &'a Outline, rules: AvroRules) -> Self {
        Self { reader, writer, rules, verdicts: BTreeMap::new(), pending: Vec::new(), steps: 0 }
    }
    /// Counts a step; no more when there were too many.
    pub(super) fn step(&mut self) -> bool {
        self.steps += 1;
        self.steps <= STEPS_MAX
    }
    /// Whether the comparison was given up.
    pub(super) fn is_given_up(&self) -> bool {
        self.steps > STEPS_MAX
    }
    /// Whether all data of the writer's part can be read with the reader's.
    pub(super) fn fits(&mut self, reader: PartIx, writer: PartIx) -> bool {
        loop {
            let fits = self.holds(reader, writer);
            if self.pending.is_empty() {
                return fits;
            }
            self.settle();
        }
    }
    /// The first branch of a reader's union that takes this part.
    pub(super) fn branch_for(&mut self, branches: &[PartIx], writer: PartIx) -> Option<usize> {
        branches.iter().position(|branch| self.fits(*branch, writer))
    }

    /// Looks at pending pairs until no verdict changes.
    fn settle(&mut self) {
        let mut changed = true;
        while changed {
            changed = false;
            let mut at = 0;
            while let Some(pair) = self.pending.get(at).copied() {
                at += 1;
                if self.verdicts.get(&pair) == Some(&true) && !self.records_hold(pair.0, pair.1) {
                    self.verdicts.insert(pair, false);
                    changed = true;
                }
            }
        }
        self.pending.clear();
    }

    /// The verdict as far as pairs of records are known; unknown ones count as good, and are noted.
    fn holds(&mut self, reader: PartIx, writer: PartIx) -> bool {
        if !self.step() {
            return false;
        }
        match (self.reader.shape(reader), self.writer.shape(writer)) {
            (shape, Shape::Union { first, count }) => {
                let is_union = matches!(shape, Shape::Union { .. });
                let branches = self.writer.branches(first, count);
                (is_union || self.rules == AvroRules::Current || count == 1) && branches.iter().all(|branch| self.holds(reader, *branch))
            }
            (Shape::Union { first, count }, _) => self.reader.branches(first, count).iter().any(|branch| self.holds(*branch, writer)),
            (Shape::Array(reader), Shape::Array(writer)) | (Shape::Map(reader), Shape::Map(writer)) => self.holds(reader, writer),
            (Shape::Record { .. }, Shape::Record { .. }) => {
                let pending = &mut self.pending;
                *self.verdicts.entry((reader, writer)).or_insert_with(|| {
                    pending.push((reader, writer));
                    true
                })
            }
            (Shape::Enum { .. }, Shape::Enum { .. }) => {
                self.same_name(reader, writer)
                    && (self.default_symbol(reader).is_some() || self.missing_symbols(reader, writer).next().is_none())
            }
            (Shape::Fixed { size: a }, Shape::Fixed { size: b }) => a == b && self.same_name(reader, writer),
            (reader, writer) => reader == writer || is_promoted(reader, writer),
        }
    }

    fn records_hold(&mut self, reader: PartIx, writer: PartIx) -> bool {
        let (Shape::Record { first, count }, Shape::Record { first: from, count: of }) =
            (self.reader.shape(reader), self.writer.shape(writer))
        else {
            return false;
        };
        let fields = self.reader.fields(first, count);
        self.same_name(reader, writer)
            && fields.iter().enumerate().all(|(position, field)| match self.source(field, position, (from, of)) {
                Source::Field { at, .. } => self.holds(field.part, self.writer.fields(from, of)[at].part),
                Source::None => field.default.is_some(),
                Source::Several => false,
            })
    }

    /// Which field of a writer's record a reader's field reads.
    pub(super) fn source(&self, field: &OutlineField, position: usize, (first, count): Run) -> Source {
        let mut found = match self.writer.field_named(first, count, &field.name, position) {
            Some(at) => Source::Field { at, by_alias: false },
            None => Source::None,
        };
        for alias in &field.aliases {
            let Some(at) = self.writer.field_named(first, count, alias, position) else { continue };
            found = match found {
                Source::None => Source::Field { at, by_alias: true },
                Source::Field { at: known, .. } if known == at => found,
                _ => return Source::Several,
            };
        }
        found
    }

    /// Whether two named types match, by name or by the reader's aliases.
    pub(super) fn same_name(&self, reader: PartIx, writer: PartIx) -> bool {
        let (Some(reader), Some(writer)) = (&self.reader.part(reader).name, &self.writer.part(writer).name) else { return false };
        reader.full == writer.full
            || (self.rules == AvroRules::Current && reader.simple() == writer.simple())
            || reader.aliases.contains(&writer.full)
    }

    /// The symbol that a reader's enum takes unknown ones for.
    pub(super) fn default_symbol(&self, reader: PartIx) -> Option<&'a str> {
        match self.reader.shape(reader) {
            Shape::Enum { first, count, default: Some(at) } if self.rules == AvroRules::Current => {
                self.reader.symbols(first, count).get(at as usize).map(|symbol| &**symbol)
            }
            _ => None,
        }
    }

    /// What the writer's enum may write and the reader's does not list.
    pub(super) fn missing_symbols(&self, reader: PartIx, writer: PartIx) -> impl Iterator<Item = &'a str> + use<'a> {
        let written = match self.writer.shape(writer) {
            Shape::Enum { first, count, .. } => self.writer.symbols(first, count),
            _ => &[],
        };
        let known = match self.reader.shape(reader) {
            Shape::Enum { first, count, .. } => (first, count),
            _ => (0, 0),
        };
        let outline = self.reader;
        let unknown = move |(at, symbol): &(usize, &str)| !outline.has_symbol(known.0, known.1, symbol, *at);
        written.iter().map(|symbol| &**symbol).enumerate().filter(unknown).map(|(_, symbol)| symbol)
    }
}

/// The promotions of the specification.
pub(super) fn is_promoted(reader: Shape, writer: Shape) -> bool {
    matches!(
        (writer, reader),
        (Shape::Int, Shape::Long | Shape::Float | Shape::Double)
            | (Shape::Long, Shape::Float | Shape::Double)
            | (Shape::Float, Shape::Double)
            | (Shape::String, Shape::Bytes)
            | (Shape::Bytes, Shape::String)
    )
}
