//! What is told stands in the database, all or none.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{FILE, SqliteStore};
use crate::event::{RowChange, RowEdit, Scalar, TableShape};
use crate::run::{ReadModel, StateStore};
use crate::units::{ComponentIx, TopicIx};

fn model() -> ReadModel {
    let columns = vec![(Arc::from("total"), "double"), (Arc::from("open"), "bool"), (Arc::from("a \"name\""), "string")];
    ReadModel { component: ComponentIx(3), name: "orders \"by\" customer".into(), shape: TableShape { columns } }
}

fn put(key: &str, total: f64) -> RowChange {
    let cells = Arc::from([Scalar::Double(total), Scalar::Bool(true), Scalar::Text("it's".into())]);
    RowChange { component: ComponentIx(3), edit: RowEdit::Put(key.into(), cells), read_to: None }
}

fn place(next: u64) -> RowChange {
    RowChange { component: ComponentIx(3), edit: RowEdit::None, read_to: Some((TopicIx(1), 0, next)) }
}

fn cell(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    })
}

/// What any tool reads of the file.
fn look(folder: &Path, sql: &str) -> Vec<Vec<String>> {
    let connection = Connection::open(folder.join(FILE)).expect("the file is there");
    let mut statement = connection.prepare(sql).expect("the table is there");
    let columns = statement.column_count();
    let rows = statement
        .query_map([], |row| (0..columns).map(|at| cell(row, at)).collect::<rusqlite::Result<Vec<String>>>())
        .expect("it can be read");
    rows.collect::<rusqlite::Result<_>>().expect("it can be read")
}

#[test]
fn rows_and_places_stand_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    store.begin(&[model()]).expect("a table");
    let delete = RowChange { edit: RowEdit::Delete("b".into()), ..put("b", 0.0) };
    store.carry_out(&[put("a", 1.5), place(1), put("b", 2.0), place(2), put("a", 3.5), place(3), delete]).expect("they fit");
    let look = |sql: &str| look(folder.path(), sql);
    assert_eq!(look("SELECT * FROM \"orders \"\"by\"\" customer\""), [["a", "3.5", "1", "it's"]]);
    assert_eq!(look("SELECT * FROM _places"), [["3", "1", "0", "3"]]);
    let clear = RowChange { edit: RowEdit::Clear, ..put("", 0.0) };
    store.carry_out(&[place(4), clear, put("c", 1.0), place(1)]).expect("they fit");
    assert_eq!(look("SELECT \"key\" FROM \"orders \"\"by\"\" customer\""), [["c"]]);
    assert_eq!(look("SELECT next FROM _places"), [["1"]]);
}

#[test]
fn a_file_is_there_afterwards_and_a_run_begins_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    store.begin(&[model()]).expect("a table");
    store.carry_out(&[put("a", 1.0)]).expect("it fits");
    store.finish().expect("it is durable");
    drop(store);
    let count = || look(folder.path(), "SELECT count(*) FROM \"orders \"\"by\"\" customer\"");
    assert_eq!(count(), [["1"]]);
    let mut store = SqliteStore::open(folder.path()).expect("the same file");
    store.begin(&[model()]).expect("a table");
    assert_eq!(count(), [["0"]]);
}

/// Names that SQLite cannot tell apart, or keeps for itself, are still tables of their own.
#[test]
fn each_model_has_a_table_of_its_own() {
    let names = ["Orders", "orders", "orders-2", "ORDERS", "_places", "sqlite_orders", "SQLITE_orders"];
    let named = |(at, name): (usize, &&str)| ReadModel { component: ComponentIx(at as u32), name: (*name).into(), ..model() };
    let models: Vec<ReadModel> = names.iter().enumerate().map(named).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    store.begin(&models).expect("tables");
    let changes: Vec<RowChange> = models.iter().map(|model| RowChange { component: model.component, ..put(&model.name, 1.0) }).collect();
    store.carry_out(&changes).expect("they fit");
    let tables = ["Orders", "orders-2", "orders-2-2", "ORDERS-3", "_places-2", "read-model-sqlite_orders", "read-model-SQLITE_orders-2"];
    for (name, table) in names.iter().zip(tables) {
        assert_eq!(look(folder.path(), &format!("SELECT \"key\" FROM \"{table}\"")), [[*name]], "{table}");
    }
    store.begin(&models).expect("the same tables");
    let count = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    assert_eq!(look(folder.path(), count), [[(names.len() + 1).to_string()]]);
}

#[test]
fn a_query_reads_and_changes_nothing() {
    let mut store = SqliteStore::in_memory().expect("memory is there");
    let model = ReadModel { name: "totals".into(), ..model() };
    store.begin(&[model]).expect("a table");
    store.carry_out(&[put("a", 1.5), put("b", 2.0), put("c", 2.5)]).expect("they fit");
    let sum = store.look("SELECT count(*) AS n, max(\"key\") FROM totals", 10).expect("it can be read");
    assert_eq!((sum.columns[0].as_str(), sum.rows, sum.is_cut), ("n", vec![vec!["3".to_owned(), "c".to_owned()]], false));
    let cut = store.look("SELECT * FROM totals", 2).expect("it can be read");
    assert!(cut.is_cut && cut.rows.len() == 2);
    for refused in ["DELETE FROM totals", "DROP TABLE totals", "SELECT nothing FROM totals", "", "SELEC"] {
        assert!(store.look(refused, 10).is_err(), "{refused}");
    }
    assert_eq!(store.look("SELECT count(*) FROM totals", 1).expect("it can be read").rows, [["3"]]);
}

#[test]
fn a_column_that_is_added_has_its_default_in_older_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    store.begin(&[ReadModel { shape: TableShape { columns: Vec::new() }, ..model() }]).expect("a table");
    let row = |key: &str, cells: &[Scalar]| RowChange { edit: RowEdit::Put(key.into(), Arc::from(cells)), ..put("", 0.0) };
    let add = |name: &str, ty, default| RowChange { edit: RowEdit::AddColumn { name: name.into(), ty, default }, ..put("", 0.0) };
    let text = |text: &str| Scalar::Text(text.into());
    store
        .carry_out(&[
            add("id", "int", Scalar::Null),
            row("a", &[Scalar::Int(1)]),
            add("a \"note\"", "string", text("it's")),
            row("b", &[Scalar::Int(2), text("new")]),
        ])
        .expect("they fit");
    store
        .carry_out(&[add("ok", "bool", Scalar::Bool(true)), row("c", &[Scalar::Int(3), text("c"), Scalar::Bool(false)])])
        .expect("they fit");
    let rows = look(folder.path(), "SELECT * FROM \"orders \"\"by\"\" customer\" ORDER BY id");
    assert_eq!(rows, [["a", "1", "it's", "1"], ["b", "2", "new", "1"], ["c", "3", "c", "0"]]);
}
