//! From a text to a program: the grammar is the crate's, what is allowed is decided here.

use std::sync::Arc;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};
use cel::parser::Parser;
use thiserror::Error;

use super::{DEPTH_MAX, EXPRESSION_BYTES_MAX, Function, NODES_MAX, Node, Operator, Slot};
use crate::event::{Scalar, TEXT_BYTES_MAX};

/// Says which field a name means.
pub trait Names {
    /// The field `name` of the row called `row` (`command.amount`).
    ///
    /// # Errors
    /// In words, when there is none.
    fn slot(&mut self, row: &str, name: &str) -> Result<Slot, String>;
    /// A name that stands alone (`state`).
    ///
    /// # Errors
    /// In words, when there is none.
    fn alone(&mut self, name: &str) -> Result<Slot, String>;
}

/// Why a text is no expression that may be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ExpressionError(pub String);

type Read = Result<Node, ExpressionError>;

fn refuse<T>(words: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError(words.into()))
}

pub(super) fn read(text: &str, names: &mut dyn Names) -> Read {
    if text.len() > EXPRESSION_BYTES_MAX {
        return refuse(format!("an expression has at most {EXPRESSION_BYTES_MAX} characters"));
    }
    check_depth(text)?;
    let parser = Parser::new().max_recursion_depth(DEPTH_MAX * 4);
    let tree = parser.parse(text).map_err(|errors| {
        let first = errors.errors.first().map_or_else(|| errors.to_string(), |error| format!("column {}: {}", error.pos.1, error.msg));
        ExpressionError(first.lines().next().unwrap_or_default().to_owned())
    })?;
    let mut reader = Reader { names, nodes: 0 };
    reader.node(&tree, 0)
}

/// Refuses deep nesting before anything recurses over it.
fn check_depth(text: &str) -> Result<(), ExpressionError> {
    let (mut depth, mut quote, mut escaped) = (0_i32, None, false);
    // A run of prefix operators nests as deep as it is long.
    let mut prefixes = 0;
    for character in text.chars() {
        if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == open {
                quote = None;
            }
            continue;
        }
        match character {
            '"' | '\'' => quote = Some(character),
            '(' | '[' | '{' | '?' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        prefixes = if matches!(character, '!' | '-') {
            prefixes + 1
        } else if character == ' ' {
            prefixes
        } else {
            0
        };
        if depth > i32::from(DEPTH_MAX) || prefixes > i32::from(DEPTH_MAX) {
            return refuse(format!("an expression nests at most {DEPTH_MAX} deep"));
        }
    }
    Ok(())
}

struct Reader<'a> {
    names: &'a mut dyn Names,
    nodes: usize,
}

impl Reader<'_> {
    fn node(&mut self, tree: &IdedExpr, depth: u16) -> Read {
        self.nodes += 1;
        // Chains of one operator lean to one side and are as deep as they are long, which the number of nodes bounds.
        if self.nodes > NODES_MAX || depth > DEPTH_MAX * 8 {
            return refuse(format!("an expression has at most {NODES_MAX} parts"));
        }
        match &tree.expr {
            Expr::Literal(value) => literal(value).map(Node::Literal),
            Expr::Ident(name) => self.names.alone(name).map(Node::Field).map_err(ExpressionError),
            Expr::Select(select) => {
                let Expr::Ident(row) = &select.operand.expr else {
                    return refuse(format!("`{}` is a field of a field; fields are flat", select.field));
                };
                let slot = self.names.slot(row, &select.field).map_err(ExpressionError)?;
                Ok(if select.test { Node::Has(slot) } else { Node::Field(slot) })
            }
            Expr::Call(call) => self.call(call, depth),
            Expr::Comprehension(_) => refuse("all, exists, map and filter are not allowed: an expression has no loops"),
            Expr::List(_) => refuse("a list stands only behind `in`"),
            Expr::Map(_) | Expr::Struct(_) => refuse("maps and messages are not allowed: fields are flat"),
            Expr::Unspecified => refuse("there is nothing"),
        }
    }

    fn nodes<const N: usize>(&mut self, trees: &[IdedExpr], depth: u16) -> Result<Box<[Node; N]>, ExpressionError> {
        let list: Vec<Node> = trees.iter().map(|tree| self.node(tree, depth + 1)).collect::<Result<_, _>>()?;
        list.try_into().map(Box::new).or_else(|_| refuse("it has another number of arguments"))
    }

    fn call(&mut self, call: &CallExpr, depth: u16) -> Read {
        let name = call.func_name.as_str();
        if let Some(operator) = operator(name) {
            return Ok(Node::Binary(operator, self.nodes(&call.args, depth)?));
        }
        match name {
            op::LOGICAL_AND => Ok(Node::Both(self.nodes(&call.args, depth)?)),
            op::LOGICAL_OR => Ok(Node::Either(self.nodes(&call.args, depth)?)),
            op::CONDITIONAL => Ok(Node::Choose(self.nodes(&call.args, depth)?)),
            op::LOGICAL_NOT | op::NEGATE => {
                let [inner] = *self.nodes::<1>(&call.args, depth)?;
                Ok(if name == op::NEGATE { Node::Negate(Box::new(inner)) } else { Node::Not(Box::new(inner)) })
            }
            op::IN => {
                let [wanted, IdedExpr { expr: Expr::List(list), .. }] = call.args.as_slice() else {
                    return refuse("behind `in` stands a list: [\"a\", \"b\"]");
                };
                let wanted = self.node(wanted, depth + 1)?;
                let list: Vec<Node> = list.elements.iter().map(|element| self.node(element, depth + 1)).collect::<Result<_, _>>()?;
                Ok(Node::In(Box::new(wanted), list.into()))
            }
            _ => self.function(call, depth),
        }
    }

    fn function(&mut self, call: &CallExpr, depth: u16) -> Read {
        let (function, count) = match (call.func_name.as_str(), call.target.is_some()) {
            ("size", _) => (Function::Size, 1),
            ("int", false) => (Function::Int, 1),
            ("double", false) => (Function::Double, 1),
            ("string", false) => (Function::String, 1),
            ("contains", true) => (Function::Contains, 2),
            ("startsWith", true) => (Function::StartsWith, 2),
            ("endsWith", true) => (Function::EndsWith, 2),
            (name, _) => {
                return refuse(format!(
                    "`{name}` is not one of the functions: size, int, double, string, has, contains, startsWith, endsWith"
                ));
            }
        };
        let trees = call.target.as_deref().into_iter().chain(&call.args);
        let arguments: Vec<Node> = trees.map(|tree| self.node(tree, depth + 1)).collect::<Result<_, _>>()?;
        if arguments.len() != count {
            return refuse(format!("`{}` has another number of arguments", call.func_name));
        }
        Ok(Node::Call(function, arguments.into()))
    }
}

fn operator(name: &str) -> Option<Operator> {
    Some(match name {
        op::ADD => Operator::Add,
        op::SUBSTRACT => Operator::Subtract,
        op::MULTIPLY => Operator::Multiply,
        op::DIVIDE => Operator::Divide,
        op::MODULO => Operator::Modulo,
        op::EQUALS => Operator::Equal,
        op::NOT_EQUALS => Operator::NotEqual,
        op::LESS => Operator::Less,
        op::LESS_EQUALS => Operator::LessOrEqual,
        op::GREATER => Operator::Greater,
        op::GREATER_EQUALS => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn literal(value: &LiteralValue) -> Result<Scalar, ExpressionError> {
    match value {
        LiteralValue::Boolean(value) => Ok(Scalar::Bool(*value.inner())),
        LiteralValue::Int(number) => Ok(Scalar::Int(*number.inner())),
        LiteralValue::Double(number) if number.inner().is_finite() => Ok(Scalar::Double(*number.inner())),
        LiteralValue::Null => Ok(Scalar::Null),
        LiteralValue::String(text) if text.inner().len() <= TEXT_BYTES_MAX => Ok(Scalar::Text(Arc::from(text.inner()))),
        LiteralValue::String(_) => refuse("a text is too long"),
        LiteralValue::Double(_) | LiteralValue::UInt(_) | LiteralValue::Bytes(_) => {
            refuse("write whole numbers, fractions, text, true, false or null")
        }
    }
}
