//! Glue's compatibility modes: X_ALL compares with every version, X with the checkpoint.

use std::fmt;
use std::str::FromStr;

use crate::machines::registry::Compatibility;

/// A mode, in Glue's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlueLevel {
    /// Anything may follow anything.
    None,
    /// Nothing follows.
    Disabled,
    /// The new schema reads data of the checkpoint.
    #[default]
    Backward,
    /// Of every version.
    BackwardAll,
    /// The checkpoint reads data of the new schema.
    Forward,
    /// Every version does.
    ForwardAll,
    /// Both.
    Full,
    /// Both, for every version.
    FullAll,
}

impl GlueLevel {
    /// As the product writes them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] =
        &["NONE", "DISABLED", "BACKWARD", "BACKWARD_ALL", "FORWARD", "FORWARD_ALL", "FULL", "FULL_ALL"];
    const ALL: [Self; 8] =
        [Self::None, Self::Disabled, Self::Backward, Self::BackwardAll, Self::Forward, Self::ForwardAll, Self::Full, Self::FullAll];

    /// The same question in Confluent's words, asked of the schemas that the mode picks.
    #[must_use]
    pub fn question(self) -> Compatibility {
        match self {
            Self::None | Self::Disabled => Compatibility::None,
            Self::Backward | Self::BackwardAll => Compatibility::BackwardTransitive,
            Self::Forward | Self::ForwardAll => Compatibility::ForwardTransitive,
            Self::Full | Self::FullAll => Compatibility::FullTransitive,
        }
    }
    pub(super) fn is_for_all(self) -> bool {
        matches!(self, Self::BackwardAll | Self::ForwardAll | Self::FullAll)
    }
}

impl fmt::Display for GlueLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Self::ALL.iter().position(|level| level == self).unwrap_or_default();
        f.write_str(Self::WORDS[at])
    }
}

impl FromStr for GlueLevel {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at = Self::WORDS.iter().position(|word| *word == text);
        at.map(|at| Self::ALL[at]).ok_or_else(|| format!("expected one of {}", Self::WORDS.join(", ")))
    }
}
