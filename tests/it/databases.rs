//! Database connectors in whole runs: what becomes of a table's changes, and of a topic's events.

use eventyard::metrics::Report;
use eventyard::model::SchemaSource;
use eventyard::units::SimDuration;
use serde_json::{Value as Json, json};

use crate::design::Design;

/// db ─► changes ─► reader.
fn source(profile: &str, seed: u64, database: Json) -> Design {
    let mut design = Design::new("source", seed, SimDuration::from_secs(120));
    let mut params = json!({"load": "poisson(40/s)", "max_changes": 800, "auto_commit_interval": "10s"});
    for (name, value) in database.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    design.add("db", "database", params);
    design.project.components["db"].profile = Some(profile.to_owned());
    design.add("shop", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"changes": {"partitions": 2}}}));
    design.add("reader", "consumer", json!({"service_time": "1ms", "offset_reset": "earliest"}));
    design.link("db.out", "shop.changes", json!({"latency": "exp(2ms)"}));
    design.link("shop.changes", "reader.in", json!({"latency": "exp(2ms)"}));
    design
}

fn figure(report: &Report, component: &str, name: &str) -> u64 {
    report.components[component].get(name).copied().unwrap_or_else(|| panic!("{name}: {:?}", report.components[component])) as u64
}

fn reason(report: &Report, code: &str) -> u64 {
    report.ledger.reasons.iter().filter(|reason| reason.code == code).map(|reason| reason.count).sum()
}

/// A capture brings every commit, in the order of commits, and one tombstone for each delete; a crash brings some twice.
#[test]
fn a_capture_misses_nothing() {
    let report = source("debezium", 1, json!({"initial_rows": 50})).run();
    let (changes, deletes) = (figure(&report, "db", "changes_count"), figure(&report, "db", "deletes_count"));
    assert!(changes > 700 && deletes > 40, "{changes} {deletes}");
    let submissions = &report.ledger.submissions;
    assert_eq!((submissions.created, submissions.accepted), (50 + changes + deletes, 50 + changes + deletes));
    assert_eq!((submissions.derived, submissions.dropped, submissions.duplicate_appends), (deletes, 0, 0));
    assert_eq!(report.ledger.obligations.delivered, submissions.created);
    let without = source("debezium", 1, json!({"initial_rows": 50, "snapshot": "no_data"})).run();
    assert_eq!(without.ledger.submissions.created, changes + deletes, "the same changes, and no rows of before");

    let mut twice = 0;
    for seed in 0..3 {
        let crashed = source("debezium", seed, json!({}))
            .fault(8, "db", "crash-instance", json!({}))
            .fault(9, "db", "start-instance", json!({}))
            .run();
        assert_eq!((crashed.ledger.submissions.dropped, crashed.ledger.submissions.in_flight), (0, 0), "seed {seed}");
        twice += crashed.ledger.submissions.duplicate_appends;
    }
    assert!(twice > 100, "positions are stored every ten seconds: {twice}");
}

/// Polling by an id finds new rows only; by timestamps the last state of changed ones too; deletes never.
#[test]
fn polling_misses_what_a_query_does_not_find() {
    let by_id = source("jdbc", 2, json!({"commit_delay": "0s", "poll_interval": "1s"})).run();
    let all = figure(&by_id, "db", "changes_count");
    assert_eq!(by_id.ledger.submissions.accepted + by_id.ledger.submissions.dropped, all);
    assert_eq!(reason(&by_id, "delete-unseen"), figure(&by_id, "db", "deletes_count"));
    assert!(reason(&by_id, "update-unseen") > 300);
    assert!(by_id.ledger.submissions.accepted <= figure(&by_id, "db", "inserts_count"));

    let by_time = source("jdbc", 2, json!({"commit_delay": "0s", "poll_interval": "1s", "mode": "timestamp+incrementing"})).run();
    assert!(by_time.ledger.submissions.accepted > by_id.ledger.submissions.accepted);
    assert_eq!((reason(&by_time, "update-unseen"), by_time.ledger.submissions.in_flight), (0, 0));
    assert!(reason(&by_time, "overwritten") > 10, "changes between two polls");
    assert_eq!(by_time.ledger.submissions.dropped, figure(&by_time, "db", "missed_count"));
}

/// Transactions that commit behind the position are missed, unless young rows are left for later.
#[test]
fn a_commit_out_of_order_is_missed() {
    let inserts = json!({"commit_delay": "exp(300ms)", "poll_interval": "100ms", "updates": 0, "deletes": 0});
    let missed = source("jdbc", 3, inserts.clone()).run();
    let late = reason(&missed, "commit-order");
    assert!(late > 20, "{late}");
    assert_eq!(missed.ledger.submissions.accepted, 800 - late);
    let mut patient = inserts;
    patient["mode"] = json!("timestamp+incrementing");
    let hasty = source("jdbc", 3, patient.clone()).run();
    assert!(reason(&hasty, "commit-order") > 20);
    patient["timestamp_delay"] = json!("5s");
    let waited = source("jdbc", 3, patient).run();
    assert_eq!((waited.ledger.submissions.accepted, waited.ledger.submissions.dropped), (800, 0));
}

/// db ─► changes ─► store.
fn sink(seed: u64, store: Json) -> Design {
    let mut design = source("debezium", seed, json!({}));
    design.project.components.shift_remove("reader");
    design.project.links.pop();
    let mut params = json!({
        "columns": [{"name": "customer"}, {"name": "amount", "type": "double"}, {"name": "version", "type": "int"}],
        "session_timeout": "6s", "heartbeat_interval": "1s"});
    for (name, value) in store.as_object().expect("a group of fields") {
        params[name] = value.clone();
    }
    design.add("store", "database", params);
    design.link("shop.changes", "store.in", json!({"latency": "exp(2ms)"}));
    design
}

/// A table that follows another by upserts and deletes has its rows in the end, whenever a task crashes.
#[test]
fn a_table_follows_another() {
    let keyed = json!({"insert_mode": "upsert", "pk_mode": "record_key", "delete_enabled": true});
    let report = sink(4, keyed.clone()).run();
    assert_eq!(figure(&report, "store", "read_model_rows"), figure(&report, "db", "table_rows"));
    assert_eq!(figure(&report, "store", "rows_deleted_count"), figure(&report, "db", "deletes_count"));
    for seed in 0..3 {
        let crashed =
            sink(seed, keyed.clone()).fault(8, "store", "crash-instance", json!({})).fault(10, "store", "start-instance", json!({})).run();
        assert_eq!(figure(&crashed, "store", "read_model_rows"), figure(&crashed, "db", "table_rows"), "seed {seed}");
        assert!(crashed.ledger.obligations.duplicate_deliveries > 0, "seed {seed}");
    }
}

/// An insert fails at the second state of a row, and stops its task; without a key each record is a row.
#[test]
fn an_insert_of_what_is_there_stops_a_task() {
    let stopped = sink(5, json!({"pk_mode": "record_key", "delete_enabled": true, "max_retries": 2, "write_backoff": "100ms"})).run();
    assert_eq!((figure(&stopped, "store", "violations_count"), figure(&stopped, "store", "stopped_tasks_count")), (3, 1));
    assert!(stopped.ledger.obligations.in_flight > 300);
    let told = stopped.faults.iter().find(|fault| fault.action == "task-stopped").expect("it is told");
    assert_eq!((told.target.as_str(), told.params["task"].as_str()), ("store", "1"));
    assert!(told.params["why"].contains("UNIQUE") || told.params["why"].contains("constraint"), "{:?}", told.params);
    let skipped = sink(5, json!({"pk_mode": "record_key", "delete_enabled": true, "max_retries": 0, "on_failure": "skip"})).run();
    assert_eq!(reason(&skipped, "constraint"), figure(&skipped, "db", "updates_count"));
    let rows = sink(5, json!({"on_failure": "skip"})).run();
    let changes = figure(&rows, "db", "changes_count") - figure(&rows, "db", "deletes_count");
    assert_eq!(figure(&rows, "store", "read_model_rows"), changes);
    assert_eq!(reason(&rows, "no-row"), figure(&rows, "db", "tombstones_count"));
}

/// A table that nobody declared is made of the first record, and has the rows of the one that it follows.
#[test]
fn a_table_is_created_from_records() {
    let keyed = json!({"auto_create": true, "insert_mode": "upsert", "pk_mode": "record_key", "delete_enabled": true});
    let mut design = sink(6, keyed);
    design.project.components["store"].params.shift_remove("columns");
    let report = design.run();
    assert_eq!(figure(&report, "store", "read_model_rows"), figure(&report, "db", "table_rows"));
    // id, customer, amount, version, updated_at.
    assert_eq!((figure(&report, "store", "columns_added_count"), figure(&report, "store", "refused_count")), (5, 0));
}

/// web ─► orders ─► store, with a registry that takes a second version of the schema at 20 s.
fn evolving(added_field: Json, store: Json) -> Report {
    let version = |added: Option<&Json>| {
        let mut fields = vec![json!({"name": "id", "type": "string"}), json!({"name": "total", "type": "double"})];
        fields.extend(added.cloned());
        json!({"type": "record", "name": "Order", "fields": fields}).to_string()
    };
    let mut design = Design::new("evolving", 7, SimDuration::from_secs(60));
    for (name, text) in [("v1", version(None)), ("v2", version(Some(&added_field)))] {
        design.project.schemas.insert(name.to_owned(), SchemaSource { path: None, text: text.into() });
    }
    let events = json!([{"type": "Order", "schema": "orders-value", "topic": "orders"}]);
    design.add("web", "producer", json!({"load": "constant(20/s)", "max_events": 1000, "schema_age_max": "1s", "events": events}));
    design.add("shop", "kafka", json!({"brokers": 1, "initial_rebalance_delay": "0s", "topics": {"orders": {}, "letters": {}}}));
    design.add("schemas", "registry", json!({"compatibility": "NONE", "subjects": {"orders-value": {"versions": ["v1"]}}}));
    design.add("store", "database", store);
    for (from, to) in [
        ("web.out", "shop.orders"),
        ("web.schemas", "schemas.in"),
        ("shop.orders", "store.in"),
        ("store.schemas", "schemas.in"),
        ("store.dead_letters", "shop.letters"),
    ] {
        design.link(from, to, json!({}));
    }
    design.fault(20, "schemas", "register", json!({"subject": "orders-value", "schema": "v2"})).run()
}

/// A field that may be missing becomes a column; where the table does not evolve, each record that has it fails.
#[test]
fn a_table_evolves_with_its_records_schema() {
    let store =
        |evolves: bool| json!({"auto_create": true, "auto_evolve": evolves, "on_failure": "dead_letter", "offset_reset": "earliest"});
    let optional = json!({"name": "note", "type": ["null", "string"], "default": null});
    let grown = evolving(optional.clone(), store(true));
    let of_store = |report: &Report, name: &str| figure(report, "store", name);
    assert_eq!((of_store(&grown, "columns_added_count"), of_store(&grown, "read_model_rows")), (3, 1_000));
    let defaulted = evolving(json!({"name": "currency", "type": "string", "default": "EUR"}), store(true));
    assert_eq!((of_store(&defaulted, "columns_added_count"), of_store(&defaulted, "read_model_rows")), (3, 1_000));
    let fixed = evolving(optional.clone(), store(false));
    let refused = of_store(&fixed, "refused_count");
    assert!((300..700).contains(&refused), "what was written in version 2: {refused}");
    assert_eq!((of_store(&fixed, "columns_added_count"), of_store(&fixed, "read_model_rows")), (2, 1_000 - refused));
    assert_eq!((fixed.ledger.obligations.dead_lettered, reason(&fixed, "table-alter")), (refused, refused));
    let stopped = evolving(optional, json!({"auto_create": true, "offset_reset": "earliest"}));
    assert_eq!((of_store(&stopped, "refused_count"), of_store(&stopped, "stopped_tasks_count")), (1, 1));
}
