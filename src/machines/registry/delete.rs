//! Deleting: softly, so that ids still resolve, and then for good.
//!
//! Start at [`Registry::delete_version`].

use std::collections::BTreeSet;
use std::sync::Arc;

use super::name::SubjectName;
use super::{Mode, Registry, RegistryError, VersionChoice};

impl Registry {
    /// `DELETE /subjects/{subject}/versions/{version}[?permanent=true]`.
    ///
    /// # Errors
    /// 40401, 40402, 40406, 40407, 42205, 42206.
    pub fn delete_version(&mut self, subject: &str, version: VersionChoice, permanent: bool) -> Result<u32, RegistryError> {
        let subject = SubjectName::parse(subject).qualified();
        let number = match version {
            VersionChoice::Number(number) => number,
            VersionChoice::Latest => match self.store.latest(&subject) {
                Some((number, _)) => number,
                None if self.has_subject(&subject, true) => return Err(RegistryError::no_latest()),
                None => return Err(RegistryError::subject_not_found(&subject)),
            },
        };
        let known = self.store.versions(&subject).ok_or_else(|| RegistryError::subject_not_found(&subject))?;
        let found = *known.get(&number).ok_or_else(|| RegistryError::version_not_found(number))?;
        if found.is_deleted && !permanent {
            return Err(RegistryError::version_soft_deleted(&subject, number));
        }
        self.check_writable(&subject)?;
        if !self.store.referrers(&subject, number, permanent).is_empty() {
            return Err(RegistryError::reference_exists(&subject, number));
        }
        if !permanent {
            self.store.mark_deleted(&subject, number);
        } else if found.is_deleted {
            self.store.remove(&subject, number);
            if !self.has_subject(&subject, true) {
                self.drop_settings(&subject);
            }
        } else {
            return Err(RegistryError::version_not_soft_deleted(&subject, number));
        }
        Ok(number)
    }

    /// `DELETE /subjects/{subject}[?permanent=true]`: the versions that went.
    ///
    /// # Errors
    /// 40401, 40404, 40405, 42205, 42206.
    pub fn delete_subject(&mut self, subject: &str, permanent: bool) -> Result<Vec<u32>, RegistryError> {
        let subject = SubjectName::parse(subject).qualified();
        if !self.has_subject(&subject, true) {
            return Err(RegistryError::subject_not_found(&subject));
        }
        if !permanent && !self.has_subject(&subject, false) {
            return Err(RegistryError::subject_soft_deleted(&subject));
        }
        self.check_writable(&subject)?;
        let versions = self.store.versions(&subject).into_iter().flatten();
        let going: Vec<(u32, bool)> = versions
            .filter(|(_, version)| permanent || !version.is_deleted)
            .map(|(number, version)| (*number, version.is_deleted))
            .collect();
        for (number, is_deleted) in &going {
            if self.is_referred_to_from_outside(&subject, *number, permanent) {
                return Err(RegistryError::reference_exists(&subject, *number));
            }
            if permanent && !is_deleted {
                return Err(RegistryError::subject_not_soft_deleted(&subject));
            }
        }
        // The newest first: a version may refer to an older one of its own subject.
        for (number, _) in going.iter().rev() {
            if permanent {
                self.store.remove(&subject, *number);
            } else {
                self.store.mark_deleted(&subject, *number);
            }
        }
        if permanent {
            self.drop_settings(&subject);
        }
        Ok(going.into_iter().map(|(number, _)| number).collect())
    }

    /// Whether a version of another subject refers to this one.
    fn is_referred_to_from_outside(&self, subject: &str, number: u32, with_deleted: bool) -> bool {
        let ids = self.store.referrers(subject, number, with_deleted);
        let mut subjects: BTreeSet<&Arc<str>> = BTreeSet::new();
        for (context, id) in &ids {
            let uses = self.store.entry(context, *id).into_iter().flat_map(|entry| &entry.uses);
            subjects.extend(uses.filter(|(user, version)| self.store.is_there(user, *version, with_deleted)).map(|(user, _)| user));
        }
        subjects.iter().any(|user| &***user != subject)
    }

    pub(super) fn check_writable(&self, subject: &str) -> Result<(), RegistryError> {
        match self.mode_in_scope(subject) {
            Mode::ReadOnly | Mode::ReadOnlyOverride => {
                let context = SubjectName::parse(subject).prefix();
                Err(RegistryError::wrong_mode(subject, &context, "in read-only"))
            }
            _ => Ok(()),
        }
    }
}
