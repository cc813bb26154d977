//! Followed events: their stories, the tokens on wires, and what went wrong.
//!
//! Followed are a hash-chosen sample and every event that was rejected, lost or repeated (from the moment
//! that it was). All of it is bounded; nothing here is read by a run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;

use super::view::{FLIGHTS_MAX, Flight, FlightStatus, INCIDENTS_MAX, Incident};
use crate::event::{EventId, EventMeta, Hop, HopKind, Placed, Reason, SchemaFound};
use crate::units::{ComponentIx, GroupIx, SimTime};

/// Events whose story is kept; the oldest go first.
const STORIES_MAX: usize = 20_000;
/// Schemas remembered for decoding; payloads of further ones are shown as bytes.
const SCHEMAS_MAX: usize = 10_000;
/// Hops kept of one event.
const HOPS_MAX: usize = 64;
/// Flights remembered; the view shows those in the air.
const RING_MAX: usize = 4 * FLIGHTS_MAX;

/// One followed event.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub meta: EventMeta,
    pub hops: Vec<Hop>,
    pub hops_dropped: u32,
    pub payload: Option<Bytes>,
    pub key: Option<Bytes>,
}

/// Everything followed in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traces {
    stories: IndexMap<EventId, Story, ahash::RandomState>,
    flights: VecDeque<Flight>,
    incidents: VecDeque<Incident>,
    /// Schemas that registries handed out, by id: what payloads are decoded with for a person.
    pub schemas: BTreeMap<u32, SchemaFound>,
    /// Grows with every visible hop: what "step one event" waits for.
    pub visible: u64,
}

impl Traces {
    /// A hop of a followed event.
    pub fn hop(&mut self, meta: EventMeta, mut hop: Hop) {
        self.visible += 1;
        let status = status_of(hop.kind);
        if status != FlightStatus::Normal {
            self.incident(Incident {
                at: hop.done,
                component: hop.component,
                event: meta.id,
                event_type: meta.event_type,
                status,
                words: hop.words.to_string(),
            });
        }
        if self.stories.len() >= STORIES_MAX && !self.stories.contains_key(&meta.id) {
            // Forgetting half at once keeps the cost per event constant.
            self.stories.drain(..STORIES_MAX / 2);
        }
        let story =
            self.stories.entry(meta.id).or_insert_with(|| Story { meta, hops: Vec::new(), hops_dropped: 0, payload: None, key: None });
        if let Some(payload) = hop.payload.take() {
            story.payload.get_or_insert(payload);
        }
        if let Some(key) = hop.key.take() {
            story.key.get_or_insert(key);
        }
        if story.hops.len() < HOPS_MAX {
            story.hops.push(hop);
        } else {
            story.hops_dropped += 1;
        }
    }
    /// Something that went wrong.
    pub fn incident(&mut self, incident: Incident) {
        if self.incidents.len() >= INCIDENTS_MAX {
            self.incidents.pop_front();
        }
        self.incidents.push_back(incident);
    }
    /// A registry hands a schema out.
    pub fn schema(&mut self, found: &SchemaFound) {
        if self.schemas.len() < SCHEMAS_MAX {
            self.schemas.entry(found.id).or_insert_with(|| found.clone());
        }
    }
    /// A token sets off.
    pub fn flight(&mut self, flight: Flight) {
        self.visible += 1;
        if self.flights.len() >= RING_MAX {
            self.flights.pop_front();
        }
        self.flights.push_back(flight);
    }
    /// Tokens in the air at `now`, problems first where there are too many; and one in how many that is.
    pub fn in_the_air(&self, now: SimTime) -> (Vec<Flight>, u64) {
        let all: Vec<Flight> = self.flights.iter().filter(|f| f.start <= now && f.end >= now).copied().collect();
        if all.len() <= FLIGHTS_MAX {
            return (all, 1);
        }
        let (mut shown, normal): (Vec<Flight>, Vec<Flight>) = all.iter().partition(|f| f.status != FlightStatus::Normal);
        shown.truncate(FLIGHTS_MAX);
        let room = FLIGHTS_MAX - shown.len();
        let one_in = normal.len().div_ceil(room.max(1)).max(1);
        shown.extend(normal.iter().step_by(one_in).take(room));
        (shown, one_in as u64)
    }
    /// What went wrong, newest last.
    pub fn incidents(&self) -> Vec<Incident> {
        self.incidents.iter().cloned().collect()
    }
    /// The story of one event.
    pub fn story(&self, id: EventId) -> Option<&Story> {
        self.stories.get(&id)
    }
}

/// How a hop looks.
pub(crate) fn status_of(kind: HopKind) -> FlightStatus {
    match kind {
        HopKind::Rejected => FlightStatus::Rejected,
        HopKind::Lost => FlightStatus::Lost,
        HopKind::Duplicate => FlightStatus::Duplicate,
        HopKind::Produced | HopKind::Gateway | HopKind::Appended | HopKind::Processed => FlightStatus::Normal,
    }
}

/// An event stands in a log once more, or was processed once more.
pub(crate) fn duplicate_hop(now: SimTime, component: ComponentIx, placed: Placed, group: Option<GroupIx>, words: &str) -> Hop {
    Hop { group, ..broker_hop(now, component, HopKind::Duplicate, placed, words.into()) }
}

/// An acknowledged event is in no log any more.
pub(crate) fn lost_hop(now: SimTime, cluster: ComponentIx, placed: Placed, reason: &Reason) -> Hop {
    let words = format!("lost: {}: {}", reason.code, reason.detail.as_deref().unwrap_or_default());
    broker_hop(now, cluster, HopKind::Lost, placed, words.into())
}

fn broker_hop(now: SimTime, component: ComponentIx, kind: HopKind, placed: Placed, words: Arc<str>) -> Hop {
    Hop { component, kind, queued: now, served: now, done: now, placed: Some(placed), group: None, words, payload: None, key: None }
}
