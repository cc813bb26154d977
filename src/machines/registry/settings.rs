//! Configurations and modes: of a subject, of a context, and the global ones behind them.
//!
//! A scope is a subject, a context (`:.ctx:`), or nothing for the global setting.
//! Start at [`Registry::set_config`]; what rules a subject is [`Registry::config_in_scope`].

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::name::{DEFAULT_CONTEXT, GLOBAL_CONTEXT, SubjectName};
use super::{Compatibility, Registry, RegistryError, VersionChoice};
use crate::machines::codec::{Policy, Rules};

/// Scopes with a setting of their own.
const SETTINGS_MAX: usize = 20_000;

/// What a registry lets clients do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    #[default]
    ReadWrite,
    /// Look up.
    ReadOnly,
    /// Look up, whatever subjects say for themselves.
    ReadOnlyOverride,
    /// Register with the ids and versions of another registry, unchecked.
    Import,
    /// The same, while clients still write elsewhere.
    Forward,
}

impl Mode {
    /// As the product writes them.
    pub const WORDS: &'static [&'static str] = &["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD"];
    const ALL: [Self; 5] = [Self::ReadWrite, Self::ReadOnly, Self::ReadOnlyOverride, Self::Import, Self::Forward];
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Self::ALL.iter().position(|mode| mode == self).unwrap_or_default();
        f.write_str(Self::WORDS[at])
    }
}

impl FromStr for Mode {
    type Err = RegistryError;
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let text = text.to_ascii_uppercase();
        let at = Self::WORDS.iter().position(|word| *word == text);
        at.map(|at| Self::ALL[at]).ok_or_else(RegistryError::invalid_mode)
    }
}

/// What a scope says for itself; what it leaves out it takes from behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `compatibilityLevel`.
    pub level: Option<Compatibility>,
    /// `compatibilityPolicy`.
    pub policy: Option<Policy>,
    /// `normalize`.
    pub normalize: Option<bool>,
    /// `alias`: the subject that is meant when this one is asked for.
    pub alias: Option<Arc<str>>,
}

/// A change of a configuration, in the product's words; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigUpdate {
    /// `compatibility`.
    pub level: Option<String>,
    /// `compatibilityPolicy`.
    pub policy: Option<String>,
    /// `normalize`.
    pub normalize: Option<bool>,
    /// `alias`.
    pub alias: Option<String>,
}

impl Config {
    /// The level, or the one that stands behind it.
    #[must_use]
    pub fn level(&self, or: Compatibility) -> Compatibility {
        self.level.unwrap_or(or)
    }
    /// This configuration with what another one has where this one has nothing.
    fn or(self, behind: &Self) -> Self {
        Self { level: self.level, policy: self.policy.or(behind.policy), normalize: self.normalize.or(behind.normalize), alias: self.alias }
    }
}

impl Registry {
    /// `GET /config[/{subject}]`.
    ///
    /// # Errors
    /// 40408 when the scope has none of its own and the global one is not asked for.
    pub fn config(&self, scope: Option<&str>, default_to_global: bool) -> Result<Config, RegistryError> {
        let scope = scope_of(scope);
        if default_to_global {
            return Ok(self.filled(self.config_in_scope(&scope)));
        }
        match self.configs.get(&*scope) {
            Some(config) => Ok(self.filled(config.clone())),
            None if is_global(&scope) => Ok(self.filled(Config::default())),
            None => Err(RegistryError::no_config(&scope)),
        }
    }
    /// `PUT /config[/{subject}]`. The configuration as it is now.
    ///
    /// # Errors
    /// 42203, 42205, 42208.
    pub fn set_config(&mut self, scope: Option<&str>, update: &ConfigUpdate) -> Result<Config, RegistryError> {
        let level = update.level.as_deref().map(|text| text.to_ascii_uppercase().parse::<Compatibility>());
        let level = level.transpose().map_err(|_| RegistryError::invalid_level())?;
        let policy = update.policy.as_deref().map(str::parse::<Policy>).transpose().map_err(|_| RegistryError::invalid_policy())?;
        let scope = self.valid_scope(scope, self.configs.len())?;
        self.check_writable(&scope)?;
        let config = self.configs.entry(scope).or_default();
        config.level = level.or(config.level);
        config.policy = policy.or(config.policy);
        config.normalize = update.normalize.or(config.normalize);
        if let Some(alias) = &update.alias {
            config.alias = Some(alias.as_str().into()).filter(|alias: &Arc<str>| !alias.is_empty());
        }
        Ok(config.clone())
    }
    /// `DELETE /config[/{subject}]`: what is gone.
    ///
    /// # Errors
    /// 40401 when there was nothing, 42205.
    pub fn delete_config(&mut self, scope: Option<&str>) -> Result<Config, RegistryError> {
        let scope = scope_of(scope);
        if !self.configs.contains_key(&*scope) && !is_global(&scope) {
            return Err(RegistryError::subject_not_found(&scope));
        }
        self.check_writable(&scope)?;
        let gone = self.configs.remove(&*scope).unwrap_or_default();
        Ok(self.filled(gone))
    }
    /// `GET /mode[/{subject}]`.
    ///
    /// # Errors
    /// 40409 when the scope has none of its own and the global one is not asked for.
    pub fn mode(&self, scope: Option<&str>, default_to_global: bool) -> Result<Mode, RegistryError> {
        let scope = scope_of(scope);
        if default_to_global {
            return Ok(self.mode_in_scope(&scope));
        }
        match self.modes.get(&*scope) {
            Some(mode) => Ok(*mode),
            None if is_global(&scope) => Ok(Mode::default()),
            None => Err(RegistryError::no_mode(&scope)),
        }
    }
    /// `PUT /mode[/{subject}]`. To go over to IMPORT nothing may be registered, unless it is forced; what was deleted
    /// softly goes for good.
    ///
    /// # Errors
    /// 42204, 42205, 42206, 42208.
    pub fn set_mode(&mut self, scope: Option<&str>, mode: &str, force: bool) -> Result<Mode, RegistryError> {
        let wanted: Mode = mode.parse()?;
        let scope = self.valid_scope(scope, self.modes.len())?;
        if wanted == Mode::Forward && !is_global(&scope) {
            return Err(RegistryError::forward_is_global());
        }
        if wanted == Mode::Import && self.mode_in_scope(&scope) != Mode::Import && !force {
            self.clear_for_import(&scope)?;
        }
        self.modes.insert(scope, wanted);
        Ok(wanted)
    }
    /// `DELETE /mode[/{subject}]`: what is gone.
    ///
    /// # Errors
    /// 40401 when there was nothing.
    pub fn delete_mode(&mut self, scope: Option<&str>) -> Result<Mode, RegistryError> {
        let scope = scope_of(scope);
        match self.modes.remove(&*scope) {
            Some(mode) => Ok(mode),
            None if is_global(&scope) => Ok(Mode::default()),
            None => Err(RegistryError::subject_not_found(&scope)),
        }
    }

    /// What rules a subject: its own configuration over its context's or the global one.
    #[must_use]
    pub fn config_in_scope(&self, subject: &str) -> Config {
        let global = self.configs.get("").cloned().unwrap_or_default();
        match self.configs.get(subject) {
            // A subject that says nothing of its level has the product's own, not the global one.
            Some(own) if !subject.is_empty() => own.clone().or(&global),
            _ => self.behind(subject, &self.configs).cloned().unwrap_or_default(),
        }
    }
    pub(super) fn mode_in_scope(&self, subject: &str) -> Mode {
        let global = self.modes.get("").copied().unwrap_or_default();
        if global == Mode::ReadOnlyOverride {
            return global;
        }
        self.modes.get(subject).or_else(|| self.behind(subject, &self.modes)).copied().unwrap_or_default()
    }
    /// By which rules schemas of a subject are compared.
    pub(super) fn rules(&self, config: &Config) -> Rules {
        Rules { policy: config.policy.unwrap_or_default(), ..Rules::default() }
    }
    /// The subject that is meant by a name: its alias, where it has one.
    pub(super) fn meant<'a>(&'a self, subject: &'a str) -> std::borrow::Cow<'a, str> {
        match self.configs.get(subject).and_then(|config| config.alias.as_deref()) {
            Some(alias) => SubjectName::parse(subject).reference(alias).into(),
            None => subject.into(),
        }
    }
    /// A subject that is gone for good takes its settings along.
    pub(super) fn drop_settings(&mut self, subject: &str) {
        self.configs.remove(subject);
        self.modes.remove(subject);
    }

    /// The setting of the context, or the global one, or the one of the global context.
    fn behind<'a, T>(&self, subject: &str, settings: &'a std::collections::BTreeMap<Arc<str>, T>) -> Option<&'a T> {
        let context = SubjectName::parse(subject).prefix();
        let global = SubjectName { context: GLOBAL_CONTEXT, subject: "" }.prefix();
        settings.get(context.as_str()).or_else(|| settings.get(global.as_str()))
    }
    /// With the level that holds when none is set.
    fn filled(&self, config: Config) -> Config {
        Config { level: Some(config.level(self.level)), ..config }
    }
    fn valid_scope(&self, scope: Option<&str>, known: usize) -> Result<Arc<str>, RegistryError> {
        let text = scope.unwrap_or_default();
        if !SubjectName::parse(text).is_valid_scope(text) {
            return Err(RegistryError::invalid_subject(text));
        }
        if known >= SETTINGS_MAX {
            return Err(RegistryError::full(text));
        }
        Ok(scope_of(scope))
    }

    fn clear_for_import(&mut self, scope: &str) -> Result<(), RegistryError> {
        let within = SubjectName::parse(scope);
        let is_meant = |subject: &str| {
            let name = SubjectName::parse(subject);
            subject == scope || (within.is_context() && (within.context == GLOBAL_CONTEXT || name.context == within.context))
        };
        let subjects: Vec<Arc<str>> = self.store.subjects().map(|(name, _)| name).filter(|name| is_meant(name)).cloned().collect();
        if subjects.iter().any(|subject| self.has_subject(subject, false)) {
            return Err(RegistryError::existing_subjects());
        }
        let mut gone = Vec::new();
        for subject in subjects {
            for number in self.store.versions(&subject).into_iter().flat_map(|versions| versions.keys()) {
                if !self.store.referrers(&subject, *number, true).is_empty() {
                    return Err(RegistryError::reference_exists(&subject, *number));
                }
                gone.push((Arc::clone(&subject), *number));
            }
        }
        for (subject, number) in gone {
            self.store.remove(&subject, number);
        }
        Ok(())
    }
}

/// The key of a scope; the default context is the global scope.
fn scope_of(scope: Option<&str>) -> Arc<str> {
    let name = SubjectName::parse(scope.unwrap_or_default());
    if name.is_context() && name.context == DEFAULT_CONTEXT { Arc::from("") } else { name.qualified().into() }
}

fn is_global(scope: &str) -> bool {
    scope.is_empty() || (SubjectName::parse(scope).context == GLOBAL_CONTEXT && SubjectName::parse(scope).is_context())
}

impl FromStr for VersionChoice {
    type Err = RegistryError;
    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let trimmed = text.trim();
        if trimmed.eq_ignore_ascii_case("latest") || trimmed == "-1" {
            return Ok(Self::Latest);
        }
        let number = trimmed.parse::<i32>().ok().filter(|number| *number > 0);
        number.map(|number| Self::Number(number as u32)).ok_or_else(|| RegistryError::invalid_version(trimmed))
    }
}
