//! The identity of an event.

use serde::{Deserialize, Serialize};

use crate::units::{ComponentIx, EventTypeIx, SimTime};

/// (producer, sequence): a component added elsewhere changes no id. Shown as `web-17`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// Who made it.
    pub producer: ComponentIx,
    /// How many it had made before.
    pub seq: u64,
}

/// What an event's CloudEvents attributes and its `traceparent` take as record headers on a wire: names, fixed values
/// and lengths, twice the producer's key (in `ce_id` and `ce_source`), and the event type's name.
#[must_use]
pub const fn header_bytes(producer_key_bytes: usize, event_type_bytes: usize) -> u32 {
    const NAMES_AND_FIXED_VALUES: usize = 160;
    (NAMES_AND_FIXED_VALUES + 2 * producer_key_bytes + event_type_bytes) as u32
}

/// The same of a record in CloudEvents' structured mode: its content type and its `traceparent`, with their names.
pub const STRUCTURED_HEADER_BYTES: u32 = 126;

/// What every hop knows of an event without touching its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMeta {
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: EventTypeIx,
    /// When it was meant to be born; latency counts from here.
    pub born: SimTime,
    /// Birth of its root ancestor; its own for an event that was made from none.
    pub root_born: SimTime,
}
