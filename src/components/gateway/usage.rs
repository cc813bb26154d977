//! Who uses a gateway, and when: requests by client, answers by client, route and status with their time and bytes,
//! refusals by client and reason, requests by time of the virtual day.
//!
//! In: what was decided and answered. Out: figures, bounded in number. Start at [`Usage`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::book::{Book, Seen};
use crate::engine::{FigureKind, Figures};
use crate::units::SimTime;

/// Clients with a figure of their own: those with the most requests.
const CLIENTS_SHOWN_MAX: usize = 100;
/// Combinations of client, route and status, and of client and reason, that are told apart; what comes later counts as one.
const CELLS_MAX: usize = 100;
/// What access logs write for somebody, or something, that is not known.
const NOBODY: &str = "-";
const MINUTE_NS: u64 = 60_000_000_000;
const DAY_MINUTES: usize = 24 * 60;
/// (minutes of a bin, longest run in minutes that is told in such): the shortest that leaves few enough bins to look at.
const BINS: [(usize, u64); 3] = [(1, 60), (10, 10 * 60), (60, u64::MAX)];

/// A client, a route and a status by their numbers.
type CellKey = (Option<u32>, u32, u16);

/// What one client was answered at one route with one status.
#[derive(Clone, Debug)]
struct Cell {
    /// `web orders 200`.
    label: Arc<str>,
    book: Book,
}

/// Counters of a gateway's clients.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// In the design's order.
    clients: Vec<(Arc<str>, u64)>,
    /// In order of first use, the last one for all that found no place.
    cells: Vec<Cell>,
    cell_of: BTreeMap<CellKey, usize>,
    others: Cell,
    /// (client and reason, `web rate-limit`, how many); in order of first use.
    refusals: Vec<((Option<u32>, &'static str), Arc<str>, u64)>,
    other_refusals: u64,
    /// By minute of the day, from midnight: virtual time begins there.
    minutes: Vec<u64>,
}

impl Usage {
    pub(super) fn new(clients: &[Arc<str>]) -> Self {
        Self {
            clients: clients.iter().map(|name| (Arc::clone(name), 0)).collect(),
            cells: Vec::new(),
            cell_of: BTreeMap::new(),
            others: Cell { label: "others".into(), book: Book::default() },
            refusals: Vec::new(),
            other_refusals: 0,
            minutes: vec![0; DAY_MINUTES],
        }
    }
    /// A request came.
    pub(super) fn came(&mut self, now: SimTime) {
        self.minutes[(now.as_ns() / MINUTE_NS) as usize % DAY_MINUTES] += 1;
    }
    /// It is of this client.
    pub(super) fn known(&mut self, client: u32) {
        if let Some((_, count)) = self.clients.get_mut(client as usize) {
            *count += 1;
        }
    }
    /// It was answered. Where nobody can be known, a route's own figures say all.
    pub(super) fn answered(&mut self, client: Option<u32>, (route, name): (u32, Option<&str>), status: u16, seen: Seen) {
        if self.clients.is_empty() {
            return;
        }
        let key = (client, route, status);
        let cell = match self.cell_of.get(&key) {
            Some(at) => &mut self.cells[*at],
            None if self.cells.len() < CELLS_MAX => {
                let label = format!("{} {} {status}", self.name(client), name.unwrap_or(NOBODY)).into();
                self.cell_of.insert(key, self.cells.len());
                self.cells.push(Cell { label, book: Book::default() });
                self.cells.last_mut().unwrap_or(&mut self.others)
            }
            None => &mut self.others,
        };
        cell.book.add(seen);
    }
    /// It was refused for a reason.
    pub(super) fn refused(&mut self, client: Option<u32>, reason: &'static str) {
        if self.clients.is_empty() {
            return;
        }
        let key = (client, reason);
        if let Some((_, _, count)) = self.refusals.iter_mut().find(|(known, ..)| *known == key) {
            *count += 1;
        } else if self.refusals.len() < CELLS_MAX {
            self.refusals.push((key, format!("{} {reason}", self.name(client)).into(), 1));
        } else {
            self.other_refusals += 1;
        }
    }
    fn name(&self, client: Option<u32>) -> &str {
        client.and_then(|client| self.clients.get(client as usize)).map_or(NOBODY, |(name, _)| name)
    }
    pub(super) fn figures(&self, now: SimTime, out: &mut Figures) {
        // Of more clients than are shown: how many requests it takes to be among those with the most.
        let mut counts: Vec<u64> = self.clients.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts.get(CLIENTS_SHOWN_MAX - 1).copied().unwrap_or(0).max(1);
        for (name, count) in self.clients.iter().filter(|(_, count)| *count >= least).take(CLIENTS_SHOWN_MAX) {
            out.of("client_requests_count", name, FigureKind::Counter, *count as f64);
        }
        for Cell { label, book } in self.cells.iter().chain(Some(&self.others)).filter(|cell| cell.book.answered() > 0) {
            out.of("client_responses_count", label, FigureKind::Counter, book.answered() as f64);
            out.of("client_in_bytes", label, FigureKind::Counter, book.in_bytes as f64);
            out.of("client_out_bytes", label, FigureKind::Counter, book.out_bytes as f64);
            let names = ["client_gateway_ms_mean", "client_gateway_ms_p99", "client_upstream_ms_mean", "client_upstream_ms_p99"];
            book.times(names, label, out);
        }
        let refusals = self.refusals.iter().map(|(_, label, count)| (label, *count));
        let others = Some((&self.others.label, self.other_refusals)).filter(|(_, count)| *count > 0);
        for (label, count) in refusals.chain(others) {
            out.of("client_rejections_count", label, FigureKind::Counter, count as f64);
        }
        self.times_of_day(now, out);
    }
    /// Of a run of a minute or more: a shorter one is told by its chart.
    fn times_of_day(&self, now: SimTime, out: &mut Figures) {
        let ran_minutes = now.as_ns().div_ceil(MINUTE_NS);
        if ran_minutes < 2 {
            return;
        }
        let bin = BINS.iter().find(|(_, longest)| ran_minutes <= *longest).map_or(60, |(minutes, _)| *minutes);
        let begun = (ran_minutes.min(DAY_MINUTES as u64) as usize).div_ceil(bin);
        for (at, minutes) in self.minutes.chunks(bin).take(begun).enumerate() {
            let from = at * bin;
            let label = format!("{:02}:{:02}", from / 60, from % 60).into();
            out.of("time_requests_count", &label, FigureKind::Counter, minutes.iter().sum::<u64>() as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    fn after(minutes: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(minutes * 60)
    }

    fn told(usage: &Usage, minutes: u64, name: &str) -> Vec<(String, u64)> {
        let mut out = Figures::default();
        usage.figures(after(minutes), &mut out);
        out.list.iter().filter(|figure| figure.name == name).map(|figure| (figure.label.to_string(), figure.value as u64)).collect()
    }

    fn names(count: u32) -> Vec<Arc<str>> {
        (0..count).map(|n| format!("client-{n}").into()).collect()
    }

    fn seen(upstream_ms: u64) -> Seen {
        let [gateway, upstream] = [2, upstream_ms].map(SimDuration::from_ms);
        Seen { gateway, upstream, in_bytes: 100, out_bytes: 30 }
    }

    #[test]
    fn the_clients_with_the_most_requests_are_shown() {
        let mut usage = Usage::new(&names(300));
        for client in 0..300 {
            (0..client).for_each(|_| usage.known(client));
        }
        let shown = told(&usage, 0, "client_requests_count");
        assert_eq!((shown.len(), shown[0].clone()), (CLIENTS_SHOWN_MAX, ("client-200".to_owned(), 200)));
        assert_eq!(shown.last(), Some(&("client-299".to_owned(), 299)));
        assert_eq!(told(&Usage::new(&names(300)), 0, "client_requests_count"), []);
    }

    #[test]
    fn answers_are_counted_by_client_route_and_status_and_none_is_left_out() {
        let mut usage = Usage::new(&names(30));
        for status in [200, 401, 429, 500, 200] {
            (0..30).for_each(|client| usage.answered(Some(client), (0, Some("orders")), status, seen(1)));
        }
        let shown = told(&usage, 0, "client_responses_count");
        assert_eq!(shown[0], ("client-0 orders 200".to_owned(), 2));
        assert_eq!((shown.len(), shown.last().cloned()), (CELLS_MAX + 1, Some(("others".to_owned(), 20))));
        assert_eq!(shown.iter().map(|(_, count)| count).sum::<u64>(), 150);
        let bytes: u64 = told(&usage, 0, "client_out_bytes").iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(bytes, 150 * 30);
    }

    #[test]
    fn time_is_told_as_the_gateways_own_and_that_of_what_is_behind_it() {
        let mut usage = Usage::new(&names(1));
        for ms in 1..=100 {
            usage.answered(Some(0), (0, Some("orders")), 200, seen(ms));
        }
        let one = |name: &str| told(&usage, 0, name)[0].1;
        assert_eq!((one("client_gateway_ms_mean"), one("client_gateway_ms_p99")), (2, 2));
        assert_eq!((one("client_upstream_ms_mean"), one("client_upstream_ms_p99")), (50, 99));
    }

    #[test]
    fn strangers_stand_beside_clients_and_alone_they_are_no_news() {
        let (mut usage, mut alone) = (Usage::new(&names(1)), Usage::new(&[]));
        for usage in [&mut usage, &mut alone] {
            usage.answered(None, (u32::MAX, None), 404, seen(0));
            usage.refused(None, "no-route");
            usage.refused(Some(0), "rate-limit");
        }
        assert_eq!(told(&usage, 0, "client_responses_count"), [("- - 404".to_owned(), 1)]);
        let refused = [("- no-route".to_owned(), 1), ("client-0 rate-limit".to_owned(), 1)];
        assert_eq!(told(&usage, 0, "client_rejections_count"), refused);
        assert_eq!(told(&alone, 0, "client_responses_count"), []);
    }

    #[test]
    fn bins_fit_the_run_and_begin_anew_each_day() {
        let mut usage = Usage::new(&[]);
        (0..26 * 60).for_each(|minute| usage.came(after(minute)));
        let bins = |minutes: u64| told(&usage, minutes, "time_requests_count");
        assert_eq!(bins(1), []);
        assert_eq!((bins(2).len(), bins(2)[1].0.as_str(), bins(60).len()), (2, "00:01", 60));
        assert_eq!((bins(61).len(), bins(61)[6].0.as_str(), bins(600).len()), (7, "01:00", 60));
        assert_eq!((bins(601).len(), bins(26 * 60).len()), (11, 24));
        assert_eq!([&bins(26 * 60)[1], &bins(26 * 60)[2]], [&("01:00".to_owned(), 120), &("02:00".to_owned(), 60)]);
    }
}
