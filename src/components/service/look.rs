//! What a person sees of a service: a page of what it keeps.

use std::sync::Arc;

use super::aggregate::Commands;
use super::projection::Projection;
use super::saga::Orchestrator;
use crate::event::{SERVICE_PAGE_ROWS, Scalar, ServiceQuery, ServiceRow, ServiceStanding, StreamEvent, StreamStanding, Transition};
use crate::machines::event_store::AggregateState;

/// Events of an opened stream.
const EVENTS_SHOWN: usize = 100;

impl Commands {
    pub fn look(&self, query: &ServiceQuery) -> ServiceStanding {
        let store = self.store();
        let aggregate = store.aggregate();
        let mut states: Vec<(Arc<str>, u64)> = aggregate.states().iter().map(|name| (Arc::clone(name), 0)).collect();
        let streams = 0..store.streams_count() as u32;
        for state in streams.clone().filter_map(|stream| store.live_of(stream)) {
            states[usize::from(state.state)].1 += 1;
        }
        let row = |key: &Arc<str>, state: &AggregateState| ServiceRow {
            key: Arc::clone(key),
            state: Arc::clone(&aggregate.states()[usize::from(state.state)]),
            version: state.version,
            cells: state.fields.iter().map(Scalar::shown).collect(),
        };
        let page = streams.skip(query.skip).take(SERVICE_PAGE_ROWS);
        let rows = page.filter_map(|stream| Some(row(store.key(stream)?, store.live_of(stream)?))).collect();
        let transitions = aggregate.transitions().map(|(from, command, event, to)| Transition {
            from: from.map(usize::from),
            to: to.map(usize::from),
            command: Arc::clone(command),
            event: Arc::clone(event),
        });
        let opened = query.opened.as_ref().and_then(|key| {
            let stream = store.stream_of(key)?;
            let loaded = query.at.map_or_else(|| store.load(key), |at| store.load_at(key, at));
            let events = store.history(stream).take(EVENTS_SHOWN).map(|(position, recorded)| {
                let mut json = Vec::new();
                aggregate.write_json(&recorded.event, &mut json);
                StreamEvent {
                    version: recorded.version,
                    position,
                    at: recorded.at,
                    event: aggregate.event_type(recorded.event.ty).cloned().unwrap_or_else(|| Arc::from("")),
                    schema_version: recorded.event.schema_version,
                    data: String::from_utf8(json).unwrap_or_default(),
                }
            });
            let then = row(key, &loaded.state);
            Some(StreamStanding { then, events_read: loaded.events_read, from_snapshot: loaded.from_snapshot, events: events.collect() })
        });
        ServiceStanding {
            role: "aggregate",
            states,
            transitions: transitions.collect(),
            columns: aggregate.fields().iter().map(|(name, _)| Arc::clone(name)).collect(),
            rows,
            rows_total: store.streams_count(),
            opened,
        }
    }
}

impl Projection {
    pub fn look(&self, query: &ServiceQuery) -> ServiceStanding {
        let table = self.table();
        let rows = table.rows_from("").skip(query.skip).take(SERVICE_PAGE_ROWS).map(|(key, cells)| ServiceRow {
            key: Arc::clone(key),
            state: Arc::from(""),
            version: 0,
            cells: cells.iter().map(Scalar::shown).collect(),
        });
        ServiceStanding {
            role: "projection",
            columns: table.columns().iter().map(|(name, _)| Arc::clone(name)).collect(),
            rows: rows.collect(),
            rows_total: table.rows_count(),
            ..ServiceStanding::default()
        }
    }
}

impl Orchestrator {
    pub fn look(&self, query: &ServiceQuery) -> ServiceStanding {
        let (states, rows) = self.page(query.skip, SERVICE_PAGE_ROWS);
        ServiceStanding {
            role: "saga",
            states,
            columns: vec![Arc::from("step"), Arc::from("tries")],
            rows,
            rows_total: self.len(),
            ..ServiceStanding::default()
        }
    }
}
