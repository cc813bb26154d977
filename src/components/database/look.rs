//! What a person sees of a table: a page of its rows, whoever writes them.

use std::sync::Arc;

use super::sink::Sink;
use super::table::Table;
use crate::event::{Answer, Query, Scalar, ServiceStanding};

impl Sink {
    pub fn look(&self, query: &Query) -> Option<Answer> {
        let rows = self.rows().map(|(key, cells)| (Arc::clone(key), cells.iter().map(Scalar::shown).collect()));
        page(query, self.columns().map(Arc::clone).collect(), rows)
    }
}

impl Table {
    pub fn look(&self, query: &Query) -> Option<Answer> {
        let columns = ["customer", "amount", "version", "updated, ms"].map(Arc::from).to_vec();
        let rows = self.rows().map(|(id, of)| {
            let amount = format!("{}.{:02}", of.cells.amount_cents / 100, of.cells.amount_cents % 100);
            let cells = vec![of.cells.customer.to_string(), amount, of.cells.version.to_string(), of.cells.updated_ms.to_string()];
            (id.to_string().into(), cells)
        });
        page(query, columns, rows)
    }
}

fn page(query: &Query, columns: Vec<Arc<str>>, rows: impl ExactSizeIterator<Item = (Arc<str>, Vec<String>)>) -> Option<Answer> {
    let Query::Service(query) = query else { return None };
    Some(Answer::Service(Box::new(ServiceStanding::of_rows("table", query, columns, (rows.len(), rows)))))
}
