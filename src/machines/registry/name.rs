//! Names of subjects: a context may stand before them (`:.ctx:orders-value`).
//!
//! In: a subject as a client wrote it. Out: its context and its own name. Ids are counted for each context by itself.
//! Start at [`SubjectName`]; the source is Confluent's `QualifiedSubject`.

/// The context of subjects that name none.
pub const DEFAULT_CONTEXT: &str = ".";
/// The context whose configuration and mode stand behind all others.
pub const GLOBAL_CONTEXT: &str = ".__GLOBAL";
/// Stands for every context, before a prefix of subjects.
pub const ANY_CONTEXT: &str = ":*:";
/// What a context begins with.
const CONTEXT_PREFIX: &str = ":.";

/// A subject, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubjectName<'a> {
    /// With its dot: `.` or `.ctx`.
    pub context: &'a str,
    /// Without the context; empty where a context itself is meant.
    pub subject: &'a str,
}

impl<'a> SubjectName<'a> {
    /// Takes a name apart; every text is one.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        if !text.starts_with(CONTEXT_PREFIX) {
            return Self { context: DEFAULT_CONTEXT, subject: text };
        }
        let inner = &text[1..];
        match inner.split_once(':') {
            Some((context, subject)) => Self { context, subject },
            None => Self { context: inner, subject: "" },
        }
    }
    /// Whether it names a context and nothing in it.
    #[must_use]
    pub fn is_context(self) -> bool {
        self.subject.is_empty()
    }
    /// `:.ctx:`; nothing for the default context. Confluent's messages show it.
    #[must_use]
    pub fn prefix(self) -> String {
        if self.context == DEFAULT_CONTEXT { String::new() } else { format!(":{}:", self.context) }
    }
    /// The whole name in one form: without the default context.
    #[must_use]
    pub fn qualified(self) -> String {
        format!("{}{}", self.prefix(), self.subject)
    }
    /// The name that a reference in a schema of this subject means.
    #[must_use]
    pub fn reference(self, subject: &str) -> String {
        let named = SubjectName::parse(subject);
        let context = if named.context == DEFAULT_CONTEXT { self.context } else { named.context };
        SubjectName { context, subject: named.subject }.qualified()
    }
    /// Whether versions can be registered under it.
    #[must_use]
    pub fn is_valid(self, text: &str) -> bool {
        self.is_valid_scope(text) && !self.subject.is_empty() && self.subject != "*" && self.context != GLOBAL_CONTEXT
    }
    /// Whether it can have a configuration or a mode of its own.
    #[must_use]
    pub fn is_valid_scope(self, text: &str) -> bool {
        !text.chars().any(char::is_control) && !matches!(self.subject, "__GLOBAL" | "__EMPTY")
    }
}
