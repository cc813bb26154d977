//! The language of expectations: `p99(latency, "billing") < 200ms`, `lag("billing") < 5000 after 30s`.
//!
//! ```text
//! text ─► lexer ─► parse (types checked as it goes) ─► Expectation ─► Judge ◄─ FigureSource, now and then
//!                                                                       └─► Pending | Met | Missed, broke_at
//! ```
//!
//! In: the text of one expectation, and later the figures of a run through [`FigureSource`]. Out: errors with
//! a column and a hint, or an [`Expectation`]; a verdict with the figure and the moment it broke.
//! Must not know: components, recorders, files. Names of components, topics and groups are only text here;
//! `compile/` checks them through [`Expectation::names`].
//! Start at [`Expectation`], then [`FigureFn`] (the list of figures), then [`Judge`] (how it is judged).
//!
//! Grammar, loosest first: `or` · `and` · `not` · `< <= > >= == !=` · `+ -` · `* /` · `-x` · numbers with
//! units, figures, parentheses; then the suffixes `after 30s`, `for 10s`, `at end`, each at most once.

mod expr;
mod figure;
mod judge;
mod lexer;
mod parse;
mod types;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use figure::{FigureFn, FigureRef, FigureSource, FigureSpec, GUARANTEES, Mode, Target, TargetKinds, Unit};
pub use judge::{Judge, Verdict};

use expr::{Expr, Node};

use crate::units::SimDuration;

/// Longest text of an expectation.
pub const TEXT_BYTES_MAX: usize = 2_000;
/// Deepest nesting of parentheses and signs.
pub const DEPTH_MAX: usize = 32;

/// Why a text is no expectation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message} (at column {at})")]
pub struct ParseError {
    /// What is wrong, in one sentence without a final period.
    pub message: String,
    /// Where: the character, counted from 1.
    pub at: usize,
    /// How to mend it.
    pub hint: Option<String>,
}

impl ParseError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), at, hint: None }
    }
    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What must hold in a run. [`fmt::Display`] writes it in one canonical form that reads back to the same.
#[derive(Clone, Debug)]
pub struct Expectation {
    condition: Expr,
    suffix: Suffix,
}

/// When a condition is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Suffix {
    /// Not before this much of the run.
    after: Option<SimDuration>,
    /// A violation counts once it has lasted this long without a pause.
    lasting: Option<SimDuration>,
    /// Only at the end.
    at_end: bool,
}

impl Expectation {
    /// Reads and checks one expectation.
    ///
    /// # Errors
    /// The first thing that is wrong, with its column and, mostly, a hint.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::expectation(text)
    }
    /// The components, groups and topics that it names: what each may be, the name, its column.
    #[must_use]
    pub fn names(&self) -> Vec<(TargetKinds, &str, usize)> {
        let mut names = Vec::new();
        self.condition.visit(&mut |expr| {
            if let Node::Figure { figure, target_at } = &expr.node
                && let Some(target) = &figure.target
            {
                names.push((figure.function.spec().target.kinds(), target.as_str(), *target_at));
            }
        });
        names
    }
    /// The figures that it needs, in the order written.
    #[must_use]
    pub fn figures(&self) -> Vec<&FigureRef> {
        let mut figures = Vec::new();
        self.condition.visit(&mut |expr| {
            if let Node::Figure { figure, .. } = &expr.node {
                figures.push(figure);
            }
        });
        figures
    }
    /// Judged only from this much of the run on.
    #[must_use]
    pub fn after(&self) -> SimDuration {
        self.suffix.after.unwrap_or_default()
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)?;
        if let Some(after) = self.suffix.after {
            write!(f, " after {after}")?;
        }
        if let Some(lasting) = self.suffix.lasting {
            write!(f, " for {lasting}")?;
        }
        if self.suffix.at_end {
            f.write_str(" at end")?;
        }
        Ok(())
    }
}

impl FromStr for Expectation {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}
