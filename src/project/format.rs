//! One form for a file written by hand: the order of a save, an entry a line where a save writes so,
//! every comment kept.

use super::lexer::Bracket;
use super::read::{COMPONENT, FAULT, FRAME, LAYOUT, LINK, NOTE, PROJECT, SCENARIO};
use super::render::is_word;
use super::tree::{Data, Group, Item, Node};

/// Brings the tree of a project into that form. What is not understood is left as it is.
pub(super) fn normalise(root: &mut Node) {
    with_group(root, |root| {
        order(root, PROJECT);
        root.broken = Some(true);
        for item in &mut root.items {
            let name = item.key.as_ref().map(|key| key.text.clone()).unwrap_or_default();
            section(&name, &mut item.value);
        }
    });
}

fn section(name: &str, node: &mut Node) {
    if !matches!(name, "schemas" | "components" | "links" | "scenarios" | "expect" | "assumptions" | "decisions" | "layout") {
        return;
    }
    with_group(node, |group| {
        group.broken = Some(true);
        if matches!(name, "components" | "schemas" | "scenarios") {
            as_map(group);
        }
        if name == "layout" {
            order(group, LAYOUT);
        }
        for item in &mut group.items {
            let key = item.key.as_ref().map(|key| key.text.clone()).unwrap_or_default();
            with_group(&mut item.value, |entry| match name {
                "components" => order(entry, COMPONENT),
                "links" => order(entry, LINK),
                "scenarios" => scenario(entry),
                "layout" => layout_part(&key, entry),
                _ => {}
            });
        }
    });
}

fn scenario(scenario: &mut Group) {
    order(scenario, SCENARIO);
    for item in scenario.items.iter_mut().filter(|item| item.key.as_ref().is_some_and(|key| key.text == "faults")) {
        with_group(&mut item.value, |faults| each(faults, FAULT));
    }
}

fn layout_part(name: &str, part: &mut Group) {
    part.broken = Some(true);
    match name {
        "positions" => as_map(part),
        "frames" => each(part, FRAME),
        _ => each(part, NOTE),
    }
}

fn each(list: &mut Group, names: &[&str]) {
    for item in &mut list.items {
        with_group(&mut item.value, |entry| order(entry, names));
    }
}

/// Known fields first, in this order; the rest as they stand.
fn order(group: &mut Group, names: &[&str]) {
    let rank = |item: &Item| {
        let key = item.key.as_ref().map(|key| key.text.as_str());
        names.iter().position(|name| Some(*name) == key).unwrap_or(names.len())
    };
    if group.items.iter().any(|item| item.key.is_some()) {
        group.items.sort_by_key(rank);
        if group.items.iter().all(|item| item.key.as_ref().is_some_and(|key| is_word(&key.text))) {
            group.bracket = Bracket::Round;
        }
    }
}

fn as_map(group: &mut Group) {
    if group.bracket == Bracket::Round && group.items.iter().all(|item| item.key.is_some()) {
        group.bracket = Bracket::Curly;
    }
}

fn with_group(node: &mut Node, change: impl FnOnce(&mut Group)) {
    if let Data::Group(group) = &mut node.data {
        change(group);
    }
}
