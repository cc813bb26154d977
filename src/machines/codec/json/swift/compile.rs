//! From a schema to its program. A part with a keyword that is not followed here is *beyond*: it is never surely valid.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::formats::Format;
use super::pattern;
use super::{Array, Bound, Field, Node, NodeIx, Number, Object, Program, Rest, Rule, Text, Types};
use crate::machines::codec::json::documents::{Documents, Sources};
use crate::machines::codec::json::draft::Draft;

/// A schema with more parts has no program.
const NODES_MAX: usize = 10_000;
/// Patterns that are compiled here.
const PATTERNS_MAX: usize = 64;
/// One bit of a mask each.
const FIELDS_MAX: usize = 128;

/// Keywords that say nothing about a value.
const SILENT: &[&str] = &[
    "$schema",
    "$id",
    "id",
    "$comment",
    "$anchor",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

impl Program {
    /// None when there are too many parts.
    pub(in crate::machines::codec::json) fn compile(sources: &Sources, draft: Draft) -> Option<Self> {
        let documents = Documents::new(sources, draft);
        let mut compiler =
            Compiler { documents: &documents, draft, nodes: Vec::new(), known: BTreeMap::new(), left: Vec::new(), patterns: 0 };
        let root = documents.root();
        compiler.ask(root.json, root.base);
        while let Some((node, json, base)) = compiler.left.pop() {
            compiler.nodes[node as usize] = compiler.node(json, base);
            if compiler.nodes.len() > NODES_MAX {
                return None;
            }
        }
        Some(Self { nodes: compiler.nodes })
    }
}

struct Compiler<'a> {
    documents: &'a Documents<'a>,
    draft: Draft,
    nodes: Vec<Node>,
    /// By the address in memory of their JSON.
    known: BTreeMap<usize, NodeIx>,
    left: Vec<(NodeIx, &'a Json, u32)>,
    patterns: usize,
}

impl<'a> Compiler<'a> {
    /// The node of a part, made later.
    fn ask(&mut self, json: &'a Json, base: u32) -> NodeIx {
        let address = std::ptr::from_ref(json).addr();
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        let node = self.nodes.len() as NodeIx;
        self.nodes.push(Node { is_beyond: true, ..Node::default() });
        self.known.insert(address, node);
        self.left.push((node, json, base));
        node
    }

    fn ask_all(&mut self, list: &'a Json, base: u32) -> Option<Vec<NodeIx>> {
        let list = list.as_array().filter(|list| !list.is_empty())?;
        Some(list.iter().map(|json| self.ask(json, base)).collect())
    }

    fn node(&mut self, json: &'a Json, base: u32) -> Node {
        let beyond = || Node { is_beyond: true, ..Node::default() };
        match json {
            Json::Bool(true) => Node::default(),
            Json::Bool(false) => Node { types: Types(0), ..Node::default() },
            Json::Object(map) => self.map(map, self.documents.base_in(json, base)).unwrap_or_else(beyond),
            _ => beyond(),
        }
    }

    /// None is beyond.
    fn map(&mut self, map: &'a Map<String, Json>, base: u32) -> Option<Node> {
        let mut node = Node::default();
        if let Some(reference) = map.get("$ref") {
            let target = self.documents.resolve(base, reference.as_str()?)?;
            node.more.push(Rule::All(vec![self.ask(target.json, target.base)]));
            if !self.draft.is_modern() {
                if map.contains_key(self.draft.id_word()) {
                    return None;
                }
                // What stands beside a reference means nothing there.
                return Some(node);
            }
        }
        for (keyword, value) in map {
            self.keyword(&mut node, keyword, value, map, base)?;
        }
        if let Some(object) = &mut node.object {
            declare_required(object, map)?;
        }
        Some(node)
    }

    fn keyword(&mut self, node: &mut Node, keyword: &str, value: &'a Json, map: &'a Map<String, Json>, base: u32) -> Option<()> {
        let is_old = self.draft == Draft::Four;
        match keyword {
            "$ref" => {}
            "type" => node.types = types(value)?,
            "enum" => node.literals = Some(literals(value.as_array()?)?),
            "const" if !is_old && node.literals.is_none() && !map.contains_key("enum") => {
                node.literals = Some(literals(std::slice::from_ref(value))?);
            }
            "minLength" => node.text().least = Some(value.as_u64()?),
            "maxLength" => node.text().most = Some(value.as_u64()?),
            "pattern" => {
                self.patterns += 1;
                node.text().pattern = Some(pattern::same_in_both(value.as_str().filter(|_| self.patterns <= PATTERNS_MAX)?)?);
            }
            "format" => node.text().format = Some(Format::of(value.as_str()?)),
            "minimum" => node.number().least = Some(bound(value)?),
            "maximum" => node.number().most = Some(bound(value)?),
            "exclusiveMinimum" if !is_old => node.number().above = Some(bound(value)?),
            "exclusiveMaximum" if !is_old => node.number().below = Some(bound(value)?),
            "multipleOf" => node.number().step = Some(value.as_i64().filter(|step| *step > 0)?),
            "allOf" => node.more.push(Rule::All(self.ask_all(value, base)?)),
            "anyOf" => node.more.push(Rule::Any(self.ask_all(value, base)?)),
            "oneOf" => node.more.push(Rule::One(self.ask_all(value, base)?)),
            "not" => node.more.push(Rule::Not(self.ask(value, base))),
            "if" if !matches!(self.draft, Draft::Four | Draft::Six) => {
                let (then, otherwise) = (map.get("then"), map.get("else"));
                let [condition, then, otherwise] = [Some(value), then, otherwise].map(|part| part.map(|part| self.ask(part, base)));
                node.more.push(Rule::When(condition?, then, otherwise));
            }
            "then" | "else" if map.contains_key("if") => {}
            "items" if !value.is_array() => node.array().items = Some(self.ask(value, base)),
            "minItems" => node.array().least = value.as_u64()?,
            "maxItems" => node.array().most = Some(value.as_u64()?),
            "uniqueItems" if *value == Json::Bool(false) => {}
            "additionalItems" if !map.get("items").is_some_and(Json::is_array) => {}
            "properties" | "required" | "additionalProperties" | "minProperties" | "maxProperties" => {
                self.object_word(node, keyword, value, base)?
            }
            silent if SILENT.contains(&silent) => {}
            _ => return None,
        }
        Some(())
    }

    fn object_word(&mut self, node: &mut Node, keyword: &str, value: &'a Json, base: u32) -> Option<()> {
        let object = node.object.get_or_insert_default();
        match (keyword, value) {
            ("properties", Json::Object(properties)) if properties.len() <= FIELDS_MAX => {
                for (name, json) in properties {
                    // A key that a payload must write with an escape is never met here.
                    object.fields.push(Field { name: name.as_bytes().into(), node: self.ask(json, base), is_bare: false });
                }
            }
            // Taken in when the declared properties are known.
            ("required", Json::Array(_)) => {}
            ("additionalProperties", Json::Bool(true)) => object.rest = Rest::Open,
            ("additionalProperties", Json::Bool(false)) => object.rest = Rest::Closed,
            ("additionalProperties", _) => object.rest = Rest::Must(self.ask(value, base)),
            ("minProperties", _) => object.least = value.as_u64()?,
            ("maxProperties", _) => object.most = Some(value.as_u64()?),
            _ => return None,
        }
        Some(())
    }
}

fn declare_required(object: &mut Object, map: &Map<String, Json>) -> Option<()> {
    for name in map.get("required").and_then(Json::as_array).into_iter().flatten() {
        let name = name.as_str()?.as_bytes();
        let known = object.fields.iter().position(|field| *field.name == *name);
        let at = known.unwrap_or_else(|| {
            object.fields.push(Field { name: name.into(), node: 0, is_bare: true });
            object.fields.len() - 1
        });
        if at >= FIELDS_MAX {
            return None;
        }
        object.required |= 1 << at;
    }
    Some(())
}

impl Node {
    fn text(&mut self) -> &mut Text {
        self.text.get_or_insert_default()
    }
    fn number(&mut self) -> &mut Number {
        self.number.get_or_insert_default()
    }
    fn array(&mut self) -> &mut Array {
        self.array.get_or_insert_default()
    }
}

fn types(value: &Json) -> Option<Types> {
    let one = |name: &Json| {
        Some(match name.as_str()? {
            "null" => Types::NULL,
            "boolean" => Types::BOOLEAN,
            "string" => Types::TEXT,
            "number" => Types::NUMBER | Types::WHOLE,
            "integer" => Types::WHOLE,
            "object" => Types::OBJECT,
            "array" => Types::ARRAY,
            _ => return None,
        })
    };
    match value {
        Json::Array(names) => names.iter().try_fold(0, |mask, name| Some(mask | one(name)?)).map(Types),
        name => one(name).map(Types),
    }
}

fn bound(value: &Json) -> Option<Bound> {
    let number = value.as_number()?;
    number.as_i64().map(Bound::Whole).or_else(|| if number.is_f64() { number.as_f64().map(Bound::Real) } else { None })
}

/// Texts without escapes, whole numbers, true, false, null.
fn literals(values: &[Json]) -> Option<Box<[Box<[u8]>]>> {
    let literal = |value: &Json| {
        let is_told = match value {
            Json::Null | Json::Bool(_) => true,
            Json::Number(number) => number.is_i64(),
            Json::String(_) => true,
            Json::Array(_) | Json::Object(_) => false,
        };
        let bytes = serde_json::to_vec(value).ok().filter(|_| is_told)?;
        (!bytes.contains(&b'\\')).then(|| bytes.into_boxed_slice())
    };
    values.iter().map(literal).collect()
}
