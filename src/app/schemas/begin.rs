//! A new subject, with a first version to go on from.
//!
//! In: a name and a schema language. Out: one edit of the design, or why there is none.
//! Must not know: egui, how schemas are judged. Start at [`AppState::add_subject`].

use serde_json::json;

use super::pretty::laid_out;
use super::{AppState, Desk};
use crate::machines::codec::SchemaType;
use crate::model::{Edit, Value};

/// Longest name; the registry's own limit for one in a path.
const NAME_CHARS_MAX: usize = 249;

/// What a new subject is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beginning {
    /// `orders-value`.
    pub name: String,
    /// The schema language of its versions.
    pub schema_type: SchemaType,
}

impl Desk {
    /// The subject that is being named, if one is.
    #[must_use]
    pub fn beginning(&self) -> Option<&Beginning> {
        self.beginning.as_ref()
    }
}

impl AppState {
    /// Why no subject can be begun now, if none can.
    #[must_use]
    pub fn cannot_begin_because(&self) -> Option<&'static str> {
        self.is_locked().then_some("The design is locked while a run is on")
    }

    /// Why the subject that is being named cannot be added, if it cannot.
    #[must_use]
    pub fn cannot_add_subject_because(&self) -> Option<&'static str> {
        let name = self.desk.beginning()?.name.trim();
        let is_taken = || self.desk.subjects().iter().any(|subject| &**subject.name() == name);
        match name {
            _ if self.is_locked() => self.cannot_begin_because(),
            "" => Some("Name it first: orders-value for the events of a topic orders"),
            _ if name.chars().count() > NAME_CHARS_MAX => Some("A name has at most 249 characters"),
            _ if name.chars().any(char::is_control) => Some("A name has no control characters"),
            _ if is_taken() => Some("There is a subject of this name"),
            _ => None,
        }
    }

    /// Adds the subject that is being named, with a first version, and opens the editor on it.
    pub(super) fn add_subject(&mut self) {
        if let Some(words) = self.cannot_add_subject_because() {
            self.notice(words, true);
            return;
        }
        let Some((registry, beginning)) = self.desk.registry.clone().zip(self.desk.beginning.take()) else { return };
        let Some(component) = self.project().components.get(&registry) else { return };
        let mut subjects = component.params.get("subjects").and_then(Value::as_map).cloned().unwrap_or_default();
        let subject = beginning.name.trim().to_owned();
        self.desk.look_at(Some(subject.clone()));
        let name = self.new_schema_name(&subject);
        let ty = (beginning.schema_type != SchemaType::default()).then(|| Value::Text(beginning.schema_type.as_str().to_owned()));
        let versions = Value::List(vec![Value::Text(name.clone())]);
        let row = ty.map(|ty| ("type".to_owned(), ty)).into_iter().chain([("versions".to_owned(), versions)]);
        subjects.insert(subject.clone(), Value::Map(row.collect()));
        let text = first_version(&subject, beginning.schema_type);
        let edits = vec![
            Edit::SetSchema { name, text },
            Edit::SetParam { id: registry, param: "subjects".to_owned(), value: Some(Value::Map(subjects)) },
        ];
        self.edit(None, edits);
        self.keep_desk();
        self.begin_draft(true);
    }
}

/// The smallest schema that is worth going on from: a record with an id.
fn first_version(subject: &str, schema_type: SchemaType) -> String {
    let title = type_name(subject);
    let pretty = |schema: serde_json::Value| laid_out(&schema.to_string());
    match schema_type {
        SchemaType::Avro => pretty(json!({"type": "record", "name": title, "fields": [{"name": "id", "type": "string"}]})),
        SchemaType::Json => pretty(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "type": "object",
            "properties": {"id": {"type": "string"}},
            "required": ["id"],
        })),
        SchemaType::Protobuf => format!("syntax = \"proto3\";\n\nmessage {title} {{\n  string id = 1;\n}}\n"),
    }
}

/// `OrderItems` of `order-items-value`.
fn type_name(subject: &str) -> String {
    let stem = subject.strip_suffix("-value").or_else(|| subject.strip_suffix("-key")).unwrap_or(subject);
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Event{name}") }
}
