//! Statistics over a run's own series and over repeats.
//!
//! Sources: Student's t interval over independent repeats (Law, Simulation Modeling and Analysis, ch. 9);
//! MSER-5 for the warm-up (White, Cobb, Spratt 2000); the stationarity rule is ours and says what it compares.

use super::report::Interval;

/// Two-sided quantiles of Student's t at 95 % and 99 % for 1 to 30 degrees of freedom, then selected ones.
const T_95: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093,
    2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const T_99: [f64; 30] = [
    63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169, 3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861,
    2.845, 2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750,
];

/// Confidence of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// 95 %.
    P95,
    /// 99 %.
    P99,
}

/// Student's t for a two-sided interval; beyond 30 degrees of freedom by the expansion of Abramowitz and
/// Stegun 26.7.5 around the normal quantile (error below 0.0005).
#[must_use]
pub fn student_t(degrees: usize, confidence: Confidence) -> f64 {
    let (table, z) = match confidence {
        Confidence::P95 => (&T_95, 1.959_964),
        Confidence::P99 => (&T_99, 2.575_829),
    };
    match degrees {
        0 => f64::INFINITY,
        1..=30 => table[degrees - 1],
        _ => {
            let v = degrees as f64;
            let z3 = z * z * z;
            z + (z3 + z) / (4.0 * v) + (5.0 * z3 * z * z + 16.0 * z3 + 3.0 * z) / (96.0 * v * v)
        }
    }
}

/// Mean and half-width over independent values; the half-width is infinite for fewer than two.
#[must_use]
pub fn interval(values: &[f64], confidence: Confidence) -> (f64, f64) {
    let count = values.len() as f64;
    if values.is_empty() {
        return (0.0, f64::INFINITY);
    }
    let mean = values.iter().sum::<f64>() / count;
    if values.len() < 2 {
        return (mean, f64::INFINITY);
    }
    let variance = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (count - 1.0);
    (mean, student_t(values.len() - 1, confidence) * libm::sqrt(variance / count))
}

/// The 95 % interval of a figure over repeats, with the number of repeats wanted for ±2 %.
#[must_use]
pub fn figure_over_repeats(values: &[f64]) -> Interval {
    let (mean, half_width) = interval(values, Confidence::P95);
    let half_width = if half_width.is_finite() { half_width } else { 0.0 };
    let wanted = 0.02 * libm::fabs(mean);
    // The half-width shrinks with the root of the count.
    let repeats = if wanted > 0.0 { libm::ceil(values.len() as f64 * (half_width / wanted) * (half_width / wanted)) } else { 0.0 };
    Interval { mean, half_width, repeats_for_2_percent: repeats.min(f64::from(u32::MAX)) as u32 }
}

/// How many leading values to cut by MSER-5: the cut (a multiple of 5, at most half) that makes the
/// standard error of the rest smallest.
#[must_use]
pub fn mser5(values: &[f64]) -> usize {
    let batches: Vec<f64> = values.chunks_exact(5).map(|five| five.iter().sum::<f64>() / 5.0).collect();
    let mut best = (f64::INFINITY, 0);
    for cut in 0..=batches.len() / 2 {
        let rest = &batches[cut..];
        if rest.len() < 2 {
            break;
        }
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        let squares: f64 = rest.iter().map(|v| (v - mean) * (v - mean)).sum();
        let error = squares / (rest.len() * rest.len()) as f64;
        if error < best.0 {
            best = (error, cut);
        }
    }
    best.1 * 5
}

/// Whether a backlog grows to the end: a straight line through its second half explains at least four
/// tenths of its variance, rises by more than three tenths of what it begins with, by more than 20, and by
/// more than a hundredth of what ended meanwhile. Waves on a rising backlog do not hide the rise.
#[must_use]
pub fn backlog_grows(backlog: &[f64], ended_in_second_half: f64) -> bool {
    const POINTS_MIN: usize = 20;
    let half = &backlog[backlog.len() / 2..];
    if half.len() < POINTS_MIN {
        return false;
    }
    let count = half.len() as f64;
    let (mid, mean) = ((count - 1.0) / 2.0, half.iter().sum::<f64>() / count);
    let (mut across, mut along, mut spread) = (0.0, 0.0, 0.0);
    for (index, value) in half.iter().enumerate() {
        let (x, y) = (index as f64 - mid, value - mean);
        across += x * y;
        along += x * x;
        spread += y * y;
    }
    let growth = across / along * count;
    let explained = if spread > 0.0 { across * across / (along * spread) } else { 0.0 };
    let begins_with = (mean - growth / 2.0).max(0.0);
    explained >= 0.4 && growth > 0.3 * begins_with && growth > 20.0 && growth > 0.01 * ended_in_second_half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_quantiles_join_at_thirty_one() {
        assert!((student_t(31, Confidence::P95) - 2.0395).abs() < 1e-3);
        assert!((student_t(100, Confidence::P99) - 2.6259).abs() < 1e-3);
    }

    #[test]
    fn mser_cuts_the_transient() {
        let values: Vec<f64> = (0..400).map(|i| if i < 50 { f64::from(i) } else { 50.0 + f64::from(i % 7) }).collect();
        let cut = mser5(&values);
        assert!((40..=80).contains(&cut), "cut {cut}");
    }

    #[test]
    fn growth_is_told_from_noise() {
        let growing: Vec<f64> = (0..600).map(f64::from).collect();
        let level: Vec<f64> = (0..600).map(|i| 500.0 + f64::from((i * 7919) % 100)).collect();
        let waves: Vec<f64> = (0..600).map(|i| 10.0 * f64::from(i) + 500.0 * f64::from((i / 50) % 2)).collect();
        assert!(backlog_grows(&growing, 1_000.0));
        assert!(backlog_grows(&waves, 1_000.0));
        assert!(!backlog_grows(&level, 1_000.0));
    }
}
