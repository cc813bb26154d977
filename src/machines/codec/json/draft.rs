//! Which draft of JSON Schema a schema is written in.

use serde_json::Value as Json;

/// A draft, as `$schema` names it. A schema that names none, or one nobody knows, is draft 7, as in Confluent's registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    /// 2019-09.
    Nineteen,
    /// 2020-12.
    Twenty,
}

impl Draft {
    pub(super) fn of(schema: &Json) -> Self {
        let named = schema.get("$schema").and_then(Json::as_str).unwrap_or_default().trim_end_matches('#');
        let path = named.strip_prefix("http://").or_else(|| named.strip_prefix("https://")).unwrap_or(named);
        match path {
            "json-schema.org/draft-04/schema" | "json-schema.org/schema" => Self::Four,
            "json-schema.org/draft-06/schema" => Self::Six,
            "json-schema.org/draft/2019-09/schema" => Self::Nineteen,
            "json-schema.org/draft/2020-12/schema" => Self::Twenty,
            _ => Self::Seven,
        }
    }
    /// The product reads these by another loader, whose results differ in places.
    pub(super) fn is_modern(self) -> bool {
        matches!(self, Self::Nineteen | Self::Twenty)
    }
    pub(super) fn id_word(self) -> &'static str {
        if self == Self::Four { "id" } else { "$id" }
    }
    pub(super) fn of_validator(self) -> jsonschema::Draft {
        match self {
            Self::Four => jsonschema::Draft::Draft4,
            Self::Six => jsonschema::Draft::Draft6,
            Self::Seven => jsonschema::Draft::Draft7,
            Self::Nineteen => jsonschema::Draft::Draft201909,
            Self::Twenty => jsonschema::Draft::Draft202012,
        }
    }
}
