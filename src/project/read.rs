//! Tree to project: names, shapes, ids, endpoints, times; a kind's own parameters are `compile`'s to judge.
//!
//! In: a [`Document`]. Out: as much of a [`Project`] as can be read, and every problem with path and place.
//! Start at [`project`].

use indexmap::IndexMap;

use super::fields::{Names, Reader, join, shorten};
use super::migrate;
use super::schemas::{self, SchemaUse};
use super::tree::{Data, Document, Node};
use crate::diagnostics::{Diagnostic, nearest};
use crate::model::{COMPONENTS_MAX, Component, Endpoint, FaultTarget, Frame, Layout, Link, Note, Project, Scenario, TimedFault, Value};
use crate::units::SimTime;

/// Fields of a project, in the order that a save writes.
pub(super) const PROJECT: &[&str] =
    &["format", "name", "aim", "seed", "schemas", "components", "links", "scenarios", "expect", "assumptions", "decisions", "layout"];
/// Fields of a component that are no parameters, in the order that a save writes.
pub(super) const COMPONENT: &[&str] = &["kind", "key", "profile", "title", "description", "owner", "context", "data_class"];
pub(super) const LINK: &[&str] = &["from", "to"];
pub(super) const SCENARIO: &[&str] = &["about", "length", "warm_up", "set", "faults", "misses"];
pub(super) const FAULT: &[&str] = &["at", "component", "link", "action"];
pub(super) const LAYOUT: &[&str] = &["positions", "frames", "notes"];
pub(super) const FRAME: &[&str] = &["label", "position", "size", "members"];
pub(super) const NOTE: &[&str] = &["text", "position", "size"];

/// What a tree says, and which schema files it wants.
pub(super) fn project(document: &mut Document, reader: &mut Reader) -> (Project, Vec<SchemaUse>) {
    let mut project = Project::default();
    let mut uses = Vec::new();
    if !migrate::to_current(&mut document.root, reader) {
        return (project, uses);
    }
    for (key, node) in reader.entries("", &document.root, Names::Only(PROJECT)) {
        let path = key.text.as_str();
        match path {
            "name" => project.name = reader.text(path, node).unwrap_or_default(),
            "aim" => project.aim = reader.text(path, node).unwrap_or_default(),
            "seed" => project.seed = seed(reader, node),
            "schemas" => project.schemas = schemas::read(reader, node, &mut uses),
            "components" => project.components = components(reader, node),
            "links" => project.links = links(reader, node),
            "scenarios" => project.scenarios = scenarios(reader, node),
            "expect" => project.expect = reader.texts(path, node),
            "assumptions" => project.assumptions = reader.texts(path, node),
            "decisions" => project.decisions = reader.texts(path, node),
            "layout" => project.layout = layout(reader, node),
            // `format` was read by the migrations.
            _ => {}
        }
    }
    dangling(reader, &project, &document.root);
    (project, uses)
}

fn seed(reader: &mut Reader, node: &Node) -> u64 {
    match node.data {
        Data::Int(number) => u64::try_from(number).unwrap_or_else(|_| {
            reader.problem(node.place, Diagnostic::error("range", "seed", format!("a seed is a whole number from 0 to {}", u64::MAX)));
            0
        }),
        _ => {
            reader.wrong("seed", node, "a whole number", None);
            0
        }
    }
}

fn components(reader: &mut Reader, node: &Node) -> IndexMap<String, Component> {
    let mut components = IndexMap::new();
    for (key, node) in reader.entries("components", node, Names::Ids) {
        if components.len() >= COMPONENTS_MAX {
            let message = format!("a design may hold at most {COMPONENTS_MAX} components");
            reader.problem(key.place, Diagnostic::error("limit-components", "components", message));
            break;
        }
        let path = join("components", &key.text);
        components.insert(key.text.clone(), component(reader, &path, node));
    }
    components
}

fn component(reader: &mut Reader, path: &str, node: &Node) -> Component {
    let mut component = Component::default();
    let entries = reader.entries(path, node, Names::Any);
    if !entries.iter().any(|(key, _)| key.text == "kind") && node.group().is_some() {
        reader.missing(node.place, path, "kind", "say what it is: kind: \"producer\"");
    }
    for (key, node) in entries {
        let here = join(path, &key.text);
        match key.text.as_str() {
            "kind" => component.kind = reader.word(&here, node).unwrap_or_default(),
            "key" => component.key = reader.text(&here, node).unwrap_or_default(),
            "profile" => component.profile = reader.word(&here, node),
            "title" => component.title = reader.text(&here, node),
            "description" => component.description = reader.text(&here, node),
            "owner" => component.owner = reader.text(&here, node),
            "context" => component.context = reader.text(&here, node),
            "data_class" => component.data_class = reader.word(&here, node),
            name => insert(&mut component.params, name, reader.value(&here, node)),
        }
    }
    component
}

fn links(reader: &mut Reader, node: &Node) -> Vec<Link> {
    let mut links = Vec::new();
    for (index, node) in reader.list("links", node).into_iter().enumerate() {
        let path = format!("links[{index}]");
        let mut link = Link::default();
        let entries = reader.entries(&path, node, Names::Any);
        for end in LINK {
            if !entries.iter().any(|(key, _)| key.text == *end) && node.group().is_some() {
                reader.missing(node.place, &path, end, "a link is (from: \"component.port\", to: \"component.port\")");
            }
        }
        for (key, node) in entries {
            let here = join(&path, &key.text);
            match key.text.as_str() {
                "from" => link.from = endpoint(reader, &here, node),
                "to" => link.to = endpoint(reader, &here, node),
                name => insert(&mut link.params, name, reader.value(&here, node)),
            }
        }
        // A broken link keeps its place in the list, so that indices in paths stay true.
        links.push(link);
    }
    links
}

fn endpoint(reader: &mut Reader, path: &str, node: &Node) -> Endpoint {
    let Some(text) = reader.text(path, node) else { return Endpoint::default() };
    Endpoint::parse(&text).unwrap_or_else(|| {
        let message = format!("`{}` names no port", shorten(&text));
        reader
            .problem(node.place, Diagnostic::error("endpoint", path, message).with_hint("write \"component.port\", as in \"shop.orders\""));
        Endpoint::default()
    })
}

fn scenarios(reader: &mut Reader, node: &Node) -> IndexMap<String, Scenario> {
    let mut scenarios = IndexMap::new();
    for (key, node) in reader.entries("scenarios", node, Names::Ids) {
        let path = join("scenarios", &key.text);
        let mut scenario = Scenario::default();
        for (field, node) in reader.entries(&path, node, Names::Only(SCENARIO)) {
            let here = join(&path, &field.text);
            match field.text.as_str() {
                "about" => scenario.about = reader.text(&here, node).unwrap_or_default(),
                "length" => scenario.length = reader.duration(&here, node),
                "warm_up" => scenario.warm_up = reader.duration(&here, node),
                "set" => {
                    for (id, node) in reader.entries(&here, node, Names::Ids) {
                        let values = reader.values(&join(&here, &id.text), node, Names::Any);
                        scenario.set.insert(id.text.clone(), values);
                    }
                }
                "faults" => scenario.faults = faults(reader, &here, node),
                _ => scenario.misses = reader.texts(&here, node),
            }
        }
        scenarios.insert(key.text.clone(), scenario);
    }
    scenarios
}

fn faults(reader: &mut Reader, path: &str, node: &Node) -> Vec<TimedFault> {
    let mut faults = Vec::new();
    for (index, node) in reader.list(path, node).into_iter().enumerate() {
        let path = format!("{path}[{index}]");
        let target = FaultTarget::Component(String::new());
        let mut fault = TimedFault { at: SimTime::ZERO, target, action: String::new(), params: IndexMap::new() };
        let entries = reader.entries(&path, node, Names::Any);
        let is_given = |field: &str| entries.iter().any(|(key, _)| key.text == field);
        for field in ["at", "component", "action"] {
            let is_there = is_given(field) || (field == "component" && is_given("link"));
            if !is_there && node.group().is_some() {
                let example = "a fault is (at: \"10s\", component: \"billing\", action: \"stop-instance\"), \
                               or (at: \"10s\", link: \"web.out -> edge.in\", action: \"cut\", for: \"5s\")";
                reader.missing(node.place, &path, field, example);
            }
        }
        if is_given("component") && is_given("link") {
            let diagnostic =
                Diagnostic::error("field-twice", join(&path, "link"), "a fault happens to a component or to a link, not to both");
            reader.problem(node.place, diagnostic.with_hint("make two faults of it"));
        }
        for (key, node) in entries {
            let here = join(&path, &key.text);
            match key.text.as_str() {
                "at" => fault.at = SimTime::ZERO + reader.duration(&here, node).unwrap_or_default(),
                "component" => fault.target = FaultTarget::Component(reader.text(&here, node).unwrap_or_default()),
                "link" => fault.target = link_target(reader, &here, node),
                "action" => fault.action = reader.word(&here, node).unwrap_or_default(),
                name => insert(&mut fault.params, name, reader.value(&here, node)),
            }
        }
        faults.push(fault);
    }
    faults
}

fn link_target(reader: &mut Reader, path: &str, node: &Node) -> FaultTarget {
    let text = reader.text(path, node).unwrap_or_default();
    FaultTarget::link(&text).unwrap_or_else(|| {
        let diagnostic = Diagnostic::error("link-unreadable", path, format!("`{text}` names no link"));
        reader.problem(node.place, diagnostic.with_hint("write its ends as in `web.out -> edge.in`"));
        FaultTarget::Component(String::new())
    })
}

fn layout(reader: &mut Reader, node: &Node) -> Layout {
    let mut layout = Layout::default();
    for (key, node) in reader.entries("layout", node, Names::Only(LAYOUT)) {
        let path = join("layout", &key.text);
        match key.text.as_str() {
            "positions" => {
                for (id, node) in reader.entries(&path, node, Names::Ids) {
                    if let Some(position) = reader.pair(&join(&path, &id.text), node) {
                        layout.positions.insert(id.text.clone(), position);
                    }
                }
            }
            "frames" => {
                for (index, node) in reader.list(&path, node).into_iter().enumerate() {
                    layout.frames.push(frame(reader, &format!("{path}[{index}]"), node));
                }
            }
            _ => {
                for (index, node) in reader.list(&path, node).into_iter().enumerate() {
                    layout.notes.push(note(reader, &format!("{path}[{index}]"), node));
                }
            }
        }
    }
    layout
}

fn frame(reader: &mut Reader, path: &str, node: &Node) -> Frame {
    let mut frame = Frame::default();
    for (key, node) in reader.entries(path, node, Names::Only(FRAME)) {
        let here = join(path, &key.text);
        match key.text.as_str() {
            "label" => frame.label = reader.text(&here, node).unwrap_or_default(),
            "position" => frame.position = reader.pair(&here, node).unwrap_or_default(),
            "size" => frame.size = reader.pair(&here, node).unwrap_or_default(),
            _ => frame.members = reader.texts(&here, node),
        }
    }
    frame
}

fn note(reader: &mut Reader, path: &str, node: &Node) -> Note {
    let mut note = Note::default();
    for (key, node) in reader.entries(path, node, Names::Only(NOTE)) {
        let here = join(path, &key.text);
        match key.text.as_str() {
            "text" => note.text = reader.text(&here, node).unwrap_or_default(),
            "position" => note.position = reader.pair(&here, node).unwrap_or_default(),
            _ => note.size = reader.pair(&here, node).unwrap_or_default(),
        }
    }
    note
}

/// Ends of links that name no component. The code and the words are `compile`'s, which sees edited designs.
fn dangling(reader: &mut Reader, project: &Project, root: &Node) {
    let Some(items) = root.group().and_then(|root| root.get("links")).and_then(|links| links.value.group()) else { return };
    for (index, (link, item)) in project.links.iter().zip(&items.items).enumerate() {
        for (name, end) in [("from", &link.from), ("to", &link.to)] {
            if end.component.is_empty() || project.components.contains_key(&end.component) {
                continue;
            }
            let place = item.value.group().and_then(|link| link.get(name)).map_or(item.value.place, |field| field.value.place);
            let message = format!("there is no component `{}`", shorten(&end.component));
            let mut diagnostic = Diagnostic::error("link-dangling", format!("links[{index}].{name}"), message);
            if let Some(near) = nearest(&end.component, project.components.keys().map(String::as_str)) {
                diagnostic = diagnostic.with_hint(format!("did you mean `{near}`?"));
            }
            reader.problem(place, diagnostic);
        }
    }
}

fn insert(params: &mut IndexMap<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        params.insert(name.to_owned(), value);
    }
}
