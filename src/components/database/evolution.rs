//! The table of a sink while it runs: made of the first record's fields, and given a column for each field that comes later.
//!
//! In: the fields of a record. Out: columns that are added, or why the task cannot, in the product's words. A table that the
//! design names the columns of is there before, and what its records have beyond them is left out. Source: Confluent's JDBC sink
//! connector 10.8 (`DbStructure`, `SqliteDatabaseDialect`). Start at [`Columns::amend`].

use std::sync::Arc;

use serde_json::Value as Json;

use super::spec;
use crate::components::Params;
use crate::event::{Cells, Reason, RowEdit, Scalar, TableShape};
use crate::machines::codec::{FlatField, FlatType};
use crate::machines::event_store::FieldType;

/// SQLite's own limit.
const COLUMNS_MAX: usize = 2_000;
/// The table's own column, which no field may be called.
const KEY: &str = "key";

/// A column.
#[derive(Clone, Debug, PartialEq)]
struct Column {
    name: Arc<str>,
    ty: FieldType,
    /// What stands there when a record does not say.
    default: Scalar,
}

/// The columns of a table, beside its key.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    table: Arc<str>,
    list: Vec<Column>,
    is_there: bool,
    creates: bool,
    evolves: bool,
    added: u64,
}

impl Columns {
    pub fn new(table: &str, params: &Params<'_>) -> Self {
        let declared = |(name, ty)| Column { name, ty, default: Scalar::Null };
        let list: Vec<Column> = spec::columns(params).into_iter().map(declared).collect();
        let [creates, evolves] = ["auto_create", "auto_evolve"].map(|name| params.flag(name));
        Self { table: table.into(), is_there: !list.is_empty(), list, creates, evolves, added: 0 }
    }
    /// As they are now.
    pub fn shape(&self) -> TableShape {
        TableShape { columns: self.list.iter().map(|column| (Arc::clone(&column.name), column.ty.name())).collect() }
    }
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.list.iter().map(|column| &column.name)
    }
    /// Cells of a record: of fields that it lacks, the columns' defaults.
    ///
    /// # Errors
    /// When a field is of another type than its column.
    pub fn cells(&self, fields: &Json) -> Result<Cells, Reason> {
        let one = |Column { name, ty, default }: &Column| {
            let value = field_of(fields, name).map_or_else(|| Some(default.clone()), Scalar::from_json);
            let words = || format!("field `{name}` is no {}", ty.name());
            value.and_then(|value| ty.take(value)).ok_or_else(|| Reason { code: "no-row", detail: Some(words().into()) })
        };
        self.list.iter().map(one).collect()
    }
    /// How many were added while it ran; none where it adds none.
    pub fn added(&self) -> Option<u64> {
        self.follows_records().then_some(self.added)
    }
    /// Whether fields that are no columns matter.
    pub fn follows_records(&self) -> bool {
        self.creates || self.evolves
    }
    /// Makes room for a record's fields.
    ///
    /// # Errors
    /// In the product's words, when it may not or cannot. Then nothing has changed.
    pub fn amend(&mut self, fields: &[FlatField]) -> Result<Vec<RowEdit>, Reason> {
        if !self.follows_records() {
            return Ok(Vec::new());
        }
        let missing: Vec<&FlatField> = fields.iter().filter(|field| !self.has(&field.name)).collect();
        if self.is_there {
            self.may_evolve(&missing)?;
        } else if !self.creates {
            return Err(refused(format!("Table {} is missing and auto-creation is disabled", self.table)));
        }
        let mut added: Vec<Column> = Vec::with_capacity(missing.len());
        for field in missing {
            let is_taken = |known: &str| known.eq_ignore_ascii_case(&field.name);
            if is_taken(KEY) || added.iter().any(|column| is_taken(&column.name)) {
                return Err(refused(format!("duplicate column name: {}", field.name)));
            }
            added.push(column(field)?);
        }
        if self.list.len() + added.len() > COLUMNS_MAX {
            return Err(refused(format!("too many columns on {}", self.table)));
        }
        self.is_there = true;
        self.added += added.len() as u64;
        let edit =
            |Column { name, ty, default }: &Column| RowEdit::AddColumn { name: Arc::clone(name), ty: ty.name(), default: default.clone() };
        let edits = added.iter().map(edit).collect();
        self.list.extend(added);
        Ok(edits)
    }
    /// Whether a column has this name, in any case of its letters.
    fn has(&self, name: &str) -> bool {
        self.list.iter().any(|column| column.name.eq_ignore_ascii_case(name))
    }
    fn may_evolve(&self, missing: &[&FlatField]) -> Result<(), Reason> {
        let table = &self.table;
        if let Some(field) = missing.iter().find(|field| !field.is_optional && field.default.is_none()) {
            return Err(refused(format!(
                "Cannot ALTER TABLE {table} to add missing field {}, as the field is not optional and does not have a default value",
                shown(field)
            )));
        }
        if missing.is_empty() || self.evolves {
            return Ok(());
        }
        let list: Vec<String> = missing.iter().map(|field| shown(field)).collect();
        Err(refused(format!("Table {table} is missing fields ([{}]) and auto-evolution is disabled", list.join(", "))))
    }
}

/// A field as a column, with what stands in rows that were there before.
fn column(field: &FlatField) -> Result<Column, Reason> {
    let ty = match field.ty {
        FlatType::Bool => FieldType::Bool,
        FlatType::Int | FlatType::Long => FieldType::Int,
        FlatType::Float | FlatType::Double => FieldType::Double,
        FlatType::Text => FieldType::Text,
        FlatType::Other(name) => {
            return Err(refused(format!("{} ({name}) type doesn't have a mapping to the SQL database column type", field.name)));
        }
    };
    let default = field.default.as_ref().and_then(Scalar::from_json).and_then(|value| ty.take(value));
    Ok(Column { name: Arc::clone(&field.name), ty, default: default.unwrap_or(Scalar::Null) })
}

/// A record's field of this name; in another case where there is none, as the database takes names.
fn field_of<'a>(fields: &'a Json, name: &str) -> Option<&'a Json> {
    let in_any_case = || fields.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    fields.get(name).or_else(in_any_case)
}

/// Fields of a record without a schema: each may be missing, and what is null says no type.
pub(super) fn of_values(fields: &Json) -> Vec<FlatField> {
    let one = |(name, value): (&String, &Json)| {
        Some(FlatField { name: name.as_str().into(), ty: FlatType::of(value)?, is_optional: true, default: None })
    };
    fields.as_object().into_iter().flatten().filter_map(one).collect()
}

/// As the connector shows a field.
fn shown(field: &FlatField) -> String {
    format!("SinkRecordField{{schema=Schema{{{}}}, name='{}', isPrimaryKey=false}}", field.ty.name(), field.name)
}

fn refused(words: String) -> Reason {
    Reason { code: "table-alter", detail: Some(words.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn columns(creates: bool, evolves: bool) -> Columns {
        Columns { table: "store".into(), list: Vec::new(), is_there: false, creates, evolves, added: 0 }
    }

    fn field(name: &str, is_optional: bool, default: Option<Json>) -> FlatField {
        FlatField { name: name.into(), ty: FlatType::Long, is_optional, default }
    }

    fn words(result: Result<Vec<RowEdit>, Reason>) -> String {
        result.expect_err("it is refused").detail.expect("with words").into_owned()
    }

    #[test]
    fn a_table_is_made_of_the_first_record_and_grows_by_what_may_be_missing() {
        let mut table = columns(true, true);
        assert_eq!(table.amend(&[field("id", false, None)]).expect("made").len(), 1);
        assert_eq!(table.amend(&[field("ID", false, None)]).expect("there in another case"), []);
        let grown = table.amend(&[field("n", false, Some(json!(7)))]).expect("it has a default");
        assert_eq!(grown, [RowEdit::AddColumn { name: "n".into(), ty: "int", default: Scalar::Int(7) }]);
        assert_eq!(&*table.cells(&json!({"Id": 1})).expect("cells"), [Scalar::Int(1), Scalar::Int(7)]);
        assert_eq!(&*table.cells(&json!({"id": 2, "n": null})).expect("cells"), [Scalar::Int(2), Scalar::Null]);
        let needed = words(table.amend(&[field("x", false, None)]));
        assert_eq!(
            needed,
            "Cannot ALTER TABLE store to add missing field SinkRecordField{schema=Schema{INT64}, name='x', isPrimaryKey=false}, as the field is not optional and does not have a default value"
        );
        assert_eq!(words(table.amend(&[field("Key", true, None)])), "duplicate column name: Key");
    }

    #[test]
    fn what_is_not_allowed_is_refused_in_the_products_words() {
        assert_eq!(words(columns(false, true).amend(&[])), "Table store is missing and auto-creation is disabled");
        let mut fixed = columns(true, false);
        assert!(fixed.amend(&[field("id", false, None)]).is_ok());
        let refused = words(fixed.amend(&[field("id", false, None), field("n", true, None)]));
        assert!(refused.starts_with("Table store is missing fields ([SinkRecordField{") && refused.ends_with("auto-evolution is disabled"));
        let nested = FlatField { ty: FlatType::Other("STRUCT"), ..field("where", true, None) };
        assert!(words(columns(true, true).amend(&[nested])).starts_with("where (STRUCT) type doesn't have a mapping"));
    }

    proptest! {
        /// Whatever records come, every field has one column once it was taken, and a refusal changes nothing.
        #[test]
        fn columns_only_grow(records in proptest::collection::vec(proptest::collection::vec((0usize..6, any::<bool>()), 0..5), 1..20)) {
            let mut table = columns(true, true);
            for record in records {
                let fields: Vec<FlatField> = record.iter().map(|(name, optional)| field(["a", "b", "c", "d", "A", "key"][*name], *optional, None)).collect();
                let before = table.list.clone();
                match table.amend(&fields) {
                    Ok(edits) => {
                        prop_assert_eq!(table.list.len(), before.len() + edits.len());
                        prop_assert!(fields.iter().all(|field| table.has(&field.name)));
                    }
                    Err(_) => prop_assert_eq!(&table.list, &before),
                }
                let mut names: Vec<String> = table.list.iter().map(|column| column.name.to_ascii_lowercase()).collect();
                names.sort();
                names.dedup();
                prop_assert_eq!(names.len(), table.list.len());
            }
        }
    }
}
