//! The smallest datum that a writer may write and a reader cannot read: built where the schemas part ways, with the
//! smallest values around it.
//!
//! Nothing is searched by chance: parts that fit are passed over, and of several places the one that takes the fewest
//! bytes wins. Must not know: what is made of it. Start at [`breaking`].

use std::collections::BTreeSet;

use super::fits::{AvroRules, Fits, Run, Source};
use super::outline::{Outline, PartIx, Shape};
use super::resolve::is_kind;

/// Longest datum that is built.
const BYTES_MAX: u64 = 64 * 1024;
/// Deepest nesting: as deep as data may be.
const DEPTH_MAX: u32 = 256;
/// Pairs that are looked at.
const STEPS_MAX: u32 = 20_000;

/// Bytes of the writer that the reader cannot read; none where nothing was found within the limits.
pub(super) fn breaking(reader: &Outline, writer: &Outline, rules: AvroRules) -> Option<Vec<u8>> {
    let smallest = Smallest::of(writer);
    let mut search = Search { fits: Fits::new(reader, writer, rules), smallest, open: BTreeSet::new(), steps: 0 };
    search.pair(0, 0, 0)
}

struct Search<'a> {
    fits: Fits<'a>,
    smallest: Smallest<'a>,
    /// Pairs that are being looked at: a type that contains itself ends here.
    open: BTreeSet<(PartIx, PartIx)>,
    steps: u32,
}

impl Search<'_> {
    fn pair(&mut self, reader: PartIx, writer: PartIx, depth: u32) -> Option<Vec<u8>> {
        self.steps += 1;
        if self.steps > STEPS_MAX || depth > DEPTH_MAX || self.fits.fits(reader, writer) || !self.open.insert((reader, writer)) {
            return None;
        }
        let found = self.inside(reader, writer, depth + 1);
        self.open.remove(&(reader, writer));
        found
    }

    fn inside(&mut self, reader: PartIx, writer: PartIx, depth: u32) -> Option<Vec<u8>> {
        if let Shape::Union { first, count } = self.fits.writer.shape(writer) {
            let branches = self.fits.writer.branches(first, count);
            let found = branches.iter().enumerate().filter_map(|(at, branch)| Some(after(at as i64, self.pair(reader, *branch, depth)?)));
            return found.min_by_key(Vec::len);
        }
        if let Shape::Union { first, count } = self.fits.reader.shape(reader) {
            let branches = self.fits.reader.branches(first, count);
            let meant: Vec<PartIx> = branches.iter().copied().filter(|branch| is_kind(&self.fits, *branch, writer)).collect();
            if meant.is_empty() {
                return self.smallest.datum(writer);
            }
            return meant.into_iter().filter_map(|branch| self.pair(branch, writer, depth)).min_by_key(Vec::len);
        }
        if !is_kind(&self.fits, reader, writer) {
            return self.smallest.datum(writer);
        }
        match (self.fits.reader.shape(reader), self.fits.writer.shape(writer)) {
            (Shape::Record { first, count }, Shape::Record { first: from, count: of }) => {
                self.record((first, count), writer, (from, of), depth)
            }
            (Shape::Enum { .. }, Shape::Enum { first, count, .. }) => {
                let missing = self.fits.missing_symbols(reader, writer).next()?;
                let at = self.fits.writer.symbols(first, count).iter().position(|symbol| **symbol == *missing)?;
                Some(after(at as i64, Vec::new()))
            }
            (Shape::Array(of), Shape::Array(item)) => self.pair(of, item, depth).map(|item| [after(1, item), vec![0]].concat()),
            (Shape::Map(of), Shape::Map(value)) => {
                // One entry, called `k`.
                self.pair(of, value, depth).map(|value| [vec![2, 2, b'k'], value, vec![0]].concat())
            }
            _ => None,
        }
    }

    fn record(&mut self, (first, count): Run, writer: PartIx, from: Run, depth: u32) -> Option<Vec<u8>> {
        let written = self.fits.writer.fields(from.0, from.1);
        let mut best: Option<(u64, usize, Vec<u8>)> = None;
        for (position, field) in self.fits.reader.fields(first, count).iter().enumerate() {
            let at = match self.fits.source(field, position, from) {
                Source::Field { at, .. } => at,
                Source::None if field.default.is_some() => continue,
                Source::None | Source::Several => return self.smallest.datum(writer),
            };
            let Some(bytes) = self.pair(field.part, written[at].part, depth) else { continue };
            // What it takes beyond the smallest value of the field.
            let more = (bytes.len() as u64).saturating_sub(self.smallest.size(written[at].part));
            if best.as_ref().is_none_or(|(least, ..)| more < *least) {
                best = Some((more, at, bytes));
            }
        }
        let (_, broken, bytes) = best?;
        let mut datum = Vec::new();
        for (at, field) in written.iter().enumerate() {
            if at == broken { datum.extend_from_slice(&bytes) } else { self.smallest.write(field.part, &mut datum, depth)? }
        }
        Some(datum)
    }
}

/// The smallest value of each part of a schema.
struct Smallest<'a> {
    outline: &'a Outline,
    /// In bytes; the largest number where there is no finite value.
    sizes: Vec<u64>,
}

impl<'a> Smallest<'a> {
    fn of(outline: &'a Outline) -> Self {
        let mut smallest = Self { outline, sizes: vec![u64::MAX; outline.len()] };
        let mut changed = true;
        // Parts stand before what they contain: from behind, most are known after one round.
        while changed {
            changed = false;
            for part in (0..outline.len()).rev() {
                let size = smallest.measure(part as PartIx);
                if size < smallest.sizes[part] {
                    smallest.sizes[part] = size;
                    changed = true;
                }
            }
        }
        smallest
    }
    fn size(&self, part: PartIx) -> u64 {
        self.sizes[part as usize]
    }
    fn measure(&self, part: PartIx) -> u64 {
        match self.outline.shape(part) {
            Shape::Null => 0,
            Shape::Float => 4,
            Shape::Double => 8,
            Shape::Fixed { size } => size,
            Shape::Enum { count: 0, .. } => u64::MAX,
            Shape::Bytes | Shape::String => self.sized(part).len() as u64,
            Shape::Union { first, count } => {
                let branches = self.outline.branches(first, count).iter();
                branches.map(|branch| self.size(*branch).saturating_add(1)).min().unwrap_or(u64::MAX)
            }
            Shape::Record { first, count } => {
                let fields = self.outline.fields(first, count).iter();
                fields.fold(0, |sum: u64, field| sum.saturating_add(self.size(field.part)))
            }
            _ => 1,
        }
    }
    fn datum(&self, part: PartIx) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.write(part, &mut out, 0).map(|()| out)
    }
    fn write(&self, part: PartIx, out: &mut Vec<u8>, depth: u32) -> Option<()> {
        if self.size(part) > BYTES_MAX || depth > DEPTH_MAX {
            return None;
        }
        match self.outline.shape(part) {
            Shape::Union { first, count } => {
                let branches = self.outline.branches(first, count);
                let (at, branch) = branches.iter().enumerate().min_by_key(|(_, branch)| self.size(**branch))?;
                out.append(&mut after(at as i64, Vec::new()));
                self.write(*branch, out, depth + 1)?;
            }
            Shape::Record { first, count } => {
                for field in self.outline.fields(first, count) {
                    self.write(field.part, out, depth + 1)?;
                }
            }
            Shape::Bytes | Shape::String => out.append(&mut self.sized(part)),
            _ => out.resize(out.len() + self.size(part) as usize, 0),
        }
        Some(())
    }
    /// Bytes or text with its length before it: what it stands for may want some.
    fn sized(&self, part: PartIx) -> Vec<u8> {
        const UUID: &[u8] = b"00000000-0000-0000-0000-000000000000";
        let is_text = self.outline.shape(part) == Shape::String;
        match self.outline.part(part).logical.as_deref() {
            Some("uuid") if is_text => after(UUID.len() as i64, UUID.to_vec()),
            Some("uuid") => after(16, vec![0; 16]),
            // No digits, and a scale of nought.
            Some("big-decimal") => after(2, vec![0, 0]),
            _ => vec![0],
        }
    }
}

/// A zig-zag varint and what follows it.
fn after(number: i64, rest: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(rest.len() + 1);
    let mut bits = ((number << 1) ^ (number >> 63)) as u64;
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
    out.extend(rest);
    out
}
