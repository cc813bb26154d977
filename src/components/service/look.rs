//! What a person sees of a service: a page of what it keeps, or of the calls of one that keeps nothing.

use std::sync::Arc;

use super::aggregate::Commands;
use super::calls::{Calls, Guard};
use super::projection::Projection;
use super::saga::Orchestrator;
use crate::event::{SERVICE_PAGE_ROWS, Scalar, ServiceQuery, ServiceRow, ServiceStanding, StreamEvent, StreamStanding, Transition};
use crate::machines::event_store::AggregateState;
use crate::machines::resilience::{BreakerState, CircuitBreaker};

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
        let columns = table.columns().iter().map(|(name, _)| Arc::clone(name)).collect();
        let rows = table.rows_from("").map(|(key, cells)| (Arc::clone(key), cells.iter().map(Scalar::shown).collect()));
        ServiceStanding::of_rows("projection", query, columns, (table.rows_count(), rows))
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

impl Calls {
    /// Circuit breaker and bulkhead of each instance.
    pub fn look(&self, query: &ServiceQuery) -> ServiceStanding {
        use BreakerState::{Closed, HalfOpen, Open};
        let state_of = |guard: &Guard| guard.breaker.as_ref().map(|breaker| breaker.state());
        let in_state = |state| self.guards().filter(|(_, guard)| state_of(guard) == Some(state)).count() as u64;
        let place = |state: BreakerState| BreakerState::ALL.iter().position(|known| *known == state);
        let way = |(from, to, why): (BreakerState, BreakerState, &str)| Transition {
            from: place(from),
            to: place(to),
            command: why.into(),
            event: to.name().into(),
        };
        let ways = [
            (Closed, Open, "too many fail or are slow"),
            (Open, HalfOpen, "the wait is over"),
            (HalfOpen, Closed, "enough succeed"),
            (HalfOpen, Open, "too many fail or are slow"),
        ];
        let row = |(number, guard): (usize, &Guard)| {
            let of_breaker = |count: fn(&CircuitBreaker) -> u64| guard.breaker.as_ref().map_or(0, count);
            let cells = [
                u64::from(guard.bulkhead.under_way_count()),
                of_breaker(CircuitBreaker::opened_count),
                of_breaker(CircuitBreaker::refused_count),
                guard.bulkhead.rejected_count(),
            ];
            ServiceRow {
                key: format!("instance {number}").into(),
                state: state_of(guard).map_or("", BreakerState::name).into(),
                version: 0,
                cells: cells.iter().map(u64::to_string).collect(),
            }
        };
        let has_breakers = self.guards().any(|(_, guard)| guard.breaker.is_some());
        let states = BreakerState::ALL.into_iter().filter(|_| has_breakers);
        ServiceStanding {
            role: "calls",
            states: states.map(|state| (state.name().into(), in_state(state))).collect(),
            transitions: ways.into_iter().filter(|_| has_breakers).map(way).collect(),
            columns: ["calls", "opened", "refused", "no place"].map(Arc::from).to_vec(),
            rows: self.guards().skip(query.skip).take(SERVICE_PAGE_ROWS).map(row).collect(),
            rows_total: self.guards().count(),
            opened: None,
        }
    }
}
