//! The grammar that distributions, arrivals and keys share: `name(argument, argument)`.

/// Longest text that is read at all.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024;

/// `exp(5ms)` as ("exp", "5ms"); a text without parentheses has no name.
pub(super) fn split(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("the text has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len()));
    }
    let Some(open) = text.find('(') else { return Ok(("", text)) };
    let Some(inner) = text[open + 1..].strip_suffix(')') else {
        return Err(format!("`{}` does not end with `)`", shorten(text)));
    };
    Ok((text[..open].trim(), inner.trim()))
}

/// The arguments between commas, brackets kept together; exactly `N` of them.
pub(super) fn arguments<const N: usize>(inner: &str, expected: &str) -> Result<[String; N], String> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, here) in inner.char_indices() {
        match here {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(inner[start..at].trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(inner[start..].trim().to_owned());
    let count = if found.len() == 1 && found[0].is_empty() { 0 } else { found.len() };
    found.try_into().map_err(|_| format!("expected {expected}, found {count} argument{}", if count == 1 { "" } else { "s" }))
}

/// A number argument within bounds.
pub(super) fn number(text: &str, what: &str, min: f64, max: f64, expected: &str) -> Result<f64, String> {
    let number: f64 = text.replace('_', "").parse().map_err(|_| format!("`{}` is no number; expected {expected}", shorten(text)))?;
    if (min..=max).contains(&number) { Ok(number) } else { Err(format!("{what} is {}; it may be {min} to {max}", shorten(text))) }
}

/// A whole-number argument within bounds.
pub(super) fn count(text: &str, what: &str, min: u64, max: u64, expected: &str) -> Result<u64, String> {
    let count: u64 = text.replace('_', "").parse().map_err(|_| format!("`{}` is no whole number; expected {expected}", shorten(text)))?;
    if (min..=max).contains(&count) { Ok(count) } else { Err(format!("{what} is {}; it may be {min} to {max}", shorten(text))) }
}

/// Enough of a text to recognise it in a message.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_CHARS_MAX).chain(std::iter::once('…')).collect()
}
