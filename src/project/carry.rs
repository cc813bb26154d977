//! Laying a new tree over the text it was read from: what did not change keeps its spelling and its comments.
//!
//! In: the old tree and a new one without comments. Out: the new one with the old one's comments at the
//! same paths, the old order of fields, and a mark on every group that can be printed as it stood.
//! A renamed component, a moved list entry and a changed link are found again by key, content or ends.

use std::collections::{BTreeMap, VecDeque};

use super::lexer::Bracket;
use super::print;
use super::read::PROJECT;
use super::render::is_word;
use super::tree::{Data, Document, Group, Item, Node, same};
use crate::units::SimDuration;

/// Gives `new` all that `old` has beside its values.
pub(super) fn over(old: &Document, mut new: Node) -> Document {
    if let (Data::Group(old_root), Data::Group(new_root)) = (&old.root.data, &mut new.data) {
        keep_empty_sections(old_root, new_root);
        keep_times(old_root, new_root);
    }
    node(&old.root, &mut new);
    Document { attributes: old.attributes.clone(), before: old.before.clone(), root: new, after: old.after.clone() }
}

/// A section that was written out empty stays so: leaving it out would be a change of its own.
fn keep_empty_sections(old: &Group, new: &mut Group) {
    for (rank, name) in PROJECT.iter().enumerate() {
        let Some(item) = old.get(name).filter(|_| new.get(name).is_none()) else { continue };
        let empty = match &item.value.data {
            Data::Text(text) => text.is_empty(),
            Data::Group(group) => group.items.iter().all(|item| item.value.group().is_some_and(|group| group.items.is_empty())),
            _ => false,
        };
        if empty {
            let before = |item: &Item| item.key.as_ref().is_some_and(|key| PROJECT[..rank].contains(&key.text.as_str()));
            let at = new.items.iter().filter(|item| before(item)).count();
            new.items.insert(at, Item::field(*name, item.value.clone()));
        }
    }
}

/// The design holds a scenario's times as numbers; `60s` must not become `1min` because a card was moved.
fn keep_times(old: &Group, new: &mut Group) {
    let Some(old) = old.get("scenarios").and_then(|item| item.value.group()) else { return };
    for (name, scenario) in new.items.iter_mut().filter(|item| named(item, "scenarios")).flat_map(entries) {
        let Some(from) = old.get(&name).and_then(|item| item.value.group()) else { continue };
        for item in &mut scenario.items {
            if named(item, "faults") {
                let faults = from.get("faults").and_then(|item| item.value.group());
                let times: Vec<&str> =
                    faults.iter().flat_map(|faults| &faults.items).filter_map(|it| it.value.group()?.text_of("at")).collect();
                let Data::Group(list) = &mut item.value.data else { continue };
                for fault in list.items.iter_mut().filter_map(|it| if let Data::Group(it) = &mut it.value.data { Some(it) } else { None }) {
                    fault.items.iter_mut().filter(|item| named(item, "at")).for_each(|item| keep_time(&times, item));
                }
            } else if let Some(name) = ["length", "warm_up"].into_iter().find(|name| named(item, name)) {
                keep_time(from.text_of(name).as_slice(), item);
            }
        }
    }
}

/// Takes the spelling that says the same time, if the old text has one.
fn keep_time(spellings: &[&str], item: &mut Item) {
    if let Data::Text(text) = &mut item.value.data
        && let Ok(time) = text.parse::<SimDuration>()
        && let Some(spelling) = spellings.iter().find(|spelling| spelling.parse() == Ok(time))
    {
        *text = (*spelling).to_owned();
    }
}

fn named(item: &Item, name: &str) -> bool {
    item.key.as_ref().is_some_and(|key| key.text == name)
}

fn entries(section: &mut Item) -> Vec<(String, &mut Group)> {
    let Data::Group(group) = &mut section.value.data else { return Vec::new() };
    let mut found = Vec::new();
    for item in &mut group.items {
        if let (Some(key), Data::Group(entry)) = (&item.key, &mut item.value.data) {
            found.push((key.text.clone(), entry));
        }
    }
    found
}

fn node(old: &Node, new: &mut Node) {
    if let (Data::Group(from), Data::Group(to)) = (&old.data, &mut new.data) {
        group(from, to);
    } else if let Data::Group(from) = &old.data {
        // `(inline: "…")` and `(path: "…")` say what the plain text says.
        let wrapped = from.items.len() == 1 && ["inline", "path"].iter().any(|name| from.get(name).is_some());
        if wrapped && same(&from.items[0].value, new) {
            *new = old.clone();
            if let Data::Group(to) = &mut new.data {
                to.verbatim = true;
            }
            return;
        }
    }
    if same(old, new) {
        (new.start, new.end) = (old.start, old.end);
        if let Data::Group(to) = &mut new.data {
            to.verbatim = true;
        }
    }
}

fn group(old: &Group, new: &mut Group) {
    let listed = |group: &Group| group.items.iter().all(|item| item.key.is_none());
    let words = new.items.iter().all(|item| item.key.as_ref().is_none_or(|key| is_word(&key.text)));
    if (old.bracket == Bracket::Square) == (new.bracket == Bracket::Square) && (old.bracket == Bracket::Curly || words) {
        new.bracket = old.bracket;
    }
    if !old.items.is_empty() {
        new.broken = old.broken;
    }
    new.tail.clone_from(&old.tail);
    let pairs = if listed(old) && listed(new) { pair_list(&old.items, &new.items) } else { pair_fields(&old.items, &new.items) };
    for (item, pair) in new.items.iter_mut().zip(&pairs) {
        if let Some(from) = pair.map(|index| &old.items[index]) {
            item.before.clone_from(&from.before);
            item.after.clone_from(&from.after);
            item.blank_before = from.blank_before;
            node(&from.value, &mut item.value);
        }
    }
    // The order of fields means nothing, so the author's stays; the order of ids is the project's own.
    if old.bracket == Bracket::Round && !listed(new) {
        restore_order(new, &pairs);
    }
}

/// Items that were there keep the order they had; a new one follows whatever it follows in the new order.
fn restore_order(new: &mut Group, pairs: &[Option<usize>]) {
    let mut kept: Vec<(usize, usize)> = pairs.iter().enumerate().filter_map(|(to, from)| Some(((*from)?, to))).collect();
    kept.sort_unstable();
    let mut order: Vec<usize> = kept.into_iter().map(|(_, to)| to).collect();
    for to in (0..pairs.len()).filter(|to| pairs[*to].is_none()) {
        let at = to.checked_sub(1).and_then(|before| order.iter().position(|other| *other == before)).map_or(0, |at| at + 1);
        order.insert(at, to);
    }
    let mut items: Vec<Option<Item>> = std::mem::take(&mut new.items).into_iter().map(Some).collect();
    new.items = order.into_iter().filter_map(|to| items[to].take()).collect();
}

/// For each new field its old one: by name, or by the stream key that a renamed component keeps.
fn pair_fields(old: &[Item], new: &[Item]) -> Vec<Option<usize>> {
    let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, item) in old.iter().enumerate().rev() {
        if let Some(key) = &item.key {
            by_name.insert(&key.text, index);
        }
    }
    let mut pairs: Vec<Option<usize>> = new.iter().map(|item| by_name.remove(item.key.as_ref()?.text.as_str())).collect();
    for (item, pair) in new.iter().zip(&mut pairs).filter(|(_, pair)| pair.is_none()) {
        if let Some(stream_key) = item.value.group().and_then(|group| group.text_of("key")) {
            *pair = by_name.remove(stream_key).or_else(|| {
                let found = by_name.iter().find(|(_, index)| old[**index].value.group().and_then(|g| g.text_of("key")) == Some(stream_key));
                let name = *found?.0;
                by_name.remove(name)
            });
        }
    }
    pairs
}

/// For each new list entry its old one: the same content, else the same identity, else the same turn.
fn pair_list(old: &[Item], new: &[Item]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; new.len()];
    let mut used = vec![false; old.len()];
    for name in [content as fn(&Node) -> Option<String>, identity] {
        let mut free: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (index, item) in old.iter().enumerate().filter(|(index, _)| !used[*index]) {
            if let Some(name) = name(&item.value) {
                free.entry(name).or_default().push_back(index);
            }
        }
        for (item, pair) in new.iter().zip(&mut pairs).filter(|(_, pair)| pair.is_none()) {
            *pair = name(&item.value).and_then(|name| free.get_mut(&name)?.pop_front());
            if let Some(index) = *pair {
                used[index] = true;
            }
        }
    }
    if old.len() == new.len() {
        let mut left = (0..old.len()).filter(|index| !used[*index]);
        for pair in pairs.iter_mut().filter(|pair| pair.is_none()) {
            *pair = left.next();
        }
    }
    pairs
}

fn content(node: &Node) -> Option<String> {
    Some(print::json(node))
}

/// What a person would recognise an entry by.
fn identity(node: &Node) -> Option<String> {
    const TELLING: &[&[&str]] = &[&["from", "to"], &["at", "component", "action"], &["label"], &["text"], &["name"], &["type"], &["path"]];
    let group = node.group()?;
    let texts = |names: &&[&str]| names.iter().map(|name| group.text_of(name)).collect::<Option<Vec<_>>>();
    TELLING.iter().find_map(texts).map(|texts| texts.join("\n"))
}
