//! Project files as the command line meets them: load, check, format, export.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::exit::{End, Stop, print, tell};
use crate::compile;
use crate::diagnostics::{Diagnostic, Severity, has_errors};
use crate::export;
use crate::import;
use crate::project::{self, Loaded};

/// One problem a line, each with its file, and how many there are.
#[must_use]
pub fn listing(file: &Path, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let _ = writeln!(out, "{}", line(file, diagnostic));
    }
    let _ = write!(out, "{}: {}", file.display(), count(diagnostics));
    out
}

/// One problem with its file: `shop.ron:12:9: error[param-range] …`.
#[must_use]
pub fn line(file: &Path, diagnostic: &Diagnostic) -> String {
    format!("{}:{}{diagnostic}", file.display(), if diagnostic.place.is_some() { "" } else { " " })
}

fn count(diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let words = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let counts = [(of(Severity::Error), "error"), (of(Severity::Warning), "warning"), (of(Severity::Note), "note")];
    let shown: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| words(*n, word)).collect();
    if shown.is_empty() { "no problems".to_owned() } else { shown.join(", ") }
}

/// Whether a file is there to be read; its contents may be broken.
///
/// # Errors
/// What the file system says.
#[expect(clippy::disallowed_methods, reason = "a question about a file that is not opened here")]
pub fn readable(file: &Path) -> Result<(), Stop> {
    fs::metadata(file).map(drop).map_err(|error| Stop::usage(format!("{}: {error}", file.display())))
}

/// Writes a text to a file.
///
/// # Errors
/// What the file system says.
pub fn write(path: &Path, text: &str) -> Result<(), Stop> {
    export::write_file(path, text).map_err(|error| Stop::usage(format!("{}: {error}", path.display())))
}

/// A project that can be run, whatever its design says; problems of the file go to standard error.
///
/// # Errors
/// A file that cannot be read, or one that is no whole project.
pub fn load_sound(file: &Path) -> Result<Loaded, Stop> {
    let loaded = load(file)?;
    if !loaded.is_sound() {
        return Err(Stop::findings(listing(file, &loaded.diagnostics)));
    }
    Ok(loaded)
}

fn load(file: &Path) -> Result<Loaded, Stop> {
    project::load_file(file).map_err(|error| Stop::usage(error.to_string()))
}

/// Everything that is wrong with a project: what its reader said, then what its design says.
fn problems(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut all = loaded.diagnostics.clone();
    // Of a broken file too: what could be read of it is judged, and `locate` leaves out what has been said.
    all.extend(loaded.locate(compile::check(&loaded.project)));
    all.sort_by_key(|problem| problem.place);
    all
}

/// `eventyard check`: every problem of every file.
///
/// # Errors
/// A file that cannot be read; the others are checked first.
pub fn check(files: &[PathBuf]) -> Result<End, Stop> {
    let (mut end, mut unread) = (End::Fine, Vec::new());
    for file in files {
        match load(file) {
            Ok(loaded) => {
                let problems = problems(&loaded);
                print(&format!("{}\n", listing(file, &problems)))?;
                if has_errors(&problems) {
                    end = End::Findings;
                }
            }
            Err(stop) => unread.push(stop.words),
        }
    }
    if unread.is_empty() { Ok(end) } else { Err(Stop::usage(unread.join("\n"))) }
}

/// `eventyard fmt`: the file in its standard form, written over it unless only asked.
///
/// # Errors
/// A file that cannot be read or written, or whose grammar is broken.
pub fn fmt(file: &Path, only_check: bool) -> Result<End, Stop> {
    let loaded = load(file)?;
    let formatted = project::fmt(&loaded.text).map_err(|problems| Stop::findings(listing(file, &problems)))?;
    if formatted == loaded.text {
        return Ok(End::Fine);
    }
    if only_check {
        tell(&format!("{}: not in its standard form; `eventyard fmt` writes it", file.display()));
        return Ok(End::Findings);
    }
    project::write_atomic(file, formatted.as_bytes()).map_err(|error| Stop::usage(error.to_string()))?;
    Ok(End::Fine)
}

/// `eventyard export`: the design in another format.
///
/// # Errors
/// A file that cannot be read or written, or that is no whole project.
pub fn export(file: &Path, format: &str, out: Option<&Path>) -> Result<End, Stop> {
    let loaded = load_sound(file)?;
    if let Some((folder, files)) = out.zip(export::project_files(&loaded.project, format)) {
        export::write_files(folder, &files).map_err(|error| Stop::usage(format!("{}: {error}", folder.display())))?;
        return Ok(End::Fine);
    }
    let text = export::project_text(&loaded.project, format).ok_or_else(|| Stop::usage(format!("there is no format `{format}`")))?;
    match out {
        Some(path) => write(path, &text)?,
        None => print(&text)?,
    }
    Ok(End::Fine)
}

/// `eventyard import`: another tool's output as a project file. What was left out goes to standard error.
///
/// # Errors
/// A file that cannot be read or written, or that is not of the format.
pub fn import(file: &Path, format: &str, out: Option<&Path>) -> Result<End, Stop> {
    let text = import::text_of(file).map_err(|error| Stop::usage(format!("{}: {error}", file.display())))?;
    let imported = import::read(format, &text).map_err(|problems| Stop::findings(listing(file, &problems)))?;
    if !imported.diagnostics.is_empty() {
        tell(&listing(file, &imported.diagnostics));
    }
    let project = project::write(&imported.project);
    match out {
        Some(path) => write(path, &project)?,
        None => print(&project)?,
    }
    Ok(End::Fine)
}
