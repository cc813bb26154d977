//! The rules of a comparison: the product's, under its names, and our own, which only warn.
//!
//! Source: `Difference.Type` and `SchemaDiff.COMPATIBLE_CHANGES` of Confluent's registry.

use crate::machines::codec::difference::Severity;

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    PackageChanged,
    MessageAdded,
    MessageRemoved,
    MessageMoved,
    EnumAdded,
    EnumRemoved,
    EnumConstAdded,
    EnumConstChanged,
    EnumConstRemoved,
    FieldAdded,
    FieldRemoved,
    FieldNameChanged,
    FieldKindChanged,
    FieldScalarKindChanged,
    FieldNamedTypeChanged,
    FieldNumericLabelChanged,
    FieldStringOrBytesLabelChanged,
    RequiredFieldAdded,
    RequiredFieldRemoved,
    OneofAdded,
    OneofRemoved,
    OneofFieldAdded,
    OneofFieldRemoved,
    OneofFieldMovedToTopLevel,
    MultipleFieldsMovedToOneof,
    FieldMovedToExistingOneof,
    // Ours from here on.
    NotReserved,
    NumberReused,
    JsonNameChanged,
    ScalarNarrowed,
    ScalarTypeChanged,
    RepeatedChanged,
    DefaultChanged,
    GroupChanged,
    ExtensionRemoved,
    ExtensionChanged,
    SyntaxChanged,
}

impl Rule {
    /// The product's name, or one of the same kind.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PackageChanged => "PACKAGE_CHANGED",
            Self::MessageAdded => "MESSAGE_ADDED",
            Self::MessageRemoved => "MESSAGE_REMOVED",
            Self::MessageMoved => "MESSAGE_MOVED",
            Self::EnumAdded => "ENUM_ADDED",
            Self::EnumRemoved => "ENUM_REMOVED",
            Self::EnumConstAdded => "ENUM_CONST_ADDED",
            Self::EnumConstChanged => "ENUM_CONST_CHANGED",
            Self::EnumConstRemoved => "ENUM_CONST_REMOVED",
            Self::FieldAdded => "FIELD_ADDED",
            Self::FieldRemoved => "FIELD_REMOVED",
            Self::FieldNameChanged => "FIELD_NAME_CHANGED",
            Self::FieldKindChanged => "FIELD_KIND_CHANGED",
            Self::FieldScalarKindChanged => "FIELD_SCALAR_KIND_CHANGED",
            Self::FieldNamedTypeChanged => "FIELD_NAMED_TYPE_CHANGED",
            Self::FieldNumericLabelChanged => "FIELD_NUMERIC_LABEL_CHANGED",
            Self::FieldStringOrBytesLabelChanged => "FIELD_STRING_OR_BYTES_LABEL_CHANGED",
            Self::RequiredFieldAdded => "REQUIRED_FIELD_ADDED",
            Self::RequiredFieldRemoved => "REQUIRED_FIELD_REMOVED",
            Self::OneofAdded => "ONEOF_ADDED",
            Self::OneofRemoved => "ONEOF_REMOVED",
            Self::OneofFieldAdded => "ONEOF_FIELD_ADDED",
            Self::OneofFieldRemoved => "ONEOF_FIELD_REMOVED",
            Self::OneofFieldMovedToTopLevel => "ONEOF_FIELD_MOVED_TO_TOP_LEVEL",
            Self::MultipleFieldsMovedToOneof => "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
            Self::FieldMovedToExistingOneof => "FIELD_MOVED_TO_EXISTING_ONEOF",
            Self::NotReserved => "REMOVED_WITHOUT_RESERVED",
            Self::NumberReused => "NUMBER_REUSED",
            Self::JsonNameChanged => "FIELD_JSON_NAME_CHANGED",
            Self::ScalarNarrowed => "FIELD_SCALAR_NARROWED",
            Self::ScalarTypeChanged => "FIELD_SCALAR_TYPE_CHANGED",
            Self::RepeatedChanged => "FIELD_REPEATED_CHANGED",
            Self::DefaultChanged => "FIELD_DEFAULT_CHANGED",
            Self::GroupChanged => "GROUP_CHANGED",
            Self::ExtensionRemoved => "EXTENSION_REMOVED",
            Self::ExtensionChanged => "EXTENSION_CHANGED",
            Self::SyntaxChanged => "SYNTAX_CHANGED",
        }
    }
    pub(super) fn severity(self) -> Severity {
        match self {
            Self::PackageChanged
            | Self::MessageRemoved
            | Self::FieldKindChanged
            | Self::FieldScalarKindChanged
            | Self::FieldNamedTypeChanged
            | Self::FieldNumericLabelChanged
            | Self::RequiredFieldAdded
            | Self::RequiredFieldRemoved
            | Self::OneofFieldRemoved
            | Self::MultipleFieldsMovedToOneof
            | Self::FieldMovedToExistingOneof => Severity::Breaks,
            // Compatible by the product's rule; a reader meets names and values that it does not know.
            Self::EnumConstChanged | Self::EnumConstRemoved | Self::FieldStringOrBytesLabelChanged => Severity::Warns,
            Self::NotReserved
            | Self::NumberReused
            | Self::JsonNameChanged
            | Self::ScalarNarrowed
            | Self::RepeatedChanged
            | Self::DefaultChanged
            | Self::GroupChanged
            | Self::ExtensionRemoved
            | Self::ExtensionChanged
            | Self::SyntaxChanged => Severity::Warns,
            Self::MessageAdded
            | Self::MessageMoved
            | Self::EnumAdded
            | Self::EnumRemoved
            | Self::EnumConstAdded
            | Self::FieldAdded
            | Self::FieldRemoved
            | Self::FieldNameChanged
            | Self::OneofAdded
            | Self::OneofRemoved
            | Self::OneofFieldAdded
            | Self::OneofFieldMovedToTopLevel
            | Self::ScalarTypeChanged => Severity::Fine,
        }
    }
    /// How to mend it.
    pub(super) fn hint(self) -> Option<&'static str> {
        Some(match self {
            Self::PackageChanged => "keep the package, or register the schema under another subject",
            Self::MessageRemoved => "keep the message, if only without fields; its name may go when nobody writes it",
            Self::FieldKindChanged | Self::FieldScalarKindChanged | Self::FieldNamedTypeChanged => {
                "keep the old field as it is, and add the new type under a new number"
            }
            Self::FieldNumericLabelChanged => "keep the label, and add a field with the other one under a new number",
            Self::FieldStringOrBytesLabelChanged => "a reader of one value takes the last of many: write one until all readers know",
            Self::RequiredFieldAdded => "make it optional: what was written before has no such field",
            Self::RequiredFieldRemoved => "keep it: readers of the other schema refuse a message without it",
            Self::OneofFieldRemoved => "keep the field in its oneof, and write it no more",
            Self::MultipleFieldsMovedToOneof => "move at most one of the fields into the oneof: of two that are set one is lost",
            Self::FieldMovedToExistingOneof => "leave the field outside: set together with a field of the oneof, one is lost",
            Self::EnumConstRemoved => "keep the value, or reserve its number and name",
            Self::EnumConstChanged => "keep the name: JSON and texts carry names, not numbers",
            Self::NotReserved => "write `reserved` with the number and the name, so that nobody uses them again",
            Self::NumberReused => "give the new field a number that was never used",
            Self::JsonNameChanged => "keep the name in JSON with `json_name`",
            Self::ScalarNarrowed => "keep the wider type, or make sure that no larger value was written",
            Self::RepeatedChanged => "add a new field instead: readers see one value, the last one, or none",
            Self::DefaultChanged => "keep the default: it is not on the wire, each reader fills in its own",
            Self::GroupChanged => "keep the group, or replace it by a message under a new number",
            Self::ExtensionRemoved | Self::ExtensionChanged => "keep the extension, and add another number",
            Self::SyntaxChanged => "keep the syntax: what is absent and which enum values are kept changes with it",
            _ => return None,
        })
    }
}
