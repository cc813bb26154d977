//! A design as a Mermaid flowchart, for a README or a wiki.

use std::fmt::Write;

use super::{Exporter, Writer};
use crate::components::by_id;
use crate::model::Project;

pub(super) const EXPORTER: Exporter =
    Exporter { name: "mermaid", extension: "mmd", help: "A Mermaid flowchart, for a README or a wiki", write: Writer::Project(write) };

fn write(project: &Project) -> String {
    let mut out = String::from("flowchart LR\n");
    let index = |id: &str| project.components.get_index_of(id);
    for (i, (id, component)) in project.components.iter().enumerate() {
        let kind = by_id(&component.kind).map_or(component.kind.as_str(), |kind| kind.spec().title);
        let label = format!("{}<br/>{}", escape(component.title.as_deref().unwrap_or(id)), escape(kind));
        let (open, close) = match component.kind.as_str() {
            "kafka" => ("[(", ")]"),
            "gateway" => ("{{", "}}"),
            "registry" => ("[[", "]]"),
            "producer" => ("([", "])"),
            _ => ("[", "]"),
        };
        let _ = writeln!(out, "    c{i}{open}\"{label}\"{close}");
    }
    for link in &project.links {
        let (Some(from), Some(to)) = (index(&link.from.component), index(&link.to.component)) else { continue };
        let is_topic =
            |component: &str, port: &str| project.components.get(component).is_some_and(|c| c.kind == "kafka").then(|| port.to_owned());
        let topic = is_topic(&link.from.component, &link.from.port).or_else(|| is_topic(&link.to.component, &link.to.port));
        let arrow = if link.from.port == "schemas" { "-.->" } else { "-->" };
        let label = topic.map(|topic| format!("|\"{}\"|", escape(&topic))).unwrap_or_default();
        let _ = writeln!(out, "    c{from} {arrow}{label} c{to}");
    }
    let framed = project.layout.frames.iter().enumerate().filter(|(_, frame)| frame.members.iter().any(|id| index(id).is_some()));
    // A card may stand in one Mermaid subgraph only: the first frame that names it has it.
    let mut taken = std::collections::BTreeSet::new();
    for (i, frame) in framed {
        let members: Vec<usize> = frame.members.iter().filter_map(|id| index(id)).filter(|member| taken.insert(*member)).collect();
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(out, "    subgraph f{i} [\"{}\"]", escape(&frame.label));
        for member in members {
            let _ = writeln!(out, "        c{member}");
        }
        out.push_str("    end\n");
    }
    out
}

/// Mermaid reads HTML entities by number inside quotes: everything but plain words is written so.
fn escape(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    let mut out = String::new();
    for c in super::support::text::shorten(text, SHOWN_MAX).chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ',' | '/' | '…') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    if out.trim().is_empty() { "#8211;".to_owned() } else { out }
}
