//! Refusals with the names of AWS Glue's exceptions.

use std::fmt;
use std::sync::Arc;

/// A refusal: the exception's name and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlueError {
    /// `EntityNotFoundException` and the like.
    pub name: &'static str,
    /// In words.
    pub message: Arc<str>,
}

impl fmt::Display for GlueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl GlueError {
    pub(super) fn not_found(what: &str) -> Self {
        Self { name: "EntityNotFoundException", message: format!("{what} is not found.").into() }
    }
    pub(super) fn exists(schema: &str) -> Self {
        Self { name: "AlreadyExistsException", message: format!("Schema already exists. SchemaName: {schema}").into() }
    }
    /// `InvalidInputException`.
    pub fn invalid(words: impl Into<Arc<str>>) -> Self {
        Self { name: "InvalidInputException", message: words.into() }
    }
    pub(super) fn concurrent(schema: &str) -> Self {
        Self { name: "ConcurrentModificationException", message: format!("A version of {schema} is being checked or deleted.").into() }
    }
    pub(super) fn full() -> Self {
        Self { name: "ResourceNumberLimitExceededException", message: "The registry takes no more.".into() }
    }
    /// The HTTP status that it comes with; the wire of a run carries it as a code.
    #[must_use]
    pub fn status(&self) -> u32 {
        if self.name == "ConcurrentModificationException" { 409 } else { 400 }
    }
}
