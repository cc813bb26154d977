//! Field mappings as text: `total = command.total; count = state.count + 1`.

use super::expression::{ExpressionError, Names, Program};

/// Most assignments of one mapping.
pub const ASSIGNMENTS_MAX: usize = 100;

/// A field and what it is set to.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Number of the field.
    pub field: u16,
    /// Its value.
    pub value: Program,
}

/// Cuts a mapping into names and texts of expressions.
///
/// # Errors
/// In words, for a part that is no assignment.
pub fn split_assignments(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut parts = Vec::new();
    for part in split_outside_quotes(text) {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (name.trim(), value.trim());
        let is_name = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.as_bytes()[0].is_ascii_digit();
        if !is_name || value.is_empty() || value.starts_with('=') {
            return Err(format!("`{part}` is no assignment: write name = expression, and a semicolon between two"));
        }
        if parts.len() == ASSIGNMENTS_MAX {
            return Err(format!("a mapping sets at most {ASSIGNMENTS_MAX} fields"));
        }
        parts.push((name, value));
    }
    Ok(parts)
}

/// Compiles a mapping's values; `field` numbers the fields that are set.
pub(super) fn compile(
    text: &str,
    names: &mut dyn Names,
    mut field: impl FnMut(&str) -> Result<u16, String>,
) -> Result<Vec<Assignment>, String> {
    let one = |(name, value): (&str, &str)| {
        let field = field(name)?;
        let value = Program::compile(value, names).map_err(|ExpressionError(words)| format!("{name}: {words}"))?;
        Ok(Assignment { field, value })
    };
    split_assignments(text)?.into_iter().map(one).collect()
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let (mut quote, mut escaped) = (None, false);
    text.split(move |character: char| {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, ';') => return true,
            (None, _) => {}
        }
        false
    })
}
