//! A receiver of webhooks that is a component of the design: a gateway at the port `posts`, which answers by its own rules.
//!
//! In: what is posted. Out: HTTP requests with the three headers of a webhook. Must not know: schedules, books. Start at
//! [`Drawn::post`].

use std::sync::Arc;

use bytes::Bytes;

use super::signature::Headers;
use super::sim::Item;
use crate::components::{BuildCtx, Params};
use crate::engine::{Ctx, LinkEnd};
use crate::event::{CallId, HttpRequest, Message};

/// Where posts go.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    end: LinkEnd,
    path: Arc<str>,
    host: Option<Arc<str>>,
}

impl Drawn {
    /// None of a row that names no component, or one that is not linked.
    pub fn new(ctx: &BuildCtx<'_>, row: &Params<'_>) -> Option<Self> {
        let at = row.optional_text("at")?;
        let end = ctx.links_at("posts").find(|facts| facts.peer_id == at)?.end;
        Some(Self { end, path: row.text("path").into(), host: row.optional_text("host").map(Arc::from) })
    }

    /// Sends a post; `attempt` is 1 for the first of this event.
    pub fn post(&self, ctx: &mut Ctx<'_>, call: u64, item: &Item, headers: &Headers, (body, attempt): (Bytes, u32)) {
        let mut all: Vec<(Arc<str>, Arc<str>)> = vec![
            ("webhook-id".into(), headers.id.as_str().into()),
            ("webhook-timestamp".into(), headers.timestamp.to_string().into()),
            ("webhook-signature".into(), headers.signature.as_str().into()),
        ];
        all.extend(self.host.iter().map(|host| ("host".into(), Arc::clone(host))));
        let request = HttpRequest {
            call: CallId(call),
            method: "POST".into(),
            path: Arc::clone(&self.path),
            headers: all.into(),
            event: item.meta,
            event_type: Arc::clone(&item.ty),
            key: item.key.clone(),
            body,
            attempt,
            delivery: None,
        };
        ctx.send(self.end, Message::Http(Box::new(request)));
    }
}
