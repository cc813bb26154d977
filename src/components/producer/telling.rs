//! How a producer tells observers what became of its events.

use std::sync::Arc;

use bytes::Bytes;

use crate::engine::Ctx;
use crate::event::{EventMeta, Fact, Hop, HopKind, Outcome, Reason, Settled};
use crate::units::SimTime;

/// Tells observers that a submission ended here, with a hop in plain words.
pub(in crate::components) fn settle(
    ctx: &mut Ctx<'_>,
    meta: EventMeta,
    outcome: Outcome,
    reason: Reason,
    data: Option<(Bytes, Option<Bytes>)>,
) {
    let (kind, verb) = match outcome {
        Outcome::Rejected => (HopKind::Rejected, "rejected"),
        Outcome::Dropped => (HopKind::Lost, "dropped"),
        Outcome::Abandoned => (HopKind::Lost, "given up"),
        Outcome::Accepted => (HopKind::Produced, "accepted"),
    };
    let words = format!("{verb}: {}", reason.detail.as_deref().unwrap_or(reason.code));
    let (payload, key) = data.map_or((None, None), |(payload, key)| (Some(payload), key));
    let hop = Hop { payload, key, ..hop(ctx, kind, meta.born, words.into()) };
    ctx.hop(meta, hop);
    ctx.fact(Fact::Settled(Box::new(Settled { event: meta, at: ctx.me, outcome, reason })));
}

/// A stay of an event at its producer.
pub(in crate::components) fn hop(ctx: &Ctx<'_>, kind: HopKind, queued: SimTime, words: Arc<str>) -> Hop {
    Hop { component: ctx.me, kind, queued, served: ctx.now, done: ctx.now, placed: None, group: None, words, payload: None, key: None }
}
