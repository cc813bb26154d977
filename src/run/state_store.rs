//! Where read models are kept that a run fills: what a store must do, and what it is told.
//!
//! In: changes of rows, in order, carried out between slices of the run in one transaction each, so that a run is the same
//! with and without a store. Must not know: databases. Start at [`StateStore`].

use std::sync::Arc;

use super::StoreError;
use crate::compile::Plan;
use crate::event::{RowChange, TableShape};
use crate::units::ComponentIx;

/// A read model of a design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadModel {
    /// Whose.
    pub component: ComponentIx,
    /// That one's id, which names the table.
    pub name: Arc<str>,
    /// Its columns.
    pub shape: TableShape,
}

/// The read models of a plan.
#[must_use]
pub fn read_models(plan: &Plan) -> Vec<ReadModel> {
    let model = |(index, component): (usize, &crate::compile::PlannedComponent)| {
        let shape = component.process.read_model()?;
        Some(ReadModel { component: ComponentIx(index as u32), name: Arc::clone(&component.id), shape })
    };
    plan.components.iter().enumerate().filter_map(model).collect()
}

/// Keeps the read models of a run.
pub trait StateStore {
    /// A run begins: every read model is there and empty.
    ///
    /// # Errors
    /// What the database says.
    fn begin(&mut self, models: &[ReadModel]) -> Result<(), StoreError>;
    /// Carries out changes in their order, all or none.
    ///
    /// # Errors
    /// What the database says.
    fn carry_out(&mut self, changes: &[RowChange]) -> Result<(), StoreError>;
    /// The run is over: everything is made durable.
    ///
    /// # Errors
    /// What the database says.
    fn finish(&mut self) -> Result<(), StoreError>;
}
