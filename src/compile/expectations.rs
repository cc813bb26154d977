//! Problems of the `expect` section: each text parses, and the names in it exist.

use super::names::Names;
use crate::diagnostics::Diagnostic;
use crate::model::Project;

pub(super) fn check(_project: &Project, _names: &Names, _out: &mut Vec<Diagnostic>) {}
