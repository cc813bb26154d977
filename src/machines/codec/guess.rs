//! Of which type a schema's text is, when nobody says so.

use serde_json::Value as Json;

/// What a registry calls the type; none when the text does not tell.
#[must_use]
pub fn guess_type(text: &str) -> Option<&'static str> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with(['{', '[', '"']) {
        return is_protobuf(text).then_some("PROTOBUF");
    }
    // A text that nests too deeply or is broken is told by its first words: who compiles it says what is wrong.
    let Ok(schema) = serde_json::from_str::<Json>(text) else {
        return if text.contains("\"$schema\"") || text.contains("\"properties\"") { Some("JSON") } else { Some("AVRO") };
    };
    Some(if is_json_schema(&schema) { "JSON" } else { "AVRO" })
}

fn is_json_schema(schema: &Json) -> bool {
    const KEYWORDS: &[&str] = &[
        "$schema",
        "$id",
        "$ref",
        "$defs",
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "oneOf",
        "anyOf",
        "allOf",
        "not",
        "const",
        "definitions",
        "minimum",
        "maximum",
        "pattern",
        "format",
        "title",
        "description",
        "prefixItems",
    ];
    const AVRO: &[&str] = &["record", "enum", "fixed", "map", "error", "int", "long", "float", "double", "bytes"];
    let Some(map) = schema.as_object() else { return false };
    let is_avro = map.get("type").and_then(Json::as_str).is_some_and(|word| AVRO.contains(&word));
    let is_typed = matches!(map.get("type").and_then(Json::as_str), Some("object" | "integer" | "number"));
    !is_avro
        && (is_typed
            || map.is_empty()
            || map.get("type").is_some_and(Json::is_array)
            || KEYWORDS.iter().any(|word| map.contains_key(*word)))
}

/// Whether the first word that is no comment begins a Protobuf file.
fn is_protobuf(mut text: &str) -> bool {
    loop {
        text = text.trim_start();
        let end = if text.starts_with("//") {
            text.find('\n')
        } else if text.starts_with("/*") {
            text.find("*/").map(|at| at + 2)
        } else {
            break;
        };
        match end {
            Some(end) => text = &text[end..],
            None => return false,
        }
    }
    let word: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    ["syntax", "edition", "package", "import", "message", "enum", "option", "service", "extend"].contains(&word.as_str())
}

#[cfg(test)]
mod tests {
    use super::guess_type;

    #[test]
    fn texts_tell_their_type() {
        for (text, expected) in [
            (r#"{"type": "record", "name": "R", "fields": []}"#, Some("AVRO")),
            (r#"["null", "string"]"#, Some("AVRO")),
            (r#""int""#, Some("AVRO")),
            (r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#, Some("AVRO")),
            (r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#, Some("JSON")),
            (r#"{"type": "object"}"#, Some("JSON")),
            (r#"{"type": ["string", "null"]}"#, Some("JSON")),
            ("\u{feff} {\"oneOf\": []}", Some("JSON")),
            ("// a file\nsyntax = \"proto3\";", Some("PROTOBUF")),
            ("/* a\n b */ message A {}", Some("PROTOBUF")),
            ("", None),
            ("hello", None),
            ("/* open", None),
        ] {
            assert_eq!(guess_type(text), expected, "{text}");
        }
    }
}
