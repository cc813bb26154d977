//! Java names, types and texts, and the records that stand for events.

use std::fmt::Write;

use serde_json::Value as Json;

use super::Events;

/// Words that cannot be names.
const RESERVED: &[&str] = &[
    "abstract",
    "assert",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "false",
    "final",
    "finally",
    "float",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "record",
    "return",
    "short",
    "static",
    "strictfp",
    "super",
    "switch",
    "synchronized",
    "this",
    "throw",
    "throws",
    "transient",
    "true",
    "try",
    "var",
    "void",
    "volatile",
    "while",
    "yield",
    "_",
];

/// Names of classes that the skeletons use themselves.
const TAKEN: &[&str] =
    &["Application", "Message", "List", "Object", "String", "Record", "Override", "Topic", "Supplier", "Function", "Consumer"];

/// `order-list` as `OrderList`.
pub(super) fn class_name(text: &str) -> String {
    let mut name = String::new();
    let mut upper = true;
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(if upper { letter.to_ascii_uppercase() } else { letter });
            upper = false;
        } else {
            upper = true;
        }
    }
    if name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
        name.insert(0, 'X');
    }
    if TAKEN.contains(&name.as_str()) {
        name.push_str("Part");
    }
    name
}

/// `OrderList` as `orderList`.
pub(super) fn decapitalised(class: &str) -> String {
    let mut letters = class.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase()).into_iter();
    field_name(&first.chain(letters).collect::<String>())
}

/// A name of a field or method.
pub(super) fn field_name(text: &str) -> String {
    let mut name: String = text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || RESERVED.contains(&name.as_str()) {
        name.insert(0, '_');
        name.push('_');
    }
    name
}

/// A Java text; also one of YAML, whose double-quoted style is JSON's.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(letter),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

/// A text inside a comment: on one line, and no end of it.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() || letter == '\\' { ' ' } else { letter }).collect::<String>().replace("*/", "* /")
}

/// A service's field type.
pub(super) fn scalar(ty: &str) -> &'static str {
    match ty {
        "int" => "Long",
        "double" => "Double",
        "bool" => "Boolean",
        "string" => "String",
        _ => "Object",
    }
}

/// A schema's type, Avro's or JSON Schema's.
pub(super) fn of_schema(ty: &Json) -> &'static str {
    match ty {
        Json::String(name) => match name.as_str() {
            "int" | "long" | "integer" => "Long",
            "float" | "double" | "number" => "Double",
            "boolean" => "Boolean",
            "string" | "enum" => "String",
            _ => "Object",
        },
        // A union with null is its other branch.
        Json::Array(branches) => {
            let mut others = branches.iter().filter(|branch| branch.as_str() != Some("null"));
            match (others.next(), others.next()) {
                (Some(one), None) => of_schema(one),
                _ => "Object",
            }
        }
        Json::Object(inner) => inner.get("type").map_or("Object", of_schema),
        _ => "Object",
    }
}

/// A record for each type of event.
pub(super) fn records(events: &Events) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for (ty, fields) in events {
        let class = class_name(ty);
        let path = format!("src/main/java/design/events/{class}.java");
        if files.iter().any(|(other, _)| *other == path) {
            continue;
        }
        let mut names = Vec::new();
        let mut parts = Vec::new();
        for (name, java) in fields {
            let field = field_name(name);
            if !names.contains(&field) {
                parts.push(format!("{java} {field}"));
                names.push(field);
            }
        }
        let text = format!(
            "package design.events;\n\n/** {}, as the design says it. */\npublic record {class}({}) {{\n    /** `ce_type` of its messages. */\n    public static final String TYPE = {};\n}}\n",
            comment(ty),
            parts.join(", "),
            quoted(ty)
        );
        files.push((path, text));
    }
    files
}
