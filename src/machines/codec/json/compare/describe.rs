//! Where a step below a node stands in the text, and what stands there, in words.

use super::shape::{Array, Node, Number, Object, Shape, Shapes, Text, escaped};
use super::walk::Step;

/// Longest list of values that is written out.
const VALUES_MAX: usize = 8;

impl Shapes {
    /// The JSON pointer of what `step` means below a node; none when there is no such thing here.
    pub(super) fn pointer_below(&self, node: &Node, pointer: &str, step: Step<'_>) -> Option<String> {
        let below = match step {
            Step::Here => return Some(if pointer.is_empty() { "/" } else { pointer }.to_owned()),
            Step::Note(keyword) => {
                let notes = &node.notes;
                let text = match keyword {
                    "title" => notes.title.is_some(),
                    "description" => notes.description.is_some(),
                    "default" => notes.default.is_some(),
                    _ => notes.id.is_some(),
                };
                text.then(|| keyword.to_owned())
            }
            Step::Keyword(keyword) => value(&node.shape, keyword).map(|_| keyword.to_owned()),
            Step::Name(list, name) => self.below_name(&node.shape, list, name),
            Step::Index(_, at) => match &node.shape {
                Shape::Array(array) if at < array.first.len() => {
                    Some(format!("{}/{at}", if self.is_modern { "prefixItems" } else { "items" }))
                }
                _ => None,
            },
        };
        below.map(|below| format!("{pointer}/{below}"))
    }

    fn below_name(&self, shape: &Shape, list: &str, name: &str) -> Option<String> {
        let Shape::Object(object) = shape else { return None };
        let list = match list {
            "required" => {
                let (_, at) = object.required.iter().find(|(key, _)| **key == *name)?;
                return Some(format!("required/{at}"));
            }
            "dependencies" => {
                let is_names = object.required_with.iter().any(|(key, _)| **key == *name);
                let is_schema = object.schemas_with.iter().any(|(key, _)| **key == *name);
                match (is_names, is_schema, self.is_modern) {
                    (false, false, _) => return None,
                    (true, _, true) => "dependentRequired",
                    (_, _, true) => "dependentSchemas",
                    _ => list,
                }
            }
            "patternProperties" if !object.patterns.iter().any(|entry| *entry.pattern == *name) => return None,
            "properties" if object.property(name).is_none() => return None,
            _ => list,
        };
        Some(format!("{list}/{}", escaped(name)))
    }
}

/// What kind of value a node is for.
pub(super) fn kind(shapes: &Shapes, node: &Node) -> String {
    match &node.shape {
        Shape::Pending | Shape::Empty | Shape::True => "any value".to_owned(),
        Shape::False => "no value at all".to_owned(),
        Shape::Reference(target) => match &shapes.nodes[*target as usize].shape {
            Shape::Reference(_) => "a reference to a reference".to_owned(),
            _ => kind(shapes, &shapes.nodes[*target as usize]),
        },
        Shape::Foreign(address) => format!("`{address}`"),
        Shape::Null => "null".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::Text(_) => "a text".to_owned(),
        Shape::Number(number) if number.is_whole => "a whole number".to_owned(),
        Shape::Number(_) => "a number".to_owned(),
        Shape::Enum(_) | Shape::Const(_) => {
            format!("one of {}", value(&node.shape, "enum").or_else(|| value(&node.shape, "const")).unwrap_or_default())
        }
        Shape::Combined(combined) => {
            let kinds: Vec<String> =
                combined.branches.iter().take(VALUES_MAX).map(|branch| kind_alone(&shapes.nodes[*branch as usize])).collect();
            format!("`{}` of {}", combined.criterion.keyword(), kinds.join(", "))
        }
        Shape::Not(_) => "what something is not".to_owned(),
        Shape::Object(_) => "an object".to_owned(),
        Shape::Array(_) => "a list".to_owned(),
        Shape::Conditional(_) => "a condition".to_owned(),
    }
}

/// Without looking into lists, which may be nested or go in circles.
fn kind_alone(node: &Node) -> String {
    match &node.shape {
        Shape::Combined(combined) => format!("`{}`", combined.criterion.keyword()),
        Shape::Reference(_) => "a reference".to_owned(),
        _ => kind(&Shapes::default(), node),
    }
}

/// What a keyword says; none where it does not stand.
pub(super) fn value(shape: &Shape, keyword: &str) -> Option<String> {
    match shape {
        Shape::Text(text) => of_text(text, keyword),
        Shape::Number(number) => of_number(number, keyword),
        Shape::Object(object) => of_object(object, keyword),
        Shape::Array(array) => of_array(array, keyword),
        Shape::Enum(literals) if keyword == "enum" => {
            let mut shown: Vec<&str> = literals.iter().map(|literal| &*literal.text).collect();
            shown.sort_unstable();
            let more = if shown.len() > VALUES_MAX { ", …" } else { "" };
            Some(format!("{}{more}", shown[..shown.len().min(VALUES_MAX)].join(", ")))
        }
        Shape::Const(literal) if keyword == "const" => Some(literal.text.to_string()),
        Shape::Not(_) if keyword == "not" => Some(String::new()),
        Shape::Conditional(_) if keyword == "if" => Some(String::new()),
        _ => None,
    }
}

fn of_text(text: &Text, keyword: &str) -> Option<String> {
    match keyword {
        "minLength" => text.least.map(|least| least.to_string()),
        "maxLength" => text.most.map(|most| most.to_string()),
        "pattern" => text.pattern.as_ref().map(|pattern| format!("`{pattern}`")),
        "format" => text.format.as_ref().map(|format| format!("`{format}`")),
        _ => None,
    }
}

fn of_number(number: &Number, keyword: &str) -> Option<String> {
    let bound = |value: Option<f64>| value.map(|value| value.to_string());
    match keyword {
        "minimum" => bound(number.least),
        "maximum" => bound(number.most),
        "exclusiveMinimum" => bound(number.above).or_else(|| number.is_least_excluded.then(|| "true".to_owned())),
        "exclusiveMaximum" => bound(number.below).or_else(|| number.is_most_excluded.then(|| "true".to_owned())),
        "multipleOf" => number.multiple_of.map(|step| step.to_string()),
        _ => None,
    }
}

fn of_object(object: &Object, keyword: &str) -> Option<String> {
    let part = |node: Option<u32>| node.map(|_| "a schema".to_owned());
    match keyword {
        "minProperties" => object.least.map(|least| least.to_string()),
        "maxProperties" => object.most.map(|most| most.to_string()),
        "additionalProperties" if object.is_closed => Some("false".to_owned()),
        "additionalProperties" => part(object.additional),
        "unevaluatedProperties" => part(object.unevaluated),
        "propertyNames" => part(object.names),
        _ => None,
    }
}

fn of_array(array: &Array, keyword: &str) -> Option<String> {
    let part = |node: Option<u32>| node.map(|_| "a schema".to_owned());
    match keyword {
        "minItems" => array.least.map(|least| least.to_string()),
        "maxItems" => array.most.map(|most| most.to_string()),
        "uniqueItems" => array.is_unique.then(|| "true".to_owned()),
        "minContains" => array.least_contained.map(|least| least.to_string()),
        "maxContains" => array.most_contained.map(|most| most.to_string()),
        "items" => part(array.every),
        "additionalItems" if array.is_closed => Some("false".to_owned()),
        "additionalItems" => part(array.additional),
        "unevaluatedItems" => part(array.unevaluated),
        "contains" => part(array.contains),
        _ => None,
    }
}
