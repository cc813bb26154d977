//! A Protobuf file in words.

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, Syntax};

use super::{DEPTH_MAX, Page, listed, shown};

/// Names of an enum's values that are told.
const VALUES_MAX: usize = 12;

pub(super) fn explain(file: &FileDescriptor, page: &mut Page) {
    let package = match file.package_name() {
        "" => "without a package".to_owned(),
        name => format!("package {name}"),
    };
    page.line(0, &format!("A Protobuf file ({}), {package}", if file.syntax() == Syntax::Proto3 { "proto3" } else { "proto2" }));
    let imports: Vec<String> = file.dependencies().map(|file| file.name().to_owned()).collect();
    if !imports.is_empty() {
        page.line(1, &format!("imports {}", listed(&imports)));
    }
    for (at, message) in file.messages().enumerate() {
        self::message(&message, at == 0, page, 0);
    }
    file.enums().for_each(|kind| enumeration(&kind, page, 0));
    page.line(0, "");
    page.line(0, "In a next version");
    page.line(1, "a new field takes a number that was never used; readers that do not know it pass over it");
    page.line(1, "a field may go: write `reserved` with its number and its name, so that nobody uses them again");
    page.line(1, "a field may get another name, its bytes have none; JSON has, unless `json_name` keeps the old one");
    page.line(1, "a field keeps its number, and its type but for int32, uint32, int64, uint64 and bool among each other and the like");
    if file.messages().any(|message| has_oneof(&message, 0)) {
        page.line(1, "a field of a oneof stays there: a choice that a reader does not know is lost to it");
    }
    if file.messages().any(|message| message.fields().any(|field| field.is_required())) {
        page.line(1, "a required field stays required and no new one comes: readers refuse a message without it");
    }
    page.line(1, "messages keep their names and their package");
}

fn has_oneof(message: &MessageDescriptor, depth: u32) -> bool {
    message.oneofs().any(|oneof| !oneof.is_synthetic())
        || depth < DEPTH_MAX && message.child_messages().any(|child| has_oneof(&child, depth + 1))
}

fn message(message: &MessageDescriptor, is_first: bool, page: &mut Page, depth: u32) {
    if depth > DEPTH_MAX {
        return;
    }
    let first = if is_first { ": what a payload is where nobody says" } else { "" };
    page.line(depth, &format!("message {}{first}", message.name()));
    for field in message.fields() {
        page.line(depth + 1, &format!("{}: {}", field.name(), words(&field)));
    }
    let ranges = message.reserved_ranges().map(|range| match (range.start, range.end - 1) {
        (from, to) if from == to => from.to_string(),
        (from, to) => format!("{from} to {to}"),
    });
    let reserved: Vec<String> = ranges.chain(message.reserved_names().map(|name| format!("“{name}”"))).collect();
    if !reserved.is_empty() {
        page.line(depth + 1, &format!("never again {}", shown(&listed(&reserved))));
    }
    for child in message.child_messages().filter(|child| !child.is_map_entry()) {
        self::message(&child, false, page, depth + 1);
    }
    message.child_enums().for_each(|kind| enumeration(&kind, page, depth + 1));
}

fn enumeration(kind: &EnumDescriptor, page: &mut Page, depth: u32) {
    let mut values: Vec<String> = kind.values().take(VALUES_MAX).map(|value| format!("{} = {}", value.name(), value.number())).collect();
    let more = kind.values().count().saturating_sub(VALUES_MAX);
    if more > 0 {
        values.push(format!("{more} more"));
    }
    page.line(depth, &format!("enum {}: {}", kind.name(), shown(&listed(&values))));
}

fn words(field: &FieldDescriptor) -> String {
    let number = field.number();
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        return format!("map from {} to {}, number {number}", type_words(&key), type_words(&value));
    }
    let ty = type_words(&field.kind());
    let of = match (field.cardinality(), field.containing_oneof().filter(|oneof| !oneof.is_synthetic())) {
        (_, Some(oneof)) => return format!("{ty}, number {number}, one of {}", oneof.name()),
        (Cardinality::Repeated, _) => return format!("list of {ty}, number {number}"),
        (Cardinality::Required, _) => "required",
        _ if field.supports_presence() => "optional",
        _ => "its default when absent",
    };
    format!("{ty}, number {number}, {of}")
}

fn type_words(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => format!("message {}", message.full_name()),
        Kind::Enum(kind) => format!("enum {}", kind.full_name()),
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}
