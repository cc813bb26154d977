//! The desk without a window: from a design and from a run.

use std::sync::Arc;

use super::*;
use crate::app::{Command, Document, Running};
use crate::compile::{self, Impact};
use crate::machines::codec::{SchemaType, Severity};
use crate::metrics::RunPhase;
use crate::model::Project;
use crate::project::read;
use crate::run::Pace;

const DESIGN: &str = r#"(format: 1, name: "Orders", seed: 5,
    schemas: {
        "order-v1": (inline: "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"string\"}]}"),
        "order-v2": (inline: "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{\"name\":\"b\",\"type\":\"string\"},{\"name\":\"c\",\"type\":\"int\",\"default\":0}]}"),
        "other": (inline: "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"string\"}]}"),
        "item": (inline: "syntax = \"proto3\"; message Item { string sku = 1; }"),
    },
    components: {
        "web": (kind: "producer", load: "constant(10/s)", schema_age_max: "2s", events: [(type: "Placed", schema: "orders-value")]),
        "shop": (kind: "kafka", initial_rebalance_delay: "0s", topics: {"orders": (partitions: 1)}),
        "schemas": (kind: "registry", subjects: {
            "orders-value": (versions: ["order-v1", "order-v2"]),
            "items-value": (type: "PROTOBUF", compatibility: "FULL", versions: ["item"]),
        }),
        "billing": (kind: "consumer", offset_reset: "earliest", reader_version: 1),
    },
    links: [
        (from: "web.out", to: "shop.orders"), (from: "web.schemas", to: "schemas.in"),
        (from: "shop.orders", to: "billing.in"), (from: "billing.schemas", to: "schemas.in"),
    ],
    scenarios: {"run": (length: "20s")})"#;

const BROKEN: &str = r#"{"type": "record", "name": "R", "fields": [
  {"name": "a", "type": "int"},
  {"name": "d", "type": "string"}
]}"#;

fn app_on(text: &str) -> AppState {
    let loaded = read(text);
    assert!(loaded.is_sound(), "{:#?}", loaded.diagnostics);
    let mut app = AppState::new(Document::loaded(loaded), Arc::new(|| {}));
    tell(&mut app, SchemaCommand::Open { registry: "schemas".to_owned(), subject: None });
    app
}

fn tell(app: &mut AppState, command: SchemaCommand) {
    app.apply(Command::Schemas(command));
    app.settle_desk();
}

fn draft(app: &mut AppState, text: &str) {
    tell(app, SchemaCommand::Edit);
    tell(app, SchemaCommand::Write(text.to_owned()));
}

fn judged(app: &AppState) -> &Judged {
    app.desk.examination().expect("it was settled").result.as_ref().expect("it is a schema")
}

/// Waits for the worker.
fn until(app: &mut AppState, what: &str, holds: impl Fn(&AppState) -> bool) {
    for _ in 0..2_000_000 {
        app.poll();
        if holds(app) {
            return;
        }
        std::thread::yield_now();
    }
    panic!("never: {what}");
}

#[test]
fn subjects_stand_as_the_registry_has_them() {
    let app = app_on(DESIGN);
    let desk = &app.desk;
    let names: Vec<&str> = desk.subjects().iter().map(|subject| &**subject.name()).collect();
    assert_eq!(names, ["orders-value", "items-value"], "the order of the design");
    let orders = desk.chosen().expect("the first one is shown");
    assert_eq!((&*orders.standing.level, &*orders.standing.schema_type, orders.versions_count()), ("BACKWARD", "AVRO", 2));
    assert_eq!((orders.source_name(1), orders.source_name(2), desk.shown_version()), (Some("order-v1"), Some("order-v2"), Some(2)));
    assert_eq!(orders.version(2).map(|version| (version.id, version.registered)), Some((2, None)));
    assert_eq!(&*desk.subjects()[1].standing.level, "FULL");
    assert_eq!(desk.sides(), Some((Side::Version(1), Side::Version(2))));
    assert_eq!(desk.changes().len(), 1, "{:?}", desk.changes());
    let uses = |id: &str| app.schema_uses(id).into_iter().map(|one| (one.way, one.version, one.id)).collect::<Vec<_>>();
    assert_eq!(uses("web"), [(SchemaWay::Writes, Some(2), Some(2))]);
    assert_eq!(uses("billing"), [(SchemaWay::ReadsAs, Some(1), Some(1))]);
}

#[test]
fn a_draft_is_judged_with_its_reasons_its_event_and_who_breaks() {
    let mut app = app_on(DESIGN);
    draft(&mut app, BROKEN);
    let found = judged(&app);
    assert!(!found.is_accepted() && found.same_as.is_none());
    let breaks: Vec<_> =
        found.found().into_iter().filter(|one| one.difference.severity == Severity::Breaks).map(|one| (one.version, one.way)).collect();
    assert_eq!(breaks, [(Some(2), crate::machines::registry::Way::NewReadsOld)]);
    let place = found.found()[0].places().1.expect("it is in the draft").to_owned();
    let range = places::range_of(BROKEN, &place, false).expect("it is found");
    assert!(BROKEN[range.clone()].contains("\"d\""), "{place}: {}", &BROKEN[range]);
    let breaking = found.breaking.as_ref().expect("it is refused");
    assert!(breaking.version == 2 && breaking.search.found.is_some());
    let hits: Vec<(&str, Impact)> =
        found.hits.as_ref().expect("an answer").iter().map(|hit| (hit.component.as_str(), hit.impact)).collect();
    assert!(hits.contains(&("web", Impact::StopsWriting)) && hits.contains(&("billing", Impact::Rejects)), "{hits:?}");
    assert_eq!(app.hit_of("billing").map(|hit| hit.impact), Some(Impact::Rejects));
    assert_eq!(app.cannot_put_because(), Some("The subject's level refuses it: mend it, or lower the level first"));
    tell(&mut app, SchemaCommand::CloseEditor);
    assert_eq!(app.hit_of("billing"), None, "nobody is lit any more");
    assert!(app.desk.draft().is_none() && app.desk.has_draft(app.desk.chosen().expect("it is there")));
}

#[test]
fn the_same_verdict_as_the_registry_gives() {
    let mut app = app_on(DESIGN);
    draft(&mut app, BROKEN);
    let of_window: Vec<String> = judged(&app).verdict.as_ref().expect("a level").reasons();
    let mut design = Project::clone(app.project());
    design.schemas.insert("broken".to_owned(), crate::model::SchemaSource { path: None, text: BROKEN.into() });
    let subjects = design.components["schemas"].params["subjects"].as_map().cloned().expect("a table");
    let mut subjects = subjects;
    if let Some(Value::Map(row)) = subjects.get_mut("orders-value") {
        row.insert(
            "versions".to_owned(),
            Value::List(["order-v1", "order-v2", "broken"].map(|name| Value::Text(name.to_owned())).to_vec()),
        );
    }
    design.components["schemas"].params.insert("subjects".to_owned(), Value::Map(subjects));
    let problems = compile::check(&design);
    let refused = problems.iter().find(|problem| problem.code == "schema-incompatible").expect("it is refused");
    assert_eq!(refused.hint, Some(of_window.join("; ")));
    // In the window the refused one is told beside those that were taken.
    let app = {
        let mut app = AppState::new(Document::new(design), Arc::new(|| {}));
        tell(&mut app, SchemaCommand::Open { registry: "schemas".to_owned(), subject: None });
        app
    };
    let orders = app.desk.chosen().expect("it is there");
    assert_eq!((orders.versions_count(), orders.refused.len(), orders.refused[0].0.as_str()), (2, 1, "broken"));
}

#[test]
fn a_text_that_is_no_schema_has_a_place() {
    let mut app = app_on(DESIGN);
    let place = |app: &AppState| match &app.desk.examination().expect("settled").result {
        Err(problem) => problem.place,
        Ok(_) => None,
    };
    draft(&mut app, "{\"type\": \"record\",\n  \"name\": \"R\"\n  \"fields\": []}");
    assert_eq!(place(&app), Some((3, 3)));
    draft(&mut app, "{\"type\": \"record\", \"name\": \"R\",\n \"fields\": [{\"name\": \"a\", \"type\": \"nope\"}]}");
    assert_eq!(place(&app).map(|(line, _)| line), Some(2));
    tell(&mut app, SchemaCommand::Open { registry: "schemas".to_owned(), subject: Some("items-value".to_owned()) });
    draft(&mut app, "syntax = \"proto3\";\nmessage Item {\n  string sku 1;\n}");
    assert_eq!(place(&app), Some((3, 14)));
    assert_eq!(app.cannot_put_because(), Some("The draft is no schema yet"));
}

#[test]
fn an_accepted_draft_becomes_a_version_of_the_project_and_undo_takes_it_back() {
    let mut app = app_on(DESIGN);
    let wider = BROKEN.replace("\"string\"}", "\"string\", \"default\": \"\"}");
    draft(&mut app, &wider);
    assert!(judged(&app).is_accepted());
    let before = Arc::clone(app.project());
    tell(&mut app, SchemaCommand::PutIntoProject);
    assert_eq!(app.project().schemas.get("order-v3").map(|source| &*source.text), Some(wider.as_str()));
    let orders = app.desk.chosen().expect("it is there");
    assert_eq!((orders.versions_count(), orders.source_name(3)), (3, Some("order-v3")));
    assert_eq!(judged(&app).same_as, Some(3));
    assert!(compile::check(app.project()).iter().all(|problem| problem.severity != crate::diagnostics::Severity::Error));
    app.apply(Command::Undo);
    assert_eq!(**app.project(), *before);
}

#[test]
fn a_subject_begins_with_a_schema_in_its_language_and_undo_takes_it_back() {
    for (schema_type, name) in
        [(SchemaType::Avro, "stock-levels-value"), (SchemaType::Json, "stock.levels"), (SchemaType::Protobuf, "1-stock")]
    {
        let mut app = app_on(DESIGN);
        let before = Arc::clone(app.project());
        tell(&mut app, SchemaCommand::BeginSubject(Some(Beginning { name: name.to_owned(), schema_type })));
        assert_eq!(app.cannot_add_subject_because(), None);
        tell(&mut app, SchemaCommand::AddSubject);
        let subject = app.desk.chosen().expect("it is shown");
        assert_eq!((&**subject.name(), &*subject.standing.schema_type, subject.versions_count()), (name, schema_type.as_str(), 1));
        assert_eq!(subject.refused, []);
        assert!(app.desk.editing && app.desk.beginning().is_none());
        assert_eq!(judged(&app).same_as, Some(1), "the editor is open on what there is");
        assert!(compile::check(app.project()).iter().all(|problem| problem.severity != crate::diagnostics::Severity::Error));
        app.apply(Command::Undo);
        assert_eq!(**app.project(), *before);
    }
}

#[test]
fn a_subject_without_a_name_of_its_own_is_not_added() {
    let mut app = app_on(DESIGN);
    for name in ["", "  ", "orders-value", " orders-value ", "a\tb", &"x".repeat(250)] {
        tell(&mut app, SchemaCommand::BeginSubject(Some(Beginning { name: name.to_owned(), ..Beginning::default() })));
        assert!(app.cannot_add_subject_because().is_some(), "{name:?}");
        tell(&mut app, SchemaCommand::AddSubject);
        assert_eq!(app.desk.subjects().len(), 2, "{name:?}");
    }
}

#[test]
fn a_running_registry_takes_a_draft_and_consumers_meet_it() {
    let mut app = app_on(DESIGN);
    app.apply(Command::SetPace(Pace::Unlimited));
    app.apply(Command::StepSecond);
    until(&mut app, "the first second is over", |app| app.desk.is_live() && app.view().is_some_and(|view| view.now.as_secs_f64() >= 1.0));
    draft(&mut app, BROKEN);
    assert_eq!(app.cannot_register_because(), None);
    tell(&mut app, SchemaCommand::Register);
    // A held run takes it with its next step.
    app.apply(Command::StepSecond);
    until(&mut app, "it is refused", |app| app.desk.chosen().is_some_and(|subject| subject.standing.refused.is_some()));
    let narrower = r#"{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}"#;
    draft(&mut app, narrower);
    tell(&mut app, SchemaCommand::Register);
    // A held run takes it with its next step.
    app.apply(Command::StepSecond);
    until(&mut app, "it is registered", |app| app.desk.chosen().is_some_and(|subject| subject.versions_count() == 3));
    let version = app.desk.chosen().and_then(|subject| subject.version(3)).cloned().expect("it is there");
    assert!(version.registered.is_some_and(|at| at.as_secs_f64() >= 1.0), "{version:?}");
    app.settle_desk();
    assert_eq!(judged(&app).same_as, Some(3));
    app.apply(Command::Play);
    until(&mut app, "the run ends", |app| app.view().is_some_and(|view| view.phase == RunPhase::Finished));
    let uses = |app: &AppState, id: &str| {
        app.schema_uses(id).into_iter().map(|one| (one.way, one.version, one.trouble.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(uses(&app, "web"), [(SchemaWay::Writes, Some(3), false)]);
    assert!(uses(&app, "billing").contains(&(SchemaWay::Reads, Some(3), true)), "{:?}", uses(&app, "billing"));
    let report = app.running.as_ref().map(Running::view).and_then(|view| view.report.clone()).expect("it ended");
    assert!(report.ledger.obligations.rejected_at_consumer > 0 && report.ledger.balanced);
    let told: Vec<&str> = report.faults.iter().map(|fault| fault.action.as_str()).collect();
    assert_eq!(told, ["register", "register"], "the run's list has both, so that it can be replayed");
}
