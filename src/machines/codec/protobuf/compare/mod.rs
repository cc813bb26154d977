//! What a reader's schema makes of data written with a writer's: every difference between two files.
//!
//! In: two compiled files. Out: differences by the rules of Confluent's registry and under its names, with warnings of our
//! own where a change that the rules allow can still hurt. The product compares an original with an update and asks whether
//! the update reads what the original wrote: the original is the writer here, the update the reader.
//! Must not know: levels, subjects, which of the two is newer. Start at [`compare`].
//!
//! ```text
//! files ─► messages by name ─► fields by number ─► types ─► messages of other files
//!              └► enums by name ─► values by number
//! ```

#[cfg(test)]
mod cases;
mod enums;
mod fields;
mod messages;
mod rules;
mod scalars;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor};

use super::types::is_made_up;
use crate::machines::codec::difference::{DIFFERENCES_MAX, Difference, Severity, Side};
use rules::Rule;

/// Every difference, as the product walks the files; at most [`DIFFERENCES_MAX`]. Some warnings are about a step from an
/// older schema to a newer one, and are said only where the reader is the newer one.
pub(super) fn compare(reader: &FileDescriptor, writer: &FileDescriptor, newer: Side) -> Vec<Difference> {
    let mut walk = Walk { newer, found: Vec::new(), pairs: BTreeMap::new() };
    if reader.package_name() != writer.package_name() {
        let shown = |name: &str| if name.is_empty() { "none".to_owned() } else { format!("`{name}`") };
        let words = format!("the package is {} and was written as {}", shown(reader.package_name()), shown(writer.package_name()));
        walk.say(Rule::PackageChanged, Places::both(&["".into()], &["".into()]), words);
    }
    walk.syntaxes(reader, writer);
    walk.scopes(&Scope::of_file(reader), &Scope::of_file(writer), &[]);
    walk.extensions(reader, writer);
    walk.found
}

/// Messages and enums that stand side by side: in a file, or in a message.
struct Scope {
    messages: Vec<MessageDescriptor>,
    enums: Vec<EnumDescriptor>,
}

impl Scope {
    fn of_file(file: &FileDescriptor) -> Self {
        Self { messages: file.messages().collect(), enums: file.enums().collect() }
    }
    fn of_message(message: &MessageDescriptor) -> Self {
        let messages = message.child_messages().filter(|child| !is_made_up(child)).collect();
        Self { messages, enums: message.child_enums().collect() }
    }
    /// With their positions.
    fn message(&self, name: &str) -> Option<(usize, &MessageDescriptor)> {
        self.messages.iter().enumerate().find(|(_, message)| message.name() == name)
    }
    fn enumeration(&self, name: &str) -> Option<&EnumDescriptor> {
        self.enums.iter().find(|kind| kind.name() == name)
    }
}

/// Where a difference is in both files.
#[derive(Clone, Debug, Default)]
struct Places {
    reader: Option<String>,
    writer: Option<String>,
}

impl Places {
    fn both(reader: &[String], writer: &[String]) -> Self {
        Self { reader: Some(pointer(reader)), writer: Some(pointer(writer)) }
    }
    fn reader(path: &[String]) -> Self {
        Self { reader: Some(pointer(path)), writer: None }
    }
    fn writer(path: &[String]) -> Self {
        Self { reader: None, writer: Some(pointer(path)) }
    }
}

/// `/Order/Line/sku`.
fn pointer(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

/// A path and one name more.
fn join(path: &[String], name: &str) -> Vec<String> {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

struct Walk {
    newer: Side,
    found: Vec<Difference>,
    /// Pairs of messages that fields refer to across files, by their full names: whether the pair is compatible, once that
    /// is known. While it is compared it counts as compatible, so that recursive messages end.
    pairs: BTreeMap<(String, String), bool>,
}

impl Walk {
    fn say(&mut self, rule: Rule, places: Places, words: String) {
        if self.found.len() < DIFFERENCES_MAX {
            let Places { reader, writer } = places;
            let hint = rule.hint().map(str::to_owned);
            self.found.push(Difference { rule: rule.name(), severity: rule.severity(), reader, writer, words, hint });
        }
    }
    /// The same for what is wrong with a step from old to new, where the reader is the new one.
    fn say_of_step(&mut self, rule: Rule, places: Places, words: String) {
        if self.newer == Side::Reader {
            self.say(rule, places, words);
        }
    }
    fn breaks_count(&self) -> usize {
        self.found.iter().filter(|difference| difference.severity == Severity::Breaks).count()
    }

    /// Messages and enums of one scope, by their names; `path` is the same in both files.
    fn scopes(&mut self, reader: &Scope, writer: &Scope, path: &[String]) {
        for (at, old) in writer.messages.iter().enumerate() {
            let here = join(path, old.name());
            match reader.message(old.name()) {
                None => self.say(Rule::MessageRemoved, Places::writer(&here), format!("message `{}` is gone", old.name())),
                Some((position, new)) => {
                    self.messages(new, old, &here);
                    if position != at {
                        let words = format!("message `{}` has moved from position {at} to {position}", old.name());
                        self.say(Rule::MessageMoved, Places::both(&here, &here), words);
                    }
                }
            }
        }
        for new in reader.messages.iter().filter(|new| writer.message(new.name()).is_none()) {
            let words = format!("message `{}` is new", new.name());
            self.say(Rule::MessageAdded, Places::reader(&join(path, new.name())), words);
        }
        for old in &writer.enums {
            let here = join(path, old.name());
            match reader.enumeration(old.name()) {
                None => self.say(Rule::EnumRemoved, Places::writer(&here), format!("enum `{}` is gone", old.name())),
                Some(new) => self.enums(new, old, &here),
            }
        }
        for new in reader.enums.iter().filter(|new| writer.enumeration(new.name()).is_none()) {
            self.say(Rule::EnumAdded, Places::reader(&join(path, new.name())), format!("enum `{}` is new", new.name()));
        }
    }

    /// The product looks at no syntax; what a default is and whether enums are open changes with it.
    fn syntaxes(&mut self, reader: &FileDescriptor, writer: &FileDescriptor) {
        if reader.syntax() != writer.syntax() {
            let words = format!("the syntax is {:?} and was {:?}", reader.syntax(), writer.syntax()).to_lowercase();
            let root = [String::new()];
            self.say(Rule::SyntaxChanged, Places::both(&root, &root), words);
        }
    }

    /// The product does not compare `extend`; a number that means something else hurts there as anywhere.
    fn extensions(&mut self, reader: &FileDescriptor, writer: &FileDescriptor) {
        let new: Vec<_> = reader.extensions().collect();
        for old in writer.extensions() {
            let target = old.containing_message();
            let here = [old.name().to_owned()];
            let same = |other: &&prost_reflect::ExtensionDescriptor| {
                other.number() == old.number() && other.containing_message().full_name() == target.full_name()
            };
            match new.iter().find(same) {
                None => {
                    let words = format!("extension {} of `{}`, `{}`, is gone", old.number(), target.full_name(), old.name());
                    self.say(Rule::ExtensionRemoved, Places::writer(&here), words);
                }
                Some(other) => {
                    let (now, was) = (scalars::kind_words(&other.kind()), scalars::kind_words(&old.kind()));
                    if now != was || other.cardinality() != old.cardinality() {
                        let words = format!("extension {} of `{}` is {now} and was {was}", old.number(), target.full_name());
                        self.say(Rule::ExtensionChanged, Places::both(&[other.name().to_owned()], &here), words);
                    }
                }
            }
        }
    }
}
