//! Where in a schema's text something stands: a problem's line and column, a difference's place.
//!
//! In: a text, and a JSON pointer or a path of Protobuf names. Out: a range of bytes.
//! Must not know: what stands there. Start at [`range_of`].

use std::ops::Range;

use super::tokens::{Word, spans};

/// Levels that are looked into; a text nested deeper is no schema.
const DEPTH_MAX: u32 = 200;

/// Line and column of a byte, both from 1; columns count characters.
#[must_use]
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The byte of a line and a column, both from 1; columns count bytes, as parsers count them.
#[must_use]
pub fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let length = text[start..].find('\n').unwrap_or(text.len() - start);
    let mut at = start + column.saturating_sub(1).min(length);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The word that stands at a byte, for a mark that can be seen: the line's rest where there is none.
#[must_use]
pub fn word_at(text: &str, at: usize) -> Range<usize> {
    let is_of_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let length: usize = text[at..].chars().take_while(is_of_word).map(char::len_utf8).sum();
    match (length, text[at..].chars().next()) {
        (0, Some(c)) if c != '\n' => at..at + c.len_utf8(),
        // At the end of a line the last character of it is marked.
        (0, _) => text[..at].char_indices().next_back().map_or(at..at, |(start, _)| start..at),
        (length, _) => at..at + length,
    }
}

/// Where a difference's place (`/fields/2/type`, `/Order/items`) stands in a text.
#[must_use]
pub fn range_of(text: &str, place: &str, is_protobuf: bool) -> Option<Range<usize>> {
    let place = place.trim_start_matches('#');
    let parts: Vec<String> =
        place.split('/').skip(1).filter(|part| !part.is_empty()).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    if is_protobuf { of_protobuf(text, &parts) } else { of_json(text, &parts) }
}

/// The value where it stands on one line; of a longer one, its first line.
fn of_json(text: &str, parts: &[String]) -> Option<Range<usize>> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.space();
    for part in parts {
        scan.enter(part)?;
    }
    let start = scan.at;
    scan.value(0)?;
    let end = text[start..scan.at].find('\n').map_or(scan.at, |line| start + line);
    Some(start..end)
}

/// Walks a JSON text as far as it is well formed.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }
    /// Goes to the value of a key, or to an element by its number.
    fn enter(&mut self, part: &str) -> Option<()> {
        let is_object = self.peek()? == b'{';
        let end = if is_object { b'}' } else { b']' };
        self.take(if is_object { b'{' } else { b'[' })?;
        let mut number = 0_usize;
        loop {
            self.space();
            if self.peek()? == end {
                return None;
            }
            let is_it = if is_object {
                let key = self.text()?;
                self.space();
                self.take(b':')?;
                self.space();
                key == part
            } else {
                part.parse() == Ok(number)
            };
            if is_it {
                return Some(());
            }
            self.value(0)?;
            self.space();
            self.take(b',')?;
            number += 1;
        }
    }
    fn text(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"')?;
        while self.peek()? != b'"' {
            self.at += if self.peek()? == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_slice(self.bytes.get(start..self.at)?).ok()
    }
    /// Over a value.
    fn value(&mut self, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        let open = self.peek()?;
        match open {
            b'"' => self.text().map(drop),
            b'{' | b'[' => {
                self.at += 1;
                loop {
                    self.space();
                    match self.peek()? {
                        b'}' | b']' => {
                            self.at += 1;
                            return Some(());
                        }
                        b',' | b':' => self.at += 1,
                        _ => self.value(depth + 1)?,
                    }
                }
            }
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|byte| !byte.is_ascii_whitespace() && !b",]}:".contains(&byte)) {
                    self.at += 1;
                }
                (self.at > start).then_some(())
            }
        }
    }
}

/// The name of a message or an enum, or the line of a field.
fn of_protobuf(text: &str, parts: &[String]) -> Option<Range<usize>> {
    let mut open: Vec<Option<&str>> = Vec::new();
    let (mut named, mut last_name): (Option<Range<usize>>, Option<Range<usize>>) = (None, None);
    let mut is_declaring = false;
    for range in pieces(text) {
        let piece = &text[range.clone()];
        let path = || open.iter().flatten().copied();
        match piece {
            "message" | "enum" => is_declaring = true,
            "{" => open.push(named.take().map(|name| &text[name])),
            "}" => drop(open.pop()),
            "=" => {
                if let Some(name) = last_name.take()
                    && path().chain([&text[name.clone()]]).eq(parts.iter().map(String::as_str))
                {
                    let line = text[..name.start].rfind([';', '{', '}', '\n']).map_or(0, |end| end + 1);
                    let start = line + text[line..name.start].len() - text[line..name.start].trim_start().len();
                    let end = text[name.end..].find(';').map_or(name.end, |end| name.end + end);
                    return Some(start..end);
                }
            }
            _ if is_declaring => {
                is_declaring = false;
                if path().chain([piece]).eq(parts.iter().map(String::as_str)) {
                    return Some(range);
                }
                named = Some(range);
            }
            _ => last_name = Some(range),
        }
    }
    None
}

/// Names and signs, without comments and texts.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let kept = spans(text, true).into_iter().filter(|(_, word)| !matches!(word, Word::Comment | Word::Text | Word::Number));
    kept.flat_map(|(range, _)| {
        let mut pieces: Vec<Range<usize>> = Vec::new();
        for (at, c) in text[range.clone()].char_indices() {
            let (at, end) = (range.start + at, range.start + at + c.len_utf8());
            let is_name = c.is_alphanumeric() || c == '_';
            match pieces.last_mut() {
                Some(last) if is_name && last.end == at && text[last.clone()].chars().all(|c| c.is_alphanumeric() || c == '_') => {
                    last.end = end;
                }
                _ if c.is_whitespace() => {}
                _ => pieces.push(at..end),
            }
        }
        pieces
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_its_value() {
        let text = "{\n  \"type\": \"record\", \"fields\": [\n    {\"name\": \"a\", \"type\": [\"null\", \"int\"]},\n    {\"name\": \"b~/\"}\n  ]\n}";
        let at = |place: &str| range_of(text, place, false).map(|range| &text[range]);
        assert_eq!(at("/fields/0/type/1"), Some("\"int\""));
        assert_eq!(at("/fields/1"), Some("{\"name\": \"b~/\"}"));
        assert_eq!(at("#/fields/0/type"), Some("[\"null\", \"int\"]"));
        assert_eq!(at("/"), Some("{"), "the first line stands for what is longer");
        assert_eq!((at("/fields/2"), at("/nothing")), (None, None));
        assert_eq!(range_of("{\"a~/b\": 1}", "/a~0~1b", false), Some(9..10));
        assert_eq!(range_of("{\"a\": ", "/a", false), None);
    }

    #[test]
    fn names_lead_to_their_field() {
        let text = "syntax = \"proto3\";\nmessage Order {\n  // string id = 9;\n  string id = 1;\n  message Item { int32 id = 1; }\n  oneof way { string post = 2; }\n  repeated Item items = 3 [deprecated = true];\n}\nenum Kind { NONE = 0; }";
        let at = |place: &str| range_of(text, place, true).map(|range| &text[range]);
        assert_eq!(at("/Order"), Some("Order"));
        assert_eq!(at("/Order/id"), Some("string id = 1"));
        assert_eq!(at("/Order/Item/id"), Some("int32 id = 1"));
        assert_eq!(at("/Order/post"), Some("string post = 2"));
        assert_eq!(at("/Order/items"), Some("repeated Item items = 3 [deprecated = true]"));
        assert_eq!(at("/Kind/NONE"), Some("NONE = 0"));
        assert_eq!(at("/Order/gone"), None);
    }

    #[test]
    fn lines_and_columns_go_both_ways() {
        let text = "ab\nçd\n";
        assert_eq!((line_and_column(text, 0), line_and_column(text, 5)), ((1, 1), (2, 2)));
        assert_eq!((byte_at(text, 2, 1), byte_at(text, 2, 2), byte_at(text, 9, 9)), (3, 3, 7));
        assert_eq!((word_at("a bc", 2), word_at("a;", 1), word_at("ab\n", 2)), (2..4, 1..2, 1..2));
    }
}
