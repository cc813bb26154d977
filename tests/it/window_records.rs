//! What a topic holds, looked at in the window: while a run is on, when it is held, and after its end.

use egui_kittest::kittest::Queryable;
use eventyard::app::{Command, DockTab, Pick, SelectMode};
use eventyard::event::{Answer, LogPage};
use eventyard::metrics::{RunPhase, RunView};
use eventyard::model::Project;
use eventyard::project::{load_file, starter};
use eventyard::run::Pace;

use crate::window::{Driven, apply, click, window};

pub(crate) fn sample(name: &str) -> Project {
    load_file(std::path::Path::new(&format!("{}/projects/{name}.ron", env!("CARGO_MANIFEST_DIR")))).expect("the sample is there").project
}

pub(crate) fn view<'a>(harness: &'a Driven<'_>) -> Option<&'a RunView> {
    harness.state().as_ref().and_then(|window| window.app.view()).map(|view| &**view)
}

fn page<'a>(harness: &'a Driven<'_>) -> Option<&'a LogPage> {
    match view(harness)?.browsed.as_deref()?.answer.as_ref()? {
        Answer::Log(page) => Some(page),
        _ => None,
    }
}

/// Waits for the worker, frame by frame.
pub(crate) fn until(harness: &mut Driven<'_>, what: &str, holds: impl Fn(&Driven<'_>) -> bool) {
    for _ in 0..20_000 {
        harness.run_steps(1);
        if holds(harness) {
            harness.run_steps(3);
            return;
        }
        std::thread::yield_now();
    }
    panic!("never: {what}");
}

fn run_to_the_end(harness: &mut Driven<'_>) {
    apply(harness, Command::SetPace(Pace::Unlimited));
    apply(harness, Command::Play);
    until(harness, "the run ends", |harness| view(harness).is_some_and(|view| view.phase == RunPhase::Finished));
}

fn go_to(harness: &mut Driven<'_>, place: &str) {
    let field = harness.get_by_label("Go to offset or time");
    field.focus();
    harness.run_steps(2);
    harness.get_by_label("Go to offset or time").type_text(place);
    harness.run_steps(2);
    harness.key_press(egui::Key::Enter);
    harness.run_steps(3);
}

#[test]
fn a_log_is_paged_and_a_record_opened() {
    let mut harness = window(starter().project);
    run_to_the_end(&mut harness);
    apply(&mut harness, Command::Select(Pick::Component("shop".to_owned()), SelectMode::Replace));
    click(&mut harness, "Browse records");
    until(&mut harness, "the newest records are there", |harness| page(harness).is_some());
    let newest = page(&harness).expect("it is there").clone();
    let end = newest.marks.log_end;
    assert!(end > 400, "there is more than a page: {end}");
    assert_eq!(newest.rows.last().map(|row| row.offset), Some(end - 1));
    harness.get_by_label_contains(&format!("Record {}", grouped(end - 1)));
    harness.get_by_label_contains("end of the log");

    go_to(&mut harness, "150");
    until(&mut harness, "the page begins at 150", |harness| page(harness).is_some_and(|page| page.rows[0].offset == 150));
    click(&mut harness, "Earlier records");
    until(&mut harness, "the page begins at the start", |harness| page(harness).is_some_and(|page| page.rows[0].offset == 0));
    click(&mut harness, "To the start");
    harness.run_steps(20);
    harness.get_by_label_contains("Record 3,").click();
    until(&mut harness, "the record is opened", |harness| view(harness).and_then(|view| view.browsed.as_ref()?.opened.as_ref()).is_some());
    harness.get_by_label("ce_specversion");
    let opened = view(&harness).and_then(|view| view.browsed.as_ref()?.opened.clone()).expect("it is there");
    assert!(opened.payload.starts_with('{') && opened.schema.is_some(), "{opened:?}");
    // It stays open while one pages on.
    click(&mut harness, "Follow the end");
    harness.run_steps(10);
    harness.get_by_label("ce_specversion");
    click(&mut harness, "Close record");
    harness.run_steps(10);
    assert!(harness.query_by_label("ce_specversion").is_none());
}

fn grouped(number: u64) -> String {
    eventyard::gui::panels::figures::whole(number)
}

#[test]
fn a_partition_leads_to_its_records_while_the_run_is_held() {
    let mut harness = window(starter().project);
    apply(&mut harness, Command::SetPace(Pace::Unlimited));
    apply(&mut harness, Command::Play);
    until(&mut harness, "the run is under way", |harness| view(harness).is_some_and(|view| view.totals.delivered > 200));
    apply(&mut harness, Command::Pause);
    click(&mut harness, "Partitions");
    until(&mut harness, "the partitions are there", |harness| harness.query_by_label_contains("Partition orders[2], led by").is_some());
    harness.get_by_label_contains("Partition orders[2], led by").click();
    until(&mut harness, "its records are there", |harness| page(harness).is_some());
    let app = &harness.state().as_ref().expect("it is there").app;
    let browse = app.browse.clone().expect("something is looked at");
    assert_eq!((&*browse.topic, browse.partition, app.dock), ("orders", 2, DockTab::Records));
}

#[test]
fn transactions_show_their_markers_and_compaction_its_holes() {
    let mut harness = window(sample("exactly-once"));
    run_to_the_end(&mut harness);
    apply(&mut harness, Command::ShowDock(DockTab::Records));
    until(&mut harness, "a page is there", |harness| page(harness).is_some());
    let shelves: Vec<_> = harness.state().as_ref().and_then(|window| window.app.running.as_ref()).expect("it ran").shelves().to_vec();
    let transactional = shelves.iter().any(|shelf| {
        apply(&mut harness, Command::Browse(eventyard::app::Browse::newest(&shelf.component, &shelf.topic, 0)));
        harness.run_steps(30);
        harness.query_all_by_label_contains("Commit: a transaction ends").next().is_some()
    });
    assert!(transactional, "no marker in {shelves:?}");

    let mut harness = window(sample("compacted-state"));
    run_to_the_end(&mut harness);
    apply(&mut harness, Command::ShowDock(DockTab::Records));
    until(&mut harness, "a page is there", |harness| page(harness).is_some());
    click(&mut harness, "To the start");
    harness.run_steps(30);
    assert!(harness.query_all_by_label_contains("ompacted away").next().is_some());
}
