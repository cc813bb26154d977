//! The fields of a schema's records as a table would have them: flat, each with its type, and whether a row may lack it.
//!
//! In: an Avro record or a JSON Schema of an object. Out: [`FlatField`]s in the schema's order. Connect's words stand for types.
//! Must not know: tables. Start at [`Schema::flat_fields`]. Sources: Confluent's AvroData and JsonSchemaData (`toConnectSchema`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Schema;
use super::schema::Form;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatType {
    /// `BOOLEAN`.
    Bool,
    /// `INT32`.
    Int,
    /// `INT64`.
    Long,
    /// `FLOAT32`.
    Float,
    /// `FLOAT64`.
    Double,
    /// `STRING`, also of an enum.
    Text,
    /// A field that is no single value: `STRUCT`, `ARRAY`, `MAP`, `BYTES`.
    Other(&'static str),
}

impl FlatType {
    /// As Connect calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int => "INT32",
            Self::Long => "INT64",
            Self::Float => "FLOAT32",
            Self::Double => "FLOAT64",
            Self::Text => "STRING",
            Self::Other(name) => name,
        }
    }
    /// Of a value without a schema; none of null.
    #[must_use]
    pub fn of(value: &Json) -> Option<Self> {
        match value {
            Json::Null => None,
            Json::Bool(_) => Some(Self::Bool),
            Json::Number(number) => Some(if number.is_i64() { Self::Long } else { Self::Double }),
            Json::String(_) => Some(Self::Text),
            Json::Array(_) => Some(Self::Other("ARRAY")),
            Json::Object(_) => Some(Self::Other("STRUCT")),
        }
    }
}

/// One field.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatField {
    /// Its name.
    pub name: Arc<str>,
    /// What it holds.
    pub ty: FlatType,
    /// It may be null, or missing.
    pub is_optional: bool,
    /// What stands for it where it is missing; none also where that is null.
    pub default: Option<Json>,
}

impl Schema {
    /// The fields of its records. None where the schema does not say: it is no record, or it is Protobuf's, whose fields always
    /// have a value.
    #[must_use]
    pub fn flat_fields(&self) -> Option<Vec<FlatField>> {
        let read: Json = serde_json::from_str(self.text()).ok()?;
        match &self.form {
            Form::Avro(_) => avro(&read),
            Form::Json(_) => json(&read),
            Form::Protobuf(_) => None,
        }
    }
}

fn avro(record: &Json) -> Option<Vec<FlatField>> {
    let mut named = BTreeMap::new();
    note_names(record, &mut named);
    let one = |field: &Json| {
        let (ty, is_optional) = avro_type(&field["type"], &named);
        Some(FlatField {
            name: field["name"].as_str()?.into(),
            ty,
            is_optional,
            default: field.get("default").filter(|value| !value.is_null()).cloned(),
        })
    };
    record["fields"].as_array()?.iter().map(one).collect()
}

/// Kinds of the named types that a schema defines, under their short names.
fn note_names(part: &Json, named: &mut BTreeMap<String, FlatType>) {
    if let Json::Array(parts) = part {
        parts.iter().for_each(|part| note_names(part, named));
    }
    let Json::Object(fields) = part else { return };
    if let (Some(Json::String(name)), Some(Json::String(kind))) = (fields.get("name"), fields.get("type")) {
        let ty = match kind.as_str() {
            "enum" => Some(FlatType::Text),
            "fixed" => Some(FlatType::Other("BYTES")),
            "record" | "error" => Some(FlatType::Other("STRUCT")),
            _ => None,
        };
        let short = name.rsplit('.').next().unwrap_or(name);
        named.extend(ty.map(|ty| (short.to_owned(), ty)));
    }
    ["type", "fields", "items", "values"].iter().filter_map(|place| fields.get(*place)).for_each(|part| note_names(part, named));
}

/// A type, and whether it takes null.
fn avro_type(ty: &Json, named: &BTreeMap<String, FlatType>) -> (FlatType, bool) {
    match ty {
        Json::String(name) => {
            let known = match name.as_str() {
                "boolean" => FlatType::Bool,
                "int" => FlatType::Int,
                "long" => FlatType::Long,
                "float" => FlatType::Float,
                "double" => FlatType::Double,
                "string" | "enum" => FlatType::Text,
                "bytes" | "fixed" => FlatType::Other("BYTES"),
                "array" => FlatType::Other("ARRAY"),
                "map" => FlatType::Other("MAP"),
                other => named.get(other.rsplit('.').next().unwrap_or(other)).copied().unwrap_or(FlatType::Other("STRUCT")),
            };
            (known, name == "null")
        }
        Json::Array(branches) => {
            let mut others = branches.iter().filter(|branch| *branch != "null");
            let is_optional = branches.iter().any(|branch| branch == "null");
            match (others.next(), others.next()) {
                (Some(only), None) => (avro_type(only, named).0, is_optional),
                _ => (FlatType::Other("STRUCT"), is_optional),
            }
        }
        Json::Object(_) => avro_type(&ty["type"], named),
        _ => (FlatType::Other("STRUCT"), false),
    }
}

fn json(object: &Json) -> Option<Vec<FlatField>> {
    let required = |name: &str| object["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let one = |(name, schema): (&String, &Json)| {
        let (ty, takes_null) = json_type(schema);
        FlatField {
            name: name.as_str().into(),
            ty,
            is_optional: takes_null || !required(name),
            default: schema.get("default").filter(|value| !value.is_null()).cloned(),
        }
    };
    Some(object["properties"].as_object()?.iter().map(one).collect())
}

fn json_type(schema: &Json) -> (FlatType, bool) {
    let branches = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Json::as_array);
    if let Some(branches) = branches {
        let mut others = branches.iter().filter(|branch| branch["type"] != "null");
        let takes_null = branches.iter().any(|branch| branch["type"] == "null");
        return match (others.next(), others.next()) {
            (Some(only), None) => (json_type(only).0, takes_null),
            _ => (FlatType::Other("STRUCT"), takes_null),
        };
    }
    let named = |name: &str| match name {
        "boolean" => FlatType::Bool,
        "integer" => FlatType::Long,
        "number" => FlatType::Double,
        "string" => FlatType::Text,
        "array" => FlatType::Other("ARRAY"),
        _ => FlatType::Other("STRUCT"),
    };
    match &schema["type"] {
        Json::String(name) => (named(name), name == "null"),
        Json::Array(names) => {
            let mut others = names.iter().filter_map(Json::as_str).filter(|name| *name != "null");
            let takes_null = names.iter().any(|name| name == "null");
            match (others.next(), others.next()) {
                (Some(only), None) => (named(only), takes_null),
                _ => (FlatType::Other("STRUCT"), takes_null),
            }
        }
        _ if schema.get("enum").is_some() => (FlatType::Text, false),
        _ => (FlatType::Other("STRUCT"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machines::codec::SchemaLibrary;
    use serde_json::json;

    fn fields(schema_type: &str, schema: &Json) -> Vec<(String, &'static str, bool, Option<Json>)> {
        let compiled = SchemaLibrary::default().compile(schema_type, &schema.to_string()).expect("a schema");
        let fields = compiled.flat_fields().expect("a record");
        fields.into_iter().map(|field| (field.name.to_string(), field.ty.name(), field.is_optional, field.default)).collect()
    }

    #[test]
    fn an_avro_record_is_flat() {
        let schema = json!({"type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "id", "type": "string"},
            {"name": "count", "type": "int", "default": 1},
            {"name": "note", "type": ["null", "string"], "default": null},
            {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "DONE"]}},
            {"name": "before", "type": ["null", "shop.State"]},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "lines", "type": {"type": "array", "items": "string"}},
            {"name": "either", "type": ["int", "string"]}
        ]});
        let field = |name: &str, ty, is_optional| (name.to_owned(), ty, is_optional, None);
        assert_eq!(
            fields("AVRO", &schema),
            [
                field("id", "STRING", false),
                ("count".to_owned(), "INT32", false, Some(json!(1))),
                field("note", "STRING", true),
                field("state", "STRING", false),
                field("before", "STRING", true),
                field("at", "INT64", false),
                field("lines", "ARRAY", false),
                field("either", "STRUCT", false),
            ]
        );
    }

    #[test]
    fn a_json_schemas_object_is_flat() {
        let schema = json!({"type": "object", "required": ["id", "amount", "either"], "properties": {
            "id": {"type": "integer"}, "amount": {"type": ["number", "null"]}, "ok": {"type": "boolean", "default": true},
            "either": {"oneOf": [{"type": "null"}, {"type": "string"}]}, "where": {"type": "object"}
        }});
        let field = |name: &str, ty, is_optional| (name.to_owned(), ty, is_optional, None);
        assert_eq!(
            fields("JSON", &schema),
            [
                field("id", "INT64", false),
                field("amount", "FLOAT64", true),
                ("ok".to_owned(), "BOOLEAN", true, Some(json!(true))),
                field("either", "STRING", true),
                field("where", "STRUCT", true),
            ]
        );
    }
}
