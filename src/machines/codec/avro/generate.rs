//! Random values of a schema, written straight into bytes.

use super::program::{BytesKind, Node, NodeIx, Program};
use crate::machines::codec::draw::{NumberDraw, TextDraw};
use crate::machines::codec::{varint, words};
use crate::random::Stream;
use crate::units::SimTime;

/// Below this depth, and beyond this many bytes, values are as small as the schema lets them be.
const FULL_DEPTH_MAX: u32 = 12;
const FULL_BYTES_MAX: usize = 16 * 1024;
/// Arrays have 0 to 4 items, maps 0 to 3 entries.
const ITEMS_BELOW: u64 = 5;
const ENTRIES_BELOW: u64 = 4;
/// One in so many nullable values is null.
const NULL_ONE_IN: u64 = 5;

/// A payload while it grows.
pub(super) struct Writer<'a> {
    pub(super) rng: &'a mut Stream,
    pub(super) now: SimTime,
    pub(super) out: &'a mut Vec<u8>,
    /// Where this payload begins in `out`.
    start: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(rng: &'a mut Stream, now: SimTime, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { rng, now, out, start }
    }
    fn is_full(&self, depth: u32) -> bool {
        depth > FULL_DEPTH_MAX || self.out.len() - self.start > FULL_BYTES_MAX
    }
    /// A zig-zag varint.
    #[inline]
    pub(super) fn long(&mut self, number: i64) {
        varint::write(varint::zig(number), self.out);
    }
    /// Text with its length before it; the length is known only when the text stands.
    #[inline]
    pub(super) fn text(&mut self, draw: TextDraw) {
        let at = self.out.len();
        self.out.push(0);
        draw.write(self.rng, self.now, self.out);
        let length = self.out.len() - at - 1;
        if length < 64 {
            self.out[at] = (length as u8) << 1;
        } else {
            // No draw is longer than 8,191 bytes: two bytes hold the length.
            self.out[at] = ((length << 1) as u8) | 0x80;
            self.out.insert(at + 1, (length >> 6) as u8);
        }
    }
    fn random_bytes(&mut self, count: usize) {
        for _ in 0..count / 8 {
            self.out.extend_from_slice(&self.rng.next_u64().to_le_bytes());
        }
        let rest = self.rng.next_u64().to_le_bytes();
        self.out.extend_from_slice(&rest[..count % 8]);
    }
    /// A positive decimal in big-endian two's complement of exactly `size` bytes.
    fn decimal(&mut self, size: usize, precision: u32) {
        let unscaled = match decimal_below(precision) {
            Some(bound) => self.rng.below(bound),
            None => NumberDraw::Amount.whole(self.rng, self.now).unsigned_abs(),
        };
        let bytes = unscaled.to_be_bytes();
        for place in (0..size).rev() {
            self.out.push(if place < 8 { bytes[7 - place] } else { 0 });
        }
    }
    fn bytes(&mut self, kind: BytesKind) {
        match kind {
            BytesKind::Plain | BytesKind::Duration => {
                let count = 8 + self.rng.below(17);
                self.long(count as i64);
                self.random_bytes(count as usize);
            }
            BytesKind::Decimal { precision, .. } => {
                let size = decimal_below(precision).map_or(3, bytes_for);
                self.long(size as i64);
                self.decimal(size, precision);
            }
            BytesKind::BigDecimal => {
                // Four bytes of unscaled value, then a scale of 2, all of it with its length before.
                self.long(6);
                self.long(4);
                self.decimal(4, u32::MAX);
                self.long(2);
            }
            BytesKind::Uuid => {
                self.long(16);
                self.uuid_bytes();
            }
        }
    }
    fn fixed(&mut self, size: u32, kind: BytesKind) {
        match kind {
            BytesKind::Uuid => self.uuid_bytes(),
            BytesKind::Decimal { precision, .. } => {
                // Never into the sign bit of a short fixed.
                let fits = (u64::from(size) * 8).saturating_sub(1).min(62);
                let digits = (1..=18_u32).take_while(|digits| 10_u64.pow(*digits) <= 1 << fits).last().unwrap_or(0);
                if digits == 0 {
                    self.out.extend(std::iter::repeat_n(0, size as usize))
                } else {
                    self.decimal(size as usize, precision.min(digits))
                }
            }
            BytesKind::Duration => {
                for bound in [12, 28, 86_400_000] {
                    let part = self.rng.below(bound) as u32;
                    self.out.extend_from_slice(&part.to_le_bytes());
                }
            }
            BytesKind::Plain | BytesKind::BigDecimal => self.random_bytes(size as usize),
        }
    }
    fn uuid_bytes(&mut self) {
        let high = (self.rng.next_u64() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.rng.next_u64() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        self.out.extend_from_slice(&high.to_be_bytes());
        self.out.extend_from_slice(&low.to_be_bytes());
    }
}

/// Exclusive bound of an unscaled decimal of few digits; none where amounts fit anyway.
fn decimal_below(precision: u32) -> Option<u64> {
    const AMOUNT_DIGITS: u32 = 5;
    (precision <= AMOUNT_DIGITS).then(|| 10_u64.pow(precision))
}

/// Bytes of two's complement that hold every number below `bound`.
fn bytes_for(bound: u64) -> usize {
    (65 - bound.leading_zeros() as usize).div_ceil(8)
}

impl Program {
    /// Appends a random value.
    pub(super) fn generate(&self, index: NodeIx, writer: &mut Writer<'_>, depth: u32) {
        match self.node(index) {
            Node::Null => {}
            Node::Boolean => {
                let byte = (writer.rng.next_u64() >> 63) as u8;
                writer.out.push(byte);
            }
            Node::Int(draw) => {
                let number = whole_int(draw, writer);
                writer.long(i64::from(number));
            }
            Node::Long(draw) => {
                let number = draw.whole(writer.rng, writer.now);
                writer.long(number);
            }
            Node::Float(draw) => {
                let number = draw.real(writer.rng, writer.now) as f32;
                writer.out.extend_from_slice(&number.to_le_bytes());
            }
            Node::Double(draw) => {
                let number = draw.real(writer.rng, writer.now);
                writer.out.extend_from_slice(&number.to_le_bytes());
            }
            Node::Bytes(kind) => writer.bytes(kind),
            Node::String(draw) => writer.text(draw),
            Node::UuidText => writer.text(TextDraw::Uuid),
            Node::Fixed { size, kind } => writer.fixed(size, kind),
            Node::Enum { count, .. } => {
                let symbol = writer.rng.below(u64::from(count));
                writer.long(symbol as i64);
            }
            Node::Array(item) => {
                let count = if writer.is_full(depth) { 0 } else { writer.rng.below(ITEMS_BELOW) };
                self.generate_items(count, writer, |writer| self.generate(item, writer, depth + 1));
            }
            Node::Map(value) => {
                let count = if writer.is_full(depth) { 0 } else { writer.rng.below(ENTRIES_BELOW) };
                let first = writer.rng.below(words::NOUNS.len() as u64) as usize;
                let mut at = first;
                self.generate_items(count, writer, |writer| {
                    let key = words::NOUNS[at % words::NOUNS.len()];
                    at += 1;
                    writer.long(key.len() as i64);
                    writer.out.extend_from_slice(key.as_bytes());
                    self.generate(value, writer, depth + 1);
                });
            }
            Node::Union { first, count, null } => {
                let branch = if writer.is_full(depth) { self.smallest_branch(first, count) } else { draw_branch(count, null, writer.rng) };
                writer.long(i64::from(branch));
                self.generate(self.branches[(first + branch) as usize], writer, depth + 1);
            }
            Node::Record { first, count } => {
                for field in self.fields_of(first, count) {
                    self.generate(field.node, writer, depth + 1);
                }
            }
        }
    }

    fn generate_items(&self, count: u64, writer: &mut Writer<'_>, mut each: impl FnMut(&mut Writer<'_>)) {
        if count > 0 {
            writer.long(count as i64);
            for _ in 0..count {
                each(writer);
            }
        }
        writer.out.push(0);
    }

    fn smallest_branch(&self, first: u32, count: u32) -> u32 {
        (0..count).min_by_key(|branch| self.work[self.branches[(first + branch) as usize] as usize]).unwrap_or(0)
    }
}

fn whole_int(draw: NumberDraw, writer: &mut Writer<'_>) -> i32 {
    // A name that suggests milliseconds since 1970 in an int can only mean seconds.
    let draw = if matches!(draw, NumberDraw::EpochMs | NumberDraw::EpochUs | NumberDraw::EpochNs) { NumberDraw::EpochS } else { draw };
    draw.whole(writer.rng, writer.now).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

fn draw_branch(count: u32, null: Option<u32>, rng: &mut Stream) -> u32 {
    match null {
        Some(null) if count > 1 => {
            if rng.below(NULL_ONE_IN) == 0 {
                return null;
            }
            let other = if count == 2 { 0 } else { rng.below(u64::from(count) - 1) as u32 };
            other + u32::from(other >= null)
        }
        _ => rng.below(u64::from(count)) as u32,
    }
}
