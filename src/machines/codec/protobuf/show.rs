//! Messages as JSON for people, by the JSON mapping of Protobuf 3.

use prost_reflect::prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, SerializeOptions};
use serde_json::Value as Json;

/// Fields at their default are shown, as the products' own consumers print them. The bytes were validated.
pub(super) fn to_json(message: &MessageDescriptor, payload: &[u8]) -> Result<Json, String> {
    let value = DynamicMessage::decode(message.clone(), payload).map_err(|error| error.to_string())?;
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = value.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())?;
    sort_maps(&mut json, message);
    Ok(json)
}

/// Fields by the names of the file, and numbers as numbers whatever their width: for programs.
pub(super) fn to_data(message: &MessageDescriptor, payload: &[u8]) -> Result<Json, String> {
    let value = DynamicMessage::decode(message.clone(), payload).map_err(|error| error.to_string())?;
    let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true).stringify_64_bit_integers(false);
    value.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())
}

/// Appends the message that a JSON value stands for.
pub(super) fn write(message: &MessageDescriptor, value: &Json, out: &mut Vec<u8>) -> Result<(), String> {
    let message = DynamicMessage::deserialize(message.clone(), value).map_err(|error| error.to_string())?;
    message.encode(out).map_err(|error| error.to_string())
}

/// Whether a JSON value is a message, by the same mapping.
pub(super) fn check_json(message: &MessageDescriptor, value: &Json) -> Result<(), String> {
    DynamicMessage::deserialize(message.clone(), value).map(drop).map_err(|error| error.to_string())
}

/// The decoder's maps have no order; people get one. What has a mapping of its own has no such maps.
fn sort_maps(json: &mut Json, message: &MessageDescriptor) {
    let Json::Object(fields) = json else { return };
    if message.package_name() == "google.protobuf" {
        return;
    }
    let known = message.fields().map(|field| (field.json_name().to_owned(), field.kind(), field.is_map()));
    let extensions = message.extensions().map(|field| (field.json_name().to_owned(), field.kind(), field.is_map()));
    for (name, kind, is_map) in known.chain(extensions) {
        let (Some(value), Kind::Message(inner)) = (fields.get_mut(&name), kind) else { continue };
        match value {
            Json::Object(entries) if is_map => {
                entries.sort_keys();
                if let Kind::Message(inner) = inner.map_entry_value_field().kind() {
                    entries.values_mut().for_each(|value| sort_maps(value, &inner));
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| sort_maps(item, &inner)),
            value => sort_maps(value, &inner),
        }
    }
}
