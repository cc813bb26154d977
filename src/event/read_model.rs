//! What a component tells of the read model that it keeps: whoever keeps the rows elsewhere carries it out in order.

use std::sync::Arc;

use super::Scalar;
use crate::units::{ComponentIx, TopicIx};

/// The values of a row, by column.
pub type Cells = Arc<[Scalar]>;

/// The columns of a read model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Name and type (`int`, `double`, `string`, `bool`) of each column beside the key.
    pub columns: Vec<(Arc<str>, &'static str)>,
}

/// A change of a read model, and the place that it was made up to: both are kept together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// Whose read model.
    pub component: ComponentIx,
    /// What has changed.
    pub edit: RowEdit,
    /// The next place to read of a topic's partition; none where the place does not stand with the rows.
    pub read_to: Option<(TopicIx, u32, u64)>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq)]
pub enum RowEdit {
    /// Only the place.
    None,
    /// A row is like this now.
    Put(Arc<str>, Cells),
    /// A row is gone.
    Delete(Arc<str>),
    /// The table has one more column, behind the others; rows that are there have the default in it.
    AddColumn {
        /// Its name.
        name: Arc<str>,
        /// `int`, `double`, `string`, `bool`.
        ty: &'static str,
        /// Null where there is none.
        default: Scalar,
    },
    /// All rows and places are gone.
    Clear,
}
