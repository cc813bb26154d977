//! Project files on the disk: bounded reads, atomic writes.
//!
//! A save writes a temporary file in the same folder, syncs it and renames it over the old one, so that a
//! crash leaves either the old file or the new one. Permissions and symbolic links of the old file stay.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::limits::FILE_BYTES_MAX;
use super::{Loaded, read_bytes, schemas, to_json, write_over};
use crate::model::Project;

/// What the disk refused.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path names a folder, a pipe, a device.
    #[error("{} is not a file", path.display())]
    NoFile {
        /// Which path.
        path: PathBuf,
    },
    /// The file could not be written; the old one, if any, is as it was.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A schema's path would lead out of the project's folder.
    #[error("schema `{name}` was not saved: `{path}` leaves the project's folder")]
    SchemaPath {
        /// Which schema.
        name: String,
        /// Its path as written.
        path: String,
    },
    /// There is no folder for preferences and recovery files on this system.
    #[error("no folder for preferences: the system names no home")]
    NoHome,
}

/// Reads a project and the schema files that it names. What is wrong inside is in `diagnostics`.
///
/// # Errors
/// When the file itself cannot be read.
pub fn load_file(path: &Path) -> Result<Loaded, FileError> {
    let bytes = read_file(path, FILE_BYTES_MAX)?;
    let mut loaded = read_bytes(&bytes, Some(folder_of(path)));
    loaded.path = Some(path.to_owned());
    Ok(loaded)
}

/// Saves a project over the text it was loaded from (`old`, if it was), then gives the text written. A path
/// ending in `.json` gets JSON. Schemas kept in files are written where they changed.
///
/// # Errors
/// When a file cannot be written; nothing is left half-written.
pub fn save_file(path: &Path, project: &Project, old: Option<&str>) -> Result<String, FileError> {
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = match old {
        _ if json => to_json(project),
        // JSON read from elsewhere and saved as RON has nothing of RON's to keep.
        Some(old) if !super::is_json(old) => write_over(project, old),
        _ => super::write(project),
    };
    for (name, schema) in &project.schemas {
        // Empty text: the file could not be read; it must not be emptied for that.
        if let Some(relative) = schema.path.as_ref().filter(|_| !schema.text.is_empty()) {
            save_schema(folder_of(path), name, relative, &schema.text)?;
        }
    }
    write_atomic(path, text.as_bytes())?;
    Ok(text)
}

#[expect(clippy::disallowed_methods, reason = "this room owns the project's files")]
fn save_schema(folder: &Path, name: &str, relative: &str, text: &str) -> Result<(), FileError> {
    let refused = || FileError::SchemaPath { name: name.to_owned(), path: relative.to_owned() };
    schemas::check_path(relative).map_err(|_| refused())?;
    let target = folder.join(relative);
    let failed = |source| FileError::Write { path: target.clone(), source };
    if read_file(&target, text.len() + 1).is_ok_and(|bytes| bytes == text.as_bytes()) {
        return Ok(());
    }
    let home = std::fs::canonicalize(folder).map_err(failed)?;
    // The deepest part that exists decides where a new folder would be made.
    let existing = target.ancestors().find(|part| part.exists()).unwrap_or(folder);
    if !std::fs::canonicalize(existing).map_err(failed)?.starts_with(&home) {
        return Err(refused());
    }
    std::fs::create_dir_all(folder_of(&target)).map_err(failed)?;
    write_atomic(&target, text.as_bytes())
}

/// A file's bytes, at most one more than `bytes_max`: the caller sees that it is too large without holding it.
#[expect(clippy::disallowed_methods, reason = "this room owns the project's files")]
pub(super) fn read_file(path: &Path, bytes_max: usize) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    // A pipe or a device could make us wait for ever.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FileError::NoFile { path: path.to_owned() });
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// Writes all of the bytes or none.
///
/// # Errors
/// When the file cannot be written; an older one is then as it was.
#[expect(clippy::disallowed_methods, reason = "this room owns the project's files")]
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    // Through a symbolic link: the link stays, its target is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = folder_of(&target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".eventyard-").suffix(".tmp");
    #[cfg(unix)]
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    // The user's mask cuts this down, as for any new file.
    #[cfg(unix)]
    builder.permissions(everyone);
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    if let Ok(metadata) = std::fs::metadata(&target) {
        file.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&target).map_err(|error| failed(error.error))?;
    // The rename itself is on the disk only when the folder is. Not every file system can; the file is safe then too.
    #[cfg(unix)]
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// The folder that a file stands in; `.` for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
