//! A read model: rows by key, changed by events, and how far each source was read.
//!
//! In: events with their places. Out: rows, and what changed, for whoever keeps them elsewhere. The place stands with the
//! rows, so that an event that comes again changes nothing.
//! Must not know: databases. Start at [`Table::apply`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compile::{FieldSpec, Problem, Scope, initial_values};
use super::expression::{EvalError, ExpressionError, FieldType, Program, Scalar};
use super::{Assignment, assignments};
use crate::event::{Cells, RowEdit};

/// A table with more rows takes no new ones.
pub const ROWS_MAX: usize = 10_000_000;

/// A read model as the project says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProjectionSpec {
    /// Its columns beside the key.
    pub columns: Vec<FieldSpec>,
    /// What events do.
    pub rows: Vec<RowSpec>,
}

/// What an event does to a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSpec {
    /// Type of the event.
    pub ty: String,
    /// Key of the row; the event's own when absent.
    pub key: Option<String>,
    /// What it sets.
    pub set: String,
    /// It removes the row.
    pub delete: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    ty: Arc<str>,
    key: Option<Program>,
    set: Vec<Assignment>,
    delete: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Shape {
    columns: Vec<(Arc<str>, FieldType)>,
    initial: Vec<Scalar>,
    rules: Vec<Rule>,
    event_fields: Vec<Arc<str>>,
}

/// A read model.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    shape: Arc<Shape>,
    rows: BTreeMap<Arc<str>, Cells>,
    /// (source, part): the next place to read.
    read_to: BTreeMap<(u32, u32), u64>,
}

impl Table {
    /// An empty one.
    ///
    /// # Errors
    /// All that is wrong with the spec.
    pub fn compile(spec: &ProjectionSpec) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let names: Vec<Arc<str>> = spec.columns.iter().map(|column| Arc::from(column.name.as_str())).collect();
        let initial = initial_values(&spec.columns, "column", &mut problems);
        // The database's names know no case, and its first column is the key.
        for (index, column) in spec.columns.iter().enumerate() {
            let is_like = |other: &str| column.name != other && column.name.eq_ignore_ascii_case(other);
            let taken = spec.columns[..index].iter().map(|other| other.name.as_str()).find(|other| is_like(other));
            if let Some(taken) = taken.or(column.name.eq_ignore_ascii_case("key").then_some("key")) {
                let words = format!("the database takes `{}` for `{taken}`, which is there already", column.name);
                problems.push(Problem { path: format!("columns[{index}].name"), words });
            }
        }
        let mut event_fields = Vec::new();
        let mut rules = Vec::new();
        for (index, row) in spec.rows.iter().enumerate() {
            let mut scope = Scope { own: ("row", &names), input: "event", input_fields: &mut event_fields, open: true };
            let key = row.key.as_ref().and_then(|text| {
                let read = Program::compile(text, &mut scope);
                let problem = |ExpressionError(words)| problems.push(Problem { path: format!("rows[{index}].key"), words });
                read.map_err(problem).ok()
            });
            let column = |name: &str| {
                let found = names.iter().position(|column| **column == *name);
                found.map(|at| at as u16).ok_or_else(|| format!("there is no column `{name}`"))
            };
            let set = assignments::compile(&row.set, &mut scope, column).unwrap_or_else(|words| {
                problems.push(Problem { path: format!("rows[{index}].set"), words });
                Vec::new()
            });
            rules.push(Rule { ty: Arc::from(row.ty.as_str()), key, set, delete: row.delete });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let columns = names.into_iter().zip(spec.columns.iter().map(|column| column.ty)).collect();
        Ok(Self { shape: Arc::new(Shape { columns, initial, rules, event_fields }), rows: BTreeMap::new(), read_to: BTreeMap::new() })
    }
    /// Names and types of its columns beside the key.
    #[must_use]
    pub fn columns(&self) -> &[(Arc<str>, FieldType)] {
        &self.shape.columns
    }
    /// Fields of events that its expressions name.
    #[must_use]
    pub fn event_fields(&self) -> &[Arc<str>] {
        &self.shape.event_fields
    }
    /// Whether an event of this type changes anything.
    #[must_use]
    pub fn knows(&self, ty: &str) -> bool {
        self.shape.rules.iter().any(|rule| *rule.ty == *ty)
    }
    /// How many rows.
    #[must_use]
    pub fn rows_count(&self) -> usize {
        self.rows.len()
    }
    /// Rows by key, from one on.
    pub fn rows_from(&self, key: &str) -> impl Iterator<Item = (&Arc<str>, &Cells)> {
        self.rows.range::<str, _>((std::ops::Bound::Included(key), std::ops::Bound::Unbounded))
    }
    /// The next place to read of a source's part.
    #[must_use]
    pub fn read_to(&self, part: (u32, u32)) -> u64 {
        self.read_to.get(&part).copied().unwrap_or(0)
    }
    /// Whether it has seen what stands at a place.
    #[must_use]
    pub fn has_read(&self, part: (u32, u32), place: u64) -> bool {
        place < self.read_to(part)
    }
    /// Notes that a place was read.
    pub fn mark_read(&mut self, part: (u32, u32), place: u64) {
        let next = self.read_to.entry(part).or_default();
        *next = (*next).max(place + 1);
    }
    /// Empty again, to be filled anew.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.read_to.clear();
    }

    /// What an event does, and the rows that it changes.
    ///
    /// # Errors
    /// When an expression has no value; the row that it is for stays as it is.
    pub fn apply(&mut self, ty: &str, key: &Arc<str>, fields: &[Scalar], now_ms: i64, edits: &mut Vec<RowEdit>) -> Result<(), EvalError> {
        let shape = Arc::clone(&self.shape);
        for rule in shape.rules.iter().filter(|rule| *rule.ty == *ty) {
            let meta = [Scalar::Text(Arc::clone(key)), Scalar::Absent, Scalar::Int(now_ms), Scalar::Absent];
            let row_key = match &rule.key {
                None => Arc::clone(key),
                Some(program) => match program.evaluate(&[&[], fields, &meta])? {
                    Scalar::Text(key) => key,
                    other => Arc::from(other.shown()),
                },
            };
            if rule.delete {
                if self.rows.remove(&row_key).is_some() {
                    edits.push(RowEdit::Delete(row_key));
                }
                continue;
            }
            let found = self.rows.get(&row_key);
            if found.is_none() && self.rows.len() >= ROWS_MAX {
                continue;
            }
            let before: &[Scalar] = found.map_or(&shape.initial, |row| row);
            let mut after: Cells = before.iter().cloned().collect();
            // Nobody else has it yet.
            let Some(cells) = Arc::get_mut(&mut after) else { continue };
            for set in &rule.set {
                let at = usize::from(set.field);
                let value = set.value.evaluate(&[before, fields, &meta])?;
                cells[at] = shape.columns[at].1.take(value).ok_or(EvalError::NoOverload)?;
            }
            self.rows.insert(Arc::clone(&row_key), Arc::clone(&after));
            edits.push(RowEdit::Put(row_key, after));
        }
        Ok(())
    }
}
