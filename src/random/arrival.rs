//! Arrival processes: how events are spaced (evenly, at random, with jitter) under a rate that may
//! change with time.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::Stream;
use super::call;
use super::rate_curve::{POINTS_MAX, Piece, RateCurve};
use super::ziggurat::exponential;
use crate::diagnostics::nearest;
use crate::units::{Rate, Ratio, SimDuration, SimTime, UnitError};

const NAMES: [&str; 5] = ["constant", "poisson", "uniform", "burst", "ramp"];
const EXPECTED: &str = "a rate such as 100/s, or poisson(300/s), uniform(100/s, 20%), burst(1000/s for 1s every 10s), \
    ramp(0/s to 1000/s over 60s), poisson([0s: 100/s, 30s: 400/s])";
const CONSTANT: &str = "constant(RATE), for example constant(100/s)";
const POISSON: &str = "poisson(RATE), for example poisson(300/s)";
const UNIFORM: &str = "uniform(RATE, JITTER), for example uniform(100/s, 20%)";
const BURST: &str = "burst(RATE for DURATION every DURATION), for example burst(1000/s for 1s every 10s)";
const RAMP: &str = "ramp(RATE to RATE over DURATION), for example ramp(0/s to 1000/s over 60s)";
const POINTS: &str = "points of time and rate, for example [0s: 100/s, 30s: 400/s]";

/// An arrival process as a project writes it.
///
/// A bare rate, `constant(…)`, `burst(…)` and `ramp(…)` space events evenly; `poisson(…)` and `uniform(…)`
/// take any of these rates, so `poisson(ramp(0/s to 1000/s over 60s))` is a Poisson process with a rising
/// rate. In a list of points each rate holds from its time on, until the next point.
#[derive(Clone, Debug)]
pub struct Arrival {
    spacing: Spacing,
    rate: RateCurve,
    /// As typed.
    text: Arc<str>,
}

/// Gaps between events in the time scale where the rate is one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spacing {
    Even,
    Poisson,
    /// One, give or take at most this share.
    Jitter {
        share: f64,
    },
}

/// Where an arrival process stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArrivalState {
    /// Which piece of the rate was used last.
    hint: u32,
    /// What rounding to whole nanoseconds has left over, so that it does not add up.
    carry_ns: f64,
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        self.spacing == other.spacing && self.rate == other.rate
    }
}

impl Arrival {
    /// Evenly spaced at a rate that never changes.
    #[must_use]
    pub fn constant(rate: Rate) -> Self {
        Self { spacing: Spacing::Even, rate: RateCurve::Flat { per_s: rate.0 }, text: rate.to_string().into() }
    }
    /// A Poisson process of a rate that never changes.
    #[must_use]
    pub fn poisson(rate: Rate) -> Self {
        Self { spacing: Spacing::Poisson, rate: RateCurve::Flat { per_s: rate.0 }, text: format!("poisson({rate})").into() }
    }
    /// The instant of the next arrival after `now`, the last one; none when no more will come.
    #[inline]
    pub fn next(&self, state: &mut ArrivalState, now: SimTime, rng: &mut Stream) -> Option<SimTime> {
        let gap = match self.spacing {
            Spacing::Poisson => exponential(rng),
            Spacing::Even => 1.0,
            Spacing::Jitter { share } => 1.0 + share * (2.0 * rng.unit_f64() - 1.0),
        };
        let gap_ns = self.rate.seconds_until(now, gap, &mut state.hint)? * 1e9 + state.carry_ns;
        // Beyond any run, and beyond the clock.
        if gap_ns >= (u64::MAX / 2) as f64 {
            return None;
        }
        let whole_ns = (gap_ns + 0.5) as u64;
        state.carry_ns = gap_ns - whole_ns as f64;
        Some(now + SimDuration::from_ns(whole_ns))
    }
    /// Mean rate over the first `length` of a run, per second.
    #[must_use]
    pub fn mean_rate(&self, length: SimDuration) -> f64 {
        if length.is_zero() {
            // The rate at the beginning.
            return self.rate.expected_count(1e-9) * 1e9;
        }
        self.rate.expected_count(length.as_secs_f64()) / length.as_secs_f64()
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Arrival {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, inner) = call::split(text).map_err(|error| format!("{error}; expected {EXPECTED}"))?;
        let (spacing, rate) = match name {
            "" => (Spacing::Even, curve(inner, EXPECTED)?),
            "constant" => (Spacing::Even, curve(inner, CONSTANT)?),
            "poisson" => (Spacing::Poisson, curve(inner, POISSON)?),
            "uniform" => {
                let [rate, jitter] = call::arguments(inner, UNIFORM)?;
                let share = jitter.parse::<Ratio>().map_err(|error| format!("{error}; expected {UNIFORM}"))?.0;
                if share > 1.0 {
                    return Err(format!("a jitter of {jitter} would put events before earlier ones; it may be 0% to 100%"));
                }
                (Spacing::Jitter { share }, curve(&rate, UNIFORM)?)
            }
            "burst" | "ramp" => (Spacing::Even, curve(text, EXPECTED)?),
            other => {
                let near = nearest(other, NAMES).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
                return Err(format!("there is no arrival process `{}`; {near}expected {EXPECTED}", call::shorten(other)));
            }
        };
        Ok(Self { spacing, rate, text: text.trim().into() })
    }
}

/// A rate, a list of points, a burst or a ramp.
fn curve(text: &str, expected: &str) -> Result<RateCurve, String> {
    let text = text.trim();
    if let Some(list) = text.strip_prefix('[') {
        let list = list.strip_suffix(']').ok_or_else(|| format!("`{}` does not end with `]`; expected {POINTS}", call::shorten(text)))?;
        return points(list);
    }
    match call::split(text)? {
        ("", plain) => Ok(RateCurve::Flat { per_s: rate(plain, expected)? }),
        ("burst", inner) => burst(inner),
        ("ramp", inner) => ramp(inner),
        (other, _) => Err(format!("`{}` is no rate; expected {expected}", call::shorten(other))),
    }
}

fn points(list: &str) -> Result<RateCurve, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    for point in list.split(',').map(str::trim).filter(|point| !point.is_empty()) {
        if pieces.len() > POINTS_MAX {
            return Err(format!("a rate may have at most {POINTS_MAX} points"));
        }
        let (at, per_s) = point.split_once(':').ok_or_else(|| format!("`{}` is no point; expected {POINTS}", call::shorten(point)))?;
        let (start_ns, per_s) = (span(at, POINTS)?.as_ns(), rate(per_s, POINTS)?);
        match pieces.last() {
            // Before the first point nothing comes.
            None if start_ns > 0 => pieces.push(Piece { start_ns: 0, per_s: 0.0, slope_per_s2: 0.0 }),
            Some(last) if last.start_ns >= start_ns => {
                return Err(format!("the point at {} does not come after the one before it", at.trim()));
            }
            _ => {}
        }
        pieces.push(Piece { start_ns, per_s, slope_per_s2: 0.0 });
    }
    if pieces.is_empty() { Err(format!("the list has no points; expected {POINTS}")) } else { Ok(RateCurve::Pieces(pieces)) }
}

fn burst(inner: &str) -> Result<RateCurve, String> {
    let wrong = || format!("`{}` is no burst; expected {BURST}", call::shorten(inner));
    let (per_s, times) = inner.split_once(" for ").ok_or_else(wrong)?;
    let (on, period) = times.split_once(" every ").ok_or_else(wrong)?;
    let (per_s, on, period) = (rate(per_s, BURST)?, span(on, BURST)?, span(period, BURST)?);
    if on.is_zero() || on > period {
        return Err(format!("a burst must last longer than 0s and at most its period of {period}; expected {BURST}"));
    }
    Ok(RateCurve::Burst { per_s, on_ns: on.as_ns(), period_ns: period.as_ns() })
}

fn ramp(inner: &str) -> Result<RateCurve, String> {
    let wrong = || format!("`{}` is no ramp; expected {RAMP}", call::shorten(inner));
    let (from, rest) = inner.split_once(" to ").ok_or_else(wrong)?;
    let (to, over) = rest.split_once(" over ").ok_or_else(wrong)?;
    let (from, to, over) = (rate(from, RAMP)?, rate(to, RAMP)?, span(over, RAMP)?);
    if over.is_zero() {
        return Err(format!("a ramp takes longer than 0s; expected {RAMP}"));
    }
    Ok(RateCurve::Pieces(vec![
        Piece { start_ns: 0, per_s: from, slope_per_s2: (to - from) / over.as_secs_f64() },
        Piece { start_ns: over.as_ns(), per_s: to, slope_per_s2: 0.0 },
    ]))
}

fn rate(text: &str, expected: &str) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("a rate is missing; expected {expected}"));
    }
    text.parse::<Rate>().map(|rate| rate.0).map_err(|error| format!("{error}; expected {expected}"))
}

fn span(text: &str, expected: &str) -> Result<SimDuration, String> {
    text.trim().parse().map_err(|error: UnitError| format!("{error}; expected {expected}"))
}
