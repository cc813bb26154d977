//! What a database connector can be told, and the problems that its settings can have.

use std::sync::Arc;

use super::table::Cells;
use crate::components::combine::{combined, count, joined};
use crate::components::connect::{self, CONNECT};
use crate::components::consumer::actions::ACTIONS as READER;
use crate::components::consumer::spec::READING;
use crate::components::{ActionSpec, BuildCtx, KindSpec, Params};
use crate::diagnostics::Diagnostic;
use crate::machines::event_store::FieldType;
use crate::model::{Default_, ParamSpec, ParamType as T, Provenance};

use Default_::{Absent, ByProfile, Required, Same};

const SOURCE: Provenance = Provenance::Documented("Confluent JDBC source connector 10.8");
const SINK: Provenance = Provenance::Documented("Confluent JDBC sink connector 10.8");
const DEBEZIUM: Provenance = Provenance::Documented("Debezium 3");
const NAME: T = T::Text { max_chars: 200 };
const CAPTURES: &str = "debezium";

/// A database connector.
pub(super) const SPEC: KindSpec = KindSpec {
    id: "database",
    title: "Database",
    category: "Services",
    profiles: &["jdbc", CAPTURES],
    help: "Makes events of a table's changes, by polling or by change capture, or rows of a topic's events",
    params: PARAMS,
    actions: &joined::<{ CHANGES.len() + READER.len() }>(CHANGES, READER),
    id_stem: "database",
};

const CHANGES: &[ActionSpec] = &[
    ActionSpec { name: "pause", help: "Source: the application makes no statements any more", params: &[] },
    ActionSpec { name: "resume", help: "Source: the application makes statements again", params: &[] },
];

/// Of what groups have, a task has no use for the pool of an application, its results and its snapshots.
const WITHOUT: &[&str] =
    &["pool_queue", "pool_full", "reader_version", "result_type", "result_schema", "transactional_id", "transaction_timeout", "read"];
const PARAMS: &[ParamSpec] = &combined::<{ count(OWN, READING, WITHOUT) }>(OWN, READING, WITHOUT);

const COLUMN: &[ParamSpec] = &[
    ParamSpec::new("name", "Name", NAME, Required, "Name of the field and of the column"),
    ParamSpec::new("type", "Type", T::Choice(&["int", "double", "string", "bool"]), Same("string"), "What it holds"),
];

const OWN: &[ParamSpec] = &[
    ParamSpec::new("instances", "Tasks", T::Count { min: 0, max: 1_000 }, Same("1"), "Sink: tasks that share the work; a source has one")
        .key("tasks.max")
        .from(CONNECT)
        .group("Connector"),
    connect::ON_FAILURE,
    ParamSpec::new("load", "Changes", T::Arrival, Absent, "Source: statements of the application that changes the table, such as poisson(50/s)")
        .group("Application"),
    ParamSpec::new("max_changes", "Most changes", T::Count { min: 0, max: 1_000_000_000 }, Absent, "Source: it makes so many statements; no end when absent")
        .group("Application"),
    ParamSpec::new("inserts", "Inserts", T::Number { min: 0.0, max: 1e9 }, Same("2"), "Source: weight of inserts among the statements")
        .from(Provenance::Assumed)
        .group("Application"),
    ParamSpec::new("updates", "Updates", T::Number { min: 0.0, max: 1e9 }, Same("7"), "Source: weight of updates")
        .from(Provenance::Assumed)
        .group("Application"),
    ParamSpec::new("deletes", "Deletes", T::Number { min: 0.0, max: 1e9 }, Same("1"), "Source: weight of deletes")
        .from(Provenance::Assumed)
        .group("Application"),
    ParamSpec::new(
        "commit_delay",
        "Commit delay",
        T::DurationDist,
        Same("exp(5ms)"),
        "Source: from a statement, which takes its id and its time then, to the commit of its transaction: with chance in it, transactions commit in another order than they began",
    )
    .from(Provenance::Assumed)
    .group("Application"),
    ParamSpec::new("initial_rows", "Rows at the beginning", T::Count { min: 0, max: 1_000_000 }, Same("0"), "Source: rows that the table has before the run")
        .group("Application"),
    ParamSpec::new("table", "Table", NAME, Same("rows"), "Source: the table's name, for records and traces").key("table.whitelist").group("Source"),
    ParamSpec::new("event_type", "Event type", NAME, Same("RowChanged"), "Source: type of the events that it makes").group("Source"),
    ParamSpec::new(
        "mode",
        "Mode",
        T::Choice(&["incrementing", "timestamp+incrementing"]),
        Same("incrementing"),
        "Source that polls: by a growing id it finds new rows only; by the time of the last change, and the id, changed ones too. Neither finds deletes, or what commits behind its position",
    )
    .key("mode")
    .from(SOURCE)
    .group("Source"),
    ParamSpec::new(
        "poll_interval",
        "Poll interval",
        T::Duration { min: "1ms", max: "24h" },
        ByProfile(&[("jdbc", "5s"), (CAPTURES, "500ms")]),
        "Source: from one query, or look at the log, to the next",
    )
    .key("poll.interval.ms")
    .from(SOURCE)
    .group("Source"),
    ParamSpec::new(
        "batch_rows",
        "Rows of a batch",
        T::Count { min: 1, max: 1_000_000 },
        ByProfile(&[("jdbc", "100"), (CAPTURES, "2048")]),
        "Source: most rows of one query (batch.max.rows), or changes of one look (max.batch.size); a full batch is followed by the next at once",
    )
    .key("batch.max.rows")
    .from(SOURCE)
    .group("Source"),
    ParamSpec::new("query_time", "Query time", T::DurationDist, Same("exp(5ms)"), "Source: how long a query, or a look at the log, takes")
        .from(Provenance::Assumed)
        .group("Source"),
    ParamSpec::new(
        "timestamp_delay",
        "Timestamp delay",
        T::Duration { min: "0s", max: "24h" },
        Same("0s"),
        "Source with timestamps: rows younger than this are left for a later query, so that transactions that began earlier can commit first",
    )
    .key("timestamp.delay.interval.ms")
    .from(SOURCE)
    .group("Source"),
    ParamSpec::new(
        "record_key",
        "Record key",
        T::Choice(&["none", "id"]),
        Absent,
        "Source: none is what a polling connector writes without a transform, the row's id what a capture writes; without a key, changes of one row go to any partition",
    )
    .group("Source"),
    ParamSpec::new(
        "snapshot",
        "Snapshot",
        T::Choice(&["initial", "no_data"]),
        Same("initial"),
        "Capture: rows that were there before are read first (op r), or not at all",
    )
    .key("snapshot.mode")
    .from(DEBEZIUM)
    .group("Source"),
    ParamSpec::new(
        "tombstones_on_delete",
        "Tombstones",
        T::Bool,
        Same("true"),
        "Capture: a delete is followed by a record without a value, so that a compacted topic forgets the key",
    )
    .key("tombstones.on.delete")
    .from(DEBEZIUM)
    .group("Source"),
    ParamSpec::new("columns", "Columns", T::Rows(COLUMN), Absent, "Sink: fields of events that become columns of a table that is there; other fields are left out, unless auto_evolve is on. The first column is the key")
        .key("fields.whitelist")
        .from(SINK)
        .group("Sink"),
    ParamSpec::new(
        "auto_create",
        "Create the table",
        T::Bool,
        Same("false"),
        "Sink: the table is made of the first record's fields, by its schema where a registry is linked, else by its values",
    )
    .key("auto.create")
    .from(SINK)
    .group("Sink"),
    ParamSpec::new(
        "auto_evolve",
        "Add columns",
        T::Bool,
        Same("false"),
        "Sink: a field that is no column becomes one if it is optional or has a default; any other, and any while this is off, the task cannot write",
    )
    .key("auto.evolve")
    .from(SINK)
    .group("Sink"),
    ParamSpec::new(
        "insert_mode",
        "Insert mode",
        T::Choice(&["insert", "upsert", "update"]),
        Same("insert"),
        "Sink: an insert fails where the key is there already; an upsert writes over it; an update changes rows that are there",
    )
    .key("insert.mode")
    .from(SINK)
    .group("Sink"),
    ParamSpec::new(
        "pk_mode",
        "Primary key",
        T::Choice(&["none", "kafka", "record_key", "record_value"]),
        Same("none"),
        "Sink: the table numbers its rows; or the key is the record's topic, partition and offset, its key, or a field of it",
    )
    .key("pk.mode")
    .from(SINK)
    .group("Sink"),
    ParamSpec::new("pk_field", "Key field", NAME, Absent, "Sink with pk_mode: record_value, the field that is the key").key("pk.fields").group("Sink"),
    ParamSpec::new(
        "delete_enabled",
        "Deletes",
        T::Bool,
        Same("false"),
        "Sink: a record without a value deletes the row of its key; needs pk_mode: record_key",
    )
    .key("delete.enabled")
    .from(SINK)
    .group("Sink"),
    ParamSpec::new("max_retries", "Retries", T::Count { min: 0, max: 1_000_000 }, Same("10"), "Sink: how often a write is tried again that the database refuses")
        .key("max.retries")
        .from(SINK)
        .group("Sink"),
    ParamSpec::new("write_backoff", "Retry backoff", T::Duration { min: "0s", max: "24h" }, Same("3s"), "Sink: wait before such a retry")
        .key("retry.backoff.ms")
        .from(SINK)
        .group("Sink"),
    ParamSpec::new("service_time", "Write time", T::DurationDist, Same("exp(200us)"), "Sink: how long a task needs to write a record")
        .from(Provenance::Assumed)
        .group("Sink"),
    connect::COMMIT,
    connect::COMMIT_INTERVAL,
    connect::OFFSET_RESET,
    // A task is one thread, and its records are written in their order.
    ParamSpec::new("concurrency", "Threads", T::Count { min: 1, max: 1 }, Same("1"), "A task is one thread").from(CONNECT).group("Connector"),
];

/// Settings of a source, those of them for one way to read, and settings of a sink.
const OF_SOURCES: &[&str] = &[
    "load",
    "max_changes",
    "inserts",
    "updates",
    "deletes",
    "commit_delay",
    "initial_rows",
    "table",
    "event_type",
    "mode",
    "poll_interval",
    "batch_rows",
    "query_time",
    "timestamp_delay",
    "record_key",
    "snapshot",
    "tombstones_on_delete",
];
const OF_POLLING: &[&str] = &["mode", "timestamp_delay"];
const OF_CAPTURE: &[&str] = &["snapshot", "tombstones_on_delete"];
const OF_SINKS: &[&str] = &[
    "columns",
    "auto_create",
    "auto_evolve",
    "validate",
    "insert_mode",
    "pk_mode",
    "pk_field",
    "delete_enabled",
    "max_retries",
    "write_backoff",
    "service_time",
    "commit",
    "offset_reset",
    "group",
    "poll_size",
];

/// How a source reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Incrementing,
    TimestampIncrementing,
    Capture,
}

pub(super) fn mode(params: &Params<'_>) -> Mode {
    match params.text("mode").as_str() {
        _ if params.profile() == Some(CAPTURES) => Mode::Capture,
        "timestamp+incrementing" => Mode::TimestampIncrementing,
        _ => Mode::Incrementing,
    }
}

/// Where a row stands in the order in which a mode reads.
pub(super) fn place(mode: Mode, id: i64, cells: &Cells) -> (i64, i64) {
    if mode == Mode::TimestampIncrementing { (cells.updated_ms, id) } else { (-1, id) }
}

pub(super) fn is_source(ctx: &BuildCtx<'_>) -> bool {
    ctx.links_at("out").next().is_some()
}

pub(super) fn columns(params: &Params<'_>) -> Vec<(Arc<str>, FieldType)> {
    let ty = |word: &str| FieldType::ALL.iter().find(|(name, _)| *name == word).map_or(FieldType::Text, |(_, ty)| *ty);
    params.rows("columns").iter().map(|row| (row.text("name").into(), ty(&row.text("type")))).collect()
}

/// Problems beyond each parameter's own range.
pub(super) fn check(ctx: &BuildCtx<'_>, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let path = format!("components.{}", ctx.id);
    let reads = ctx.links_at("in").count();
    if is_source(ctx) && reads > 0 {
        out.push(
            Diagnostic::error("link-twice", path.clone(), "a connector is a source or a sink")
                .with_hint("one component for each: the one reads a table, the other writes one"),
        );
    }
    if !is_source(ctx) && reads == 0 {
        out.push(
            Diagnostic::warning("link-missing", path.clone(), "it neither reads nor writes a topic")
                .with_hint(format!("link {}.out to a topic for a source, or a topic to {}.in for a sink", ctx.id, ctx.id)),
        );
    }
    let letters = ctx.links_at("dead_letters").count();
    if params.text("on_failure") == "dead_letter" && (letters == 0 || is_source(ctx)) {
        let words = if is_source(ctx) { "Kafka Connect has dead letters for sinks only" } else { "dead letters have nowhere to go" };
        out.push(Diagnostic::error("link-missing", format!("{path}.on_failure"), words).with_hint(if is_source(ctx) {
            "take stop or skip".to_owned()
        } else {
            format!("link {}.dead_letters to a topic", ctx.id)
        }));
    }
    let unused = |names: &'static [&'static str], of: &str, out: &mut Vec<Diagnostic>| {
        for name in names.iter().filter(|name| params.is_given(name)) {
            out.push(Diagnostic::warning("setting-unused", format!("{path}.{name}"), format!("`{name}` says nothing of {of}")));
        }
    };
    if is_source(ctx) {
        unused(OF_SINKS, "a source", out);
        unused(if mode(params) == Mode::Capture { OF_POLLING } else { OF_CAPTURE }, "this way to read a table", out);
        check_source(ctx, &path, params, out);
    } else {
        unused(OF_SOURCES, "a sink", out);
        check_sink(&path, params, out);
    }
}

fn check_source(ctx: &BuildCtx<'_>, path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    if ctx.links_at("out").count() > 1 {
        out.push(
            Diagnostic::error("link-twice", path, "a table's changes go to one topic")
                .with_hint(format!("keep one link at {}.out", ctx.id)),
        );
    }
    if !params.is_given("load") && params.count("initial_rows") == 0 {
        out.push(
            Diagnostic::warning("table-empty", format!("{path}.load"), "nobody changes its table, and it has no rows")
                .with_hint("load: \"poisson(50/s)\""),
        );
    }
    if ["inserts", "updates", "deletes"].iter().all(|name| params.number(name) <= 0.0) {
        out.push(
            Diagnostic::error("setting-contradiction", format!("{path}.inserts"), "no kind of change has a weight").with_hint("inserts: 1"),
        );
    }
    if params.is_given("timestamp_delay") && mode(params) == Mode::Incrementing {
        let words = "without timestamps there is nothing to wait for";
        out.push(
            Diagnostic::warning("setting-unused", format!("{path}.timestamp_delay"), words).with_hint("mode: \"timestamp+incrementing\""),
        );
    }
}

fn check_sink(path: &str, params: &Params<'_>, out: &mut Vec<Diagnostic>) {
    let pk_mode = params.text("pk_mode");
    let mut bad = |place: &str, words: String, hint: &str| {
        out.push(Diagnostic::error("setting-contradiction", format!("{path}.{place}"), words).with_hint(hint));
    };
    let columns = columns(params);
    let creates = params.flag("auto_create");
    if columns.is_empty() && !creates {
        bad("columns", "its table has no columns".to_owned(), "columns: [(name: \"amount\", type: \"double\")], or auto_create: true");
    }
    if !columns.is_empty() && creates {
        bad(
            "columns",
            "a table with columns is there already: nothing is created".to_owned(),
            "leave the columns out, or take auto_evolve",
        );
    }
    for (index, (name, _)) in columns.iter().enumerate() {
        // The database's names know no case, and its first column is the key.
        let is_taken = name.eq_ignore_ascii_case("key") || columns[..index].iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        if is_taken {
            bad(
                &format!("columns[{index}].name"),
                format!("there is a column `{name}` already"),
                "another name; the key's column is called key",
            );
        }
    }
    if params.text("insert_mode") != "insert" && pk_mode == "none" {
        bad("pk_mode", format!("insert_mode {} needs a primary key", params.text("insert_mode")), "pk_mode: \"record_key\"");
    }
    if params.flag("delete_enabled") && pk_mode != "record_key" {
        bad("delete_enabled", "deletes need the record's key as primary key".to_owned(), "pk_mode: \"record_key\"");
    }
    if (pk_mode == "record_value") != params.optional_text("pk_field").is_some() {
        bad("pk_field", "pk_field goes with pk_mode: record_value".to_owned(), "the name of one field, or none");
    }
}
