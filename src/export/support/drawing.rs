//! A design as SVG: cards, ports, wires as Béziers, frames and notes, at their places on the canvas.

use std::fmt::Write;

use indexmap::IndexMap;

use super::palette::CSS_DRAWING;
use super::text::{escape_xml, shorten};
use super::wires::{Bounds, Wire};
use crate::components::{PortSpec, PortType, by_id};
use crate::model::{Component, Link, Project, arrange};

const CARD_WIDTH: f32 = 208.0;
const HEADER_HEIGHT: f32 = 48.0;
const ROW_HEIGHT: f32 = 22.0;
const FOOT_HEIGHT: f32 = 10.0;
const MARGIN: f32 = 32.0;
const CHAR_WIDTH: f32 = 6.6;
/// Places beyond this come from a broken file; the drawing would be unreadable.
const PLACE_MAX: f32 = 1e6;

/// A port with a row on its card. Look-ups have none: their wires run upright between the cards' edges.
struct Port {
    name: String,
    left: bool,
    right: bool,
}

struct Card<'a> {
    component: &'a Component,
    position: [f32; 2],
    ports: Vec<Port>,
}

impl Card<'_> {
    fn height(&self) -> f32 {
        card_height(self.ports.len())
    }
    fn bounds(&self) -> Bounds {
        let [x, y] = self.position;
        [x, y, x + CARD_WIDTH, y + self.height()]
    }
    /// Where a wire meets the card; an unknown port meets it at the header.
    fn socket(&self, port: &str, right: bool) -> [f32; 2] {
        let row = self.ports.iter().position(|p| p.name == port);
        let y = row.map_or(HEADER_HEIGHT / 2.0, |row| HEADER_HEIGHT + ROW_HEIGHT * (row as f32 + 0.5));
        [self.position[0] + if right { CARD_WIDTH } else { 0.0 }, self.position[1] + y]
    }
}

fn card_height(ports: usize) -> f32 {
    HEADER_HEIGHT + ROW_HEIGHT * ports as f32 + FOOT_HEIGHT
}

/// One `<svg>` element with its own style for shapes; colours come from the CSS variables around it.
#[must_use]
pub fn drawing(project: &Project, extra_css: &str) -> String {
    let ports: IndexMap<&str, Vec<Port>> = project.components.iter().map(|(id, c)| (id.as_str(), ports_of(project, id, c))).collect();
    let size = |id: &str| [CARD_WIDTH, card_height(ports.get(id).map_or(0, Vec::len))];
    let places = arrange(project, &size);
    let cards: IndexMap<&str, Card<'_>> = project
        .components
        .iter()
        .zip(ports)
        .map(|((id, component), (_, ports))| (id.as_str(), Card { component, position: tame(places[id]), ports }))
        .collect();

    let wires = wires(project, &cards);
    let [left, top, right, bottom] = bounds(project, &cards, &wires);
    let (width, height) = (right - left, bottom - top);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"ey\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"{left:.0} {top:.0} {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{extra_css}{CSS_DRAWING}</style>\n",
        escape_xml(&project.name)
    );
    for frame in &project.layout.frames {
        let ([x, y], [w, h]) = (tame(frame.position), tame(frame.size));
        let (w, h) = (w.max(1.0), h.max(1.0));
        let _ = writeln!(
            out,
            "<g><rect class=\"ey-frame\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"12\"/>\
             <text class=\"ey-label\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
            x + 12.0,
            y + 20.0,
            fit(&frame.label, w - 24.0)
        );
    }
    for (link, wire) in &wires {
        let class = if is_lookup(project, link) { "ey-wire ey-ref" } else { "ey-wire" };
        let title = escape_xml(&format!("{} → {}", link.from, link.to));
        let Wire { path, head, .. } = wire;
        let _ = writeln!(out, "<path class=\"{class}\" d=\"{path}\"><title>{title}</title></path><path class=\"ey-arrow\" d=\"{head}\"/>");
    }
    for (id, card) in &cards {
        draw_card(id, card, &mut out);
    }
    notes(project, &mut out);
    out.push_str("</svg>\n");
    out
}

/// A component's ports: what its kind says, and whatever links name besides.
fn ports_of(project: &Project, id: &str, component: &Component) -> Vec<Port> {
    let known: Vec<PortSpec> = by_id(&component.kind).map(|kind| kind.ports(component)).unwrap_or_default();
    let mut ports: Vec<Port> = known
        .into_iter()
        .filter(|spec| !is_lookup_port(spec))
        .map(|spec| Port { left: spec.takes(), right: spec.gives(), name: spec.name })
        .collect();
    for link in project.links.iter().filter(|link| !is_lookup(project, link)) {
        for (end, right) in [(&link.from, true), (&link.to, false)] {
            if end.component == id && !ports.iter().any(|port| port.name == end.port) {
                ports.push(Port { name: end.port.clone(), left: !right, right });
            }
        }
    }
    ports
}

fn is_lookup_port(spec: &PortSpec) -> bool {
    matches!(spec.ty, PortType::Schemas | PortType::SchemasFrom)
}

/// Whether a link carries look-ups: by the port that it leaves from.
fn is_lookup(project: &Project, link: &Link) -> bool {
    let Some(component) = project.components.get(&link.from.component) else { return false };
    let ports = by_id(&component.kind).map(|kind| kind.ports(component)).unwrap_or_default();
    ports.iter().any(|spec| spec.name == link.from.port && is_lookup_port(spec))
}

/// The wires of all links whose ends are there.
fn wires<'a>(project: &'a Project, cards: &IndexMap<&str, Card<'_>>) -> Vec<(&'a Link, Wire)> {
    let boxes: Vec<Bounds> = cards.values().map(Card::bounds).collect();
    let ends = |link: &Link| Some((cards.get(link.from.component.as_str())?, cards.get(link.to.component.as_str())?));
    let centre = |card: &Card<'_>| card.position[0] + CARD_WIDTH / 2.0;
    let wire = |link: &'a Link| {
        let (source, target) = ends(link)?;
        if !is_lookup(project, link) {
            return Some((link, Wire::sideways(source.socket(&link.from.port, true), target.socket(&link.to.port, false), &boxes)));
        }
        // Those that look up at one registry arrive beside each other, in the order of where they come from.
        let others = project.links.iter().filter(|other| other.to == link.to && is_lookup(project, other));
        let from: Vec<f32> = others.filter_map(|other| ends(other).map(|(card, _)| centre(card))).collect();
        let place = from.iter().filter(|x| **x < centre(source)).count() as f32 + 1.0;
        let x = target.position[0] + CARD_WIDTH * place / (from.len() as f32 + 1.0);
        Some((link, Wire::upright(source.bounds(), centre(source), target.bounds(), x)))
    };
    project.links.iter().filter_map(wire).collect()
}

fn draw_card(id: &str, card: &Card<'_>, out: &mut String) {
    let ([x, y], height) = (card.position, card.height());
    let kind = by_id(&card.component.kind).map_or(card.component.kind.as_str(), |kind| kind.spec().title);
    let stripe = by_id(&card.component.kind).map_or(String::new(), |kind| format!(" ey-k-{}", kind.spec().id));
    let subtitle = match &card.component.profile {
        Some(profile) => format!("{kind}, {profile}"),
        None => kind.to_owned(),
    };
    let _ = writeln!(
        out,
        "<g><title>{}</title><rect class=\"ey-card\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{CARD_WIDTH}\" height=\"{height:.1}\" rx=\"10\"/>\
         <rect class=\"ey-stripe{stripe}\" x=\"{:.1}\" y=\"{:.1}\" width=\"4\" height=\"28\" rx=\"2\"/>\
         <text class=\"ey-title\" x=\"{:.1}\" y=\"{:.1}\">{}</text><text class=\"ey-kind\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        escape_xml(card.component.description.as_deref().unwrap_or(id)),
        x + 10.0,
        y + 10.0,
        x + 22.0,
        y + 22.0,
        fit(card.component.title.as_deref().unwrap_or(id), CARD_WIDTH - 36.0),
        x + 22.0,
        y + 38.0,
        fit(&subtitle, CARD_WIDTH - 30.0),
    );
    for (row, port) in card.ports.iter().enumerate() {
        let middle = y + HEADER_HEIGHT + ROW_HEIGHT * (row as f32 + 0.5);
        let (anchor, text_x) = match (port.left, port.right) {
            (true, true) => ("middle", x + CARD_WIDTH / 2.0),
            (false, true) => ("end", x + CARD_WIDTH - 14.0),
            _ => ("start", x + 14.0),
        };
        let _ = write!(
            out,
            "<text class=\"ey-row\" x=\"{text_x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            middle + 4.0,
            fit(&port.name, CARD_WIDTH - 40.0)
        );
        for (shown, port_x) in [(port.left, x), (port.right, x + CARD_WIDTH)] {
            if shown {
                let _ = write!(out, "<circle class=\"ey-port\" cx=\"{port_x:.1}\" cy=\"{middle:.1}\" r=\"4\"/>");
            }
        }
    }
    out.push_str("</g>\n");
}

fn notes(project: &Project, out: &mut String) {
    const LINE_HEIGHT: f32 = 17.0;
    const LINES_MAX: usize = 60;
    for note in &project.layout.notes {
        let ([x, y], [w, h]) = (tame(note.position), tame(note.size));
        let (w, h) = (w.max(60.0), h.max(28.0));
        let _ = write!(out, "<g><rect class=\"ey-note\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"6\"/>");
        let columns = ((w - 20.0) / CHAR_WIDTH).max(8.0) as usize;
        let lines = ((h - 12.0) / LINE_HEIGHT).max(1.0) as usize;
        for (i, line) in wrap(&note.text, columns).into_iter().take(lines.min(LINES_MAX)).enumerate() {
            let _ = write!(
                out,
                "<text class=\"ey-note-text\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x + 10.0,
                y + 20.0 + LINE_HEIGHT * i as f32,
                escape_xml(&line)
            );
        }
        out.push_str("</g>\n");
    }
}

fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&shorten(word, columns));
        }
        lines.push(line);
    }
    lines
}

fn fit(text: &str, width: f32) -> String {
    escape_xml(&shorten(text, (width / CHAR_WIDTH).max(3.0) as usize))
}

fn tame([x, y]: [f32; 2]) -> [f32; 2] {
    let tame = |v: f32| if v.is_finite() { v.clamp(-PLACE_MAX, PLACE_MAX) } else { 0.0 };
    [tame(x), tame(y)]
}

fn bounds(project: &Project, cards: &IndexMap<&str, Card<'_>>, wires: &[(&Link, Wire)]) -> Bounds {
    let cards = cards.values().map(|card| (card.position, [CARD_WIDTH, card.height()]));
    let frames = project.layout.frames.iter().map(|frame| (tame(frame.position), tame(frame.size)));
    let notes = project.layout.notes.iter().map(|note| (tame(note.position), tame(note.size)));
    let wires = wires.iter().map(|(_, wire)| wire.bounds).map(|[left, top, right, bottom]| ([left, top], [right - left, bottom - top]));
    let around = |b: Bounds, ([x, y], [w, h]): ([f32; 2], [f32; 2])| [b[0].min(x), b[1].min(y), b[2].max(x + w), b[3].max(y + h)];
    let empty = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    let [left, top, right, bottom] = cards.chain(frames).chain(notes).chain(wires).fold(empty, around);
    if left > right { [0.0, 0.0, 320.0, 120.0] } else { [left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN] }
}
