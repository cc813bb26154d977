//! The words of a schema's text, for the editor's colours.
//!
//! In: a text and its language. Out: spans that cover the whole text, in order. A broken text has spans too.
//! Must not know: colours. Start at [`spans`].

use std::ops::Range;

/// What a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The key of an object.
    Key,
    /// A text.
    Text,
    /// The name of a built-in type.
    Type,
    /// A number.
    Number,
    /// `true`, `null`, `message`, `repeated`.
    Keyword,
    /// A comment.
    Comment,
    /// Brackets, commas, other names, white space.
    Plain,
}

/// Names that say what a value is, in Avro, JSON Schema and Protobuf.
const TYPES: &[&str] = &[
    "null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "fixed", "object", "integer",
    "number", "bool", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64",
];
const KEYWORDS: &[&str] = &[
    "syntax",
    "edition",
    "package",
    "import",
    "public",
    "weak",
    "option",
    "message",
    "enum",
    "service",
    "rpc",
    "returns",
    "stream",
    "oneof",
    "map",
    "extend",
    "extensions",
    "reserved",
    "to",
    "max",
    "repeated",
    "optional",
    "required",
    "group",
    "true",
    "false",
];

/// Cuts a text into spans; `is_protobuf` says which language it is, JSON otherwise.
#[must_use]
pub fn spans(text: &str, is_protobuf: bool) -> Vec<(Range<usize>, Word)> {
    let bytes = text.as_bytes();
    let mut spans: Vec<(Range<usize>, Word)> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let (end, word) = next(text, at, is_protobuf);
        match spans.last_mut() {
            Some((last, Word::Plain)) if word == Word::Plain => last.end = end,
            _ => spans.push((at..end, word)),
        }
        at = end;
    }
    spans
}

fn next(text: &str, at: usize, is_protobuf: bool) -> (usize, Word) {
    let bytes = text.as_bytes();
    let rest = &text[at..];
    match bytes[at] {
        b'"' => {
            let end = end_of_text(bytes, at, b'"');
            (end, if is_protobuf { Word::Text } else { of_json_text(text, at, end) })
        }
        b'\'' if is_protobuf => (end_of_text(bytes, at, b'\''), Word::Text),
        b'/' if is_protobuf && rest.starts_with("//") => (at + rest.find('\n').unwrap_or(rest.len()), Word::Comment),
        b'/' if is_protobuf && rest.starts_with("/*") => (at + rest.find("*/").map_or(rest.len(), |end| end + 2), Word::Comment),
        b'0'..=b'9' | b'-' => {
            let is_of = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
            (at + bytes[at..].iter().take_while(|byte| is_of(byte)).count(), Word::Number)
        }
        byte if byte.is_ascii_alphabetic() || byte == b'_' => {
            let end = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            (end, of_name(&text[at..end], is_protobuf))
        }
        _ => (at + rest.chars().next().map_or(1, char::len_utf8), Word::Plain),
    }
}

/// The end of a quoted text, or of its line where it is not closed.
fn end_of_text(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 1,
            b'\n' => return end,
            byte if byte == quote => return end + 1,
            _ => {}
        }
        end += 1;
    }
    // Invariant: what is cut ends at a character, for an escape may stand before one of several bytes.
    bytes.len()
}

fn of_json_text(text: &str, at: usize, end: usize) -> Word {
    if text[end..].trim_start().starts_with(':') {
        return Word::Key;
    }
    let inner = text[at..end].trim_matches('"');
    if TYPES.contains(&inner) { Word::Type } else { Word::Text }
}

fn of_name(name: &str, is_protobuf: bool) -> Word {
    match (is_protobuf, name) {
        (false, "true" | "false" | "null") => Word::Keyword,
        (true, name) if KEYWORDS.contains(&name) => Word::Keyword,
        (true, name) if TYPES.contains(&name) => Word::Type,
        _ => Word::Plain,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str, is_protobuf: bool) -> Vec<(&str, Word)> {
        spans(text, is_protobuf).into_iter().map(|(range, word)| (&text[range], word)).filter(|(_, word)| *word != Word::Plain).collect()
    }

    #[test]
    fn json_keys_and_types_are_told_apart() {
        assert_eq!(
            words(r#"{"type": "int", "default" : -1.5, "doc": "an \"int\"", "x": null}"#, false),
            [
                ("\"type\"", Word::Key),
                ("\"int\"", Word::Type),
                ("\"default\"", Word::Key),
                ("-1.5", Word::Number),
                ("\"doc\"", Word::Key),
                (r#""an \"int\"""#, Word::Text),
                ("\"x\"", Word::Key),
                ("null", Word::Keyword),
            ]
        );
    }

    #[test]
    fn protobuf_has_comments_and_keywords() {
        assert_eq!(
            words("message A { // one\n repeated int32 int_a = 1; /* two */ }", true),
            [
                ("message", Word::Keyword),
                ("// one", Word::Comment),
                ("repeated", Word::Keyword),
                ("int32", Word::Type),
                ("1", Word::Number),
                ("/* two */", Word::Comment),
            ]
        );
    }

    proptest! {
        #[test]
        fn spans_cover_any_text(text in "[ -~é☃\\\\\"'/*\n{}]{0,60}", is_protobuf: bool) {
            let mut at = 0;
            for (range, _) in spans(&text, is_protobuf) {
                prop_assert!(range.start == at && range.end > at && text.is_char_boundary(range.end), "{:?} of {:?}", range, text);
                at = range.end;
            }
            prop_assert_eq!(at, text.len());
        }
    }
}
