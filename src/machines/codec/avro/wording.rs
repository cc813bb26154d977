//! Rules of Avro's comparison by name, and what they say.
//!
//! The first six are Apache Avro's own (`SchemaIncompatibilityType`); their words end with the message that Apache's
//! checker gives, which registries repeat. Start at [`message`].

use crate::machines::codec::difference::{Difference, Severity};

pub(super) const NAME_MISMATCH: &str = "NAME_MISMATCH";
pub(super) const FIXED_SIZE_MISMATCH: &str = "FIXED_SIZE_MISMATCH";
pub(super) const MISSING_ENUM_SYMBOLS: &str = "MISSING_ENUM_SYMBOLS";
pub(super) const READER_FIELD_MISSING_DEFAULT_VALUE: &str = "READER_FIELD_MISSING_DEFAULT_VALUE";
pub(super) const TYPE_MISMATCH: &str = "TYPE_MISMATCH";
pub(super) const MISSING_UNION_BRANCH: &str = "MISSING_UNION_BRANCH";
/// A field's aliases lead to several fields: Apache's checker fails.
pub(super) const ALIAS_AMBIGUOUS: &str = "ALIAS_AMBIGUOUS";
/// The comparison took too long.
pub(super) const TOO_COMPLEX: &str = "TOO_COMPLEX";

pub(super) const FIELD_ADDED: &str = "FIELD_ADDED";
pub(super) const FIELD_REMOVED: &str = "FIELD_REMOVED";
pub(super) const FIELD_MATCHED_BY_ALIAS: &str = "FIELD_MATCHED_BY_ALIAS";
pub(super) const TYPE_MATCHED_BY_ALIAS: &str = "TYPE_MATCHED_BY_ALIAS";
pub(super) const NAMESPACE_CHANGED: &str = "NAMESPACE_CHANGED";
pub(super) const TYPE_PROMOTED: &str = "TYPE_PROMOTED";
pub(super) const LOGICAL_TYPE_CHANGED: &str = "LOGICAL_TYPE_CHANGED";
pub(super) const ENUM_SYMBOLS_ADDED: &str = "ENUM_SYMBOLS_ADDED";
pub(super) const ENUM_DEFAULT_USED: &str = "ENUM_DEFAULT_USED";
pub(super) const UNION_BRANCH_ADDED: &str = "UNION_BRANCH_ADDED";
pub(super) const DEFAULT_CHANGED: &str = "DEFAULT_CHANGED";
pub(super) const DOC_CHANGED: &str = "DOC_CHANGED";

/// What stands before Apache's message in the words of a rule.
pub(super) fn lead(rule: &str) -> &'static str {
    match rule {
        NAME_MISMATCH => "the types have different names, ",
        FIXED_SIZE_MISMATCH => "the sizes differ, ",
        MISSING_ENUM_SYMBOLS => "the reader lacks symbols of the writer and has no default symbol: ",
        READER_FIELD_MISSING_DEFAULT_VALUE => "the writer has no such field and the reader gives no default: ",
        _ => "",
    }
}

/// Apache's message for a difference that breaks (`expected: 4, found: 8`, `[C]`, the name of a field).
pub fn message(difference: &Difference) -> &str {
    difference.words.strip_prefix(lead(difference.rule)).unwrap_or(&difference.words)
}

/// What may be lost when a number or text of one type is read as another.
pub(super) fn promotion(reader: &str, writer: &str) -> (Severity, String) {
    let lost = match (writer, reader) {
        ("INT", "FLOAT") => Some("whole numbers beyond 2^24 lose digits"),
        ("LONG", "FLOAT" | "DOUBLE") => Some("large whole numbers lose digits"),
        ("BYTES", "STRING") => Some("bytes that are no UTF-8 cannot be read as text"),
        _ => None,
    };
    match lost {
        Some(lost) => (Severity::Warns, format!("{writer} is read as {reader}: {lost}")),
        None => (Severity::Fine, format!("{writer} is read as {reader}")),
    }
}

/// `A, B and C`; of many the first few.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN_MAX: usize = 20;
    let names: Vec<&str> = names.collect();
    let shown = names.iter().take(SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN_MAX { format!("{shown} and {} more", names.len() - SHOWN_MAX) } else { shown }
}
