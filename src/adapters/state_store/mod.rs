//! Read models in SQLite: in memory, or in a file that any tool can open afterwards.
//!
//! ```text
//! "orders-by-customer"(key TEXT PRIMARY KEY, total INTEGER, …)   one table a projection, called like its component
//! "_places"(component, topic, part, next)                        how far each was read, in the same transaction
//! ```
//!
//! The run itself reads nothing here: its projections hold their rows (`machines::event_store::Table`); who asks afterwards
//! does. SQLite's names know no case: a table whose name is taken gets a number behind it.
//! In: changes of a run. Out: rows. A run begins with empty tables: it fills them itself.
//! Must not know: how a change came about. Start at [`SqliteStore::open`]; [`SqliteStore::look`] reads.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::event::{Cells, RowChange, RowEdit, Scalar};
use crate::run::{ReadModel, StateStore, StoreError};
use crate::units::{ComponentIx, TopicIx};

/// Name of the file in a data folder.
pub const FILE: &str = "read-models.sqlite";

struct Model {
    component: ComponentIx,
    /// As SQL wants it.
    name: String,
    columns: usize,
    put: String,
    delete: String,
    clear: String,
}

impl Model {
    fn new(component: ComponentIx, name: String, columns: usize) -> Self {
        Self {
            component,
            columns,
            put: format!("INSERT OR REPLACE INTO {name} VALUES (?{})", ", ?".repeat(columns)),
            delete: format!("DELETE FROM {name} WHERE \"key\" = ?"),
            clear: format!("DELETE FROM {name}"),
            name,
        }
    }
}

/// A database of read models.
pub struct SqliteStore {
    connection: Connection,
    place: String,
    models: Vec<Model>,
}

/// What a query gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells as texts; NULL is empty.
    pub rows: Vec<Vec<String>>,
    /// There are more.
    pub is_cut: bool,
}

/// A name between double quotes, as SQL wants it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table for each model, no two of the same name to SQLite: in the models' order, who comes later gets a number.
fn table_names(models: &[ReadModel]) -> Vec<String> {
    let mut taken = BTreeSet::from(["_places".to_owned()]);
    let name = |model: &ReadModel| {
        // SQLite keeps names that begin like its own for itself.
        let is_reserved = model.name.to_ascii_lowercase().starts_with("sqlite_");
        let plain = if is_reserved { format!("read-model-{}", model.name) } else { model.name.to_string() };
        let mut name = plain.clone();
        let mut number = 1_u32;
        while !taken.insert(name.to_ascii_lowercase()) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        name
    };
    models.iter().map(name).collect()
}

/// A column's name and type, as SQL wants them.
fn column(name: &str, ty: &str) -> String {
    let ty = match ty {
        "int" | "bool" => "INTEGER",
        "double" => "REAL",
        _ => "TEXT",
    };
    format!("{} {ty}", quoted(name))
}

/// A value in the text of a statement.
fn literal(value: &Scalar) -> String {
    match value {
        Scalar::Absent | Scalar::Null => "NULL".to_owned(),
        Scalar::Bool(value) => i64::from(*value).to_string(),
        Scalar::Int(number) => number.to_string(),
        Scalar::Double(number) => format!("{number:?}"),
        Scalar::Text(text) => format!("'{}'", text.replace('\'', "''")),
    }
}

struct Cell<'a>(&'a Scalar);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Scalar::Absent | Scalar::Null => ValueRef::Null,
            Scalar::Bool(value) => ValueRef::Integer(i64::from(*value)),
            Scalar::Int(number) => ValueRef::Integer(*number),
            Scalar::Double(number) => ValueRef::Real(*number),
            Scalar::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl SqliteStore {
    /// A database that is gone with the process.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::new(Connection::open_in_memory(), "read models in memory".to_owned())
    }

    /// A database in a folder.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        Self::new(Connection::open(&path), path.display().to_string())
    }

    fn new(opened: rusqlite::Result<Connection>, place: String) -> Result<Self, StoreError> {
        let connection = opened.map_err(|error| StoreError { place: place.clone(), words: error.to_string() })?;
        let store = Self { connection, place, models: Vec::new() };
        // One writer, and what a killed process may lose is no more than the last slices.
        store.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;")?;
        Ok(store)
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(|error| self.error(&error))
    }

    fn error(&self, error: &rusqlite::Error) -> StoreError {
        StoreError { place: self.place.clone(), words: error.to_string() }
    }

    fn write(&mut self, changes: &[RowChange]) -> rusqlite::Result<()> {
        for change in changes {
            let Some(model) = self.models.iter_mut().find(|model| model.component == change.component) else { continue };
            match &change.edit {
                RowEdit::None => {}
                RowEdit::AddColumn { name, ty, default } => {
                    let (column, default) = (column(name, ty), literal(default));
                    self.connection.execute_batch(&format!("ALTER TABLE {} ADD COLUMN {column} DEFAULT {default}", model.name))?;
                    *model = Model::new(model.component, std::mem::take(&mut model.name), model.columns + 1);
                }
                RowEdit::Put(key, cells) => {
                    let mut statement = self.connection.prepare_cached(&model.put)?;
                    statement.execute(params_from_iter(row(key, cells)))?;
                }
                RowEdit::Delete(key) => {
                    self.connection.prepare_cached(&model.delete)?.execute([&**key])?;
                }
                RowEdit::Clear => {
                    self.connection.prepare_cached(&model.clear)?.execute([])?;
                    let mut statement = self.connection.prepare_cached("DELETE FROM _places WHERE component = ?")?;
                    statement.execute([change.component.0])?;
                }
            }
        }
        // Of each part only the last place of a slice can be seen.
        let mut places: BTreeMap<(ComponentIx, TopicIx, u32), u64> = BTreeMap::new();
        for change in changes {
            if change.edit == RowEdit::Clear {
                places.retain(|(component, ..), _| *component != change.component);
            }
            if let Some((topic, partition, next)) = change.read_to {
                places.insert((change.component, topic, partition), next);
            }
        }
        let mut statement = self.connection.prepare_cached("INSERT OR REPLACE INTO _places VALUES (?, ?, ?, ?)")?;
        for ((component, topic, partition), next) in places {
            statement.execute((component.0, topic.0, partition, i64::try_from(next).unwrap_or(i64::MAX)))?;
        }
        Ok(())
    }

    /// What a query of a person's gives, as texts; it may read and nothing else.
    ///
    /// # Errors
    /// What SQLite says of the query, or that it would change something.
    pub fn look(&self, sql: &str, rows_max: usize) -> Result<Rows, StoreError> {
        let read = || -> rusqlite::Result<Option<Rows>> {
            let mut statement = self.connection.prepare(sql)?;
            if !statement.readonly() {
                return Ok(None);
            }
            let mut all = Rows { columns: statement.column_names().map(str::to_owned).collect(), ..Rows::default() };
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                if all.rows.len() == rows_max {
                    all.is_cut = true;
                    break;
                }
                all.rows.push((0..all.columns.len()).map(|at| Ok(shown(row.get_ref(at)?))).collect::<rusqlite::Result<_>>()?);
            }
            Ok(Some(all))
        };
        let found = read().map_err(|error| self.error(&error))?;
        let refused = || StoreError { place: self.place.clone(), words: "a query may read and nothing else: begin with SELECT".to_owned() };
        found.ok_or_else(refused)
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}

fn row<'a>(key: &'a std::sync::Arc<str>, cells: &'a Cells) -> impl Iterator<Item = Box<dyn ToSql + 'a>> {
    let key: Box<dyn ToSql> = Box::new(&**key);
    std::iter::once(key).chain(cells.iter().map(|cell| Box::new(Cell(cell)) as Box<dyn ToSql>))
}

impl StateStore for SqliteStore {
    fn begin(&mut self, models: &[ReadModel]) -> Result<(), StoreError> {
        let mut sql = String::from(
            "DROP TABLE IF EXISTS _places; CREATE TABLE _places (component INTEGER, topic INTEGER, part INTEGER, next INTEGER, \
             PRIMARY KEY (component, topic, part)) WITHOUT ROWID;",
        );
        self.models.clear();
        for (model, name) in models.iter().zip(table_names(models)) {
            let name = quoted(&name);
            let columns: String = model.shape.columns.iter().map(|(name, ty)| format!(", {}", column(name, ty))).collect();
            sql.push_str(&format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (\"key\" TEXT PRIMARY KEY{columns}) WITHOUT ROWID;"));
            self.models.push(Model::new(model.component, name, model.shape.columns.len()));
        }
        self.run(&sql)
    }

    fn carry_out(&mut self, changes: &[RowChange]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.run("BEGIN")?;
        match self.write(changes) {
            Ok(()) => self.run("COMMIT"),
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.run("ROLLBACK");
                Err(self.error(&error))
            }
        }
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        self.run("PRAGMA wal_checkpoint(TRUNCATE);")
    }
}
