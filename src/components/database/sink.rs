//! From topics to a table: each record is inserted, upserted or deletes its row.
//!
//! In: records, one at a time. Out: changes of rows, as facts that whoever keeps the table carries out in order. A task writes
//! first and commits its position later: after a crash a record is written once more, which an upsert does not show, an insert
//! without a key doubles, and an insert with a key fails. Its table may follow the records' fields (`evolution.rs`). Source:
//! Confluent's JDBC sink connector 10.8, "insert.mode", "pk.mode", "delete.enabled", "max.retries", "auto.create", "auto.evolve". Start at [`Sink::step`](Handler::step).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::evolution::{Columns, of_values};
use crate::components::Params;
use crate::components::connect::OnError;
use crate::components::consumer::handler::{Handler, Step, Task, WorkerId};
use crate::engine::{Ctx, Figures};
use crate::event::{Answer, Cells, Fact, Query, Reason, RowChange, RowEdit, Scalar, TableShape};
use crate::machines::codec::{FlatField, Schema};
use crate::units::SimDuration;

/// A table with more rows refuses new ones.
const ROWS_MAX: usize = 10_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InsertMode {
    Insert,
    Upsert,
    Update,
}

/// Which value is the row's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PkMode {
    /// None: the table numbers its rows.
    None,
    /// The record's place.
    Kafka,
    RecordKey,
    RecordValue,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    inserted: u64,
    updated: u64,
    deleted: u64,
    ignored: u64,
    violations: u64,
    refused: u64,
    stopped: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    columns: Columns,
    /// Of the schema that was met last.
    fields: Option<(Arc<Schema>, Arc<[FlatField]>)>,
    insert_mode: InsertMode,
    pk_mode: PkMode,
    pk_field: String,
    deletes: bool,
    on_error: OnError,
    retries_max: u32,
    retry_wait: SimDuration,
    rows: BTreeMap<Arc<str>, Cells>,
    next_number: u64,
    /// Attempts of a worker whose record is refused by the table.
    attempts: BTreeMap<WorkerId, u32>,
    counts: Counts,
}

impl Sink {
    pub fn new(table: &str, params: &Params<'_>) -> Self {
        Self {
            columns: Columns::new(table, params),
            fields: None,
            insert_mode: match params.text("insert_mode").as_str() {
                "upsert" => InsertMode::Upsert,
                "update" => InsertMode::Update,
                _ => InsertMode::Insert,
            },
            pk_mode: match params.text("pk_mode").as_str() {
                "kafka" => PkMode::Kafka,
                "record_key" => PkMode::RecordKey,
                "record_value" => PkMode::RecordValue,
                _ => PkMode::None,
            },
            pk_field: params.text("pk_field"),
            deletes: params.flag("delete_enabled"),
            on_error: OnError::of(params),
            retries_max: u32::try_from(params.count("max_retries")).unwrap_or(0),
            retry_wait: params.duration("write_backoff"),
            rows: BTreeMap::new(),
            next_number: 0,
            attempts: BTreeMap::new(),
            counts: Counts::default(),
        }
    }

    /// By key.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Cells)> {
        self.rows.iter()
    }
    /// Names of the columns beside the key.
    pub fn columns(&self) -> impl Iterator<Item = &Arc<str>> {
        self.columns.names()
    }

    /// The row's key.
    fn key(&mut self, task: &Task<'_>, fields: Option<&Json>) -> Result<Arc<str>, Reason> {
        let bad = |words: &str| Reason { code: "no-key", detail: Some(words.to_owned().into()) };
        match self.pk_mode {
            PkMode::None => {
                self.next_number += 1;
                Ok(self.next_number.to_string().into())
            }
            PkMode::Kafka => Ok(format!("{}-{}-{}", task.topic.0, task.partition, task.offset).into()),
            PkMode::RecordKey => match &task.key {
                Some(key) => Ok(String::from_utf8_lossy(key).into()),
                None => Err(bad("the record has no key (pk.mode is record_key)")),
            },
            PkMode::RecordValue => {
                let field = fields.and_then(|fields| fields.get(&self.pk_field)).and_then(Scalar::from_json);
                field.map(|value| value.shown().into()).ok_or_else(|| bad(&format!("the record has no field `{}`", self.pk_field)))
            }
        }
    }

    /// The fields of a record: as its schema has them, or as its values are.
    fn fields_of(&mut self, task: &Task<'_>, fields: &Json) -> Arc<[FlatField]> {
        let Some(schema) = task.schema() else { return of_values(fields).into() };
        if let Some((_, found)) = self.fields.as_ref().filter(|(known, _)| Arc::ptr_eq(known, schema)) {
            return Arc::clone(found);
        }
        let Some(found) = schema.flat_fields() else { return of_values(fields).into() };
        let found: Arc<[FlatField]> = found.into();
        self.fields = Some((Arc::clone(schema), Arc::clone(&found)));
        found
    }

    /// What a record does to the table; what it does to its columns goes to `added`.
    fn edit(&mut self, task: &Task<'_>, added: &mut Vec<RowEdit>) -> Result<Option<RowEdit>, Reason> {
        if task.value.is_empty() {
            if !self.deletes {
                return Err(Reason { code: "no-row", detail: Some("the record has no value, and delete.enabled is false".into()) });
            }
            let key = self.key(task, None)?;
            return Ok(self.rows.contains_key(&key).then_some(RowEdit::Delete(key)));
        }
        let read = task.decoded().or_else(|| serde_json::from_slice(&task.value).ok());
        let Some(fields) = read.filter(Json::is_object) else {
            return Err(Reason { code: "no-row", detail: Some("the record's value is no structure with fields".into()) });
        };
        // What a change capture has written is unwrapped, as its transform ExtractNewRecordState does.
        let (fields, is_unwrapped) = match fields.get("after") {
            Some(after) if fields.get("op").is_some() => (after.clone(), true),
            _ => (fields, false),
        };
        if fields.is_null() {
            return Ok(None);
        }
        if self.columns.follows_records() {
            let found = if is_unwrapped { of_values(&fields).into() } else { self.fields_of(task, &fields) };
            added.extend(self.columns.amend(&found)?);
        }
        let key = self.key(task, Some(&fields))?;
        let cells = self.columns.cells(&fields)?;
        let is_there = self.rows.contains_key(&key);
        match self.insert_mode {
            InsertMode::Insert if is_there => {
                self.counts.violations += 1;
                Err(Reason { code: "constraint", detail: Some(format!("UNIQUE constraint failed: a row `{key}` is there already").into()) })
            }
            InsertMode::Update if !is_there => Ok(None),
            _ if !is_there && self.rows.len() >= ROWS_MAX => Err(Reason { code: "table-full", detail: Some("the table is full".into()) }),
            _ => Ok(Some(RowEdit::Put(key, cells))),
        }
    }

    fn carry_out(&mut self, ctx: &mut Ctx<'_>, added: Vec<RowEdit>, edit: Option<RowEdit>) {
        match &edit {
            Some(RowEdit::Put(key, cells)) => match self.rows.insert(Arc::clone(key), Arc::clone(cells)) {
                None => self.counts.inserted += 1,
                Some(_) => self.counts.updated += 1,
            },
            Some(RowEdit::Delete(key)) => {
                self.rows.remove(key);
                self.counts.deleted += 1;
            }
            _ => self.counts.ignored += 1,
        }
        self.tell(ctx, added.into_iter().chain(edit));
    }

    fn tell(&self, ctx: &mut Ctx<'_>, edits: impl IntoIterator<Item = RowEdit>) {
        for edit in edits {
            ctx.fact(Fact::Row(Box::new(RowChange { component: ctx.me, edit, read_to: None })));
        }
    }
}

impl Handler for Sink {
    fn begin(&mut self, _: &Task<'_>) -> SimDuration {
        SimDuration::ZERO
    }
    fn step(&mut self, ctx: &mut Ctx<'_>, task: &Task<'_>) -> Step {
        let mut added = Vec::new();
        let reason = match self.edit(task, &mut added) {
            Ok(edit) => {
                self.attempts.remove(&task.worker);
                self.carry_out(ctx, added, edit);
                return Step::done();
            }
            Err(reason) => reason,
        };
        // What the table was given stays, whatever becomes of the row.
        self.tell(ctx, added);
        // What the database says is tried again; a record that is no row stays none.
        let attempts = self.attempts.entry(task.worker).or_default();
        if reason.code == "constraint" && *attempts < self.retries_max {
            *attempts += 1;
            return Step::Wait(self.retry_wait);
        }
        self.attempts.remove(&task.worker);
        self.counts.refused += 1;
        self.on_error.refused(reason, &mut self.counts.stopped)
    }
    fn abandon(&mut self, _: &mut Ctx<'_>, worker: WorkerId) {
        self.attempts.remove(&worker);
    }
    fn figures(&self, out: &mut Figures) {
        let Counts { inserted, updated, deleted, ignored, violations, refused, stopped } = self.counts;
        out.counter("rows_inserted_count", inserted);
        out.counter("rows_updated_count", updated);
        out.counter("rows_deleted_count", deleted);
        out.counter("records_ignored_count", ignored);
        out.counter("violations_count", violations);
        out.counter("refused_count", refused);
        out.counter("stopped_tasks_count", stopped);
        if let Some(added) = self.columns.added() {
            out.counter("columns_added_count", added);
        }
        out.gauge("read_model_rows", self.rows.len() as f64);
    }
    fn read_model(&self) -> Option<TableShape> {
        Some(self.columns.shape())
    }
    fn browse(&self, query: &Query) -> Option<Answer> {
        self.look(query)
    }
    fn clone_box(&self) -> Box<dyn Handler> {
        Box::new(self.clone())
    }
}
