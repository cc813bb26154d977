//! What a Protobuf text may be before any parser sees it: parsers recurse, and store each name under its full name.
//!
//! In: a text. Out: how much of everything it has, or why it is too much. The scan tells strings and comments from
//! code as the parser's lexer does. Must not know: what the text means. Start at [`measure`].

use crate::machines::codec::schema::{TEXT_BYTES_MAX, TEXT_DEPTH_MAX};

/// Statements and blocks of a schema and all that it imports.
pub(super) const PARTS_MAX: usize = 10_000;
/// Longest name with its dots.
const NAME_BYTES_MAX: usize = 512;
/// Bytes of all names, each with the names of what it stands in.
pub(super) const NAMES_BYTES_MAX: usize = 2 << 20;

/// How much a text holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) parts: usize,
    pub(super) names_bytes: usize,
}

/// # Errors
/// Which limit is passed.
pub(super) fn measure(text: &str) -> Result<Measure, String> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(format!("the schema has {} bytes; at most {TEXT_BYTES_MAX} are read", text.len()));
    }
    let mut scan = Scan { left: text.as_bytes(), ..Scan::default() };
    while !scan.left.is_empty() {
        scan.step()?;
    }
    Ok(scan.found)
}

#[derive(Default)]
struct Scan<'a> {
    left: &'a [u8],
    found: Measure,
    /// For each open bracket the bytes that the names of blocks around have.
    around: Vec<usize>,
    /// The last name of this statement, and whether a dot joins what follows to it.
    name_bytes: usize,
    is_joined: bool,
}

impl Scan<'_> {
    fn step(&mut self) -> Result<(), String> {
        match *self.left {
            [b'/', b'/', ..] | [b'#', ..] => self.skip(|byte| byte != b'\n'),
            [b'/', b'*', ..] => self.comment()?,
            [quote @ (b'"' | b'\''), ..] => self.string(quote),
            [first, ..] if is_of_name(first) => self.name()?,
            [first, ..] => {
                self.left = &self.left[1..];
                self.sign(first)?;
            }
            [] => {}
        }
        Ok(())
    }
    fn skip(&mut self, is_in: impl Fn(u8) -> bool) {
        let length = self.left.iter().position(|byte| !is_in(*byte)).unwrap_or(self.left.len());
        self.left = &self.left[length..];
    }
    fn comment(&mut self) -> Result<(), String> {
        self.left = &self.left[2..];
        loop {
            match self.left {
                [b'*', b'/', rest @ ..] => {
                    self.left = rest;
                    return Ok(());
                }
                // No compiler takes it, and lexers differ in where such a comment ends.
                [b'/', b'*', ..] => return Err("a comment begins within a comment".to_owned()),
                [_, rest @ ..] => self.left = rest,
                [] => return Ok(()),
            }
        }
    }
    fn string(&mut self, quote: u8) {
        self.left = &self.left[1..];
        loop {
            match *self.left {
                [b'\\', b'\\' | b'"' | b'\'', ..] => self.left = &self.left[2..],
                [byte, ..] => {
                    self.left = &self.left[1..];
                    if byte == quote || byte == b'\n' {
                        return;
                    }
                }
                [] => return,
            }
        }
    }
    fn name(&mut self) -> Result<(), String> {
        let before = self.left.len();
        self.skip(is_of_name);
        let length = before - self.left.len();
        self.name_bytes = if self.is_joined { self.name_bytes + length } else { length };
        self.is_joined = false;
        if self.name_bytes > NAME_BYTES_MAX {
            return Err(format!("a name has more than {NAME_BYTES_MAX} bytes"));
        }
        Ok(())
    }
    fn sign(&mut self, sign: u8) -> Result<(), String> {
        let around = self.around.last().copied().unwrap_or(0);
        match sign {
            b'.' => {
                self.is_joined = true;
                self.name_bytes += 1;
                return Ok(());
            }
            b' ' | b'\t' | b'\r' | b'\n' => return Ok(()),
            b'{' => {
                self.part(around)?;
                self.open(around + self.name_bytes + 1)?;
            }
            b'[' | b'(' | b'<' => self.open(around)?,
            b'}' | b']' | b')' | b'>' => drop(self.around.pop()),
            b';' | b',' => self.part(around)?,
            _ => {}
        }
        self.is_joined = false;
        if matches!(sign, b';' | b'{' | b'}') {
            self.name_bytes = 0;
        }
        Ok(())
    }
    fn open(&mut self, around: usize) -> Result<(), String> {
        self.around.push(around);
        if self.around.len() > TEXT_DEPTH_MAX {
            return Err(format!("the schema is nested more than {TEXT_DEPTH_MAX} levels deep"));
        }
        Ok(())
    }
    fn part(&mut self, around: usize) -> Result<(), String> {
        self.found.parts += 1;
        self.found.names_bytes += around + self.name_bytes;
        self.found.within_limits()
    }
}

impl Measure {
    pub(super) fn add(&mut self, other: Self) -> Result<(), String> {
        self.parts += other.parts;
        self.names_bytes += other.names_bytes;
        self.within_limits()
    }
    fn within_limits(self) -> Result<(), String> {
        if self.parts > PARTS_MAX {
            return Err(format!("the schema and what it imports have more than {PARTS_MAX} parts"));
        }
        if self.names_bytes > NAMES_BYTES_MAX {
            return Err(format!("the names of the schema and of what it imports have more than {NAMES_BYTES_MAX} bytes"));
        }
        Ok(())
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
