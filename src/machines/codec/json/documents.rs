//! The documents a schema is made of, and what a `$ref` in one of them points at.
//!
//! In: the schema's JSON and the JSON of the schemas it refers to by name. Out: for a `$ref`, the part that it means, with
//! the place of that part. `$id`, anchors and JSON pointers are followed; nothing is fetched.
//! Must not know: what keywords mean. Start at [`Documents::resolve`].

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::draft::Draft;
use crate::machines::codec::references::Named;

/// The base of a schema without an `$id`, so that relative references have something to stand on.
pub(super) const BASE: &str = "json-schema:///";

/// Keywords whose values are data, not schemas.
const DATA: &[&str] = &["enum", "const", "default", "examples"];

/// The texts, parsed.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) root: Json,
    /// By the name that a `$ref` gives, without its fragment.
    pub(super) named: Vec<(Box<str>, Json)>,
}

impl Sources {
    /// # Errors
    /// Which text is no JSON.
    pub(super) fn parse(text: &str, references: &[Named]) -> Result<Self, String> {
        let root: Json = serde_json::from_str(text).map_err(|error| format!("the schema is no JSON: {error}"))?;
        if !root.is_object() && !root.is_boolean() {
            return Err("a JSON Schema is an object, or true or false".to_owned());
        }
        let mut named = Vec::with_capacity(references.len());
        for reference in references {
            let json = serde_json::from_str(&reference.text)
                .map_err(|error| format!("the schema `{}` that is referred to is no JSON: {error}", reference.name))?;
            named.push((Box::from(&*reference.name), json));
        }
        Ok(Self { root, named })
    }
    /// Every absolute address that a named document answers to, beside the document's number in [`Self::named`].
    pub(super) fn addresses(&self) -> Vec<(String, usize)> {
        let bases = std::iter::once(&self.root).chain(self.named.iter().map(|(_, json)| json)).map(base_of);
        let mut bases: Vec<String> = bases.collect();
        bases.dedup();
        let of_base = |base: &String| -> Vec<(String, usize)> {
            self.named.iter().enumerate().map(|(at, (name, _))| (resolved(base, name), at)).collect()
        };
        bases.iter().flat_map(of_base).collect()
    }
}

fn base_of(document: &Json) -> String {
    let id = ["$id", "id"].iter().filter_map(|word| document.get(word)).find_map(Json::as_str);
    resolved(BASE, id.filter(|id| !id.starts_with('#')).unwrap_or_default())
}

/// A part of a document.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) json: &'a Json,
    /// 0 is the schema itself, n the n-th named one.
    pub(super) document: u32,
    /// What references inside it stand on; see [`Documents::base_in`].
    pub(super) base: u32,
    /// Where the resource with the address begins; see [`Documents::steps_of`].
    trail: u32,
    /// From there on.
    rest: Vec<String>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

#[derive(Debug)]
struct Resource<'a> {
    uri: String,
    json: &'a Json,
    document: u32,
    trail: u32,
}

/// The root of each document in [`Documents::trails`].
const ROOT: u32 = 0;

/// All documents with their addresses.
#[derive(Debug)]
pub(super) struct Documents<'a> {
    resources: Vec<Resource<'a>>,
    id_word: &'static str,
    by_uri: BTreeMap<String, u32>,
    /// By the address in memory of the object that has the `$id`.
    by_object: BTreeMap<usize, u32>,
    anchors: BTreeMap<(u32, &'a str), Target<'a>>,
    parts: Vec<(&'a Json, u32)>,
    /// The ways from the roots, each a step beyond another: a list of whole paths could grow with the square of the text.
    trails: Vec<(u32, Step<'a>)>,
}

impl<'a> Documents<'a> {
    pub(super) fn new(sources: &'a Sources, draft: Draft) -> Self {
        let mut documents = Self {
            id_word: draft.id_word(),
            resources: Vec::new(),
            by_uri: BTreeMap::new(),
            by_object: BTreeMap::new(),
            anchors: BTreeMap::new(),
            parts: Vec::new(),
            trails: vec![(ROOT, Step::Index(0))],
        };
        documents.add(&sources.root, 0, base_of(&sources.root));
        for (at, (name, json)) in sources.named.iter().enumerate() {
            let own = base_of(json);
            let uri = if own == BASE { resolved(BASE, name) } else { own };
            let resource = documents.add(json, at as u32 + 1, uri);
            documents.by_uri.entry(name.to_string()).or_insert(resource);
        }
        for (uri, at) in sources.addresses() {
            let found = documents.resources.iter().position(|resource| resource.document == at as u32 + 1 && resource.trail == ROOT);
            if let Some(found) = found {
                documents.by_uri.entry(uri).or_insert(found as u32);
            }
        }
        documents
    }
    /// The document's root.
    pub(super) fn root(&self) -> Target<'a> {
        let root = &self.resources[0];
        Target { json: root.json, document: root.document, base: 0, trail: ROOT, rest: Vec::new() }
    }
    /// The way from the document's root to the part, each step unescaped.
    pub(super) fn steps_of(&self, target: &Target<'a>) -> Vec<String> {
        let (mut steps, mut at) = (Vec::new(), target.trail);
        while at != ROOT {
            let (before, step) = self.trails[at as usize];
            steps.push(match step {
                Step::Key(key) => key.to_owned(),
                Step::Index(index) => index.to_string(),
            });
            at = before;
        }
        steps.reverse();
        steps.extend_from_slice(&target.rest);
        steps
    }
    /// How many objects and lists there are that may be, or hold, schemas.
    pub(super) fn parts_count(&self) -> usize {
        self.parts.len()
    }
    /// Each of them, with what references inside it stand on.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'a Json, u32)> {
        self.parts.iter().copied()
    }
    /// What references inside `json` stand on, when the part around it stands on `base`.
    pub(super) fn base_in(&self, json: &'a Json, base: u32) -> u32 {
        self.by_object.get(&std::ptr::from_ref(json).addr()).copied().unwrap_or(base)
    }
    /// The part that `reference` means where references stand on `base`.
    pub(super) fn resolve(&self, base: u32, reference: &str) -> Option<Target<'a>> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let found = if address.is_empty() { base } else { self.find(base, address)? };
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.follow(found, &fragment).or_else(|| {
                // A definition is found under either of the two words, as in the product.
                let rest = fragment.strip_prefix("/$defs/")?;
                self.follow(found, &format!("/definitions/{rest}"))
            });
        }
        self.anchors.get(&(found, fragment.as_str())).cloned()
    }

    fn find(&self, base: u32, address: &str) -> Option<u32> {
        let absolute = resolved(&self.resources[base as usize].uri, address);
        self.by_uri.get(&absolute).or_else(|| self.by_uri.get(address)).copied()
    }

    fn follow(&self, resource: u32, pointer: &str) -> Option<Target<'a>> {
        let start = &self.resources[resource as usize];
        let mut target = Target { json: start.json, document: start.document, base: resource, trail: start.trail, rest: Vec::new() };
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            target.json = match target.json {
                Json::Object(map) => map.get(&step)?,
                Json::Array(list) => list.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
            target.base = self.base_in(target.json, target.base);
            target.rest.push(step);
        }
        Some(target)
    }

    /// Takes in a document with everything in it that has an address.
    fn add(&mut self, json: &'a Json, document: u32, uri: String) -> u32 {
        let root = self.add_resource(Resource { uri, json, document, trail: ROOT });
        let mut left = vec![(json, root, ROOT)];
        while let Some((json, base, trail)) = left.pop() {
            let base = self.names_in(json, base, document, trail);
            self.parts.push((json, base));
            let mut push = |value: &'a Json, step: Step<'a>| {
                if value.is_object() || value.is_array() {
                    self.trails.push((trail, step));
                    left.push((value, base, self.trails.len() as u32 - 1));
                }
            };
            match json {
                Json::Object(map) => {
                    let schemas = map.iter().filter(|(key, _)| !DATA.contains(&key.as_str()));
                    schemas.for_each(|(key, value)| push(value, Step::Key(key)));
                }
                Json::Array(list) => list.iter().enumerate().for_each(|(at, value)| push(value, Step::Index(at))),
                _ => {}
            }
        }
        root
    }

    /// Notes the `$id` and the anchors of an object; what references inside it stand on.
    fn names_in(&mut self, json: &'a Json, mut base: u32, document: u32, trail: u32) -> u32 {
        let text = |word: &str| json.get(word).and_then(Json::as_str);
        let target = |base: u32| Target { json, document, base, trail, rest: Vec::new() };
        if let Some(id) = text(self.id_word) {
            if let Some(anchor) = id.strip_prefix('#') {
                self.anchors.entry((base, anchor)).or_insert_with(|| target(base));
            } else if trail != ROOT {
                let uri = resolved(&self.resources[base as usize].uri, id.trim_end_matches('#'));
                base = self.add_resource(Resource { uri, json, document, trail });
            }
        }
        for anchor in ["$anchor", "$dynamicAnchor"].iter().filter_map(|word| text(word)) {
            self.anchors.entry((base, anchor)).or_insert_with(|| target(base));
        }
        base
    }

    fn add_resource(&mut self, resource: Resource<'a>) -> u32 {
        let at = self.resources.len() as u32;
        self.by_object.insert(std::ptr::from_ref(resource.json).addr(), at);
        self.by_uri.entry(resource.uri.trim_end_matches('#').to_owned()).or_insert(at);
        self.resources.push(resource);
        at
    }
}

/// A reference made absolute (RFC 3986, 5.2, as far as schemas use it).
pub(super) fn resolved(base: &str, reference: &str) -> String {
    let has_scheme = reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    });
    if has_scheme || reference.is_empty() {
        return if has_scheme { reference.to_owned() } else { base.to_owned() };
    }
    let path_from = base.find("://").map_or(0, |at| base[at + 3..].find('/').map_or(base.len(), |slash| at + 3 + slash));
    let (authority, path) = base.split_at(path_from);
    let joined = match reference.strip_prefix('/') {
        Some(rest) => rest.to_owned(),
        None => {
            let folder = path.rfind('/').map_or("", |at| &path[..at]);
            format!("{}/{reference}", folder.trim_start_matches('/'))
        }
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    format!("{authority}/{}", parts.join("/"))
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let code = text.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(code.unwrap_or(*byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_made_absolute() {
        for (base, reference, wanted) in [
            (BASE, "customer.json", "json-schema:///customer.json"),
            (BASE, "./a/../customer.json", "json-schema:///customer.json"),
            ("http://a.example/b/c.json", "d.json", "http://a.example/b/d.json"),
            ("http://a.example/b/c.json", "/d.json", "http://a.example/d.json"),
            ("http://a.example/b/c.json", "http://other.example/x", "http://other.example/x"),
            ("http://a.example", "d.json", "http://a.example/d.json"),
            (BASE, "", BASE),
        ] {
            assert_eq!(resolved(base, reference), wanted, "{reference} on {base}");
        }
    }

    #[test]
    fn parts_are_found() {
        let root = serde_json::json!({
            "$id": "http://shop.example/order.json",
            "definitions": {"a b": {"type": "string"}, "inner": {"$id": "inner.json", "definitions": {"x": {"$anchor": "here"}}}},
        });
        let sources = Sources { root, named: vec![("line.json".into(), serde_json::json!({"definitions": {"sku": true}}))] };
        let documents = Documents::new(&sources, Draft::Seven);
        let steps = |base: u32, reference: &str| {
            documents.resolve(base, reference).map(|target| (target.document, documents.steps_of(&target).join("/")))
        };
        assert_eq!(steps(0, "#"), Some((0, String::new())));
        assert_eq!(steps(0, "#/definitions/a%20b"), Some((0, "definitions/a b".to_owned())));
        assert_eq!(steps(0, "#/$defs/a b"), Some((0, "definitions/a b".to_owned())));
        assert_eq!(steps(0, "inner.json#/definitions/x"), Some((0, "definitions/inner/definitions/x".to_owned())));
        assert_eq!(steps(0, "inner.json#here"), Some((0, "definitions/inner/definitions/x".to_owned())));
        assert_eq!(steps(0, "line.json#/definitions/sku"), Some((1, "definitions/sku".to_owned())));
        assert_eq!(steps(0, "http://shop.example/line.json"), Some((1, String::new())));
        assert_eq!(steps(0, "nowhere.json"), None);
        assert_eq!(steps(0, "#/definitions/none"), None);
    }
}
