//! What a registry holds: schemas by id in each context, versions by subject, and who refers to whom.
//!
//! In: decisions of the rules. Out: facts for them. It decides nothing and refuses nothing.
//! Must not know: modes, compatibility, words of refusals. Start at [`Store`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::attachments::Attachments;
use super::name::{DEFAULT_CONTEXT, SubjectName};
use crate::machines::codec::Schema;

/// Another schema that a schema names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// As the text says it.
    pub name: Arc<str>,
    /// Where it is registered.
    pub subject: Arc<str>,
    /// Which version.
    pub version: u32,
}

/// What makes two registrations the same schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) schema_type: &'static str,
    pub(super) text: Arc<str>,
    pub(super) references: Arc<[Reference]>,
    pub(super) attachments: Attachments,
}

/// A schema with an id.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) schema: Arc<Schema>,
    pub(super) identity: Identity,
    /// Subjects and versions that have it, deleted ones too.
    pub(super) uses: BTreeSet<(Arc<str>, u32)>,
}

/// One version of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) id: u32,
    /// Softly: it is still there for those who ask for it.
    pub(super) is_deleted: bool,
}

/// Versions of a subject by number.
pub(super) type Versions = BTreeMap<u32, Version>;

#[derive(Clone, Debug, Default)]
struct Context {
    entries: BTreeMap<u32, Entry>,
    ids: BTreeMap<Identity, u32>,
    last_id: u32,
}

/// Everything that is registered.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    contexts: BTreeMap<Arc<str>, Context>,
    /// By qualified name, in the order of their first version.
    subjects: IndexMap<Arc<str>, Versions>,
    /// Ids that refer to a version, each with its context.
    referrers: BTreeMap<(Arc<str>, u32), BTreeSet<(Arc<str>, u32)>>,
}

impl Store {
    pub(super) fn versions(&self, subject: &str) -> Option<&Versions> {
        self.subjects.get(subject)
    }
    /// The subject's name as it is kept.
    pub(super) fn subject(&self, subject: &str) -> Option<&Arc<str>> {
        self.subjects.get_key_value(subject).map(|(name, _)| name)
    }
    pub(super) fn subjects(&self) -> impl Iterator<Item = (&Arc<str>, &Versions)> {
        self.subjects.iter()
    }
    pub(super) fn subjects_count(&self) -> usize {
        self.subjects.len()
    }
    pub(super) fn entries_count(&self) -> usize {
        self.contexts.values().map(|context| context.entries.len()).sum()
    }
    pub(super) fn entry(&self, context: &str, id: u32) -> Option<&Entry> {
        self.contexts.get(context)?.entries.get(&id)
    }
    pub(super) fn id_of(&self, context: &str, identity: &Identity) -> Option<u32> {
        self.contexts.get(context)?.ids.get(identity).copied()
    }
    /// Contexts that have or had a subject, the default one first.
    pub(super) fn contexts(&self) -> Vec<Arc<str>> {
        let others = self.contexts.keys().filter(|name| &***name != DEFAULT_CONTEXT).cloned();
        std::iter::once(Arc::from(DEFAULT_CONTEXT)).chain(others).collect()
    }
    /// The id after the last one of a context.
    pub(super) fn next_id(&self, context: &str) -> u32 {
        self.contexts.get(context).map_or(1, |context| context.last_id.saturating_add(1))
    }
    /// The latest version that is not deleted.
    pub(super) fn latest(&self, subject: &str) -> Option<(u32, Version)> {
        let versions = self.versions(subject)?;
        versions.iter().rev().find(|(_, version)| !version.is_deleted).map(|(number, version)| (*number, *version))
    }

    /// Puts a version in place, with its schema; what stood there goes.
    pub(super) fn put(&mut self, subject: &Arc<str>, number: u32, id: u32, schema: &Arc<Schema>, identity: Identity) {
        self.remove(subject, number);
        let name = SubjectName::parse(subject);
        let context_name: Arc<str> = name.context.into();
        for reference in &*identity.references {
            let key = (name.reference(&reference.subject).into(), reference.version);
            self.referrers.entry(key).or_default().insert((Arc::clone(&context_name), id));
        }
        let context = self.contexts.entry(context_name).or_default();
        context.last_id = context.last_id.max(id);
        context.ids.insert(identity.clone(), id);
        let fresh = || Entry { schema: Arc::clone(schema), identity, uses: BTreeSet::new() };
        context.entries.entry(id).or_insert_with(fresh).uses.insert((Arc::clone(subject), number));
        self.subjects.entry(Arc::clone(subject)).or_default().insert(number, Version { id, is_deleted: false });
    }

    pub(super) fn mark_deleted(&mut self, subject: &str, number: u32) {
        if let Some(version) = self.subjects.get_mut(subject).and_then(|versions| versions.get_mut(&number)) {
            version.is_deleted = true;
        }
    }

    /// Takes a version away for good. A schema that no version has any more goes with it, and what it referred to is free.
    pub(super) fn remove(&mut self, subject: &str, number: u32) {
        let Some(versions) = self.subjects.get_mut(subject) else { return };
        let Some(version) = versions.remove(&number) else { return };
        if versions.is_empty() {
            self.subjects.shift_remove(subject);
        }
        let name = SubjectName::parse(subject);
        let Some(context) = self.contexts.get_mut(name.context) else { return };
        let Some(entry) = context.entries.get_mut(&version.id) else { return };
        entry.uses.remove(&(Arc::from(subject), number));
        if !entry.uses.is_empty() {
            return;
        }
        let Some(entry) = context.entries.remove(&version.id) else { return };
        context.ids.remove(&entry.identity);
        let me = (Arc::from(name.context), version.id);
        for reference in &*entry.identity.references {
            let key = (Arc::from(name.reference(&reference.subject)), reference.version);
            if let Some(ids) = self.referrers.get_mut(&key) {
                ids.remove(&me);
                if ids.is_empty() {
                    self.referrers.remove(&key);
                }
            }
        }
    }

    /// Ids that refer to a version. Of schemas whose every version is deleted only when those count.
    pub(super) fn referrers(&self, subject: &str, number: u32, with_deleted: bool) -> Vec<(Arc<str>, u32)> {
        let ids = self.referrers.get(&(Arc::from(subject), number)).into_iter().flatten();
        ids.filter(|(context, id)| with_deleted || self.is_alive(context, *id)).cloned().collect()
    }

    fn is_alive(&self, context: &str, id: u32) -> bool {
        let uses = self.entry(context, id).map(|entry| &entry.uses);
        uses.into_iter().flatten().any(|(subject, number)| self.is_there(subject, *number, false))
    }

    /// Whether a version is there; deleted ones only when those count.
    pub(super) fn is_there(&self, subject: &str, number: u32, with_deleted: bool) -> bool {
        let version = self.versions(subject).and_then(|versions| versions.get(&number));
        version.is_some_and(|version| with_deleted || !version.is_deleted)
    }
}
