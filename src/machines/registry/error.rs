//! Refusals with the numbers and the words of Confluent's registry (`Errors.java` and the exceptions behind it).

use std::fmt;
use std::sync::Arc;

use super::verdict::Verdict;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    /// `error_code` of the REST face: its first three digits are the HTTP status.
    pub code: u32,
    /// `message` of the REST face.
    pub message: Arc<str>,
    /// For 40901 and 42201: every reason by itself, with hints.
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
    /// `latest`, where there is none.
    pub(super) fn no_latest() -> Self {
        Self::new(40402, "Version -1 not found.".to_owned())
    }
    pub(super) fn schema_not_found(id: u32) -> Self {
        Self::new(40403, format!("Schema {id} not found"))
    }
    pub(super) fn no_such_schema() -> Self {
        Self::new(40403, "Schema not found".to_owned())
    }
    pub(super) fn subject_soft_deleted(subject: &str) -> Self {
        Self::new(40404, format!("Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"))
    }
    pub(super) fn subject_not_soft_deleted(subject: &str) -> Self {
        Self::new(40405, format!("Subject '{subject}' was not deleted first before being permanently deleted"))
    }
    pub(super) fn version_soft_deleted(subject: &str, version: u32) -> Self {
        Self::new(40406, format!("Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"))
    }
    pub(super) fn version_not_soft_deleted(subject: &str, version: u32) -> Self {
        Self::new(40407, format!("Subject '{subject}' Version {version} was not deleted first before being permanently deleted"))
    }
    pub(super) fn no_config(subject: &str) -> Self {
        Self::new(40408, format!("Subject '{subject}' does not have subject-level compatibility configured"))
    }
    pub(super) fn no_mode(subject: &str) -> Self {
        Self::new(40409, format!("Subject '{subject}' does not have subject-level mode configured"))
    }
    pub(super) fn incompatible(subject: &str, verdict: &Verdict) -> Self {
        let details = verdict.messages.join(", ");
        let message =
            format!("Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{details}]");
        Self { reasons: verdict.reasons(), ..Self::new(40901, message) }
    }
    pub(super) fn invalid_schema(schema_type: &str, words: &str) -> Self {
        let message = format!("Invalid schema of type {schema_type}, details: {words}");
        Self { reasons: vec![words.to_owned()], ..Self::new(42201, message) }
    }
    pub(super) fn invalid_schema_type(schema_type: &str) -> Self {
        let shown: String = schema_type.chars().take(40).collect();
        let message = format!("Invalid schema type {shown}");
        Self { reasons: vec![message.clone()], ..Self::new(42201, message) }
    }
    pub(super) fn unexpected_version() -> Self {
        Self::new(42201, "Version is not one more than previous version".to_owned())
    }
    pub(super) fn empty_schema() -> Self {
        Self { reasons: vec!["Empty schema".to_owned()], ..Self::new(42201, "Empty schema".to_owned()) }
    }
    pub(super) fn invalid_version(version: &str) -> Self {
        let shown: String = version.chars().take(40).collect();
        let allowed = "Allowed values are between [1, 2^31-1] and the string \"latest\"";
        Self::new(42202, format!("The specified version '{shown}' is not a valid version id. {allowed}"))
    }
    pub(super) fn invalid_level() -> Self {
        let valid = "none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive";
        Self::new(42203, format!("Invalid compatibility level. Valid values are {valid}"))
    }
    pub(super) fn invalid_policy() -> Self {
        Self::new(42203, "Invalid compatibility policy. Valid values are strict and lenient".to_owned())
    }
    pub(super) fn invalid_mode() -> Self {
        Self::new(42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.".to_owned())
    }
    pub(super) fn forward_is_global() -> Self {
        Self::new(42204, "Forward mode only supported on global level".to_owned())
    }
    /// `what` says in which mode the subject is not, or is.
    pub(super) fn wrong_mode(subject: &str, context: &str, what: &str) -> Self {
        Self::new(42205, format!("Subject {subject} in context {context} is {what} mode"))
    }
    pub(super) fn existing_subjects() -> Self {
        Self::new(42205, "Cannot import since found existing subjects".to_owned())
    }
    pub(super) fn overwrite(id: u32, context: &str) -> Self {
        Self::new(42205, format!("Overwrite new schema with id {id} in context {context} is not permitted."))
    }
    pub(super) fn full(subject: &str) -> Self {
        Self::new(42205, format!("Subject '{subject}' takes no further version: the registry is full"))
    }
    pub(super) fn reference_exists(subject: &str, version: u32) -> Self {
        let key = format!("{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}");
        Self::new(42206, format!("One or more references exist to the schema {key}."))
    }
    pub(super) fn id_does_not_match(registered: u32, given: u32) -> Self {
        Self::new(42207, format!("Schema already registered with id {registered} instead of input id {given}"))
    }
    pub(super) fn invalid_subject(subject: &str) -> Self {
        let shown: String = subject.chars().filter(|c| !c.is_control()).take(249).collect();
        Self::new(42208, format!("The specified subject '{shown}' is not a valid."))
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
