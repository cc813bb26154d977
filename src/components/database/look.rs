//! What a person sees of a table: a page of its rows, whoever writes them.

use std::sync::Arc;

use super::sink::Sink;
use super::table::Table;
use crate::event::{Answer, Query, SERVICE_PAGE_ROWS, Scalar, ServiceRow, ServiceStanding};

impl Sink {
    pub fn look(&self, query: &Query) -> Option<Answer> {
        let rows = self.rows().map(|(key, cells)| row(Arc::clone(key), cells.iter().map(Scalar::shown)));
        page(query, self.columns().map(Arc::clone).collect(), rows)
    }
}

impl Table {
    pub fn look(&self, query: &Query) -> Option<Answer> {
        let columns = ["customer", "amount", "version", "updated, ms"].map(Arc::from).to_vec();
        let rows = self.rows().map(|(id, of)| {
            let amount = format!("{}.{:02}", of.cells.amount_cents / 100, of.cells.amount_cents % 100);
            let cells = [of.cells.customer.to_string(), amount, of.cells.version.to_string(), of.cells.updated_ms.to_string()];
            row(id.to_string().into(), cells.into_iter())
        });
        page(query, columns, rows)
    }
}

fn row(key: Arc<str>, cells: impl Iterator<Item = String>) -> ServiceRow {
    ServiceRow { key, state: Arc::from(""), version: 0, cells: cells.collect() }
}

fn page(query: &Query, columns: Vec<Arc<str>>, rows: impl ExactSizeIterator<Item = ServiceRow>) -> Option<Answer> {
    let Query::Service(query) = query else { return None };
    let rows_total = rows.len();
    let rows = rows.skip(query.skip).take(SERVICE_PAGE_ROWS).collect();
    Some(Answer::Service(Box::new(ServiceStanding { role: "table", columns, rows, rows_total, ..ServiceStanding::default() })))
}
