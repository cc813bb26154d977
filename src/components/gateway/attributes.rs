//! What routes may ask of an event: its CloudEvents attributes, from headers or from inside a structured body.
//!
//! In: a request's headers and body. Out: type, source and subject; empty where there is no event. A gateway that routes on a
//! structured body has to read it: in Kong that takes a plugin of one's own.
//! Start at [`Attributes::of`].

use std::borrow::Cow;
use std::sync::Arc;

use crate::machines::codec::cloud_events::{self, Envelope};

/// Type, source and subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes<'a> {
    pub event_type: Cow<'a, str>,
    pub source: Cow<'a, str>,
    pub subject: Cow<'a, str>,
}

/// Names in lower case, and values.
type Headers = [(Arc<str>, Arc<str>)];

/// Whether a request's body is an envelope.
pub(super) fn is_structured(headers: &Headers) -> bool {
    header(headers, "content-type").is_some_and(cloud_events::is_structured)
}

impl<'a> Attributes<'a> {
    /// `event_type` and `key` travel beside the headers of a request in binary mode, and stand for `ce-type` and `ce-subject`.
    pub(super) fn of(headers: &'a Headers, body: &'a [u8], event_type: &'a str, key: Option<&'a [u8]>) -> Self {
        if is_structured(headers) {
            // A body that is no event has no attributes: the check of its schema says why.
            return cloud_events::open(body).map_or_else(|_| Self::default(), Self::from);
        }
        let of_key = || key.map_or(Cow::Borrowed(""), String::from_utf8_lossy);
        Self {
            event_type: Cow::Borrowed(header(headers, "ce-type").unwrap_or(event_type)),
            source: Cow::Borrowed(header(headers, "ce-source").unwrap_or_default()),
            subject: header(headers, "ce-subject").map_or_else(of_key, Cow::Borrowed),
        }
    }
}

impl<'a> From<Envelope<'a>> for Attributes<'a> {
    fn from(Envelope { event_type, source, subject, .. }: Envelope<'a>) -> Self {
        Self { event_type, source, subject }
    }
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
}
