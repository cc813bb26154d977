//! Guards and field mappings: the Common Expression Language, parsed by its reference crate, bounded by construction.
//!
//! ```text
//! text ─► cel's parser ─► checked tree ─► [`Program`] over numbered fields ─► [`Scalar`]
//! ```
//!
//! In: a text, and a [`Names`] that says which field has which number. Out: a program that takes at most as many steps as
//! it has nodes: what loops (`all`, `exists`, `map`, `filter`), calls a pattern or builds a collection is refused when the
//! text is read, text cannot grow beyond [`TEXT_BYTES_MAX`], and depth and length of an expression are limited.
//! The crate's own interpreter is not used: it looks names up in maps, allocates for each step and has no budget. Tests hold
//! the two against each other.
//! Must not know: aggregates, events. Start at [`Program::compile`].

mod evaluate;
mod read;
#[cfg(test)]
mod tests;
mod value;

pub use crate::event::{Scalar, TEXT_BYTES_MAX, write_object};
pub use evaluate::EvalError;
pub use read::{ExpressionError, Names};
pub use value::FieldType;

/// Longest text of an expression.
pub const EXPRESSION_BYTES_MAX: usize = 2_000;
/// Deepest nesting of an expression.
pub const DEPTH_MAX: u16 = 32;
/// Most nodes of an expression, and so most steps of an evaluation.
pub const NODES_MAX: usize = 500;

/// Which of the rows that an evaluation is given, and which field of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which row.
    pub row: u8,
    /// Which field.
    pub field: u16,
}

/// A compiled expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    root: Node,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(Scalar),
    Field(Slot),
    /// `has(field)`.
    Has(Slot),
    Not(Box<Node>),
    Negate(Box<Node>),
    Both(Box<[Node; 2]>),
    Either(Box<[Node; 2]>),
    Choose(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    In(Box<Node>, Box<[Node]>),
    Call(Function, Box<[Node]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Size,
    Int,
    Double,
    String,
    Contains,
    StartsWith,
    EndsWith,
}

impl Program {
    /// Reads an expression.
    ///
    /// # Errors
    /// In words, what cannot be read or is not allowed.
    pub fn compile(text: &str, names: &mut dyn Names) -> Result<Self, ExpressionError> {
        read::read(text, names).map(|root| Self { root })
    }

    /// What it gives for these rows; a row or field that is not there is absent.
    ///
    /// # Errors
    /// When types do not fit, a field is absent or a number runs over.
    #[inline]
    pub fn evaluate(&self, rows: &[&[Scalar]]) -> Result<Scalar, EvalError> {
        evaluate::evaluate(&self.root, rows)
    }

    /// The same for a condition: an error when it gives something else than true or false.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    #[inline]
    pub fn holds(&self, rows: &[&[Scalar]]) -> Result<bool, EvalError> {
        match self.evaluate(rows)? {
            Scalar::Bool(holds) => Ok(holds),
            _ => Err(EvalError::NoOverload),
        }
    }
}
