//! Events as messages of queues and fan-out topics, as clients send them.
//!
//! In: an event with its bytes. Out: a queue's entry. Start at [`Messages::entry`].

use bytes::Bytes;

use super::BuildCtx;
use crate::event::{EventMeta, QueueEntry};
use crate::machines::broker::batch::BatchBuilder;
use crate::units::SimDuration;

/// How events become messages.
#[derive(Clone, Debug)]
pub(in crate::components) struct Messages {
    /// Of each message; the queue's own when absent.
    pub delay: Option<SimDuration>,
    /// A FIFO queue knows a message by its event's id, or compares bodies.
    pub deduplicate_by_id: bool,
    /// Standard queues get message groups too.
    pub names_tenants: bool,
    /// The message group of events without a key.
    pub default_group: Bytes,
}

/// An event with its bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::components) struct Letter<'a> {
    pub meta: EventMeta,
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
    pub extra_header_bytes: u32,
    pub traced: bool,
}

impl Messages {
    /// Without a delay, known by their events' ids.
    pub fn new(ctx: &BuildCtx<'_>) -> Self {
        Self { delay: None, deduplicate_by_id: true, names_tenants: false, default_group: Bytes::copy_from_slice(ctx.key.as_bytes()) }
    }

    /// An event as it is sent.
    pub fn entry(&self, letter: Letter<'_>, is_fifo: bool) -> QueueEntry {
        let Letter { meta, key, .. } = letter;
        let group = || key.map_or_else(|| self.default_group.clone(), Bytes::copy_from_slice);
        let id = || Bytes::from(format!("{}-{}", meta.id.producer.0, meta.id.seq));
        QueueEntry {
            group: if is_fifo { Some(group()) } else { key.filter(|_| self.names_tenants).map(Bytes::copy_from_slice) },
            deduplication: (is_fifo && self.deduplicate_by_id).then(id),
            delay: self.delay,
            ..letter.sealed()
        }
    }
}

impl Letter<'_> {
    /// As a message of no group.
    pub fn sealed(self) -> QueueEntry {
        let Letter { meta, key, value, extra_header_bytes, traced } = self;
        let mut builder = BatchBuilder::with_capacity(value.len() + 128);
        builder.push(&meta, key, value, extra_header_bytes, traced);
        QueueEntry {
            event: meta,
            batch: builder.finish(),
            size_bytes: u32::try_from(value.len()).unwrap_or(u32::MAX).saturating_add(extra_header_bytes),
            group: None,
            deduplication: None,
            delay: None,
            attempt: 1,
            moved_since: None,
        }
    }
}
