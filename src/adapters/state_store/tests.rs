//! What is told stands in the database, all or none.

use std::sync::Arc;

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

#[test]
fn rows_and_places_stand_together() {
    let mut store = SqliteStore::in_memory().expect("memory is there");
    store.begin(&[model()]).expect("a table");
    let delete = RowChange { edit: RowEdit::Delete("b".into()), ..put("b", 0.0) };
    store.carry_out(&[put("a", 1.5), place(1), put("b", 2.0), place(2), put("a", 3.5), place(3), delete]).expect("they fit");
    let look = |store: &SqliteStore, sql: &str| store.look(sql, 10).expect("it can be read");
    assert_eq!(look(&store, "SELECT * FROM \"orders \"\"by\"\" customer\""), [["a", "3.5", "1", "it's"]]);
    assert_eq!(look(&store, "SELECT * FROM _places"), [["3", "1", "0", "3"]]);
    let clear = RowChange { edit: RowEdit::Clear, ..put("", 0.0) };
    store.carry_out(&[place(4), clear, put("c", 1.0), place(1)]).expect("they fit");
    assert_eq!(look(&store, "SELECT \"key\" FROM \"orders \"\"by\"\" customer\""), [["c"]]);
    assert_eq!(look(&store, "SELECT next FROM _places"), [["1"]]);
    assert!(store.look("DELETE FROM _places", 10).is_err(), "a look changes nothing");
    assert_eq!(look(&store, "SELECT next FROM _places"), [["1"]]);
}

#[test]
fn a_file_is_there_afterwards_and_a_run_begins_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = SqliteStore::open(folder.path()).expect("a file");
    store.begin(&[model()]).expect("a table");
    store.carry_out(&[put("a", 1.0)]).expect("it fits");
    store.finish().expect("it is durable");
    drop(store);
    assert!(folder.path().join(FILE).is_file());
    let mut store = SqliteStore::open(folder.path()).expect("the same file");
    assert_eq!(store.look("SELECT count(*) FROM \"orders \"\"by\"\" customer\"", 10).expect("it is there"), [["1"]]);
    store.begin(&[model()]).expect("a table");
    assert_eq!(store.look("SELECT count(*) FROM \"orders \"\"by\"\" customer\"", 10).expect("it is there"), [["0"]]);
}
