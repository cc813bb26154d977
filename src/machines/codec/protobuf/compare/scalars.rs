//! Which scalar types share an encoding, and what is lost between two that do.

use prost_reflect::Kind;

/// Types whose bytes another of the group reads. Source: "Updating A Message Type" of the language's guide, as
/// `FieldSchemaDiff.ScalarKind` of the product has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    GeneralNumber,
    SignedNumber,
    StringOrBytes,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

/// None of a message.
pub(super) fn group(kind: &Kind) -> Option<Group> {
    Some(match kind {
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => Group::GeneralNumber,
        Kind::Sint32 | Kind::Sint64 => Group::SignedNumber,
        Kind::String | Kind::Bytes => Group::StringOrBytes,
        Kind::Fixed32 | Kind::Sfixed32 => Group::Fixed32,
        Kind::Fixed64 | Kind::Sfixed64 => Group::Fixed64,
        Kind::Float => Group::Float,
        Kind::Double => Group::Double,
        Kind::Message(_) => return None,
    })
}

/// How a text writes it.
pub(super) fn kind_words(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!("`{}`", message.full_name()),
        Kind::Enum(kind) => format!("enum `{}`", kind.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

/// Whether a reader of `reader` can see another value than a writer of `writer` wrote, and how; both are of one group.
pub(super) fn loss(reader: &Kind, writer: &Kind) -> Option<&'static str> {
    match (reader, writer) {
        (Kind::Bool, Kind::Bool) => None,
        (Kind::Bool, _) => Some("every value but 0 reads as true"),
        (Kind::Enum(_), Kind::Enum(_)) => None,
        (Kind::Enum(_), _) => Some("a number that the enum does not have is kept aside or has no name"),
        (Kind::String, Kind::Bytes) => Some("bytes that are no UTF-8 cannot be read as text"),
        (Kind::Int32 | Kind::Uint32, Kind::Int64 | Kind::Uint64) => Some("a value of more than 32 bits is cut"),
        (Kind::Sint32, Kind::Sint64) => Some("a value of more than 32 bits is cut"),
        (Kind::Uint32 | Kind::Uint64, Kind::Int32 | Kind::Int64 | Kind::Enum(_)) => Some("a negative value reads as a large one"),
        (Kind::Int32, Kind::Uint32) | (Kind::Int64, Kind::Uint64) => Some("a large value reads as a negative one"),
        (Kind::Fixed32, Kind::Sfixed32) | (Kind::Fixed64, Kind::Sfixed64) => Some("a negative value reads as a large one"),
        (Kind::Sfixed32, Kind::Fixed32) | (Kind::Sfixed64, Kind::Fixed64) => Some("a large value reads as a negative one"),
        _ => None,
    }
}
