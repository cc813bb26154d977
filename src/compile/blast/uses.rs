//! Which schemas the components of a design use, as it is drawn.
//!
//! Start at [`schema_uses`].

use super::course::Course;
use crate::model::Project;

/// A component that writes or reads events of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnUse {
    /// Its id.
    pub component: String,
    /// The registry that it asks.
    pub registry: String,
    /// The subject.
    pub subject: String,
    /// The version that it names; the latest, or the writer's for a reader, when absent.
    pub version: Option<u32>,
    /// It reads; otherwise it writes.
    pub reads: bool,
}

/// Every use, in the order of the design's components, each once.
#[must_use]
pub fn schema_uses(project: &Project) -> Vec<DrawnUse> {
    let course = Course::of(project);
    let mut uses: Vec<DrawnUse> = Vec::new();
    let registries: Vec<usize> = (0..course.ids.len()).filter(|at| !course.declared[*at].subjects.is_empty()).collect();
    for registry in registries {
        for at in (0..course.ids.len()).filter(|at| course.asks(*at, registry)) {
            for written in &course.declared[at].schemas_written {
                if !course.declared[registry].subjects.iter().any(|subject| subject.name == written.subject) {
                    continue;
                }
                let mut note = |at: usize, version: Option<u32>, reads: bool| {
                    let of = |at: usize| course.ids[at].clone();
                    let one = DrawnUse { component: of(at), registry: of(registry), subject: written.subject.clone(), version, reads };
                    if !uses.contains(&one) {
                        uses.push(one);
                    }
                };
                note(at, written.version, false);
                for reader in course.readers_after(at, written).into_iter().filter(|reader| course.asks(*reader, registry)) {
                    if let Some(read) = &course.declared[reader].schemas_read {
                        note(reader, read.version, true);
                    }
                }
            }
        }
    }
    uses.sort_by_key(|one| (project.components.get_index_of(&one.component), one.reads));
    uses
}
