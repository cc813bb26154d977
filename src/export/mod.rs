//! From a finished project or report to other formats: one file a format, and one explicit list.
//!
//! In: a [`Project`] or a [`Report`], as data. Out: text; [`write_file`] puts it on disk.
//! Must not know: the window, the command line. Texts of a project are hostile: every format escapes them.
//! Start at [`Exporter`] and [`ALL`]; adding a format is one file and one line there.

pub mod support;

mod cloudformation;
mod dot;
mod frameworks;
mod html;
mod json;
mod kafka_topics;
mod kong;
mod mermaid;
mod openapi;
mod report_json;
mod ron;
mod strimzi;
mod svg;

use std::fs;
use std::io;
use std::path::Path;

use crate::metrics::Report;
use crate::model::Project;

/// What an exporter is given.
#[derive(Clone, Copy)]
pub enum Writer {
    /// A design.
    Project(fn(&Project) -> String),
    /// A design, as files with their paths below a folder.
    Folder(fn(&Project) -> Vec<(String, String)>),
    /// A design and what a run of it gave.
    Report(fn(&Project, &Report) -> String),
}

/// One format.
#[derive(Clone, Copy)]
pub struct Exporter {
    /// On the command line: `mermaid`.
    pub name: &'static str,
    /// Of a file, without the dot.
    pub extension: &'static str,
    /// One sentence for help and menus.
    pub help: &'static str,
    /// What it makes of it.
    pub write: Writer,
}

/// Every format, in the order of menus.
pub const ALL: &[Exporter] = &[
    ron::EXPORTER,
    json::EXPORTER,
    mermaid::EXPORTER,
    dot::EXPORTER,
    svg::EXPORTER,
    kafka_topics::EXPORTER,
    strimzi::EXPORTER,
    cloudformation::EXPORTER,
    frameworks::SPRING,
    frameworks::MICRONAUT,
    kong::EXPORTER,
    openapi::EXPORTER,
    html::EXPORTER,
    report_json::EXPORTER,
];

/// Names of the formats that a design can be written in.
#[must_use]
pub fn project_formats() -> Vec<&'static str> {
    ALL.iter().filter(|exporter| !matches!(exporter.write, Writer::Report(_))).map(|exporter| exporter.name).collect()
}

/// A design in the format called `name`; none when there is no such format for designs.
#[must_use]
pub fn project_text(project: &Project, name: &str) -> Option<String> {
    ALL.iter().filter(|exporter| exporter.name == name).find_map(|exporter| match exporter.write {
        Writer::Project(write) => Some(write(project)),
        Writer::Folder(write) => Some(write(project).iter().map(|(path, text)| format!("==> {path} <==\n{text}\n")).collect()),
        Writer::Report(_) => None,
    })
}

/// The files of a design in the format called `name`, if that is a folder's.
#[must_use]
pub fn project_files(project: &Project, name: &str) -> Option<Vec<(String, String)>> {
    ALL.iter().filter(|exporter| exporter.name == name).find_map(|exporter| match exporter.write {
        Writer::Folder(write) => Some(write(project)),
        Writer::Project(_) | Writer::Report(_) => None,
    })
}

/// The report page: one self-contained HTML file.
#[must_use]
pub fn report_html(project: &Project, report: &Report) -> String {
    html::page(project, report)
}

/// The report as JSON, field by field as README.md documents it.
#[must_use]
pub fn report_json(report: &Report) -> String {
    report_json::text(report)
}

/// Writes an exported text.
///
/// # Errors
/// Whatever the file system says.
#[expect(clippy::disallowed_methods, reason = "exports are files; this is the one place that writes them")]
pub fn write_file(path: &Path, text: &str) -> io::Result<()> {
    fs::write(path, text)
}

/// Writes exported files below a folder.
///
/// # Errors
/// Whatever the file system says.
#[expect(clippy::disallowed_methods, reason = "exports are files; this is the one place that writes them")]
pub fn write_files(folder: &Path, files: &[(String, String)]) -> io::Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

/// The file name extension of the format called `name`.
#[must_use]
pub fn extension(name: &str) -> &'static str {
    ALL.iter().find(|exporter| exporter.name == name).map_or("txt", |exporter| exporter.extension)
}
