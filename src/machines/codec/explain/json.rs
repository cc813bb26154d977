//! A JSON Schema in words.

use serde_json::{Map, Value as Json};

use super::{DEPTH_MAX, Page, shown};

pub(super) fn explain(schema: &Json, page: &mut Page) {
    let draft = schema.get("$schema").and_then(Json::as_str).map_or("draft 7, for want of $schema".to_owned(), str::to_owned);
    page.line(0, &format!("A JSON Schema ({draft}): {}", words(schema)));
    inside(schema, page, 0);
    let models = Models::of(schema, 0);
    page.line(0, "");
    page.line(0, "In a next version");
    if models.open {
        page.line(1, "open objects may lose properties under BACKWARD; a new one is refused: old events may hold anything by its name");
        page.line(1, "(the policy LENIENT lets optional properties come and go)");
    }
    if models.closed {
        page.line(1, "closed objects may gain optional properties under BACKWARD, and lose none: old events hold them");
    }
    if models.partial {
        page.line(1, "where other properties must fit a schema, a property may come or go if it fits that schema too");
    }
    page.line(1, "a new required property is refused under BACKWARD unless it has a default; dropping one from required, under FORWARD");
}

/// Which content models a schema has.
#[derive(Default)]
struct Models {
    open: bool,
    closed: bool,
    partial: bool,
}

impl Models {
    fn of(schema: &Json, depth: u32) -> Self {
        let mut models = Self::default();
        models.collect(schema, depth);
        models
    }
    fn collect(&mut self, schema: &Json, depth: u32) {
        if depth > DEPTH_MAX {
            return;
        }
        match schema {
            Json::Object(map) => {
                if map.contains_key("properties") || map.get("type").is_some_and(|ty| ty == "object") {
                    match model(map) {
                        Model::Open => self.open = true,
                        Model::Closed => self.closed = true,
                        Model::Partial => self.partial = true,
                    }
                }
                map.values().for_each(|inner| self.collect(inner, depth + 1));
            }
            Json::Array(list) => list.iter().for_each(|inner| self.collect(inner, depth + 1)),
            _ => {}
        }
    }
}

enum Model {
    Open,
    Closed,
    Partial,
}

fn model(map: &Map<String, Json>) -> Model {
    match map.get("additionalProperties") {
        _ if map.contains_key("patternProperties") => Model::Partial,
        None | Some(Json::Bool(true)) => Model::Open,
        Some(Json::Bool(false)) => Model::Closed,
        Some(_) => Model::Partial,
    }
}

fn inside(schema: &Json, page: &mut Page, depth: u32) {
    let Some(map) = schema.as_object().filter(|_| depth <= DEPTH_MAX) else { return };
    page.doc(depth + 1, map.get("description"));
    let required: Vec<&str> = map.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let properties = map.get("properties").and_then(Json::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let need = if required.contains(&name.as_str()) { "required" } else { "optional" };
        let default = property.get("default").map(|default| format!(", default {}", shown(&default.to_string()))).unwrap_or_default();
        page.line(depth + 1, &format!("{name}: {}, {need}{default}", words(property)));
        inside(property, page, depth + 1);
    }
    for name in required.iter().filter(|name| properties.is_none_or(|known| !known.contains_key(**name))) {
        page.line(depth + 1, &format!("{name}: anything, required"));
    }
    for (name, part) in map.get("patternProperties").and_then(Json::as_object).into_iter().flatten() {
        page.line(depth + 1, &format!("names like {name}: {}", words(part)));
    }
    if let Some(others) = map.get("additionalProperties").filter(|others| others.is_object()) {
        page.line(depth + 1, &format!("any other name: {}", words(others)));
    }
    if let Some(items) = map.get("items").filter(|items| items.is_object()) {
        inside(items, page, depth);
    }
    for (word, heading) in [("allOf", "all of"), ("anyOf", "any of"), ("oneOf", "exactly one of")] {
        let Some(branches) = map.get(word).and_then(Json::as_array) else { continue };
        page.line(depth + 1, heading);
        for branch in branches {
            page.line(depth + 2, &words(branch));
            inside(branch, page, depth + 2);
        }
    }
    for word in ["$defs", "definitions"] {
        for (name, part) in map.get(word).and_then(Json::as_object).into_iter().flatten() {
            page.line(depth + 1, &format!("where {name} is {}", words(part)));
            inside(part, page, depth + 1);
        }
    }
}

/// A part in a few words: its type and its bounds.
fn words(schema: &Json) -> String {
    let Some(map) = schema.as_object() else {
        return if *schema == Json::Bool(false) { "nothing at all".to_owned() } else { "anything".to_owned() };
    };
    if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    if let Some(constant) = map.get("const") {
        return format!("always {}", shown(&constant.to_string()));
    }
    if let Some(values) = map.get("enum").and_then(Json::as_array) {
        return format!("one of {}", shown(&values.iter().map(Json::to_string).collect::<Vec<_>>().join(", ")));
    }
    let mut out = match map.get("type") {
        Some(Json::String(ty)) => ty.clone(),
        Some(Json::Array(types)) => types.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    if map.contains_key("properties") || out == "object" {
        let model = match model(map) {
            Model::Open => "open object",
            Model::Closed => "closed object",
            Model::Partial => "partly open object",
        };
        out = out.replace("object", model).replace("anything", model);
    }
    if let Some(items) = map.get("items").filter(|items| items.is_object()) {
        out = format!("{out} of {}", words(items));
    }
    for keyword in [
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "exclusiveMinimum",
        "maximum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    ] {
        if let Some(value) = map.get(keyword) {
            out.push_str(&format!(", {keyword} {}", shown(&value.to_string())));
        }
    }
    out
}
