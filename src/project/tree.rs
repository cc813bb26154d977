//! The tree of a RON (or JSON) text: values with places, spans and the comments around them.
//!
//! In: the parser builds it from a text, `render` from a project. Out: `read` makes a project of it,
//! `print` a text. Nothing that a person wrote is missing from it but the exact white space.
//! Start at [`Node`].

use crate::diagnostics::Place;

use super::lexer::Bracket;

/// A whole text.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// `#![enable(…)]` lines as written.
    pub(super) attributes: Vec<String>,
    /// Above the value.
    pub(super) before: Vec<Comment>,
    pub(super) root: Node,
    /// Below it.
    pub(super) after: Vec<Comment>,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) data: Data,
    /// Where it begins.
    pub(super) place: Place,
    /// Bytes of the source text that spell it; empty for a node that no text spells.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A bare word: `all`, `None`.
    Word(String),
    Group(Group),
    /// Something that was reported already.
    Broken,
}

/// `(…)`, `[…]`, `{…}`, possibly named: `Some(…)`.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) bracket: Bracket,
    pub(super) name: Option<String>,
    pub(super) items: Vec<Item>,
    /// Comments after the last item.
    pub(super) tail: Vec<Comment>,
    /// Whether it is spread over lines; none lets the printer decide.
    pub(super) broken: Option<bool>,
    /// Print the source as it stands: nothing inside has changed.
    pub(super) verbatim: bool,
}

/// One entry of a group.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// Comments on the lines above.
    pub(super) before: Vec<Comment>,
    /// An empty line stands above (below the comments, if there are any).
    pub(super) blank_before: bool,
    pub(super) key: Option<Key>,
    pub(super) value: Node,
    /// Comments on its own line.
    pub(super) after: Vec<Comment>,
}

/// The name before a colon.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

/// A comment with its `//` or `/* */`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) text: String,
    /// An empty line stands above.
    pub(super) blank_before: bool,
}

impl Node {
    /// A node that no text spells.
    pub(super) fn new(data: Data) -> Self {
        Self { data, place: Place::default(), start: 0, end: 0 }
    }
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::new(Data::Text(text.into()))
    }
    pub(super) fn group(&self) -> Option<&Group> {
        if let Data::Group(group) = &self.data { Some(group) } else { None }
    }
    /// What a person would call it.
    pub(super) fn shape(&self) -> &'static str {
        match &self.data {
            Data::Bool(_) => "true or false",
            Data::Int(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Text(_) => "text",
            Data::Word(_) => "a bare word",
            Data::Group(group) if group.is_fields() && !group.items.is_empty() => "a group of fields",
            Data::Group(Group { bracket: Bracket::Square, .. }) => "a list",
            Data::Group(Group { bracket: Bracket::Curly, .. }) => "an empty map",
            Data::Group(group) if group.items.is_empty() => "an empty group",
            Data::Group(_) => "a tuple",
            Data::Broken => "something broken",
        }
    }
}

impl Group {
    pub(super) fn new(bracket: Bracket, items: Vec<Item>) -> Self {
        Self { bracket, name: None, items, tail: Vec::new(), broken: None, verbatim: false }
    }
    /// Whether it holds named entries (an empty one may).
    pub(super) fn is_fields(&self) -> bool {
        self.bracket != Bracket::Square && self.items.iter().all(|item| item.key.is_some())
    }
    pub(super) fn get(&self, key: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.key.as_ref().is_some_and(|k| k.text == key))
    }
    /// The text under `key`, if it is text.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        match &self.get(key)?.value.data {
            Data::Text(text) | Data::Word(text) => Some(text),
            _ => None,
        }
    }
}

impl Item {
    pub(super) fn listed(value: Node) -> Self {
        Self { before: Vec::new(), blank_before: false, key: None, value, after: Vec::new() }
    }
    pub(super) fn field(key: impl Into<String>, value: Node) -> Self {
        Self { key: Some(Key { text: key.into(), place: Place::default() }), ..Self::listed(value) }
    }
}

/// Whether two values say the same, in the same order; comments, places and spelling do not count.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    match (&a.data, &b.data) {
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(a), Data::Int(b)) => a == b,
        // Bits, so that −0 and 0 are two texts.
        (Data::Float(a), Data::Float(b)) => a.to_bits() == b.to_bits(),
        (Data::Text(a) | Data::Word(a), Data::Text(b) | Data::Word(b)) => a == b,
        (Data::Group(a), Data::Group(b)) => {
            let key = |item: &Item| item.key.as_ref().map(|key| key.text.clone());
            a.name == b.name
                && (a.bracket == Bracket::Square) == (b.bracket == Bracket::Square)
                && a.items.len() == b.items.len()
                && a.items.iter().zip(&b.items).all(|(x, y)| key(x) == key(y) && same(&x.value, &y.value))
        }
        _ => false,
    }
}
