//! An Avro schema in words.

use serde_json::Value as Json;

use super::{DEPTH_MAX, Page, listed, shown};

pub(super) fn explain(schema: &Json, page: &mut Page) {
    page.line(0, &format!("An Avro schema: {}", words(schema)));
    inside(schema, page, 0);
    page.line(0, "");
    page.line(0, "In a next version");
    page.line(1, "a new field needs a default under BACKWARD and FULL: readers with it find none in old data");
    let mut needed = Vec::new();
    without_default(schema, &mut needed, 0);
    match needed.as_slice() {
        [] => page.line(1, "any field may go: each has a default"),
        names => {
            page.line(1, &format!("{} may not go under FORWARD and FULL: no default, and readers of this version need it", listed(names)))
        }
    }
    page.line(1, "a field or type gets another name by an alias for the old one, under BACKWARD");
}

/// The parts of a type, each on its line.
fn inside(schema: &Json, page: &mut Page, depth: u32) {
    if depth > DEPTH_MAX {
        return;
    }
    match schema {
        Json::Array(branches) => branches.iter().for_each(|branch| inside(branch, page, depth)),
        Json::Object(map) => {
            page.doc(depth + 1, map.get("doc"));
            if let Some(fields) = map.get("fields").and_then(Json::as_array) {
                fields.iter().for_each(|field| one(field, page, depth + 1));
            } else {
                let inner =
                    ["items", "values"].iter().filter_map(|word| map.get(*word)).chain(map.get("type").filter(|ty| !ty.is_string()));
                inner.for_each(|inner| inside(inner, page, depth));
            }
        }
        _ => {}
    }
}

fn one(field: &Json, page: &mut Page, depth: u32) {
    let name = field["name"].as_str().unwrap_or_default();
    let default = match field.get("default") {
        Some(default) => format!(", {} when absent", shown(&default.to_string())),
        None => ", always there".to_owned(),
    };
    let aliases: Vec<String> = names(&field["aliases"]);
    let before = if aliases.is_empty() { String::new() } else { format!(", before called {}", listed(&aliases)) };
    page.line(depth, &format!("{name}: {}{default}{before}", words(&field["type"])));
    page.doc(depth + 1, field.get("doc"));
    inside(&field["type"], page, depth);
}

/// A type in a few words.
fn words(schema: &Json) -> String {
    match schema {
        Json::String(name) => name.clone(),
        Json::Array(branches) => branches.iter().map(words).collect::<Vec<_>>().join(" or "),
        Json::Object(map) => {
            let name = map.get("name").and_then(Json::as_str).unwrap_or_default();
            match map.get("type").and_then(Json::as_str) {
                Some("record" | "error") => format!("record {name}"),
                Some("enum") => {
                    let default = map.get("default").and_then(Json::as_str);
                    let unknown = default.map(|default| format!(", unknown ones read as {default}")).unwrap_or_default();
                    format!("enum {name}: one of {}{unknown}", shown(&names(&schema["symbols"]).join(", ")))
                }
                Some("fixed") => format!("fixed {name} of {} bytes{}", schema["size"], logical(schema)),
                Some("array") => format!("list of {}", words(&schema["items"])),
                Some("map") => format!("map of {}", words(&schema["values"])),
                Some(scalar) => format!("{scalar}{}", logical(schema)),
                None => words(&schema["type"]),
            }
        }
        _ => String::new(),
    }
}

fn logical(schema: &Json) -> String {
    match (schema["logicalType"].as_str(), &schema["precision"]) {
        (Some("decimal"), precision) => {
            format!(" (decimal of {precision} digits, {} behind the point)", schema["scale"].as_u64().unwrap_or(0))
        }
        (Some(logical), _) => format!(" ({logical})"),
        _ => String::new(),
    }
}

fn names(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
}

/// Fields of the outermost record that have no default.
fn without_default(schema: &Json, out: &mut Vec<String>, depth: u32) {
    match schema {
        Json::Array(branches) if depth < DEPTH_MAX => branches.iter().for_each(|branch| without_default(branch, out, depth + 1)),
        Json::Object(map) => {
            let fields = map.get("fields").and_then(Json::as_array).into_iter().flatten();
            out.extend(fields.filter(|field| field.get("default").is_none()).filter_map(|field| field["name"].as_str()).map(str::to_owned));
        }
        _ => {}
    }
}
