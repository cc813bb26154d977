//! The role of a command handler: load, decide, append, tell.
//!
//! ```text
//! begin: load (snapshot + events) ─► service time ─► decide on what was loaded ─► append ─► outbox, or direct write
//!          ▲                                            │ somebody was faster
//!          └──────────── reload ◄───────────────────────┘
//! ```
//!
//! Must not know: topics beyond their numbers. Start at [`Commands::step`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::deadlines::{Cause, Deadlines};
use super::payload;
use super::read::{self, Ways};
use crate::components::consumer::encoders::Encoders;
use crate::components::consumer::handler::{Draft, Step, Task, WorkerId, encoded};
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures};
use crate::event::{EventId, Reason};
use crate::machines::event_store::{
    Aggregate, AggregateState, AppendError, CommandInput, Decision, EventStore, NewEvent, Scalar, StoreConfig,
};
use crate::units::{SimDuration, SimTime};

/// Ids of commands that are remembered; the oldest are forgotten beyond that.
const DEDUPLICATED_MAX: usize = 1_000_000;

/// How what is stored gets to its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishing {
    /// A row beside the events, in one transaction.
    Outbox,
    /// First stored, then written to the topic, with nothing to hold the two together.
    StoreFirst,
    /// First written to the topic, then stored.
    TopicFirst,
}

/// Where a worker is.
#[derive(Clone, Debug)]
enum Phase {
    /// It has loaded its aggregate at this version; so many reloads before.
    Loaded { version: u64, reloads: u32 },
    /// Stored; its events are on their way to their topic. How many.
    Publishing { events: u64 },
    /// Its events are in their topic; they are not stored yet.
    ToStore { version: u64, events: Vec<NewEvent>, reloads: u32 },
}

/// Commands whose events are stored are not taken twice.
#[derive(Clone, Debug, Default)]
struct Deduplication {
    window: Option<SimDuration>,
    seen: BTreeSet<EventId>,
    order: VecDeque<(SimTime, EventId)>,
}

impl Deduplication {
    fn has(&mut self, now: SimTime, id: EventId) -> bool {
        let is_old = |at: SimTime| self.window.is_some_and(|window| at + window < now);
        while self.order.front().is_some_and(|(at, _)| is_old(*at)) || self.order.len() > DEDUPLICATED_MAX {
            if let Some((_, id)) = self.order.pop_front() {
                self.seen.remove(&id);
            }
        }
        self.seen.contains(&id)
    }
    fn note(&mut self, now: SimTime, id: EventId) {
        self.seen.insert(id);
        self.order.push_back((now, id));
    }
}

#[derive(Clone, Debug, Default)]
struct Counts {
    accepted: u64,
    refused: u64,
    conflicts: u64,
    deduplicated: u64,
    events_read: u64,
    /// Stored, and never written to a topic: lost to all who listen.
    unpublished: u64,
    /// In a topic, and never stored: nobody did what they say.
    phantom: u64,
}

/// Aggregates of one kind and their store.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    store: EventStore,
    blank: AggregateState,
    ways: Ways,
    publishing: Publishing,
    deduplication: Option<Deduplication>,
    conflict_retries: u32,
    event_read_time: SimDuration,
    append_time: SimDuration,
    write_version: u16,
    tasks: BTreeMap<WorkerId, Phase>,
    fields: Vec<Scalar>,
    json: Vec<u8>,
    deadlines: Option<Deadlines>,
    open: Option<Open>,
    counts: Counts,
}

/// Aggregates that have not come to an end.
#[derive(Clone, Debug)]
struct Open {
    /// By state: whether it is one of the ends.
    is_end: Vec<bool>,
    count: u64,
}

impl Commands {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let aggregate = Arc::new(read::aggregate(ctx.id, params).map_err(|mut problems| problems.remove(0))?);
        let snapshot_every = params.is_given("snapshot_every").then(|| u64::try_from(params.count("snapshot_every")).unwrap_or(1));
        let ends = params.words("end_states");
        let is_end = aggregate.states().iter().map(|state| ends.iter().any(|end| **end == **state)).collect();
        Ok(Self {
            blank: aggregate.new_state(),
            deadlines: Deadlines::new(params, aggregate.states()),
            open: (!ends.is_empty()).then_some(Open { is_end, count: 0 }),
            store: EventStore::new(aggregate, StoreConfig { snapshot_every, ..StoreConfig::default() }),
            ways: Ways::new(ctx, params),
            publishing: match params.text("publish").as_str() {
                "store_first" => Publishing::StoreFirst,
                "topic_first" => Publishing::TopicFirst,
                _ => Publishing::Outbox,
            },
            deduplication: params.flag("deduplicate").then(|| Deduplication {
                window: params.is_given("deduplication_window").then(|| params.duration("deduplication_window")),
                ..Deduplication::default()
            }),
            conflict_retries: u32::try_from(params.count("conflict_retries")).unwrap_or(0),
            event_read_time: params.duration("event_read_time"),
            append_time: params.duration("append_time"),
            write_version: u16::try_from(params.count("write_version")).unwrap_or(1),
            tasks: BTreeMap::new(),
            fields: Vec::new(),
            json: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// A worker loads its aggregate: how long that takes, and the append afterwards.
    pub fn begin(&mut self, task: &Task<'_>) -> SimDuration {
        let key = payload::key(task);
        self.load(task.worker, &key, 0)
    }

    fn load(&mut self, worker: WorkerId, key: &Arc<str>, reloads: u32) -> SimDuration {
        let to_read = self.store.events_to_read(key);
        let version = self.store.live(key).map_or(0, |state| state.version);
        self.counts.events_read += to_read;
        self.tasks.insert(worker, Phase::Loaded { version, reloads });
        self.event_read_time.times(to_read).plus(self.append_time)
    }

    pub fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        match self.tasks.remove(&task.worker) {
            None | Some(Phase::Publishing { .. }) => Step::done(),
            Some(Phase::Loaded { version, reloads }) => self.decide(ctx, task, version, reloads),
            Some(Phase::ToStore { version, events, reloads }) => {
                let count = events.len() as u64;
                match self.append(ctx, &payload::key(task), version, events, &cause_of(task)) {
                    Ok(()) => {
                        self.note(ctx.now, task);
                        Step::done()
                    }
                    Err(error) => {
                        // They are in the topic for ever.
                        self.counts.phantom += count;
                        self.append_failed(error, task, reloads)
                    }
                }
            }
        }
    }

    fn note(&mut self, now: SimTime, task: &Task<'_>) {
        self.counts.accepted += 1;
        if let Some(deduplication) = &mut self.deduplication {
            deduplication.note(now, task.event.id);
        }
    }

    /// Stores events; what comes of their aggregate's new state is seen to.
    fn append(&mut self, ctx: &mut Ctx<'_>, key: &Arc<str>, version: u64, events: Vec<NewEvent>, cause: &Cause) -> Result<(), AppendError> {
        let before = self.store.live(key).map(|state| state.state);
        self.store.append(ctx.now, key, version, events)?;
        let Some(stream) = self.store.stream_of(key) else { return Ok(()) };
        let Some(state) = self.store.live_of(stream).map(|live| live.state) else { return Ok(()) };
        if let Some(open) = &mut self.open {
            let is_open = |state: u16| u64::from(!open.is_end[usize::from(state)]);
            open.count = open.count + is_open(state) - before.map_or(0, is_open);
        }
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.moved(ctx, stream, state, cause);
        }
        Ok(())
    }

    /// An aggregate has been in a state for too long: the command that it gives itself is decided at once, as it stands, and what
    /// comes of it goes to the outbox.
    pub fn on_deadline(&mut self, ctx: &mut Ctx<'_>, stream: u32, encoders: Option<&Encoders>) -> Vec<Draft> {
        let Some((command, cause)) = self.deadlines.as_mut().and_then(|deadlines| deadlines.due(ctx.now, stream)) else {
            return Vec::new();
        };
        let aggregate = Arc::clone(self.store.aggregate());
        let (Some(key), Some(state)) = (self.store.key(stream).cloned(), self.store.live_of(stream)) else { return Vec::new() };
        let (version, fields) = (state.version, vec![Scalar::Absent; aggregate.command_fields().len()]);
        let Decision::Accepted(events) = self.says(ctx.now, state, (&command, &fields), &key) else {
            self.counts.refused += 1;
            return Vec::new();
        };
        let drafts = self.drafts(encoders, &cause, &aggregate, &events);
        match drafts {
            Ok(drafts) if self.append(ctx, &key, version, events, &cause).is_ok() => {
                self.counts.accepted += 1;
                drafts
            }
            // What cannot be written or stored has not happened.
            _ => {
                self.counts.refused += 1;
                Vec::new()
            }
        }
    }

    /// What an aggregate in this state says to a command with these fields.
    fn says(&self, now: SimTime, state: &AggregateState, (ty, fields): (&str, &[Scalar]), key: &Arc<str>) -> Decision {
        let now_ms = i64::try_from(now.as_ns() / 1_000_000).unwrap_or(i64::MAX);
        self.store.aggregate().decide(state, &CommandInput { ty, fields, key, now_ms, write_version: self.write_version })
    }

    fn decide(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>, version: u64, reloads: u32) -> Step {
        let now = ctx.now;
        if self.deduplication.as_mut().is_some_and(|deduplication| deduplication.has(now, task.event.id)) {
            self.counts.deduplicated += 1;
            return Step::done();
        }
        let key = payload::key(task);
        let aggregate = Arc::clone(self.store.aggregate());
        let mut fields = std::mem::take(&mut self.fields);
        payload::fields(task, aggregate.command_fields(), &mut fields);
        let state = self.store.live(&key).unwrap_or(&self.blank);
        if state.version != version {
            self.fields = fields;
            return self.append_failed(AppendError::Conflict { actual: state.version }, task, reloads);
        }
        let ty = self.ways.name(task.event.event_type);
        let decision = self.says(now, state, (&ty, &fields), &key);
        self.fields = fields;
        let events = match decision {
            Decision::Accepted(events) => events,
            Decision::Refused(_) => {
                self.counts.refused += 1;
                return Step::done();
            }
        };
        let cause = cause_of(task);
        let drafts = match self.drafts(task.encoders(), &cause, &aggregate, &events) {
            Ok(drafts) => drafts,
            // Before anything is stored: its transaction is rolled back.
            Err(reason) => return Step::Failed { reason, again: false },
        };
        if self.publishing == Publishing::TopicFirst && !drafts.is_empty() {
            self.tasks.insert(task.worker, Phase::ToStore { version, events, reloads });
            return Step::Publish(drafts);
        }
        if let Err(error) = self.append(ctx, &key, version, events, &cause) {
            return self.append_failed(error, task, reloads);
        }
        self.note(now, task);
        if self.publishing == Publishing::Outbox {
            return Step::Done(drafts);
        }
        self.tasks.insert(task.worker, Phase::Publishing { events: drafts.len() as u64 });
        Step::Publish(drafts)
    }

    fn drafts(
        &mut self,
        encoders: Option<&Encoders>,
        cause: &Cause,
        aggregate: &Aggregate,
        events: &[NewEvent],
    ) -> Result<Vec<Draft>, Reason> {
        if !self.ways.has_topic() {
            return Ok(Vec::new());
        }
        let mut drafts = Vec::with_capacity(events.len());
        for event in events {
            self.json.clear();
            aggregate.write_json(event, &mut self.json);
            let Some(name) = aggregate.event_type(event.ty) else { continue };
            let Some(ty) = self.ways.number(name) else { continue };
            let value = encoded(encoders, ty, &self.json)?;
            drafts.extend(self.ways.draft(name, cause.key.clone(), value, cause.event));
        }
        Ok(drafts)
    }

    fn append_failed(&mut self, error: AppendError, task: &Task<'_>, reloads: u32) -> Step {
        match error {
            AppendError::Conflict { .. } => {
                self.counts.conflicts += 1;
                if reloads < self.conflict_retries {
                    return Step::Wait(self.load(task.worker, &payload::key(task), reloads + 1));
                }
                let detail = format!("somebody else changed the aggregate, {} times in a row", reloads + 1);
                Step::Failed { reason: Reason { code: "conflict", detail: Some(detail.into()) }, again: true }
            }
            AppendError::Full => {
                Step::Failed { reason: Reason { code: "store-full", detail: Some(error.to_string().into()) }, again: false }
            }
        }
    }

    /// An instance is gone in the midst of its work.
    pub fn abandon(&mut self, worker: WorkerId) {
        match self.tasks.remove(&worker) {
            Some(Phase::Publishing { events }) => self.counts.unpublished += events,
            Some(Phase::ToStore { events, .. }) => self.counts.phantom += events.len() as u64,
            _ => {}
        }
    }

    pub fn set_write_version(&mut self, text: &str) -> Result<(), String> {
        self.write_version = text.parse().ok().filter(|version| *version > 0).ok_or_else(|| format!("`{text}` is no version"))?;
        Ok(())
    }

    pub fn figures(&self, out: &mut Figures) {
        out.counter("commands_accepted_count", self.counts.accepted);
        out.counter("commands_refused_count", self.counts.refused);
        out.counter("conflicts_count", self.counts.conflicts);
        out.counter("deduplicated_count", self.counts.deduplicated);
        out.counter("events_stored_count", self.store.position());
        out.counter("events_read_count", self.counts.events_read);
        out.counter("snapshots_count", self.store.snapshots_count());
        out.counter("unpublished_count", self.counts.unpublished);
        out.counter("phantom_count", self.counts.phantom);
        out.gauge("streams", self.store.streams_count() as f64);
        if let Some(open) = &self.open {
            out.gauge("streams_open", open.count as f64);
        }
        if let Some(deadlines) = &self.deadlines {
            out.counter("deadlines_passed_count", deadlines.passed_count());
        }
    }

    pub fn store(&self) -> &EventStore {
        &self.store
    }
}

fn cause_of(task: &Task<'_>) -> Cause {
    Cause { key: task.key.clone(), event: task.event }
}
