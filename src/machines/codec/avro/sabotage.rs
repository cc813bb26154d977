//! Payloads that a careless client could send: one field of another type, a field left out, a payload
//! cut short.

use super::generate::Writer;
use super::program::{Node, NodeIx, Program};
use crate::machines::codec::draw::{NumberDraw, TextDraw};

impl Program {
    /// Appends a payload with one field broken, and says which and how; none where the schema is no record.
    /// The bytes may by chance still read as a valid value: the caller checks.
    pub(super) fn generate_broken(&self, writer: &mut Writer<'_>) -> Option<String> {
        let Node::Record { first, count } = self.node(0) else { return None };
        let fields = self.fields_of(first, count);
        let target = writer.rng.below(u64::from(count)) as usize;
        let broken = fields.get(target)?;
        let leave_out = writer.rng.below(4) == 0;
        let mut words = None;
        for (index, field) in fields.iter().enumerate() {
            if index != target {
                self.generate(field.node, writer, 1);
            } else if leave_out {
                words = Some(format!("field {} is missing", broken.name));
            } else {
                let found = self.break_value(field.node, writer);
                words = Some(format!("field {} is {found}, schema wants {}", broken.name, self.wanted(field.node)));
            }
        }
        words
    }

    /// Appends a value of another type and says what it is.
    fn break_value(&self, index: NodeIx, writer: &mut Writer<'_>) -> String {
        match self.node(index) {
            Node::Double(_) | Node::Float(_) | Node::Int(_) | Node::Long(_) => {
                writer.text(TextDraw::Decimal);
                "text".to_owned()
            }
            Node::Boolean => {
                writer.text(TextDraw::OneOf(&["yes", "no"]));
                "text".to_owned()
            }
            Node::Enum { count, .. } => {
                let symbol = i64::from(count) + writer.rng.below(8) as i64;
                writer.long(symbol);
                format!("symbol number {symbol}")
            }
            Node::Union { first, count, .. } => {
                let branch = i64::from(count) + writer.rng.below(3) as i64;
                writer.long(branch);
                let value = self.branches[first as usize];
                self.generate(value, writer, 2);
                format!("union choice {branch}")
            }
            Node::String(_) | Node::UuidText | Node::Bytes(_) | Node::Fixed { .. } | Node::Null => {
                let number = NumberDraw::EpochMs.whole(writer.rng, writer.now);
                writer.long(number);
                "a number".to_owned()
            }
            Node::Array(_) | Node::Map(_) | Node::Record { .. } => {
                writer.text(TextDraw::Sentence);
                "text".to_owned()
            }
        }
    }

    fn wanted(&self, index: NodeIx) -> String {
        match self.node(index) {
            Node::Enum { count, .. } => format!("one of {count} symbols"),
            Node::Union { first, count, .. } => self.choices(first, count),
            _ => self.words(index).to_owned(),
        }
    }
}
