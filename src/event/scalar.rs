//! The value of a flat field: of a command, an event, an aggregate, a row.

use std::fmt::Write;
use std::sync::Arc;

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

    /// Appends it as JSON; `null` for what is not there.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Absent | Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Int(number) => write_display(out, number),
            // Debug keeps the point of a whole number: what was a double is read back as one.
            Self::Double(number) => write_display(out, &DebugDouble(*number)),
            Self::Text(text) => write_json_text(text, out),
        }
    }

    /// As a person reads it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Text(text) => text.to_string(),
            other => {
                let mut out = Vec::new();
                other.write_json(&mut out);
                String::from_utf8(out).unwrap_or_default()
            }
        }
    }
}

struct DebugDouble(f64);

impl std::fmt::Display for DebugDouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

struct ByteWriter<'a>(&'a mut Vec<u8>);

impl Write for ByteWriter<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn write_display(out: &mut Vec<u8>, value: &dyn std::fmt::Display) {
    // Writing to memory cannot fail.
    let _ = write!(ByteWriter(out), "{value}");
}

/// Appends a text as a JSON string.
pub fn write_json_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            control if u32::from(control) < 0x20 => write_display(out, &format_args!("\\u{:04x}", u32::from(control))),
            plain => out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Appends named values as a JSON object; what is absent is left out.
pub fn write_object<'a>(fields: impl Iterator<Item = (&'a Arc<str>, &'a Scalar)>, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut is_first = true;
    for (name, value) in fields.filter(|(_, value)| **value != Scalar::Absent) {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        write_json_text(name, out);
        out.push(b':');
        value.write_json(out);
    }
    out.push(b'}');
}
