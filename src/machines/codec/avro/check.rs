//! Whether bytes are one datum of a schema and nothing else, and if not, which field and why.
//!
//! Stricter than decoders are: booleans are 0 or 1, a varint has at most ten bytes and no lost bits,
//! block sizes are true, nothing may follow. What passes here decodes anywhere.

use super::program::{BytesKind, Node, NodeIx, Program};
use crate::machines::codec::varint::{self, NoVarint, zag};
use crate::machines::codec::wrong::Wrong;

/// Deepest nesting of a datum.
const DEPTH_MAX: u32 = 256;
/// Most items of one array or entries of one map.
const ITEMS_MAX: u64 = 1_000_000;
/// The same where an item takes no bytes.
const EMPTY_ITEMS_MAX: u64 = 1_000;

type Checked = Result<(), Box<Wrong>>;

/// Bytes and how many of them are read.
pub(super) struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }
    pub(super) fn left(&self) -> usize {
        self.left.len()
    }
    #[inline]
    pub(super) fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8], Box<Wrong>> {
        if let Some((taken, left)) = self.left.split_at_checked(count) {
            self.left = left;
            return Ok(taken);
        }
        Err(self.short(what))
    }
    #[cold]
    fn short(&self, what: &str) -> Box<Wrong> {
        let plural = if self.left.len() == 1 { "byte" } else { "bytes" };
        Wrong::new(format!("expected {what}, {} {plural} left", self.left.len()))
    }
    /// A zig-zag varint.
    #[inline]
    pub(super) fn long(&mut self, what: &str) -> Result<i64, Box<Wrong>> {
        match varint::read(&mut self.left) {
            Ok(bits) => Ok(zag(bits)),
            Err(NoVarint::Short) => Err(self.short(what)),
            Err(NoVarint::Long) => Err(Wrong::new(format!("expected {what}, found a number of more than 64 bits"))),
        }
    }
    /// Length-prefixed bytes.
    #[inline]
    pub(super) fn sized(&mut self, what: &str) -> Result<&'a [u8], Box<Wrong>> {
        let length = self.long(what)?;
        match usize::try_from(length) {
            Ok(length) if length <= self.left.len() => self.take(length, what),
            _ => Err(Wrong::new(format!("expected {what}, found a length of {length} with {} bytes left", self.left.len()))),
        }
    }
}

impl Program {
    /// # Errors
    /// What is wrong and where.
    pub(super) fn check(&self, bytes: &[u8]) -> Checked {
        let mut cursor = Cursor::new(bytes);
        self.check_node(0, &mut cursor, 0)?;
        match cursor.left() {
            0 => Ok(()),
            left => Err(Wrong::new(format!("{left} bytes follow the end of the value"))),
        }
    }

    fn check_node(&self, index: NodeIx, cursor: &mut Cursor<'_>, depth: u32) -> Checked {
        match self.node(index) {
            Node::Null => Ok(()),
            Node::String(_) => {
                let text = cursor.sized("string")?;
                if std::str::from_utf8(text).is_ok() {
                    Ok(())
                } else {
                    Err(Wrong::new("expected string, found bytes that are no UTF-8".to_owned()))
                }
            }
            Node::Long(_) => cursor.long("long").map(drop),
            Node::Int(_) => check_int(cursor),
            Node::Double(_) => cursor.take(8, "double").map(drop),
            Node::Float(_) => cursor.take(4, "float").map(drop),
            Node::Boolean => match cursor.take(1, "boolean")? {
                [0 | 1] => Ok(()),
                other => Err(Wrong::new(format!("expected boolean, found the byte {}", other[0]))),
            },
            Node::Enum { first: _, count } => check_enum(cursor, count),
            Node::Bytes(kind) => check_bytes(cursor, kind),
            Node::UuidText => check_uuid(cursor),
            Node::Fixed { size, .. } => cursor.take(size as usize, "fixed").map(drop),
            nested => {
                if depth >= DEPTH_MAX {
                    return Err(Wrong::new(format!("the value is nested more than {DEPTH_MAX} levels deep")));
                }
                self.check_nested(nested, cursor, depth + 1)
            }
        }
    }

    /// A union's types in words: `null or double`.
    pub(super) fn choices(&self, first: u32, count: u32) -> String {
        let branches = &self.branches[first as usize..(first + count) as usize];
        branches.iter().map(|branch| self.words(*branch)).collect::<Vec<_>>().join(" or ")
    }

    fn check_nested(&self, node: Node, cursor: &mut Cursor<'_>, depth: u32) -> Checked {
        match node {
            Node::Record { first, count } => {
                for field in self.fields_of(first, count) {
                    if let Err(inner) = self.check_node(field.node, cursor, depth) {
                        return Err(inner.within(field.name.to_string()));
                    }
                }
                Ok(())
            }
            Node::Union { first, count, .. } => {
                let branch = cursor.long("union branch")?;
                match u32::try_from(branch) {
                    Ok(branch) if branch < count => self.check_node(self.branches[(first + branch) as usize], cursor, depth),
                    _ => Err(Wrong::new(format!("expected {}, found union choice {branch}", self.choices(first, count)))),
                }
            }
            Node::Array(item) => self.check_blocks(cursor, item, "array", |cursor, at| {
                self.check_node(item, cursor, depth).map_err(|inner| inner.within(format!("[{at}]")))
            }),
            Node::Map(value) => self.check_blocks(cursor, value, "map", |cursor, _| {
                let key = cursor.sized("map key")?;
                let key = std::str::from_utf8(key).map_err(|_| Wrong::new("a map key is no UTF-8".to_owned()))?;
                self.check_node(value, cursor, depth).map_err(|inner| inner.within(key.chars().take(40).collect()))
            }),
            _ => Ok(()),
        }
    }

    /// Blocks of items up to a block of none; a negative count is followed by the block's size in bytes.
    fn check_blocks<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        item: NodeIx,
        what: &str,
        mut each: impl FnMut(&mut Cursor<'a>, u64) -> Checked,
    ) -> Checked {
        let items_max = if what == "array" && self.bytes_min[item as usize] == 0 { EMPTY_ITEMS_MAX } else { ITEMS_MAX };
        let mut total = 0_u64;
        loop {
            let count = cursor.long(what)?;
            if count == 0 {
                return Ok(());
            }
            let size = if count < 0 { Some(cursor.long(what)?) } else { None };
            if count.unsigned_abs() > items_max - total {
                return Err(Wrong::new(format!("expected {what}, found a count of {count} with {} bytes left", cursor.left())));
            }
            let before = cursor.left();
            for _ in 0..count.unsigned_abs() {
                each(cursor, total)?;
                total += 1;
            }
            if size.is_some_and(|size| size != (before - cursor.left()) as i64) {
                return Err(Wrong::new(format!("expected {what}, found a block that is not as long as it says")));
            }
        }
    }
}

fn check_int(cursor: &mut Cursor<'_>) -> Checked {
    let number = cursor.long("int")?;
    if i32::try_from(number).is_ok() { Ok(()) } else { Err(Wrong::new(format!("expected int, found {number}"))) }
}

fn check_enum(cursor: &mut Cursor<'_>, count: u32) -> Checked {
    let symbol = cursor.long("enum")?;
    if (0..i64::from(count)).contains(&symbol) {
        Ok(())
    } else {
        Err(Wrong::new(format!("expected one of {count} symbols, found symbol number {symbol}")))
    }
}

fn check_uuid(cursor: &mut Cursor<'_>) -> Checked {
    let text = cursor.sized("uuid")?;
    if is_plain_uuid(text) {
        return Ok(());
    }
    // Rarer spellings: without hyphens, in braces, as a URN.
    let parsed = std::str::from_utf8(text).ok().and_then(|text| apache_avro::Uuid::parse_str(text).ok());
    if parsed.is_some() { Ok(()) } else { Err(Wrong::new("expected uuid, found other text".to_owned())) }
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_plain_uuid(text: &[u8]) -> bool {
    let dash = |index: usize| matches!(index, 8 | 13 | 18 | 23);
    let fits = |(index, byte): (usize, &u8)| if dash(index) { *byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.iter().enumerate().all(fits)
}

fn check_bytes(cursor: &mut Cursor<'_>, kind: BytesKind) -> Checked {
    let bytes = cursor.sized("bytes")?;
    match kind {
        BytesKind::Plain | BytesKind::Decimal { .. } | BytesKind::Duration => Ok(()),
        BytesKind::Uuid if bytes.len() == 16 => Ok(()),
        BytesKind::Uuid => Err(Wrong::new(format!("expected uuid, found {} bytes", bytes.len()))),
        BytesKind::BigDecimal => {
            let mut inner = Cursor::new(bytes);
            inner.sized("decimal")?;
            inner.long("scale").map(drop)
        }
    }
}
