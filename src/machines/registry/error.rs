//! Refusals with the numbers and, as far as they have any, the words of Confluent's registry.

use std::fmt;
use std::sync::Arc;

use super::Compatibility;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    /// `error_code` of the REST face: its first three digits are the HTTP status.
    pub code: u32,
    /// `message` of the REST face.
    pub message: Arc<str>,
    /// For 40901: every reason by itself.
    pub reasons: Vec<String>,
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl RegistryError {
    pub(super) fn subject_not_found(subject: &str) -> Self {
        Self::new(40401, format!("Subject '{subject}' not found."))
    }
    pub(super) fn version_not_found(version: u32) -> Self {
        Self::new(40402, format!("Version {version} not found."))
    }
    pub(super) fn schema_not_found(id: u32) -> Self {
        Self::new(40403, format!("Schema {id} not found"))
    }
    pub(super) fn incompatible(subject: &str, level: Compatibility, reasons: Vec<String>) -> Self {
        let details = reasons.join("; ");
        let message = format!(
            "Schema being registered is incompatible with an earlier schema for subject \"{subject}\" under {level}, details: [{details}]"
        );
        Self { reasons, ..Self::new(40901, message) }
    }
    pub(super) fn invalid_schema(words: &str) -> Self {
        Self { reasons: vec![words.to_owned()], ..Self::new(42201, format!("Invalid schema: {words}")) }
    }
    pub(super) fn invalid_version(version: &str) -> Self {
        Self::new(
            42202,
            format!(
                "The specified version '{version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""
            ),
        )
    }
    pub(super) fn invalid_level(level: &str) -> Self {
        let level: String = level.chars().take(40).collect();
        Self::new(42203, format!("Invalid compatibility level '{level}'. Valid values are {}", Compatibility::WORDS.join(", ")))
    }
    pub(super) fn not_permitted(subject: &str) -> Self {
        Self::new(42205, format!("Subject '{subject}' takes no further version: the registry is full"))
    }
    /// The answer of a registry whose queue is full.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(50002, "Operation timed out: too many requests wait".to_owned())
    }
    fn new(code: u32, message: String) -> Self {
        Self { code, message: message.into(), reasons: Vec::new() }
    }
}
