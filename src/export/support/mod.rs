//! What several exporters (and the summary of the command line) share: words, the drawing of a design, charts.
//!
//! In: projects and reports. Out: text. Must not know: files. Start at [`text`], then [`drawing`] and [`chart`].

pub mod acls;
pub mod chart;
pub mod drawing;
pub mod fault_words;
pub mod palette;
pub mod terms;
pub mod text;
pub mod topics;
pub mod wires;
