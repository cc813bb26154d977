//! Whether bytes are a message, and if not, which field and why.
//!
//! A field that the message does not have is passed over, as every reader does. Stricter than most readers: a known field
//! of another wire type is refused (many take it for an unknown one, and lose it), text is UTF-8, required fields are
//! there. What passes here decodes anywhere.

use super::program::{Arity, Field, Message, MessageIx, Program, Shape, wire};
use crate::machines::codec::varint::{self, NoVarint};
use crate::machines::codec::wrong::Wrong;

/// Deepest nesting of a message: the limit of the products' own decoders.
const DEPTH_MAX: u32 = 100;

type Checked = Result<(), Box<Wrong>>;

impl Program {
    /// # Errors
    /// What is wrong and where.
    pub(super) fn check(&self, message: MessageIx, bytes: &[u8]) -> Checked {
        self.check_message(message, &mut Cursor { left: bytes }, None, 0)
    }

    /// Up to the end of the bytes, or of the group of this number.
    fn check_message(&self, index: MessageIx, cursor: &mut Cursor<'_>, group: Option<u32>, depth: u32) -> Checked {
        let message = &self.messages[index as usize];
        let fields = self.fields_of(message);
        // Most writers write fields in the order of their numbers.
        let (mut next, mut seen) = (0, 0_u128);
        while !cursor.left.is_empty() {
            let tag = cursor.tag()?;
            let at = match fields.get(next) {
                Some(field) if field.tag == tag => next,
                _ if tag & 7 == u32::from(wire::GROUP_END) => {
                    return if group == Some(tag >> 3) { self.complete(message, seen) } else { Err(stray_end(tag >> 3)) };
                }
                _ => match self.position(message, tag >> 3) {
                    Some(at) => at,
                    None => {
                        cursor.skip(tag, depth)?;
                        continue;
                    }
                },
            };
            let field = &fields[at];
            next = at + 1;
            seen |= field.required;
            if let Err(inner) = self.check_field(field, (tag & 7) as u8, cursor, depth) {
                return Err(inner.within(field.name.to_string()));
            }
        }
        match group {
            Some(_) => Err(Wrong::new("the group has no end".to_owned())),
            None => self.complete(message, seen),
        }
    }

    fn complete(&self, message: &Message, seen: u128) -> Checked {
        if seen == message.required {
            return Ok(());
        }
        let missing = self.fields_of(message).iter().find(|field| field.required & !seen != 0);
        Err(Wrong::new(format!("required field {} is missing", missing.map_or("", |field| &field.name))))
    }

    #[inline]
    fn check_field(&self, field: &Field, found: u8, cursor: &mut Cursor<'_>, depth: u32) -> Checked {
        let wanted = field.shape.wire();
        if found == wanted {
            return self.check_value(field, cursor, depth);
        }
        if found == wire::SIZED && matches!(field.arity, Arity::Repeated | Arity::Packed) && wanted != wire::GROUP {
            let mut run = Cursor { left: cursor.sized(field.words())? };
            while !run.left.is_empty() {
                self.check_value(field, &mut run, depth)?;
            }
            return Ok(());
        }
        Err(Wrong::new(format!("expected {}, found {}", field.words(), wire_words(found))))
    }

    #[inline]
    fn check_value(&self, field: &Field, cursor: &mut Cursor<'_>, depth: u32) -> Checked {
        match field.shape {
            Shape::Text => {
                let text = cursor.sized("string")?;
                if is_text(text) { Ok(()) } else { Err(Wrong::new("expected string, found bytes that are no UTF-8".to_owned())) }
            }
            Shape::Bytes => cursor.sized("bytes").map(drop),
            Shape::Fixed32 | Shape::Sfixed32 | Shape::Float => cursor.take(4, field.shape.words()),
            Shape::Fixed64 | Shape::Sfixed64 | Shape::Double => cursor.take(8, field.shape.words()),
            Shape::Message(_) | Shape::Group(_) if depth >= DEPTH_MAX => Err(too_deep()),
            Shape::Message(inner) => {
                let bytes = cursor.sized("message")?;
                self.check_message(inner, &mut Cursor { left: bytes }, None, depth + 1)
            }
            Shape::Group(inner) => self.check_message(inner, cursor, Some(field.number()), depth + 1),
            number => cursor.varint(number.words()).map(drop),
        }
    }
}

/// Short ASCII is most of all text.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// Bytes that are left to read.
struct Cursor<'a> {
    left: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    fn varint(&mut self, what: &str) -> Result<u64, Box<Wrong>> {
        varint::read(&mut self.left).map_err(|why| self.no_varint(what, why))
    }
    #[cold]
    fn no_varint(&self, what: &str, why: NoVarint) -> Box<Wrong> {
        match why {
            NoVarint::Short => self.short(what),
            NoVarint::Long => Wrong::new(format!("expected {what}, found a number of more than 64 bits")),
        }
    }
    #[cold]
    fn short(&self, what: &str) -> Box<Wrong> {
        let plural = if self.left.len() == 1 { "byte" } else { "bytes" };
        Wrong::new(format!("expected {what}, {} {plural} left", self.left.len()))
    }
    /// Number and wire type of what follows.
    #[inline]
    fn tag(&mut self) -> Result<u32, Box<Wrong>> {
        let bits = self.varint("a field's number")?;
        match u32::try_from(bits) {
            Ok(tag) if tag >= 8 && tag & 7 <= u32::from(wire::BITS_32) => Ok(tag),
            _ => Err(no_tag(bits)),
        }
    }
    #[inline]
    fn sized(&mut self, what: &str) -> Result<&'a [u8], Box<Wrong>> {
        let length = self.varint(what)?;
        if let Some((taken, left)) = usize::try_from(length).ok().and_then(|length| self.left.split_at_checked(length)) {
            self.left = left;
            return Ok(taken);
        }
        Err(self.too_long(what, length))
    }
    #[cold]
    fn too_long(&self, what: &str, length: u64) -> Box<Wrong> {
        Wrong::new(format!("expected {what}, found a length of {length} with {} bytes left", self.left.len()))
    }
    #[inline]
    fn take(&mut self, count: usize, what: &str) -> Checked {
        match self.left.get(count..) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.short(what)),
        }
    }
    /// Passes over a field that the message does not have.
    fn skip(&mut self, tag: u32, depth: u32) -> Checked {
        const WHAT: &str = "an unknown field's value";
        match (tag & 7) as u8 {
            wire::VARINT => self.varint(WHAT).map(drop),
            wire::BITS_64 => self.take(8, WHAT),
            wire::SIZED => self.sized(WHAT).map(drop),
            wire::BITS_32 => self.take(4, WHAT),
            _ if depth >= DEPTH_MAX => Err(too_deep()),
            _ => {
                while !self.left.is_empty() {
                    let inner = self.tag()?;
                    if inner & 7 != u32::from(wire::GROUP_END) {
                        self.skip(inner, depth + 1)?;
                    } else if inner >> 3 == tag >> 3 {
                        return Ok(());
                    } else {
                        return Err(stray_end(inner >> 3));
                    }
                }
                Err(Wrong::new("an unknown group has no end".to_owned()))
            }
        }
    }
}

#[cold]
fn too_deep() -> Box<Wrong> {
    Wrong::new(format!("the message is nested more than {DEPTH_MAX} levels deep"))
}

#[cold]
fn stray_end(number: u32) -> Box<Wrong> {
    Wrong::new(format!("the end of a group {number}, which is not open"))
}

#[cold]
fn no_tag(bits: u64) -> Box<Wrong> {
    Wrong::new(format!("expected a field's number and wire type, found {bits}"))
}

fn wire_words(wire: u8) -> &'static str {
    match wire {
        wire::VARINT => "a varint",
        wire::BITS_64 => "eight bytes",
        wire::SIZED => "a text, bytes or a message",
        wire::BITS_32 => "four bytes",
        _ => "a group",
    }
}
