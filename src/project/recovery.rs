//! Recovery files: what was not saved yet, for the next start after a crash.
//!
//! A saved project's stands beside it, hidden (`.order-flow.ron.recovery`); that of one never saved stands
//! in the preferences' folder. `app` writes it on a timer, offers it at open, drops it at save and close.

use std::io;
use std::path::{Path, PathBuf};

use super::files::{FileError, read_file, write_atomic};
use super::limits::FILE_BYTES_MAX;
use super::{Loaded, config_dir, read_bytes, write, write_over};
use crate::model::Project;

/// Work that was never saved.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The recovery file.
    pub file: PathBuf,
    /// The project in it, read like any other.
    pub loaded: Loaded,
}

/// Where the recovery file of a project stands.
///
/// # Errors
/// When the project was never saved and the system names no home.
pub fn recovery_path(project_path: Option<&Path>) -> Result<PathBuf, FileError> {
    match project_path.and_then(|path| Some((path, path.file_name()?))) {
        Some((path, name)) => Ok(path.with_file_name(format!(".{}.recovery", name.to_string_lossy()))),
        None => Ok(config_dir()?.join("untitled.recovery")),
    }
}

/// Writes the recovery file, atomically; the project's own file is not touched.
///
/// # Errors
/// When it cannot be written.
#[expect(clippy::disallowed_methods, reason = "this room owns recovery files")]
pub fn write_recovery(project_path: Option<&Path>, project: &Project, old: Option<&str>) -> Result<(), FileError> {
    let file = recovery_path(project_path)?;
    if project_path.is_none()
        && let Some(folder) = file.parent()
    {
        std::fs::create_dir_all(folder).map_err(|source| FileError::Write { path: file.clone(), source })?;
    }
    let text = old.map_or_else(|| write(project), |old| write_over(project, old));
    write_atomic(&file, text.as_bytes())
}

/// The unsaved work of a project, if there is any that can be read and differs from the saved file.
#[must_use]
pub fn find_recovery(project_path: Option<&Path>) -> Option<Recovery> {
    let file = recovery_path(project_path).ok()?;
    let bytes = read_file(&file, FILE_BYTES_MAX).ok()?;
    let saved = project_path.and_then(|path| read_file(path, FILE_BYTES_MAX).ok());
    if saved.is_some_and(|saved| saved == bytes) {
        return None;
    }
    let mut loaded = read_bytes(&bytes, project_path.and_then(Path::parent));
    loaded.path = project_path.map(Path::to_owned);
    Some(Recovery { file, loaded })
}

/// Removes the recovery file; none there is as good.
///
/// # Errors
/// When it cannot be removed.
#[expect(clippy::disallowed_methods, reason = "this room owns recovery files")]
pub fn drop_recovery(project_path: Option<&Path>) -> Result<(), FileError> {
    let file = recovery_path(project_path)?;
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::Write { path: file, source: error }),
        _ => Ok(()),
    }
}
