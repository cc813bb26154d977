//! Levels of compatibility: which way new and old versions must read each other, and how far back.

use std::fmt;
use std::str::FromStr;

/// A level, in Confluent's words. The plain ones compare with the latest version only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compatibility {
    /// Anything may follow anything.
    None,
    /// The new schema reads data of the old one.
    #[default]
    Backward,
    /// The same for every older version.
    BackwardTransitive,
    /// The old schema reads data of the new one.
    Forward,
    /// The same for every older version.
    ForwardTransitive,
    /// Both.
    Full,
    /// Both, for every older version.
    FullTransitive,
}

impl Compatibility {
    /// As files and the product write them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] =
        &["NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"];
    const ALL: [Self; 7] =
        [Self::None, Self::Backward, Self::BackwardTransitive, Self::Forward, Self::ForwardTransitive, Self::Full, Self::FullTransitive];

    /// Whether the new schema must read old data.
    #[must_use]
    pub fn reads_old(self) -> bool {
        matches!(self, Self::Backward | Self::BackwardTransitive | Self::Full | Self::FullTransitive)
    }
    /// Whether old schemas must read new data.
    #[must_use]
    pub fn is_read_by_old(self) -> bool {
        matches!(self, Self::Forward | Self::ForwardTransitive | Self::Full | Self::FullTransitive)
    }
    /// Whether every older version counts.
    #[must_use]
    pub fn is_transitive(self) -> bool {
        matches!(self, Self::BackwardTransitive | Self::ForwardTransitive | Self::FullTransitive)
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Self::ALL.iter().position(|level| level == self).unwrap_or_default();
        f.write_str(Self::WORDS[at])
    }
}

impl FromStr for Compatibility {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at = Self::WORDS.iter().position(|word| *word == text);
        at.map(|at| Self::ALL[at]).ok_or_else(|| format!("expected one of {}", Self::WORDS.join(", ")))
    }
}
