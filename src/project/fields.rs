//! Reading one value at a time: every wrong shape becomes a problem with path, place and hint.
//!
//! A getter gives nothing where the value is missing or (now reported as) wrong; reading goes on.

use indexmap::IndexMap;

use super::lexer::Bracket;
use super::limits::PROBLEMS_MAX;
use super::tree::{Data, Group, Item, Key, Node};
use crate::diagnostics::{Diagnostic, Place, nearest};
use crate::model::Value;
use crate::units::SimDuration;

/// Collects problems while values are taken from a tree.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) problems: Vec<Diagnostic>,
}

/// Whether entries are fields of a fixed set, or ids that a person chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names<'a> {
    /// Only these; others are refused.
    Only(&'a [&'a str]),
    /// These and any others.
    Any,
    /// Ids.
    Ids,
}

impl Reader {
    pub(super) fn problem(&mut self, place: Place, mut diagnostic: Diagnostic) {
        if self.problems.len() < PROBLEMS_MAX {
            diagnostic.place = Some(place);
            self.problems.push(diagnostic);
        }
    }

    /// `what` is wanted and something else is there.
    pub(super) fn wrong(&mut self, path: &str, node: &Node, what: &str, hint: Option<String>) {
        if matches!(node.data, Data::Broken) {
            return;
        }
        let mut diagnostic = Diagnostic::error("type", path, format!("expected {what}, found {}", node.shape()));
        diagnostic.hint = hint;
        self.problem(node.place, diagnostic);
    }

    /// The named entries of a group, each name once; `None` counts as left out.
    pub(super) fn entries<'a>(&mut self, path: &str, node: &'a Node, names: Names<'_>) -> Vec<(&'a Key, &'a Node)> {
        let Some(group) = node.group().filter(|group| group.bracket != Bracket::Square && group.items.iter().all(named_or_broken)) else {
            self.wrong(path, node, "a group of fields", Some("write (name: value, …)".into()));
            return Vec::new();
        };
        if let Some(name) = &group.name {
            self.problem(
                node.place,
                Diagnostic::error("type", path, format!("`{name}(…)` is not known here")).with_hint("leave the name out"),
            );
        }
        let mut seen: IndexMap<&str, (&Key, &Node)> = IndexMap::with_capacity(group.items.len());
        for item in &group.items {
            let Some(key) = &item.key else { continue };
            if let Names::Only(known) = names
                && !known.contains(&key.text.as_str())
            {
                self.unknown(path, key, known);
                continue;
            }
            if let Some((first, _)) = seen.get(key.text.as_str()) {
                let (code, what) = if names == Names::Ids { ("id-twice", "id") } else { ("field-twice", "field") };
                let message = format!("the {what} `{}` is already on line {}", key.text, first.place.line);
                self.problem(key.place, Diagnostic::error(code, join(path, &key.text), message));
                continue;
            }
            if !is_none(&item.value) {
                seen.insert(&key.text, (key, &item.value));
            }
        }
        seen.into_values().collect()
    }

    fn unknown(&mut self, path: &str, key: &Key, known: &[&str]) {
        let mut diagnostic =
            Diagnostic::error("field-unknown", join(path, &key.text), format!("there is no field `{}` here", shorten(&key.text)));
        diagnostic.hint = Some(match nearest(&key.text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("fields are {}", known.join(", ")),
        });
        self.problem(key.place, diagnostic);
    }

    /// The items of a list (or tuple).
    pub(super) fn list<'a>(&mut self, path: &str, node: &'a Node) -> Vec<&'a Node> {
        match node.group().filter(|group| group.bracket != Bracket::Curly && group.items.iter().all(|item| item.key.is_none())) {
            Some(group) => group.items.iter().map(|item| &item.value).collect(),
            None => {
                self.wrong(path, node, "a list", Some("write […]".into()));
                Vec::new()
            }
        }
    }

    pub(super) fn text(&mut self, path: &str, node: &Node) -> Option<String> {
        match &node.data {
            Data::Text(text) => Some(text.clone()),
            Data::Word(word) => {
                self.wrong(path, node, "text", Some(format!("put it in quotes: \"{}\"", shorten(word))));
                None
            }
            _ => {
                self.wrong(path, node, "text", None);
                None
            }
        }
    }

    /// Text, or a bare word.
    pub(super) fn word(&mut self, path: &str, node: &Node) -> Option<String> {
        match &node.data {
            Data::Word(word) => Some(word.clone()),
            _ => self.text(path, node),
        }
    }

    pub(super) fn texts(&mut self, path: &str, node: &Node) -> Vec<String> {
        let list = self.list(path, node);
        // A broken item keeps its place, so that indices in paths stay true.
        list.iter().enumerate().map(|(index, item)| self.text(&format!("{path}[{index}]"), item).unwrap_or_default()).collect()
    }

    pub(super) fn duration(&mut self, path: &str, node: &Node) -> Option<SimDuration> {
        let text = match &node.data {
            Data::Text(text) => text,
            Data::Int(_) | Data::Float(_) => {
                self.wrong(path, node, "a duration", Some("write the unit, in quotes: \"60s\"".into()));
                return None;
            }
            _ => {
                self.wrong(path, node, "a duration such as \"60s\"", None);
                return None;
            }
        };
        match text.parse() {
            Ok(duration) => Some(duration),
            Err(error) => {
                let code = if text.trim_start().starts_with('-') { "range" } else { "unit" };
                let error: crate::units::UnitError = error;
                self.problem(node.place, Diagnostic::error(code, path, error.to_string()));
                None
            }
        }
    }

    /// Two finite numbers, `(40, 80)`.
    pub(super) fn pair(&mut self, path: &str, node: &Node) -> Option<[f32; 2]> {
        let items = node.group().filter(|group| group.items.len() == 2 && group.items.iter().all(|item| item.key.is_none()));
        let number = |item: &Item| match item.value.data {
            Data::Int(n) => Some(n as f32),
            Data::Float(n) => Some(n as f32),
            _ => None,
        };
        let pair = items.and_then(|group| Some([number(&group.items[0])?, number(&group.items[1])?]));
        match pair {
            Some([x, y]) if x.is_finite() && y.is_finite() => pair,
            Some(_) => {
                self.problem(node.place, Diagnostic::error("range", path, "a position as far out as this cannot be drawn"));
                None
            }
            None => {
                // A broken number inside was reported where it stands.
                if !node.group().is_some_and(|group| group.items.iter().any(|item| matches!(item.value.data, Data::Broken))) {
                    self.wrong(path, node, "two numbers", Some("write (40, 80)".into()));
                }
                None
            }
        }
    }

    /// A parameter's value, whatever its shape; its kind checks it later.
    pub(super) fn value(&mut self, path: &str, node: &Node) -> Option<Value> {
        Some(match &node.data {
            Data::Bool(value) => Value::Bool(*value),
            Data::Int(number) => match i64::try_from(*number) {
                Ok(number) => Value::Int(number),
                Err(_) => {
                    self.problem(node.place, Diagnostic::error("range", path, format!("{number} is too large for a whole number")));
                    return None;
                }
            },
            Data::Float(number) => Value::Float(*number),
            Data::Text(text) | Data::Word(text) => Value::Text(text.clone()),
            Data::Group(group) => return self.group_value(path, node, group),
            Data::Broken => return None,
        })
    }

    fn group_value(&mut self, path: &str, node: &Node, group: &Group) -> Option<Value> {
        if let Some(name) = &group.name {
            let hint = format!("write it as text: \"{name}(…)\"");
            self.problem(node.place, Diagnostic::error("type", path, format!("`{name}(…)` is not a value")).with_hint(hint));
            return None;
        }
        let listed = group.items.iter().all(|item| item.key.is_none()) && !group.items.is_empty();
        if group.bracket == Bracket::Square || (group.bracket == Bracket::Round && listed) {
            let list = self.list(path, node);
            let values = list.iter().enumerate().map(|(index, item)| self.value(&format!("{path}[{index}]"), item));
            return Some(Value::List(values.map(|value| value.unwrap_or_else(|| Value::from(""))).collect()));
        }
        Some(Value::Map(self.values(path, node, Names::Any)))
    }

    pub(super) fn values(&mut self, path: &str, node: &Node, names: Names<'_>) -> IndexMap<String, Value> {
        let entries = self.entries(path, node, names);
        let read = entries.into_iter().filter_map(|(key, node)| Some((key.text.clone(), self.value(&join(path, &key.text), node)?)));
        read.collect()
    }

    pub(super) fn missing(&mut self, place: Place, path: &str, field: &str, hint: &str) {
        let diagnostic = Diagnostic::error("field-missing", join(path, field), format!("`{field}` must be given"));
        self.problem(place, diagnostic.with_hint(hint));
    }
}

fn named_or_broken(item: &Item) -> bool {
    item.key.is_some() || matches!(item.value.data, Data::Broken)
}

/// `None` (RON) and `null` (JSON) say that a field is left out.
fn is_none(node: &Node) -> bool {
    matches!(&node.data, Data::Word(word) if word == "None" || word == "null")
}

/// A path one field deeper.
pub(super) fn join(path: &str, field: &str) -> String {
    if path.is_empty() { shorten(field) } else { format!("{path}.{}", shorten(field)) }
}

/// Hostile names must not fill the screen; 80 characters tell any honest one.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    if text.len() <= SHOWN_MAX { text.to_owned() } else { text.chars().take(SHOWN_MAX).chain(['…']).collect() }
}
