//! Streams of events: optimistic appends, snapshots, and states of any moment.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use super::aggregate::{Aggregate, AggregateState, NewEvent};
use crate::units::SimTime;

/// Events of one sealed segment, which clones share.
const SEGMENT_EVENTS: usize = 4_096;
/// No event before it.
const NONE: u64 = u64::MAX;

/// How a store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// A snapshot is taken at each multiple of so many events of a stream; never when absent.
    pub snapshot_every: Option<u64>,
    /// An append beyond so many events is refused.
    pub events_max: u64,
    /// A new stream beyond so many is refused.
    pub streams_max: usize,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { snapshot_every: None, events_max: 50_000_000, streams_max: 10_000_000 }
    }
}

/// An event at its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Which stream.
    pub stream: u32,
    /// Its place in the stream, from 0.
    pub version: u64,
    /// The stream's event before it.
    previous: u64,
    /// When it was appended.
    pub at: SimTime,
    /// What.
    pub event: NewEvent,
}

/// Why nothing was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Somebody else was faster: load again and decide again.
    #[error("the stream is at version {actual}, not at the expected one")]
    Conflict {
        /// Where the stream stands.
        actual: u64,
    },
    /// The store is full.
    #[error("the event store is full")]
    Full,
}

/// A state, and what it cost to have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The aggregate.
    pub state: AggregateState,
    /// Events that were read after the snapshot, or from zero.
    pub events_read: u64,
    /// Whether it began at a snapshot.
    pub from_snapshot: bool,
}

#[derive(Clone, Debug)]
struct Stream {
    key: Arc<str>,
    last: u64,
    /// Kept up to date with each append.
    live: AggregateState,
    snapshot: Option<(u64, Arc<AggregateState>)>,
}

/// All streams of one aggregate.
#[derive(Clone, Debug)]
pub struct EventStore {
    aggregate: Arc<Aggregate>,
    cfg: StoreConfig,
    // Looked up by key only: its order shows nowhere.
    index: HashMap<Arc<str>, u32, ahash::RandomState>,
    streams: Vec<Stream>,
    sealed: Vec<Arc<[Recorded]>>,
    open: Vec<Recorded>,
    snapshots: u64,
}

impl EventStore {
    /// An empty store.
    #[must_use]
    pub fn new(aggregate: Arc<Aggregate>, cfg: StoreConfig) -> Self {
        Self {
            aggregate,
            cfg,
            index: HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4)),
            streams: Vec::new(),
            sealed: Vec::new(),
            open: Vec::new(),
            snapshots: 0,
        }
    }
    /// What its streams are of.
    #[must_use]
    pub fn aggregate(&self) -> &Arc<Aggregate> {
        &self.aggregate
    }
    /// The next event's global position.
    #[must_use]
    pub fn position(&self) -> u64 {
        (self.sealed.len() * SEGMENT_EVENTS + self.open.len()) as u64
    }
    /// How many streams there are.
    #[must_use]
    pub fn streams_count(&self) -> usize {
        self.streams.len()
    }
    /// Snapshots taken.
    #[must_use]
    pub fn snapshots_count(&self) -> u64 {
        self.snapshots
    }
    /// The stream of a key.
    #[must_use]
    pub fn stream_of(&self, key: &str) -> Option<u32> {
        self.index.get(key).copied()
    }
    /// Key of a stream.
    #[must_use]
    pub fn key(&self, stream: u32) -> Option<&Arc<str>> {
        self.streams.get(stream as usize).map(|stream| &stream.key)
    }
    /// The event at a global position.
    #[must_use]
    pub fn event_at(&self, position: u64) -> Option<&Recorded> {
        let position = usize::try_from(position).ok()?;
        let (segment, at) = (position / SEGMENT_EVENTS, position % SEGMENT_EVENTS);
        if segment == self.sealed.len() { self.open.get(at) } else { self.sealed.get(segment)?.get(at) }
    }
    /// An aggregate as it is now, without reading events; a new one's for a key without a stream.
    #[must_use]
    pub fn live(&self, key: &str) -> Option<&AggregateState> {
        self.stream_of(key).map(|stream| &self.streams[stream as usize].live)
    }
    /// The state of a stream kept with each append.
    #[must_use]
    pub fn live_of(&self, stream: u32) -> Option<&AggregateState> {
        self.streams.get(stream as usize).map(|stream| &stream.live)
    }
    /// How many events a load has to read: those after the last snapshot.
    #[must_use]
    pub fn events_to_read(&self, key: &str) -> u64 {
        let Some(stream) = self.stream_of(key) else { return 0 };
        let stream = &self.streams[stream as usize];
        stream.live.version - stream.snapshot.as_ref().map_or(0, |(_, state)| state.version)
    }

    /// Appends events to a stream that must stand at `expected` events; gives the first one's global position.
    ///
    /// # Errors
    /// When the stream stands elsewhere, or the store is full.
    pub fn append(&mut self, now: SimTime, key: &Arc<str>, expected: u64, events: Vec<NewEvent>) -> Result<u64, AppendError> {
        let found = self.stream_of(key);
        let actual = found.map_or(0, |stream| self.streams[stream as usize].live.version);
        if actual != expected {
            return Err(AppendError::Conflict { actual });
        }
        let first = self.position();
        if first + events.len() as u64 > self.cfg.events_max || (found.is_none() && self.streams.len() >= self.cfg.streams_max) {
            return Err(AppendError::Full);
        }
        if events.is_empty() {
            return Ok(first);
        }
        let number = found.unwrap_or_else(|| {
            let number = self.streams.len() as u32;
            self.index.insert(Arc::clone(key), number);
            self.streams.push(Stream { key: Arc::clone(key), last: NONE, live: self.aggregate.new_state(), snapshot: None });
            number
        });
        for event in events {
            let position = self.position();
            let stream = &mut self.streams[number as usize];
            self.aggregate.apply(&mut stream.live, &event);
            let version = stream.live.version - 1;
            self.open.push(Recorded { stream: number, version, previous: stream.last, at: now, event });
            stream.last = position;
            if self.cfg.snapshot_every.is_some_and(|every| stream.live.version.is_multiple_of(every.max(1))) {
                stream.snapshot = Some((position, Arc::new(stream.live.clone())));
                self.snapshots += 1;
            }
            if self.open.len() == SEGMENT_EVENTS {
                self.sealed.push(std::mem::take(&mut self.open).into());
            }
        }
        Ok(first)
    }

    /// Reads an aggregate: its last snapshot, if there is one, and the events after it.
    #[must_use]
    pub fn load(&self, key: &str) -> Loaded {
        self.read(key, |_| true)
    }
    /// Reads an aggregate as it was at an instant.
    #[must_use]
    pub fn load_at(&self, key: &str, at: SimTime) -> Loaded {
        self.read(key, |recorded| recorded.at <= at)
    }

    fn read(&self, key: &str, counts: impl Fn(&Recorded) -> bool) -> Loaded {
        let new = || Loaded { state: self.aggregate.new_state(), events_read: 0, from_snapshot: false };
        let Some(number) = self.stream_of(key) else { return new() };
        let stream = &self.streams[number as usize];
        // Back from the newest that counts to the snapshot or the beginning, then forward.
        let mut read = Vec::new();
        let mut base = None;
        let mut at = stream.last;
        while let Some(recorded) = self.event_at(at) {
            if counts(recorded) {
                if let Some((position, state)) = &stream.snapshot
                    && *position == at
                {
                    base = Some(state);
                    break;
                }
                read.push(recorded);
            }
            at = recorded.previous;
        }
        let mut loaded = new();
        if let Some(state) = base {
            loaded.state = AggregateState::clone(state);
            loaded.from_snapshot = true;
        }
        for recorded in read.iter().rev() {
            self.aggregate.apply(&mut loaded.state, &recorded.event);
        }
        loaded.events_read = read.len() as u64;
        loaded
    }

    /// A page of a stream's events, newest first.
    pub fn history(&self, stream: u32) -> impl Iterator<Item = (u64, &Recorded)> {
        let mut at = self.streams.get(stream as usize).map_or(NONE, |stream| stream.last);
        std::iter::from_fn(move || {
            let recorded = self.event_at(at)?;
            let position = std::mem::replace(&mut at, recorded.previous);
            Some((position, recorded))
        })
    }
}
