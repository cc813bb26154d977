//! References resolved to texts, and who refers to a version.
//!
//! Start at [`Registry::referenced`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::name::SubjectName;
use super::store::Reference;
use super::{Registry, RegistryError, VersionChoice};
use crate::machines::codec::Named;

/// Schemas that one schema may refer to, directly and through others.
const REFERENCES_MAX: usize = 1_000;
/// References of references.
const DEPTH_MAX: usize = 100;

impl Registry {
    /// The texts that a schema of this subject refers to: what a reference itself refers to stands before it, each name
    /// once.
    pub(super) fn referenced(&self, subject: &str, references: &[Reference]) -> Result<Vec<Named>, String> {
        let mut resolved = Resolved::default();
        self.resolve(subject, references, &mut resolved, 0)?;
        Ok(resolved.texts)
    }

    fn resolve(&self, subject: &str, references: &[Reference], out: &mut Resolved, depth: usize) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("references are nested more than {DEPTH_MAX} levels deep"));
        }
        let name = SubjectName::parse(subject);
        for reference in references {
            let target = name.reference(&reference.subject);
            if !out.names.insert(Arc::clone(&reference.name)) {
                continue;
            }
            if out.names.len() > REFERENCES_MAX {
                return Err(format!("the schema refers to more than {REFERENCES_MAX} others"));
            }
            let version = self.store.versions(&target).and_then(|versions| versions.get(&reference.version));
            let entry = version.and_then(|version| self.store.entry(SubjectName::parse(&target).context, version.id));
            let entry = entry.ok_or_else(|| not_found(&target, VersionChoice::Number(reference.version)))?;
            self.resolve(&target, &entry.identity.references, out, depth + 1)?;
            out.texts.push(Named { name: Arc::clone(&reference.name), text: Arc::clone(&entry.identity.text) });
        }
        Ok(())
    }

    /// `GET /subjects/{subject}/versions/{version}/referencedby`: ids of the schemas that refer to a version.
    ///
    /// # Errors
    /// 40401, 40402.
    pub fn referenced_by(&self, subject: &str, version: VersionChoice, with_deleted: bool) -> Result<Vec<u32>, RegistryError> {
        let found = self.by_version(subject, version, true)?;
        Ok(self.store.referrers(&found.subject, found.version, with_deleted).into_iter().map(|(_, id)| id).collect())
    }
}

#[derive(Default)]
struct Resolved {
    names: BTreeSet<Arc<str>>,
    texts: Vec<Named>,
}

/// In the product's words.
pub(super) fn not_found(subject: &str, version: VersionChoice) -> String {
    let version = match version {
        VersionChoice::Latest => "-1".to_owned(),
        VersionChoice::Number(number) => number.to_string(),
    };
    format!("No schema reference found for subject \"{subject}\" and version {version}")
}
