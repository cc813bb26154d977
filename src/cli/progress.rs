//! The progress line of a headless run, on standard error: rewritten in place on a terminal, now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use crate::export::support::text;
use crate::run::Progress;

/// Seconds of wall time between two lines where nobody watches.
const SPARSE_WALL_S: f64 = 10.0;
/// Seconds of wall time between two updates of a terminal.
const TERMINAL_WALL_S: f64 = 0.1;

/// Shows how a run comes along.
pub struct ProgressLine {
    terminal: bool,
    quiet: bool,
    next_wall_s: f64,
    shown_chars: usize,
}

impl ProgressLine {
    /// Silent when `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let terminal = io::stderr().is_terminal();
        Self { terminal, quiet, next_wall_s: if terminal { TERMINAL_WALL_S } else { SPARSE_WALL_S }, shown_chars: 0 }
    }

    /// Takes note of where the run stands; never asks it to stop.
    pub fn update(&mut self, progress: Progress) -> ControlFlow<()> {
        if !self.quiet && progress.wall_s >= self.next_wall_s {
            self.next_wall_s = progress.wall_s + if self.terminal { TERMINAL_WALL_S } else { SPARSE_WALL_S };
            self.show(&words(&progress));
        }
        ControlFlow::Continue(())
    }

    /// Takes note of how many repeats have ended.
    pub fn repeats(&mut self, done: u32, of: u32, threads: usize) {
        // Elsewhere than on a terminal ten lines tell enough.
        if !self.quiet && (self.terminal || done == of || done.is_multiple_of(of.div_ceil(10))) {
            self.show(&format!("{done} of {of} repeats, {threads} at a time"));
        }
    }

    /// Takes note of how many runs of a search have ended.
    pub fn runs(&mut self, done: u32, of: u32, threads: usize) {
        if !self.quiet && (self.terminal || done == of || done.is_multiple_of(of.div_ceil(10))) {
            self.show(&format!("{done} of {of} runs, {threads} at a time"));
        }
    }

    fn show(&mut self, line: &str) {
        let mut err = io::stderr().lock();
        let chars = line.chars().count();
        // A closed standard error is no reason to end a run.
        let _ = if self.terminal {
            write!(err, "\r{line}{}", " ".repeat(self.shown_chars.saturating_sub(chars)))
        } else {
            writeln!(err, "{line}")
        };
        let _ = err.flush();
        self.shown_chars = chars;
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        if self.terminal && self.shown_chars > 0 {
            let _ = write!(io::stderr().lock(), "\r{}\r", " ".repeat(self.shown_chars));
            self.shown_chars = 0;
        }
    }
}

/// `12 s of 60 s, 1,200,000 events/s, 34 × real time, 3 s to go`.
#[must_use]
pub fn words(progress: &Progress) -> String {
    let (now_s, end_s, wall_s) = (progress.now.as_secs_f64(), progress.end.as_secs_f64(), progress.wall_s.max(1e-9));
    let to_go = if now_s > 0.0 { text::seconds((end_s - now_s).max(0.0) * wall_s / now_s) } else { "?".to_owned() };
    format!(
        "{} of {}, {} events/s, {} × real time, {to_go} to go",
        text::seconds(now_s),
        text::seconds(end_s),
        text::number(libm::round(progress.produced as f64 / wall_s)),
        text::fixed(now_s / wall_s, if now_s / wall_s < 10.0 { 2 } else { 0 }),
    )
}
