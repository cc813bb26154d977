//! Random messages, written straight into bytes.

use super::program::{Arity, Choice, Field, Known, Message, MessageIx, Program, Shape, wire};
use crate::machines::codec::draw::epoch_ms;
use crate::machines::codec::{varint, words};
use crate::random::Stream;
use crate::units::SimTime;

/// Below this depth, and beyond this many bytes, everything is left out that may be.
const FULL_DEPTH_MAX: u32 = 6;
const FULL_BYTES_MAX: usize = 16 * 1024;
/// Lists have 0 to 4 values, maps 0 to 3 entries.
const ITEMS_BELOW: u64 = 5;
const ENTRIES_BELOW: u64 = 4;
/// One in so many optional fields is left out.
const ABSENT_ONE_IN: u64 = 5;

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
    #[inline]
    pub(super) fn varint(&mut self, bits: u64) {
        varint::write(bits, self.out);
    }
    pub(super) fn tag(&mut self, number: u32, wire: u8) {
        self.varint(u64::from(number << 3 | u32::from(wire)));
    }
    /// What `write` appends, with its length before it; the length is known only when the rest stands.
    #[inline]
    pub(super) fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.out.len();
        self.out.push(0);
        write(self);
        let length = self.out.len() - at - 1;
        if length < 0x80 {
            self.out[at] = length as u8;
        } else {
            let mut prefix = Vec::with_capacity(5);
            varint::write(length as u64, &mut prefix);
            self.out.splice(at..=at, prefix);
        }
    }
    fn random_bytes(&mut self) {
        let count = 8 + self.rng.below(17) as usize;
        for _ in 0..count.div_ceil(8) {
            self.out.extend_from_slice(&self.rng.next_u64().to_le_bytes());
        }
        self.out.truncate(self.out.len() - (count.next_multiple_of(8) - count));
    }
}

impl Program {
    /// Appends a random message.
    pub(super) fn generate(&self, index: MessageIx, writer: &mut Writer<'_>, depth: u32) {
        let message = &self.messages[index as usize];
        match message.known {
            Known::None => self.fields_of(message).iter().for_each(|field| self.write_field(message, field, writer, depth)),
            Known::Any => {
                // Of the messages that are known here the first, empty.
                writer.tag(1, wire::SIZED);
                writer.sized(|writer| {
                    writer.out.extend_from_slice(b"type.googleapis.com/");
                    writer.out.extend_from_slice(self.messages[0].name.as_bytes());
                });
            }
            known => write_known(known, writer),
        }
    }

    /// Appends a field, as often as chance wants it; of a oneof one field, where its first one stands.
    pub(super) fn write_field(&self, message: &Message, field: &Field, writer: &mut Writer<'_>, depth: u32) {
        match field.choice {
            Choice::Alone => self.write_alone(field, writer, depth),
            Choice::Later => {}
            Choice::First { first, count } => {
                let at = writer.rng.below(u64::from(count)) as usize;
                let chosen = &self.fields_of(message)[self.choices_of(first, count)[at] as usize];
                if !(writer.is_full(depth) && is_nested(chosen)) {
                    self.write_one(chosen, writer, depth);
                }
            }
        }
    }

    fn write_alone(&self, field: &Field, writer: &mut Writer<'_>, depth: u32) {
        match field.arity {
            Arity::Plain => {
                let start = writer.out.len();
                self.write_one(field, writer, depth);
                // As writers do: a default is not written. One byte of tag and a zero, or more bytes of tag.
                if matches!(writer.out[start..], [.., 0]) && field.shape.wire() == wire::VARINT {
                    writer.out.truncate(start);
                }
            }
            Arity::Required => self.write_one(field, writer, depth),
            _ if writer.is_full(depth) => {}
            Arity::Optional => {
                if writer.rng.below(ABSENT_ONE_IN) > 0 {
                    self.write_one(field, writer, depth);
                }
            }
            Arity::Repeated => {
                for _ in 0..writer.rng.below(ITEMS_BELOW) {
                    self.write_one(field, writer, depth);
                }
            }
            Arity::Packed => {
                let count = writer.rng.below(ITEMS_BELOW);
                if count > 0 {
                    writer.tag(field.number(), wire::SIZED);
                    writer.sized(|writer| (0..count).for_each(|_| self.write_value(field, writer, depth)));
                }
            }
            Arity::Map => self.write_map(field, writer, depth),
        }
    }

    /// One value with its tag.
    fn write_one(&self, field: &Field, writer: &mut Writer<'_>, depth: u32) {
        writer.tag(field.number(), field.shape.wire());
        self.write_value(field, writer, depth);
    }

    fn write_map(&self, field: &Field, writer: &mut Writer<'_>, depth: u32) {
        let Shape::Message(entry) = field.shape else { return };
        let [key, value] = self.fields_of(&self.messages[entry as usize]) else { return };
        let count = writer.rng.below(if key.shape == Shape::Bool { 3 } else { ENTRIES_BELOW });
        let first = writer.rng.below(words::NOUNS.len() as u64);
        for at in first..first + count {
            writer.tag(field.number(), wire::SIZED);
            writer.sized(|writer| {
                writer.tag(1, key.shape.wire());
                write_key(key.shape, at, writer);
                self.write_one(value, writer, depth + 1);
            });
        }
    }

    fn write_value(&self, field: &Field, writer: &mut Writer<'_>, depth: u32) {
        match field.shape {
            Shape::Text => writer.sized(|writer| field.text.write(writer.rng, writer.now, writer.out)),
            Shape::Bytes => writer.sized(Writer::random_bytes),
            Shape::Bool => {
                let bit = writer.rng.next_u64() >> 63;
                writer.varint(bit);
            }
            Shape::Enum(index) => {
                let numbers = &self.enums[index as usize];
                let at = writer.rng.below(numbers.len().max(1) as u64) as usize;
                writer.varint(i64::from(numbers.get(at).copied().unwrap_or(0)) as u64);
            }
            Shape::Float => {
                let number = field.number.real(writer.rng, writer.now) as f32;
                writer.out.extend_from_slice(&number.to_le_bytes());
            }
            Shape::Double => {
                let number = field.number.real(writer.rng, writer.now);
                writer.out.extend_from_slice(&number.to_le_bytes());
            }
            Shape::Message(inner) => writer.sized(|writer| self.generate(inner, writer, depth + 1)),
            Shape::Group(inner) => {
                self.generate(inner, writer, depth + 1);
                writer.tag(field.number(), wire::GROUP_END);
            }
            whole => {
                let number = field.number.whole(writer.rng, writer.now);
                write_whole(whole, number, writer);
            }
        }
    }
}

fn is_nested(field: &Field) -> bool {
    matches!(field.shape, Shape::Message(_) | Shape::Group(_))
}

fn write_whole(shape: Shape, number: i64, writer: &mut Writer<'_>) {
    let short = number.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    let positive_short = number.clamp(0, i64::from(u32::MAX));
    match shape {
        Shape::Int32 => writer.varint(short as u64),
        Shape::Sint32 => writer.varint(varint::zig(short)),
        Shape::Uint32 => writer.varint(positive_short as u64),
        Shape::Uint64 => writer.varint(number.unsigned_abs()),
        Shape::Sint64 => writer.varint(varint::zig(number)),
        Shape::Fixed32 => writer.out.extend_from_slice(&(positive_short as u32).to_le_bytes()),
        Shape::Sfixed32 => writer.out.extend_from_slice(&(short as i32).to_le_bytes()),
        Shape::Fixed64 => writer.out.extend_from_slice(&number.unsigned_abs().to_le_bytes()),
        Shape::Sfixed64 => writer.out.extend_from_slice(&number.to_le_bytes()),
        _ => writer.varint(number as u64),
    }
}

/// The keys of one map differ: each has the next number.
fn write_key(shape: Shape, at: u64, writer: &mut Writer<'_>) {
    match shape {
        Shape::Text => {
            let word = words::NOUNS[at as usize % words::NOUNS.len()];
            writer.sized(|writer| writer.out.extend_from_slice(word.as_bytes()));
        }
        Shape::Bool => writer.varint(at & 1),
        whole => write_whole(whole, at as i64 + 1, writer),
    }
}

/// Messages that Google defines with rules of their own.
fn write_known(known: Known, writer: &mut Writer<'_>) {
    let nanos_of = |writer: &mut Writer<'_>, ms: u64| {
        if ms > 0 {
            writer.tag(2, wire::VARINT);
            writer.varint(ms * 1_000_000);
        }
    };
    match known {
        Known::Timestamp => {
            let ms = epoch_ms(writer.now);
            writer.tag(1, wire::VARINT);
            writer.varint(ms.div_euclid(1_000) as u64);
            nanos_of(writer, ms.rem_euclid(1_000) as u64);
        }
        Known::Duration => {
            let ms = writer.rng.below(600_000);
            writer.tag(1, wire::VARINT);
            writer.varint(ms / 1_000);
            nanos_of(writer, ms % 1_000);
        }
        Known::FieldMask => {
            let word = words::pick(writer.rng, words::TAGS);
            writer.tag(1, wire::SIZED);
            writer.sized(|writer| words::lower(word, writer.out));
        }
        Known::Value => {
            let word = words::pick(writer.rng, words::TAGS);
            writer.tag(3, wire::SIZED);
            writer.sized(|writer| writer.out.extend_from_slice(word.as_bytes()));
        }
        Known::Any | Known::None => {}
    }
}
