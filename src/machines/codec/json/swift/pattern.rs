//! Patterns that mean the same to ECMAScript, whose expressions JSON Schema uses, and to the `regex` crate.
//!
//! Literals, classes of plain characters, groups, alternatives, counts and anchors. Anything else is left to the library.

use regex::{Regex, RegexBuilder};

/// Largest compiled form.
const BYTES_MAX: usize = 64 * 1024;
/// Longest pattern.
const CHARS_MAX: usize = 200;

pub(super) fn same_in_both(pattern: &str) -> Option<Regex> {
    if !pattern.is_ascii() || pattern.len() > CHARS_MAX {
        return None;
    }
    let mut out = String::with_capacity(pattern.len() + 16);
    let (mut left, mut in_class) = (pattern.chars().peekable(), false);
    while let Some(here) = left.next() {
        match here {
            '\\' => out.push_str(&escape(left.next()?, in_class)?),
            '[' if in_class => return None,
            '[' => {
                in_class = true;
                out.push('[');
                if left.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // An empty class means different things.
                if left.peek() == Some(&']') {
                    return None;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => return None,
            '-' if in_class && left.peek() == Some(&'-') => return None,
            '.' if !in_class => out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '(' if !in_class => {
                out.push('(');
                if left.next_if_eq(&'?').is_some() {
                    left.next_if_eq(&':')?;
                    out.push_str("?:");
                }
            }
            ']' => return None,
            // Without a number a brace means itself to one of the two.
            '{' if !in_class && !left.peek().is_some_and(char::is_ascii_digit) => return None,
            plain if plain.is_ascii_graphic() || plain == ' ' => out.push(plain),
            _ => return None,
        }
    }
    RegexBuilder::new(&out).size_limit(BYTES_MAX).build().ok()
}

fn escape(letter: char, in_class: bool) -> Option<String> {
    let class = |inner: &str| if in_class { inner.to_owned() } else { format!("[{inner}]") };
    match letter {
        'd' => Some(class("0-9")),
        'w' => Some(class("A-Za-z0-9_")),
        punctuation if punctuation.is_ascii_punctuation() && !matches!(punctuation, '<' | '>') => Some(format!("\\{punctuation}")),
        _ => None,
    }
}
