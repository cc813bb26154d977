//! A schema as the product sees it: one node for each part, of one kind each.
//!
//! Confluent's registry does not compare keywords as they stand. It first makes each part of a schema one of a dozen kinds (a part
//! with keywords of several kinds becomes an `allOf` of one part for each kind) and then compares kind with kind. These are
//! those kinds; [`super::read`] makes them of the drafts 4 to 7, [`super::modern`] of 2019-09 and 2020-12.
//! Must not know: how nodes are compared. Start at [`Shapes`].

use std::sync::OnceLock;

use regex::Regex;

use super::decimal::Decimal;

pub(super) type NodeIx = u32;
pub(super) type PlaceIx = u32;

/// Largest compiled form of one pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// A place at the head of a document.
pub(super) const NO_PLACE: PlaceIx = PlaceIx::MAX;

/// A schema's nodes; node 0 is the whole.
#[derive(Debug, Default)]
pub(in crate::machines::codec::json) struct Shapes {
    /// Of 2019-09 or later.
    pub(super) is_modern: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) places: Vec<Place>,
}

/// One step of a JSON pointer, beyond another.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) before: PlaceIx,
    /// Escaped; of a document's head its name and `#`, or nothing.
    pub(super) step: Box<str>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) shape: Shape,
    pub(super) place: PlaceIx,
    pub(super) notes: Notes,
    /// Of everything below. Equal prints are equal schemas, as long as nothing below refers elsewhere.
    pub(super) print: u64,
    pub(super) has_reference: bool,
}

/// What a schema says beside its rules.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) id: Option<Box<str>>,
    pub(super) title: Option<Box<str>>,
    pub(super) description: Option<Box<str>>,
    /// The print of the default.
    pub(super) default: Option<u64>,
    /// `connect.type` is `bytes`.
    pub(super) is_bytes: bool,
    /// Of keywords that have no meaning to the product.
    pub(super) others: u64,
}

/// The kind of a node.
#[derive(Debug)]
pub(super) enum Shape {
    /// Not read yet.
    Pending,
    /// `{}`.
    Empty,
    True,
    False,
    /// A `$ref` to a part that was found.
    Reference(NodeIx),
    /// A `$ref` to something else, such as a draft's own schema.
    Foreign(Box<str>),
    Null,
    Boolean,
    Text(Box<Text>),
    Number(Box<Number>),
    Enum(Box<[Literal]>),
    Const(Literal),
    Combined(Box<Combined>),
    Not(NodeIx),
    Object(Box<Object>),
    Array(Box<Array>),
    /// `if`, `then`, `else`: their print, for the product looks no deeper.
    Conditional(u64),
}

impl Shape {
    /// Lets every value through, though it is no `{}`. Seen from here alone: a part with parts below counts as asking for something.
    pub(super) fn asks_nothing(&self) -> bool {
        match self {
            Self::Object(object) => {
                let has_part = !object.properties.is_empty() || !object.patterns.is_empty() || !object.schemas_with.is_empty();
                let has_rule = object.is_typed || object.is_closed || !object.required.is_empty() || !object.required_with.is_empty();
                let nodes = [object.additional, object.unevaluated, object.names];
                !has_part && !has_rule && object.least.is_none() && object.most.is_none() && nodes.iter().all(Option::is_none)
            }
            Self::Array(array) => {
                let has_bound = array.least.is_some() || array.most.is_some() || array.is_unique || array.is_typed;
                let has_part = array.every.is_some() || !array.first.is_empty() || array.contains.is_some() || array.unevaluated.is_some();
                !has_bound && !has_part
            }
            _ => false,
        }
    }
}

/// A value that a schema names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    pub(super) print: u64,
    pub(super) text: Box<str>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) pattern: Option<Box<str>>,
    pub(super) format: Option<Box<str>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Number {
    pub(super) least: Option<f64>,
    pub(super) most: Option<f64>,
    pub(super) above: Option<f64>,
    pub(super) below: Option<f64>,
    /// Draft 4: the bound itself is excluded. The product does not compare these.
    pub(super) is_least_excluded: bool,
    pub(super) is_most_excluded: bool,
    pub(super) multiple_of: Option<Decimal>,
    pub(super) is_whole: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    All,
    Any,
    One,
}

impl Criterion {
    pub(super) const fn keyword(self) -> &'static str {
        match self {
            Self::All => "allOf",
            Self::Any => "anyOf",
            Self::One => "oneOf",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Combined {
    pub(super) criterion: Criterion,
    pub(super) branches: Vec<NodeIx>,
    /// Made of neighbouring keywords, not written as a list.
    pub(super) is_made: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    /// The type is stated, not only keywords for objects.
    pub(super) is_typed: bool,
    /// Sorted by name.
    pub(super) properties: Vec<(Box<str>, NodeIx)>,
    /// Sorted, with the position in the text.
    pub(super) required: Vec<(Box<str>, u32)>,
    pub(super) is_closed: bool,
    pub(super) additional: Option<NodeIx>,
    pub(super) unevaluated: Option<NodeIx>,
    pub(super) patterns: Vec<Patterned>,
    pub(super) names: Option<NodeIx>,
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    /// Sorted; the names that each asks for are sorted too.
    pub(super) required_with: Vec<(Box<str>, Vec<Box<str>>)>,
    /// Sorted.
    pub(super) schemas_with: Vec<(Box<str>, NodeIx)>,
}

/// An entry of `patternProperties`.
#[derive(Clone, Debug)]
pub(super) struct Patterned {
    pub(super) pattern: Box<str>,
    pub(super) node: NodeIx,
    regex: OnceLock<Option<Regex>>,
}

impl Patterned {
    pub(super) fn new(pattern: &str, node: NodeIx) -> Self {
        Self { pattern: pattern.into(), node, regex: OnceLock::new() }
    }
    /// A pattern that cannot be compiled fits nothing.
    pub(super) fn fits(&self, name: &str) -> bool {
        let compile = || regex::RegexBuilder::new(&self.pattern).size_limit(PATTERN_BYTES_MAX).build().ok();
        self.regex.get_or_init(compile).as_ref().is_some_and(|regex| regex.is_match(name))
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Array {
    /// The type is stated, not only keywords for lists.
    pub(super) is_typed: bool,
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) is_unique: bool,
    /// `items` for all.
    pub(super) every: Option<NodeIx>,
    /// A schema for each of the first: `items` as a list, `prefixItems`.
    pub(super) first: Vec<NodeIx>,
    pub(super) is_closed: bool,
    pub(super) additional: Option<NodeIx>,
    pub(super) unevaluated: Option<NodeIx>,
    pub(super) contains: Option<NodeIx>,
    pub(super) least_contained: Option<i64>,
    pub(super) most_contained: Option<i64>,
}

impl Shapes {
    /// Follows one `$ref`: the product looks no further.
    pub(super) fn target(&self, node: NodeIx) -> NodeIx {
        if let Shape::Reference(target) = self.nodes[node as usize].shape { target } else { node }
    }
    /// The JSON pointer of a node.
    pub(super) fn pointer(&self, node: NodeIx) -> String {
        let (mut steps, mut at) = (Vec::new(), self.nodes[node as usize].place);
        while at != NO_PLACE {
            let place = &self.places[at as usize];
            steps.push(&*place.step);
            at = place.before;
        }
        steps.reverse();
        steps.join("/")
    }
}

/// A step of a JSON pointer, escaped.
pub(super) fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}
