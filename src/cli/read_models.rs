//! Where `eventyard run` keeps a design's read models: in SQLite, in memory or in a folder, and what a query says of them.
//!
//! In: a plan, a folder. Out: a place for the run's rows, and lines of text. Without the feature `sqlite` there is no such place.
//! Start at [`Database::of`].

use std::path::Path;

use super::exit::Stop;
use crate::compile::Plan;
use crate::run::{RunFailure, StateStore};

/// Rows that a query prints.
#[cfg(feature = "sqlite")]
const ROWS_MAX: usize = 10_000;

/// The database of one run, if its design has a read model.
pub(super) struct Database {
    #[cfg(feature = "sqlite")]
    store: Option<crate::adapters::state_store::SqliteStore>,
}

#[cfg(feature = "sqlite")]
impl Database {
    /// Beside the topics, or in memory.
    pub(super) fn of(plan: &Plan, folder: Option<&Path>) -> Result<Self, RunFailure> {
        use crate::adapters::state_store::SqliteStore;
        let has_any = !crate::run::read_models(plan).is_empty();
        let store = has_any.then(|| folder.map_or_else(SqliteStore::in_memory, SqliteStore::open)).transpose()?;
        Ok(Self { store })
    }
    /// Where the run puts its rows.
    pub(super) fn store(&mut self) -> Option<&mut dyn StateStore> {
        self.store.as_mut().map(|store| store as &mut dyn StateStore)
    }
    /// What a query gives: a line of names, then a line each row, with tabs between.
    pub(super) fn answer(&self, sql: &str) -> Result<String, Stop> {
        let Some(store) = &self.store else {
            return Err(Stop::usage("--sql: the design has no read model to ask (a service with the role projection)"));
        };
        let found = store.look(sql, ROWS_MAX).map_err(|error| Stop::usage(format!("--sql: {}", error.words)))?;
        let line = |cells: &[String]| cells.iter().map(|cell| cell.replace(['\t', '\n'], " ")).collect::<Vec<_>>().join("\t") + "\n";
        let mut out = line(&found.columns);
        out.extend(found.rows.iter().map(|row| line(row)));
        if found.is_cut {
            out.push_str(&format!("… the first {ROWS_MAX} rows; ask with LIMIT and OFFSET for others\n"));
        }
        Ok(out)
    }
}

#[cfg(not(feature = "sqlite"))]
impl Database {
    /// There is none.
    pub(super) fn of(_: &Plan, _: Option<&Path>) -> Result<Self, RunFailure> {
        Ok(Self {})
    }
    /// Nowhere.
    pub(super) fn store(&mut self) -> Option<&mut dyn StateStore> {
        None
    }
    /// Says so.
    pub(super) fn answer(&self, _: &str) -> Result<String, Stop> {
        Err(Stop::usage("--sql: this program was built without SQLite (feature `sqlite`)"))
    }
}
