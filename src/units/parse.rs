//! The one reader of "number, then unit", and its errors.

use thiserror::Error;

/// Why a quantity could not be read; the message says what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct UnitError {
    message: String,
}

impl UnitError {
    pub(super) fn unknown(text: &str, unit: &str, expected: &str) -> Self {
        let what = if unit.is_empty() { "has no unit".to_owned() } else { format!("has the unknown unit `{unit}`") };
        Self { message: format!("`{}` {what}; expected {expected}", shorten(text)) }
    }
    pub(super) fn negative(text: &str, what: &str) -> Self {
        Self { message: format!("`{}` is negative; {what} cannot be", shorten(text)) }
    }
    pub(super) fn too_large(text: &str, what: &str) -> Self {
        Self { message: format!("`{}` is too large for {what}", shorten(text)) }
    }
    fn no_number(text: &str) -> Self {
        Self { message: format!("`{}` does not begin with a number", shorten(text)) }
    }
}

/// Splits `"1.5 ms"` into `(1.5, "ms")`. Underscores may group digits. NaN and infinities are refused.
///
/// # Errors
/// When the text does not begin with a finite decimal number.
pub fn parse_number_and_unit(text: &str) -> Result<(f64, &str), UnitError> {
    let trimmed = text.trim();
    let mut end = 0;
    let bytes = trimmed.as_bytes();
    while end < bytes.len() {
        let here = bytes[end];
        let exponent = matches!(here, b'e' | b'E')
            && end > 0
            && bytes[end - 1].is_ascii_digit()
            && bytes.get(end + 1).is_some_and(|next| next.is_ascii_digit() || *next == b'-');
        let sign = matches!(here, b'-' | b'+') && (end == 0 || matches!(bytes[end - 1], b'e' | b'E'));
        if here.is_ascii_digit() || here == b'.' || here == b'_' || exponent || sign {
            end += 1;
        } else {
            break;
        }
    }
    let number: f64 =
        trimmed[..end].replace('_', "").parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(|| UnitError::no_number(text))?;
    Ok((number, trimmed[end..].trim_start()))
}

/// At most three decimals, without trailing zeros.
pub(super) fn trim_float(number: f64) -> String {
    let text = format!("{number:.3}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn shorten(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    if text.chars().count() <= SHOWN_MAX { text.to_owned() } else { text.chars().take(SHOWN_MAX).chain("…".chars()).collect() }
}
