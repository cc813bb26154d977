//! A next version that breaks those who use the latest one: what somebody registers by mistake.
//!
//! In: an Avro record. Out: the record with one field added, taken away, or of another type. Start at [`broken`].

use serde_json::{Value, json};

/// Whom a version breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breaks {
    /// It cannot read what is written with the version before: writers that look up the latest one refuse.
    Writers,
    /// What is written with it cannot be read with the version before.
    Readers,
    /// Both.
    Both,
}

impl Breaks {
    /// As files write them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] = &["both", "writers", "readers"];
    const ALL: [Self; 3] = [Self::Both, Self::Writers, Self::Readers];

    /// By its word; both for any other.
    #[must_use]
    pub fn named(word: &str) -> Self {
        Self::WORDS.iter().position(|known| *known == word).map_or(Self::Both, |at| Self::ALL[at])
    }
}

/// The text of an Avro record that breaks users of this one; none when the text is no such record, or has no field to
/// break.
#[must_use]
pub fn broken(text: &str, breaks: Breaks) -> Option<String> {
    let mut schema: Value = serde_json::from_str(text).ok()?;
    let fields = schema.get_mut("fields")?.as_array_mut()?;
    match breaks {
        Breaks::Writers => fields.push(json!({"name": unused_name(fields), "type": "string"})),
        Breaks::Readers => {
            let required = fields.iter().position(|field| field.get("default").is_none())?;
            fields.remove(required);
        }
        Breaks::Both => {
            let first = fields.first_mut()?.as_object_mut()?;
            first.remove("default");
            // A reader promotes nothing to this, nor from it.
            first.insert("type".to_owned(), json!({"type": "array", "items": "boolean"}));
        }
    }
    Some(schema.to_string())
}

/// `required`, or the first of `required2`… that no field has.
fn unused_name(fields: &[Value]) -> String {
    let is_taken = |name: &String| fields.iter().any(|field| field["name"] == name.as_str());
    let names = std::iter::once("required".to_owned()).chain((2..).map(|number: u32| format!("required{number}")));
    names.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
}
