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
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::components::{Declarations, SchemaWritten, SubjectDeclared};
use crate::machines::codec::{Difference, Rules, Schema, SchemaLibrary, Severity};
use crate::machines::registry::{Compatibility, Older, Verdict, judge};
use crate::model::Project;
use course::Course;

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
/// Why there is no answer: no such subject, or a text that is no schema.
pub fn blast_radius(project: &Project, subject: &str, text: &str, library: &SchemaLibrary, rules: Rules) -> Result<Blast, String> {
    let course = Course::of(project);
    let found =
        course.declared.iter().enumerate().find_map(|(at, one)| Some((at, one.subjects.iter().find(|known| known.name == subject)?)));
    let Some((registry, known)) = found else {
        let names: Vec<&str> = course.declared.iter().flat_map(|one| &one.subjects).map(|known| known.name.as_str()).collect();
        return Err(match crate::diagnostics::nearest(subject, names.iter().copied()) {
            Some(near) => format!("no registry of the design has a subject `{subject}`; did you mean `{near}`?"),
            None => format!("no registry of the design has a subject `{subject}`"),
        });
    };
    let new = library.compile(&known.schema_type, text).map_err(|words| format!("no {} schema: {words}", known.schema_type))?;
    let older = versions(project, known, library)?;
    let level: Compatibility = known.level.parse().unwrap_or_default();
    let verdict = judge(library, &new, &older, level, rules);
    let mut radius = Radius { course: &course, library, rules, registry, subject, new: &new, older: &older, hits: Vec::new() };
    radius.writers();
    radius.spread();
    let mut hits = radius.hits;
    hits.sort_by_key(|hit| (project.components.get_index_of(&hit.component), hit.impact));
    Ok(Blast { verdict, version: older.len() as u32 + 1, hits })
}

fn versions(project: &Project, subject: &SubjectDeclared, library: &SchemaLibrary) -> Result<Vec<Older>, String> {
    let mut older = Vec::new();
    for (at, name) in subject.versions.iter().enumerate() {
        let source = project.schemas.get(name).ok_or_else(|| format!("the project has no schema `{name}`"))?;
        let schema = library.compile(&subject.schema_type, &source.text).map_err(|words| format!("schema `{name}`: {words}"))?;
        older.push(Older { version: Some(at as u32 + 1), schema });
    }
    Ok(older)
}

struct Radius<'a> {
    course: &'a Course,
    library: &'a SchemaLibrary,
    rules: Rules,
    /// The registry that has the subject.
    registry: usize,
    subject: &'a str,
    new: &'a Arc<Schema>,
    older: &'a [Older],
    hits: Vec<Hit>,
}

impl Radius<'_> {
    fn declared(&self, at: usize) -> &Declarations {
        &self.course.declared[at]
    }
    fn hit(&mut self, at: usize, impact: Impact, why: String, through: Option<usize>) {
        let id = |at: usize| self.course.ids[at].clone();
        let hit = Hit { component: id(at), impact, why, through: through.map(id) };
        let is_known = |known: &Hit| known.component == hit.component && known.impact == hit.impact && known.through == hit.through;
        if !self.hits.iter().any(is_known) {
            self.hits.push(hit);
        }
    }
    /// What breaks when `reader` reads data of `writer`, in words.
    fn breaks(&self, reader: &Schema, writer: &Schema) -> Option<String> {
        let found = self.library.compare_by(reader, writer, self.rules);
        let mut breaks = found.iter().filter(|difference| difference.severity == Severity::Breaks).map(Difference::to_string);
        let first = breaks.next()?;
        let more = breaks.count();
        Some(if more == 0 { first } else { format!("{first}, and {more} more") })
    }
    fn version(&self, number: u32) -> Option<&Arc<Schema>> {
        self.older.get((number as usize).checked_sub(1)?).map(|older| &older.schema)
    }

    /// Those who write events of the subject, and what comes of it for whoever reads them.
    fn writers(&mut self) {
        let Some(latest) = self.older.last().map(|older| Arc::clone(&older.schema)) else { return };
        let stops = self.breaks(self.new, &latest);
        for at in 0..self.course.ids.len() {
            if !self.course.asks(at, self.registry) {
                continue;
            }
            let written: Vec<SchemaWritten> =
                self.declared(at).schemas_written.iter().filter(|one| one.subject == self.subject).cloned().collect();
            for one in written {
                // Who names a version goes on with it.
                let is_pinned = one.version.is_some();
                if let Some(why) = stops.as_ref().filter(|_| !is_pinned) {
                    let words = format!("it writes with the latest version, and that cannot read what it makes: {why}");
                    self.hit(at, Impact::StopsWriting, words, None);
                }
                let writer =
                    if is_pinned { one.version.and_then(|number| self.version(number)).cloned() } else { Some(Arc::clone(self.new)) };
                for reader in self.course.readers_after(at, &one) {
                    self.reader(reader, writer.as_ref(), is_pinned);
                }
            }
        }
    }

    fn reader(&mut self, at: usize, writer: Option<&Arc<Schema>>, is_pinned: bool) {
        let Some(read) = self.declared(at).schemas_read.clone().filter(|_| self.course.asks(at, self.registry)) else { return };
        let Some(latest) = self.older.last().map(|older| Arc::clone(&older.schema)) else { return };
        match read.version.filter(|number| *number <= self.older.len() as u32) {
            Some(number) => {
                let (Some(reader), Some(writer)) = (self.version(number).cloned(), writer) else { return };
                if let Some(why) = self.breaks(&reader, writer).filter(|_| !is_pinned) {
                    let words = format!("it reads with version {number}, and that cannot read the new version's data: {why}");
                    self.hit(at, Impact::Rejects, words, None);
                }
            }
            None => {
                if let Some(why) = self.breaks(&latest, self.new).filter(|_| !is_pinned) {
                    let words = format!("code made for version {} cannot read the new version's data: {why}", self.older.len());
                    self.hit(at, Impact::AtRisk, words, None);
                } else if let Some(why) = self.breaks(self.new, &latest) {
                    let words = format!("code made for the new version cannot read what is in its topics: {why}");
                    self.hit(at, Impact::AtRisk, words, None);
                }
            }
        }
    }

    /// What those who break no longer pass on, and where what they could not read goes.
    fn spread(&mut self) {
        let mut left: Vec<usize> =
            self.hits.iter().filter(|hit| hit.impact.is_break()).filter_map(|hit| self.course.index_of(&hit.component)).collect();
        let mut seen: BTreeSet<usize> = left.iter().copied().collect();
        while let Some(at) = left.pop() {
            let id = self.course.ids[at].clone();
            let rejects = self.hits.iter().any(|hit| hit.component == id && hit.impact == Impact::Rejects);
            for (next, is_of_letters) in self.course.fed_by(at) {
                if is_of_letters && rejects {
                    self.hit(next, Impact::GetsDeadLetters, format!("`{id}` passes on what it could not read"), Some(at));
                }
                if !is_of_letters {
                    self.hit(next, Impact::Starves, format!("`{id}` breaks and has less to pass on"), Some(at));
                    if seen.insert(next) {
                        left.push(next);
                    }
                }
            }
        }
    }
}
