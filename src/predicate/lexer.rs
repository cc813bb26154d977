//! From text to tokens, each with its column in characters, counted from 1.

use super::{ParseError, TEXT_BYTES_MAX, Unit};
use crate::units::{Bytes, Rate, SimDuration};

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number in base units, its unit, and how it was written.
    Number { value: f64, unit: Unit, text: String },
    /// A word of the language or a figure's name.
    Word(String),
    /// A name in quotes.
    Name(String),
    /// `<=`, `(`, `,`…
    Sign(&'static str),
    /// Nothing more.
    End,
}

impl Token {
    /// As a message shows it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number { text, .. } => format!("`{text}`"),
            Self::Word(word) => format!("`{word}`"),
            Self::Name(name) => format!("\"{name}\""),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longer signs first.
const SIGNS: [&str; 14] = ["<=", ">=", "==", "!=", "<", ">", "(", ")", ",", ".", "+", "-", "*", "/"];
const DURATIONS: [&str; 8] = ["ns", "us", "µs", "ms", "s", "min", "h", "d"];
const PER: [&str; 6] = ["ms", "s", "min", "m", "h", "d"];
const SIZES: [&str; 9] = ["B", "kB", "KB", "MB", "GB", "KiB", "MiB", "GiB", "TiB"];

/// All tokens; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(ParseError::new(1, format!("the expectation has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len()))
            .with_hint("split it into several expectations"));
    }
    let chars: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { chars: &chars, next: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_spaces();
        let at = lexer.next + 1;
        let token = lexer.token()?;
        let done = token == Token::End;
        tokens.push((at, token));
        if done {
            return Ok(tokens);
        }
    }
}

struct Lexer<'a> {
    chars: &'a [char],
    next: usize,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.next + ahead).copied()
    }
    fn skip_spaces(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.next += 1;
        }
    }
    fn starts_with(&self, sign: &str) -> bool {
        sign.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
    }
    fn token(&mut self) -> Result<Token, ParseError> {
        let at = self.next + 1;
        let Some(first) = self.peek(0) else { return Ok(Token::End) };
        if first.is_ascii_digit() || (first == '.' && self.peek(1).is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        if first.is_alphabetic() || first == '_' {
            return Ok(Token::Word(self.word()));
        }
        if matches!(first, '"' | '\'') {
            return self.name(first);
        }
        if let Some(sign) = SIGNS.into_iter().find(|sign| self.starts_with(sign)) {
            self.next += sign.len();
            return Ok(Token::Sign(sign));
        }
        let error = ParseError::new(at, format!("`{first}` has no meaning here"));
        Err(match first {
            '=' => error.with_hint("write `==` to compare"),
            '&' => error.with_hint("write `and`"),
            '|' => error.with_hint("write `or`"),
            '!' => error.with_hint("write `not` before a condition, `!=` between two values"),
            '≤' => error.with_hint("write `<=`"),
            '≥' => error.with_hint("write `>=`"),
            '“' | '”' | '„' => error.with_hint("use straight quotes"),
            '%' => error.with_hint("a percent sign stands after a number"),
            _ => error,
        })
    }
    fn word(&mut self) -> String {
        let from = self.next;
        while self.peek(0).is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.next += 1;
        }
        self.chars[from..self.next].iter().collect()
    }
    fn name(&mut self, quote: char) -> Result<Token, ParseError> {
        let at = self.next + 1;
        self.next += 1;
        let mut name = String::new();
        while let Some(c) = self.peek(0) {
            self.next += 1;
            if c == quote {
                return if name.is_empty() { Err(ParseError::new(at, "the name is empty")) } else { Ok(Token::Name(name)) };
            }
            if c == '\\' && matches!(self.peek(0), Some('\\' | '"' | '\'')) {
                name.extend(self.peek(0));
                self.next += 1;
            } else {
                name.push(c);
            }
        }
        Err(ParseError::new(at, "the name has no closing quote").with_hint(format!("end it with {quote}")))
    }
    fn number(&mut self) -> Result<Token, ParseError> {
        let (at, from) = (self.next + 1, self.next);
        while let Some(c) = self.peek(0) {
            let exponent = matches!(c, 'e' | 'E')
                && (self.peek(1).is_some_and(|d| d.is_ascii_digit())
                    || (self.peek(1) == Some('-') && self.peek(2).is_some_and(|d| d.is_ascii_digit())));
            if exponent {
                self.next += 2;
            } else if c.is_ascii_digit() || c == '.' || c == '_' {
                self.next += 1;
            } else {
                break;
            }
        }
        let digits: String = self.chars[from..self.next].iter().filter(|c| **c != '_').collect();
        let value = digits.parse::<f64>().ok().filter(|value| value.is_finite());
        let Some(value) = value else { return Err(ParseError::new(at, format!("`{digits}` is no number"))) };
        let unit_text = self.unit(at, &digits)?;
        let text = format!("{digits}{unit_text}");
        let (unit, value) = match unit_text.as_str() {
            "" => (Unit::Plain, Ok(value)),
            "%" => (Unit::Ratio, Ok(value / 100.0)),
            unit if unit.contains('/') => (Unit::Rate, text.parse::<Rate>().map(|rate| rate.0)),
            unit if SIZES.contains(&unit) => (Unit::Size, text.parse::<Bytes>().map(|bytes| bytes.0 as f64)),
            _ => (Unit::Duration, text.parse::<SimDuration>().map(SimDuration::as_secs_f64)),
        };
        let value = value.map_err(|error| ParseError::new(at, error.to_string()))?;
        Ok(Token::Number { value, unit, text })
    }
    /// The unit behind a number, empty when there is none. It may stand after a space: no word of the
    /// language is a unit.
    fn unit(&mut self, at: usize, digits: &str) -> Result<String, ParseError> {
        let before = self.next;
        self.skip_spaces();
        let adjacent = self.next == before;
        if self.peek(0) == Some('%') {
            self.next += 1;
            return Ok("%".to_owned());
        }
        let prefix = if self.peek(0).is_some_and(char::is_alphabetic) { self.word() } else { String::new() };
        let scale = matches!(prefix.as_str(), "" | "k" | "M");
        if scale && let Some(per) = self.per() {
            return Ok(format!("{prefix}/{per}"));
        }
        if DURATIONS.contains(&prefix.as_str()) || SIZES.contains(&prefix.as_str()) {
            return Ok(prefix);
        }
        if adjacent && !prefix.is_empty() {
            return Err(ParseError::new(at, format!("`{digits}{prefix}` has the unknown unit `{prefix}`"))
                .with_hint("units are ns us ms s min h d, %, /s /min /h, B KiB MiB GiB"));
        }
        self.next = before;
        Ok(String::new())
    }
    /// `/s`, unless the word goes on or is a figure being called: `100/s` is a rate, `100 / skipped` a division.
    fn per(&mut self) -> Option<&'static str> {
        let before = self.next;
        if self.peek(0) == Some('/') && self.peek(1).is_some_and(char::is_alphabetic) {
            self.next += 1;
            let word = self.word();
            if let Some(per) = PER.into_iter().find(|per| *per == word) {
                return Some(per);
            }
        }
        self.next = before;
        None
    }
}
