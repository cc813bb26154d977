//! The application without a window.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, AppState, COPY_EVERY_S, Command, Document, Pick};
use crate::model::{Component, Edit, Project};
use crate::project::{load_file, read, recovery_path, save_file};

fn app(document: Document) -> AppState {
    let mut app = AppState::new(document, Arc::new(|| {}));
    app.keep_recovery_copies();
    app
}

fn add(id: &str) -> Command {
    let component = Component { kind: "consumer".to_owned(), ..Component::default() };
    Command::Edit(Edit::AddComponent { id: id.to_owned(), component, position: [0.0, 0.0] })
}

/// A saved design with a change that a copy holds, as if the program had just been killed.
fn killed(folder: &Path) -> (PathBuf, Project) {
    let file = folder.join("design.ron");
    save_file(&file, &Project { name: "Design".to_owned(), ..Project::default() }, None).expect("there is room");
    let mut app = app(Document::loaded(load_file(&file).expect("it was just saved")));
    app.apply(add("billing"));
    assert_eq!(app.tick(100.0), Some(COPY_EVERY_S));
    app.tick(100.0 + COPY_EVERY_S);
    let project = Project::clone(app.project());
    (file, project)
}

fn copy_of(file: &Path) -> PathBuf {
    recovery_path(Some(file)).expect("it stands beside the file")
}

#[test]
fn a_copy_is_written_when_it_is_due_and_not_before() {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("design.ron");
    let mut app = app(Document::new(Project::default()));
    app.document.save_to(&file).expect("there is room");
    assert_eq!(app.tick(0.0), None, "nothing is changed");
    app.apply(add("billing"));
    app.tick(1.0);
    app.apply(add("shipping"));
    assert!(app.tick(COPY_EVERY_S).is_some_and(|left| left <= 1.0), "a later change puts nothing off");
    app.settle_recovery();
    assert!(!copy_of(&file).exists());
    assert_eq!(app.tick(1.0 + COPY_EVERY_S), None);
    app.settle_recovery();
    assert!(copy_of(&file).exists());
    assert_eq!(app.tick(100.0), None, "the copy holds everything");

    app.apply(Command::Undo);
    app.apply(Command::Undo);
    app.tick(101.0);
    app.settle_recovery();
    assert!(!copy_of(&file).exists(), "a design as saved needs none");
}

#[test]
fn what_a_crash_left_is_offered_and_can_be_taken_over() {
    let folder = tempfile::tempdir().expect("there is room");
    let (file, lost) = killed(folder.path());
    assert!(copy_of(&file).exists());

    let mut app = app(Document::new(Project::default()));
    app.apply(Command::OpenPath(file.clone()));
    assert!(app.project().components.is_empty(), "the file is shown as it is");
    assert!(app.recovery.is_some());
    app.apply(Command::Recover);
    assert_eq!(**app.project(), lost);
    assert!(app.document.is_dirty());
    assert!(copy_of(&file).exists(), "until it is saved");
    app.apply(Command::Save);
    app.settle_recovery();
    assert!(!copy_of(&file).exists());
    assert_eq!(load_file(&file).expect("it was saved").project, lost);
}

#[test]
fn what_is_not_wanted_is_not_offered_again() {
    let folder = tempfile::tempdir().expect("there is room");
    let (file, _) = killed(folder.path());
    let mut app = app(Document::new(Project::default()));
    app.offer_recovery(Some(&file));
    app.apply(Command::DropRecovery);
    app.settle_recovery();
    assert!(!copy_of(&file).exists());
    app.apply(Command::OpenPath(file));
    assert!(app.recovery.is_none());
}

#[test]
fn a_clean_close_leaves_no_copy() {
    let folder = tempfile::tempdir().expect("there is room");
    let (file, _) = killed(folder.path());
    let mut app = app(Document::new(Project::default()));
    app.apply(Command::OpenPath(file.clone()));
    app.apply(Command::Recover);
    app.apply(Command::Quit);
    assert!(!app.quit, "unsaved changes are asked for");
    app.apply(Command::Answer(Answer::Discard));
    assert!(app.quit);
    drop(app);
    assert!(!copy_of(&file).exists());
}

/// Three consumers that nobody placed, and one that stands far away.
const UNPLACED: &str = r#"(format: 1, name: "Unplaced", seed: 1,
    components: {
        "web": (kind: "producer", events: [(type: "Placed", topic: "orders")]),
        "shop": (kind: "kafka", topics: {"orders": (partitions: 1, replication: 1)}),
        "billing": (kind: "consumer", group: "billing"),
        "apart": (kind: "consumer", group: "apart"),
    },
    links: [(from: "web.out", to: "shop.orders"), (from: "shop.orders", to: "billing.in"), (from: "shop.orders", to: "apart.in")],
    layout: (positions: {"apart": (900, 40)}, frames: [(label: "Orders", position: (0, 0), size: (50, 50), members: ["shop", "billing"])]),
)"#;

#[test]
fn a_design_without_places_opens_laid_out_and_unchanged() {
    let app = app(Document::loaded(read(UNPLACED)));
    let places = &app.project().layout.positions;
    assert_eq!(places["apart"], [900.0, 40.0], "what a person placed stays");
    assert!(places["web"][0] < places["shop"][0] && places["shop"][0] < places["billing"][0], "{places:?}");
    assert!(!app.document.is_dirty(), "nothing to save");
    assert!(!app.document.can_undo());
}

#[test]
fn arranging_moves_everything_in_one_step_and_frames_follow_their_members() {
    let mut app = app(Document::loaded(read(UNPLACED)));
    let before = Project::clone(app.project());
    app.apply(Command::Arrange);
    let layout = &app.project().layout;
    assert_eq!(layout.positions["apart"][0], layout.positions["billing"][0], "both read the same topic");
    let frame = &layout.frames[0];
    for member in &frame.members {
        for axis in 0..2 {
            let at = layout.positions[member][axis];
            assert!(frame.position[axis] < at && at < frame.position[axis] + frame.size[axis], "{member} is outside {frame:?}");
        }
    }
    app.apply(Command::Undo);
    assert_eq!(**app.project(), before);
    assert!(!app.document.can_undo(), "it was one step");
}

#[test]
fn arranging_a_selection_leaves_the_rest() {
    let mut app = app(Document::loaded(read(UNPLACED)));
    let before = app.project().layout.positions.clone();
    app.apply(Command::SelectOnly(vec![Pick::Component("billing".to_owned()), Pick::Component("apart".to_owned())]));
    app.apply(Command::Arrange);
    let after = &app.project().layout.positions;
    assert_eq!((after["web"], after["shop"]), (before["web"], before["shop"]));
    assert_ne!(after["apart"], before["apart"]);
}
