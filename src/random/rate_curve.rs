//! A rate that changes with time, and its integral run backwards.
//!
//! An arrival process is a process of unit rate in the time scale of the integrated rate (Çinlar 1975):
//! the next arrival is where the integral has grown by the next gap. Exact, and no draw is thrown away.

use crate::units::SimTime;

/// Most points that a rate may be given by.
pub(super) const POINTS_MAX: usize = 1_000;

/// Events per second as a function of virtual time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RateCurve {
    /// Always the same.
    Flat { per_s: f64 },
    /// `per_s` during the first `on_ns` of every period, nothing else.
    Burst { per_s: f64, on_ns: u64, period_ns: u64 },
    /// Pieces in order of time; the first begins at zero, the last never ends.
    Pieces(Vec<Piece>),
}

/// From `start_ns` to the next piece the rate is `per_s` + `slope_per_s2` × (seconds since the start).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) start_ns: u64,
    pub(super) per_s: f64,
    pub(super) slope_per_s2: f64,
}

impl RateCurve {
    /// Seconds from `now` until the integral of the rate has grown by `amount`; none if it never does.
    /// `hint` remembers the piece; any value is right, the last one is fast.
    #[inline]
    pub(super) fn seconds_until(&self, now: SimTime, amount: f64, hint: &mut u32) -> Option<f64> {
        match self {
            Self::Flat { per_s } => (*per_s > 0.0).then(|| amount / per_s),
            Self::Burst { per_s, on_ns, period_ns } => burst_until(*per_s, *on_ns, *period_ns, now, amount),
            Self::Pieces(pieces) => pieces_until(pieces, now, amount, hint),
        }
    }
    /// Integral of the rate over the first `seconds`: the expected number of events.
    pub(super) fn expected_count(&self, seconds: f64) -> f64 {
        match self {
            Self::Flat { per_s } => per_s * seconds,
            Self::Burst { per_s, on_ns, period_ns } => {
                let (on, period) = (*on_ns as f64 / 1e9, *period_ns as f64 / 1e9);
                let periods = libm::floor(seconds / period);
                per_s * (periods * on + (seconds - periods * period).clamp(0.0, on))
            }
            Self::Pieces(pieces) => {
                let part = |(index, piece): (usize, &Piece)| {
                    let start = piece.start_ns as f64 / 1e9;
                    let end = pieces.get(index + 1).map_or(f64::INFINITY, |next| next.start_ns as f64 / 1e9).min(seconds);
                    let long = (end - start).max(0.0);
                    piece.per_s * long + 0.5 * piece.slope_per_s2 * long * long
                };
                pieces.iter().enumerate().map(part).sum()
            }
        }
    }
}

fn burst_until(per_s: f64, on_ns: u64, period_ns: u64, now: SimTime, amount: f64) -> Option<f64> {
    let per_burst = per_s * on_ns as f64 / 1e9;
    if per_burst <= 0.0 {
        return None;
    }
    let phase_ns = now.as_ns() % period_ns;
    let left_now = per_s * on_ns.saturating_sub(phase_ns) as f64 / 1e9;
    if amount <= left_now {
        return Some(amount / per_s);
    }
    let after = amount - left_now;
    // Whole bursts that are used up; an amount that ends exactly with a burst belongs to that burst.
    let whole = (libm::ceil(after / per_burst) - 1.0).max(0.0);
    let to_next_period = (period_ns - phase_ns) as f64 / 1e9;
    Some(to_next_period + whole * period_ns as f64 / 1e9 + (after - whole * per_burst).max(0.0) / per_s)
}

fn pieces_until(pieces: &[Piece], now: SimTime, amount: f64, hint: &mut u32) -> Option<f64> {
    let now_ns = now.as_ns();
    let holds = |index: usize| {
        pieces.get(index).is_some_and(|piece| piece.start_ns <= now_ns) && pieces.get(index + 1).is_none_or(|next| now_ns < next.start_ns)
    };
    let mut index = *hint as usize;
    if !holds(index) {
        index = pieces.partition_point(|piece| piece.start_ns <= now_ns).saturating_sub(1);
    }
    let (mut from_ns, mut left, mut waited) = (now_ns, amount, 0.0);
    loop {
        let piece = pieces.get(index)?;
        *hint = index as u32;
        let rate = piece.per_s + piece.slope_per_s2 * (from_ns - piece.start_ns) as f64 / 1e9;
        let end_ns = pieces.get(index + 1).map(|next| next.start_ns);
        let long = end_ns.map(|end| (end - from_ns) as f64 / 1e9);
        let area = long.map_or(f64::INFINITY, |long| rate * long + 0.5 * piece.slope_per_s2 * long * long);
        if left <= area && (rate > 0.0 || piece.slope_per_s2 > 0.0) {
            // The root of rate·d + slope·d²/2 = left in the form that keeps its digits.
            let root = libm::sqrt((rate * rate + 2.0 * piece.slope_per_s2 * left).max(0.0));
            return Some(waited + 2.0 * left / (rate + root));
        }
        left -= area;
        waited += long?;
        from_ns = end_ns?;
        index += 1;
    }
}
