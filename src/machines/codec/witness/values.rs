//! What JSON Schemas say about one place of a payload, and the values that are worth a try there: those that a keyword
//! names, those on both sides of its bounds, and one of each type.
//!
//! In: the schemas of both sides. Out: [`Spot`]s. Must not know: which side says what. Start at [`Spot::of`].

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::machines::codec::schema::{Schema, SchemaType};
use crate::random::Stream;
use crate::units::SimTime;

/// Parts of schemas that speak about one place.
const NODES_MAX: usize = 96;
/// Values for one place, and names in one object.
const VALUES_MAX: usize = 80;
const NAMES_MAX: usize = 200;
/// Longest text and list that a bound asks for.
const LENGTH_MAX: u64 = 300;
/// Levels of objects within a value.
const DEPTH_MAX: u32 = 5;
/// Texts drawn for a pattern or format, and how many of those are drawn for.
const DRAWN: usize = 3;
const PATTERNS_MAX: usize = 100;
/// A name that no schema is likely to have.
const UNKNOWN: &str = "unknown";

/// Texts of patterns and formats, drawn once.
#[derive(Debug, Default)]
pub(super) struct Texts(RefCell<BTreeMap<String, Vec<Json>>>);

/// A place in a payload: every part of a schema that may apply there.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    texts: &'a Texts,
    /// Each beside the schema that it stands in, for its references.
    nodes: Vec<(&'a Json, &'a Json)>,
}

impl<'a> Spot<'a> {
    /// The whole payload.
    pub(super) fn of(schemas: &[&'a Json], texts: &'a Texts) -> Self {
        let mut spot = Self { texts, nodes: Vec::new() };
        schemas.iter().for_each(|schema| spot.add(schema, schema));
        spot
    }

    /// A part with everything that it refers to or combines.
    fn add(&mut self, root: &'a Json, node: &'a Json) {
        let mut left = vec![node];
        while let Some(node) = left.pop() {
            let is_known = self.nodes.iter().any(|(_, known)| std::ptr::eq(*known, node));
            if is_known || self.nodes.len() >= NODES_MAX {
                continue;
            }
            self.nodes.push((root, node));
            let Some(map) = node.as_object() else { continue };
            let lists = ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| map.get(*word)?.as_array()).flatten();
            let single = ["not", "if", "then", "else"].iter().filter_map(|word| map.get(*word));
            let dependent = ["dependentSchemas", "dependencies"].iter().filter_map(|word| map.get(*word)?.as_object());
            left.extend(lists.chain(single).chain(dependent.flat_map(Map::values)));
            left.extend(map.get("$ref").and_then(Json::as_str).and_then(|reference| target(root, reference)));
        }
    }

    fn maps(&self) -> impl Iterator<Item = (&'a Json, &'a Map<String, Json>)> + '_ {
        self.nodes.iter().filter_map(|(root, node)| Some((*root, node.as_object()?)))
    }

    /// What is said about a property.
    pub(super) fn property(&self, name: &str) -> Self {
        let mut spot = Self { texts: self.texts, nodes: Vec::new() };
        for (root, map) in self.maps() {
            let own = map.get("properties").and_then(|properties| properties.get(name));
            let by_pattern = map.get("patternProperties").and_then(Json::as_object).into_iter().flat_map(Map::values);
            let others = ["additionalProperties", "unevaluatedProperties"].iter().filter_map(|word| map.get(*word));
            own.into_iter().chain(by_pattern).chain(others.filter(|_| own.is_none())).for_each(|node| spot.add(root, node));
        }
        spot
    }

    /// What is said about an item of a list.
    pub(super) fn item(&self, at: usize) -> Self {
        let mut spot = Self { texts: self.texts, nodes: Vec::new() };
        for (root, map) in self.maps() {
            for word in ["items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"] {
                match map.get(word) {
                    Some(Json::Array(items)) => items.get(at).into_iter().for_each(|node| spot.add(root, node)),
                    Some(node) => spot.add(root, node),
                    None => {}
                }
            }
        }
        spot
    }

    /// Names of properties that any part mentions, and one that none does.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut note = |name: &str| {
            if names.len() < NAMES_MAX && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        };
        for (_, map) in self.maps() {
            let keys = ["properties", "dependencies", "dependentRequired"].iter().filter_map(|word| map.get(*word)?.as_object());
            keys.flat_map(Map::keys).for_each(|name| note(name));
            required(map).for_each(&mut note);
            let patterns = map.get("patternProperties").and_then(Json::as_object).into_iter().flat_map(Map::keys);
            let by_name = map.get("propertyNames").and_then(|node| node.get("pattern")).and_then(Json::as_str);
            for pattern in patterns.map(String::as_str).chain(by_name) {
                self.texts.drawn(&json!({"type": "string", "pattern": pattern})).iter().filter_map(Json::as_str).for_each(&mut note);
            }
        }
        note(UNKNOWN);
        names
    }

    /// Values worth a try, the plain ones first.
    pub(super) fn values(&self, depth: u32) -> Vec<Json> {
        let mut values = Values(Vec::new());
        for (_, map) in self.maps() {
            values.named(map, self.texts);
        }
        let basics = [json!(null), json!(true), json!(0), json!(0.5), json!(""), json!("a"), json!([]), json!({})];
        basics.into_iter().for_each(|value| values.note(value));
        for (_, map) in self.maps() {
            values.bounds(map);
            values.lengths(map);
        }
        if depth < DEPTH_MAX {
            for (_, map) in self.maps() {
                self.objects(map, depth, &mut values);
                self.lists(map, depth, &mut values);
            }
        }
        values.0
    }

    /// Objects that have what is required: as many properties as each bound allows and one more, and what a property depends on.
    fn objects(&self, map: &Map<String, Json>, depth: u32, values: &mut Values) {
        let needed: Vec<String> = required(map).map(str::to_owned).collect();
        let mut sets = vec![needed.clone()];
        for word in ["minProperties", "maxProperties"] {
            let Some(bound) = map.get(word).and_then(Json::as_u64).filter(|bound| *bound <= LENGTH_MAX) else { continue };
            for length in [bound, bound + 1] {
                let more = (0..).map(|number| format!("{UNKNOWN}{number}")).take((length as usize).saturating_sub(needed.len()));
                sets.push(needed.iter().cloned().chain(more).collect());
            }
        }
        let dependent = ["dependencies", "dependentRequired"].iter().filter_map(|word| map.get(*word)?.as_object()).flatten();
        for (name, others) in dependent.filter(|(_, others)| others.is_array()) {
            let others = others.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
            sets.push(needed.iter().cloned().chain([name.clone()]).chain(others).collect());
        }
        for names in sets.into_iter().filter(|names| !names.is_empty()) {
            let object = names.into_iter().map(|name| {
                let value = self.property(&name).first(depth + 1);
                (name, value)
            });
            values.note(Json::Object(object.collect()));
        }
    }

    fn lists(&self, map: &Map<String, Json>, depth: u32, values: &mut Values) {
        let is_list = ["items", "prefixItems", "additionalItems", "contains", "uniqueItems", "minItems", "maxItems", "unevaluatedItems"];
        if !is_list.iter().any(|word| map.contains_key(*word)) {
            return;
        }
        let tuple = ["items", "prefixItems"].iter().filter_map(|word| map.get(*word)?.as_array()).map(Vec::len).max().unwrap_or(0) as u64;
        let mut lengths = vec![1, 2, tuple, tuple + 1];
        for word in ["minItems", "maxItems", "minContains", "maxContains"] {
            let bound = count(map, word);
            lengths.extend([bound.saturating_sub(1), bound, bound + 1]);
        }
        lengths.sort_unstable();
        lengths.dedup();
        for length in lengths.into_iter().filter(|length| *length <= LENGTH_MAX) {
            values.note((0..length as usize).map(|at| self.item(at).first(depth + 1)).collect());
        }
    }

    /// A value that is likely to fit: of the type that is asked for, as its keywords want it.
    fn first(&self, depth: u32) -> Json {
        let wanted = self.maps().find_map(|(_, map)| match map.get("type") {
            Some(Json::Array(types)) => types.first().and_then(Json::as_str),
            ty => ty.and_then(Json::as_str),
        });
        let values = self.values(depth);
        let named = values.first().filter(|_| self.maps().any(|(_, map)| map.contains_key("const") || map.contains_key("enum")));
        let fits = |value: &&Json| match wanted {
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => value.is_null(),
        };
        let made = |values: &[Json]| match wanted {
            // Behind the plain ones.
            Some("object") if self.maps().any(|(_, map)| required(map).next().is_some()) => values.iter().filter(fits).nth(1).cloned(),
            Some("array") => values.iter().rfind(fits).cloned(),
            _ => values.iter().find(fits).cloned(),
        };
        named.cloned().or_else(|| made(&values)).unwrap_or(Json::Null)
    }
}

/// Values without repetition.
struct Values(Vec<Json>);

impl Values {
    fn note(&mut self, value: Json) {
        if self.0.len() < VALUES_MAX && !self.0.contains(&value) {
            self.0.push(value);
        }
    }
    /// Those that a keyword spells out, and texts of a pattern or format.
    fn named(&mut self, map: &Map<String, Json>, texts: &Texts) {
        map.get("const").into_iter().cloned().for_each(|value| self.note(value));
        for word in ["enum", "examples"] {
            map.get(word).and_then(Json::as_array).into_iter().flatten().cloned().for_each(|value| self.note(value));
        }
        if map.contains_key("pattern") || map.contains_key("format") {
            let words = ["pattern", "format", "minLength", "maxLength"];
            let mut text: Map<String, Json> = words.iter().filter_map(|word| Some(((*word).to_owned(), map.get(*word)?.clone()))).collect();
            text.insert("type".to_owned(), json!("string"));
            texts.drawn(&Json::Object(text)).into_iter().for_each(|value| self.note(value));
        }
        map.get("default").into_iter().cloned().for_each(|value| self.note(value));
    }
    /// Numbers on, and on both sides of, each bound.
    fn bounds(&mut self, map: &Map<String, Json>) {
        for word in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"] {
            let Some(bound) = map.get(word).filter(|bound| bound.is_number()) else { continue };
            self.note(bound.clone());
            if let Some(whole) = bound.as_i64() {
                [whole.saturating_add(1), whole.saturating_sub(1), whole.saturating_mul(2)].iter().for_each(|near| self.note(json!(near)));
            }
            if let Some(number) = bound.as_f64() {
                [number + 0.5, number - 0.5, number + 1.0, number - 1.0, number * 2.0].iter().for_each(|near| self.note(json!(near)));
            }
        }
    }
    /// Texts as long as, and a letter shorter and longer than, each bound.
    fn lengths(&mut self, map: &Map<String, Json>) {
        for word in ["minLength", "maxLength"] {
            let Some(bound) = map.get(word).and_then(Json::as_u64).filter(|bound| *bound <= LENGTH_MAX) else { continue };
            [bound.saturating_sub(1), bound, bound + 1].iter().for_each(|length| self.note(json!("a".repeat(*length as usize))));
        }
    }
}

fn required(map: &Map<String, Json>) -> impl Iterator<Item = &str> {
    map.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).take(NAMES_MAX)
}

fn count(map: &Map<String, Json>, word: &str) -> u64 {
    map.get(word).and_then(Json::as_u64).unwrap_or(0).min(LENGTH_MAX * 2)
}

/// The part that a reference within its own document means.
fn target<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    root.pointer(reference.strip_prefix('#')?)
}

impl Texts {
    /// Some texts of a schema for texts.
    fn drawn(&self, schema: &Json) -> Vec<Json> {
        let key = schema.to_string();
        let mut known = self.0.borrow_mut();
        if let Some(known) = known.get(&key) {
            return known.clone();
        }
        if known.len() >= PATTERNS_MAX {
            return Vec::new();
        }
        let drawn = draw(&key);
        known.insert(key, drawn.clone());
        drawn
    }
}

fn draw(schema: &str) -> Vec<Json> {
    let Ok(compiled) = Schema::compile(SchemaType::Json, &schema.into(), &[]) else { return Vec::new() };
    if compiled.can_generate().is_err() {
        return Vec::new();
    }
    let mut rng = Stream::new(0, "witness", "text");
    let one = |_| {
        let mut text = Vec::new();
        compiled.generate(&mut rng, SimTime::ZERO, &mut text);
        serde_json::from_slice(&text).ok()
    };
    (0..DRAWN).filter_map(one).collect()
}
