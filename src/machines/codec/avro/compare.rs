//! Every difference between two Avro schemas, with its place in both: Apache's rules, then what is harmless.
//!
//! Places are JSON pointers as Apache's checker gives them: into the reader, and where a writer's union is taken apart,
//! on with the number of its branch. The root is `/`. A pair of records is explained once, where it is met first.
//! Must not know: registries, levels. Start at [`compare`]; `fits.rs` answers what unions ask.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

use super::fits::{AvroRules, Fits, Run, Source, is_promoted};
use super::outline::{Outline, OutlineField, PartIx, Shape};
use super::wording::{self as rule, listed, promotion};
use crate::machines::codec::difference::{DIFFERENCES_MAX, Difference, Severity};

/// Records within records that are explained in place; deeper ones come after the rest.
const NESTED_MAX: usize = 60;
/// Differences of a union's branch that its hint tells.
const HINT_REASONS_MAX: usize = 3;

/// What `reader` makes of data written with `writer`.
pub(super) fn compare(reader: &Outline, writer: &Outline, rules: AvroRules) -> Vec<Difference> {
    let mut walk = Walk {
        fits: Fits::new(reader, writer, rules),
        found: Vec::new(),
        seen: BTreeSet::new(),
        later: VecDeque::new(),
        nested: 0,
        is_in_hint: false,
        places: Places::default(),
    };
    walk.compare(0, 0);
    while let Some((reader, writer, places)) = walk.later.pop_front() {
        walk.places = places;
        walk.compare(reader, writer);
    }
    if walk.fits.is_given_up() {
        walk.places = Places::default();
        walk.say(rule::TOO_COMPLEX, Severity::Breaks, "the schemas are too complex to be compared".to_owned(), None);
    }
    walk.found
}

/// One part of a place.
#[derive(Clone, Copy, Debug)]
enum Step {
    Word(&'static str),
    Number(u32),
}

/// Where the walk stands in both schemas.
#[derive(Clone, Debug, Default)]
struct Places {
    reader: Vec<Step>,
    writer: Vec<Step>,
}

impl Places {
    fn lengths(&self) -> (usize, usize) {
        (self.reader.len(), self.writer.len())
    }
    fn back_to(&mut self, (reader, writer): (usize, usize)) {
        self.reader.truncate(reader);
        self.writer.truncate(writer);
    }
    fn both(&mut self, step: Step) {
        self.reader.push(step);
        self.writer.push(step);
    }
}

fn pointer(steps: &[Step]) -> String {
    if steps.is_empty() {
        return "/".to_owned();
    }
    let mut text = String::with_capacity(steps.len() * 7);
    for step in steps {
        let _ = match step {
            Step::Word(word) => write!(text, "/{word}"),
            Step::Number(number) => write!(text, "/{number}"),
        };
    }
    text
}

struct Walk<'a> {
    fits: Fits<'a>,
    found: Vec<Difference>,
    /// Pairs of named types that were explained or are being explained.
    seen: BTreeSet<(PartIx, PartIx)>,
    /// Pairs of records that are nested too deeply to be explained in place.
    later: VecDeque<(PartIx, PartIx, Places)>,
    nested: usize,
    is_in_hint: bool,
    places: Places,
}

impl Walk<'_> {
    fn compare(&mut self, reader: PartIx, writer: PartIx) {
        if !self.fits.step() || self.found.len() >= DIFFERENCES_MAX {
            return;
        }
        let (of_reader, of_writer) = (self.fits.reader.shape(reader), self.fits.writer.shape(writer));
        match (of_reader, of_writer) {
            (Shape::Union { first, count }, Shape::Union { first: from, count: of }) => {
                self.unions((first, count), (from, of));
            }
            (_, Shape::Union { first, count }) => self.each_branch(reader, (first, count)),
            (Shape::Union { first, count }, _) => self.against_union((first, count), writer),
            (Shape::Array(reader), Shape::Array(writer)) => self.inside("items", reader, writer),
            (Shape::Map(reader), Shape::Map(writer)) => self.inside("values", reader, writer),
            (Shape::Record { first, count }, Shape::Record { first: from, count: of }) => {
                if self.seen.insert((reader, writer)) {
                    if self.nested >= NESTED_MAX {
                        self.seen.remove(&(reader, writer));
                        self.later.push_back((reader, writer, self.places.clone()));
                        return;
                    }
                    self.nested += 1;
                    self.names(reader, writer);
                    self.records((first, count), writer, (from, of));
                    self.nested -= 1;
                }
            }
            (Shape::Enum { .. }, Shape::Enum { .. }) => {
                if self.seen.insert((reader, writer)) {
                    self.names(reader, writer);
                    self.enums(reader, writer);
                }
            }
            (Shape::Fixed { size: found }, Shape::Fixed { size: expected }) => {
                if self.seen.insert((reader, writer)) {
                    self.names(reader, writer);
                    self.sizes(found, expected);
                    self.logical_types(reader, writer);
                }
            }
            _ => self.scalars(reader, writer),
        }
    }

    fn inside(&mut self, word: &'static str, reader: PartIx, writer: PartIx) {
        let mark = self.places.lengths();
        self.places.both(Step::Word(word));
        self.compare(reader, writer);
        self.places.back_to(mark);
    }

    /// Each branch of the writer's union needs a branch of the reader's.
    fn unions(&mut self, (first, count): Run, (from, of): Run) {
        let (known, written) = (self.fits.reader.branches(first, count), self.fits.writer.branches(from, of));
        let mut taken = vec![false; known.len()];
        for (at, branch) in written.iter().enumerate() {
            let mark = self.places.lengths();
            self.places.writer.push(Step::Number(at as u32));
            if let Some(fit) = self.fits.branch_for(known, *branch) {
                taken[fit] = true;
                self.places.reader.push(Step::Number(fit as u32));
                self.compare(known[fit], *branch);
            } else {
                self.places.reader.push(Step::Number(at as u32));
                self.no_branch(known, *branch);
            }
            self.places.back_to(mark);
        }
        for at in (0..known.len()).filter(|at| !taken[*at]) {
            let mark = self.places.lengths();
            self.places.reader.push(Step::Number(at as u32));
            let words = format!("the reader also takes {}, which the writer never writes", self.named(self.fits.reader, known[at]));
            self.say_without_writer(rule::UNION_BRANCH_ADDED, Severity::Fine, words, None);
            self.places.back_to(mark);
        }
    }

    /// A reader that is no union reads each branch, or it does not read the union.
    fn each_branch(&mut self, reader: PartIx, (first, count): Run) {
        if self.fits.rules == AvroRules::Old && count != 1 {
            self.mismatch(self.fits.reader.shape(reader).word(), "UNION");
            return;
        }
        for (at, branch) in self.fits.writer.branches(first, count).iter().enumerate() {
            let mark = self.places.lengths();
            self.places.both(Step::Number(at as u32));
            self.compare(reader, *branch);
            self.places.back_to(mark);
        }
    }

    /// One branch of the reader's union must take what the writer writes.
    fn against_union(&mut self, (first, count): Run, writer: PartIx) {
        let branches = self.fits.reader.branches(first, count);
        let Some(fit) = self.fits.branch_for(branches, writer) else {
            self.no_branch(branches, writer);
            return;
        };
        let mark = self.places.lengths();
        self.places.reader.push(Step::Number(fit as u32));
        self.compare(branches[fit], writer);
        self.places.back_to(mark);
    }

    fn no_branch(&mut self, branches: &[PartIx], writer: PartIx) {
        let written = self.fits.writer.shape(writer);
        let words = format!("reader union lacking writer type: {}", written.word());
        // The branch that is meant for it, where there is one, tells why it does not fit.
        let meant = branches.iter().copied().find(|branch| {
            let is_named = self.fits.reader.part(*branch).name.is_some();
            self.fits.reader.shape(*branch).word() == written.word() && (!is_named || self.fits.same_name(*branch, writer))
        });
        let hint = match meant.and_then(|branch| Some((branch, self.why_not(branch, writer)?))) {
            Some((branch, why)) => format!("its branch {} does not take it: {why}", self.named(self.fits.reader, branch)),
            None => format!("add {} to the union", self.named(self.fits.writer, writer)),
        };
        self.say(rule::MISSING_UNION_BRANCH, Severity::Breaks, words, Some(hint));
    }

    /// The first differences that keep a branch from taking a part, in words. Not within another such answer: a type that
    /// contains itself would be explained over and over.
    fn why_not(&mut self, reader: PartIx, writer: PartIx) -> Option<String> {
        if std::mem::replace(&mut self.is_in_hint, true) {
            return None;
        }
        let found = std::mem::take(&mut self.found);
        let (seen, later) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.later));
        self.compare(reader, writer);
        let reasons = std::mem::replace(&mut self.found, found);
        (self.seen, self.later, self.is_in_hint) = (seen, later, false);
        let breaking = reasons.iter().filter(|difference| difference.severity == Severity::Breaks);
        let words: Vec<String> = breaking.take(HINT_REASONS_MAX).map(ToString::to_string).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn records(&mut self, (first, count): Run, writer: PartIx, from: Run) {
        let fields = self.fits.reader.fields(first, count);
        let mut used = vec![false; from.1 as usize];
        for (position, field) in fields.iter().enumerate() {
            let mark = self.places.lengths();
            self.places.reader.extend([Step::Word("fields"), Step::Number(position as u32)]);
            match self.fits.source(field, position, from) {
                Source::Field { at, by_alias } => {
                    used[at] = true;
                    self.places.writer.extend([Step::Word("fields"), Step::Number(at as u32)]);
                    self.fields(field, &self.fits.writer.fields(from.0, from.1)[at], by_alias);
                }
                Source::Several => {
                    let words = format!("field {} matches multiple fields of the writer, by its name and its aliases", field.name);
                    let hint = Some("keep one of the aliases".to_owned());
                    self.say(rule::ALIAS_AMBIGUOUS, Severity::Breaks, words, hint);
                }
                Source::None => self.added(field, writer),
            }
            self.places.back_to(mark);
        }
        for (at, field) in self.fits.writer.fields(from.0, from.1).iter().enumerate().filter(|(at, _)| !used[*at]) {
            let mark = self.places.lengths();
            self.places.writer.extend([Step::Word("fields"), Step::Number(at as u32)]);
            let words = format!("the reader has no field {}: what the writer puts there is left out", field.name);
            self.say_without_reader(rule::FIELD_REMOVED, Severity::Fine, words);
            self.places.back_to(mark);
        }
    }

    /// A field that the writer does not have.
    fn added(&mut self, field: &OutlineField, writer: PartIx) {
        if let Some(default) = &field.default {
            let words = format!("the field {} is new to the writer's data, which is read with its default {default}", field.name);
            self.say_without_writer(rule::FIELD_ADDED, Severity::Fine, words, None);
            return;
        }
        // Apache's checker takes an enum with a default of its own for the writer's record itself.
        if self.fits.default_symbol(field.part).is_some() {
            let word = self.fits.writer.shape(writer).word();
            self.places.reader.push(Step::Word("type"));
            self.mismatch("ENUM", word);
            return;
        }
        let hint = format!("give \"{}\" a default", field.name);
        self.say_rule(rule::READER_FIELD_MISSING_DEFAULT_VALUE, &field.name, hint, false);
    }

    fn fields(&mut self, reader: &OutlineField, writer: &OutlineField, by_alias: bool) {
        if by_alias {
            let words = format!("the field {} reads the writer's field {} by an alias", reader.name, writer.name);
            self.say(rule::FIELD_MATCHED_BY_ALIAS, Severity::Fine, words, None);
        }
        if reader.doc != writer.doc {
            self.say(rule::DOC_CHANGED, Severity::Fine, format!("the doc of {} changed", reader.name), None);
        }
        if reader.default != writer.default {
            self.say(rule::DEFAULT_CHANGED, Severity::Fine, format!("the default of {} changed", reader.name), None);
        }
        self.places.both(Step::Word("type"));
        self.compare(reader.part, writer.part);
    }

    fn names(&mut self, reader: PartIx, writer: PartIx) {
        let (ours, theirs) = (self.fits.reader.part(reader), self.fits.writer.part(writer));
        if let (Some(name), Some(written)) = (&ours.name, &theirs.name)
            && name.full != written.full
        {
            let mark = self.places.lengths();
            self.places.both(Step::Word("name"));
            if !self.fits.same_name(reader, writer) {
                let hint = format!("give \"{}\" the alias \"{}\"", name.full, written.full);
                self.say_rule(rule::NAME_MISMATCH, &format!("expected: {}", written.full), hint, true);
            } else if name.aliases.contains(&written.full) {
                let words = format!("{} reads {} by an alias", name.full, written.full);
                self.say(rule::TYPE_MATCHED_BY_ALIAS, Severity::Fine, words, None);
            } else {
                let words = format!("{} is read as {}: other readers may match names with their namespaces", written.full, name.full);
                self.say(rule::NAMESPACE_CHANGED, Severity::Warns, words, None);
            }
            self.places.back_to(mark);
        }
        if ours.doc != theirs.doc {
            let words = format!("the doc of {} changed", self.named(self.fits.reader, reader));
            self.say(rule::DOC_CHANGED, Severity::Fine, words, None);
        }
    }

    fn enums(&mut self, reader: PartIx, writer: PartIx) {
        let mark = self.places.lengths();
        self.places.both(Step::Word("symbols"));
        let mut missing: Vec<&str> = self.fits.missing_symbols(reader, writer).collect();
        if missing.is_empty() {
            let added = Fits::new(self.fits.writer, self.fits.reader, self.fits.rules);
            let added: Vec<&str> = added.missing_symbols(writer, reader).collect();
            if !added.is_empty() {
                let words = format!("the reader also knows {}", listed(added.into_iter()));
                self.say(rule::ENUM_SYMBOLS_ADDED, Severity::Fine, words, None);
            }
        } else if let Some(default) = self.fits.default_symbol(reader) {
            let words = format!("{} of the writer is read as the default {default}", listed(missing.into_iter()));
            self.say(rule::ENUM_DEFAULT_USED, Severity::Warns, words, None);
        } else {
            missing.sort_unstable();
            missing.dedup();
            let name = self.fits.reader.part(reader).name.as_ref().map_or("", |name| name.simple());
            let hint = format!("keep {} in the symbols, or give \"{name}\" a default symbol", listed(missing.iter().copied()));
            self.say_rule(rule::MISSING_ENUM_SYMBOLS, &format!("[{}]", missing.join(", ")), hint, true);
        }
        self.places.back_to(mark);
    }

    fn sizes(&mut self, found: u64, expected: u64) {
        if found != expected {
            let mark = self.places.lengths();
            self.places.both(Step::Word("size"));
            let hint = format!("keep the size of {expected}, or use bytes where it may change");
            self.say_rule(rule::FIXED_SIZE_MISMATCH, &format!("expected: {expected}, found: {found}"), hint, true);
            self.places.back_to(mark);
        }
    }

    fn scalars(&mut self, reader: PartIx, writer: PartIx) {
        let (of_reader, of_writer) = (self.fits.reader.shape(reader), self.fits.writer.shape(writer));
        if of_reader == of_writer {
            self.logical_types(reader, writer);
        } else if is_promoted(of_reader, of_writer) {
            let (severity, words) = promotion(of_reader.word(), of_writer.word());
            self.say(rule::TYPE_PROMOTED, severity, words, None);
            self.logical_types(reader, writer);
        } else {
            self.mismatch(of_reader.word(), of_writer.word());
        }
    }

    /// Readers go by the type of the bytes alone: a change of meaning passes every check.
    fn logical_types(&mut self, reader: PartIx, writer: PartIx) {
        let (ours, theirs) = (&self.fits.reader.part(reader).logical, &self.fits.writer.part(writer).logical);
        if ours != theirs {
            let word = |logical: &Option<Box<str>>| logical.as_deref().unwrap_or("no logical type").to_owned();
            let words = format!("{} is read as {}: the values keep their bytes and change their meaning", word(theirs), word(ours));
            self.say(rule::LOGICAL_TYPE_CHANGED, Severity::Warns, words, None);
        }
    }

    fn mismatch(&mut self, reader: &str, writer: &str) {
        let words = format!("reader type: {reader} not compatible with writer type: {writer}");
        let hint = format!("keep {}, or add a field of another name for the new type", writer.to_lowercase());
        self.say(rule::TYPE_MISMATCH, Severity::Breaks, words, Some(hint));
    }

    /// What a person calls a part: `record Address`, `int`.
    fn named(&self, outline: &Outline, part: PartIx) -> String {
        let word = outline.shape(part).word().to_lowercase();
        match &outline.part(part).name {
            Some(name) => format!("{word} {}", name.simple()),
            None => word,
        }
    }

    /// A difference with the words of one of Apache's rules.
    fn say_rule(&mut self, rule: &'static str, message: &str, hint: String, is_in_writer: bool) {
        let words = format!("{}{message}", rule::lead(rule));
        if is_in_writer {
            self.say(rule, Severity::Breaks, words, Some(hint));
        } else {
            self.say_without_writer(rule, Severity::Breaks, words, Some(hint));
        }
    }
    fn say(&mut self, rule: &'static str, severity: Severity, words: String, hint: Option<String>) {
        let (reader, writer) = (Some(pointer(&self.places.reader)), Some(pointer(&self.places.writer)));
        self.push(Difference { rule, severity, reader, writer, words, hint });
    }
    fn say_without_writer(&mut self, rule: &'static str, severity: Severity, words: String, hint: Option<String>) {
        self.push(Difference { rule, severity, reader: Some(pointer(&self.places.reader)), writer: None, words, hint });
    }
    fn say_without_reader(&mut self, rule: &'static str, severity: Severity, words: String) {
        self.push(Difference { rule, severity, reader: None, writer: Some(pointer(&self.places.writer)), words, hint: None });
    }
    fn push(&mut self, difference: Difference) {
        if self.found.len() < DIFFERENCES_MAX {
            self.found.push(difference);
        }
    }
}
