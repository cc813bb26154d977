//! A validator's refusals in words.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value as Json;

/// Longest text of a refusal that is taken over.
const CHARS_MAX: usize = 200;

/// `field amount is text, schema wants number`.
pub(super) fn words(error: &ValidationError<'_>) -> String {
    let path = path(error.instance_path().as_str());
    let what = if path.is_empty() { "the payload".to_owned() } else { format!("field {path}") };
    let below = |name: &str| if path.is_empty() { format!("field {name}") } else { format!("field {path}.{name}") };
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("{what} is {}, schema wants {wanted}", shape(error.instance()))
        }
        ValidationErrorKind::Required { property } => {
            format!("{} is missing", below(property.as_str().unwrap_or_default()))
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("{} is not in the schema", below(unexpected.first().map_or("", String::as_str)))
        }
        ValidationErrorKind::Enum { .. } => {
            format!("{what} is {}, none of the schema's values", shorten(&error.instance().to_string()))
        }
        _ => format!("{what}: {}", shorten(&error.masked().to_string())),
    }
}

pub(super) fn shorten(text: &str) -> String {
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CHARS_MAX).chain(std::iter::once('…')).collect()
}

fn shape(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// `/items/0/sku` as `items[0].sku`.
fn path(pointer: &str) -> String {
    let mut out = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty() {
            out.push('[');
            out.push_str(&part);
            out.push(']');
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&part);
        }
    }
    out
}
