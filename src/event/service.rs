//! How a service stands, for a person who looks: its state machine, a page of what it keeps, and one thing opened.

use std::sync::Arc;

use crate::units::SimTime;

/// Lines of a page.
pub const SERVICE_PAGE_ROWS: usize = 100;

/// What of a service is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceQuery {
    /// How many lines stand before the page.
    pub skip: usize,
    /// Key of the stream that is opened.
    pub opened: Option<Arc<str>>,
    /// The opened stream's state as it was then; as it is when absent.
    pub at: Option<SimTime>,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceStanding {
    /// What its lines are: `aggregate`, `projection`, `saga`, `table`, `calls` of a service that keeps nothing; none are `plain`.
    pub role: &'static str,
    /// States of its aggregates, or of its sagas, and how many are in each.
    pub states: Vec<(Arc<str>, u64)>,
    /// What leads from one to another.
    pub transitions: Vec<Transition>,
    /// Names of fields or columns.
    pub columns: Vec<Arc<str>>,
    /// A page of aggregates, rows, sagas or instances.
    pub rows: Vec<ServiceRow>,
    /// How many there are in all.
    pub rows_total: usize,
    /// The opened stream.
    pub opened: Option<StreamStanding>,
}

impl ServiceStanding {
    /// A table: the page of its rows that is asked for, of so many in all.
    pub fn of_rows(
        role: &'static str,
        query: &ServiceQuery,
        columns: Vec<Arc<str>>,
        (rows_total, rows): (usize, impl Iterator<Item = (Arc<str>, Vec<String>)>),
    ) -> Self {
        let row = |(key, cells)| ServiceRow { key, state: Arc::from(""), version: 0, cells };
        let rows = rows.skip(query.skip).take(SERVICE_PAGE_ROWS).map(row).collect();
        Self { role, columns, rows, rows_total, ..Self::default() }
    }
}

/// A way of a state machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// From which of the states; from any when absent.
    pub from: Option<usize>,
    /// To which; the same when absent.
    pub to: Option<usize>,
    /// The command that is accepted,
    pub command: Arc<str>,
    /// and the event that it makes.
    pub event: Arc<str>,
}

/// An aggregate, a row or a saga.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRow {
    /// Its key.
    pub key: Arc<str>,
    /// The state that it is in, where there are states.
    pub state: Arc<str>,
    /// Events of its stream.
    pub version: u64,
    /// By column.
    pub cells: Vec<String>,
}

/// A stream of events.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamStanding {
    /// As it was at the moment that was asked for.
    pub then: ServiceRow,
    /// Events that had to be read for that.
    pub events_read: u64,
    /// A snapshot saved the reading of the rest.
    pub from_snapshot: bool,
    /// The newest events.
    pub events: Vec<StreamEvent>,
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamEvent {
    /// Its place in the stream.
    pub version: u64,
    /// Its place in the store.
    pub position: u64,
    /// When it was stored.
    pub at: SimTime,
    /// Its type.
    pub event: Arc<str>,
    /// Version of its schema.
    pub schema_version: u16,
    /// Its fields as JSON.
    pub data: String,
}
