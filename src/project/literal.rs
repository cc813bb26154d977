//! What numbers and texts mean, and how they are spelt.

use super::lexer::{Token, TokenKind};
use super::limits::TEXT_BYTES_MAX;
use super::tree::Data;
use crate::diagnostics::Place;

/// A number, or the message and the hint.
pub(super) fn number(raw: &str) -> Result<Data, (String, Option<String>)> {
    let shown: String = raw.chars().take(40).collect();
    let digits = raw.replace('_', "");
    let (sign, magnitude) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits.strip_prefix('+').unwrap_or(&digits)),
    };
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(rest) = magnitude.strip_prefix(prefix) {
            return i128::from_str_radix(&format!("{sign}{rest}"), radix)
                .map(Data::Int)
                .map_err(|_| (format!("`{shown}` is not a number"), None));
        }
    }
    if matches!(magnitude, "inf" | "NaN" | "nan" | "Infinity" | "infinity") {
        return Err((format!("`{shown}` is not a number that can be used here"), None));
    }
    let first = magnitude.chars().next().unwrap_or(' ');
    let plain = first.is_ascii_digit() || first == '.';
    if plain && magnitude.bytes().all(|b| b.is_ascii_digit()) {
        let too_large = |_| (format!("`{shown}` is too large for a whole number"), None);
        return digits.parse().map(Data::Int).map_err(too_large);
    }
    match digits.parse::<f64>() {
        Ok(number) if plain && number.is_finite() => Ok(Data::Float(number)),
        Ok(_) if plain => Err((format!("`{shown}` is too large for a number"), None)),
        _ if plain => Err((format!("`{shown}` is not a number"), Some(format!("values with units are text: \"{shown}\"")))),
        _ => Err((format!("`{shown}` is not a number"), None)),
    }
}

/// The content of a text token; none if it cannot be used. Problems are (code, place, message).
pub(super) fn text(source: &str, token: Token, problems: &mut Vec<(&'static str, Place, String)>) -> Option<String> {
    let raw = &source[token.start..token.end];
    if raw.len() > TEXT_BYTES_MAX {
        problems.push(("limit-text", token.place, format!("this text is longer than {} KiB", TEXT_BYTES_MAX >> 10)));
        return None;
    }
    match token.kind {
        TokenKind::RawText { closed: false, .. } | TokenKind::Text { closed: false } => {
            problems.push(("syntax", token.place, "this text is never closed".into()));
            None
        }
        TokenKind::RawText { hashes, .. } => Some(raw[hashes + 2..raw.len() - hashes - 1].to_owned()),
        TokenKind::Text { .. } => Some(unescape(&raw[1..raw.len() - 1], token.place, problems)),
        _ => {
            let inner = raw.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or_default();
            let text = unescape(inner, token.place, problems);
            if raw.len() >= 3 && text.chars().count() == 1 {
                return Some(text);
            }
            problems.push(("syntax", token.place, "single quotes hold one character; text stands in double quotes".into()));
            None
        }
    }
}

fn unescape(raw: &str, opened: Place, problems: &mut Vec<(&'static str, Place, String)>) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut place = Place { column: opened.column + 1, ..opened };
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            place = if c == '\n' { Place { line: place.line + 1, column: 1 } } else { Place { column: place.column + 1, ..place } };
            continue;
        }
        let rest = chars.as_str();
        match escape(rest) {
            Some((decoded, used)) => {
                text.push(decoded);
                chars = rest[used..].chars();
                place.column += 1 + u32::try_from(used).unwrap_or_default();
            }
            None => {
                let shown: String = rest.chars().take(1).collect();
                problems.push(("syntax", place, format!("`\\{shown}` is no escape; a backslash itself is `\\\\`")));
                place.column += 1;
            }
        }
    }
    text
}

/// What follows a backslash: the character and how many bytes spell it. RON's escapes and JSON's.
fn escape(rest: &str) -> Option<(char, usize)> {
    let simple = match rest.chars().next()? {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'b' => '\u{8}',
        'f' => '\u{c}',
        c @ ('\\' | '"' | '\'' | '/') => c,
        'x' => return Some((char::from(u8::from_str_radix(rest.get(1..3)?, 16).ok()?), 3)),
        'u' if rest[1..].starts_with('{') => {
            let end = rest.bytes().take(10).position(|b| b == b'}')?;
            return Some((char::from_u32(u32::from_str_radix(rest.get(2..end)?, 16).ok()?)?, end + 1));
        }
        'u' => {
            let high = u32::from_str_radix(rest.get(1..5)?, 16).ok()?;
            if let Some(c) = char::from_u32(high) {
                return Some((c, 5));
            }
            let low = u32::from_str_radix(rest.get(5..)?.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
            let valid = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
            return valid.then(|| char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))).flatten().map(|c| (c, 11));
        }
        _ => return None,
    };
    Some((simple, 1))
}

/// A text as RON spells it best: plain, escaped, or raw where it holds quotes over several lines or a schema.
pub(super) fn spell_text(text: &str) -> String {
    let spelled_raw = text.contains('\n') || text.trim_start().starts_with(['{', '[']);
    let raw_can = !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if spelled_raw && raw_can {
        let hashes = (0..).find(|n| !text.contains(&format!("\"{}", "#".repeat(*n)))).expect("a finite text has a longest run");
        let hashes = "#".repeat(hashes);
        return format!("r{hashes}\"{text}\"{hashes}");
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A finite number that reads back to the same bits.
pub(super) fn spell_float(number: f64) -> String {
    if number.is_finite() { format!("{number:?}") } else { "0.0".into() }
}
