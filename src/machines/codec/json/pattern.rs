//! Texts for simple patterns: literals, classes and counts (`^ORD-[0-9]{6}$`). Alternatives, groups and
//! look-around are beyond it: such a pattern gives none, and checking decides.

use crate::random::Stream;

/// Longest text that counts may ask for.
const CHARS_MAX: u32 = 1_000;
/// Most characters for `*` and `+`.
const OPEN_MAX: u32 = 8;

/// A sequence of character sets, each with a range of repetitions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// ASCII that needs no escape in JSON.
    set: Vec<u8>,
    least: u32,
    most: u32,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix('^').unwrap_or(text);
        let body = body.strip_suffix('$').unwrap_or(body);
        let mut left = body.bytes().peekable();
        let mut parts = Vec::new();
        let mut chars = 0;
        while let Some(here) = left.next() {
            let set = match here {
                b'[' => class(&mut left)?,
                b'\\' => escape(left.next()?)?,
                b'.' => (b'a'..=b'z').collect(),
                b'(' | b')' | b'|' | b'^' | b'$' | b'*' | b'+' | b'?' | b'{' | b'"' => return None,
                plain if plain.is_ascii_graphic() || plain == b' ' => vec![plain],
                _ => return None,
            };
            let (least, most) = repetitions(&mut left)?;
            chars += most;
            if chars > CHARS_MAX || set.is_empty() {
                return None;
            }
            parts.push(Part { set, least, most });
        }
        Some(Self { parts })
    }
    /// Appends a text that matches.
    pub(super) fn write(&self, rng: &mut Stream, out: &mut Vec<u8>) {
        for part in &self.parts {
            let count = u64::from(part.least) + rng.below(u64::from(part.most - part.least) + 1);
            for _ in 0..count {
                out.push(part.set[rng.below(part.set.len() as u64) as usize]);
            }
        }
    }
}

type Left<'a> = std::iter::Peekable<std::str::Bytes<'a>>;

fn escape(letter: u8) -> Option<Vec<u8>> {
    match letter {
        b'd' => Some((b'0'..=b'9').collect()),
        b'w' => Some((b'0'..=b'9').chain(b'A'..=b'Z').chain(b'a'..=b'z').collect()),
        b's' => Some(vec![b' ']),
        b'.' | b'-' | b'/' | b'+' | b'*' | b'?' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'^' | b'$' | b'|' | b':' => Some(vec![letter]),
        _ => None,
    }
}

fn class(left: &mut Left<'_>) -> Option<Vec<u8>> {
    let mut set = Vec::new();
    loop {
        let first = match left.next()? {
            b']' => return Some(set),
            b'^' if set.is_empty() => return None,
            b'\\' => {
                set.extend(escape(left.next()?)?);
                continue;
            }
            plain => plain,
        };
        if left.peek() == Some(&b'-') {
            left.next();
            match left.next()? {
                b']' => {
                    set.extend([first, b'-']);
                    return Some(set);
                }
                last => set.extend(first..=last),
            }
        } else {
            set.push(first);
        }
        set.retain(|byte| (byte.is_ascii_graphic() || *byte == b' ') && !matches!(byte, b'"' | b'\\'));
    }
}

fn repetitions(left: &mut Left<'_>) -> Option<(u32, u32)> {
    let range = match left.peek() {
        Some(b'?') => (0, 1),
        Some(b'*') => (0, OPEN_MAX),
        Some(b'+') => (1, OPEN_MAX),
        Some(b'{') => {
            left.next();
            let inner: Vec<u8> = left.by_ref().take_while(|byte| *byte != b'}').collect();
            let inner = String::from_utf8(inner).ok()?;
            let (least, most) = inner.split_once(',').unwrap_or((&inner, &inner));
            let least: u32 = least.parse().ok()?;
            let most: u32 = if most.is_empty() { least.checked_add(OPEN_MAX)? } else { most.parse().ok()? };
            return (least <= most && most <= CHARS_MAX).then_some((least, most));
        }
        _ => return Some((1, 1)),
    };
    left.next();
    Some(range)
}
