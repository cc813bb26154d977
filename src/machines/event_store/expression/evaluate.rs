//! Walks a program once; every node at most once.

use std::cmp::Ordering;
use std::sync::Arc;

use thiserror::Error;

use super::{Function, Node, Operator, Slot};
use crate::event::{Scalar, TEXT_BYTES_MAX};

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvalError {
    /// A field is absent.
    #[error("no such field")]
    NoField,
    /// Types do not fit.
    #[error("no such overload: the types do not fit")]
    NoOverload,
    /// A whole number runs over, or a number becomes infinite.
    #[error("a number runs over")]
    Overflow,
    /// Division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A text became too long.
    #[error("a text became longer than 4096 bytes")]
    TooLong,
}

type Evaluated = Result<Scalar, EvalError>;

fn field<'a>(slot: Slot, rows: &'a [&'a [Scalar]]) -> &'a Scalar {
    rows.get(usize::from(slot.row)).and_then(|row| row.get(usize::from(slot.field))).unwrap_or(&Scalar::Absent)
}

pub(super) fn evaluate(node: &Node, rows: &[&[Scalar]]) -> Evaluated {
    match node {
        Node::Literal(value) => Ok(value.clone()),
        Node::Field(slot) => match field(*slot, rows) {
            Scalar::Absent => Err(EvalError::NoField),
            value => Ok(value.clone()),
        },
        Node::Has(slot) => Ok(Scalar::Bool(*field(*slot, rows) != Scalar::Absent)),
        Node::Not(inner) => match evaluate(inner, rows)? {
            Scalar::Bool(value) => Ok(Scalar::Bool(!value)),
            _ => Err(EvalError::NoOverload),
        },
        Node::Negate(inner) => match evaluate(inner, rows)? {
            Scalar::Int(number) => number.checked_neg().map(Scalar::Int).ok_or(EvalError::Overflow),
            Scalar::Double(number) => Ok(Scalar::Double(-number)),
            _ => Err(EvalError::NoOverload),
        },
        Node::Both(sides) => decide(sides, rows, false),
        Node::Either(sides) => decide(sides, rows, true),
        Node::Choose(parts) => match evaluate(&parts[0], rows)? {
            Scalar::Bool(true) => evaluate(&parts[1], rows),
            Scalar::Bool(false) => evaluate(&parts[2], rows),
            _ => Err(EvalError::NoOverload),
        },
        Node::Binary(operator, sides) => binary(*operator, evaluate(&sides[0], rows)?, evaluate(&sides[1], rows)?),
        Node::In(wanted, list) => {
            let wanted = evaluate(wanted, rows)?;
            for element in list {
                if is_equal(&wanted, &evaluate(element, rows)?) {
                    return Ok(Scalar::Bool(true));
                }
            }
            Ok(Scalar::Bool(false))
        }
        Node::Call(function, arguments) => call(*function, arguments, rows),
    }
}

/// `&&` and `||`: one side that decides outweighs an error of the other.
fn decide(sides: &[Node; 2], rows: &[&[Scalar]], decisive: bool) -> Evaluated {
    let side = |node| match evaluate(node, rows) {
        Ok(Scalar::Bool(value)) => Ok(value),
        Ok(_) => Err(EvalError::NoOverload),
        Err(error) => Err(error),
    };
    let first = side(&sides[0]);
    if first == Ok(decisive) {
        return Ok(Scalar::Bool(decisive));
    }
    match (first, side(&sides[1])) {
        (_, Ok(value)) if value == decisive => Ok(Scalar::Bool(decisive)),
        (Err(error), _) | (_, Err(error)) => Err(error),
        _ => Ok(Scalar::Bool(!decisive)),
    }
}

fn binary(operator: Operator, left: Scalar, right: Scalar) -> Evaluated {
    use Operator as O;
    match operator {
        O::Equal => Ok(Scalar::Bool(is_equal(&left, &right))),
        O::NotEqual => Ok(Scalar::Bool(!is_equal(&left, &right))),
        O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual => {
            let order = order(&left, &right)?;
            Ok(Scalar::Bool(match operator {
                O::Less => order == Some(Ordering::Less),
                O::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                O::Greater => order == Some(Ordering::Greater),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            }))
        }
        _ => match (left, right) {
            (Scalar::Int(left), Scalar::Int(right)) => whole(operator, left, right),
            (Scalar::Double(left), Scalar::Double(right)) => fraction(operator, left, right),
            (Scalar::Text(left), Scalar::Text(right)) if operator == O::Add => {
                if left.len() + right.len() > TEXT_BYTES_MAX {
                    return Err(EvalError::TooLong);
                }
                Ok(Scalar::Text(Arc::from([&*left, &*right].concat())))
            }
            _ => Err(EvalError::NoOverload),
        },
    }
}

fn whole(operator: Operator, left: i64, right: i64) -> Evaluated {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Modulo if right == 0 => return Err(EvalError::DivisionByZero),
        Operator::Divide => left.checked_div(right),
        _ => left.checked_rem(right),
    };
    result.map(Scalar::Int).ok_or(EvalError::Overflow)
}

fn fraction(operator: Operator, left: f64, right: f64) -> Evaluated {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if right == 0.0 => return Err(EvalError::DivisionByZero),
        Operator::Divide => left / right,
        _ => return Err(EvalError::NoOverload),
    };
    if result.is_finite() { Ok(Scalar::Double(result)) } else { Err(EvalError::Overflow) }
}

/// Numbers are equal whatever their types; values of different types are not.
fn is_equal(left: &Scalar, right: &Scalar) -> bool {
    match (left, right) {
        (Scalar::Int(whole), Scalar::Double(number)) | (Scalar::Double(number), Scalar::Int(whole)) => *whole as f64 == *number,
        _ => left == right,
    }
}

fn order(left: &Scalar, right: &Scalar) -> Result<Option<Ordering>, EvalError> {
    match (left, right) {
        (Scalar::Int(left), Scalar::Int(right)) => Ok(Some(left.cmp(right))),
        (Scalar::Double(left), Scalar::Double(right)) => Ok(left.partial_cmp(right)),
        (Scalar::Int(left), Scalar::Double(right)) => Ok((*left as f64).partial_cmp(right)),
        (Scalar::Double(left), Scalar::Int(right)) => Ok(left.partial_cmp(&(*right as f64))),
        (Scalar::Text(left), Scalar::Text(right)) => Ok(Some(left.cmp(right))),
        (Scalar::Bool(left), Scalar::Bool(right)) => Ok(Some(left.cmp(right))),
        _ => Err(EvalError::NoOverload),
    }
}

fn call(function: Function, arguments: &[Node], rows: &[&[Scalar]]) -> Evaluated {
    let argument = |at: usize| arguments.get(at).map_or(Err(EvalError::NoOverload), |node| evaluate(node, rows));
    let first = argument(0)?;
    match (function, first) {
        (Function::Size, Scalar::Text(text)) => Ok(Scalar::Int(text.chars().count() as i64)),
        (Function::Int, value @ Scalar::Int(_)) | (Function::Double, value @ Scalar::Double(_)) => Ok(value),
        (Function::String, value @ Scalar::Text(_)) => Ok(value),
        // 2^63 is the first that does not fit; -2^63 does.
        (Function::Int, Scalar::Double(number)) if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number) => {
            Ok(Scalar::Int(number as i64))
        }
        (Function::Int, Scalar::Double(_)) => Err(EvalError::Overflow),
        (Function::Int, Scalar::Text(text)) => text.parse().map(Scalar::Int).map_err(|_| EvalError::NoOverload),
        (Function::Double, Scalar::Int(number)) => Ok(Scalar::Double(number as f64)),
        (Function::Double, Scalar::Text(text)) => {
            text.parse().ok().filter(|number: &f64| number.is_finite()).map(Scalar::Double).ok_or(EvalError::NoOverload)
        }
        (Function::String, Scalar::Int(number)) => Ok(Scalar::Text(number.to_string().into())),
        (Function::String, Scalar::Double(number)) => Ok(Scalar::Text(number.to_string().into())),
        (Function::String, Scalar::Bool(value)) => Ok(Scalar::Text(value.to_string().into())),
        (Function::Contains | Function::StartsWith | Function::EndsWith, Scalar::Text(text)) => {
            let Scalar::Text(part) = argument(1)? else { return Err(EvalError::NoOverload) };
            Ok(Scalar::Bool(match function {
                Function::Contains => text.contains(&*part),
                Function::StartsWith => text.starts_with(&*part),
                _ => text.ends_with(&*part),
            }))
        }
        _ => Err(EvalError::NoOverload),
    }
}
