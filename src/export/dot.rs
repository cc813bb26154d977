//! A design as a Graphviz digraph.

use std::fmt::Write;

use super::{Exporter, Writer};
use crate::components::by_id;
use crate::model::Project;

pub(super) const EXPORTER: Exporter =
    Exporter { name: "dot", extension: "dot", help: "A Graphviz digraph, for dot -Tsvg", write: Writer::Project(write) };

fn write(project: &Project) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "digraph {} {{", quote(&project.name));
    out.push_str("    rankdir=LR;\n    node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n");
    out.push_str("    edge [fontname=\"sans-serif\", fontsize=9];\n");
    for (id, component) in &project.components {
        let kind = by_id(&component.kind).map_or(component.kind.as_str(), |kind| kind.spec().title);
        let title = component.title.as_deref().unwrap_or(id);
        let shape = match component.kind.as_str() {
            "kafka" => ", shape=cylinder",
            "gateway" => ", shape=hexagon",
            "registry" => ", shape=note",
            _ => "",
        };
        let _ = writeln!(out, "    {} [label={}{shape}];", quote(id), label(&[title, kind]));
    }
    let mut taken = std::collections::BTreeSet::new();
    for (i, frame) in project.layout.frames.iter().enumerate() {
        let members: Vec<&String> =
            frame.members.iter().filter(|id| project.components.contains_key(*id) && taken.insert(id.as_str())).collect();
        if !members.is_empty() {
            let ids: String = members.iter().map(|id| format!(" {};", quote(id))).collect();
            let _ = writeln!(out, "    subgraph cluster_{i} {{ label={};{ids} }}", label(&[&frame.label]));
        }
    }
    let is_topic = |id: &str| project.components.get(id).is_some_and(|component| component.kind == "kafka");
    for link in &project.links {
        if !project.components.contains_key(&link.from.component) || !project.components.contains_key(&link.to.component) {
            continue;
        }
        let topic = if is_topic(&link.from.component) { &link.from.port } else { &link.to.port };
        let topic = if is_topic(&link.from.component) || is_topic(&link.to.component) { topic.as_str() } else { "" };
        let style = if link.from.port == "schemas" { ", style=dashed" } else { "" };
        let _ = writeln!(out, "    {} -> {} [label={}{style}];", quote(&link.from.component), quote(&link.to.component), label(&[topic]));
    }
    out.push_str("}\n");
    out
}

/// A quoted name: inside quotes only the quote itself is special to the reader.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            // A backslash before the closing quote would escape it, and in a name nothing needs one.
            '\\' => out.push('/'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A quoted label: lines joined by `\n`, and backslashes doubled because labels read them.
fn label(lines: &[&str]) -> String {
    let escape = |line: &&str| {
        let mut out = String::new();
        for c in super::support::text::shorten(line, 80).chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                // Graphviz turns entities of labels into characters.
                '&' => out.push_str("&amp;"),
                c => out.push(c),
            }
        }
        out
    };
    format!("\"{}\"", lines.iter().map(escape).collect::<Vec<String>>().join("\\n"))
}
