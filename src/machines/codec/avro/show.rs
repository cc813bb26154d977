//! Decoded values as JSON for people: instants as text, decimals with their point, bytes in hexadecimal.

use apache_avro::types::Value;
use serde_json::{Map, Number, Value as Json};

use super::program::{BytesKind, Node, NodeIx, Program};
use crate::machines::codec::words;

/// Longest run of bytes that is shown whole.
const SHOWN_BYTES_MAX: usize = 64;

impl Program {
    /// `value` was decoded under this schema.
    pub(super) fn show(&self, index: NodeIx, value: &Value) -> Json {
        let node = self.node(index);
        match (value, node) {
            (Value::Record(values), Node::Record { first, count }) => {
                let fields = self.fields_of(first, count).iter().zip(values);
                Json::Object(fields.map(|(field, (name, value))| (name.clone(), self.show(field.node, value))).collect())
            }
            (Value::Union(branch, value), Node::Union { first, count, .. }) => {
                self.branches_of(first, count).get(*branch as usize).map_or(Json::Null, |node| self.show(*node, value))
            }
            (Value::Array(values), Node::Array(item)) => values.iter().map(|value| self.show(item, value)).collect(),
            (Value::Map(values), Node::Map(item)) => {
                // The decoder's map has no order; people get one.
                let mut sorted: Vec<_> = values.iter().collect();
                sorted.sort_by_key(|(key, _)| key.as_str());
                Json::Object(sorted.into_iter().map(|(key, value)| (key.clone(), self.show(item, value))).collect::<Map<_, _>>())
            }
            (
                Value::Decimal(decimal),
                Node::Bytes(BytesKind::Decimal { scale, .. }) | Node::Fixed { kind: BytesKind::Decimal { scale, .. }, .. },
            ) => {
                let bytes: Vec<u8> = decimal.try_into().unwrap_or_default();
                Json::String(decimal_text(&bytes, scale))
            }
            _ => scalar(value),
        }
    }
}

fn scalar(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Long(number) => Json::from(*number),
        Value::Float(number) => real(f64::from(*number)),
        Value::Double(number) => real(*number),
        Value::String(text) | Value::Enum(_, text) => Json::String(text.clone()),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => Json::String(hex(bytes)),
        Value::Date(days) => ascii(|out| words::date(i64::from(*days), out)),
        Value::TimeMillis(ms) => Json::from(*ms),
        Value::TimeMicros(us) => Json::from(*us),
        Value::TimestampMillis(ms) | Value::LocalTimestampMillis(ms) => instant(*ms),
        Value::TimestampMicros(us) | Value::LocalTimestampMicros(us) => instant(us.div_euclid(1_000)),
        Value::TimestampNanos(ns) | Value::LocalTimestampNanos(ns) => instant(ns.div_euclid(1_000_000)),
        Value::Uuid(uuid) => Json::String(uuid.to_string()),
        Value::BigDecimal(decimal) => Json::String(decimal.to_string()),
        other => Json::String(format!("{other:?}")),
    }
}

fn real(number: f64) -> Json {
    Number::from_f64(number).map_or_else(|| Json::String(number.to_string()), Json::Number)
}

fn ascii(write: impl FnOnce(&mut Vec<u8>)) -> Json {
    let mut out = Vec::new();
    write(&mut out);
    Json::String(String::from_utf8_lossy(&out).into_owned())
}

fn instant(ms: i64) -> Json {
    ascii(|out| {
        words::date(ms.div_euclid(86_400_000), out);
        out.push(b'T');
        words::time_of_day(ms.rem_euclid(86_400_000) as u64, true, out);
    })
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    for byte in bytes.iter().take(SHOWN_BYTES_MAX) {
        text.extend([byte >> 4, byte & 15].map(|half| char::from_digit(u32::from(half), 16).unwrap_or('?')));
    }
    if bytes.len() > SHOWN_BYTES_MAX {
        text.push('…');
    }
    text
}

/// Two's complement with a point `scale` digits from the right; beyond 16 bytes as hexadecimal.
fn decimal_text(bytes: &[u8], scale: u32) -> String {
    if bytes.len() > 16 || scale > 38 {
        return hex(bytes);
    }
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    let unscaled = i128::from_be_bytes(wide);
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let sign = if negative { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
