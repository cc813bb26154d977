//! Shapes of the drafts 2019-09 and 2020-12, as the product's second loader and its translation make them.
//!
//! There each keyword is a part of its own, and parts are joined in the order of the text: parts of one kind merge, parts of
//! several kinds become an `allOf`, and an `allOf` made so dissolves in a list that it stands in. The order of keywords can
//! therefore change a shape, and does so here as there.

use serde_json::{Map, Value as Json};

use super::read::{Reading, Spot, conditional, count, literal, literals, names_with, number, required, text, whole};
use super::shape::{Array, Combined, Criterion, NodeIx, Notes, Number, Object, Shape, Text};

/// Parts joined so far.
enum Made {
    One(Shape),
    /// An `allOf` that nobody wrote.
    All(Vec<Shape>),
    /// The types of a list of types.
    Any(Vec<Shape>),
}

/// Keywords that the loader knows and that make no part.
const SILENT: &[&str] = &[
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$ref",
    "$schema",
    "$vocabulary",
    "deprecated",
    "minContains",
    "maxContains",
    "then",
    "else",
    "properties",
    "patternProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
];

impl<'a> Reading<'a> {
    pub(super) fn modern(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>) -> (Shape, Notes) {
        let mut made = None;
        let mut others = Vec::new();
        if let Some(Json::String(reference)) = map.get("$dynamicRef") {
            made = Some(Made::One(self.reference(spot.base, reference)));
        }
        for (keyword, value) in map {
            match self.keyword(keyword, value, map, spot) {
                Some(part) => made = Some(self.joined(made, part, spot)),
                None if !SILENT.contains(&keyword.as_str()) => others.push(keyword.as_str()),
                None => {}
            }
        }
        for part in self.late_parts(map, spot) {
            made = Some(self.joined(made, Made::One(part), spot));
        }
        let shape = match made {
            None => Shape::Empty,
            Some(Made::One(shape)) => shape,
            Some(Made::Any(parts)) => self.combined(Criterion::Any, parts, spot.place),
            Some(Made::All(mut parts)) => match parts.len() {
                0 => Shape::Empty,
                1 => parts.remove(0),
                _ => self.combined(Criterion::All, parts, spot.place),
            },
        };
        (shape, self.notes(map, |word| others.contains(&word)))
    }

    fn keyword(&mut self, keyword: &str, value: &'a Json, map: &'a Map<String, Json>, spot: Spot<'a>) -> Option<Made> {
        let shape = match (keyword, value) {
            ("$ref", Json::String(reference)) => self.reference(spot.base, reference),
            ("type", Json::String(name)) => of_type(name)?,
            ("type", Json::Array(names)) => return Some(Made::Any(names.iter().filter_map(Json::as_str).filter_map(of_type).collect())),
            ("enum", Json::Array(values)) => Shape::Enum(literals(values)),
            ("const", value) => Shape::Const(literal(value)),
            ("allOf", Json::Array(list)) => self.branches(Criterion::All, list, spot),
            ("anyOf", Json::Array(list)) => self.branches(Criterion::Any, list, spot),
            ("oneOf", Json::Array(list)) => self.branches(Criterion::One, list, spot),
            ("not", inner) => Shape::Not(self.load_under(spot, "not", inner)),
            ("if", _) => conditional(map),
            ("minLength" | "maxLength" | "pattern", _) => text(&only(map, keyword)),
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf", _) => number(&only(map, keyword), false),
            ("minItems" | "maxItems" | "uniqueItems" | "contains" | "prefixItems" | "items", _) => {
                self.array_part(keyword, value, map, spot)
            }
            (
                "required"
                | "minProperties"
                | "maxProperties"
                | "additionalProperties"
                | "propertyNames"
                | "dependentRequired"
                | "dependentSchemas",
                _,
            ) => self.object_part(keyword, value, map, spot),
            // These are read and then made nothing of, which still makes a list of one.
            ("format" | "readOnly" | "writeOnly", _) => return Some(Made::All(Vec::new())),
            _ => return None,
        };
        Some(Made::One(shape))
    }

    /// What the loader keeps apart and adds at the end.
    fn late_parts(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>) -> Vec<Shape> {
        let object = |object: Object| Shape::Object(Box::new(object));
        let mut parts = Vec::new();
        if let Some(Json::Object(properties)) = map.get("properties").filter(|value| value.as_object().is_some_and(|map| !map.is_empty())) {
            parts.push(object(Object { properties: self.load_map(spot, "properties", properties), ..Object::default() }));
        }
        if let Some(Json::Object(patterns)) =
            map.get("patternProperties").filter(|value| value.as_object().is_some_and(|map| !map.is_empty()))
        {
            parts.push(object(Object { patterns: self.load_patterns(spot, patterns), ..Object::default() }));
        }
        if let Some(rest) = map.get("unevaluatedItems") {
            let unevaluated = Some(self.load_under(spot, "unevaluatedItems", rest));
            parts.push(Shape::Array(Box::new(Array { unevaluated, ..Array::default() })));
        }
        if let Some(rest) = map.get("unevaluatedProperties") {
            let unevaluated = Some(self.load_under(spot, "unevaluatedProperties", rest));
            parts.push(object(Object { unevaluated, ..Object::default() }));
        }
        parts
    }

    fn branches(&mut self, criterion: Criterion, list: &'a [Json], spot: Spot<'a>) -> Shape {
        let loaded = self.load_list(spot, criterion.keyword(), list);
        let mut branches = Vec::with_capacity(loaded.len());
        for node in loaded {
            match &self.shapes.nodes[node as usize].shape {
                Shape::Combined(inner) if inner.is_made && inner.criterion == Criterion::All => branches.extend_from_slice(&inner.branches),
                _ => branches.push(node),
            }
        }
        Shape::Combined(Box::new(Combined { criterion, branches, is_made: false }))
    }

    fn array_part(&mut self, keyword: &str, value: &'a Json, map: &'a Map<String, Json>, spot: Spot<'a>) -> Shape {
        let mut array = Array::default();
        match (keyword, value) {
            ("minItems", _) => array.least = count(map, keyword),
            ("maxItems", _) => array.most = count(map, keyword),
            ("uniqueItems", _) => array.is_unique = *value == Json::Bool(true),
            ("contains", _) => {
                array.contains = Some(self.load_under(spot, keyword, value));
                array.least_contained = Some(whole(map, "minContains").unwrap_or(1));
                array.most_contained = whole(map, "maxContains");
            }
            ("prefixItems" | "items", Json::Array(list)) => array.first = self.load_list(spot, keyword, list),
            ("items", Json::Bool(is_open)) => array.is_closed = !is_open,
            ("items", _) => {
                let items = Some(self.load_under(spot, keyword, value));
                let has_first = map.get("prefixItems").and_then(Json::as_array).is_some_and(|list| !list.is_empty());
                if has_first { array.additional = items } else { array.every = items }
            }
            _ => {}
        }
        Shape::Array(Box::new(array))
    }

    fn object_part(&mut self, keyword: &str, value: &'a Json, map: &'a Map<String, Json>, spot: Spot<'a>) -> Shape {
        let mut object = Object::default();
        match (keyword, value) {
            ("required", _) => object.required = required(map),
            ("minProperties", _) => object.least = count(map, keyword),
            ("maxProperties", _) => object.most = count(map, keyword),
            ("additionalProperties", Json::Bool(is_open)) => object.is_closed = !is_open,
            ("additionalProperties", _) => object.additional = Some(self.load_under(spot, keyword, value)),
            ("propertyNames", _) => object.names = Some(self.load_under(spot, keyword, value)),
            ("dependentRequired", Json::Object(map)) => object.required_with = names_with(map),
            ("dependentSchemas", Json::Object(map)) => object.schemas_with = self.load_map(spot, keyword, map),
            _ => {}
        }
        Shape::Object(Box::new(object))
    }

    fn joined(&mut self, made: Option<Made>, part: Made, spot: Spot<'a>) -> Made {
        match (made, part) {
            (None, part) => part,
            (Some(Made::One(mut one)), Made::One(other)) => match merge(&mut one, other) {
                None => Made::One(one),
                Some(other) => Made::All(vec![one, other]),
            },
            (Some(Made::Any(parts)), Made::One(one)) | (Some(Made::One(one)), Made::Any(parts)) if holds_kind(&parts, &one) => {
                Made::Any(gathered(parts, one))
            }
            (Some(made), part) => {
                let (all, rest) = (self.flat(made, spot), self.flat(part, spot));
                Made::All(all.into_iter().chain(rest).fold(Vec::new(), gathered))
            }
        }
    }

    fn flat(&mut self, made: Made, spot: Spot<'a>) -> Vec<Shape> {
        match made {
            Made::One(shape) => vec![shape],
            Made::All(parts) => parts,
            Made::Any(parts) => vec![self.combined(Criterion::Any, parts, spot.place)],
        }
    }
}

fn of_type(name: &str) -> Option<Shape> {
    Some(match name {
        "string" => Shape::Text(Box::default()),
        "integer" => Shape::Number(Box::new(Number { is_whole: true, ..Number::default() })),
        "number" => Shape::Number(Box::default()),
        "boolean" => Shape::Boolean,
        "null" => Shape::Null,
        "array" => Shape::Array(Box::new(Array { is_typed: true, ..Array::default() })),
        "object" => Shape::Object(Box::new(Object { is_typed: true, ..Object::default() })),
        _ => return None,
    })
}

fn only(map: &Map<String, Json>, keyword: &str) -> Map<String, Json> {
    map.iter().filter(|(key, _)| *key == keyword).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn holds_kind(parts: &[Shape], one: &Shape) -> bool {
    parts.iter().any(|part| std::mem::discriminant(part) == std::mem::discriminant(one))
}

/// Merges into the first of its kind, or comes last.
fn gathered(mut parts: Vec<Shape>, mut one: Shape) -> Vec<Shape> {
    for part in &mut parts {
        match merge(part, one) {
            None => return parts,
            Some(back) => one = back,
        }
    }
    parts.push(one);
    parts
}

/// Takes `more` into `all` when both are of one kind that can be merged; gives it back otherwise.
fn merge(all: &mut Shape, more: Shape) -> Option<Shape> {
    match (all, more) {
        (Shape::Text(all), Shape::Text(more)) => merge_texts(all, *more),
        (Shape::Number(all), Shape::Number(more)) => merge_numbers(all, &more),
        (Shape::Object(all), Shape::Object(more)) => merge_objects(all, *more),
        (Shape::Array(all), Shape::Array(more)) => merge_arrays(all, *more),
        (_, more) => return Some(more),
    }
    None
}

fn merge_texts(all: &mut Text, more: Text) {
    take(&mut all.least, more.least);
    take(&mut all.most, more.most);
    take(&mut all.pattern, more.pattern);
}

fn merge_numbers(all: &mut Number, more: &Number) {
    take(&mut all.least, more.least);
    take(&mut all.most, more.most);
    take(&mut all.above, more.above);
    take(&mut all.below, more.below);
    take(&mut all.multiple_of, more.multiple_of);
    all.is_whole |= more.is_whole;
}

fn merge_objects(all: &mut Object, mut more: Object) {
    all.properties.append(&mut more.properties);
    all.required.append(&mut more.required);
    all.patterns.append(&mut more.patterns);
    all.required_with.append(&mut more.required_with);
    all.schemas_with.append(&mut more.schemas_with);
    all.is_closed |= more.is_closed;
    all.is_typed |= more.is_typed;
    let nodes: [(&mut Option<NodeIx>, Option<NodeIx>); 3] =
        [(&mut all.additional, more.additional), (&mut all.unevaluated, more.unevaluated), (&mut all.names, more.names)];
    nodes.into_iter().for_each(|(all, more)| take(all, more));
    take(&mut all.least, more.least);
    take(&mut all.most, more.most);
}

fn merge_arrays(all: &mut Array, mut more: Array) {
    take(&mut all.least, more.least);
    take(&mut all.most, more.most);
    all.is_unique |= more.is_unique;
    all.is_typed |= more.is_typed;
    take(&mut all.every, more.every);
    all.first.append(&mut more.first);
    all.is_closed |= more.is_closed;
    take(&mut all.additional, more.additional);
    take(&mut all.unevaluated, more.unevaluated);
    take(&mut all.contains, more.contains);
    take(&mut all.least_contained, more.least_contained);
    take(&mut all.most_contained, more.most_contained);
}

fn take<T>(all: &mut Option<T>, more: Option<T>) {
    if more.is_some() {
        *all = more;
    }
}
