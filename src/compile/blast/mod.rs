//! Who of a design breaks if a schema becomes the next version of a subject: before anything is registered.
//!
//! In: a design, a subject, the new text. Out: a [`Blast`]: what the registry would say, and every component that is
//! hit, with the reason and with the component that it is hit by. The way of events is followed over links and ports, so
//! what comes of it reaches those who only read what others pass on.
//! Must not know: files, how it is shown. Start at [`blast_radius`].
//!
//! ```text
//! subject ─► subjects that refer to it ─► writers ─► topics ─► readers ─► results, dead letters ─► their readers
//! ```

mod course;
mod subjects;
#[cfg(test)]
mod tests;
mod uses;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::components::SubjectDeclared;
use crate::diagnostics::nearest;
use crate::machines::codec::{Difference, Schema, SchemaLibrary, Severity};
use crate::machines::registry::{Older, Verdict, judge};
use crate::model::Project;
use course::Course;
use subjects::{Replaced, Subjects};
pub use uses::{DrawnUse, schema_uses};

/// What happens to one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Impact {
    /// It no longer writes its events.
    StopsWriting,
    /// It rejects what is written with the new version.
    Rejects,
    /// It breaks if its code is tied to the version before, or to the new one while old data is about.
    AtRisk,
    /// It gets what others could not read.
    GetsDeadLetters,
    /// It gets less, or nothing, from a component that breaks.
    Starves,
}

impl Impact {
    /// As tables show it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::StopsWriting => "stops writing",
            Self::Rejects => "rejects",
            Self::AtRisk => "at risk",
            Self::GetsDeadLetters => "gets dead letters",
            Self::Starves => "starves",
        }
    }
    /// Whether it surely breaks.
    #[must_use]
    pub const fn is_break(self) -> bool {
        matches!(self, Self::StopsWriting | Self::Rejects)
    }
}

/// One component that is hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub component: String,
    /// What happens to it.
    pub impact: Impact,
    /// Why, in words.
    pub why: String,
    /// The component that passes it on; none where the schema itself hits.
    pub through: Option<String>,
}

/// What a new version would do to a design.
#[derive(Clone, Debug)]
pub struct Blast {
    /// What the registry would say: levels and rules of the design.
    pub verdict: Verdict,
    /// The version that it would be.
    pub version: u32,
    /// Everyone who is hit, the design's order, each for one reason once.
    pub hits: Vec<Hit>,
}

/// Who breaks.
///
/// # Errors
/// Why there is no answer: no such subject, one that takes no further version, or a text that is no schema.
pub fn blast_radius(project: &Project, subject: &str, text: &str, library: &SchemaLibrary) -> Result<Blast, String> {
    let course = Course::of(project);
    let found =
        course.declared.iter().enumerate().find_map(|(at, one)| Some((at, one.subjects.iter().find(|known| known.name == subject)?)));
    let (registry, known) = found.ok_or_else(|| unknown(&course, subject))?;
    let level = known.level.ok_or_else(|| format!("subject `{subject}` takes no further version"))?;
    let subjects = Subjects { project, all: &course.declared[registry].subjects, library };
    let replaced = Replaced { subject, text };
    let new = subjects.compiled(known, replaced).map_err(|words| format!("no {} schema: {words}", known.schema_type))?;
    let older = subjects.versions(known)?;
    let verdict = judge(library, &new, &older, level, known.rules);
    let mut hits = Hits { course: &course, all: Vec::new() };
    Radius { course: &course, library, registry, subject: known, new: &new, older: &older, by_reference: false }.writers(&mut hits);
    for dependent in subjects.dependents(subject) {
        let older = subjects.versions(dependent)?;
        match subjects.compiled(dependent, replaced) {
            Ok(new) => {
                let of = Radius { course: &course, library, registry, subject: dependent, new: &new, older: &older, by_reference: true };
                of.writers(&mut hits);
            }
            Err(words) => {
                let why = format!("subject `{}` refers to it and would be no schema: {words}", dependent.name);
                hits.note(registry, Impact::AtRisk, why, None);
            }
        }
    }
    hits.spread();
    let mut hits = hits.all;
    hits.sort_by_key(|hit| (project.components.get_index_of(&hit.component), hit.impact));
    Ok(Blast { verdict, version: older.len() as u32 + 1, hits })
}

fn unknown(course: &Course, subject: &str) -> String {
    let names = course.declared.iter().flat_map(|one| &one.subjects).map(|known| known.name.as_str());
    let words = format!("no registry of the design has a subject `{subject}`");
    match nearest(subject, names) {
        Some(near) => format!("{words}; did you mean `{near}`?"),
        None => words,
    }
}

/// Who was hit so far.
struct Hits<'a> {
    course: &'a Course,
    all: Vec<Hit>,
}

impl Hits<'_> {
    fn note(&mut self, at: usize, impact: Impact, why: String, through: Option<usize>) {
        let id = |at: usize| self.course.ids[at].clone();
        let hit = Hit { component: id(at), impact, why, through: through.map(id) };
        let is_known = |known: &Hit| known.component == hit.component && known.impact == hit.impact && known.through == hit.through;
        if !self.all.iter().any(is_known) {
            self.all.push(hit);
        }
    }

    /// What those who break no longer pass on, and where what they could not read goes.
    fn spread(&mut self) {
        let breaks = self.all.iter().filter(|hit| hit.impact.is_break());
        let mut left: Vec<usize> = breaks.filter_map(|hit| self.course.index_of(&hit.component)).collect();
        let mut seen: BTreeSet<usize> = left.iter().copied().collect();
        while let Some(at) = left.pop() {
            let id = self.course.ids[at].clone();
            let rejects = self.all.iter().any(|hit| hit.component == id && hit.impact == Impact::Rejects);
            for (next, is_of_letters) in self.course.fed_by(at) {
                if is_of_letters && rejects {
                    self.note(next, Impact::GetsDeadLetters, format!("`{id}` passes on what it could not read"), Some(at));
                }
                if !is_of_letters {
                    self.note(next, Impact::Starves, format!("`{id}` breaks and has less to pass on"), Some(at));
                    if seen.insert(next) {
                        left.push(next);
                    }
                }
            }
        }
    }
}

/// One subject with its new version.
struct Radius<'a> {
    course: &'a Course,
    library: &'a SchemaLibrary,
    /// The registry that has the subject.
    registry: usize,
    subject: &'a SubjectDeclared,
    new: &'a Arc<Schema>,
    older: &'a [Older],
    /// The version is not to be registered: it is what the latest becomes once it names the new version of another subject.
    by_reference: bool,
}

impl Radius<'_> {
    fn hit(&self, hits: &mut Hits<'_>, at: usize, impact: Impact, why: String) {
        if self.by_reference {
            let why = format!("`{}` refers to it; once that names the new version, {why}", self.subject.name);
            hits.note(at, Impact::AtRisk, why, None);
        } else {
            hits.note(at, impact, why, None);
        }
    }
    /// What breaks when `reader` reads data of `writer`, in words.
    fn breaks(&self, reader: &Schema, writer: &Schema) -> Option<String> {
        let found = self.library.compare_by(reader, writer, self.subject.rules);
        let mut breaks = found.iter().filter(|difference| difference.severity == Severity::Breaks).map(Difference::to_string);
        let first = breaks.next()?;
        let more = breaks.count();
        Some(if more == 0 { first } else { format!("{first}, and {more} more") })
    }
    fn version(&self, number: u32) -> Option<&Arc<Schema>> {
        self.older.get((number as usize).checked_sub(1)?).map(|older| &older.schema)
    }

    /// Those who write events of the subject, and what comes of it for whoever reads them.
    fn writers(&self, hits: &mut Hits<'_>) {
        let Some(latest) = self.older.last() else { return };
        let stops = self.breaks(self.new, &latest.schema);
        for at in (0..self.course.ids.len()).filter(|at| self.course.asks(*at, self.registry)) {
            let of_subject = self.course.declared[at].schemas_written.iter().filter(|one| one.subject == self.subject.name);
            // Who names a version goes on with it.
            for written in of_subject.filter(|one| one.version.is_none()) {
                if let Some(why) = &stops {
                    let words = format!("it writes with the latest version, and that cannot read what it makes: {why}");
                    self.hit(hits, at, Impact::StopsWriting, words);
                }
                for reader in self.course.readers_after(at, written) {
                    self.reader(hits, reader, &latest.schema);
                }
            }
        }
    }

    fn reader(&self, hits: &mut Hits<'_>, at: usize, latest: &Schema) {
        let reads = self.course.declared[at].schemas_read.as_ref().filter(|_| self.course.asks(at, self.registry));
        let Some(read) = reads else { return };
        let own = read.version.and_then(|number| Some((number, self.version(number)?)));
        if let Some((number, own)) = own {
            if let Some(why) = self.breaks(own, self.new) {
                let words = format!("it reads with version {number}, and that cannot read the new version's data: {why}");
                self.hit(hits, at, Impact::Rejects, words);
            }
        } else if let Some(why) = self.breaks(latest, self.new) {
            let words = format!("code made for version {} cannot read the new version's data: {why}", self.older.len());
            self.hit(hits, at, Impact::AtRisk, words);
        } else if let Some(why) = self.breaks(self.new, latest) {
            let words = format!("code made for the new version cannot read what is in its topics: {why}");
            self.hit(hits, at, Impact::AtRisk, words);
        }
    }
}
