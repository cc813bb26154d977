//! Types of referenced schemas, put into the text that names them: from here on the schema stands alone.
//!
//! In: a schema and the schemas that it may name. Out: one JSON value in which the first use of each foreign type is its
//! definition. Start at [`inlined`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::names::{full_name, is_primitive};
use crate::machines::codec::references::Named;

/// Definitions within definitions; parsers recurse.
const NESTED_MAX: usize = 200;

/// # Errors
/// When a text is no JSON, or definitions are nested too deeply.
pub(super) fn inlined(schema: &Json, references: &[Named]) -> Result<Json, String> {
    let mut schema = schema.clone();
    let mut inliner = Inliner { known: BTreeMap::new(), is_defined: BTreeSet::new() };
    for reference in references {
        let referenced = serde_json::from_str(&reference.text);
        let referenced = referenced.map_err(|error| format!("the reference `{}` is no JSON: {error}", reference.name))?;
        inliner.collect(&referenced, "");
    }
    inliner.fill(&mut schema, "", 0)?;
    Ok(schema)
}

struct Inliner {
    /// Definitions of the references by full name, each with the namespace that it stands in.
    known: BTreeMap<String, (Json, String)>,
    is_defined: BTreeSet<String>,
}

impl Inliner {
    fn collect(&mut self, schema: &Json, namespace: &str) {
        match schema {
            Json::Array(branches) => branches.iter().for_each(|branch| self.collect(branch, namespace)),
            Json::Object(map) => {
                let own = own_name(map, namespace);
                let inner = own.as_deref().map_or(namespace, namespace_of).to_owned();
                if let Some(full) = own {
                    self.known.entry(full).or_insert_with(|| (schema.clone(), namespace.to_owned()));
                }
                for child in children(map) {
                    self.collect(child, &inner);
                }
            }
            _ => {}
        }
    }

    fn fill(&mut self, schema: &mut Json, namespace: &str, nested: usize) -> Result<(), String> {
        if nested > NESTED_MAX {
            return Err(format!("the schema and its references are nested more than {NESTED_MAX} levels deep"));
        }
        match schema {
            Json::String(name) if !is_primitive(name) => {
                let mut full = full_name(name, namespace);
                if !self.is_defined.contains(&full) && !self.known.contains_key(&full) && self.known.contains_key(name) {
                    // A name without a namespace may be meant as it stands.
                    full.clone_from(name);
                }
                let Some((mut definition, home)) = self.known.get(&full).cloned() else { return Ok(()) };
                if self.is_defined.contains(&full) {
                    *schema = Json::String(if full.contains('.') { full } else { format!(".{full}") });
                    return Ok(());
                }
                // Where it stands now another namespace may rule.
                if let Some(map) = definition.as_object_mut() {
                    map.insert("name".to_owned(), Json::String(full.clone()));
                    map.insert("namespace".to_owned(), Json::String(namespace_of(&full).to_owned()));
                }
                self.fill(&mut definition, &home, nested + 1)?;
                *schema = definition;
            }
            Json::Array(branches) => {
                for branch in branches {
                    self.fill(branch, namespace, nested + 1)?;
                }
            }
            Json::Object(map) => {
                let own = own_name(map, namespace);
                let inner = own.as_deref().map_or(namespace, namespace_of).to_owned();
                if let Some(full) = own {
                    self.is_defined.insert(full);
                }
                for child in children_mut(map) {
                    self.fill(child, &inner, nested + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn own_name(map: &Map<String, Json>, namespace: &str) -> Option<String> {
    let name = map.get("name").and_then(Json::as_str)?;
    let is_named = matches!(map.get("type").and_then(Json::as_str), Some("record" | "error" | "enum" | "fixed"));
    let namespace = map.get("namespace").and_then(Json::as_str).unwrap_or(namespace);
    is_named.then(|| full_name(name, namespace))
}

fn namespace_of(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(namespace, _)| namespace)
}

/// The schemas within a schema.
fn children(map: &Map<String, Json>) -> impl Iterator<Item = &Json> {
    let fields = map.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(|field| field.get("type"));
    fields.chain(map.get("items")).chain(map.get("values")).chain(map.get("type"))
}

fn children_mut(map: &mut Map<String, Json>) -> impl Iterator<Item = &mut Json> {
    map.iter_mut().flat_map(|(key, value)| -> Box<dyn Iterator<Item = &mut Json>> {
        match key.as_str() {
            "fields" => Box::new(value.as_array_mut().into_iter().flatten().filter_map(|field| field.get_mut("type"))),
            "items" | "values" | "type" => Box::new(std::iter::once(value)),
            _ => Box::new(std::iter::empty()),
        }
    })
}
