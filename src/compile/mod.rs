//! Model to plan: every diagnostic of a design, or something that can run.
//!
//! In: a [`Project`] and [`RunOptions`]. Out: a [`Plan`] of typed, densely numbered parts with built
//! processes, or every problem at once.
//! Must not know: files, drivers, the window. Start at [`check`] and [`compile`].

mod plan;

pub use plan::{Plan, PlannedComponent, PlannedLink, RunOptions, TimedInput, WarmUp};

use crate::diagnostics::Diagnostic;
use crate::model::Project;

/// Every problem of a design under its default scenario and each of its scenarios; empty when all is well.
#[must_use]
pub fn check(_project: &Project) -> Vec<Diagnostic> {
    Vec::new()
}

/// A plan to run.
///
/// # Errors
/// Every diagnostic (warnings too) when at least one is an error.
pub fn compile(_project: &Project, _options: &RunOptions) -> Result<Plan, Vec<Diagnostic>> {
    Err(vec![Diagnostic::error("internal", "", "not built yet")])
}
