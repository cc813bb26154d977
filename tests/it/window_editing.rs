//! Editing by keyboard, as a person types: what is half-typed stays as it is, what is wrong says so, and one
//! stay in a field is one step back.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, DialogFor, Pick, SelectMode, SideTab};
use eventyard::model::{Component, Edit, Value};
use eventyard::project::{load_file, starter};
use eventyard::units::{SimDuration, SimTime};

use crate::window::{Driven, apply, click, empty, place, project, window};

fn focus(harness: &mut Driven<'_>, label: &str) {
    harness.get_by_label(label).scroll_to_me();
    harness.run_steps(2);
    harness.get_by_label(label).focus();
    harness.run_steps(2);
}

/// Letter by letter, with frames between, as fingers do.
fn type_into(harness: &mut Driven<'_>, label: &str, text: &str) {
    focus(harness, label);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    for letter in text.chars() {
        harness.get_by_label(label).type_text(&letter.to_string());
        harness.run_steps(2);
    }
}

fn shown(harness: &Driven<'_>, label: &str) -> String {
    harness.get_by_label(label).value().unwrap_or_default()
}

fn press(harness: &mut Driven<'_>, key: Key) {
    harness.key_press(key);
    harness.run_steps(3);
}

fn param(harness: &Driven<'_>, component: &str, name: &str) -> Option<Value> {
    project(harness).components[component].params.get(name).cloned()
}

fn undo(harness: &mut Driven<'_>) {
    apply(harness, Command::Undo);
}

#[test]
fn a_field_keeps_what_is_being_typed_and_applies_what_parses() {
    let mut harness = window(empty());
    place(&mut harness, "Add Consumer");
    let label = "Service time of consumer-1";
    type_into(&mut harness, label, "1.");
    assert_eq!(shown(&harness, label), "1.");
    assert_eq!(param(&harness, "consumer-1", "service_time"), None, "`1.` is no span yet");
    harness.get_by_label_contains("`service_time`");
    for letter in ["5", "m", "s"] {
        harness.get_by_label(label).type_text(letter);
        harness.run_steps(2);
    }
    assert_eq!(shown(&harness, label), "1.5ms");
    assert_eq!(param(&harness, "consumer-1", "service_time"), Some(Value::from("1.5ms")));
    assert!(harness.query_by_label_contains("`service_time`").is_none());
    // The whole stay in the field is one step.
    press(&mut harness, Key::Enter);
    undo(&mut harness);
    assert_eq!(param(&harness, "consumer-1", "service_time"), None);
}

#[test]
fn escape_gives_up_and_what_cannot_be_read_stays_with_its_problem() {
    let mut harness = window(empty());
    place(&mut harness, "Add Consumer");
    let label = "Instances of consumer-1";
    type_into(&mut harness, label, "12");
    assert_eq!(param(&harness, "consumer-1", "instances"), Some(Value::Int(12)));
    press(&mut harness, Key::Escape);
    assert_eq!(param(&harness, "consumer-1", "instances"), None);
    assert_eq!(shown(&harness, label), "");

    type_into(&mut harness, label, "many");
    press(&mut harness, Key::Enter);
    assert_eq!(shown(&harness, label), "many");
    harness.get_by_label_contains("`instances` must be a whole number");
    assert_eq!(param(&harness, "consumer-1", "instances"), None);
    // Another step of the design does not touch it; a new value of the field itself does.
    type_into(&mut harness, label, "3");
    press(&mut harness, Key::Enter);
    assert_eq!(shown(&harness, label), "3");
}

#[test]
fn lists_read_as_words_and_texts_keep_their_lines() {
    let mut harness = window(empty());
    place(&mut harness, "Add API gateway");
    click(&mut harness, "Add to Routes of edge-1");
    harness.get_all_by_label_contains("new").next().expect("the new row").click();
    harness.run_steps(12);
    let label = "Methods of edge-1 new";
    type_into(&mut harness, label, "POST, PUT,");
    assert_eq!(shown(&harness, label), "POST, PUT,");
    press(&mut harness, Key::Enter);
    assert_eq!(shown(&harness, label), "POST, PUT");

    apply(&mut harness, Command::SelectNone);
    let label = "Assumptions of the design";
    focus(&mut harness, label);
    harness.get_by_label(label).type_text("one");
    harness.run_steps(2);
    press(&mut harness, Key::Enter);
    assert_eq!(shown(&harness, label), "one\n");
    harness.get_by_label(label).type_text("two");
    harness.run_steps(2);
    assert_eq!(project(&harness).assumptions, ["one", "two"]);
}

#[test]
fn nudges_and_fields_are_steps_of_their_own() {
    let mut harness = window(empty());
    place(&mut harness, "Add Consumer");
    let at = |harness: &Driven<'_>| project(harness).layout.positions["consumer-1"];
    let start = at(&harness);
    apply(&mut harness, Command::Select(Pick::Component("consumer-1".to_owned()), SelectMode::Replace));
    harness.get_by_label("Add Consumer").focus();
    press(&mut harness, Key::Escape);
    press(&mut harness, Key::ArrowRight);
    press(&mut harness, Key::ArrowRight);
    assert_eq!(at(&harness), [start[0] + 40.0, start[1]]);
    undo(&mut harness);
    assert_eq!(at(&harness), [start[0] + 20.0, start[1]], "each press is a step");
    undo(&mut harness);

    for (label, text) in [("Instances of consumer-1", "2"), ("Service time of consumer-1", "7ms"), ("Instances of consumer-1", "34")] {
        type_into(&mut harness, label, text);
    }
    press(&mut harness, Key::Enter);
    assert_eq!(param(&harness, "consumer-1", "instances"), Some(Value::Int(34)));
    undo(&mut harness);
    assert_eq!(param(&harness, "consumer-1", "instances"), Some(Value::Int(2)));
    undo(&mut harness);
    assert_eq!(param(&harness, "consumer-1", "service_time"), None);
    assert_eq!(param(&harness, "consumer-1", "instances"), Some(Value::Int(2)));
    undo(&mut harness);
    assert_eq!(param(&harness, "consumer-1", "instances"), None);
}

#[test]
fn a_problem_of_a_row_is_shown_at_its_field_and_found_from_the_list() {
    let mut harness = window(empty());
    place(&mut harness, "Add Kafka cluster");
    click(&mut harness, "Add to Topics of kafka-1");
    let row = Value::Map([("replication".to_owned(), Value::Int(5))].into_iter().collect());
    let topics = Value::Map([("topic-1".to_owned(), row)].into_iter().collect());
    let edit = Edit::SetParam { id: "kafka-1".to_owned(), param: "topics".to_owned(), value: Some(topics) };
    apply(&mut harness, Command::Edits(vec![edit]));
    apply(&mut harness, Command::SelectNone);
    apply(&mut harness, Command::ShowTab(SideTab::Problems));
    harness.get_all_by_label_contains("but there are only 3 brokers").next().expect("it is in the list").click();
    harness.run_steps(15);
    let field = harness.get_by_label("Replication factor of kafka-1 topic-1");
    assert!(field.is_focused());
    assert!(field.rect().max.y < 900.0, "it is in view: {:?}", field.rect());
    harness.get_by_label_contains("but there are only 3 brokers");
}

#[test]
fn a_problem_of_a_link_is_shown_in_its_inspector() {
    let mut harness = window(starter().project);
    let link = project(&harness).links[0].clone();
    let value = Some(Value::from("soon"));
    apply(
        &mut harness,
        Command::Edit(Edit::SetLinkParam { from: link.from.clone(), to: link.to.clone(), param: "latency".to_owned(), value }),
    );
    apply(&mut harness, Command::Reveal("links[0].latency".to_owned()));
    harness.run_steps(3);
    let label = format!("Latency of {}", link.id());
    assert!(harness.get_by_label(&label).is_focused());
    harness.get_by_label_contains("`latency`");
}

fn click_in_view(harness: &mut Driven<'_>, label: &str) {
    harness.get_by_label(label).scroll_to_me();
    harness.run_steps(3);
    harness.get_by_label(label).click();
    harness.run_steps(12);
}

#[test]
fn a_scenario_is_made_changed_and_removed_by_hand() {
    let mut design = empty();
    for edit in [
        Edit::AddComponent {
            id: "billing".to_owned(),
            component: Component { kind: "consumer".to_owned(), ..Component::default() },
            position: [0.0, 0.0],
        },
        Edit::SetExpect { expect: vec!["lag(\"billing\") < 100".to_owned()] },
    ] {
        eventyard::model::apply(&mut design, edit).expect("the design is new");
    }
    let mut harness = window(design);
    click_in_view(&mut harness, "Add scenario");
    click_in_view(&mut harness, "scenario-2");
    type_into(&mut harness, "Name of scenario scenario-2", "slow");
    press(&mut harness, Key::Enter);
    type_into(&mut harness, "About of scenario slow", "Billing is slow");
    type_into(&mut harness, "Length of scenario slow", "90s");

    harness.get_by_label_contains("Add override").scroll_to_me();
    harness.run_steps(3);
    harness.get_by_label_contains("Add override").click();
    harness.run_steps(5);
    click(&mut harness, "billing ⏵");
    harness.run_steps(5);
    click_in_view(&mut harness, "Service time");
    type_into(&mut harness, "Service time of billing in scenario slow", "exp(20ms)");
    press(&mut harness, Key::Enter);

    click_in_view(&mut harness, "Add to the timeline of scenario slow");
    harness.get_by_label_contains("billing set").click();
    harness.run_steps(12);
    type_into(&mut harness, "At of entry 1 of scenario slow", "30s");
    press(&mut harness, Key::Enter);
    click_in_view(&mut harness, "scenario slow misses lag(\"billing\") < 100");

    let scenario = project(&harness).scenarios["slow"].clone();
    assert_eq!(scenario.about, "Billing is slow");
    assert_eq!(scenario.length, Some(SimDuration::from_secs(90)));
    assert_eq!(scenario.set["billing"]["service_time"], Value::from("exp(20ms)"));
    assert_eq!(scenario.faults[0].at, SimTime::ZERO + SimDuration::from_secs(30));
    assert_eq!(scenario.misses, ["lag(\"billing\") < 100"]);

    click_in_view(&mut harness, "Duplicate scenario slow");
    assert_eq!(project(&harness).scenarios["slow-2"], scenario);
    click_in_view(&mut harness, "Delete scenario slow");
    assert_eq!(project(&harness).scenarios.keys().collect::<Vec<_>>(), ["slow-2"]);
}

#[test]
fn a_desktop_without_file_dialogs_takes_a_path_by_hand() {
    let mut harness = window(empty());
    place(&mut harness, "Add Consumer");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("by path.ron");
    harness.state_mut().as_mut().expect("it is there").app.path_wish = Some(DialogFor::Save);
    harness.run_steps(3);
    assert_eq!(shown(&harness, "Path of the file"), "design.ron");
    type_into(&mut harness, "Path of the file", file.to_str().expect("it is text"));
    press(&mut harness, Key::Enter);
    assert_eq!(load_file(&file).expect("it was saved").project, project(&harness));
    assert!(harness.query_by_label("Path of the file").is_none());

    apply(&mut harness, Command::ShowDialog("about"));
    harness.get_by_label_contains("Version");
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_label_contains("Version").is_none(), "Escape gives a dialog up");
}

#[test]
fn while_a_run_is_on_fields_show_what_runs_and_the_design_stays() {
    let mut harness = window(starter().project);
    let scenario = project(&harness).scenarios.keys().find(|name| name.as_str() == "billing-too-slow").cloned();
    apply(&mut harness, Command::SetScenario(scenario.expect("the starter has a slow variant")));
    apply(&mut harness, Command::Select(Pick::Component("billing".to_owned()), SelectMode::Replace));
    let label = "Service time of billing";
    let designed = shown(&harness, label);
    apply(&mut harness, Command::SetPace(eventyard::run::Pace::Ratio(1e-4)));
    apply(&mut harness, Command::Play);
    harness.run_steps(3);
    assert_ne!(shown(&harness, label), designed, "the scenario's value is the one that runs");
    type_into(&mut harness, label, "exp(3ms)");
    press(&mut harness, Key::Tab);
    assert_eq!(shown(&harness, label), "exp(3ms)", "it stays after the field is left");
    apply(&mut harness, Command::Stop);
    harness.run_steps(3);
    apply(&mut harness, Command::CloseRun);
    harness.run_steps(3);
    assert_eq!(shown(&harness, label), designed);
}
