//! Choices of keys.

use std::fmt;
use std::str::FromStr;

use super::Stream;

/// Which keys events carry, as a project writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum KeyChoice {
    /// No key.
    #[default]
    None,
}

/// Draws keys.
#[derive(Clone, Debug)]
pub struct KeySampler {}

impl KeyChoice {
    /// Ready to draw.
    #[must_use]
    pub fn sampler(&self) -> KeySampler {
        KeySampler {}
    }
}

impl KeySampler {
    /// The number of the key drawn; none for an event without a key.
    pub fn sample(&self, _rng: &mut Stream) -> Option<u64> {
        None
    }
}

impl fmt::Display for KeyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("none")
    }
}

impl FromStr for KeyChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" { Ok(Self::None) } else { Err("expected none".to_owned()) }
    }
}
