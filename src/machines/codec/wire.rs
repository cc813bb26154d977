//! Confluent's wire format: a zero byte, the schema's id in four bytes, the payload.

use std::borrow::Cow;

use crate::event::Reason;

/// Bytes before the payload.
const HEADER_BYTES: usize = 5;
const MAGIC: u8 = 0;

/// Whose wire format is spoken. Both put something between header and payload where a schema is Protobuf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Confluent's.
    #[default]
    Confluent,
    /// AWS Glue's.
    Glue,
}

/// Appends the header for a schema id; the payload follows.
pub fn frame(id: u32, out: &mut Vec<u8>) {
    let [a, b, c, d] = id.to_be_bytes();
    out.extend_from_slice(&[MAGIC, a, b, c, d]);
}

/// The schema id and the payload. The reason's code is `wire-format`.
///
/// # Errors
/// When the bytes are too few or do not begin with the magic zero.
pub fn unframe(bytes: &[u8]) -> Result<(u32, &[u8]), Reason> {
    let refuse = |detail: Cow<'static, str>| Reason { code: "wire-format", detail: Some(detail) };
    match bytes {
        [MAGIC, a, b, c, d, payload @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), payload)),
        [MAGIC, ..] | [] => Err(refuse(format!("{} bytes are too few for the schema header of {HEADER_BYTES}", bytes.len()).into())),
        [first, ..] => Err(refuse(format!("the first byte is {first:#04x}, not the magic 0 of a registered schema").into())),
    }
}
