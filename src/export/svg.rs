//! A design as a drawing: the canvas without the window.

use super::support::drawing::drawing;
use super::support::palette::CSS_COLOURS;
use super::{Exporter, Writer};
use crate::model::Project;

pub(super) const EXPORTER: Exporter =
    Exporter { name: "svg", extension: "svg", help: "A drawing: cards, ports and wires at their places", write: Writer::Project(write) };

fn write(project: &Project) -> String {
    // A drawing of its own has no page around it that would say what its colours are.
    let colours = CSS_COLOURS.replace(":root", "svg.ey");
    drawing(project, &format!("{colours}svg.ey{{background:var(--ground)}}"))
}
