//! From a table to a topic: an application that changes rows, and a task that reads them.
//!
//! ```text
//! statement ─(commit_delay)─► commit ─► table, log ─► poll ─► record ─► acknowledged ─► position may be stored
//! ```
//!
//! In: a load of changes, acknowledgements. Out: records. Each commit is an event that is born; what no poll can find any more
//! is dropped with its reason. The application and its table outlive the task. Start at [`TableSource`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::records::{self, Captured, Envelope, Names, ms};
use super::spec::{self, Mode};
use super::table::{Change, Op, Row, Table};
use crate::components::alarm::Alarm;
use crate::components::connect::{OnError, source_producer};
use crate::components::load::Load;
use crate::components::producer::telling::{hop, settle};
use crate::components::slab::Slab;
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, FigureKind, Figures, Input, LinkEnd, Process};
use crate::event::{Answer, EventId, EventMeta, Fact, Hop, HopKind, Message, Outcome, Query, Reason, TaskStopped, header_bytes};
use crate::machines::broker::batch::events;
use crate::machines::broker::client::{ClientOutput, Outgoing, ProducerClient};
use crate::random::{Distribution, Stream};
use crate::units::{EventTypeIx, SimDuration, SimTime};

/// Commits that a capture has not read; of more, the oldest are gone from the log.
const LOG_MAX: usize = 1_000_000;
/// High bytes of call ids.
const CALLS: u16 = 0x0100;
/// Low byte of timer tokens; a generation, a place or a life stands above.
const TOKEN_CHANGE: u64 = 0;
const TOKEN_COMMIT: u64 = 1;
const TOKEN_POLL: u64 = 2;
const TOKEN_FLUSH: u64 = 3;
const TOKEN_WAKE: u64 = 4;

/// How far the task has read: time (of one mode) and id, or the log's next place.
type Position = (i64, i64);

/// A commit in the log.
#[derive(Clone, Copy, Debug)]
struct Logged {
    meta: EventMeta,
    envelope: Envelope,
    /// What follows a delete, so that a compacted topic forgets the key.
    tombstone: Option<EventMeta>,
}

/// A record that was handed to the client; a position's last one stores it.
#[derive(Clone, Copy, Debug)]
struct Sent {
    event: EventId,
    row: i64,
    position: Position,
    is_acked: bool,
}

#[derive(Clone, Debug)]
struct Streams {
    arrivals: Stream,
    changes: Stream,
    commits: Stream,
    queries: Stream,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    /// Inserts, updates, deletes.
    changes: [u64; 3],
    no_row: u64,
    polls: u64,
    records: u64,
    tombstones: u64,
    stopped: u64,
    missed: BTreeMap<&'static str, u64>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct TableSource {
    table: Table,
    load: Load,
    is_paused: bool,
    changes_max: Option<u64>,
    made: u64,
    /// Shares of inserts, updates, deletes, summed up.
    shares: [f64; 3],
    commit_delay: Distribution,
    open: Slab<Change>,
    initial_rows: u64,
    reads_initial: bool,
    mode: Mode,
    names: Names,
    poll_interval: SimDuration,
    rows_max: usize,
    query_time: Distribution,
    time_delay_ms: i64,
    has_key: bool,
    writes_tombstones: bool,
    on_error: OnError,
    flush_interval: SimDuration,
    log: VecDeque<Logged>,
    /// Place of the log's first entry.
    log_first: u64,
    position: Position,
    /// Everything up to here is acknowledged; and what of that is stored.
    acked: Position,
    stored: Position,
    sent: VecDeque<Sent>,
    client: ProducerClient,
    out: ClientOutput,
    is_up: bool,
    /// Counts the task's lives: polls of an earlier one are stale.
    life: u64,
    alarm: Alarm,
    ty: EventTypeIx,
    extra_header_bytes: u32,
    next_seq: u64,
    streams: Streams,
    counts: Counts,
}

impl TableSource {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        let to = ctx.links_at("out").find_map(|facts| Some((facts.topic.clone()?, facts.end)));
        let (topic, end) = to.ok_or_else(|| Diagnostic::error("link-missing", format!("components.{}", ctx.id), "it leads to no topic"))?;
        let mut client = ProducerClient::new(source_producer(CALLS, 0), ctx.stream("partitions"));
        client.add_topic(topic.topic, topic.partitions, topic.leaders, end.0);
        let ty = params.text("event_type");
        let [insert, update, delete] = ["inserts", "updates", "deletes"].map(|name| params.number(name));
        let mode = spec::mode(params);
        let has_key = if params.is_given("record_key") { params.text("record_key") == "id" } else { mode == Mode::Capture };
        Ok(Self {
            table: Table::default(),
            load: Load::new(params),
            is_paused: false,
            changes_max: params.is_given("max_changes").then(|| u64::try_from(params.count("max_changes")).unwrap_or(0)),
            made: 0,
            shares: [insert, insert + update, insert + update + delete],
            commit_delay: params.distribution("commit_delay"),
            open: Slab::new(),
            initial_rows: u64::try_from(params.count("initial_rows")).unwrap_or(0),
            reads_initial: mode != Mode::Capture || params.text("snapshot") == "initial",
            mode,
            names: Names { prefix: ctx.id.into(), table: params.text("table").into() },
            poll_interval: params.duration("poll_interval"),
            rows_max: usize::try_from(params.count("batch_rows")).unwrap_or(1).max(1),
            query_time: params.distribution("query_time"),
            time_delay_ms: (params.duration("timestamp_delay").as_ns() / 1_000_000) as i64,
            has_key,
            writes_tombstones: mode == Mode::Capture && params.flag("tombstones_on_delete"),
            on_error: OnError::of(params),
            flush_interval: params.duration("auto_commit_interval").max(SimDuration::from_ms(1)),
            log: VecDeque::new(),
            log_first: 0,
            position: if mode == Mode::Capture { (0, 0) } else { (-1, 0) },
            acked: if mode == Mode::Capture { (0, 0) } else { (-1, 0) },
            stored: if mode == Mode::Capture { (0, 0) } else { (-1, 0) },
            sent: VecDeque::new(),
            client,
            out: ClientOutput::default(),
            is_up: true,
            life: 0,
            alarm: Alarm::default(),
            extra_header_bytes: header_bytes(ctx.key.len(), ty.len()),
            ty: ctx.event_types.get(&ty).copied().unwrap_or_default(),
            next_seq: 0,
            streams: Streams {
                arrivals: ctx.stream("arrivals"),
                changes: ctx.stream("changes"),
                commits: ctx.stream("commits"),
                queries: ctx.stream("queries"),
            },
            counts: Counts::default(),
        })
    }

    fn schedule_change(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_paused || self.changes_max.is_some_and(|max| self.made >= max) {
            return;
        }
        if let Some(at) = self.load.next(ctx.now, &mut self.streams.arrivals) {
            ctx.timer_at(at, TOKEN_CHANGE | self.load.generation() << 8);
        }
    }

    /// The application makes a statement.
    fn change(&mut self, ctx: &mut Ctx<'_>) {
        self.made += 1;
        let draw = self.streams.changes.unit_f64() * self.shares[2];
        let op = match self.shares.iter().position(|sum| draw < *sum) {
            Some(1) => Op::Update,
            Some(2) => Op::Delete,
            _ => Op::Insert,
        };
        match self.table.begin(op, ms(ctx.now), &mut self.streams.changes) {
            Some(change) => {
                let delay = self.commit_delay.sample(&mut self.streams.commits);
                let place = self.open.put(change);
                ctx.timer_after(delay, TOKEN_COMMIT | place << 8);
            }
            None => self.counts.no_row += 1,
        }
        self.schedule_change(ctx);
    }

    fn next_meta(&mut self, ctx: &Ctx<'_>) -> EventMeta {
        let id = EventId { producer: ctx.me, seq: self.next_seq };
        self.next_seq += 1;
        EventMeta { id, event_type: self.ty, born: ctx.now, root_born: ctx.now }
    }

    /// A transaction commits: an event is born, and those that it hides from a poll are lost to it.
    fn commit(&mut self, ctx: &mut Ctx<'_>, change: Change) {
        let meta = self.next_meta(ctx);
        ctx.fact(Fact::Born(meta));
        self.counts.changes[change.op as usize] += 1;
        let before = self.table.commit(change, meta);
        if self.mode == Mode::Capture {
            let after = (change.op != Op::Delete).then_some(change.cells);
            self.log_change(ctx, meta, change.id, (before.map(|row| row.cells), after), Captured::Change(change.op));
            return;
        }
        self.note_hidden(ctx, change, before, meta);
    }

    fn log_change(
        &mut self,
        ctx: &mut Ctx<'_>,
        meta: EventMeta,
        id: i64,
        (before, after): (Option<super::table::Cells>, Option<super::table::Cells>),
        op: Captured,
    ) {
        let lsn = self.log_first + self.log.len() as u64;
        let tombstone = (self.writes_tombstones && op == Captured::Change(Op::Delete)).then(|| self.next_meta(ctx));
        if let Some(tombstone) = tombstone {
            ctx.fact(Fact::Derived(tombstone, meta.id));
            self.counts.tombstones += 1;
        }
        self.log.push_back(Logged { meta, envelope: Envelope { id, before, after, op, lsn, committed: ctx.now }, tombstone });
        if self.log.len() > LOG_MAX
            && let Some(gone) = self.log.pop_front()
        {
            self.log_first += 1;
            if self.position.1 < self.log_first as i64 {
                self.position.1 = self.log_first as i64;
                for meta in [Some(gone.meta), gone.tombstone].into_iter().flatten() {
                    self.miss(ctx, meta, "log-retention", "the log was cut before the connector had read it");
                }
            }
        }
    }

    /// Changes that no poll will find.
    fn note_hidden(&mut self, ctx: &mut Ctx<'_>, change: Change, before: Option<Row>, meta: EventMeta) {
        if let Some(row) = before.filter(|row| !row.is_read) {
            let words = if change.op == Op::Delete {
                "its row was deleted before a poll saw it"
            } else {
                "a later change of its row came before a poll"
            };
            self.miss(ctx, row.change, "overwritten", words);
        }
        match (self.mode, change.op) {
            (_, Op::Delete) => self.miss(ctx, meta, "delete-unseen", "a query finds rows that are there: a delete leaves none"),
            (Mode::Incrementing, Op::Update) if before.is_some_and(|row| row.is_read) => {
                // Its row is behind the position for good.
                if let Some(row) = self.table.row_mut(change.id) {
                    row.is_read = true;
                }
                self.miss(ctx, meta, "update-unseen", "by an incrementing id new rows are found, and no changes of old ones");
            }
            (mode, _) if spec::place(mode, change.id, &change.cells) <= self.position => {
                if let Some(row) = self.table.row_mut(change.id) {
                    row.is_read = true;
                }
                self.miss(ctx, meta, "commit-order", "its transaction committed after a later one, behind which the connector had gone on");
            }
            _ => {}
        }
    }

    fn miss(&mut self, ctx: &mut Ctx<'_>, meta: EventMeta, code: &'static str, words: &'static str) {
        *self.counts.missed.entry(code).or_default() += 1;
        settle(ctx, meta, Outcome::Dropped, Reason { code, detail: Some(words.into()) }, None);
    }

    fn schedule_poll(&mut self, ctx: &mut Ctx<'_>, wait: SimDuration) {
        let takes = self.query_time.sample(&mut self.streams.queries);
        ctx.timer_after(wait.plus(takes), TOKEN_POLL | self.life << 8);
    }

    /// A query has come back, or a look at the log.
    fn poll(&mut self, ctx: &mut Ctx<'_>) {
        self.counts.polls += 1;
        let found = if self.mode == Mode::Capture { self.read_log(ctx) } else { self.read_rows(ctx) };
        self.settle_client(ctx);
        // A full batch is followed by the next at once.
        let wait = if found >= self.rows_max { SimDuration::ZERO } else { self.poll_interval };
        if self.is_up {
            self.schedule_poll(ctx, wait);
        }
    }

    fn read_rows(&mut self, ctx: &mut Ctx<'_>) -> usize {
        let places = match self.mode {
            Mode::TimestampIncrementing => self.table.behind_time(self.position, ms(ctx.now) - self.time_delay_ms, self.rows_max),
            _ => self.table.behind_id(self.position.1, self.rows_max).into_iter().map(|id| (-1, id)).collect(),
        };
        for position in &places {
            self.position = *position;
            let Some(row) = self.table.row_mut(position.1) else { continue };
            row.is_read = true;
            let (cells, meta) = (row.cells, row.change);
            let value = records::row(position.1, &cells);
            self.send(ctx, meta, position.1, Some(value));
        }
        places.len()
    }

    fn read_log(&mut self, ctx: &mut Ctx<'_>) -> usize {
        let from = usize::try_from(self.position.1 - self.log_first as i64).unwrap_or(0);
        let entries: Vec<Logged> = self.log.range(from.min(self.log.len())..).take(self.rows_max).copied().collect();
        for Logged { meta, envelope, tombstone } in &entries {
            self.position.1 = envelope.lsn as i64 + 1;
            let value = envelope.write(&self.names, ctx.now);
            self.send(ctx, *meta, envelope.id, Some(value));
            if let Some(tombstone) = tombstone {
                self.send(ctx, *tombstone, envelope.id, None);
            }
        }
        entries.len()
    }

    fn send(&mut self, ctx: &mut Ctx<'_>, meta: EventMeta, row: i64, value: Option<Bytes>) {
        let key = self.has_key.then(|| records::key(row));
        let traced = ctx.tracing.takes(meta.id);
        if traced {
            let hop = hop(ctx, HopKind::Produced, meta.born, format!("read from {}", self.names.table).into());
            ctx.hop(meta, Hop { payload: value.clone(), key: key.clone(), ..hop });
        }
        let outgoing = Outgoing { meta, key: key.as_deref(), value: value.as_deref(), extra_header_bytes: self.extra_header_bytes, traced };
        self.sent.push_back(Sent { event: meta.id, row, position: self.position, is_acked: false });
        self.client.push(ctx.now, 0, &outgoing, &mut self.out);
    }

    /// Sends what the client wants sent, notes what is acknowledged.
    fn settle_client(&mut self, ctx: &mut Ctx<'_>) {
        let out = std::mem::take(&mut self.out);
        for (link, message) in out.sends {
            ctx.send(LinkEnd(link), message);
        }
        for event in out.acked.iter().flat_map(|acked| events(&acked.batch)) {
            self.counts.records += 1;
            self.note_over(event.id);
        }
        for unsent in out.unsent {
            settle(ctx, unsent.event, unsent.outcome, unsent.reason.clone(), None);
            match self.on_error {
                OnError::GoOn => self.note_over(unsent.event.id),
                OnError::Stop if self.is_up => {
                    self.counts.stopped += 1;
                    ctx.fact(Fact::TaskStopped(Box::new(TaskStopped::new(ctx.me, 1, &unsent.reason))));
                    self.lose_task(ctx);
                }
                OnError::Stop => {}
            }
        }
        let wake = self.client.next_wake(ctx.now);
        self.alarm.set(ctx, wake, TOKEN_WAKE);
    }

    fn note_over(&mut self, event: EventId) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.event == event && !sent.is_acked) {
            sent.is_acked = true;
        }
        while let Some(sent) = self.sent.pop_front_if(|sent| sent.is_acked) {
            self.acked = sent.position;
        }
    }

    /// The position up to which everything is acknowledged is stored; a log keeps nothing before it.
    fn flush(&mut self) {
        self.stored = self.acked;
        while self.mode == Mode::Capture && (self.log_first as i64) < self.stored.1 && self.log.pop_front().is_some() {
            self.log_first += 1;
        }
    }

    /// The task is gone with what it has not stored: another goes on at the stored position.
    fn lose_task(&mut self, ctx: &mut Ctx<'_>) {
        self.is_up = false;
        self.life += 1;
        self.client.abandon(ctx.now, self.life);
        for sent in std::mem::take(&mut self.sent).into_iter().filter(|sent| !sent.is_acked) {
            if let Some(row) = self.table.row_mut(sent.row).filter(|row| row.change.id == sent.event) {
                row.is_read = false;
            }
        }
        (self.position, self.acked) = (self.stored, self.stored);
    }

    fn fill(&mut self, ctx: &mut Ctx<'_>) {
        for _ in 0..self.initial_rows {
            let Some(change) = self.table.begin(Op::Insert, ms(ctx.now), &mut self.streams.changes) else { return };
            if !self.reads_initial {
                self.table.commit(change, EventMeta::default());
                continue;
            }
            let meta = self.next_meta(ctx);
            ctx.fact(Fact::Born(meta));
            self.table.commit(change, meta);
            if self.mode == Mode::Capture {
                self.log_change(ctx, meta, change.id, (None, Some(change.cells)), Captured::Snapshot);
            }
        }
    }

    fn action(&mut self, ctx: &mut Ctx<'_>, name: &str) -> Result<(), String> {
        match name {
            "pause" => {
                self.is_paused = true;
                self.load.renew();
            }
            "resume" if self.is_paused => {
                self.is_paused = false;
                self.load.renew();
                self.schedule_change(ctx);
            }
            "resume" => {}
            "crash-instance" if self.is_up => self.lose_task(ctx),
            "stop-instance" if self.is_up => {
                self.flush();
                self.lose_task(ctx);
            }
            "start-instance" if !self.is_up => {
                self.is_up = true;
                self.schedule_poll(ctx, SimDuration::ZERO);
            }
            "crash-instance" | "stop-instance" | "start-instance" => return Err("its task cannot do that now".to_owned()),
            other => return Err(format!("a source of changes does not understand `{other}`")),
        }
        Ok(())
    }
}

impl Process for TableSource {
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        self.fill(ctx);
        self.schedule_change(ctx);
        self.schedule_poll(ctx, SimDuration::ZERO);
        ctx.timer_after(self.flush_interval, TOKEN_FLUSH);
    }
    fn on_message(&mut self, ctx: &mut Ctx<'_>, _: LinkEnd, message: Message) {
        match message {
            Message::ProduceReply(reply) => self.client.on_reply(ctx.now, &reply, &mut self.out),
            Message::MetadataReply(reply) => self.client.on_metadata(ctx.now, &reply, &mut self.out),
            // Nothing else is sent to a source of changes.
            _ => return,
        }
        self.settle_client(ctx);
    }
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, token: u64) {
        let above = token >> 8;
        match token & 0xff {
            TOKEN_CHANGE if above == self.load.generation() => self.change(ctx),
            TOKEN_COMMIT => {
                if let Some(change) = self.open.take(above) {
                    self.commit(ctx, change);
                }
            }
            TOKEN_POLL if above == self.life => self.poll(ctx),
            TOKEN_FLUSH => {
                if self.is_up {
                    self.flush();
                }
                ctx.timer_after(self.flush_interval, TOKEN_FLUSH);
            }
            TOKEN_WAKE if self.alarm.rings(ctx.now) => {
                self.client.on_wake(ctx.now, &mut self.out);
                self.settle_client(ctx);
            }
            // What an earlier load, life or wake-up had set.
            _ => {}
        }
    }
    fn on_input(&mut self, ctx: &mut Ctx<'_>, input: &Input) -> Result<(), String> {
        match input {
            Input::Set { param, value } if param == "load" => {
                self.load.set(&value.to_field_text())?;
                self.schedule_change(ctx);
                Ok(())
            }
            Input::Set { param, value } if param == "poll_interval" => {
                self.poll_interval = value.to_field_text().parse().map_err(|error: crate::units::UnitError| error.to_string())?;
                Ok(())
            }
            Input::Set { param, .. } => Err(format!("`{param}` cannot be changed while it runs")),
            Input::Action { name, .. } => self.action(ctx, name),
        }
    }
    fn browse(&self, _: SimTime, query: &Query) -> Option<Answer> {
        self.table.look(query)
    }
    fn figures(&self, _: SimTime, out: &mut Figures) {
        let [inserts, updates, deletes] = self.counts.changes;
        out.counter("changes_count", inserts + updates + deletes);
        out.counter("inserts_count", inserts);
        out.counter("updates_count", updates);
        out.counter("deletes_count", deletes);
        out.counter("no_row_count", self.counts.no_row);
        out.counter("polls_count", self.counts.polls);
        out.counter("records_count", self.counts.records);
        out.counter("tombstones_count", self.counts.tombstones);
        out.counter("stopped_tasks_count", self.counts.stopped);
        out.counter("missed_count", self.counts.missed.values().sum());
        for (code, count) in &self.counts.missed {
            out.of("missed_of_reason_count", &Arc::from(*code), FigureKind::Counter, *count as f64);
        }
        out.gauge("table_rows", self.table.len() as f64);
        out.gauge("instances", f64::from(u8::from(self.is_up)));
        if self.mode == Mode::Capture {
            let read = self.position.1.saturating_sub(self.log_first as i64).max(0) as usize;
            out.gauge("log_waiting", self.log.len().saturating_sub(read) as f64);
        }
    }
    fn clone_box(&self) -> Box<dyn Process> {
        Box::new(self.clone())
    }
}
