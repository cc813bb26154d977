//! What a filter policy may look at: a message's attributes, as SNS types them.

use std::sync::Arc;

use serde_json::Value as Json;

/// One value as filters compare it; numbers compare as numbers, everything else by its own type only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// Text.
    Text(&'a str),
    /// A number, whole or not.
    Number(f64),
    /// `true` or `false`; only bodies and `String.Array` attributes have them.
    Bool(bool),
    /// `null`; only bodies and `String.Array` attributes have it.
    Null,
}

impl<'a> ValueRef<'a> {
    /// A JSON scalar; none for lists and objects.
    #[must_use]
    pub fn of(json: &'a Json) -> Option<Self> {
        match json {
            Json::String(text) => Some(Self::Text(text)),
            Json::Number(number) => number.as_f64().map(Self::Number),
            Json::Bool(flag) => Some(Self::Bool(*flag)),
            Json::Null => Some(Self::Null),
            Json::Array(_) | Json::Object(_) => None,
        }
    }
}

/// One attribute's value in SNS's types.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// `String`.
    Text(Arc<str>),
    /// `Number`.
    Number(f64),
    /// `String.Array`: scalars of a JSON list.
    List(Vec<Json>),
    /// `Binary`: it is there, and matches nothing else.
    Opaque,
}

impl Attribute {
    /// An attribute as the product's interface carries it: a data type and a text. None for a number that
    /// is none.
    #[must_use]
    pub fn parse(data_type: &str, text: &str) -> Option<Self> {
        match data_type {
            "Number" => text.parse().ok().map(Self::Number),
            // A list that cannot be read is compared as the text that it is.
            "String.Array" => Some(match serde_json::from_str(text) {
                Ok(Json::Array(list)) => Self::List(list),
                _ => Self::Text(text.into()),
            }),
            "Binary" => Some(Self::Opaque),
            _ => Some(Self::Text(text.into())),
        }
    }

    /// A value of a JSON document in SNS's types; none for what these cannot hold.
    #[must_use]
    pub fn of_json(value: &Json) -> Option<Self> {
        match value {
            Json::String(text) => Some(Self::Text(text.as_str().into())),
            Json::Number(number) => number.as_f64().map(Self::Number),
            Json::Bool(flag) => Some(Self::Text(flag.to_string().into())),
            Json::Array(list) => Some(Self::List(list.clone())),
            Json::Null | Json::Object(_) => None,
        }
    }

    pub(super) fn any(&self, holds: impl Fn(ValueRef<'_>) -> bool) -> bool {
        match self {
            Self::Text(text) => holds(ValueRef::Text(text)),
            Self::Number(number) => holds(ValueRef::Number(*number)),
            Self::List(list) => list.iter().filter_map(ValueRef::of).any(holds),
            Self::Opaque => false,
        }
    }
}

/// A message's attributes, by name; few, so a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub Vec<(Arc<str>, Attribute)>);

impl Attributes {
    /// The attribute of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, attribute)| attribute)
    }
}
