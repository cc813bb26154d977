//! Prints: 64-bit digests of values and nodes, to see at once what is the same on both sides.
//!
//! The same on every machine. They decide which neighbours of a list are duplicates and which parts need no second look.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value as Json;

use super::shape::{Array, Node, NodeIx, Notes, Number, Object, Shape};

/// The print of a value; the order of an object's keys does not count.
pub(super) fn of_json(value: &Json) -> u64 {
    let mut hasher = DefaultHasher::new();
    match value {
        Json::Null => 0_u8.hash(&mut hasher),
        Json::Bool(flag) => (1_u8, flag).hash(&mut hasher),
        Json::Number(number) => (2_u8, number.to_string()).hash(&mut hasher),
        Json::String(text) => (3_u8, text).hash(&mut hasher),
        Json::Array(list) => {
            4_u8.hash(&mut hasher);
            list.iter().map(of_json).for_each(|print| print.hash(&mut hasher));
        }
        Json::Object(map) => {
            let mut entries: Vec<(&str, u64)> = map.iter().map(|(key, value)| (key.as_str(), of_json(value))).collect();
            entries.sort_unstable();
            (5_u8, entries).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The print of a node with this shape and these notes, and whether something below it refers elsewhere.
pub(super) fn of_node(shape: &Shape, notes: &Notes, nodes: &[Node]) -> (u64, bool) {
    let mut printer = Printer { nodes, hasher: DefaultHasher::new(), has_reference: false };
    std::mem::discriminant(shape).hash(&mut printer.hasher);
    (&notes.id, &notes.title, &notes.description, notes.default, notes.is_bytes, notes.others).hash(&mut printer.hasher);
    printer.shape(shape);
    (printer.hasher.finish(), printer.has_reference)
}

struct Printer<'a> {
    nodes: &'a [Node],
    hasher: DefaultHasher,
    has_reference: bool,
}

impl Printer<'_> {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Pending | Shape::Empty | Shape::True | Shape::False | Shape::Null | Shape::Boolean => {}
            Shape::Reference(target) => {
                self.has_reference = true;
                target.hash(&mut self.hasher);
            }
            Shape::Foreign(address) => address.hash(&mut self.hasher),
            Shape::Text(text) => (text.least, text.most, &text.pattern, &text.format).hash(&mut self.hasher),
            Shape::Number(number) => self.number(number),
            Shape::Enum(literals) => literals.iter().for_each(|literal| literal.print.hash(&mut self.hasher)),
            Shape::Const(literal) => literal.print.hash(&mut self.hasher),
            Shape::Combined(combined) => {
                combined.criterion.keyword().hash(&mut self.hasher);
                combined.branches.iter().for_each(|branch| self.below(*branch));
            }
            Shape::Not(inner) => self.below(*inner),
            Shape::Object(object) => self.object(object),
            Shape::Array(array) => self.array(array),
            Shape::Conditional(print) => print.hash(&mut self.hasher),
        }
    }

    fn below(&mut self, node: NodeIx) {
        let node = &self.nodes[node as usize];
        self.has_reference |= node.has_reference;
        node.print.hash(&mut self.hasher);
    }

    fn maybe(&mut self, node: Option<NodeIx>) {
        node.is_some().hash(&mut self.hasher);
        if let Some(node) = node {
            self.below(node);
        }
    }

    fn number(&mut self, number: &Number) {
        for bound in [number.least, number.most, number.above, number.below] {
            bound.map(f64::to_bits).hash(&mut self.hasher);
        }
        let step = number.multiple_of.map(|step| format!("{step:?}"));
        (number.is_least_excluded, number.is_most_excluded, step, number.is_whole).hash(&mut self.hasher);
    }

    fn object(&mut self, object: &Object) {
        for (name, node) in object.properties.iter().chain(&object.schemas_with) {
            name.hash(&mut self.hasher);
            self.below(*node);
        }
        for entry in &object.patterns {
            entry.pattern.hash(&mut self.hasher);
            self.below(entry.node);
        }
        (object.properties.len(), object.schemas_with.len()).hash(&mut self.hasher);
        object.required.iter().for_each(|(name, _)| name.hash(&mut self.hasher));
        (object.is_typed, object.is_closed, object.least, object.most, &object.required_with).hash(&mut self.hasher);
        [object.additional, object.unevaluated, object.names].into_iter().for_each(|node| self.maybe(node));
    }

    fn array(&mut self, array: &Array) {
        (array.is_typed, array.least, array.most, array.is_unique, array.is_closed, array.least_contained, array.most_contained)
            .hash(&mut self.hasher);
        array.first.iter().for_each(|node| self.below(*node));
        [array.every, array.additional, array.unevaluated, array.contains].into_iter().for_each(|node| self.maybe(node));
    }
}
