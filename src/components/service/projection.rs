//! The role of a projection: events become rows of a read model, and the place of each is kept with them.
//!
//! Clients that read after they write are part of the world: each applied event may have had one, that came so long after
//! the event's birth. It has read a stale row if the event was not applied by then. Must not know: databases; rows that
//! change are told as facts, and whoever keeps the read model carries them out. Start at [`Projection::step`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::payload;
use super::read::{self, Ways};
use crate::components::consumer::handler::{Step, Task};
use crate::components::{BuildCtx, Params};
use crate::diagnostics::Diagnostic;
use crate::engine::{Ctx, Figures};
use crate::event::{Fact, Reason, RowChange, RowEdit, TableShape};
use crate::machines::event_store::{Scalar, Table};
use crate::random::{Distribution, Stream};
use crate::units::{SimDuration, SimTime, TopicIx};

#[derive(Clone, Debug, Default)]
struct Counts {
    applied: u64,
    ignored: u64,
    repeated: u64,
    errors: u64,
    reads: u64,
    stale_reads: u64,
    rebuilds: u64,
    /// Events whose lag was measured: those that no rebuild reads again.
    measured: u64,
}

/// A rebuild under way: how far the old read model had come.
#[derive(Clone, Debug)]
struct Rebuild {
    since: SimTime,
    until: BTreeMap<(u32, u32), u64>,
}

/// A read model and who fills it.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    table: Table,
    ways: Ways,
    tracks_places: bool,
    can_read_again: bool,
    reads_ratio: f64,
    read_delay: Distribution,
    rng: Stream,
    fields: Vec<Scalar>,
    counts: Counts,
    read_to: BTreeMap<(u32, u32), u64>,
    rebuild: Option<Rebuild>,
    rebuild_time: SimDuration,
    lag_sum_ns: u128,
    lag_max: SimDuration,
    lag: SimDuration,
}

impl Projection {
    pub fn new(ctx: &BuildCtx<'_>, params: &Params<'_>) -> Result<Self, Diagnostic> {
        Ok(Self {
            table: read::table(ctx.id, params).map_err(|mut problems| problems.remove(0))?,
            ways: Ways::new(ctx, params),
            tracks_places: params.flag("track_places"),
            can_read_again: ctx.links_at("in").all(|facts| facts.topic.is_some()),
            reads_ratio: params.ratio("reads_after_write"),
            read_delay: params.distribution("read_delay"),
            rng: ctx.stream("readers"),
            fields: Vec::new(),
            counts: Counts::default(),
            read_to: BTreeMap::new(),
            rebuild: None,
            rebuild_time: SimDuration::ZERO,
            lag_sum_ns: 0,
            lag_max: SimDuration::ZERO,
            lag: SimDuration::ZERO,
        })
    }

    pub fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        let part = (task.topic.0, task.partition);
        if self.tracks_places && self.table.has_read(part, task.offset) {
            self.counts.repeated += 1;
            return Step::done();
        }
        let ty = self.ways.name(task.event.event_type);
        let mut edits = Vec::new();
        if self.table.knows(&ty) {
            let key = payload::key(task);
            payload::fields(task, self.table.event_fields(), &mut self.fields);
            let now_ms = i64::try_from(ctx.now.as_ns() / 1_000_000).unwrap_or(i64::MAX);
            if let Err(error) = self.table.apply(&ty, &key, &self.fields, now_ms, &mut edits) {
                self.counts.errors += 1;
                let reason = Reason { code: "projection-expression", detail: Some(format!("{ty}: {error}").into()) };
                return Step::Failed { reason, again: false };
            }
            self.counts.applied += 1;
        } else {
            self.counts.ignored += 1;
        }
        self.table.mark_read(part, task.offset);
        self.tell_all(ctx, edits, self.tracks_places.then_some((task.topic, task.partition, task.offset + 1)));
        let is_replay = self.read_to.get(&part).is_some_and(|next| task.offset < *next);
        if is_replay {
            self.note_rebuild(ctx.now);
        } else {
            self.read_to.insert(part, task.offset + 1);
            self.measure(ctx.now, task);
            self.note_rebuild(ctx.now);
        }
        Step::done()
    }

    /// What an event has changed; its place goes with the last of it.
    fn tell_all(&self, ctx: &mut Ctx<'_>, mut edits: Vec<RowEdit>, place: Option<(TopicIx, u32, u64)>) {
        let last = edits.pop().or(place.map(|_| RowEdit::None));
        for edit in edits {
            self.tell(ctx, edit, None);
        }
        if let Some(last) = last {
            self.tell(ctx, last, place);
        }
    }

    fn tell(&self, ctx: &mut Ctx<'_>, edit: RowEdit, read_to: Option<(TopicIx, u32, u64)>) {
        ctx.fact(Fact::Row(Box::new(RowChange { component: ctx.me, edit, read_to })));
    }

    fn measure(&mut self, now: SimTime, task: &Task<'_>) {
        self.lag = now.since(task.event.born);
        self.counts.measured += 1;
        self.lag_sum_ns += u128::from(self.lag.as_ns());
        self.lag_max = self.lag_max.max(self.lag);
        if self.rng.chance(self.reads_ratio) {
            self.counts.reads += 1;
            self.counts.stale_reads += u64::from(self.read_delay.sample(&mut self.rng) < self.lag);
        }
    }

    /// Empties the read model; it is filled again from the beginning of its topics.
    ///
    /// # Errors
    /// When it reads a queue.
    pub fn rebuild(&mut self, ctx: &mut Ctx<'_>) -> Result<(), String> {
        if !self.can_read_again {
            return Err("its read model is filled from a queue, which gives nothing twice".to_owned());
        }
        self.table.clear();
        self.tell(ctx, RowEdit::Clear, None);
        self.counts.rebuilds += 1;
        self.rebuild = Some(Rebuild { since: ctx.now, until: self.read_to.clone() });
        Ok(())
    }

    fn note_rebuild(&mut self, now: SimTime) {
        let Some(Rebuild { since, until }) = &self.rebuild else { return };
        if until.iter().all(|(part, next)| self.table.read_to(*part) >= *next) {
            self.rebuild_time = now.since(*since);
            self.rebuild = None;
        }
    }

    pub fn figures(&self, out: &mut Figures) {
        let Counts { applied, ignored, repeated, errors, reads, stale_reads, rebuilds, measured } = self.counts;
        out.counter("applied_count", applied);
        out.counter("ignored_count", ignored);
        out.counter("repeated_count", repeated);
        out.counter("projection_errors_count", errors);
        out.counter("reads_count", reads);
        out.counter("stale_reads_count", stale_reads);
        out.counter("rebuilds_count", rebuilds);
        out.gauge("projection_lag_ms", self.lag.as_ms_f64());
        out.gauge("projection_lag_ms_mean", self.lag_sum_ns as f64 / 1e6 / measured.max(1) as f64);
        out.gauge("projection_lag_ms_max", self.lag_max.as_ms_f64());
        out.gauge("stale_reads_ratio", stale_reads as f64 / reads.max(1) as f64);
        out.gauge("read_model_rows", self.table.rows_count() as f64);
        out.gauge("rebuild_ms", self.rebuild_time.as_ms_f64());
    }

    pub fn shape(&self) -> TableShape {
        TableShape { columns: self.table.columns().iter().map(|(name, ty)| (Arc::clone(name), ty.name())).collect() }
    }

    pub fn table(&self) -> &Table {
        &self.table
    }
}
