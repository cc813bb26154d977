//! Versions between two JSON Schemas: properties come and go without being required.
//!
//! Start at [`between`].

use serde_json::{Map, Value as Json};

use super::{Fate, RECIPES, Recipe};

/// Levels of objects within objects that are merged.
const DEPTH_MAX: u32 = 32;

/// Versions that may stand between, in the order of their recipes.
pub(super) fn between(old: &Json, new: &Json) -> Vec<(Json, &'static str)> {
    RECIPES.iter().map(|recipe| (mixed(recipe, old, new, 0), recipe.what)).collect()
}

fn mixed(recipe: &Recipe, old: &Json, new: &Json, depth: u32) -> Json {
    let is_object = |schema: &Json| schema.get("properties").is_some_and(Json::is_object);
    let (Some(before), Some(after)) = (old.as_object().filter(|_| is_object(old)), new.as_object().filter(|_| is_object(new))) else {
        return new.clone();
    };
    if depth > DEPTH_MAX {
        return new.clone();
    }
    let properties = |map: &Map<String, Json>| map.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    let (gone, come) = (properties(before), properties(after));
    let fated = |fate: Fate, old: &Json, new: &Json| match fate {
        Fate::Absent => None,
        Fate::Old => Some(old.clone()),
        Fate::New => Some(new.clone()),
    };
    let mut all = Map::new();
    for (name, schema) in &come {
        let found = match gone.get(name) {
            None => fated(recipe.added, schema, schema),
            Some(other) if other == schema => Some(schema.clone()),
            Some(other) if is_object(other) && is_object(schema) => Some(mixed(recipe, other, schema, depth + 1)),
            Some(other) => fated(recipe.retyped, other, schema),
        };
        all.extend(found.map(|schema| (name.clone(), schema)));
    }
    for (name, schema) in gone.iter().filter(|(name, _)| !come.contains_key(*name)) {
        all.extend(fated(recipe.removed, schema, schema).map(|schema| (name.clone(), schema)));
    }
    let required = |map: &Map<String, Json>| map.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
    let (needed_before, needed) = (required(before), required(after));
    // Required stays what both require, of properties that are alike in both.
    let is_kept = |name: &&Json| {
        let same = name.as_str().is_some_and(|name| gone.get(name) == come.get(name) && all.contains_key(name));
        needed_before.contains(name) && same
    };
    let kept: Vec<Json> = needed.iter().filter(is_kept).cloned().collect();
    let mut schema = after.clone();
    schema.insert("properties".to_owned(), Json::Object(all));
    if kept.is_empty() {
        schema.shift_remove("required");
    } else {
        schema.insert("required".to_owned(), Json::Array(kept));
    }
    Json::Object(schema)
}
