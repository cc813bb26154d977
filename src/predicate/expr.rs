//! The checked tree of a condition: how it is walked, evaluated and written.

use std::fmt;

use super::{FigureRef, FigureSource, Mode, Unit};

/// A node with its column and unit.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) node: Node,
    /// Column of its first character or, for two-sided nodes, of the sign.
    pub(super) at: usize,
    pub(super) unit: Unit,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A number in base units, and as written.
    Number { value: f64, text: String },
    /// A figure of the run, and the column of its target.
    Figure { figure: FigureRef, target_at: usize },
    /// `-x`.
    Negative(Box<Expr>),
    /// `x + y`…
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `x < y`…
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// `not c`.
    Not(Box<Expr>),
    /// `c and d`.
    And(Box<Expr>, Box<Expr>),
    /// `c or d`.
    Or(Box<Expr>, Box<Expr>),
}

/// A sign between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A sign between two values that makes a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

impl Arithmetic {
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
        }
    }
}

impl Compare {
    pub(super) const ALL: [Self; 6] = [Self::LessOrEqual, Self::GreaterOrEqual, Self::Equal, Self::NotEqual, Self::Less, Self::Greater];
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
    pub(super) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => same(left, right),
            Self::NotEqual => !same(left, right),
        }
    }
    /// How far a comparison is from holding; more is worse.
    pub(super) fn excess(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Less | Self::LessOrEqual => left - right,
            Self::Greater | Self::GreaterOrEqual => right - left,
            Self::Equal => (left - right).abs(),
            Self::NotEqual => -(left - right).abs(),
        }
    }
}

/// Equal up to the last bits: `0.1 + 0.2 == 0.3` should hold for a person.
fn same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-12 * left.abs().max(right.abs())
}

impl Expr {
    /// Calls `see` for this node and all below it, in the order written.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Expr)) {
        see(self);
        match &self.node {
            Node::Number { .. } | Node::Figure { .. } => {}
            Node::Negative(inner) | Node::Not(inner) => inner.visit(see),
            Node::Arithmetic(_, left, right) | Node::Compare(_, left, right) | Node::And(left, right) | Node::Or(left, right) => {
                left.visit(see);
                right.visit(see);
            }
        }
    }
    /// Whether it names any figure of the run.
    pub(super) fn names_a_figure(&self) -> bool {
        let mut any = false;
        self.visit(&mut |expr| any |= matches!(expr.node, Node::Figure { .. }));
        any
    }
    /// Whether it names a figure that is judged at every instant.
    pub(super) fn is_instant(&self) -> bool {
        let mut any = false;
        self.visit(&mut |expr| any |= matches!(&expr.node, Node::Figure { figure, .. } if figure.mode() == Mode::Instant));
        any
    }
    /// Whether its value can only grow while the run goes: sums of counts and numbers.
    pub(super) fn grows(&self) -> bool {
        match &self.node {
            Node::Number { .. } => true,
            Node::Figure { figure, .. } => figure.mode() == Mode::Cumulative { grows: true },
            Node::Arithmetic(Arithmetic::Add, left, right) => left.grows() && right.grows(),
            _ => false,
        }
    }
    /// A number's value; none where a figure has none or a division has no result.
    pub(super) fn value(&self, source: &dyn FigureSource) -> Option<f64> {
        let value = match &self.node {
            Node::Number { value, .. } => *value,
            Node::Figure { figure, .. } => source.figure(figure)?,
            Node::Negative(inner) => -inner.value(source)?,
            Node::Arithmetic(sign, left, right) => sign.apply(left.value(source)?, right.value(source)?),
            // The types keep conditions out of arithmetic.
            Node::Compare(..) | Node::Not(_) | Node::And(..) | Node::Or(..) => return None,
        };
        value.is_finite().then_some(value)
    }
    fn rank(&self) -> u8 {
        match &self.node {
            Node::Or(..) => 1,
            Node::And(..) => 2,
            Node::Not(_) => 3,
            Node::Compare(..) => 4,
            Node::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => 5,
            Node::Arithmetic(..) => 6,
            Node::Negative(_) => 7,
            Node::Number { .. } | Node::Figure { .. } => 8,
        }
    }
    fn write_at(&self, f: &mut fmt::Formatter<'_>, rank_min: u8) -> fmt::Result {
        if self.rank() < rank_min { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = self.rank();
        let (left, sign, right) = match &self.node {
            Node::Number { text, .. } => return f.write_str(text),
            Node::Figure { figure, .. } => return write!(f, "{figure}"),
            Node::Negative(inner) => {
                f.write_str("-")?;
                return inner.write_at(f, rank);
            }
            Node::Not(inner) => {
                f.write_str("not ")?;
                return inner.write_at(f, rank);
            }
            Node::Arithmetic(sign, left, right) => (left, sign.sign(), right),
            Node::Compare(sign, left, right) => (left, sign.sign(), right),
            Node::And(left, right) => (left, "and", right),
            Node::Or(left, right) => (left, "or", right),
        };
        // Signs group to the left: an equal rank on the right needs its parentheses.
        left.write_at(f, rank)?;
        write!(f, " {sign} ")?;
        right.write_at(f, rank + 1)
    }
}
