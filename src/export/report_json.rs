//! The report as JSON: stable, documented in README.md, the same bytes for the same run but for `wall`.

use super::{Exporter, Writer};
use crate::metrics::Report;

pub(super) const EXPORTER: Exporter = Exporter {
    name: "report-json",
    extension: "json",
    help: "The report of a run as JSON",
    write: Writer::Report(|_, report| text(report)),
};

pub(super) fn text(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report is plain data with text keys");
    text.push('\n');
    text
}
