//! RON text to tokens, one at a time: spans and places only, nothing is copied or decoded here.
//!
//! In: text. Out: [`Token`]s, comments among them. Must not know: what a project is. A cloned lexer is
//! a look-ahead. JSON's tokens are a subset, so one lexer serves both.

use crate::diagnostics::Place;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `(`, `[` or `{`.
    Open(Bracket),
    /// `)`, `]` or `}`.
    Close(Bracket),
    Colon,
    Comma,
    /// `name`, `true`, `None`.
    Word,
    /// Anything that begins like a number, with whatever sticks to it.
    Number,
    /// `"…"` with escapes; `closed` is false at the end of the text.
    Text {
        closed: bool,
    },
    /// `r#"…"#`.
    RawText {
        hashes: usize,
        closed: bool,
    },
    /// `'c'`.
    Char,
    /// `// …` without its line end.
    LineComment,
    /// `/* … */`, nested.
    BlockComment {
        closed: bool,
    },
    /// `#![…]`.
    Attribute,
    /// A character that begins nothing.
    Stray,
    End,
}

/// The three pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    Round,
    Square,
    Curly,
}

impl Bracket {
    pub(super) fn open(self) -> char {
        match self {
            Self::Round => '(',
            Self::Square => '[',
            Self::Curly => '{',
        }
    }
    pub(super) fn close(self) -> char {
        match self {
            Self::Round => ')',
            Self::Square => ']',
            Self::Curly => '}',
        }
    }
}

/// A token: what, and from which byte to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) place: Place,
    /// How many line ends lie between the token before and this one.
    pub(super) lines_before: u32,
}

/// Walks over a text.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut lexer = Self { text, at: 0, place: Place { line: 1, column: 1 } };
        // A byte order mark is no part of the text that a person sees.
        if text.starts_with('\u{feff}') {
            lexer.at = '\u{feff}'.len_utf8();
        }
        lexer
    }

    /// The next token; [`TokenKind::End`] for ever at the end.
    pub(super) fn next_token(&mut self) -> Token {
        let line = self.place.line;
        self.skip_while(char::is_whitespace);
        let (start, place) = (self.at, self.place);
        let kind = self.scan();
        Token { kind, start, end: self.at, place, lines_before: place.line - line }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        if c == '\n' {
            self.place = Place { line: self.place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some(c)
    }
    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&keep) {
            self.bump();
        }
    }
    fn take(&mut self, kind: TokenKind) -> TokenKind {
        self.bump();
        kind
    }

    fn scan(&mut self) -> TokenKind {
        let Some(c) = self.peek() else { return TokenKind::End };
        let rest = self.rest();
        match c {
            '(' => self.take(TokenKind::Open(Bracket::Round)),
            '[' => self.take(TokenKind::Open(Bracket::Square)),
            '{' => self.take(TokenKind::Open(Bracket::Curly)),
            ')' => self.take(TokenKind::Close(Bracket::Round)),
            ']' => self.take(TokenKind::Close(Bracket::Square)),
            '}' => self.take(TokenKind::Close(Bracket::Curly)),
            ':' => self.take(TokenKind::Colon),
            ',' => self.take(TokenKind::Comma),
            '"' => self.text_token(),
            '\'' => self.char_token(),
            '/' if rest.starts_with("//") => {
                self.skip_while(|c| c != '\n');
                TokenKind::LineComment
            }
            '/' if rest.starts_with("/*") => self.block_comment(),
            '#' if rest.starts_with("#!") => {
                self.skip_while(|c| c != ']' && c != '\n');
                if self.peek() == Some(']') {
                    self.bump();
                }
                TokenKind::Attribute
            }
            'r' if raw_hashes(&rest[1..]).is_some() => self.raw_text(),
            '0'..='9' | '-' | '+' | '.' => {
                self.number();
                TokenKind::Number
            }
            c if c.is_alphabetic() || c == '_' => {
                self.skip_while(|c| c.is_alphanumeric() || c == '_' || c == '-');
                TokenKind::Word
            }
            _ => self.take(TokenKind::Stray),
        }
    }

    fn text_token(&mut self) -> TokenKind {
        self.bump();
        loop {
            match self.bump() {
                None => return TokenKind::Text { closed: false },
                Some('"') => return TokenKind::Text { closed: true },
                Some('\\') => {
                    self.bump();
                }
                Some(_) => {}
            }
        }
    }

    fn raw_text(&mut self) -> TokenKind {
        self.bump();
        let mut hashes = 0;
        while self.peek() == Some('#') {
            self.bump();
            hashes += 1;
        }
        self.bump();
        loop {
            match self.bump() {
                None => return TokenKind::RawText { hashes, closed: false },
                Some('"') => {
                    let rest = self.rest().as_bytes();
                    if rest.len() >= hashes && rest[..hashes].iter().all(|b| *b == b'#') {
                        for _ in 0..hashes {
                            self.bump();
                        }
                        return TokenKind::RawText { hashes, closed: true };
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn char_token(&mut self) -> TokenKind {
        self.bump();
        let mut escaped = false;
        // A forgotten quote must not swallow the file: a character literal ends with its line.
        while let Some(c) = self.peek().filter(|c| *c != '\n') {
            self.bump();
            if c == '\'' && !escaped {
                break;
            }
            escaped = c == '\\' && !escaped;
        }
        TokenKind::Char
    }

    fn block_comment(&mut self) -> TokenKind {
        let mut depth = 0_usize;
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") || rest.starts_with("*/") {
                depth = if rest.starts_with("/*") { depth + 1 } else { depth - 1 };
                self.bump();
                self.bump();
                if depth == 0 {
                    return TokenKind::BlockComment { closed: true };
                }
            } else if self.bump().is_none() {
                return TokenKind::BlockComment { closed: false };
            }
        }
    }

    fn number(&mut self) {
        let mut before = '\0';
        let hex = self.rest().trim_start_matches(['-', '+']).starts_with("0x");
        while let Some(c) = self.peek() {
            let sign = matches!(c, '-' | '+') && (before == '\0' || (matches!(before, 'e' | 'E') && !hex));
            // `%`, and `/` before a letter, stick to the number so that `1200/s` without quotes is one mistake, not three.
            let unit = c == '%' || (c == '/' && self.rest()[1..].starts_with(|c: char| c.is_alphabetic()));
            if !(c.is_alphanumeric() || c == '_' || c == '.' || sign || unit) {
                break;
            }
            before = c;
            self.bump();
        }
    }
}

/// How many `#` stand before the quote, if this is what follows the `r` of a raw text.
fn raw_hashes(after_r: &str) -> Option<usize> {
    let quote = after_r.trim_start_matches('#');
    quote.starts_with('"').then_some(after_r.len() - quote.len())
}
