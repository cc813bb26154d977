//! JSON's tokens on bytes, as strict as serde_json or stricter: what is doubtful is [`Doubt`].
//!
//! The caller has seen that the bytes are UTF-8.

/// Not sure: let the library decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt;

/// Deepest nesting that is read here; serde_json ends at 128.
pub(super) const DEPTH_MAX: u32 = 100;
/// Most digits of a number that is skipped: far below what overflows.
const DIGITS_MAX: usize = 40;

/// A text between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quoted<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) escapes: usize,
    pub(super) end: usize,
}

impl Quoted<'_> {
    /// Characters, each escape counted as one.
    pub(super) fn chars(&self) -> u64 {
        let starts = self.bytes.iter().filter(|byte| (**byte as i8) >= -0x40).count();
        (starts - self.escapes) as u64
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Numeral {
    Whole(i64),
    /// With a fraction, exactly as serde_json reads it.
    Real(f64),
}

pub(super) fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// A text whose opening quote is at `at`. Escapes by code point are doubtful: halves of a pair can stand alone.
pub(super) fn quoted(bytes: &[u8], at: usize) -> Result<Quoted<'_>, Doubt> {
    let start = at + 1;
    let (mut at, mut escapes) = (start, 0);
    loop {
        at += plain(&bytes[at..]);
        match bytes.get(at) {
            Some(b'"') => return Ok(Quoted { bytes: &bytes[start..at], escapes, end: at + 1 }),
            Some(b'\\') if matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {
                escapes += 1;
                at += 2;
            }
            _ => return Err(Doubt),
        }
    }
}

/// How many bytes from the start are neither quote, backslash nor control character: eight at a time.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(word) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map(u64::from_le_bytes) {
        let zero_in = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
        let quotes = zero_in(word ^ (ONES * u64::from(b'"')));
        let slashes = zero_in(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let hits = quotes | slashes | controls;
        if hits != 0 {
            // The lowest hit is a true one; a carry can only reach those above it.
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len() - at)
}

/// A number at `at`, whose value is known exactly.
pub(super) fn numeral(bytes: &[u8], at: usize) -> Result<(Numeral, usize), Doubt> {
    /// Ten to these powers, and whole numbers below 2^53, are exact: their quotient is rounded once.
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let is_negative = bytes.get(at) == Some(&b'-');
    let start = at + usize::from(is_negative);
    let (whole, mut end) = digits(bytes, start, 0);
    let whole_digits = end - start;
    if whole_digits == 0 || whole_digits > 18 || (whole_digits > 1 && bytes[start] == b'0') {
        return Err(Doubt);
    }
    let sign = |number: i64| if is_negative { -number } else { number };
    let numeral = if bytes.get(end) == Some(&b'.') {
        let point = end;
        let (all, fraction_end) = digits(bytes, point + 1, whole);
        end = fraction_end;
        let places = end - point - 1;
        if places == 0 || whole_digits + places > 15 {
            return Err(Doubt);
        }
        Numeral::Real(sign(all) as f64 / POWERS[places])
    } else if is_negative && whole == 0 {
        // Minus zero is a float to serde_json.
        return Err(Doubt);
    } else {
        Numeral::Whole(sign(whole))
    };
    if matches!(bytes.get(end), Some(b'e' | b'E')) { Err(Doubt) } else { Ok((numeral, end)) }
}

fn digits(bytes: &[u8], mut at: usize, mut value: i64) -> (i64, usize) {
    while let Some(byte @ b'0'..=b'9') = bytes.get(at) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(byte - b'0'));
        at += 1;
    }
    (value, at)
}

/// A word such as `true`.
pub(super) fn word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Doubt> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Doubt) }
}

/// Past any value.
pub(super) fn skip(bytes: &[u8], at: usize, depth: u32) -> Result<usize, Doubt> {
    if depth >= DEPTH_MAX {
        return Err(Doubt);
    }
    match bytes.get(at) {
        Some(b'"') => quoted(bytes, at).map(|text| text.end),
        Some(b't') => word(bytes, at, b"true"),
        Some(b'f') => word(bytes, at, b"false"),
        Some(b'n') => word(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => skip_number(bytes, at),
        Some(b'[') => skip_list(bytes, at, depth),
        Some(b'{') => skip_object(bytes, at, depth),
        _ => Err(Doubt),
    }
}

fn skip_number(bytes: &[u8], at: usize) -> Result<usize, Doubt> {
    let start = at + usize::from(bytes[at] == b'-');
    let (_, mut end) = digits(bytes, start, 0);
    if end == start || end - start > DIGITS_MAX || (end - start > 1 && bytes[start] == b'0') {
        return Err(Doubt);
    }
    if bytes.get(end) == Some(&b'.') {
        let (_, fraction_end) = digits(bytes, end + 1, 0);
        if fraction_end == end + 1 {
            return Err(Doubt);
        }
        end = fraction_end;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) { Err(Doubt) } else { Ok(end) }
}

fn skip_list(bytes: &[u8], at: usize, depth: u32) -> Result<usize, Doubt> {
    let mut at = space(bytes, at + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = space(bytes, skip(bytes, at, depth + 1)?);
        match bytes.get(at) {
            Some(b',') => at = space(bytes, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(Doubt),
        }
    }
}

fn skip_object(bytes: &[u8], at: usize, depth: u32) -> Result<usize, Doubt> {
    let mut at = space(bytes, at + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        let (_, value) = key(bytes, at)?;
        at = space(bytes, skip(bytes, value, depth + 1)?);
        match bytes.get(at) {
            Some(b',') => at = space(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(Doubt),
        }
    }
}

/// A key and where its value begins. A key with an escape is doubtful: it may be another one's name.
pub(super) fn key(bytes: &[u8], at: usize) -> Result<(&[u8], usize), Doubt> {
    if bytes.get(at) != Some(&b'"') {
        return Err(Doubt);
    }
    let text = quoted(bytes, at)?;
    let colon = space(bytes, text.end);
    if text.escapes > 0 || bytes.get(colon) != Some(&b':') {
        return Err(Doubt);
    }
    Ok((text.bytes, space(bytes, colon + 1)))
}
