//! Files that may stand between two versions: fields that change are left out first, required ones are optional first.
//!
//! In: both files as they were parsed. Out: texts with what each is. A text that is no schema in the end is left out by
//! who compiles it. Must not know: rules, levels. Start at [`between`].

use prost_reflect::prost_types::field_descriptor_proto::Label;
use prost_reflect::prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};

use super::text::{self, Form};

const WITHOUT: &str = "the new schema without the fields that change";
const OPTIONAL: &str = "the new schema, its new required fields optional";
const OLD_OPTIONAL: &str = "the old schema, its required fields that go optional";
const BOTH: &str = "the new schema without the fields that change, its new required fields optional";

/// What becomes of the target's fields.
#[derive(Clone, Copy)]
struct Recipe {
    /// Fields of another type, label or oneof are not there.
    without_changed: bool,
    /// What only one of the schemas requires is optional.
    optional: bool,
}

/// Versions that may stand between, the plainest first.
pub(super) fn between(old: &FileDescriptorProto, new: &FileDescriptorProto) -> Vec<(String, &'static str)> {
    let made = [
        (old, new, Recipe { without_changed: true, optional: false }, WITHOUT),
        (old, new, Recipe { without_changed: false, optional: true }, OPTIONAL),
        (new, old, Recipe { without_changed: false, optional: true }, OLD_OPTIONAL),
        (old, new, Recipe { without_changed: true, optional: true }, BOTH),
    ];
    made.into_iter().map(|(other, of, recipe, what)| (written(other, of, recipe), what)).collect()
}

fn written(other: &FileDescriptorProto, of: &FileDescriptorProto, recipe: Recipe) -> String {
    let mut file = of.clone();
    mix_all(&other.message_type, &mut file.message_type, recipe);
    // As stored, nothing is written that only resolved names say.
    text::written(&file, &file, Form::Stored)
}

/// Nesting is limited where texts are read.
fn mix_all(others: &[DescriptorProto], messages: &mut [DescriptorProto], recipe: Recipe) {
    for message in messages {
        if let Some(other) = others.iter().find(|other| other.name() == message.name()) {
            mix(other, message, recipe);
        }
    }
}

fn mix(other: &DescriptorProto, message: &mut DescriptorProto, recipe: Recipe) {
    let before = message.clone();
    let of_other = |field: &FieldDescriptorProto| other.field.iter().find(|other| other.number() == field.number());
    let is_changed = |field: &FieldDescriptorProto| of_other(field).is_some_and(|theirs| !is_alike((&before, field), (other, theirs)));
    if recipe.without_changed {
        message.field.retain(|field| !is_changed(field));
        drop_empty_oneofs(message);
    }
    if recipe.optional {
        let is_required = |field: &FieldDescriptorProto| field.label() == Label::Required;
        for field in message.field.iter_mut().filter(|field| is_required(field) && !of_other(field).is_some_and(is_required)) {
            field.set_label(Label::Optional);
        }
    }
    mix_all(&other.nested_type, &mut message.nested_type, recipe);
}

/// Whether two fields of one number are the same but for their names. A map's entries are compared as what they are
/// called after: the field.
fn is_alike((ours, field): (&DescriptorProto, &FieldDescriptorProto), (theirs, other): (&DescriptorProto, &FieldDescriptorProto)) -> bool {
    let oneof = |message: &DescriptorProto, field: &FieldDescriptorProto| {
        let at = field.oneof_index.filter(|_| !field.proto3_optional()).and_then(|at| usize::try_from(at).ok())?;
        Some(message.oneof_decl.get(at)?.name().to_owned())
    };
    let entry = |message: &DescriptorProto, field: &FieldDescriptorProto| {
        let name = field.type_name.as_deref()?.rsplit('.').next()?;
        let entry = message.nested_type.iter().find(|child| child.name() == name)?;
        entry.options.as_ref()?.map_entry().then(|| entry.field.clone())
    };
    let (is_map, maps) = (entry(ours, field), entry(theirs, other));
    let is_same_type = field.r#type == other.r#type && field.type_name == other.type_name;
    let types = if is_map.is_some() || maps.is_some() { is_map == maps } else { is_same_type };
    types && field.label() == other.label() && oneof(ours, field) == oneof(theirs, other)
}

/// A oneof without fields is no text.
fn drop_empty_oneofs(message: &mut DescriptorProto) {
    let mut at = 0;
    while at < message.oneof_decl.len() {
        let index = at as i32;
        if message.field.iter().any(|field| field.oneof_index == Some(index)) {
            at += 1;
            continue;
        }
        message.oneof_decl.remove(at);
        for field in &mut message.field {
            field.oneof_index = field.oneof_index.map(|of| if of > index { of - 1 } else { of });
        }
    }
}
