//! Small payloads of a message, each with one thing in it, and whether a reader takes a payload for something else.
//!
//! In: a writer's program and both descriptors. Out: payloads for the search for an event that breaks, the smallest first,
//! and the verdict on what was read. Must not know: which rule was broken. Start at [`Program::small_payloads`].

use prost_reflect::{DynamicMessage, FieldDescriptor, MapKey, MessageDescriptor, ReflectMessage, Value};

use super::program::{Arity, Field, Message, MessageIx, Program, Shape, wire};
use crate::machines::codec::varint;

/// Payloads of one message.
const PAYLOADS_MAX: usize = 4_000;
/// Levels of messages within messages in which something is put.
const DEPTH_MAX: u32 = 5;
/// Fields that are put side by side, each with each.
const PAIRED_FIELDS_MAX: usize = 40;
/// Numbers of an enum that are tried.
const ENUM_NUMBERS_MAX: usize = 20;
/// Numbers at the ends of what integer types hold.
const NUMBERS: [u64; 6] = [1, 0, 0x7f, 0x8000_0000, 1 << 32, u64::MAX];
/// Levels of messages that are compared as read.
const COMPARED_DEPTH_MAX: u32 = 64;

impl Program {
    /// Valid payloads of a message: its smallest, then that with one field more, then with two.
    pub(super) fn small_payloads(&self, index: MessageIx) -> Vec<Vec<u8>> {
        if self.endless.is_some() || self.messages.len() <= index as usize {
            return Vec::new();
        }
        let mut payloads = self.with_one_part(index, &mut Vec::new());
        let message = &self.messages[index as usize];
        let fields = &self.fields_of(message)[..self.fields_of(message).len().min(PAIRED_FIELDS_MAX)];
        for (at, second) in fields.iter().enumerate() {
            for first in &fields[..at] {
                let mut payload = self.smallest_without(message, &[first, second]);
                payload.extend(self.values(first, &mut vec![index; DEPTH_MAX as usize]).into_iter().next().unwrap_or_default());
                payload.extend(self.values(second, &mut vec![index; DEPTH_MAX as usize]).into_iter().next().unwrap_or_default());
                payloads.push(payload);
            }
        }
        payloads.truncate(PAYLOADS_MAX);
        // Stable: of two of one length the plainer one is tried first.
        payloads.sort_by_key(Vec::len);
        payloads
    }

    /// `around` are the messages that this one lies within.
    fn with_one_part(&self, index: MessageIx, around: &mut Vec<MessageIx>) -> Vec<Vec<u8>> {
        let message = &self.messages[index as usize];
        let mut payloads = vec![self.smallest_without(message, &[])];
        if around.contains(&index) || around.len() >= DEPTH_MAX as usize {
            return payloads;
        }
        around.push(index);
        for field in self.fields_of(message) {
            if payloads.len() >= PAYLOADS_MAX {
                break;
            }
            let rest = self.smallest_without(message, &[field]);
            payloads.extend(self.values(field, around).into_iter().map(|value| [rest.as_slice(), &value].concat()));
        }
        around.pop();
        payloads
    }

    /// What a message cannot do without, except for some fields.
    fn smallest_without(&self, message: &Message, left_out: &[&Field]) -> Vec<u8> {
        let mut out = Vec::new();
        let is_left_out = |field: &Field| left_out.iter().any(|other| other.number() == field.number());
        for field in self.fields_of(message).iter().filter(|field| field.required != 0 && !is_left_out(field)) {
            out.extend(tagged(field, field.shape.wire(), &self.smallest_value(field.shape)));
        }
        out
    }

    fn smallest_value(&self, shape: Shape) -> Vec<u8> {
        match shape {
            Shape::Enum(index) => {
                let number = self.enums[index as usize].first().copied().unwrap_or(0);
                varint_of(i64::from(number) as u64)
            }
            Shape::Fixed32 | Shape::Sfixed32 | Shape::Float => vec![0; 4],
            Shape::Fixed64 | Shape::Sfixed64 | Shape::Double => vec![0; 8],
            Shape::Message(inner) | Shape::Group(inner) => self.smallest_without(&self.messages[inner as usize], &[]),
            Shape::Text | Shape::Bytes => Vec::new(),
            _ => vec![0],
        }
    }

    /// A field's values with their tags, the plainest first; of a list also two at once.
    fn values(&self, field: &Field, around: &mut Vec<MessageIx>) -> Vec<Vec<u8>> {
        let plain = self.plain_values(field.shape, around);
        let one = |value: &Vec<u8>| tagged(field, field.shape.wire(), value);
        let mut all: Vec<Vec<u8>> = match field.arity {
            Arity::Packed => plain.iter().map(|value| tagged(field, wire::SIZED, value)).collect(),
            _ => plain.iter().map(one).collect(),
        };
        if matches!(field.arity, Arity::Repeated | Arity::Packed)
            && let [first, second, ..] = &all[..]
        {
            all.push([first.as_slice(), second].concat());
        }
        all
    }

    /// Values without their tags and lengths.
    fn plain_values(&self, shape: Shape, around: &mut Vec<MessageIx>) -> Vec<Vec<u8>> {
        match shape {
            Shape::Bool => vec![vec![1], vec![0]],
            Shape::Enum(index) => {
                let numbers = self.enums[index as usize].iter().take(ENUM_NUMBERS_MAX);
                let (zero, others): (Vec<i32>, Vec<i32>) = numbers.partition(|number| **number == 0);
                others.into_iter().chain(zero).map(|number| varint_of(i64::from(number) as u64)).collect()
            }
            Shape::Fixed32 | Shape::Sfixed32 => vec![vec![1, 0, 0, 0], vec![0; 4], vec![0xff; 4]],
            Shape::Float => vec![1_f32.to_le_bytes().to_vec(), vec![0; 4]],
            Shape::Fixed64 | Shape::Sfixed64 => vec![vec![1, 0, 0, 0, 0, 0, 0, 0], vec![0; 8], vec![0xff; 8]],
            Shape::Double => vec![1_f64.to_le_bytes().to_vec(), vec![0; 8]],
            Shape::Text => vec![b"a".to_vec(), Vec::new()],
            Shape::Bytes => vec![b"a".to_vec(), Vec::new(), vec![0xff]],
            Shape::Message(inner) | Shape::Group(inner) => self.with_one_part(inner, around),
            _ => NUMBERS.iter().map(|number| varint_of(*number)).collect(),
        }
    }
}

/// A value with its tag, its length or the end of its group.
fn tagged(field: &Field, how: u8, value: &[u8]) -> Vec<u8> {
    let mut out = varint_of(u64::from(field.number() << 3 | u32::from(how)));
    if how == wire::SIZED {
        varint::write(value.len() as u64, &mut out);
    }
    out.extend_from_slice(value);
    if how == wire::GROUP {
        varint::write(u64::from(field.number() << 3 | u32::from(wire::GROUP_END)), &mut out);
    }
    out
}

fn varint_of(number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint::write(number, &mut out);
    out
}

/// Whether a payload that both messages decode stands for something else at the reader: a value of a number that it
/// knows is another one or gone, or a choice among fields is one that it does not know. A number that it does not know
/// is passed over, as Protobuf means it to be.
pub(super) fn is_otherwise(writer: &MessageDescriptor, reader: &MessageDescriptor, payload: &[u8]) -> bool {
    let decoded = |message: &MessageDescriptor| DynamicMessage::decode(message.clone(), payload).ok();
    let (Some(written), Some(read)) = (decoded(writer), decoded(reader)) else { return false };
    messages_differ(&written, &read, 0)
}

fn messages_differ(written: &DynamicMessage, read: &DynamicMessage, depth: u32) -> bool {
    if depth > COMPARED_DEPTH_MAX {
        return false;
    }
    let reader = read.descriptor();
    written.fields().any(|(field, value)| match reader.get_field(field.number()) {
        Some(other) => {
            let is_gone = field.supports_presence() && other.supports_presence() && !read.has_field(&other);
            is_gone || values_differ(value, &read.get_field(&other), depth) || kinds_differ(&field, &other)
        }
        None => field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()),
    })
}

/// Values that are alike by chance are something else all the same: a list of one number is no number.
fn kinds_differ(ours: &FieldDescriptor, theirs: &FieldDescriptor) -> bool {
    ours.is_map() != theirs.is_map()
}

fn values_differ(written: &Value, read: &Value, depth: u32) -> bool {
    match (written, read) {
        (Value::Message(ours), Value::Message(theirs)) => messages_differ(ours, theirs, depth + 1),
        (Value::List(ours), Value::List(theirs)) => {
            ours.len() != theirs.len() || ours.iter().zip(theirs).any(|(ours, theirs)| values_differ(ours, theirs, depth))
        }
        (Value::List(ours), one) => !matches!(&ours[..], [only] if !values_differ(only, one, depth)),
        (one, Value::List(theirs)) => !matches!(&theirs[..], [only] if !values_differ(one, only, depth)),
        (Value::Map(ours), Value::Map(theirs)) => {
            let their_key = |key: &MapKey| theirs.iter().find(|(other, _)| !scalars_differ(&key.clone().into(), &(*other).clone().into()));
            ours.len() != theirs.len()
                || ours.iter().any(|(key, value)| their_key(key).is_none_or(|(_, other)| values_differ(value, other, depth)))
        }
        _ => scalars_differ(written, read),
    }
}

fn scalars_differ(written: &Value, read: &Value) -> bool {
    if let (Some(ours), Some(theirs)) = (whole(written), whole(read)) {
        return ours != theirs;
    }
    match (real(written), real(read), bytes(written), bytes(read)) {
        // By their bits: what is no number is the same as itself.
        (Some(ours), Some(theirs), ..) => ours.to_bits() != theirs.to_bits(),
        (.., Some(ours), Some(theirs)) => ours != theirs,
        _ => true,
    }
}

fn whole(value: &Value) -> Option<i128> {
    Some(match value {
        Value::Bool(flag) => i128::from(*flag),
        Value::I32(number) | Value::EnumNumber(number) => i128::from(*number),
        Value::I64(number) => i128::from(*number),
        Value::U32(number) => i128::from(*number),
        Value::U64(number) => i128::from(*number),
        _ => return None,
    })
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::F32(number) => Some(f64::from(*number)),
        Value::F64(number) => Some(*number),
        _ => None,
    }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::String(text) => Some(text.as_bytes()),
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}
