//! Registering a version, testing whether one could be registered, and looking one up by its text.
//!
//! All three prepare the schema in the same way, and both of the first ask [`judge`].
//! Start at [`Registry::register`]; the source is Confluent's `KafkaSchemaRegistry.register`.

use std::str::FromStr;
use std::sync::Arc;

use super::attachments::Attachments;
use super::name::SubjectName;
use super::store::{Identity, Reference};
use super::verdict::{Older, Verdict, judge};
use super::{Mode, Registered, Registry, RegistryError, SUBJECTS_MAX, VERSIONS_MAX, VersionChoice};
use crate::machines::codec::{Schema, SchemaType};

/// A schema that a client sends.
#[derive(Clone, Debug, Default)]
pub struct NewSchema {
    /// `AVRO`, `JSON` or `PROTOBUF`; Avro when empty.
    pub schema_type: Arc<str>,
    /// The schema.
    pub text: Arc<str>,
    /// What it names.
    pub references: Vec<NewReference>,
    /// Its metadata and rules; what is left out is as the subject's latest version has it.
    pub attachments: Attachments,
    /// In the modes IMPORT and FORWARD: the id that it has elsewhere.
    pub id: Option<u32>,
    /// The version that it is to be; the next one when absent.
    pub version: Option<u32>,
}

/// A reference as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReference {
    /// As the text says it.
    pub name: Arc<str>,
    /// Where it is registered.
    pub subject: Arc<str>,
    /// Which version.
    pub version: VersionChoice,
}

/// How a schema is registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Registering {
    /// Texts that mean the same are the same, whatever the subject's configuration says.
    pub normalize: bool,
    /// Without a look at compatibility.
    pub force: bool,
}

/// What a schema is tested against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// What registering would look at.
    Subject,
    /// One version.
    Version(VersionChoice),
}

/// A schema that was read, with all that it refers to.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) schema: Arc<Schema>,
    pub(super) identity: Identity,
}

impl NewSchema {
    /// A schema without references.
    #[must_use]
    pub fn new(schema_type: &str, text: &str) -> Self {
        Self { schema_type: schema_type.into(), text: text.into(), ..Self::default() }
    }
    /// What a version was registered with; its metadata and rules are the latest version's anyway.
    pub(super) fn again(version: &Registered) -> Self {
        let references = version.references.iter().map(|reference| NewReference {
            name: Arc::clone(&reference.name),
            subject: Arc::clone(&reference.subject),
            version: VersionChoice::Number(reference.version),
        });
        let (schema_type, text) = (version.schema_type.into(), Arc::clone(&version.text));
        Self { schema_type, text, references: references.collect(), ..Self::default() }
    }
}

impl Registry {
    /// `POST /subjects/{subject}/versions`. A text that the subject has already gives the version that it is; a text that
    /// another subject of the context has gives its id.
    ///
    /// # Errors
    /// 42201 for a text that is no schema, 40901 with every reason for one that breaks the subject's rule, 42205 and
    /// 42207 by mode, 42208.
    pub fn register(&mut self, subject: &str, new: &NewSchema, how: Registering) -> Result<Registered, RegistryError> {
        let name = SubjectName::parse(subject);
        if !name.is_valid(subject) {
            return Err(RegistryError::invalid_subject(subject));
        }
        let subject: Arc<str> = name.qualified().into();
        let is_import = matches!(self.mode_in_scope(&subject), Mode::Import | Mode::Forward);
        // Whoever sends no text means the latest one, with other metadata or rules.
        let without_text = (new.text.trim().is_empty() && !is_import).then(|| self.by_version(&subject, VersionChoice::Latest, false));
        let filled = without_text.and_then(Result::ok).map(|latest| {
            let NewSchema { attachments, id, version, .. } = new.clone();
            NewSchema { attachments, id, version, ..NewSchema::again(&latest) }
        });
        let new = filled.as_ref().unwrap_or(new);
        let latest = self.latest_attachments(&subject).filter(|_| !is_import);
        let prepared = self.prepare(&subject, new, &new.attachments.or_from(latest), how.normalize)?;
        if new.version.is_none_or(|version| version == 0)
            && let Some(known) = self.find(&subject, &prepared, false)
            && new.id.is_none_or(|id| id == known.id)
        {
            return Ok(known);
        }
        self.check_mode(&subject, new)?;
        let known_id = self.store.id_of(name.context, &prepared.identity);
        if !is_import && !how.force {
            let verdict = self.judge_next(&subject, &prepared.schema);
            if !verdict.is_compatible() {
                return Err(RegistryError::incompatible(&subject, &verdict));
            }
        }
        let version = self.next_version(&subject, new.version, is_import)?;
        let id = self.id_for(name.context, &prepared, new.id, known_id)?;
        self.forget_deleted(&subject, id, version);
        self.store.put(&subject, version, id, &prepared.schema, prepared.identity);
        self.by_version(&subject, VersionChoice::Number(version), true)
    }

    /// `POST /compatibility/subjects/{subject}/versions[/{version}]`.
    ///
    /// # Errors
    /// 42201 for a text that is no schema, 40402 for a version that is not there.
    pub fn test(&self, subject: &str, new: &NewSchema, against: Against, normalize: bool) -> Result<Verdict, RegistryError> {
        let subject = SubjectName::parse(subject).qualified();
        let older = match against {
            Against::Subject => self.older(&subject),
            Against::Version(VersionChoice::Latest) => self.older(&subject).pop().into_iter().collect(),
            Against::Version(VersionChoice::Number(number)) => {
                let older = self.older(&subject).into_iter().find(|older| older.version == Some(number));
                vec![older.ok_or_else(|| RegistryError::version_not_found(number))?]
            }
        };
        let prepared = self.prepare(&subject, new, &new.attachments, normalize)?;
        let config = self.config_in_scope(&subject);
        Ok(judge(&self.library, &prepared.schema, &older, config.level(self.level), self.rules(&config)))
    }

    /// `POST /subjects/{subject}`: which version a text is.
    ///
    /// # Errors
    /// 40401, 40403, 42201.
    pub fn lookup(&self, subject: &str, new: &NewSchema, normalize: bool, with_deleted: bool) -> Result<Registered, RegistryError> {
        let names = self.everywhere(subject);
        let mut refused = None;
        for (at, subject) in names.iter().enumerate() {
            match self.prepare(subject, new, &new.attachments, normalize) {
                Ok(mut prepared) => {
                    let found = self.find(subject, &prepared, with_deleted);
                    // As registering would fill it up.
                    let found = found.or_else(|| {
                        prepared.identity.attachments = new.attachments.or_from(self.latest_attachments(subject));
                        self.find(subject, &prepared, with_deleted)
                    });
                    if let Some(known) = found {
                        return Ok(known);
                    }
                }
                Err(error) if at == 0 => refused = Some(error),
                Err(_) => {}
            }
        }
        let is_known = self.has_subject(&names[0], with_deleted);
        Err(refused.unwrap_or_else(|| if is_known { RegistryError::no_such_schema() } else { RegistryError::subject_not_found(&names[0]) }))
    }

    /// Reads a schema and what it refers to, as a subject's configuration wants it.
    pub(super) fn prepare(
        &self,
        subject: &str,
        new: &NewSchema,
        attachments: &Attachments,
        normalize: bool,
    ) -> Result<Prepared, RegistryError> {
        let word = if new.schema_type.is_empty() { "AVRO" } else { &*new.schema_type };
        let schema_type = SchemaType::from_str(word).map_err(|_| RegistryError::invalid_schema_type(word))?;
        if new.text.trim().is_empty() {
            return Err(RegistryError::empty_schema());
        }
        let refuse = |words: String| RegistryError::invalid_schema(word, &words);
        let mut references = self.pinned(subject, &new.references).map_err(refuse)?;
        let texts = self.referenced(subject, &references).map_err(refuse)?;
        let schema = self.library.compile_with(word, &new.text, &texts).map_err(refuse)?;
        let is_normal = normalize || self.config_in_scope(subject).normalize.unwrap_or(false);
        let text = if is_normal {
            references.sort();
            references.dedup();
            schema.normal_text()
        } else {
            schema.stored_text()
        };
        // What is kept is what clients get: it is compiled as they see it.
        let schema = if *schema.text() == text { schema } else { self.library.compile_with(word, &text, &texts).map_err(refuse)? };
        let attachments = attachments.clone();
        let identity = Identity { schema_type: schema_type.as_str(), text, references: references.into(), attachments };
        Ok(Prepared { schema, identity })
    }

    /// The version of a subject that is this schema; the newest of several.
    fn find(&self, subject: &str, prepared: &Prepared, with_deleted: bool) -> Option<Registered> {
        let versions = self.store.versions(subject)?;
        let context = SubjectName::parse(subject).context;
        let id = self.store.id_of(context, &prepared.identity);
        let is_same = |known: u32| {
            let Some(entry) = self.store.entry(context, known) else { return false };
            // A schema may be sent with everything that the registered one refers to written out.
            Some(known) == id
                || (prepared.identity.references.is_empty()
                    && !entry.identity.references.is_empty()
                    && entry.identity.attachments == prepared.identity.attachments
                    && entry.schema.is_same_resolved(&prepared.schema))
        };
        let found = versions.iter().rev().find(|(_, version)| (with_deleted || !version.is_deleted) && is_same(version.id));
        found.and_then(|(number, _)| self.registered(subject, *number))
    }

    fn latest_attachments(&self, subject: &str) -> Option<&Attachments> {
        let (_, latest) = self.store.latest(subject)?;
        Some(&self.store.entry(SubjectName::parse(subject).context, latest.id)?.identity.attachments)
    }

    /// The verdict of the subject's level on a next version.
    fn judge_next(&self, subject: &str, schema: &Schema) -> Verdict {
        let config = self.config_in_scope(subject);
        judge(&self.library, schema, &self.older(subject), config.level(self.level), self.rules(&config))
    }

    /// Versions that count in checks, oldest first.
    fn older(&self, subject: &str) -> Vec<Older> {
        let context = SubjectName::parse(subject).context;
        let versions = self.store.versions(subject).into_iter().flatten().filter(|(_, version)| !version.is_deleted);
        let with_schema = versions.filter_map(|(number, version)| {
            let entry = self.store.entry(context, version.id)?;
            Some(Older { version: Some(*number), schema: Arc::clone(&entry.schema) })
        });
        with_schema.collect()
    }

    fn check_mode(&self, subject: &str, new: &NewSchema) -> Result<(), RegistryError> {
        let (mode, context) = (self.mode_in_scope(subject), SubjectName::parse(subject).prefix());
        let refuse = |what| Err(RegistryError::wrong_mode(subject, &context, what));
        let is_import = matches!(mode, Mode::Import | Mode::Forward);
        match (mode, new.id) {
            (Mode::ReadOnly | Mode::ReadOnlyOverride, _) => refuse("in read-only"),
            (_, Some(_)) if !is_import => refuse("not in import"),
            (_, None) if mode != Mode::ReadWrite => refuse("not in read-write"),
            _ => Ok(()),
        }
    }

    fn next_version(&self, subject: &str, wanted: Option<u32>, is_import: bool) -> Result<u32, RegistryError> {
        let versions = self.store.versions(subject);
        let is_full = match versions {
            Some(versions) => versions.len() >= VERSIONS_MAX,
            None => self.store.subjects_count() >= SUBJECTS_MAX,
        };
        let last = versions.and_then(|versions| versions.keys().next_back().copied()).unwrap_or(0);
        if is_full || last >= i32::MAX as u32 {
            return Err(RegistryError::full(subject));
        }
        match wanted.filter(|wanted| *wanted > 0) {
            Some(wanted) if wanted > i32::MAX as u32 => Err(RegistryError::invalid_version(&wanted.to_string())),
            Some(wanted) if wanted != last + 1 && !is_import => Err(RegistryError::unexpected_version()),
            Some(wanted) => Ok(wanted),
            None => Ok(last + 1),
        }
    }

    fn id_for(&self, context: &str, prepared: &Prepared, given: Option<u32>, known: Option<u32>) -> Result<u32, RegistryError> {
        let Some(given) = given else { return Ok(known.unwrap_or_else(|| self.store.next_id(context))) };
        match known {
            Some(known) if known != given => return Err(RegistryError::id_does_not_match(known, given)),
            _ => {}
        }
        let taken = self.store.entry(context, given).is_some_and(|entry| entry.identity != prepared.identity);
        if taken {
            let shown = SubjectName { context, subject: "" }.prefix();
            return Err(RegistryError::overwrite(given, &shown));
        }
        Ok(given)
    }

    /// A schema that comes back takes the place of its deleted versions, unless somebody refers to them.
    fn forget_deleted(&mut self, subject: &str, id: u32, before: u32) {
        let versions = self.store.versions(subject).into_iter().flatten();
        let gone = versions.filter(|(number, version)| version.is_deleted && version.id == id && **number < before);
        let gone: Vec<u32> = gone.map(|(number, _)| *number).collect();
        for number in gone {
            if self.store.referrers(subject, number, true).is_empty() {
                self.store.remove(subject, number);
            }
        }
    }

    /// References with numbers instead of `latest`.
    fn pinned(&self, subject: &str, references: &[NewReference]) -> Result<Vec<Reference>, String> {
        let pin = |reference: &NewReference| {
            let target = SubjectName::parse(subject).reference(&reference.subject);
            let number = match reference.version {
                VersionChoice::Number(number) => Some(number),
                VersionChoice::Latest => self.store.latest(&target).map(|(number, _)| number),
            };
            let missing = || super::references::not_found(&target, reference.version);
            let version = number.filter(|number| self.store.is_there(&target, *number, true)).ok_or_else(missing)?;
            Ok(Reference { name: Arc::clone(&reference.name), subject: Arc::clone(&reference.subject), version })
        };
        references.iter().map(pin).collect()
    }
}
