//! Confluent's words for what breaks, rule by rule (`verbose=true`, and the details of error 40901).
//!
//! The source is the three `Difference.java` of confluentinc/schema-registry; `%1` stands for the reader's side (`new` or
//! `old`), `%2` for the writer's, `%p` for the place. Start at [`message`].

use crate::machines::codec::{Difference, SchemaType, avro_message};

/// The message about one difference.
pub(super) fn message(schema_type: SchemaType, difference: &Difference, reader: &str, writer: &str) -> String {
    let rule = difference.rule;
    let place = difference.reader.as_deref().or(difference.writer.as_deref()).unwrap_or("/");
    let filled = |template: &str, place: &str| template.replace("%1", reader).replace("%2", writer).replace("%p", place);
    let pointer = || format!("#{}", place.trim_start_matches('#'));
    if schema_type == SchemaType::Avro {
        let info = avro_message(difference);
        let description = filled(avro(rule), place).replace("%i", info);
        format!("{{errorType:'{rule}', description:'{description}', additionalInfo:'{info}'}}")
    } else if schema_type == SchemaType::Json {
        // The stray apostrophe is the product's.
        format!("{{errorType:\"{rule}\", description:\"{}'}}", filled(json(rule), &pointer()))
    } else {
        format!("{{errorType:\"{rule}\", description:\"{}\"}}", filled(protobuf(rule), &pointer()))
    }
}

fn avro(rule: &str) -> &'static str {
    match rule {
        "FIXED_SIZE_MISMATCH" => "The size of FIXED type field at path '%p' in the %1 schema does not match with the %2 schema",
        "TYPE_MISMATCH" => "The type (path '%p') of a field in the %1 schema does not match with the %2 schema",
        "NAME_MISMATCH" => "The name of the schema has changed (path '%p')",
        "MISSING_ENUM_SYMBOLS" => "The %1 schema is missing enum symbols '%i' at path '%p' in the %2 schema",
        "MISSING_UNION_BRANCH" => "The %1 schema is missing a type inside a union field at path '%p' in the %2 schema",
        "READER_FIELD_MISSING_DEFAULT_VALUE" => {
            "The field '%i' at path '%p' in the %1 schema has no default value and is missing in the %2 schema"
        }
        _ => "%i",
    }
}

fn json(rule: &str) -> &'static str {
    match rule {
        "MAXIMUM_ADDED"
        | "MINIMUM_ADDED"
        | "EXCLUSIVE_MAXIMUM_ADDED"
        | "EXCLUSIVE_MINIMUM_ADDED"
        | "MULTIPLE_OF_ADDED"
        | "MAX_LENGTH_ADDED"
        | "MIN_LENGTH_ADDED"
        | "PATTERN_ADDED"
        | "REQUIRED_ATTRIBUTE_ADDED"
        | "MAX_PROPERTIES_ADDED"
        | "MIN_PROPERTIES_ADDED"
        | "DEPENDENCY_ARRAY_ADDED"
        | "DEPENDENCY_SCHEMA_ADDED"
        | "MAX_ITEMS_ADDED"
        | "MIN_ITEMS_ADDED"
        | "MAX_CONTAINS_ADDED"
        | "MIN_CONTAINS_ADDED"
        | "UNIQUE_ITEMS_ADDED"
        | "ADDITIONAL_ITEMS_REMOVED"
        | "ADDITIONAL_PROPERTIES_REMOVED"
        | "UNEVALUATED_PROPERTIES_REMOVED"
        | "UNEVALUATED_ITEMS_REMOVED" => "The keyword at path '%p' in the %1 schema is not present in the %2 schema",
        "MIN_LENGTH_INCREASED"
        | "MINIMUM_INCREASED"
        | "EXCLUSIVE_MINIMUM_INCREASED"
        | "MIN_PROPERTIES_INCREASED"
        | "MULTIPLE_OF_EXPANDED"
        | "MIN_ITEMS_INCREASED"
        | "MIN_CONTAINS_INCREASED" => "The value at path '%p' in the %1 schema is more than its value in the %2 schema",
        "MAX_LENGTH_DECREASED"
        | "MAXIMUM_DECREASED"
        | "MAX_ITEMS_DECREASED"
        | "MAX_CONTAINS_DECREASED"
        | "EXCLUSIVE_MAXIMUM_DECREASED"
        | "MAX_PROPERTIES_DECREASED" => "The value at path '%p' in the %1 schema is less than its value in the %2 schema",
        "PATTERN_CHANGED" | "MULTIPLE_OF_CHANGED" | "DEPENDENCY_ARRAY_CHANGED" => {
            "The value at path '%p' is different between the %1 and %2 schema"
        }
        "ADDITIONAL_ITEMS_NARROWED"
        | "ENUM_ARRAY_NARROWED"
        | "SUM_TYPE_NARROWED"
        | "ADDITIONAL_PROPERTIES_NARROWED"
        | "UNEVALUATED_PROPERTIES_NARROWED"
        | "UNEVALUATED_ITEMS_NARROWED" => "An array or combined type at path '%p' has fewer elements in the %1 schema than the %2 schema",
        "DEPENDENCY_ARRAY_EXTENDED" | "PRODUCT_TYPE_EXTENDED" | "SUM_TYPE_EXTENDED" | "NOT_TYPE_EXTENDED" => {
            "An array or combined type at path '%p' has more elements in the %1 schema than the %2 schema"
        }
        "TYPE_CHANGED" | "TYPE_NARROWED" | "COMBINED_TYPE_CHANGED" | "COMBINED_TYPE_SUBSCHEMAS_CHANGED" | "ENUM_ARRAY_CHANGED" => {
            "A type at path '%p' is different between the %1 schema and the %2 schema"
        }
        other => json_content(other),
    }
}

fn json_content(rule: &str) -> &'static str {
    match rule {
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        | "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL"
        | "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
        | "ITEM_ADDED_TO_OPEN_CONTENT_MODEL" => {
            "The %1 schema has an open content model and has a property or item at path '%p' which is missing in the %2 schema"
        }
        "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" => {
            "The %1 schema has an unopen content model and has a required property at path '%p' which is missing in the %2 schema"
        }
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL" | "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL" => {
            "The %1 has a closed content model and is missing a property or item present at path '%p' in the %2 schema"
        }
        "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" | "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "A property or item is missing in the %1 schema but present at path '%p' in the %2 schema and is not covered by its partially open content model"
        }
        "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" | "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL" => {
            "The %1 schema has a property or item at path '%p' which is missing in the %2 schema and is not covered by its partially open content model"
        }
        _ => "",
    }
}

fn protobuf(rule: &str) -> &'static str {
    match rule {
        "PACKAGE_CHANGED" => "The package at '%p' in the %1 schema does not match the package in the %2 schema",
        "MESSAGE_REMOVED" => "The %1 schema is missing a MESSAGE type at path '%p' in the %2 schema",
        "FIELD_KIND_CHANGED" => "The type of a field at path '%p' in the %1 schema does not match the %2 schema",
        "FIELD_SCALAR_KIND_CHANGED" => "The kind of a SCALAR field at path '%p' in the %1 schema does not match its kind in the %2 schema",
        "FIELD_NAMED_TYPE_CHANGED" => "The type of a MESSAGE field at path '%p' in the %1 schema does not match its type in the %2 schema",
        "FIELD_NUMERIC_LABEL_CHANGED" => {
            "The label for a NUMERIC field at path '%p' in the %1 schema does not match its label in the %2 schema"
        }
        "REQUIRED_FIELD_ADDED" => "A required field  at path '%p' in the %1 schema is missing in the %2 schema",
        "REQUIRED_FIELD_REMOVED" => "The %1 schema is missing a required field at path: '%p' in the %2 schema",
        "ONEOF_FIELD_REMOVED" => "The %1 schema is missing a oneof field at path '%p' in the %2 schema",
        "ONEOF_FIELD_MOVED_TO_TOP_LEVEL" => {
            "The oneof field at path '%p' in the %1 schema was moved out of its oneof to a top-level field in the %2 schema"
        }
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF" => {
            "Multiple fields in the oneof at path '%p' in the %1 schema are outside a oneof in the %2 schema"
        }
        "FIELD_MOVED_TO_EXISTING_ONEOF" => {
            "A field in the oneof at path '%p' in the %1 schema is outside an existing oneof in the %2 schema"
        }
        _ => "",
    }
}
