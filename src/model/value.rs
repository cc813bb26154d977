//! A parameter's value as the user wrote it: typed only by the [`super::ParamSpec`] that reads it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// What a file can say for a parameter. Durations, rates, sizes, distributions stay text, as typed
/// (`"250ms"`, `"exp(5ms)"`), so that a save writes what was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction; never NaN or infinite (the reader refuses those).
    Float(f64),
    /// Text, or a bare word such as `all`.
    Text(String),
    /// `[…]`.
    List(Vec<Value>),
    /// `(name: value, …)` or `{"name": value, …}`; the spec says which is written.
    Map(IndexMap<String, Value>),
}

impl Value {
    /// The text, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&IndexMap<String, Value>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }
    /// The list, if it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }
    /// What a person would call this shape.
    #[must_use]
    pub fn shape(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a group of fields",
        }
    }
    /// A scalar as the text a person would type into a field; lists and maps as compact JSON.
    #[must_use]
    pub fn to_field_text(&self) -> String {
        match self {
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(n) => n.to_string(),
            Self::Text(text) => text.clone(),
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
