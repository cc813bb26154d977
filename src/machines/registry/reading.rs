//! What a registry tells: schemas by id and by version, lists of subjects and of versions.
//!
//! A subject without a context is looked for in every context, the default one first, as the product does.
//! Start at [`Registry::by_version`].

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::name::{ANY_CONTEXT, DEFAULT_CONTEXT, SubjectName};
use super::store::Identity;
use super::{Registered, Registry, RegistryError, VersionChoice};
use crate::event::{Named, SchemaFound};
use crate::machines::codec::SchemaType;

/// What deleted versions are to a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deleted {
    /// Left out.
    #[default]
    Without,
    /// In it.
    With,
    /// Nothing but them.
    Only,
}

impl Deleted {
    fn takes(self, is_deleted: bool) -> bool {
        match self {
            Self::Without => !is_deleted,
            Self::With => true,
            Self::Only => is_deleted,
        }
    }
}

impl Registry {
    /// `GET /subjects/{subject}/versions/{version}[?deleted=true]`.
    ///
    /// # Errors
    /// 40401, 40402.
    pub fn by_version(&self, subject: &str, version: VersionChoice, with_deleted: bool) -> Result<Registered, RegistryError> {
        let asked = SubjectName::parse(subject).qualified();
        let asked = self.meant(&asked).into_owned();
        let found = self.everywhere(&asked).into_iter().find_map(|subject| {
            let number = match version {
                VersionChoice::Number(number) => number,
                VersionChoice::Latest => self.store.latest(&subject)?.0,
            };
            self.store.is_there(&subject, number, with_deleted).then(|| self.registered(&subject, number))?
        });
        found.ok_or_else(|| match version {
            _ if !self.has_subject(&asked, with_deleted) => RegistryError::subject_not_found(&asked),
            VersionChoice::Number(number) => RegistryError::version_not_found(number),
            VersionChoice::Latest => RegistryError::no_latest(),
        })
    }
    /// `GET /schemas/ids/{id}[?subject=…]`. Deleted versions still give their schema.
    ///
    /// # Errors
    /// 40403 when no schema has this id.
    pub fn by_id(&self, id: u32, subject: Option<&str>) -> Result<Registered, RegistryError> {
        let (subject, number) = self.use_of(id, subject).ok_or_else(|| RegistryError::schema_not_found(id))?;
        self.registered(&subject, number).ok_or_else(|| RegistryError::schema_not_found(id))
    }
    /// `GET /schemas/guids/{guid}`: the schema of this content, whatever its id.
    ///
    /// # Errors
    /// 40403.
    pub fn by_guid(&self, guid: &str) -> Result<Registered, RegistryError> {
        let wanted = guid.to_ascii_lowercase();
        let mut all = self.store.subjects().flat_map(|(subject, versions)| versions.keys().map(move |number| (subject, *number)));
        let found = all.find_map(|(subject, number)| self.registered(subject, number).filter(|found| *found.guid == *wanted));
        found.ok_or_else(RegistryError::no_such_schema)
    }
    /// `GET /schemas/ids/{id}/versions`: subjects and versions that have this schema.
    ///
    /// # Errors
    /// 40403.
    pub fn versions_of_id(&self, id: u32, subject: Option<&str>, with_deleted: bool) -> Result<Vec<(Arc<str>, u32)>, RegistryError> {
        let (found, _) = self.use_of(id, subject).ok_or_else(RegistryError::no_such_schema)?;
        let entry = self.store.entry(SubjectName::parse(&found).context, id).ok_or_else(RegistryError::no_such_schema)?;
        let uses = entry.uses.iter().filter(|(subject, number)| self.store.is_there(subject, *number, with_deleted));
        Ok(uses.cloned().collect())
    }
    /// `GET /schemas/ids/{id}/subjects`.
    ///
    /// # Errors
    /// 40403.
    pub fn subjects_of_id(&self, id: u32, subject: Option<&str>, with_deleted: bool) -> Result<Vec<Arc<str>>, RegistryError> {
        let subjects: BTreeSet<Arc<str>> =
            self.versions_of_id(id, subject, with_deleted)?.into_iter().map(|(subject, _)| subject).collect();
        Ok(subjects.into_iter().collect())
    }
    /// `GET /subjects[?subjectPrefix=…]`, by name. The prefix `:*:` before a name stands for all contexts; nothing is
    /// everything.
    #[must_use]
    pub fn subjects(&self, prefix: Option<&str>, deleted: Deleted) -> Vec<Arc<str>> {
        let prefix = prefix.unwrap_or(ANY_CONTEXT);
        let is_meant = |subject: &str| match prefix.strip_prefix(ANY_CONTEXT) {
            Some(rest) => SubjectName::parse(subject).subject.starts_with(rest),
            None => subject.starts_with(prefix),
        };
        let all_deleted = |versions: &super::store::Versions| versions.values().all(|version| version.is_deleted);
        let meant = self.store.subjects().filter(|(subject, versions)| is_meant(subject) && deleted.takes(all_deleted(versions)));
        let names: BTreeSet<Arc<str>> = meant.map(|(subject, _)| Arc::clone(subject)).collect();
        names.into_iter().collect()
    }
    /// `GET /subjects/{subject}/versions`, oldest first.
    ///
    /// # Errors
    /// 40401.
    pub fn versions(&self, subject: &str, deleted: Deleted) -> Result<Vec<u32>, RegistryError> {
        let subject = SubjectName::parse(subject).qualified();
        if !self.has_subject(&subject, deleted != Deleted::Without) {
            return Err(RegistryError::subject_not_found(&subject));
        }
        let versions = self.store.versions(&subject).into_iter().flatten();
        Ok(versions.filter(|(_, version)| deleted.takes(version.is_deleted)).map(|(number, _)| *number).collect())
    }
    /// `GET /contexts`: the default one and every one that a subject was registered in.
    #[must_use]
    pub fn contexts(&self) -> Vec<Arc<str>> {
        self.store.contexts()
    }
    /// `GET /schemas/types`.
    #[must_use]
    pub fn schema_types(&self) -> &'static [&'static str] {
        SchemaType::WORDS
    }
    /// A version with its text in another format: `serialized` is a Protobuf file compiled, as Base64. Formats that there
    /// are not change nothing, as in the product.
    ///
    /// # Errors
    /// 42201 when a reference leads nowhere.
    pub fn formatted(&self, registered: Registered, format: &str) -> Result<Registered, RegistryError> {
        if format != "serialized" {
            return Ok(registered);
        }
        let found = self.found(&registered)?;
        let schema = self.library.compile_found(&found);
        let schema = schema.map_err(|words| RegistryError::invalid_schema(registered.schema_type, &words))?;
        Ok(schema.serialized().map_or(registered.clone(), |text| Registered { text: text.into(), ..registered }))
    }
    /// What a client of a run gets: the schema with the texts that it refers to.
    ///
    /// # Errors
    /// 42201 when a reference leads nowhere.
    pub fn found(&self, registered: &Registered) -> Result<SchemaFound, RegistryError> {
        let texts = self.referenced(&registered.subject, &registered.references);
        let references: Vec<Named> = texts.map_err(|words| RegistryError::invalid_schema(registered.schema_type, &words))?;
        Ok(SchemaFound {
            id: registered.id,
            uuid: None,
            subject: Arc::clone(&registered.subject),
            version: registered.version,
            schema_type: registered.schema_type.into(),
            text: Arc::clone(&registered.text),
            references: references.into(),
        })
    }

    /// Whether a subject, or any subject of a context, has a version.
    pub(super) fn has_subject(&self, subject: &str, with_deleted: bool) -> bool {
        let versions = self.store.versions(subject).into_iter().flat_map(|versions| versions.values());
        versions.into_iter().any(|version| with_deleted || !version.is_deleted)
    }
    pub(super) fn registered(&self, subject: &str, number: u32) -> Option<Registered> {
        let name = self.store.subject(subject)?;
        let version = self.store.versions(subject)?.get(&number)?;
        let entry = self.store.entry(SubjectName::parse(subject).context, version.id)?;
        Some(Registered {
            id: version.id,
            guid: guid(&entry.identity),
            subject: Arc::clone(name),
            version: number,
            schema_type: entry.identity.schema_type,
            text: Arc::clone(&entry.identity.text),
            references: Arc::clone(&entry.identity.references),
            attachments: entry.identity.attachments.clone(),
            is_deleted: version.is_deleted,
        })
    }
    /// A name and, where it has no context, the same name in every other context.
    pub(super) fn everywhere(&self, subject: &str) -> Vec<String> {
        let name = SubjectName::parse(subject);
        let mut names = vec![name.qualified()];
        if name.context == DEFAULT_CONTEXT {
            let others = self.store.contexts().into_iter().skip(1);
            names.extend(others.map(|context| SubjectName { context: &context, subject: name.subject }.qualified()));
        }
        names
    }
    /// A subject and version that have an id: of the subject, where it has it, else any of its context.
    fn use_of(&self, id: u32, subject: Option<&str>) -> Option<(Arc<str>, u32)> {
        let asked = SubjectName::parse(subject.unwrap_or_default());
        let of_subject = |subject: &str| {
            let entry = self.store.entry(SubjectName::parse(subject).context, id)?;
            entry.uses.iter().rev().find(|(user, _)| **user == *subject).cloned()
        };
        let of_context = || self.store.entry(asked.context, id)?.uses.first().cloned();
        if asked.is_context() {
            return of_context();
        }
        let found = self.everywhere(&asked.qualified()).iter().find_map(|subject| of_subject(subject));
        if asked.context == DEFAULT_CONTEXT { found.or_else(of_context) } else { found }
    }
}

/// A name for the content of a schema, as a UUID. The product's is an MD5; clients only compare it.
fn guid(identity: &Identity) -> Arc<str> {
    let mut hash = Sha256::new();
    hash.update(identity.text.as_bytes());
    for reference in &*identity.references {
        hash.update([0]);
        hash.update(reference.name.as_bytes());
        hash.update([0]);
        hash.update(reference.subject.as_bytes());
        hash.update(reference.version.to_be_bytes());
    }
    for attachment in [&identity.attachments.metadata, &identity.attachments.rule_set].into_iter().flatten() {
        hash.update([0]);
        hash.update(attachment.as_bytes());
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    crate::machines::codec::uuid_text(bytes).into()
}
