//! Figures as people read them: few digits, separated thousands, a unit that fits.

use crate::units::SimDuration;

/// A plain figure: two decimals below ten, one below a thousand, whole thousands separated beyond.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size >= 1_000.0 {
        count(libm::round(size) as u64, value < 0.0)
    } else if size >= 10.0 || size == 0.0 || size == libm::round(size) {
        trimmed(value, 1)
    } else if size >= 0.01 {
        trimmed(value, 2)
    } else {
        format!("{value:.1e}")
    }
}

/// A whole number with thousands set apart: `12,345`.
#[must_use]
pub fn whole(value: u64) -> String {
    count(value, false)
}

/// Milliseconds in the unit that reads best: figure and unit.
#[must_use]
pub fn latency(ms: f64) -> (String, &'static str) {
    if !ms.is_finite() {
        ("–".to_owned(), "ms")
    } else if ms >= 10_000.0 {
        (number(ms / 1_000.0), "s")
    } else if ms < 0.1 && ms > 0.0 {
        (number(ms * 1_000.0), "µs")
    } else {
        (number(ms), "ms")
    }
}

/// A span in the unit that reads best: `70.5 ms`, `12 µs`, `1.5 s`.
#[must_use]
pub fn span(span: SimDuration) -> String {
    let (figure, unit) = latency(span.as_ms_f64());
    format!("{figure} {unit}")
}

/// A size in the unit that reads best: `512 B`, `74.9 KiB`, `1.2 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let power = (bytes.max(1).ilog2() / 10).min(units.len() as u32 - 1);
    format!("{} {}", number(bytes as f64 / (1u64 << (10 * power)) as f64), units[power as usize])
}

/// Virtual seconds on a clock: `0:12.345`, `1:02:03.4`.
#[must_use]
pub fn clock(seconds: f64) -> String {
    let ms = libm::round(seconds.max(0.0) * 1_000.0) as u64;
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{:02}.{}", rest / 1_000, rest % 1_000 / 100)
    } else {
        format!("{minutes}:{:02}.{:03}", rest / 1_000, rest % 1_000)
    }
}

/// A factor of real time: `0.01×`, `12×`, `1,300×`.
#[must_use]
pub fn factor(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.01 { format!("{ratio:.4}×") } else { format!("{}×", number(ratio)) }
}

fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => text,
    }
}

fn count(value: u64, negative: bool) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if negative {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        assert_eq!(number(0.0), "0");
        assert_eq!(number(299.8), "299.8");
        assert_eq!(number(300.0), "300");
        assert_eq!(number(3.456_7), "3.46");
        assert_eq!(number(12_345.6), "12,346");
        assert_eq!(number(f64::NAN), "–");
        assert_eq!(whole(1_000_000), "1,000,000");
        assert_eq!(latency(0.05), ("50".to_owned(), "µs"));
        assert_eq!(latency(12.34), ("12.3".to_owned(), "ms"));
        assert_eq!(latency(61_000.0), ("61".to_owned(), "s"));
        assert_eq!(span(SimDuration::from_ns(70_532_826)), "70.5 ms");
        assert_eq!(size(0), "0 B");
        assert_eq!(size(76_649), "74.9 KiB");
        assert_eq!(size(5 << 30), "5 GiB");
        assert_eq!(clock(62.5), "1:02.500");
        assert_eq!(clock(3_723.45), "1:02:03.4");
        assert_eq!(factor(0.0001), "0.0001×");
    }
}
