//! JSON in colours: names, texts, numbers, and quiet punctuation. Anything else stays plain.

use egui::text::{LayoutJob, TextFormat};
use egui::{Color32, FontId};

use crate::gui::theme::Tokens;

/// `text` as a job; bytes that are not JSON come out in the reading colour, never dropped.
pub(super) fn coloured(text: &str, font: FontId, tokens: &Tokens) -> LayoutJob {
    let mut job = LayoutJob::default();
    for (part, colour) in parts(text, tokens) {
        job.append(part, 0.0, TextFormat::simple(font.clone(), colour));
    }
    job
}

fn parts<'a>(text: &'a str, tokens: &Tokens) -> Vec<(&'a str, Color32)> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let colour = match bytes[at] {
            b'"' => {
                at = string_end(bytes, at);
                let is_name = bytes[at..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if is_name { tokens.accent } else { tokens.ok }
            }
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                at += 1;
                tokens.text_muted
            }
            byte if byte == b'-' || byte.is_ascii_digit() => {
                at = run_end(bytes, at, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.'));
                tokens.warn
            }
            byte if byte.is_ascii_whitespace() => {
                at = run_end(bytes, at, |b| b.is_ascii_whitespace());
                tokens.text
            }
            _ => {
                let stop = |b: u8| !(b.is_ascii_whitespace() || b"\"{}[],:".contains(&b));
                at = run_end(bytes, at, stop);
                if matches!(&text[start..at], "true" | "false" | "null") { tokens.warn } else { tokens.text }
            }
        };
        // Invariant: `at` only ever stops before an ASCII byte or at the end, so slices fall on characters.
        out.push((&text[start..at], colour));
    }
    out
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn run_end(bytes: &[u8], start: usize, goes_on: impl Fn(u8) -> bool) -> usize {
    bytes[start + 1..].iter().position(|&byte| !goes_on(byte)).map_or(bytes.len(), |length| start + 1 + length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gui::theme::LIGHT;

    #[test]
    fn nothing_is_dropped_whatever_the_text() {
        for text in ["", "{\"a\": \"ü\\\"x\", \"b\": [1, -2.5e3, null]}", "01 ff zz", "\"open \\", "ü\u{1F600}{", "\"\\ü\"é"] {
            let whole: String = parts(text, &LIGHT).iter().map(|(part, _)| *part).collect();
            assert_eq!(whole, text);
        }
    }
}
