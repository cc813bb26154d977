//! The open design: the model, the text it came from, what is wrong with it, and its past.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arrange::place_unplaced;
use crate::compile;
use crate::diagnostics::Diagnostic;
use crate::model::{Edit, EditError, Project, apply};
use crate::project::{self, FileError, Loaded};

/// Undo steps kept; older ones are forgotten.
pub const UNDO_MAX: usize = 200;

/// A design that is open.
#[derive(Clone, Debug)]
pub struct Document {
    project: Arc<Project>,
    path: Option<PathBuf>,
    /// The text it was read from or saved as; empty for a new one.
    text: String,
    saved: Arc<Project>,
    diagnostics: Vec<Diagnostic>,
    undo: Vec<Arc<Project>>,
    redo: Vec<Arc<Project>>,
    /// The gesture or field whose changes join the newest undo step.
    live: Option<String>,
    /// Grows with every change.
    revision: u64,
}

impl Document {
    /// A document of its own, never saved.
    #[must_use]
    pub fn new(project: Project) -> Self {
        let project = Arc::new(project);
        let mut document = Self {
            saved: Arc::clone(&project),
            project,
            path: None,
            text: String::new(),
            diagnostics: Vec::new(),
            undo: Vec::new(),
            redo: Vec::new(),
            live: None,
            revision: 0,
        };
        document.check();
        document
    }
    /// A document that was read; it must be sound. Cards without a place get one, which is no change to save.
    #[must_use]
    pub fn loaded(loaded: Loaded) -> Self {
        let mut project = loaded.project;
        place_unplaced(&mut project);
        let mut document = Self::new(project);
        document.path = loaded.path;
        document.text = loaded.text;
        document
    }
    /// A design that no file holds yet.
    #[must_use]
    pub fn imported(mut project: Project) -> Self {
        place_unplaced(&mut project);
        Self { saved: Arc::new(Project::default()), ..Self::new(project) }
    }
    /// Work that a crash left behind, over what its file holds.
    #[must_use]
    pub fn recovered(loaded: Loaded, saved: Project) -> Self {
        Self { saved: Arc::new(saved), ..Self::loaded(loaded) }
    }
    /// The design.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }
    /// Its file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
    /// The text that it was read from or saved as; empty for a new one.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
    /// What is wrong with it now.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
    /// Whether there is something to save.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !Arc::ptr_eq(&self.project, &self.saved) && *self.project != *self.saved
    }
    /// Grows with every change.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }
    /// Whether there is something to undo.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }
    /// Whether there is something to redo.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// Carries out edits as one undo step, or none of them.
    ///
    /// # Errors
    /// The first edit that cannot be carried out.
    pub fn edit(&mut self, edits: Vec<Edit>) -> Result<(), EditError> {
        self.live = None;
        self.change(edits, true)
    }
    /// Carries out edits; all with the same key, one after another, are one undo step.
    ///
    /// # Errors
    /// The first edit that cannot be carried out.
    pub fn edit_live(&mut self, key: String, edits: Vec<Edit>) -> Result<(), EditError> {
        let new_step = self.live.as_ref() != Some(&key);
        self.change(edits, new_step)?;
        self.live = Some(key);
        Ok(())
    }
    /// The gesture or field is let go: the next change is a step of its own.
    pub fn end_live(&mut self) {
        self.live = None;
    }
    fn change(&mut self, edits: Vec<Edit>, new_step: bool) -> Result<(), EditError> {
        let mut next = Project::clone(&self.project);
        for edit in edits {
            apply(&mut next, edit)?;
        }
        if next == *self.project {
            return Ok(());
        }
        if !new_step && self.undo.last().is_some_and(|before| **before == next) {
            // What was typed was given up again: nothing is left to undo.
            self.undo.pop();
        } else if new_step {
            if self.undo.len() >= UNDO_MAX {
                self.undo.remove(0);
            }
            self.undo.push(Arc::clone(&self.project));
        }
        self.redo.clear();
        self.replace(Arc::new(next));
        Ok(())
    }
    /// Back one step.
    pub fn undo(&mut self) -> bool {
        let Some(previous) = self.undo.pop() else { return false };
        self.redo.push(Arc::clone(&self.project));
        self.live = None;
        self.replace(previous);
        true
    }
    /// Forth one step.
    pub fn redo(&mut self) -> bool {
        let Some(next) = self.redo.pop() else { return false };
        self.undo.push(Arc::clone(&self.project));
        self.live = None;
        self.replace(next);
        true
    }
    fn replace(&mut self, project: Arc<Project>) {
        self.project = project;
        self.revision += 1;
        self.check();
    }
    fn check(&mut self) {
        self.diagnostics = compile::check(&self.project);
    }

    /// Writes the design to a file: atomically, comments of the old text kept.
    ///
    /// # Errors
    /// What the file system says; the document stays changed.
    pub fn save_to(&mut self, path: &Path) -> Result<(), FileError> {
        let text = project::save_file(path, &self.project, Some(self.text.as_str()).filter(|text| !text.is_empty()))?;
        self.text = text;
        self.path = Some(path.to_path_buf());
        self.saved = Arc::clone(&self.project);
        Ok(())
    }
}
