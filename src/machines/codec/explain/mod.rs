//! What a schema says, in words: its parts with types, defaults and docs, and what may become of them in a next version.
//!
//! In: a compiled schema. Out: lines for a person. Must not know: registries' subjects, other versions.
//! Start at [`explained`].

mod avro;
mod json;
mod protobuf;

use std::fmt::Write;

use serde_json::Value as Json;

use super::schema::{Form, Schema};

/// Lines beyond these are left out.
const LINES_MAX: usize = 2_000;
/// Levels of parts within parts.
const DEPTH_MAX: u32 = 24;
/// Longest doc and value that is shown whole.
const CHARS_MAX: usize = 160;

/// The schema in words, a line for each part.
#[must_use]
pub fn explained(schema: &Schema) -> String {
    let mut page = Page { text: String::new(), lines: 0 };
    let json = || serde_json::from_str::<Json>(schema.text()).unwrap_or_default();
    match &schema.form {
        Form::Avro(_) => avro::explain(&json(), &mut page),
        Form::Json(_) => json::explain(&json(), &mut page),
        Form::Protobuf(protobuf) => protobuf::explain(protobuf.file(), &mut page),
    }
    if page.lines > LINES_MAX {
        let left = page.lines - LINES_MAX;
        page.text.push_str(&format!("and {left} more\n"));
    }
    page.text
}

struct Page {
    text: String,
    lines: usize,
}

impl Page {
    fn line(&mut self, depth: u32, words: &str) {
        self.lines += 1;
        if self.lines <= LINES_MAX {
            let _ = writeln!(self.text, "{}{words}", "  ".repeat(depth as usize));
        }
    }
    fn doc(&mut self, depth: u32, doc: Option<&Json>) {
        if let Some(doc) = doc.and_then(Json::as_str) {
            self.line(depth, &format!("“{}”", shown(doc)));
        }
    }
}

/// A text on one line, cut where it is long.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= CHARS_MAX { line } else { line.chars().take(CHARS_MAX).chain(['…']).collect() }
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
