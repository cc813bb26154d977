//! Two fields of one number: names, labels, types.
//!
//! Source of the rules: `FieldSchemaDiff` of Confluent's registry.

use prost_reflect::{Cardinality, FieldDescriptor, Kind, MessageDescriptor, Syntax};

use super::rules::Rule;
use super::scalars::{self, Group};
use super::{Places, Walk};
use crate::machines::codec::protobuf::types::local_name;

/// A label that is written in the text: proto3 needs none, and fields of a oneof and maps have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Optional,
    Required,
    Repeated,
}

impl Label {
    fn of(field: &FieldDescriptor) -> Option<Self> {
        let is_in_oneof = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
        match field.cardinality() {
            _ if is_in_oneof || field.is_map() => None,
            Cardinality::Repeated => Some(Self::Repeated),
            Cardinality::Required => Some(Self::Required),
            Cardinality::Optional if field.parent_file().syntax() == Syntax::Proto2 => Some(Self::Optional),
            Cardinality::Optional => field.containing_oneof().map(|_| Self::Optional),
        }
    }
    fn words(label: Option<Self>) -> &'static str {
        match label {
            None => "without a label",
            Some(Self::Optional) => "optional",
            Some(Self::Required) => "required",
            Some(Self::Repeated) => "repeated",
        }
    }
}

impl Walk {
    pub(super) fn fields(&mut self, reader: &FieldDescriptor, writer: &FieldDescriptor, places: &Places) {
        self.names(reader, writer, places);
        let (now, was) = (reader.kind(), writer.kind());
        match (entry(reader), entry(writer)) {
            (Some(new), Some(old)) => {
                let keys = (new.map_entry_key_field().kind(), old.map_entry_key_field().kind());
                self.types(&keys.0, &keys.1, None, places);
                let values = (new.map_entry_value_field().kind(), old.map_entry_value_field().kind());
                self.types(&values.0, &values.1, None, places);
            }
            (None, None) => self.types(&now, &was, Some((reader, writer)), places),
            (is_map, _) => {
                let shown = |is_map: bool, kind: &Kind| if is_map { "a map".to_owned() } else { scalars::kind_words(kind) };
                let words =
                    format!("field {} is {} and was {}", reader.number(), shown(is_map.is_some(), &now), shown(is_map.is_none(), &was));
                self.say(Rule::FieldKindChanged, places.clone(), words);
            }
        }
        if reader.is_list() != writer.is_list() && !reader.is_map() && !writer.is_map() {
            self.repeated(reader, writer, places);
        }
        if reader.default_value() != writer.default_value()
            && scalars::group(&now).is_some()
            && std::mem::discriminant(&now) == std::mem::discriminant(&was)
            && !reader.is_list()
            && !writer.is_list()
        {
            let words = format!("the default of field {} has changed: who reads a message without it sees another value", reader.number());
            self.say(Rule::DefaultChanged, places.clone(), words);
        }
    }

    fn names(&mut self, reader: &FieldDescriptor, writer: &FieldDescriptor, places: &Places) {
        let number = reader.number();
        if reader.name() != writer.name() {
            let words = format!("field {number} is called `{}` and was `{}`", reader.name(), writer.name());
            self.say(Rule::FieldNameChanged, places.clone(), words);
            if scalars::kind_words(&reader.kind()) != scalars::kind_words(&writer.kind()) {
                let words = format!("field {number} has another name and another type: a new field under an old number");
                self.say(Rule::NumberReused, places.clone(), words);
                return;
            }
        }
        if reader.json_name() != writer.json_name() {
            let words = format!(
                "field {number} is `{}` in JSON and was `{}`: JSON of one is not read by the other",
                reader.json_name(),
                writer.json_name()
            );
            self.say(Rule::JsonNameChanged, places.clone(), words);
        }
    }

    /// `labelled` are the fields that have the types; the parts of a map have none.
    fn types(&mut self, now: &Kind, was: &Kind, labelled: Option<(&FieldDescriptor, &FieldDescriptor)>, places: &Places) {
        let shown = || format!("is {} and was {}", scalars::kind_words(now), scalars::kind_words(was));
        match (now, was) {
            (Kind::Message(new), Kind::Message(old)) => self.message_types(new, old, places),
            (Kind::Message(_), _) | (_, Kind::Message(_)) => {
                self.say(Rule::FieldKindChanged, places.clone(), format!("the type {}", shown()))
            }
            _ => {
                let group = scalars::group(now);
                if group != scalars::group(was) {
                    self.say(Rule::FieldScalarKindChanged, places.clone(), format!("the type {}: its bytes are read otherwise", shown()));
                    return;
                }
                self.scalar_change(now, was, places);
                if let Some((reader, writer)) = labelled {
                    self.labels(reader, writer, group, places);
                }
            }
        }
    }

    fn scalar_change(&mut self, now: &Kind, was: &Kind, places: &Places) {
        if std::mem::discriminant(now) == std::mem::discriminant(was) {
            return;
        }
        let (new, old) = (scalars::kind_words(now), scalars::kind_words(was));
        match scalars::loss(now, was) {
            Some(loss) => self.say(Rule::ScalarNarrowed, places.clone(), format!("the type is {new} and was {old}: {loss}")),
            None => self.say(Rule::ScalarTypeChanged, places.clone(), format!("the type is {new} and was {old}: the bytes are the same")),
        }
    }

    fn labels(&mut self, reader: &FieldDescriptor, writer: &FieldDescriptor, group: Option<Group>, places: &Places) {
        let (now, was) = (Label::of(reader), Label::of(writer));
        // A missing label is equal to any by the product's rule.
        if now.is_none() || was.is_none() || now == was {
            return;
        }
        let words = format!("the field is {} and was {}", Label::words(now), Label::words(was));
        let rule = if group == Some(Group::StringOrBytes) { Rule::FieldStringOrBytesLabelChanged } else { Rule::FieldNumericLabelChanged };
        self.say(rule, places.clone(), words);
    }

    /// One value or many: what the product lets pass because one of the two has no label, or is a message.
    fn repeated(&mut self, reader: &FieldDescriptor, writer: &FieldDescriptor, places: &Places) {
        let is_message = matches!((reader.kind(), writer.kind()), (Kind::Message(_), Kind::Message(_)));
        let has_labels = Label::of(reader).is_some() && Label::of(writer).is_some();
        let is_one_group = scalars::group(&reader.kind()) == scalars::group(&writer.kind());
        if !is_one_group || has_labels && !is_message {
            return;
        }
        let is_packed = writer.is_packed() && !reader.is_list();
        let words = if is_packed {
            format!("field {} was a list of numbers, packed into one run of bytes: a reader of one number sees nothing", writer.number())
        } else if writer.is_list() {
            format!("field {} was a list: a reader of one value sees the last one", writer.number())
        } else {
            format!("field {} is a list and was one value", writer.number())
        };
        self.say(Rule::RepeatedChanged, places.clone(), words);
    }

    /// Names within the package must be equal; a message of another file is compared here, as nothing else compares it.
    fn message_types(&mut self, reader: &MessageDescriptor, writer: &MessageDescriptor, places: &Places) {
        let (new, old) = (local_name(reader), local_name(writer));
        if new != old {
            self.say(Rule::FieldNamedTypeChanged, places.clone(), format!("the type is `{new}` and was `{old}`"));
            return;
        }
        // Both in the schemas' own files: they are compared by their names there.
        if reader.parent_file().name().is_empty() && writer.parent_file().name().is_empty() {
            return;
        }
        if !self.is_pair_compatible(reader, writer) {
            let words = format!("`{}` is not compatible with `{}`", reader.full_name(), writer.full_name());
            self.say(Rule::FieldNamedTypeChanged, places.clone(), words);
        }
    }

    fn is_pair_compatible(&mut self, reader: &MessageDescriptor, writer: &MessageDescriptor) -> bool {
        let key = (reader.full_name().to_owned(), writer.full_name().to_owned());
        if let Some(known) = self.pairs.get(&key) {
            return *known;
        }
        self.pairs.insert(key.clone(), true);
        let before = self.breaks_count();
        let path: Vec<String> = local_name(reader).split('.').map(str::to_owned).collect();
        self.messages(reader, writer, &path);
        let is_compatible = self.breaks_count() == before;
        self.pairs.insert(key, is_compatible);
        is_compatible
    }
}

fn entry(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(entry) if field.is_map() => Some(entry),
        _ => None,
    }
}
