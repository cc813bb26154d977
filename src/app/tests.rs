//! The application without a window.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, AppState, COPY_EVERY_S, Command, Document};
use crate::model::{Component, Edit, Project};
use crate::project::{load_file, recovery_path, save_file};

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
