//! The project file: text ⇄ design, with every problem at its line and column, and comments that survive a save.
//!
//! In: RON (or JSON) text, files. Out: a [`Loaded`] project, or the text of one; atomic saves, recovery
//! files, preferences. RON is read by a grammar of our own that keeps comments and places and goes on after
//! an error; limits bound what a hostile file can cost.
//! Must not know: kinds of components (their parameters are `compile`'s to check), runs, the window.
//! Start at [`load_file`], [`read`], [`write_over`].
//!
//! ```text
//! text ─ lexer ─ parse ─► tree ─ migrate ─ read ─► Project + diagnostics + places
//! Project ─ render ─► tree ─ carry (comments and spelling of the old tree) ─ print ─► text
//! ```

mod carry;
mod fields;
mod files;
mod format;
mod lexer;
mod limits;
mod literal;
mod migrate;
mod parse;
mod places;
mod preferences;
mod print;
mod read;
mod recovery;
mod render;
mod schemas;
mod starter;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use files::{FileError, load_file, save_file, write_atomic};
pub use limits::{DEPTH_MAX, FILE_BYTES_MAX, NODES_MAX, PROBLEMS_MAX, SCHEMA_BYTES_MAX, TEXT_BYTES_MAX};
pub use migrate::FORMAT;
pub use places::PlaceIndex;
pub use preferences::{Preferences, RECENT_MAX, Theme, config_dir};
pub use recovery::{Recovery, drop_recovery, find_recovery, recovery_path, write_recovery};
pub use starter::starter;

use crate::diagnostics::{Diagnostic, Place, Severity, has_errors};
use crate::model::Project;

/// A project as it was read: whole only if [`Loaded::is_sound`].
#[derive(Clone, Debug)]
pub struct Loaded {
    /// As much as could be read.
    pub project: Project,
    /// What is wrong with the text, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Finds the place of a project path.
    pub places: PlaceIndex,
    /// The text, to save over.
    pub text: String,
    /// The file, if it came from one.
    pub path: Option<PathBuf>,
}

impl Loaded {
    /// Whether nothing of the text was lost or refused. A dangling link is an error of the design and keeps
    /// it from running, but the design is whole.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.diagnostics.iter().all(|d| d.severity != Severity::Error || d.code == "link-dangling" || d.code.starts_with("schema-"))
    }

    /// `compile`'s diagnostics with places in this text. What reading said of the same path already is left out.
    #[must_use]
    pub fn locate(&self, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let said = |d: &Diagnostic| self.diagnostics.iter().any(|own| own.path == d.path && own.severity >= d.severity);
        diagnostics.into_iter().filter(|d| !said(d)).map(|d| self.places.locate(d)).collect()
    }
}

/// Reads a text that has no folder: schemas by path stay empty.
#[must_use]
pub fn read(text: &str) -> Loaded {
    read_in(text, None)
}

/// Reads a text; schemas by path are read from `folder`.
#[must_use]
pub fn read_in(text: &str, folder: Option<&Path>) -> Loaded {
    let (mut document, problems) = parse::parse(text);
    let mut reader = fields::Reader { problems };
    // The tree as written answers for places; a migration may move things.
    let written = Arc::new(document.clone());
    let (mut project, uses) = read::project(&mut document, &mut reader);
    if let Some(folder) = folder {
        schemas::load(&mut project, &uses, folder, &mut reader);
    }
    let mut diagnostics = reader.problems;
    diagnostics.sort_by_key(|d| d.place);
    Loaded { project, diagnostics, places: PlaceIndex::new(Some(written)), text: text.to_owned(), path: None }
}

/// Reads bytes of unknown content; anything but UTF-8 is a diagnostic.
#[must_use]
pub fn read_bytes(bytes: &[u8], folder: Option<&Path>) -> Loaded {
    match std::str::from_utf8(bytes) {
        Ok(text) => read_in(text, folder),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let line_start = good.rfind('\n').map_or(0, |at| at + 1);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let place = Place { line: count(1 + good.matches('\n').count()), column: count(1 + good[line_start..].chars().count()) };
            let diagnostic = Diagnostic::error("not-utf8", "", "this is not UTF-8 text").at(place);
            let diagnostic = diagnostic.with_hint("save the file as UTF-8; a project is text, not an archive or an image");
            let places = PlaceIndex::new(None);
            Loaded { project: Project::default(), diagnostics: vec![diagnostic], places, text: good, path: None }
        }
    }
}

/// The text of a project that was never saved.
#[must_use]
pub fn write(project: &Project) -> String {
    let document = tree::Document { attributes: Vec::new(), before: Vec::new(), root: render::project(project), after: Vec::new() };
    print::ron(&document, "")
}

/// The text of a project that was read from `old` and edited: comments, spelling and order of what did not
/// change are kept; a project that did not change gives `old` itself.
#[must_use]
pub fn write_over(project: &Project, old: &str) -> String {
    let before = read(old);
    if is_json(old) {
        return if before.is_sound() && to_json(&before.project) == to_json(project) { old.to_owned() } else { to_json(project) };
    }
    let (document, problems) = parse::parse(old);
    if before.is_sound() && write(&before.project) == write(project) {
        return old.to_owned();
    }
    // A text that cannot be read has nothing safe to keep.
    if has_errors(&problems) {
        return write(project);
    }
    let text = print::ron(&carry::over(&document, render::project(project)), old);
    debug_assert_eq!(write(&read(&text).project), write(project), "a save must say what the design says");
    text
}

/// The project as JSON, which [`read`] reads too.
#[must_use]
pub fn to_json(project: &Project) -> String {
    print::json(&render::project(project))
}

/// A hand-written text in the form of a save, comments kept. JSON stays JSON.
///
/// # Errors
/// Every error of grammar; mistakes of other kinds do not hinder.
pub fn fmt(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (mut document, problems) = parse::parse(text);
    if has_errors(&problems) {
        return Err(problems);
    }
    format::normalise(&mut document.root);
    Ok(if is_json(text) { print::json(&document.root) } else { print::ron(&document, text) })
}

fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}
