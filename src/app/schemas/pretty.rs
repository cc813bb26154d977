//! A kept schema laid out for reading: registries keep texts without formatting.
//!
//! Start at [`laid_out`].

use std::fmt::Write;

use serde_json::Value as Json;

/// Values that fit are written on one line.
const LINE_CHARS_MAX: usize = 76;

/// A JSON text on several lines; any other text, and one that has lines, as it is.
#[must_use]
pub fn laid_out(text: &str) -> String {
    if text.trim().contains('\n') {
        return text.to_owned();
    }
    let Ok(value) = serde_json::from_str::<Json>(text) else { return text.to_owned() };
    let mut out = String::new();
    write(&value, 0, 0, &mut out);
    out.push('\n');
    out
}

/// `before` is what stands on the line already.
fn write(value: &Json, indent: usize, before: usize, out: &mut String) {
    let flat = flat(value);
    let items: Vec<(Option<&String>, &Json)> = match value {
        Json::Object(fields) if !fields.is_empty() => fields.iter().map(|(key, value)| (Some(key), value)).collect(),
        Json::Array(items) if !items.is_empty() => items.iter().map(|item| (None, item)).collect(),
        _ => return out.push_str(&flat),
    };
    // The whole schema always has its lines.
    if indent > 0 && before + flat.chars().count() <= LINE_CHARS_MAX {
        return out.push_str(&flat);
    }
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    out.push(open);
    for (at, (key, item)) in items.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        let start = out.len();
        out.extend(std::iter::repeat_n(' ', indent + 2));
        if let Some(key) = key {
            let _ = write!(out, "{}: ", Json::from(key.as_str()));
        }
        let before = out[start..].chars().count();
        write(item, indent + 2, before, out);
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
    out.push(close);
}

/// On one line, with a space behind colons and commas.
#[must_use]
pub fn flat(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(key, value)| format!("{}: {}", Json::from(key.as_str()), flat(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_fields_keep_to_one_line() {
        let kept =
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}"#;
        let expected = "{\n  \"type\": \"record\",\n  \"name\": \"R\",\n  \"fields\": [\n    {\"name\": \"a\", \"type\": \"int\"},\n    {\"name\": \"b\", \"type\": [\"null\", \"string\"], \"default\": null}\n  ]\n}\n";
        assert_eq!(laid_out(kept), expected);
        assert_eq!(laid_out(expected), expected);
        assert_eq!(laid_out("message A {}"), "message A {}");
        assert_eq!(serde_json::from_str::<Json>(expected).ok(), serde_json::from_str::<Json>(kept).ok());
    }
}
