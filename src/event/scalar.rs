//! The value of a flat field: of a command, an event, an aggregate, a row.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

/// No text in a field, and no text that an expression makes, is longer.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// One field's value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar {
    /// The field is not there.
    #[default]
    Absent,
    /// JSON's `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction, never an infinite one.
    Double(f64),
    /// Text.
    Text(Arc<str>),
}

impl Scalar {
    /// A JSON value's; none for lists, objects and text that is too long.
    #[must_use]
    pub fn from_json(value: &Json) -> Option<Self> {
        match value {
            Json::Null => Some(Self::Null),
            Json::Bool(value) => Some(Self::Bool(*value)),
            Json::Number(number) => number.as_i64().map(Self::Int).or_else(|| number.as_f64().map(Self::Double)),
            Json::String(text) => (text.len() <= TEXT_BYTES_MAX).then(|| Self::Text(Arc::from(text.as_str()))),
            Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// As a person reads it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) => text.to_string(),
            // A scalar is written without fail: it has no key that is no text.
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => to.serialize_unit(),
            Self::Bool(value) => to.serialize_bool(*value),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Double(number) => to.serialize_f64(*number),
            Self::Text(text) => to.serialize_str(text),
        }
    }
}

/// Appends named values as a JSON object; what is absent is left out.
pub fn write_object<'a>(fields: impl Iterator<Item = (&'a Arc<str>, &'a Scalar)>, out: &mut Vec<u8>) {
    let present = fields.filter(|(_, value)| **value != Scalar::Absent);
    // Neither memory nor keys that are texts make it fail.
    let _ = serde_json::Serializer::new(out).collect_map(present);
}
