//! Consumers and what they prove themselves with.
//!
//! In: what the design says. Out: look-ups by key, user name and token issuer, and consumers by number.

use std::collections::HashMap;
use std::sync::Arc;

use super::token::{TokenAlgorithm, VerifyKey};

/// Who may call, as the design says it.
#[derive(Clone, Debug, Default)]
pub struct ConsumerSpec {
    /// Name.
    pub name: Arc<str>,
    /// Groups of the acl plugin.
    pub groups: Vec<Arc<str>>,
    /// API keys.
    pub keys: Vec<Arc<str>>,
    /// User names with their passwords.
    pub logins: Vec<(Arc<str>, Arc<str>)>,
    /// Token issuers.
    pub tokens: Vec<TokenCredential>,
}

/// A credential of the jwt plugin.
#[derive(Clone, Debug, Default)]
pub struct TokenCredential {
    /// What the token's key claim (`iss`) must say.
    pub key: Arc<str>,
    /// Of its signatures.
    pub algorithm: TokenAlgorithm,
    /// The shared secret, or the public key as PEM.
    pub secret: Arc<str>,
}

/// A consumer and its credential, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub consumer: u32,
    pub credential: u32,
}

/// What is wrong with a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerProblem {
    /// Which, by its place in the list.
    pub consumer: usize,
    /// Which of its credentials.
    pub credential: CredentialKind,
    /// In one sentence.
    pub message: String,
}

/// What a consumer proves itself with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum CredentialKind {
    Key,
    Login,
    Token,
}

/// Compiled; immutable. Its maps are only looked up, never walked.
#[derive(Debug)]
pub(super) struct People {
    pub names: Vec<Arc<str>>,
    pub groups: Vec<Vec<Arc<str>>>,
    by_key: HashMap<Arc<str>, Known, ahash::RandomState>,
    by_login: HashMap<Arc<str>, (Known, Arc<str>), ahash::RandomState>,
    by_issuer: HashMap<Arc<str>, (Known, VerifyKey), ahash::RandomState>,
}

impl People {
    /// Compiles, or says everything that is wrong.
    pub(super) fn new(specs: &[ConsumerSpec]) -> Result<Self, Vec<ConsumerProblem>> {
        let mut people = Self {
            names: specs.iter().map(|spec| Arc::clone(&spec.name)).collect(),
            groups: specs.iter().map(|spec| spec.groups.clone()).collect(),
            by_key: HashMap::with_hasher(super::hasher()),
            by_login: HashMap::with_hasher(super::hasher()),
            by_issuer: HashMap::with_hasher(super::hasher()),
        };
        let mut problems = Vec::new();
        let mut credential = 0;
        for (at, spec) in specs.iter().enumerate() {
            let mut wrong = |credential, message| problems.push(ConsumerProblem { consumer: at, credential, message });
            let mut next = || {
                credential += 1;
                Known { consumer: at as u32, credential: credential - 1 }
            };
            for key in &spec.keys {
                if people.by_key.insert(Arc::clone(key), next()).is_some() {
                    wrong(CredentialKind::Key, "another credential has the same API key".to_owned());
                }
            }
            for (user, password) in &spec.logins {
                if people.by_login.insert(Arc::clone(user), (next(), Arc::clone(password))).is_some() {
                    wrong(CredentialKind::Login, format!("another credential has the user name `{user}`"));
                }
            }
            for token in &spec.tokens {
                match VerifyKey::new(token.algorithm, &token.secret) {
                    Err(words) => wrong(CredentialKind::Token, words),
                    Ok(key) => {
                        if people.by_issuer.insert(Arc::clone(&token.key), (next(), key)).is_some() {
                            wrong(CredentialKind::Token, format!("another credential has the issuer `{}`", token.key));
                        }
                    }
                }
            }
        }
        if problems.is_empty() { Ok(people) } else { Err(problems) }
    }
    pub(super) fn by_key(&self, key: &str) -> Option<Known> {
        self.by_key.get(key).copied()
    }
    pub(super) fn by_login(&self, user: &str, password: &str) -> Option<Known> {
        let (known, right) = self.by_login.get(user)?;
        (**right == *password).then_some(*known)
    }
    /// Whether anybody has this user name.
    pub(super) fn has_user(&self, user: &str) -> bool {
        self.by_login.contains_key(user)
    }
    pub(super) fn by_issuer(&self, issuer: &str) -> Option<(Known, &VerifyKey)> {
        self.by_issuer.get(issuer).map(|(known, key)| (*known, key))
    }
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.names.iter().position(|known| **known == *name).map(|at| at as u32)
    }
}
