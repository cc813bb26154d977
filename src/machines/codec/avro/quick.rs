//! A quick yes: whether bytes are one datum of a schema, told without saying why not.
//!
//! ```text
//! Program ─ compile ─► steps: fixed bytes that follow each other are one step ─ accepts ─► yes | ask the slow walk
//! ```
//!
//! On a run's hot path nearly every payload is sound. So this walk knows no words and no places, touches eight bytes a step,
//! and looks at whole words of a text or a number at once. It says yes only where [`Program::check`]'s slow walk does (a
//! property test holds them together); rare spellings such as blocks with their size are left to that one.
//! Must not know: errors. Start at [`Quick::accepts`].

use super::check::is_plain_uuid;
use super::program::{BytesKind, Node, NodeIx, Program};
use crate::machines::codec::varint;

/// Nesting that it follows; deeper data are the slow walk's.
const DEPTH_MAX: u32 = 60;
/// The top bit of each byte of a word.
const TOPS: u64 = 0x8080_8080_8080_8080;
const TOPS_OF_TWO: u128 = (TOPS as u128) << 64 | TOPS as u128;

/// What to do with the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// Any bytes, so many.
    Skip(u32),
    Boolean,
    Long,
    Int,
    Enum(u32),
    Text,
    /// A UUID as it is mostly written.
    Uuid,
    Bytes,
    /// Steps of a nested value.
    Call(Range),
    /// One of the ranges of [`Quick::choices`], by its number.
    Union(Range),
    /// Items of so many steps.
    Array(Range),
    Map(Range),
    /// Only the slow walk knows.
    Unknown,
}

/// A range of steps or of choices.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    first: u32,
    end: u32,
}

/// A program's steps; its root's are [`Self::root`].
#[derive(Clone, Debug)]
pub(super) struct Quick {
    steps: Vec<Step>,
    choices: Vec<Range>,
    root: Range,
}

impl Default for Quick {
    /// Knows nothing.
    fn default() -> Self {
        Self { steps: vec![Step::Unknown], choices: Vec::new(), root: Range { first: 0, end: 1 } }
    }
}

impl Quick {
    pub(super) fn compile(program: &Program) -> Self {
        let mut compiler =
            Compiler { program, quick: Self { steps: Vec::new(), ..Self::default() }, known: vec![None; program.nodes.len()] };
        let root = compiler.range(0);
        Self { root, ..compiler.quick }
    }

    /// Yes, or nothing is known.
    pub(super) fn accepts(&self, bytes: &[u8]) -> bool {
        self.walk(self.root, bytes, 0, 0) == Some(bytes.len())
    }

    /// Where the value ends that begins at `at`.
    fn walk(&self, range: Range, bytes: &[u8], mut at: usize, depth: u32) -> Option<usize> {
        if depth > DEPTH_MAX {
            return None;
        }
        for step in &self.steps[range.first as usize..range.end as usize] {
            at = match *step {
                Step::Skip(count) => at + count as usize,
                Step::Boolean => (*bytes.get(at)? < 2).then_some(at + 1)?,
                Step::Long => skip_number(bytes, at)?,
                Step::Int => skip_int(bytes, at)?,
                Step::Enum(count) => {
                    let (symbol, next) = number(bytes, at)?;
                    (symbol < u64::from(count)).then_some(next)?
                }
                Step::Text => {
                    let (length, from) = number(bytes, at)?;
                    let end = from.checked_add(usize::try_from(length).ok()?)?;
                    is_text(bytes, from, end).then_some(end)?
                }
                Step::Uuid => {
                    let (length, from) = number(bytes, at)?;
                    (length == 36 && is_plain_uuid(bytes.get(from..from + 36)?)).then_some(from + 36)?
                }
                Step::Bytes => {
                    let (length, from) = number(bytes, at)?;
                    from.checked_add(usize::try_from(length).ok()?)?
                }
                Step::Call(inner) => self.walk(inner, bytes, at, depth + 1)?,
                Step::Union(choices) => {
                    let (choice, next) = number(bytes, at)?;
                    let choices = &self.choices[choices.first as usize..choices.end as usize];
                    let chosen = *choices.get(usize::try_from(choice).ok()?)?;
                    if chosen.first == chosen.end { next } else { self.walk(chosen, bytes, next, depth + 1)? }
                }
                Step::Array(item) => self.walk_items(item, false, bytes, at, depth)?,
                Step::Map(value) => self.walk_items(value, true, bytes, at, depth)?,
                Step::Unknown => return None,
            };
        }
        (at <= bytes.len()).then_some(at)
    }

    fn walk_items(&self, item: Range, has_keys: bool, bytes: &[u8], mut at: usize, depth: u32) -> Option<usize> {
        loop {
            let (count, next) = number(bytes, at)?;
            at = next;
            if count == 0 {
                return Some(at);
            }
            // Where items take no bytes, their number has a limit of its own.
            if count > bytes.len().checked_sub(at)? as u64 {
                return None;
            }
            for _ in 0..count {
                if has_keys {
                    let (length, from) = number(bytes, at)?;
                    let end = from.checked_add(usize::try_from(length).ok()?)?;
                    at = is_text(bytes, from, end).then_some(end)?;
                }
                let before = at;
                at = self.walk(item, bytes, at, depth + 1)?;
                if at == before {
                    return None;
                }
            }
        }
    }
}

/// A number that is not negative, and what follows it.
#[inline]
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let byte = *bytes.get(at)?;
    // An odd one is negative.
    if byte & 0x81 == 0 {
        return Some((u64::from(byte >> 1), at + 1));
    }
    long_number(bytes, at)
}

fn long_number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut left = &bytes[at..];
    let bits = varint::read(&mut left).ok()?;
    (bits & 1 == 0).then_some((bits >> 1, bytes.len() - left.len()))
}

/// Behind a number, whatever it is.
#[inline]
fn skip_number(bytes: &[u8], at: usize) -> Option<usize> {
    if let Some(word) = word_at(bytes, at) {
        let ends = !word & TOPS;
        if ends != 0 {
            return Some(at + (ends.trailing_zeros() as usize) / 8 + 1);
        }
    }
    let mut left = bytes.get(at..)?;
    varint::read(&mut left).ok()?;
    Some(bytes.len() - left.len())
}

/// Behind a number of 32 bits.
#[inline]
fn skip_int(bytes: &[u8], at: usize) -> Option<usize> {
    if *bytes.get(at)? < 0x80 {
        return Some(at + 1);
    }
    let mut left = &bytes[at..];
    let bits = varint::read(&mut left).ok()?;
    (bits <= u64::from(u32::MAX)).then_some(bytes.len() - left.len())
}

#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*word))
}

/// Whether bytes are there and are UTF-8; nearly always they are ASCII.
#[inline]
fn is_text(bytes: &[u8], from: usize, end: usize) -> bool {
    // Most texts are short and have something behind them: one look, whatever their length.
    let length = end - from;
    if length < 16
        && let Some(text) = bytes.get(from..).and_then(<[u8]>::first_chunk::<16>)
        && u128::from_le_bytes(*text) & TOPS_OF_TWO & !(u128::MAX << (8 * length)) == 0
    {
        return true;
    }
    let Some(text) = bytes.get(from..end) else { return false };
    is_ascii(text) || std::str::from_utf8(text).is_ok()
}

fn is_ascii(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let tops = words.iter().fold(0, |tops, word| tops | u64::from_le_bytes(*word));
    // The last word reaches back into the one before: no loop over single bytes, whose number nobody can foresee.
    let last =
        text.last_chunk::<8>().map_or_else(|| rest.iter().fold(0, |tops, byte| tops | u64::from(*byte)), |word| u64::from_le_bytes(*word));
    (tops | last) & TOPS == 0
}

struct Compiler<'a> {
    program: &'a Program,
    quick: Quick,
    /// Ranges of nodes that are compiled, or being compiled.
    known: Vec<Option<u32>>,
}

impl Compiler<'_> {
    /// The steps of a node, in one piece.
    fn range(&mut self, node: NodeIx) -> Range {
        // A place is reserved first: a type may hold itself.
        if let Some(place) = self.known[node as usize] {
            return Range { first: place, end: place + 1 };
        }
        let place = self.quick.steps.len() as u32;
        self.quick.steps.push(Step::Unknown);
        self.known[node as usize] = Some(place);
        let mut own = Vec::new();
        self.put(node, &mut own);
        let range = match *own {
            // What has no steps of its own still has its place.
            [] => Range { first: place, end: place },
            [one] => {
                self.quick.steps[place as usize] = one;
                return Range { first: place, end: place + 1 };
            }
            _ => {
                let first = self.quick.steps.len() as u32;
                self.quick.steps.extend(own);
                Range { first, end: self.quick.steps.len() as u32 }
            }
        };
        self.quick.steps[place as usize] = if range.first == range.end { Step::Skip(0) } else { Step::Call(range) };
        range
    }

    /// Appends the steps of a node.
    fn put(&mut self, node: NodeIx, own: &mut Vec<Step>) {
        let step = match self.program.node(node) {
            Node::Null => return,
            Node::Boolean => Step::Boolean,
            Node::Int(_) => Step::Int,
            Node::Long(_) => Step::Long,
            Node::Float(_) => Step::Skip(4),
            Node::Double(_) => Step::Skip(8),
            Node::Fixed { size, .. } => Step::Skip(size),
            Node::String(_) => Step::Text,
            Node::Bytes(BytesKind::Plain | BytesKind::Decimal { .. } | BytesKind::Duration) => Step::Bytes,
            Node::UuidText => Step::Uuid,
            Node::Bytes(BytesKind::Uuid | BytesKind::BigDecimal) => Step::Unknown,
            Node::Enum { count, .. } => Step::Enum(count),
            Node::Array(item) => Step::Array(self.range(item)),
            Node::Map(value) => Step::Map(self.range(value)),
            Node::Union { first, count, .. } => {
                let program = self.program;
                let ranges: Vec<Range> = program.branches_of(first, count).iter().map(|branch| self.range(*branch)).collect();
                let first = self.quick.choices.len() as u32;
                self.quick.choices.extend(ranges);
                Step::Union(Range { first, end: self.quick.choices.len() as u32 })
            }
            Node::Record { first, count } => {
                let program = self.program;
                for field in program.fields_of(first, count) {
                    match program.node(field.node) {
                        Node::Record { .. } => own.push(Step::Call(self.range(field.node))),
                        _ => self.put(field.node, own),
                    }
                }
                return;
            }
        };
        match (own.last_mut(), step) {
            (Some(Step::Skip(before)), Step::Skip(more)) if before.checked_add(more).is_some() => *before += more,
            _ => own.push(step),
        }
    }
}
