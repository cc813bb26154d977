//! What registries' serializers put before a payload.
//!
//! - Confluent's: a zero byte, the schema's id in four bytes.
//! - AWS Glue's: a three, a byte for the compression (0 none, 5 zlib), the schema version's UUID in sixteen bytes; what
//!   follows is compressed as that byte says.
//!
//! In: ids and payloads. Out: bytes, and back. Must not know: who wrote them. Start at [`Framing`].

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::cloud_events;
use crate::event::{Reason, SchemaCall};

/// Bytes before a payload.
const HEADER_BYTES: usize = 5;
const GLUE_HEADER_BYTES: usize = 18;
const MAGIC: u8 = 0;
const GLUE_MAGIC: u8 = 3;
const GLUE_PLAIN: u8 = 0;
const GLUE_ZLIB: u8 = 5;
/// Largest payload that is unpacked; a header can promise anything.
const UNPACKED_BYTES_MAX: u64 = 16 << 20;

/// How a serializer writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Confluent's header.
    #[default]
    Confluent,
    /// Glue's header, the payload as it is.
    Glue,
    /// Glue's header, the payload packed with zlib.
    GlueZlib,
}

/// What a header says of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderId {
    /// Confluent's number.
    Number(u32),
    /// Glue's schema version.
    Uuid([u8; 16]),
}

impl HeaderId {
    /// What stands before payloads of a schema: its UUID where it has one.
    #[must_use]
    pub fn of(number: u32, uuid: Option<[u8; 16]>) -> Self {
        uuid.map_or(Self::Number(number), Self::Uuid)
    }
    /// Whose header it stood in.
    #[must_use]
    pub fn framing(self) -> Framing {
        match self {
            Self::Number(_) => Framing::Confluent,
            Self::Uuid(_) => Framing::Glue,
        }
    }
    /// How a registry is asked for it.
    #[must_use]
    pub fn lookup(self) -> SchemaCall {
        match self {
            Self::Number(id) => SchemaCall::ById(id),
            Self::Uuid(uuid) => SchemaCall::ByUuid(uuid),
        }
    }
}

impl fmt::Display for HeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => write!(f, "{id}"),
            Self::Uuid(uuid) => f.write_str(&uuid_text(*uuid)),
        }
    }
}

impl Framing {
    /// Puts the header before a payload that stands in `out` from `start` on, and packs it where the framing says so.
    pub fn wrap(self, number: u32, uuid: [u8; 16], out: &mut Vec<u8>, start: usize) {
        match self {
            Self::Confluent => {
                let [a, b, c, d] = number.to_be_bytes();
                out.splice(start..start, [MAGIC, a, b, c, d]);
            }
            Self::Glue => {
                out.splice(start..start, glue_header(GLUE_PLAIN, uuid));
            }
            Self::GlueZlib => {
                let packed = packed(&out[start..]);
                out.truncate(start);
                out.extend_from_slice(&glue_header(GLUE_ZLIB, uuid));
                out.extend_from_slice(&packed);
            }
        }
    }
}

fn glue_header(compression: u8, uuid: [u8; 16]) -> [u8; GLUE_HEADER_BYTES] {
    let mut header = [0; GLUE_HEADER_BYTES];
    (header[0], header[1]) = (GLUE_MAGIC, compression);
    header[2..].copy_from_slice(&uuid);
    header
}

fn packed(payload: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = encoder.write_all(payload);
    encoder.finish().unwrap_or_default()
}

/// Appends Confluent's header for a schema id; the payload follows.
pub fn frame(id: u32, out: &mut Vec<u8>) {
    let [a, b, c, d] = id.to_be_bytes();
    out.extend_from_slice(&[MAGIC, a, b, c, d]);
}

/// The schema id and the payload of Confluent's framing. The reason's code is `wire-format`.
///
/// # Errors
/// When the bytes are too few or do not begin with the magic zero.
pub fn unframe(bytes: &[u8]) -> Result<(u32, &[u8]), Reason> {
    match bytes {
        [MAGIC, a, b, c, d, payload @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), payload)),
        [MAGIC, ..] | [] => Err(refuse(format!("{} bytes are too few for the schema header of {HEADER_BYTES}", bytes.len()))),
        [first, ..] => Err(refuse(format!("the first byte is {first:#04x}, not the magic 0 of a registered schema"))),
    }
}

/// What a header of either product says, and the payload behind it, unpacked. The reason's code is `wire-format`.
///
/// # Errors
/// When the bytes are too few, begin with neither magic byte, or cannot be unpacked.
pub fn unframe_any(bytes: &[u8]) -> Result<(HeaderId, Cow<'_, [u8]>), Reason> {
    match bytes {
        [GLUE_MAGIC, compression, rest @ ..] => {
            let Some((uuid, payload)) = rest.split_first_chunk::<16>() else {
                return Err(refuse(format!("{} bytes are too few for the schema header of {GLUE_HEADER_BYTES}", bytes.len())));
            };
            let payload = match *compression {
                GLUE_PLAIN => Cow::Borrowed(payload),
                GLUE_ZLIB => Cow::Owned(unpacked(payload)?),
                other => return Err(refuse(format!("the compression byte is {other:#04x}, neither 0 for none nor 5 for zlib"))),
            };
            Ok((HeaderId::Uuid(*uuid), payload))
        }
        [b'{', ..] => match cloud_events::data_of(bytes) {
            // No envelope, or nothing in it: what stands there has no header.
            Cow::Borrowed(data) if data.first() == Some(&b'{') => unframe(data).map(numbered),
            Cow::Borrowed(data) => unframe_any(data),
            Cow::Owned(data) => unframe_any(&data).map(|(id, payload)| (id, Cow::Owned(payload.into_owned()))),
        },
        _ => unframe(bytes).map(numbered),
    }
}

fn numbered((id, payload): (u32, &[u8])) -> (HeaderId, Cow<'_, [u8]>) {
    (HeaderId::Number(id), Cow::Borrowed(payload))
}

fn unpacked(payload: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut out = Vec::new();
    let read = ZlibDecoder::new(payload).take(UNPACKED_BYTES_MAX + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() as u64 <= UNPACKED_BYTES_MAX => Ok(out),
        Ok(_) => Err(refuse(format!("the payload unpacks to more than {UNPACKED_BYTES_MAX} bytes"))),
        Err(error) => Err(refuse(format!("the payload cannot be unpacked: {error}"))),
    }
}

fn refuse(detail: String) -> Reason {
    Reason { code: "wire-format", detail: Some(detail.into()) }
}

/// A UUID as people write it.
#[must_use]
pub fn uuid_text(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
