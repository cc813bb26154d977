//! Versions between two Avro schemas: fields come, go and change with defaults, enums get one, new names an alias.
//!
//! Works on the schemas' JSON; a version that is no schema in the end is left out by who compiles it. Start at [`between`].

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Fate, RECIPES, Recipe};

/// What a target with aliases is.
const RENAMED: &str = "the new schema, with the old names as aliases";
/// Levels of types within types that are merged.
const DEPTH_MAX: u32 = 32;

/// Versions that may stand between, in the order of their recipes.
pub(super) fn between(old: &Json, new: &Json) -> Vec<(Json, &'static str)> {
    let mut names = BTreeMap::new();
    [old, new].into_iter().for_each(|schema| define(schema, &mut names, 0));
    let renamed = with_aliases(old, new).map(|json| (json, RENAMED));
    let made = RECIPES.iter().map(|recipe| (Mixer { recipe, names: &names }.ty(old, new, 0), recipe.what));
    renamed.into_iter().chain(made).collect()
}

/// Named types by their name.
fn define<'a>(schema: &'a Json, names: &mut BTreeMap<&'a str, &'a Json>, depth: u32) {
    if depth > DEPTH_MAX {
        return;
    }
    match schema {
        Json::Array(branches) => branches.iter().for_each(|branch| define(branch, names, depth + 1)),
        Json::Object(map) => {
            if let Some(name) = map.get("name").and_then(Json::as_str).filter(|_| map.contains_key("type")) {
                names.insert(name, schema);
            }
            let inner = ["type", "items", "values"].iter().filter_map(|word| map.get(*word));
            inner.for_each(|inner| define(inner, names, depth + 1));
            fields(schema).iter().for_each(|field| define(&field["type"], names, depth + 1));
        }
        _ => {}
    }
}

struct Mixer<'a> {
    recipe: &'a Recipe,
    names: &'a BTreeMap<&'a str, &'a Json>,
}

impl Mixer<'_> {
    fn ty(&self, old: &Json, new: &Json, depth: u32) -> Json {
        if old == new || depth > DEPTH_MAX {
            return new.clone();
        }
        let word = |schema: &Json| schema.get("type").and_then(Json::as_str).map(str::to_owned);
        let of = |inner: &str| {
            let mut mixed = new.clone();
            mixed[inner] = self.ty(&old[inner], &new[inner], depth + 1);
            mixed
        };
        match (word(old).as_deref(), word(new).as_deref()) {
            (Some("record"), Some("record")) => self.record(old, new, depth),
            (Some("enum"), Some("enum")) => self.symbols(old, new),
            (Some("array"), Some("array")) => of("items"),
            (Some("map"), Some("map")) => of("values"),
            _ => new.clone(),
        }
    }

    fn record(&self, old: &Json, new: &Json, depth: u32) -> Json {
        let mut mixed = Vec::new();
        for field in fields(new) {
            match fields(old).iter().find(|other| other["name"] == field["name"]) {
                None => mixed.extend(self.fated(self.recipe.added, field, field)),
                Some(other) if is_of_one_kind(&other["type"], &field["type"]) => {
                    let mut field = field.clone();
                    field["type"] = self.ty(&other["type"], &field["type"], depth + 1);
                    mixed.push(field);
                }
                Some(other) => mixed.extend(self.fated(self.recipe.retyped, other, field)),
            }
        }
        for field in fields(old) {
            if !fields(new).iter().any(|other| other["name"] == field["name"]) {
                mixed.extend(self.fated(self.recipe.removed, field, field));
            }
        }
        let mut record = new.clone();
        record["fields"] = Json::Array(mixed);
        record
    }

    /// The field as the recipe wants it, with a default.
    fn fated(&self, fate: Fate, old: &Json, new: &Json) -> Option<Json> {
        let mut field = match fate {
            Fate::Absent => return None,
            Fate::Old => old.clone(),
            Fate::New => new.clone(),
        };
        if field.get("default").is_none() {
            let default = self.default(&field["type"], 0)?;
            field.as_object_mut()?.insert("default".to_owned(), default);
        }
        Some(field)
    }

    fn symbols(&self, old: &Json, new: &Json) -> Json {
        let of = |schema: &Json| schema["symbols"].as_array().cloned().unwrap_or_default();
        let (before, after) = (of(old), of(new));
        let symbols: Vec<Json> = match (self.recipe.added, self.recipe.removed) {
            (Fate::Absent, Fate::Absent) => after.iter().filter(|symbol| before.contains(symbol)).cloned().collect(),
            (Fate::Absent, _) => before,
            (_, Fate::Absent) => after,
            _ => before.iter().chain(after.iter().filter(|symbol| !before.contains(symbol))).cloned().collect(),
        };
        let mut mixed = new.clone();
        if let Some(map) = mixed.as_object_mut() {
            let default = symbols.first().cloned().filter(|_| !map.get("default").is_some_and(|default| symbols.contains(default)));
            map.extend(default.map(|default| ("default".to_owned(), default)));
            map.insert("symbols".to_owned(), Json::Array(symbols));
        }
        mixed
    }

    /// The plainest value of a type.
    fn default(&self, ty: &Json, depth: u32) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        match ty {
            Json::String(name) => match name.as_str() {
                "null" => Some(Json::Null),
                "boolean" => Some(json!(false)),
                "int" | "long" | "float" | "double" => Some(json!(0)),
                "string" | "bytes" => Some(json!("")),
                other => self.default(self.names.get(other)?, depth + 1),
            },
            // A default is of a union's first branch.
            Json::Array(branches) => self.default(branches.first()?, depth + 1),
            Json::Object(map) => match map.get("type")?.as_str() {
                Some("array") => Some(json!([])),
                Some("map") => Some(json!({})),
                Some("enum") => map.get("symbols")?.get(0).cloned(),
                Some("fixed") => Some(json!("\u{0}".repeat(usize::try_from(map.get("size")?.as_u64()?.min(1_000)).ok()?))),
                Some("record") => {
                    let value = |field: &Json| {
                        let default = field.get("default").cloned().or_else(|| self.default(&field["type"], depth + 1))?;
                        Some((field["name"].as_str()?.to_owned(), default))
                    };
                    fields(ty).iter().map(value).collect::<Option<Map<_, _>>>().map(Json::Object)
                }
                _ => self.default(map.get("type")?, depth + 1),
            },
            _ => None,
        }
    }
}

/// Whether a change of a field's type is one within the type: of a record's fields, of a list's items.
fn is_of_one_kind(old: &Json, new: &Json) -> bool {
    let word = |schema: &Json| schema.get("type").and_then(Json::as_str).map(str::to_owned);
    let nested = ["record", "enum", "array", "map"];
    old == new || word(old).is_some_and(|of| nested.contains(&of.as_str()) && Some(of) == word(new) && old.get("name") == new.get("name"))
}

fn fields(record: &Json) -> &[Json] {
    record.get("fields").and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The new schema with an alias on each field that comes while one of the same type goes, and for the record's own old name.
fn with_aliases(old: &Json, new: &Json) -> Option<Json> {
    let mut renamed = new.clone();
    let mut gone: Vec<&Json> = fields(old).iter().filter(|field| !fields(new).iter().any(|other| other["name"] == field["name"])).collect();
    for field in renamed.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten() {
        let is_new = !fields(old).iter().any(|other| other["name"] == field["name"]);
        let Some(at) = gone.iter().position(|other| is_new && other["type"] == field["type"]) else { continue };
        let before = gone.remove(at)["name"].clone();
        add_alias(field, before);
    }
    if old.get("name") != new.get("name") {
        add_alias(&mut renamed, old.get("name")?.clone());
    }
    (renamed != *new).then_some(renamed)
}

fn add_alias(named: &mut Json, alias: Json) {
    let Some(map) = named.as_object_mut() else { return };
    if let Json::Array(aliases) = map.entry("aliases").or_insert_with(|| json!([])) {
        aliases.push(alias);
    }
}
