//! From other tools' output to a project: one file a format, and one explicit list.
//!
//! In: a text. Out: a design, and what could not be taken over, each with its line. Must not know: the window, the command
//! line. Texts are hostile: sizes are limited and nothing in them is believed.
//! Start at [`Importer`] and [`ALL`]; adding a format is one file and one line there.

mod kafka_topics;
mod kong;

use std::io::{self, Read};
use std::path::Path;

use crate::diagnostics::{Diagnostic, has_errors};
use crate::model::Project;

/// Longest text that is read.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// What came of a text.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The design; as far as it could be read when there are errors.
    pub project: Project,
    /// What is wrong with the text, and what of it Eventyard does not know.
    pub diagnostics: Vec<Diagnostic>,
}

/// One format.
#[derive(Clone, Copy)]
pub struct Importer {
    /// On the command line: `kafka-topics`.
    pub name: &'static str,
    /// One sentence for help and menus.
    pub help: &'static str,
    read: fn(&str) -> Imported,
}

/// Every format, in the order of menus.
pub const ALL: &[Importer] = &[kafka_topics::IMPORTER, kong::IMPORTER];

/// Names of the formats.
#[must_use]
pub fn formats() -> Vec<&'static str> {
    ALL.iter().map(|importer| importer.name).collect()
}

/// Reads a text of a format.
///
/// # Errors
/// Everything that keeps the text from being a design; [`Imported::diagnostics`] of a design are warnings and notes.
pub fn read(format: &str, text: &str) -> Result<Imported, Vec<Diagnostic>> {
    let Some(importer) = ALL.iter().find(|importer| importer.name == format) else {
        return Err(vec![Diagnostic::error("import-format", "", format!("there is no format `{format}`"))]);
    };
    if text.len() > TEXT_BYTES_MAX {
        return Err(vec![Diagnostic::error("import-size", "", format!("the text is larger than {} MiB", TEXT_BYTES_MAX >> 20))]);
    }
    let imported = (importer.read)(text);
    if has_errors(&imported.diagnostics) { Err(imported.diagnostics) } else { Ok(imported) }
}

/// A text of a file, or of standard input for `-`; what is beyond [`TEXT_BYTES_MAX`] is not read.
///
/// # Errors
/// What the file system says; bytes that are no text.
pub fn text_of(path: &Path) -> io::Result<String> {
    String::from_utf8(bytes_of(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its bytes are no UTF-8 text"))
}

/// The same for bytes of any kind.
///
/// # Errors
/// What the file system says.
#[expect(clippy::disallowed_methods, reason = "importing reads what it is pointed at")]
pub fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let limit = TEXT_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        io::stdin().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
