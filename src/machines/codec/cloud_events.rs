//! CloudEvents in structured mode: one JSON object that holds an event's attributes and its data.
//!
//! ```text
//! binary      headers ce-type, ce-source, ce-id …   body: the data as it stands
//! structured  content-type application/cloudevents+json   body: {"specversion":"1.0","type":…,"data":…}
//! ```
//!
//! github.com/cloudevents/spec, JSON event format 1.0.2 (JSON stands under `data`, anything else in base64 under
//! `data_base64`), HTTP and Kafka protocol bindings (a structured record's value is that object, its only header of CloudEvents
//! is the content type).
//! In: bytes. Out: attributes and data of an envelope, or an envelope. Must not know: links, gateways. Start at [`open`].

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// How a content type says that the body is such an object.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The media type with its encoding, as clients send it.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";
/// Members of an envelope that are looked at; there are no more in an event of this program.
const MEMBERS_MAX: usize = 100;

/// How envelopes begin that are made here.
const START: &[u8] = b"{\"specversion\":\"1.0\"";

/// An envelope taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `type`.
    pub event_type: Cow<'a, str>,
    /// `source`.
    pub source: Cow<'a, str>,
    /// `subject`; empty where there is none.
    pub subject: Cow<'a, str>,
    /// The data's own bytes; none where there is no data.
    pub data: Option<Cow<'a, [u8]>>,
}

/// What stands beside the data.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    /// `id`.
    pub id: &'a str,
    /// `source`.
    pub source: &'a str,
    /// `type`.
    pub event_type: &'a str,
    /// `time`.
    pub time: &'a str,
    /// `subject`, and the extension `partitionkey`; neither for an event without a key.
    pub key: Option<&'a str>,
}

/// Whether a content type announces an envelope.
#[must_use]
pub fn is_structured(content_type: &str) -> bool {
    content_type.get(..MEDIA_TYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(MEDIA_TYPE))
}

/// An envelope around data.
pub fn wrap(attributes: &Attributes<'_>, data: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(START);
    member("id", attributes.id, out);
    member("source", attributes.source, out);
    member("type", attributes.event_type, out);
    if let Some(key) = attributes.key {
        member("subject", key, out);
        member("partitionkey", key, out);
    }
    member("time", attributes.time, out);
    if is_json_value(data) {
        member("datacontenttype", "application/json", out);
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data);
    } else {
        member("datacontenttype", "application/octet-stream", out);
        member("data_base64", &STANDARD.encode(data), out);
    }
    out.push(b'}');
}

fn member(name: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!(",\"{name}\":{}", serde_json::Value::from(text)).as_bytes());
}

/// Whether data can stand in an envelope as it is and be found again: null is no data there.
fn is_json_value(data: &[u8]) -> bool {
    data != b"null"
        && data.trim_ascii().len() == data.len()
        && std::str::from_utf8(data).is_ok()
        && serde_json::from_slice::<IgnoredAny>(data).is_ok()
}

/// Takes an envelope apart.
///
/// # Errors
/// What keeps it from being an event, in words.
pub fn open(body: &[u8]) -> Result<Envelope<'_>, String> {
    let members = members(body).ok_or("the body is no JSON object")?;
    let text = |name: &str| -> Option<Cow<'_, str>> {
        let (_, raw) = members.iter().find(|(known, _)| known == name)?;
        text_of(raw)
    };
    for name in ["specversion", "id", "source", "type"] {
        if text(name).is_none_or(|text| text.is_empty()) {
            return Err(format!("the CloudEvent has no `{name}`"));
        }
    }
    let raw = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, raw)| *raw);
    let data = match (raw("data"), raw("data_base64")) {
        (Some(_), Some(_)) => return Err("the CloudEvent has both `data` and `data_base64`".to_owned()),
        (Some(b"null"), None) | (None, None) => None,
        (Some(data), None) => {
            // JSON stands there as it is, any other text as a string.
            let is_json = text("datacontenttype").is_none_or(|media| media.contains("json"));
            let text = if is_json { None } else { text_of(data) };
            Some(text.map_or(Cow::Borrowed(data), |text| Cow::Owned(text.into_owned().into_bytes())))
        }
        (None, Some(encoded)) => {
            let decoded = text_of(encoded).and_then(|text| STANDARD.decode(&*text).ok());
            Some(Cow::Owned(decoded.ok_or("`data_base64` is no base64")?))
        }
    };
    let taken = |name: &str| text(name).unwrap_or_default();
    Ok(Envelope { event_type: taken("type"), source: taken("source"), subject: taken("subject"), data })
}

/// What readers of records look at: the data of an envelope, or the bytes themselves.
#[must_use]
pub fn data_of(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !may_be_envelope(bytes) {
        return Cow::Borrowed(bytes);
    }
    open(bytes).ok().and_then(|envelope| envelope.data).unwrap_or(Cow::Borrowed(bytes))
}

/// Whether bytes are an event in structured mode.
#[must_use]
pub fn is_envelope(bytes: &[u8]) -> bool {
    may_be_envelope(bytes) && open(bytes).is_ok()
}

/// Records know no content type here: an envelope begins as [`wrap`] makes it, and most bytes are seen to be none at a glance.
fn may_be_envelope(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

/// A JSON string's text.
fn text_of(raw: &[u8]) -> Option<Cow<'_, str>> {
    let plain = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if plain.contains(&b'\\') {
        return serde_json::from_slice(raw).ok().map(Cow::Owned);
    }
    std::str::from_utf8(plain).ok().map(Cow::Borrowed)
}

/// Names and raw values of an object, as they stand.
fn members(body: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut rest = body.trim_ascii().strip_prefix(b"{")?.trim_ascii_start();
    let mut members = Vec::new();
    while members.len() < MEMBERS_MAX {
        if rest == b"}" {
            return Some(members);
        }
        if !members.is_empty() {
            rest = rest.strip_prefix(b",")?;
        }
        let mut names = Deserializer::from_slice(rest).into_iter::<String>();
        let name = names.next()?.ok()?;
        rest = rest[names.byte_offset()..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let mut values = Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        let (value, tail) = rest.split_at(values.byte_offset());
        members.push((name, value.trim_ascii_end()));
        rest = tail.trim_ascii_start();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(key: Option<&str>, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wrap(&Attributes { id: "web-1", source: "/web", event_type: "Placed \"x\"", time: "2026-01-01T00:00:00Z", key }, data, &mut out);
        out
    }

    #[test]
    fn an_envelope_holds_what_the_format_says() {
        let json: serde_json::Value = serde_json::from_slice(&wrapped(Some("o-7"), br#"{"id":"o-7"}"#)).expect("it is JSON");
        assert_eq!((&json["specversion"], &json["data"]["id"], &json["partitionkey"]), (&"1.0".into(), &"o-7".into(), &"o-7".into()));
        let json: serde_json::Value = serde_json::from_slice(&wrapped(None, &[0, 0, 0, 0, 7, 1])).expect("it is JSON");
        assert_eq!((&json["data_base64"], json.get("data")), (&"AAAAAAcB".into(), None));
    }

    /// Examples of the JSON event format's own page, shortened.
    #[test]
    fn other_peoples_envelopes_are_opened() {
        let xml = br#" { "data" : "<much wow=\"xml\"/>", "specversion" : "1.0", "type" : "com.example.someevent",
            "source" : "/mycontext", "subject": null, "id" : "B234-1234-1234", "datacontenttype" : "application/xml" } "#;
        let envelope = open(xml).expect("it is one");
        assert_eq!((&*envelope.event_type, &*envelope.source, &*envelope.subject), ("com.example.someevent", "/mycontext", ""));
        assert_eq!(envelope.data.as_deref(), Some(&br#"<much wow="xml"/>"#[..]));
        let bare = br#"{"specversion":"1.0","type":"t","source":"s","id":"1"}"#;
        assert_eq!(open(bare).expect("data may be absent").data, None);
        for (wrong, words) in [
            (&br#"{"specversion":"1.0","type":"t","id":"1"}"#[..], "source"),
            (br#"{"specversion":"1.0","type":"t","source":"s","id":"1","data":1,"data_base64":"AA=="}"#, "both"),
            (br#"{"specversion":"1.0","type":"t","source":"s","id":"1","data_base64":"%"}"#, "base64"),
            (br#"{"specversion":"1.0""#, "JSON"),
            (br#"[1]"#, "JSON"),
        ] {
            assert!(open(wrong).expect_err("it is none").contains(words), "{words}");
        }
        assert!(is_structured("Application/CloudEvents+JSON; charset=UTF-8") && !is_structured("application/json"));
    }

    proptest! {
        /// Whatever the data is, it comes out as it went in.
        #[test]
        fn data_survives_its_envelope(data in proptest::collection::vec(proptest::num::u8::ANY, 0..60), key in proptest::option::of(".{0,10}")) {
            let envelope = wrapped(key.as_deref(), &data);
            let opened = open(&envelope).expect("it was made here");
            prop_assert_eq!(opened.data.as_deref(), Some(&data[..]));
            prop_assert_eq!(&*opened.subject, key.as_deref().unwrap_or_default());
            prop_assert_eq!(&*data_of(&envelope), &data[..]);
        }
        /// Bytes that are no envelope are left alone, and nothing that comes from outside makes it panic.
        #[test]
        fn other_bytes_are_left_alone(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..80), json in "[{}\\[\\]\",:a-z0-9\\\\ ]{0,60}") {
            prop_assert_eq!(&*data_of(&bytes), &bytes[..]);
            let _ = open(json.as_bytes());
        }
    }
}
