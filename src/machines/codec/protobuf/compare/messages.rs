//! Two messages of one name: their fields by number, and which oneofs these are in.
//!
//! Source of the rules and their order: `MessageSchemaDiff` of Confluent's registry. It sees no groups; ours warns of them.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::rules::Rule;
use super::{Places, Scope, Walk, join};
use crate::machines::codec::difference::Severity;

/// A message's fields as a text groups them.
struct Members {
    /// With the name of the oneof that a field is in.
    by_number: BTreeMap<u32, (FieldDescriptor, Option<String>)>,
    /// In the text's order.
    oneofs: Vec<(String, Vec<u32>)>,
    groups: BTreeMap<u32, FieldDescriptor>,
}

impl Members {
    fn of(message: &MessageDescriptor) -> Self {
        let (mut by_number, mut groups) = (BTreeMap::new(), BTreeMap::new());
        for field in message.fields() {
            if field.is_group() {
                groups.insert(field.number(), field);
            } else {
                let oneof = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()).map(|oneof| oneof.name().to_owned());
                by_number.insert(field.number(), (field, oneof));
            }
        }
        let of_oneof = |oneof: prost_reflect::OneofDescriptor| {
            let fields = oneof.fields().filter(|field| !field.is_group()).map(|field| field.number()).collect();
            (oneof.name().to_owned(), fields)
        };
        let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic()).map(of_oneof).collect();
        Self { by_number, oneofs, groups }
    }
    fn has_oneof(&self, name: &str) -> bool {
        self.oneofs.iter().any(|(other, _)| other == name)
    }
    fn place(&self, path: &[String], number: u32) -> Vec<String> {
        match self.by_number.get(&number) {
            Some((field, Some(oneof))) => join(&join(path, oneof), field.name()),
            Some((field, None)) => join(path, field.name()),
            None => path.to_vec(),
        }
    }
}

impl Walk {
    /// `path` is the same in both files.
    pub(super) fn messages(&mut self, reader: &MessageDescriptor, writer: &MessageDescriptor, path: &[String]) {
        let (new, old) = (Members::of(reader), Members::of(writer));
        self.exclusive(&new, &old, path);
        self.oneofs(&new, &old, path);
        let numbers: BTreeSet<u32> = new.by_number.keys().chain(old.by_number.keys()).copied().collect();
        for number in numbers {
            let places = Places::both(&new.place(path, number), &old.place(path, number));
            match (new.by_number.get(&number), old.by_number.get(&number)) {
                (None, Some((was, oneof))) => {
                    let is_whole = oneof.as_deref().is_some_and(|name| is_gone_whole(name, &new, &old));
                    self.removed(was, oneof.is_some(), is_whole, Places { reader: None, ..places });
                    self.not_reserved(reader, was, path, &old);
                }
                (Some((now, oneof)), None) => {
                    self.added(now, oneof.is_some(), Places { writer: None, ..places });
                    self.reused(writer, now, path, &new);
                }
                (Some((now, inside)), Some((was, from))) => {
                    if let (None, Some(from)) = (inside, from) {
                        let words = format!("field {number} has left the oneof `{from}`");
                        self.say(Rule::OneofFieldMovedToTopLevel, places.clone(), words);
                    }
                    self.fields(now, was, &places);
                }
                (None, None) => {}
            }
        }
        self.groups(&new, &old, path);
        self.scopes(&Scope::of_message(reader), &Scope::of_message(writer), path);
    }

    /// Fields that could be set together and no longer can.
    fn exclusive(&mut self, new: &Members, old: &Members, path: &[String]) {
        for (name, numbers) in &new.oneofs {
            // What was in one oneof before was exclusive already; a new field was never set.
            let mut origins: BTreeSet<(Option<&str>, u32)> = BTreeSet::new();
            let mut moved = Vec::new();
            for number in numbers {
                match old.by_number.get(number) {
                    Some((_, Some(oneof))) => drop(origins.insert((Some(oneof), 0))),
                    Some((field, None)) => {
                        origins.insert((None, *number));
                        moved.push(format!("`{}`", field.name()));
                    }
                    None => {}
                }
            }
            if origins.len() < 2 {
                continue;
            }
            let here = join(path, name);
            let places = Places { writer: Some(super::pointer(path)), ..Places::reader(&here) };
            if moved.len() > 1 {
                let words = format!("the fields {} were independent and are in the oneof `{name}` now", moved.join(", "));
                self.say(Rule::MultipleFieldsMovedToOneof, places, words);
            } else {
                let what = moved.first().map_or_else(|| "fields of several oneofs".to_owned(), |field| format!("field {field}"));
                let words = format!("{what} could be set beside others that are in the oneof `{name}` too now");
                self.say(Rule::FieldMovedToExistingOneof, places, words);
            }
        }
    }

    fn oneofs(&mut self, new: &Members, old: &Members, path: &[String]) {
        let names: BTreeSet<&String> = new.oneofs.iter().chain(&old.oneofs).map(|(name, _)| name).collect();
        for name in names {
            if !new.has_oneof(name) {
                self.say(Rule::OneofRemoved, Places::writer(&join(path, name)), format!("the oneof `{name}` is gone"));
            } else if !old.has_oneof(name) {
                self.say(Rule::OneofAdded, Places::reader(&join(path, name)), format!("the oneof `{name}` is new"));
            }
        }
    }

    fn removed(&mut self, was: &FieldDescriptor, is_in_oneof: bool, is_whole: bool, places: Places) {
        let shown = format!("field {}, `{}`,", was.number(), was.name());
        match (is_in_oneof, is_whole) {
            (true, true) => {}
            (true, false) => {
                let words = format!("{shown} is gone from its oneof: a reader takes the oneof for empty");
                self.say(Rule::OneofFieldRemoved, places, words);
            }
            (false, _) if was.is_required() => self.say(Rule::RequiredFieldRemoved, places, format!("{shown} was required and is gone")),
            (false, _) => self.say(Rule::FieldRemoved, places, format!("{shown} is gone")),
        }
    }

    fn added(&mut self, now: &FieldDescriptor, is_in_oneof: bool, places: Places) {
        let shown = format!("field {}, `{}`,", now.number(), now.name());
        if is_in_oneof {
            self.say(Rule::OneofFieldAdded, places, format!("{shown} is new in its oneof"));
        } else if now.is_required() {
            self.say(Rule::RequiredFieldAdded, places, format!("{shown} is new and required"));
        } else {
            self.say(Rule::FieldAdded, places, format!("{shown} is new"));
        }
    }

    fn not_reserved(&mut self, reader: &MessageDescriptor, was: &FieldDescriptor, path: &[String], old: &Members) {
        let is_number = reader.reserved_ranges().any(|range| range.contains(&was.number()));
        let is_name = reader.reserved_names().any(|name| name == was.name()) || reader.get_field_by_name(was.name()).is_some();
        let what = match (is_number, is_name) {
            (true, true) => return,
            (true, false) => format!("the name `{}`", was.name()),
            (false, true) => format!("the number {}", was.number()),
            (false, false) => format!("the number {} and the name `{}`", was.number(), was.name()),
        };
        let places = Places { reader: Some(super::pointer(path)), ..Places::writer(&old.place(path, was.number())) };
        self.say_of_step(Rule::NotReserved, places, format!("{what} of a removed field can be used again: not reserved"));
    }

    /// A field with a number or name that the other schema reserves.
    fn reused(&mut self, writer: &MessageDescriptor, now: &FieldDescriptor, path: &[String], new: &Members) {
        let is_number = writer.reserved_ranges().any(|range| range.contains(&now.number()));
        let is_name = writer.reserved_names().any(|name| name == now.name());
        if is_number || is_name {
            let what = if is_number { format!("the number {}", now.number()) } else { format!("the name `{}`", now.name()) };
            let places = Places { writer: Some(super::pointer(path)), ..Places::reader(&new.place(path, now.number())) };
            let words = format!("{what} was reserved: it meant something else once, and old data may still hold that");
            self.say_of_step(Rule::NumberReused, places, words);
        }
    }

    /// Groups are fields of another time: whatever a comparison of their fields finds is a warning.
    fn groups(&mut self, new: &Members, old: &Members, path: &[String]) {
        for (number, was) in &old.groups {
            let Kind::Message(was_type) = was.kind() else { continue };
            let here = join(path, was_type.name());
            let Some(now) = new.groups.get(number) else {
                let words = format!("group {number}, `{}`, is gone, or is another type now", was_type.name());
                self.say(Rule::GroupChanged, Places::writer(&here), words);
                continue;
            };
            let Kind::Message(now_type) = now.kind() else { continue };
            let mut inner = Self { newer: self.newer, found: Vec::new(), pairs: std::mem::take(&mut self.pairs) };
            inner.messages(&now_type, &was_type, &here);
            self.pairs = inner.pairs;
            for found in inner.found.into_iter().filter(|found| found.severity != Severity::Fine) {
                self.say(Rule::GroupChanged, Places { reader: found.reader, writer: found.writer }, found.words);
            }
        }
    }
}

/// A oneof that is gone with all of its fields is no loss by the product's rule.
fn is_gone_whole(name: &str, new: &Members, old: &Members) -> bool {
    let members = old.oneofs.iter().find(|(other, _)| other == name).map(|(_, numbers)| numbers.as_slice());
    !new.has_oneof(name) && members.unwrap_or_default().iter().all(|number| !new.by_number.contains_key(number))
}
