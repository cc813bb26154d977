//! Bodies of requests: payloads as they stand, or in CloudEvents' envelope.
//!
//! In: an event and its payload. Out: the bytes that a gateway gets. Start at [`Envelopes::around`].

use std::sync::Arc;

use bytes::Bytes;

use crate::components::Params;
use crate::event::EventMeta;
use crate::machines::codec::cloud_events::{Attributes, wrap};
use crate::machines::codec::iso_time;

/// How a producer's events stand in its requests.
#[derive(Clone, Debug)]
pub(super) struct Envelopes {
    /// The producer's id, which is the events' source; none in binary mode.
    source: Option<Arc<str>>,
}

impl Envelopes {
    pub(super) fn new(id: &str, params: &Params<'_>) -> Self {
        Self { source: (params.text("cloud_events") == "structured").then(|| id.into()) }
    }
    /// The body of an event's request.
    pub(super) fn around(&self, event: &EventMeta, event_type: &str, key: Option<&[u8]>, payload: &[u8]) -> Bytes {
        let Some(source) = &self.source else { return Bytes::copy_from_slice(payload) };
        let key = key.map(String::from_utf8_lossy);
        let id = format!("{source}-{}", event.id.seq);
        let mut out = Vec::with_capacity(payload.len() * 4 / 3 + 300);
        wrap(&Attributes { id: &id, source, event_type, time: &iso_time(event.born), key: key.as_deref() }, payload, &mut out);
        out.into()
    }
}
