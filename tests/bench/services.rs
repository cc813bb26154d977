//! Commands through an event store, their events through a read model, and that into SQLite: `cargo bench --bench services`.
//!
//! Figures are CPU time of this thread. Aims on one core: a million commands a second with the read model off, fifty thousand
//! with the rows written to SQLite in transactions of ten thousand.

#![allow(clippy::disallowed_methods, reason = "a bench reads the thread's CPU time from a file")]

#[path = "cpu.rs"]
mod cpu;

use std::sync::Arc;

use eventyard::event::{RowChange, RowEdit, Scalar};
use eventyard::machines::event_store::{
    Aggregate, AggregateSpec, CommandInput, CommandSpec, Decision, EventSpec, EventStore, FieldSpec, FieldType, ProjectionSpec, RowSpec,
    StoreConfig, Table,
};
use eventyard::units::{ComponentIx, SimTime, TopicIx};

const COMMANDS: u64 = 1_000_000;
const STREAMS: u64 = 10_000;
const BATCH: usize = 10_000;

fn field(name: &str) -> FieldSpec {
    FieldSpec { name: name.to_owned(), ty: FieldType::Int, initial: None }
}

fn account() -> Aggregate {
    let spec = AggregateSpec {
        states: vec!["open".to_owned()],
        fields: vec![field("balance")],
        commands: vec![CommandSpec {
            ty: "Pay".to_owned(),
            guard: Some("command.amount > 0".to_owned()),
            emits: vec!["Paid".to_owned()],
            data: "amount = command.amount".to_owned(),
            ..CommandSpec::default()
        }],
        events: vec![EventSpec { ty: "Paid".to_owned(), set: "balance = state.balance + event.amount".to_owned(), ..EventSpec::default() }],
        ..AggregateSpec::default()
    };
    Aggregate::compile(&spec).expect("it is sound")
}

fn table() -> Table {
    let rows = vec![RowSpec { ty: "Paid".to_owned(), set: "total = row.total + event.amount".to_owned(), ..RowSpec::default() }];
    Table::compile(&ProjectionSpec { columns: vec![field("total")], rows }).expect("it is sound")
}

/// Runs all commands; each event goes to `tell`.
fn commands(mut tell: impl FnMut(u64, &Arc<str>, &[Scalar])) -> f64 {
    let aggregate = Arc::new(account());
    let mut store = EventStore::new(Arc::clone(&aggregate), StoreConfig { snapshot_every: Some(100), ..StoreConfig::default() });
    let keys: Vec<Arc<str>> = (0..STREAMS).map(|key| format!("account-{key}").into()).collect();
    let blank = aggregate.new_state();
    let began = cpu::cpu_s();
    for number in 0..COMMANDS {
        let key = &keys[(number.wrapping_mul(7_919) % STREAMS) as usize];
        let fields = [Scalar::Int((number % 90 + 1) as i64)];
        let state = store.live(key).unwrap_or(&blank);
        let expected = state.version;
        let input = CommandInput { ty: "Pay", fields: &fields, key, now_ms: 0, write_version: 1 };
        let Decision::Accepted(events) = aggregate.decide(state, &input) else { panic!("it is accepted") };
        let data = Arc::clone(&events[0].data);
        store.append(SimTime::from_ns(number), key, expected, events).expect("nobody else appends");
        tell(number, key, &data);
    }
    cpu::cpu_s() - began
}

fn show(what: &str, seconds: f64) {
    println!("{what:<44} {:>12.0} commands/s", COMMANDS as f64 / seconds);
}

fn main() {
    show("command → event", commands(|_, _, _| {}));
    let mut model = table();
    let mut edits: Vec<RowEdit> = Vec::new();
    show(
        "command → event → rows in memory",
        commands(|number, key, data| {
            edits.clear();
            model.apply("Paid", key, data, 0, &mut edits).expect("types fit");
            model.mark_read((0, 0), number);
        }),
    );
    with_database();
}

#[cfg(not(feature = "sqlite"))]
fn with_database() {}

#[cfg(feature = "sqlite")]
fn with_database() {
    use eventyard::adapters::state_store::SqliteStore;
    use eventyard::event::TableShape;
    use eventyard::run::{ReadModel, StateStore};

    let mut store = SqliteStore::in_memory().expect("memory is there");
    let shape = TableShape { columns: vec![(Arc::from("total"), "int")] };
    store.begin(&[ReadModel { component: ComponentIx(0), name: "totals".into(), shape }]).expect("a table");
    let mut model = table();
    let mut edits: Vec<RowEdit> = Vec::new();
    let mut changes: Vec<RowChange> = Vec::new();
    let seconds = commands(|number, key, data| {
        edits.clear();
        model.apply("Paid", key, data, 0, &mut edits).expect("types fit");
        model.mark_read((0, 0), number);
        let read_to = Some((TopicIx(0), 0, number + 1));
        changes.extend(edits.drain(..).map(|edit| RowChange { component: ComponentIx(0), edit, read_to }));
        if changes.len() >= BATCH {
            store.carry_out(&changes).expect("SQLite takes them");
            changes.clear();
        }
    });
    store.carry_out(&changes).expect("SQLite takes them");
    show("command → event → rows in SQLite (in memory)", seconds);
    let sums = store.look("SELECT sum(total) FROM totals", 1).expect("it can be read");
    let wanted: u64 = (0..COMMANDS).map(|number| number % 90 + 1).sum();
    assert_eq!(sums.rows, [[wanted.to_string()]], "the database holds what was told");
}
