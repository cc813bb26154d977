//! What payloads of a JSON Schema look like, as a flat table of nodes.
//!
//! The plan follows types, enums, bounds, formats, required fields, nesting, local references and the
//! combining keywords; what it leaves out (`not`, `if`, `uniqueItems`…) is caught by checking payloads.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::pattern::Pattern;
use crate::machines::codec::draw::{NumberDraw, TextDraw};

/// More parts than this are not planned; what lies beyond is null.
const NODES_MAX: usize = 10_000;
/// Deepest nesting of the plan: references expanded inside combinations could go on for ever.
const DEPTH_MAX: usize = 64;
/// Most items, and most characters, that a schema's least counts can make the plan write.
const LEAST_MAX: u64 = 1_000;
/// Schemas taken into others while planning; beyond these they are left as they are.
const MERGES_MAX: usize = 100_000;

pub(super) type NodeIx = u32;

/// One part of the plan.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// One of these texts, as they stand.
    Choice(Vec<Box<[u8]>>),
    Null,
    Boolean,
    Whole {
        least: i64,
        most: i64,
        step: i64,
        draw: NumberDraw,
    },
    Real {
        least: f64,
        most: f64,
        step: f64,
        draw: NumberDraw,
    },
    Text {
        draw: TextDraw,
        least: usize,
        most: usize,
    },
    Pattern(Pattern),
    Array {
        item: NodeIx,
        least: u64,
        most: u64,
    },
    /// A range of [`Plan::fields`].
    Object {
        first: u32,
        count: u32,
    },
    /// One of these; the share of null among them is as in Avro.
    OneOf(Vec<NodeIx>),
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    /// `"name":`, escaped.
    pub(super) key: Box<[u8]>,
    pub(super) node: NodeIx,
    pub(super) is_required: bool,
}

/// A compiled plan; node 0 is the whole payload.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) fields: Vec<Field>,
    /// Levels of each node's smallest value.
    pub(super) heights: Vec<u32>,
}

impl Plan {
    pub(super) fn compile(root: &Json) -> Self {
        let mut planner = Planner { root, plan: Self::default(), known: BTreeMap::new(), merges: Cell::new(0) };
        planner.node(root, "", 0);
        let mut plan = planner.plan;
        plan.measure();
        plan
    }
    pub(super) fn fields_of(&self, first: u32, count: u32) -> &[Field] {
        &self.fields[first as usize..(first + count) as usize]
    }
    fn measure(&mut self) {
        self.heights = vec![u32::MAX; self.nodes.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for index in (0..self.nodes.len()).rev() {
                let of = |node: NodeIx| self.heights[node as usize];
                let height = match &self.nodes[index] {
                    Node::OneOf(branches) => branches.iter().map(|branch| of(*branch)).min().unwrap_or(0),
                    Node::Array { item, least, .. } => {
                        if *least > 0 {
                            of(*item).saturating_add(1)
                        } else {
                            1
                        }
                    }
                    Node::Object { first, count } => {
                        let required = self.fields_of(*first, *count).iter().filter(|field| field.is_required);
                        required.map(|field| of(field.node)).max().unwrap_or(0).saturating_add(1)
                    }
                    _ => 0,
                };
                if height < self.heights[index] {
                    self.heights[index] = height;
                    changed = true;
                }
            }
        }
    }
}

struct Planner<'a> {
    root: &'a Json,
    plan: Plan,
    /// Nodes of references, by pointer and the name of the field that they stand for.
    known: BTreeMap<(String, String), NodeIx>,
    /// So far.
    merges: Cell<usize>,
}

impl Planner<'_> {
    fn node(&mut self, schema: &Json, name: &str, depth: usize) -> NodeIx {
        if let Some(pointer) = lone_reference(schema) {
            let key = (pointer.to_owned(), name.to_owned());
            if let Some(known) = self.known.get(&key) {
                return *known;
            }
        }
        let index = self.plan.nodes.len() as NodeIx;
        self.plan.nodes.push(Node::Null);
        if let Some(pointer) = lone_reference(schema) {
            self.known.insert((pointer.to_owned(), name.to_owned()), index);
        }
        if depth < DEPTH_MAX && self.plan.nodes.len() < NODES_MAX {
            let node = match schema {
                Json::Object(map) => {
                    let merged = self.merged(map, 0);
                    self.shape(&merged, name, depth + 1)
                }
                _ => Node::Text { draw: TextDraw::for_name(name), least: 0, most: usize::MAX },
            };
            self.plan.nodes[index as usize] = node;
        }
        index
    }

    /// The schema with its reference and all of its `allOf` taken in.
    fn merged(&self, schema: &Map<String, Json>, depth: usize) -> Map<String, Json> {
        let mut merged = schema.clone();
        let reference = merged.shift_remove("$ref");
        let all = merged.shift_remove("allOf");
        self.merges.set(self.merges.get() + 1);
        if depth >= DEPTH_MAX || self.merges.get() > MERGES_MAX {
            return merged;
        }
        let target = reference.as_ref().and_then(Json::as_str).and_then(|pointer| self.target(pointer));
        let parts = target.into_iter().chain(all.as_ref().and_then(Json::as_array).into_iter().flatten());
        for part in parts.filter_map(Json::as_object) {
            merge(&mut merged, self.merged(part, depth + 1));
        }
        merged
    }

    fn target(&self, reference: &str) -> Option<&Json> {
        let pointer = reference.strip_prefix('#')?;
        if pointer.is_empty() { Some(self.root) } else { self.root.pointer(pointer) }
    }

    fn shape(&mut self, schema: &Map<String, Json>, name: &str, depth: usize) -> Node {
        if let Some(constant) = schema.get("const") {
            return choice([constant]);
        }
        if let Some(Json::Array(values)) = schema.get("enum") {
            return choice(values);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Json::Array(branches)) = schema.get(keyword) {
                return self.branches(schema, keyword, branches, name, depth);
            }
        }
        match schema.get("type") {
            Some(Json::Array(types)) => {
                let branch = |of: &Json| {
                    let mut one = schema.clone();
                    one.insert("type".to_owned(), of.clone());
                    Json::Object(one)
                };
                Node::OneOf(types.iter().map(|of| self.node(&branch(of), name, depth)).collect())
            }
            Some(Json::String(of)) => self.typed(of, schema, name, depth),
            _ => self.typed(guess_type(schema), schema, name, depth),
        }
    }

    fn branches(&mut self, schema: &Map<String, Json>, keyword: &str, branches: &[Json], name: &str, depth: usize) -> Node {
        let mut base = schema.clone();
        base.shift_remove(keyword);
        for note in ["title", "description", "$schema", "$id", "$defs", "definitions", "default", "examples"] {
            base.shift_remove(note);
        }
        let nodes = branches.iter().map(|branch| {
            let together = match branch {
                // A reference alone stays one, so that recursion is seen.
                Json::Object(part) if !base.is_empty() => {
                    let mut all = base.clone();
                    merge(&mut all, self.merged(part, 0));
                    Json::Object(all)
                }
                other => other.clone(),
            };
            self.node(&together, name, depth)
        });
        Node::OneOf(nodes.collect())
    }

    fn typed(&mut self, of: &str, schema: &Map<String, Json>, name: &str, depth: usize) -> Node {
        match of {
            "null" => Node::Null,
            "boolean" => Node::Boolean,
            "integer" => whole(schema, name),
            "number" => real(schema, name),
            "array" => self.array(schema, name, depth),
            "object" => self.object(schema, depth),
            _ => text(schema, name),
        }
    }

    fn array(&mut self, schema: &Map<String, Json>, name: &str, depth: usize) -> Node {
        let least = count(schema, "minItems").unwrap_or(0).min(LEAST_MAX);
        let most = count(schema, "maxItems").unwrap_or(u64::MAX).max(least);
        let item =
            schema.get("items").or_else(|| schema.get("prefixItems").and_then(|items| items.get(0))).cloned().unwrap_or(Json::Bool(true));
        Node::Array { item: self.node(&item, name, depth), least, most }
    }

    fn object(&mut self, schema: &Map<String, Json>, depth: usize) -> Node {
        let names = schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let mut seen = BTreeSet::new();
        let required: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
        let properties = schema.get("properties").and_then(Json::as_object);
        let mut fields = Vec::new();
        for (name, property) in properties.into_iter().flatten() {
            if *property == Json::Bool(false) {
                continue;
            }
            let node = self.node(property, name, depth);
            fields.push(Field { key: key(name), node, is_required: seen.contains(name.as_str()) });
        }
        let open = schema.get("additionalProperties").filter(|other| other.is_object()).cloned().unwrap_or(Json::Bool(true));
        for name in required.iter().filter(|name| properties.is_none_or(|known| !known.contains_key(**name))) {
            let node = self.node(&open, name, depth);
            fields.push(Field { key: key(name), node, is_required: true });
        }
        let (first, count) = (self.plan.fields.len() as u32, fields.len() as u32);
        self.plan.fields.append(&mut fields);
        Node::Object { first, count }
    }
}

/// The target of a schema that is nothing but a reference.
fn lone_reference(schema: &Json) -> Option<&str> {
    let map = schema.as_object()?;
    let annotations = ["description", "title", "default", "examples", "deprecated", "$comment"];
    let lone = map.keys().all(|key| key == "$ref" || annotations.contains(&key.as_str()));
    map.get("$ref").filter(|_| lone)?.as_str()
}

/// Takes `part` into `all`: properties and required fields add up, tighter keywords of the part win.
fn merge(all: &mut Map<String, Json>, part: Map<String, Json>) {
    for (keyword, value) in part {
        match (all.get_mut(&keyword), value) {
            (Some(Json::Object(known)), Json::Object(more)) if keyword == "properties" => {
                for (name, property) in more {
                    match (known.get_mut(&name), property) {
                        (Some(Json::Object(known)), Json::Object(property)) => known.extend(property),
                        (_, property) => drop(known.insert(name, property)),
                    }
                }
            }
            (Some(Json::Array(known)), Json::Array(more)) if keyword == "required" => known.extend(more),
            (_, value) => drop(all.insert(keyword, value)),
        }
    }
}

fn choice<'a>(values: impl IntoIterator<Item = &'a Json>) -> Node {
    let texts: Vec<Box<[u8]>> = values.into_iter().filter_map(|value| serde_json::to_vec(value).ok()).map(Into::into).collect();
    if texts.is_empty() { Node::Null } else { Node::Choice(texts) }
}

fn guess_type(schema: &Map<String, Json>) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| schema.contains_key(*word));
    if has(&["properties", "required", "additionalProperties", "minProperties", "patternProperties"]) {
        "object"
    } else if has(&["items", "minItems", "maxItems", "prefixItems", "contains"]) {
        "array"
    } else if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        "number"
    } else {
        "string"
    }
}

fn count(schema: &Map<String, Json>, keyword: &str) -> Option<u64> {
    schema.get(keyword).and_then(|value| value.as_u64().or_else(|| value.as_f64().map(|number| number as u64)))
}

/// Bounds: (least, least excluded, most, most excluded). Draft 4 writes the exclusive ones as flags.
fn bounds(schema: &Map<String, Json>) -> (f64, bool, f64, bool) {
    let number = |keyword: &str| schema.get(keyword).and_then(Json::as_f64);
    let flag = |keyword: &str| schema.get(keyword).and_then(Json::as_bool).unwrap_or(false);
    let (mut least, mut above) = (number("minimum").unwrap_or(f64::NEG_INFINITY), flag("exclusiveMinimum"));
    let (mut most, mut below) = (number("maximum").unwrap_or(f64::INFINITY), flag("exclusiveMaximum"));
    if let Some(bound) = number("exclusiveMinimum").filter(|bound| *bound >= least) {
        (least, above) = (bound, true);
    }
    if let Some(bound) = number("exclusiveMaximum").filter(|bound| *bound <= most) {
        (most, below) = (bound, true);
    }
    (least, above, most, below)
}

fn whole(schema: &Map<String, Json>, name: &str) -> Node {
    let (least, above, most, below) = bounds(schema);
    let least = libm::ceil(least) as i64;
    let most = libm::floor(most) as i64;
    let (low, high) = (schema_integer(schema, least, above, 1), schema_integer(schema, most, below, -1));
    let step = schema.get("multipleOf").and_then(Json::as_i64).unwrap_or(1).max(1);
    Node::Whole { least: low, most: high.max(low), step, draw: NumberDraw::for_name(name) }
}

fn schema_integer(schema: &Map<String, Json>, bound: i64, is_excluded: bool, inwards: i64) -> i64 {
    let exclusive = if inwards > 0 { "exclusiveMinimum" } else { "exclusiveMaximum" };
    // An excluded 2.5 is passed by rounding alone.
    let on_it = schema.get(exclusive).and_then(Json::as_f64).is_none_or(|limit| limit == bound as f64);
    if is_excluded && on_it { bound.saturating_add(inwards) } else { bound }
}

fn real(schema: &Map<String, Json>, name: &str) -> Node {
    /// Half of the finest digit that is written.
    const INWARDS: f64 = 1e-6;
    let (least, above, most, below) = bounds(schema);
    let least = if above { least + INWARDS } else { least };
    let most = if below { most - INWARDS } else { most };
    let step = schema.get("multipleOf").and_then(Json::as_f64).unwrap_or(0.0);
    Node::Real { least, most, step, draw: NumberDraw::for_name(name) }
}

fn text(schema: &Map<String, Json>, name: &str) -> Node {
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str).and_then(Pattern::parse) {
        return Node::Pattern(pattern);
    }
    let draw = match schema.get("format").and_then(Json::as_str) {
        Some("date-time") => TextDraw::Instant,
        Some("date") => TextDraw::Date,
        Some("time") => TextDraw::Time,
        Some("email" | "idn-email") => TextDraw::Email,
        Some("uuid") => TextDraw::Uuid,
        Some("uri" | "uri-reference" | "iri" | "iri-reference" | "url") => TextDraw::Url,
        Some("ipv4") => TextDraw::Ip,
        Some("ipv6") => TextDraw::OneOf(&["2001:db8::1", "2001:db8::2a", "2001:db8:1::7"]),
        Some("hostname" | "idn-hostname") => TextDraw::OneOf(&["shop.example", "api.example", "cdn.example"]),
        Some("duration") => TextDraw::OneOf(&["PT5M", "PT1H", "P1D", "P2DT6H"]),
        Some("json-pointer") => TextDraw::OneOf(&["/items/0", "/total"]),
        _ => TextDraw::for_name(name),
    };
    let least = count(schema, "minLength").unwrap_or(0).min(LEAST_MAX) as usize;
    let most = count(schema, "maxLength").map_or(usize::MAX, |most| most as usize).max(least);
    Node::Text { draw, least, most }
}

fn key(name: &str) -> Box<[u8]> {
    let mut key = serde_json::to_vec(name).unwrap_or_default();
    key.push(b':');
    key.into()
}
