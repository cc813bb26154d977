//! How a command ends: four exit codes, and what a person is told.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// 0: fine.
    Fine,
    /// 1: the project has problems, or an expectation was missed.
    Findings,
    /// 2: wrong usage, or a file that cannot be read or written.
    Usage,
    /// 3: Eventyard itself failed.
    OurFailure,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        Self::from(match end {
            End::Fine => 0,
            End::Findings => 1,
            End::Usage => 2,
            End::OurFailure => 3,
        })
    }
}

/// A command that cannot go on: the words, one problem a line, and the exit code.
#[derive(Debug)]
pub struct Stop {
    /// What to print on standard error.
    pub words: String,
    /// How it ends.
    pub end: End,
}

impl Stop {
    /// Wrong usage or a file problem.
    pub fn usage(words: impl Into<String>) -> Self {
        Self { words: words.into(), end: End::Usage }
    }
    /// A problem in the project.
    pub fn findings(words: impl Into<String>) -> Self {
        Self { words: words.into(), end: End::Findings }
    }
    /// A failure of ours.
    pub fn ours(words: impl Into<String>) -> Self {
        Self { words: words.into(), end: End::OurFailure }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// Prints on standard output. A reader that went away (`| head`) is no failure of the command.
///
/// # Errors
/// Any other trouble with standard output.
pub fn print(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Stop::usage(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Prints on standard error; nothing can be done when that fails.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}
