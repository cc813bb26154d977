//! Payloads that a careless client could send: one field of another type, text in another encoding, a required field left
//! out.

use super::generate::Writer;
use super::program::{Arity, Field, MessageIx, Program, Shape, wire};
use crate::machines::codec::draw::{NumberDraw, TextDraw};

impl Program {
    /// Appends a message with one field broken, and says which and how; none where the message has no fields. The bytes
    /// may by chance still read as a valid message: the caller checks.
    pub(super) fn generate_broken(&self, index: MessageIx, writer: &mut Writer<'_>) -> Option<String> {
        let message = &self.messages[index as usize];
        let fields = self.fields_of(message);
        let target = writer.rng.below(fields.len().max(1) as u64) as usize;
        let broken = fields.get(target)?;
        for (at, field) in fields.iter().enumerate() {
            if at != target {
                self.write_field(message, field, writer, 1);
            }
        }
        if broken.arity == Arity::Required && writer.rng.below(4) == 0 {
            return Some(format!("required field {} is missing", broken.name));
        }
        Some(format!("field {} is {}, schema wants {}", broken.name, break_value(broken, writer), broken.words()))
    }
}

/// Appends a value of another type and says what it is.
fn break_value(field: &Field, writer: &mut Writer<'_>) -> &'static str {
    let is_list = matches!(field.arity, Arity::Repeated | Arity::Packed);
    match field.shape {
        Shape::Text if writer.rng.below(3) == 0 => {
            writer.tag(field.number(), wire::SIZED);
            // "Müller" as ISO 8859-1 writes it.
            writer.sized(|writer| writer.out.extend_from_slice(b"M\xfcller"));
            "text that is no UTF-8"
        }
        Shape::Text | Shape::Bytes | Shape::Message(_) | Shape::Group(_) => {
            writer.tag(field.number(), wire::VARINT);
            let number = NumberDraw::EpochMs.whole(writer.rng, writer.now);
            writer.varint(number as u64);
            "a number"
        }
        // A text could pass for a run of numbers.
        number if is_list => {
            let (wire, bytes, words) = match number.wire() {
                wire::BITS_32 => (wire::BITS_64, 8, "a number of eight bytes"),
                _ => (wire::BITS_32, 4, "a number of four bytes"),
            };
            writer.tag(field.number(), wire);
            let bits = writer.rng.next_u64().to_le_bytes();
            writer.out.extend_from_slice(&bits[..bytes]);
            words
        }
        _ => {
            writer.tag(field.number(), wire::SIZED);
            writer.sized(|writer| TextDraw::Decimal.write(writer.rng, writer.now, writer.out));
            "text"
        }
    }
}
