//! Units of expressions: what may be added, multiplied, compared, and the words when it may not.

use super::expr::{Arithmetic, Expr, Node};
use super::{ParseError, Unit};

use Unit as U;

/// The common unit of two sides of `+`, `-` or a comparison; a bare number takes the other's where it can.
pub(super) fn common(left: &Expr, right: &Expr, verb: &str, at: usize) -> Result<Unit, ParseError> {
    let unit = match (left.unit, right.unit) {
        (U::Truth, _) | (_, U::Truth) => {
            let side = if left.unit == U::Truth { left } else { right };
            return Err(ParseError::new(side.at, format!("cannot {verb} a condition")).with_hint("join conditions with `and` or `or`"));
        }
        (a, b) if a == b => a,
        (U::Plain, other @ (U::Count | U::Ratio)) | (other @ (U::Count | U::Ratio), U::Plain) => other,
        (U::Plain, other) if is_zero(left) => other,
        (other, U::Plain) if is_zero(right) => other,
        (a, b) => {
            let (wanted, wrong) = if left.names_a_figure() || !right.names_a_figure() { (a, right) } else { (b, left) };
            let error = ParseError::new(at, format!("cannot {verb} {} and {}", a.words(), b.words()));
            let hint = match &wrong.node {
                Node::Number { text, .. } => match spelt(wanted, text) {
                    Some(written) => format!("write {written} for {}", wanted.words()),
                    None => format!("`{text}` is {}; write {} such as {}", wrong.unit.words(), wanted.words(), wanted.example()),
                },
                _ => format!("`{wrong}` is {}; it stands against {}", wrong.unit.words(), wanted.words()),
            };
            return Err(error.with_hint(hint));
        }
    };
    Ok(unit)
}

/// The unit of `left sign right`.
pub(super) fn arithmetic(sign: Arithmetic, left: &Expr, right: &Expr, at: usize) -> Result<Unit, ParseError> {
    match sign {
        Arithmetic::Add => common(left, right, "add", at),
        Arithmetic::Subtract => common(left, right, "subtract", at),
        Arithmetic::Multiply => {
            let unit = match (left.unit, right.unit) {
                (U::Truth, _) | (_, U::Truth) => None,
                (U::Plain, other) | (other, U::Plain) => Some(other),
                (U::Ratio, other) | (other, U::Ratio) => Some(other),
                (U::Rate, U::Duration) | (U::Duration, U::Rate) => Some(U::Count),
                _ => None,
            };
            unit.ok_or_else(|| ParseError::new(at, format!("cannot multiply {} by {}", left.unit.words(), right.unit.words())))
        }
        Arithmetic::Divide => {
            let unit = match (left.unit, right.unit) {
                (U::Truth, _) | (_, U::Truth) => None,
                (U::Plain, U::Plain) => Some(U::Plain),
                (a, b) if a == b => Some(U::Ratio),
                (other, U::Plain | U::Ratio) => Some(other),
                (U::Plain | U::Count, U::Duration) => Some(U::Rate),
                (U::Plain | U::Count, U::Rate) => Some(U::Duration),
                (U::Plain | U::Ratio, U::Count) => Some(U::Plain),
                _ => None,
            };
            unit.ok_or_else(|| ParseError::new(at, format!("cannot divide {} by {}", left.unit.words(), right.unit.words())))
        }
    }
}

/// `inner` must be a condition.
pub(super) fn condition(inner: &Expr) -> Result<(), ParseError> {
    if inner.unit == U::Truth {
        return Ok(());
    }
    Err(ParseError::new(inner.at, format!("`{inner}` is {}, not a condition", inner.unit.words()))
        .with_hint(format!("compare it: `{inner} < {}`", inner.unit.example())))
}

fn is_zero(expr: &Expr) -> bool {
    matches!(expr.node, Node::Number { value, .. } if value == 0.0)
}

/// A bare number with the unit that was meant.
fn spelt(wanted: Unit, text: &str) -> Option<String> {
    let bare = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if !bare {
        return None;
    }
    match wanted {
        U::Duration => Some(format!("{text}ms or {text}s")),
        U::Rate => Some(format!("{text}/s")),
        U::Size => Some(format!("{text}B or {text}MiB")),
        _ => None,
    }
}
