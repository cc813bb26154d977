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
