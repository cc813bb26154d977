//! Choices of keys.

use std::fmt;
use std::str::FromStr;

use super::Stream;
use super::call;

const KEYS_MAX: u64 = 1_000_000_000;
const EXPONENT_MAX: f64 = 20.0;
const EXPECTED: &str = "none, uniform(KEYS) such as uniform(1000), or zipf(KEYS, EXPONENT) such as zipf(1000, 1.1)";

/// Which keys events carry, as a project writes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum KeyChoice {
    /// No key.
    #[default]
    None,
    /// Each of so many keys alike.
    Uniform {
        /// How many keys.
        keys: u64,
    },
    /// Key 0 most often, key k with a share proportional to 1/(k+1)^exponent.
    Zipf {
        /// How many keys.
        keys: u64,
        /// How uneven; 0 is even.
        exponent: f64,
    },
}

/// Draws keys in constant time and memory.
#[derive(Clone, Debug)]
pub struct KeySampler {
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    None,
    Uniform { keys: u64 },
    Zipf(Zipf),
}

/// Rejection-inversion for monotone discrete distributions (Hörmann and Derflinger 1996, ACM TOMACS 6(3)).
#[derive(Clone, Debug)]
struct Zipf {
    keys: f64,
    exponent: f64,
    /// H(1.5) − 1, H(n + 0.5): the range of the area that is inverted.
    area_first: f64,
    area_last: f64,
    /// Below this distance every point is accepted without computing h.
    squeeze: f64,
}

impl KeyChoice {
    /// Ready to draw.
    #[must_use]
    pub fn sampler(&self) -> KeySampler {
        let way = match *self {
            Self::None => Way::None,
            Self::Uniform { keys } => Way::Uniform { keys },
            Self::Zipf { keys, exponent } if exponent == 0.0 || keys <= 1 => Way::Uniform { keys },
            Self::Zipf { keys, exponent } => Way::Zipf(Zipf::new(keys, exponent)),
        };
        KeySampler { way }
    }
}

impl KeySampler {
    /// The number of the key drawn, from 0; none for an event without a key.
    #[inline]
    pub fn sample(&self, rng: &mut Stream) -> Option<u64> {
        match &self.way {
            Way::None => None,
            Way::Uniform { keys } => Some(rng.below(*keys)),
            Way::Zipf(zipf) => Some(zipf.sample(rng)),
        }
    }
}

impl Zipf {
    fn new(keys: u64, exponent: f64) -> Self {
        let keys = keys as f64;
        Self {
            keys,
            exponent,
            area_first: area(1.5, exponent) - 1.0,
            area_last: area(keys + 0.5, exponent),
            squeeze: 2.0 - area_inverse(area(2.5, exponent) - height(2.0, exponent), exponent),
        }
    }
    fn sample(&self, rng: &mut Stream) -> u64 {
        loop {
            let u = self.area_last + rng.unit_f64() * (self.area_first - self.area_last);
            let x = area_inverse(u, self.exponent);
            let k = libm::floor(x + 0.5).clamp(1.0, self.keys);
            if k - x <= self.squeeze || u >= area(k + 0.5, self.exponent) - height(k, self.exponent) {
                return k as u64 - 1;
            }
        }
    }
}

/// h(x) = x^−s.
fn height(x: f64, exponent: f64) -> f64 {
    libm::exp(-exponent * libm::log(x))
}

/// H(x) = ∫ h from 1 to x = (x^(1−s) − 1)/(1−s), and ln x at s = 1.
fn area(x: f64, exponent: f64) -> f64 {
    let log = libm::log(x);
    let t = (1.0 - exponent) * log;
    if t.abs() > 1e-8 { libm::expm1(t) / t * log } else { log * (1.0 + t / 2.0) }
}

fn area_inverse(u: f64, exponent: f64) -> f64 {
    // Rounding may leave the domain of the logarithm by a hair.
    let t = (u * (1.0 - exponent)).max(-1.0);
    let log = if t.abs() > 1e-8 { libm::log1p(t) / t * u } else { u * (1.0 - t / 2.0) };
    libm::exp(log)
}

impl fmt::Display for KeyChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Uniform { keys } => write!(f, "uniform({keys})"),
            Self::Zipf { keys, exponent } => write!(f, "zipf({keys}, {exponent})"),
        }
    }
}

impl FromStr for KeyChoice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, inner) = call::split(text).map_err(|error| format!("{error}; expected {EXPECTED}"))?;
        match (name, inner) {
            ("", "none") => Ok(Self::None),
            ("uniform", inner) => {
                let [keys] = call::arguments(inner, "uniform(KEYS), for example uniform(1000)")?;
                Ok(Self::Uniform { keys: keys_count(&keys)? })
            }
            ("zipf", inner) => {
                let [keys, exponent] = call::arguments(inner, "zipf(KEYS, EXPONENT), for example zipf(1000, 1.1)")?;
                Ok(Self::Zipf { keys: keys_count(&keys)?, exponent: call::number(&exponent, "the exponent", 0.0, EXPONENT_MAX, EXPECTED)? })
            }
            _ => Err(format!("`{}` is no choice of keys; expected {EXPECTED}", call::shorten(text))),
        }
    }
}

fn keys_count(text: &str) -> Result<u64, String> {
    call::count(text, "the number of keys", 1, KEYS_MAX, EXPECTED)
}
