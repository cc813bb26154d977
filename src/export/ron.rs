//! A design as a project file in its standard form, without the comments of the file it came from.

use super::{Exporter, Writer};

pub(super) const EXPORTER: Exporter = Exporter {
    name: "ron",
    extension: "ron",
    help: "The project file in its standard form",
    write: Writer::Project(crate::project::write),
};
