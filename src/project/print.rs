//! Tree to text: RON as a person would lay it out, or JSON.
//!
//! A group stays on one line if it is short and holds no comment; one that its author spread over lines
//! stays spread. Printing what was printed changes nothing.

use super::lexer::Bracket;
use super::literal::{spell_float, spell_text};
use super::render::is_word;
use super::tree::{Comment, Data, Document, Group, Node};

/// A group that nobody laid out yet is spread when its line would be longer.
const LINE_CHARS: usize = 110;
/// A group on one line is left so up to this length.
const LINE_CHARS_MAX: usize = 160;
const INDENT: usize = 4;

/// RON; scalars and unchanged groups are spelt as in `source`, where their spans point.
pub(super) fn ron(document: &Document, source: &str) -> String {
    let mut printer = Printer { source, out: String::new() };
    for attribute in &document.attributes {
        printer.out.push_str(attribute);
        printer.out.push('\n');
    }
    for (index, comment) in document.before.iter().enumerate() {
        printer.comment(comment, 0, index > 0);
        printer.out.push('\n');
    }
    printer.value(&document.root, 0, 1);
    printer.out.push('\n');
    for comment in &document.after {
        printer.comment(comment, 0, true);
        printer.out.push('\n');
    }
    printer.out
}

struct Printer<'a> {
    source: &'a str,
    out: String,
}

impl<'a> Printer<'a> {
    /// `margin`: characters on the line beside the value.
    fn value(&mut self, node: &Node, indent: usize, margin: usize) {
        let Data::Group(group) = &node.data else {
            let text = self.scalar(node);
            self.out.push_str(&text);
            return;
        };
        if let Some(source) = self.verbatim(node, group) {
            self.out.push_str(source);
            return;
        }
        let line_chars = match group.broken {
            Some(true) if !group.items.is_empty() => 0,
            Some(false) => LINE_CHARS_MAX,
            _ => LINE_CHARS,
        };
        let mut line = String::new();
        if self.inline(node, line_chars.saturating_sub(indent + margin), &mut line) {
            self.out.push_str(&line);
        } else {
            self.spread(group, indent);
        }
    }

    fn spread(&mut self, group: &Group, indent: usize) {
        self.out.push_str(group.name.as_deref().unwrap_or_default());
        self.out.push(group.bracket.open());
        let inner = indent + INDENT;
        let mut first = true;
        for item in &group.items {
            for comment in &item.before {
                self.out.push('\n');
                self.comment(comment, inner, !first);
                first = false;
            }
            self.out.push('\n');
            if item.blank_before && !first {
                self.out.push('\n');
            }
            first = false;
            self.pad(inner);
            let name = item.key.as_ref().map(|key| spell_key(group, &key.text)).unwrap_or_default();
            self.out.push_str(&name);
            self.value(&item.value, inner, name.chars().count() + 1);
            self.out.push(',');
            let mut line_ends = false;
            for comment in &item.after {
                if line_ends {
                    self.out.push('\n');
                    self.pad(inner);
                } else {
                    self.out.push(' ');
                }
                self.out.push_str(&comment.text);
                line_ends = comment.text.starts_with("//");
            }
        }
        for comment in &group.tail {
            self.out.push('\n');
            self.comment(comment, inner, !first);
            first = false;
        }
        self.out.push('\n');
        self.pad(indent);
        self.out.push(group.bracket.close());
    }

    /// The value on one line; false if it cannot be, or is longer than `chars_max`.
    fn inline(&self, node: &Node, chars_max: usize, line: &mut String) -> bool {
        let Data::Group(group) = &node.data else {
            let text = self.scalar(node);
            line.push_str(&text);
            return !text.contains('\n') && fits(line, chars_max);
        };
        if let Some(source) = self.verbatim(node, group) {
            line.push_str(source);
            return !source.contains('\n') && fits(line, chars_max);
        }
        if !group.items.is_empty() && group.broken == Some(true) || !group.tail.is_empty() {
            return false;
        }
        line.push_str(group.name.as_deref().unwrap_or_default());
        line.push(group.bracket.open());
        for (index, item) in group.items.iter().enumerate() {
            if !item.before.is_empty() || !item.after.is_empty() {
                return false;
            }
            line.push_str(if index > 0 { ", " } else { "" });
            if let Some(key) = &item.key {
                line.push_str(&spell_key(group, &key.text));
            }
            if !self.inline(&item.value, chars_max, line) {
                return false;
            }
        }
        line.push(group.bracket.close());
        group.items.is_empty() || fits(line, chars_max)
    }

    fn verbatim(&self, node: &Node, group: &Group) -> Option<&'a str> {
        if group.verbatim && node.end > node.start { self.source.get(node.start..node.end) } else { None }
    }

    fn scalar(&self, node: &Node) -> String {
        match self.source.get(node.start..node.end) {
            Some(source) if !source.is_empty() => source.to_owned(),
            _ => match &node.data {
                Data::Bool(value) => value.to_string(),
                Data::Int(number) => number.to_string(),
                Data::Float(number) => spell_float(*number),
                Data::Text(text) => spell_text(text),
                Data::Word(word) => word.clone(),
                Data::Group(_) | Data::Broken => String::new(),
            },
        }
    }

    fn comment(&mut self, comment: &Comment, indent: usize, blank_may: bool) {
        if comment.blank_before && blank_may {
            self.out.push('\n');
        }
        self.pad(indent);
        self.out.push_str(&comment.text);
    }
    fn pad(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }
}

fn spell_key(group: &Group, key: &str) -> String {
    if group.bracket == Bracket::Round && is_word(key) { format!("{key}: ") } else { format!("{}: ", spell_text(key)) }
}

fn fits(line: &str, chars_max: usize) -> bool {
    // Bytes first: counting characters of a long line again and again would be quadratic.
    line.len() <= chars_max || (line.len() <= 4 * chars_max && line.chars().count() <= chars_max)
}

/// JSON with the same shape; comments are lost, tuples become lists.
pub(super) fn json(node: &Node) -> String {
    let mut text = serde_json::to_string_pretty(&json_value(node)).unwrap_or_default();
    text.push('\n');
    text
}

fn json_value(node: &Node) -> serde_json::Value {
    match &node.data {
        Data::Bool(value) => (*value).into(),
        Data::Int(number) => match (u64::try_from(*number), i64::try_from(*number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => (*number as f64).into(),
        },
        Data::Float(number) => (*number).into(),
        Data::Text(text) => text.as_str().into(),
        Data::Word(word) if word == "None" || word == "null" => serde_json::Value::Null,
        Data::Word(word) => word.as_str().into(),
        Data::Group(group) if group.is_fields() && !(group.bracket == Bracket::Round && group.items.is_empty()) => {
            let entry = |item: &super::tree::Item| Some((item.key.as_ref()?.text.clone(), json_value(&item.value)));
            serde_json::Value::Object(group.items.iter().filter_map(entry).collect())
        }
        Data::Group(group) if group.bracket == Bracket::Round && group.items.is_empty() => {
            serde_json::Value::Object(serde_json::Map::new())
        }
        Data::Group(group) => group.items.iter().map(|item| json_value(&item.value)).collect(),
        Data::Broken => serde_json::Value::Null,
    }
}
