//! A design as JSON, for other programs; it reads back as a project.

use super::{Exporter, Writer};

pub(super) const EXPORTER: Exporter = Exporter {
    name: "json",
    extension: "json",
    help: "The project as JSON, which reads back",
    write: Writer::Project(crate::project::to_json),
};
