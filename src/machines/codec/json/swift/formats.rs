//! Texts that surely keep a format. Each test takes a plain part of what the format allows; the rest is left to the library.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Instant,
    Date,
    Time,
    Uuid,
    Email,
    Uri,
    Ipv4,
    /// One that nothing is sure of.
    Other,
}

impl Format {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "date-time" => Self::Instant,
            "date" => Self::Date,
            "time" => Self::Time,
            "uuid" => Self::Uuid,
            "email" | "idn-email" => Self::Email,
            "uri" | "iri" | "uri-reference" | "iri-reference" => Self::Uri,
            "ipv4" => Self::Ipv4,
            _ => Self::Other,
        }
    }
    pub(super) fn surely_fits(self, text: &[u8]) -> bool {
        match self {
            Self::Instant => text.len() > 11 && text[10] == b'T' && is_date(&text[..10]) && is_time(&text[11..]),
            Self::Date => is_date(text),
            Self::Time => is_time(text),
            Self::Uuid => is_uuid(text),
            Self::Email => is_email(text),
            Self::Uri => is_uri(text),
            Self::Ipv4 => is_ipv4(text),
            Self::Other => false,
        }
    }
}

fn two(text: &[u8]) -> Option<u8> {
    match text {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// The days that every month has.
fn is_date(text: &[u8]) -> bool {
    text.len() == 10
        && text[..4].iter().all(u8::is_ascii_digit)
        && (text[4], text[7]) == (b'-', b'-')
        && two(&text[5..7]).is_some_and(|month| (1..=12).contains(&month))
        && two(&text[8..]).is_some_and(|day| (1..=28).contains(&day))
}

/// In UTC.
fn is_time(text: &[u8]) -> bool {
    let Some((b'Z', clock)) = text.split_last() else { return false };
    let (clock, fraction) = if clock.len() > 8 { clock.split_at(8) } else { (clock, &b".0"[..]) };
    clock.len() == 8
        && (clock[2], clock[5]) == (b':', b':')
        && two(&clock[..2]).is_some_and(|hour| hour < 24)
        && two(&clock[3..5]).is_some_and(|minute| minute < 60)
        && two(&clock[6..]).is_some_and(|second| second < 60)
        && matches!(fraction, [b'.', digits @ ..] if (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit))
}

fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// Letters, digits and single dots, at most a short domain.
fn is_email(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b'@') else { return false };
    let (local, host) = (&text[..at], &text[at + 1..]);
    let is_dotted =
        |text: &[u8]| text.split(|byte| *byte == b'.').all(|part| !part.is_empty() && part.iter().all(u8::is_ascii_alphanumeric));
    text.len() <= 60 && is_dotted(local) && is_host(host) && host.contains(&b'.')
}

/// Lower-case names, the last of letters.
fn is_host(host: &[u8]) -> bool {
    let is_label =
        |label: &[u8]| !label.is_empty() && label.len() < 60 && label.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    host.len() < 200 && host.split(|byte| *byte == b'.').all(is_label) && last.iter().all(u8::is_ascii_lowercase)
}

fn is_uri(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"https://").or_else(|| text.strip_prefix(b"http://")) else { return false };
    let mut parts = rest.split(|byte| *byte == b'/');
    parts.next().is_some_and(is_host)
        && parts.all(|part| part.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')))
}

fn is_ipv4(text: &[u8]) -> bool {
    let is_byte = |part: &[u8]| match part {
        [b'0'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'] => true,
        [b'1', rest @ ..] => rest.len() == 2 && rest.iter().all(u8::is_ascii_digit),
        [b'2', b'0'..=b'4', b'0'..=b'9'] | [b'2', b'5', b'0'..=b'5'] => true,
        _ => false,
    };
    text.split(|byte| *byte == b'.').count() == 4 && text.split(|byte| *byte == b'.').all(is_byte)
}
