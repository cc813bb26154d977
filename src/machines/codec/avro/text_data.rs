//! Whether a JSON value can stand for a datum of an Avro schema: as Avro's JSON encoding writes it, with or without the
//! name of a union's branch around the value, and as this program shows it (instants as text, bytes in hexadecimal).
//!
//! Start at [`check`].

use serde_json::{Map, Value as Json};

use super::outline::{Outline, PartIx, Shape};

/// # Errors
/// The first place that does not fit, in words.
pub(super) fn check(outline: &Outline, value: &Json) -> Result<(), String> {
    Check { outline }.value(0, value, "")
}

struct Check<'a> {
    outline: &'a Outline,
}

impl Check<'_> {
    fn value(&self, part: PartIx, value: &Json, place: &str) -> Result<(), String> {
        let is_text_for = self.outline.part(part).logical.is_some() && value.is_string();
        let fits = match self.outline.shape(part) {
            Shape::Null => value.is_null(),
            Shape::Boolean => value.is_boolean(),
            Shape::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) || is_text_for,
            Shape::Long => value.is_i64() || is_text_for,
            Shape::Float | Shape::Double => value.is_number() || value.as_str().is_some_and(|text| matches!(text, "NaN" | "inf" | "-inf")),
            Shape::Bytes | Shape::String | Shape::Fixed { .. } => value.is_string(),
            Shape::Enum { first, count, .. } => {
                let symbols = self.outline.symbols(first, count);
                value.as_str().is_some_and(|text| symbols.iter().any(|symbol| **symbol == *text))
            }
            Shape::Array(item) => return self.items(item, value, place),
            Shape::Map(inner) => return self.entries(inner, value, place),
            Shape::Union { first, count } => return self.branches(part, self.outline.branches(first, count), value, place),
            Shape::Record { first, count } => return self.fields(first, count, value, place),
        };
        if fits { Ok(()) } else { Err(self.wrong(part, value, place)) }
    }

    fn items(&self, item: PartIx, value: &Json, place: &str) -> Result<(), String> {
        let Json::Array(items) = value else { return Err(wrong("a list", value, place)) };
        items.iter().enumerate().try_for_each(|(at, inner)| self.value(item, inner, &format!("{place}[{at}]")))
    }

    fn entries(&self, inner: PartIx, value: &Json, place: &str) -> Result<(), String> {
        let Json::Object(map) = value else { return Err(wrong("a map", value, place)) };
        map.iter().try_for_each(|(key, value)| self.value(inner, value, &below(place, key)))
    }

    fn branches(&self, part: PartIx, branches: &[PartIx], value: &Json, place: &str) -> Result<(), String> {
        // `{"string": "a"}`: the branch by its name.
        let named = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        if let Some((name, inner)) = named
            && let Some(branch) = branches.iter().find(|branch| self.name(**branch) == *name)
            && self.value(*branch, inner, place).is_ok()
        {
            return Ok(());
        }
        let refusals: Vec<String> = branches.iter().filter_map(|branch| self.value(*branch, value, place).err()).collect();
        if refusals.len() < branches.len() {
            return Ok(());
        }
        // The one branch that is meant for such a value says best what is wrong within it.
        let meant = branches.iter().zip(&refusals).find(|(branch, _)| {
            matches!(
                (self.outline.shape(**branch), value),
                (Shape::Record { .. } | Shape::Map(_), Json::Object(_)) | (Shape::Array(_), Json::Array(_))
            )
        });
        Err(meant.map_or_else(|| self.wrong(part, value, place), |(_, refusal)| refusal.clone()))
    }

    fn fields(&self, first: u32, count: u32, value: &Json, place: &str) -> Result<(), String> {
        let Json::Object(map) = value else { return Err(wrong("a record", value, place)) };
        let fields = self.outline.fields(first, count);
        for field in fields {
            let inner = map.get(&*field.name).ok_or_else(|| format!("field {} is missing", below(place, &field.name)))?;
            self.value(field.part, inner, &below(place, &field.name))?;
        }
        unknown(map, |name| fields.iter().any(|field| *field.name == *name))
            .map_or(Ok(()), |name| Err(format!("field {} is not in the schema", below(place, name))))
    }

    fn wrong(&self, part: PartIx, value: &Json, place: &str) -> String {
        let wanted = match self.outline.shape(part) {
            Shape::Union { first, count } => {
                let names: Vec<String> = self.outline.branches(first, count).iter().map(|branch| self.name(*branch)).collect();
                names.join(" or ")
            }
            Shape::Enum { first, count, .. } => format!("one of {}", self.outline.symbols(first, count).join(", ")),
            _ => self.name(part),
        };
        wrong(&wanted, value, place)
    }

    /// As Avro names a branch: a named type by its full name.
    fn name(&self, part: PartIx) -> String {
        let named = self.outline.part(part).name.as_ref().map(|name| name.full.to_string());
        named.unwrap_or_else(|| self.outline.shape(part).word().to_ascii_lowercase())
    }
}

fn unknown(map: &Map<String, Json>, is_known: impl Fn(&str) -> bool) -> Option<&String> {
    map.keys().find(|name| !is_known(name))
}

fn below(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

fn wrong(wanted: &str, value: &Json, place: &str) -> String {
    let found = match value {
        Json::Object(_) => "an object".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        scalar => scalar.to_string().chars().take(60).collect(),
    };
    let what = if place.is_empty() { "the value".to_owned() } else { format!("field {place}") };
    format!("{what} is {found}, the schema wants {wanted}")
}
