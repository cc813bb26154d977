//! Who uses a gateway, and when: requests by client, answers by client, route and status, requests by hour of the virtual day.
//!
//! In: what was decided and answered. Out: figures, bounded in number. Start at [`Usage`].

use std::sync::Arc;

use crate::engine::{FigureKind, Figures};
use crate::units::SimTime;

/// Clients with a figure of their own: those with the most requests.
const CLIENTS_SHOWN_MAX: usize = 100;
/// Combinations of client, route and status that are told apart; what comes later counts as one.
const CELLS_MAX: usize = 100;
const HOURS: usize = 24;
const HOUR_NS: u64 = 3_600_000_000_000;

/// Counters of a gateway's clients.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// In the design's order.
    clients: Vec<(Arc<str>, u64)>,
    /// (client, route, status), `web orders 200`, how many; in order of first use.
    cells: Vec<((u32, u32, u16), Arc<str>, u64)>,
    others: (Arc<str>, u64),
    /// By hour of the day, from midnight: virtual time begins there.
    hours: Vec<(Arc<str>, u64)>,
}

impl Usage {
    pub(super) fn new(clients: &[Arc<str>]) -> Self {
        Self {
            clients: clients.iter().map(|name| (Arc::clone(name), 0)).collect(),
            cells: Vec::new(),
            others: ("others".into(), 0),
            hours: (0..HOURS).map(|hour| (format!("{hour:02}").into(), 0)).collect(),
        }
    }
    /// A request came.
    pub(super) fn came(&mut self, now: SimTime) {
        self.hours[(now.as_ns() / HOUR_NS) as usize % HOURS].1 += 1;
    }
    /// It is of this client.
    pub(super) fn known(&mut self, client: u32) {
        if let Some((_, count)) = self.clients.get_mut(client as usize) {
            *count += 1;
        }
    }
    /// It was answered.
    pub(super) fn answered(&mut self, client: u32, (route, name): (u32, &str), status: u16) {
        let key = (client, route, status);
        if let Some((_, _, count)) = self.cells.iter_mut().find(|(known, ..)| *known == key) {
            *count += 1;
        } else if let (true, Some((client, _))) = (self.cells.len() < CELLS_MAX, self.clients.get(client as usize)) {
            self.cells.push((key, format!("{client} {name} {status}").into(), 1));
        } else {
            self.others.1 += 1;
        }
    }
    pub(super) fn figures(&self, now: SimTime, out: &mut Figures) {
        // Of more clients than are shown: how many requests it takes to be among those with the most.
        let mut counts: Vec<u64> = self.clients.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts.get(CLIENTS_SHOWN_MAX - 1).copied().unwrap_or(0).max(1);
        for (name, count) in self.clients.iter().filter(|(_, count)| *count >= least).take(CLIENTS_SHOWN_MAX) {
            out.of("client_requests_count", name, FigureKind::Counter, *count as f64);
        }
        let cells = self.cells.iter().map(|(_, label, count)| (label, *count));
        let others = Some((&self.others.0, self.others.1)).filter(|(_, count)| *count > 0);
        for (label, count) in cells.chain(others) {
            out.of("client_responses_count", label, FigureKind::Counter, count as f64);
        }
        // Shorter runs have their requests over time as a chart.
        if now.as_ns() >= HOUR_NS {
            for (label, count) in &self.hours {
                out.of("hour_requests_count", label, FigureKind::Counter, *count as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn told(usage: &Usage, hours: u64, name: &str) -> Vec<(String, u64)> {
        let mut out = Figures::default();
        usage.figures(SimTime::ZERO + SimDuration::from_secs(hours * 3_600), &mut out);
        out.list.iter().filter(|figure| figure.name == name).map(|figure| (figure.label.to_string(), figure.value as u64)).collect()
    }

    #[test]
    fn the_clients_with_the_most_requests_are_shown() {
        let names: Vec<Arc<str>> = (0..300).map(|n| format!("client-{n}").into()).collect();
        let mut usage = Usage::new(&names);
        for client in 0..300 {
            (0..client).for_each(|_| usage.known(client));
        }
        let shown = told(&usage, 0, "client_requests_count");
        assert_eq!((shown.len(), shown[0].clone()), (CLIENTS_SHOWN_MAX, ("client-200".to_owned(), 200)));
        assert_eq!(shown.last(), Some(&("client-299".to_owned(), 299)));
        assert_eq!(told(&Usage::new(&names), 0, "client_requests_count"), []);
    }

    #[test]
    fn answers_are_counted_by_client_route_and_status_and_none_is_left_out() {
        let names: Vec<Arc<str>> = (0..30).map(|n| format!("client-{n}").into()).collect();
        let mut usage = Usage::new(&names);
        for status in [200, 401, 429, 500, 200] {
            (0..30).for_each(|client| usage.answered(client, (0, "orders"), status));
        }
        let shown = told(&usage, 0, "client_responses_count");
        assert_eq!(shown[0], ("client-0 orders 200".to_owned(), 2));
        assert_eq!((shown.len(), shown.last().cloned()), (CELLS_MAX + 1, Some(("others".to_owned(), 20))));
        assert_eq!(shown.iter().map(|(_, count)| count).sum::<u64>(), 150);
    }

    #[test]
    fn hours_are_those_of_the_day() {
        let mut usage = Usage::new(&[]);
        for minute in 0..(26 * 60) {
            usage.came(SimTime::ZERO + SimDuration::from_secs(minute * 60));
        }
        assert_eq!(told(&usage, 0, "hour_requests_count"), []);
        let shown = told(&usage, 26, "hour_requests_count");
        assert_eq!(shown.len(), HOURS);
        assert_eq!([&shown[1], &shown[2]], [&("01".to_owned(), 120), &("02".to_owned(), 60)]);
    }
}
