//! The whole window, driven by accessible labels: from an empty canvas to a run, a saved file and back.

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, Document};
use eventyard::gui::Window;
use eventyard::metrics::RunPhase;
use eventyard::model::Project;
use eventyard::project::load_file;
use eventyard::run::Pace;

pub(crate) type Driven<'a> = Harness<'a, Option<Window>>;

/// Preferences of a test are nobody's: the folder goes with the test.
pub(crate) fn window<'a>(project: Project) -> Driven<'a> {
    let mut first = Some(project);
    let draw = move |ui: &mut egui::Ui, window: &mut Option<Window>| {
        let window = window.get_or_insert_with(|| Window::with_document(ui.ctx(), Document::new(first.take().unwrap_or_default())));
        window.frame(ui);
    };
    let mut harness = Harness::builder().with_size(egui::vec2(1440.0, 900.0)).build_ui_state(draw, None);
    harness.run_steps(4);
    harness
}

pub(crate) fn empty() -> Project {
    Project { name: "By hand".to_owned(), seed: 1, ..Project::default() }
}

pub(crate) fn project(harness: &Driven<'_>) -> Project {
    Project::clone(harness.state().as_ref().expect("the window is made in the first frame").app.project())
}

pub(crate) fn apply(harness: &mut Driven<'_>, command: Command) {
    harness.state_mut().as_mut().expect("the window is made in the first frame").app.apply(command);
    harness.run_steps(3);
}

/// Focus and Enter: what a person without a pointer does.
pub(crate) fn place(harness: &mut Driven<'_>, label: &str) {
    harness.get_by_label(label).focus();
    harness.run_steps(2);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
}

pub(crate) fn click(harness: &mut Driven<'_>, label: &str) {
    harness.get_by_label(label).click();
    harness.run_steps(3);
}

/// From one port to another with the pointer held, in steps as a hand moves.
fn connect(harness: &mut Driven<'_>, from: &str, to: &str, right_of: Option<f32>) {
    let mut start = harness.get_by_label(from).rect().center();
    start.x += right_of.unwrap_or(0.0);
    let end = harness.get_by_label(to).rect().center();
    harness.hover_at(start);
    harness.run_steps(1);
    harness.drag_at(start);
    harness.run_steps(1);
    for step in 1..=8 {
        harness.hover_at(start + (end - start) * (step as f32 / 8.0));
        harness.run_steps(1);
    }
    harness.drop_at(end);
    harness.run_steps(3);
}

fn run_to_the_end(harness: &mut Driven<'_>) {
    apply(harness, Command::SetPace(Pace::Unlimited));
    // "Run" is a menu and a button; the key means the button.
    harness.key_press(egui::Key::F5);
    for _ in 0..200_000 {
        harness.step();
        let window = harness.state().as_ref().expect("the window is made in the first frame");
        match window.app.view().map(|view| view.phase.clone()) {
            Some(RunPhase::Finished) => return,
            Some(RunPhase::Failed(words)) => panic!("{words}"),
            _ => std::thread::yield_now(),
        }
    }
    panic!("the run did not end");
}

#[test]
fn from_an_empty_canvas_to_a_saved_run() {
    let mut harness = window(empty());
    harness.get_by_label_contains("An empty canvas");
    for kind in ["Add Producer", "Add Kafka cluster", "Add Consumer"] {
        place(&mut harness, kind);
    }
    assert_eq!(project(&harness).components.keys().collect::<Vec<_>>(), ["producer-1", "kafka-1", "consumer-1"]);
    apply(&mut harness, Command::Fit);

    click(&mut harness, "Kafka cluster kafka-1, 1 problem");
    click(&mut harness, "Add to Topics of kafka-1");
    assert!(project(&harness).components["kafka-1"].params.contains_key("topics"));

    connect(&mut harness, "out port of producer-1", "topic-1 port of kafka-1", None);
    let width = harness.get_by_label_contains("Kafka cluster kafka-1").rect().width();
    connect(&mut harness, "topic-1 port of kafka-1", "in port of consumer-1", Some(width));
    let links: Vec<String> = project(&harness).links.iter().map(|link| link.id()).collect();
    assert_eq!(links, ["producer-1.out→kafka-1.topic-1", "kafka-1.topic-1→consumer-1.in"]);

    // A consumer cannot feed a producer: nothing is linked.
    connect(&mut harness, "in port of consumer-1", "out port of producer-1", None);
    assert_eq!(project(&harness).links.len(), 2);

    harness.get_by_label_contains("Producer producer-1").click();
    harness.run_steps(3);
    click(&mut harness, "Add to Events of producer-1");
    harness.get_by_label("Load of producer-1").focus();
    harness.run_steps(2);
    harness.get_by_label("Load of producer-1").type_text("poisson(250/s)");
    harness.run_steps(3);
    let load = |harness: &Driven<'_>| project(harness).components["producer-1"].params.get("load").map(|value| value.to_field_text());
    assert_eq!(load(&harness).as_deref(), Some("poisson(250/s)"));
    apply(&mut harness, Command::Undo);
    assert_eq!(load(&harness), None);
    apply(&mut harness, Command::Redo);
    assert_eq!(load(&harness).as_deref(), Some("poisson(250/s)"));

    run_to_the_end(&mut harness);
    harness.run_steps(5);
    harness.get_by_label_contains("Produced per second");
    let window = harness.state().as_ref().expect("it is there");
    let rate = window.app.view().expect("it ran").cards[0].rate_per_s;
    assert!((230.0..270.0).contains(&rate), "a finished run's card shows the mean: {rate}");
    let report = window.app.view().and_then(|view| view.report.clone()).expect("a finished run has a report");
    assert!(report.ledger.balanced, "{:#?}", report.ledger);
    assert!(report.totals["produced_count"] > 14_000.0 && report.totals["produced_count"] < 16_000.0, "{:?}", report.totals);

    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("by hand.ron");
    apply(&mut harness, Command::SaveTo(file.clone()));
    let saved = load_file(&file).expect("it was saved");
    assert!(saved.is_sound(), "{:?}", saved.diagnostics);
    assert_eq!(saved.project, project(&harness));
    let before = project(&harness);
    apply(&mut harness, Command::New);
    assert!(project(&harness).components.is_empty());
    apply(&mut harness, Command::OpenPath(file));
    assert_eq!(project(&harness), before);
}

#[test]
fn a_broken_file_shows_every_problem_and_keeps_the_design() {
    let mut harness = window(empty());
    place(&mut harness, "Add Producer");
    let before = project(&harness);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("broken.ron");
    std::fs::write(
        &file,
        "(format: 1, name: \"x\", nme: 3,\n components: {\"a\": (kind: 7), \"a\": (kind: \"producer\")},\n links: [(from: \"a.out\")])",
    )
    .expect("it can be written");
    apply(&mut harness, Command::OpenPath(file));
    // The changed design is asked for first.
    click(&mut harness, "Discard");
    harness.get_by_label_contains("This file cannot be opened");
    assert!(harness.query_all_by_label_contains("line 2").count() >= 1);
    click(&mut harness, "Close");
    assert_eq!(project(&harness), before);
}
