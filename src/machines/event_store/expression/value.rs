//! What a field can hold, by its declared type.

use std::str::FromStr;
use std::sync::Arc;

use crate::event::{Scalar, TEXT_BYTES_MAX};

/// What a field of an aggregate or a column of a read model is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number; whole ones are taken too.
    Double,
    /// Text.
    Text,
}

impl FieldType {
    /// All, by their names in files.
    pub const ALL: [(&'static str, Self); 4] = [("bool", Self::Bool), ("int", Self::Int), ("double", Self::Double), ("string", Self::Text)];

    /// Its name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, ty)| *ty == self).map_or("string", |(name, _)| name)
    }

    /// The value that a field begins with when nothing else is said.
    #[must_use]
    pub fn zero(self) -> Scalar {
        match self {
            Self::Bool => Scalar::Bool(false),
            Self::Int => Scalar::Int(0),
            Self::Double => Scalar::Double(0.0),
            Self::Text => Scalar::Text(Arc::from("")),
        }
    }

    /// A value as this type, if it is one.
    #[must_use]
    pub fn take(self, value: Scalar) -> Option<Scalar> {
        match (self, value) {
            (_, Scalar::Null) => Some(Scalar::Null),
            (Self::Double, Scalar::Int(number)) => Some(Scalar::Double(number as f64)),
            (Self::Bool, value @ Scalar::Bool(_))
            | (Self::Int, value @ Scalar::Int(_))
            | (Self::Double, value @ Scalar::Double(_))
            | (Self::Text, value @ Scalar::Text(_)) => Some(value),
            _ => None,
        }
    }

    /// A value as a person writes it.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Scalar> {
        match self {
            Self::Bool => text.parse().ok().map(Scalar::Bool),
            Self::Int => text.parse().ok().map(Scalar::Int),
            Self::Double => text.parse().ok().filter(|number: &f64| number.is_finite()).map(Scalar::Double),
            Self::Text => (text.len() <= TEXT_BYTES_MAX).then(|| Scalar::Text(Arc::from(text))),
        }
    }
}

impl FromStr for FieldType {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, ty)| *ty).ok_or(())
    }
}
