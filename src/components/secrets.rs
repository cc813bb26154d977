//! Secrets in designs: named, never held.
//!
//! A design says `env:NAME` or `file:NAME` (the exports write where the product finds it), or `sample:text` for a text
//! that guards nothing. A run never reads the real secret: the name stands for it on both sides, so that the same
//! project gives the same run on every machine, and a project of somebody else can fetch nothing. Anything else is
//! taken as it stands, with a warning.
//! In: a parameter's text. Out: what stands for it in a run, what an export writes. Start at [`Secret::read`].

use crate::diagnostics::Diagnostic;
use crate::machines::gateway::TokenAlgorithm;

/// A secret as a design writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// In a variable of the environment.
    Env(String),
    /// In a file beside the project that nobody shares.
    File(String),
    /// A text that guards nothing.
    Sample(String),
    /// In clear, without a word that it may be.
    Clear(String),
}

impl Secret {
    /// Reads a parameter's text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text.split_once(':') {
            Some(("env", name)) => Self::Env(name.to_owned()),
            Some(("file", name)) => Self::File(name.to_owned()),
            Some(("sample", text)) => Self::Sample(text.to_owned()),
            _ => Self::Clear(text.to_owned()),
        }
    }
    /// What stands for it in a run.
    #[must_use]
    pub fn stand_in(&self) -> String {
        match self {
            Self::Env(name) => format!("env:{name}"),
            Self::File(name) => format!("file:{name}"),
            Self::Sample(text) | Self::Clear(text) => text.clone(),
        }
    }
    /// The key that tokens are checked with: public for algorithms of two keys, where a name stands for the pair
    /// that everybody has.
    #[must_use]
    pub fn verify_key(&self, algorithm: TokenAlgorithm) -> String {
        match algorithm.sample_pair() {
            Some((_, public)) if !self.is_pem() => public.to_owned(),
            _ => self.stand_in(),
        }
    }
    /// The key that tokens are signed with.
    #[must_use]
    pub fn sign_key(&self, algorithm: TokenAlgorithm) -> String {
        match algorithm.sample_pair() {
            Some((private, _)) if !self.is_pem() => private.to_owned(),
            _ => self.stand_in(),
        }
    }
    /// What an export writes: never the secret of a design that does not call it a sample.
    #[must_use]
    pub fn placeholder(&self, what: &str) -> String {
        match self {
            // Kong's vault references: github.com/Kong/kong, kong/vaults/env.
            Self::Env(name) => format!("{{vault://env/{}}}", name.to_lowercase().replace('_', "-")),
            Self::File(name) => format!("<contents of {name}>"),
            Self::Sample(text) => text.clone(),
            Self::Clear(_) => format!("<{what}>"),
        }
    }
    fn is_pem(&self) -> bool {
        matches!(self, Self::Sample(text) | Self::Clear(text) if text.contains("-----BEGIN "))
    }
    /// Whether a person may read it in the project's file.
    fn is_public(&self) -> bool {
        matches!(self, Self::Clear(text) if text.contains("-----BEGIN PUBLIC KEY-----"))
    }
}

/// Says what is wrong with how a secret is written.
pub(crate) fn check_secret(path: &str, text: &str, out: &mut Vec<Diagnostic>) {
    let secret = Secret::read(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    match &secret {
        Secret::Env(name) | Secret::File(name) if name.is_empty() || !name.chars().all(plain) || name.contains("..") => out.push(
            Diagnostic::error("secret-name", path.to_owned(), "this names no secret")
                .with_hint("write `env:SHOP_KEY` or `file:shop.key`: letters, digits, `_`, `-`, `.`"),
        ),
        Secret::Clear(_) if !secret.is_public() => out.push(
            Diagnostic::warning("secret-in-clear", path.to_owned(), "a secret stands here for everybody who gets this file")
                .with_hint("write `env:NAME` or `file:NAME` for a real one, `sample:…` for one that guards nothing"),
        ),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_secrets_and_samples_for_themselves() {
        assert_eq!(Secret::read("env:SHOP_KEY").stand_in(), "env:SHOP_KEY");
        assert_eq!(Secret::read("sample:k1").stand_in(), "k1");
        assert_eq!(Secret::read("k1"), Secret::Clear("k1".to_owned()));
        assert_eq!(Secret::read("env:SHOP_KEY").placeholder("key"), "{vault://env/shop-key}");
        assert_eq!(Secret::read("k1").placeholder("key"), "<key>", "a clear secret is not handed on");
        let es = TokenAlgorithm::Es256;
        assert!(Secret::read("file:shop.pem").verify_key(es).contains("PUBLIC KEY"));
        assert!(Secret::read("file:shop.pem").sign_key(es).contains("PRIVATE KEY"));
    }

    #[test]
    fn clear_secrets_are_told() {
        let codes = |text: &str| {
            let mut out = Vec::new();
            check_secret("x", text, &mut out);
            out.into_iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>()
        };
        assert_eq!(codes("k1"), ["secret-in-clear"]);
        assert_eq!(codes("file:../../etc/passwd"), ["secret-name"]);
        assert_eq!(codes("sample:k1"), [] as [&str; 0]);
        assert_eq!(codes("env:K_1"), [] as [&str; 0]);
    }
}
