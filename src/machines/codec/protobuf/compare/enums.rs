//! Two enums of one name: their values by number.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::EnumDescriptor;

use super::rules::Rule;
use super::{Places, Walk, join};

impl Walk {
    pub(super) fn enums(&mut self, reader: &EnumDescriptor, writer: &EnumDescriptor, path: &[String]) {
        let (new, old) = (by_number(reader), by_number(writer));
        let numbers: BTreeSet<i32> = new.keys().chain(old.keys()).copied().collect();
        for number in numbers {
            match (new.get(&number), old.get(&number)) {
                (None, Some(was)) => {
                    let words = format!("enum value {number}, `{was}`, is gone: a reader sees the number, or the first value");
                    self.say(Rule::EnumConstRemoved, Places::writer(&join(path, was)), words);
                    let is_reserved = reader.reserved_ranges().any(|range| range.contains(&number));
                    if !is_reserved {
                        let words = format!("the number {number} of `{was}` is not reserved");
                        self.say_of_step(
                            Rule::NotReserved,
                            Places { reader: Some(super::pointer(path)), ..Places::writer(&join(path, was)) },
                            words,
                        );
                    }
                }
                (Some(now), None) => {
                    self.say(Rule::EnumConstAdded, Places::reader(&join(path, now)), format!("enum value {number}, `{now}`, is new"));
                    if writer.reserved_ranges().any(|range| range.contains(&number)) || writer.reserved_names().any(|name| name == now) {
                        let words = format!("enum value {number}, `{now}`, is reserved in the other schema: it meant something once");
                        self.say_of_step(
                            Rule::NumberReused,
                            Places { writer: Some(super::pointer(path)), ..Places::reader(&join(path, now)) },
                            words,
                        );
                    }
                }
                (Some(now), Some(was)) if now != was => {
                    let words = format!("enum value {number} is called `{now}` and was `{was}`");
                    self.say(Rule::EnumConstChanged, Places::both(&join(path, now), &join(path, was)), words);
                }
                _ => {}
            }
        }
    }
}

/// Of aliases the last, as the product takes them.
fn by_number(kind: &EnumDescriptor) -> BTreeMap<i32, String> {
    kind.values().map(|value| (value.number(), value.name().to_owned())).collect()
}
