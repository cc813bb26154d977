//! The machine against naive oracles.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::units::{SimDuration, SimTime};

fn text(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// An account that opens, takes and gives money, and closes when it is empty.
fn account() -> AggregateSpec {
    let field = |name: &str, ty| FieldSpec { name: name.to_owned(), ty, initial: None };
    let command = |ty: &str, states: &[&str], guard: Option<&str>, emits: &[&str], data: &str| CommandSpec {
        ty: ty.to_owned(),
        states: text(states),
        guard: guard.map(str::to_owned),
        emits: text(emits),
        data: data.to_owned(),
        version: None,
    };
    let event = |ty: &str, to: Option<&str>, set: &str| EventSpec { ty: ty.to_owned(), to: to.map(str::to_owned), set: set.to_owned() };
    AggregateSpec {
        states: text(&["new", "open", "closed"]),
        fields: vec![field("balance", FieldType::Int), field("moves", FieldType::Int)],
        commands: vec![
            command("Open", &["new"], None, &["Opened"], ""),
            command("Pay", &["open"], Some("command.amount > 0"), &["Paid"], "amount = command.amount"),
            command(
                "Take",
                &["open"],
                Some("command.amount > 0 && state.balance >= command.amount"),
                &["Taken"],
                "amount = command.amount",
            ),
            command("Close", &["open"], Some("state.balance == 0"), &["Closed"], ""),
        ],
        events: vec![
            event("Opened", Some("open"), ""),
            event("Paid", None, "balance = state.balance + event.amount; moves = state.moves + 1"),
            event("Taken", None, "balance = state.balance - event.amount; moves = state.moves + 1"),
            event("Closed", Some("closed"), ""),
        ],
        upcasts: Vec::new(),
    }
}

/// The same in plain code.
#[derive(Clone, Debug, Default, PartialEq)]
struct Naive {
    state: u16,
    balance: i64,
    moves: i64,
    events: u64,
}

impl Naive {
    fn command(&mut self, ty: &str, amount: i64) -> bool {
        let accepted = match ty {
            "Open" => self.state == 0,
            "Pay" => self.state == 1 && amount > 0,
            "Take" => self.state == 1 && amount > 0 && self.balance >= amount,
            _ => self.state == 1 && self.balance == 0,
        };
        if accepted {
            self.events += 1;
            match ty {
                "Open" => self.state = 1,
                "Pay" => (self.balance, self.moves) = (self.balance + amount, self.moves + 1),
                "Take" => (self.balance, self.moves) = (self.balance - amount, self.moves + 1),
                _ => self.state = 2,
            }
        }
        accepted
    }
    fn is(&self, state: &AggregateState) -> bool {
        let fields = [Scalar::Int(self.balance), Scalar::Int(self.moves)];
        (state.state, state.version, &state.fields[..]) == (self.state, self.events, &fields[..])
    }
}

const COMMANDS: [&str; 4] = ["Open", "Pay", "Take", "Close"];

fn decide(store: &EventStore, state: &AggregateState, key: &Arc<str>, ty: &str, amount: i64) -> Decision {
    let amount = [Scalar::Int(amount)];
    assert_eq!(store.aggregate().command_fields().len(), 1);
    store.aggregate().decide(state, &CommandInput { ty, fields: &amount, key, now_ms: 0, write_version: 1 })
}

/// An aggregate from its first event on, and how many there were.
fn replayed(store: &EventStore, key: &str) -> (AggregateState, u64) {
    let mut events: Vec<_> = store.stream_of(key).map(|stream| store.history(stream).collect()).unwrap_or_default();
    events.reverse();
    let mut state = store.aggregate().new_state();
    events.iter().for_each(|(_, recorded)| store.aggregate().apply(&mut state, &recorded.event));
    (state, events.len() as u64)
}

proptest! {
    /// Replayed from zero, from a snapshot, kept live, at any past moment: one and the same aggregate, that of plain code.
    #[test]
    fn a_store_is_what_plain_code_says(
        commands in prop::collection::vec((0..4_u8, 0..4_usize, -2..6_i64), 0..200),
        every in prop::option::of(1..9_u64),
    ) {
        let aggregate = Arc::new(Aggregate::compile(&account()).expect("the account is sound"));
        let mut store = EventStore::new(aggregate, StoreConfig { snapshot_every: every, ..StoreConfig::default() });
        let mut naive: BTreeMap<u8, Naive> = BTreeMap::new();
        let mut past: Vec<BTreeMap<u8, Naive>> = Vec::new();
        for (step, (who, what, amount)) in commands.iter().enumerate() {
            let key: Arc<str> = format!("account-{who}").into();
            let expected = naive.entry(*who).or_default().command(COMMANDS[*what], *amount);
            let loaded = store.load(&key);
            match decide(&store, &loaded.state, &key, COMMANDS[*what], *amount) {
                Decision::Accepted(events) => {
                    prop_assert!(expected);
                    store.append(SimTime::from_ns(step as u64), &key, loaded.state.version, events).expect("nobody else appends");
                }
                Decision::Refused(_) => prop_assert!(!expected),
            }
            past.push(naive.clone());
        }
        for (who, naive) in &naive {
            let key = format!("account-{who}");
            let (loaded, (state, events)) = (store.load(&key), replayed(&store, &key));
            prop_assert!(naive.is(&loaded.state) && loaded.state == state);
            prop_assert_eq!(loaded.events_read, store.events_to_read(&key));
            prop_assert_eq!(events, naive.events);
            prop_assert!(every.is_none_or(|every| loaded.events_read < every));
            if let Some(live) = store.live(&key) {
                prop_assert!(naive.is(live));
            }
        }
        for (step, then) in past.iter().enumerate() {
            for (who, naive) in then {
                let loaded = store.load_at(&format!("account-{who}"), SimTime::from_ns(step as u64));
                prop_assert!(naive.is(&loaded.state), "{} at {}", who, step);
            }
        }
    }

    /// Two who decide on the same version: the second is told, and its retry after a reload counts as if it had come later.
    #[test]
    fn one_of_two_wins(versions in prop::collection::vec(0..3_u64, 1..50)) {
        let aggregate = Arc::new(Aggregate::compile(&account()).expect("the account is sound"));
        let mut store = EventStore::new(aggregate, StoreConfig::default());
        let key: Arc<str> = Arc::from("a");
        let mut count = 0;
        for stale in versions {
            let event = NewEvent { ty: 1, schema_version: 1, data: Arc::from([Scalar::Int(1)]) };
            let expected = count - stale.min(count);
            let result = store.append(SimTime::ZERO, &key, expected, vec![event]);
            if expected == count {
                prop_assert_eq!(result, Ok(count));
                count += 1;
            } else {
                prop_assert_eq!(result, Err(AppendError::Conflict { actual: count }));
            }
            prop_assert_eq!(store.position(), count);
        }
    }

    /// A read model built again from the log is the one that was kept, whatever came twice.
    #[test]
    fn a_rebuilt_table_is_the_live_one(events in prop::collection::vec((0..5_u8, 0..3_usize, 0..9_i64, any::<bool>()), 0..200)) {
        let spec = ProjectionSpec {
            columns: vec![
                FieldSpec { name: "total".to_owned(), ty: FieldType::Int, initial: None },
                FieldSpec { name: "count".to_owned(), ty: FieldType::Int, initial: None },
            ],
            rows: vec![
                RowSpec { ty: "Paid".to_owned(), set: "total = row.total + event.amount; count = row.count + 1".to_owned(), ..RowSpec::default() },
                RowSpec { ty: "Closed".to_owned(), delete: true, ..RowSpec::default() },
            ],
        };
        let mut live = Table::compile(&spec).expect("sound");
        let mut rebuilt = live.clone();
        let mut naive: BTreeMap<u8, (i64, i64)> = BTreeMap::new();
        let feed = |table: &mut Table, offset: usize, (who, what, amount, _): &(u8, usize, i64, bool)| {
            if !table.has_read((0, 0), offset as u64) {
                let key: Arc<str> = who.to_string().into();
                table.apply(["Paid", "Closed", "Other"][*what], &key, &[Scalar::Int(*amount)], 0, &mut Vec::new()).expect("types fit");
                table.mark_read((0, 0), offset as u64);
            }
        };
        for (offset, event) in events.iter().enumerate() {
            feed(&mut live, offset, event);
            if event.3 {
                feed(&mut live, offset, event);
            }
            match event.1 {
                0 => { let row = naive.entry(event.0).or_default(); *row = (row.0 + event.2, row.1 + 1); }
                1 => { naive.remove(&event.0); }
                _ => {}
            }
        }
        rebuilt.clear();
        events.iter().enumerate().for_each(|(offset, event)| feed(&mut rebuilt, offset, event));
        prop_assert_eq!(&live, &rebuilt);
        prop_assert_eq!(live.rows_count(), naive.len());
        for (who, (total, count)) in naive {
            let (key, cells) = live.rows_from(&who.to_string()).next().expect("it is there");
            prop_assert_eq!((&**key, &**cells), (&*who.to_string(), &[Scalar::Int(total), Scalar::Int(count)][..]));
        }
    }

    /// Whatever is done, refused, late or lost, a saga ends with all steps done, or with none left done.
    #[test]
    fn sagas_end_completed_or_compensated(answers in prop::collection::vec(0..6_u8, 0..60)) {
        let (ended, done) = run_saga(&saga(false), &answers);
        match ended {
            SagaEnd::Completed => prop_assert!(done.iter().all(|done| *done)),
            SagaEnd::Compensated => prop_assert!(done.iter().all(|done| !done), "{:?}", done),
        }
    }
}

fn saga(forgets_timed_out: bool) -> Saga {
    let step = |name: &str| StepSpec {
        command: name.into(),
        done: vec![format!("{name}Done").into()],
        failed: vec![format!("{name}Failed").into()],
        compensate: Some(format!("Undo{name}").into()),
        compensated: vec![format!("{name}Undone").into()],
        timeout: Some(SimDuration::from_secs(5)),
    };
    Saga { begins: vec!["Begun".into()], steps: vec![step("Pay"), step("Reserve"), step("Ship")], forgets_timed_out }
}

/// Participants that answer as they are told: 0 and 1 do it, 2 fail, 3 do it and stay silent, 4 stay silent, 5 do it, late.
/// Undoing is idempotent, and undoes what comes too late as well, as a participant must.
fn run_saga(saga: &Saga, answers: &[u8]) -> (SagaEnd, [bool; 3]) {
    let mut out = Vec::new();
    let mut now = SimTime::ZERO;
    let mut instance = saga.begin(now, &mut out);
    let mut answers = answers.iter();
    let (mut done, mut undone) = ([false; 3], [false; 3]);
    loop {
        let commands = std::mem::take(&mut out);
        for output in commands {
            match output {
                SagaOutput::End(end) => return (end, done),
                SagaOutput::Send(command) => {
                    let name = command.trim_start_matches("Undo");
                    let index = ["Pay", "Reserve", "Ship"].iter().position(|one| *one == name).expect("a step");
                    let answer = answers.next().copied().unwrap_or(0);
                    if command.starts_with("Undo") {
                        (done[index], undone[index]) = (false, true);
                        if matches!(answer, 0..=2) {
                            saga.handle(now, &mut instance, SagaInput::Event(&format!("{name}Undone")), &mut out);
                        }
                    } else {
                        done[index] = matches!(answer, 0 | 1 | 3 | 5) && !undone[index];
                        match answer {
                            0 | 1 => saga.handle(now, &mut instance, SagaInput::Event(&format!("{name}Done")), &mut out),
                            2 => saga.handle(now, &mut instance, SagaInput::Event(&format!("{name}Failed")), &mut out),
                            _ => false,
                        };
                        if answer == 5 {
                            now = instance.deadline;
                            saga.handle(now, &mut instance, SagaInput::Deadline, &mut out);
                            let late = format!("{name}Done");
                            assert!(!saga.handle(now, &mut instance, SagaInput::Event(&late), &mut out), "too late to count");
                        }
                    }
                }
            }
        }
        if out.is_empty() {
            now = instance.deadline;
            assert!(now < SimTime::MAX, "it waits for something: {instance:?}");
            saga.handle(now, &mut instance, SagaInput::Deadline, &mut out);
        }
    }
}

#[test]
fn the_known_bad_saga_leaves_a_step_done() {
    let (ended, done) = run_saga(&saga(true), &[0, 3]);
    assert_eq!((ended, done), (SagaEnd::Compensated, [false, true, false]));
    assert_eq!(run_saga(&saga(false), &[0, 3]), (SagaEnd::Compensated, [false; 3]));
}

#[test]
fn older_events_are_read_as_newer_ones() {
    let mut spec = account();
    spec.commands[1].version = Some(1);
    spec.commands.push(CommandSpec {
        ty: "Pay".to_owned(),
        states: text(&["open"]),
        emits: text(&["Paid"]),
        data: "amount = command.amount; cents = command.amount * 100".to_owned(),
        version: Some(2),
        ..CommandSpec::default()
    });
    spec.events[1].set = "balance = state.balance + event.cents".to_owned();
    spec.upcasts = vec![UpcastSpec { ty: "Paid".to_owned(), from: 1, set: "cents = event.amount * 100".to_owned() }];
    let aggregate = Arc::new(Aggregate::compile(&spec).expect("sound"));
    let mut store = EventStore::new(Arc::clone(&aggregate), StoreConfig::default());
    let key: Arc<str> = Arc::from("a");
    for (ty, write_version) in [("Open", 1), ("Pay", 1), ("Pay", 2)] {
        let loaded = store.load(&key).state;
        let input = CommandInput { ty, fields: &[Scalar::Int(3)], key: &key, now_ms: 0, write_version };
        let Decision::Accepted(events) = aggregate.decide(&loaded, &input) else { panic!("{ty} is accepted") };
        store.append(SimTime::ZERO, &key, loaded.version, events).expect("nobody else appends");
    }
    let versions: Vec<u16> = (0..3).map(|at| store.event_at(at).expect("there are three").event.schema_version).collect();
    assert_eq!(versions, [1, 1, 2]);
    assert_eq!(replayed(&store, &key).0.fields[0], Scalar::Int(600));
    let mut json = Vec::new();
    aggregate.write_json(&store.event_at(2).expect("there are three").event, &mut json);
    assert_eq!(String::from_utf8(json).expect("text"), r#"{"amount":3,"cents":300}"#);
}

#[test]
fn all_problems_of_a_spec_are_told() {
    let mut spec = account();
    spec.commands[0].states = text(&["nowhere"]);
    spec.commands[1].guard = Some("command.amount >".to_owned());
    spec.commands[2].guard = Some("state.money > 0".to_owned());
    spec.events[1].set = "balance = event.missing".to_owned();
    spec.fields[1].initial = Some("many".to_owned());
    let problems = Aggregate::compile(&spec).expect_err("five mistakes");
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        ["fields[1].initial", "commands[0].states", "commands[1].guard", "commands[2].guard", "events[1].set"],
        "{problems:#?}"
    );
}

#[test]
fn mappings_are_cut_at_semicolons_outside_of_quotes() {
    assert_eq!(split_assignments("a = 1; b = ';' + \"x\\\";\" ;"), Ok(vec![("a", "1"), ("b", "';' + \"x\\\";\"")]));
    assert!(split_assignments("a == 1").is_err());
    assert!(split_assignments("1a = 1").is_err());
}
