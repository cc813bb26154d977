//! SNS's JSON envelope around a message, and how a receiver opens it.
//!
//! A body that is no text travels in Base64, which an attribute of the envelope says.

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};

use super::attributes::{Attribute, Attributes};
use crate::machines::codec::iso_time;
use crate::units::SimTime;

const BEGINNING: &[u8] = br#"{"Type":"Notification""#;
const BASE64: &str = "Base64";
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the envelope says beside the body.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// `MessageId`.
    pub message_id: &'a str,
    /// The topic's name.
    pub topic: &'a str,
    /// `Timestamp`.
    pub at: SimTime,
    /// `MessageAttributes`.
    pub attributes: &'a Attributes,
}

/// The envelope's bytes.
#[must_use]
pub fn seal(sheet: &Sheet<'_>, body: &[u8]) -> Vec<u8> {
    let (message, encoding) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), "Text"),
        Err(_) => (to_base64(body), BASE64),
    };
    let mut attributes: Map<String, Json> = sheet.attributes.0.iter().map(|(name, value)| (name.to_string(), shown(value))).collect();
    attributes.insert("encoding".to_owned(), json!({"Type": "String", "Value": encoding}));
    json!({
        "Type": "Notification",
        "MessageId": sheet.message_id,
        "TopicArn": format!("arn:aws:sns:us-east-1:000000000000:{}", sheet.topic),
        "Message": message,
        "Timestamp": iso_time(sheet.at),
        "SignatureVersion": "1",
        "MessageAttributes": attributes,
    })
    .to_string()
    .into_bytes()
}

/// The body of an envelope; none when the bytes are no envelope.
#[must_use]
pub fn open(bytes: &[u8]) -> Option<Bytes> {
    if !bytes.starts_with(BEGINNING) {
        return None;
    }
    let envelope: Json = serde_json::from_slice(bytes).ok()?;
    let message = envelope["Message"].as_str()?;
    if envelope["MessageAttributes"]["encoding"]["Value"] == BASE64 {
        return from_base64(message).map(Bytes::from);
    }
    Some(Bytes::copy_from_slice(message.as_bytes()))
}

fn shown(attribute: &Attribute) -> Json {
    match attribute {
        Attribute::Text(text) => json!({"Type": "String", "Value": &**text}),
        Attribute::Number(number) => json!({"Type": "Number", "Value": number.to_string()}),
        Attribute::List(list) => json!({"Type": "String.Array", "Value": Json::from(list.clone()).to_string()}),
        Attribute::Opaque => json!({"Type": "Binary", "Value": ""}),
    }
}

/// RFC 4648, section 4.
fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let is_padding = digit > group.len();
            out.push(if is_padding { '=' } else { char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]) });
        }
    }
    out
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut count) = (0u32, 0);
    for digit in digits.bytes() {
        bits = bits << 6 | DIGITS.iter().position(|known| *known == digit)? as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}
