//! Schemas in the window: a registry's subjects, a draft of a version, who it would break, and what a run makes of it.

use egui_kittest::kittest::Queryable;
use eventyard::app::schemas::{Page, SchemaCommand};
use eventyard::app::{AppState, Command, DockTab};
use eventyard::metrics::RunPhase;
use eventyard::model::Project;
use eventyard::project::load_file;
use eventyard::run::Pace;

use crate::window::{Driven, apply, click, project, window};
use crate::window_records::{until, view};

fn sample(name: &str) -> Project {
    load_file(std::path::Path::new(&format!("{}/projects/{name}.ron", env!("CARGO_MANIFEST_DIR")))).expect("the sample is there").project
}

fn app<'a>(harness: &'a Driven<'_>) -> &'a AppState {
    &harness.state().as_ref().expect("the window is made in the first frame").app
}

fn write(harness: &mut Driven<'_>, text: &str) {
    apply(harness, Command::Schemas(SchemaCommand::Write(text.to_owned())));
    until(harness, "the draft is examined", |harness| app(harness).desk.examination().is_some());
}

/// The latest version with one thing said otherwise.
fn changed(harness: &Driven<'_>, from: &str, to: &str) -> String {
    let text = app(harness).desk.draft().expect("the editor is open").to_owned();
    assert!(text.contains(from), "{text}");
    text.replace(from, to)
}

fn opened(name: &str) -> Driven<'static> {
    let mut harness = window(sample(name));
    harness.get_by_label_contains("Schema registry schemas").click();
    harness.run_steps(3);
    click(&mut harness, "Subjects and versions");
    assert_eq!(app(&harness).dock, DockTab::Schemas);
    harness
}

#[test]
fn a_refused_draft_says_why_and_lights_those_it_breaks() {
    let mut harness = opened("schema-evolution");
    harness.get_by_label("Subject orders-value, 1 version, FULL, Avro");
    harness.get_by_label("Version 1, id 1, latest, registered before the run");
    click(&mut harness, "New version");
    until(&mut harness, "the draft is examined", |harness| app(harness).desk.examination().is_some());
    harness.get_by_label("This is version 1 already");

    let renamed = changed(&harness, "\"total\"", "\"amount\"");
    write(&mut harness, &renamed);
    harness.get_by_label_contains("Refused under FULL");
    assert!(harness.query_all_by_label_contains("breaks old readers of new data").next().is_some());
    assert!(harness.query_all_by_label_contains("To mend it").next().is_some());
    harness.get_by_label_contains("Consumer billing, reads as orders-value version 1 id 1, rejects by the draft");
    click(&mut harness, "Who breaks");
    harness.get_by_label_contains("billing rejects: it reads with version 1").scroll_to_me();
    harness.run_steps(6);
    harness.get_by_label_contains("billing rejects: it reads with version 1").click();
    harness.run_steps(6);
    assert_eq!(app(&harness).selected_component(), Some("billing"));
    click(&mut harness, "Breaking event");
    harness.get_by_label_contains("The smallest event found that breaks it");
    assert!(harness.query_all_by_label_contains("Written with").next().is_some());
    click(&mut harness, "Changes");
    assert!(harness.query_all_by_label_contains("FORWARD breaks").next().is_some());
    click(&mut harness, "Steps");
    harness.run_steps(3);
    assert_eq!(app(&harness).desk.page, Page::Steps);
    click(&mut harness, "Close editor");
    assert!(harness.query_all_by_label_contains("by the draft").next().is_none(), "nobody is lit any more");
}

#[test]
fn a_draft_is_typed_and_a_slip_is_told_with_its_place() {
    let mut harness = opened("schema-evolution");
    click(&mut harness, "New version");
    harness.get_by_label("Draft of orders-value").focus();
    harness.run_steps(2);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
    harness.run_steps(2);
    harness.get_by_label("Draft of orders-value").type_text("{\"type\": }");
    until(&mut harness, "the slip is told", |harness| harness.query_by_label_contains("Line 1, column 10").is_some());
    assert_eq!(app(&harness).desk.draft(), Some("{\"type\": }"));
}

#[test]
fn an_accepted_draft_goes_into_the_project() {
    let mut harness = opened("schema-evolution");
    click(&mut harness, "New version");
    let wider =
        changed(&harness, "\"type\": \"double\"}", "\"type\": \"double\"}, {\"name\": \"note\", \"type\": \"string\", \"default\": \"\"}");
    write(&mut harness, &wider);
    harness.get_by_label("Accepted: it may become version 2 under FULL");
    let before = project(&harness);
    click(&mut harness, "Put into the project");
    until(&mut harness, "the version is there", |harness| harness.query_by_label_contains("Subject orders-value, 2 versions").is_some());
    assert_eq!(project(&harness).schemas.len(), before.schemas.len() + 1);
    apply(&mut harness, Command::Undo);
    assert_eq!(project(&harness), before);
}

#[test]
fn a_version_registered_by_hand_reaches_the_consumers() {
    let mut harness = opened("broken-contract");
    apply(&mut harness, Command::SetPace(Pace::Unlimited));
    apply(&mut harness, Command::StepSecond);
    until(&mut harness, "the second is over", |harness| view(harness).is_some_and(|view| view.now.as_secs_f64() >= 1.0));
    click(&mut harness, "New version");
    let renamed =
        changed(&harness, "\"name\": \"total\", \"type\": \"double\"", "\"name\": \"amount\", \"type\": \"double\", \"default\": 0.0");
    write(&mut harness, &renamed);
    click(&mut harness, "Register now");
    // A held run takes it with its next step.
    apply(&mut harness, Command::StepSecond);
    until(&mut harness, "the run has it", |harness| harness.query_by_label_contains("This is version 2 already").is_some());
    click(&mut harness, "Close editor");
    harness.get_by_label_contains("Version 2, id 2, latest, registered 0:01");
    apply(&mut harness, Command::Play);
    until(&mut harness, "the run ends", |harness| view(harness).is_some_and(|view| view.phase == RunPhase::Finished));
    harness.get_by_label_contains("reads orders-value version 2 id 2 in trouble");
    let report = view(&harness).and_then(|view| view.report.clone()).expect("it ended");
    assert!(report.ledger.obligations.rejected_at_consumer > 0);
}

#[test]
fn a_design_without_a_registry_says_so() {
    let mut harness = window(sample("acks-and-loss"));
    click(&mut harness, "Schemas");
    assert_eq!(app(&harness).dock, DockTab::Schemas);
    harness.get_by_label("No schema registry in this design");
}

#[test]
fn a_new_subject_is_named_and_its_first_version_opened() {
    let mut harness = opened("schema-evolution");
    click(&mut harness, "New subject");
    harness.get_by_label("Name of the new subject").focus();
    harness.run_steps(2);
    harness.get_by_label("Name of the new subject").type_text("refunds-value");
    harness.run_steps(2);
    click(&mut harness, "JSON");
    click(&mut harness, "Add subject");
    harness.get_by_label("Subject refunds-value, 1 version, FULL, JSON");
    until(&mut harness, "the draft is examined", |harness| app(harness).desk.examination().is_some());
    harness.get_by_label("This is version 1 already");
    assert!(app(&harness).desk.draft().is_some_and(|text| text.contains("\"refunds\"") || text.contains("\"Refunds\"")));
}
