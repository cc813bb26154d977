//! Project to tree, in the one order that a save writes; only what differs from a default.

use indexmap::IndexMap;

use super::lexer::Bracket;
use super::migrate::FORMAT;
use super::read;
use super::tree::{Data, Group, Item, Node};
use crate::model::{Component, FaultTarget, Frame, Layout, Link, Note, Project, Scenario, SchemaSource, TimedFault, Value};

/// The tree that says all of `project`, without comments.
pub(super) fn project(project: &Project) -> Node {
    let mut fields = vec![Item::field("format", int(i128::from(FORMAT))), Item::field("name", Node::text(&project.name))];
    if !project.aim.is_empty() {
        fields.push(Item::field("aim", Node::text(&project.aim)));
    }
    fields.push(Item::field("seed", int(i128::from(project.seed))));
    let texts = |list: &[String]| spread(Bracket::Square, list.iter().map(|text| Item::listed(Node::text(text))).collect());
    let sections = [
        ("schemas", spread(Bracket::Curly, project.schemas.iter().map(|(name, source)| Item::field(name, schema(source))).collect())),
        ("components", spread(Bracket::Curly, project.components.iter().map(|(id, it)| Item::field(id, component(it))).collect())),
        ("links", spread(Bracket::Square, project.links.iter().map(|it| Item::listed(link(it))).collect())),
        ("scenarios", spread(Bracket::Curly, project.scenarios.iter().map(|(name, it)| Item::field(name, scenario(it))).collect())),
        ("expect", texts(&project.expect)),
        ("assumptions", texts(&project.assumptions)),
        ("decisions", texts(&project.decisions)),
        ("layout", layout(&project.layout)),
    ];
    for (name, section) in sections {
        let empty = section.group().is_none_or(|group| group.items.is_empty());
        if !empty || matches!(name, "components" | "links") {
            fields.push(Item::field(name, section));
        }
    }
    spread(Bracket::Round, fields)
}

fn schema(source: &SchemaSource) -> Node {
    let inline = SchemaSource::is_schema(&source.text);
    match &source.path {
        Some(path) if SchemaSource::is_schema(path) => fields(vec![Item::field("path", Node::text(path))]),
        Some(path) => Node::text(path),
        None if inline => Node::text(source.text.as_ref()),
        None => fields(vec![Item::field("inline", Node::text(source.text.as_ref()))]),
    }
}

fn component(component: &Component) -> Node {
    let mut items = vec![Item::field("kind", Node::text(&component.kind))];
    if !component.key.is_empty() {
        items.push(Item::field("key", Node::text(&component.key)));
    }
    let optional = [
        ("profile", &component.profile),
        ("title", &component.title),
        ("description", &component.description),
        ("owner", &component.owner),
        ("context", &component.context),
        ("data_class", &component.data_class),
    ];
    items.extend(optional.into_iter().filter_map(|(name, text)| Some(Item::field(name, Node::text(text.as_ref()?)))));
    // Invariant: a parameter never bears the name of a reserved field; the reader would take it for that.
    params(&mut items, &component.params, read::COMPONENT);
    fields(items)
}

fn link(link: &Link) -> Node {
    let mut items = vec![Item::field("from", Node::text(link.from.to_string())), Item::field("to", Node::text(link.to.to_string()))];
    params(&mut items, &link.params, read::LINK);
    fields(items)
}

fn scenario(scenario: &Scenario) -> Node {
    let mut items = Vec::new();
    if !scenario.about.is_empty() {
        items.push(Item::field("about", Node::text(&scenario.about)));
    }
    let times = [("length", scenario.length), ("warm_up", scenario.warm_up)];
    items.extend(times.into_iter().filter_map(|(name, time)| Some(Item::field(name, Node::text(time?.to_string())))));
    if !scenario.set.is_empty() {
        let set = scenario.set.iter().map(|(id, params)| Item::field(id, named(params)));
        items.push(Item::field("set", map(Bracket::Curly, set.collect())));
    }
    if !scenario.faults.is_empty() {
        items.push(Item::field("faults", map(Bracket::Square, scenario.faults.iter().map(|it| Item::listed(fault(it))).collect())));
    }
    if !scenario.misses.is_empty() {
        let misses = scenario.misses.iter().map(|text| Item::listed(Node::text(text)));
        items.push(Item::field("misses", map(Bracket::Square, misses.collect())));
    }
    fields(items)
}

fn fault(fault: &TimedFault) -> Node {
    let mut items = vec![
        Item::field("at", Node::text(fault.at.to_string())),
        match &fault.target {
            FaultTarget::Component(id) => Item::field("component", Node::text(id)),
            FaultTarget::Link(..) => Item::field("link", Node::text(fault.target.to_string())),
        },
        Item::field("action", Node::text(&fault.action)),
    ];
    params(&mut items, &fault.params, read::FAULT);
    fields(items)
}

fn layout(layout: &Layout) -> Node {
    let mut items = Vec::new();
    if !layout.positions.is_empty() {
        let positions = layout.positions.iter().map(|(id, position)| Item::field(id, pair(*position)));
        items.push(Item::field("positions", spread(Bracket::Curly, positions.collect())));
    }
    if !layout.frames.is_empty() {
        let frames = layout.frames.iter().map(|it| Item::listed(frame(it)));
        items.push(Item::field("frames", spread(Bracket::Square, frames.collect())));
    }
    if !layout.notes.is_empty() {
        let notes = layout.notes.iter().map(|it| Item::listed(note(it)));
        items.push(Item::field("notes", spread(Bracket::Square, notes.collect())));
    }
    spread(Bracket::Round, items)
}

fn frame(frame: &Frame) -> Node {
    let members = frame.members.iter().map(|id| Item::listed(Node::text(id)));
    fields(vec![
        Item::field("label", Node::text(&frame.label)),
        Item::field("position", pair(frame.position)),
        Item::field("size", pair(frame.size)),
        Item::field("members", map(Bracket::Square, members.collect())),
    ])
}

fn note(note: &Note) -> Node {
    fields(vec![
        Item::field("text", Node::text(&note.text)),
        Item::field("position", pair(note.position)),
        Item::field("size", pair(note.size)),
    ])
}

fn params(items: &mut Vec<Item>, params: &IndexMap<String, Value>, reserved: &[&str]) {
    let free = params.iter().filter(|(name, _)| !reserved.contains(&name.as_str()));
    items.extend(free.map(|(name, it)| Item::field(name, value(it))));
}

fn value(it: &Value) -> Node {
    match it {
        Value::Bool(value) => Node::new(Data::Bool(*value)),
        Value::Int(number) => int(i128::from(*number)),
        Value::Float(number) => Node::new(Data::Float(*number)),
        Value::Text(text) => Node::text(text),
        Value::List(list) => map(Bracket::Square, list.iter().map(|it| Item::listed(value(it))).collect()),
        Value::Map(entries) => named(entries),
    }
}

/// `(name: value)` where all names are words, `{"name": value}` where they are ids: rows under names are ids.
fn named(entries: &IndexMap<String, Value>) -> Node {
    let rows = !entries.is_empty() && entries.values().all(|it| matches!(it, Value::Map(_)));
    let words = !entries.is_empty() && entries.keys().all(|name| is_word(name));
    let bracket = if words && !rows { Bracket::Round } else { Bracket::Curly };
    map(bracket, entries.iter().map(|(name, it)| Item::field(name, value(it))).collect())
}

/// Whether a name can stand before a colon without quotes, in any reader of RON.
pub(super) fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn pair(pair: [f32; 2]) -> Node {
    map(Bracket::Round, pair.into_iter().map(|number| Item::listed(coordinate(number))).collect())
}

fn coordinate(number: f32) -> Node {
    const WHOLE_MAX: f32 = 1e9;
    if libm::truncf(number) == number && number.abs() < WHOLE_MAX && !(number == 0.0 && number.is_sign_negative()) {
        return int(number as i128);
    }
    // Through its text: the shortest digits of the f32, not those of its f64 image.
    Node::new(Data::Float(number.to_string().parse().unwrap_or_default()))
}

fn int(number: i128) -> Node {
    Node::new(Data::Int(number))
}
fn fields(items: Vec<Item>) -> Node {
    map(Bracket::Round, items)
}
fn map(bracket: Bracket, items: Vec<Item>) -> Node {
    Node::new(Data::Group(Group::new(bracket, items)))
}
/// A group with an entry a line, however short.
fn spread(bracket: Bracket, items: Vec<Item>) -> Node {
    Node::new(Data::Group(Group { broken: Some(true), ..Group::new(bracket, items) }))
}
