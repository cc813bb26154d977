//! The subjects that a registry of the design begins with: their versions compiled, and who refers to whom.
//!
//! Start at [`Subjects::versions`].

use std::sync::Arc;

use crate::components::SubjectDeclared;
use crate::machines::codec::{Named, Schema, SchemaLibrary};
use crate::machines::registry::Older;
use crate::model::Project;

/// References within references.
const DEPTH_MAX: u32 = 16;

/// One registry's subjects.
pub(super) struct Subjects<'a> {
    pub(super) project: &'a Project,
    pub(super) all: &'a [SubjectDeclared],
    pub(super) library: &'a SchemaLibrary,
}

/// A subject whose latest version is another text than the design says.
#[derive(Clone, Copy)]
pub(super) struct Replaced<'a> {
    pub(super) subject: &'a str,
    pub(super) text: &'a str,
}

impl Subjects<'_> {
    fn named(&self, name: &str) -> Option<&SubjectDeclared> {
        self.all.iter().find(|subject| subject.name == name)
    }
    fn text(&self, schema: &str) -> Result<&Arc<str>, String> {
        self.project.schemas.get(schema).map(|source| &source.text).ok_or_else(|| format!("the project has no schema `{schema}`"))
    }
    /// Every version, oldest first.
    pub(super) fn versions(&self, subject: &SubjectDeclared) -> Result<Vec<Older>, String> {
        let references = self.references(subject, None)?;
        let version = |(at, name): (usize, &String)| {
            let compiled = self.library.compile_with(&subject.schema_type, self.text(name)?, &references);
            let schema = compiled.map_err(|words| format!("schema `{name}`: {words}"))?;
            Ok(Older { version: Some(at as u32 + 1), schema })
        };
        subject.versions.iter().enumerate().map(version).collect()
    }
    /// A subject with another text for it, or for what it refers to.
    pub(super) fn compiled(&self, subject: &SubjectDeclared, replaced: Replaced<'_>) -> Result<Arc<Schema>, String> {
        let references = self.references(subject, Some(replaced))?;
        let latest = || subject.versions.last().ok_or_else(|| format!("subject `{}` has no version", subject.name));
        let text = if replaced.subject == subject.name { replaced.text } else { self.text(latest()?)? };
        self.library.compile_with(&subject.schema_type, text, &references)
    }
    /// Subjects that refer to this one, directly or by way of others.
    pub(super) fn dependents(&self, name: &str) -> Vec<&SubjectDeclared> {
        let refers = |subject: &SubjectDeclared, to: &str| subject.references.iter().any(|(_, of)| of == to);
        let mut found: Vec<&SubjectDeclared> = self.all.iter().filter(|subject| refers(subject, name)).collect();
        let mut at = 0;
        while let Some(next) = found.get(at).copied() {
            at += 1;
            let is_new = |subject: &&SubjectDeclared| subject.name != name && !found.iter().any(|known| known.name == subject.name);
            let more: Vec<&SubjectDeclared> = self.all.iter().filter(|subject| refers(subject, &next.name)).filter(is_new).collect();
            found.extend(more);
        }
        found
    }
    /// What a subject refers to, each behind what it refers to itself.
    fn references(&self, subject: &SubjectDeclared, replaced: Option<Replaced<'_>>) -> Result<Vec<Named>, String> {
        let mut named = Vec::new();
        self.collect(subject, replaced, 0, &mut named)?;
        Ok(named)
    }
    fn collect(&self, subject: &SubjectDeclared, replaced: Option<Replaced<'_>>, depth: u32, out: &mut Vec<Named>) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("`{}` refers to others more than {DEPTH_MAX} levels deep", subject.name));
        }
        for (name, of) in &subject.references {
            if out.iter().any(|known| *known.name == **name) {
                continue;
            }
            let other = self.named(of).ok_or_else(|| format!("`{}` refers to `{of}`, which is no subject", subject.name))?;
            self.collect(other, replaced, depth + 1, out)?;
            let text = match (replaced.filter(|replaced| replaced.subject == *of), other.versions.last()) {
                (Some(replaced), _) => replaced.text.into(),
                (None, Some(latest)) => Arc::clone(self.text(latest)?),
                (None, None) => return Err(format!("subject `{of}` has no version")),
            };
            out.push(Named { name: name.as_str().into(), text });
        }
        Ok(())
    }
}
