//! How many parts of a schema look at one value: a part that refers twice to a part that refers twice multiplies.
//!
//! In: the documents. Out: a refusal where the number passes a limit, before anything works through the parts. Parts of lists
//! (`allOf`, `anyOf`…) and targets of references look at the same value as the part they stand in; those under `properties` or
//! `items` look at others. A circle counts once. Must not know: what any keyword asks. Start at [`check`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::documents::{Documents, Sources};
use super::draft::Draft;

/// Parts that may look at one value.
pub(super) const LOOKS_MAX: u64 = 10_000;
/// Objects and lists in a schema and everything it refers to.
const PARTS_MAX: usize = 10_000;
/// Values of any kind in them.
const VALUES_MAX: usize = 40_000;

/// Deepest way from part to part through references: the library's compiler recurses along it.
const DEPTH_MAX: usize = 1_000;

/// Keywords whose part looks at the same value, and whose lists and maps do.
const ONE: &[&str] = &["not", "if", "then", "else"];
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];
const MAPS: &[&str] = &["dependentSchemas", "dependencies"];

/// # Errors
/// What there is too much of.
pub(super) fn check(sources: &Sources, draft: Draft) -> Result<(), String> {
    let documents = Documents::new(sources, draft);
    if documents.parts_count() > PARTS_MAX {
        return Err(format!("the schema has {} parts; at most {PARTS_MAX} are read", documents.parts_count()));
    }
    let values = std::iter::once(&sources.root).chain(sources.named.iter().map(|(_, json)| json)).map(values).sum::<usize>();
    if values > VALUES_MAX {
        return Err(format!("the schema holds {values} values; at most {VALUES_MAX} are read"));
    }
    let depth = depth(&documents);
    if depth > DEPTH_MAX {
        return Err(format!("references lead {depth} parts deep; at most {DEPTH_MAX} are followed"));
    }
    let mut graph = Graph { documents: &documents, known: BTreeMap::new(), parts: Vec::new() };
    let all: Vec<(&Json, u32)> = documents.parts().collect();
    for (json, base) in all {
        let part = graph.part(json, base);
        if graph.looks(part) > LOOKS_MAX {
            return Err(format!("references multiply: more than {LOOKS_MAX} parts of the schema look at one value"));
        }
    }
    Ok(())
}

fn values(json: &Json) -> usize {
    let (mut count, mut left) = (0, vec![json]);
    while let Some(json) = left.pop() {
        count += 1;
        match json {
            Json::Object(map) => left.extend(map.values()),
            Json::Array(list) => left.extend(list),
            _ => {}
        }
    }
    count
}

/// The longest way of a walk in depth from the root, each part once.
fn depth(documents: &Documents<'_>) -> usize {
    let root = documents.root();
    let (mut seen, mut deepest) = (BTreeSet::new(), 0);
    let mut left = vec![(root.json, root.base, 1)];
    while let Some((json, base, depth)) = left.pop() {
        if !seen.insert(std::ptr::from_ref(json).addr()) {
            continue;
        }
        deepest = deepest.max(depth);
        let base = documents.base_in(json, base);
        match json {
            Json::Object(map) => {
                let parts = map
                    .iter()
                    .filter(|(key, value)| !matches!(key.as_str(), "definitions" | "$defs") && (value.is_object() || value.is_array()));
                left.extend(parts.map(|(_, value)| (value, base, depth + 1)));
                let references = ["$ref", "$dynamicRef"].iter().filter_map(|word| map.get(*word)).filter_map(Json::as_str);
                let targets = references.filter_map(|reference| documents.resolve(base, reference));
                left.extend(targets.map(|target| (target.json, target.base, depth + 1)));
            }
            Json::Array(list) => {
                left.extend(list.iter().filter(|value| value.is_object() || value.is_array()).map(|value| (value, base, depth + 1)))
            }
            _ => {}
        }
    }
    deepest
}

struct Graph<'a> {
    documents: &'a Documents<'a>,
    /// By the address in memory of their JSON.
    known: BTreeMap<usize, usize>,
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    json: &'a Json,
    base: u32,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    New,
    /// Being counted: a way back here is a circle.
    Open,
    Counted(u64),
}

impl<'a> Graph<'a> {
    fn part(&mut self, json: &'a Json, base: u32) -> usize {
        let address = std::ptr::from_ref(json).addr();
        if let Some(known) = self.known.get(&address) {
            return *known;
        }
        self.known.insert(address, self.parts.len());
        self.parts.push(Part { json, base: self.documents.base_in(json, base), state: State::New });
        self.parts.len() - 1
    }

    /// Counted with a list of what is left to do, not by recursion: chains may be long.
    fn looks(&mut self, root: usize) -> u64 {
        let mut left = vec![root];
        while let Some(part) = left.last().copied() {
            match self.parts[part].state {
                State::New => {
                    self.parts[part].state = State::Open;
                    let below = self.same_value(part);
                    left.extend(below.into_iter().filter(|below| matches!(self.parts[*below].state, State::New)));
                }
                State::Open => {
                    let below = self.same_value(part).into_iter().map(|below| match self.parts[below].state {
                        State::Counted(looks) => looks,
                        State::New | State::Open => 1,
                    });
                    let looks = below.fold(1, u64::saturating_add);
                    self.parts[part].state = State::Counted(looks);
                    left.pop();
                }
                State::Counted(_) => {
                    left.pop();
                }
            }
        }
        if let State::Counted(looks) = self.parts[root].state { looks } else { 1 }
    }

    fn same_value(&mut self, part: usize) -> Vec<usize> {
        let Part { json, base, .. } = self.parts[part];
        let Some(map) = json.as_object() else { return Vec::new() };
        let parts = of_map(map).map(|json| (json, base));
        let references = ["$ref", "$dynamicRef"].iter().filter_map(|word| map.get(*word)).filter_map(Json::as_str);
        let targets = references.filter_map(|reference| self.documents.resolve(base, reference)).map(|target| (target.json, target.base));
        let all: Vec<(&Json, u32)> = parts.chain(targets).collect();
        all.into_iter().map(|(json, base)| self.part(json, base)).collect()
    }
}

fn of_map(map: &Map<String, Json>) -> impl Iterator<Item = &Json> {
    let one = ONE.iter().filter_map(|word| map.get(*word));
    let lists = LISTS.iter().filter_map(|word| map.get(*word)?.as_array()).flatten();
    let maps = MAPS.iter().filter_map(|word| map.get(*word)?.as_object()).flat_map(|map| map.values());
    one.chain(lists).chain(maps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(root: Json) -> Result<(), String> {
        check(&Sources { root, named: Vec::new() }, Draft::Seven)
    }

    #[test]
    fn references_that_double_are_refused() {
        for word in ["allOf", "anyOf", "oneOf"] {
            let doubling = |levels: usize| {
                let link = |level: usize| json!({word: [{"$ref": format!("#/definitions/n{}", level + 1)}, {"$ref": format!("#/definitions/n{}", level + 1)}]});
                let mut definitions: Map<String, Json> = (0..levels).map(|level| (format!("n{level}"), link(level))).collect();
                definitions.insert(format!("n{levels}"), json!({"type": "string"}));
                json!({"$ref": "#/definitions/n0", "definitions": definitions})
            };
            assert_eq!(checked(doubling(8)), Ok(()));
            assert!(checked(doubling(60)).expect_err("too much").contains("references multiply"));
        }
        // Long, and not wide.
        let chain = |length: usize| {
            let mut links: Map<String, Json> =
                (0..length).map(|at| (format!("n{at}"), json!({"$ref": format!("#/definitions/n{}", at + 1)}))).collect();
            links.insert(format!("n{length}"), json!({}));
            json!({"$ref": "#/definitions/n0", "definitions": links})
        };
        assert_eq!(checked(chain(500)), Ok(()));
        assert!(checked(chain(5_000)).expect_err("too much").contains("deep"));
        assert_eq!(checked(json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]})), Ok(()));
        let parts: Vec<Json> = (0..20_000).map(|_| json!({})).collect();
        assert!(checked(json!({"enum": 1, "allOf": parts})).expect_err("too much").contains("parts"));
    }
}
