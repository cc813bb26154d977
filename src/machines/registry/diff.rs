//! What changes between two versions: each change once, with its place in both and what it does either way.
//!
//! In: an old and a new schema. Out: [`Change`]s, joined from the comparisons of both directions.
//! Must not know: subjects, how it is shown. Start at [`diff`].

use super::Compatibility;
use super::verdict::Way;
use crate::machines::codec::{Difference, Rules, Schema, SchemaLibrary, Severity};

/// One change from an old to a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where in the old schema; none for what is new.
    pub old: Option<String>,
    /// Where in the new schema; none for what is gone.
    pub new: Option<String>,
    /// What the new schema makes of old data here, if it is a difference to it.
    pub backward: Option<Difference>,
    /// What the old schema makes of new data here.
    pub forward: Option<Difference>,
}

impl Change {
    /// What it does under a level: the worse of the ways that the level looks at. NONE looks at neither.
    #[must_use]
    pub fn effect(&self, level: Compatibility) -> Severity {
        let asked = [(level.reads_old(), &self.backward), (level.is_read_by_old(), &self.forward)];
        worst(asked.into_iter().filter(|(is_asked, _)| *is_asked).filter_map(|(_, found)| found.as_ref()))
    }
    /// The worse of both ways.
    #[must_use]
    pub fn severity(&self) -> Severity {
        worst(self.findings().map(|(_, found)| found))
    }
    /// What is said of it, each with its way; one that says the same both ways is said once.
    pub fn findings(&self) -> impl Iterator<Item = (Way, &Difference)> {
        let ways = [(Way::NewReadsOld, self.backward.as_ref()), (Way::OldReadsNew, self.forward.as_ref())];
        ways.into_iter().filter_map(|(way, found)| Some((way, found?)))
    }
}

fn worst<'a>(found: impl Iterator<Item = &'a Difference>) -> Severity {
    // The worst stands first in their order.
    found.map(|difference| difference.severity).min().unwrap_or(Severity::Fine)
}

/// Every change, those that break first.
#[must_use]
pub fn diff(library: &SchemaLibrary, old: &Schema, new: &Schema, rules: Rules) -> Vec<Change> {
    let change = |difference: &Difference| Change {
        old: difference.writer.clone(),
        new: difference.reader.clone(),
        backward: Some(difference.clone()),
        forward: None,
    };
    let mut changes: Vec<Change> = library.compare_by(new, old, rules).iter().map(change).collect();
    let mut left = Vec::new();
    let forward = library.compare_by(old, new, rules);
    for difference in forward.iter() {
        let is_same = |change: &&mut Change| change.old == difference.reader && change.new == difference.writer;
        match changes.iter_mut().find(|change| change.forward.is_none() && is_same(change)) {
            Some(change) => change.forward = Some(difference.clone()),
            None => left.push(difference),
        }
    }
    // What only one side has has one place only: the other way may name where it would stand.
    for difference in left {
        let is_one = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
        let is_nowhere = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none();
        let is_same = |change: &&mut Change| {
            (is_one(&change.old, &difference.reader) && is_nowhere(&change.new, &difference.writer))
                || (is_one(&change.new, &difference.writer) && is_nowhere(&change.old, &difference.reader))
        };
        match changes.iter_mut().find(|change| change.forward.is_none() && is_same(change)) {
            Some(change) => {
                change.forward = Some(difference.clone());
                change.old = change.old.take().or_else(|| difference.reader.clone());
                change.new = change.new.take().or_else(|| difference.writer.clone());
            }
            None => changes.push(Change {
                old: difference.reader.clone(),
                new: difference.writer.clone(),
                backward: None,
                forward: Some(difference.clone()),
            }),
        }
    }
    changes.sort_by_key(Change::severity);
    changes
}
