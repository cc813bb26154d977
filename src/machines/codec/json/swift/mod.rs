//! The fast pass: whether a payload is surely valid, told from its bytes without building a tree.
//!
//! In: a schema's program and a payload. Out: *yes*, or *not sure*. It never says yes to what the validating library refuses;
//! when it is not sure (a keyword it does not know, an escape in a key, a number in scientific notation, a payload that is
//! wrong) the library is asked, whose words a refusal needs anyway. So nothing here has to explain anything.
//! Must not know: how refusals read. Start at [`Program::is_surely_valid`].
//!
//! ```text
//! schema ─► compile ─► Program ─► check(bytes) ─► yes ─► valid
//!                                      └► not sure ─► the library decides
//! ```

mod check;
mod compile;
mod formats;
mod pattern;
mod scan;

#[cfg(test)]
mod tests;

use formats::Format;
use regex::Regex;

type NodeIx = u32;

/// A compiled schema; node 0 is the whole.
#[derive(Debug)]
pub(super) struct Program {
    nodes: Vec<Node>,
}

/// One part. A value must be of a type in the mask, keep the rules for its type, and keep all of `more`.
#[derive(Debug, Default)]
struct Node {
    /// What this part asks cannot be told here.
    is_beyond: bool,
    types: Types,
    /// One of these, as they stand.
    literals: Option<Box<[Box<[u8]>]>>,
    text: Option<Box<Text>>,
    number: Option<Box<Number>>,
    object: Option<Box<Object>>,
    array: Option<Box<Array>>,
    more: Vec<Rule>,
}

/// The types that a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NULL: u8 = 1;
    const BOOLEAN: u8 = 2;
    const TEXT: u8 = 4;
    /// Any number.
    const NUMBER: u8 = 8;
    /// A whole number.
    const WHOLE: u8 = 16;
    const OBJECT: u8 = 32;
    const ARRAY: u8 = 64;

    const fn has(self, one: u8) -> bool {
        self.0 & one != 0
    }
}

impl Default for Types {
    fn default() -> Self {
        Self(u8::MAX)
    }
}

#[derive(Debug, Default)]
struct Text {
    least: Option<u64>,
    most: Option<u64>,
    pattern: Option<Regex>,
    format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Whole(i64),
    Real(f64),
}

#[derive(Debug, Default)]
struct Number {
    least: Option<Bound>,
    most: Option<Bound>,
    above: Option<Bound>,
    below: Option<Bound>,
    /// For whole numbers; of others a step is beyond this.
    step: Option<i64>,
}

#[derive(Debug, Default)]
struct Object {
    /// In the order of the text, which payloads tend to keep.
    fields: Vec<Field>,
    /// One bit for each field that must be there.
    required: u128,
    rest: Rest,
    least: u64,
    most: Option<u64>,
}

#[derive(Debug)]
struct Field {
    name: Box<[u8]>,
    node: NodeIx,
    /// Only required, not declared: what the value must be, the rest says.
    is_bare: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum Rest {
    #[default]
    Open,
    Closed,
    Must(NodeIx),
}

#[derive(Debug, Default)]
struct Array {
    items: Option<NodeIx>,
    least: u64,
    most: Option<u64>,
}

#[derive(Debug)]
enum Rule {
    All(Vec<NodeIx>),
    Any(Vec<NodeIx>),
    One(Vec<NodeIx>),
    Not(NodeIx),
    /// If, then, else.
    When(NodeIx, Option<NodeIx>, Option<NodeIx>),
}

impl Program {
    /// Whether these bytes are one value that keeps the schema. No means: ask the library.
    pub(super) fn is_surely_valid(&self, payload: &[u8]) -> bool {
        check::is_surely_valid(&self.nodes, payload)
    }
    /// Whether the fast pass can say yes to anything at all.
    pub(super) fn is_any_use(&self) -> bool {
        !self.nodes[0].is_beyond
    }
}
