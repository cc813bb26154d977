//! How the subjects of a registry stand: of either product, in one form.
//!
//! Start at [`Backend::standings`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::backend::Backend;
use crate::event::{SUBJECTS_SHOWN_MAX, SubjectStanding, VersionStanding, VersionState};
use crate::machines::codec::Policy;
use crate::machines::registry::glue::{GlueLevel, GlueRegistry, GlueStatus};
use crate::machines::registry::{Deleted, Registry, VersionChoice};
use crate::units::SimTime;

/// When versions were registered, by subject and number; none for those that a run began with.
pub(super) type Born = BTreeMap<(Arc<str>, u32), Option<SimTime>>;

impl Backend {
    /// Every subject with its versions, deleted ones too.
    pub(super) fn standings(&self, born: &Born) -> Vec<SubjectStanding> {
        match self {
            Self::Confluent(registry) => {
                let subjects = registry.subjects(None, Deleted::With).into_iter().take(SUBJECTS_SHOWN_MAX);
                subjects.map(|name| of_confluent(registry, name, born)).collect()
            }
            Self::Glue { registry, .. } => {
                registry.schemas().take(SUBJECTS_SHOWN_MAX).filter_map(|name| of_glue(registry, name, born)).collect()
            }
        }
    }
}

fn of_confluent(registry: &Registry, name: Arc<str>, born: &Born) -> SubjectStanding {
    let config = registry.config_in_scope(&name);
    let level: Arc<str> = config.level(registry.default_level()).to_string().into();
    let numbers = registry.versions(&name, Deleted::With).unwrap_or_default();
    let version = |number: u32| {
        let found = registry.by_version(&name, VersionChoice::Number(number), true).ok()?;
        Some(VersionStanding {
            number,
            id: found.id,
            uuid: None,
            refers: found.references.iter().map(|one| (Arc::clone(&one.name), Arc::clone(&one.subject))).collect(),
            references: registry.found(&found).map(|found| found.references).unwrap_or_default(),
            text: found.text,
            state: if found.is_deleted { VersionState::Deleted } else { VersionState::Available },
            registered: born.get(&(Arc::clone(&name), number)).copied().flatten(),
        })
    };
    let latest = registry.by_version(&name, VersionChoice::Latest, true).or_else(|_| {
        let last = numbers.last().copied().unwrap_or(1);
        registry.by_version(&name, VersionChoice::Number(last), true)
    });
    SubjectStanding {
        schema_type: latest.map_or("AVRO", |latest| latest.schema_type).into(),
        question: Some(Arc::clone(&level)),
        level,
        policy: config.policy.unwrap_or_default().to_string().into(),
        is_glue: false,
        against: registry.versions(&name, Deleted::Without).unwrap_or_default(),
        versions: numbers.into_iter().filter_map(version).collect(),
        refused: None,
        name,
    }
}

fn of_glue(registry: &GlueRegistry, name: &Arc<str>, born: &Born) -> Option<SubjectStanding> {
    let level = registry.level(name).ok()?;
    let found: Vec<_> = registry.numbers(name).filter_map(|number| registry.version(name, VersionChoice::Number(number)).ok()).collect();
    let version = |found: &crate::machines::registry::glue::GlueVersion| VersionStanding {
        number: found.number,
        id: found.id,
        uuid: Some(found.uuid),
        text: Arc::clone(&found.text),
        refers: Vec::new(),
        references: Arc::default(),
        state: match found.status {
            GlueStatus::Failure => VersionState::Failed,
            GlueStatus::Deleting => VersionState::Deleted,
            GlueStatus::Available | GlueStatus::Pending => VersionState::Available,
        },
        registered: born.get(&(Arc::clone(name), found.number)).copied().flatten(),
    };
    Some(SubjectStanding {
        name: Arc::clone(name),
        schema_type: found.last().map_or("AVRO", |last| last.data_format).into(),
        level: level.to_string().into(),
        question: (level != GlueLevel::Disabled).then(|| level.question().to_string().into()),
        policy: Policy::Strict.to_string().into(),
        is_glue: true,
        against: registry.compared_with(name).collect(),
        versions: found.iter().map(version).collect(),
        refused: None,
    })
}
