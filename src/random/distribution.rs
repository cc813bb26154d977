//! Distributions of durations.
//!
//! Samples are whole nanoseconds; means and second moments are those of the continuous distribution.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Stream;
use super::call;
use super::ziggurat::{exponential, normal};
use crate::diagnostics::nearest;
use crate::units::{SimDuration, UnitError};

/// Above this shape an Erlang variate is drawn as a gamma variate instead of as a sum.
const ERLANG_SUM_MAX: u32 = 8;
const ERLANG_SHAPE_MAX: u64 = 1_000_000;
const SIGMA_MAX: f64 = 5.0;

const NAMES: [&str; 6] = ["constant", "uniform", "exp", "lognormal", "erlang", "normal"];
const EXPECTED: &str = "a duration such as 5ms, or exp(5ms), uniform(1ms, 3ms), lognormal(5ms, 0.8), erlang(4, 2ms), normal(5ms, 1ms)";
const CONSTANT: &str = "constant(DURATION), for example constant(5ms)";
const UNIFORM: &str = "uniform(LEAST, MOST), for example uniform(1ms, 3ms)";
const EXP: &str = "exp(MEAN), for example exp(5ms)";
const LOGNORMAL: &str = "lognormal(MEAN, SIGMA OF THE LOG), for example lognormal(5ms, 0.8)";
const ERLANG: &str = "erlang(SHAPE, MEAN), for example erlang(4, 2ms)";
const NORMAL: &str = "normal(MEAN, DEVIATION), for example normal(5ms, 1ms)";

/// A distribution of durations as a project writes it; never negative. The default is constant zero.
#[derive(Clone, Debug)]
pub struct Distribution {
    shape: Shape,
    /// As typed.
    text: Arc<str>,
}

/// Parameters in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Constant {
        ns: u64,
    },
    Uniform {
        least_ns: f64,
        span_ns: f64,
    },
    Exponential {
        mean_ns: f64,
    },
    /// `mu` is the mean of the logarithm of nanoseconds.
    LogNormal {
        mean_ns: f64,
        mu: f64,
        sigma: f64,
    },
    Erlang {
        shape: u32,
        mean_ns: f64,
    },
    /// A normal variate given that it is not negative.
    Normal {
        mean_ns: f64,
        sigma_ns: f64,
    },
}

impl Default for Distribution {
    fn default() -> Self {
        Self::constant(SimDuration::ZERO)
    }
}

impl PartialEq for Distribution {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

impl Distribution {
    /// Always the same.
    #[must_use]
    pub fn constant(duration: SimDuration) -> Self {
        Self { shape: Shape::Constant { ns: duration.as_ns() }, text: duration.to_string().into() }
    }
    /// Exponential with this mean.
    #[must_use]
    pub fn exponential(mean: SimDuration) -> Self {
        Self { shape: Shape::Exponential { mean_ns: mean.as_ns() as f64 }, text: format!("exp({mean})").into() }
    }
    /// Draws one duration, rounded to the nanosecond. A constant draws no number from `rng`.
    #[inline]
    pub fn sample(&self, rng: &mut Stream) -> SimDuration {
        let ns = match self.shape {
            Shape::Constant { ns } => return SimDuration::from_ns(ns),
            Shape::Exponential { mean_ns } => mean_ns * exponential(rng),
            Shape::Uniform { least_ns, span_ns } => least_ns + span_ns * rng.unit_f64(),
            Shape::LogNormal { mu, sigma, .. } => libm::exp(mu + sigma * normal(rng)),
            Shape::Erlang { shape, mean_ns } => mean_ns / f64::from(shape) * gamma(shape, rng),
            Shape::Normal { mean_ns, sigma_ns } => loop {
                // The mean is not negative, so at least every second draw is taken.
                let ns = mean_ns + sigma_ns * normal(rng);
                if ns >= 0.0 {
                    break ns;
                }
            },
        };
        // `as` truncates and saturates; the half makes it rounding.
        SimDuration::from_ns((ns + 0.5) as u64)
    }
    /// Its mean.
    #[must_use]
    pub fn mean(&self) -> SimDuration {
        SimDuration::from_ns(libm::round(self.moments_ns().0) as u64)
    }
    /// Mean of the square in s², for the theory of queues with general service times.
    #[must_use]
    pub fn second_moment_s2(&self) -> f64 {
        self.moments_ns().1 * 1e-18
    }
    /// Mean, and mean of the square, in nanoseconds.
    fn moments_ns(&self) -> (f64, f64) {
        match self.shape {
            Shape::Constant { ns } => (ns as f64, ns as f64 * ns as f64),
            Shape::Uniform { least_ns, span_ns } => {
                let mean = least_ns + span_ns / 2.0;
                (mean, mean * mean + span_ns * span_ns / 12.0)
            }
            Shape::Exponential { mean_ns } => (mean_ns, 2.0 * mean_ns * mean_ns),
            Shape::LogNormal { mean_ns, sigma, .. } => (mean_ns, mean_ns * mean_ns * libm::exp(sigma * sigma)),
            Shape::Erlang { shape, mean_ns } => (mean_ns, mean_ns * mean_ns * (1.0 + 1.0 / f64::from(shape))),
            Shape::Normal { mean_ns, sigma_ns } => truncated_normal_moments(mean_ns, sigma_ns),
        }
    }
}

/// A gamma variate of whole shape and scale 1: a sum of exponentials, or for many of them Marsaglia and
/// Tsang's method ("A simple method for generating gamma variables", 2000).
fn gamma(shape: u32, rng: &mut Stream) -> f64 {
    if shape <= ERLANG_SUM_MAX {
        return (0..shape).map(|_| exponential(rng)).sum();
    }
    let d = f64::from(shape) - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(rng);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if libm::log(rng.unit_open_f64()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// Moments of a normal variate given that it is at least zero (Johnson, Kotz, Balakrishnan 1994, 10.1).
fn truncated_normal_moments(mean: f64, sigma: f64) -> (f64, f64) {
    if sigma <= 0.0 {
        return (mean, mean * mean);
    }
    let alpha = -mean / sigma;
    let density = libm::exp(-0.5 * alpha * alpha) / libm::sqrt(2.0 * std::f64::consts::PI);
    let above = 0.5 * libm::erfc(alpha / std::f64::consts::SQRT_2);
    let lambda = density / above;
    let truncated = mean + sigma * lambda;
    let variance = sigma * sigma * (1.0 + alpha * lambda - lambda * lambda);
    (truncated, truncated * truncated + variance)
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Distribution {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, inner) = call::split(text).map_err(|error| format!("{error}; expected {EXPECTED}"))?;
        let shape = match name {
            "" | "constant" => {
                let expected = if name.is_empty() { EXPECTED } else { CONSTANT };
                Shape::Constant { ns: duration(inner, expected)?.as_ns() }
            }
            "uniform" => {
                let [least, most] = call::arguments(inner, UNIFORM)?;
                let (least, most) = (duration(&least, UNIFORM)?, duration(&most, UNIFORM)?);
                if least > most {
                    return Err(format!("the least, {least}, is above the most, {most}; expected {UNIFORM}"));
                }
                let least_ns = least.as_ns() as f64;
                Shape::Uniform { least_ns, span_ns: most.as_ns() as f64 - least_ns }
            }
            "exp" => {
                let [mean] = call::arguments(inner, EXP)?;
                Shape::Exponential { mean_ns: duration(&mean, EXP)?.as_ns() as f64 }
            }
            "lognormal" => {
                let [mean, sigma] = call::arguments(inner, LOGNORMAL)?;
                let mean_ns = duration(&mean, LOGNORMAL)?.as_ns() as f64;
                let sigma = call::number(&sigma, "sigma", 0.0, SIGMA_MAX, LOGNORMAL)?;
                if mean_ns == 0.0 {
                    return Err(format!("a log-normal mean must be above 0; expected {LOGNORMAL}"));
                }
                Shape::LogNormal { mean_ns, mu: libm::log(mean_ns) - 0.5 * sigma * sigma, sigma }
            }
            "erlang" => {
                let [shape, mean] = call::arguments(inner, ERLANG)?;
                let shape = call::count(&shape, "the shape", 1, ERLANG_SHAPE_MAX, ERLANG)? as u32;
                Shape::Erlang { shape, mean_ns: duration(&mean, ERLANG)?.as_ns() as f64 }
            }
            "normal" => {
                let [mean, sigma] = call::arguments(inner, NORMAL)?;
                let (mean_ns, sigma_ns) = (duration(&mean, NORMAL)?.as_ns() as f64, duration(&sigma, NORMAL)?.as_ns() as f64);
                Shape::Normal { mean_ns, sigma_ns }
            }
            other => {
                let near = nearest(other, NAMES).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                return Err(format!("there is no distribution `{}`; {near}expected {EXPECTED}", call::shorten(other)));
            }
        };
        Ok(Self { shape, text: text.trim().into() })
    }
}

fn duration(text: &str, expected: &str) -> Result<SimDuration, String> {
    if text.is_empty() {
        return Err(format!("a duration is missing; expected {expected}"));
    }
    text.parse().map_err(|error: UnitError| {
        let words = error.to_string();
        if words.contains("expected") { words } else { format!("{words}; expected {expected}") }
    })
}
