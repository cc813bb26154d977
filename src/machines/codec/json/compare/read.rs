//! From JSON to shapes: what all drafts share, and drafts 4 to 7, read as the product's loader for them reads them.
//!
//! In: the documents. Out: [`Shapes`]. A place is read once, however many references point at it, and references are read from
//! a list, not by recursion, so that chains of them cost neither time nor stack.
//! Must not know: how nodes are compared. Start at [`read`].

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::decimal::Decimal;
use super::print;
use super::shape::{
    Array, Combined, Criterion, Literal, NO_PLACE, Node, NodeIx, Notes, Number, Object, Patterned, Place, PlaceIx, Shape, Shapes, Text,
    escaped,
};
use crate::machines::codec::json::documents::{Documents, Sources, Target};
use crate::machines::codec::json::draft::Draft;

/// A schema with more parts is not compared.
const NODES_MAX: usize = 50_000;
/// Longest text of a value that is kept to show it.
const LITERAL_CHARS_MAX: usize = 60;

pub(super) const NUMBER_WORDS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TEXT_WORDS: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const ARRAY_WORDS: &[&str] = &["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"];
const OBJECT_WORDS: &[&str] = &[
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
];
/// Parts that are read when something refers to them.
pub(super) const DEFINITIONS: &[&str] = &["definitions", "$defs"];

/// # Errors
/// When the schema has too many parts.
pub(in crate::machines::codec::json) fn read(sources: &Sources, draft: Draft) -> Result<Shapes, String> {
    let documents = Documents::new(sources, draft);
    let mut reading = Reading { documents: &documents, draft, shapes: Shapes::default(), known: HashMap::default(), left: Vec::new() };
    reading.shapes.is_modern = draft.is_modern();
    for name in std::iter::once(String::new()).chain(sources.named.iter().map(|(name, _)| format!("{name}#"))) {
        reading.shapes.places.push(Place { before: NO_PLACE, step: name.into() });
    }
    let root = documents.root();
    reading.load(Spot { json: root.json, place: 0, base: root.base });
    while let Some((node, spot)) = reading.left.pop() {
        reading.fill(node, spot);
        if reading.shapes.nodes.len() > NODES_MAX {
            return Err(format!("the schema has more than {NODES_MAX} parts"));
        }
    }
    Ok(reading.shapes)
}

/// A part of a document that is being read.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    pub(super) json: &'a Json,
    pub(super) place: PlaceIx,
    /// What references stand on.
    pub(super) base: u32,
}

pub(super) struct Reading<'a> {
    documents: &'a Documents<'a>,
    pub(super) draft: Draft,
    pub(super) shapes: Shapes,
    /// Nodes by the address in memory of their JSON.
    known: HashMap<usize, NodeIx, ahash::RandomState>,
    /// Targets of references that are still to be read.
    left: Vec<(NodeIx, Spot<'a>)>,
}

impl<'a> Reading<'a> {
    /// The node of a part, read now unless it was.
    pub(super) fn load(&mut self, spot: Spot<'a>) -> NodeIx {
        let address = std::ptr::from_ref(spot.json).addr();
        let node = self.known.get(&address).copied().unwrap_or_else(|| self.add(Shape::Pending, spot.place, Notes::default()));
        self.known.insert(address, node);
        self.fill(node, spot);
        node
    }
    pub(super) fn add(&mut self, shape: Shape, place: PlaceIx, notes: Notes) -> NodeIx {
        let (print, has_reference) = print::of_node(&shape, &notes, &self.shapes.nodes);
        self.shapes.nodes.push(Node { shape, place, notes, print, has_reference });
        self.shapes.nodes.len() as NodeIx - 1
    }
    /// A part under a keyword.
    pub(super) fn under(&mut self, spot: Spot<'a>, keyword: &str, json: &'a Json) -> Spot<'a> {
        Spot { json, place: self.place(spot.place, keyword), base: spot.base }
    }
    pub(super) fn load_under(&mut self, spot: Spot<'a>, keyword: &str, json: &'a Json) -> NodeIx {
        let spot = self.under(spot, keyword, json);
        self.load(spot)
    }
    /// Each part of a list under a keyword.
    pub(super) fn load_list(&mut self, spot: Spot<'a>, keyword: &str, list: &'a [Json]) -> Vec<NodeIx> {
        let place = self.place(spot.place, keyword);
        let spot = Spot { place, ..spot };
        list.iter().enumerate().map(|(at, json)| self.load_under(spot, &at.to_string(), json)).collect()
    }
    /// Each part of a map under a keyword, sorted by name.
    pub(super) fn load_map(&mut self, spot: Spot<'a>, keyword: &str, map: &'a Map<String, Json>) -> Vec<(Box<str>, NodeIx)> {
        let place = self.place(spot.place, keyword);
        let spot = Spot { place, ..spot };
        let mut all: Vec<(Box<str>, NodeIx)> =
            map.iter().map(|(name, json)| (name.as_str().into(), self.load_under(spot, name, json))).collect();
        all.sort_unstable();
        all
    }
    pub(super) fn load_patterns(&mut self, spot: Spot<'a>, map: &'a Map<String, Json>) -> Vec<Patterned> {
        let place = self.place(spot.place, "patternProperties");
        let spot = Spot { place, ..spot };
        map.iter().map(|(pattern, json)| Patterned::new(pattern, self.load_under(spot, pattern, json))).collect()
    }
    pub(super) fn reference(&mut self, base: u32, reference: &str) -> Shape {
        let Some(target) = self.documents.resolve(base, reference) else { return Shape::Foreign(reference.into()) };
        let address = std::ptr::from_ref(target.json).addr();
        if let Some(known) = self.known.get(&address) {
            return Shape::Reference(*known);
        }
        let place = self.place_of(&target);
        let node = self.add(Shape::Pending, place, Notes::default());
        self.known.insert(address, node);
        self.left.push((node, Spot { json: target.json, place, base: target.base }));
        Shape::Reference(node)
    }

    fn place(&mut self, before: PlaceIx, step: &str) -> PlaceIx {
        self.shapes.places.push(Place { before, step: escaped(step).into() });
        self.shapes.places.len() as PlaceIx - 1
    }

    fn place_of(&mut self, target: &Target<'a>) -> PlaceIx {
        // Invariant: the first places are the heads of the documents, in their order.
        self.documents.steps_of(target).iter().fold(target.document, |place, step| self.place(place, step))
    }

    fn fill(&mut self, node: NodeIx, spot: Spot<'a>) {
        if !matches!(self.shapes.nodes[node as usize].shape, Shape::Pending) || self.shapes.nodes.len() > NODES_MAX {
            return;
        }
        let spot = Spot { base: self.documents.base_in(spot.json, spot.base), ..spot };
        let (shape, notes) = match spot.json {
            Json::Bool(true) => (Shape::True, Notes::default()),
            Json::Bool(false) => (Shape::False, Notes::default()),
            Json::Object(map) if self.draft.is_modern() => self.modern(map, spot),
            Json::Object(map) => self.legacy(map, spot),
            _ => (Shape::Empty, Notes::default()),
        };
        let (print, has_reference) = print::of_node(&shape, &notes, &self.shapes.nodes);
        self.shapes.nodes[node as usize] = Node { shape, place: spot.place, notes, print, has_reference };
    }

    fn legacy(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>) -> (Shape, Notes) {
        let mut used = Vec::new();
        let mut parts = if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
            used.push("$ref");
            vec![self.reference(spot.base, reference)]
        } else {
            self.legacy_parts(map, spot, &mut used)
        };
        let shape = match parts.len() {
            0 => Shape::Empty,
            1 => parts.remove(0),
            _ => self.combined(Criterion::All, parts, spot.place),
        };
        let shape = match shape {
            Shape::Array(mut array) => {
                (array.least_contained, array.most_contained) = (whole(map, "minContains"), whole(map, "maxContains"));
                Shape::Array(array)
            }
            other => other,
        };
        (shape, self.notes(map, |word| !used.contains(&word)))
    }

    /// The kinds that a part's keywords make, in the order of the product's loader; `used` gets the keywords taken.
    fn legacy_parts(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>, used: &mut Vec<&'a str>) -> Vec<Shape> {
        let mut parts = Vec::new();
        if let Some(Json::Array(values)) = map.get("enum") {
            used.push("enum");
            parts.push(Shape::Enum(literals(values)));
        }
        for criterion in [Criterion::All, Criterion::One, Criterion::Any] {
            if let Some(Json::Array(list)) = map.get(criterion.keyword()) {
                used.push(criterion.keyword());
                let branches = self.load_list(spot, criterion.keyword(), list);
                parts.push(Shape::Combined(Box::new(Combined { criterion, branches, is_made: false })));
            }
        }
        if let Some(inner) = map.get("not") {
            used.push("not");
            parts.push(Shape::Not(self.load_under(spot, "not", inner)));
        }
        if let Some(value) = map.get("const").filter(|_| self.draft != Draft::Four) {
            used.push("const");
            parts.push(Shape::Const(literal(value)));
        }
        match map.get("type") {
            Some(Json::String(name)) => {
                used.push("type");
                parts.extend(self.legacy_type(name, map, spot, used));
            }
            Some(Json::Array(names)) => {
                used.push("type");
                let shapes: Vec<Shape> =
                    names.iter().filter_map(Json::as_str).filter_map(|name| self.legacy_type(name, map, spot, used)).collect();
                parts.push(self.combined(Criterion::Any, shapes, spot.place));
            }
            _ => {}
        }
        // Keywords of a kind that no type has claimed make a part of that kind that lets values of other types through.
        for (name, words) in [("array", ARRAY_WORDS), ("object", OBJECT_WORDS), ("number", NUMBER_WORDS), ("string", TEXT_WORDS)] {
            if words.iter().any(|word| self.knows(word) && map.contains_key(*word) && !used.contains(word)) {
                parts.extend(self.legacy_type(name, map, spot, used));
            }
        }
        let conditions = ["if", "then", "else"];
        if self.draft == Draft::Seven && conditions.iter().any(|word| map.contains_key(*word)) {
            used.extend(conditions);
            parts.push(conditional(map));
        }
        parts
    }

    fn knows(&self, keyword: &str) -> bool {
        self.draft != Draft::Four || !["contains", "propertyNames"].contains(&keyword)
    }

    fn legacy_type(&mut self, name: &str, map: &'a Map<String, Json>, spot: Spot<'a>, used: &mut Vec<&'a str>) -> Option<Shape> {
        let (shape, words) = match name {
            "string" => (text(map), TEXT_WORDS),
            "integer" => (number(map, true), NUMBER_WORDS),
            "number" => (number(map, false), NUMBER_WORDS),
            "boolean" => (Shape::Boolean, &[][..]),
            "null" => (Shape::Null, &[][..]),
            "array" => (self.legacy_array(map, spot), ARRAY_WORDS),
            "object" => (self.legacy_object(map, spot), OBJECT_WORDS),
            _ => return None,
        };
        used.extend(words);
        Some(shape)
    }

    fn legacy_array(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>) -> Shape {
        let mut array = Array {
            is_typed: names_type(map, "array"),
            least: count(map, "minItems"),
            most: count(map, "maxItems"),
            is_unique: flag(map, "uniqueItems"),
            is_closed: map.get("additionalItems") == Some(&Json::Bool(false)),
            ..Array::default()
        };
        if let Some(additional @ Json::Object(_)) = map.get("additionalItems") {
            array.additional = Some(self.load_under(spot, "additionalItems", additional));
        }
        match map.get("items") {
            Some(Json::Array(list)) => array.first = self.load_list(spot, "items", list),
            Some(items) => {
                array.every = Some(self.load_under(spot, "items", items));
                // One schema for all items: what is additional has no meaning then.
                array.is_closed = false;
            }
            None => {}
        }
        if let Some(contained) = map.get("contains").filter(|_| self.knows("contains")) {
            array.contains = Some(self.load_under(spot, "contains", contained));
        }
        Shape::Array(Box::new(array))
    }

    fn legacy_object(&mut self, map: &'a Map<String, Json>, spot: Spot<'a>) -> Shape {
        let mut object = Object {
            is_typed: names_type(map, "object"),
            least: count(map, "minProperties"),
            most: count(map, "maxProperties"),
            required: required(map),
            is_closed: map.get("additionalProperties") == Some(&Json::Bool(false)),
            ..Object::default()
        };
        if let Some(Json::Object(properties)) = map.get("properties") {
            object.properties = self.load_map(spot, "properties", properties);
        }
        if let Some(additional @ Json::Object(_)) = map.get("additionalProperties") {
            object.additional = Some(self.load_under(spot, "additionalProperties", additional));
        }
        if let Some(Json::Object(patterns)) = map.get("patternProperties") {
            object.patterns = self.load_patterns(spot, patterns);
        }
        if let Some(Json::Object(dependencies)) = map.get("dependencies") {
            object.required_with = names_with(dependencies);
            let place = self.place(spot.place, "dependencies");
            let schemas = dependencies.iter().filter(|(_, value)| !value.is_array());
            object.schemas_with =
                schemas.map(|(name, json)| (Box::from(name.as_str()), self.load_under(Spot { place, ..spot }, name, json))).collect();
            object.schemas_with.sort_unstable();
        }
        if let Some(names) = map.get("propertyNames").filter(|_| self.knows("propertyNames")) {
            object.names = Some(self.load_under(spot, "propertyNames", names));
        }
        Shape::Object(Box::new(object))
    }

    /// A combination made of neighbouring parts, all at one place.
    pub(super) fn combined(&mut self, criterion: Criterion, parts: Vec<Shape>, place: PlaceIx) -> Shape {
        let branches = parts.into_iter().map(|part| self.add(part, place, Notes::default())).collect();
        Shape::Combined(Box::new(Combined { criterion, branches, is_made: true }))
    }

    /// What stands beside the rules; `is_other` says whether a keyword means nothing to the product.
    pub(super) fn notes(&self, map: &Map<String, Json>, is_other: impl Fn(&str) -> bool) -> Notes {
        let text = |word: &str| map.get(word).and_then(Json::as_str).map(Box::from);
        let known = ["title", "description", "default", self.draft.id_word()];
        let others = map.iter().filter(|(key, _)| {
            let key = key.as_str();
            !known.contains(&key) && !DEFINITIONS.contains(&key) && is_other(key)
        });
        Notes {
            // The loader of the later drafts does not hand the id on.
            id: text(self.draft.id_word()).filter(|_| !self.draft.is_modern()),
            title: text("title"),
            description: text("description"),
            default: map.get("default").filter(|value| !(self.draft.is_modern() && value.is_null())).map(print::of_json),
            is_bytes: map.get("connect.type").and_then(Json::as_str) == Some("bytes"),
            others: others
                .map(|(key, value)| print::of_json(value) ^ print::of_json(&Json::from(key.as_str())).rotate_left(1))
                .fold(0, u64::wrapping_add),
        }
    }
}

fn names_type(map: &Map<String, Json>, name: &str) -> bool {
    match map.get("type") {
        Some(Json::String(only)) => only == name,
        Some(Json::Array(names)) => names.iter().any(|one| one == name),
        _ => false,
    }
}

pub(super) fn literal(value: &Json) -> Literal {
    let text = value.to_string();
    let short: String =
        if text.chars().count() > LITERAL_CHARS_MAX { text.chars().take(LITERAL_CHARS_MAX).chain(['…']).collect() } else { text };
    Literal { print: print::of_json(value), text: short.into() }
}

/// Sorted by print, without duplicates.
pub(super) fn literals(values: &[Json]) -> Box<[Literal]> {
    let mut all: Vec<Literal> = values.iter().map(literal).collect();
    all.sort_by_key(|literal| literal.print);
    all.dedup_by_key(|literal| literal.print);
    all.into()
}

pub(super) fn conditional(map: &Map<String, Json>) -> Shape {
    let prints = ["if", "then", "else"].map(|word| map.get(word).map_or(0, print::of_json));
    Shape::Conditional(prints.iter().fold(0_u64, |all, print| all.rotate_left(7) ^ print))
}

pub(super) fn text(map: &Map<String, Json>) -> Shape {
    let words = |keyword: &str| map.get(keyword).and_then(Json::as_str).map(Box::from);
    let text = Text { least: count(map, "minLength"), most: count(map, "maxLength"), pattern: words("pattern"), format: words("format") };
    Shape::Text(Box::new(text))
}

pub(super) fn number(map: &Map<String, Json>, is_whole: bool) -> Shape {
    let bound = |keyword: &str| map.get(keyword).and_then(Json::as_f64);
    Shape::Number(Box::new(Number {
        least: bound("minimum"),
        most: bound("maximum"),
        above: bound("exclusiveMinimum"),
        below: bound("exclusiveMaximum"),
        is_least_excluded: flag(map, "exclusiveMinimum"),
        is_most_excluded: flag(map, "exclusiveMaximum"),
        multiple_of: map.get("multipleOf").filter(|value| value.is_number()).and_then(|value| Decimal::parse(&value.to_string())),
        is_whole,
    }))
}

pub(super) fn count(map: &Map<String, Json>, keyword: &str) -> Option<u64> {
    map.get(keyword).and_then(|value| value.as_u64().or_else(|| value.as_f64().map(|number| number as u64)))
}

pub(super) fn whole(map: &Map<String, Json>, keyword: &str) -> Option<i64> {
    map.get(keyword).and_then(|value| value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)))
}

pub(super) fn flag(map: &Map<String, Json>, keyword: &str) -> bool {
    map.get(keyword).and_then(Json::as_bool).unwrap_or(false)
}

pub(super) fn required(map: &Map<String, Json>) -> Vec<(Box<str>, u32)> {
    let names = map.get("required").and_then(Json::as_array).into_iter().flatten().enumerate();
    let mut all: Vec<_> = names.filter_map(|(at, name)| Some((Box::from(name.as_str()?), at as u32))).collect();
    all.sort_unstable();
    all.dedup_by(|one, other| one.0 == other.0);
    all
}

/// The entries of a map that are lists of names.
pub(super) fn names_with(map: &Map<String, Json>) -> Vec<(Box<str>, Vec<Box<str>>)> {
    let entry = |(name, value): (&String, &Json)| {
        let mut names: Vec<Box<str>> = value.as_array()?.iter().filter_map(Json::as_str).map(Box::from).collect();
        names.sort_unstable();
        names.dedup();
        // The product keeps no entry for an empty list.
        (!names.is_empty()).then(|| (Box::from(name.as_str()), names))
    };
    let mut all: Vec<_> = map.iter().filter_map(entry).collect();
    all.sort_unstable();
    all
}
